//! Chorus's own schema: CloudEvents in structured JSON mode.

use chorus_model::{Kind, Timestamp};

use super::local;

/// An event of `device`; `members` are further members of `data`, each with a comma in front.
pub(crate) fn event(source: &str, device: &str, kind: Kind, at: Timestamp, members: &str) -> Vec<u8> {
    let (time, id) = (local(at), at.as_micros());
    format!(
        "{{\"specversion\":\"1.0\",\"id\":\"{device}-{id}\",\"source\":\"{source}\",\"type\":\"chorus.{kind}\",\
         \"time\":\"{time}+08:00\",\"data\":{{\"device\":\"{device}\"{members}}}}}"
    )
    .into_bytes()
}
