//! The embedded broker: librdkafka's mock cluster. Good enough for a demonstration, and said so: it keeps 5 MiB a partition,
//! knows no compaction and proves no guarantee.

use rdkafka::mocking::MockCluster;
use rdkafka::producer::DefaultProducerContext;

/// A broker in this process, gone when dropped.
pub struct Embedded {
    cluster: MockCluster<'static, DefaultProducerContext>,
}

impl std::fmt::Debug for Embedded {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Embedded").field("bootstrap", &self.bootstrap()).finish()
    }
}

impl Embedded {
    /// Starts it with these topics and numbers of partitions.
    ///
    /// # Errors
    /// When no port can be bound, or a topic is refused.
    pub fn start<'a>(topics: impl Iterator<Item = (&'a str, i32)>) -> anyhow::Result<Self> {
        let cluster = MockCluster::new(1)?;
        for (topic, partitions) in topics {
            cluster.create_topic(topic, partitions, 1)?;
        }
        Ok(Self { cluster })
    }

    /// Where it listens.
    #[must_use]
    pub fn bootstrap(&self) -> String {
        self.cluster.bootstrap_servers()
    }
}
