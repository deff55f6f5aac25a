//! One Kafka node: its settings, its folder, its process.

use std::fmt::Write as _;
use std::fs::{self, OpenOptions};
use std::path::{Path, PathBuf};
use std::process::{Child, Command};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use anyhow::{Context, Result, bail};
use rdkafka::ClientConfig;
use rdkafka::consumer::{BaseConsumer, Consumer};

use super::data::DataFolder;
use super::kafka_folder;
use crate::child::{self, Signal};
use crate::port::{free_port, random};
use crate::wait::{tail, wait_for};

/// How long a node may take to answer; 3 s on an idle machine of two cores.
const START: Duration = Duration::from_secs(60);
/// How long an ordinary end may take. A node of a cluster first hands its partitions over.
const STOP: Duration = Duration::from_secs(30);

/// What the nodes of one cluster have in common.
#[derive(Debug)]
pub(super) struct Plan {
    libraries: PathBuf,
    cluster_id: String,
    /// Client port and controller port of each node.
    ports: Vec<(u16, u16)>,
    settings: Vec<(String, String)>,
    pace: Pace,
}

/// What the broker's JVM is tuned for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Pace {
    /// A short life: the first compiler only.
    Start,
    /// A benchmark: both compilers and a larger heap.
    Run,
}

impl Plan {
    pub(super) fn new(libraries: &Path, size: usize, settings: &[(&str, &str)], pace: Pace) -> Result<Plan> {
        let ports = (0..size).map(|_| Ok((free_port()?, free_port()?))).collect::<Result<_>>()?;
        let settings = settings.iter().map(|&(key, value)| (key.to_owned(), value.to_owned())).collect();
        Ok(Plan { libraries: libraries.to_owned(), cluster_id: cluster_id(), ports, settings, pace })
    }

    fn properties(&self, id: usize, data: &Path) -> Result<String> {
        let &(port, controller_port) = self.ports.get(id - 1).with_context(|| format!("no ports for node {id}"))?;
        let size = self.ports.len();
        let replicas = size.min(3);
        let in_sync = if replicas == 3 { 2 } else { 1 };
        let controllers = self.ports.iter().enumerate();
        let voters: Vec<_> = controllers.map(|(index, (_, port))| format!("{}@127.0.0.1:{port}", index + 1)).collect();
        // A node that was killed may come back when its old session is over. One node alone has nobody to fence it for a
        // slow answer but itself, so its session can be short.
        let session = if size == 1 { 3000 } else { 6000 };
        let mut text = format!(
            "process.roles=broker,controller\n\
             node.id={id}\n\
             listeners=PLAINTEXT://127.0.0.1:{port},CONTROLLER://127.0.0.1:{controller_port}\n\
             advertised.listeners=PLAINTEXT://127.0.0.1:{port}\n\
             controller.listener.names=CONTROLLER\n\
             inter.broker.listener.name=PLAINTEXT\n\
             controller.quorum.voters={voters}\n\
             log.dirs={data}\n\
             default.replication.factor={replicas}\n\
             min.insync.replicas={in_sync}\n\
             offsets.topic.replication.factor={replicas}\n\
             offsets.topic.num.partitions=4\n\
             transaction.state.log.replication.factor={replicas}\n\
             transaction.state.log.min.isr={in_sync}\n\
             transaction.state.log.num.partitions=4\n\
             share.coordinator.state.topic.replication.factor={replicas}\n\
             share.coordinator.state.topic.min.isr={in_sync}\n\
             group.initial.rebalance.delay.ms=0\n\
             auto.create.topics.enable=false\n\
             log.cleaner.dedupe.buffer.size=2097152\n\
             broker.session.timeout.ms={session}\n\
             broker.heartbeat.interval.ms=500\n",
            voters = voters.join(","),
            data = data.display(),
        );
        // Of a key given twice the last one counts.
        for (key, value) in &self.settings {
            writeln!(text, "{key}={value}")?;
        }
        Ok(text)
    }
}

/// Sixteen random bytes in URL-safe base64 without padding: 21 free characters, and one that ends on four zero bits.
fn cluster_id() -> String {
    const LETTERS: &[u8; 32] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdef";
    let random_letters = (0..21).map(|_| char::from(LETTERS[(random() % 32) as usize]));
    random_letters.chain(['A']).collect()
}

/// One node. Dropped, its process is killed and its folder removed.
#[derive(Debug)]
pub(super) struct Node {
    id: usize,
    port: u16,
    cluster_id: String,
    libraries: PathBuf,
    small: bool,
    pace: Pace,
    data: DataFolder,
    /// Behind a lock, so that the end of the process can kill the shared broker, which nobody owns.
    process: Mutex<Option<Child>>,
}

impl Node {
    /// Makes the folder and the settings of node `id`, from 1.
    pub(super) fn prepare(plan: &Plan, id: usize) -> Result<Node> {
        let data = DataFolder::create()?;
        fs::write(data.join("node.properties"), plan.properties(id, &data.join("log"))?)?;
        let (port, _) = plan.ports[id - 1];
        Ok(Node {
            id,
            port,
            cluster_id: plan.cluster_id.clone(),
            libraries: plan.libraries.clone(),
            small: plan.ports.len() > 1,
            pace: plan.pace,
            data,
            process: Mutex::new(None),
        })
    }

