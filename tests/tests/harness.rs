//! The harness itself: what it promises to every other test. `--nocapture` shows the times.

use std::fs;
use std::io::{BufRead, BufReader, Read};
use std::net::TcpStream;
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdout, Command, Stdio};
use std::time::{Duration, Instant};

use anyhow::{Context, Result, ensure};
use chorus_tests::child::{self, is_running};
use chorus_tests::client::NewRecord;
use chorus_tests::http::http_post;
use chorus_tests::http_get;
use chorus_tests::kafka::{Broker, Cluster};
use chorus_tests::process::{Role, free_port};
use chorus_tests::receiver::{Answer, Receiver};
use chorus_tests::wait::wait_for;
use rdkafka::ClientConfig;
use rdkafka::consumer::{BaseConsumer, Consumer};

const SHORT: Duration = Duration::from_secs(10);

/// Prints how long a step took, under `--nocapture`.
fn timed<T>(step: &str, act: impl FnOnce() -> Result<T>) -> Result<T> {
    let started = Instant::now();
    let result = act().with_context(|| step.to_owned());
    println!("{step}: {:.3} s", started.elapsed().as_secs_f64());
    result
}

/// The folder of a running broker, from its command line: `…/node.properties` is its last argument.
fn folder_of(pid: u32) -> Result<PathBuf> {
    let command = fs::read_to_string(format!("/proc/{pid}/cmdline"))?;
    let properties = command.split('\0').rfind(|argument| argument.ends_with("node.properties"));
    Ok(properties.and_then(|path| Path::new(path).parent()).context("no node.properties")?.to_owned())
}

fn pid_of(broker: &Broker) -> Result<u32> {
    broker.pid().context("the broker has a process")
}

#[test]
fn a_broker_gives_back_what_it_took_also_after_outages_and_leaves_nothing_behind() -> Result<()> {
    let mut broker = timed("start", Broker::start)?;
    let (client, topics) = (broker.client()?, broker.topics()?);
    timed("create topic", || topics.create("events", 3, &[("retention.ms", "-1")]))?;
    assert_eq!(topics.partitions("events")?, [0, 1, 2]);

    let headers: [(&str, &[u8]); 2] = [("origin", b"raw.gate/0/7"), ("bytes", &[0, 255])];
    let first = timed("first record, acknowledged", || {
        client.produce("events", Some(2), Some(b"place-1"), &headers, b"{\"n\":1}")
    })?;
    assert_eq!(first, (2, 0));
    timed("second record, acknowledged", || client.produce("events", Some(2), None, &[], b"two"))?;

    let records = timed("read all", || client.read_all("events"))?;
    assert_eq!(records.len(), 2);
    assert_eq!(records[0].key.as_deref(), Some(&b"place-1"[..]));
    assert_eq!(records[0].header("origin"), Some(&b"raw.gate/0/7"[..]));
    assert_eq!(records[0].header("bytes"), Some(&[0, 255][..]));
    assert_eq!(records[0].json()?["n"], 1);
    assert!(records[0].timestamp.is_some());
    assert_eq!((records[1].key.clone(), records[1].headers.clone()), (None, Vec::new()));

    timed("stop", || broker.stop())?;
    assert_eq!(broker.pid(), None);
    timed("start again", || broker.start_again())?;
    assert_eq!(timed("read all", || client.read_all("events"))?, records, "an ordinary stop keeps the data");

    timed("kill -9", || {
        broker.kill9();
        Ok(())
    })?;
    timed("start again", || broker.start_again())?;
    assert_eq!(timed("read all", || client.read_all("events"))?, records, "kill -9 keeps what was acknowledged");

    broker.pause()?;
    assert!(TcpStream::connect(broker.bootstrap()).is_ok(), "the kernel still accepts for a paused broker");
    let asker: BaseConsumer = ClientConfig::new().set("bootstrap.servers", broker.bootstrap()).create()?;
    assert!(asker.fetch_metadata(None, Duration::from_millis(500)).is_err(), "but nobody answers");
    broker.resume()?;
    timed("record after a pause", || client.produce("events", Some(2), None, &[], b"three"))?;
    assert_eq!(topics.end_offsets("events")?.into_iter().collect::<Vec<_>>(), [(0, 0), (1, 0), (2, 3)]);

    let pid = pid_of(&broker)?;
    let folder = folder_of(pid)?;
    assert!(is_running(pid) && folder.exists());
    timed("drop", || {
        drop(broker);
        Ok(())
    })?;
    assert!(!Path::new(&format!("/proc/{pid}")).exists(), "the process is gone and collected");
    assert!(!folder.exists(), "the data is gone");
    Ok(())
}

