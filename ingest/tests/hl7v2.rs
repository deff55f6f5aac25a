//! HL7 v2: the traps of the guide, our fixtures, the shared payloads, leaks, and bytes that no hospital ever sent.
#![allow(clippy::panic, clippy::unwrap_used, clippy::indexing_slicing, reason = "tests")]

mod wire;

use chorus_ingest::formats::hl7v2::NAME;
use chorus_ingest::observation::{DeviceTime, Observation, Piece, Reason};
use chorus_model::{DeviceScheme, Kind, Phase, Severity, SeveritySource, TimePrecision};
use wire::{events, fixture, one, rows};

fn read(bytes: &[u8]) -> Result<Vec<Piece>, Reason> {
    wire::read(NAME, bytes)
}

fn adt(trigger: &str, event: &str) -> String {
    format!("MSH|^~\\&|A|F|||202611240800||ADT^{trigger}|1|P|2.5\rEVN|{event}\rPV1|1|I|W1^2^3\r")
}

/// An alarm whose facets are given as `name=value`.
fn alarm(facets: &[(&str, &str)]) -> Observation {
    let facets: String =
        facets.iter().map(|(name, value)| format!("OBX|2|ST|0^{name}^MDC|1.1.1.1.2|{value}||||||F\r")).collect();
    one(read(
        format!(
            "MSH|^~\\&|A|F|||20261124||ORU^R40|1|P|2.6\rPV1|1|I|W1\rOBR|1|||196616^MDC_EVT_ALARM^MDC|||20261124080000\r\
             OBX|1|ST|196670^MDC_EVT_HI^MDC|1.1.1.1.1|x\r{facets}"
        )
        .as_bytes(),
    ))
}

#[test]
fn our_fixtures_read_as_they_are_meant() {
    let table: &[(&str, &[&str])] = &[
        ("admitted.hl7", &["occupancy.changed pulse WARD 7/GH 2026-11-24T00:00:00Z"]),
        ("transferred_own_delimiters.hl7", &["occupancy.changed pulse ICU/G&H local 2026-11-24T08:59:00"]),
        (
            "discharged_mllp_twice.hl7",
            &["occupancy.changed pulse WARD 7/GH local 2026-11-24T00:00:00", "filtered patient_record"],
        ),
        ("batch.hl7", &["filtered registration", "occupancy.changed pulse WARD 7/GH local 2026-11-24T11:01:00"]),
        ("batch_without_header.hl7", &["rejected missing_field"]),
        ("batch_empty.hl7", &["filtered empty_batch"]),
        (
            "alarm_start_and_other.hl7",
            &[
                "patient_device.alarm start ICU/GH 2026-11-24T04:00:00Z",
                "patient_device.alarm continue ICU/GH 2026-11-24T04:00:00Z",
            ],
        ),
        ("alarm_end.hl7", &["patient_device.alarm end ICU/GH 2026-11-24T04:05:00Z"]),
        (
            "alarm_as_result.hl7",
            &["patient_device.alarm start 6d1a2b3c-0000-4111-8222-933344445555 2026-11-24T04:00:00Z"],
        ),
        ("pump_alarm_in_value.hl7", &["patient_device.alarm start ICU 2026-11-24T05:00:00Z"]),
        ("alarm_without_order.hl7", &["patient_device.alarm end 00A0370000000001 2026-11-24T05:01:00Z"]),
        ("gateway_heartbeat.hl7", &["device.heartbeat pulse ICU/GH 2026-11-24T04:10:00Z"]),
        ("result.hl7", &["filtered observation"]),
        ("answer.hl7", &["filtered answer"]),
        ("order.hl7", &["filtered clinical_record"]),
        ("ward_gb18030.hl7", &["occupancy.changed pulse 心内科一病区 local 2026-11-24T14:00:00"]),
        ("ward_latin.hl7", &["occupancy.changed pulse Santé local 2026-11-24T14:00:00"]),
    ];
    wire::check_fixtures(NAME, NAME, table);
}

#[test]
fn the_shared_payloads_read_as_they_are_meant() {
    let table: &[(&str, &[&str])] = &[
        ("adt_a01_uhn_emergency.hl7", &["occupancy.changed pulse ZFAST TRACK local 2001-05-23T19:27:00"]),
        ("oru_r40_draeger_watchdog.hl7", &["device.heartbeat pulse TAM/SC8 2019-11-05T17:39:41Z"]),
        ("pyhl7_sample_bad_batch.hl7", &["rejected missing_field"]),
        ("pyhl7_sample_batch.hl7", &["filtered registration"]),
        ("pyhl7_sample_hl7.hl7", &["filtered observation"]),
    ];
    wire::check_shared(NAME, NAME, table);
}

