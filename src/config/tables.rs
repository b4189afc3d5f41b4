//! Tables that a connector reads itself: their values as JSON, and its complaints at their places.

use config::ValueKind;
use serde_json::{Map, Value as Json};
use stundenbuch_connectors::kind::{Check, Fault};

use super::reader::Field;

/// Reads a table and lets its connector check it.
pub(super) fn read(field: &Field<'_>, check: Check) -> Option<Map<String, Json>> {
    field.table()?;
    let table = members(field);
    let faults = (check.0)(&table);
    for fault in &faults {
        note(field, fault);
    }
    faults.is_empty().then_some(table)
}

fn members(field: &Field<'_>) -> Map<String, Json> {
    let members = field.members().into_iter();
    members
        .map(|(key, field)| (key.to_owned(), json(&field)))
        .collect()
}

/// A value as it goes to the connector. A number with a fraction keeps the digits of its file.
fn json(field: &Field<'_>) -> Json {
    match field.kind() {
        ValueKind::Nil => Json::Null,
        ValueKind::Boolean(flag) => Json::Bool(*flag),
        ValueKind::I64(number) => Json::from(*number),
        ValueKind::String(text) => Json::from(text.as_str()),
        ValueKind::I128(_) | ValueKind::U64(_) | ValueKind::U128(_) | ValueKind::Float(_) => {
            let digits = field.number_text().unwrap_or_default();
            serde_json::from_str(&digits).unwrap_or(Json::String(digits))
        }
        ValueKind::Table(_) => Json::Object(members(field)),
        ValueKind::Array(_) => {
            let elements = field.list("a list").unwrap_or_default();
            elements.iter().map(json).collect()
        }
    }
}

/// Notes a complaint at the key that it speaks of, or at the nearest one that is there.
fn note(field: &Field<'_>, fault: &Fault) {
    let Some((key, rest)) = fault.path.split_first() else {
        field.wrong_key(&fault.what, fault.fix.clone());
        return;
    };
    let within = field.members().into_iter().find(|(name, _)| name == key);
    match within {
        Some((_, member)) => note(
            &member,
            &Fault {
                path: rest.to_vec(),
                ..fault.clone()
            },
        ),
        None => field.wrong_key(&fault.what, fault.fix.clone()),
    }
}
