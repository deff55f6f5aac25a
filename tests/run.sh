#!/usr/bin/env bash
# The test command: format, lints, unit tests, whole-pipeline tests on a real Kafka, browser tests. Says how many ran.
set -euo pipefail
cd "$(dirname "$0")/.."

log="$(mktemp)"
trap 'rm -f "$log"' EXIT
step() { echo "== $* ($(date +%T))"; }

step tools
tests/tools.sh
tests/kafka/fetch.sh >/dev/null

step format and lints
cargo fmt --all --check
cargo clippy --locked --workspace --all-targets -- -D warnings

step build
cargo build --locked -p chorus

step tests
status=0
# Test binaries run one after the other: each whole-pipeline test starts roles of its own on two cores.
cargo test --locked --workspace --no-fail-fast 2>&1 | tee "$log" || status=$?

step browser
if command -v chromium >/dev/null && command -v npm >/dev/null; then
    tests/browser/run.sh 2>&1 | tee -a "$log" || status=$?
else
    echo "skipped: browser tests, no chromium or no npm" | tee -a "$log"
fi

# Of every runner: `test result: … N passed; M failed; K ignored` (cargo), `ℹ pass N` (node).
sum() {
    awk -v word="$1" -v node="$2" '
        /^test result:/ { for (i = 2; i <= NF; i++) if ($i ~ "^" word) total += $(i - 1) }
        ($1 == "ℹ" || $1 == "#") && $2 == node && NF == 3 { total += $3 }
        END { print total + 0 }' "$log"
}
grep -hE '^(skipped|SKIPPED)' "$log" | sort -u || true
echo "$(sum passed pass) passed, $(( $(sum failed fail) + $(sum - cancelled) )) failed, $(sum ignored skipped) skipped"
exit "$status"
