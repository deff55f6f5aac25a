//! What an operator and a desk see of a whole deployment: recorded payloads fed by `kcat` become alerts at the centre,
//! and every role answers its probes.
#![allow(clippy::panic_in_result_fn, reason = "tests")]

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use anyhow::{Context, Result, ensure};
use chorus_tests::alerts::{LONG, RULES, sum};
use chorus_tests::deployment::{CENTER, Deployment, Plan, ROLES};
use chorus_tests::http_get;
use chorus_tests::kafka::Broker;
use chorus_tests::process::{binary, free_port};
use chorus_tests::wait::wait_for;
use serde_json::Value;

/// Format, folder of its recordings, the feed that they go to, and the kind of that feed's place.
const RECORDED: [(&str, &str, &str, &str); 5] = [
    ("sia-dc09", "sia_dc09", "school", "school"),
    ("hikvision-isapi", "hikvision_isapi", "hospital", "hospital"),
    ("onvif", "onvif", "gate", "village"),
    ("gb-t-28181", "gb28181", "camera", "street"),
    ("ga-t-1400", "gat1400", "camera", "community"),
];

fn recordings(folder: &str) -> Result<Vec<PathBuf>> {
    let shared = Path::new("/work/shared/feeds").join(folder);
    let Ok(entries) = fs::read_dir(shared) else { return Ok(Vec::new()) };
    let mut files: Vec<PathBuf> = entries.map(|entry| Ok(entry?.path())).collect::<Result<_>>()?;
    files.sort();
    Ok(files)
}

fn is_installed(tool: &str) -> bool {
    Command::new(tool).arg("--help").stdout(Stdio::null()).stderr(Stdio::null()).status().is_ok()
}

/// The devices that `chorus normalize` finds in the files, and the kinds that it reads there.
fn devices_and_kinds(format: &str, source: &str, files: &[PathBuf]) -> Result<(BTreeSet<String>, BTreeSet<String>)> {
    let output =
        Command::new(binary()?).args(["normalize", "--format", format, "--source", source]).args(files).output()?;
    ensure!(output.status.success(), "normalize {format}: {}", output.status);
    let (mut devices, mut kinds) = (BTreeSet::new(), BTreeSet::new());
    for line in String::from_utf8(output.stdout)?.lines() {
        let event: Value = serde_json::from_str(line)?;
        devices.extend(event.pointer("/device/id").and_then(Value::as_str).map(str::to_owned));
        kinds.extend(event["kind"].as_str().map(str::to_owned));
    }
    Ok((devices, kinds))
}

/// Every alert that the centre lists, as (place, kind) with how often.
fn listed(center: &str) -> Result<BTreeMap<(String, String), usize>> {
    let (status, body) = http_get(&format!("{center}/api/v1/alerts?limit=500"))?;
    ensure!(status == 200, "the centre answers {status}: {body}");
    let list: Value = serde_json::from_str(&body)?;
    let mut found = BTreeMap::new();
    for alert in list["alerts"].as_array().context("a list of alerts")? {
        let text = |pointer| alert.pointer(pointer).and_then(Value::as_str).map(str::to_owned).context("a text");
        *found.entry((text("/place/id")?, text("/kind")?)).or_default() += 1;
    }
    Ok(found)
}

