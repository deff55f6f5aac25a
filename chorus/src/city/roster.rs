//! What a viewer needs in order to see a missing report soon: a duty that is due 14 seconds after the start, and its rule.

use anyhow::Context;
use chorus_model::{Span, Timestamp};
use serde_json::{Value, json};

use super::City;
use super::script::DUE_AT;
use super::wire;

/// The shipped rule on all-clears waits for half an hour after the due time; this one does not wait.
const RULES: &str = "\
# The rule that the simulated city brings along, beside the shipped ones: its duty stands in the city's own roster.
rules:
  - id: city-all-clear-missing
    when: absence
    places: [community]
    feed: grid
    expect: {kinds: [report.all_safe]}
    duty: city-all-clear
    grace: 0s
    severity: medium
    summary:
      zh: \"{place}:应报平安而未报,截至 {to}\"
      en: \"{place}: the due all-clear has not come by {to}\"
";

impl City {
    /// The roster for a city that starts at `start`: every community owes its all-clear 14 seconds later, rounded up to a
    /// whole second, on that one day. A detector judges only windows that open while it listens, so it must have seen a
    /// frontier of the feed `grid` before the start.
    ///
    /// It holds this duty alone. Beside the shipped rules, which name duties of their own, see [`City::roster_over`].
    #[must_use]
    pub fn roster_yaml(start: Timestamp) -> String {
        let duty = duty(start);
        format!("# Made by the simulated city: the all-clear is due {DUE_AT} after its start.\nduties:\n  - {duty}\n")
    }

    /// The shipped roster with the duty of [`City::roster_yaml`] added. JSON, which YAML readers read.
    ///
    /// # Errors
    /// When `shipped` is no YAML, or its `duties` are no list.
    pub fn roster_over(shipped: &str, start: Timestamp) -> anyhow::Result<String> {
        let mut roster: Value = serde_saphyr::from_str(shipped).context("the roster is no YAML")?;
        let duties =
            roster.get_mut("duties").and_then(Value::as_array_mut).context("the roster has no list `duties`")?;
        duties.push(duty(start));
        Ok(serde_json::to_string_pretty(&roster)?)
    }

    /// The rule file that goes with the roster, to be read beside the shipped rules.
    #[must_use]
    pub const fn rules_yaml() -> &'static str {
        RULES
    }
}

fn duty(start: Timestamp) -> Value {
    let due = wire::local(start.plus(DUE_AT).plus(Span::from_micros(999_999)));
    json!({
        "id": "city-all-clear",
        "kinds": ["community"],
        "due": due.time().to_string(),
        "opens": DUE_AT,
        "days": [due.date().to_string()],
    })
}
