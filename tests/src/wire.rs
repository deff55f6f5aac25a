//! What devices of the test city say, in their own formats. Written by us; nobody's recordings.

/// A raw record for a feed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Said {
    /// The feed.
    pub feed: &'static str,
    /// The device: the record's key, so that a device's records stay in order.
    pub device: String,
    /// The header `format`.
    pub format: &'static str,
    /// The body.
    pub body: Vec<u8>,
}

impl Said {
    fn new(feed: &'static str, device: &str, format: &'static str, body: impl Into<Vec<u8>>) -> Said {
        Said { feed, device: device.to_owned(), format, body: body.into() }
    }
}

/// SIA DC-09 with Contact ID: `code` with its qualifier (1120 is a panic button, 3130 the end of a burglary alarm).
pub fn sia(feed: &'static str, account: &str, sequence: u16, code: u16, zone: u16) -> Said {
    let body = format!("\"ADM-CID\"{sequence:04}R0L0#{account}[#{account}|{code:04} 00 {zone:03}]");
    let frame = format!("\n{:04X}{:04X}{body}\r", crc16(body.as_bytes()), body.len());
    Said::new(feed, account, "sia-dc09", frame)
}

/// CRC-16/ARC: polynomial A001, reflected, from 0 (ANSI/SIA DC-09, annex D).
fn crc16(bytes: &[u8]) -> u16 {
    bytes.iter().fold(0, |crc, byte| {
        (0..8).fold(crc ^ u16::from(*byte), |crc, _| if crc & 1 == 1 { (crc >> 1) ^ 0xA001 } else { crc >> 1 })
    })
}

/// Hikvision ISAPI: an access controller's event (5/27 is a forced door, 5/9 an unknown card) with a running number.
pub fn isapi_access(feed: &'static str, mac: &str, serial: u32, major: u8, minor: u16, card: &str) -> Said {
    let body = format!(
        r#"{{"ipAddress":"10.0.0.9","macAddress":"{mac}","channelID":1,"eventType":"AccessControllerEvent","eventState":"active",
"AccessControllerEvent":{{"deviceName":"door","majorEventType":{major},"subEventType":{minor},"cardNo":"{card}","doorNo":1,
"serialNo":{serial},"frontSerialNo":{},"currentEvent":true}}}}"#,
        serial.saturating_sub(1)
    );
    Said::new(feed, mac, "hikvision-isapi", body)
}

/// GB/T 28181: an alarm of a method and type (5/6 is an intrusion seen by a camera).
pub fn gb28181_alarm(feed: &'static str, device: &str, serial: u32, method: u8, kind: u8) -> Said {
    let body = format!(
        "<?xml version=\"1.0\" encoding=\"GB2312\"?>\r\n<Notify>\r\n<CmdType>Alarm</CmdType>\r\n<SN>{serial}</SN>\r\n\
         <DeviceID>{device}</DeviceID>\r\n<AlarmPriority>1</AlarmPriority>\r\n<AlarmMethod>{method}</AlarmMethod>\r\n\
         <Info><AlarmType>{kind}</AlarmType></Info>\r\n</Notify>\r\n"
    );
    Said::new(feed, device, "gb-t-28181", body)
}

/// GB/T 28181: a device says that it lives.
pub fn gb28181_keepalive(feed: &'static str, device: &str, serial: u32) -> Said {
    let body = format!(
        "<?xml version=\"1.0\" encoding=\"GB2312\"?>\r\n<Notify>\r\n<CmdType>Keepalive</CmdType>\r\n<SN>{serial}</SN>\r\n\
         <DeviceID>{device}</DeviceID>\r\n<Status>OK</Status>\r\n</Notify>\r\n"
    );
    Said::new(feed, device, "gb-t-28181", body)
}

/// GA/T 1400: a vehicle has passed; the plate must never be seen again.
pub fn vehicle(feed: &'static str, device: &str, number: u32) -> Said {
    let body = format!(
        r#"{{"MotorVehicleListObject":{{"MotorVehicleObject":[{{"MotorVehicleID":"{device}0220261125080000{number:05}02{number:05}",
"DeviceID":"{device}","PlateNo":"赣A{number:05}","PlateColor":"5","Direction":"1","LaneNo":1}}]}}}}"#
    );
    Said::new(feed, device, "ga-t-1400", body)
}

/// ONVIF: a door's alarm state (`DoorForcedOpen`, `DoorOpenTooLong`, `Normal`).
pub fn onvif_door(feed: &'static str, source: &str, state: &str, at: &str) -> Said {
    let body = format!(
        r#"<wsnt:NotificationMessage xmlns:wsnt="http://docs.oasis-open.org/wsn/b-2" xmlns:tns1="http://www.onvif.org/ver10/topics" xmlns:tt="http://www.onvif.org/ver10/schema">
<wsnt:Topic Dialect="http://www.onvif.org/ver10/tev/topicExpression/ConcreteSet">tns1:Door/State/DoorAlarm</wsnt:Topic>
<wsnt:Message><tt:Message UtcTime="{at}" PropertyOperation="Changed"><tt:Source><tt:SimpleItem Name="DoorToken" Value="door-1"/></tt:Source>
<tt:Data><tt:SimpleItem Name="State" Value="{state}"/></tt:Data></tt:Message></wsnt:Message></wsnt:NotificationMessage>"#
    );
    Said::new(feed, source, "onvif", body)
}

/// Chorus's own schema: what has no public format.
pub fn own(feed: &'static str, device: &str, id: &str, kind: &str, phase: &str) -> Said {
    let body = format!(
        r#"{{"specversion":"1.0","id":"{id}","source":"{device}-app","type":"chorus.{kind}","data":{{"device":"{device}","phase":"{phase}","reporter":"somebody"}}}}"#
    );
    Said::new(feed, device, "chorus", body)
}

/// What no decoder can read, in every format that can be broken.
pub fn poison(feed: &'static str, format: &'static str, number: usize) -> Said {
    let body: &[u8] = match format {
        "hikvision-isapi" => b"<EventNotificationAlert><eventType>VMD</eventT",
        "sia-dc09" => b"\n0000\"ADM-CID\"\xff\xfe",
        "gb-t-28181" => b"<?xml version=\"1.0\"?><Notify><CmdType>Alarm</CmdType><DeviceID>\xff",
        "ga-t-1400" => b"{\"MotorVehicleListObject\":{\"MotorVehicleObject\":[{\"PlateNo\":",
        "onvif" => b"<wsnt:NotificationMessage><wsnt:Topic>tns1:Door/State",
        _ => b"{\"specversion\":\"1.0\",\"id\":",
    };
    let mut bytes = body.to_vec();
    bytes.extend(format!(" poison {number}").bytes());
    Said::new(feed, "poison", format, bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_checksum_is_that_of_the_standard() {
        // The check value of CRC-16/ARC.
        assert_eq!(crc16(b"123456789"), 0xBB3D);
    }
}
