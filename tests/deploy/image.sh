#!/usr/bin/env bash
# make image-check: runs the image as a cluster would: read-only root, a user that is not root, no capabilities, no new privileges.
#
# The demo city runs whole inside of it (records in, alerts out, /metrics); then every role against a real Kafka with TLS, SCRAM and the
# rights of the chart's KafkaUsers, from raw record to the acknowledgement of the centre, SIGTERM and a clean end. On loopback; ends what it starts, each by its id.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/../.."

readonly image="$PWD/.tools/image" name=localhost/chorus:dev
missing=()
command -v podman >/dev/null || missing+=(podman)
command -v runc >/dev/null || missing+=(runc)
command -v skopeo >/dev/null || missing+=(skopeo)
if [ "${#missing[@]}" -gt 0 ]; then
    apt-get update -qq
    DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends "${missing[@]}" >/dev/null
fi
work="$(mktemp -d)"
chmod 755 "$work"
readonly engine=(podman --runtime runc --storage-driver vfs --root "$image/store" --runroot "$image/run" --cgroup-manager cgroupfs --events-backend none)
readonly restricted=(--ulimit nofile=1024:1024 --ulimit nproc=1024:1024 --network host --read-only --read-only-tmpfs=false
    --cap-drop all --security-opt no-new-privileges --user 65532:65532 --memory 256m)
running=() kafka=""
# shellcheck disable=SC2317,SC2329 # called by the trap
clean() {
    local container
    for container in "${running[@]}"; do "${engine[@]}" rm -f -t 5 "$container" >/dev/null 2>&1 || true; done
    [ -z "$kafka" ] || { kill "$kafka" && wait "$kafka"; } 2>/dev/null || true
    rm -rf "$work"
}
trap clean EXIT
passed=0 failed=0
ok() { passed=$((passed + 1)) && echo "ok      $*"; }
bad() { failed=$((failed + 1)) && echo "FAILED  $*"; }
expect() {
    local what="$1"
    shift
    if "$@" >"$work/out" 2>&1; then ok "$what"; else bad "$what" && sed 's/^/        /' "$work/out"; fi
}
# await WHAT COMMAND…: within a minute.
await() {
    local what="$1" until=$((SECONDS + 60))
    shift
    until "$@" >"$work/out" 2>&1; do
        if [ "$SECONDS" -ge "$until" ]; then bad "$what" && sed 's/^/        /' "$work/out" && return 0; fi
        sleep 0.3
    done
    ok "$what"
}
free_port() { python3 -c 'import socket; s = socket.socket(); s.bind(("127.0.0.1", 0)); print(s.getsockname()[1])'; }
# start NAME ARGUMENT…: a container in the background.
start() {
    local container="chorus-check-$1"
    shift
    running+=("$container")
    "${engine[@]}" run -d --name "$container" "${restricted[@]}" "$@" >/dev/null
}
ended_well() { [ "$("${engine[@]}" wait "$1")" = 0 ]; }
scrape() { curl -fsS --max-time 2 "http://127.0.0.1:$1/metrics"; }

echo "== the image itself"
skopeo inspect --config "oci-archive:$image/chorus.tar" >"$work/config.json"
expect "its user is a number and not root" python3 -c "
import json; c = json.load(open('$work/config.json'))['config']
user, group = map(int, c['User'].split(':')); assert user > 0 and group > 0, c['User']
for label in ('title', 'version', 'revision', 'created', 'licenses'): assert c['Labels'].get('org.opencontainers.image.' + label), label"
"${engine[@]}" create --name chorus-check-files "$name" --version >/dev/null
running+=(chorus-check-files)
"${engine[@]}" export chorus-check-files | tar tf - | grep -v '/$' | grep -vE '^(dev|proc|sys|run)/|^etc/(hosts|hostname|resolv.conf|mtab)$' | sort >"$work/files"
expect "it holds a program, certificates, rules, licence and SBOM, and nothing else" sh -c "
test -z \"\$(grep -vE '^(chorus|LICENSE|sbom.cdx.json|etc/ssl/certs/ca-certificates.crt|rules/[a-z.]+.yaml)\$' '$work/files')\" && grep -qx chorus '$work/files' && grep -qx sbom.cdx.json '$work/files'"
expect "the program is static" sh -c "file -b '$image/root/out/chorus' | grep -q static || ! readelf -l '$image/root/out/chorus' | grep -q INTERP"
expect "TLS and SCRAM to Kafka are in it" grep -qa 'SCRAM-SHA-512' "$image/root/out/chorus"
expect "chorus --version" "${engine[@]}" run --rm "${restricted[@]}" "$name" --version

