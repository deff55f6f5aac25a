//! Rules that come through the log are in force from their place on, also after kill -9 and over what a role was started with.
#![allow(clippy::panic_in_result_fn, reason = "tests")]

use std::fs;

use anyhow::Result;
use chorus_tests::alerts::{LONG, RULES, await_lines};
use chorus_tests::deployment::Deployment;
use chorus_tests::kafka::Broker;
use chorus_tests::receiver::Receiver;
use chorus_tests::wait::wait_for;
use chorus_tests::wire;

/// A forced door stands until it is closed.
fn rules() -> String {
    RULES.replace("kinds: [door.forced]", "kinds: [door.forced]\n    quiet_after: never")
}

/// One rule more than [`RULES`], and one that looks at something else.
fn others() -> String {
    let without = RULES.replace("kinds: [door.forced]", "kinds: [door.held_open]");
    format!(
        "{without}  - id: passed\n    when: immediate\n    kinds: [vehicle.passed]\n    summary: {{zh: '{{place}}过车', en: 'A vehicle at {{place}}'}}\n"
    )
}

#[test]
fn published_rules_are_in_force_from_their_place_in_the_log_on_and_survive_kill_9() -> Result<()> {
    let broker = Broker::shared()?;
    let client = broker.client()?;
    let receiver = Receiver::start()?;
    let mut city = Deployment::new(&broker.bootstrap(), "published.", &receiver.url(""), &rules(), None)?;
    city.start_all()?;
    city.say(&client, &[wire::onvif_door("gate", "gate-1", "DoorForcedOpen", "2026-11-25T08:00:00")])?;
    await_lines(&receiver, &["village-1 door.forced firing [forced]"])?;

    fs::write(city.folder().join("others.yaml"), others())?;
    let file = city.folder().join("others.yaml").display().to_string();
    let version = city.run(&["rules", "publish", &file, "--by", "duty desk", "--dry-run"])?;
    let version = version.trim().trim_start_matches("would publish ").to_owned();
    assert_eq!(city.run(&["rules", "history"])?, "", "a dry run publishes nothing");
    city.run(&["rules", "publish", &file, "--by", "duty desk"])?;
    city.run(&["rules", "publish", &file, "--by", "duty desk"])?; // again, since nobody knew whether it had worked

    // What only an end would have ended, which the rule does not look at any more, is over.
    await_lines(&receiver, &["village-1 door.forced resolved [forced]"])?;

    // What is forced now is nobody's rule; what passes is.
    city.say(&client, &[wire::onvif_door("gate", "gate-2", "DoorForcedOpen", "2026-11-25T08:01:00")])?;
    city.say(&client, &[wire::vehicle("camera", "36010200001320000002", 1)])?;
    let both = ["village-1 door.forced resolved [forced]", "street-1 vehicle.passed firing [passed]"];
    await_lines(&receiver, &both)?;

    // A snapshot holds the rules: killed and started again with the old files, the role goes on by the new ones.
    wait_for("a snapshot with the rules", LONG, || {
        let kept = client.read_all(&city.name("snapshots"))?;
        let rules = kept.iter().filter(|record| record.key.as_deref().is_some_and(|key| key.ends_with(b"\x01rules")));
        Ok((rules.count() >= 4).then_some(()))
    })?;
    city.kill9("detect")?;
    city.say(&client, &[wire::vehicle("camera", "36010200001320000001", 2)])?;
    await_lines(&receiver, &[both[0], both[1], "hospital-1 vehicle.passed firing [passed]"])?;
    let anomalies = client.read_all(&city.name("anomalies"))?;
    let is_named = anomalies.iter().any(|record| record.json().is_ok_and(|a| a["rules_version"] == *version));
    assert!(is_named, "anomalies name {version}");

    let history = city.run(&["rules", "history"])?;
    assert_eq!(history.lines().count(), 2);
    assert!(history.lines().all(|line| line.contains(&version) && line.contains("duty desk")), "{history}");
    assert!(city.run(&["rules", "show", &version])?.contains("vehicle.passed"));

    // What is not valid reaches nobody.
    fs::write(city.folder().join("broken.yaml"), "rules: [{id: x, when: never}]\n")?;
    let broken = city.folder().join("broken.yaml").display().to_string();
    let (status, _, told) = city.try_run(&["rules", "publish", &broken, "--by", "duty desk"])?;
    assert_eq!(status, Some(64), "{told}");
    city.stop_all()
}
