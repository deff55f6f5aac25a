#!/usr/bin/env bash
# Fuzzes every format that has fixtures, one after the other, and prints a table.
#   run.sh [EXECUTIONS] [FORMAT…]    default: 1,000,000 of each format
# Needs the nightly toolchain and `cargo install --locked cargo-fuzz`. The corpus grows in corpus/ and starts from our fixtures;
# what made a format fail is in artifacts/, and belongs into tests once it is understood.
set -euo pipefail
cd "$(dirname "$0")"
runs=${1:-1000000}
shift || true
formats=("$@")
[ ${#formats[@]} -gt 0 ] || mapfile -t formats < <(ls ../fixtures)

# No sanitizer: the room forbids unsafe code, and what is looked for are panics, broken promises, hangs and memory.
(cd .. && nice -n 12 cargo +nightly fuzz build -s none --release formats >&2)
binary=$(find "${CARGO_TARGET_DIR:-target}" -path '*release/formats' -type f -perm -u+x | head -n 1)

printf '| format | executions | per second | coverage | corpus | found |\n|---|---|---|---|---|---|\n'
failed=0
for format in "${formats[@]}"; do
  mkdir -p "corpus/$format" "artifacts/$format"
  # Words of our fixtures are the words of the format.
  cat "../fixtures/$format"/* | LC_ALL=C tr -c 'A-Za-z0-9_.:-' '\n' | LC_ALL=C sort -u | LC_ALL=C awk \
    'length >= 2 && length <= 32 { printf "\"%s\"\n", $0 }' > "corpus/$format.dict"
  log="artifacts/$format.log"
  found=none
  CHORUS_FORMAT=$format nice -n 19 "$binary" "corpus/$format" "../fixtures/$format" -dict="corpus/$format.dict" \
    -runs="$runs" -max_len=8192 -timeout=5 -rss_limit_mb=2048 -print_final_stats=1 -artifact_prefix="artifacts/$format/" \
    > "$log" 2>&1 || { found="see ingest/fuzz/$log"; failed=1; }
  stat() { awk -v name="stat::$1:" '$1 == name { print $2 }' "$log"; }
  coverage=$(grep -o 'cov: [0-9]*' "$log" | tail -n 1 | cut -d' ' -f2)
  printf '| %s | %s | %s | %s | %s | %s |\n' "$format" "$(stat number_of_executed_units)" "$(stat average_exec_per_sec)" \
    "$coverage" "$(ls "corpus/$format" | wc -l)" "$found"
done
exit $failed