    pub(super) fn id(&self) -> usize {
        self.id
    }

    pub(super) fn bootstrap(&self) -> String {
        format!("127.0.0.1:{}", self.port)
    }

    pub(super) fn pid(&self) -> Option<u32> {
        self.process().as_ref().map(Child::id)
    }

    /// Makes the node's folder a member of the cluster.
    pub(super) fn format(&self) -> Result<()> {
        let mut java = self.java(&["-Xmx256m"]);
        java.args(["kafka.tools.StorageTool", "format", "-t", &self.cluster_id, "-c"]);
        java.arg(self.data.join("node.properties"));
        let output = java.output().context("cannot run java")?;
        if !output.status.success() {
            let said = [output.stdout, output.stderr].concat();
            bail!("formatting the folder of node {} failed:\n{}", self.id, String::from_utf8_lossy(&said));
        }
        Ok(())
    }

    /// Starts the process, without waiting for it to answer.
    pub(super) fn launch(&mut self) -> Result<()> {
        if self.pid().is_some() {
            bail!("node {} runs already", self.id);
        }
        let heap: &[&str] = match (self.pace, self.small) {
            (Pace::Start, true) => &["-Xms128m", "-Xmx384m"],
            (Pace::Start, false) => &["-Xms256m", "-Xmx512m"],
            (Pace::Run, _) => &["-Xms1g", "-Xmx1g"],
        };
        let mut java = self.java(heap);
        java.arg("-XX:+UseSerialGC").arg("kafka.Kafka").arg(self.data.join("node.properties"));
        let log = OpenOptions::new().create(true).append(true).open(self.log())?;
        java.stdout(log.try_clone()?).stderr(log).stdin(std::process::Stdio::null());
        *self.process() = Some(child::spawn(java)?);
        Ok(())
    }

    /// Waits until the node answers a metadata request and knows of at least `brokers` live brokers.
    pub(super) fn await_metadata(&self, brokers: usize) -> Result<()> {
        let mut config = ClientConfig::new();
        config.set("bootstrap.servers", self.bootstrap());
        // The default backs off to ten seconds while the port is still closed.
        config.set("reconnect.backoff.ms", "20").set("reconnect.backoff.max.ms", "50").set("log_level", "0");
        let client: BaseConsumer = config.create()?;
        let answer = wait_for("an answer to a metadata request", START, || {
            if let Some(status) = self.process().as_mut().and_then(|child| child.try_wait().transpose()) {
                bail!("the process ended: {}", status?);
            }
            // An error means "not yet": the port is closed, or the node has not joined its cluster.
            let metadata = client.fetch_metadata(None, Duration::from_secs(1)).ok();
            Ok(metadata.filter(|metadata| metadata.brokers().len() >= brokers))
        });
        let said = || format!("Kafka node {} did not start; its log ends:\n{}", self.id, tail(&self.log(), 40));
        answer.map(drop).with_context(said)
    }

    pub(super) fn stop(&mut self) -> Result<()> {
        let Some(mut process) = self.process().take() else { return Ok(()) };
        child::send(&process, Signal::Terminate)?;
        let ended = child::wait_exit(&mut process, STOP);
        if ended.is_err() {
            // Not left to run on: a test that failed here would then meet a second broker on the same folder.
            end(&mut process);
        }
        ended.map(drop).with_context(|| format!("node {} heeds no SIGTERM:\n{}", self.id, tail(&self.log(), 40)))
    }

    pub(super) fn kill(&self) {
        if let Some(mut process) = self.process().take() {
            end(&mut process);
        }
    }

    /// Kills the process and removes the folder: what `drop` does, for a node that nobody drops.
    pub(super) fn discard(&self) {
        self.kill();
        drop(fs::remove_dir_all(self.data.path()));
    }

    pub(super) fn pause(&self) -> Result<()> {
        self.signal(Signal::Stop)
    }

    pub(super) fn resume(&self) -> Result<()> {
        self.signal(Signal::Continue)
    }

    fn signal(&self, signal: Signal) -> Result<()> {
        let process = self.process();
        child::send(process.as_ref().with_context(|| format!("node {} does not run", self.id))?, signal)
    }

    fn log(&self) -> PathBuf {
        self.data.join("broker.log")
    }

    fn process(&self) -> MutexGuard<'_, Option<Child>> {
        self.process.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// A java command with the class path set; for tests the first compiler only, because their broker lives for seconds.
    fn java(&self, options: &[&str]) -> Command {
        let mut java = Command::new("java");
        java.args(options);
        if self.pace == Pace::Start {
            java.arg("-XX:TieredStopAtLevel=1");
        }
        java.arg(format!("-Dlog4j2.configurationFile={}", kafka_folder().join("log4j2.properties").display()));
        java.arg("-cp").arg(self.libraries.join("*"));
        java
    }
}

impl Drop for Node {
    fn drop(&mut self) {
        self.kill();
    }
}

/// SIGKILL and wait; a process that has ended by itself is just collected.
fn end(process: &mut Child) {
    drop(process.kill());
    drop(process.wait());
}
