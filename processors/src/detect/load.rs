//! Reading rule files. Every error names the file, the rule, the path of the key and what is wrong.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use chorus_model::{Kind, Span, canary, id};

use super::cel::Condition;
use super::file::{File, LearntText, RuleText, StepText, TogetherText, Type};
use super::finding::PLACEHOLDERS;
use super::rhythm::Learnt;
use super::rules::{Baseline, By, Limit, Neighbours, Of, Rule, RuleSet, Step, When};
use super::timers::LEAST;

/// The most events that a `count` rule can ask for: each waiting one is kept.
const MOST_COUNTED: usize = 64;
/// The most places that `together` can ask for: each new finding waits for others.
const MOST_TOGETHER: u16 = 100;
/// How long a condition without a repeat stands, unless the rule says otherwise.
const QUIET: Span = Span::from_secs(30 * 60);
const WEEK: Span = Span::from_secs(7 * 86_400);

/// A rule that cannot be used.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{file}: {}{path}: {message}", rule.as_ref().map(|rule| format!("rule {rule}: ")).unwrap_or_default())]
pub struct RuleError {
    /// The file.
    pub file: String,
    /// The rule's id, where it is known.
    pub rule: Option<String>,
    /// The path of the key, such as `rules[2].within`.
    pub path: String,
    /// What is wrong and what is allowed.
    pub message: String,
}

impl RuleSet {
    /// Reads rule files, and every `.yaml` of directories in the order of their names (rosters excepted).
    ///
    /// # Errors
    /// The first thing that is wrong.
    pub fn load(paths: &[PathBuf]) -> Result<Self, RuleError> {
        let texts = Self::texts(paths)?;
        let borrowed: Vec<(&str, &str)> = texts.iter().map(|(name, text)| (name.as_str(), text.as_str())).collect();
        Self::parse(&borrowed)
    }

    /// Name and text of each file that [`RuleSet::load`] would read.
    ///
    /// # Errors
    /// A file that cannot be read.
    pub fn texts(paths: &[PathBuf]) -> Result<Vec<(String, String)>, RuleError> {
        let mut texts = Vec::new();
        for path in paths {
            for file in files_of(path)? {
                let text = std::fs::read_to_string(&file).map_err(|error| unreadable(&file, &error))?;
                texts.push((file.display().to_string(), text));
            }
        }
        Ok(texts)
    }

    /// As [`RuleSet::load`], from (name, text).
    ///
    /// # Errors
    /// The first thing that is wrong.
    pub fn parse(files: &[(&str, &str)]) -> Result<Self, RuleError> {
        let mut rules: Vec<Rule> = Vec::new();
        let mut known: BTreeMap<Arc<str>, Arc<str>> = BTreeMap::new();
        for (name, text) in files {
            let file: Arc<str> = Arc::from(*name);
            for (index, raw) in read(name, text)?.rules.into_iter().enumerate() {
                let rule = Builder { file: &file, rule: raw.id.clone(), index }.build(raw)?;
                if let Some(other) = known.insert(Arc::clone(&rule.id), Arc::clone(&file)) {
                    let at = Builder { file: &file, rule: rule.id.to_string(), index };
                    return Err(at.error("id", format!("already used in {other}")));
                }
                rules.push(rule);
            }
        }
        let mut contents: Vec<&str> = files.iter().map(|(_, text)| *text).collect();
        contents.sort_unstable(); // renaming a file changes nothing
        let version: String = id::derive(&contents).chars().take(16).collect();
        Ok(Self::new(version.into(), rules))
    }
}

fn unreadable(path: &Path, error: &std::io::Error) -> RuleError {
    RuleError { file: path.display().to_string(), rule: None, path: ".".to_owned(), message: error.to_string() }
}

fn files_of(path: &Path) -> Result<Vec<PathBuf>, RuleError> {
    if !path.is_dir() {
        return Ok(vec![path.to_owned()]);
    }
    let mut files = Vec::new();
    for entry in std::fs::read_dir(path).map_err(|error| unreadable(path, &error))? {
        let file = entry.map_err(|error| unreadable(path, &error))?.path();
        let name = file.file_name().and_then(|name| name.to_str()).unwrap_or_default();
        // Rosters stand beside rules; so do test cases, in files of their own.
        let is_rules = (name.ends_with(".yaml") || name.ends_with(".yml"))
            && !name.starts_with("roster")
            && !name.contains(".test.");
        if is_rules {
            files.push(file);
        }
    }
    files.sort();
    Ok(files)
}

