//! The one rule that is built in: a canary's heartbeat is a drill that stands for a moment.
//!
//! It is in force whatever rules are, and no part of their version: an anomaly of it names the version of the rules beside it.
//! It looks at canaries alone, and no other rule does. For any other event it costs one comparison.

use std::sync::Arc;

use chorus_model::{Event, Kind, Severity, Span, Text, canary};

use super::rules::{Rule, When};
use super::timers::LEAST;

/// So long after a canary the drill is over, if time passes. Canaries come more seldom, so that each makes an alert fire again.
pub const QUIET: Span = Span::from_secs(20);

pub(crate) fn rule() -> Rule {
    Rule {
        id: Arc::from(canary::NAME),
        file: Arc::from("built-in"),
        when: When::Immediate { kinds: vec![Kind::DeviceHeartbeat] },
        places: Vec::new(),
        condition: None,
        severity: Some(Severity::Info),
        kind: None,
        quiet_after: Some(QUIET),
        by: Vec::new(),
        summary: Text {
            zh: "{place}：链路自检（演练）".to_owned(),
            en: "{place}: the chain is whole (drill)".to_owned(),
        },
        together: None,
        feed: None,
        clock: LEAST.into(),
    }
}

/// True when the event is the built-in rule's.
pub(crate) fn is_one(event: &Event) -> bool {
    canary::of_event(event).is_some()
}

/// True when a record may hold a canary, by what can be told without reading it.
pub(crate) fn may_be_one(kind: Kind, key: &[u8]) -> bool {
    kind == Kind::DeviceHeartbeat && std::str::from_utf8(key).is_ok_and(|key| canary::of_id(key).is_some())
}
