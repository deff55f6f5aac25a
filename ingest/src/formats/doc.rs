//! The tables that a format's page shows, made from the very tables that its decoder asks.
//!
//! A page is the text at the top of the format's file, these tables, and what our fixtures become. A format without tables of
//! codes needs no row here.

use super::{cn_warning, contact_id, dahua, fhir_r4, frigate, ga1400, gb26875, gb28181, grid_case, hikvision_isapi};
use super::{hikvision_isecure, hl7v2, onvif, sia_dc09, unifi_protect, vzenith_lpr, zkteco_push};

/// A table of a page.
#[derive(Clone, Debug)]
pub struct Table {
    /// What it lists.
    pub title: &'static str,
    /// The names of its columns.
    pub columns: &'static [&'static str],
    /// Its rows, each with as many cells.
    pub rows: Vec<Vec<String>>,
}

/// The tables of the format with this name.
#[must_use]
pub fn tables(format: &str) -> Vec<Table> {
    match format {
        hikvision_isapi::NAME => [hikvision_isapi::tables(), vec![contact_id::table()]].concat(),
        gb28181::NAME => gb28181::tables(),
        onvif::NAME => onvif::tables(),
        sia_dc09::NAME => [sia_dc09::tables(), vec![contact_id::table()]].concat(),
        ga1400::NAME => ga1400::tables(),
        hikvision_isecure::NAME => hikvision_isecure::tables(),
        dahua::NAME => dahua::tables(),
        vzenith_lpr::NAME => vzenith_lpr::tables(),
        zkteco_push::NAME => zkteco_push::tables(),
        gb26875::NAME => gb26875::pages(),
        hl7v2::NAME => hl7v2::pages(),
        grid_case::NAME => grid_case::tables(),
        cn_warning::NAME => cn_warning::tables(),
        fhir_r4::NAME => fhir_r4::tables(),
        frigate::NAME => frigate::tables(),
        unifi_protect::NAME => unifi_protect::tables(),
        _ => Vec::new(),
    }
}

/// Fields that are named when they are present, and left behind.
pub(crate) fn left_behind<'a>(names: impl IntoIterator<Item = &'a str>) -> Table {
    let names: Vec<String> = names.into_iter().map(|name| format!("`{name}`")).collect();
    Table {
        title: "Named in `pii_dropped` when present, and left behind (a card or a user leaves as a pseudonym at most)",
        columns: &["fields"],
        rows: vec![vec![names.join(", ")]],
    }
}

/// Rows whose first cell is a number, with neighbours that say the same drawn together: `110-118`.
pub(crate) fn ranges(
    rows: impl IntoIterator<Item = (u32, Vec<String>)>,
    number: fn(u32) -> String,
) -> Vec<Vec<String>> {
    let mut runs: Vec<(u32, u32, Vec<String>)> = Vec::new();
    for (code, cells) in rows {
        match runs.last_mut() {
            Some((_, last, known)) if *last + 1 == code && *known == cells => *last = code,
            _ => runs.push((code, code, cells)),
        }
    }
    let row = |(first, last, cells): (u32, u32, Vec<String>)| {
        let code = if first == last { number(first) } else { format!("{} to {}", number(first), number(last)) };
        std::iter::once(code).chain(cells).collect()
    };
    runs.into_iter().map(row).collect()
}

/// A cell for what may be absent.
pub(crate) fn cell(text: Option<&str>) -> String {
    text.unwrap_or_default().to_owned()
}
