//! GA/T 1400: what street cameras see, in JSON. Plates are numbers that cannot exist.

use chorus_model::Timestamp;

use super::{local_digits, serial};

/// The picture of nothing, in base64.
const PICTURE: &str = "/9j/4AAQSkZJRgAB/9k=";

/// A keepalive.
pub(crate) fn keepalive(device: &str) -> Vec<u8> {
    format!("{{\"KeepaliveObject\":{{\"DeviceID\":\"{device}\"}}}}").into_bytes()
}

/// A car that passed.
pub(crate) fn vehicle(device: &str, at: Timestamp, plate: &str, lane: u64) -> Vec<u8> {
    let (time, source) = (local_digits(at), source_id(device, at));
    format!(
        "{{\"MotorVehicleListObject\":{{\"MotorVehicleObject\":[{{\"MotorVehicleID\":\"{source}0200001\",\
         \"InfoKind\":1,\"SourceID\":\"{source}\",\"DeviceID\":\"{device}\",\"PassTime\":\"{time}\",\
         \"LaneNo\":{lane},\"Direction\":\"1\",\"HasPlate\":\"1\",\"PlateNo\":\"{plate}\",\"PlateColor\":\"5\",\
         \"VehicleClass\":\"K33\",\"SubImageList\":{{\"SubImageInfoObject\":[{{\"ImageID\":\"{source}\",\
         \"Type\":\"09\",\"FileFormat\":\"Jpeg\",\"Data\":\"{PICTURE}\"}}]}}}}]}}}}"
    )
    .into_bytes()
}

/// A person that appeared.
pub(crate) fn person(device: &str, at: Timestamp) -> Vec<u8> {
    let (time, source) = (local_digits(at), source_id(device, at));
    format!(
        "{{\"PersonListObject\":{{\"PersonObject\":[{{\"PersonID\":\"{source}0100001\",\"InfoKind\":1,\
         \"SourceID\":\"{source}\",\"DeviceID\":\"{device}\",\"PersonAppearTime\":\"{time}\",\"CoatColor\":\"5\"}}]}}}}"
    )
    .into_bytes()
}

/// A bicycle or scooter that appeared.
pub(crate) fn nonmotor(device: &str, at: Timestamp) -> Vec<u8> {
    let (time, source) = (local_digits(at), source_id(device, at));
    format!(
        "{{\"NonMotorVehicleListObject\":{{\"NonMotorVehicleObject\":[{{\"NonMotorVehicleID\":\"{source}0300001\",\
         \"InfoKind\":1,\"SourceID\":\"{source}\",\"DeviceID\":\"{device}\",\"AppearTime\":\"{time}\"}}]}}}}"
    )
    .into_bytes()
}

/// 41 digits: device, `02` for a picture, second, running number.
fn source_id(device: &str, at: Timestamp) -> String {
    format!("{device}02{}{:05}", local_digits(at), serial(at).rem_euclid(100_000))
}
