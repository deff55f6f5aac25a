//! Throughput of ingest (by feed) and of detect (shipped rules), in events per second of processor time, each as a share of
//! a roofline measured in the same run: the bare cost of consuming, parsing and producing the same records.
//!
//! `cargo bench -p chorus-tests --bench throughput [-- RECORDS]`; docs/benchmarks.md says what the columns mean.

mod common;

use std::collections::BTreeMap;
use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, ensure};
use chorus::city::RawRecord;
use chorus_model::cloudevents;
use chorus_tests::child::cpu_time;
use chorus_tests::deployment::{Deployment, FEEDS};
use chorus_tests::kafka::Broker;
use chorus_tests::topics::Topics;
use chorus_tests::wait::wait_for;

use common::bare::{self, Offsets, Plain};
use common::load::{Source, plain};

/// Raw records of each feed in a round, unless the command line says otherwise; of all feeds together for detect.
const RECORDS: usize = 60_000;
/// Role and bare loops take turns, so that a neighbour's noise meets both.
const ROUNDS: usize = 3;
/// A share of the roofline below this is a miss.
const AIM: f64 = 0.5;
/// How long a role is watched doing nothing.
const IDLE: Duration = Duration::from_secs(3);
/// How long a role may take for a round.
const TOO_LONG: Duration = Duration::from_secs(120);

/// What was measured of one role on one input, over all rounds.
#[derive(Debug, Default)]
struct Measured {
    records: usize,
    written: usize,
    bytes: usize,
    bytes_written: usize,
    wall: Duration,
    role: Duration,
    consume: Duration,
    parse: Duration,
    produce: Duration,
}

/// A role that stands still while its input is written.
struct Bench<'a> {
    broker: &'a Broker,
    topics: Topics,
    city: Deployment,
}

/// Which role, what it reads and what it writes.
struct Job {
    role: String,
    group: String,
    from: String,
    to: String,
}

fn main() -> Result<()> {
    let wanted = std::env::args().skip(1).find_map(|argument| argument.parse().ok());
    let records: usize = wanted.unwrap_or(RECORDS);
    let broker = Broker::start_fast()?;
    println!("{records} raw records a round and feed, {ROUNDS} rounds; microseconds of processor time a record\n");
    let mut feeds = Source::new().by_feed(records);
    for (feed, records) in &feeds {
        println!("{feed:10} {}", formats(records));
    }
    heading();
    let mut bench = Bench::new(&broker, "feed.")?;
    for feed in FEEDS {
        let records: Vec<Plain> = feeds.remove(feed).unwrap_or_default().iter().map(plain).collect();
        line(&format!("ingest {feed}"), &bench.ingest(feed, &records)?);
    }
    drop(bench);
    let mut bench = Bench::new(&broker, "mix.")?;
    line("detect", &bench.detect(records)?);
    Ok(())
}

fn formats(records: &[RawRecord]) -> String {
    let mut counts: BTreeMap<&str, usize> = BTreeMap::new();
    records.iter().for_each(|record| *counts.entry(record.format).or_default() += 1);
    let share = |count: usize| 100.0 * count as f64 / records.len().max(1) as f64;
    let words: Vec<String> = counts.iter().map(|(format, count)| format!("{format} {:.0}%", share(*count))).collect();
    words.join(", ")
}

