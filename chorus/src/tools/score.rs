//! `chorus score`: a statistical detector over a file of rows, the same code that looks at events live.

use std::io::{BufWriter, Read, Write};
use std::path::{Path, PathBuf};

use anyhow::Context as _;
use chorus_processors::detect::counts::Counts;
use chorus_processors::detect::reserved::Reserved;
use chorus_processors::detect::values::Values;
use jiff::civil::DateTime;

use crate::exit::Exit;

/// Which detector.
#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
pub enum Kind {
    /// People in and out, passages, arrivals.
    Counts,
    /// Density, temperature, occupancy, load.
    Values,
    /// Which kind of vehicle passes which gate.
    Passages,
}

/// What was asked for.
#[derive(Clone, Debug, clap::Args)]
pub struct Arguments {
    /// The detector.
    #[arg(long)]
    pub kind: Kind,
    /// The column of the numbers; with `passages`, that of the gates.
    #[arg(long, value_name = "NAME", default_value = "value")]
    pub column: String,
    /// With `passages`: the column of the kinds of vehicles.
    #[arg(long, value_name = "NAME", default_value = "kind")]
    pub by: String,
    /// Adds columns that say why, in Chinese and in English.
    #[arg(long)]
    pub explain: bool,
    /// A CSV file with a header row and a column `timestamp`; an empty number is missing; `-` for standard input.
    pub file: PathBuf,
}

/// Prints `timestamp,score`, one row for every row of the file. A row depends on the rows before it alone.
///
/// # Errors
/// A column that is not there is wrong usage; so is a row that cannot be read, with its line.
pub fn run(arguments: &Arguments) -> Result<(), Exit> {
    let name = arguments.file.display().to_string();
    let input: Box<dyn Read> = if arguments.file == Path::new("-") {
        Box::new(std::io::stdin().lock())
    } else {
        let file = std::fs::File::open(&arguments.file);
        Box::new(file.map_err(|error| Exit::Failed(anyhow::anyhow!("{name}: {error}")))?)
    };
    let out = BufWriter::new(std::io::stdout().lock());
    score(arguments, &name, input, out)
}

fn score(arguments: &Arguments, name: &str, input: impl Read, out: impl Write) -> Result<(), Exit> {
    let mut rows = csv::ReaderBuilder::new().trim(csv::Trim::All).from_reader(input);
    let header = rows.headers().with_context(|| name.to_owned())?.clone();
    let index = |column: &str| {
        let known = header.iter().map(|name| name.trim_start_matches('\u{feff}'));
        known.clone().position(|name| name == column).ok_or_else(|| {
            let known: Vec<&str> = known.collect();
            Exit::usage(format!("{name}: line 1: no column {column}, there are: {}", known.join(", ")))
        })
    };
    let (time, number) = (index("timestamp")?, index(&arguments.column)?);
    let by = if arguments.kind == Kind::Passages { Some(index(&arguments.by)?) } else { None };
    let mut detector = detector(arguments.kind);
    let mut out = csv::Writer::from_writer(out);
    let columns: &[&str] =
        if arguments.explain { &["timestamp", "score", "zh", "en"] } else { &["timestamp", "score"] };
    out.write_record(columns).map_err(anyhow::Error::from)?;
    let mut row = csv::StringRecord::new();
    loop {
        let line = rows.position().line();
        match rows.read_record(&mut row) {
            Ok(true) => {}
            Ok(false) => break,
            Err(error) => return Err(Exit::Failed(anyhow::anyhow!("{name}: line {line}: {error}"))),
        }
        let line = row.position().map_or(line, csv::Position::line);
        let wrong = |what: &str, text: &str| Exit::Failed(anyhow::anyhow!("{name}: line {line}: {what}: {text:?}"));
        let text = row.get(time).unwrap_or_default();
        let at = wall_time(text).ok_or_else(|| wrong("not a time", text))?;
        let cell = row.get(number).unwrap_or_default();
        let (score, why) = match &mut detector {
            Detector::Counts(counts) => {
                let verdict = counts.row(at, parse(cell).map_err(|()| wrong("not a number", cell))?);
                (verdict.score, verdict.why.map(|why| why.text()))
            }
            Detector::Values(values) => {
                let verdict = values.row(at, parse(cell).map_err(|()| wrong("not a number", cell))?);
                (verdict.score, verdict.why.map(|why| why.text()))
            }
            Detector::Passages(reserved) => {
                let kind = by.and_then(|by| row.get(by)).unwrap_or_default();
                let verdict = reserved.passage(cell, kind);
                (verdict.score, verdict.why.map(|why| why.text()))
            }
        };
        let score = format!("{score:.6}");
        if arguments.explain {
            let why = why.unwrap_or_default();
            out.write_record([text, &score, &why.zh, &why.en]).map_err(anyhow::Error::from)?;
        } else {
            out.write_record([text, &score]).map_err(anyhow::Error::from)?;
        }
    }
    out.flush()?;
    Ok(())
}

