#!/usr/bin/env bash
# The demo city on a real Kafka, every role a process of its own, all on the loopback interface.
#
#   deploy/local/city-kafka.sh [--for TIME] [--seed N] [--keep]      (or: make city-kafka ARGS="--for 60s")
#
#   --for TIME  ends by itself after this time of traffic (60s, 5m) and prints what became of every record
#   --seed N    another seed is another city
#   --keep      goes on with the data of the last run instead of wiping .city/; the devices were away meanwhile, so most
#               are called silent until they speak again
#   PORT=8080   the port of the page (environment); probes and metrics are on 9601 to 9609
#
# Ctrl-C ends it in order: devices first, then each role when it has done what is in the log before it, Kafka last.
# Only processes that this script started are ever signalled, each by its id.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/../.."

# Each background job gets a process group of its own: Ctrl-C reaches this script alone, which then ends the others in order.
set -m

readonly city=.city config=deploy/local/chorus.yaml port="${PORT:-8080}" binary="${CARGO_TARGET_DIR:-target}/release/chorus"
readonly feeds=(school hospital gate camera grid)
readonly roles=(ingest-school ingest-hospital ingest-gate ingest-camera ingest-grid detect fuse deliver canary center)
lasts="" seed=1 keep="" ending="" simulator="" kafka=""
declare -A keepers=()

usage() { sed -n '2,/^set -/{/^#/s/^# \{0,1\}//p}' "${BASH_SOURCE[0]}"; }
say() { echo "$(date +%T) $*"; }
fail() {
    echo "city-kafka: $*" >&2
    exit 1
}

while [ $# -gt 0 ]; do
    case "$1" in
    --for | --seed)
        [ $# -ge 2 ] || { usage >&2 && exit 64; }
        if [ "$1" = --for ]; then lasts="$2"; else seed="$2"; fi
        shift 2
        ;;
    --keep) keep=yes && shift ;;
    --help | -h) usage && exit 0 ;;
    *) usage >&2 && exit 64 ;;
    esac
done

# --- looking at what runs ---------------------------------------------------------------------------------------------

listens() { (exec 3<>"/dev/tcp/127.0.0.1/$1") 2>/dev/null; }
alive() { [ -n "$1" ] && kill -0 "$1" 2>/dev/null; }

# The port of a role's probes and metrics; the centre has them on its page's port.
port_of() {
    local index
    [ "$1" = center ] && echo "$port" && return
    for index in "${!roles[@]}"; do
        [ "${roles[index]}" = "$1" ] && echo "$((9601 + index))" && return
    done
}

free_port() {
    local try
    # Below the range from which the kernel takes the source ports of connections.
    for _ in $(seq 50); do
        try=$((10000 + RANDOM % 20000))
        listens "$try" || { echo "$try" && return; }
    done
    fail "no free port on 127.0.0.1"
}

# await SECONDS WHAT COMMAND…: until the command succeeds.
await() {
    local until=$((SECONDS + $1)) what="$2"
    shift 2
    until "$@"; do
        [ -z "$ending" ] || return 1
        [ "$SECONDS" -lt "$until" ] || fail "waited in vain for $what; logs: $city/log/"
        sleep 0.2
    done
}

ready() { curl -fsS -o /dev/null --max-time 2 "http://127.0.0.1:$(port_of "$1")/readyz" 2>/dev/null; }
topics_apply() { chorus topics apply >"$city/log/topics.log" 2>&1; }
scrape() { curl -fsS --max-time 2 "http://127.0.0.1:$(port_of "$1")/metrics" 2>/dev/null; }

# --- starting ---------------------------------------------------------------------------------------------------------

chorus() { CHORUS_CONFIG="$config" "$binary" "$@"; }

# Runs a role, and again when it ends without having been asked to: what an orchestrator does elsewhere.
supervise() {
    local name="$1" child="" asked=""
    shift
    trap 'asked=yes; [ -z "$child" ] || kill -TERM "$child" 2>/dev/null || true' TERM
    while [ -z "$asked" ]; do
        CHORUS_CONFIG="$config" CHORUS_HTTP__LISTEN="127.0.0.1:$(port_of "$name")" \
            "$binary" "$@" >>"$city/log/$name.log" 2>&1 &
        child=$!
        echo "$child" >"$city/pid/$name"
        local code=0
        # A trap ends the wait early: the role is then still at its orderly end.
        while alive "$child"; do
            code=0
            wait "$child" 2>/dev/null || code=$?
        done
        [ -z "$asked" ] || break
        echo "$(date +%T) $name ended with code $code, starting it again in a second" | tee -a "$city/log/restarts.log" >&2
        # A wrong configuration does not become right by trying.
        [ "$code" != 64 ] || break
        sleep 1
    done
    rm -f "$city/pid/$name"
}

