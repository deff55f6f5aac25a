//! One reason of an alert: the condition that it shows, and further ones of the same rule that were merged into it.

use std::sync::Arc;

use chorus_model::anomaly::MAX_EVIDENCE;
use chorus_model::{AlertStatus, Anomaly, Severity, Span, Text, Timestamp};
use serde::{Deserialize, Serialize};

use super::{MAX_DEVICES, text};

/// One condition.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct Member {
    #[serde(rename = "c")]
    pub(crate) condition: String,
    #[serde(rename = "f")]
    pub(crate) firing: bool,
    #[serde(rename = "s")]
    severity: Severity,
    #[serde(rename = "n", with = "bits")]
    count: f64,
    /// Receipt of the latest repeat.
    #[serde(rename = "l")]
    last: Timestamp,
    #[serde(rename = "q", default, skip_serializing_if = "Option::is_none")]
    quiet_after: Option<Span>,
    /// Where it is, in an alert about a whole division.
    #[serde(rename = "p", default, skip_serializing_if = "Option::is_none")]
    pub(crate) place: Option<Arc<str>>,
}

impl Member {
    fn new(anomaly: &Anomaly) -> Self {
        Self {
            condition: anomaly.condition.clone(),
            firing: true,
            severity: anomaly.severity,
            count: anomaly.count,
            last: anomaly.tipped_at,
            quiet_after: anomaly.quiet_after,
            place: None,
        }
    }

    /// When it counts as over if nothing more comes.
    pub(crate) fn deadline(&self) -> Option<Timestamp> {
        self.quiet_after.filter(|_| self.firing).map(|quiet| self.last.plus(quiet))
    }
}

/// A reason as the state keeps it. The first member is the one whose sentence is shown.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct Reason {
    pub(crate) rule: Arc<str>,
    pub(crate) kind: Arc<str>,
    pub(crate) members: Vec<Member>,
    pub(crate) devices: Vec<Arc<str>>,
    pub(crate) from: Timestamp,
    to: Timestamp,
    /// Receipt of the record that tipped its first anomaly.
    pub(crate) onset: Timestamp,
    #[serde(default, skip_serializing_if = "Option::is_none", with = "optional_bits")]
    expected: Option<f64>,
    evidence: Vec<String>,
    pub(crate) summary: Text,
    /// The count in the last revision that was written.
    #[serde(with = "bits")]
    told: f64,
}

impl Reason {
    pub(crate) fn new(anomaly: &Anomaly) -> Self {
        let mut reason = Self {
            rule: Arc::clone(&anomaly.rule),
            kind: Arc::clone(&anomaly.kind),
            members: vec![Member::new(anomaly)],
            devices: Vec::new(),
            from: anomaly.from,
            to: anomaly.to,
            onset: anomaly.tipped_at,
            expected: anomaly.expected,
            evidence: Vec::new(),
            summary: anomaly.summary.clone(),
            told: 0.0,
        };
        reason.widen(anomaly.from, anomaly.to, &anomaly.devices, &anomaly.evidence);
        reason
    }

    /// The same, with the place that it is found at.
    pub(crate) fn at(anomaly: &Anomaly, place: &Arc<str>) -> Self {
        let mut reason = Self::new(anomaly);
        reason.members.iter_mut().for_each(|member| member.place = Some(Arc::clone(place)));
        reason
    }

    /// The places of its conditions, each once; none where the alert is about one place.
    pub(crate) fn places(&self) -> Vec<Arc<str>> {
        let mut places: Vec<Arc<str>> = Vec::new();
        for place in self.members.iter().filter_map(|member| member.place.as_ref()) {
            if places.len() < MAX_DEVICES && !places.contains(place) {
                places.push(Arc::clone(place));
            }
        }
        places
    }

    /// A condition of it is found to hold again. Does nothing when there is no such member.
    pub(crate) fn fire(&mut self, index: usize, anomaly: &Anomaly) {
        if !self.is_firing() {
            self.told = 0.0; // it counts from the beginning
        }
        let alone = self.members.len() == 1;
        let Some(member) = self.members.get_mut(index) else { return };
        member.firing = true;
        member.severity = anomaly.severity;
        member.count = anomaly.count;
        member.last = member.last.max(anomaly.tipped_at);
        member.quiet_after = anomaly.quiet_after;
        if index == 0 {
            self.kind = Arc::clone(&anomaly.kind);
            self.summary = anomaly.summary.clone();
        }
        if alone {
            self.expected = anomaly.expected;
        }
        self.widen(anomaly.from, anomaly.to, &anomaly.devices, &anomaly.evidence);
    }

