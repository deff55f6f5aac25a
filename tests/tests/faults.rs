//! Faults on a real Kafka: whatever is killed, handed over or cut off, the receiver ends with the alerts of an undisturbed
//! run: none lost, none twice, nothing counted twice.
#![allow(clippy::panic_in_result_fn, reason = "tests")]

use std::collections::BTreeSet;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, ensure};
use chorus_tests::alerts::{self, LONG, RULES, check_revisions};
use chorus_tests::client::Client;
use chorus_tests::deployment::{Deployment, ROLES};
use chorus_tests::kafka::Broker;
use chorus_tests::receiver::{Answer, Received, Receiver};
use chorus_tests::wait::wait_for;
use chorus_tests::wire::{self, Said};

/// How many places raise an alert in the stream.
const PLACES: u16 = 160;
/// The stream comes in so many parts.
const PARTS: usize = 16;

/// Two panics at each of many places, in three feeds, and the end of every second one; noise in between. A place is a device
/// that the registry does not know.
fn stream() -> Vec<Said> {
    let mut said = Vec::new();
    for step in 0..3_u16 {
        for number in 0..PLACES {
            let account = format!("{}", 5_000 + number);
            let feed = ["school", "hospital", "gate"][usize::from(number % 3)];
            said.push(wire::gb28181_keepalive("camera", "36010200001320000001", u32::from(step * PLACES + number)));
            match step {
                0 => said.push(wire::sia(feed, &account, number * 3 + 1, 1120, 1)),
                1 => said.push(wire::sia(feed, &account, number * 3 + 2, 1120, 1)),
                _ if number % 2 == 0 => said.push(wire::sia(feed, &account, number * 3 + 3, 3120, 1)),
                _ => {}
            }
        }
    }
    said
}

/// What a desk reads in the end: place, status, revision, and the count of the one reason.
fn summary(requests: &[Received]) -> Result<BTreeSet<String>> {
    let line = |alert: &serde_json::Value| {
        let reasons = alert["reasons"].as_array().map_or(0, Vec::len);
        let count = alert.pointer("/reasons/0/count").and_then(serde_json::Value::as_f64).unwrap_or(0.0);
        format!("{} revision {} reasons {reasons} count {count}", alerts::line(alert), alerts::revision(alert))
    };
    let latest = alerts::latest(requests)?;
    let lines: BTreeSet<String> = latest.values().map(line).collect();
    ensure!(lines.len() == latest.len(), "two alerts say the same: one of them is a double");
    Ok(lines)
}

fn wanted() -> BTreeSet<String> {
    (0..PLACES)
        .map(|number| {
            let (status, revision, count) = if number % 2 == 0 { ("resolved", 3, 2) } else { ("firing", 2, 2) };
            let place = 5_000 + number;
            format!("{place} panic.button {status} [panic] revision {revision} reasons 1 count {count}")
        })
        .collect()
}

/// Waits for the wanted alerts; the error shows the first differences.
fn await_wanted(receiver: &Receiver) -> Result<()> {
    let wanted = wanted();
    let reached = receiver.await_until(LONG, |requests| summary(requests).is_ok_and(|there| there == wanted));
    let there = summary(&receiver.requests())?;
    let missing: Vec<&String> = wanted.difference(&there).take(5).collect();
    let strange: Vec<&String> = there.difference(&wanted).take(5).collect();
    ensure!(reached.is_ok(), "{} of {} alerts; missing {missing:#?}, instead {strange:#?}", there.len(), wanted.len());
    check_revisions(&receiver.requests())
}

/// Says the stream in parts; `between` disturbs after each.
fn play(
    city: &mut Deployment,
    client: &Client,
    mut between: impl FnMut(&mut Deployment, usize) -> Result<()>,
) -> Result<()> {
    let stream = stream();
    for (number, part) in stream.chunks(stream.len().div_ceil(PARTS)).enumerate() {
        city.say(client, part)?;
        between(city, number)?;
    }
    Ok(())
}

