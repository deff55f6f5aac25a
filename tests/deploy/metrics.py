#!/usr/bin/env python3
"""The metrics of the binary, read from their declarations in runtime/src/metrics.rs, and docs/metrics.md made from them.

    metrics.py            says whether docs/metrics.md is what the declarations give; ends with 1 when it is not
    metrics.py --write    writes it
"""
import pathlib
import re
import sys

ROOT = pathlib.Path(__file__).resolve().parents[2]
SOURCE = ROOT / "runtime/src/metrics.rs"
PAGE = ROOT / "docs/metrics.md"

# One declaration: counter(…), gauge(…), whole(…) with name, help and labels, or the options of the histogram.
DECLARED = re.compile(
    r'(?P<how>counter|gauge|whole)\(\s*"(?P<name>chorus_\w+)",\s*"(?P<help>(?:[^"\\]|\\.|\\\n)*)",\s*&\[(?P<labels>[^\]]*)\]', re.S)
HISTOGRAM = re.compile(
    r'HistogramOpts::new\(\s*"(?P<name>chorus_\w+)",\s*"(?P<help>(?:[^"\\]|\\.)*)",\s*\);.*?HistogramVec::new\([^&]*&\[(?P<labels>[^\]]*)\]', re.S)
TYPES = {"counter": "counter", "gauge": "gauge", "whole": "gauge"}
# What each label can hold: a closed list, or a number that the configuration bounds.
LABELS = {
    "role": "`ingest`, `detect`, `fuse`, `deliver`",
    "topic": "the topic that the role reads, with the prefix",
    "partition": "the number of a partition",
    "fate": "`forwarded`, `filtered`, `rejected`, `duplicate`",
    "reason": "why, from a closed list; empty where nothing is to be said",
    "feed": "`school`, `hospital`, `gate`, `camera`, `grid`",
    "county": "the first six digits of a division code of the registry; `000000` for places without one",
    "format": "a name of the table of formats",
    "kind": "a kind of event",
    "destination": "a name under `destinations`",
    "outcome": "`acknowledged`, `retried`, `refused`; at the centre `stored`, `known`, `gap`, `canary`, `refused`",
    "severity": "`critical`, `high`, `medium`, `low`, `info`",
    "desk": "a county, six digits; `000000` where it is not known",
    "health": "`heard`, `silent`",
    "version": "the version of the program",
}


def declared():
    """name -> {type, help, labels}, in the order of their declaration."""
    source = SOURCE.read_text().split("#[cfg(test)]")[0]
    found = []
    for pattern, kind in ((DECLARED, None), (HISTOGRAM, "histogram")):
        for match in pattern.finditer(source):
            text = re.sub(r"\\\n\s*", "", match["help"])
            labels = re.findall(r'"(\w+)"', match["labels"])
            found.append((match.start(), match["name"], {"type": kind or TYPES[match["how"]], "help": text, "labels": labels}))
    names = set(re.findall(r'"(chorus_\w+)"', source))
    missed = names - {name for _, name, _ in found}
    if missed:
        sys.exit(f"{SOURCE.relative_to(ROOT)}: a declaration that tests/deploy/metrics.py cannot read: {sorted(missed)}")
    return {name: metric for _, name, metric in sorted(found, key=lambda row: row[0])}


def unit(name, kind):
    if name.endswith("_seconds"):
        return "seconds"
    return "count" if kind == "counter" else "number"


def page():
    rows = []
    for name, metric in declared().items():
        labels = ", ".join(f"`{label}`" for label in metric["labels"])
        rows.append(f"| `{name}` | {metric['type']} | {unit(name, metric['type'])} | {labels} | {metric['help']} |")
    used = {label for metric in declared().values() for label in metric["labels"]}
    if used - LABELS.keys():
        sys.exit(f"tests/deploy/metrics.py does not know what these labels hold: {sorted(used - LABELS.keys())}")
    labels = [f"| `{label}` | {LABELS[label]} |" for label in LABELS if label in used]
    return "\n".join([
        "# Metrics", "",
        "Made by `tests/deploy/metrics.py --write` from the declarations in `runtime/src/metrics.rs`: do not edit. What to worry about:",
        "[operate.md](operate.md#metrics); what alerts hang on them: [runbooks/README.md](runbooks/README.md).", "",
        "Every series exists at 0 from the start of its role, but for those of partitions (there while one is held) and `chorus_rejects_total`",
        "(from the first reject of its format and reason). All are bounded, whatever the devices send.", "",
        "| metric | type | unit | labels | meaning |", "|---|---|---|---|---|", *rows, "",
        "| label | holds |", "|---|---|", *labels, ""])


if __name__ == "__main__":
    if "--write" in sys.argv[1:]:
        PAGE.write_text(page())
    elif not PAGE.exists() or PAGE.read_text() != page():
        sys.exit("docs/metrics.md is not what runtime/src/metrics.rs declares: run tests/deploy/metrics.py --write")
