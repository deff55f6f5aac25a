//! `chorus doctor` finds nothing wrong with a running city, and names what is wrong with each of a dozen broken ones.
#![allow(clippy::panic_in_result_fn, reason = "tests")]

use std::time::{SystemTime, UNIX_EPOCH};

use anyhow::{Context, Result, ensure};
use chorus_tests::alerts::{LONG, RULES};
use chorus_tests::client::NewRecord;
use chorus_tests::deployment::Deployment;
use chorus_tests::kafka::Broker;
use chorus_tests::process::free_port;
use chorus_tests::receiver::Receiver;
use chorus_tests::wait::wait_for;
use chorus_tests::wire;

/// What the doctor says, with settings changed by the environment; whether it is content.
fn says(city: &Deployment, changed: &[(&str, &str)]) -> Result<(bool, String)> {
    let (status, out, err) = city.try_run_with(&["doctor"], changed)?;
    Ok((status == Some(0), format!("{out}{err}")))
}

/// The lines of what is wrong.
fn complaints(told: &str) -> Vec<&str> {
    told.lines().filter(|line| line.starts_with("WRONG")).collect()
}

#[test]
fn the_doctor_is_content_with_a_running_city_and_names_each_setting_that_does_not_fit_it() -> Result<()> {
    let broker = Broker::shared()?;
    let receiver = Receiver::start()?;
    let mut city = Deployment::new(&broker.bootstrap(), "well.", &receiver.url(""), RULES, None)?;
    city.start_all()?;
    city.say(&broker.client()?, &[wire::sia("school", "1001", 1, 1120, 3)])?;
    receiver.await_until(LONG, |requests| !requests.is_empty())?;
    let (content, told) = wait_for("a doctor who is content", LONG, || {
        let (content, told) = says(&city, &[])?;
        Ok(content.then_some((content, told)))
    })
    .map_err(|error| error.context(says(&city, &[]).map(|(_, told)| told).unwrap_or_default()))?;
    assert!(content && told.contains("nothing is wrong") && complaints(&told).is_empty(), "{told}");

    // The configuration of one role alone, as in a pod of detect.
    let (content, told) = says(&city, &[("CHORUS_SECRETS", "{}"), ("CHORUS_DESTINATIONS", "{}")])?;
    assert!(content && complaints(&told).is_empty(), "{told}");
    assert!(told.contains("note   secrets: none") && told.contains("note   destinations: none"), "{told}");

    let nobody = format!("127.0.0.1:{}", free_port()?);
    let url = format!("http://{nobody}");
    let pseudonyms = format!("{{pseudonyms_key_file: {}/pseudonyms.key}}", city.folder().display());
    let broken: [(&str, &str, &str); 9] = [
        ("CHORUS_KAFKA__BOOTSTRAP", &nobody, "kafka: kafka does not answer at 127.0.0.1"),
        ("CHORUS_TOPICS__PREFIX", "nowhere.", "nowhere.events: the topic is missing"),
        ("CHORUS_TOPICS__EVENTS_PARTITIONS", "7", "well.events: 4 partitions, configured are 7"),
        ("CHORUS_TOPICS__RAW_PARTITIONS", "5", "well.raw.gate: 3 partitions, configured are 5"),
        ("CHORUS_TOPICS__RETENTION_HOURS", "24", "well.alerts: retention.ms is 604800000, wanted is 86400000"),
        ("CHORUS_TOPICS__REPLICATION", "3", "well.events: 1 copies, configured are 3"),
        ("CHORUS_DESTINATIONS__CENTRE__URL", &url, "destination centre: nobody answers at 127.0.0.1"),
        ("CHORUS_SECRETS__REJECTS_KEY_FILE", "/nowhere/key", "configuration: secrets.rejects_key_file"),
        ("CHORUS_SECRETS", &pseudonyms, "configuration: secrets.rejects_key_file: needed"),
    ];
    for (variable, value, complaint) in broken {
        let (content, told) = says(&city, &[(variable, value)])?;
        assert!(!content, "{variable}={value}: {told}");
        ensure!(complaints(&told).iter().any(|line| line.contains(complaint)), "{variable}={value}: {told}");
        assert!(told.contains("do: "), "{told}");
    }
    city.stop_all()
}

#[test]
fn the_doctor_names_topics_that_others_made_a_clock_that_is_wrong_and_a_role_that_is_away() -> Result<()> {
    let broker = Broker::shared()?;
    let (client, topics) = (broker.client()?, broker.topics()?);
    let receiver = Receiver::start()?;
    let now = i64::try_from(SystemTime::now().duration_since(UNIX_EPOCH)?.as_millis())?;
    // Somebody made these by hand, before `topics apply`.
    topics.create("ill.raw.school", 3, &[("message.timestamp.type", "CreateTime")])?;
    topics.create("ill.snapshots", 4, &[("cleanup.policy", "delete")])?;
    topics.create("ill.alerts", 2, &[("min.insync.replicas", "2")])?;
    let city = Deployment::new(&broker.bootstrap(), "ill.", &receiver.url(""), RULES, None)?;
    // Nobody has read this for two hours.
    client.produce_all(
        "ill.raw.school",
        &[NewRecord { value: Some(b"x".to_vec()), timestamp: Some(now - 7_200_000), ..NewRecord::default() }],
    )?;
    // An ingest whose clock is an hour ahead.
    let mark = |input: &str, partitions: i32, millis: i64| -> Result<()> {
        let at = jiff::Timestamp::from_millisecond(millis).context("a time")?;
        let before: Vec<_> = (0..partitions).map(|partition| (partition, at.to_string())).collect();
        let mark = serde_json::json!({"input": input, "of": 3, "before": before}).to_string();
        client.produce("ill.events", Some(0), None, &[("ce_type", b"chorus.frontier.v1")], mark.as_bytes())?;
        Ok(())
    };
    mark("gate", 3, now + 3_600_000)?;
    mark("school", 2, now)?;
    mark("grid", 3, now - 7_200_000)?;
    mark("camera", 3, now)?;

    let (content, told) = says(&city, &[])?;
    assert!(!content);
    for complaint in [
        "ill.raw.school: message.timestamp.type is CreateTime, wanted is LogAppendTime",
        "ill.snapshots: cleanup.policy is delete, wanted is compact",
        "ill.alerts: min.insync.replicas is 2, but there are 1 copies: nothing can be written",
        "ill.ingest.school: it has never committed; 1 records of ill.raw.school wait, the oldest for 72",
        "clock of ingest gate: its frontier is 3",
        "frontier of school: a partition of it has no reader",
        "frontier of grid: it is 72",
    ] {
        ensure!(complaints(&told).iter().any(|line| line.contains(complaint)), "not said: {complaint}\n{told}");
    }
    ensure!(!told.contains("of camera"), "{told}");
    Ok(())
}
