//! What the benchmarks of this room share.

use std::sync::Arc;
use std::time::Duration;

use chorus_model::event::SCHEMA_VERSION;
use chorus_model::{
    Device, DeviceScheme, Event, Integrity, Kind, Phase, PlaceKind, PlaceRef, SeveritySource, TimeQuality, Timestamp,
};

/// The feeds, each of which is that of the places of the same number.
pub(crate) const FEEDS: [&str; 5] = ["school", "hospital", "gate", "camera", "grid"];
/// Sorts of places.
pub(crate) const PLACES: [PlaceKind; 5] =
    [PlaceKind::School, PlaceKind::Hospital, PlaceKind::Village, PlaceKind::Street, PlaceKind::Community];

/// A pulse of a device at a place, received as it happens.
pub(crate) fn event(
    event_id: String,
    device: (String, &str),
    place: (String, PlaceKind, &str),
    kind: Kind,
    at: Timestamp,
) -> Event {
    let ((device, device_kind), (place, place_kind, division)) = (device, place);
    Event {
        schema_version: SCHEMA_VERSION,
        event_id,
        source_format: "chorus".into(),
        source_id: None,
        native_id: None,
        native_seq: None,
        device: Device {
            id: device.into(),
            scheme: DeviceScheme::Own,
            channel: None,
            kind: Some(Arc::from(device_kind)),
        },
        place: PlaceRef {
            id: Some(place.into()),
            kind: place_kind,
            division_code: Some(division.into()),
            resolved: true,
        },
        kind,
        phase: Phase::Pulse,
        object_class: None,
        count: (kind == Kind::CrowdDensity).then_some(3),
        outcome: None,
        zone: None,
        severity: kind.default_severity(),
        severity_source: SeveritySource::Type,
        event_time: Some(at),
        time_precision: None,
        time_quality: TimeQuality::Zoned,
        assumed_zone: None,
        received_at: at,
        produced_at: None,
        is_replay: false,
        is_test: false,
        integrity: Integrity::Unchecked,
        geo: None,
        subject_ref: None,
        pii_dropped: Vec::new(),
        raw_ref: None,
        flags: Vec::new(),
    }
}

/// Numbers below a bound, the same in every run.
pub(crate) fn random(mut seed: u64) -> impl FnMut(usize) -> usize {
    move |below| {
        seed = seed.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        usize::try_from(seed >> 33).unwrap() % below
    }
}

/// Processor time of this thread so far.
pub(crate) fn cpu() -> Duration {
    let text = std::fs::read_to_string("/proc/thread-self/schedstat").unwrap();
    Duration::from_nanos(text.split(' ').next().unwrap().parse().unwrap())
}
