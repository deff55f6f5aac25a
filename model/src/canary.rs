//! The canary: a drill that goes the whole way every minute, for each feed and county, so that a chain that is broken anywhere is
//! noticed while nothing happens in the city.
//!
//! It is an ordinary record of a device at a place of its own, which the registry adds by itself; both have the id
//! `canary-FEED-COUNTY`. That no desk sees it hangs on its being a drill.

use std::fmt;
use std::sync::Arc;

/// The kind of its device, the rule that finds it, and the kind of what is found.
pub const CANARY: &str = "canary";

/// The names of the feeds: each has a topic, a consumer group and a service of its own.
pub const FEEDS: [&str; 5] = ["school", "hospital", "gate", "camera", "grid"];

/// The canary of one feed in one county.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Canary {
    /// One of [`FEEDS`].
    pub feed: &'static str,
    /// Six digits (GB/T 2260).
    pub county: Arc<str>,
}

impl Canary {
    /// The canary whose device or place has this id.
    #[must_use]
    pub fn of(id: &str) -> Option<Self> {
        let (feed, county) = id.strip_prefix(CANARY)?.strip_prefix('-')?.split_once('-')?;
        let feed = FEEDS.into_iter().find(|known| *known == feed)?;
        let is_county = county.len() == 6 && county.bytes().all(|byte| byte.is_ascii_digit());
        is_county.then(|| Self { feed, county: county.into() })
    }
}

/// The id of its device and of its place.
impl fmt::Display for Canary {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{CANARY}-{}-{}", self.feed, self.county)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_id_names_feed_and_county_and_nothing_else_is_one() {
        let canary = Canary { feed: "gate", county: "360102".into() };
        assert_eq!(Canary::of(&canary.to_string()), Some(canary));
        for id in ["canary", "canary-gate", "canary-tram-360102", "canary-gate-36010", "canary-gate-36010x", "gate-1"] {
            assert_eq!(Canary::of(id), None, "{id}");
        }
    }
}
