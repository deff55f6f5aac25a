//! The feeds: which formats each accepts, and how its sources are read. A feed is one row of [`FEEDS`].

use std::collections::BTreeMap;
use std::sync::Arc;

use chorus_model::Span;
use jiff::tz::TimeZone;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::border::Policy;
use crate::formats::{self, Format};

/// One feed: a topic, a consumer group and a service of its own.
#[derive(Clone, Copy, Debug)]
pub struct Feed {
    /// Its name; the topic is `raw.` and this.
    pub name: &'static str,
    /// What it accepts unless configured otherwise, in the order in which a record without a header is sniffed.
    pub formats: &'static [&'static str],
}

/// Every feed.
pub static FEEDS: &[Feed] = &[
    Feed {
        name: "school",
        formats: &[
            "hikvision-isecure",
            "hikvision-isapi",
            "sia-dc09",
            "gb-t-28181",
            "onvif",
            "vzenith-lpr",
            "zkteco-push",
            "dahua",
            "gb-t-26875",
            "chorus",
        ],
    },
    Feed {
        name: "hospital",
        formats: &[
            "hl7v2",
            "fhir-r4",
            "hikvision-isecure",
            "hikvision-isapi",
            "sia-dc09",
            "onvif",
            "gb-t-28181",
            "vzenith-lpr",
            "zkteco-push",
            "rtls-uwb",
            "dahua",
            "gb-t-26875",
            "chorus",
        ],
    },
    Feed {
        name: "gate",
        formats: &[
            "hikvision-isecure",
            "hikvision-isapi",
            "onvif",
            "gb-t-28181",
            "sia-dc09",
            "vzenith-lpr",
            "zkteco-push",
            "unifi-protect",
            "dahua",
            "gb-t-26875",
            "chorus",
        ],
    },
    Feed {
        name: "camera",
        formats: &[
            "hikvision-isecure",
            "ga-t-1400",
            "gb-t-28181",
            "hikvision-isapi",
            "onvif",
            "unifi-protect",
            "frigate",
            "dahua",
            "chorus",
        ],
    },
    Feed { name: "grid", formats: &["chorus", "grid-case", "cap", "cn-warning"] },
];

/// The feed of that name.
#[must_use]
pub fn by_name(name: &str) -> Option<&'static Feed> {
    FEEDS.iter().find(|feed| feed.name == name)
}

/// The name of every feed.
#[must_use]
pub fn names() -> Vec<&'static str> {
    FEEDS.iter().map(|feed| feed.name).collect()
}

/// How a feed is read.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Settings {
    /// Formats that are accepted; empty for the feed's own list.
    pub formats: Vec<String>,
    /// The format of records without the header `format`; absent to sniff among the accepted ones.
    pub default_format: Option<String>,
    /// The zone of times without one.
    pub zone: String,
    /// A device time may be this long before receipt and still be used for windows.
    pub plausible_past: Span,
    /// A device time may be this long after receipt and still be used for windows.
    pub plausible_future: Span,
    /// Refuse what fails its format's own integrity check, instead of flagging it.
    pub strict: bool,
    /// Threads, each with a consumer and a producer of its own.
    pub workers: usize,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            formats: Vec::new(),
            default_format: None,
            zone: "Asia/Shanghai".to_owned(),
            plausible_past: Span::from_secs(86_400),
            plausible_future: Span::from_secs(300),
            strict: false,
            workers: 1,
        }
    }
}

/// The formats that a feed accepts, looked up.
#[derive(Clone, Debug)]
pub struct Accepted {
    formats: Vec<&'static Format>,
    default: Option<&'static Format>,
}

impl Accepted {
    /// The format of a record: the header's, else the default, else what the bytes look like.
    ///
    /// # Errors
    /// [`crate::observation::Reason::FormatNotAccepted`] for a header that names none of the feed's formats,
    /// [`crate::observation::Reason::NotThisFormat`] when nothing fits.
    pub fn choose(&self, header: Option<&str>, bytes: &[u8]) -> Result<&'static Format, crate::observation::Reason> {
        use crate::observation::Reason;
        match header {
            Some(name) if name != "auto" => {
                self.formats.iter().copied().find(|format| format.name == name).ok_or(Reason::FormatNotAccepted)
            }
            _ => self
                .default
                .or_else(|| formats::sniff(bytes, self.formats.iter().copied()))
                .ok_or(Reason::NotThisFormat),
        }
    }

    /// True when records whose header names this format are read.
    #[must_use]
    pub fn has(&self, format: &str) -> bool {
        self.formats.iter().any(|known| known.name == format)
    }
}

impl Settings {
    /// The accepted formats.
    ///
    /// # Errors
    /// (key, message) for a format that does not exist.
    pub fn accepted(&self, feed: &Feed) -> Result<Accepted, (&'static str, String)> {
        let look_up = |key: &'static str, name: &str| {
            let known = || formats::FORMATS.iter().map(|format| format.name).collect::<Vec<_>>().join(", ");
            formats::by_name(name).ok_or_else(|| (key, format!("unknown format {name:?}, allowed: {}", known())))
        };
        let names: Vec<&str> = if self.formats.is_empty() {
            feed.formats.to_vec()
        } else {
            self.formats.iter().map(String::as_str).collect()
        };
        let formats = names.into_iter().map(|name| look_up("formats", name)).collect::<Result<_, _>>()?;
        let default = self.default_format.as_deref().map(|name| look_up("default_format", name)).transpose()?;
        Ok(Accepted { formats, default })
    }

    /// The policy at the border.
    ///
    /// # Errors
    /// (key, message) for a zone that is not in the IANA database.
    pub fn policy(&self) -> Result<Policy, (&'static str, String)> {
        let zone = TimeZone::get(&self.zone).map_err(|_| {
            ("zone", format!("unknown zone {:?}, expected an IANA name such as Asia/Shanghai", self.zone))
        })?;
        Ok(Policy {
            zone,
            zone_name: Arc::from(self.zone.as_str()),
            past: self.plausible_past,
            future: self.plausible_future,
            strict: self.strict,
        })
    }

    /// What is wrong beyond shape: (key, message).
    #[must_use]
    pub fn problems(&self, feed: &Feed) -> Vec<(&'static str, String)> {
        let mut found: Vec<_> = [self.accepted(feed).err(), self.policy().err()].into_iter().flatten().collect();
        if !(1..=64).contains(&self.workers) {
            found.push(("workers", "allowed: 1 to 64".to_owned()));
        }
        found
    }
}

/// Settings by feed; a feed that is not named has the defaults.
pub type FeedSettings = BTreeMap<String, Settings>;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_feed_accepts_only_formats_that_exist() {
        for feed in FEEDS {
            assert!(Settings::default().problems(feed).is_empty(), "{}", feed.name);
        }
    }

    #[test]
    fn a_wrong_zone_or_format_is_told_with_what_is_allowed() {
        let settings =
            Settings { zone: "Asia/Nanchang".into(), default_format: Some("isapi".into()), ..Settings::default() };
        let problems = settings.problems(&FEEDS[0]);
        assert_eq!(problems.len(), 2);
        assert!(problems[0].1.contains("hikvision-isapi"), "{problems:?}");
    }
}
