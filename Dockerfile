# One static image for all roles: nothing in it but the binary, the CA certificates and the shipped rules.
ARG BUILD=docker.io/library/rust:1.95-bookworm
FROM ${BUILD} AS build
RUN apt-get update && apt-get install -y --no-install-recommends musl-tools make gcc ca-certificates && rm -rf /var/lib/apt/lists/*
RUN rustup target add x86_64-unknown-linux-musl
WORKDIR /src
COPY . .
# musl-gcc compiles librdkafka; it must not become the linker, which Rust brings along for this target.
ENV CC_x86_64_unknown_linux_musl=musl-gcc
RUN cargo build --release --locked --target x86_64-unknown-linux-musl -p chorus && strip target/x86_64-unknown-linux-musl/release/chorus

FROM scratch
COPY --from=build /src/target/x86_64-unknown-linux-musl/release/chorus /chorus
COPY --from=build /src/rules /rules
COPY --from=build /etc/ssl/certs/ca-certificates.crt /etc/ssl/certs/ca-certificates.crt
USER 65532:65532
ENTRYPOINT ["/chorus"]
