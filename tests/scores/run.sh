#!/usr/bin/env bash
# Measures the statistical detectors on labelled series (docs/detection.md): every figure of the goals, with what is missed.
# The series and their scorers are not ours and not in this repository; without them this is skipped.
set -euo pipefail
cd "$(dirname "$0")/../.."

data="${ANOMALY_DATA:-/work/shared/anomaly}"
if [ ! -d "$data/scorers" ]; then
    echo "skipped: scores, no labelled series at $data (set ANOMALY_DATA)"
    exit 0
fi
if [ -z "${CHORUS:-}" ]; then
    cargo build --locked --release -p chorus
    CHORUS="${CARGO_TARGET_DIR:-target}/release/chorus"
fi
exec python3 tests/scores/measure.py "$CHORUS" "$data" "$@"
