//! An event with what rules ask of it.

use std::sync::Arc;

use chorus_model::{Event, Phase, Span, Timestamp};

use super::cel::{Condition, View};
use super::rules::RuleSet;
use super::world::Listed;

/// A stored event that a device sends this long after it happened is state and counts, but fires nothing at once (trap 9).
pub(crate) const LATE: Span = Span::from_secs(15 * 60);

/// An event as the rules see it.
#[derive(Clone, Copy)]
pub(crate) struct Seen<'a> {
    pub(crate) event: &'a Event,
    /// Its time for windows.
    pub(crate) at: Timestamp,
    /// Stored by the device and sent too late to be acted upon.
    pub(crate) is_late: bool,
    /// Its device: the registry's own id where there is one, so that what remembers a device holds no text of its own.
    pub(crate) device: &'a Arc<str>,
    /// What the registry says of the device.
    pub(crate) listed: Option<&'a Listed>,
    rules: &'a RuleSet,
    view: &'a View<'a>,
}

impl<'a> Seen<'a> {
    pub(crate) fn new(
        event: &'a Event,
        listed: Option<(&'a Arc<str>, &'a Listed)>,
        rules: &'a RuleSet,
        view: &'a View<'a>,
    ) -> Self {
        let at = event.effective_time();
        let is_late = event.is_replay && event.received_at.since(at) > LATE;
        let device = listed.map_or(&event.device.id, |(id, _)| id);
        Self { event, at, is_late, device, listed: listed.map(|(_, listed)| listed), rules, view }
    }

    /// The kinds of its device, by its own word and by the registry's; one may come twice.
    pub(crate) fn kinds_of_device(&self) -> impl Iterator<Item = &'a Arc<str>> {
        self.event.device.kind.iter().chain(self.listed.into_iter().flat_map(|listed| &listed.kinds))
    }

    pub(crate) fn holds(&self, condition: Option<&Condition>) -> bool {
        self.rules.holds(condition, self.view)
    }

    /// True when something happened that the condition wants to know of. An end or a continuation is a happening only for a
    /// condition that asks for the phase itself; a statement of state never is.
    pub(crate) fn happens(&self, condition: Option<&Condition>) -> bool {
        let counts = match self.event.phase {
            Phase::Start | Phase::Pulse => true,
            Phase::Continue | Phase::End => condition.is_some_and(Condition::asks_phase),
            Phase::Sync => false,
        };
        counts && self.holds(condition)
    }
}
