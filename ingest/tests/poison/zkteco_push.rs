//! Poisons of ZKTeco's terminals.

use super::Poison;

fn post(table: &str, body: &str) -> Vec<u8> {
    format!("POST /iclock/cdata?SN=T1&table={table} HTTP/1.1\r\nContent-Length: 7\r\n\r\n{body}").into_bytes()
}

fn line(fields: &str) -> Vec<u8> {
    post("rtlog", &format!("time=2026-11-24 08:00:00\tpin=7\teventaddr=1\t{fields}"))
}

pub(crate) fn poisons() -> Vec<Poison> {
    vec![
        ("a head that is cut", b"POST /iclock/cdata?SN=T1&table=rt".to_vec(), "unknown_code"),
        ("no body", post("rtlog", ""), "filtered empty_list"),
        ("tabs alone", post("rtlog", "\t\t\t\r\n"), "filtered empty_list"),
        ("words without an equals sign", post("rtlog", "door\topen"), "bad_syntax"),
        ("an event of words", line("event=open"), "bad_value"),
        ("a zero with a sign", line("event=-0"), "bad_value"),
        ("a zero with another", line("event=+0"), "bad_value"),
        ("an event beyond any number", line("event=99999999999999999999"), "bad_value"),
        ("an event of nobody", line("event=999"), "unknown_code"),
        ("two events, of which the first counts", line("event=27\tevent=0"), "access.denied"),
        ("an event that is empty", line("event="), "access.denied"),
        ("neither event nor person", post("rtlog", "time=2026-11-24 08:00:00\teventaddr=1"), "missing_field"),
        ("the year 9999", post("rtlog", "time=9999-12-31 23:59:59\tpin=7\tevent=0"), "access.granted"),
        ("the year 0", post("rtlog", "time=0000-00-00 00:00:00\tpin=7\tevent=0"), "access.granted"),
        (
            "packed seconds beyond any",
            post("transaction", "time_second=9223372036854775807\teventtype=0\tdoorid=1"),
            "access.granted",
        ),
        ("a zero at the end", line("event=0\tcardno=1\0"), "access.granted"),
        ("a door below zero", post("rtlog", "time=x\tpin=7\tevent=0\teventaddr=-3"), "access.granted"),
        (
            "a serial number with controls",
            b"GET /iclock/getrequest?SN=\x01\x02 HTTP/1.1\r\n\r\n".to_vec(),
            "device.heartbeat",
        ),
        ("a bitmap of words", post("rtstate", "sensor=zz\trelay=01\talarm=00"), "bad_value"),
        ("a bitmap without end", post("rtstate", &format!("sensor=01\talarm={}", "0".repeat(10_000))), "too_large"),
        ("a state of nothing", post("rtstate", "time=2026-11-24 08:00:00"), "missing_field"),
        ("attendance without an outcome", post("ATTLOG", "7\t2026-11-24 08:00:00\t0\t1"), "access.denied"),
        ("attendance without a time", post("ATTLOG", "7"), "bad_syntax"),
        ("attendance at some time", post("ATTLOG", "7\tsoon\t0\t1"), "bad_value"),
        (
            "a broken line between good ones",
            post("rtlog", "pin=1\tevent=0\n\0\0\n\u{feff}pin=2\tevent=0\n"),
            "access.granted, bad_syntax, access.granted",
        ),
        ("GBK", [&line("name=")[..], b"\xc4\xcf\xb2\xfd\tevent=0"].concat(), "access.granted"),
        (
            "more than a record may hold",
            post("rtlog", &"event=0\tpin=1\n".repeat(1_001)),
            "1000 access.granted, too_large",
        ),
    ]
}
