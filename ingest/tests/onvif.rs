//! ONVIF: the traps of the guide, our fixtures, the shared payloads, leaks, and bytes that no device ever sent.
#![allow(clippy::panic, reason = "a test says what is wrong by panicking")]

mod wire;

use chorus_ingest::formats::{self, onvif::NAME};
use chorus_ingest::observation::{DeviceTime, Piece, Reason};
use chorus_model::{DeviceScheme, Kind, Outcome, Phase, TimePrecision};
use wire::{events, fixture, one, rows};

fn read(bytes: &[u8]) -> Result<Vec<Piece>, Reason> {
    wire::read(NAME, bytes)
}

/// A notification of a door, a video source or a rule.
fn message(topic: &str, operation: &str, source: &str, data: &str) -> String {
    let item = |text: &str| match text.split_once('=') {
        Some((name, value)) => format!("<tt:SimpleItem Name='{name}' Value='{value}'/>"),
        None => String::new(),
    };
    let operation = if operation.is_empty() { String::new() } else { format!("PropertyOperation='{operation}'") };
    format!(
        "<tt:MetadataStream><tt:Event><wsnt:NotificationMessage><wsnt:Topic>{topic}</wsnt:Topic><wsnt:Message>\
         <tt:Message UtcTime='2026-11-24T05:00:00Z' {operation}><tt:Source>{}</tt:Source><tt:Data>{}</tt:Data></tt:Message>\
         </wsnt:Message></wsnt:NotificationMessage></tt:Event></tt:MetadataStream>",
        item(source),
        item(data)
    )
}

#[test]
fn our_fixtures_read_as_they_are_meant() {
    let table: &[(&str, &[&str])] = &[
        (
            "notify_doors.xml",
            &[
                "door.forced start - 2026-11-24T01:00:00Z",
                "door.forced end - 2026-11-24T01:01:00Z",
                "door.held_open end - 2026-11-24T01:01:00Z",
                "door.held_open sync - 2026-11-24T01:02:00Z",
                "access.denied pulse - 2026-11-24T01:03:00Z",
                "access.granted pulse - 2026-11-24T01:04:00Z",
                "filtered access_request",
                "rejected unknown_code",
            ],
        ),
        (
            "axis_stream.xml",
            &[
                "intrusion.line start ab12cd34-0000-4bcd-8eef-001122334455 2026-11-24T02:00:00.500001Z",
                "intrusion.line start ab12cd34-0000-4bcd-8eef-001122334455 2026-11-24T02:00:00.500004Z",
                "camera.tamper sync - 2026-11-24T02:00:01Z",
                "intrusion.area end - 2026-11-24T02:00:02Z",
            ],
        ),
        ("frames.xml", &["filtered analytics_frame"]),
        ("empty_pull.xml", &["filtered no_notification"]),
        (
            "zeep_list.json",
            &[
                "object.detected start - 2026-11-24T03:00:00Z",
                "object.detected end - 2026-11-24T03:00:01Z",
                "vehicle.passed pulse - 2026-11-24T03:00:02Z",
                "count.flow pulse - 2026-11-24T03:00:03Z",
                "rejected missing_field",
            ],
        ),
        ("axis_mqtt_relay.json", &["gate.state start ac:cc:8e:00:00:01 2026-11-24T02:00:00.123Z"]),
    ];
    wire::check_fixtures(NAME, "onvif", table);
}