impl<'a> Bench<'a> {
    fn new(broker: &'a Broker, prefix: &str) -> Result<Bench<'a>> {
        let city = Deployment::of(&broker.bootstrap(), Source::new().plan(prefix)?)?;
        Ok(Bench { broker, topics: broker.topics()?, city })
    }

    fn ingest(&mut self, feed: &str, records: &[Plain]) -> Result<Measured> {
        let job = Job {
            role: format!("ingest-{feed}"),
            group: self.city.name(&format!("ingest.{feed}")),
            from: self.city.name(&format!("raw.{feed}")),
            to: self.city.name("events"),
        };
        self.city.start(&job.role)?;
        let mut measured = Measured::default();
        for _ in 0..ROUNDS {
            let bootstrap = self.broker.bootstrap();
            self.round(&job, &mut measured, |_| bare::produce(&bootstrap, &job.from, records).map(drop))?;
        }
        self.subtract_idle(&job, &mut measured)?;
        self.city.role(&job.role)?.kill9()?;
        Ok(measured)
    }

    /// Ingest writes the events, with their frontiers, while detect stands still.
    fn detect(&mut self, records: usize) -> Result<Measured> {
        let job = Job {
            role: "detect".to_owned(),
            group: self.city.name("detect"),
            from: self.city.name("events"),
            to: self.city.name("anomalies"),
        };
        for feed in FEEDS {
            self.city.start(&format!("ingest-{feed}"))?;
        }
        self.city.start(&job.role)?;
        let (mut measured, mut source) = (Measured::default(), Source::new());
        for _ in 0..ROUNDS {
            let said = source.mixed(records);
            self.round(&job, &mut measured, |bench| bench.make_events(&said))?;
        }
        self.subtract_idle(&job, &mut measured)?;
        self.city.role(&job.role)?.kill9()?;
        Ok(measured)
    }

    fn make_events(&self, said: &[RawRecord]) -> Result<()> {
        for feed in FEEDS {
            let records: Vec<Plain> = said.iter().filter(|record| record.feed == feed).map(plain).collect();
            bare::produce(&self.broker.bootstrap(), &self.city.name(&format!("raw.{feed}")), &records)?;
        }
        for feed in FEEDS {
            let raw = self.city.name(&format!("raw.{feed}"));
            self.await_commit(&self.city.name(&format!("ingest.{feed}")), &raw, &self.topics.end_offsets(&raw)?)?;
        }
        Ok(())
    }

    /// One round: the input is written while the role stands still, the role works it off, the bare loops do the same.
    fn round(&mut self, job: &Job, measured: &mut Measured, write: impl FnOnce(&Self) -> Result<()>) -> Result<()> {
        let starts = (self.topics.end_offsets(&job.from)?, self.topics.end_offsets(&job.to)?);
        self.city.role(&job.role)?.pause()?;
        write(self)?;
        let end = self.topics.end_offsets(&job.from)?;
        let pid = self.city.role(&job.role)?.pid();
        let (begun, before) = (Instant::now(), cpu_time(pid)?);
        self.city.role(&job.role)?.resume()?;
        self.await_commit(&job.group, &job.from, &end)?;
        measured.role += cpu_time(pid)? - before;
        measured.wall += begun.elapsed();
        self.bare(job, measured, &starts, &end)
    }

    fn bare(&self, job: &Job, measured: &mut Measured, starts: &(Offsets, Offsets), end: &Offsets) -> Result<()> {
        let bootstrap = self.broker.bootstrap();
        let (count, cost) = bare::consume(&bootstrap, &job.from, &starts.0, end, |_| {})?;
        measured.records += count;
        measured.consume += cost;
        let mut values = Vec::with_capacity(count);
        bare::consume(&bootstrap, &job.from, &starts.0, end, |message| values.push(Plain::of(message).value))?;
        measured.bytes += values.iter().map(Vec::len).sum::<usize>();
        measured.parse += bare::parse(values.iter().map(Vec::as_slice))?;
        let mut outputs = Vec::new();
        bare::consume(&bootstrap, &job.to, &starts.1, &self.topics.end_offsets(&job.to)?, |message| {
            outputs.push(Plain::of(message));
        })?;
        // Frontiers come by the clock, not by the record.
        outputs.retain(|output| output.headers.iter().any(|(name, _)| name == cloudevents::HEADER_ORIGIN));
        measured.written += outputs.len();
        measured.bytes_written += outputs.iter().map(|output| output.value.len()).sum::<usize>();
        let copy = format!("{}.copy", job.to);
        if self.topics.partitions(&copy)?.is_empty() {
            self.topics.create(&copy, i32::try_from(self.topics.partitions(&job.to)?.len())?, &[])?;
        }
        measured.produce += bare::produce(&bootstrap, &copy, &outputs)?;
        Ok(())
    }

    fn await_commit(&self, group: &str, topic: &str, end: &Offsets) -> Result<()> {
        wait_for(&format!("the commits of {group}"), TOO_LONG, || {
            let committed = self.topics.group_offsets(group, topic)?;
            let done = |(partition, end): (&i32, &i64)| *end == 0 || committed.get(partition).is_some_and(|c| c >= end);
            Ok(end.iter().all(done).then_some(()))
        })
    }

    /// What the role costs when there is nothing to do (heartbeats, frontiers, the endpoint) is not the records'.
    fn subtract_idle(&mut self, job: &Job, measured: &mut Measured) -> Result<()> {
        let pid = self.city.role(&job.role)?.pid();
        let (begun, before) = (Instant::now(), cpu_time(pid)?);
        thread::sleep(IDLE);
        let idle = (cpu_time(pid)? - before).as_secs_f64() / begun.elapsed().as_secs_f64();
        let idle = Duration::from_secs_f64(idle * measured.wall.as_secs_f64());
        ensure!(measured.records > 0, "{} read nothing", job.role);
        measured.role = measured.role.checked_sub(idle).context("the role worked less than it idles")?;
        Ok(())
    }
}

fn heading() {
    println!(
        "\n{:16} {:>8} {:>8} {:>6} {:>6} {:>7} {:>7} {:>7} {:>7} {:>10} {:>10} {:>6}",
        "role",
        "read",
        "written",
        "B in",
        "B out",
        "role",
        "consume",
        "parse",
        "produce",
        "per CPU-s",
        "roofline",
        "share"
    );
}

fn line(name: &str, measured: &Measured) {
    let records = measured.records.max(1) as f64;
    let micros = |cost: Duration| cost.as_secs_f64() * 1e6 / records;
    let bare = measured.consume + measured.parse + measured.produce;
    let share = bare.as_secs_f64() / measured.role.as_secs_f64();
    println!(
        "{name:16} {:8} {:8} {:6} {:6} {:7.2} {:7.2} {:7.2} {:7.2} {:10.0} {:10.0} {share:6.2}{}",
        measured.records,
        measured.written,
        measured.bytes / measured.records.max(1),
        measured.bytes_written / measured.written.max(1),
        micros(measured.role),
        micros(measured.consume),
        micros(measured.parse),
        micros(measured.produce),
        records / measured.role.as_secs_f64(),
        records / bare.as_secs_f64(),
        if share < AIM { "  miss" } else { "" },
    );
}