#[test]
fn recorded_payloads_fed_by_kcat_end_in_alerts_at_the_centre_and_the_fates_add_up() -> Result<()> {
    if !is_installed("kcat") || recordings("sia_dc09")?.is_empty() {
        println!("skipped: needs kcat, and the recordings in /work/shared/feeds");
        return Ok(());
    }
    let broker = Broker::shared()?;
    let center = format!("http://127.0.0.1:{}", free_port()?);
    // Which devices the recordings hold is nobody's business but the registry's, which is written as they are read.
    let mut places = "id,name,kind,division_code,lat,lon,calendar\n".to_owned();
    let mut devices = "id,channel,place,kind,heartbeat\n".to_owned();
    let mut sent = BTreeMap::<&str, usize>::new();
    let mut wanted = BTreeSet::new();
    for (format, folder, feed, kind) in RECORDED {
        let files = recordings(folder)?;
        let (ids, kinds) = devices_and_kinds(format, folder, &files)?;
        places.push_str(&format!("{folder},{folder},{kind},360102003001,28.69,115.91,\n"));
        for id in ids {
            devices.push_str(&format!("{id},,{folder},,\n"));
        }
        let alarms = kinds.into_iter().filter(|kind| ["fire.alarm", "intrusion.zone"].contains(&kind.as_str()));
        wanted.extend(alarms.map(|kind| (folder.to_owned(), kind)));
        *sent.entry(feed).or_default() += files.len();
    }
    ensure!(wanted.len() >= 3, "the recordings hold a fire, a zone of ISAPI's and one of GB/T 28181's: {wanted:?}");

    let plan = Plan { prefix: "kcat.".to_owned(), receiver: center.clone(), places, devices, ..Plan::default() };
    let mut city = Deployment::of(&broker.bootstrap(), plan)?;
    city.start_center()?;
    city.start_all()?;
    for (format, folder, feed, _) in RECORDED {
        for file in recordings(folder)? {
            kcat(&broker.bootstrap(), &city.name(&format!("raw.{feed}")), format, folder, &file)?;
        }
    }
    let alerts = wait_for("the alarms at the centre", LONG, || {
        let listed = listed(&center)?;
        Ok(wanted.iter().all(|alarm| listed.contains_key(alarm)).then_some(listed))
    })?;
    for alarm in &wanted {
        assert_eq!(alerts.get(alarm), Some(&1), "{alarm:?} is one alert");
    }
    for (feed, count) in sent {
        let role = format!("ingest-{feed}");
        wait_for(&format!("{role} to have read all"), LONG, || {
            let read = sum(&city.metrics(&role)?, "chorus_records_read_total", &[]).context("read")?.1;
            Ok((read >= count as f64).then_some(()))
        })?;
    }
    for role in ROLES {
        let metrics = city.metrics(role)?;
        let read = sum(&metrics, "chorus_records_read_total", &[]).context("read")?.1;
        let fates = sum(&metrics, "chorus_records_total", &[]).context("fates")?.1;
        assert!((read - fates).abs() < 0.5, "{role}: read {read}, fates {fates}");
    }
    city.stop_all()
}

/// Sends one file as one record, as an integrator would.
fn kcat(bootstrap: &str, topic: &str, format: &str, source: &str, file: &Path) -> Result<()> {
    let status = Command::new("kcat")
        .args(["-P", "-q", "-b", bootstrap, "-t", topic, "-k", source])
        .args(["-H", &format!("format={format}"), "-H", &format!("source={source}")])
        // Without it a single file is cut at line ends: one record is one file.
        .args(["-D", "\u{1}\u{2}no such bytes\u{2}\u{1}"])
        .stdin(fs::File::open(file)?)
        .status()?;
    ensure!(status.success(), "kcat: {status}");
    Ok(())
}

#[test]
fn every_role_answers_its_probes_and_promtool_finds_nothing_to_say_about_its_metrics() -> Result<()> {
    let broker = Broker::shared()?;
    let receiver = format!("http://127.0.0.1:{}", free_port()?);
    let mut city = Deployment::new(&broker.bootstrap(), "probes.", &receiver, RULES, None)?;
    city.start_center()?;
    city.start_all()?;
    for role in ROLES.into_iter().chain([CENTER]) {
        let port = city.port(role)?;
        for probe in ["healthz", "readyz"] {
            let (status, body) = http_get(&format!("http://127.0.0.1:{port}/{probe}"))?;
            assert_eq!(status, 200, "{role} /{probe}: {body}");
        }
        let metrics = city.metrics(role)?;
        assert!(metrics.contains("# HELP chorus_"), "{role} tells metrics of its own");
        if !is_installed("promtool") {
            println!("skipped for {role}: promtool check metrics, promtool is not installed");
            continue;
        }
        let mut promtool = Command::new("promtool")
            .args(["check", "metrics"])
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()?;
        promtool.stdin.take().context("its stdin")?.write_all(metrics.as_bytes())?;
        let output = promtool.wait_with_output()?;
        let said = [output.stdout, output.stderr].concat();
        assert!(output.status.success() && said.is_empty(), "{role}: {}", String::from_utf8_lossy(&said));
    }
    city.stop_all()
}
