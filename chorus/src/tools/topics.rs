//! `chorus topics plan|apply`: the topics that Chorus needs.

use chorus_ingest::feeds::FEEDS;
use chorus_runtime::topics::{self, Change, Plan};

use crate::config::Config;
use crate::exit::Exit;

/// Every topic for this configuration.
#[must_use]
pub fn plans(config: &Config) -> Vec<Plan> {
    config.topics.plan(FEEDS.iter().map(|feed| feed.name))
}

/// Prints what the topics should look like, without a broker.
pub fn plan(config: &Config) {
    for plan in plans(config) {
        let settings: Vec<String> = plan.settings.iter().map(|(key, value)| format!("{key}={value}")).collect();
        let fixed = if plan.may_grow { "" } else { " fixed" };
        println!("{} partitions={}{fixed} {}", plan.name, plan.partitions, settings.join(" "));
    }
}

/// Makes what is missing, or says what would be made.
///
/// # Errors
/// When the broker does not answer, or a topic of fixed size has another number of partitions.
pub fn apply(config: &Config, dry_run: bool, runtime: &tokio::runtime::Runtime) -> Result<(), Exit> {
    let plans = plans(config);
    let changes = runtime.block_on(topics::apply(&config.kafka, &plans, config.topics.replication, dry_run))?;
    let (created, grown) = if dry_run { ("would create", "would grow") } else { ("created", "grown") };
    let mut refused = Vec::new();
    for change in changes {
        match change {
            Change::Kept(topic) => println!("kept     {topic}"),
            Change::Created(topic) => println!("{created} {topic}"),
            Change::Grown(topic, from, to) => println!("{grown} {topic} from {from} to {to} partitions"),
            Change::Refused(topic, has, wanted) => refused.push(format!(
                "{topic} has {has} partitions, configured are {wanted}: its number is fixed once in use, since keys and \
                 origins belong to partitions"
            )),
        }
    }
    if refused.is_empty() { Ok(()) } else { Err(Exit::Failed(anyhow::anyhow!("{}", refused.join("\n")))) }
}
