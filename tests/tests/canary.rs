//! The canary goes the whole way for every feed and county, no desk sees it, and it stops when the chain is broken anywhere.
#![allow(clippy::panic_in_result_fn, reason = "tests")]

use std::collections::{BTreeMap, BTreeSet};

use anyhow::{Context, Result};
use chorus_tests::alerts::{LONG, RULES};
use chorus_tests::deployment::{CENTER, Deployment, FEEDS};
use chorus_tests::http_get;
use chorus_tests::kafka::Broker;
use chorus_tests::process::free_port;
use chorus_tests::wait::wait_for;

/// The samples of a metric, by feed and county.
fn samples(metrics: &str, name: &str) -> Result<BTreeMap<(String, String), f64>> {
    let mut found = BTreeMap::new();
    for line in metrics.lines().filter(|line| line.strip_prefix(name).is_some_and(|rest| rest.starts_with('{'))) {
        let (labels, value) = line.rsplit_once(' ').context("a sample")?;
        let label = |name: &str| {
            let value = labels.split(&format!("{name}=\"")).nth(1).and_then(|rest| rest.split('"').next());
            value.map(str::to_owned).with_context(|| format!("no {name} in {labels}"))
        };
        found.insert((label("feed")?, label("county")?), value.parse()?);
    }
    Ok(found)
}

/// When the latest canary of each feed and county was acknowledged.
fn acknowledged(city: &Deployment) -> Result<BTreeMap<(String, String), f64>> {
    samples(&city.metrics("deliver")?, "chorus_canary_acknowledged_seconds")
}

/// When the latest round was sent.
fn sent(city: &Deployment) -> Result<BTreeMap<(String, String), f64>> {
    samples(&city.metrics("canary")?, "chorus_canary_sent_seconds")
}

/// Waits until the canary of every feed and county is newer than `before`.
fn await_all(city: &Deployment, before: &BTreeMap<(String, String), f64>) -> Result<BTreeMap<(String, String), f64>> {
    wait_for("a canary of every feed and county to arrive", LONG, || {
        let (sent, now) = (sent(city)?, acknowledged(city)?);
        Ok(sent.keys().all(|key| now.get(key) > before.get(key)).then_some(now))
    })
    .map_err(|error| error.context(city.last_words()))
}

/// Waits until a round was sent later than so many seconds behind `before`.
fn await_round(city: &Deployment, before: &BTreeMap<(String, String), f64>, seconds: f64) -> Result<()> {
    wait_for("another round", LONG, || {
        let now = sent(city)?;
        Ok(before.iter().all(|(key, at)| now.get(key).is_some_and(|now| *now > at + seconds)).then_some(()))
    })
}

#[test]
fn a_canary_of_every_feed_arrives_unseen_and_stays_away_while_a_role_is_down() -> Result<()> {
    let broker = Broker::shared()?;
    let center = format!("http://127.0.0.1:{}", free_port()?);
    let mut city = Deployment::new(&broker.bootstrap(), "canary.", &center, RULES, None)?;
    city.configure("canary: {every: 15s}\n");
    city.start_center()?;
    city.start_all()?;
    city.start("canary")?;
    let first = await_all(&city, &BTreeMap::new())?;

    // Without fuse they are sent, and none arrives.
    city.role("fuse")?.kill9()?;
    let before = sent(&city)?;
    await_round(&city, &before, 0.0)?;
    let broken = acknowledged(&city)?;
    await_round(&city, &before, 20.0)?;
    assert_eq!(acknowledged(&city)?, broken);
    let feeds: BTreeSet<&str> = first.keys().map(|(feed, _)| feed.as_str()).collect();
    assert_eq!(feeds, BTreeSet::from(FEEDS));
    city.start("fuse")?;
    await_all(&city, &broken)?;

    // The centre has them, and nobody sees them there: neither as alerts nor as drills.
    let (_, metrics) = http_get(&format!("{center}/metrics"))?;
    let stored = |outcome: &str| format!("chorus_center_deliveries_total{{outcome=\"{outcome}\"}} 0");
    assert!(metrics.contains(&stored("stored")) && !metrics.contains(&stored("canary")), "{metrics}");
    for query in ["", "&drills=true"] {
        let (status, body) = http_get(&format!("{center}/api/v1/alerts?limit=100{query}"))?;
        assert_eq!((status, body.contains("\"alerts\":[]")), (200, true), "{body}");
    }
    assert!(city.role(CENTER).is_ok());
    city.stop_all()
}
