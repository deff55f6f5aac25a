//! A configuration that cannot be used, as the person meets it who wrote it: the exit code, the path of the key, what is
//! allowed. And a broker that is not there, which is no error of configuration.

use std::fs;
use std::net::TcpListener;
use std::path::Path;
use std::time::Duration;

use anyhow::{Context, Result, ensure};
use chorus_tests::deployment::Deployment;
use chorus_tests::http_get;
use chorus_tests::kafka::Broker;
use chorus_tests::process::{Role, free_port};
use chorus_tests::wait::wait_for;

const SHORT: Duration = Duration::from_secs(20);
/// Wrong use or configuration.
const USAGE: i32 = 64;
/// Anything else.
const FAILED: i32 = 1;

/// A configuration in which nothing is wrong, with its keys and registry in `folder`. No broker is needed to read it.
fn valid(folder: &Path) -> Result<String> {
    for key in ["rejects.key", "pseudonyms.key", "centre.key"] {
        fs::write(folder.join(key), "42".repeat(32))?;
    }
    fs::write(folder.join("places.csv"), "id,name,kind,division_code\nschool-1,第一小学,school,360102\n")?;
    fs::write(folder.join("devices.csv"), "id,channel,place,kind,heartbeat\npanel-1,,school-1,panel,60s\n")?;
    let folder = folder.display();
    Ok(format!(
        "kafka: {{bootstrap: '127.0.0.1:{}'}}
http: {{listen: '127.0.0.1:{}'}}
registry: {{places: [{folder}/places.csv], devices: [{folder}/devices.csv]}}
secrets: {{rejects_key_file: {folder}/rejects.key, pseudonyms_key_file: {folder}/pseudonyms.key}}
destinations: {{centre: {{type: centre, url: 'http://127.0.0.1:9', key_file: {folder}/centre.key}}}}
center: {{listen: '127.0.0.1:{}', database: 'sqlite://{folder}/centre.db', key_file: {folder}/centre.key}}
",
        free_port()?,
        free_port()?,
        free_port()?
    ))
}

/// Runs `chorus ARGS…` to its end: exit code and stderr.
fn run(folder: &Path, args: &[&str], envs: &[(&str, &str)], config: &str) -> Result<(Option<i32>, String)> {
    let mut role = Role::spawn(folder, "chorus", args, envs, Some(config))?;
    let status = role.wait_exit(SHORT)?;
    Ok((status.code(), role.stderr()?))
}

/// What is put in the place of what, and what must be said then.
struct Wrong {
    args: &'static [&'static str],
    from: &'static str,
    to: &'static str,
    says: &'static [&'static str],
}

const CHECK: &[&str] = &["check"];

const fn wrong(from: &'static str, to: &'static str, says: &'static [&'static str]) -> Wrong {
    Wrong { args: CHECK, from, to, says }
}

