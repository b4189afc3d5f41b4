//! Reading fields out of received JSON, with the field's name in every complaint.
//!
//! Trello adds and drops fields without notice, so a missing field and `null` are the same and
//! never an error; a field of another type than described is one.

use chrono::{DateTime, Utc};
use serde_json::Value;

use super::wire::UNREADABLE;
use crate::error::Reject;

/// Refuses an element of which only the identifier was received in a readable form.
pub(super) fn readable(from: &Value) -> Result<(), Reject> {
    match from[UNREADABLE].as_str() {
        Some(reason) if from.as_object().is_some_and(|it| it.len() == 2) => {
            Err(Reject::new(reason))
        }
        _ => Ok(()),
    }
}

/// A text; `None` where it is missing or null.
pub(super) fn text<'a>(from: &'a Value, field: &'static str) -> Result<Option<&'a str>, Reject> {
    match &from[field] {
        Value::Null => Ok(None),
        Value::String(text) => Ok(Some(text)),
        other => Err(wrong(field, "a text", other)),
    }
}

/// A text that must be there.
pub(super) fn needed<'a>(from: &'a Value, field: &'static str) -> Result<&'a str, Reject> {
    text(from, field)?.ok_or_else(|| Reject::field(field, "is missing"))
}

/// A yes or no; missing means no.
pub(super) fn flag(from: &Value, field: &'static str) -> Result<bool, Reject> {
    match &from[field] {
        Value::Null => Ok(false),
        Value::Bool(flag) => Ok(*flag),
        other => Err(wrong(field, "true or false", other)),
    }
}

/// An instant as Trello writes all of them: ISO 8601, UTC, milliseconds.
pub(super) fn instant(from: &Value, field: &'static str) -> Result<Option<DateTime<Utc>>, Reject> {
    let Some(text) = text(from, field)? else {
        return Ok(None);
    };
    match DateTime::parse_from_rfc3339(text) {
        Ok(at) => Ok(Some(at.to_utc())),
        Err(_) => Err(Reject::field(field, format!("`{text}` is not an instant"))),
    }
}

/// A list of texts; missing means empty.
pub(super) fn texts<'a>(from: &'a Value, field: &'static str) -> Result<Vec<&'a str>, Reject> {
    match &from[field] {
        Value::Null => Ok(Vec::new()),
        Value::Array(items) => items
            .iter()
            .map(|item| item.as_str().ok_or_else(|| wrong(field, "texts", item)))
            .collect(),
        other => Err(wrong(field, "a list of texts", other)),
    }
}

fn wrong(field: &'static str, wanted: &str, found: &Value) -> Reject {
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

/// When the thing with this `ObjectId` was made: its first eight digits are Unix seconds.
///
/// Cards have no creation date of their own; against 92 `createCard` actions of real exports the
/// identifier was within 1.25 s of the action (measured 2026-11).
pub(super) fn made_at(object_id: &str) -> Option<DateTime<Utc>> {
    let digits = object_id.get(..8).filter(|_| is_object_id(object_id))?;
    let seconds = u32::from_str_radix(digits, 16).ok()?;
    DateTime::from_timestamp(i64::from(seconds), 0)
}

/// Whether a text has the form of Trello's identifiers: 24 hexadecimal digits.
pub(crate) fn is_object_id(text: &str) -> bool {
    text.len() == 24 && text.bytes().all(|byte| byte.is_ascii_hexdigit())
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn an_object_id_carries_its_second() {
        let made = made_at("5e20e0dcc014133d08a75c9f").unwrap();
        assert_eq!(made.to_rfc3339(), "2020-01-16T22:17:00+00:00");
        assert_eq!(made_at("mTQQJLsS"), None);
        assert_eq!(made_at("zz20e0dcc014133d08a75c9f"), None);
        assert_eq!(made_at("éééé20e0dcc014133d08a75"), None);
    }

    #[test]
    fn missing_is_not_wrong() {
        let card = json!({"due": null, "closed": 1, "start": "tomorrow", "idMembers": ["a", 2]});
        assert_eq!(instant(&card, "due").unwrap(), None);
        assert_eq!(text(&card, "name").unwrap(), None);
        assert_eq!(needed(&card, "name").unwrap_err().field, Some("name"));
        let complaint = flag(&card, "closed").unwrap_err().to_string();
        assert_eq!(complaint, "closed: should be true or false and is a number");
        assert!(instant(&card, "start").is_err());
        assert!(texts(&card, "idMembers").is_err());
        assert!(text(&json!([1]), "name").unwrap().is_none());
    }
}