#[test]
fn the_shared_payloads_read_as_they_are_meant() {
    let table: &[(&str, &[&str])] = &[
        (
            "ajax_ajax_human_vehicle.json",
            &[
                "object.detected start - 2026-03-08T16:23:01.503234Z",
                "object.detected start - 2026-03-08T16:23:01.503234Z",
            ],
        ),
        ("ajax_ajax_motion_detector.json", &["motion.detected start - 2026-01-10T20:04:32Z"]),
        ("ajax_ajax_object_detector_cleared.json", &["object.detected end - missing"]),
        ("ajax_ajax_object_detector_human.json", &["object.detected sync - 2026-01-23T18:52:43Z"]),
        ("axis_daynight_init.xml", &["filtered video_state"]),
        ("axis_event_instances.xml", &["filtered no_notification"]),
        ("axis_first_message.xml", &["filtered no_notification"]),
        (
            "axis_motion_guard_init.xml",
            &["intrusion.area sync 755cc9bb-cf3a-410b-bd1b-0ec97c6d6256 2020-09-04T21:01:36.676377Z"],
        ),
        ("axis_mqtt_pir.json", &["motion.detected end - 2020-05-21T07:13:10.23Z"]),
        (
            "axis_object_analytics_init.xml",
            &["object.detected sync 4b2daa4c-507e-482c-8ae0-2068b1c1d875 2020-09-04T21:44:04.840805Z"],
        ),
        (
            "axis_pir_change.xml",
            &["motion.detected start 94fbe18e-0af8-40d2-8539-67b6ea550c6e 2019-03-12T23:48:28.425164Z"],
        ),
        (
            "axis_pir_init.xml",
            &["motion.detected sync 94fbe18e-0af8-40d2-8539-67b6ea550c6e 2019-03-12T23:48:26.371215Z"],
        ),
        (
            "axis_port_0_init.xml",
            &["input.changed sync 4205c5dc-6132-44ad-9aa5-52172e062d2b 2019-01-15T07:50:45.206264Z"],
        ),
        (
            "axis_vmd4_any_change.xml",
            &["motion.detected start 94fbe18e-0af8-40d2-8539-67b6ea550c6e 2019-03-13T00:03:30.256687Z"],
        ),
        (
            "axis_vmd4_c1p1_change.xml",
            &["motion.detected start 94fbe18e-0af8-40d2-8539-67b6ea550c6e 2019-03-13T00:03:30.256685Z"],
        ),
        ("generic_line_detector_crossed.json", &["intrusion.line sync - 2020-05-24T07:24:47Z"]),
        ("spec_metadatastream_motion.xml", &["motion.detected pulse - 2010-10-20T12:24:57.628Z"]),
        ("spec_vehicle_frames.xml", &["filtered analytics_frame"]),
        ("tapo_tapo_line_crossed.json", &["intrusion.line start - 2025-01-03T21:05:14Z"]),
        ("tapo_tapo_missing_attributes.json", &["object.detected pulse - missing"]),
        ("tapo_tapo_tpsmartevent_person.json", &["object.detected start - 2024-11-03T18:40:43Z"]),
        ("tapo_tapo_tpsmartevent_vehicle.json", &["object.detected start - 2024-11-02T00:33:11Z"]),
    ];
    wire::check_shared(NAME, "onvif", table);
}