const WRONG: &[Wrong] = &[
    wrong("kafka: {", "kafka: {compresion: lz4, ", &["kafka.compresion: unknown field", "`compression`"]),
    wrong("kafka: {", "kafka: {linger: soon, ", &["kafka.linger: not a length of time", "250ms"]),
    wrong("kafka: {", "kafka: {compression: rar, ", &["kafka.compression: allowed: none, lz4"]),
    wrong(
        "kafka: {",
        "kafka: {properties: {enable.idempotence: 'false'}, ",
        &["kafka.properties.enable.idempotence: may not be set"],
    ),
    wrong("kafka: {", "kafka: {assignment: {by: ordinal, ordinal: 2, of: 2}, ", &["kafka.assignment.ordinal: must be"]),
    wrong("bootstrap: '127.0.0.1:", "bootstrap: 'broker:x", &["kafka.bootstrap: expected host:port"]),
    wrong("kafka: {", "kafka: [", &["not readable as YAML", "line 1"]),
    wrong("kafka: {", "kafak: {", &["kafak: unknown field", "`kafka`"]),
    wrong("http: {", "topics: {events_partitions: 0}\nhttp: {", &["topics.events_partitions: allowed: 1 to 1024"]),
    wrong("http: {listen: '127.0.0.1:", "http: {listen: 'here:", &["http.listen: expected address:port"]),
    wrong("http: {", "feeds: {trafic: {}}\nhttp: {", &["feeds.trafic: no such feed, allowed: school, hospital, gate"]),
    wrong(
        "http: {",
        "feeds: {gate: {zone: Asia/Nanchang}}\nhttp: {",
        &["feeds.gate.zone: unknown zone", "Asia/Shanghai"],
    ),
    wrong(
        "http: {",
        "feeds: {gate: {formats: [isapi]}}\nhttp: {",
        &["feeds.gate.formats: unknown format", "hikvision-isapi"],
    ),
    wrong("http: {", "detect: {rules: [/nowhere/rules]}\nhttp: {", &["detect.rules: /nowhere/rules", "No such file"]),
    wrong("http: {", "canary: {every: 5s}\nhttp: {", &["canary.every: allowed: 30s to 2m"]),
    wrong("http: {", "canary: {feeds: [gate, trafic]}\nhttp: {", &["canary.feeds[1]: no such feed, allowed: school"]),
    wrong(
        "http: {",
        "canary: {feeds: [gate]}\nfeeds: {gate: {formats: [onvif]}}\nhttp: {",
        &["canary.feeds[0]: feeds.gate.formats leaves out chorus"],
    ),
    wrong("rejects.key,", "missing.key,", &["secrets.rejects_key_file: ", "missing.key", "No such file"]),
    wrong("pseudonyms.key}", "missing.key}", &["secrets.pseudonyms_key_file: ", "missing.key", "No such file"]),
    wrong("devices.csv]", "none.csv]", &["registry: ", "none.csv", "No such file"]),
    wrong("type: centre", "type: pager", &["destinations.centre.type: unknown type, allowed: centre, alertmanager"]),
    wrong("centre.key}}\ncenter", "missing.key}}\ncenter", &["destinations.centre.key_file: ", "missing.key"]),
    wrong(
        "database: 'sqlite:",
        "database: 'postgres://chorus:hunter2@db/chorus', keep: 1h, api_token_file: '",
        &["center.database: holds a password"],
    ),
    Wrong {
        args: &["ingest", "--feed", "trafic"],
        from: "",
        to: "",
        says: &["--feed trafic: no such feed, allowed: school, hospital, gate, camera, grid"],
    },
    Wrong {
        args: &["ingest", "--feed", "gate"],
        from: "rejects_key_file",
        to: "rejects_key_fil",
        says: &["secrets.rejects_key_fil: unknown field"],
    },
    Wrong {
        args: &["deliver", "--destination", "desk"],
        from: "",
        to: "",
        says: &["--destination desk: not under `destinations`, which has: centre"],
    },
    Wrong { args: &["center"], from: "center: {", to: "x-center: {", says: &["x-center: unknown field", "`center`"] },
    Wrong { args: &["detect", "--fed"], from: "", to: "", says: &["unexpected argument '--fed'"] },
];

#[test]
fn what_is_wrong_is_told_with_its_path_and_what_is_allowed_and_ends_with_64() -> Result<()> {
    for (number, case) in WRONG.iter().enumerate() {
        let folder = tempfile::tempdir()?;
        let config = valid(folder.path())?;
        ensure!(config.contains(case.from), "case {number}: nothing to put wrong");
        let config = config.replacen(case.from, case.to, 1);
        let (code, stderr) = run(folder.path(), case.args, &[], &config)?;
        println!("{} -> {stderr}", case.args.join(" "));
        assert_eq!(code, Some(USAGE), "case {number}: {stderr}");
        for said in case.says {
            assert!(stderr.contains(said), "case {number}: expected {said:?} in: {stderr}");
        }
        assert!(!stderr.contains("hunter2"), "a password is never repeated");
    }
    Ok(())
}

#[test]
fn a_configuration_in_which_nothing_is_wrong_is_valid_without_a_broker() -> Result<()> {
    let folder = tempfile::tempdir()?;
    let (code, stderr) = run(folder.path(), CHECK, &[], &valid(folder.path())?)?;
    assert_eq!((code, stderr.as_str()), (Some(0), ""));
    Ok(())
}

#[test]
fn every_problem_is_told_at_once() -> Result<()> {
    let folder = tempfile::tempdir()?;
    let config = valid(folder.path())?
        .replacen("http: {", "feeds: {trafic: {}}\ntopics: {replication: 0}\nhttp: {", 1)
        .replacen("type: centre", "type: pager", 1);
    let (code, stderr) = run(folder.path(), CHECK, &[], &config)?;
    assert_eq!(code, Some(USAGE));
    for path in ["feeds.trafic", "topics.replication", "destinations.centre.type"] {
        assert!(stderr.contains(path), "{path}: {stderr}");
    }
    Ok(())
}

