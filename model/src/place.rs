//! Places: what the city protects.

use std::sync::Arc;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// What sort of place it is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum PlaceKind {
    /// A school or kindergarten.
    School,
    /// A hospital or clinic.
    Hospital,
    /// An enclosed village or estate with gates.
    Village,
    /// A community (GB/T 10114, 12 digits).
    Community,
    /// A street (9 digits) or a stretch of public ground.
    Street,
    /// Anything else, and a device whose place is not known.
    #[default]
    Other,
}

impl PlaceKind {
    /// The word used in JSON and in rules.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::School => "school",
            Self::Hospital => "hospital",
            Self::Village => "village",
            Self::Community => "community",
            Self::Street => "street",
            Self::Other => "other",
        }
    }
}

/// The place of an event, as far as the registry knows it.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct PlaceRef {
    /// The registry's id; absent when the device is not in the registry.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub id: Option<Arc<str>>,
    /// What sort of place it is.
    #[serde(rename = "type", default)]
    pub kind: PlaceKind,
    /// Administrative division (GB/T 2260 and GB/T 10114): 6, 9, 12 or 15 digits.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub division_code: Option<Arc<str>>,
    /// True when the registry knows the device and its place.
    pub resolved: bool,
}

/// The county of places whose division is not known.
pub const UNKNOWN_COUNTY: &str = "000000";

/// The county of a division code: its first six digits, or [`UNKNOWN_COUNTY`] without a code of that length.
#[must_use]
pub fn county_of(division_code: Option<&str>) -> &str {
    division_code.and_then(|code| code.get(..6)).unwrap_or(UNKNOWN_COUNTY)
}

impl PlaceRef {
    /// The county; see [`county_of`].
    #[must_use]
    pub fn county(&self) -> &str {
        county_of(self.division_code.as_deref())
    }
}
