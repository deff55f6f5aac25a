//! The case that people handle: which state follows which. Pure.

use chorus_model::{Alert, AlertStatus, IncidentState};

/// What people can do with an incident.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Action {
    /// Somebody has it now.
    Acknowledge,
    /// It is dealt with.
    Resolve,
}

impl Action {
    /// The word used in paths and in the history.
    #[must_use]
    pub(crate) const fn as_str(self) -> &'static str {
        match self {
            Self::Acknowledge => "acknowledge",
            Self::Resolve => "resolve",
        }
    }
}

/// What an action leads to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[must_use]
pub(crate) enum Step {
    /// A new state.
    To(IncidentState),
    /// It is there already: done before.
    Already,
    /// Not from this state.
    Impossible,
}

/// What follows when people act.
pub(crate) const fn act(state: IncidentState, action: Action) -> Step {
    use IncidentState::{Acknowledged, Closed, Dispatched, Reported, Resolved, Verified};
    match (action, state) {
        (Action::Acknowledge, Reported) => Step::To(Acknowledged),
        (Action::Acknowledge, Acknowledged) | (Action::Resolve, Resolved) => Step::Already,
        (Action::Resolve, Reported | Acknowledged | Dispatched) => Step::To(Resolved),
        (Action::Acknowledge, Dispatched | Resolved | Verified | Closed) | (Action::Resolve, Verified | Closed) => {
            Step::Impossible
        }
    }
}

/// The state after a delivery; `state` is the one that stood, `reported` for an alert that is new, and `seen` is the alert then,
/// if it can be read.
///
/// An alert that ends by itself ends its incident only when nobody has taken it: what people have taken, people end. A
/// firing revision opens a finished incident again only when it brings something that people have not seen.
#[must_use]
pub(crate) fn deliver(seen: Option<&Alert>, state: IncidentState, alert: &Alert) -> IncidentState {
    match alert.status {
        AlertStatus::Resolved if state == IncidentState::Reported => IncidentState::Resolved,
        AlertStatus::Firing if !is_open(state) && seen.is_none_or(|seen| is_news(seen, alert)) => {
            IncidentState::Reported
        }
        AlertStatus::Resolved | AlertStatus::Firing => state,
    }
}

/// True while the incident is with people, or waits for them.
#[must_use]
pub(crate) const fn is_open(state: IncidentState) -> bool {
    match state {
        IncidentState::Reported | IncidentState::Acknowledged | IncidentState::Dispatched => true,
        IncidentState::Resolved | IncidentState::Verified | IncidentState::Closed => false,
    }
}

/// It came back, got worse, or stands for a reason that was not there. It may have come back where a revision between was not seen.
fn is_news(seen: &Alert, alert: &Alert) -> bool {
    let is_known = |reason: &chorus_model::Reason| {
        seen.reasons.iter().any(|r| {
            r.rule == reason.rule
                && r.kind == reason.kind
                && r.devices == reason.devices
                && r.status == AlertStatus::Firing
        })
    };
    let fires_anew = alert.reasons.iter().any(|reason| reason.status == AlertStatus::Firing && !is_known(reason));
    let has_gap = alert.revision > seen.revision.saturating_add(1);
    seen.status == AlertStatus::Resolved || alert.severity > seen.severity || fires_anew || has_gap
}

/// The word for a state in JSON and in the store.
pub(crate) const fn state_word(state: IncidentState) -> &'static str {
    match state {
        IncidentState::Reported => "reported",
        IncidentState::Acknowledged => "acknowledged",
        IncidentState::Dispatched => "dispatched",
        IncidentState::Resolved => "resolved",
        IncidentState::Verified => "verified",
        IncidentState::Closed => "closed",
    }
}

/// The state that a word of the store names.
pub(crate) fn state_from(word: &str) -> Option<IncidentState> {
    ALL.into_iter().find(|state| state_word(*state) == word)
}

const ALL: [IncidentState; 6] = [
    IncidentState::Reported,
    IncidentState::Acknowledged,
    IncidentState::Dispatched,
    IncidentState::Resolved,
    IncidentState::Verified,
    IncidentState::Closed,
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_state_survives_its_word_and_the_words_are_those_of_the_json() {
        for state in ALL {
            assert_eq!(state_from(state_word(state)), Some(state));
            assert_eq!(serde_json::to_string(&state).unwrap(), format!("\"{}\"", state_word(state)));
        }
    }

    #[test]
    fn an_action_repeated_changes_nothing() {
        for state in ALL {
            for action in [Action::Acknowledge, Action::Resolve] {
                if let Step::To(next) = act(state, action) {
                    assert_eq!(act(next, action), Step::Already, "{state:?} {action:?}");
                }
            }
        }
    }

    #[test]
    fn what_is_finished_cannot_be_taken() {
        for state in ALL.into_iter().filter(|state| !is_open(*state)) {
            assert_eq!(act(state, Action::Acknowledge), Step::Impossible, "{state:?}");
        }
    }
}
