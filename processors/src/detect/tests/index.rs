//! The index of rules leaves out nothing that looks at an event.

use super::*;

/// One rule of each combination of what is indexed.
fn rules() -> String {
    let mut text = "rules:\n".to_owned();
    for (n, kind) in ["door.forced", "gate.fault", "device.heartbeat"].iter().enumerate() {
        for place in ["village", "school", "other", "school, village"] {
            for feed in ["", "feed: gate, ", "feed: camera, "] {
                for condition in ["", "if: \"event.place.id == 'v1'\", ", "if: \"event.place.id == 'v2'\", "] {
                    let id = format!("{n}-{}", text.lines().count());
                    let summary = "summary: {zh: z, en: e}";
                    text += &format!(
                        "  - {{id: i{id}, when: immediate, kinds: [{kind}, door.held_open], places: [{place}], {feed}{condition}{summary}}}\n"
                    );
                }
                let id = format!("{n}-{}", text.lines().count());
                let device = ["gate", "camera", "gate, camera"][n];
                text += &format!(
                    "  - {{id: s{id}, when: silence, of: device, devices: [{device}], after: 1h, places: [{place}], {feed}summary: {{zh: z, en: e}}}}\n"
                );
            }
        }
    }
    text
}

#[test]
fn an_event_meets_just_the_rules_that_a_search_through_all_of_them_finds() {
    let setup = setup(&rules());
    let rules = Arc::clone(&setup.rules);
    let detector = Detector::new(setup, 0, 1);
    let env = Arc::new(::cel::Env::stdlib());
    let kinds = [
        Kind::DoorForced,
        Kind::DoorHeldOpen,
        Kind::DoorClosed,
        Kind::DeviceHeartbeat,
        Kind::DeviceOffline,
        Kind::FireAlarm,
    ];
    let mut met = 0;
    for kind in kinds {
        for place in [village("v1"), village("v2"), PlaceRef::default()] {
            for (device, feed) in [("gate-1", "gate"), ("camera-1", "camera"), ("door-1", ""), ("gate-1", "school")] {
                let event = Event { place: place.clone(), ..event(device, kind, 0) };
                let view = super::super::cel::View::new(&event, &env);
                let seen = super::super::seen::Seen::new(&event, None, &rules, &view);
                let found: Vec<_> =
                    detector.candidates(&rules, feed, &seen).iter().map(|rule| rule.id.to_string()).collect();
                let looks = |rule: &&super::super::rules::Rule| {
                    let own = rule.feed.as_deref();
                    let condition = rule.condition.as_ref().and_then(|condition| condition.place());
                    let is_heard = match &rule.when {
                        super::super::rules::When::Silence { devices, .. } => {
                            kind != Kind::DeviceOffline && devices.iter().any(|kind| device.starts_with(&**kind))
                        }
                        // A door that closes ends its standing open.
                        _ => rule.kinds().contains(&kind) || kind == Kind::DoorClosed,
                    };
                    is_heard
                        && rule.places.contains(&place.kind)
                        && (own.is_none() || own == Some(feed) || feed.is_empty())
                        && (condition.is_none() || condition == place.id.as_ref())
                };
                let expected: Vec<_> = rules.rules().iter().filter(looks).map(|rule| rule.id.to_string()).collect();
                assert_eq!(found, expected, "{kind} of {device} by {feed}");
                met += found.len();
            }
        }
    }
    assert!(met > 200, "{met}");
}