echo "== the demo city, inside"
port="$(free_port)"
start demo --tmpfs /tmp:rw,size=64m,mode=1777 "$name" demo --port "$port"
await "alerts come out" sh -c "curl -fsS http://127.0.0.1:$port/metrics | grep -q 'outcome=\"stored\"} [1-9]'"
expect "SIGTERM" "${engine[@]}" stop -t 30 chorus-check-demo
expect "a clean end" ended_well chorus-check-demo

echo "== every role on a real Kafka"
tests/deploy/tools.sh
export PATH="$PWD/.tools/bin:$PATH"
command -v kcat >/dev/null || DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends kcat >/dev/null
libraries="$(tests/kafka/fetch.sh)"
client="$(free_port)" inner="$(free_port)" controller="$(free_port)"
# TLS, SCRAM, and a user for each role with the rights that the chart's KafkaUser gives, and no other.
openssl req -x509 -newkey rsa:2048 -nodes -keyout "$work/broker.key" -out "$work/broker.crt" -subj /CN=127.0.0.1 \
    -addext subjectAltName=IP:127.0.0.1 -days 2 2>/dev/null
openssl pkcs8 -topk8 -nocrypt -in "$work/broker.key" -out "$work/broker.pk8"
cat "$work/broker.pk8" "$work/broker.crt" >"$work/broker.pem"
password="$(openssl rand -hex 16)"
cat >"$work/node.properties" <<NODE
process.roles=broker,controller
node.id=1
listeners=INNER://127.0.0.1:$inner,CLIENTS://127.0.0.1:$client,CONTROLLER://127.0.0.1:$controller
advertised.listeners=INNER://127.0.0.1:$inner,CLIENTS://127.0.0.1:$client
listener.security.protocol.map=INNER:PLAINTEXT,CLIENTS:SASL_SSL,CONTROLLER:PLAINTEXT
sasl.enabled.mechanisms=SCRAM-SHA-512
listener.name.clients.scram-sha-512.sasl.jaas.config=org.apache.kafka.common.security.scram.ScramLoginModule required;
ssl.keystore.type=PEM
ssl.keystore.location=$work/broker.pem
authorizer.class.name=org.apache.kafka.metadata.authorizer.StandardAuthorizer
super.users=User:ANONYMOUS
controller.listener.names=CONTROLLER
inter.broker.listener.name=INNER
controller.quorum.voters=1@127.0.0.1:$controller
log.dirs=$work/kafka
offsets.topic.replication.factor=1
offsets.topic.num.partitions=4
transaction.state.log.replication.factor=1
transaction.state.log.min.isr=1
share.coordinator.state.topic.replication.factor=1
share.coordinator.state.topic.min.isr=1
group.initial.rebalance.delay.ms=0
auto.create.topics.enable=false
log.cleaner.dedupe.buffer.size=2097152
NODE
java=(java "-Dlog4j2.configurationFile=$PWD/tests/kafka/log4j2.properties" -Xmx384m -XX:+UseSerialGC -cp "$libraries/*")
scram=()
for user in ingest-school detect fuse deliver-desk canary operator stranger; do
    scram+=(--add-scram "SCRAM-SHA-512=[name=chorus-$user,password=$password]")
