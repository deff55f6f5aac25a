//! `chorus doctor`: looks at a running set-up and says in plain words what is wrong, and what to do about it.
//!
//! It only looks: it joins no group, writes no record, changes no topic.

use std::collections::BTreeMap;
use std::net::ToSocketAddrs as _;
use std::time::Duration;

use chorus_ingest::feeds::FEEDS;
use chorus_model::{FrontierMark, FrontierTable, Span, Timestamp, cloudevents};
use chorus_runtime::clock::now;
use chorus_runtime::inspect::{Inspector, TopicState};
use chorus_runtime::secret;
use chorus_runtime::topics::Plan;
use chorus_sinks::destinations::centre::KEY_BYTES;

use super::{check, topics};
use crate::config::Config;
use crate::exit::Exit;

/// A record that waits for longer than this waits for somebody who is not there.
const LATE: Span = Span::from_secs(60);
/// What clocks may differ by before windows and silence are judged wrongly.
const SKEW: Span = Span::from_secs(5);
/// So many of the newest records of a partition hold a frontier of each feed, also where it gets a thousand a second.
const LATELY: i64 = 20_000;
/// How long a destination may take to accept a connection.
const CONNECT: Duration = Duration::from_secs(3);

/// What was found, in the order in which it was looked for.
#[derive(Debug, Default)]
struct Report {
    wrong: usize,
}

impl Report {
    fn fine(&self, what: &str, how: &str) {
        println!("ok     {what}: {how}");
    }

    /// Something was not looked at, which is as it should be in the configuration of one role.
    fn remark(&self, what: &str, how: &str) {
        println!("note   {what}: {how}");
    }

    /// Something is wrong: what, how one sees it, and what to do.
    fn wrong(&mut self, what: &str, how: &str, remedy: &str) {
        self.wrong += 1;
        println!("WRONG  {what}: {how}\n       do: {remedy}");
    }
}

/// Looks at everything that the configuration names.
///
/// # Errors
/// [`Exit::Failed`] when anything is wrong.
pub fn run(config: &Config, runtime: &tokio::runtime::Runtime) -> Result<(), Exit> {
    let mut report = Report::default();
    if !check::has_secrets(config) {
        report.remark("secrets", "none is configured here, no key was looked at; ingest needs them");
    }
    match check::part(config) {
        Ok(()) => {}
        Err(error) => report.wrong(
            "configuration",
            &error.to_string(),
            "correct the keys that are named; `chorus check` looks at them alone",
        ),
    }
    destinations(config, &mut report);
    match runtime.block_on(kafka(config, &mut report)) {
        Ok(()) => {}
        Err(error) => report.wrong(
            "kafka",
            &format!("{error:#}"),
            "look whether the brokers run and whether kafka.bootstrap and kafka.properties are right for this network",
        ),
    }
    if report.wrong == 0 {
        println!("nothing is wrong");
        return Ok(());
    }
    Err(Exit::Failed(anyhow::anyhow!("{} things are wrong", report.wrong)))
}

async fn kafka(config: &Config, report: &mut Report) -> anyhow::Result<()> {
    let inspector = Inspector::new(&config.kafka, &config.topics.tools_group())?;
    let plans = topics::plans(config);
    let names: Vec<String> = plans.iter().map(|plan| plan.name.clone()).collect();
    let (brokers, found) = inspector.topics(&names).await?;
    report.fine("kafka", &format!("{brokers} brokers answer at {}", config.kafka.bootstrap));
    let mut all_there = true;
    for plan in &plans {
        match found.get(&plan.name) {
            Some(state) => topic(plan, state, config.topics.replication, report),
            None => {
                all_there = false;
                report.wrong(&plan.name, "the topic is missing", "chorus topics apply");
            }
        }
    }
    if !all_there {
        return Ok(());
    }
    for feed in FEEDS {
        let raw = config.topics.raw(feed.name);
        group(&inspector, &config.topics.name(&format!("ingest.{}", feed.name)), &raw, &found, report)?;
    }
    let (events, anomalies, alerts) =
        (config.topics.name("events"), config.topics.name("anomalies"), config.topics.name("alerts"));
    group(&inspector, &config.topics.name("detect"), &events, &found, report)?;
    group(&inspector, &config.topics.name("fuse"), &anomalies, &found, report)?;
    for name in config.destinations.keys() {
        group(&inspector, &config.topics.name(&format!("deliver.{name}")), &alerts, &found, report)?;
    }
    clocks(&inspector, &events, report)
}

