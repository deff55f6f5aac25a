#!/usr/bin/env bash
# make image: builds chorus:VERSION, with buildah where there is no Docker engine, and writes .tools/image/chorus.tar (an OCI
# archive) and .tools/image/chorus.cdx.json (what it is made of). Ends with an error when the image is larger than 50 MiB.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/../.."

readonly most_bytes=$((50 * 1024 * 1024)) image="$PWD/.tools/image"
version="$(sed -n '/^\[workspace.package\]/,/^\[/s/^version = "\(.*\)"/\1/p' Cargo.toml)"
revision="$(git rev-parse HEAD 2>/dev/null || echo unknown)"
# The same sources give the same image: the time is that of the commit.
created="$(git log -1 --format=%ct 2>/dev/null || echo 0)"
readonly labels=(
    --label "org.opencontainers.image.version=$version"
    --label "org.opencontainers.image.revision=$revision"
    --label "org.opencontainers.image.created=$(date -u -d "@$created" +%FT%TZ)"
)
mkdir -p "$image"

if docker info >/dev/null 2>&1; then
    docker build "${labels[@]}" -t "chorus:$version" -t chorus:dev .
    docker run --rm --entrypoint /chorus "chorus:$version" --version
    exit 0
fi

missing=()
command -v buildah >/dev/null || missing+=(buildah)
command -v skopeo >/dev/null || missing+=(skopeo)
command -v musl-gcc >/dev/null || missing+=(musl-tools)
command -v perl >/dev/null || missing+=(perl)
[ -e /etc/ssl/certs/ca-certificates.crt ] || missing+=(ca-certificates)
if [ "${#missing[@]}" -gt 0 ]; then
    apt-get update -qq
    DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends "${missing[@]}" >/dev/null
fi
rustup target add x86_64-unknown-linux-musl 2>/dev/null
deploy/image/root.sh "$image/root/out"

readonly storage=(buildah --storage-driver vfs --root "$image/store" --runroot "$image/run")
"${storage[@]}" bud --isolation chroot --pull-never --timestamp "$created" --build-context "build=$image/root" "${labels[@]}" \
    -t "localhost/chorus:$version" -t localhost/chorus:dev .
rm -f "$image/chorus.tar"
"${storage[@]}" push -q "localhost/chorus:$version" "oci-archive:$image/chorus.tar:localhost/chorus:$version"
cp "$image/root/out/sbom.cdx.json" "$image/chorus.cdx.json"

bytes="$(du -sb "$image/root/out" | cut -f1)"
echo "localhost/chorus:$version: $((bytes / 1024 / 1024)) MiB, packed $(($(stat -c %s "$image/chorus.tar") / 1024 / 1024)) MiB: $image/chorus.tar"
if [ "$bytes" -gt "$most_bytes" ]; then
    echo "larger than 50 MiB" >&2
    exit 1
fi