fn read(name: &str, text: &str) -> Result<File, RuleError> {
    let error = |path: String, message: String| RuleError { file: name.to_owned(), rule: None, path, message };
    let document: serde_json::Value =
        serde_saphyr::from_str(text).map_err(|problem| error(".".to_owned(), problem.to_string()))?;
    serde_path_to_error::deserialize(&document).map_err(|problem| {
        let path = problem.path().to_string();
        let rule = path.strip_prefix("rules[").and_then(|rest| rest.split_once(']')).and_then(|(index, _)| {
            let rule = document.get("rules")?.get(index.parse::<usize>().ok()?)?;
            rule.get("id")?.as_str().map(str::to_owned)
        });
        RuleError { rule, ..error(path, problem.into_inner().to_string()) }
    })
}

/// The keys of each type: which are needed, which may be there.
fn keys(of: Type) -> (&'static [&'static str], &'static [&'static str]) {
    match of {
        Type::Immediate => (&["kinds"], &["by", "if"]),
        Type::Count => (&["kinds", "at_least", "within"], &["by", "if"]),
        Type::Sequence => (&["first", "within"], &["then", "without", "by"]),
        Type::Absence => (&["expect", "duty", "grace"], &["if"]),
        Type::Silence => (&["of", "devices"], &["after", "missed", "learnt"]),
        Type::Baseline => (&["kinds", "slot"], &["min_weeks", "alpha", "late", "by", "if"]),
        Type::Value => (&["kinds"], &["by", "if"]),
        Type::Flap => (&["kinds", "at_least", "within"], &["by", "if"]),
    }
}

/// Where the loader is, for errors.
struct Builder<'a> {
    file: &'a Arc<str>,
    rule: String,
    index: usize,
}