#[test]
fn only_what_moves_somebody_in_or_out_of_a_bed_is_an_event() {
    for trigger in ["A01", "A02", "A03", "A06", "A07", "A11", "A12", "A13", "A21", "A22", "A52", "A53"] {
        let moved = one(read(adt(trigger, "").as_bytes()));
        assert_eq!((moved.kind, moved.device_id.as_str()), (Kind::OccupancyChanged, "W1"), "{trigger}");
        assert_eq!(moved.flags.len(), 2, "{trigger}");
    }
    for (trigger, want) in [
        ("A04", "filtered registration"),
        ("A05", "filtered planned"),
        ("A08", "filtered patient_record"),
        ("A09", "filtered tracking"),
        ("A20", "filtered bed_status"),
        ("A24", "filtered patient_record"),
        ("A40", "filtered patient_record"),
        ("Z99", "rejected unknown_code"),
    ] {
        assert_eq!(rows(&read(adt(trigger, "").as_bytes())), [want], "{trigger}");
    }
    // Old senders name the trigger in EVN alone.
    assert_eq!(one(read(adt("", "A03|202611240755").as_bytes())).flags, ["discharged"]);
    assert_eq!(rows(&read(adt("", "").as_bytes())), ["rejected missing_field"]);
    for (kind, want) in [("", "rejected missing_field"), ("QBP", "filtered query"), ("XYZ", "rejected unknown_code")] {
        assert_eq!(rows(&read(format!("MSH|^~\\&|||||||{kind}|1|P|2.5\r").as_bytes())), [want]);
    }
}

#[test]
fn an_alarms_phase_is_told_or_follows_from_its_state() {
    for (phase, state, want) in [
        ("start", "active", Phase::Start),
        ("start", "inactive", Phase::Start),
        ("continue", "active", Phase::Continue),
        ("update", "active", Phase::Continue),
        ("escalate", "", Phase::Continue),
        ("update", "inactive", Phase::End),
        ("end", "active", Phase::End),
        ("end", "latched", Phase::End),
        ("", "active", Phase::Start),
        ("", "latched", Phase::End),
        ("tpoint", "", Phase::Pulse),
        ("", "", Phase::Pulse),
    ] {
        let read = alarm(&[("MDC_ATTR_EVENT_PHASE", phase), ("MDC_ATTR_ALARM_STATE", state)]);
        assert_eq!(read.phase, want, "{phase} {state}");
    }
}

#[test]
fn severity_is_the_priority_and_the_type_is_a_remark() {
    for (priority, want) in [
        ("PH", Some((Severity::High, SeveritySource::Device))),
        ("PM", Some((Severity::Medium, SeveritySource::Device))),
        ("PL", Some((Severity::Low, SeveritySource::Device))),
        ("PN", Some((Severity::Info, SeveritySource::Device))),
        ("", None),
    ] {
        let read = alarm(&[("MDC_ATTR_ALARM_PRIORITY", priority), ("MDC_ATTR_ALERT_TYPE", "ST")]);
        assert_eq!((read.severity, read.flags), (want, vec!["technical"]), "{priority}");
    }
    let in_flags = wire::read(NAME, &fixture(NAME, "alarm_start_and_other.hl7")).unwrap();
    let alarms = events(&in_flags);
    assert_eq!(alarms[0].severity.map(|(severity, _)| severity), Some(Severity::High));
    assert_eq!(alarms[1].severity.map(|(severity, _)| severity), Some(Severity::Low));
}

#[test]
fn an_alarm_ends_where_it_began_and_two_limits_are_two_alarms() {
    let (began, over) =
        (read(&fixture(NAME, "alarm_start_and_other.hl7")).unwrap(), one(read(&fixture(NAME, "alarm_end.hl7"))));
    let began = events(&began);
    assert_eq!(began[0].zone.as_deref(), Some("196652/150456"));
    assert_eq!((&began[0].zone, &began[0].channel), (&over.zone, &over.channel));
    assert_ne!(began[0].zone, began[1].zone);
    assert_ne!(began[0].native_id, began[1].native_id);
    assert_eq!(began[0].native_seq, Some(7));
}

#[test]
fn an_alarm_that_says_in_its_value_which_it_is_is_that_one_and_a_pump_is_no_other_pump() {
    let pump = one(read(&fixture(NAME, "pump_alarm_in_value.hl7")));
    assert_eq!((pump.zone.as_deref(), pump.channel.as_deref()), (Some("196940"), Some("PUMP-17")));
    assert_eq!(pump.device_kind, Some("infusion_pump"));
    assert_eq!(pump.severity.map(|(severity, _)| severity), Some(Severity::High));
    let monitor = one(read(&fixture(NAME, "alarm_without_order.hl7")));
    assert_eq!((monitor.zone.as_deref(), monitor.flags), (Some("196680"), vec!["technical"]));
}

