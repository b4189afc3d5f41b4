//! The statement itself, for programs: `docs/statement.schema.json` describes it.

use super::RenderError;
use crate::billing::Statement;

/// Indented, in the order of the fields, with a line feed at the end: equal statements are equal
/// bytes, and two of them can be compared line by line.
pub(super) fn json(statement: &Statement) -> Result<Vec<u8>, RenderError> {
    let mut bytes = serde_json::to_vec_pretty(statement).map_err(RenderError::Data)?;
    bytes.push(b'\n');
    Ok(bytes)
}
