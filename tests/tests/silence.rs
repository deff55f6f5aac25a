//! Silence on a real Kafka: found when it is the device's, never when it is ours.
#![allow(clippy::panic_in_result_fn, reason = "tests")]

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Context, Result};
use chorus_tests::alerts::{self, LONG, RULES, SILENCE_RULE};
use chorus_tests::client::Client;
use chorus_tests::deployment::Deployment;
use chorus_tests::kafka::Broker;
use chorus_tests::receiver::Receiver;
use chorus_tests::wait::wait_for;
use chorus_tests::wire;

/// Two villages' gates speak twice a second until they are told to stop.
fn beat(city: &Deployment, client: &Client, number: u32, first: bool, second: bool) -> Result<()> {
    let mut said = Vec::new();
    if first {
        said.push(wire::gb28181_keepalive("gate", "36011100001320000011", number));
    }
    if second {
        said.push(wire::gb28181_keepalive("gate", "36011100001320000012", number));
    }
    city.say(client, &said)
}

/// Which of the two villages' gates speak.
struct Gates {
    first: AtomicBool,
    second: AtomicBool,
    ended: AtomicBool,
}

impl Gates {
    fn speak(&self, first: bool, second: bool) {
        self.first.store(first, Ordering::Relaxed);
        self.second.store(second, Ordering::Relaxed);
    }
}

/// Dropped, it ends the speaking.
struct End<'a>(&'a Gates);

impl Drop for End<'_> {
    fn drop(&mut self) {
        self.0.ended.store(true, Ordering::Relaxed);
    }
}

/// Runs `watch` while the gates speak in their own rhythm; what a test waits for, it awaits there.
fn while_gates_speak(bootstrap: &str, prefix: &str, watch: impl FnOnce(&Gates) -> Result<()>) -> Result<()> {
    let client = Client::new(bootstrap)?;
    let speaker = Deployment::speaker(bootstrap, prefix)?;
    let gates = Gates { first: AtomicBool::new(true), second: AtomicBool::new(true), ended: AtomicBool::new(false) };
    thread::scope(|scope| {
        let speaking = scope.spawn(|| -> Result<()> {
            for number in 1.. {
                if gates.ended.load(Ordering::Relaxed) {
                    break;
                }
                let (first, second) = (gates.first.load(Ordering::Relaxed), gates.second.load(Ordering::Relaxed));
                beat(&speaker, &client, number, first, second)?;
                thread::park_timeout(Duration::from_millis(500));
            }
            Ok(())
        });
        let watched = {
            let _end = End(&gates); // also when an assertion fails
            watch(&gates)
        };
        let spoken = speaking.join().ok().context("the speaker panicked")?;
        watched.and(spoken)
    })
}

fn wait_until_heard(city: &Deployment) -> Result<()> {
    wait_for("detect to hear the gates", LONG, || {
        let heard = alerts::sum(&city.metrics("detect")?, "chorus_records_total", &["no_anomaly"]);
        Ok(heard.is_some_and(|(_, sum)| sum > 8.0).then_some(()))
    })
}

/// True when the frontier of every partition of the gates is near now.
fn knows_the_present(city: &Deployment) -> Result<bool> {
    let metrics = city.metrics("ingest-gate")?;
    let ages = metrics.lines().filter(|line| line.starts_with("chorus_frontier_age_seconds{"));
    let ages: Vec<f64> = ages.filter_map(|line| line.rsplit(' ').next()?.parse().ok()).collect();
    Ok(!ages.is_empty() && ages.iter().all(|age| *age < 5.0))
}

/// Waits out `outage`: here the passing of time is the fault itself.
fn wait_out(outage: Duration) -> Result<()> {
    let away = Instant::now();
    wait_for("the end of the outage", LONG, || Ok((away.elapsed() > outage).then_some(())))
}

