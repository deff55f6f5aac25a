//! JSON Schemas of the public faces, generated from the types.

use schemars::{Schema, schema_for};

use crate::{Alert, Anomaly, Event};

/// Every schema with its file name in `docs/schemas/`.
#[must_use]
pub fn all() -> Vec<(&'static str, Schema)> {
    vec![
        ("event.schema.json", schema_for!(Event)),
        ("anomaly.schema.json", schema_for!(Anomaly)),
        ("alert.schema.json", schema_for!(Alert)),
    ]
}