/// Partitions, copies and settings of one topic against the plan.
fn topic(plan: &Plan, state: &TopicState, replication: i32, report: &mut Report) {
    let before = report.wrong;
    let name = &plan.name;
    if state.partitions != plan.partitions {
        let how = format!("{} partitions, configured are {}", state.partitions, plan.partitions);
        let remedy = if plan.may_grow && state.partitions < plan.partitions {
            "chorus topics apply"
        } else {
            "set the configuration to what is there: keys and origins belong to partitions, their number may not change"
        };
        report.wrong(name, &how, remedy);
    }
    if state.leaderless > 0 {
        report.wrong(
            name,
            &format!("{} partitions have no leader", state.leaderless),
            "bring the brokers back that hold them",
        );
    }
    if state.in_sync < state.replicas {
        let how = format!("a partition has {} of {} copies in step", state.in_sync, state.replicas);
        report.wrong(name, &how, "look for a broker that is down or slow");
    }
    if state.replicas < usize::try_from(replication).unwrap_or(0) {
        let how = format!("{} copies, configured are {replication}", state.replicas);
        report.wrong(
            name,
            &how,
            "reassign the topic's partitions with Kafka's tools, or set topics.replication to what is there",
        );
    }
    for (key, wanted) in &plan.settings {
        let has = state.settings.get(*key).map_or("nothing", String::as_str);
        if has != wanted {
            let why = match *key {
                "message.timestamp.type" => " (received means the broker's time; a sender's clock must not move it)",
                "cleanup.policy" => " (snapshots are the latest state of each key)",
                "retention.ms" => " (also the longest that a role may be down)",
                _ => "",
            };
            let remedy = format!("kafka-configs --alter --topic {name} --add-config {key}={wanted}{why}");
            report.wrong(name, &format!("{key} is {has}, wanted is {wanted}"), &remedy);
        }
    }
    if let Some(least) = state.settings.get("min.insync.replicas").and_then(|text| text.parse::<usize>().ok())
        && least > state.replicas
    {
        let how =
            format!("min.insync.replicas is {least}, but there are {} copies: nothing can be written", state.replicas);
        report.wrong(name, &how, "lower it, or give the topic more copies");
    }
    if report.wrong == before {
        report.fine(name, &format!("{} partitions, {} copies", state.partitions, state.replicas));
    }
}

/// Whether a role keeps up with its topic.
fn group(
    inspector: &Inspector,
    group: &str,
    topic: &str,
    found: &BTreeMap<String, TopicState>,
    report: &mut Report,
) -> anyhow::Result<()> {
    let partitions = found.get(topic).map_or(0, |state| state.partitions);
    let (mut waiting, mut oldest, mut gone, mut never) = (0, Span::ZERO, false, true);
    for progress in inspector.progress(group, topic, partitions)? {
        never &= progress.committed.is_none();
        let at = progress.committed.unwrap_or(progress.low);
        gone |= at < progress.low;
        if at >= progress.end {
            continue;
        }
        waiting += progress.end - at.max(progress.low);
        let first = inspector.records(topic, progress.partition, at.max(progress.low), 1)?;
        if let Some(record) = first.first() {
            oldest = oldest.max(now().since(Timestamp::from_millis(record.timestamp_ms)));
        }
    }
    if gone {
        let how = format!("records of {topic} that it had not read are gone: retention took them");
        report.wrong(group, &how, "set the group's offset to the oldest there is, and raise topics.retention_hours");
    } else if waiting > 0 && oldest > LATE {
        let what = if never { "it has never committed; " } else { "" };
        let how = format!("{what}{waiting} records of {topic} wait, the oldest for {} s", seconds(oldest));
        report.wrong(
            group,
            &how,
            "look whether the role runs and what its log says; if it cannot keep up, give it more workers",
        );
    } else {
        report.fine(group, &format!("{waiting} records wait"));
    }
    Ok(())
}

