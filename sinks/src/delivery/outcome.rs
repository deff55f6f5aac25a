//! What one attempt came to, as a decision: nobody after this looks at a status again.

use std::time::{Duration, UNIX_EPOCH};

use chorus_model::Timestamp;

/// The longest that a destination may ask us to wait.
pub const LONGEST_WAIT: Duration = Duration::from_secs(300);

/// One attempt's end.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[must_use = "an attempt without a decision loses an alert"]
pub enum Outcome {
    /// The destination has it.
    Acknowledged,
    /// Not now.
    Retry {
        /// How long the destination asked us to wait, at most [`LONGEST_WAIT`].
        after: Option<Duration>,
        /// What happened.
        why: Trouble,
    },
    /// Not this one, however often.
    Refused {
        /// What it said.
        status: u16,
    },
}

/// Why an attempt will be made again.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Trouble {
    /// No answer in time.
    Timeout,
    /// No connection: refused, unreachable, name not found, certificate not trusted.
    Connect,
    /// The connection broke.
    Transport,
    /// Too many requests, or too early.
    Busy,
    /// The destination says that it failed.
    Server {
        /// The HTTP status.
        status: u16,
    },
}

impl Trouble {
    /// True when it may be this one alert that the destination fails at: it was given the alert and did not say that it is busy.
    #[must_use]
    pub const fn may_be_the_alerts(self) -> bool {
        matches!(self, Self::Timeout | Self::Transport | Self::Server { .. })
    }

    /// The word in logs.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Timeout => "timeout",
            Self::Connect => "connect",
            Self::Transport => "transport",
            Self::Busy => "busy",
            Self::Server { .. } => "server_error",
        }
    }
}

/// Why an alert is parked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Refusal {
    /// The destination said so.
    Said {
        /// The HTTP status.
        status: u16,
    },
    /// It failed at this alert again and again, and took others in between.
    FailsAlone {
        /// How it failed the last time.
        why: Trouble,
    },
}

impl Refusal {
    /// The closed word in logs and in the header `reason` of a parked alert.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::FailsAlone { .. } => "fails_alone",
            Self::Said { status } => match status {
                300..=399 => "redirected",
                401 | 403 | 407 => "not_authorised",
                404 | 405 | 410 | 501 => "not_there",
                413 => "too_large",
                400..=499 => "not_accepted",
                _ => "not_understood",
            },
        }
    }

    /// What came back: an HTTP status, or the word for what came instead.
    #[must_use]
    pub fn status(self) -> String {
        match self {
            Self::Said { status } | Self::FailsAlone { why: Trouble::Server { status } } => status.to_string(),
            Self::FailsAlone { why } => why.as_str().to_owned(),
        }
    }
}

/// The decision about an answer. `retry_after` is the value of that header.
pub fn judge(status: u16, retry_after: Option<&str>, now: Timestamp) -> Outcome {
    let retry = |why| Outcome::Retry { after: retry_after.and_then(|text| wait(text, now)), why };
    match status {
        200..=299 => Outcome::Acknowledged,
        408 | 425 | 429 => retry(Trouble::Busy),
        501 => Outcome::Refused { status },
        500..=599 => retry(Trouble::Server { status }),
        _ => Outcome::Refused { status },
    }
}

/// `Retry-After`: seconds, or a date (RFC 9110, 10.2.3). `None` for anything else.
fn wait(text: &str, now: Timestamp) -> Option<Duration> {
    let text = text.trim();
    if !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit()) {
        // More digits than a u64 holds are a long time as well.
        return Some(text.parse().map_or(LONGEST_WAIT, Duration::from_secs).min(LONGEST_WAIT));
    }
    let at = httpdate::parse_http_date(text).ok()?.duration_since(UNIX_EPOCH).ok()?;
    let at = Timestamp::from_micros(i64::try_from(at.as_micros()).ok()?);
    Some(at.since(now).to_std().min(LONGEST_WAIT))
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: &str = "2026-11-25T08:00:00Z";

    fn decide(status: u16) -> Outcome {
        judge(status, None, NOW.parse().unwrap())
    }

    #[test]
    fn every_status_has_its_decision() {
        for status in 200..300 {
            assert_eq!(decide(status), Outcome::Acknowledged, "{status}");
        }
        for status in [408, 425, 429] {
            assert_eq!(decide(status), Outcome::Retry { after: None, why: Trouble::Busy }, "{status}");
        }
        for status in (500..600).filter(|status| *status != 501) {
            assert_eq!(decide(status), Outcome::Retry { after: None, why: Trouble::Server { status } }, "{status}");
        }
        let refused = (300..500).filter(|status| ![408, 425, 429].contains(status)).chain([100, 501, 600, 999]);
        for status in refused {
            assert_eq!(decide(status), Outcome::Refused { status }, "{status}");
        }
    }

    #[test]
    fn a_wait_is_read_as_seconds_or_as_a_date_and_has_a_bound() {
        let table = [
            ("7", Some(7)),
            (" 0 ", Some(0)),
            ("300", Some(300)),
            ("301", Some(300)),
            ("99999999999999999999999", Some(300)),
            ("Wed, 25 Nov 2026 08:00:20 GMT", Some(20)),
            ("Wednesday, 25-Nov-26 08:00:20 GMT", Some(20)),
            ("Wed, 25 Nov 2026 07:00:00 GMT", Some(0)),
            ("Wed, 25 Nov 2026 23:00:00 GMT", Some(300)),
            ("Thu, 01 Jan 1970 00:00:00 GMT", Some(0)),
            ("-5", None),
            ("1.5", None),
            ("soon", None),
            ("", None),
        ];
        for (text, seconds) in table {
            let why = Trouble::Server { status: 503 };
            let expected = Outcome::Retry { after: seconds.map(Duration::from_secs), why };
            assert_eq!(judge(503, Some(text), NOW.parse().unwrap()), expected, "{text:?}");
        }
    }

    #[test]
    fn an_acknowledgement_is_one_whatever_else_the_answer_says() {
        assert_eq!(judge(200, Some("60"), NOW.parse().unwrap()), Outcome::Acknowledged);
    }
}