#[test]
fn a_file_that_is_not_there_is_named_with_how_to_name_another() -> Result<()> {
    let folder = tempfile::tempdir()?;
    for args in [["detect", "--config", "/nowhere/chorus.yaml"], ["check", "--config", "/nowhere/chorus.yaml"]] {
        let (code, stderr) = run(folder.path(), &args, &[], "")?;
        assert_eq!(code, Some(USAGE), "{stderr}");
        for said in ["/nowhere/chorus.yaml", "No such file", "--config", "CHORUS_CONFIG"] {
            assert!(stderr.contains(said), "{said}: {stderr}");
        }
    }
    Ok(())
}

#[test]
fn an_override_of_the_environment_is_checked_like_the_file_it_overrides() -> Result<()> {
    let folder = tempfile::tempdir()?;
    for (name, value, said) in [
        ("CHORUS_KAFKA__BOTSTRAP", "127.0.0.1:9092", "kafka.botstrap: unknown field"),
        ("CHORUS_TOPICS__REPLICATION", "0", "topics.replication: allowed: 1 to 1024"),
        ("CHORUS_HTTP__LISTEN__PORT", "9600", "CHORUS_HTTP__LISTEN__PORT"),
    ] {
        let (code, stderr) = run(folder.path(), CHECK, &[(name, value)], &valid(folder.path())?)?;
        assert_eq!(code, Some(USAGE), "{stderr}");
        assert!(stderr.contains(said), "{said}: {stderr}");
    }
    Ok(())
}

#[test]
fn a_key_that_is_no_key_is_told_with_how_to_make_one_and_never_shown() -> Result<()> {
    let folder = tempfile::tempdir()?;
    let config = valid(folder.path())?;
    for key in ["rejects", "pseudonyms"] {
        valid(folder.path())?;
        fs::write(folder.path().join(format!("{key}.key")), "hunter2")?;
        let (code, stderr) = run(folder.path(), &["ingest", "--feed", "gate"], &[], &config)?;
        assert_eq!(code, Some(USAGE), "{stderr}");
        let path = format!("secrets.{key}_key_file: ");
        assert!(stderr.contains(&path) && stderr.contains("openssl rand -hex 32"), "{stderr}");
        assert!(!stderr.contains("hunter2"), "{stderr}");
    }
    Ok(())
}

#[test]
fn a_registry_or_rule_that_cannot_be_used_is_told_with_file_and_row() -> Result<()> {
    let folder = tempfile::tempdir()?;
    let config = valid(folder.path())?;
    fs::write(folder.path().join("devices.csv"), "id,channel,place,kind,heartbeat\ncam-7,,school-9,camera,\n")?;
    let (code, stderr) = run(folder.path(), CHECK, &[], &config)?;
    assert_eq!(code, Some(USAGE));
    assert!(stderr.contains("registry: ") && stderr.contains("cam-7") && stderr.contains("school-9"), "{stderr}");

    let places = "id,name,kind,division_code\nschool-1,,school,360102\ncanary-gate-360102,,village,360102\n";
    valid(folder.path())?;
    fs::write(folder.path().join("places.csv"), places)?;
    let (code, stderr) = run(folder.path(), CHECK, &[], &config)?;
    assert_eq!(code, Some(USAGE));
    assert!(stderr.contains("registry: canary-gate-360102: this id is kept for the canary"), "{stderr}");

    valid(folder.path())?;
    let rules = folder.path().join("rules.yaml");
    fs::write(&rules, "rules:\n  - {id: odd, when: immediate, kinds: [door.exploded], summary: {zh: a, en: a}}\n")?;
    let config = format!("{config}detect: {{rules: [{}]}}\n", rules.display());
    for args in [CHECK, &["detect"]] {
        let (code, stderr) = run(folder.path(), args, &[], &config)?;
        assert_eq!(code, Some(USAGE), "{stderr}");
        assert!(stderr.contains("detect.rules: ") && stderr.contains("rule odd: rules[0].kinds"), "{stderr}");
    }
    Ok(())
}

#[test]
fn a_port_that_is_taken_ends_a_role_before_it_begins() -> Result<()> {
    let folder = tempfile::tempdir()?;
    let taken = TcpListener::bind(("127.0.0.1", 0))?;
    let address = taken.local_addr()?.to_string();
    for (args, key, variable) in [
        (["detect"].as_slice(), "http.listen", "CHORUS_HTTP__LISTEN"),
        (&["center"], "center.listen", "CHORUS_CENTER__LISTEN"),
    ] {
        let (code, stderr) = run(folder.path(), args, &[(variable, &address)], &valid(folder.path())?)?;
        assert_eq!(code, Some(FAILED), "{stderr}");
        let said = format!("{key}: cannot listen on {address}");
        assert!(stderr.contains(&said) && stderr.contains("in use"), "{stderr}");
    }
    let (code, stderr) = run(folder.path(), &["demo", "--port", &taken.local_addr()?.port().to_string()], &[], "")?;
    assert_eq!(code, Some(FAILED), "{stderr}");
    assert!(stderr.contains(&format!("--port: cannot listen on {address}")), "{stderr}");
    Ok(())
}

