//! A real Apache Kafka for a test: one node ([`Broker`]) or several ([`Cluster`]).
//!
//! The jars come from Maven Central once (`tests/kafka/fetch.sh`) and stay in the workspace's `.tools/kafka-libs`.

mod data;
mod node;

use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::OnceLock;

use anyhow::{Context, Result, anyhow, bail};

use crate::child::at_exit;
use crate::client::Client;
use crate::topics::Topics;
use node::{Node, Pace, Plan};

/// A single broker on ports and in a folder of its own. Dropped, it is killed and its data is gone.
///
/// What disturbs the broker takes `&mut self`: the shared one cannot be stopped under another test's feet.
#[derive(Debug)]
pub struct Broker {
    node: Node,
}

static SHARED: OnceLock<Result<Broker, String>> = OnceLock::new();

extern "C" fn end_shared() {
    if let Some(Ok(broker)) = SHARED.get() {
        broker.node.discard();
    }
}

impl Broker {
    /// Starts a broker and waits until it answers a metadata request.
    pub fn start() -> Result<Broker> {
        Broker::start_with(&[])
    }

    /// As [`Broker::start`], with broker settings over those of the harness.
    pub fn start_with(settings: &[(&str, &str)]) -> Result<Broker> {
        let mut nodes = start_nodes(1, settings, Pace::Start)?;
        Ok(Broker { node: nodes.pop().context("one node was asked for")? })
    }

    /// As [`Broker::start`], with a JVM that compiles for speed: for benchmarks.
    pub fn start_fast() -> Result<Broker> {
        let mut nodes = start_nodes(1, &[], Pace::Run)?;
        Ok(Broker { node: nodes.pop().context("one node was asked for")? })
    }

    /// The broker that all tests of this process share; the first caller starts it, the end of the process ends it.
    /// Tests that use it choose topic names of their own.
    pub fn shared() -> Result<&'static Broker> {
        let shared = SHARED.get_or_init(|| {
            let started = at_exit(end_shared).and_then(|()| Broker::start());
            started.map_err(|error| format!("{error:#}"))
        });
        shared.as_ref().map_err(|error| anyhow!("the shared broker did not start: {error}"))
    }

    /// What goes into `bootstrap.servers`.
    pub fn bootstrap(&self) -> String {
        self.node.bootstrap()
    }

    /// The process id of the broker, while it runs.
    pub fn pid(&self) -> Option<u32> {
        self.node.pid()
    }

    /// A client that writes and reads.
    pub fn client(&self) -> Result<Client> {
        Client::new(&self.bootstrap())
    }

    /// Topics and offsets.
    pub fn topics(&self) -> Result<Topics> {
        Topics::new(&self.bootstrap())
    }

    /// Ends the broker in the ordinary way (SIGTERM) and waits for it. The data stays.
    pub fn stop(&mut self) -> Result<()> {
        self.node.stop()
    }

    /// Ends the broker as a power cut would (SIGKILL). The data stays.
    pub fn kill9(&mut self) {
        self.node.kill();
    }

    /// Starts a stopped or killed broker on the same ports and data, and waits until it answers.
    pub fn start_again(&mut self) -> Result<()> {
        self.node.launch()?;
        self.node.await_metadata(1)
    }

    /// Freezes the broker (SIGSTOP): its port still accepts connections, nothing is answered.
    pub fn pause(&mut self) -> Result<()> {
        self.node.pause()
    }

    /// Ends [`Broker::pause`].
    pub fn resume(&mut self) -> Result<()> {
        self.node.resume()
    }
}

/// Several nodes, each broker and controller, with everything replicated to three of them.
#[derive(Debug)]
pub struct Cluster {
    nodes: Vec<Node>,
}

impl Cluster {
    /// Starts `size` nodes and waits until each knows of all.
    pub fn start(size: usize) -> Result<Cluster> {
        Ok(Cluster { nodes: start_nodes(size, &[], Pace::Start)? })
    }

    /// What goes into `bootstrap.servers`: all nodes.
    pub fn bootstrap(&self) -> String {
        self.nodes.iter().map(Node::bootstrap).collect::<Vec<_>>().join(",")
    }

    /// The process id of node `id` (1 is the first; the id that metadata shows), while it runs.
    pub fn pid(&self, id: usize) -> Option<u32> {
        self.nodes.iter().find(|node| node.id() == id)?.pid()
    }

    /// A client that writes and reads.
    pub fn client(&self) -> Result<Client> {
        Client::new(&self.bootstrap())
    }

    /// Topics and offsets.
    pub fn topics(&self) -> Result<Topics> {
        Topics::new(&self.bootstrap())
    }

    /// Ends node `id` in the ordinary way.
    pub fn stop(&mut self, id: usize) -> Result<()> {
        self.node(id)?.stop()
    }

    /// Ends node `id` as a power cut would.
    pub fn kill9(&mut self, id: usize) -> Result<()> {
        self.node(id)?.kill();
        Ok(())
    }

    /// Starts node `id` again on its ports and data, and waits until it knows all nodes that run.
    pub fn start_again(&mut self, id: usize) -> Result<()> {
        self.node(id)?.launch()?;
        let running = self.nodes.iter().filter(|node| node.pid().is_some()).count();
        self.node(id)?.await_metadata(running)
    }

    /// Freezes node `id`.
    pub fn pause(&mut self, id: usize) -> Result<()> {
        self.node(id)?.pause()
    }

    /// Ends [`Cluster::pause`].
    pub fn resume(&mut self, id: usize) -> Result<()> {
        self.node(id)?.resume()
    }

    fn node(&mut self, id: usize) -> Result<&mut Node> {
        self.nodes.iter_mut().find(|node| node.id() == id).with_context(|| format!("the cluster has no node {id}"))
    }
}

/// Where the harness's Kafka files are; the tests run from the checkout that they were built in.
fn kafka_folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("kafka")
}

/// The folder of jars, filled first when it is empty or stale.
fn libraries() -> Result<PathBuf> {
    let script = kafka_folder().join("fetch.sh");
    let output = Command::new(&script).output().with_context(|| format!("cannot run {}", script.display()))?;
    if !output.status.success() {
        bail!("{} failed: {}", script.display(), String::from_utf8_lossy(&output.stderr).trim());
    }
    Ok(PathBuf::from(String::from_utf8(output.stdout)?.trim()))
}

/// Starts `size` nodes of one cluster. Another process may take a port between our asking for it and the broker's
/// binding it; then the whole start is done again on other ports.
fn start_nodes(size: usize, settings: &[(&str, &str)], pace: Pace) -> Result<Vec<Node>> {
    let libraries = libraries()?;
    let mut attempts = 3;
    loop {
        attempts -= 1;
        match try_start(&libraries, size, settings, pace) {
            Err(error) if attempts > 0 && format!("{error:#}").contains("Address already in use") => {}
            result => return result,
        }
    }
}

fn try_start(libraries: &Path, size: usize, settings: &[(&str, &str)], pace: Pace) -> Result<Vec<Node>> {
    let plan = Plan::new(libraries, size, settings, pace)?;
    let mut nodes = (1..=size).map(|id| Node::prepare(&plan, id)).collect::<Result<Vec<_>>>()?;
    // All before any answer is awaited: one node of three has no quorum.
    for node in &mut nodes {
        node.format()?;
    }
    for node in &mut nodes {
        node.launch()?;
    }
    for node in &nodes {
        node.await_metadata(size)?;
    }
    Ok(nodes)
}