/// The clocks of the ingests against the broker's, by the newest frontiers; whether time passes for every feed; and our own clock.
fn clocks(inspector: &Inspector, events: &str, report: &mut Report) -> anyhow::Result<()> {
    let (low, end) = inspector.ends(events, 0)?;
    let lately = low.max(end - LATELY);
    let mut frontiers = FrontierTable::default();
    let (mut newest, mut ahead) = (None, BTreeMap::new());
    for record in inspector.records(events, 0, lately, usize::try_from(end - lately)?)? {
        let appended = Timestamp::from_millis(record.timestamp_ms);
        newest = newest.max(Some(appended));
        if record.header(cloudevents::HEADER_TYPE) != Some(cloudevents::TYPE_FRONTIER) {
            continue;
        }
        let Ok(mark) = serde_json::from_slice::<FrontierMark>(&record.value) else { continue };
        let by = mark.before.iter().map(|(_, before)| before.since(appended)).max().unwrap_or(Span::ZERO);
        frontiers.advance(&mark);
        let most = ahead.entry(mark.input).or_insert(by);
        *most = by.max(*most);
    }
    let before = report.wrong;
    for (input, by) in ahead.iter().filter(|(_, by)| **by > SKEW) {
        let how = format!(
            "its frontier is {} s ahead of the broker's time: records that are still to come count as late",
            seconds(*by)
        );
        report.wrong(&format!("clock of ingest {input}"), &how, "set the clocks of its node and of the brokers by NTP");
    }
    match newest {
        None => report.wrong("frontiers", "no ingest has ever written one", "start the ingest roles"),
        Some(at) if at.since(now()) > SKEW => {
            let how = format!("the broker is {} s ahead of it", seconds(at.since(now())));
            report.wrong("clock of this machine", &how, "set the clocks by NTP");
        }
        Some(_) => passing(&frontiers, report),
    }
    if report.wrong == before {
        report.fine("clocks", "frontiers and the broker agree");
    }
    Ok(())
}

/// Whether time passes for every feed that is heard of: what holds one back holds back what waits for all of them.
fn passing(frontiers: &FrontierTable, report: &mut Report) {
    const REMEDY: &str =
        "start its ingest, as many of it as read every partition; if it runs, set this machine's clock";
    let mut heard = false;
    for (input, frontier) in frontiers.inputs() {
        heard = true;
        let what = format!("frontier of {input}");
        match frontier {
            None => {
                report.wrong(&what, "a partition of it has no reader: time stands still, no silence is judged", REMEDY)
            }
            Some(at) if now().since(at) > LATE => {
                let how = format!("it is {} s old: time stands still, no silence is judged", seconds(now().since(at)));
                report.wrong(&what, &how, REMEDY);
            }
            Some(_) => {}
        }
    }
    if !heard {
        report.wrong(
            "frontiers",
            "there is none among the newest records: time stands still",
            "start the ingest roles",
        );
    }
}

fn seconds(span: Span) -> i64 {
    span.as_micros() / 1_000_000
}

/// Whether anybody listens where alerts go, and whether the keys can be read.
fn destinations(config: &Config, report: &mut Report) {
    for (name, settings) in &config.destinations {
        let what = format!("destination {name}");
        if let Some(file) = &settings.key_file
            && let Err(error) = secret::read(file, KEY_BYTES)
        {
            report.wrong(&what, &format!("its key: {error}"), "mount the secret, or correct key_file");
            continue;
        }
        let Ok(url) = settings.base() else { continue }; // the configuration was looked at before
        let (Some(host), Some(port)) = (url.host_str(), url.port_or_known_default()) else { continue };
        let address = format!("{host}:{port}");
        let reached = address.to_socket_addrs().map_err(|error| error.to_string()).and_then(|mut all| {
            let connect = |to| std::net::TcpStream::connect_timeout(&to, CONNECT).map(drop).map_err(|e| e.to_string());
            all.next().map_or_else(|| Err("the name has no address".to_owned()), connect)
        });
        match reached {
            Ok(()) => report.fine(&what, &format!("{address} accepts connections")),
            Err(error) => report.wrong(
                &what,
                &format!("nobody answers at {address}: {error}"),
                "look whether the receiver runs, and whether a NetworkPolicy lets this pod reach it; alerts wait meanwhile",
            ),
        }
    }
    if config.destinations.is_empty() {
        report.remark("destinations", "none is configured here, none was looked at; alerts go where deliver's say");
    }
}
