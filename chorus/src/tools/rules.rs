//! `chorus rules check|test|publish|history|show`: rule files, the test cases beside them, and their way into force.

use std::path::{Path, PathBuf};
use std::time::Duration;

use chorus_model::{Timestamp, cloudevents};
use chorus_processors::detect::{File, Publication, RuleSet, run_tests};
use chorus_runtime::clock;
use chorus_runtime::registry::{Handle, Registry};
use chorus_runtime::tools::{Feeder, read_to_end};
use chorus_runtime::topics;

use crate::config::Config;
use crate::exit::Exit;
use crate::shipped;

/// How long the broker may take to acknowledge a publication.
const FLUSH: Duration = Duration::from_secs(30);

/// What is to be done.
#[derive(Clone, Debug, clap::Subcommand)]
pub enum Action {
    /// Reads and compiles every rule of these files and folders.
    Check {
        /// Rule files, or folders of them.
        #[arg(required = true)]
        paths: Vec<PathBuf>,
    },
    /// Runs the test cases (`*.test.yaml`) of a folder.
    Test {
        /// The folder.
        folder: PathBuf,
    },
    /// Puts these rules into force: in every partition of the log at one place, from where each detector works by them,
    /// whatever files it was started with.
    Publish {
        /// Rule files, or folders of them.
        #[arg(required = true)]
        paths: Vec<PathBuf>,
        /// Duties and calendars; without it `roster.yaml` in one of the folders, else the shipped roster.
        #[arg(long)]
        roster: Option<PathBuf>,
        /// The role or the desk that does it; it stays readable.
        #[arg(long)]
        by: String,
        /// Only says which version it would be.
        #[arg(long)]
        dry_run: bool,
    },
    /// Every publication: when, which version, by whom, how many files.
    History,
    /// The files of a publication, as they were published last under this version.
    Show {
        /// The version, as `history` shows it.
        version: String,
    },
}

/// Does it.
///
/// # Errors
/// A rule that cannot be used ([`Exit::Usage`], with file, rule, key and what is allowed), or a case that fails.
pub fn run(file: Option<&Path>, action: &Action) -> Result<(), Exit> {
    match action {
        Action::Publish { paths, roster, by, dry_run } => {
            let publication = publication(paths, roster.as_deref(), by)?;
            if *dry_run {
                println!("would publish {}", publication.version);
                return Ok(());
            }
            publish(&Config::load(file)?, &publication)
        }
        Action::History => {
            for told in published(&Config::load(file)?)? {
                println!("{}\t{}\t{}\t{} files", told.at, told.version, told.by, told.rules.len() + 1);
            }
            Ok(())
        }
        Action::Show { version } => {
            let found = published(&Config::load(file)?)?.into_iter().rev().find(|told| *told.version == **version);
            let Some(found) = found else {
                return Err(Exit::usage(format!("no version {version}: see `chorus rules history`")));
            };
            for file in found.rules.iter().chain([&found.roster]) {
                println!("# {}\n{}", file.name, file.text);
            }
            Ok(())
        }
        Action::Check { paths } => {
            let rules = RuleSet::load(paths).map_err(|error| Exit::usage(error.to_string()))?;
            println!("{} rules are valid", rules.rules().len());
            Ok(())
        }
        Action::Test { folder } => {
            let cases = run_tests(folder).map_err(|error| Exit::usage(error.to_string()))?;
            for case in &cases {
                match case.failures.as_slice() {
                    [] => println!("ok     {} {}", case.file, case.name),
                    failures => println!("FAILED {} {}: {}", case.file, case.name, failures.join("; ")),
                }
            }
            let failed = cases.iter().filter(|case| !case.failures.is_empty()).count();
            println!("{} cases, {failed} failed", cases.len());
            if failed == 0 { Ok(()) } else { Err(Exit::Failed(anyhow::anyhow!("{failed} cases failed"))) }
        }
    }
}

/// Reads and checks what is to be published.
fn publication(paths: &[PathBuf], roster: Option<&Path>, by: &str) -> Result<Publication, Exit> {
    let usage = |error: &dyn std::fmt::Display| Exit::usage(error.to_string());
    let rules = RuleSet::texts(paths).map_err(|error| usage(&error))?;
    let rules = rules.into_iter().map(|(name, text)| File { name, text }).collect();
    let roster = match shipped::roster_file(paths, roster) {
        Some(path) => {
            let text = std::fs::read_to_string(&path);
            File {
                text: text.map_err(|error| usage(&format!("{}: {error}", path.display())))?,
                name: path.display().to_string(),
            }
        }
        None => File { name: "roster.yaml".to_owned(), text: shipped::ROSTER.to_owned() },
    };
    Publication::new(rules, roster, by, clock::now(), Handle::fixed(Registry::default())).map_err(|error| usage(&error))
}

/// First into the history, then into every partition of the log. Done again after a failure, it changes nothing where it was
/// done before.
fn publish(config: &Config, publication: &Publication) -> Result<(), Exit> {
    let value = serde_json::to_vec(publication).map_err(anyhow::Error::from)?;
    let [history, events] = topics::look_up(&config.kafka, ["rules", "events"].map(|name| config.topics.name(name)))?;
    let time = publication.at.to_string();
    let headers = [
        (cloudevents::HEADER_TYPE, cloudevents::TYPE_RULES.as_bytes()),
        (cloudevents::HEADER_CONTENT_TYPE, cloudevents::CONTENT_TYPE.as_bytes()),
        (cloudevents::HEADER_ID, publication.version.as_bytes()),
        (cloudevents::HEADER_TIME, time.as_bytes()),
    ];
    let mut feeder = Feeder::connect(&config.kafka, "chorus-rules")?;
    let key = format!("{time}/{}", publication.version);
    feeder.send_to(&history, 0, Some(key.as_bytes()), &headers, &value)?;
    feeder.flush(FLUSH)?;
    for partition in 0..events.partitions {
        feeder.send_to(&events, partition, None, &headers, &value)?;
    }
    feeder.flush(FLUSH)?;
    println!("published {} into {} partitions of {}", publication.version, events.partitions, events.name);
    Ok(())
}

/// Every publication, the oldest first.
fn published(config: &Config) -> Result<Vec<Publication>, Exit> {
    let [history] = topics::look_up(&config.kafka, [config.topics.name("rules")])?;
    let mut found: Vec<Publication> = Vec::new();
    read_to_end(&config.kafka, &config.topics.tools_group(), &history, |record| {
        found.extend(serde_json::from_slice(&record.value).ok())
    })?;
    found.sort_by_key(|told: &Publication| -> Timestamp { told.at });
    Ok(found)
}