#[test]
fn a_measurement_is_no_alarm_even_in_a_message_for_alarms() {
    let message = |observation: &str| {
        format!("MSH|^~\\&|A|F|||20261124||ORU^R40|1|P|2.6\rOBR|1|||70929^MDC_DEV_HDIALY^MDC\r{observation}\r")
    };
    for (observation, want) in [
        ("OBX|1|NM|158776^MDC_HDIALY_BLD_PUMP_PRESS_VEN^MDC|1.1|120", "filtered observation"),
        ("OBX|1|ST|196670^MDC_EVT_LO^MDC|1.1|x", "patient_device.alarm pulse - local 2026-11-24T00:00:00"),
    ] {
        assert_eq!(rows(&read(message(observation).as_bytes())), [want]);
    }
    assert_eq!(rows(&read(b"MSH|^~\\&|A|F|||20261124||ORU^R40|1|P|2.6\r")), ["rejected missing_field"]);
}

#[test]
fn trap_01_a_time_is_as_it_is_written() {
    let unzoned = one(read(&fixture(NAME, "transferred_own_delimiters.hl7")));
    assert!(matches!(unzoned.time, DeviceTime::Local(_, TimePrecision::Minute)));
    let day = read(&fixture(NAME, "discharged_mllp_twice.hl7")).unwrap();
    assert!(matches!(events(&day)[0].time, DeviceTime::Local(_, TimePrecision::Date)));
    // The message's own time comes last, and is said to be that.
    let message = one(read(adt("A01", "A01").as_bytes()));
    assert_eq!(message.flags, ["admitted", "message_time"]);
    let late = one(read(adt("A01", "A01|202611230755").as_bytes()));
    assert_eq!(late.flags, ["admitted", "sent_late"]);
    let occurred = one(read(adt("A01", "A01|202611240755||||202611240700").as_bytes()));
    assert_eq!(occurred.time, DeviceTime::Local(jiff::civil::date(2026, 11, 24).at(7, 0, 0, 0), TimePrecision::Minute));
}

#[test]
fn trap_05_a_gateways_heartbeat_is_none_of_its_alarms() {
    let beat = one(read(&fixture(NAME, "gateway_heartbeat.hl7")));
    assert_eq!((beat.kind, beat.phase, beat.severity), (Kind::DeviceHeartbeat, Phase::Pulse, None));
    let urgent = String::from_utf8(fixture(NAME, "gateway_heartbeat.hl7")).unwrap().replace("|PN|", "|PH|");
    assert_eq!(one(read(urgent.as_bytes())).kind, Kind::PatientDeviceAlarm);
}

#[test]
fn trap_10_a_message_sent_again_has_the_same_identity() {
    let id = |bytes: &[u8]| one(read(bytes)).native_id;
    let bytes = fixture(NAME, "admitted.hl7");
    assert_eq!(id(&bytes), Some("GH/HIS/M-1001/20261124081530+0800/0".to_owned()));
    assert_eq!(id(&bytes), id(&[b"\x0b".as_slice(), &bytes, b"\x1c\r"].concat()));
    let nameless = adt("A01", "A01").replace("|1|P|", "||P|");
    assert_eq!(id(nameless.as_bytes()), None);
}

#[test]
fn trap_13_nothing_of_a_patient_leaves_any_fixture() {
    wire::check_leaks(NAME, NAME);
    let admitted = one(read(&fixture(NAME, "admitted.hl7")));
    assert_eq!(admitted.dropped, ["PID", "NK1", "PV1-7", "PV1-17", "PV1-19", "PV1-3", "DG1"]);
    assert_eq!((admitted.scheme, admitted.channel, admitted.zone), (DeviceScheme::Hl7Location, None, None));
    assert!(admitted.credential.is_none());
}

#[test]
fn tests_and_archives_are_said_to_be_that() {
    assert!(one(read(&fixture(NAME, "alarm_as_result.hl7"))).is_test);
    let mode = |mode: &str| one(read(adt("A01", "").replace("|P|", &format!("|{mode}|")).as_bytes()));
    for (written, is_test, is_replay) in
        [("P", false, false), ("D", true, false), ("P^R", false, true), ("P^T", false, false)]
    {
        assert_eq!((mode(written).is_test, mode(written).is_replay), (is_test, is_replay), "{written}");
    }
}

#[test]
fn trap_16_a_message_that_cannot_be_read_costs_only_itself() {
    let record = [adt("A01", ""), "MSH|".to_owned(), "\r".to_owned(), adt("A03", "")].concat();
    let read = read(record.as_bytes()).unwrap();
    assert_eq!(events(&read).len(), 2);
    assert!(matches!(read[1], Piece::Rejected(Reason::MissingField)));
    let open = one(wire::read(NAME, format!("\u{b}{}", adt("A01", "")).as_bytes()));
    assert_eq!(open.flags.last(), Some(&"block_open"));
    assert_eq!(wire::read(NAME, b"PID|1").unwrap_err(), Reason::NotThisFormat);
}

#[test]
fn no_bytes_make_it_panic() {
    wire::mutate(NAME, NAME);
}
