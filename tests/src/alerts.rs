//! What the whole-pipeline tests share: alerts as the receiver saw them, and rules that are small enough to reason about.

use std::collections::BTreeMap;
use std::time::Duration;

use crate::receiver::{Received, Receiver};
use anyhow::{Context, Result, ensure};
use serde_json::Value;

/// Long enough for any of these tests on two busy cores; a test ends as soon as what it awaits has come.
pub const LONG: Duration = Duration::from_secs(60);

/// Rules of every type; small windows, so that tests are short.
pub const RULES: &str = r"
rules:
  - id: panic
    when: immediate
    kinds: [panic.button, duress.silent, fire.alarm, tag.exit]
    summary: {zh: '{place}紧急求助', en: 'Panic at {place}'}
  - id: forced
    when: immediate
    kinds: [door.forced]
    summary: {zh: '{place}门被强行打开', en: 'Forced door at {place}'}
  - id: intrusion
    when: immediate
    kinds: [intrusion.area, intrusion.zone]
    summary: {zh: '{place}有人闯入', en: 'Intrusion at {place}'}
  - id: refused-often
    when: count
    kinds: [access.denied]
    at_least: 3
    within: 2m
    by: [subject]
    summary: {zh: '{place}同一凭证多次被拒', en: 'The same credential refused {count} times at {place}'}
  - id: reported
    when: immediate
    kinds: [report.event]
    summary: {zh: '{place}上报事件', en: 'Report at {place}'}
";

/// A village whose gates say nothing; to be appended to [`RULES`].
pub const SILENCE_RULE: &str = r"
  - id: gates-silent
    when: silence
    feed: gate
    of: place
    devices: [gate]
    missed: 3
    summary: {zh: '{place}门岗失联', en: 'All gates of {place} are silent'}
";

/// The last revision of every alert that the receiver acknowledged, by alert id.
pub fn latest(requests: &[Received]) -> Result<BTreeMap<String, Value>> {
    let mut alerts: BTreeMap<String, Value> = BTreeMap::new();
    for request in requests.iter().filter(|request| request.method == "POST") {
        let alert = request.json()?;
        let id = text(&alert, "/alert_id")?;
        if alerts.get(&id).is_none_or(|known| revision(known) < revision(&alert)) {
            alerts.insert(id, alert);
        }
    }
    Ok(alerts)
}

/// Every (alert id, revision) that arrived, with how often.
pub fn deliveries(requests: &[Received]) -> BTreeMap<String, usize> {
    let mut seen = BTreeMap::new();
    for request in requests {
        if let Some(key) = request.header("idempotency-key") {
            *seen.entry(key.to_owned()).or_default() += 1;
        }
    }
    seen
}

/// Its revision; 0 when it has none.
pub fn revision(alert: &Value) -> u64 {
    alert["revision"].as_u64().unwrap_or(0)
}

/// The text at a JSON pointer.
pub fn text(value: &Value, pointer: &str) -> Result<String> {
    let found = value.pointer(pointer).and_then(Value::as_str);
    Ok(found.with_context(|| format!("no text at {pointer} in {value}"))?.to_owned())
}

/// `place kind status` and the rules of its reasons, in order: what a desk would read.
pub fn line(alert: &Value) -> String {
    let mut rules: Vec<&str> =
        alert["reasons"].as_array().into_iter().flatten().filter_map(|reason| reason["rule"].as_str()).collect();
    rules.sort_unstable();
    let at = |pointer: &str| alert.pointer(pointer).and_then(Value::as_str).unwrap_or("-");
    format!("{} {} {} [{}]", at("/place/id"), at("/kind"), at("/status"), rules.join(","))
}

/// The lines of all alerts, sorted.
pub fn lines(requests: &[Received]) -> Result<Vec<String>> {
    let mut lines: Vec<String> = latest(requests)?.values().map(line).collect();
    lines.sort();
    Ok(lines)
}

/// Waits until the receiver's alerts are these lines; the error shows what there is instead.
pub fn await_lines(receiver: &Receiver, wanted: &[&str]) -> Result<()> {
    let mut wanted: Vec<String> = wanted.iter().map(|line| (*line).to_owned()).collect();
    wanted.sort();
    let reached = receiver.await_until(LONG, |requests| lines(requests).is_ok_and(|lines| lines == wanted));
    let there = lines(&receiver.requests())?;
    ensure!(reached.is_ok(), "wanted:\n{}\nthere are:\n{}", wanted.join("\n"), there.join("\n"));
    Ok(())
}

/// Every revision of every alert arrived, from 1 to the last, in order.
pub fn check_revisions(requests: &[Received]) -> Result<()> {
    let mut last: BTreeMap<String, u64> = BTreeMap::new();
    for request in requests.iter().filter(|request| request.method == "POST") {
        let alert = request.json()?;
        let id = text(&alert, "/alert_id")?;
        let known = last.entry(id.clone()).or_default();
        let revision = revision(&alert);
        ensure!(revision <= *known + 1, "{id}: revision {revision} after {known}: one is missing");
        *known = revision.max(*known);
    }
    Ok(())
}

/// The value of a metric's series: the first whose labels contain all of `labels`.
pub fn metric(metrics: &str, name: &str, labels: &[&str]) -> Option<f64> {
    sum(metrics, name, labels).map(|(first, _)| first)
}

/// (first, sum) over the series of a metric whose labels contain all of `labels`.
pub fn sum(metrics: &str, name: &str, labels: &[&str]) -> Option<(f64, f64)> {
    let mut found = None;
    for line in metrics.lines().filter(|line| line.starts_with(name)) {
        let (series, value) = line.rsplit_once(' ')?;
        let own = series.strip_prefix(name)?;
        if !(own.is_empty() || own.starts_with('{')) || !labels.iter().all(|label| own.contains(label)) {
            continue;
        }
        let value: f64 = value.parse().ok()?;
        let (first, total) = found.unwrap_or((value, 0.0));
        found = Some((first, total + value));
    }
    found
}
