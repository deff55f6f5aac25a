#!/usr/bin/env python3
"""Runs `chorus score` over labelled series and prints each figure beside its goal (standard library only).

  measure.py CHORUS DATA [nab|calit2|pedestrians|hospital|gates|declared|causality|invariance ...]

Exit status 1 when a goal is missed that is not listed in KNOWN_MISSES, or one that is listed is met: then the list is to
be changed, with docs/detection.md.
"""
import csv
import json
import os
import subprocess
import sys
import tempfile
from datetime import datetime, timedelta

CHORUS, DATA = sys.argv[1], sys.argv[2]
WANTED = sys.argv[3:] or ["nab", "calit2", "pedestrians", "hospital", "gates", "declared", "causality", "invariance"]
OUT = tempfile.mkdtemp(prefix="chorus-scores-")
THRESHOLD = "0.5"
# Goals that the shipped detectors do not reach; docs/detection.md says why.
KNOWN_MISSES = {"hospital: Christmas and Thanksgiving found at <= 0.05 false a week"}

failures = []


def say(name, value, goal=None, met=None):
    if goal is None:
        print(f"       {name}: {value}")
        return
    known = name in KNOWN_MISSES
    print(f"{'ok    ' if met else 'MISSED'} {name}: {value} (goal {goal})")
    if met == known:
        failures.append(name)


def score(kind, source, target, column=None, explain=False):
    command = [CHORUS, "score", "--kind", kind]
    command += ["--column", column] if column else []
    command += ["--explain"] if explain else []
    with open(target, "w", encoding="utf-8") as out:
        subprocess.run([*command, source], stdout=out, check=True)
    return target


def scorer(name, *arguments):
    path = os.path.join(DATA, "scorers", name)
    text = subprocess.run([sys.executable, path, *arguments, "--json"], capture_output=True, text=True, check=True).stdout
    return json.loads(text.replace("'", '"').replace("None", "null")) if text.lstrip().startswith("{") else text


def rows(path):
    with open(path, newline="", encoding="utf-8") as file:
        return list(csv.DictReader(file))


