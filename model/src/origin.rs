//! Origins: from which input record an output record was made (law 3 of the design).

use std::fmt;
use std::str::FromStr;
use std::sync::Arc;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// The input record that an output record was made from, and which of its outputs this one is.
///
/// As text (a Kafka header): `topic/partition/offset/index`.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
pub struct Origin {
    /// The input topic.
    pub topic: Arc<str>,
    /// The input partition.
    pub partition: i32,
    /// The input offset.
    pub offset: i64,
    /// The place of this output among the outputs of that record, from 0.
    pub index: u32,
}

/// A text that is no origin.
#[derive(Debug, thiserror::Error)]
#[error("not an origin: expected topic/partition/offset/index")]
pub struct OriginError;

impl fmt::Display for Origin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}/{}/{}", self.topic, self.partition, self.offset, self.index)
    }
}

/// The four parts of an origin's text, borrowed.
///
/// # Errors
/// When the text does not have the form `topic/partition/offset/index`.
pub fn parse(text: &str) -> Result<(&str, i32, i64, u32), OriginError> {
    let mut parts = text.rsplitn(4, '/');
    let mut next = || parts.next().ok_or(OriginError);
    let index = next()?.parse().map_err(|_| OriginError)?;
    let offset = next()?.parse().map_err(|_| OriginError)?;
    let partition = next()?.parse().map_err(|_| OriginError)?;
    let topic = next()?;
    if topic.is_empty() { Err(OriginError) } else { Ok((topic, partition, offset, index)) }
}

impl FromStr for Origin {
    type Err = OriginError;

    fn from_str(text: &str) -> Result<Self, OriginError> {
        let (topic, partition, offset, index) = parse(text)?;
        Ok(Self { topic: topic.into(), partition, offset, index })
    }
}

/// Remembers the highest origin seen per input partition and so recognises every repeat.
///
/// This is exact because, within one output partition, the origins of one input partition only grow: one instance at a time
/// reads an input partition in order, and writes it with an idempotent producer that leaves no gap. Whatever a restarted or
/// a replaced instance writes again is at or below the highest seen.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct OriginFilter {
    highest: Vec<Highest>,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
struct Highest {
    #[serde(rename = "t")]
    topic: Arc<str>,
    #[serde(rename = "p")]
    partition: i32,
    #[serde(rename = "o")]
    offset: i64,
    #[serde(rename = "i")]
    index: u32,
}

impl OriginFilter {
    /// True the first time that an origin is shown, false for every repeat.
    ///
    /// # Errors
    /// When the text is no origin.
    #[must_use = "a repeat must not be applied"]
    pub fn admit(&mut self, text: &str) -> Result<bool, OriginError> {
        let (topic, partition, offset, index) = parse(text)?;
        // A handful of input partitions: a scan is faster than a hash, and the order stays that of arrival.
        match self.highest.iter_mut().find(|h| h.partition == partition && &*h.topic == topic) {
            Some(h) if (offset, index) <= (h.offset, h.index) => Ok(false),
            Some(h) => {
                (h.offset, h.index) = (offset, index);
                Ok(true)
            }
            None => {
                self.highest.push(Highest { topic: topic.into(), partition, offset, index });
                Ok(true)
            }
        }
    }

    /// How many input partitions have been seen.
    #[must_use]
    pub fn len(&self) -> usize {
        self.highest.len()
    }

    /// True before the first record.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.highest.is_empty()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_origin_survives_its_header() {
        let origin = Origin { topic: "raw.gate".into(), partition: 3, offset: 12, index: 1 };
        assert_eq!(origin.to_string().parse::<Origin>().unwrap(), origin);
        for bad in ["", "raw.gate", "raw.gate/1/2", "raw.gate/x/2/3", "/1/2/3"] {
            assert!(bad.parse::<Origin>().is_err(), "{bad}");
        }
    }

    #[test]
    fn a_replay_from_any_earlier_offset_is_dropped_and_nothing_else_is() {
        let mut filter = OriginFilter::default();
        let log: Vec<String> = (0..20).flat_map(|o| (0..2).map(move |i| format!("raw.gate/0/{o}/{i}"))).collect();
        let mut admitted = Vec::new();
        // The writer is killed at 11 and starts again from 5, twice.
        for record in log[..23].iter().chain(&log[10..23]).chain(&log[10..]) {
            if filter.admit(record).unwrap() {
                admitted.push(record.clone());
            }
        }
        assert_eq!(admitted, log);
    }

    #[test]
    fn input_partitions_do_not_hide_each_other() {
        let mut filter = OriginFilter::default();
        assert!(filter.admit("raw.gate/0/9/0").unwrap());
        assert!(filter.admit("raw.gate/1/3/0").unwrap());
        assert!(filter.admit("raw.school/0/3/0").unwrap());
        assert!(!filter.admit("raw.gate/1/3/0").unwrap());
        assert_eq!(filter.len(), 3);
    }
}