#[test]
fn every_topic_of_the_guide_has_its_kind() {
    let table = [
        ("tns1:RuleEngine/LineDetector/Crossed", "ObjectId=1", Kind::IntrusionLine, Phase::Pulse),
        ("tns1:RuleEngine/FieldDetector/ObjectsInside", "IsInside=true", Kind::IntrusionArea, Phase::Start),
        ("tns1:RuleEngine/LoiteringDetector/ObjectIsLoitering", "ObjectId=1", Kind::Loitering, Phase::Pulse),
        ("tns1:RuleEngine/CellMotionDetector/Motion", "IsMotion=false", Kind::MotionDetected, Phase::End),
        ("tns1:RuleEngine/MotionRegionDetector/Motion", "State=true", Kind::MotionDetected, Phase::Start),
        ("tns1:RuleEngine/tnsajax:MotionDetector/Detection", "Detected=true", Kind::MotionDetected, Phase::Start),
        ("tns1:RuleEngine/CellMotionDetector/Tamper", "IsTamper=true", Kind::CameraTamper, Phase::Start),
        ("tns1:RuleEngine/PeopleDetector/People", "IsVehicle=true", Kind::ObjectDetected, Phase::Start),
        ("tns1:VideoSource/SignalLoss/MediaService", "State=true", Kind::VideoLoss, Phase::Start),
        ("tns1:RuleEngine/VehicleDetector/tnshik:Vehicle", "State=true", Kind::ObjectDetected, Phase::Start),
        ("tns1:Device/Trigger/tnshik:AlarmIn", "State=true", Kind::InputChanged, Phase::Start),
        ("tns1:VideoAnalytics/tnshik:MaskAlarm", "State=false", Kind::CameraTamper, Phase::End),
        ("tns1:UserAlarm/tnshik:IllegalAccess", "State=true", Kind::DeviceFault, Phase::Start),
        ("tns1:UserAlarm/VideoLost", "State=true", Kind::VideoLoss, Phase::Start),
        ("tns1:UserAlarm/IVA/HumanShapeDetect", "State=true", Kind::ObjectDetected, Phase::Start),
        ("tns1:Device/tnshik:Network/tnshik:EthernetBroken", "State=true", Kind::DeviceFault, Phase::Start),
        ("tns1:VideoSource/ImageTooBlurry/ImagingService", "State=false", Kind::CameraTamper, Phase::End),
        ("tns1:VideoSource/MotionAlarm", "State=true", Kind::MotionDetected, Phase::Start),
        ("tns1:Device/Trigger/DigitalInput", "LogicalState=true", Kind::InputChanged, Phase::Start),
        ("tns1:Device/Trigger/Relay", "LogicalState=inactive", Kind::GateState, Phase::End),
        ("tns1:Device/HardwareFailure/PowerSupplyFailure", "Failed=true", Kind::DeviceFault, Phase::Start),
        ("tns1:Device/HardwareFailure/TemperatureCritical", "Critical=true", Kind::EnvironmentAlarm, Phase::Start),
        ("tnsaxis:Storage/Alert", "alert=1", Kind::DeviceFault, Phase::Start),
        ("tns1:AccessControl/Duress/Credential", "", Kind::AccessDuress, Phase::Pulse),
        ("tns1:AccessControl/Denied/Anonymous", "", Kind::AccessDenied, Phase::Pulse),
        ("tns1:Door/State/DoorPhysicalState", "State=Open", Kind::DoorOpened, Phase::Pulse),
        ("tns1:Door/State/DoorPhysicalState", "State=Closed", Kind::DoorClosed, Phase::Pulse),
        ("tns1:Door/State/DoorAlarm", "State=DoorOpenTooLong", Kind::DoorHeldOpen, Phase::Start),
        ("tns1:Door/State/LockPhysicalState", "State=Unlocked", Kind::GateState, Phase::Start),
        ("tns1:Door/State/LockPhysicalState", "State=Locked", Kind::GateState, Phase::End),
        ("tns1:Door/State/DoorMode", "State=Blocked", Kind::GateState, Phase::End),
        ("tns1:Door/State/DoorTamper", "State=TamperDetected", Kind::CameraTamper, Phase::Start),
        ("tns1:Door/State/DoorFault", "State=NotInFault", Kind::GateFault, Phase::End),
    ];
    for (topic, data, kind, phase) in table {
        let observation = one(read(message(topic, "Changed", "", data).as_bytes()));
        assert_eq!((observation.kind, observation.phase), (kind, phase), "{topic} {data}");
    }
    for (topic, row) in [
        ("tns1:AccessControl/AccessTaken/Credential", "filtered access_taken"),
        ("tns1:RuleEngine/Recognition/Face", "filtered face_record"),
        // Names that are in no standard.
        ("tns1:Door/DoorForced", "rejected unknown_code"),
        ("tns1:RuleEngine/TPSmartEventDetector/TPSmartEvent", "rejected unknown_code"),
        ("", "rejected missing_field"),
    ] {
        assert_eq!(rows(&read(message(topic, "Changed", "", "").as_bytes())), [row], "{topic}");
    }
}

#[test]
fn trap_02_a_utc_time_without_its_z_is_utc() {
    let pieces = read(&fixture("onvif", "notify_doors.xml")).unwrap();
    let instant = "2026-11-24T01:01:00Z".parse().unwrap();
    assert_eq!(events(&pieces)[1].time, DeviceTime::Zoned(instant, TimePrecision::Second));
}

#[test]
fn trap_06_an_initialised_alarm_stands() {
    let pieces = read(&fixture("onvif", "axis_stream.xml")).unwrap();
    let standing = events(&pieces)[2];
    assert_eq!(standing.phase, Phase::Sync);
    assert_eq!(standing.flags, ["standing"]);
    let quiet = one(read(message("tns1:VideoSource/SignalLoss", "Initialized", "", "State=false").as_bytes()));
    assert!(quiet.flags.is_empty());
}

#[test]
fn trap_07_what_is_over_is_an_end() {
    let table = [
        ("Changed", "State=false", Phase::End),
        ("Deleted", "State=true", Phase::End),
        ("", "State=false", Phase::End),
        ("", "State=true", Phase::Pulse),
        ("", "", Phase::Pulse),
    ];
    for (operation, data, phase) in table {
        let xml = message("tns1:VideoSource/SignalLoss", operation, "", data);
        assert_eq!(one(read(xml.as_bytes())).phase, phase, "{operation} {data}");
    }
}

