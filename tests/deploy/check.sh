#!/usr/bin/env bash
# make deploy-check: everything in deploy/ that can be checked without a cluster. Installs what it needs into .tools/.
#
# Uses the binary at CHORUS_BIN, or target/debug/chorus, which `make deploy-check` builds: what the chart renders is read by
# the program itself, and its metrics are scraped. On loopback; ends what it starts.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/../.."

readonly tools="$PWD/.tools" chart=deploy/chart
readonly binary="${CHORUS_BIN:-${CARGO_TARGET_DIR:-target}/debug/chorus}"
work="$(mktemp -d)"
demo=""
# shellcheck disable=SC2317,SC2329 # called by the trap
clean() {
    [ -z "$demo" ] || kill "$demo" 2>/dev/null || true
    rm -rf "$work"
}
trap clean EXIT
passed=0 failed=0

ok() { passed=$((passed + 1)) && echo "ok      $*"; }
bad() { failed=$((failed + 1)) && echo "FAILED  $*"; }
# expect WHAT COMMAND…: it succeeds; its output is shown when it does not.
expect() {
    local what="$1"
    shift
    if "$@" >"$work/out" 2>&1; then ok "$what"; else bad "$what" && sed 's/^/        /' "$work/out"; fi
}

echo "== tools"
tests/deploy/tools.sh
export PATH="$tools/bin:$PATH"
readonly python="$tools/venv/bin/python"

render() {
    local code=0
    helm template chorus "$chart" --namespace city --kube-version 1.34.0 "$@" 2>"$work/err" || code=$?
    grep -v 'found symbolic link' "$work/err" >&2 || true
    return "$code"
}
conform() {
    # shellcheck disable=SC2016 # the templates are kubeconform's
    kubeconform -strict -summary -kubernetes-version 1.34.0 \
        -schema-location "$tools"'/schemas/{{ .NormalizedKubernetesVersion }}{{ .StrictSuffix }}/{{ .ResourceKind }}{{ .KindSuffix }}.json' \
        -schema-location "$tools"'/crd-schemas/{{ .Group }}_{{ .ResourceKind }}_{{ .ResourceAPIVersion }}.json' "$1"
}

