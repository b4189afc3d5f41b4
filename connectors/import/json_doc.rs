//! What the JSON formats share: a document read whole, fields taken by name with a reason when
//! they are not what they should be, and records handed on only when all of them are good.

use std::io::Read;

use chrono::{DateTime, NaiveDate, Utc};
use serde_json::{Map, Number, Value};

use super::{Format, Problem, ReadError, Refusal, SinkError};
use crate::contract::Raw;
use crate::error::Reject;
use crate::record::ExternalId;

/// The largest document read, in bytes; it is held in memory.
pub(super) const DOCUMENT_MAX: u64 = 512 * 1024 * 1024;

/// A refusal of the whole file for one reason.
pub(super) fn refused(column: Option<&str>, reason: impl Into<String>) -> ReadError {
    let mut refusal = Refusal::default();
    refusal.push(Problem {
        row: None,
        column: column.map(str::to_owned),
        reason: reason.into(),
    });
    ReadError::Refused(refusal)
}

/// The file as text, without a byte order mark.
pub(super) fn read_text(input: &mut dyn Read) -> Result<String, ReadError> {
    let mut bytes = Vec::new();
    let read = input.take(DOCUMENT_MAX + 1).read_to_end(&mut bytes);
    read.map_err(|error| refused(None, format!("the file cannot be read: {error}")))?;
    if bytes.len() as u64 > DOCUMENT_MAX {
        return Err(refused(None, "the file is larger than 512 MiB"));
    }
    let text = String::from_utf8(bytes)
        .map_err(|error| refused(None, format!("the file is no UTF-8 text: {error}")))?;
    let text = text
        .strip_prefix('\u{feff}')
        .map(str::to_owned)
        .unwrap_or(text);
    if text.trim().is_empty() {
        return Err(refused(None, "the file is empty"));
    }
    Ok(text)
}

/// What is wrong with a text that is no JSON, and on which line.
pub(super) fn not_json(error: &serde_json::Error) -> ReadError {
    let mut refusal = Refusal::default();
    refusal.push(Problem {
        row: u64::try_from(error.line()).ok().filter(|line| *line > 0),
        column: None,
        reason: format!("the file is no JSON, or cut short: {error}"),
    });
    ReadError::Refused(refusal)
}

/// The records of a document: collected first, since a document is accepted whole or not.
pub(super) struct Records<'a> {
    format: &'a dyn Format,
    good: Vec<Raw>,
    refusal: Refusal,
}

impl<'a> Records<'a> {
    pub(super) fn new(format: &'a dyn Format) -> Self {
        Self {
            format,
            good: Vec::new(),
            refusal: Refusal::default(),
        }
    }

    /// Adds a record when it can be understood, and a problem with its place otherwise.
    pub(super) fn add(&mut self, place: &str, raw: Raw) {
        match self.format.normalise(&raw) {
            Ok(_) => self.good.push(raw),
            Err(reject) => self.reject(place, &reject),
        }
    }

    pub(super) fn reject(&mut self, place: &str, reject: &Reject) {
        let column = match reject.field {
            Some(field) => format!("{place}.{field}"),
            None => place.to_owned(),
        };
        self.refusal.push(Problem {
            row: None,
            column: Some(column),
            reason: reject.reason.clone(),
        });
    }

    /// Hands the records on, in the document's order.
    pub(super) fn hand_on(
        self,
        each: &mut dyn FnMut(Raw) -> Result<(), SinkError>,
    ) -> Result<(), ReadError> {
        if !self.refusal.problems.is_empty() {
            return Err(ReadError::Refused(self.refusal));
        }
        self.good
            .into_iter()
            .try_for_each(each)
            .map_err(ReadError::Sink)
    }
}

/// An object whose fields are taken by name. `null` counts as absent.
#[derive(Clone, Copy)]
pub(crate) struct Fields<'a>(&'a Map<String, Value>);

impl<'a> Fields<'a> {
    pub(crate) fn of(value: &'a Value) -> Result<Self, Reject> {
        let object = value.as_object().map(Self);
        object.ok_or_else(|| Reject::new(format!("must be an object, is {}", shown(value))))
    }

    pub(crate) fn has(self, key: &str) -> bool {
        self.0.contains_key(key)
    }