#[test]
fn topics_tell_offsets_and_reads_are_complete_and_ordered() -> Result<()> {
    let broker = Broker::shared()?;
    let (client, topics) = (broker.client()?, broker.topics()?);
    topics.create("many", 4, &[])?;
    let wanted: Vec<NewRecord> = (0..10_000_u32)
        .map(|n| NewRecord {
            key: Some((n % 97).to_be_bytes().to_vec()),
            value: Some(n.to_be_bytes().to_vec()),
            timestamp: Some(1_700_000_000_000 + i64::from(n)),
            ..NewRecord::default()
        })
        .collect();
    let places = timed("write 10,000 records", || client.produce_all("many", &wanted))?;
    let records = timed("read 10,000 records", || client.read_all("many"))?;
    assert_eq!(records.len(), wanted.len());
    assert!(records.is_sorted_by_key(|record| (record.partition, record.offset)));
    for (new, place) in wanted.iter().zip(&places) {
        let found = records.binary_search_by_key(place, |record| (record.partition, record.offset));
        let record = &records[found.ok().context("a place that was acknowledged")?];
        assert_eq!((&record.key, &record.value, record.timestamp), (&new.key, &new.value, new.timestamp));
    }
    assert_eq!(topics.end_offsets("many")?.values().sum::<i64>(), 10_000);
    assert!(topics.group_offsets("nobody", "many")?.is_empty(), "a group that committed nothing has no offsets");
    assert_eq!(timed("await 10,000", || client.await_count("many", 10_000, SHORT))?.len(), 10_000);
    let missing = client.await_count("many", 10_001, Duration::from_millis(500)).map_err(|error| format!("{error:#}"));
    assert!(missing.as_ref().is_err_and(|why| why.contains("10000 came")), "{missing:?}");

    client.produce_all(
        "many",
        &[NewRecord { partition: Some(1), key: Some(b"gone".to_vec()), ..NewRecord::default() }],
    )?;
    let tombstone =
        client.await_records("many", SHORT, |records| records.iter().any(|record| record.value.is_none()))?;
    assert_eq!(tombstone.len(), 10_001);

    assert!(topics.names()?.contains(&"many".to_owned()));
    topics.delete("many")?;
    assert!(topics.partitions("many")?.is_empty());
    assert!(client.read_all("many").is_err(), "a topic that is not there is an error, not an empty one");
    Ok(())
}

/// Not a test: another process of this binary runs it, and is killed or let go.
#[test]
#[ignore = "the other half of the two tests below"]
fn holder_of_a_shared_broker() -> Result<()> {
    println!("pid={}", pid_of(Broker::shared()?)?);
    // Holds on until the parent closes the pipe.
    std::io::stdin().lines().for_each(drop);
    Ok(())
}

/// A process with a shared broker of its own, and what is known of that broker.
struct Holder {
    process: Child,
    /// Kept open: libtest fails when it cannot print its summary.
    stdout: BufReader<ChildStdout>,
    broker: u32,
    folder: PathBuf,
}

fn holder() -> Result<Holder> {
    let mut command = Command::new(std::env::current_exe()?);
    command.args(["--ignored", "--exact", "holder_of_a_shared_broker", "--nocapture"]);
    command.stdin(Stdio::piped()).stdout(Stdio::piped());
    let mut process = child::spawn(command)?;
    let mut stdout = BufReader::new(process.stdout.take().context("stdout is piped")?);
    // libtest prints the name of a test before it runs, without an end of line.
    let mut said = stdout.by_ref().lines().map_while(Result::ok);
    let pid = said.find_map(|line| Some(line.split_once("pid=")?.1.to_owned()));
    let broker = pid.context("the holder printed no pid")?.parse()?;
    ensure!(is_running(broker), "the broker runs");
    Ok(Holder { process, stdout, broker, folder: folder_of(broker)? })
}

#[test]
fn a_test_run_killed_with_9_leaves_no_broker_running() -> Result<()> {
    let mut holder = holder()?;
    holder.process.kill()?;
    holder.process.wait()?;
    timed("end of the broker after kill -9 of its test", || {
        wait_for("the end of the broker", SHORT, || Ok((!is_running(holder.broker)).then_some(())))
    })?;
    // Otherwise it stays until a start that is more than a minute later sweeps it.
    Ok(fs::remove_dir_all(holder.folder)?)
}

#[test]
fn the_shared_broker_and_its_folder_end_with_the_process() -> Result<()> {
    let mut holder = holder()?;
    drop(holder.process.stdin.take());
    holder.stdout.read_to_end(&mut Vec::new())?;
    ensure!(holder.process.wait()?.success(), "the holder ends well");
    assert!(!is_running(holder.broker));
    assert!(!holder.folder.exists());
    Ok(())
}

