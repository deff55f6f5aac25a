//! The command line: which sub-command does what.

use std::path::PathBuf;

use clap::{Parser, Subcommand};

use crate::config::Config;
use crate::exit::Exit;
use crate::process::Process;
use crate::{demo, roles, tools};

/// The event pipeline of a city's safety centre: feeds to one kind of event, detectors, one clear alert on the right desk.
#[derive(Debug, Parser)]
#[command(name = "chorus", version, about, max_term_width = 120)]
pub struct Cli {
    /// The configuration file of all roles.
    #[arg(long, global = true, env = "CHORUS_CONFIG", value_name = "FILE")]
    config: Option<PathBuf>,
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// The whole city in one process: embedded broker, simulated feeds, all roles, centre and page. Needs nothing.
    Demo(demo::Arguments),
    /// Role: raw records of one feed to events.
    Ingest {
        /// `school`, `hospital`, `gate`, `camera` or `grid`.
        #[arg(long)]
        feed: String,
    },
    /// Role: events to anomalies.
    Detect,
    /// Role: anomalies to alerts.
    Fuse,
    /// Role: alerts to one destination.
    Deliver {
        /// A name under `destinations` in the configuration.
        #[arg(long)]
        destination: String,
    },
    /// Role: the governance centre.
    Center,
    /// Role: a synthetic drill record per feed and county every minute, through the whole chain.
    Canary,
    /// The topics that Chorus needs.
    Topics {
        #[command(subcommand)]
        action: TopicsAction,
    },
    /// Payload files to canonical events, without Kafka.
    Normalize(tools::normalize::Arguments),
    /// Canonical events to alerts, through the code that the live roles run; what a change of rules would have done.
    Backtest(tools::backtest::Arguments),
    /// Runs a statistical detector over the rows of a CSV file.
    Score(tools::score::Arguments),
    /// Validates the configuration and everything that it names, without a broker.
    Check,
    /// Looks at a running set-up and says what is wrong with it, and what to do.
    Doctor,
    /// Validates rule files, runs the test cases beside them, puts them into force through the log.
    Rules {
        #[command(subcommand)]
        action: tools::rules::Action,
    },
    /// Looks at sealed rejects, and sends them again.
    Rejects {
        #[command(subcommand)]
        action: tools::rejects::Action,
    },
    /// Looks at alerts that a destination refused, and delivers them again.
    Parked {
        #[command(subcommand)]
        action: tools::parked::Action,
    },
    /// The JSON Schemas of event, anomaly, alert and configuration.
    Schema {
        /// Writes them into this folder.
        #[arg(long, value_name = "FOLDER")]
        write: Option<PathBuf>,
    },
    /// The simulated city as a source of raw records on a real Kafka.
    Simulate(demo::simulate::Arguments),
}

#[derive(Debug, Subcommand)]
enum TopicsAction {
    /// Prints what the topics should look like.
    Plan,
    /// Makes what is missing; changes nothing that is there but a growing number of partitions.
    Apply {
        /// Only says what would be done.
        #[arg(long)]
        dry_run: bool,
    },
}

/// Does what was asked for.
///
/// # Errors
/// A wrong call or configuration ([`Exit::Usage`]), or whatever ended the work.
pub fn run(cli: Cli) -> Result<(), Exit> {
    let file = cli.config.as_deref();
    match &cli.command {
        Command::Demo(arguments) => demo::run(arguments),
        Command::Normalize(arguments) => tools::normalize::run(arguments),
        Command::Backtest(arguments) => tools::backtest::run(file, arguments),
        Command::Score(arguments) => tools::score::run(arguments),
        Command::Check => tools::check::run(&Config::load(file)?),
        Command::Doctor => tools::doctor::run(&Config::load(file)?, &runtime()?),
        Command::Schema { write } => tools::schema::run(write.as_ref()),
        Command::Rules { action } => tools::rules::run(file, action),
        Command::Topics { action: TopicsAction::Plan } => {
            tools::topics::plan(&Config::load(file)?);
            Ok(())
        }
        Command::Topics { action: TopicsAction::Apply { dry_run } } => {
            tools::topics::apply(&Config::load(file)?, *dry_run, &runtime()?)
        }
        Command::Parked { action } => tools::parked::run(&Config::load(file)?, action, &runtime()?),
        Command::Rejects { action } => tools::rejects::run(&Config::load(file)?, action),
        Command::Simulate(arguments) => {
            // Before the configuration is read: it may name the very files that are to be written.
            chorus_runtime::log::init();
            if let Some(folder) = &arguments.write {
                return demo::simulate::write(arguments, folder);
            }
            demo::simulate::run(&Config::load(file)?, arguments, &runtime()?)
        }
        role => run_role(role, Config::load(file)?),
    }
}

fn run_role(role: &Command, config: Config) -> Result<(), Exit> {
    chorus_runtime::log::init();
    let runtime = runtime()?;
    let process = Process::new(config, runtime.handle().clone())?;
    match role {
        Command::Ingest { feed } => {
            let registry = roles::ingest::registry(&process.config)?;
            roles::run(&process, &runtime, |process| roles::ingest::start(process, feed, &registry))
        }
        Command::Detect => {
            let registry = roles::ingest::registry(&process.config)?;
            roles::run(&process, &runtime, |process| roles::detect::start(process, &registry))
        }
        Command::Fuse => {
            let registry = roles::ingest::registry(&process.config)?;
            roles::run(&process, &runtime, |process| roles::fuse::start(process, &registry))
        }
        Command::Deliver { destination } => {
            let registry = roles::ingest::registry(&process.config)?;
            roles::run(&process, &runtime, |process| roles::deliver::start(process, destination, &registry))
        }
        Command::Canary => {
            let registry = roles::ingest::registry(&process.config)?;
            roles::run(&process, &runtime, |process| roles::canary::start(process, &registry))
        }
        Command::Center => roles::center::run(&process, &runtime),
        _ => Err(Exit::usage("not a role")),
    }
}

/// Serves HTTP and drives deliveries; records go from Kafka to Kafka without it.
fn runtime() -> Result<tokio::runtime::Runtime, Exit> {
    Ok(tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build()?)
}
