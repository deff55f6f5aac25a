//! `chorus backtest` runs the code of the live roles: the same events give the same alerts.
#![allow(clippy::panic_in_result_fn, reason = "tests")]

use std::collections::BTreeMap;
use std::fs;
use std::process::Command;

use anyhow::{Context, Result, ensure};
use chorus_tests::alerts::{self, RULES, SILENCE_RULE, await_lines};
use chorus_tests::deployment::Deployment;
use chorus_tests::kafka::Broker;
use chorus_tests::process::binary;
use chorus_tests::receiver::Receiver;
use chorus_tests::wire;
use serde_json::Value;

/// Runs the tool in a folder: stdout, one JSON a line.
fn backtest(folder: &std::path::Path, args: &[&str]) -> Result<String> {
    let output = Command::new(binary()?).arg("backtest").args(args).current_dir(folder).output()?;
    ensure!(output.status.success(), "{}: {}", output.status, String::from_utf8_lossy(&output.stderr));
    Ok(String::from_utf8(output.stdout)?)
}

/// (alert id, revision) to the alert, without what only the live way adds.
fn by_revision(alerts: impl IntoIterator<Item = Value>) -> Result<BTreeMap<(String, u64), Value>> {
    let mut found = BTreeMap::new();
    for alert in alerts {
        found.insert((alerts::text(&alert, "/alert_id")?, alerts::revision(&alert)), alert);
    }
    Ok(found)
}

#[test]
fn live_and_backtest_make_the_same_alerts_of_the_same_events() -> Result<()> {
    let broker = Broker::shared()?;
    let client = broker.client()?;
    let receiver = Receiver::start()?;
    let mut city = Deployment::new(&broker.bootstrap(), "again.", &receiver.url(""), RULES, None)?;
    city.start_all()?;
    let mut said = vec![
        wire::sia("school", "1001", 1, 1120, 3),
        wire::isapi_access("hospital", "aa:bb:cc:00:00:01", 11, 5, 27, ""),
        wire::onvif_door("gate", "gate-1", "DoorForcedOpen", "2026-11-25T08:00:00"),
        wire::own("grid", "phone-1", "r-1", "report.event", "pulse"),
        wire::sia("school", "1001", 2, 3120, 3),
    ];
    said.extend((0..4).map(|n| wire::isapi_access("hospital", "aa:bb:cc:00:00:01", 12 + n, 5, 9, "4711")));
    city.say(&client, &said)?;
    await_lines(
        &receiver,
        &[
            "school-1 panic.button resolved [panic]",
            "hospital-1 door.forced firing [forced,refused-often]",
            "village-1 door.forced firing [forced]",
            "community-1 report.event firing [reported]",
        ],
    )?;
    // Revisions may still be on their way when the lines are there: all that the topic holds, and nothing after that.
    city.stop_all()?;
    let live = client.read_all(&city.name("alerts"))?;
    let live = live.iter().filter(|record| record.key.is_some()).map(|record| record.json());
    let live = by_revision(live.collect::<Result<Vec<Value>>>()?)?;

    let mut lines = Vec::new();
    for record in client.read_all(&city.name("events"))?.iter().filter(|record| record.key.is_some()) {
        lines.extend(record.value.as_deref().context("an event")?);
        lines.push(b'\n');
    }
    let folder = city.folder();
    fs::write(folder.join("events.jsonl"), lines)?;
    let args = ["--rules", "rules", "--places", "places.csv", "--devices", "devices.csv", "events.jsonl"];
    let again = backtest(folder, &args)?;
    let again = by_revision(again.lines().map(serde_json::from_str).collect::<Result<Vec<Value>, _>>()?)?;
    assert_eq!(again, live);
    Ok(())
}

