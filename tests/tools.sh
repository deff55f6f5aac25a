#!/usr/bin/env bash
# Installs the tools that the tests look at Chorus with: promtool, kcat, Chromium. Does nothing when they are there.
# Without root or apt it leaves them out, and the tests that need them say that they were skipped.
set -euo pipefail

missing=()
command -v promtool >/dev/null || missing+=(prometheus)
command -v kcat >/dev/null || missing+=(kcat)
{ command -v chromium && fc-list 2>/dev/null | grep -qi 'cjk'; } >/dev/null || missing+=(chromium fonts-noto-cjk fontconfig)
command -v cc >/dev/null || missing+=(gcc libc6-dev)
command -v make >/dev/null || missing+=(make)
[ "${#missing[@]}" = 0 ] && exit 0
if [ "$(id -u)" = 0 ] && command -v apt-get >/dev/null; then
    echo "tests/tools.sh: installing ${missing[*]}" >&2
    { apt-get update -qq && DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends "${missing[@]}"; } >&2 ||
        echo "tests/tools.sh: could not install ${missing[*]}; tests that need them are skipped" >&2
else
    echo "tests/tools.sh: not root, leaving out ${missing[*]}; tests that need them are skipped" >&2
fi
