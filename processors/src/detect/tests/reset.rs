//! A panel that is reset ends the alarms of all its parts.

use std::sync::Arc;

use chorus_model::{AnomalyStatus, Event, Kind, Phase};

use super::{FAULT, Log, event, resolved};

#[test]
fn a_panel_that_is_reset_ends_every_alarm_of_its_parts_and_a_system_those_of_its_own() {
    let alarm = |device: &str, channel: Option<&str>, zone: Option<&str>, secs: i64| {
        let mut event = event(device, Kind::GateFault, secs);
        event.device.channel = channel.map(Arc::from);
        Event { phase: Phase::Start, zone: zone.map(str::to_owned), ..event }
    };
    let reset = |flag: &'static str, event: Event| Event { phase: Phase::End, flags: vec![flag.into()], ..event };
    let mut log = Log::new(FAULT);
    for (device, channel, zone) in
        [("gate-1", "1.1", "1.7"), ("gate-1", "1.1", "1.8"), ("gate-1", "1.10", "1.7"), ("gate-2", "1.1", "1.7")]
    {
        log.event(&alarm(device, Some(channel), Some(zone), 10));
    }
    log.event(&Event { is_test: true, ..alarm("gate-1", Some("1.1"), Some("1.9"), 10) });
    log.told();
    log.event(&reset("place_unresolved", alarm("gate-1", None, None, 20)));
    assert_eq!(log.told(), [], "an end is of what it names");
    log.event(&reset("reset", alarm("gate-1", Some("1.1"), None, 30)));
    let ended = |log: &mut Log| -> Vec<String> {
        assert!(log.found.iter().all(|anomaly| anomaly.status == AnomalyStatus::Resolved && !anomaly.is_test));
        log.found.drain(..).map(|anomaly| anomaly.condition).collect()
    };
    let condition = |rest: &str| format!("fault|v1|gate.fault|{rest}");
    assert_eq!(ended(&mut log), [condition("gate-1|1.1|1.7"), condition("gate-1|1.1|1.8")]);
    log.event(&reset("cleared", alarm("gate-1", None, None, 40)));
    assert_eq!(ended(&mut log), [condition("gate-1|1.10|1.7")]);
    log.event(&reset("reset", alarm("gate-1", None, None, 50)));
    assert_eq!(log.told(), [], "nothing is open there");
    log.event(&Event { phase: Phase::End, ..alarm("gate-2", Some("1.1"), Some("1.7"), 60) });
    assert_eq!(log.told(), [resolved("fault", 1.0)]);
}
