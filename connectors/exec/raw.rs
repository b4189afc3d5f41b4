//! The raw record: what the program said of one thing, and how it is to be read.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;

use super::shape::{Mapped, Shape};
use crate::error::{Error, Kind, Result};

/// Columns that the usual libraries add and that are other ones in every run. What a mapping
/// names is kept.
const MOVING: [&str; 6] = [
    "_sdc_extracted_at",
    "_sdc_received_at",
    "_sdc_batched_at",
    "_sdc_sequence",
    "_sdc_table_version",
    "_sdc_sync_started_at",
];

/// The body of a raw record.
#[derive(Serialize, Deserialize)]
pub(super) struct Body<'a, S> {
    pub(super) mapping: S,
    /// Its columns in the order of their names: programs write them in any.
    #[serde(borrow)]
    pub(super) record: BTreeMap<String, &'a RawValue>,
}

/// What is read from a body.
pub(super) type Stored<'a> = Body<'a, Shape>;

/// Writes the body; numbers keep their digits.
pub(super) fn body(mapped: &Mapped, record: &RawValue) -> Result<String> {
    let columns = serde_json::from_str::<BTreeMap<String, &RawValue>>(record.get());
    let mut record = columns.map_err(|error| {
        Error::new(
            Kind::Protocol,
            format!("a RECORD of `{}` is no table", mapped.name),
        )
        .with("error", error)
    })?;
    record.retain(|column, _| {
        !MOVING.contains(&column.as_str()) || mapped.columns().any(|named| named == column)
    });
    let body = Body {
        mapping: &mapped.shape,
        record,
    };
    Ok(serde_json::to_string(&body).expect("a raw record is plain data"))
}