#[test]
fn trap_10_the_global_event_of_axis_has_the_identity_of_its_profile() {
    let pieces = read(&fixture("onvif", "axis_stream.xml")).unwrap();
    let (profile, global) = (events(&pieces)[0], events(&pieces)[1]);
    assert!(profile.native_id.is_some());
    assert_eq!((&profile.native_id, &profile.zone), (&global.native_id, &global.zone));
    assert_eq!((profile.scheme, profile.zone.as_deref()), (DeviceScheme::Uuid, Some("Camera1")));
    assert_eq!(global.flags, ["axis_global"]);
    // Without a producer there is no identity.
    assert!(events(&pieces)[2].native_id.is_none());
}

#[test]
fn trap_13_no_personal_text_leaves_any_fixture() {
    wire::check_leaks(NAME, "onvif");
    let pieces = read(&fixture("onvif", "notify_doors.xml")).unwrap();
    let denied = events(&pieces)[4];
    assert_eq!(denied.dropped, ["CredentialToken", "CredentialHolderName"]);
    assert_eq!((denied.outcome, denied.channel.as_deref()), (Some(Outcome::Denied), Some("reader-1")));
    assert!(denied.credential.is_some());
    let granted = events(&pieces)[5];
    assert!(granted.credential.is_none());
}

#[test]
fn trap_14_a_placeholder_or_a_pin_is_no_credential() {
    for data in ["CredentialToken=0", "CredentialToken=", "PIN=4711"] {
        let xml = message("tns1:AccessControl/Denied/Credential", "", "", data);
        assert!(one(read(xml.as_bytes())).credential.is_none(), "{data}");
    }
    let xml = message("tns1:AccessControl/Denied/CredentialNotFound/Card", "", "", "Card=1234567");
    assert!(one(read(xml.as_bytes())).credential.is_some());
}

#[test]
fn trap_16_what_came_before_the_break_counts() {
    let mut bytes = fixture("onvif", "notify_doors.xml");
    let end = memchr::memmem::find(&bytes, b"</s:Body>").unwrap();
    bytes.truncate(end);
    let cut = read(&bytes).unwrap();
    assert!(events(&cut).len() == 6 && matches!(cut.last(), Some(Piece::Rejected(Reason::Truncated))));
    for (bytes, reason) in [
        (&b"<tt:MetadataStream><tt:Event>"[..], Reason::Truncated),
        (b"<a></b>", Reason::BadSyntax),
        (b"<html/>", Reason::NotThisFormat),
        (b"{\"Topic\":", Reason::Truncated),
        (b"{}", Reason::NotThisFormat),
    ] {
        assert_eq!(read(bytes).unwrap_err(), reason);
    }
}

#[test]
fn trap_20_what_is_initialised_never_counts_as_a_happening() {
    for (topic, data) in [
        ("tns1:VideoSource/SignalLoss", "State=true"),
        ("tns1:Door/State/DoorAlarm", "State=DoorForcedOpen"),
        ("tns1:RuleEngine/LineDetector/Crossed", "ObjectId=1"),
        ("tns1:RuleEngine/ObjectDetection/Object", "ClassTypes=Human"),
        ("tns1:Device/Trigger/DigitalInput", "LogicalState=false"),
    ] {
        let xml = message(topic, "Initialized", "", data);
        assert_eq!(one(read(xml.as_bytes())).phase, Phase::Sync, "{topic}");
    }
}

#[test]
fn no_bytes_make_it_panic() {
    wire::mutate(NAME, "onvif");
}

#[test]
fn what_is_ours_is_sniffed_as_ours() {
    for (name, bytes) in wire::fixtures("onvif") {
        let found = formats::sniff(&bytes, formats::FORMATS.iter()).map(|format| format.name);
        assert_eq!(found, Some(NAME), "{name}");
    }
}

#[test]
fn axis_on_mqtt_may_write_its_time_as_text_and_names_the_class_of_a_scenario() {
    let json = r#"{"timestamp":"2026-11-24T00:00:00.000Z","serial":"021122334455",
        "topic":"axis:CameraApplicationPlatform/ObjectAnalytics/Device1Scenario1",
        "message":{"source":{},"key":{},"data":{"active":"1","classTypes":"human"}}}"#;
    let seen = one(read(json.as_bytes()));
    assert_eq!((seen.kind, seen.object_class), (Kind::ObjectDetected, Some("person")));
    assert!(matches!(seen.time, DeviceTime::Zoned(at, _) if at.to_string() == "2026-11-24T00:00:00Z"));
}
