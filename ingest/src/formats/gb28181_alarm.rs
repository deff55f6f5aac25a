//! The alarm table of GB/T 28181: method and type to kind.

use chorus_model::{Kind, Severity};

use super::doc;
use crate::observation::Reason;

/// The kind of an alarm. Methods may be combined (`12` is 1 or 2): the most serious that the table knows is taken.
///
/// | method | type | kind |
/// |---|---|---|
/// | 1 phone, 3 SMS | any | `panic.button`: a person calls for help |
/// | 2 device | none | `intrusion.zone`: the alarm input of the 2009 form, which has no types |
/// | 2 device | 1 / 2 / 3 / 4, 5 | `video.loss` / `camera.tamper` / `device.fault` (storage) / `environment.alarm` (heat, cold) |
/// | 4 GPS | any | `tag.sos`: something that is carried raised an alarm |
/// | 5 video | none | refused, a field is missing: a picture's alarm without its type says nothing |
/// | 5 video | 1 | `panic.button`: raised by hand |
/// | 5 video | 2, 12 / 3 / 4 / 5 / 6 | `motion.detected` / `object.left` / `object.removed` / `intrusion.line` / `intrusion.area` |
/// | 5 video | 7 / 8 / 9 / 10 / 11, 13 | `vehicle.wrong_way` / `loitering` / `count.flow` / `crowd.density` / `camera.tamper` |
/// | 6 fault | any | `device.fault` |
/// | 7 other | any | `input.changed`, its severity from the priority |
///
/// A type of method 2 or 5 that the table does not know is refused as unknown.
pub(super) fn kind_of(method: &str, alarm_type: &str) -> Result<Kind, Reason> {
    if method.is_empty() {
        return Err(Reason::MissingField);
    }
    let mut best: Result<Kind, Reason> = Err(Reason::UnknownCode);
    for digit in method.bytes().take(8) {
        match (kind_of_one(digit, alarm_type), best) {
            (Ok(kind), Ok(known)) if kind.default_severity() <= known.default_severity() => {}
            (Ok(kind), _) => best = Ok(kind),
            (Err(reason), Err(Reason::UnknownCode)) => best = Err(reason),
            (Err(_), _) => {}
        }
    }
    best
}

fn kind_of_one(method: u8, alarm_type: &str) -> Result<Kind, Reason> {
    // Types are numbers; some devices pad them.
    let alarm_type = alarm_type.trim_start_matches('0');
    match (method, alarm_type) {
        (b'1' | b'3', _) | (b'5', "1") => Ok(Kind::PanicButton),
        (b'2', "") => Ok(Kind::IntrusionZone),
        (b'2', "1") => Ok(Kind::VideoLoss),
        (b'2', "2") | (b'5', "11" | "13") => Ok(Kind::CameraTamper),
        (b'2', "3") | (b'6', _) => Ok(Kind::DeviceFault),
        (b'2', "4" | "5") => Ok(Kind::EnvironmentAlarm),
        (b'4', _) => Ok(Kind::TagSos),
        (b'5', "") => Err(Reason::MissingField),
        (b'5', "2" | "12") => Ok(Kind::MotionDetected),
        (b'5', "3") => Ok(Kind::ObjectLeft),
        (b'5', "4") => Ok(Kind::ObjectRemoved),
        (b'5', "5") => Ok(Kind::IntrusionLine),
        (b'5', "6") => Ok(Kind::IntrusionArea),
        (b'5', "7") => Ok(Kind::VehicleWrongWay),
        (b'5', "8") => Ok(Kind::Loitering),
        (b'5', "9") => Ok(Kind::CountFlow),
        (b'5', "10") => Ok(Kind::CrowdDensity),
        (b'7', _) => Ok(Kind::InputChanged),
        _ => Err(Reason::UnknownCode),
    }
}

/// Method and type, for the format's page.
pub(super) fn table() -> doc::Table {
    let methods = ["1 phone", "2 device", "3 SMS", "4 GPS", "5 video", "6 fault", "7 other"];
    let says = |method: &str, alarm_type: &str| match kind_of(method.get(..1).unwrap_or_default(), alarm_type) {
        Ok(kind) => kind.to_string(),
        Err(reason) => format!("refused: {reason}"),
    };
    let mut rows = Vec::new();
    for method in methods {
        let none = says(method, "");
        let row = |alarm_type: String, kind: String| vec![method.to_owned(), alarm_type, kind];
        if (1..=20).all(|alarm_type: u32| says(method, &alarm_type.to_string()) == none) {
            rows.push(row("any or none".to_owned(), none));
            continue;
        }
        rows.push(row("none".to_owned(), none));
        let of = (1..=20).map(|alarm_type: u32| (alarm_type, vec![says(method, &alarm_type.to_string())]));
        rows.extend(
            doc::ranges(of, |alarm_type| alarm_type.to_string())
                .into_iter()
                .map(|cells| std::iter::once(method.to_owned()).chain(cells).collect::<Vec<_>>()),
        );
    }
    doc::Table { title: "`AlarmMethod` and `AlarmType`", columns: &["method", "type", "kind"], rows }
}

/// Priority 1 is the highest; never critical, for motion was sent with it.
pub(super) fn severity(priority: &str) -> Option<Severity> {
    match priority {
        "1" => Some(Severity::High),
        "2" => Some(Severity::Medium),
        "3" => Some(Severity::Low),
        "4" => Some(Severity::Info),
        _ => None,
    }
}
