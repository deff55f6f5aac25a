//! Canaries: synthetic drill records that go through the whole chain, one per feed and county every minute, so that a broken
//! chain is noticed when nothing else happens in the city.
//!
//! A canary is a heartbeat of a device `canary-FEED-COUNTY` at a place of the same name, marked as a test. Ingest, detect, fuse
//! and deliver treat it as any other record; whoever shows something to people, or counts for them, asks [`of_alert`] and
//! leaves it out.

use crate::{Alert, Event, Kind};

/// The kind of the devices in the registry, and the rule that alone looks at what they say. No rule file may use the id.
pub const NAME: &str = "canary";

/// Begins the id of every canary's device and place.
const PREFIX: &str = "canary-";

/// The longest name of a feed that is believed.
const LONGEST_FEED: usize = 24;

/// Which canary it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Canary<'a> {
    /// The feed that it goes through.
    pub feed: &'a str,
    /// Six digits: the county whose place it is at.
    pub county: &'a str,
}

impl Canary<'_> {
    /// The id of its device, and of its place.
    #[must_use]
    pub fn id(&self) -> String {
        format!("{PREFIX}{}-{}", self.feed, self.county)
    }
}

/// The canary whose device or place has this id.
#[must_use]
pub fn of_id(id: &str) -> Option<Canary<'_>> {
    let (feed, county) = id.strip_prefix(PREFIX)?.rsplit_once('-')?;
    let is_feed = (1..=LONGEST_FEED).contains(&feed.len()) && feed.bytes().all(|byte| byte.is_ascii_lowercase());
    let is_county = county.len() == 6 && county.bytes().all(|byte| byte.is_ascii_digit());
    (is_feed && is_county).then_some(Canary { feed, county })
}

/// The canary that the event is of. What else its device may say is none: it is judged as what it says.
#[must_use]
pub fn of_event(event: &Event) -> Option<Canary<'_>> {
    // The cheapest question first: few events are heartbeats, and fewer tests.
    if event.kind != Kind::DeviceHeartbeat || !event.is_test {
        return None;
    }
    event.place.id.as_deref().and_then(of_id)
}

/// The canary that the alert is of: a drill at a canary's place for which the rule [`NAME`] is the only reason.
#[must_use]
pub fn of_alert(alert: &Alert) -> Option<Canary<'_>> {
    let is_alone = !alert.reasons.is_empty() && alert.reasons.iter().all(|reason| &*reason.rule == NAME);
    if !alert.is_test || !is_alone {
        return None;
    }
    of_id(&alert.place.id)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_id_tells_feed_and_county_and_nothing_else_is_taken_for_one() {
        let canary = Canary { feed: "gate", county: "360102" };
        assert_eq!(canary.id(), "canary-gate-360102");
        assert_eq!(of_id(&canary.id()), Some(canary));
        let long = format!("canary-{}-360102", "g".repeat(LONGEST_FEED + 1));
        for id in [
            "",
            "canary-",
            "canary-gate-",
            "canary--360102",
            "canary-gate-36010",
            "canary-Gate-360102",
            "gate-360102",
            &long,
        ] {
            assert_eq!(of_id(id), None, "{id}");
        }
    }
}
