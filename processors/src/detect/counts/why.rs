//! What a score of a count series means, in words.

use chorus_model::Text;
use serde::{Deserialize, Serialize};

/// What was found.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum What {
    /// More than belongs to this time of the week.
    Excess,
    /// Much less than belongs to this time of the week.
    Lack,
    /// The whole day was higher than usual.
    HighDay,
    /// The whole day was lower than usual.
    LowDay,
    /// The day looked like one of the other kind: a weekday like a weekend, or the other way round.
    OtherDay,
    /// Nothing at all: the device is silent.
    Silence,
}

/// Why a score is what it is.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Why {
    /// What was found.
    pub what: What,
    /// Since when, local wall time in seconds.
    pub from: i64,
    /// Up to when: the end of the row.
    pub to: i64,
    /// What was counted in this time.
    pub seen: f64,
    /// What is usually counted in it.
    pub expected: f64,
}

impl Why {
    /// One sentence in each language.
    #[must_use]
    pub fn text(&self) -> Text {
        let (zh, en) = match self.what {
            What::Excess => ("明显偏多", "far more than usual"),
            What::Lack => ("明显偏少", "far less than usual"),
            What::HighDay => ("全天高于往常", "the whole day was above the usual"),
            What::LowDay => ("全天低于往常", "the whole day was below the usual"),
            What::OtherDay => {
                ("当天的时段分布不像同类日子", "the day looked like one of the other kind (weekday or weekend)")
            }
            What::Silence => ("没有任何计数,设备可能失联", "nothing was counted, the device may be dead"),
        };
        self.sentence(zh, en)
    }

    /// The same when it is over.
    #[must_use]
    pub fn text_of_end(&self) -> Text {
        self.sentence("已恢复往常", "as usual again")
    }

    fn sentence(&self, zh: &str, en: &str) -> Text {
        let (seen, expected) = (number(self.seen), number(self.expected));
        let (from, to) = (clock(self.from), clock(self.to));
        Text {
            zh: format!("{from} 至 {to} 计数 {seen},往常约 {expected}:{zh}"),
            en: format!("{seen} from {from} to {to}, usually about {expected}: {en}"),
        }
    }
}

fn number(value: f64) -> String {
    if value >= 10.0 || value.fract() == 0.0 { format!("{value:.0}") } else { format!("{value:.1}") }
}

fn clock(at: i64) -> String {
    jiff::Timestamp::from_second(at).map_or_else(|_| at.to_string(), |at| at.strftime("%m-%d %H:%M").to_string())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_reason_is_one_sentence_in_both_languages() {
        let why = Why { what: What::Excess, from: 1_123_977_600, to: 1_123_983_000, seen: 131.0, expected: 8.26 };
        assert_eq!(why.text().en, "131 from 08-14 00:00 to 08-14 01:30, usually about 8.3: far more than usual");
        assert_eq!(why.text().zh, "08-14 00:00 至 08-14 01:30 计数 131,往常约 8.3:明显偏多");
    }
}
