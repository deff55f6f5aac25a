//! Rosters: which place owes which report, when, by which calendar.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;

use chorus_model::{PlaceKind, PlaceRef, Span, Timestamp, id};
use jiff::civil::{Date, Time, Weekday};
use schemars::JsonSchema;
use serde::Deserialize;

use super::finding::{local, zone};
use super::load::RuleError;

/// A roster that cannot be used: where and why, as for rules.
pub type RosterError = RuleError;

/// How long before it is due a report may come, unless the duty says otherwise.
const OPENS: Span = Span::from_secs(12 * 3_600);
/// How many days ahead a due day is looked for: a duty on dates may have none any more.
const HORIZON: usize = 400;

/// Duties and calendars at one version.
#[derive(Debug, Default)]
pub struct Roster {
    /// A hash of the file; part of the version that anomalies name.
    pub version: Arc<str>,
    duties: BTreeMap<Arc<str>, Duty>,
    calendars: BTreeMap<Arc<str>, Calendar>,
}

/// A report that is due at certain times.
#[derive(Debug)]
pub(crate) struct Duty {
    kinds: Vec<PlaceKind>,
    places: Vec<Arc<str>>,
    due: Vec<Time>,
    pub(crate) opens: Span,
    /// Instead of the grace of the rules that name it.
    pub(crate) grace: Option<Span>,
    days: Vec<Day>,
    calendar: Option<Arc<str>>,
}

/// Which days a duty falls on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Day {
    Daily,
    Workdays,
    Holidays,
    /// This day of the week, unless it is a holiday of the calendar.
    Week(Weekday),
    Date(Date),
}

#[derive(Debug, Default)]
struct Calendar {
    holidays: Vec<Date>,
    workdays: Vec<Date>,
}

#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct File {
    #[serde(default)]
    duties: Vec<DutyText>,
    #[serde(default)]
    calendars: BTreeMap<Arc<str>, CalendarText>,
}

#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct DutyText {
    id: Arc<str>,
    #[serde(default)]
    kinds: Vec<PlaceKind>,
    #[serde(default)]
    places: Vec<Arc<str>>,
    due: Times,
    #[serde(default)]
    opens: Option<Span>,
    #[serde(default)]
    grace: Option<Span>,
    #[serde(default)]
    days: Vec<String>,
    #[serde(default)]
    calendar: Option<Arc<str>>,
}

#[derive(Debug, Deserialize, JsonSchema)]
#[serde(untagged)]
enum Times {
    One(String),
    Many(Vec<String>),
}

#[derive(Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct CalendarText {
    #[serde(default)]
    holidays: Vec<String>,
    #[serde(default)]
    workdays: Vec<String>,
}

impl Roster {
    /// Reads a roster file.
    ///
    /// # Errors
    /// The first thing that is wrong, with the file and the path of the key.
    pub fn load(path: &Path) -> Result<Self, RosterError> {
        let name = path.display().to_string();
        let text = std::fs::read_to_string(path).map_err(|problem| error(&name, ".", problem.to_string()))?;
        Self::parse(&name, &text)
    }

    /// As [`Roster::load`], from a name for errors and the text.
    ///
    /// # Errors
    /// The first thing that is wrong.
    pub fn parse(name: &str, text: &str) -> Result<Self, RosterError> {
        let document: serde_json::Value =
            serde_saphyr::from_str(text).map_err(|problem| error(name, ".", problem.to_string()))?;
        let file: File = serde_path_to_error::deserialize(&document)
            .map_err(|problem| error(name, &problem.path().to_string(), problem.into_inner().to_string()))?;
        let version: String = id::derive(&["roster", text]).chars().take(16).collect();
        let mut roster = Self { version: version.into(), ..Self::default() };
        for (calendar, dates) in &file.calendars {
            let read = |dates: &[String], key: &str| {
                let path = |index: usize| format!("calendars.{calendar}.{key}[{index}]");
                let each = dates.iter().enumerate().map(|(index, text)| {
                    text.parse::<Date>().map_err(|_| error(name, &path(index), "expected a date such as 2026-10-01"))
                });
                each.collect::<Result<Vec<Date>, _>>()
            };
            let calendar_of =
                Calendar { holidays: read(&dates.holidays, "holidays")?, workdays: read(&dates.workdays, "workdays")? };
            roster.calendars.insert(Arc::clone(calendar), calendar_of);
        }
        for (index, duty) in file.duties.into_iter().enumerate() {
            let at = |key: &str, message: &str| error(name, &format!("duties[{index}].{key}"), message);
            let id = Arc::clone(&duty.id);
            let duty = roster.duty(duty, &at)?;
            if roster.duties.insert(id, duty).is_some() {
                return Err(at("id", "already used"));
            }
        }
        Ok(roster)
    }

