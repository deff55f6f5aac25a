//! Payload files to canonical events, without Kafka: `chorus normalize`.

use chorus_model::{Event, Timestamp};
use chorus_runtime::registry::Registry;

use crate::border::{self, Border, Receipt};
use crate::formats::{self, Format};
use crate::observation::{Piece, Raw, Reason};

/// What one part of a file became.
#[derive(Debug)]
pub enum Outcome {
    /// An event.
    Event(Box<Event>),
    /// No event, and why.
    Filtered(&'static str),
    /// Not readable, and why.
    Rejected(Reason),
}

/// Reads one payload as a record would be read.
#[must_use]
pub fn normalize(
    bytes: &[u8],
    format: Option<&'static Format>,
    file: &str,
    source: Option<&str>,
    received_at: Timestamp,
    border: &Border,
) -> Vec<Outcome> {
    let Some(format) = format.or_else(|| formats::sniff(bytes, formats::FORMATS.iter())) else {
        return vec![Outcome::Rejected(Reason::NotThisFormat)];
    };
    let raw = Raw { bytes, source: border::connector(source), strict: border.strict() };
    let mut pieces = Vec::new();
    let read = format.read(&raw, &mut pieces);
    let registry = Registry::default();
    let outcome = |(index, piece): (usize, Piece)| match piece {
        Piece::Filtered(why) => Outcome::Filtered(why),
        Piece::Rejected(reason) => Outcome::Rejected(reason),
        Piece::Event(seen) => {
            let origin = format!("{file}/0/0/{index}");
            let receipt = Receipt { format: format.name, source, received_at, origin: &origin };
            match border.admit(*seen, &receipt, &registry) {
                Ok(event) => Outcome::Event(Box::new(event)),
                Err(reason) => Outcome::Rejected(reason),
            }
        }
    };
    let mut outcomes: Vec<Outcome> = pieces.into_iter().enumerate().map(outcome).collect();
    outcomes.extend(read.err().map(Outcome::Rejected));
    outcomes
}