def write(path, header, lines):
    with open(path, "w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file)
        writer.writerow(header)
        writer.writerows(lines)
    return path


def nab_files():
    top = os.path.join(DATA, "nab", "data")
    for group in sorted(os.listdir(top)):
        for name in sorted(os.listdir(os.path.join(top, group))):
            yield group, name, os.path.join(top, group, name)


def pedestrians():
    path = os.path.join(DATA, "pedestrians", "counts_2019.csv")
    with open(path, newline="", encoding="utf-8") as file:
        return path, next(csv.reader(file))[1:]


def count_series():
    """(name, file, column) of every count series."""
    for column in ("in", "out"):
        yield f"calit2 {column}", os.path.join(DATA, "calit2", "counts.csv"), column
    yield "hospital", os.path.join(DATA, "hospital_arrivals", "counts_2013_2015.csv"), "count"
    path, devices = pedestrians()
    for device in devices:
        yield f"pedestrians {device}", path, device


def nab():
    results = os.path.join(OUT, "nab")
    for group, name, path in nab_files():
        os.makedirs(os.path.join(results, group), exist_ok=True)
        score("values", path, os.path.join(results, group, name))
    found = scorer("nab_score.py", "--nab", os.path.join(DATA, "nab"), "--results", results, "--threshold", THRESHOLD)
    standard = found["standard"]
    say("nab: standard at fixed 0.5", standard["score"], ">= 76", standard["score"] >= 76)
    say("windows hit, false rows", f"{standard['windows_hit']} of {found['windows']}, {standard['fp_rows']}")
    say("low false positives, low false negatives", f"{found['reward_low_FP']['score']}, {found['reward_low_FN']['score']}")
    for group in ("artificial", "realAWSCloudwatch", "realAdExchange"):
        of = scorer("nab_score.py", "--nab", os.path.join(DATA, "nab"), "--results", results, "--threshold", THRESHOLD,
                    "--subset", group)
        say(f"group {group}", of["standard"]["score"])


def calit2():
    events = os.path.join(DATA, "calit2", "events.csv")
    scored = {}
    for column in ("in", "out"):
        path = os.path.join(OUT, f"calit2_{column}.csv")
        scored[column] = score("counts", os.path.join(DATA, "calit2", "counts.csv"), path, column)
    both = zip(rows(scored["in"]), rows(scored["out"]))
    lines = [(a["timestamp"], max(float(a["score"]), float(b["score"]))) for a, b in both]
    scored["in and out"] = write(os.path.join(OUT, "calit2_both.csv"), ["timestamp", "score"], lines)
    for name, path in scored.items():
        call = ["--events", events, "--alerts", path, "--from", "2005-08-14", "--merge", "60", "--ar-max", "2"]
        swept = scorer("event_score.py", *call, "--budgets", "1,2")
        fixed = scorer("event_score.py", *call, "--threshold", THRESHOLD)
        at_one, at_two = (round(swept["budgets"][budget]["recall"], 3) for budget in ("1.0", "2.0"))
        if name == "in":
            say("calit2 in: recall at <= 1 false a week", at_one, ">= 0.857 (18 of 21)", at_one >= 0.857)
            say("calit2 in: recall at <= 2", at_two, "1", at_two == 1)
            say("calit2 in: mean recall over 0 to 2", swept["AR"], ">= 0.75", swept["AR"] >= 0.75)
        else:
            say(f"{name}: recall at <= 1, at <= 2, mean", f"{at_one}, {at_two}, {swept['AR']}")
        say(f"{name} at fixed 0.5: found, false a week", f"{fixed['detected']} of {fixed['events']}, {fixed['fa_per_week']}")


def pedestrian_days():
    path, devices = pedestrians()
    given = rows(path)
    lines, silent, judged = [], [], 0
    for device in devices:
        out = score("counts", path, os.path.join(OUT, "device.csv"), device, explain=True)
        for row, source in zip(rows(out), given):
            if source[device] == "":
                continue  # a day without counts is not a day on which nothing was found
            judged += 1
            if row["timestamp"] >= "2019-03":
                lines.append((row["timestamp"], device, row["score"]))
            if float(row["score"]) >= 0.5 and "may be dead" in row["en"]:
                silent.append((device, row["timestamp"]))
    scores = write(os.path.join(OUT, "pedestrians.csv"), ["timestamp", "device", "score"], lines)
    labels = os.path.join(DATA, "pedestrians", "public_holidays_2019.csv")
    call = ["--labels", labels, "--scores", scores, "--from", "2019-03-01", "--to", "2019-12-31", "--threshold", THRESHOLD]
    found = scorer("fleet_day_score.py", *call)
    recall = {budget: found["device"][budget]["recall"] for budget in ("0.05", "0.1", "0.25", "0.5")}
    say("pedestrians: device recall at 0.1 false a device-week", recall["0.1"], ">= 0.75", recall["0.1"] >= 0.75)
    say("pedestrians: device recall at 0.25", recall["0.25"], ">= 0.92", recall["0.25"] >= 0.92)
    say("at 0.05 and 0.5; the city", f"{recall['0.05']}, {recall['0.5']}; {found['city']['0.1']['recall']}")
    say("at fixed 0.5", found["fixed"])
    # A dead device is one with zeros for two days and more.
    dead = {}
    for device in devices:
        run = 0
        for source in given:
            run = run + 1 if source[device] != "" and float(source[device]) == 0 else 0
            if run == 48:
                dead[device] = datetime.fromisoformat(source["timestamp"][:19]) - timedelta(hours=47)
    times = [(device, datetime.fromisoformat(at[:19])) for device, at in silent]
    named = [(d, t) for d, t in times if d in dead and timedelta(0) <= t - dead[d] <= timedelta(days=2)]
    say("pedestrians: dead devices found", f"{len({d for d, _ in named})} of {len(dead)}", "all", {d for d, _ in named} == set(dead))
    false = (len(times) - len(named)) / (judged / 8760)
    say("pedestrians: false silences a device-year", round(false, 3), "<= 0.5", false <= 0.5)


def hospital():
    path = score("counts", os.path.join(DATA, "hospital_arrivals", "counts_2013_2015.csv"), os.path.join(OUT, "hospital.csv"), "count")
    special = rows(os.path.join(DATA, "hospital_arrivals", "special_days_2013_2015.csv"))
    lines = [(row["start"] + " 00:00:00", row["end"]) for row in special if row["name"] in ("xmas", "thx")]
    events = write(os.path.join(OUT, "hospital_events.csv"), ["start", "end"], lines)
    swept = scorer("event_score.py", "--events", events, "--alerts", path, "--budgets", "0.05,0.1")
    fixed = scorer("event_score.py", "--events", events, "--alerts", path, "--threshold", THRESHOLD)
    found = swept["budgets"]["0.05"]["detected"]
    say("hospital: Christmas and Thanksgiving found at <= 0.05 false a week", f"{found} of {len(lines)}", "all", found == len(lines))
    say("at <= 0.1", swept["budgets"]["0.1"]["detected"])
    say("at fixed 0.5: found, false a week", f"{fixed['detected']}, {fixed['fa_per_week']}")


def gates():
    """Nobody says which gates are whose; a trip is found, or falsely told, by any of its rows."""
    given = rows(os.path.join(DATA, "gate_passages", "passages_may_oct_2015.csv"))
    given.sort(key=lambda row: row["Timestamp"])
    forbidden = {row["car-id"] for row in rows(os.path.join(DATA, "gate_passages", "forbidden_trips_may_oct_2015.csv"))}
    lines = [(row["Timestamp"], row["gate-name"], row["car-type"]) for row in given]
    source = write(os.path.join(OUT, "passages.csv"), ["timestamp", "gate", "kind"], lines)
    scored = rows(score("passages", source, os.path.join(OUT, "gates.csv"), "gate"))
    told = {row["car-id"] for row, of in zip(given, scored) if float(of["score"]) >= 0.5}
    days = datetime.fromisoformat(given[-1]["Timestamp"]) - datetime.fromisoformat(given[0]["Timestamp"])
    found, false = len(told & forbidden), len(told - forbidden) / (days.days / 7)
    met = found >= 12 and false <= 1
    say("gates: forbidden trips found, false trips a week, at fixed 0.5", f"{found} of {len(forbidden)}, {false:.2f}", ">= 12, <= 1", met)


RESERVED = """rules:
  - id: reserved-gate
    when: immediate
    kinds: [vehicle.passed]
    if: "event.device.kind == 'service-gate' && event.object_class != '2P'"
    by: [device]
    quiet_after: 1h
    summary: {zh: "{place}", en: "{place}"}
"""


def declared():
    """The stated rule (gates named gateN take service vehicles, 2P, only) as a rule of ours, through `chorus backtest`."""
    given = rows(os.path.join(DATA, "gate_passages", "passages_may_oct_2015.csv"))
    given.sort(key=lambda row: row["Timestamp"])
    forbidden = {row["car-id"] for row in rows(os.path.join(DATA, "gate_passages", "forbidden_trips_may_oct_2015.csv"))}
    rules, events = os.path.join(OUT, "reserved.yaml"), os.path.join(OUT, "passages.jsonl")
    with open(rules, "w", encoding="utf-8") as file:
        file.write(RESERVED)
    with open(events, "w", encoding="utf-8") as file:
        for number, row in enumerate(given):
            time = row["Timestamp"].replace(" ", "T") + "Z"
            gate = row["gate-name"]
            kind = "service-gate" if gate[:4] == "gate" and gate[4:].isdigit() else "gate"
            file.write(json.dumps({
                "schema_version": 1, "event_id": str(number), "source_format": "chorus",
                "device": {"id": gate, "scheme": "own", "kind": kind}, "place": {"id": "park", "type": "other", "resolved": True},
                "kind": "vehicle.passed", "phase": "pulse", "object_class": row["car-type"], "severity": "info",
                "severity_source": "type", "event_time": time, "time_quality": "zoned", "received_at": time,
                "is_replay": False, "is_test": False, "integrity": "unchecked"}) + "\n")
    out = subprocess.run([CHORUS, "backtest", "--rules", rules, events], capture_output=True, text=True, check=True).stdout
    evidence = {int(number) for line in out.splitlines() for reason in json.loads(line)["reasons"] for number in reason["evidence"]}
    told = {given[number]["car-id"] for number in evidence}
    found, false = len(told & forbidden), len(told - forbidden)
    say("gates: forbidden trips by the declared rule, false trips", f"{found} of {len(forbidden)}, {false}",
        "all, 0", found == len(forbidden) and false == 0)


def every_series():
    for group, name, path in nab_files():
        yield f"{group}/{name}", "values", path, "value"
    for name, path, column in count_series():
        yield name, "counts", path, column


def causality():
    """The scores of the first 70 % of every series are the same when the rest is known."""
    full, half = os.path.join(OUT, "full.csv"), os.path.join(OUT, "half.csv")
    wrong, series = [], 0
    for name, kind, path, column in every_series():
        given = rows(path)
        first = given[:len(given) * 7 // 10]
        prefix = write(os.path.join(OUT, "prefix.csv"), list(given[0]), [list(row.values()) for row in first])
        score(kind, path, full, column)
        score(kind, prefix, half, column)
        check = os.path.join(DATA, "scorers", "causality_check.py")
        result = subprocess.run([sys.executable, check, full, half], capture_output=True, text=True, check=False)
        wrong += [name] if result.returncode else []
        series += 1
    say("causality: series whose past changes", f"{len(wrong)} of {series} {wrong}", "0", not wrong)


def shifted(timestamp, weeks):
    moved = datetime.fromisoformat(timestamp[:19]) + timedelta(weeks=weeks)
    return moved.isoformat(" ", "seconds")


def invariance():
    """The same scores under another name and in another year; for values also on another scale."""
    plain, other = os.path.join(OUT, "plain.csv"), os.path.join(OUT, "other.csv")
    wrong, series, moved_alerts = [], 0, []
    for name, kind, path, column in every_series():
        given = rows(path)
        score(kind, path, plain, column)
        lines = [(shifted(row["timestamp"], 52), row[column]) for row in given]
        score(kind, write(os.path.join(OUT, "moved.csv"), ["timestamp", "other name"], lines), other, "other name")
        same = [row["score"] for row in rows(plain)] == [row["score"] for row in rows(other)]
        if kind == "values":
            lines = [(row["timestamp"], repr(float(row[column]) * 3.7 + 11)) for row in given]
            score(kind, write(os.path.join(OUT, "moved.csv"), ["timestamp", "value"], lines), other)
            alerts = [[row["timestamp"] for row in rows(p) if float(row["score"]) >= 0.5] for p in (plain, other)]
            moved_alerts += [name] if alerts[0] != alerts[1] else []
        wrong += [] if same else [name]
        series += 1
    say("invariance: series that change with name or year", f"{len(wrong)} of {series} {wrong}", "0", not wrong)
    say("invariance: value series whose alerts change with scale and offset", f"{len(moved_alerts)} {moved_alerts}", "0", not moved_alerts)


MEASURES = {"nab": nab, "calit2": calit2, "pedestrians": pedestrian_days, "hospital": hospital, "gates": gates,
            "declared": declared,
            "causality": causality, "invariance": invariance}
for wanted in WANTED:
    MEASURES[wanted]()
if failures:
    print("not as stated in KNOWN_MISSES: " + "; ".join(failures))
    sys.exit(1)