done
"${java[@]}" kafka.tools.StorageTool format -c "$work/node.properties" "${scram[@]}" \
    -t "$(head -c 16 /dev/urandom | base64 | tr '+/' '-_' | tr -d '=')" >"$work/kafka.log" 2>&1
"${java[@]}" kafka.Kafka "$work/node.properties" >>"$work/kafka.log" 2>&1 &
kafka=$!
# The rights, from the chart: a line each of user, pattern, operations, and all that they are given on, since each call of Kafka's tool takes seconds.
helm template chorus deploy/chart --kube-version 1.34.0 --set strimzi.users=true,strimzi.cluster=c 2>/dev/null |
    "$PWD/.tools/venv/bin/python" -c '
import collections, sys, yaml
rights = collections.defaultdict(list)
for thing in yaml.safe_load_all(sys.stdin):
    if thing and thing["kind"] == "KafkaUser":
        for acl in thing["spec"]["authorization"]["acls"]:
            resource, operations = acl["resource"], ",".join(sorted(acl["operations"]))
            pattern = {"literal": "literal", "prefix": "prefixed"}[resource["patternType"]]
            rights[thing["metadata"]["name"], pattern, operations] += ["--" + resource["type"], resource["name"]]
for key, on in rights.items():
    print(*key, *on)' >"$work/acls"