#[test]
fn a_stretch_of_the_log_gives_the_live_alerts_byte_for_byte_over_kills_and_published_rules() -> Result<()> {
    let broker = Broker::shared()?;
    let client = broker.client()?;
    let receiver = Receiver::start()?;
    // Gates that never speak: their silence hangs on the frontiers in the log alone.
    let rules = format!("{RULES}{SILENCE_RULE}");
    let mut city = Deployment::new(&broker.bootstrap(), "stretch.", &receiver.url(""), &rules, None)?;
    city.start_all()?;
    city.say(
        &client,
        &[
            wire::sia("school", "1001", 1, 1120, 3),
            wire::isapi_access("hospital", "aa:bb:cc:00:00:01", 11, 5, 27, ""),
            wire::own("grid", "phone-1", "r-1", "report.event", "pulse"),
        ],
    )?;
    let mut wanted = vec![
        "school-1 panic.button firing [panic]",
        "hospital-1 door.forced firing [forced]",
        "community-1 report.event firing [reported]",
        "village-1 anomaly.silence firing [gates-silent]",
        "village-2 anomaly.silence firing [gates-silent]",
    ];
    await_lines(&receiver, &wanted)?;
    for role in ["ingest-hospital", "detect", "fuse"] {
        city.kill9(role)?;
    }
    let mut said: Vec<_> =
        (0..4).map(|n| wire::isapi_access("hospital", "aa:bb:cc:00:00:01", 12 + n, 5, 9, "4711")).collect();
    said.push(wire::sia("school", "1001", 2, 3120, 3));
    city.say(&client, &said)?;
    wanted[0] = "school-1 panic.button resolved [panic]";
    wanted[1] = "hospital-1 door.forced firing [forced,refused-often]";
    await_lines(&receiver, &wanted)?;
    let rules =
        format!("{rules}  - {{id: passed, when: immediate, kinds: [vehicle.passed], summary: {{zh: z, en: e}}}}\n");
    fs::write(city.folder().join("more.yaml"), rules)?;
    let more = city.folder().join("more.yaml").display().to_string();
    city.run(&["rules", "publish", &more, "--by", "duty desk"])?;
    city.kill9("detect")?;
    city.say(&client, &[wire::vehicle("camera", "36010200001320000002", 1)])?;
    wanted.push("street-1 vehicle.passed firing [passed]");
    await_lines(&receiver, &wanted)?;
    city.stop_all()?;

    let mut live = BTreeMap::new();
    for record in client.read_all(&city.name("alerts"))?.into_iter().filter(|record| record.key.is_some()) {
        let alert = record.json()?;
        let text = String::from_utf8(record.value.context("an alert")?)?;
        let known = live.insert((alerts::text(&alert, "/alert_id")?, alerts::revision(&alert)), text.clone());
        assert!(known.is_none_or(|known| known == text), "a repeat is the very same");
    }
    let lines = |args: &[&str]| -> Result<Vec<String>> {
        let args = [&["backtest", "--from", "2026-01-01T00:00:00Z"], args].concat();
        let mut lines: Vec<String> = city.run(&args)?.lines().map(str::to_owned).collect();
        lines.sort();
        Ok(lines)
    };
    let mut expected: Vec<String> = live.into_values().collect();
    expected.sort();
    assert_eq!(lines(&["--published"])?, expected);
    let of_published = |line: &&String| line.contains("vehicle.passed");
    let given: Vec<String> = expected.iter().filter(|line| !of_published(line)).cloned().collect();
    assert!(given.len() < expected.len());
    let rules = city.folder().join("rules").display().to_string();
    assert_eq!(lines(&["--rules", &rules])?, given);
    assert_eq!(lines(&["--rules", &rules, "--to", "2026-01-02T00:00:00Z"])?, [""; 0]);
    let told = city.run(&["backtest", "--from", "2026-01-01T00:00:00Z", "--diff", &rules, &more])?;
    assert!(told.lines().any(|line| line.ends_with("\tvehicle.passed\t0\t1")), "{told}");
    Ok(())
}

#[test]
fn what_a_change_of_rules_would_have_done_is_told_by_desk_and_hour() -> Result<()> {
    let folder = tempfile::tempdir()?;
    let events: String = (0..5)
        .map(|n| {
            format!(
                r#"{{"schema_version":1,"event_id":"e{n}","source_format":"chorus","device":{{"id":"gate-{n}","scheme":"own"}},"place":{{"id":"v{n}","type":"village","division_code":"360111001001","resolved":true}},"kind":"door.forced","phase":"pulse","severity":"high","severity_source":"type","event_time":"2026-11-25T01:0{n}:00Z","time_quality":"zoned","received_at":"2026-11-25T01:0{n}:01Z","is_replay":false,"is_test":false,"integrity":"unchecked"}}
"#
            )
        })
        .collect();
    fs::write(folder.path().join("events.jsonl"), format!("{events}not an event\n"))?;
    let rule = |condition: &str| {
        format!(
            "rules: [{{id: forced, when: immediate, kinds: [door.forced], {condition} summary: {{zh: z, en: e}}}}]\n"
        )
    };
    fs::write(folder.path().join("old.yaml"), rule(""))?;
    fs::write(folder.path().join("new.yaml"), rule("if: \"event.device.id != 'gate-3'\","))?;
    let told = backtest(folder.path(), &["--diff", "old.yaml", "new.yaml", "events.jsonl"])?;
    let lines: Vec<&str> = told.lines().collect();
    assert_eq!(
        lines,
        ["hour\tdesk\tkind\told\tnew", "2026-11-25T09:00:00+08:00\t360111\tdoor.forced\t5\t4", "all\tall\tall\t5\t4"]
    );
    let alerts = backtest(folder.path(), &["--rules", "new.yaml", "events.jsonl"])?;
    assert_eq!(alerts.lines().count(), 4);
    Ok(())
}