    /// A condition of it has ended. A measured value stays what it was when it was wrong; a count takes in what had not been
    /// told yet.
    pub(crate) fn end(&mut self, index: usize, anomaly: &Anomaly) {
        let Some(member) = self.members.get_mut(index) else { return };
        member.firing = false;
        if anomaly.expected.is_none() {
            member.count = member.count.max(anomaly.count);
            if index == 0 {
                self.summary = anomaly.summary.clone();
            }
        }
        self.widen(anomaly.from, anomaly.to, &anomaly.devices, &anomaly.evidence);
    }

    /// Takes in another reason of the same rule, behind its own conditions.
    pub(crate) fn absorb(&mut self, other: Self) {
        self.widen(other.from, other.to, &other.devices, &other.evidence);
        self.expected = self.expected.zip(other.expected).map(|(own, more)| own + more);
        self.members.extend(other.members);
    }

    fn widen(&mut self, from: Timestamp, to: Timestamp, devices: &[Arc<str>], evidence: &[String]) {
        self.from = self.from.min(from);
        self.to = self.to.max(to);
        for device in devices {
            if self.devices.len() >= MAX_DEVICES {
                break;
            }
            if !self.devices.contains(device) {
                self.devices.push(Arc::clone(device));
            }
        }
        for id in evidence.iter().skip(evidence.len().saturating_sub(MAX_EVIDENCE)) {
            if !self.evidence.contains(id) {
                self.evidence.push(id.clone());
            }
        }
        let over = self.evidence.len().saturating_sub(MAX_EVIDENCE);
        self.evidence.drain(..over);
    }

    pub(crate) fn is_firing(&self) -> bool {
        self.members.iter().any(|member| member.firing)
    }

    pub(crate) fn status(&self) -> AlertStatus {
        if self.is_firing() { AlertStatus::Firing } else { AlertStatus::Resolved }
    }

    /// The worst of what holds, or of all when nothing holds any more.
    pub(crate) fn severity(&self) -> Severity {
        let firing = self.members.iter().filter(|member| member.firing).map(|member| member.severity).max();
        let all = || self.members.iter().map(|member| member.severity).max();
        firing.or_else(all).unwrap_or(Severity::Info)
    }

    fn count(&self) -> f64 {
        self.members.iter().map(|member| member.count).sum()
    }

    /// True when the count is at least the double of what was told. A count that falls is no news: told stays the highest, so
    /// that a value that swings does not write revision after revision.
    pub(crate) fn has_grown(&self) -> bool {
        let count = self.count();
        count > self.told && count >= 2.0 * self.told
    }

    /// A revision is written with the count as it is now.
    pub(crate) fn tell(&mut self) {
        self.told = self.told.max(self.count());
    }

    /// As it stands in the alert.
    pub(crate) fn show(&self, name: &str) -> chorus_model::Reason {
        chorus_model::Reason {
            rule: Arc::clone(&self.rule),
            kind: Arc::clone(&self.kind),
            status: self.status(),
            devices: self.devices.clone(),
            places: self.places(),
            from: self.from,
            to: self.to,
            count: self.count(),
            expected: self.expected,
            evidence: self.evidence.clone(),
            summary: text::name_place(&self.summary, name),
        }
    }
}

/// A float as its bits: `serde_json` does not read every float back to the very same one, and a restored state must be equal.
mod bits {
    use serde::{Deserialize, Deserializer, Serializer};

    #[allow(clippy::trivially_copy_pass_by_ref)] // the signature is serde's
    pub(super) fn serialize<S: Serializer>(value: &f64, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_u64(value.to_bits())
    }

    pub(super) fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<f64, D::Error> {
        u64::deserialize(deserializer).map(f64::from_bits)
    }
}

/// As [`bits`], where there may be none.
mod optional_bits {
    use serde::{Deserialize, Deserializer, Serialize, Serializer};

    pub(super) fn serialize<S: Serializer>(value: &Option<f64>, serializer: S) -> Result<S::Ok, S::Error> {
        value.map(f64::to_bits).serialize(serializer)
    }

    pub(super) fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<f64>, D::Error> {
        Ok(Option::<u64>::deserialize(deserializer)?.map(f64::from_bits))
    }
}
