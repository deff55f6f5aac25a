//! Canaries through the whole chain on a real Kafka: acknowledged for every feed and county, shown to nobody, and standing still
//! when a link of the chain does.
#![allow(clippy::panic_in_result_fn, reason = "tests")]

use std::collections::BTreeMap;

use anyhow::{Context, Result, ensure};
use chorus_tests::alerts::{LONG, RULES, metric};
use chorus_tests::deployment::{CENTER, Deployment, FEEDS, Plan, ROLES};
use chorus_tests::http_get;
use chorus_tests::kafka::Broker;
use chorus_tests::process::free_port;
use chorus_tests::wait::wait_for;
use serde_json::Value;

/// The counties of the test city's places.
const COUNTIES: [&str; 4] = ["360102", "360103", "360111", "360113"];
/// As often as is allowed, so that the test is short.
const OFTEN: &str = "canary: {every: 30s}\n";

/// Receipt of the latest canary that was acknowledged, by feed and county.
fn acknowledged(city: &Deployment) -> Result<BTreeMap<(String, String), f64>> {
    let metrics = city.metrics("deliver")?;
    let mut found = BTreeMap::new();
    for line in metrics.lines().filter(|line| line.starts_with("chorus_canary_acknowledged_seconds{")) {
        let (series, value) = line.rsplit_once(' ').context("a value")?;
        let label = |name: &str| -> Result<String> {
            let (_, rest) = series.split_once(&format!("{name}=\"")).with_context(|| format!("no {name}: {line}"))?;
            Ok(rest.split('"').next().unwrap_or_default().to_owned())
        };
        found.insert((label("feed")?, label("county")?), value.parse()?);
    }
    Ok(found)
}

fn sent(city: &Deployment) -> Result<f64> {
    let metrics = city.metrics("canary")?;
    let each = FEEDS.map(|feed| metric(&metrics, "chorus_canary_sent_total", &[&format!("feed=\"{feed}\"")]));
    Ok(each.into_iter().flatten().fold(f64::INFINITY, f64::min))
}

/// Waits until every canary has been acknowledged that was received after this.
fn await_all_after(city: &Deployment, what: &str, before: f64) -> Result<f64> {
    wait_for(what, LONG, || {
        let now = acknowledged(city)?;
        let oldest = now.values().copied().fold(f64::INFINITY, f64::min);
        Ok((now.len() == FEEDS.len() * COUNTIES.len() && oldest > before).then_some(oldest))
    })
    .map_err(|error| error.context(format!("{:?}", acknowledged(city))).context(city.last_words()))
}

fn latest(city: &Deployment) -> Result<f64> {
    Ok(acknowledged(city)?.into_values().fold(0.0, f64::max))
}

/// What the centre has for anybody to see.
fn shown(city: &Deployment) -> Result<Vec<Value>> {
    let url = format!("http://127.0.0.1:{}/api/v1/alerts?drills=true", city.port(CENTER)?);
    let (status, body) = http_get(&url)?;
    ensure!(status == 200, "{status}: {body}");
    let page: Value = serde_json::from_str(&body)?;
    page["alerts"].as_array().cloned().context("no list of alerts")
}

