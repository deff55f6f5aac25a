//! Hikvision ISAPI: `EventNotificationAlert` in XML and JSON, bare and multipart.

use chorus_model::Timestamp;

use super::{local, serial};

/// The smallest thing that begins and ends like a JPEG.
const JPEG: &[u8] = b"\xff\xd8\xff\xe0\x00\x10JFIF\x00\x01\xff\xd9";

/// Card accepted, card without permission, unknown card, … : major and minor code.
pub(crate) mod code {
    pub(crate) const CARD_ACCEPTED: (u32, u32) = (5, 1);
    pub(crate) const CARD_UNKNOWN: (u32, u32) = (5, 9);
    pub(crate) const EXIT_BUTTON: (u32, u32) = (5, 23);
    pub(crate) const OPENED: (u32, u32) = (5, 25);
    pub(crate) const CLOSED: (u32, u32) = (5, 26);
    pub(crate) const FORCED: (u32, u32) = (5, 27);
    pub(crate) const FACE_ACCEPTED: (u32, u32) = (5, 75);
    pub(crate) const TAILGATING: (u32, u32) = (5, 133);
    pub(crate) const OBSTRUCTED: (u32, u32) = (5, 140);
    pub(crate) const OBSTRUCTION_GONE: (u32, u32) = (5, 141);
}

/// How a controller writes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Spelling {
    /// One XML document.
    Xml,
    /// One JSON document.
    Json,
    /// JSON and a picture in two parts.
    Multipart,
}

/// One access event.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Access<'a> {
    /// Major and minor code.
    pub(crate) code: (u32, u32),
    /// Which door of the controller, from 1.
    pub(crate) door: u32,
    /// The card, where one was shown.
    pub(crate) card: Option<&'a str>,
}

/// The stream's heartbeat: a loss of picture that is not.
pub(crate) fn heartbeat(spelling: Spelling, mac: &str, at: Timestamp) -> Vec<u8> {
    let time = local(at);
    match spelling {
        Spelling::Xml => format!(
            "<EventNotificationAlert version=\"2.0\" xmlns=\"http://www.hikvision.com/ver20/XMLSchema\">\r\n\
             <macAddress>{mac}</macAddress>\r\n<channelID>1</channelID>\r\n<dateTime>{time}+08:00</dateTime>\r\n\
             <activePostCount>0</activePostCount>\r\n<eventType>videoloss</eventType>\r\n\
             <eventState>inactive</eventState>\r\n<eventDescription>videoloss alarm</eventDescription>\r\n\
             </EventNotificationAlert>\r\n"
        ),
        Spelling::Json | Spelling::Multipart => format!(
            "{{\"macAddress\":\"{mac}\",\"channelID\":1,\"dateTime\":\"{time}+08:00\",\"activePostCount\":0,\
             \"eventType\":\"videoloss\",\"eventState\":\"inactive\",\"eventDescription\":\"videoloss alarm\"}}"
        ),
    }
    .into_bytes()
}

/// An event of an access controller.
pub(crate) fn access(spelling: Spelling, mac: &str, at: Timestamp, access: &Access<'_>) -> Vec<u8> {
    match spelling {
        Spelling::Xml => access_xml(mac, at, access),
        Spelling::Json => access_json(mac, at, access),
        Spelling::Multipart => with_picture(&access_json(mac, at, access)),
    }
}

fn access_json(mac: &str, at: Timestamp, access: &Access<'_>) -> Vec<u8> {
    let (time, number, Access { code: (major, minor), door, .. }) = (local(at), serial(at), access);
    let card = access.card.map(|card| format!("\"cardNo\":\"{card}\",\"name\":\"演示\",")).unwrap_or_default();
    format!(
        "{{\"macAddress\":\"{mac}\",\"channelID\":1,\"dateTime\":\"{time}+08:00\",\"activePostCount\":1,\
         \"eventType\":\"AccessControllerEvent\",\"eventState\":\"active\",\"AccessControllerEvent\":{{\
         \"majorEventType\":{major},\"subEventType\":{minor},{card}\"doorNo\":{door},\"serialNo\":{number},\
         \"currentEvent\":true}}}}"
    )
    .into_bytes()
}

fn access_xml(mac: &str, at: Timestamp, access: &Access<'_>) -> Vec<u8> {
    let (time, number, Access { code: (major, minor), door, .. }) = (local(at), serial(at), access);
    let card = access.card.map(|card| format!("<cardNo>{card}</cardNo><name>演示</name>")).unwrap_or_default();
    format!(
        "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\r\n\
         <EventNotificationAlert version=\"2.0\" xmlns=\"http://www.isapi.org/ver20/XMLSchema\">\
         <macAddress>{mac}</macAddress><channelID>1</channelID><dateTime>{time}+08:00</dateTime>\
         <activePostCount>1</activePostCount><eventType>AccessControllerEvent</eventType>\
         <eventState>active</eventState><AccessControllerEvent><majorEventType>{major}</majorEventType>\
         <subEventType>{minor}</subEventType>{card}<doorNo>{door}</doorNo><serialNo>{number}</serialNo>\
         <currentEvent>true</currentEvent></AccessControllerEvent></EventNotificationAlert>\r\n"
    )
    .into_bytes()
}

/// A document and a picture, as a terminal with a camera pushes them.
fn with_picture(document: &[u8]) -> Vec<u8> {
    let mut body = b"--MIME_boundary\r\nContent-Disposition: form-data; name=\"event_log\"\r\n\
        Content-Type: application/json\r\n\r\n"
        .to_vec();
    body.extend_from_slice(document);
    body.extend_from_slice(
        b"\r\n--MIME_boundary\r\nContent-Disposition: form-data; name=\"Picture\"; filename=\"Picture.jpg\"\r\n\
        Content-Type: image/jpeg\r\n\r\n",
    );
    body.extend_from_slice(JPEG);
    body.extend_from_slice(b"\r\n--MIME_boundary--\r\n");
    body
}

/// A car at a gate: the plate that it gives is one that cannot exist.
pub(crate) fn vehicle(mac: &str, at: Timestamp, plate: &str, direction: &str) -> Vec<u8> {
    let (time, uuid) = (local(at), serial(at));
    format!(
        "<EventNotificationAlert version=\"2.0\" xmlns=\"http://www.std-cgi.com/ver10/XMLSchema\">\
         <macAddress>{mac}</macAddress><channelID>1</channelID><dateTime>{time}+08:00</dateTime>\
         <activePostCount>1</activePostCount><eventType>ANPR</eventType><eventState>active</eventState>\
         <ANPR><licensePlate>{plate}</licensePlate><line>1</line><direction>{direction}</direction></ANPR>\
         <UUID>00000000-0000-4000-8000-{uuid:012}</UUID></EventNotificationAlert>"
    )
    .into_bytes()
}

/// An event of an alarm panel in Contact ID: the first digit is the qualifier.
pub(crate) fn panel(mac: &str, at: Timestamp, code: u32, zone: u32) -> Vec<u8> {
    let time = local(at);
    format!(
        "{{\"macAddress\":\"{mac}\",\"channelID\":1,\"dateTime\":\"{time}+08:00\",\"activePostCount\":1,\
         \"eventType\":\"cidEvent\",\"eventState\":\"active\",\"CIDEvent\":{{\"standardCIDcode\":{code},\
         \"type\":\"zoneAlarm\",\"zone\":{zone},\"system\":1}}}}"
    )
    .into_bytes()
}
