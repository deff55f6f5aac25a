#!/usr/bin/env python3
"""Holds rules, dashboards and runbooks against each other and against the binary.

    lint.py [--scrape FILE…]    FILE: what /metrics answered; then also the values of labels are held against real series

Every metric and label that a rule, a dashboard or the chart's scaler asks for is one that the binary declares (or that a rule
records); every alert has a runbook and a test in which it fires; a summary names only labels that its expression keeps.
"""
import json
import pathlib
import re
import sys

import yaml

sys.path.insert(0, str(pathlib.Path(__file__).parent))
import metrics  # noqa: E402

ROOT = metrics.ROOT
RULES = ROOT / "deploy/prometheus/rules.yaml"
TESTS = ROOT / "deploy/prometheus/rules.test.yaml"
# What Prometheus and Kubernetes put on every target.
TARGET = {"namespace", "pod", "instance", "container", "job"}
# Series of others that the rules may use.
FOREIGN = {"up": TARGET, "kube_pod_container_status_restarts_total": TARGET, "ALERTS": None}
SELECTOR = re.compile(r'(?<![\w"])([a-zA-Z_:][\w:]*)\{([^}]*)\}')
MATCHER = re.compile(r'(\w+)\s*(=~|!~|!=|=)\s*"([^"]*)"')
NAME = re.compile(r'(?<![\w"$.])((?:chorus|kube)[\w:]*|up)\b(?!\s*\()')

problems = []


def say(where, what):
    problems.append(f"{where}: {what}")


def known_metrics(recorded):
    known = {name: set(row["labels"]) | TARGET for name, row in metrics.declared().items()}
    for name, row in metrics.declared().items():
        if row["type"] == "histogram":
            known |= {name + "_bucket": known[name] | {"le"}, name + "_count": known[name], name + "_sum": known[name]}
    return known | FOREIGN | dict.fromkeys(recorded)


def series(files):
    """metric -> label -> values, of scraped text."""
    found = {}
    for file in files:
        for line in pathlib.Path(file).read_text().splitlines():
            match = re.match(r"([a-z_:]+)(?:\{(.*)\})? ", line)
            if match and not line.startswith("#"):
                labels = found.setdefault(match[1], {})
                for name, value in re.findall(r'(\w+)="([^"]*)"', match[2] or ""):
                    labels.setdefault(name, set()).add(value)
    return found


def check_expression(where, expression, known, scraped):
    for name in NAME.findall(re.sub(r'"[^"]*"', '""', expression)):
        if name not in known:
            say(where, f"no such metric: {name}")
    for name, inside in SELECTOR.findall(expression):
        allowed = known.get(name)
        for label, operator, value in MATCHER.findall(inside):
            if allowed is not None and label not in allowed:
                say(where, f"{name} has no label {label}")
            elif operator == "=" and name in scraped and label not in TARGET and "$" not in value:
                if value not in scraped[name].get(label, set()):
                    say(where, f'{name} has no series with {label}="{value}"')
    labels = set().union(*(known[name] or set() for name in known if re.search(rf"\b{re.escape(name)}\b", expression)))
    for kept in re.findall(r"\b(?:by|on)\s*\(([^)]*)\)", expression):
        for label in filter(None, (word.strip() for word in kept.split(","))):
            if labels and label not in labels and not re.search(r"chorus:|ALERTS", expression):
                say(where, f"no metric of it has the label {label}")


def check_rules(scraped):
    groups = yaml.safe_load(RULES.read_text())["groups"]
    rules = [rule for group in groups for rule in group["rules"]]
    recorded = {rule["record"] for rule in rules if "record" in rule}
    known = known_metrics(recorded)
    alerts = set()
    for rule in rules:
        name = rule.get("alert") or rule["record"]
        check_expression(name, rule["expr"], known, scraped)
        if "alert" not in rule:
            continue
        alerts.add(name)
        if rule["labels"].get("severity") not in ("critical", "warning"):
            say(name, "severity must be critical or warning")
        if rule["annotations"]["runbook_url"] != f"docs/runbooks/{name}.md":
            say(name, "its runbook_url is not docs/runbooks/NAME.md")
        for label in re.findall(r"\$labels\.(\w+)", rule["annotations"]["summary"]):
            keeps = re.search(r"\bby\s*\(", rule["expr"])
            if keeps and not re.search(rf"\b(?:by)\s*\([^)]*\b{label}\b", rule["expr"]):
                say(name, f"its summary names {label}, which its expression does not keep")
    pages = {page.stem for page in (ROOT / "docs/runbooks").glob("*.md")} - {"README"}
    for name in alerts - pages:
        say(name, "has no runbook")
    for name in pages - alerts:
        say(f"docs/runbooks/{name}.md", "is of no alert")
    index = (ROOT / "docs/runbooks/README.md").read_text()
    for name in alerts:
        if f"[{name}]({name}.md)" not in index:
            say("docs/runbooks/README.md", f"does not list {name}")
    check_tests(alerts)
    return known