impl Builder<'_> {
    fn error(&self, key: &str, message: impl Into<String>) -> RuleError {
        RuleError {
            file: self.file.to_string(),
            rule: Some(self.rule.clone()),
            path: format!("rules[{}].{key}", self.index),
            message: message.into(),
        }
    }

    fn build(&self, raw: RuleText) -> Result<Rule, RuleError> {
        let is_word = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || "-_.".contains(c);
        if raw.id.is_empty() || raw.id.len() > 60 || !raw.id.chars().all(is_word) {
            return Err(self.error("id", "allowed: 1 to 60 of a-z, 0-9, '-', '_', '.'"));
        }
        if raw.id == canary::NAME {
            return Err(self.error("id", "kept for the rule that is built in"));
        }
        // What the centre takes for a kind: else each alert of the rule would be refused there.
        if raw.kind.as_ref().is_some_and(|kind| !id::is_id(kind)) {
            return Err(self.error("kind", "allowed: 1 to 128 letters of ASCII, digits, '-', '_', '.'"));
        }
        self.check_keys(&raw)?;
        self.check_summary(&raw)?;
        let quiet_after = self.quiet_after(&raw)?;
        let condition = self.condition(raw.condition.as_deref(), "if")?;
        Ok(Rule {
            id: raw.id.as_str().into(),
            file: Arc::clone(self.file),
            places: raw.places.clone(),
            condition,
            severity: raw.severity,
            kind: raw.kind.as_deref().map(Arc::from),
            quiet_after,
            by: raw.by.clone().unwrap_or_else(|| default_by(raw.when)),
            summary: raw.summary.clone(),
            together: raw.together.map(|together| self.together(together)).transpose()?,
            feed: raw.feed.as_deref().map(Arc::from),
            clock: raw.feed.as_deref().unwrap_or(LEAST).into(),
            when: self.when(raw)?,
        })
    }

    fn check_keys(&self, raw: &RuleText) -> Result<(), RuleError> {
        let (needed, allowed) = keys(raw.when);
        let given = raw.given();
        if let Some(missing) = needed.iter().find(|key| !given.contains(key)) {
            return Err(self.error(missing, format!("needed by a rule of the type {}", raw.when.as_str())));
        }
        if let Some(foreign) = given.iter().find(|key| !needed.contains(key) && !allowed.contains(key)) {
            let mut all = [needed, allowed].concat();
            all.sort_unstable();
            let message = format!("does not belong to the type {}, which takes {}", raw.when.as_str(), all.join(", "));
            return Err(self.error(foreign, message));
        }
        Ok(())
    }

    fn check_summary(&self, raw: &RuleText) -> Result<(), RuleError> {
        for (language, text) in [("zh", &raw.summary.zh), ("en", &raw.summary.en)] {
            let key = format!("summary.{language}");
            if text.trim().is_empty() {
                return Err(self.error(&key, "must not be empty"));
            }
            for part in text.split('{').skip(1) {
                let name = part.split_once('}').map(|(name, _)| name);
                if name.is_none_or(|name| !PLACEHOLDERS.contains(&name)) {
                    return Err(self.error(&key, format!("placeholders are {{{}}}", PLACEHOLDERS.join("}, {"))));
                }
                if name == Some("why") && !explains(raw) {
                    return Err(self.error(
                        &key,
                        "{why} is known to rules of the types baseline and value, and to silence with learnt",
                    ));
                }
            }
        }
        Ok(())
    }

    fn quiet_after(&self, raw: &RuleText) -> Result<Option<Span>, RuleError> {
        match raw.quiet_after.as_deref() {
            Some("never") if raw.when == Type::Value => {
                Err(self.error("quiet_after", "a rule of the type value tells no end: say after how long it is over"))
            }
            Some("never") => Ok(None),
            Some(text) => {
                let span =
                    text.parse::<Span>().map_err(|error| self.error("quiet_after", format!("{error}, or never")))?;
                self.positive(Some(span), "quiet_after").map(Some)
            }
            None => Ok(match raw.when {
                Type::Immediate | Type::Sequence | Type::Value => Some(QUIET),
                Type::Count | Type::Flap => raw.within,
                Type::Absence => Some(Span::from_secs(86_400)),
                Type::Silence => None,
                // The next slot says whether it still holds; this is for when no slot closes any more.
                Type::Baseline => raw.slot.map(|slot| Span::from_micros(slot.as_micros() * 3)),
            }),
        }
    }

    fn together(&self, text: TogetherText) -> Result<Neighbours, RuleError> {
        if !(2..=MOST_TOGETHER).contains(&text.places) {
            return Err(self.error("together.places", format!("allowed: 2 to {MOST_TOGETHER}")));
        }
        let within = self.positive(Some(text.within), "together.within")?;
        Ok(Neighbours { places: text.places, within, reach: text.reach })
    }

    fn condition(&self, text: Option<&str>, key: &str) -> Result<Option<Condition>, RuleError> {
        text.map(Condition::compile).transpose().map_err(|message| self.error(key, message))
    }

    fn positive(&self, span: Option<Span>, key: &str) -> Result<Span, RuleError> {
        match span {
            Some(span) if span > Span::ZERO && span <= Span::from_secs(90 * 86_400) => Ok(span),
            _ => Err(self.error(key, "must be above zero and at most 90d")),
        }
    }

    fn kinds(&self, kinds: Option<Vec<Kind>>, key: &str) -> Result<Vec<Kind>, RuleError> {
        kinds.filter(|kinds| !kinds.is_empty()).ok_or_else(|| self.error(key, "must name at least one kind"))
    }

    fn step(&self, step: StepText, key: &str) -> Result<Step, RuleError> {
        let condition = self.condition(step.condition.as_deref(), &format!("{key}.if"))?;
        Ok(Step { kinds: self.kinds(Some(step.kinds), &format!("{key}.kinds"))?, condition })
    }

    fn when(&self, raw: RuleText) -> Result<When, RuleError> {
        match raw.when {
            Type::Immediate => Ok(When::Immediate { kinds: self.kinds(raw.kinds, "kinds")? }),
            Type::Count => {
                let (at_least, within) = self.window(&raw)?;
                Ok(When::Count { kinds: self.kinds(raw.kinds, "kinds")?, at_least, within })
            }
            Type::Flap => {
                let (at_least, within) = self.window(&raw)?;
                if raw.by.as_ref().is_some_and(|by| by.contains(&By::Kind)) {
                    return Err(self.error("by", "kind would keep the two states of one thing apart"));
                }
                match self.kinds(raw.kinds, "kinds")?.as_slice() {
                    [kind] => Ok(When::Flap { kind: *kind, opposite: None, at_least, within }),
                    [kind, other] if kind != other => {
                        Ok(When::Flap { kind: *kind, opposite: Some(*other), at_least, within })
                    }
                    _ => Err(self.error("kinds", "allowed: one kind with phases, or a kind and its opposite")),
                }
            }
            Type::Sequence => self.sequence(raw),
            Type::Absence => {
                let kinds = self.kinds(raw.expect.map(|expect| expect.kinds), "expect.kinds")?;
                let duty = raw.duty.unwrap_or_default().into();
                Ok(When::Absence { kinds, duty, grace: raw.grace.unwrap_or(Span::ZERO).max(Span::ZERO) })
            }
            Type::Silence => self.silence(raw),
            Type::Baseline => self.baseline(raw),
            Type::Value => Ok(When::Value { kinds: self.kinds(raw.kinds, "kinds")? }),
        }
    }

    fn window(&self, raw: &RuleText) -> Result<(usize, Span), RuleError> {
        let at_least = raw.at_least.unwrap_or(0);
        if !(2..=MOST_COUNTED).contains(&at_least) {
            return Err(self.error("at_least", format!("allowed: 2 to {MOST_COUNTED}")));
        }
        Ok((at_least, self.positive(raw.within, "within")?))
    }

    fn sequence(&self, raw: RuleText) -> Result<When, RuleError> {
        let within = self.positive(raw.within, "within")?;
        let first = raw.first.ok_or_else(|| self.error("first", "needed"))?;
        let (second, key, without) = match (raw.then, raw.without) {
            (Some(then), None) => (then, "then", false),
            (None, Some(without)) => (without, "without", true),
            _ => return Err(self.error("then", "exactly one of then and without")),
        };
        Ok(When::Sequence { first: self.step(first, "first")?, second: self.step(second, key)?, without, within })
    }

    fn silence(&self, raw: RuleText) -> Result<When, RuleError> {
        let devices: Vec<Arc<str>> = raw.devices.unwrap_or_default().iter().map(|kind| kind.as_str().into()).collect();
        if devices.is_empty() {
            return Err(self.error("devices", "must name at least one kind of device"));
        }
        let of = raw.of.unwrap_or(Of::Device);
        let limit = match (raw.after, raw.missed, raw.learnt) {
            (None, None, Some(learnt)) => Limit::Learnt(self.learnt(of, learnt)?),
            (Some(after), None, None) => Limit::After(self.positive(Some(after), "after")?),
            (None, Some(missed), None) if (1..=1_000).contains(&missed) => Limit::Missed(missed),
            (None, Some(_), None) => return Err(self.error("missed", "allowed: 1 to 1000")),
            _ => return Err(self.error("after", "exactly one of after, missed and learnt")),
        };
        Ok(When::Silence { of, devices, limit })
    }

    fn learnt(&self, of: Of, text: LearntText) -> Result<Learnt, RuleError> {
        if of != Of::Device {
            return Err(self.error("learnt", "belongs to `of: device`: a place has no rhythm of its own"));
        }
        let (a_year, factor) = (text.a_year.unwrap_or(0.5), text.factor.unwrap_or(1.5));
        if !(0.001..=100.0).contains(&a_year) {
            return Err(self.error("learnt.a_year", "allowed: 0.001 to 100"));
        }
        if !(1.0..=100.0).contains(&factor) {
            return Err(self.error("learnt.factor", "allowed: 1 to 100"));
        }
        let least = self.positive(text.least.or(Some(Span::from_secs(300))), "learnt.least")?;
        Ok(Learnt { a_year, factor, least })
    }

    fn baseline(&self, raw: RuleText) -> Result<When, RuleError> {
        let slot = self.positive(raw.slot, "slot")?;
        if slot < Span::from_secs(300) || slot > Span::from_secs(86_400) || WEEK.as_micros() % slot.as_micros() != 0 {
            return Err(self.error("slot", "allowed: 5m to 24h, a whole part of a week"));
        }
        let alpha = raw.alpha.unwrap_or(1e-5);
        if !(1e-12..=0.1).contains(&alpha) {
            return Err(self.error("alpha", "allowed: 1e-12 to 0.1"));
        }
        let min_weeks = raw.min_weeks.unwrap_or(3);
        if !(1..=8).contains(&min_weeks) {
            return Err(self.error("min_weeks", "allowed: 1 to 8"));
        }
        let late = raw.late.unwrap_or(Span::from_secs(60));
        Ok(When::Baseline {
            kinds: self.kinds(raw.kinds, "kinds")?,
            settings: Baseline { slot, min_weeks, alpha, late: late.max(Span::ZERO) },
        })
    }
}

/// True when the detector of the rule says in words why.
fn explains(raw: &RuleText) -> bool {
    matches!(raw.when, Type::Baseline | Type::Value) || raw.learnt.is_some()
}

/// One condition per (device, channel, kind, zone) for what happens at once; one per place for the rest.
fn default_by(of: Type) -> Vec<By> {
    match of {
        Type::Immediate => vec![By::Kind, By::Device, By::Channel, By::Zone],
        Type::Value => vec![By::Device, By::Channel, By::Zone],
        Type::Flap => vec![By::Device, By::Channel],
        Type::Count | Type::Sequence | Type::Absence | Type::Silence | Type::Baseline => Vec::new(),
    }
}
