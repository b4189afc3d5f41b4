//! Toggl's answers, as far as they are read: Track API v9 and Reports API v3.
//!
//! Keys appear and vanish in the live service without notice, so every field but an identifier
//! is optional and unknown ones are ignored. Texts that hold instants stay texts here: whether
//! one is readable is decided where it is needed, for one record, not for a whole answer.

use chrono::{DateTime, Timelike, Utc};
use serde::de::DeserializeOwned;
use serde::{Deserialize, Deserializer};
use serde_json::value::RawValue;

/// Only a null stop says that a timer runs; `duration` was recorded as -1, as 0 and as the negative
/// start for running entries (wire samples, December 2024).
pub(super) use crate::rows::Stop;

/// `GET /me?with_related_data=true`. The lists are null where the user has none.
#[derive(Debug, Deserialize)]
pub(super) struct Me {
    pub(super) id: i64,
    pub(super) email: Option<String>,
    pub(super) fullname: Option<String>,
    pub(super) timezone: Option<String>,
    /// When the user was last touched; on recorded answers, the instant of the answer.
    pub(super) at: Option<String>,
    pub(super) workspaces: Option<Vec<Workspace>>,
    #[serde(default, deserialize_with = "readable")]
    pub(super) clients: Option<Vec<Client>>,
    /// Kept as received: each becomes a record of its own.
    pub(super) projects: Option<Vec<Box<RawValue>>>,
    #[serde(default, deserialize_with = "readable")]
    pub(super) tasks: Option<Vec<NamedId>>,
    #[serde(default, deserialize_with = "readable")]
    pub(super) tags: Option<Vec<NamedId>>,
    pub(super) time_entries: Option<Vec<Box<RawValue>>>,
}

#[derive(Debug, Deserialize)]
pub(super) struct Workspace {
    pub(super) id: i64,
    pub(super) name: Option<String>,
    pub(super) role: Option<String>,
    pub(super) premium: Option<bool>,
}

#[derive(Debug, Deserialize)]
pub(super) struct Client {
    pub(super) id: i64,
    pub(super) name: Option<String>,
}

/// A tag or a task, of which only the name matters.
#[derive(Debug, Deserialize)]
pub(super) struct NamedId {
    pub(super) id: i64,
    pub(super) name: Option<String>,
}

#[derive(Debug, Deserialize)]
pub(super) struct Project {
    pub(super) id: i64,
    pub(super) workspace_id: Option<i64>,
    pub(super) client_id: Option<i64>,
    pub(super) client_name: Option<String>,
    pub(super) name: Option<String>,
    pub(super) active: Option<bool>,
    pub(super) server_deleted_at: Option<String>,
}

/// A time entry as Track sends it. The names come only with `meta=true`.
#[derive(Clone, Debug, Deserialize)]
pub(super) struct Entry {
    pub(super) id: i64,
    pub(super) workspace_id: Option<i64>,
    pub(super) user_id: Option<i64>,
    pub(super) project_id: Option<i64>,
    pub(super) task_id: Option<i64>,
    pub(super) billable: Option<bool>,
    pub(super) start: Option<String>,
    #[serde(default)]
    pub(super) stop: Stop,
    pub(super) description: Option<String>,
    pub(super) tags: Option<Vec<String>>,
    pub(super) tag_ids: Option<Vec<i64>>,
    pub(super) at: Option<String>,
    /// On the wire, and missing from the vendor's own description.
    pub(super) server_deleted_at: Option<String>,
    pub(super) client_name: Option<String>,
    pub(super) project_name: Option<String>,
    pub(super) task_name: Option<String>,
    pub(super) user_name: Option<String>,
}

/// A row of `search/time_entries`; it wraps its entries even when nothing is grouped.
#[derive(Clone, Debug, Deserialize)]
pub(super) struct Row {
    pub(super) user_id: Option<i64>,
    pub(super) username: Option<String>,
    pub(super) email: Option<String>,
    pub(super) project_id: Option<i64>,
    pub(super) project_name: Option<String>,
    pub(super) client_name: Option<String>,
    pub(super) task_id: Option<i64>,
    pub(super) task_name: Option<String>,
    pub(super) billable: Option<bool>,
    pub(super) description: Option<String>,
    pub(super) tag_ids: Option<Vec<i64>>,
    pub(super) tag_names: Option<Vec<String>>,
    pub(super) time_entries: Vec<RowEntry>,
}

#[derive(Clone, Debug, Deserialize)]
pub(super) struct RowEntry {
    pub(super) id: i64,
    pub(super) start: Option<String>,
    #[serde(default)]
    pub(super) stop: Stop,
    pub(super) at: Option<String>,
}

/// The least of a row of a report: enough to put one aside under the names of its entries.
#[derive(Debug, Deserialize)]
pub(super) struct OnlyEntries {
    pub(super) time_entries: Vec<Box<RawValue>>,
}

/// The elements that can be read: what only gives names may lack some, and a name is all that is
/// lost. `None` where there is no list at all.
fn readable<'de, D, T>(from: D) -> Result<Option<Vec<T>>, D::Error>
where
    D: Deserializer<'de>,
    T: DeserializeOwned,
{
    let items = Option::<Vec<Box<RawValue>>>::deserialize(from)?;
    Ok(items.map(|items| {
        let readable = items.iter().map(|item| serde_json::from_str(item.get()));
        readable.filter_map(Result::ok).collect()
    }))
}

/// Reads an instant with any offset and any fraction; `None` for what is none.
pub(super) fn instant(text: &str) -> Option<DateTime<Utc>> {
    DateTime::parse_from_rfc3339(text)
        .ok()
        .map(|instant| instant.with_timezone(&Utc))
}

/// An instant in whole seconds. Cut, not rounded: Toggl's own durations are those of the cut
/// instants.
pub(super) fn whole_second(text: &str) -> Option<DateTime<Utc>> {
    instant(text)?.with_nanosecond(0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_missing_stop_is_not_a_null_stop() {
        let running: Entry = serde_json::from_str(r#"{"id":1,"stop":null}"#).unwrap();
        let unclear: Entry = serde_json::from_str(r#"{"id":1}"#).unwrap();
        assert_eq!(running.stop, Stop::Running);
        assert_eq!(unclear.stop, Stop::Missing);
    }

    #[test]
    fn offsets_and_fractions_are_read_and_fractions_cut() {
        let track = whole_second("2026-10-25T01:30:00.999999Z").unwrap();
        let reports = whole_second("2026-10-25T02:30:00+01:00").unwrap();
        assert_eq!(track, reports);
        assert_eq!(whole_second("yesterday"), None);
        assert_eq!(whole_second("2026-02-30T00:00:00Z"), None);
    }
}