#[test]
fn a_tool_says_that_the_broker_is_down_and_does_not_wait_for_it() -> Result<()> {
    let folder = tempfile::tempdir()?;
    let config = valid(folder.path())?;
    for args in [["topics", "apply"], ["rejects", "list"]] {
        let (code, stderr) = run(folder.path(), &args, &[], &config)?;
        assert_eq!(code, Some(FAILED), "{stderr}");
        let bootstrap = config.split('\'').nth(1).context("the address stands between the first quotes")?;
        assert!(stderr.contains(&format!("kafka does not answer at {bootstrap}")), "{stderr}");
    }
    Ok(())
}

#[test]
fn a_topic_that_is_missing_ends_a_role_with_what_to_do() -> Result<()> {
    let folder = tempfile::tempdir()?;
    let bootstrap = Broker::shared()?.bootstrap();
    let envs = [("CHORUS_KAFKA__BOOTSTRAP", bootstrap.as_str()), ("CHORUS_TOPICS__PREFIX", "nobody.")];
    let (code, stderr) = run(folder.path(), &["ingest", "--feed", "gate"], &envs, &valid(folder.path())?)?;
    assert_eq!(code, Some(FAILED), "{stderr}");
    let said = format!("topic nobody.raw.gate does not exist at {bootstrap}: run `chorus topics apply`");
    assert!(stderr.contains(&said), "{stderr}");
    Ok(())
}

#[test]
fn a_broker_that_is_down_costs_readiness_and_not_liveness_and_is_waited_for() -> Result<()> {
    let mut broker = Broker::start()?;
    let bootstrap = broker.bootstrap();
    let mut city = Deployment::new(&bootstrap, "", "http://127.0.0.1:9", RULES, None)?;
    broker.stop()?;

    city.launch("ingest-gate", "ingest-gate")?;
    city.launch("detect", "detect")?;
    for role in ["ingest-gate", "detect"] {
        away(&mut city, role, &bootstrap, 0)?;
    }
    broker.start_again()?;
    for role in ["ingest-gate", "detect"] {
        city.wait_ready(role)?;
    }
    let seen =
        ["ingest-gate", "detect"].map(|role| city.role(role).and_then(|role| Ok(role.stderr()?.lines().count())));
    broker.stop()?;
    for (role, seen) in ["ingest-gate", "detect"].into_iter().zip(seen) {
        away(&mut city, role, &bootstrap, seen?)?;
    }
    broker.start_again()?;
    for role in ["ingest-gate", "detect"] {
        city.wait_ready(role)?;
    }
    city.stop_all()
}

#[test]
fn a_role_that_waits_for_its_broker_ends_when_it_is_told_to() -> Result<()> {
    let folder = tempfile::tempdir()?;
    let mut role = Role::spawn(folder.path(), "detect", &["detect"], &[], Some(&valid(folder.path())?))?;
    wait_for("its endpoint", SHORT, || Ok(role.stderr()?.contains("serving /metrics").then_some(())))?;
    assert_eq!(role.terminate(SHORT)?.code(), Some(0), "{}", role.stderr()?);
    Ok(())
}

const RULES: &str = "rules:\n  - {id: panic, when: immediate, kinds: [panic.button], summary: {zh: a, en: a}}\n";

/// Waits until a role says, behind the first `seen` lines of its log, that its broker is away, with the address; not ready,
/// but alive.
fn away(city: &mut Deployment, role: &str, bootstrap: &str, seen: usize) -> Result<()> {
    let url = format!("http://127.0.0.1:{}", city.port(role)?);
    let process = city.role(role)?;
    let waited = wait_for(&format!("{role} to say that the broker is away"), Duration::from_secs(30), || {
        ensure!(process.exit_status()?.is_none(), "{role} ended");
        let log = process.stderr()?;
        let said = |line: &&str| line.contains("kafka does not answer, trying again") && line.contains(bootstrap);
        let ready = http_get(&format!("{url}/readyz")).map_or(0, |(status, _)| status);
        Ok((log.lines().skip(seen).any(|line| said(&line)) && ready == 503).then_some(()))
    });
    waited.with_context(|| process.stderr().unwrap_or_default())?;
    let (status, body) = http_get(&format!("{url}/healthz"))?;
    assert_eq!((status, body.as_str()), (200, "ok\n"), "{role} is alive without its broker");
    Ok(())
}