start() {
    local name="$1"
    case "$name" in
    ingest-*) supervise "$name" ingest --feed "${name#ingest-}" & ;;
    deliver) supervise "$name" deliver --destination centre & ;;
    *) supervise "$name" "$name" & ;;
    esac
    keepers[$name]=$!
}

start_kafka() {
    local libraries="$1" client="$2" controller="$3" data="$PWD/$city/kafka"
    cat >"$city/node.properties" <<NODE
process.roles=broker,controller
node.id=1
listeners=PLAINTEXT://127.0.0.1:$client,CONTROLLER://127.0.0.1:$controller
advertised.listeners=PLAINTEXT://127.0.0.1:$client
controller.listener.names=CONTROLLER
inter.broker.listener.name=PLAINTEXT
controller.quorum.voters=1@127.0.0.1:$controller
log.dirs=$data
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
    local java=(java "-Dlog4j2.configurationFile=$PWD/tests/kafka/log4j2.properties" -cp "$libraries/*")
    if [ ! -e "$data/meta.properties" ]; then
        "${java[@]}" -Xmx256m kafka.tools.StorageTool format -c "$city/node.properties" \
            -t "$(head -c 16 /dev/urandom | base64 | tr '+/' '-_' | tr -d '=')" >"$city/log/kafka-format.log" 2>&1 ||
            fail "Kafka's folder could not be made: $city/log/kafka-format.log"
    fi
    "${java[@]}" -Xms256m -Xmx512m -XX:+UseSerialGC kafka.Kafka "$city/node.properties" >"$city/log/kafka.log" 2>&1 &
    kafka=$!
    echo "$kafka" >"$city/pid/kafka"
}

key() { [ -s "$1" ] || (umask 077 && head -c 32 /dev/urandom | od -An -vtx1 | tr -d ' \n' >"$1"); }

# --- ending -----------------------------------------------------------------------------------------------------------

# What a role has read so far, over all its topics.
read_by() { scrape "$1" | awk '/^chorus_records_read_total/ { sum += $NF } END { printf "%.0f\n", sum }'; }

# A role has done what is in the log before it when it reads nothing more. At most ten seconds: a receiver may be down.
settle() {
    local before="" now="" until=$((SECONDS + 10))
    while [ "$SECONDS" -lt "$until" ]; do
        now="$(read_by "$1")" || return 0
        [ "$now" != "$before" ] || return 0
        before="$now"
        sleep 0.7
    done
}

# end NAME ID: asks a process of ours to end, and waits; after half a minute it is ended without being asked.
end() {
    alive "$2" || return 0
    kill -TERM "$2" 2>/dev/null || true
    for _ in $(seq 300); do
        alive "$2" || return 0
        sleep 0.1
    done
    say "$1 does not heed SIGTERM"
    local child
    child="$(cat "$city/pid/$1" 2>/dev/null || true)"
    kill -KILL "$2" 2>/dev/null || true
    [ "$child" = "$2" ] || ! alive "$child" || kill -KILL "$child" 2>/dev/null || true
}

