//! A bare copy chain of as many hops as Chorus has: raw, events, anomalies, alerts, and an HTTP request. Threads that consume
//! and produce, with Chorus's own client settings and nothing else.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::{self, JoinHandle};
use std::time::Duration;

use anyhow::{Result, anyhow};
use chorus_tests::kafka::Broker;
use rdkafka::consumer::{BaseConsumer, Consumer};
use rdkafka::{Offset, TopicPartitionList};

use super::bare::{self, Plain};

/// The topics of the chain with as many partitions as Chorus's have.
const TOPICS: [(&str, i32); 4] = [("bare.raw", 6), ("bare.events", 12), ("bare.anomalies", 4), ("bare.alerts", 4)];

/// A running chain.
pub(crate) struct Chain {
    stop: Arc<AtomicBool>,
    threads: Vec<JoinHandle<Result<()>>>,
}

impl Chain {
    /// Makes the topics and starts the threads. Behind the second topic only what `passes` goes on, as behind detect.
    pub(crate) fn start(broker: &Broker, url: &str, passes: fn(&Plain) -> bool) -> Result<Chain> {
        let topics = broker.topics()?;
        for (name, partitions) in TOPICS {
            topics.create(name, partitions, &[("message.timestamp.type", "LogAppendTime")])?;
        }
        let stop = Arc::new(AtomicBool::new(false));
        let mut threads = Vec::new();
        for step in 0..TOPICS.len() - 1 {
            let passes = if step == 1 { passes } else { |_: &Plain| true };
            let (bootstrap, stop) = (broker.bootstrap(), Arc::clone(&stop));
            threads.push(thread::spawn(move || copy(&bootstrap, TOPICS[step], TOPICS[step + 1].0, passes, &stop)));
        }
        let (bootstrap, stopping, url) = (broker.bootstrap(), Arc::clone(&stop), url.to_owned());
        threads.push(thread::spawn(move || post(&bootstrap, TOPICS[3], &url, &stopping)));
        Ok(Chain { stop, threads })
    }

    /// Where it begins.
    pub(crate) fn first(&self) -> &'static str {
        TOPICS[0].0
    }

    /// Ends every thread.
    pub(crate) fn stop(self) -> Result<()> {
        self.stop.store(true, Ordering::SeqCst);
        for thread in self.threads {
            thread.join().map_err(|_| anyhow!("a thread of the bare chain panicked"))??;
        }
        Ok(())
    }
}

fn reader(bootstrap: &str, (topic, partitions): (&str, i32)) -> Result<BaseConsumer> {
    let consumer = bare::consumer(bootstrap)?;
    let mut list = TopicPartitionList::new();
    for partition in 0..partitions {
        list.add_partition_offset(topic, partition, Offset::Offset(0))?;
    }
    consumer.assign(&list)?;
    Ok(consumer)
}

fn copy(bootstrap: &str, from: (&str, i32), to: &str, passes: fn(&Plain) -> bool, stop: &AtomicBool) -> Result<()> {
    let consumer = reader(bootstrap, from)?;
    let producer = bare::producer(bootstrap)?;
    while !stop.load(Ordering::SeqCst) {
        // A record ends the wait at once.
        if let Some(message) = consumer.poll(Duration::from_millis(20)) {
            let record = Plain { partition: None, ..Plain::of(&message?) };
            if passes(&record) {
                bare::send(&producer, to, &record)?;
            }
        }
        producer.poll(Duration::ZERO);
    }
    bare::drain(&producer)
}

fn post(bootstrap: &str, from: (&str, i32), url: &str, stop: &AtomicBool) -> Result<()> {
    let consumer = reader(bootstrap, from)?;
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build()?;
    let client = reqwest::Client::builder().no_proxy().build()?;
    while !stop.load(Ordering::SeqCst) {
        let Some(message) = consumer.poll(Duration::from_millis(20)) else { continue };
        let record = Plain::of(&message?);
        let request = client.post(url).header("key", record.key).body(record.value);
        // A request that fails is an alert that does not arrive, which the benchmark reports.
        runtime.spawn(async move { drop(request.send().await) });
    }
    Ok(())
}
