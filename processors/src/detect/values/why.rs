//! What a score of a numeric series means, in words.

use chorus_model::Text;
use serde::{Deserialize, Serialize};

/// What of a series is looked at. Every one is compared with its own past, upwards and downwards.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Feature {
    /// The value itself.
    Value,
    /// The level over 4 rows against that over 64.
    ShortLevel,
    /// The level over 64 rows against that over 256.
    LongLevel,
    /// The spread from least to most of the last 16 rows.
    Spread,
    /// The middle of the last 9 values.
    ShortMiddle,
    /// The middle of the last 25 values.
    LongMiddle,
    /// The value against the same time of the last days.
    SameTime,
    /// The level over 16 rows against the same time of the last days.
    SameTimeLevel,
}

impl Feature {
    pub(super) const ALL: [Self; 8] = [
        Self::Value,
        Self::ShortLevel,
        Self::LongLevel,
        Self::Spread,
        Self::ShortMiddle,
        Self::LongMiddle,
        Self::SameTime,
        Self::SameTimeLevel,
    ];

    /// True when it has the scale of the series itself, false for a difference.
    pub(super) fn is_a_value(self) -> bool {
        matches!(self, Self::Value | Self::ShortMiddle | Self::LongMiddle)
    }

    fn text(self) -> (&'static str, &'static str) {
        match self {
            Self::Value => ("数值", "the value"),
            Self::ShortLevel => ("近 4 个点相对近 64 个点的水平", "the level of 4 rows against 64"),
            Self::LongLevel => ("近 64 个点相对近 256 个点的水平", "the level of 64 rows against 256"),
            Self::Spread => ("近 16 个点的波动幅度", "the spread of the last 16 rows"),
            Self::ShortMiddle => ("近 9 个点的中位数", "the middle of the last 9 rows"),
            Self::LongMiddle => ("近 25 个点的中位数", "the middle of the last 25 rows"),
            Self::SameTime => ("与近几日同一时刻的差", "the distance from the same time of the last days"),
            Self::SameTimeLevel => {
                ("水平与近几日同一时刻的差", "the level's distance from the same time of the last days")
            }
        }
    }
}

/// Why a score is what it is.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Why {
    /// What is surprising.
    pub feature: Feature,
    /// Above its usual range, or below it.
    pub is_high: bool,
    /// What it is now, in the unit of the series.
    pub seen: f64,
    /// What it has passed only 16 times so far.
    pub limit: f64,
    /// Over how many rows that was learnt.
    pub rows: u32,
}

impl Why {
    /// One sentence in each language.
    #[must_use]
    pub fn text(&self) -> Text {
        let (zh, en) = self.feature.text();
        let (over, beyond) = if self.is_high { ("高于", "above") } else { ("低于", "below") };
        let (seen, limit, rows) = (short(self.seen), short(self.limit), self.rows);
        Text {
            zh: format!("{zh}为 {seen},{over}此前 {rows} 个点中仅超出 16 次的 {limit}"),
            en: format!("{en} is {seen}, {beyond} {limit}, which was passed only 16 times in {rows} rows"),
        }
    }
}

/// Four digits are enough for people.
fn short(number: f64) -> String {
    if number == 0.0 || !number.is_finite() {
        return format!("{number}");
    }
    let digits = 3 - number.abs().log10().floor() as i32;
    let text = format!("{number:.*}", usize::try_from(digits.clamp(0, 9)).unwrap_or(0));
    let trimmed = if text.contains('.') { text.trim_end_matches('0').trim_end_matches('.') } else { &text };
    trimmed.to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_reason_is_one_sentence_in_both_languages() {
        let why = Why { feature: Feature::LongLevel, is_high: false, seen: -12.345_67, limit: -3.0, rows: 4_000 };
        let text = why.text();
        assert_eq!(
            text.en,
            "the level of 64 rows against 256 is -12.35, below -3, which was passed only 16 times in 4000 rows"
        );
        assert_eq!(text.zh, "近 64 个点相对近 256 个点的水平为 -12.35,低于此前 4000 个点中仅超出 16 次的 -3");
        assert_eq!(short(123_456.7), "123457");
        assert_eq!(short(0.001_234_5), "0.001234");
    }
}
