//! Latency from the raw record to the desk, over all hops on a real Kafka: ingest, detect (shipped rules), fuse, deliver, and
//! the HTTP receiver's complete request; beside a bare copy chain of as many hops under the same load in the same run.
//!
//! `cargo bench -p chorus-tests --bench latency [-- ALERTS]`; docs/benchmarks.md says what the columns mean.

mod common;

use std::collections::BTreeMap;
use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Context, Result};
use chorus_tests::alerts::text;
use chorus_tests::deployment::{Deployment, FEEDS};
use chorus_tests::kafka::Broker;
use chorus_tests::receiver::Receiver;
use chorus_tests::wait::wait_for;
use chorus_tests::wire;
use hdrhistogram::Histogram;
use rdkafka::producer::BaseProducer;

use common::bare::{self, Plain};
use common::chain::Chain;
use common::load::{Source, plain};

/// Alerts that are measured, unless the command line says otherwise; each at a place of its own.
const ALERTS: usize = 400;
/// Alerts before them, to warm up.
const WARM_UP: usize = 50;
/// One alert in this time.
const ALERT_EVERY: Duration = Duration::from_millis(100);
/// The background: one raw record in this time, which is 2,000 a second.
const RECORD_EVERY: Duration = Duration::from_micros(500);
/// How often the devices hand over what is due.
const TICK: Duration = Duration::from_millis(1);
/// How long the last alert may take.
const TOO_LONG: Duration = Duration::from_secs(60);

/// What is said, in order of time: after how long, to which feed, and the number of the alert if it tips one.
struct Line {
    after: Duration,
    feed: &'static str,
    record: Plain,
    alert: Option<usize>,
}

fn main() -> Result<()> {
    let wanted = std::env::args().skip(1).find_map(|argument| argument.parse().ok());
    let alerts = wanted.unwrap_or(ALERTS) + WARM_UP;
    let broker = Broker::start_fast()?;
    let mut source = Source::new();
    println!(
        "{} alerts at as many places, one in {ALERT_EVERY:?}, amid {:.0} raw records a second; milliseconds\n",
        alerts - WARM_UP,
        1.0 / RECORD_EVERY.as_secs_f64()
    );
    println!("{:24} {:>7} {:>8} {:>8} {:>8} {:>8}", "way", "alerts", "p50", "p90", "p99", "most");
    let script = script(&mut source, alerts);
    let bare = through_bare_chain(&broker, &script, alerts)?;
    row("bare copies, four hops", &bare);
    let chorus = through_chorus(&broker, &source, &script, alerts)?;
    row("chorus, four hops", &chorus);
    let times = |quantile| chorus.value_at_quantile(quantile) as f64 / bare.value_at_quantile(quantile).max(1) as f64;
    println!("{:24} {:>7} {:8.2} {:8.2} {:8.2}", "times the bare chain", "", times(0.5), times(0.9), times(0.99));
    Ok(())
}

fn row(way: &str, measured: &Histogram<u64>) {
    let at = |quantile| measured.value_at_quantile(quantile) as f64 / 1e3;
    println!("{way:24} {:7} {:8.1} {:8.1} {:8.1} {:8.1}", measured.len(), at(0.5), at(0.9), at(0.99), at(1.0));
}

/// The background with a panic button in it every now and then, each at another school.
fn script(source: &mut Source, alerts: usize) -> Vec<Line> {
    let span = ALERT_EVERY * u32::try_from(alerts + 1).unwrap_or(u32::MAX);
    let count = (span.as_micros() / RECORD_EVERY.as_micros()) as usize;
    let background = source.mixed(count).into_iter().take(count).zip(0_u32..);
    let mut lines: Vec<Line> = background
        .map(|(record, number)| Line {
            after: RECORD_EVERY * number,
            feed: record.feed,
            record: plain(&record),
            alert: None,
        })
        .collect();
    for (alert, number) in (0..alerts).zip(1_u32..) {
        let said = wire::sia("school", &account(alert), 1, 1120, 3);
        let headers = vec![
            ("format".to_owned(), said.format.as_bytes().to_vec()),
            ("source".to_owned(), said.device.as_bytes().to_vec()),
        ];
        let record = Plain { partition: None, key: said.device.into_bytes(), headers, value: said.body };
        lines.push(Line { after: ALERT_EVERY * number, feed: "school", record, alert: Some(alert) });
    }
    lines.sort_by_key(|line| line.after);
    lines
}

