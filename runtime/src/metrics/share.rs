//! Gauges that the workers of a process share: each says its own part, and takes it back when it ends.

use prometheus::{IntGauge, IntGaugeVec};

use super::Metrics;
use crate::task::Size;

/// One worker's part of a gauge.
#[derive(Debug)]
struct Share {
    gauge: IntGauge,
    said: i64,
}

impl Share {
    const fn new(gauge: IntGauge) -> Self {
        Self { gauge, said: 0 }
    }

    fn say(&mut self, count: usize) {
        let count = i64::try_from(count).unwrap_or(i64::MAX);
        self.gauge.add(count - self.said);
        self.said = count;
    }
}

impl Drop for Share {
    fn drop(&mut self) {
        self.gauge.sub(self.said);
    }
}

/// What one worker holds of the partitions of its role, and what it remembers of them.
#[derive(Debug)]
pub(crate) struct Holding {
    partitions: Share,
    keys: Option<Share>,
    /// Heard and silent, once a task has some: other roles have no such series.
    devices: Option<[Share; 2]>,
    of_devices: IntGaugeVec,
}

impl Holding {
    /// Nothing yet. `remembers` when the role keeps state: others have no series of it.
    pub(crate) fn new(metrics: &Metrics, role: &str, topic: &str, remembers: bool) -> Self {
        Self {
            partitions: Share::new(metrics.assigned.with_label_values(&[role, topic])),
            keys: remembers.then(|| Share::new(metrics.state_keys.with_label_values(&[role]))),
            devices: None,
            of_devices: metrics.devices.clone(),
        }
    }

    pub(crate) fn say_partitions(&mut self, count: usize) {
        self.partitions.say(count);
    }

    pub(crate) fn say_size(&mut self, size: Size) {
        if let Some(keys) = &mut self.keys {
            keys.say(size.keys);
        }
        if let Some((heard, silent)) = size.devices {
            let begin = || ["heard", "silent"].map(|health| Share::new(self.of_devices.with_label_values(&[health])));
            let [of_heard, of_silent] = self.devices.get_or_insert_with(begin);
            of_heard.say(heard);
            of_silent.say(silent);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn workers_of_a_process_are_counted_together_and_one_that_ends_takes_its_part_back() {
        let metrics = Metrics::new().unwrap();
        let says = |line: &str| metrics.render().unwrap().lines().any(|known| known == line);
        let mut one = Holding::new(&metrics, "detect", "events", true);
        let mut other = Holding::new(&metrics, "detect", "events", true);
        let say = |holding: &mut Holding, partitions| {
            holding.say_partitions(partitions);
            holding.say_size(Size { keys: 10 * partitions, devices: Some((partitions, 1)) });
        };
        say(&mut one, 3);
        say(&mut other, 2);
        say(&mut one, 4);
        assert!(says(r#"chorus_partitions_assigned{role="detect",topic="events"} 6"#));
        assert!(says(r#"chorus_state_keys{role="detect"} 60"#));
        assert!(says(r#"chorus_devices{health="heard"} 6"#) && says(r#"chorus_devices{health="silent"} 2"#));
        drop(one);
        assert!(says(r#"chorus_partitions_assigned{role="detect",topic="events"} 2"#));
        assert!(says(r#"chorus_state_keys{role="detect"} 20"#));
        other.say_partitions(0);
        assert!(says(r#"chorus_partitions_assigned{role="detect",topic="events"} 0"#));
    }
}
