//! Wire formats: bytes to observations. A format is one file and one row of [`FORMATS`]; its tests come by themselves.
//!
//! The code here reads foreign bytes: it never panics, takes time bounded in the size of its input, and answers what it
//! cannot read with a [`Reason`].

pub mod cap;
pub mod chorus;
pub mod cn_warning;
pub(crate) mod codes;
pub(crate) mod contact_id;
pub mod dahua;
pub mod doc;
pub mod fhir_r4;
pub mod frigate;
pub mod ga1400;
mod ga1400_fields;
pub mod gb26875;
pub mod gb28181;
mod gb28181_alarm;
mod gb_device;
pub mod grid_case;
pub mod hikvision_isapi;
pub mod hikvision_isecure;
pub mod hl7v2;
pub(crate) mod http;
pub(crate) mod ident;
pub(crate) mod json;
pub(crate) mod multipart;
pub mod onvif;
pub mod rtls_uwb;
pub mod sia_dc09;
pub(crate) mod text;
pub(crate) mod time;
pub mod unifi_protect;
pub mod vzenith_lpr;
pub(crate) mod xml;
pub mod zkteco_push;

use crate::observation::{Piece, Raw, Reason};

/// The most bytes that a record may have; a picture that was not stripped makes it larger.
pub const MAX_RECORD: usize = 1 << 20;

/// What an attempt at a door is called whose outcome the record does not say ([`chorus_model::Outcome::Unknown`]). The list of
/// kinds has no word for it, and the one that is never chosen is that it was granted (trap 12).
pub(crate) const UNKNOWN_ATTEMPT: chorus_model::Kind = chorus_model::Kind::AccessDenied;

/// One wire format.
#[derive(Debug)]
pub struct Format {
    /// Its name in the header `format`, on the command line and in metrics.
    pub name: &'static str,
    /// True when the bytes look like this format; cheap, and sure only together with the decoder.
    pub sniff: fn(&[u8]) -> bool,
    /// Reads a record. Pieces are pushed in their order in the record.
    ///
    /// # Errors
    /// When nothing at all can be read from the record.
    pub decode: fn(&Raw<'_>, &mut Vec<Piece>) -> Result<(), Reason>,
}

/// Every format that Chorus reads, in the order in which `auto` tries them.
pub static FORMATS: &[Format] = &[
    Format { name: chorus::NAME, sniff: chorus::sniff, decode: chorus::decode },
    Format { name: hikvision_isecure::NAME, sniff: hikvision_isecure::sniff, decode: hikvision_isecure::decode },
    Format { name: hikvision_isapi::NAME, sniff: hikvision_isapi::sniff, decode: hikvision_isapi::decode },
    Format { name: gb28181::NAME, sniff: gb28181::sniff, decode: gb28181::decode },
    Format { name: onvif::NAME, sniff: onvif::sniff, decode: onvif::decode },
    Format { name: sia_dc09::NAME, sniff: sia_dc09::sniff, decode: sia_dc09::decode },
    Format { name: vzenith_lpr::NAME, sniff: vzenith_lpr::sniff, decode: vzenith_lpr::decode },
    Format { name: zkteco_push::NAME, sniff: zkteco_push::sniff, decode: zkteco_push::decode },
    Format { name: unifi_protect::NAME, sniff: unifi_protect::sniff, decode: unifi_protect::decode },
    Format { name: frigate::NAME, sniff: frigate::sniff, decode: frigate::decode },
    Format { name: rtls_uwb::NAME, sniff: rtls_uwb::sniff, decode: rtls_uwb::decode },
    Format { name: dahua::NAME, sniff: dahua::sniff, decode: dahua::decode },
    Format { name: gb26875::NAME, sniff: gb26875::sniff, decode: gb26875::decode },
    Format { name: hl7v2::NAME, sniff: hl7v2::sniff, decode: hl7v2::decode },
    Format { name: fhir_r4::NAME, sniff: fhir_r4::sniff, decode: fhir_r4::decode },
    Format { name: ga1400::NAME, sniff: ga1400::sniff, decode: ga1400::decode },
    Format { name: grid_case::NAME, sniff: grid_case::sniff, decode: grid_case::decode },
    Format { name: cap::NAME, sniff: cap::sniff, decode: cap::decode },
    Format { name: cn_warning::NAME, sniff: cn_warning::sniff, decode: cn_warning::decode },
];

/// The format with this name.
#[must_use]
pub fn by_name(name: &str) -> Option<&'static Format> {
    FORMATS.iter().find(|format| format.name == name)
}

/// The first of `among` that the bytes look like.
#[must_use]
pub fn sniff<'a>(bytes: &[u8], mut among: impl Iterator<Item = &'a Format>) -> Option<&'a Format> {
    among.find(|format| (format.sniff)(bytes))
}

impl Format {
    /// Reads a record within the limits that hold for every format.
    ///
    /// # Errors
    /// When nothing at all can be read from the record.
    pub fn read(&self, raw: &Raw<'_>, pieces: &mut Vec<Piece>) -> Result<(), Reason> {
        if raw.bytes.is_empty() {
            return Err(Reason::Empty);
        }
        if raw.bytes.len() > MAX_RECORD {
            return Err(Reason::TooLarge);
        }
        (self.decode)(raw, pieces)?;
        match pieces.as_slice() {
            // A record without a single piece would have no fate: the decoder did not recognise what it read.
            [] => Err(Reason::NotThisFormat),
            // One part, and that refused: so is the record.
            [Piece::Rejected(reason)] => {
                let reason = *reason;
                pieces.clear();
                Err(reason)
            }
            _ => Ok(()),
        }
    }
}
