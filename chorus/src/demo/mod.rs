//! `chorus demo`: the whole city in one process, with no set-up and no network.
//!
//! The broker is librdkafka's mock cluster: it keeps 5 MiB a partition in memory, has no transactions, no compaction and no
//! topic admin. Good enough to look at, and no proof of anything: that is what the tests on a real Kafka are for.

pub mod setup;
pub mod simulate;

use std::io::{IsTerminal as _, Write as _};
use std::time::Duration;

use chorus_model::Span;

use crate::exit::Exit;
use crate::process::{Process, Running};
use crate::roles;
use setup::Setup;

/// What can be asked of it.
#[derive(Clone, Debug, clap::Args)]
pub struct Arguments {
    /// The page, the API and `/metrics` of all roles, on the loopback interface.
    #[arg(long, default_value_t = 8080)]
    pub port: u16,
    /// Another seed is another city.
    #[arg(long, default_value_t = 1)]
    pub seed: u64,
    /// Ends by itself after this time and prints a summary (60s, 5m).
    #[arg(long = "for", value_name = "TIME")]
    pub lasts: Option<Span>,
    /// How many times faster than the clock the day's rhythm passes.
    #[arg(long, default_value_t = 1.0)]
    pub speed: f64,
}

/// How long the start may take on a busy machine.
const START: Duration = Duration::from_secs(60);

/// Runs the city until Ctrl-C, or for the time that was asked for.
///
/// # Errors
/// A port that is taken, or whatever ended a worker.
pub fn run(arguments: &Arguments) -> Result<(), Exit> {
    if !(arguments.speed.is_finite() && arguments.speed > 0.0) {
        return Err(Exit::usage("--speed: must be above 0"));
    }
    chorus_runtime::log::init_quiet();
    let progress = Progress::begin();
    progress.say("building the city and its broker");
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build()?;
    let listener = runtime.block_on(Process::listen("--port", &format!("127.0.0.1:{}", arguments.port)))?;
    let setup = Setup::make(arguments)?;
    let process = Process::new(setup.config.clone(), runtime.handle().clone())?;
    let center = process.config.center.clone().unwrap_or_default();
    let center = runtime.block_on(chorus_center::open(&center, std::sync::Arc::clone(&process.shared.metrics)))?;
    progress.say("starting the roles");
    let running = start_roles(&process, &setup)?;
    let city = City { process: &process, setup: &setup, arguments, progress: &progress };
    let result = runtime.block_on(async {
        let serving = process.serve(listener, center.router(), running);
        let keeping = center.run_background(process.shared.control.clone());
        let (served, (), ()) = tokio::join!(serving, keeping, city.play());
        served
    });
    if result.is_ok() {
        summary(&process);
    }
    Ok(result?)
}

fn start_roles(process: &Process, setup: &Setup) -> Result<Vec<Running>, Exit> {
    let own = [("city.yaml", crate::city::City::rules_yaml())];
    let rules = crate::shipped::rules_and(&own).map_err(anyhow::Error::from)?;
    let mut running = Vec::new();
    for feed in chorus_ingest::feeds::FEEDS {
        running.extend(roles::ingest::start(process, feed.name, &setup.registry)?);
    }
    running.extend(roles::detect::start_with(process, &setup.registry, rules, setup.roster()?)?);
    running.extend(roles::fuse::start(process, &setup.registry)?);
    running.extend(roles::deliver::start(process, setup::DESTINATION, &setup.registry)?);
    running.extend(roles::canary::start(process, &setup.registry)?);
    Ok(running)
}

struct City<'a> {
    process: &'a Process,
    setup: &'a Setup,
    arguments: &'a Arguments,
    progress: &'a Progress,
}

impl City<'_> {
    /// Waits for the roles, lets the devices speak, and asks for the end when the time is up.
    async fn play(&self) {
        let control = &self.process.shared.control;
        let mut tick = tokio::time::interval(Duration::from_millis(50));
        let begun = tokio::time::Instant::now();
        while !self.process.admin.is_ready() {
            if control.stopping() {
                return;
            }
            if begun.elapsed() > START {
                self.progress.say("the roles are not ready after a minute; see the log (CHORUS_LOG=info)");
                return control.stop();
            }
            tick.tick().await;
        }
        self.progress.end(&format!("city is up: http://127.0.0.1:{}/ (Ctrl-C ends it)", self.arguments.port));
        let devices = self.setup.devices(control.clone());
        let ends = self.arguments.lasts.map(|span| tokio::time::Instant::now() + span.to_std());
        while !control.stopping() {
            if ends.is_some_and(|at| tokio::time::Instant::now() >= at) {
                break;
            }
            tick.tick().await;
        }
        control.stop();
        match devices.map(std::thread::JoinHandle::join) {
            Ok(Ok(Ok(()))) => {}
            Ok(Ok(Err(error))) => eprintln!("the simulated devices ended early: {error:#}"),
            Ok(Err(_)) => eprintln!("the simulated devices panicked"),
            Err(error) => eprintln!("the simulated devices did not start: {error:#}"),
        }
    }
}

fn summary(process: &Process) {
    let (read, fates) = process.shared.metrics.balance();
    println!("\nrecords read {read}, fates {fates}");
    for (role, topic, fate, reason, count) in process.shared.metrics.fates() {
        if count > 0 {
            let reason = if reason.is_empty() { String::new() } else { format!(" ({reason})") };
            println!("  {role:<8} {topic:<14} {fate}{reason}: {count}");
        }
    }
    let delivered = process.shared.metrics.center_deliveries.with_label_values(&["stored"]).get();
    println!("alert revisions stored at the centre: {delivered}");
}

/// One line that changes on a terminal, and lines of their own elsewhere.
struct Progress {
    terminal: bool,
}

impl Progress {
    fn begin() -> Self {
        Self { terminal: std::io::stderr().is_terminal() }
    }

    fn say(&self, what: &str) {
        if self.terminal {
            eprint!("\r\x1b[K{what} …");
            drop(std::io::stderr().flush());
        } else {
            eprintln!("{what} …");
        }
    }

    fn end(&self, what: &str) {
        if self.terminal {
            eprint!("\r\x1b[K");
        }
        eprintln!("{what}");
    }
}
