#!/usr/bin/env python3
"""Lets the binary read what the chart renders: read_back.py BINARY RENDERED.yaml.

Each workload's configuration goes through `chorus check`, with the environment of its pod and with files where it would find its
secrets, registry and rules; KafkaTopics are held against `chorus topics plan`.
"""
import os
import pathlib
import re
import subprocess
import sys
import tempfile

import yaml

ROOT = pathlib.Path(__file__).resolve().parents[2]
BINARY, RENDERED = pathlib.Path(sys.argv[1]).resolve(), sys.argv[2]
PLACES = "id,name,kind,division_code,lat,lon,calendar\nschool-1,School,school,360102001001,28.68,115.89,\n"
DEVICES = "id,channel,place,kind,heartbeat\ngate-1,,school-1,gate,60s\n"


def furnish(folder):
    """What the volumes of a pod would hold."""
    (folder / "rules").mkdir()
    for file in (ROOT / "rules").glob("*.yaml"):
        (folder / "rules" / file.name).write_text(file.read_text())
    for name, text in (("registry/places.csv", PLACES), ("registry/devices.csv", DEVICES), ("duties/roster.yaml", (ROOT / "rules/roster.yaml").read_text())):
        (folder / name).parent.mkdir(exist_ok=True)
        (folder / name).write_text(text)


def run(folder, config, *arguments, environment=()):
    """Its output, with the paths of a pod as paths of the folder."""
    for name in re.findall(r"/run/secrets/chorus/([A-Za-z0-9._-]+)", config):
        (folder / "secrets").mkdir(exist_ok=True)
        text = (ROOT / "tests/deploy/ca.pem").read_text() if name.endswith("-ca") else "5a" * 32
        (folder / "secrets" / name).write_text(text)
    config = config.replace("/run/secrets/chorus/", f"{folder}/secrets/").replace("/etc/chorus/", f"{folder}/")
    (folder / "chorus.yaml").write_text(config.replace("/var/lib/chorus/", f"{folder}/"))
    clean = {key: value for key, value in os.environ.items() if not key.startswith("CHORUS_")}
    done = subprocess.run([BINARY, "--config", folder / "chorus.yaml", *arguments], capture_output=True, text=True, env=clean | dict(environment), check=False)
    if done.returncode:
        sys.exit(f"{' '.join(arguments)} of\n{config}\nended with {done.returncode}: {done.stderr}{done.stdout}")
    return done.stdout


def environment_of(workload):
    """The variables of its pod 0, with what Kubernetes puts in."""
    known = {"POD_NAME": f"{workload['metadata']['name']}-0", "POD_INDEX": "0"}
    fill = lambda text: re.sub(r"\$\((\w+)\)", lambda match: known[match[1]], text)
    given = {entry["name"]: fill(entry["value"]) for entry in workload["spec"]["template"]["spec"]["containers"][0]["env"] if "value" in entry}
    return {name: value for name, value in given.items() if name not in ("CHORUS_CONFIG", "CHORUS_LOG")}


def check_topics(everything, config, folder):
    """The KafkaTopics are what the binary plans, name by name and setting by setting."""
    topics = {}
    for thing in everything:
        if thing["kind"] == "KafkaTopic":
            spec = thing["spec"]
            settings = sorted(f"{key}={value}" for key, value in spec["config"].items())
            topics[spec["topicName"]] = (spec["partitions"], settings)
    if not topics:
        return
    planned = {}
    for line in run(folder, config, "topics", "plan").splitlines():
        name, partitions, *settings = line.split()
        planned[name] = (int(partitions.removeprefix("partitions=")), sorted(word for word in settings if word != "fixed"))
    if topics != planned:
        sys.exit(f"KafkaTopics\n{topics}\nare not the plan\n{planned}")


def main():
    everything = [thing for thing in yaml.safe_load_all(open(RENDERED, encoding="utf-8")) if thing]
    configs = {thing["metadata"]["name"]: thing["data"]["chorus.yaml"] for thing in everything if thing["kind"] == "ConfigMap" and "chorus.yaml" in thing["data"]}
    workloads = [thing for thing in everything if thing["kind"] in ("StatefulSet", "Deployment")]
    with tempfile.TemporaryDirectory() as name:
        folder = pathlib.Path(name)
        furnish(folder)
        # `chorus check` asks for the key of rejects whatever the role.
        (folder / "rejects").write_text("5a" * 32)
        for workload in workloads:
            config = configs[workload["metadata"]["name"]]
            environment = environment_of(workload)
            if "rejects_key_file" not in config:
                environment["CHORUS_SECRETS__REJECTS_KEY_FILE"] = str(folder / "rejects")
            run(folder, config, "check", environment=environment)
        check_topics(everything, configs[next(name for name in configs if "-center" not in name)], folder)
    print(f"{len(workloads)} configurations read")


main()