echo "== one thing said once"
expect "the chart's config schema is the binary's" tests/deploy/config_schema.py
expect "docs/metrics.md is what the binary declares" tests/deploy/metrics.py
expect "rules, dashboards, runbooks and links agree" "$python" tests/deploy/lint.py
expect "shell scripts" shellcheck tests/deploy/*.sh deploy/image/*.sh
expect "Dockerfile" "$tools/venv/bin/hadolint" --ignore DL3008 Dockerfile

echo "== rules"
expect "promtool check rules" promtool check rules deploy/prometheus/rules.yaml
expect "promtool test rules: each alert fires, and does not" promtool test rules deploy/prometheus/rules.test.yaml

echo "== chart"
for values in "$chart"/ci/*-values.yaml; do
    name="$(basename "$values" -values.yaml)"
    expect "$name: helm lint --strict" helm lint --strict "$chart" --kube-version 1.34.0 -f "$values"
    expect "$name: helm template" render -f "$values"
    cp "$work/out" "$work/$name.yaml"
    expect "$name: kubeconform" conform "$work/$name.yaml"
    expect "$name: what the chart promises of every pod" "$python" tests/deploy/promises.py "$work/$name.yaml"
done
expect "a prefix stands before every topic and group that a user may touch" sh -c "
helm template chorus '$chart' --kube-version 1.34.0 --set strimzi.users=true,strimzi.cluster=c,config.topics.prefix=east. 2>/dev/null |
    '$python' -c '
import sys, yaml
rights = [acl[\"resource\"] for d in yaml.safe_load_all(sys.stdin) if d and d[\"kind\"] == \"KafkaUser\" for acl in d[\"spec\"][\"authorization\"][\"acls\"]]
assert len(rights) > 20, rights
for right in rights:
    assert right[\"name\"].startswith(\"east.\"), right'"
# The Job's pod cannot be changed, so an upgrade that changes it must make another Job, and one that does not must keep it.
job() { render --set topicsJob=true "$@" | sed -n 's/^  name: \(chorus-topics-[0-9a-f]*\)$/\1/p'; }
same_job() { [ -n "$(job)" ] && [ "$(job "$@")" = "$(job)" ]; }
another_job() { [ -n "$(job "$@")" ] && [ "$(job "$@")" != "$(job)" ]; }
expect "topicsJob: the same values name the same Job" same_job --set workloads.detect.replicas=2
for change in image.tag=9.9.9 config.topics.replication=1 image.pullPolicy=Always 'image.pullSecrets={registry}'; do
    expect "topicsJob: another Job with $change" another_job --set "$change"
done
# What a pod may connect to besides the ports in its configuration, which are a Service's perhaps.
may_connect() {
    render "$@" --set network.kafkaPorts='{9094,9095}' --set 'workloads.deliver\.desk.egressPorts={8443}' --set workloads.center.egressPorts='{6432}' \
        --set config.center.database=postgres://u@db/x --set config.destinations.desk.url=https://desk.example/in |
        "$python" -c '
import sys, yaml
ports = {d["metadata"]["name"]: [p["port"] for rule in d["spec"].get("egress", []) for p in rule["ports"]] for d in yaml.safe_load_all(sys.stdin) if d and d["kind"] == "NetworkPolicy" and d["spec"].get("egress")}
kafka = [53, 53, 9092, 9094, 9095]
assert ports["chorus-detect"] == kafka and ports["chorus-topics"] == kafka, ports
assert ports["chorus-deliver-desk"] == kafka + [443, 8443], ports
assert ports["chorus-center"] == [53, 53, 5432, 6432], ports'
}
expect "ports that are named besides are open to those who need them" may_connect --set topicsJob=true
expect "the chart's PrometheusRule" "$python" -c "
import json, sys, yaml
rule = next(d for d in yaml.safe_load_all(open('$work/city.yaml')) if d and d['kind'] == 'PrometheusRule')
json.dump({'groups': rule['spec']['groups']}, open('$work/rule.json', 'w'))"
expect "promtool check rules of the PrometheusRule" promtool check rules "$work/rule.json"
expect "helm package" helm package "$chart" -d "$work"
expect "the package holds rules and dashboards" sh -c "tar tzf $work/chorus-*.tgz | grep -q files/rules.yaml && tar tzf $work/chorus-*.tgz | grep -q files/dashboards/city.json"

echo "== refused, with a message"
# refused MESSAGE ARGUMENT…: the chart does not render, and says so.
refused() {
    local message="$1"
    shift
    if render "$@" >"$work/out" 2>&1; then
        bad "was accepted: $*"
    elif grep -qF -- "$message" "$work/out"; then
        ok "$message"
    else
        bad "another message than '$message':" && sed 's/^/        /' "$work/out"
    fi
}
refused "additional properties 'replica' not allowed" --set workloads.detect.replica=3
refused "additional properties 'compresion' not allowed" --set config.kafka.compresion=lz4
refused "additional properties 'ingest.bus' not allowed" --set 'workloads.ingest\.bus.replicas=1'
refused "additional properties 'extra' not allowed" --set extra=1
refused "additional properties 'value' not allowed" --set secrets.desk.value=x
refused "value must be one of 'centre', 'alertmanager'" --set config.destinations.desk.type=pigeon
refused "maximum: got 99,999, want 65,535" --set network.kafkaPorts='{99999}'
refused "minimum: got 5, want 25" --set workloads.fuse.terminationGracePeriodSeconds=5
refused "image.tag: not with image.digest" --set image.tag=0.2.0,image.digest=sha256:0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef
refused "workloads.detect.replicas: 13 are more than 12" --set workloads.detect.replicas=13
refused "workloads.ingest.gate.replicas: 4 are more than 3: raw.gate has 6 partitions" --set 'workloads.ingest\.gate.replicas=4' --set config.feeds.gate.workers=2
refused "workloads.canary.replicas: 2 are more than 1: each sends every canary" --set workloads.canary.replicas=2
refused "config.canary.feeds: grid: there is no workload ingest.grid" --set 'config.canary.feeds={gate,grid}' --set 'workloads.ingest\.grid.enabled=false'
refused "workloads.fuse.autoscaling.max: 5 are more than 4" --set workloads.fuse.autoscaling.enabled=true,workloads.fuse.autoscaling.max=5,monitoring.prometheus=http://p:9090
refused "workloads.detect.autoscaling: needs monitoring.prometheus" --set workloads.detect.autoscaling.enabled=true
refused "workloads.detect.autoscaling: not with assignment ordinal" --set workloads.detect.autoscaling.enabled=true,workloads.detect.assignment=ordinal,monitoring.prometheus=http://p:9090
refused "workloads.center.replicas: 2 are more than 1: SQLite" --set workloads.center.replicas=2
refused 'config.kafka.bootstrap: "kafka" is no address' --set config.kafka.bootstrap=kafka
refused 'config.kafka.bootstrap: "kafka:99999": a port is 1 to 65535' --set config.kafka.bootstrap=kafka:99999
refused 'config.destinations.desk.url: "desk:8080" is no address' --set config.destinations.desk.url=desk:8080
refused "without a password" --set 'config.center.database=postgres://u:p@db/x'
refused "SQLite's file must be on the volume" --set config.center.database=sqlite://center.db
refused "config.http.listen: set by the chart" --set config.http.listen=0.0.0.0:1
refused "config.kafka.assignment: set by the chart" --set config.kafka.assignment.by=group
refused "config.destinations has no nowhere" --set 'workloads.deliver\.nowhere.replicas=1'
refused "secrets.rejects: missing" --set secrets.rejects=null
refused "files.registry: missing" --set 'config.registry.places={/etc/chorus/registry/places.csv}'
refused "a secret's file must be /run/secrets/chorus/NAME" --set config.secrets.rejects_key_file=/tmp/key
refused "strimzi.cluster: needed" --set strimzi.topics=true
refused "topicsJob: not with strimzi.users" --set topicsJob=true,strimzi.users=true,strimzi.cluster=city

echo "== the binary"
if [ ! -x "$binary" ]; then
    bad "no binary at $binary: cargo build -p chorus, or CHORUS_BIN"
else
    for values in "$chart"/ci/*-values.yaml; do
        name="$(basename "$values" -values.yaml)"
        expect "$name: chorus check reads what the chart renders" "$python" tests/deploy/read_back.py "$binary" "$work/$name.yaml"
    done
    port="$("$python" -c 'import socket; s = socket.socket(); s.bind(("127.0.0.1", 0)); print(s.getsockname()[1])')"
    (cd "$work" && exec "$(realpath "$OLDPWD/$binary" 2>/dev/null || realpath "$binary")" demo --port "$port") >"$work/demo.log" 2>&1 &
    demo=$!
    # Alerts have been delivered: then every role has counted something.
    for _ in $(seq 300); do
        curl -fsS "http://127.0.0.1:$port/metrics" -o "$work/metrics.txt" 2>/dev/null || true
        grep -q 'chorus_center_deliveries_total{outcome="stored"} [1-9]' "$work/metrics.txt" 2>/dev/null && break
        kill -0 "$demo" 2>/dev/null || break
        sleep 0.2
    done
    expect "the demo city delivers" grep -q 'chorus_center_deliveries_total{outcome="stored"} [1-9]' "$work/metrics.txt"
    expect "promtool check metrics on every role" sh -c "promtool check metrics <'$work/metrics.txt'"
    expect "rules and dashboards ask for series that are there" "$python" tests/deploy/lint.py --scrape "$work/metrics.txt"
    kill "$demo" 2>/dev/null || true
    wait "$demo" 2>/dev/null || true
    demo=""
fi

echo
echo "deploy-check: $passed passed, $failed failed"
[ "$failed" = 0 ]
