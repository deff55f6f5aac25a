#!/usr/bin/env bash
# Looks at the centre's page in Chromium. Needs Node 20, npm and chromium (tests/tools.sh installs it), and a built `chorus`.
set -euo pipefail
root="$(cd "$(dirname "$0")/../.." && pwd)"
cd "$root/tests/browser"

export CHORUS_BIN="${CHORUS_BIN:-${CARGO_TARGET_DIR:-$root/target}/debug/chorus}"
export CHROMIUM="${CHROMIUM:-$(command -v chromium)}"
[ -x "$CHORUS_BIN" ] || { echo "tests/browser/run.sh: $CHORUS_BIN is not there: cargo build -p chorus" >&2; exit 1; }

# Only when the lock file says something else than what is installed.
if ! cmp -s package-lock.json node_modules/.chorus-lock; then
    npm ci --no-audit --no-fund --ignore-scripts --loglevel=error >&2
    cp package-lock.json node_modules/.chorus-lock
fi
# One file after the other: two cores, and each starts processes of its own.
exec node --test --test-concurrency=1 --test-timeout=180000 --test-reporter=spec "${@:-.}"
