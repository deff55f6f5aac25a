//! The tables of HL7 v2: what a message is, what moves a patient, what an alarm's facets say.

use chorus_model::Severity;

use super::super::doc;

/// What a trigger of ADT says of a ward's beds: the remark, or why it is no safety event.
pub(super) fn movement(trigger: &str) -> Option<Result<&'static str, &'static str>> {
    Some(match trigger {
        "A01" => Ok("admitted"),
        "A02" => Ok("transferred"),
        "A03" => Ok("discharged"),
        // From outside into a bed, and out of it.
        "A06" => Ok("admitted"),
        "A07" => Ok("discharged"),
        "A11" => Ok("admission_cancelled"),
        "A12" => Ok("transfer_cancelled"),
        "A13" => Ok("discharge_cancelled"),
        "A21" => Ok("on_leave"),
        "A22" => Ok("back_from_leave"),
        "A52" => Ok("leave_cancelled"),
        "A53" => Ok("return_cancelled"),
        "A20" => Err("bed_status"),
        "A04" => Err("registration"),
        "A05" | "A14" | "A15" | "A16" | "A25" | "A26" | "A27" | "A38" => Err("planned"),
        "A09" | "A10" | "A32" | "A33" => Err("tracking"),
        "A17" => Err("swap"),
        "A19" => Err("query"),
        _ if is_trigger(trigger, 'A') => Err("patient_record"),
        _ => return None,
    })
}

fn is_trigger(trigger: &str, letter: char) -> bool {
    trigger.strip_prefix(letter).is_some_and(|digits| digits.len() == 2 && digits.bytes().all(|b| b.is_ascii_digit()))
}

/// Why a message of another type is no safety event; none for a type that is in no chapter of the standard.
pub(super) fn other(message: &str) -> Option<&'static str> {
    const ANSWERS: &[&str] =
        &["ACK", "MCF", "ORA", "ORR", "ORG", "ORL", "RRE", "RRD", "RRG", "RRA", "SRR", "NMR", "EAR"];
    const QUERIES: &[&str] = &[
        "QRY", "QBP", "QCK", "QCN", "QSB", "QSX", "QVR", "RSP", "RTB", "RDR", "ADR", "DSR", "OSQ", "OSR", "TBR", "VXQ",
    ];
    const SYSTEMS: &[&str] =
        &["NMD", "NMQ", "ESR", "ESU", "SSU", "SSR", "EAC", "EAN", "INU", "INR", "LSR", "LSU", "TCU"];
    const RECORDS: &[&str] = &[
        "BAR", "BPS", "BRP", "BRT", "BTS", "CRM", "CSU", "DFT", "DOC", "MDM", "MFD", "MFK", "MFN", "MFQ", "MFR", "OMB",
        "OMD", "OMG", "OMI", "OML", "OMN", "OMP", "OMS", "OPL", "OPR", "OPU", "ORB", "ORD", "ORF", "ORI", "ORM", "ORN",
        "ORP", "ORS", "OSM", "OUL", "PEX", "PGL", "PIN", "PMU", "PPG", "PPP", "PPR", "PPT", "PPV", "PRR", "PTR", "RAR",
        "RAS", "RCI", "RCL", "RDE", "RDS", "REF", "RER", "RGR", "RGV", "ROR", "RPA", "RPI", "RPL", "RPR", "RQA", "RQC",
        "RQI", "RQP", "RQQ", "RRI", "SIU", "SQM", "SQR", "SRM", "SUR", "UDM", "VXR", "VXU", "VXX",
    ];
    [(ANSWERS, "answer"), (QUERIES, "query"), (SYSTEMS, "system_message"), (RECORDS, "clinical_record")]
        .into_iter()
        .find_map(|(types, word)| types.contains(&message).then_some(word))
}

/// What an observation within an alarm tells.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Facet {
    Source,
    Phase,
    State,
    Inactivation,
    Priority,
    Type,
    /// What is shown to people.
    Text,
    /// The id of the device.
    System,
}

