#!/usr/bin/env bash
# root.sh FOLDER: what the image holds, built into a folder. Needs Rust with the target x86_64-unknown-linux-musl, musl-tools, make and
# perl (OpenSSL is compiled along), Python 3 and the CA certificates.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/../.."

readonly out="$1" target=x86_64-unknown-linux-musl
# musl-gcc compiles librdkafka and OpenSSL; it must not become the linker, which Rust brings along for this target.
CC_x86_64_unknown_linux_musl=musl-gcc cargo build --release --locked --target "$target" -p chorus --features tls

rm -rf "$out"
mkdir -p "$out/etc/ssl/certs"
strip -o "$out/chorus" "${CARGO_TARGET_DIR:-target}/$target/release/chorus"
cp -r rules "$out/rules"
cp /etc/ssl/certs/ca-certificates.crt "$out/etc/ssl/certs/ca-certificates.crt"
cp LICENSE "$out/LICENSE"
deploy/image/sbom.py >"$out/sbom.cdx.json"
find "$out" -type d -exec chmod 0755 {} + -o -type f -exec chmod 0644 {} +
chmod 0755 "$out/chorus"
