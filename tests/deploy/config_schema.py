#!/usr/bin/env python3
"""The part `config` of the chart's values.schema.json, from docs/schemas/config.schema.json, which is made from the Rust types.

    config_schema.py            says whether the chart's is the same; ends with 1 when it is not
    config_schema.py --write    puts it there; what is not `config` is written by hand and stays

`http.listen`, `center.listen` and `kafka.assignment` stay allowed here: the chart's templates refuse them with a reason.
"""
import json
import pathlib
import sys

ROOT = pathlib.Path(__file__).resolve().parents[2]
CHART = ROOT / "deploy/chart/values.schema.json"
BINARY = ROOT / "docs/schemas/config.schema.json"
PREFIX = "config."


def moved(node):
    """The same schema with its definitions under another name, since the chart has its own."""
    if isinstance(node, dict):
        return {key: f"#/$defs/{PREFIX}{value.removeprefix('#/$defs/')}" if key == "$ref" else moved(value) for key, value in node.items()}
    return [moved(item) for item in node] if isinstance(node, list) else node


def main():
    binary, chart = json.loads(BINARY.read_text()), json.loads(CHART.read_text())
    config = {key: value for key, value in binary.items() if key not in ("$schema", "$defs", "title")}
    wanted = json.loads(json.dumps(chart))
    wanted["properties"]["config"] = moved(config)
    own = {name: schema for name, schema in chart["$defs"].items() if not name.startswith(PREFIX)}
    wanted["$defs"] = own | {PREFIX + name: moved(schema) for name, schema in sorted(binary["$defs"].items())}
    if "--write" in sys.argv[1:]:
        CHART.write_text(json.dumps(wanted, indent=2, ensure_ascii=False) + "\n")
    elif wanted != chart:
        sys.exit("deploy/chart/values.schema.json: its part `config` is not that of docs/schemas/config.schema.json: "
                 "run tests/deploy/config_schema.py --write")


main()
