//! Rows of a service's answer, of which each is read by itself: one that cannot be read must not
//! keep the others from being read.

use serde::de::DeserializeOwned;
use serde::{Deserialize, Deserializer};
use serde_json::value::RawValue;

use crate::error::{Error, Kind, Result};

/// The end of a time entry.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) enum Stop {
    /// The key is not there, which says nothing.
    #[default]
    Missing,
    /// The key is null: the timer runs.
    Running,
    At(String),
}

impl<'de> Deserialize<'de> for Stop {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        let text = Option::<String>::deserialize(from)?;
        Ok(text.map_or(Self::Running, Self::At))
    }
}

/// The identifier of a row, however little else of it can be read.
pub(crate) fn identifier<T: DeserializeOwned>(row: &RawValue) -> Option<T> {
    #[derive(Deserialize)]
    struct OnlyId<T> {
        id: T,
    }
    // A list would be read as well, its first element as the identifier.
    let object = Some(row.get()).filter(|text| text.starts_with('{'));
    let found: Option<OnlyId<T>> = serde_json::from_str(object?).ok();
    found.map(|found| found.id)
}

/// Whether a failure of a second look leaves this record's question open and lets those about
/// others be asked.
pub(crate) fn leaves_open(error: &Error) -> bool {
    matches!(
        error.kind(),
        Kind::NotInPlan | Kind::Forbidden | Kind::Rejected | Kind::NotFound
    )
}

/// Says how many rows had no identifier, where some had none. Where no row has one, the answer is
/// another than the one that was asked for, and none of it is taken.
pub(crate) fn left_out(service: &str, count: usize, rows: usize) -> Result<Option<String>> {
    if count > 0 && count == rows {
        let message = format!("none of the rows of {service}'s answer has an identifier");
        return Err(Error::new(Kind::Protocol, message).with("rows", rows));
    }
    let text =
        || format!("{count} rows of {service}'s answer have no identifier and were left out");
    Ok((count > 0).then(text))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_missing_stop_is_not_a_null_stop() {
        #[derive(Deserialize)]
        struct Entry {
            #[serde(default)]
            stop: Stop,
        }
        let stop = |text| serde_json::from_str::<Entry>(text).unwrap().stop;
        assert_eq!(stop(r#"{"stop":null}"#), Stop::Running);
        assert_eq!(stop("{}"), Stop::Missing);
    }

    #[test]
    fn a_row_is_known_by_its_id_alone() {
        fn id<T: DeserializeOwned>(text: &str) -> Option<T> {
            identifier(&RawValue::from_string(text.to_owned()).unwrap())
        }
        assert_eq!(id::<i64>(r#"{"id":64,"billable":[]}"#), Some(64));
        assert_eq!(id::<String>(r#"{"id":"64c7"}"#).as_deref(), Some("64c7"));
        for text in ["[64]", r#"{"id":"64"}"#, r#"{"id":6.4}"#, "null", "{}"] {
            assert_eq!(id::<i64>(text), None, "{text}");
        }
    }
}
