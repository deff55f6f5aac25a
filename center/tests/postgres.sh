#!/usr/bin/env bash
# Installs PostgreSQL where it is missing (Debian, root) and runs the scenarios on it. Fails rather than skips.
set -euo pipefail
if ! compgen -G '/usr/lib/postgresql/*/bin/initdb' >/dev/null; then
  apt-get update
  apt-get install -y --no-install-recommends postgresql
fi
cd "$(dirname "$0")/../.."
CHORUS_REQUIRE_POSTGRES=1 exec cargo test -p chorus-center --test postgres -- --nocapture
