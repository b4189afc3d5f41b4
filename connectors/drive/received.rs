//! Reading what a drive sent: lists element by element, fields by their names.
//!
//! One file whose entry cannot be read must not stop a drive, and must not vanish from it either:
//! it keeps its identifier, and the reason stands in the place of its content.

use chrono::{DateTime, SubsecRound as _, Utc};
use serde::Deserialize;
use serde_json::value::RawValue;
use serde_json::{Value, json};

use crate::culprit::{blame, culprit};
use crate::error::Reject;

/// The key under which an element that cannot be read has the reason, instead of its content.
const UNREADABLE: &str = "unreadable";

/// A list whose elements are read one by one. Of one that cannot be read (half of a character in
/// a name, a number without an end) the identifier, the type and the reason are left.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(from = "Vec<Box<RawValue>>")]
pub(crate) struct Elements(pub(crate) Vec<Value>);

impl From<Vec<Box<RawValue>>> for Elements {
    fn from(received: Vec<Box<RawValue>>) -> Self {
        Self(received.iter().map(|it| element(it.get())).collect())
    }
}

/// The least of an element.
#[derive(Debug, Deserialize)]
struct Least {
    id: String,
    #[serde(alias = ".tag", rename = "type")]
    kind: Option<String>,
}

fn element(text: &str) -> Value {
    serde_json::from_str(text).unwrap_or_else(|error| {
        // A list would be read as well, its first text as the identifier.
        let object = Some(text).filter(|text| text.starts_with('{'));
        let least: Option<Least> = object.and_then(|it| serde_json::from_str(it).ok());
        let unread = |_: &str, it: &RawValue| Value::deserialize(it).is_err();
        let reason = blame(culprit(text, unread), &error);
        let (id, kind) = least.map_or((None, None), |it| (Some(it.id), it.kind));
        json!({"id": id, "type": kind, ".tag": kind, UNREADABLE: reason})
    })
}

/// The identifier of an element, where it has one.
pub(crate) fn id(of: &Value) -> Option<&str> {
    of["id"].as_str().filter(|id| !id.is_empty())
}

/// Refuses an element of which only the identifier was received in a readable form.
pub(crate) fn readable(from: &Value) -> Result<(), Reject> {
    match from[UNREADABLE].as_str() {
        Some(reason) => Err(Reject::new(reason)),
        None => Ok(()),
    }
}

/// A text; `None` where it is missing or null.
pub(crate) fn text<'a>(from: &'a Value, field: &'static str) -> Result<Option<&'a str>, Reject> {
    match &from[field] {
        Value::Null => Ok(None),
        Value::String(text) => Ok(Some(text)),
        other => Err(wrong(field, "a text", other)),
    }
}

/// A text that must be there, and not be empty.
pub(crate) fn needed<'a>(from: &'a Value, field: &'static str) -> Result<&'a str, Reject> {
    text(from, field)?
        .filter(|text| !text.is_empty())
        .ok_or_else(|| Reject::field(field, "is missing"))
}

/// A yes or no; missing means no.
pub(crate) fn flag(from: &Value, field: &'static str, missing: bool) -> Result<bool, Reject> {
    match &from[field] {
        Value::Null => Ok(missing),
        Value::Bool(flag) => Ok(*flag),
        other => Err(wrong(field, "true or false", other)),
    }
}

/// A number of bytes.
pub(crate) fn size(from: &Value, field: &'static str) -> Result<Option<u64>, Reject> {
    match &from[field] {
        Value::Null => Ok(None),
        Value::Number(number) => match number.as_u64() {
            Some(bytes) => Ok(Some(bytes)),
            None => Err(Reject::field(
                field,
                format!("{number} is no number of bytes"),
            )),
        },
        other => Err(wrong(field, "a number of bytes", other)),
    }
}

/// An instant with its zone, to the second.
pub(crate) fn instant(from: &Value, field: &'static str) -> Result<Option<DateTime<Utc>>, Reject> {
    let Some(text) = text(from, field)? else {
        return Ok(None);
    };
    match DateTime::parse_from_rfc3339(text) {
        Ok(at) => Ok(Some(at.to_utc().trunc_subsecs(0))),
        Err(_) => Err(Reject::field(field, format!("`{text}` is not an instant"))),
    }
}

pub(crate) fn wrong(field: &'static str, wanted: &str, found: &Value) -> Reject {
    let kind = match found {
        Value::Null => "nothing",
        Value::Bool(_) => "true or false",
        Value::Number(_) => "a number",
        Value::String(_) => "a text",
        Value::Array(_) => "a list",
        Value::Object(_) => "an object",
    };
    Reject::field(field, format!("should be {wanted} and is {kind}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_element_that_cannot_be_read_keeps_its_identifier() {
        let text = r#"[{"id": "a", ".tag": "file", "name": "\ud83d"}, {"id": "b"}, 7,
            {"id": "c", "type": "folder", "size": 1e999}]"#;
        let Elements(found) = serde_json::from_str(text).unwrap();
        assert_eq!(
            (id(&found[0]), found[0][".tag"].as_str()),
            (Some("a"), Some("file"))
        );
        assert!(readable(&found[0]).unwrap_err().reason.contains("`name`"));
        assert_eq!(found[1], json!({"id": "b"}));
        assert_eq!(id(&found[2]), None);
        assert_eq!(
            (id(&found[3]), found[3]["type"].as_str()),
            (Some("c"), Some("folder"))
        );
    }

    #[test]
    fn missing_is_not_wrong() {
        let entry = json!({"size": -1, "at": "2026-11-01T08:00:00.75+01:00", "name": ""});
        assert!(size(&entry, "size").is_err());
        assert_eq!(size(&entry, "length").unwrap(), None);
        let at = instant(&entry, "at").unwrap().unwrap();
        assert_eq!(at.to_rfc3339(), "2026-11-01T07:00:00+00:00");
        assert!(needed(&entry, "name").is_err() && text(&entry, "id").unwrap().is_none());
        assert!(instant(&entry, "name").is_err());
    }
}