/// The state of the detector that was asked for.
enum Detector {
    Counts(Box<Counts>),
    Values(Box<Values>),
    Passages(Reserved),
}

fn detector(kind: Kind) -> Detector {
    match kind {
        Kind::Counts => Detector::Counts(Box::default()),
        Kind::Values => Detector::Values(Box::default()),
        Kind::Passages => Detector::Passages(Reserved::new()),
    }
}

/// Empty and `nan` are missing.
fn parse(text: &str) -> Result<Option<f64>, ()> {
    if text.is_empty() || text.eq_ignore_ascii_case("nan") {
        return Ok(None);
    }
    text.parse().ok().filter(|number: &f64| number.is_finite()).map(Some).ok_or(())
}

/// The local wall time as written, in seconds: people live by the clock on the wall, whatever its zone.
fn wall_time(text: &str) -> Option<i64> {
    let zoned = text.find(['Z', 'z', '+', '[']).or_else(|| text.get(11..)?.find('-').map(|index| index + 11));
    let civil = text.get(..zoned.unwrap_or(text.len()))?.trim();
    let at: DateTime = civil.parse().ok()?;
    Some(jiff::tz::TimeZone::UTC.to_timestamp(at).ok()?.as_second())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn scored(kind: Kind, column: &str, text: &str) -> Result<String, String> {
        let file = PathBuf::from("x.csv");
        let arguments = Arguments { kind, column: column.to_owned(), by: "kind".to_owned(), explain: false, file };
        let mut out = Vec::new();
        score(&arguments, "x.csv", text.as_bytes(), &mut out).map_err(|exit| format!("{} {exit}", exit.code()))?;
        Ok(String::from_utf8(out).unwrap())
    }

    #[test]
    fn every_row_has_its_score_and_keeps_its_timestamp() {
        let text =
            "timestamp,in\n2014-04-01 00:00:00,1\n2014-04-01T00:30:00,\n2014-04-01T01:00:00+08:00,3\n2014-04-02,nan\n";
        for kind in [Kind::Counts, Kind::Values] {
            let out = scored(kind, "in", text).unwrap();
            let first: Vec<&str> = out.lines().map(|line| line.split(',').next().unwrap()).collect();
            let times = ["2014-04-01 00:00:00", "2014-04-01T00:30:00", "2014-04-01T01:00:00+08:00", "2014-04-02"];
            assert_eq!(first, [&["timestamp"], &times[..]].concat());
        }
    }

    #[test]
    fn what_cannot_be_read_is_named_with_its_line() {
        let error = scored(Kind::Values, "value", "timestamp,value\n2014-04-01 00:00:00,1\n2014-04-01 00:05:00,x\n");
        assert_eq!(error.unwrap_err(), "1 x.csv: line 3: not a number: \"x\"");
        let error = scored(Kind::Values, "value", "timestamp,value\nyesterday,1\n");
        assert_eq!(error.unwrap_err(), "1 x.csv: line 2: not a time: \"yesterday\"");
        let error = scored(Kind::Values, "value", "timestamp,in,out\n");
        assert_eq!(error.unwrap_err(), "64 x.csv: line 1: no column value, there are: timestamp, in, out");
    }

    #[test]
    fn a_time_is_that_of_the_wall() {
        let noon = wall_time("2014-04-01 12:00:00").unwrap();
        for text in
            ["2014-04-01T12:00:00", "2014-04-01T12:00:00Z", "2014-04-01T12:00:00-07:00", "2014-04-01T12:00:00.25+08:00"]
        {
            assert_eq!(wall_time(text), Some(noon), "{text}");
        }
        assert_eq!(wall_time("2014-04-01"), Some(noon - 43_200));
        assert_eq!(wall_time("12:00"), None);
    }
}
