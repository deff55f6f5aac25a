//! The request that a terminal sends: its line, and its body's lines of fields.

use std::borrow::Cow;

use super::super::http;

/// What a request is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Subject {
    /// Events as they happen, one a line.
    Events,
    /// Events that were stored.
    Stored,
    /// A statement of doors, relays and alarms.
    State,
    /// Attendance: positional fields, and no word on how the attempt ended.
    Attendance,
    /// A sign of life.
    Poll,
    /// The terminal introduces itself.
    Hello,
    /// Known, and no safety event.
    Filtered(&'static str),
    /// Not known.
    Unknown,
}

/// A request, as far as it is read.
pub(super) struct Request<'a> {
    pub(super) serial: Option<&'a str>,
    pub(super) subject: Subject,
    pub(super) body: &'a str,
}

impl<'a> Request<'a> {
    /// Reads a recorded request, or a body alone.
    pub(super) fn of(text: &'a str) -> Self {
        let text = text.trim_start();
        let (line, rest) = text.split_once('\n').unwrap_or((text, ""));
        let mut words = line.split_ascii_whitespace();
        let (method, target) = match (words.next(), words.next()) {
            (Some(method @ ("GET" | "POST" | "PUT")), Some(target)) => (method, target),
            // The target alone, as relays write it.
            (Some(target), _) if target.starts_with("/iclock/") => ("POST", target),
            _ => return Self { serial: None, subject: subject_of_body(text), body: text },
        };
        let (path, query) = target.split_once('?').unwrap_or((target, ""));
        let member = |name: &str| {
            let mut members = query.split('&').filter_map(|member| member.split_once('='));
            members.find(|(key, _)| key.eq_ignore_ascii_case(name)).map(|(_, value)| value.trim())
        };
        let body = body(rest);
        let subject = subject_of_path(method, path, member("table"), member("tablename"), body);
        Self { serial: member("SN"), subject, body }
    }
}

/// What stands behind the blank line; everything, when nothing before it looks like a header.
fn body(rest: &str) -> &str {
    if rest.starts_with('\n') || rest.starts_with("\r\n") {
        return rest.trim_start();
    }
    match http::body_start(rest.as_bytes()).and_then(|start| rest.get(start..)) {
        Some(body) => body,
        None if rest.lines().next().is_some_and(|line| line.contains('=')) => rest,
        None => "",
    }
}

fn subject_of_path(method: &str, path: &str, table: Option<&str>, name: Option<&str>, body: &str) -> Subject {
    let last = path.rsplit('/').find(|part| !part.is_empty()).unwrap_or_default().to_ascii_lowercase();
    match last.trim_end_matches(".aspx") {
        "getrequest" | "ping" => Subject::Poll,
        "cdata" if method == "GET" => Subject::Hello,
        "registry" => Subject::Hello,
        "cdata" => subject_of_table(table, name, body),
        "devicecmd" => Subject::Filtered("command_result"),
        "querydata" if name.is_some_and(|name| name.eq_ignore_ascii_case("transaction")) => Subject::Stored,
        "querydata" => Subject::Filtered("roster"),
        "push" | "exchange" | "rtdata" | "login" => Subject::Filtered("handshake"),
        "fdata" | "edata" | "file" => Subject::Filtered("picture"),
        _ => Subject::Unknown,
    }
}

fn subject_of_table(table: Option<&str>, name: Option<&str>, body: &str) -> Subject {
    match table.unwrap_or_default().to_ascii_lowercase().as_str() {
        "rtlog" => Subject::Events,
        "rtstate" => Subject::State,
        "attlog" => Subject::Attendance,
        "transaction" => Subject::Stored,
        "tabledata" if name.is_some_and(|name| name.eq_ignore_ascii_case("transaction")) => Subject::Stored,
        "tabledata" if name.is_some_and(|name| name.eq_ignore_ascii_case("errorlog")) => {
            Subject::Filtered("device_log")
        }
        "tabledata" | "user" | "userinfo" | "biodata" | "fingertmp" | "templatev10" | "face" | "idcard"
        | "identitycard" => Subject::Filtered("roster"),
        "operlog" => Subject::Filtered("operator_log"),
        "options" => Subject::Filtered("options"),
        "attphoto" | "biophoto" | "userpic" => Subject::Filtered("picture"),
        "errorlog" => Subject::Filtered("device_log"),
        "" => subject_of_body(body),
        _ => Subject::Unknown,
    }
}

