# The commands of the README. Each installs what it needs, on a bare Debian machine with Rust.
.PHONY: demo test lint bench city-kafka schemas formats fuzz scores image image-check deploy-check deploy-apiserver

# The whole city in one process: http://127.0.0.1:8080/
demo:
	cargo build --release --locked -p chorus
	target/release/chorus demo $(ARGS)

# The same city on a real Kafka, each role a process of its own.
city-kafka:
	deploy/local/city-kafka.sh $(ARGS)

# Format, lints, unit tests, whole-pipeline tests on a real Kafka, browser tests.
test:
	tests/run.sh

lint:
	cargo fmt --all --check
	cargo clippy --locked --workspace --all-targets -- -D warnings

# Throughput as a share of a roofline, and latency beside a bare copy chain; takes some minutes.
bench:
	tests/kafka/fetch.sh >/dev/null
	cargo build --release --locked -p chorus
	cargo bench --locked -p chorus-ingest
	cargo bench --locked -p chorus-processors
	cargo bench --locked -p chorus-tests $(ARGS)

# The JSON Schemas of the public faces, from the types.
schemas:
	cargo run --locked -q -p chorus -- schema --write docs/schemas

# The pages of the wire formats, from the code.
formats:
	CHORUS_WRITE_PAGES=1 cargo test --locked -q -p chorus-ingest --test pages --test traps

# What the statistical detectors reach on labelled series, beside the goals (docs/detection.md); the series are not ours.
scores:
	tests/scores/run.sh

# Every wire format for RUNS executions, with what was found; needs nightly and cargo-fuzz.
RUNS = 1000000
fuzz:
	ingest/fuzz/run.sh $(RUNS) $(FORMATS)

# One static image for all roles, with buildah where there is no Docker engine; an OCI archive and its SBOM in .tools/image/.
image:
	deploy/image/build.sh

# Chart, rules, dashboards and runbooks, without a cluster.
deploy-check:
	cargo build --locked -p chorus
	tests/deploy/check.sh

# A real API server on loopback takes every object of the chart; it is built once, in some ten minutes.
deploy-apiserver:
	tests/deploy/apiserver.sh

# The image in a container: read-only, not root, without capabilities.
image-check: image
	tests/deploy/image.sh
