//! GB/T 28181 MANSCDP: XML that declares GB2312 and is written in GBK, as most platforms do.

use chorus_model::Timestamp;

use super::local;

/// GBK for 区域入侵, 越界, 移动侦测, 镜头遮挡 and 视频丢失.
pub(crate) mod text {
    pub(crate) const AREA: &[u8] = b"\xc7\xf8\xd3\xf2\xc8\xeb\xc7\xd6";
    pub(crate) const LINE: &[u8] = b"\xd4\xbd\xbd\xe7";
    pub(crate) const MOTION: &[u8] = b"\xd2\xc6\xb6\xaf\xd5\xec\xb2\xe2";
    pub(crate) const COVERED: &[u8] = b"\xbe\xb5\xcd\xb7\xd5\xda\xb5\xb2";
    pub(crate) const LOST: &[u8] = b"\xca\xd3\xc6\xb5\xb6\xaa\xca\xa7";
}

/// GBK for 枪机, a box camera.
const CAMERA: &[u8] = b"\xc7\xb9\xbb\xfa";

/// What an alarm says.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Alarm {
    /// `AlarmMethod`.
    pub(crate) method: u32,
    /// `AlarmType`.
    pub(crate) kind: u32,
    /// `EventType`: 1 enter, 2 leave.
    pub(crate) event: Option<u32>,
    /// `AlarmDescription` in GBK.
    pub(crate) text: &'static [u8],
}

/// `SN`: grows, and begins again from time to time.
fn number(at: Timestamp) -> i64 {
    at.as_millis().rem_euclid(1_000_000_000)
}

fn message(root: &str, parts: &[&[u8]]) -> Vec<u8> {
    let mut body = format!("<?xml version=\"1.0\" encoding=\"GB2312\"?>\r\n<{root}>\r\n").into_bytes();
    parts.iter().for_each(|part| body.extend_from_slice(part));
    body.extend_from_slice(format!("</{root}>\r\n").as_bytes());
    body
}

fn head(command: &str, device: &str, at: Timestamp) -> String {
    format!("<CmdType>{command}</CmdType>\r\n<SN>{}</SN>\r\n<DeviceID>{device}</DeviceID>\r\n", number(at))
}

/// A keepalive, as a bare body.
pub(crate) fn keepalive(device: &str, at: Timestamp) -> Vec<u8> {
    message("Notify", &[head("Keepalive", device, at).as_bytes(), b"<Status>OK</Status>\r\n"])
}

/// A keepalive with its SIP head in front.
pub(crate) fn keepalive_in_sip(device: &str, at: Timestamp) -> Vec<u8> {
    let body = keepalive(device, at);
    let number = number(at);
    let mut bytes = format!(
        "MESSAGE sip:36010000002000000001@3601000000 SIP/2.0\r\nVia: SIP/2.0/UDP 192.0.2.7:5060;rport;branch=z9hG4bK{number}\r\n\
         From: <sip:{device}@3601000000>;tag={number}\r\nTo: <sip:36010000002000000001@3601000000>\r\n\
         Call-ID: {number}@192.0.2.7\r\nCSeq: 20 MESSAGE\r\nContent-Type: Application/MANSCDP+xml\r\n\
         Max-Forwards: 70\r\nContent-Length: {}\r\n\r\n",
        body.len()
    )
    .into_bytes();
    bytes.extend_from_slice(&body);
    bytes
}

/// An alarm.
pub(crate) fn alarm(device: &str, at: Timestamp, alarm: &Alarm) -> Vec<u8> {
    let event = alarm.event.map(|event| format!("<AlarmTypeParam><EventType>{event}</EventType></AlarmTypeParam>"));
    let facts = format!(
        "<AlarmPriority>3</AlarmPriority>\r\n<AlarmMethod>{}</AlarmMethod>\r\n<AlarmTime>{}</AlarmTime>\r\n\
         <AlarmDescription>",
        alarm.method,
        local(at)
    );
    let info = format!(
        "</AlarmDescription>\r\n<Info><AlarmType>{}</AlarmType>{}</Info>\r\n",
        alarm.kind,
        event.unwrap_or_default()
    );
    message("Notify", &[head("Alarm", device, at).as_bytes(), facts.as_bytes(), alarm.text, info.as_bytes()])
}

/// The catalogue of a platform: every camera of a place is there.
pub(crate) fn catalog(platform: &str, at: Timestamp, cameras: &[&str]) -> Vec<u8> {
    let list = format!("<SumNum>{0}</SumNum>\r\n<DeviceList Num=\"{0}\">\r\n", cameras.len());
    let mut items = Vec::new();
    for (index, camera) in cameras.iter().enumerate() {
        items.extend_from_slice(format!("<Item><DeviceID>{camera}</DeviceID><Name>").as_bytes());
        items.extend_from_slice(CAMERA);
        items.extend_from_slice(format!("{}</Name><Status>ON</Status></Item>\r\n", index + 1).as_bytes());
    }
    let head = head("Catalog", platform, at);
    message("Response", &[head.as_bytes(), list.as_bytes(), &items, b"</DeviceList>\r\n"])
}
