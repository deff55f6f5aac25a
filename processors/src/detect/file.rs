//! The shape of rule files, before they are checked.

use chorus_model::{Kind, PlaceKind, Severity, Span, Text};
use schemars::JsonSchema;
use serde::Deserialize;

use super::rules::{By, Of, Reach};

/// One file.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct File {
    #[serde(default)]
    pub(crate) rules: Vec<RuleText>,
}

/// The types of rules.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Type {
    Immediate,
    Count,
    Sequence,
    Absence,
    Silence,
    Baseline,
    Value,
    Flap,
}

impl Type {
    pub(crate) const fn as_str(self) -> &'static str {
        match self {
            Self::Immediate => "immediate",
            Self::Count => "count",
            Self::Sequence => "sequence",
            Self::Absence => "absence",
            Self::Silence => "silence",
            Self::Baseline => "baseline",
            Self::Value => "value",
            Self::Flap => "flap",
        }
    }
}

/// One half of a sequence.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct StepText {
    pub(crate) kinds: Vec<Kind>,
    #[serde(default, rename = "if")]
    pub(crate) condition: Option<String>,
}

/// What is expected of an absence rule.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct ExpectText {
    pub(crate) kinds: Vec<Kind>,
}

/// Silence by a device's own rhythm.
#[derive(Clone, Copy, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct LearntText {
    #[serde(default)]
    pub(crate) a_year: Option<f64>,
    #[serde(default)]
    pub(crate) factor: Option<f64>,
    #[serde(default)]
    pub(crate) least: Option<Span>,
}

/// From how many places of a division on the same is one alert.
#[derive(Clone, Copy, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct TogetherText {
    pub(crate) places: u16,
    pub(crate) within: Span,
    #[serde(rename = "in")]
    pub(crate) reach: Reach,
}

/// One rule, every key of every type. A flat shape keeps "unknown key" errors exact; which keys belong to which type is
/// checked by the loader.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct RuleText {
    pub(crate) id: String,
    pub(crate) when: Type,
    #[serde(default)]
    pub(crate) places: Vec<PlaceKind>,
    #[serde(default, rename = "if")]
    pub(crate) condition: Option<String>,
    #[serde(default)]
    pub(crate) severity: Option<Severity>,
    #[serde(default)]
    pub(crate) kind: Option<String>,
    #[serde(default)]
    pub(crate) quiet_after: Option<String>,
    #[serde(default)]
    pub(crate) by: Option<Vec<By>>,
    pub(crate) summary: Text,
    #[serde(default)]
    pub(crate) together: Option<TogetherText>,
    #[serde(default)]
    pub(crate) feed: Option<String>,
    #[serde(default)]
    pub(crate) kinds: Option<Vec<Kind>>,
    #[serde(default)]
    pub(crate) at_least: Option<usize>,
    #[serde(default)]
    pub(crate) within: Option<Span>,
    #[serde(default)]
    pub(crate) first: Option<StepText>,
    #[serde(default)]
    pub(crate) then: Option<StepText>,
    #[serde(default)]
    pub(crate) without: Option<StepText>,
    #[serde(default)]
    pub(crate) expect: Option<ExpectText>,
    #[serde(default)]
    pub(crate) duty: Option<String>,
    #[serde(default)]
    pub(crate) grace: Option<Span>,
    #[serde(default)]
    pub(crate) of: Option<Of>,
    #[serde(default)]
    pub(crate) devices: Option<Vec<String>>,
    #[serde(default)]
    pub(crate) after: Option<Span>,
    #[serde(default)]
    pub(crate) missed: Option<u32>,
    #[serde(default)]
    pub(crate) learnt: Option<LearntText>,
    #[serde(default)]
    pub(crate) slot: Option<Span>,
    #[serde(default)]
    pub(crate) min_weeks: Option<u32>,
    #[serde(default)]
    pub(crate) alpha: Option<f64>,
    #[serde(default)]
    pub(crate) late: Option<Span>,
}

impl RuleText {
    /// The keys that belong to some types only and are given.
    pub(crate) fn given(&self) -> Vec<&'static str> {
        let all = [
            ("kinds", self.kinds.is_some()),
            ("at_least", self.at_least.is_some()),
            ("within", self.within.is_some()),
            ("first", self.first.is_some()),
            ("then", self.then.is_some()),
            ("without", self.without.is_some()),
            ("expect", self.expect.is_some()),
            ("duty", self.duty.is_some()),
            ("grace", self.grace.is_some()),
            ("of", self.of.is_some()),
            ("devices", self.devices.is_some()),
            ("after", self.after.is_some()),
            ("missed", self.missed.is_some()),
            ("learnt", self.learnt.is_some()),
            ("slot", self.slot.is_some()),
            ("min_weeks", self.min_weeks.is_some()),
            ("alpha", self.alpha.is_some()),
            ("late", self.late.is_some()),
            ("by", self.by.is_some()),
            ("if", self.condition.is_some()),
        ];
        all.into_iter().filter(|(_, given)| *given).map(|(name, _)| name).collect()
    }
}