end_all() {
    trap '' INT TERM EXIT
    say "ending: the devices, then the roles in the order of the data, Kafka last"
    end simulate "$simulator"
    [ -z "${keepers[canary]:-}" ] || end canary "${keepers[canary]}"
    local name
    for name in "${roles[@]}"; do
        [ "$name" != canary ] || continue
        [ -n "${keepers[$name]:-}" ] || continue
        [ "$name" = center ] || settle "$name"
        # The centre ends last of the roles, so that what is delivered meanwhile is in its count.
        scrape "$name" >"$city/metrics/$name.txt" || true
        end "$name" "${keepers[$name]}"
    done
    end kafka "$kafka"
    rm -f "$city"/pid/*
    summary
}

# What became of every record, from the roles' own /metrics.
summary() {
    cat "$city"/metrics/*.txt 2>/dev/null | awk '
        function label(name,   rest) {
            if (!match($0, name "=\"[^\"]*\"")) return ""
            rest = substr($0, RSTART, RLENGTH); sub(/^[^"]*"/, "", rest); sub(/"$/, "", rest); return rest
        }
        /^chorus_records_read_total\{/ { read += $NF; by_read[label("role")] += $NF }
        /^chorus_records_total\{/ {
            fates += $NF; by_fate[label("role")] += $NF
            reason = label("reason"); row = label("role") "\t" label("fate") (reason == "" ? "" : " (" reason ")")
            if ($NF > 0) rows[row] += $NF
        }
        /^chorus_center_deliveries_total\{.*outcome="stored"/ { stored += $NF }
        END {
            if (read == "") exit
            printf "\nrecords read %d, fates %d%s\n", read, fates, (read == fates ? "" : "  <-- must be equal")
            split("ingest detect fuse deliver", order, " ")
            for (i = 1; i <= 4; i++) {
                printf "  %-8s read %d, fates %d\n", order[i], by_read[order[i]], by_fate[order[i]]
                for (row in rows) { split(row, part, "\t"); if (part[1] == order[i]) printf "    %s: %d\n", part[2], rows[row] | "sort" }
                close("sort")
            }
            printf "alert revisions stored at the centre: %d\n", stored
        }'
    [ ! -s "$city/log/restarts.log" ] || echo "roles were started again; their counts begin with the last start: $city/log/restarts.log"
}

# --- the city ---------------------------------------------------------------------------------------------------------

# Every process that is started inherits this lock: it is held for as long as one of them lives, even if this script is killed.
mkdir -p "$city"
exec 9>"$city/lock"
flock -n 9 || fail "a city runs here already, or roles of a killed one do: $(cd "$city" && grep -H . pid/* 2>/dev/null | tr '\n' ' ')"
if [ -z "$keep" ]; then
    find "$city" -mindepth 1 -maxdepth 1 ! -name lock -exec rm -rf {} +
fi
mkdir -p "$city"/{log,pid,metrics,keys,kafka}
rm -f "$city"/{pid,metrics}/* "$city/log/restarts.log"

command -v curl >/dev/null || fail "no curl: it asks the roles for /readyz and /metrics (Debian: apt-get install curl)"
for name in "${roles[@]}"; do
    ! listens "$(port_of "$name")" || fail "port $(port_of "$name") for $name is taken; end what listens there$([ "$name" = center ] && echo ", or choose another: PORT=8081")"
done

say "building"
cargo build --release --locked -q -p chorus 9>&-
say "fetching Kafka (once)"
libraries="$(tests/kafka/fetch.sh 9>&-)"

trap 'ending=yes' INT TERM
trap end_all EXIT

client="$(free_port)"
export CHORUS_KAFKA__BOOTSTRAP="127.0.0.1:$client"
export CHORUS_CENTER__LISTEN="127.0.0.1:$port" CHORUS_DESTINATIONS__CENTRE__URL="http://127.0.0.1:$port"
for name in rejects pseudonyms centre; do key "$city/keys/$name.key"; done
chorus simulate --seed "$seed" --write "$city/registry"
say "starting Kafka on $CHORUS_KAFKA__BOOTSTRAP"
start_kafka "$libraries" "$client" "$(free_port)"
await 60 "Kafka" topics_apply || exit 0

say "starting the roles"
for name in center deliver fuse; do start "$name"; done
for name in center deliver fuse; do await 60 "$name" ready "$name" || exit 0; done
# Ingest and detect start last, with the duties of a city that begins soon after. Detect judges a duty only when it heard of
# the feed before the duty opened; and when it has waited in vain for a device's three heartbeats, it calls it silent.
readonly lead=8
begin="$(date -u -d "+$lead seconds" +%FT%TZ)"
begun="$SECONDS"
chorus simulate --seed "$seed" --start "$begin" --write "$city/duties"
for name in detect "${feeds[@]/#/ingest-}"; do start "$name"; done
for name in detect "${feeds[@]/#/ingest-}"; do await 60 "$name" ready "$name" || exit 0; done
start canary
[ "$((SECONDS - begun))" -lt "$((lead - 1))" ] ||
    say "a slow start: the missing all-clear may not be noticed, and gates that speak late may be called silent for a moment"

# Not by the function `chorus`: the id must be the program's own.
CHORUS_CONFIG="$config" "$binary" simulate --seed "$seed" --start "$begin" ${lasts:+--for "$lasts"} >"$city/log/simulate.log" 2>&1 &
simulator=$!
echo "$simulator" >"$city/pid/simulate"
say "city is up: http://127.0.0.1:$port/ (Ctrl-C ends it)"
say "logs: $city/log/NAME.log; metrics: http://127.0.0.1:9601/metrics to 9609, and of the centre on its own port"
say "the first incidents come from $begin on"

while [ -z "$ending" ] && alive "$simulator"; do sleep 0.2; done
[ -z "$ending" ] || exit 0
code=0
wait "$simulator" || code=$?
[ "$code" = 0 ] || say "the simulated devices ended with code $code: $city/log/simulate.log"
exit "$code"
