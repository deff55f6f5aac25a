#!/usr/bin/env bash
# Fills .tools/kafka-libs with the jars that pom.xml names. Idempotent: does nothing when they are there and the pom is
# the one they were fetched for. Prints the folder. On a bare Debian machine, as root, it installs java and maven.
set -euo pipefail

here="$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)"
tools="$(cd "$here/../.." && pwd)/.tools"
libs="$tools/kafka-libs"
wanted="$(sha256sum "$here/pom.xml" | cut -d' ' -f1)"

fail() {
    echo "kafka/fetch.sh: $*" >&2
    exit 1
}

# need COMMAND PACKAGE: COMMAND is there afterwards, or the script has ended with a reason.
need() {
    command -v "$1" >/dev/null && return
    if [ "$(id -u)" = 0 ] && command -v apt-get >/dev/null; then
        echo "kafka/fetch.sh: no $1, installing $2" >&2
        { apt-get update -qq && DEBIAN_FRONTEND=noninteractive \
            apt-get install -y -qq --no-install-recommends default-jre-headless "$2"; } >&2 ||
            fail "no $1, and apt-get could not install $2"
    fi
    command -v "$1" >/dev/null || fail "no $1: the tests run a real Kafka; install it (Debian: apt-get install $2)"
}

is_current() {
    [ "$(cat "$libs/.pom-sha256" 2>/dev/null)" = "$wanted" ]
}

need java default-jre-headless
if ! is_current; then
    need mvn maven
    mkdir -p "$tools"
    # Two test runs may start at once: one fetches, the other waits and finds the jars there.
    exec 9>"$tools/.kafka-libs.lock"
    flock 9
    if ! is_current; then
        fresh="$(mktemp -d "$tools/.kafka-libs.XXXXXX")"
        trap 'rm -rf "$fresh"' EXIT
        mvn -q -B -f "$here/pom.xml" dependency:copy-dependencies -DoutputDirectory="$fresh" >&2 ||
            fail "maven could not fetch the jars of $here/pom.xml (above: why)"
        # The stamp goes in before the rename: a folder of that name is always whole.
        echo "$wanted" >"$fresh/.pom-sha256"
        chmod 755 "$fresh"
        rm -rf "$libs"
        mv "$fresh" "$libs"
    fi
fi
echo "$libs"