#[test]
fn a_cluster_of_three_keeps_acknowledged_records_when_a_leader_is_killed() -> Result<()> {
    let mut cluster = timed("start of three nodes", || Cluster::start(3))?;
    let (client, topics) = (cluster.client()?, cluster.topics()?);
    topics.create("events", 1, &[])?;
    client.produce("events", Some(0), None, &[], b"before")?;
    let leader = topics.leaders("events")?.get(&0).copied().context("partition 0")?;
    cluster.kill9(usize::try_from(leader)?)?;
    timed("record after kill -9 of the leader", || client.produce("events", Some(0), None, &[], b"after"))?;
    timed("start of the killed node", || cluster.start_again(usize::try_from(leader)?))?;
    let values: Vec<_> = client.read_all("events")?.into_iter().filter_map(|record| record.value).collect();
    assert_eq!(values, [b"before".to_vec(), b"after".to_vec()]);
    Ok(())
}

#[test]
fn a_receiver_keeps_every_request_and_answers_by_queue_then_script() -> Result<()> {
    let mut receiver = Receiver::start()?;
    receiver.queue([Answer::status(503).header("retry-after", "1"), Answer::status(429)]);
    receiver.answer_with(|request| Answer::status(202).body(format!("number {}", request.arrival)));
    let url = receiver.url("/hook?a=b");
    let mut answers = Vec::new();
    for n in 0..3 {
        answers.push(http_post(&url, "application/json", format!("{{\"n\":{n}}}"))?);
    }
    assert_eq!(answers.iter().map(|(status, _)| *status).collect::<Vec<_>>(), [503, 429, 202]);
    assert_eq!(answers[2].1, "number 2");
    let requests = receiver.await_until(SHORT, |requests| requests.len() == 3)?;
    for (n, request) in requests.iter().enumerate() {
        assert_eq!((request.arrival, request.method.as_str(), request.path.as_str()), (n, "POST", "/hook?a=b"));
        assert_eq!(request.header("content-type"), Some("application/json"));
        assert_eq!(request.json()?["n"], n);
    }
    assert!(receiver.await_until(Duration::from_millis(50), |requests| requests.len() > 3).is_err());

    let port = receiver.port();
    receiver.stop();
    assert!(http_get(&url).is_err(), "a stopped receiver refuses");
    let again = Receiver::start_on(port)?;
    assert_eq!(http_get(&url)?.0, 200);
    assert_eq!(again.requests().len(), 1);
    Ok(())
}

fn shell(script: &str) -> Command {
    let mut command = Command::new("sh");
    command.args(["-c", script]);
    command
}

#[test]
fn a_role_is_ready_when_it_says_so_and_ends_as_it_is_told() -> Result<()> {
    let folder = tempfile::tempdir()?;
    let receiver = Receiver::start()?;
    receiver.queue([Answer::status(503), Answer::status(503)]);
    let mut role = Role::run(shell("trap 'exit 7' TERM; while :; do sleep 0.01; done"), folder.path(), "gentle")?;
    role.wait_ready(receiver.port())?;
    assert_eq!(receiver.requests().len(), 3, "ready at the first 200, not before");
    assert_eq!(role.terminate(SHORT)?.code(), Some(7));
    assert_eq!(role.terminate(SHORT)?.code(), Some(7), "the end of a role is remembered");

    let mut stubborn =
        Role::run(shell("trap '' TERM; echo up; while :; do sleep 0.01; done"), folder.path(), "stubborn")?;
    wait_for("its first line", SHORT, || Ok((stubborn.stdout()? == "up\n").then_some(())))?;
    assert!(stubborn.terminate(Duration::from_millis(100)).is_err(), "it ignores SIGTERM");
    let pid = stubborn.pid();
    stubborn.kill9()?;
    assert!(!is_running(pid));

    let mut broken = Role::run(shell("echo the reason >&2; exit 64"), folder.path(), "broken")?;
    let error = broken.wait_ready(free_port()?).map_err(|error| format!("{error:#}"));
    assert!(error.as_ref().is_err_and(|why| why.contains("the reason") && why.contains("64")), "{error:?}");
    Ok(())
}

#[test]
fn the_binary_under_test_is_found_and_its_configuration_is_written_beside_its_output() -> Result<()> {
    let folder = tempfile::tempdir()?;
    let mut role = Role::spawn(folder.path(), "help", &["--help"], &[], Some("kafka: {bootstrap: 'a:1'}\n"))?;
    assert_eq!(role.wait_exit(SHORT)?.code(), Some(0));
    assert_eq!(fs::read_to_string(folder.path().join("help.yaml"))?, "kafka: {bootstrap: 'a:1'}\n");
    Ok(())
}