    fn take<T>(
        self,
        key: &'static str,
        wanted: &str,
        read: impl FnOnce(&'a Value) -> Option<T>,
    ) -> Result<Option<T>, Reject> {
        match self.0.get(key) {
            None | Some(Value::Null) => Ok(None),
            Some(value) => read(value).map(Some).ok_or_else(|| {
                Reject::field(key, format!("must be {wanted}, is {}", shown(value)))
            }),
        }
    }

    pub(crate) fn text(self, key: &'static str) -> Result<Option<&'a str>, Reject> {
        self.take(key, "a text", Value::as_str)
    }

    /// The text of that name, which must be there.
    pub(crate) fn needed(self, key: &'static str) -> Result<&'a str, Reject> {
        self.text(key)?
            .ok_or_else(|| Reject::field(key, "is missing"))
    }

    pub(crate) fn flag(self, key: &'static str) -> Result<Option<bool>, Reject> {
        self.take(key, "true or false", Value::as_bool)
    }

    /// An identifier, written as a text or as a number.
    pub(crate) fn id(self, key: &'static str) -> Result<Option<ExternalId>, Reject> {
        self.take(key, "an identifier", |value| match value {
            Value::String(text) if !text.is_empty() => Some(ExternalId::new(text.as_str())),
            Value::Number(number) if !number.is_f64() => Some(ExternalId::new(number.to_string())),
            _ => None,
        })
    }

    pub(crate) fn instant(self, key: &'static str) -> Result<Option<DateTime<Utc>>, Reject> {
        self.take(key, "an instant such as 2026-10-01T08:00:00Z", |value| {
            DateTime::parse_from_rfc3339(value.as_str()?)
                .ok()
                .map(|at| at.to_utc())
        })
    }

    pub(crate) fn day(self, key: &'static str) -> Result<Option<NaiveDate>, Reject> {
        self.take(key, "a day such as 2026-10-01", |value| {
            NaiveDate::parse_from_str(value.as_str()?, "%Y-%m-%d").ok()
        })
    }

    /// Minutes, perhaps with decimals, as seconds.
    pub(crate) fn minutes(self, key: &'static str) -> Result<Option<i64>, Reject> {
        self.take(key, "a number of minutes", |value| {
            minutes(value.as_number()?)
        })
    }

    pub(crate) fn list(self, key: &'static str) -> Result<&'a [Value], Reject> {
        Ok(self
            .take(key, "a list", Value::as_array)?
            .map_or(&[], Vec::as_slice))
    }

    /// The elements of a list of objects.
    pub(crate) fn objects(self, key: &'static str) -> Result<Vec<Fields<'a>>, Reject> {
        let object = |item: &'a Value| {
            item.as_object().map(Fields).ok_or_else(|| {
                Reject::field(key, format!("must hold objects, holds {}", shown(item)))
            })
        };
        self.list(key)?.iter().map(object).collect()
    }

    pub(crate) fn object(self, key: &'static str) -> Result<Option<Fields<'a>>, Reject> {
        self.take(key, "an object", |value| value.as_object().map(Fields))
    }
}

/// Whole seconds in so many minutes, half a second away from zero; by digits, since a floating
/// point number must not touch time.
fn minutes(number: &Number) -> Option<i64> {
    if let Some(whole) = number.as_i64() {
        return whole.checked_mul(60);
    }
    let text = number.to_string();
    let (sign, digits) = match text.strip_prefix('-') {
        Some(digits) => (-1, digits),
        None => (1, text.as_str()),
    };
    let (whole, fraction) = digits.split_once('.')?;
    let fraction = fraction.get(..fraction.len().min(9))?;
    let scale = 10_i64.pow(u32::try_from(fraction.len()).ok()?);
    let part = fraction.parse::<i64>().ok()?;
    let rest = (part * 60 * 2 + scale) / (scale * 2);
    let whole = whole.parse::<i64>().ok()?.checked_mul(60)?;
    Some(sign * whole.checked_add(rest)?)
}

/// A value for an error message: short, on one line.
fn shown(value: &Value) -> String {
    let text = value.to_string();
    match text.char_indices().nth(40) {
        Some((end, _)) => format!("{}…", &text[..end]),
        None => text,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn minutes_become_seconds_without_floating_point() {
        for (text, seconds) in [
            ("12", Some(720)),
            ("0", Some(0)),
            ("1.5", Some(90)),
            ("0.01", Some(1)),
            ("0.008", Some(0)),
            ("-1.5", Some(-90)),
            ("0.025", Some(2)),
            ("1e300", None),
            ("9223372036854775807", None),
        ] {
            let number: Number = serde_json::from_str(text).unwrap();
            assert_eq!(minutes(&number), seconds, "{text}");
        }
    }
}