#[test]
fn every_canary_is_acknowledged_and_shown_to_nobody_and_a_role_that_is_away_is_seen_by_it() -> Result<()> {
    let broker = Broker::shared()?;
    let plan = Plan {
        prefix: "canary.".to_owned(),
        receiver: format!("http://127.0.0.1:{}", free_port()?),
        rules: Some(RULES.to_owned()),
        ..Plan::default()
    };
    let mut city = Deployment::of(&broker.bootstrap(), plan)?;
    city.configure(OFTEN);
    city.start_center()?;
    city.start_all()?;
    let series = acknowledged(&city)?;
    assert_eq!(series.len(), FEEDS.len() * COUNTIES.len(), "{series:?}");
    assert!(series.values().all(|value| *value == 0.0), "each series is there before its canary: {series:?}");
    for county in COUNTIES {
        assert!(series.contains_key(&("gate".to_owned(), county.to_owned())), "{county}: {series:?}");
    }

    city.start("canary")?;
    let first = await_all_after(&city, "the first canary of every feed and county", 0.0)?;

    // Fuse is away: canaries go on being sent, and none is acknowledged any more.
    city.role("fuse")?.kill9()?;
    let stood = latest(&city)?;
    let before = sent(&city)?;
    wait_for("canaries to be sent without fuse", LONG, || Ok((sent(&city)? > before).then_some(())))?;
    wait_for("detect to have found them", LONG, || {
        let found = metric(&city.metrics("detect")?, "chorus_records_total", &["fate=\"forwarded\""]);
        Ok(found.is_some_and(|found| found >= 40.0).then_some(()))
    })?;
    assert_eq!(latest(&city)?, stood, "nothing is acknowledged while fuse is away");

    city.start("fuse")?;
    let again = await_all_after(&city, "a canary of every feed and county after fuse is back", stood)?;
    assert!(again - first >= 25.0, "{first} {again}: the next ones");

    // The desk saw nothing of it, and the database has each once.
    assert_eq!(shown(&city)?, Vec::<Value>::new());
    let metrics = city.metrics(CENTER)?;
    assert!(metric(&metrics, "chorus_center_deliveries_total", &["outcome=\"canary\""]) > Some(59.0), "{metrics}");
    assert_eq!(metric(&metrics, "chorus_center_deliveries_total", &["outcome=\"stored\""]), Some(0.0));
    let metrics = city.metrics("deliver")?;
    assert!(metric(&metrics, "chorus_canary_latency_seconds_count", &[]) >= Some(40.0), "{metrics}");
    assert_eq!(metric(&metrics, "chorus_alert_latency_seconds_count", &[]), Some(0.0));
    assert_eq!(metric(&metrics, "chorus_deliveries_total", &["outcome=\"acknowledged\""]), Some(0.0));
    for feed in FEEDS {
        let metrics = city.metrics(&format!("ingest-{feed}"))?;
        let read = metric(&metrics, "chorus_records_read_total", &[]);
        assert_eq!(metric(&metrics, "chorus_canary_records_total", &[]), read, "{feed}: none but canaries spoke");
    }
    // A canary's fate is counted as any record's.
    for role in ROLES {
        let metrics = city.metrics(role)?;
        let total = |name: &str| chorus_tests::alerts::sum(&metrics, name, &[]).map(|(_, sum)| sum);
        assert_eq!(total("chorus_records_read_total"), total("chorus_records_total"), "{role}");
    }
    city.stop_all()
}

#[test]
fn a_broker_that_is_away_costs_canaries_and_restarts_nothing() -> Result<()> {
    let mut broker = Broker::start()?;
    let mut city = Deployment::new(&broker.bootstrap(), "", "http://127.0.0.1:9", RULES, None)?;
    city.configure(OFTEN);
    city.start("canary")?;
    wait_for("the first canaries", LONG, || Ok((sent(&city)? >= 4.0).then_some(())))?;
    let before = sent(&city)?;
    broker.stop()?;
    wait_for("readiness to go", LONG, || {
        let (status, _) = http_get(&format!("http://127.0.0.1:{}/readyz", city.port("canary")?))?;
        Ok((status == 503).then_some(()))
    })?;
    wait_for("canaries that cannot be sent", LONG * 2, || {
        let failed = metric(&city.metrics("canary")?, "chorus_canary_failures_total", &["feed=\"gate\""]);
        ensure!(city.role("canary")?.exit_status()?.is_none(), "it ended");
        Ok((failed > Some(0.0)).then_some(()))
    })?;
    broker.start_again()?;
    city.wait_ready("canary")?;
    // What waited at the broker's absence is one of each county, not one for each time that it could not be sent.
    wait_for("the canaries that waited", LONG, || Ok((sent(&city)? >= before + 4.0).then_some(())))?;
    city.stop_all()
}