listens() { (exec 3<>"/dev/tcp/127.0.0.1/$1") 2>/dev/null; }
await "Kafka with TLS, SCRAM and rights" listens "$client"
while read -r user pattern operations on; do
    case "$user" in chorus-ingest-school | chorus-detect | chorus-fuse | chorus-deliver-desk | chorus-canary | chorus-operator) ;; *) continue ;; esac
    flags=(--resource-pattern-type "$pattern")
    for operation in ${operations//,/ }; do flags+=(--operation "$operation"); done
    read -ra resources <<<"$on"
    expect "the rights of $user" "${java[@]}" org.apache.kafka.tools.AclCommand --bootstrap-server "127.0.0.1:$inner" --add --allow-principal "User:$user" "${flags[@]}" "${resources[@]}" </dev/null
done <"$work/acls"

mkdir -p "$work/chorus" "$work/data"
for key in rejects desk; do openssl rand -hex 32 >"$work/chorus/$key"; done
echo "$password" >"$work/chorus/password"
cp "$work/broker.crt" "$work/chorus/"
cat >"$work/chorus/places.csv" <<'CSV'
id,name,kind,division_code,lat,lon,calendar
school-7,School 7,school,360102001001,28.68,115.89,
CSV
cat >"$work/chorus/devices.csv" <<'CSV'
id,channel,place,kind,heartbeat
button-1,,school-7,panic_button,
CSV
centre="$(free_port)"
cat >"$work/chorus/chorus.yaml" <<YAML
kafka:
  bootstrap: "127.0.0.1:$client"
  properties: {security.protocol: SASL_SSL, sasl.mechanism: SCRAM-SHA-512, ssl.ca.location: /etc/chorus/broker.crt}
  property_files: {sasl.password: /etc/chorus/password}
topics: {raw_partitions: 1, events_partitions: 2, alerts_partitions: 1}
registry: {places: [/etc/chorus/places.csv], devices: [/etc/chorus/devices.csv]}
canary: {feeds: [school], every: 30s}
secrets: {rejects_key_file: /etc/chorus/rejects}
destinations: {desk: {type: centre, url: "http://127.0.0.1:$centre", key_file: /etc/chorus/desk}}
center: {listen: "127.0.0.1:$centre", database: "sqlite:///data/center.db", key_file: /etc/chorus/desk}
YAML
chmod -R a+rX "$work/chorus"
chown 65532:65532 "$work/data"
declare -A ports=()
mounts=(-v "$work/chorus:/etc/chorus:ro" -e CHORUS_CONFIG=/etc/chorus/chorus.yaml)
await "chorus topics apply" "${engine[@]}" run --rm "${restricted[@]}" "${mounts[@]}" -e "CHORUS_KAFKA__BOOTSTRAP=127.0.0.1:$inner" \
    -e "CHORUS_KAFKA__PROPERTIES={}" -e "CHORUS_KAFKA__PROPERTY_FILES={}" "$name" topics apply
# as USER: the properties of a workload's own Kafka user.
as() { echo "CHORUS_KAFKA__PROPERTIES={security.protocol: SASL_SSL, sasl.mechanism: SCRAM-SHA-512, ssl.ca.location: /etc/chorus/broker.crt, sasl.username: chorus-$1}"; }
# role NAME USER ARGUMENT…
role() {
    local which="$1" user="$2"
    shift 2
    ports[$which]="$(free_port)"
    start "$which" "${mounts[@]}" -e "CHORUS_HTTP__LISTEN=127.0.0.1:${ports[$which]}" -e "$(as "$user")" "$name" "$@"
}
if "${engine[@]}" run --rm "${restricted[@]}" "${mounts[@]}" -e "$(as stranger)" "$name" detect >"$work/out" 2>&1; then
    bad "a user without rights starts detect"
elif grep -q 'does not exist' "$work/out"; then
    ok "a user without rights sees no topic, and detect ends with a message"
else
    bad "a user without rights:" && sed 's/^/        /' "$work/out"
fi
role ingest ingest-school ingest --feed school
role detect detect detect
role fuse fuse fuse
role deliver deliver-desk deliver --destination desk
ports[center]="$centre"
start center "${mounts[@]}" -v "$work/data:/data" "$name" center
role canary canary canary
for which in ingest detect fuse deliver center canary; do
    await "$which is ready" curl -fsS --max-time 2 "http://127.0.0.1:${ports[$which]}/readyz"
done
now="$(date -u +%FT%TZ)"
cat >"$work/record" <<JSON
{"specversion":"1.0","id":"1","source":"panic-hub","type":"chorus.panic.button","time":"$now","data":{"device":"button-1","phase":"start"}}
JSON
expect "a panic button is pressed" kcat -b "127.0.0.1:$inner" -t raw.school -P -k button-1 -H format=chorus -H source=conn-1 "$work/record"
await "its alert is acknowledged by the centre" sh -c "curl -fsS http://127.0.0.1:${ports[deliver]}/metrics | grep -q 'outcome=\"acknowledged\"} [1-9]'"
await "a canary is acknowledged by the centre" sh -c "curl -fsS http://127.0.0.1:${ports[deliver]}/metrics | grep 'chorus_canary_acknowledged_seconds{' | grep -q 'feed=\"school\"} [1-9]'"
expect "the operator's user: chorus doctor finds nothing wrong" "${engine[@]}" run --rm "${restricted[@]}" "${mounts[@]}" -e "$(as operator)" "$name" doctor
expect "it stands at the centre" sh -c "curl -fsS http://127.0.0.1:$centre/api/v1/alerts | grep -q school-7"
for which in canary ingest detect fuse deliver center; do
    scrape "${ports[$which]}" >"$work/$which.txt"
    expect "$which: promtool check metrics" sh -c "promtool check metrics <'$work/$which.txt'"
    expect "$which: SIGTERM" "${engine[@]}" stop -t 40 "chorus-check-$which"
    expect "$which: a clean end" ended_well "chorus-check-$which"
done
expect "read = sum of fates, in every role" python3 - "$work" <<'PYTHON'
import pathlib, re, sys
for role in ("ingest", "detect", "fuse", "deliver"):
    text = pathlib.Path(sys.argv[1], role + ".txt").read_text()
    total = lambda name: sum(float(v) for v in re.findall(rf"^{name}\{{.*\}} (\S+)$", text, re.M))
    assert total("chorus_records_read_total") == total("chorus_records_total") > 0, role
PYTHON

echo
echo "image: $passed passed, $failed failed"
[ "$failed" = 0 ]
