//! Conditions in CEL over the event: compiled once, bounded, and false when they cannot be evaluated.

use std::cell::OnceCell;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};

use ::cel::{Context, Env, Program, Value};
use chorus_model::Event;
use serde::Serialize;

use super::finding::local;
use super::guard;

/// The longest expression, in characters.
const LONGEST: usize = 500;
/// Macros that go through a list. One is enough for a condition over an event; nested ones could multiply without bound.
const MACROS: [&str; 5] = [".all(", ".exists(", ".exists_one(", ".map(", ".filter("];

/// A compiled condition.
#[derive(Debug)]
pub(crate) struct Condition {
    program: Program,
    asks_event: bool,
    asks_local: bool,
    asks_phase: bool,
    /// The one place where it can be true.
    place: Option<Arc<str>>,
    /// The last answer of a condition on the local time alone, with the minute of the week that it is for: events come in the
    /// order of time, so that most have the answer of the one before. 0 for none.
    last: AtomicU32,
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
        let (asks_event, asks_local) = (references.has_variable("event"), references.has_variable("local"));
        let asks_phase = squeezed.contains("event.phase");
        let place = guard::place_of(&program.expression().expr).map(Arc::from);
        Ok(Self { program, asks_event, asks_local, asks_phase, place, last: AtomicU32::new(0) })
    }

    /// The id of the one place where it can be true; `None` when it may be true at several.
    pub(crate) fn place(&self) -> Option<&Arc<str>> {
        self.place.as_ref()
    }

    /// True when it asks for the phase itself, and so wants to see ends and continuations too.
    pub(crate) fn asks_phase(&self) -> bool {
        self.asks_phase
    }
}

/// The local time of an event, for conditions such as `local.hour >= 22`.
#[derive(Clone, Copy, Serialize)]
struct Local {
    hour: i8,
    minute: i8,
    /// 1 is Monday.
    weekday: i8,
}

impl Local {
    fn of(event: &Event) -> Self {
        let time = local(event.effective_time());
        Self {
            hour: time.as_ref().map_or(0, |time| time.hour()),
            minute: time.as_ref().map_or(0, |time| time.minute()),
            weekday: time.as_ref().map_or(0, |time| time.weekday().to_monday_one_offset()),
        }
    }

    /// The minute of the week, from 1.
    fn number(self) -> u32 {
        let minutes = (i32::from(self.weekday) * 24 + i32::from(self.hour)) * 60 + i32::from(self.minute);
        u32::try_from(minutes).unwrap_or(0) + 1
    }
}

/// An event as conditions see it; each half is made only when the first condition asks for it.
pub(crate) struct View<'a> {
    event: &'a Event,
    env: &'a Arc<Env>,
    value: OnceCell<Option<Value>>,
    local: OnceCell<Local>,
}

impl<'a> View<'a> {
    pub(crate) fn new(event: &'a Event, env: &'a Arc<Env>) -> Self {
        Self { event, env, value: OnceCell::new(), local: OnceCell::new() }
    }

    fn local(&self) -> Local {
        *self.local.get_or_init(|| Local::of(self.event))
    }

    /// What the condition says; `None` when it cannot be evaluated or says no truth value.
    pub(crate) fn holds(&self, condition: &Condition) -> Option<bool> {
        if condition.asks_event {
            return self.evaluate(condition);
        }
        let number = self.local().number();
        let last = condition.last.load(Ordering::Relaxed);
        if last >> 1 == number {
            return Some(last & 1 == 1);
        }
        let answer = self.evaluate(condition)?;
        condition.last.store(number << 1 | u32::from(answer), Ordering::Relaxed);
        Some(answer)
    }

    fn evaluate(&self, condition: &Condition) -> Option<bool> {
        let mut context = Context::with_env(Arc::clone(self.env));
        if condition.asks_event {
            let value = self.value.get_or_init(|| ::cel::to_value(self.event).ok());
            context.add_variable_from_value("event", value.clone()?);
        }
        if condition.asks_local {
            context.add_variable_from_value("local", ::cel::to_value(self.local()).ok()?);
        }
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
    fn a_condition_on_the_local_time_answers_for_each_minute_anew() {
        let condition = Condition::compile("local.hour >= 8 && local.minute < 1").unwrap();
        let env = Arc::new(Env::stdlib());
        let mut event = super::super::tests::event("gate-1", chorus_model::Kind::GateFault, 0);
        let first = event.effective_time();
        // 08:00, again, a minute later, back again, and an hour before the first.
        for (seconds, answer) in [(0, true), (59, true), (60, false), (0, true), (-3_600, false), (3_600, true)] {
            event.event_time = Some(first.plus(chorus_model::Span::from_secs(seconds)));
            event.received_at = first.plus(chorus_model::Span::from_secs(seconds));
            assert_eq!(View::new(&event, &env).holds(&condition), Some(answer), "{seconds}");
        }
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