/// A facet, by its name as makers spell it, else by its code.
pub(super) fn facet(code: &str, name: &str) -> Option<Facet> {
    let named = |word: &str| name.contains(word);
    Some(match code {
        _ if named("EVENT_PHASE") || named("ALARM_PHASE") => Facet::Phase,
        _ if named("INACTIVATION_STATE") => Facet::Inactivation,
        _ if named("ALARM_STATE") || named("ALERT_STATE") => Facet::State,
        _ if named("ALARM_PRIORITY") || named("ALERT_PRIORITY") => Facet::Priority,
        _ if named("ALERT_TYPE") || named("ALARM_TYPE") => Facet::Type,
        _ if named("ALERT_SOURCE") || named("ALARM_SOURCE") => Facet::Source,
        _ if named("ALERT_TEXT") => Facet::Text,
        _ if name == "MDC_ATTR_SYS_ID" => Facet::System,
        "68480" => Facet::Source,
        // The second code of each is that of the standard's later print.
        "68165" | "68481" => Facet::Phase,
        "68166" | "68482" => Facet::State,
        "68167" | "68483" => Facet::Inactivation,
        "68168" | "68484" => Facet::Priority,
        "68485" => Facet::Type,
        "68546" => Facet::Text,
        "67972" => Facet::System,
        _ => return None,
    })
}

/// The severity of a priority; `PN` is none at all, `PI` for information.
pub(super) fn priority(word: &str) -> Option<Severity> {
    Some(match word.to_ascii_uppercase().as_str() {
        "PH" | "HIGH" => Severity::High,
        "PM" | "MEDIUM" => Severity::Medium,
        "PL" | "LOW" => Severity::Low,
        "PN" | "PI" | "NONE" => Severity::Info,
        _ => return None,
    })
}

/// What kind of alarm: of the body, of the technique, an advice.
pub(super) fn alarm_type(word: &str) -> Option<&'static str> {
    Some(match word.to_ascii_uppercase().as_str() {
        "SP" => "physiological",
        "ST" => "technical",
        "SA" => "advisory",
        _ => return None,
    })
}

/// What somebody did to the alarm at the device.
pub(super) fn inactivation(word: &str) -> Option<&'static str> {
    Some(match word.to_ascii_lowercase().as_str() {
        "audio-paused" => "audio_paused",
        "audio-off" => "audio_off",
        "alarm-paused" => "alarm_paused",
        "alarm-off" => "alarm_off",
        "alert-acknowledged" | "acknowledged" => "acknowledged",
        _ => return None,
    })
}

/// What stands at the bed, by the names of ISO/IEEE 11073.
pub(super) fn device_kind(name: &str) -> Option<&'static str> {
    const KINDS: &[(&str, &str)] = &[
        ("MDC_DEV_PUMP", "infusion_pump"),
        ("MDC_DEV_SYS_PT_VENT", "ventilator"),
        ("MDC_DEV_VENT", "ventilator"),
        ("MDC_DEV_SYS_VENT", "ventilator"),
        ("MDC_DEV_ANES", "anesthesia"),
        ("MDC_DEV_MON", "monitor"),
        ("MDC_DEV_SPO2", "monitor"),
        ("MDC_DEV_ECG", "monitor"),
        ("MDC_DEV_PULS", "monitor"),
        ("MDC_DEV_ANALY", "monitor"),
        ("MDC_DEV_GATEWAY", "gateway"),
    ];
    KINDS.iter().find(|(prefix, _)| name.starts_with(prefix)).map(|(_, kind)| *kind)
}

/// The triggers of ADT, for the format's page.
pub(super) fn page() -> doc::Table {
    let row = |number: u32| {
        let cells = match movement(&format!("A{number:02}"))? {
            Ok(flag) => ["occupancy.changed".to_owned(), flag.to_owned()],
            Err(word) => [format!("filtered: {word}"), String::new()],
        };
        Some((number, cells.to_vec()))
    };
    doc::Table {
        title: "Triggers of ADT",
        columns: &["trigger", "kind", "flag"],
        rows: doc::ranges((1..=62).filter_map(row), |number| format!("A{number:02}")),
    }
}