    fn duty(&self, text: DutyText, at: &dyn Fn(&str, &str) -> RosterError) -> Result<Duty, RosterError> {
        if text.kinds.is_empty() && text.places.is_empty() {
            return Err(at("places", "kinds of places or a list of places is needed"));
        }
        let times = match text.due {
            Times::One(time) => vec![time],
            Times::Many(times) => times,
        };
        let mut due: Vec<Time> = Vec::new();
        for time in &times {
            let parsed = (time.len() >= 5).then(|| time.parse::<Time>().ok()).flatten();
            due.push(parsed.ok_or_else(|| at("due", "expected local times such as 18:00 or 18:00:30"))?);
        }
        due.sort_unstable();
        due.dedup();
        if due.is_empty() {
            return Err(at("due", "at least one time is needed"));
        }
        let mut days = Vec::new();
        for day in &text.days {
            let hint = "allowed: mon to sun, workdays, holidays, daily, or a date such as 2026-12-24";
            days.push(day_of(day).ok_or_else(|| at("days", hint))?);
        }
        if days.is_empty() {
            days.push(Day::Daily);
        }
        if text.calendar.as_ref().is_some_and(|calendar| !self.calendars.contains_key(calendar)) {
            return Err(at("calendar", "no such calendar in this file"));
        }
        let opens = text.opens.unwrap_or(OPENS);
        if opens <= Span::ZERO || opens > Span::from_secs(7 * 86_400) {
            return Err(at("opens", "must be above zero and at most 7d before the due time"));
        }
        if text.grace.is_some_and(|grace| !(Span::ZERO..=Span::from_secs(7 * 86_400)).contains(&grace)) {
            return Err(at("grace", "must be 0s to 7d"));
        }
        let DutyText { kinds, places, grace, calendar, .. } = text;
        Ok(Duty { kinds, places, due, opens, grace, days, calendar })
    }

    /// The ids of all duties.
    pub fn duties(&self) -> impl Iterator<Item = &Arc<str>> {
        self.duties.keys()
    }

    pub(crate) fn duty_of(&self, id: &str) -> Option<&Duty> {
        self.duties.get(id)
    }

    /// Places that duties name one by one.
    pub(crate) fn named_places(&self) -> impl Iterator<Item = &Arc<str>> {
        self.duties.values().flat_map(|duty| &duty.places)
    }

    /// The first time after `after` at which the duty is due, by the place's own calendar where it has one.
    pub(crate) fn next_due(&self, duty: &Duty, own: Option<&str>, after: Timestamp) -> Option<Timestamp> {
        let named = own.and_then(|name| self.calendars.get(name));
        let calendar = named.or_else(|| self.calendars.get(duty.calendar.as_deref()?));
        let mut date = local(after)?.date();
        for _ in 0..HORIZON {
            if duty.days.iter().any(|day| falls(*day, date, calendar)) {
                for time in &duty.due {
                    let due = zone().to_timestamp(date.to_datetime(*time)).ok()?.into();
                    if due > after {
                        return Some(due);
                    }
                }
            }
            date = date.tomorrow().ok()?;
        }
        None
    }
}

impl Duty {
    pub(crate) fn binds(&self, place: &PlaceRef) -> bool {
        self.kinds.contains(&place.kind) || place.id.as_ref().is_some_and(|id| self.places.contains(id))
    }
}

fn error(file: &str, path: &str, message: impl Into<String>) -> RosterError {
    RuleError { file: file.to_owned(), rule: None, path: path.to_owned(), message: message.into() }
}

