//! Poisons of GB/T 28181.

use super::Poison;

fn notify(command: &str, more: &str) -> Vec<u8> {
    let device = "<SN>1</SN><DeviceID>36010200001320000007</DeviceID>";
    format!("<Notify><CmdType>{command}</CmdType>{device}{more}</Notify>").into_bytes()
}

fn alarm(more: &str) -> Vec<u8> {
    notify("Alarm", more)
}

fn catalog(items: &str) -> Vec<u8> {
    notify("Catalog", &format!("<DeviceList>{items}</DeviceList>"))
}

const ITEM: &str = "<Item><DeviceID>36010200001320000011</DeviceID><Event>OFF</Event></Item>";

pub(crate) fn poisons() -> Vec<Poison> {
    vec![
        ("white space", b"\r\n\r\n".to_vec(), "not_this_format"),
        ("a tag that is not closed", b"<Notify".to_vec(), "truncated"),
        ("a document that is not closed", b"<Notify><CmdType>Alarm</CmdType>".to_vec(), "truncated"),
        ("tags crossed", b"<Notify><CmdType>Alarm</Notify></CmdType>".to_vec(), "bad_syntax"),
        ("another document", b"<html><body/></html>".to_vec(), "not_this_format"),
        ("an empty root", b"<Notify/>".to_vec(), "missing_field"),
        ("no command", b"<Notify><SN>1</SN></Notify>".to_vec(), "missing_field"),
        ("a command of nobody", notify("SelfDestruct", ""), "unknown_code"),
        (
            "a command inside another element",
            b"<Notify><Info><CmdType>Alarm</CmdType></Info></Notify>".to_vec(),
            "missing_field",
        ),
        ("an alarm without method", alarm("<AlarmTime>2026-11-24T00:00:00</AlarmTime>"), "missing_field"),
        ("an alarm of method 0", alarm("<AlarmMethod>0</AlarmMethod>"), "unknown_code"),
        ("an alarm of method 99", alarm("<AlarmMethod>99</AlarmMethod>"), "unknown_code"),
        ("a method in words", alarm("<AlarmMethod>video</AlarmMethod>"), "unknown_code"),
        ("a video alarm without type", alarm("<AlarmMethod>5</AlarmMethod>"), "missing_field"),
        (
            "a video alarm of type 99",
            alarm("<AlarmMethod>5</AlarmMethod><Info><AlarmType>99</AlarmType></Info>"),
            "unknown_code",
        ),
        (
            "a type in words",
            alarm("<AlarmMethod>5</AlarmMethod><Info><AlarmType>motion</AlarmType></Info>"),
            "unknown_code",
        ),
        (
            "a negative type",
            alarm("<AlarmMethod>2</AlarmMethod><Info><AlarmType>-1</AlarmType></Info>"),
            "unknown_code",
        ),
        ("a thousand methods", alarm(&format!("<AlarmMethod>{}</AlarmMethod>", "8".repeat(1_000))), "unknown_code"),
        (
            "a device with a line in its id",
            b"<Notify><CmdType>Keepalive</CmdType><DeviceID>3601\n0200</DeviceID></Notify>".to_vec(),
            "bad_value",
        ),
        (
            "a device of a thousand digits",
            format!("<Notify><CmdType>Keepalive</CmdType><DeviceID>{}</DeviceID></Notify>", "3".repeat(1_000))
                .into_bytes(),
            "bad_value",
        ),
        (
            "a position that is no number",
            alarm("<AlarmMethod>6</AlarmMethod><Longitude>east</Longitude><Latitude>NaN</Latitude>"),
            "device.fault",
        ),
        (
            "a serial that is no number",
            b"<Notify><CmdType>Keepalive</CmdType><SN>-1</SN><DeviceID>1</DeviceID></Notify>".to_vec(),
            "device.heartbeat",
        ),
        (
            "a time that is none",
            alarm("<AlarmMethod>6</AlarmMethod><AlarmTime>2026-13-45T99:99:99</AlarmTime>"),
            "device.fault",
        ),
        ("an empty catalogue", catalog(""), "filtered catalog_empty"),
        ("an item without a device", catalog("<Item><Event>OFF</Event></Item>"), "missing_field"),
        (
            "an item with an event of nobody",
            catalog("<Item><DeviceID>1</DeviceID><Event>GONE</Event></Item>"),
            "unknown_code",
        ),
        (
            "an item with a state of nobody",
            catalog("<Item><DeviceID>1</DeviceID><Status>MAYBE</Status></Item>"),
            "unknown_code",
        ),
        ("an item that says nothing", catalog("<Item><DeviceID>1</DeviceID></Item>"), "filtered catalog_change"),
        (
            "a catalogue cut in its second item",
            format!("<Notify><CmdType>Catalog</CmdType><DeviceList>{ITEM}<Item><DeviceID>3").into_bytes(),
            "device.offline, truncated",
        ),
        (
            "a catalogue cut in its first item",
            b"<Notify><CmdType>Catalog</CmdType><DeviceList><Item><DeviceID>3".to_vec(),
            "truncated",
        ),
        (
            "more items than a record may hold",
            catalog(&"<Item/>".repeat(10_001)),
            "10000 filtered catalog_change, too_large",
        ),
        ("an item inside an item", catalog(&format!("<Item>{ITEM}</Item>")), "filtered catalog_change"),
        ("nesting without end", format!("<Notify>{}", "<Info>".repeat(100)).into_bytes(), "too_large"),
        (
            "an entity of the sender's own",
            b"<!DOCTYPE a [<!ENTITY x \"Alarm\">]><Notify><CmdType>&x;</CmdType></Notify>".to_vec(),
            "missing_field",
        ),
        (
            "entities within entities",
            b"<!DOCTYPE a [<!ENTITY x \"&y;&y;\"><!ENTITY y \"&x;&x;\">]><Notify><CmdType>&x;</CmdType></Notify>"
                .to_vec(),
            "missing_field",
        ),
        (
            "a second message behind the first",
            [notify("Keepalive", ""), notify("Keepalive", "")].concat(),
            "device.heartbeat, bad_syntax",
        ),
        (
            "junk behind the message",
            [notify("Keepalive", ""), b"</Notify>".to_vec()].concat(),
            "device.heartbeat, bad_syntax",
        ),
        (
            "a SIP head without an end",
            b"MESSAGE sip:a SIP/2.0\r\nContent-Type: Application/MANSCDP+xml".to_vec(),
            "truncated",
        ),
        (
            "a SIP head without a body",
            b"MESSAGE sip:a SIP/2.0\r\nContent-Length: 0\r\n\r\n".to_vec(),
            "filtered sip_without_body",
        ),
        ("a SIP body that is no XML", b"MESSAGE sip:a SIP/2.0\r\n\r\nv=0".to_vec(), "not_this_format"),
        (
            "half a character of GB18030",
            [&b"<Notify><CmdType>Keepalive</CmdType><DeviceID>1</DeviceID><Status>\xc4"[..], b"</Status></Notify>"]
                .concat(),
            "device.heartbeat",
        ),
    ]
}