#[test]
fn the_undisturbed_run_gives_every_alert_once() -> Result<()> {
    let broker = Broker::shared()?;
    let receiver = Receiver::start()?;
    let mut city = Deployment::new(&broker.bootstrap(), "calm.", &receiver.url(""), RULES, None)?;
    city.start_all()?;
    play(&mut city, &broker.client()?, |_, _| Ok(()))?;
    await_wanted(&receiver)?;
    city.stop_all()
}

#[test]
fn kill_9_of_each_role_in_the_middle_of_the_stream_changes_nothing() -> Result<()> {
    let broker = Broker::shared()?;
    let receiver = Receiver::start()?;
    let mut city = Deployment::new(&broker.bootstrap(), "killed.", &receiver.url(""), RULES, None)?;
    city.start_all()?;
    play(&mut city, &broker.client()?, |city, number| city.kill9(ROLES[number % ROLES.len()]))?;
    await_wanted(&receiver)?;
    for role in ROLES {
        city.wait_ready(role)?;
    }
    city.stop_all()
}

#[test]
fn a_rolling_restart_of_every_role_under_load_changes_nothing() -> Result<()> {
    let broker = Broker::shared()?;
    let receiver = Receiver::start()?;
    let mut city = Deployment::new(&broker.bootstrap(), "rolled.", &receiver.url(""), RULES, None)?;
    city.start_all()?;
    let mut longest = (Duration::ZERO, "");
    play(&mut city, &broker.client()?, |city, number| {
        let role = ROLES[number % ROLES.len()];
        let begun = Instant::now();
        let status = city.role(role)?.terminate(LONG)?;
        ensure!(status.success(), "{role} ended with {status}: {}", city.role(role)?.stderr()?);
        city.start(role)?;
        longest = longest.max((begun.elapsed(), role));
        Ok(())
    })?;
    println!("longest pause: {} ms, {}, from SIGTERM to ready again", longest.0.as_millis(), longest.1);
    await_wanted(&receiver)?;
    city.stop_all()
}

#[test]
fn a_rebalance_while_records_flow_changes_nothing() -> Result<()> {
    let broker = Broker::shared()?;
    let receiver = Receiver::start()?;
    let mut city = Deployment::new(&broker.bootstrap(), "shared.", &receiver.url(""), RULES, None)?;
    city.start_all()?;
    let roles = ["ingest-school", "detect", "fuse", "deliver"];
    play(&mut city, &broker.client()?, |city, number| match number {
        // A second instance of each joins, one after the other, while the first goes on; later the first ones leave.
        1 | 3 | 5 | 7 => city.launch(roles[number / 2], &format!("{}-second", roles[number / 2])),
        8..=11 => {
            city.wait_ready(&format!("{}-second", roles[number - 8]))?;
            let status = city.role(roles[number - 8])?.terminate(LONG)?;
            ensure!(status.success(), "{} ended with {status}", roles[number - 8]);
            Ok(())
        }
        _ => Ok(()),
    })?;
    await_wanted(&receiver)?;
    city.stop_all()
}

/// Of a role's `/metrics`: the partitions that it says it holds, and those of which it says how late it is.
fn held_and_told(city: &Deployment, name: &str) -> Result<(usize, usize)> {
    let text = city.metrics(name)?;
    let held = text.lines().find_map(|line| line.strip_prefix("chorus_partitions_assigned{")?.split(' ').next_back());
    let told = text.lines().filter(|line| line.starts_with("chorus_lag_seconds{")).count();
    Ok((held.context("no chorus_partitions_assigned")?.parse()?, told))
}