/// Stands before the accounts of the benchmark's own panels; the city's begin otherwise.
const PANELS: &str = "99";

fn account(alert: usize) -> String {
    format!("{PANELS}{alert:04}")
}

fn place(alert: usize) -> String {
    format!("bench-school-{alert}")
}

/// Says everything at its time. Returns when each alert's record was handed to the client.
fn say(producer: &BaseProducer, script: &[Line], topic: impl Fn(&str) -> String) -> Result<Vec<Instant>> {
    let topics: BTreeMap<&str, String> = FEEDS.iter().map(|feed| (*feed, topic(feed))).collect();
    let mut said = Vec::new();
    let begun = Instant::now();
    for line in script {
        while begun.elapsed() < line.after {
            producer.poll(Duration::ZERO);
            thread::sleep(TICK);
        }
        if line.alert.is_some() {
            said.push(Instant::now());
        }
        bare::send(producer, &topics[line.feed], &line.record)?;
    }
    bare::drain(producer)?;
    Ok(said)
}

/// From each alert's record to the receiver's first complete request for it, in microseconds.
fn measure(said: &[Instant], arrived: &BTreeMap<usize, Instant>) -> Result<Histogram<u64>> {
    let mut histogram = Histogram::new(3)?;
    for (alert, said) in said.iter().enumerate().skip(WARM_UP) {
        let at = arrived.get(&alert).with_context(|| format!("alert {alert} did not arrive"))?;
        histogram.record(u64::try_from(at.duration_since(*said).as_micros())?)?;
    }
    Ok(histogram)
}

fn through_chorus(broker: &Broker, source: &Source, script: &[Line], alerts: usize) -> Result<Histogram<u64>> {
    let receiver = Receiver::start()?;
    let mut plan = source.plan("latency.")?;
    plan.receiver = receiver.url("");
    for alert in 0..alerts {
        plan.places.push_str(&format!("{},第{alert}小学,school,360102003001,28.69,115.91,\n", place(alert)));
        plan.devices.push_str(&format!("{},,{},panel,\n", account(alert), place(alert)));
    }
    let mut city = Deployment::of(&broker.bootstrap(), plan)?;
    city.start_all()?;
    let producer = bare::producer(&broker.bootstrap())?;
    let said = say(&producer, script, |feed| city.name(&format!("raw.{feed}")))?;
    let numbers: BTreeMap<String, usize> = (0..alerts).map(|alert| (place(alert), alert)).collect();
    let arrived = wait_for("every alert", TOO_LONG, || {
        let mut arrived = BTreeMap::new();
        // The background may raise alerts of its own.
        for request in receiver.requests().iter().filter(|request| request.method == "POST") {
            if let Some(alert) = numbers.get(&text(&request.json()?, "/place/id")?) {
                arrived.entry(*alert).or_insert(request.at);
            }
        }
        Ok((arrived.len() == alerts).then_some(arrived))
    })?;
    city.stop_all()?;
    measure(&said, &arrived)
}

fn through_bare_chain(broker: &Broker, script: &[Line], alerts: usize) -> Result<Histogram<u64>> {
    let receiver = Receiver::start()?;
    let numbers: BTreeMap<Vec<u8>, usize> = (0..alerts).map(|alert| (account(alert).into_bytes(), alert)).collect();
    let chain = Chain::start(broker, &receiver.url("/"), |record| record.key.starts_with(PANELS.as_bytes()))?;
    let producer = bare::producer(&broker.bootstrap())?;
    let said = say(&producer, script, |_| chain.first().to_owned())?;
    let requests = receiver.await_until(TOO_LONG, |requests| requests.len() >= alerts)?;
    chain.stop()?;
    let mut arrived = BTreeMap::new();
    for request in &requests {
        if let Some(alert) = request.header("key").and_then(|key| numbers.get(key.as_bytes())) {
            arrived.entry(*alert).or_insert(request.at);
        }
    }
    measure(&said, &arrived)
}
