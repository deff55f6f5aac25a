//! SIA DC-09 frames: Contact ID, SIA's own codes, and the supervision heartbeat.

use chorus_model::Timestamp;

use super::utc;

/// A Contact ID event; the first digit of `code` is the qualifier.
pub(crate) fn contact_id(account: &str, at: Timestamp, code: u32, zone: u32) -> Vec<u8> {
    frame("ADM-CID", account, at, &format!("#{account}|{code:04} 01 {zone:03}"))
}

/// An event in SIA's own letters.
pub(crate) fn sia_dcs(account: &str, at: Timestamp, code: &str, zone: u32) -> Vec<u8> {
    frame("SIA-DCS", account, at, &format!("#{account}|Nri1/{code}{zone:03}"))
}

/// The supervision heartbeat.
pub(crate) fn null(account: &str, at: Timestamp) -> Vec<u8> {
    frame("NULL", account, at, "")
}

fn frame(id: &str, account: &str, at: Timestamp, data: &str) -> Vec<u8> {
    // Sequence numbers go round from 0001 to 9999. Ten a second keep a panel's frames apart.
    let number = at.as_millis().div_euclid(100).rem_euclid(9_999) + 1;
    let time = utc(at).strftime("%H:%M:%S,%m-%d-%Y");
    let body = format!("\"{id}\"{number:04}R0L0#{account}[{data}]_{time}");
    format!("\n{:04X}0{:03X}{body}\r", crc(body.as_bytes()), body.len()).into_bytes()
}

/// CRC-16 with the polynomial A001, over the part from the quote to the last byte before the carriage return.
fn crc(bytes: &[u8]) -> u16 {
    bytes.iter().fold(0, |crc, byte| {
        (0..8).fold(crc ^ u16::from(*byte), |crc, _| if crc & 1 == 1 { (crc >> 1) ^ 0xa001 } else { crc >> 1 })
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_crc_is_that_of_the_catalogues() {
        // The check value of CRC-16/ARC.
        assert_eq!(crc(b"123456789"), 0xbb3d);
    }

    #[test]
    fn a_frame_names_its_length_in_hexadecimal() {
        let frame = contact_id("700001", "2026-11-24T23:59:58Z".parse().unwrap(), 1120, 5);
        let text = String::from_utf8(frame).unwrap();
        let body = text.trim_matches(['\n', '\r']).get(8..).unwrap();
        assert_eq!(&text[5..9], format!("0{:03X}", body.len()));
        assert!(body.starts_with("\"ADM-CID\"") && body.ends_with("[#700001|1120 01 005]_23:59:58,11-24-2026"));
    }
}