#[test]
fn what_is_handed_over_is_neither_held_nor_late_any_more_and_the_workers_of_a_process_are_counted_together()
-> Result<()> {
    let broker = Broker::shared()?;
    let mut city = Deployment::new(&broker.bootstrap(), "handed.", "http://127.0.0.1:9", RULES, None)?;
    city.configure("feeds: {school: {workers: 2}}\n");
    let client = broker.client()?;
    city.start("ingest-school")?;
    city.say(&client, &stream())?;
    let all = wait_for("all partitions held and told", LONG, || {
        Ok(Some(held_and_told(&city, "ingest-school")?).filter(|(held, told)| (*held, *told) == (3, 3)))
    });
    ensure!(all.is_ok(), "{:?}", held_and_told(&city, "ingest-school"));
    city.launch("ingest-school", "ingest-school-second")?;
    city.wait_ready("ingest-school-second")?;
    let shared = wait_for("shared partitions", LONG, || {
        let (first, second) = (held_and_told(&city, "ingest-school")?, held_and_told(&city, "ingest-school-second")?);
        let is_told = first.0 == first.1 && second.0 == second.1;
        Ok((is_told && first.0 + second.0 == 3 && second.0 > 0).then_some(()))
    });
    let now = ["ingest-school", "ingest-school-second"].map(|name| held_and_told(&city, name));
    ensure!(shared.is_ok(), "{now:?}");
    city.stop_all()
}

#[test]
fn a_broker_that_is_killed_and_comes_back_loses_nothing_and_restarts_nobody() -> Result<()> {
    let mut broker = Broker::start()?;
    let receiver = Receiver::start()?;
    let mut city = Deployment::new(&broker.bootstrap(), "outage.", &receiver.url(""), RULES, None)?;
    city.start_all()?;
    let client = broker.client()?;
    play(&mut city, &client, |city, number| {
        if number != 6 {
            return Ok(());
        }
        broker.kill9();
        let url = format!("http://127.0.0.1:{}", city.port("detect")?);
        wait_for("readiness to go", LONG, || {
            Ok((chorus_tests::http_get(&format!("{url}/readyz"))?.0 == 503).then_some(()))
        })?;
        assert_eq!(chorus_tests::http_get(&format!("{url}/healthz"))?.0, 200, "liveness never depends on the broker");
        broker.start_again()
    })?;
    await_wanted(&receiver)?;
    for role in ROLES {
        ensure!(city.role(role)?.exit_status()?.is_none(), "{role} was restarted by nobody and still runs");
    }
    city.stop_all()
}

#[test]
fn a_destination_that_fails_gets_everything_in_order_and_what_it_refuses_is_parked() -> Result<()> {
    let broker = Broker::shared()?;
    let receiver = Receiver::start()?;
    let mut calls = 0_u32;
    receiver.answer_with(move |request| {
        calls += 1;
        let refused = request.json().is_ok_and(|alert| alert["place"]["id"] == "5007");
        match calls % 5 {
            _ if refused => Answer::status(422),
            1 => Answer::status(503),
            2 => Answer::status(429).header("retry-after", "0"),
            _ => Answer::status(201),
        }
    });
    let mut city = Deployment::new(&broker.bootstrap(), "failing.", &receiver.url(""), RULES, None)?;
    city.start_all()?;
    let client = broker.client()?;
    play(&mut city, &client, |_, _| Ok(()))?;
    await_wanted(&receiver)?;
    let parked = wait_for("the two parked revisions", LONG, || {
        let parked = client.read_all(&city.name("parked"))?;
        Ok((parked.len() >= 2).then_some(parked))
    })?;
    assert_eq!(parked.len(), 2, "each refused revision is parked once");
    for record in &parked {
        assert_eq!(record.json()?["place"]["id"], "5007", "the alert itself is kept");
    }
    let metrics = city.metrics("deliver")?;
    assert_eq!(alerts::metric(&metrics, "chorus_records_total", &["rejected", "refused"]), Some(2.0));

    // Once the receiver is mended, what was parked is delivered at its newest revision.
    assert_eq!(city.run(&["parked", "list", "--destination", "centre"])?.lines().count(), 2);
    let (status, told, _) = city.try_run(&["parked", "replay", "--destination", "centre"])?;
    assert!(status == Some(1) && told.starts_with("not delivered "), "still refused: {told}");
    receiver.answer_with(|_| Answer::status(201));
    let told = city.run(&["parked", "replay", "--destination", "centre"])?;
    assert!(told.lines().count() == 1 && told.ends_with("at revision 2\n"), "{told}");
    let delivered = receiver.requests().last().context("a request")?.json()?;
    assert_eq!((&delivered["place"]["id"], alerts::revision(&delivered)), (&"5007".into(), 2));
    city.stop_all()
}
