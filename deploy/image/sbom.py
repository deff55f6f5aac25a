#!/usr/bin/env python3
"""What the image is made of, as CycloneDX 1.6 on stdout: every crate that `chorus` is built from for musl with TLS, with its
checksum from Cargo.lock, its licence and what it depends on. Tests' and other platforms' crates are left out.
"""
import json
import pathlib
import subprocess
import tomllib
import uuid

ROOT = pathlib.Path(__file__).resolve().parents[2]
TARGET = "x86_64-unknown-linux-musl"


def metadata():
    command = ["cargo", "metadata", "--format-version", "1", "--locked", "--filter-platform", TARGET, "--manifest-path", ROOT / "chorus/Cargo.toml", "--features", "tls"]
    return json.loads(subprocess.run(command, capture_output=True, check=True).stdout)


def reached(graph, start):
    """What is built into the program: normal and build dependencies, from `start` on."""
    seen, waiting = {}, [start]
    while waiting:
        package = waiting.pop()
        if package in seen:
            continue
        needs = [dep["pkg"] for dep in graph[package]["deps"] if any(kind["kind"] != "dev" for kind in dep["dep_kinds"])]
        seen[package] = sorted(needs)
        waiting += needs
    return seen


def component(package, checksums):
    purl = f"pkg:cargo/{package['name']}@{package['version']}"
    found = {"type": "library", "bom-ref": purl, "name": package["name"], "version": package["version"], "purl": purl}
    if package.get("description"):
        found["description"] = package["description"].strip()
    if package.get("license"):
        # Cargo still knows `A/B` for `A OR B`.
        found["licenses"] = [{"expression": package["license"].replace("/", " OR ").replace("  ", " ")}]
    if checksum := checksums.get((package["name"], package["version"])):
        found["hashes"] = [{"alg": "SHA-256", "content": checksum}]
    if package.get("repository"):
        found["externalReferences"] = [{"type": "vcs", "url": package["repository"]}]
    return found


def main():
    found = metadata()
    packages = {package["id"]: package for package in found["packages"]}
    graph = {node["id"]: node for node in found["resolve"]["nodes"]}
    lock = (ROOT / "Cargo.lock").read_text()
    checksums = {(row["name"], row["version"]): row["checksum"] for row in tomllib.loads(lock)["package"] if "checksum" in row}
    start = next(key for key, package in packages.items() if package["name"] == "chorus")
    needs = reached(graph, start)
    ref = lambda key: f"pkg:cargo/{packages[key]['name']}@{packages[key]['version']}"
    program = component(packages[start], checksums) | {"type": "application"}
    bom = {
        "bomFormat": "CycloneDX",
        "specVersion": "1.6",
        # The same lock file gives the same document.
        "serialNumber": f"urn:uuid:{uuid.uuid5(uuid.NAMESPACE_OID, lock)}",
        "version": 1,
        "metadata": {"component": program},
        "components": sorted((component(packages[key], checksums) for key in needs if key != start), key=lambda row: row["bom-ref"]),
        "dependencies": sorted(({"ref": ref(key), "dependsOn": sorted({ref(need) for need in of})} for key, of in needs.items()), key=lambda row: row["ref"]),
    }
    print(json.dumps(bom, indent=1, ensure_ascii=False))


main()
