//! The words of Chorus: event, anomaly, alert, place, device, time, origin, and their JSON.
//!
//! This room holds no I/O and reads no clock. Everything that crosses a topic or an HTTP face is declared here, so that
//! the JSON Schemas in `docs/schemas/` can be generated from the types themselves.
#![forbid(unsafe_code)]

pub mod alert;
pub mod anomaly;
pub mod canary;
pub mod cloudevents;
pub mod event;
mod event_json;
pub mod frontier;
pub mod id;
pub mod kind;
pub mod origin;
pub mod partition;
pub mod place;
mod rfc3339;
pub mod schema;
pub mod time;

pub use alert::{Alert, AlertPlace, AlertStatus, Incident, IncidentState, Reason};
pub use anomaly::{Anomaly, AnomalyStatus, Text, Together};
pub use event::{Device, DeviceScheme, Event, Geo, Integrity, Outcome, SeveritySource, TimePrecision, TimeQuality};
pub use frontier::{FrontierMark, FrontierTable, Passage};
pub use kind::{Kind, Phase, Severity};
pub use origin::{Origin, OriginFilter};
pub use place::{PlaceKind, PlaceRef};
pub use rfc3339::Rfc3339;
pub use time::{CITY_AHEAD, Span, Timestamp};