def check_tests(alerts):
    fires = set()
    for scenario in yaml.safe_load(TESTS.read_text())["tests"]:
        samples = [sample["labels"] for test in scenario["promql_expr_test"] for sample in test["exp_samples"]]
        for labels in samples:
            fires |= set(re.findall(r'alertname="(\w+)"', labels))
        if scenario["name"].endswith(" NOT") == bool(samples):
            say(scenario["name"], "`NOT` at the end of its name, and expecting silence, go together")
    for name in alerts - fires:
        say(name, "has no test in which it fires")
    for name in fires - alerts:
        say(name, "is tested and does not exist")


def check_dashboards(known, scraped):
    uids = {}
    for file in sorted((ROOT / "deploy/dashboards").glob("*.json")):
        where, board = file.name, json.loads(file.read_text())
        if uids.setdefault(board["uid"], where) != where:
            say(where, f"has the uid of {uids[board['uid']]}")
        ids = [panel["id"] for panel in board["panels"]]
        if len(ids) != len(set(ids)):
            say(where, "two panels have one id")
        variables = {variable["name"] for variable in board["templating"]["list"]}
        texts = [target["expr"] for panel in board["panels"] for target in panel.get("targets", [])]
        texts += [note["expr"] for note in board["annotations"]["list"]]
        for text in texts:
            check_expression(where, text, known, scraped)
            for variable in re.findall(r"\$(\w+)", text):
                if variable not in variables:
                    say(where, f"no such variable: ${variable}")
        for variable in board["templating"]["list"]:
            match = re.match(r"label_values\((\w+), (\w+)\)", variable.get("definition", ""))
            if match and match[2] not in (known.get(match[1]) or ()):
                say(where, f"{variable['definition']}: no such metric or label")
        for panel in board["panels"]:
            x, y, w, h = (panel["gridPos"][key] for key in "xywh")
            if x + w > 24:
                say(where, f"{panel['title']} stands out of the grid")
            for other in board["panels"]:
                ox, oy, ow, oh = (other["gridPos"][key] for key in "xywh")
                if other is not panel and x < ox + ow and ox < x + w and y < oy + oh and oy < y + h:
                    say(where, f"{panel['title']} and {other['title']} overlap")


def check_links():
    """Links between the pages that tests/tests/documents.rs does not walk."""
    for page in [*ROOT.glob("docs/runbooks/*.md"), *ROOT.glob("docs/operate/*.md"), ROOT / "deploy/chart/README.md", ROOT / "docs/metrics.md"]:
        if not page.exists():
            say(str(page.relative_to(ROOT)), "is not there")
            continue
        for target in re.findall(r"\]\(([^)]+)\)", page.read_text()):
            if target.startswith("http"):
                continue
            file, _, anchor = target.partition("#")
            to = (page.parent / file).resolve() if file else page
            if not to.exists():
                say(str(page.relative_to(ROOT)), f"{target} leads nowhere")
            elif anchor and anchor.replace("-", " ") not in {
                    line.lstrip("#").strip().lower() for line in to.read_text().splitlines() if line.startswith("#")}:
                say(str(page.relative_to(ROOT)), f"{target}: no such heading")


def check_feeds():
    """The feeds of the chart's table and of its topics are those of the binary."""
    feeds = re.findall(r'\bname: "(\w+)"', (ROOT / "ingest/src/feeds.rs").read_text().split("#[cfg(test)]")[0])
    schema = json.loads((ROOT / "deploy/chart/values.schema.json").read_text())
    table = [key.removeprefix("ingest.") for key in schema["properties"]["workloads"]["properties"] if key.startswith("ingest.")]
    if sorted(feeds) != sorted(table):
        say("deploy/chart/values.schema.json", f"knows the feeds {table}, the binary {feeds}")


def main():
    scraped = series(sys.argv[2:]) if sys.argv[1:2] == ["--scrape"] else {}
    for name in metrics.declared() if scraped else ():
        row = metrics.declared()[name]
        if name + ("_count" if row["type"] == "histogram" else "") not in scraped and name != "chorus_rejects_total":
            say(name, "is declared, and was in no scrape")
    known = check_rules(scraped)
    check_dashboards(known, scraped)
    scaler = (ROOT / "deploy/chart/templates/scaledobjects.yaml").read_text()
    for name in NAME.findall(scaler[scaler.index("query:"):scaler.index("threshold:")]):
        if name not in known:
            say("scaledobjects.yaml", f"no such metric: {name}")
    check_links()
    check_feeds()
    print("\n".join(problems) or "rules, dashboards, runbooks and binary agree")
    sys.exit(1 if problems else 0)


main()
