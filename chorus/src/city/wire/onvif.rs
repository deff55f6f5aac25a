//! ONVIF door and access events. The record does not name its device: the connector does.

use chorus_model::Timestamp;

use super::utc;

/// A credential was accepted.
pub(crate) fn granted(at: Timestamp) -> Vec<u8> {
    let data = item("CredentialToken", "demo-token");
    notify("tns1:AccessControl/AccessGranted/Credential", at, None, &item("AccessPointToken", "reader-1"), &data)
}

/// `DoorPhysicalState`: `Open` or `Closed`.
pub(crate) fn physical_state(at: Timestamp, state: &str) -> Vec<u8> {
    door("tns1:Door/State/DoorPhysicalState", at, "Changed", state)
}

/// `DoorAlarm`: `Normal`, `DoorForcedOpen` or `DoorOpenTooLong`.
pub(crate) fn door_alarm(at: Timestamp, state: &str) -> Vec<u8> {
    door("tns1:Door/State/DoorAlarm", at, "Changed", state)
}

/// What a door says of itself when the connector subscribes again.
pub(crate) fn initialized(at: Timestamp) -> Vec<u8> {
    door("tns1:Door/State/DoorAlarm", at, "Initialized", "Normal")
}

fn door(topic: &str, at: Timestamp, operation: &str, state: &str) -> Vec<u8> {
    notify(topic, at, Some(operation), &item("DoorToken", "door-1"), &item("State", state))
}

fn item(name: &str, value: &str) -> String {
    format!("<tt:SimpleItem Name=\"{name}\" Value=\"{value}\"/>")
}

fn notify(topic: &str, at: Timestamp, operation: Option<&str>, source: &str, data: &str) -> Vec<u8> {
    let time = utc(at);
    let operation = operation.map(|word| format!(" PropertyOperation=\"{word}\"")).unwrap_or_default();
    format!(
        "<?xml version=\"1.0\" encoding=\"UTF-8\"?><s:Envelope xmlns:s=\"http://www.w3.org/2003/05/soap-envelope\" \
         xmlns:wsnt=\"http://docs.oasis-open.org/wsn/b-2\" xmlns:tt=\"http://www.onvif.org/ver10/schema\" \
         xmlns:tns1=\"http://www.onvif.org/ver10/topics\"><s:Body><wsnt:Notify><wsnt:NotificationMessage>\
         <wsnt:Topic>{topic}</wsnt:Topic><wsnt:Message><tt:Message UtcTime=\"{time}Z\"{operation}>\
         <tt:Source>{source}</tt:Source><tt:Data>{data}</tt:Data></tt:Message></wsnt:Message>\
         </wsnt:NotificationMessage></wsnt:Notify></s:Body></s:Envelope>"
    )
    .into_bytes()
}
