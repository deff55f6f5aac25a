//! Conditions in CEL over the event: compiled once, bounded, and false when they cannot be evaluated.

use std::cell::OnceCell;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;

use ::cel::{Context, Env, Program, Value};
use chorus_model::Event;
use serde::Serialize;

use super::finding::local;

/// The longest expression, in characters.
const LONGEST: usize = 500;
/// Macros that go through a list. One is enough for a condition over an event; nested ones could multiply without bound.
const MACROS: [&str; 5] = [".all(", ".exists(", ".exists_one(", ".map(", ".filter("];

/// A compiled condition.
#[derive(Debug)]
pub(crate) struct Condition {
    program: Program,
    asks_phase: bool,
}

impl Condition {
    /// Compiles a condition, or says why not.
    pub(crate) fn compile(text: &str) -> Result<Self, String> {
        if text.chars().count() > LONGEST {
            return Err(format!("longer than {LONGEST} characters"));
        }
        let squeezed: String = text.chars().filter(|c| !c.is_whitespace()).collect();
        if MACROS.iter().map(|name| squeezed.matches(name).count()).sum::<usize>() > 1 {
            return Err("at most one of all, exists, exists_one, map and filter".to_owned());
        }
        let compiled = catch_unwind(|| Program::compile(text).map_err(|error| error.to_string()));
        let program = compiled.unwrap_or_else(|_| Err("not an expression that can be compiled".to_owned()))?;
        let references = program.references();
        if let Some(unknown) = references.variables().into_iter().find(|name| !["event", "local"].contains(name)) {
            return Err(format!("unknown variable `{unknown}`: there are `event` and `local`"));
        }
        Ok(Self { program, asks_phase: squeezed.contains("event.phase") })
    }

    /// True when it asks for the phase itself, and so wants to see ends and continuations too.
    pub(crate) fn asks_phase(&self) -> bool {
        self.asks_phase
    }
}

/// The local time of an event, for conditions such as `local.hour >= 22`.
#[derive(Serialize)]
struct Local {
    hour: i8,
    minute: i8,
    /// 1 is Monday.
    weekday: i8,
}

/// An event as conditions see it; made only when the first condition asks.
pub(crate) struct View<'a> {
    event: &'a Event,
    env: &'a Arc<Env>,
    values: OnceCell<Option<(Value, Value)>>,
}

impl<'a> View<'a> {
    pub(crate) fn new(event: &'a Event, env: &'a Arc<Env>) -> Self {
        Self { event, env, values: OnceCell::new() }
    }

    fn values(&self) -> Option<&(Value, Value)> {
        let make = || {
            let time = local(self.event.effective_time());
            let local = Local {
                hour: time.as_ref().map_or(0, |time| time.hour()),
                minute: time.as_ref().map_or(0, |time| time.minute()),
                weekday: time.as_ref().map_or(0, |time| time.weekday().to_monday_one_offset()),
            };
            Some((::cel::to_value(self.event).ok()?, ::cel::to_value(local).ok()?))
        };
        self.values.get_or_init(make).as_ref()
    }

    /// What the condition says; `None` when it cannot be evaluated or says no truth value.
    pub(crate) fn holds(&self, condition: &Condition) -> Option<bool> {
        let (event, local) = self.values()?;
        let mut context = Context::with_env(Arc::clone(self.env));
        context.add_variable_from_value("event", event.clone());
        context.add_variable_from_value("local", local.clone());
        // A rule author's expression must never end the worker, whatever the library does with it.
        match catch_unwind(AssertUnwindSafe(|| condition.program.execute(&context))) {
            Ok(Ok(Value::Bool(answer))) => Some(answer),
            _ => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn holds(text: &str) -> Option<bool> {
        let event = super::super::tests::event("gate-1", chorus_model::Kind::GateFault, 0);
        let env = Arc::new(Env::stdlib());
        View::new(&event, &env).holds(&Condition::compile(text).unwrap())
    }

    #[test]
    fn a_condition_sees_the_event_and_the_local_time() {
        assert_eq!(holds("event.kind == 'gate.fault' && event.device.id == 'gate-1'"), Some(true));
        assert_eq!(holds("event.severity in ['high', 'critical']"), Some(false));
        assert_eq!(holds("has(event.zone)"), Some(false));
        assert_eq!(holds("local.hour == 8 && local.weekday == 1"), Some(true)); // Monday 2026-01-05, 08:00 in Nanchang
    }

    #[test]
    fn what_cannot_be_evaluated_is_no_answer_and_never_a_panic() {
        for text in [
            "event.zone == 'x'",
            "1 / 0 == 1",
            "event.kind",
            "event.nothing.at.all",
            "'a'.matches('(')",
            "-9223372036854775807 - 9 < 0",
            "duration('99999999999999h') > duration('1s')",
        ] {
            assert_eq!(holds(text), None, "{text}");
        }
        for text in ["event.", "other == 1", "[1].map(x, [2].map(y, y)) == [1]", &"(".repeat(400), &"x".repeat(501)] {
            assert!(Condition::compile(text).is_err(), "{text}");
        }
    }
}