fn day_of(text: &str) -> Option<Day> {
    Some(match text {
        "daily" => Day::Daily,
        "workdays" => Day::Workdays,
        "holidays" => Day::Holidays,
        "mon" => Day::Week(Weekday::Monday),
        "tue" => Day::Week(Weekday::Tuesday),
        "wed" => Day::Week(Weekday::Wednesday),
        "thu" => Day::Week(Weekday::Thursday),
        "fri" => Day::Week(Weekday::Friday),
        "sat" => Day::Week(Weekday::Saturday),
        "sun" => Day::Week(Weekday::Sunday),
        date => Day::Date(date.parse().ok()?),
    })
}

fn falls(day: Day, date: Date, calendar: Option<&Calendar>) -> bool {
    let is_holiday = calendar.is_some_and(|calendar| calendar.holidays.contains(&date));
    let is_extra = calendar.is_some_and(|calendar| calendar.workdays.contains(&date));
    let is_weekend = matches!(date.weekday(), Weekday::Saturday | Weekday::Sunday);
    let is_workday = is_extra || (!is_weekend && !is_holiday);
    match day {
        Day::Daily => true,
        Day::Workdays => is_workday,
        Day::Holidays => !is_workday,
        Day::Week(weekday) => date.weekday() == weekday && !is_holiday,
        Day::Date(only) => date == only,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const TEXT: &str = r#"
calendars:
  city: {holidays: ["2026-10-01"], workdays: ["2026-10-10"]}
duties:
  - {id: safe, kinds: [community], due: "18:00", days: [workdays], calendar: city}
  - {id: rounds, places: [h1], due: ["04:00", "22:00:30"], opens: 2h, days: [sat, "2026-10-01"]}
"#;

    fn next(duty: &str, after: &str) -> String {
        let roster = Roster::parse("roster.yaml", TEXT).unwrap();
        let duty = roster.duty_of(duty).unwrap();
        local(roster.next_due(duty, None, after.parse().unwrap()).unwrap()).unwrap().to_string()
    }

    #[test]
    fn duties_fall_on_workdays_of_the_calendar_in_local_time() {
        assert_eq!(next("safe", "2026-09-30T09:59:59Z"), "2026-09-30T18:00:00");
        assert_eq!(next("safe", "2026-09-30T10:00:00Z"), "2026-10-02T18:00:00"); // the first is a holiday
        assert_eq!(next("safe", "2026-10-09T10:00:00Z"), "2026-10-10T18:00:00"); // a Saturday that is worked
        assert_eq!(next("safe", "2026-10-10T10:00:00Z"), "2026-10-12T18:00:00");
    }

    #[test]
    fn several_times_a_day_and_single_dates_are_kept_apart() {
        assert_eq!(next("rounds", "2026-09-30T10:00:00Z"), "2026-10-01T04:00:00");
        assert_eq!(next("rounds", "2026-09-30T20:00:00Z"), "2026-10-01T22:00:30");
        assert_eq!(next("rounds", "2026-10-01T20:00:00Z"), "2026-10-03T04:00:00");
    }

    #[test]
    fn an_error_names_the_file_and_the_path() {
        let parse = |text: &str| Roster::parse("r.yaml", text).unwrap_err().to_string();
        let text = "duties: [{id: a, kinds: [school], due: \"25:00\"}]";
        assert!(parse(text).starts_with("r.yaml: duties[0].due: expected local times"), "{}", parse(text));
        let text = "duties: [{id: a, kinds: [school], due: \"08:00\", dyas: [mon]}]";
        assert!(parse(text).contains("duties[0].dyas") && parse(text).contains("unknown field"), "{}", parse(text));
        let text = "duties: [{id: a, kinds: [school], due: \"08:00\", calendar: lost}]";
        assert!(parse(text).contains("duties[0].calendar: no such calendar"));
        let text = "calendars: {c: {holidays: [\"2026-02-30\"]}}";
        assert!(parse(text).contains("calendars.c.holidays[0]"));
    }

    #[test]
    fn the_version_changes_with_the_contents_alone() {
        let version = |name: &str, text: &str| Roster::parse(name, text).unwrap().version;
        assert_eq!(version("a", TEXT), version("b", TEXT));
        assert_ne!(version("a", TEXT), version("a", &TEXT.replace("18:00", "18:30")));
    }
}