/// The second village falls silent for real: found. When that is known, the frontier has passed everything that the first
/// could have been blamed for.
fn only_the_second_is_called_silent(receiver: &Receiver, gates: &Gates) -> Result<()> {
    gates.speak(true, false);
    receiver.await_until(LONG, |requests| !requests.is_empty())?;
    assert_eq!(alerts::lines(&receiver.requests())?, ["village-2 anomaly.silence firing [gates-silent]"]);
    gates.speak(true, true);
    receiver.await_until(LONG, |requests| {
        alerts::lines(requests).is_ok_and(|lines| lines == ["village-2 anomaly.silence resolved [gates-silent]"])
    })?;
    Ok(())
}

#[test]
fn nobody_is_called_silent_while_ingest_is_down_and_a_feed_without_traffic_stalls_nothing() -> Result<()> {
    let broker = Broker::shared()?;
    let receiver = Receiver::start()?;
    let rules = format!("{RULES}{SILENCE_RULE}");
    let mut city = Deployment::new(&broker.bootstrap(), "silent.", &receiver.url(""), &rules, None)?;
    city.start_all()?;
    while_gates_speak(&broker.bootstrap(), "silent.", |gates| {
        wait_until_heard(&city)?;
        // Ingest is away for three times as long as a gate may be silent; the gates go on speaking.
        city.role("ingest-gate")?.kill9()?;
        wait_out(Duration::from_secs(18))?;
        city.start("ingest-gate")?;
        only_the_second_is_called_silent(&receiver, gates).map_err(|error| error.context(city.last_words()))
    })?;
    city.stop_all()
}

#[test]
fn nobody_is_called_silent_because_kafka_was_away() -> Result<()> {
    let mut broker = Broker::start()?;
    let receiver = Receiver::start()?;
    let rules = format!("{RULES}{}", SILENCE_RULE.replace("missed: 3", "missed: 6"));
    let mut city = Deployment::new(&broker.bootstrap(), "away.", &receiver.url(""), &rules, None)?;
    city.start_all()?;
    while_gates_speak(&broker.bootstrap(), "away.", |gates| {
        wait_until_heard(&city)?;
        // Kafka is away for longer than a gate may be silent, and when it is back, time passes before the first gate speaks.
        gates.speak(false, false);
        broker.pause()?;
        wait_out(Duration::from_secs(20))?;
        broker.resume()?;
        wait_for("the frontier of the gates to jump", LONG, || Ok(knows_the_present(&city)?.then_some(())))
            .map_err(|error| error.context(city.last_words()))?;
        gates.speak(true, true);
        only_the_second_is_called_silent(&receiver, gates).map_err(|error| error.context(city.last_words()))
    })?;
    city.stop_all()
}

#[test]
fn a_partition_that_ends_in_the_mark_of_a_transaction_holds_no_time_back() -> Result<()> {
    let broker = Broker::shared()?;
    let mut city = Deployment::new(&broker.bootstrap(), "marked.", "http://127.0.0.1:9", RULES, None)?;
    city.start_all()?;
    let client = Client::transactional(&broker.bootstrap(), "marked")?;
    client.in_transaction(|client| beat(&city, client, 1, true, true))?;
    wait_for("ingest to read them", LONG, || {
        let read = alerts::sum(&city.metrics("ingest-gate")?, "chorus_records_total", &["forwarded"]);
        Ok(read.is_some_and(|(_, sum)| sum >= 2.0).then_some(()))
    })?;
    wait_out(Duration::from_secs(8))?;
    assert!(knows_the_present(&city)?, "{}", city.metrics("ingest-gate")?);
    // What is committed is behind the mark, so that retention may take it.
    let (topics, raw) = (broker.topics()?, city.name("raw.gate"));
    wait_for("the commit behind the mark", LONG, || {
        let committed = topics.group_offsets(&city.name("ingest.gate"), &raw)?;
        let written: BTreeMap<i32, i64> = topics.end_offsets(&raw)?.into_iter().filter(|(_, end)| *end > 0).collect();
        Ok((committed == written && !written.is_empty()).then_some(()))
    })?;
    // Nor after a start at the mark, with no record before it.
    city.role("ingest-gate")?.terminate(LONG)?;
    city.start("ingest-gate")?;
    wait_for("the present", LONG, || Ok(knows_the_present(&city)?.then_some(())))
        .map_err(|error| error.context(city.last_words()))?;
    city.stop_all()
}