/// What lines are about that come without a request.
fn subject_of_body(body: &str) -> Subject {
    let Some(line) = body.lines().find(|line| !line.trim().is_empty()) else { return Subject::Unknown };
    let row = Row::of(line);
    let has = |name: &str| row.get(name).is_some();
    if has("eventtype") && (has("time_second") || has("doorid")) {
        return Subject::Stored;
    }
    if has("eventaddr") || (has("event") && has("time")) {
        return Subject::Events;
    }
    if has("sensor") || has("relay") {
        return Subject::State;
    }
    if line.starts_with("OPLOG") {
        return Subject::Filtered("operator_log");
    }
    if ["USER ", "FP ", "FACE ", "BIODATA "].iter().any(|word| line.starts_with(word)) {
        return Subject::Filtered("roster");
    }
    let is_time = |text: &str| text.len() == 19 && text.as_bytes().get(4) == Some(&b'-');
    if line.split('\t').nth(1).is_some_and(is_time) { Subject::Attendance } else { Subject::Unknown }
}

/// One line of fields, `key=value` apart by tabs; one firmware takes commas.
pub(super) struct Row<'a>(Vec<(Cow<'a, str>, &'a str)>);

impl<'a> Row<'a> {
    /// The most fields of a line.
    const MAX_FIELDS: usize = 64;

    pub(super) fn of(line: &'a str) -> Self {
        let line = line.trim_matches(['\r', '\n', ' ']);
        let apart = if line.contains('\t') { Some('\t') } else { Some(',').filter(|comma| line.contains(*comma)) };
        let fields: Vec<&str> = match apart {
            Some(apart) => line.split(apart).take(Self::MAX_FIELDS).collect(),
            None => apart_by_blanks(line),
        };
        let fields = fields.into_iter().filter_map(|field| field.split_once('='));
        // A stored event begins with the name of its table.
        let named = |(key, value): (&'a str, &'a str)| {
            let key = key.trim().rsplit(' ').next().unwrap_or_default();
            let is_lower = !key.bytes().any(|byte| byte.is_ascii_uppercase());
            (if is_lower { Cow::Borrowed(key) } else { Cow::Owned(key.to_ascii_lowercase()) }, value.trim())
        };
        Self(fields.map(named).collect())
    }

    pub(super) fn get(&self, name: &str) -> Option<&'a str> {
        self.0.iter().find(|(key, _)| key == name).map(|(_, value)| *value).filter(|value| !value.is_empty())
    }

    pub(super) fn integer(&self, name: &str) -> Option<i64> {
        self.get(name)?.parse().ok()
    }

    pub(super) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

/// The fields of a line whose tabs became blanks: a field begins at a word with an equals sign, and a time has a blank within.
fn apart_by_blanks(line: &str) -> Vec<&str> {
    let mut starts: Vec<usize> = Vec::new();
    let mut at = 0;
    for word in line.split_inclusive(' ') {
        if word.contains('=') && starts.len() < Row::MAX_FIELDS {
            starts.push(at);
        }
        at += word.len();
    }
    let ends = starts.iter().skip(1).copied().chain([line.len()]);
    starts.iter().zip(ends).filter_map(|(start, end)| line.get(*start..end)).map(str::trim).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_row_is_apart_by_tabs_or_by_commas() {
        for line in [
            "time=2026-11-24 08:00:00\tPin=7\tevent=0",
            "time=2026-11-24 08:00:00,pin=7,event=0\r",
            "time=2026-11-24 08:00:00 pin=7  event=0",
        ] {
            let row = Row::of(line);
            assert_eq!(
                (row.get("time"), row.integer("pin"), row.integer("event")),
                (Some("2026-11-24 08:00:00"), Some(7), Some(0))
            );
        }
        assert_eq!(Row::of("transaction cardno=1\tpin=7").get("cardno"), Some("1"));
    }

    #[test]
    fn a_request_is_known_by_its_path_and_table() {
        let subject = |text: &str| Request::of(text).subject;
        assert_eq!(subject("GET /iclock/getrequest?SN=1 HTTP/1.1\r\n\r\n"), Subject::Poll);
        assert_eq!(subject("POST /iclock/cdata?SN=1&table=RTLOG HTTP/1.1\r\n\r\nx"), Subject::Events);
        assert_eq!(subject("GET /iclock/cdata?SN=1&options=all HTTP/1.1\r\n\r\n"), Subject::Hello);
        assert_eq!(subject("POST /other HTTP/1.1\r\n\r\n"), Subject::Unknown);
    }
}
