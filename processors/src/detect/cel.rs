//! Conditions in CEL over the event: compiled once, bounded, and false when they cannot be evaluated.

use std::cell::OnceCell;
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
        let program = Program::compile(text).map_err(|error| error.to_string())?;
        let references = program.references();
        if let Some(unknown) = references.variables().into_iter().find(|name| !["event", "local"].contains(name)) {
            return Err(format!("unknown variable `{unknown}`: there are `event` and `local`"));
        }
        Ok(Self { program })
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
                hour: time.as_ref().map_or(0, jiff::Zoned::hour),
                minute: time.as_ref().map_or(0, jiff::Zoned::minute),
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
        match condition.program.execute(&context) {
            Ok(Value::Bool(answer)) => Some(answer),
            _ => None,
        }
    }
}
