//! Device ids of GB/T 28181 and GA/T 1400: 20 digits, of which 11 to 13 say what the device is.

use chorus_model::{DeviceScheme, Kind};

use crate::observation::{Observation, Reason};

/// The longest id; the standard's own have 20 digits, and real senders make up others.
const MAX_ID: usize = 64;

/// An observation of a device named as in GB/T 28181 or GA/T 1400.
///
/// # Errors
/// An id that cannot be one.
pub(super) fn observation(device: &str, kind: Kind) -> Result<Observation, Reason> {
    if device.len() > MAX_ID || device.chars().any(char::is_control) {
        return Err(Reason::BadValue);
    }
    let standard = device.len() == 20 && device.bytes().all(|byte| byte.is_ascii_digit());
    let scheme = if standard { DeviceScheme::Gb28181 } else { DeviceScheme::Own };
    let mut observation = Observation::new(device, scheme, kind);
    observation.device_kind = if standard { device.get(10..13).and_then(device_kind) } else { None };
    Ok(observation)
}

/// Digits 11 to 13 of an id: the type of the device. The division in front is often the factory's, and never the place.
fn device_kind(digits: &str) -> Option<&'static str> {
    match digits {
        "111" => Some("dvr"),
        "117" => Some("panel"),
        "118" => Some("nvr"),
        // 119 is the image collector of GA/T 1400.
        "119" | "131" | "132" => Some("camera"),
        "134" => Some("alarm_input"),
        "200" => Some("platform"),
        _ => None,
    }
}
