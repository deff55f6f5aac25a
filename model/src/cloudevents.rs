//! CloudEvents 1.0 in Kafka's binary mode: attributes in headers, JSON in the value.
//!
//! Source: CloudEvents Kafka protocol binding 1.0.2. Origin and routing facts travel in headers of our own.

/// Always [`SPEC_VERSION`].
pub const HEADER_SPECVERSION: &str = "ce_specversion";
/// The event's, anomaly's or alert's id (with `:revision` for an alert).
pub const HEADER_ID: &str = "ce_id";
/// Who wrote it: `/chorus/ingest/gate`.
pub const HEADER_SOURCE: &str = "ce_source";
/// One of the `TYPE_…` below.
pub const HEADER_TYPE: &str = "ce_type";
/// RFC 3339.
pub const HEADER_TIME: &str = "ce_time";
/// [`CONTENT_TYPE`].
pub const HEADER_CONTENT_TYPE: &str = "content-type";
/// [`crate::Origin`] as text.
pub const HEADER_ORIGIN: &str = "chorus_origin";
/// The event's kind, so that a reader can route without parsing.
pub const HEADER_KIND: &str = "chorus_kind";

/// The version of CloudEvents.
pub const SPEC_VERSION: &str = "1.0";
/// What the value is.
pub const CONTENT_TYPE: &str = "application/json";

/// A canonical event.
pub const TYPE_EVENT: &str = "chorus.event.v1";
/// A frontier.
pub const TYPE_FRONTIER: &str = "chorus.frontier.v1";
/// Rules and a roster that come into force where the record stands.
pub const TYPE_RULES: &str = "chorus.rules.v1";
/// An anomaly.
pub const TYPE_ANOMALY: &str = "chorus.anomaly.v1";
/// An alert.
pub const TYPE_ALERT: &str = "chorus.alert.v1";
