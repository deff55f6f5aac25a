//! Five feeds in, the right alerts out, on a real Kafka; every record has a fate, and nothing about a person passes.
#![allow(clippy::panic_in_result_fn, reason = "tests")]

use anyhow::{Context, Result, ensure};
use chorus_tests::alerts::{LONG, RULES, await_lines, check_revisions, sum};
use chorus_tests::deployment::{Deployment, FEEDS, ROLES};
use chorus_tests::kafka::Broker;
use chorus_tests::receiver::Receiver;
use chorus_tests::wait::wait_for;
use chorus_tests::wire::{self, Said};

/// One thing after the other at each place; between feeds there is no order.
fn a_busy_minute() -> Vec<Said> {
    vec![
        wire::sia("school", "1001", 1, 1120, 3),
        wire::isapi_access("hospital", "aa:bb:cc:00:00:01", 11, 5, 27, ""),
        wire::gb28181_alarm("camera", "36010200001320000001", 7, 5, 6),
        wire::onvif_door("gate", "gate-1", "DoorForcedOpen", "2026-11-25T08:00:00"),
        wire::own("grid", "phone-1", "r-1", "report.event", "pulse"),
        wire::vehicle("camera", "36010200001320000002", 17),
        wire::isapi_access("hospital", "aa:bb:cc:00:00:01", 12, 5, 9, "SECRET-CARD-4711"),
        wire::isapi_access("hospital", "aa:bb:cc:00:00:01", 13, 5, 9, "SECRET-CARD-4711"),
        wire::isapi_access("hospital", "aa:bb:cc:00:00:01", 14, 5, 9, "SECRET-CARD-4711"),
        // The SIA panel sends again, since our acknowledgement got lost.
        wire::sia("school", "1001", 1, 1120, 3),
    ]
}

const THEIR_ALERTS: [&str; 4] = [
    "school-1 panic.button firing [panic]",
    "hospital-1 door.forced firing [forced,intrusion,refused-often]",
    "village-1 door.forced firing [forced]",
    "community-1 report.event firing [reported]",
];

#[test]
fn five_feeds_in_one_alert_a_place_out_and_every_record_has_a_fate() -> Result<()> {
    let broker = Broker::shared()?;
    let client = broker.client()?;
    let receiver = Receiver::start()?;
    let mut city = Deployment::new(&broker.bootstrap(), "five.", &receiver.url(""), RULES, None)?;
    city.start_all()?;
    city.say(&client, &a_busy_minute())?;
    await_lines(&receiver, &THEIR_ALERTS)?;
    check_revisions(&receiver.requests())?;

    // Law 1: read = sum of fates, at every role.
    for role in ROLES {
        let metrics = city.metrics(role)?;
        let (_, read) = sum(&metrics, "chorus_records_read_total", &[]).context("read")?;
        let (_, fates) = sum(&metrics, "chorus_records_total", &[]).context("fates")?;
        ensure!((read - fates).abs() < 0.5, "{role}: read {read}, fates {fates}");
        ensure!(read > 0.0, "{role} read nothing");
    }
    let read: f64 = FEEDS
        .iter()
        .map(|feed| sum(&city.metrics(&format!("ingest-{feed}"))?, "chorus_records_read_total", &[]).context("read"))
        .map(|sum| sum.map(|(_, read)| read))
        .sum::<Result<f64>>()?;
    assert!((read - a_busy_minute().len() as f64).abs() < 0.5, "{read} raw records were read");
    city.stop_all()?;

    // People: neither the card number nor the plate nor the reporter is anywhere behind the border, logs included.
    let mut everything = String::new();
    for topic in ["events", "anomalies", "alerts", "rejects", "parked", "snapshots"] {
        for record in client.read_all(&city.name(topic))? {
            everything.push_str(&String::from_utf8_lossy(&record.value.unwrap_or_default()));
            everything.push_str(&format!("{:?}", record.headers));
        }
    }
    for role in ROLES {
        everything.push_str(&city.role(role)?.stderr()?);
    }
    ensure!(everything.contains("vehicle.passed"), "the vehicle is there");
    for personal in ["SECRET-CARD-4711", "赣A", "somebody"] {
        assert!(!everything.contains(personal), "{personal} passed the border");
    }
    Ok(())
}

#[test]
fn a_poison_record_of_every_format_blocks_nothing_and_comes_back_byte_for_byte() -> Result<()> {
    let broker = Broker::shared()?;
    let client = broker.client()?;
    let receiver = Receiver::start()?;
    let mut city = Deployment::new(&broker.bootstrap(), "poison.", &receiver.url(""), RULES, None)?;
    let poisons: Vec<Said> = ["hikvision-isapi", "sia-dc09", "gb-t-28181", "onvif", "chorus"]
        .iter()
        .enumerate()
        .map(|(number, format)| wire::poison("school", format, number))
        .chain([wire::poison("camera", "ga-t-1400", 5)])
        .collect();
    city.say(&client, &poisons)?;
    city.say(&client, &[wire::sia("school", "1001", 1, 1120, 3)])?;
    city.start_all()?;
    await_lines(&receiver, &THEIR_ALERTS[..1])?;

    let rejects = wait_for("all rejects", LONG, || {
        let rejects = client.read_all(&city.name("rejects"))?;
        Ok((rejects.len() == poisons.len()).then_some(rejects))
    })?;
    for reject in &rejects {
        let sealed = reject.value.clone().unwrap_or_default();
        assert!(!sealed.windows(6).any(|window| window == b"poison"), "a reject is sealed");
        assert!(!format!("{:?}", reject.headers).contains("poison 0"), "its headers tell no payload");
    }
    let list = city.run(&["rejects", "list"])?;
    let mut shown = Vec::new();
    for row in list.lines().skip(1) {
        let id = row.split('\t').next().context("an id")?;
        shown.push(city.run(&["rejects", "show", id])?);
    }
    let mut sent: Vec<String> = poisons.iter().map(|p| String::from_utf8_lossy(&p.body).into_owned()).collect();
    shown.sort();
    sent.sort();
    assert_eq!(shown, sent);

    // Sent again they are rejected again: none is lost on the way.
    let dry = city.run(&["rejects", "replay", "--dry-run", "--feed", "camera"])?;
    assert!(dry.contains("would send"), "{dry}");
    let later = ["rejects", "replay", "--feed", "camera", "--since", "2100-01-01T00:00:00Z"];
    assert_eq!(city.run(&later)?, "0 rejects sent\n");
    let told = city.run(&["rejects", "replay", "--feed", "camera"])?;
    assert!(told.starts_with("sent ") && told.ends_with("1 rejects sent\n"), "{told}");
    wait_for("the replayed reject", LONG, || {
        Ok((client.read_all(&city.name("rejects"))?.len() == poisons.len() + 1).then_some(()))
    })?;
    city.stop_all()
}
