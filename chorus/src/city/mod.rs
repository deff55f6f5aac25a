//! The simulated city of `chorus demo` and `make city-kafka`: Nanchang's districts with schools, hospitals, villages,
//! cameras and grid workers that are made up, and what their devices send, in the real wire formats.
//!
//! The city is a pure function of its seed and of the instants that it is asked about: it reads no clock, and the same seed,
//! start and span give the same bytes, however the span is cut. The background of a normal day raises no alert under sane
//! rules; the script does, at fixed seconds after the start:
//!
//! | second | what | how |
//! |---|---|---|
//! | 1–10 | every community but one reports that all is safe | `chorus`, feed `grid` |
//! | 5 | all gates of one village fall silent, for good | no heartbeats any more |
//! | 6 | a panic button at a school | SIA DC-09, Contact ID 1120; restored after two minutes |
//! | 8 | a door of a hospital is forced | ISAPI 5/27, feed `hospital` |
//! | 12 | something enters a guarded area of that hospital | GB/T 28181 5/6, feed `camera`; left after two minutes |
//! | 14 | the all-clear of the one community is due | [`City::roster_yaml`] |
//! | 60, then every 45 | a further incident, of a dozen kinds | each ends where its format can say so |
//!
//! Plates, cards, names and accounts are numbers that cannot exist.

mod background;
mod incident;
mod names;
mod nonsense;
mod random;
mod registry;
mod rhythm;
mod roster;
mod script;
mod speak;
#[cfg(test)]
mod tests;
mod wire;
mod world;

use std::collections::VecDeque;

use chorus_model::Timestamp;

use self::background::Background;
use self::rhythm::Rhythm;
use self::script::Script;
use self::world::World;

/// One raw record, as a connector would write it to the topic `raw.` and its feed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RawRecord {
    /// When the connector receives it.
    pub at: Timestamp,
    /// The feed: `school`, `hospital`, `gate`, `camera` or `grid`.
    pub feed: &'static str,
    /// The key on Kafka: the device, so that what it says keeps its order.
    pub key: String,
    /// The header `format`.
    pub format: &'static str,
    /// The header `source`: the connector.
    pub source: String,
    /// The payload.
    pub value: Vec<u8>,
    /// Deliberate nonsense: it is refused, or its device is not in the registry.
    pub broken: bool,
}

/// A scripted incident, so that a test or a summary can look for it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Expected {
    /// The id of its place.
    pub place: String,
    /// The kind of its first event; of a silence and an absence, the kind that a rule derives.
    pub kind: &'static str,
    /// What it is, for people.
    pub title: &'static str,
}

/// The city.
#[derive(Clone, Debug)]
pub struct City {
    world: World,
    background: Background,
    script: Option<Script>,
    /// The instant that was asked about first.
    start: Option<Timestamp>,
    /// Where the last answer ended.
    told_to: Timestamp,
    /// The first second, since the epoch, that is not yet in `ready`.
    next_second: i64,
    /// Made but not yet handed out.
    ready: VecDeque<RawRecord>,
}

impl City {
    /// The city of a seed, with its script, in the rhythm of Nanchang's wall clock.
    #[must_use]
    pub fn new(seed: u64) -> Self {
        let world = World::new(seed);
        Self {
            background: Background::new(seed, &world),
            script: Some(Script::new(seed, &world)),
            world,
            start: None,
            told_to: Timestamp::MIN,
            next_second: 0,
            ready: VecDeque::new(),
        }
    }

    /// The same city, its day beginning at `start_of_day` when it starts, with `speed` seconds of the day passing in one
    /// second. Only how much happens follows the day; devices always write the instant itself as their time.
    #[must_use]
    pub fn with_rhythm(mut self, start_of_day: jiff::civil::Time, speed: f64) -> Self {
        self.background.rhythm = Rhythm::from(start_of_day, speed);
        self
    }

    /// The same city with `load` times its traffic. Heartbeats stay as they are: 224 a second. At a load of 1 about 130 more
    /// come in the rush hour.
    #[must_use]
    pub fn with_load(mut self, load: f64) -> Self {
        self.background.load = load.max(0.0);
        self
    }

    /// The same city without incidents: every community reports, every gate speaks, nothing ever happens.
    #[must_use]
    pub fn calm(mut self) -> Self {
        self.script = None;
        self
    }

    /// What all devices send from `from` up to, but without, `to`, in order of time. The first `from` is the start that the
    /// script counts from. Spans that follow one another cost each second once.
    pub fn records(&mut self, from: Timestamp, to: Timestamp) -> Vec<RawRecord> {
        let start = *self.start.get_or_insert(from);
        if from != self.told_to {
            self.ready.clear();
            self.next_second = from.as_micros().div_euclid(1_000_000);
        }
        self.told_to = to.max(from);
        while self.next_second.saturating_mul(1_000_000) < to.as_micros() {
            self.make_second(start);
        }
        let count = self.ready.partition_point(|record| record.at < to);
        self.ready.drain(..count).filter(|record| record.at >= from).collect()
    }

    /// Makes what is sent in the next second.
    fn make_second(&mut self, start: Timestamp) {
        let second = self.next_second;
        self.next_second += 1;
        let mut made = Vec::new();
        self.background.second(&self.world, start, second, &mut made);
        match &self.script {
            Some(script) => {
                made.retain(|record| !script.silences(start, record));
                script.second(&self.world, start, second, &mut made);
            }
            None => script::all_safe(&self.world, start, None, second, &mut made),
        }
        // Stable, so that records of one instant keep the order in which they were made.
        made.sort_by_key(|record| record.at);
        self.ready.extend(made);
    }

    /// The incidents of the script, in the order of their seconds; empty for a calm city.
    #[must_use]
    pub fn expected(&self) -> Vec<Expected> {
        self.script.as_ref().map(|script| script.expected(&self.world)).unwrap_or_default()
    }
}
