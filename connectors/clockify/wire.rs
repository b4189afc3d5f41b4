//! Clockify's answers, as far as they are read: API v1.
//!
//! The description leaves most fields optional, and hydrated rows carry more than it names. So
//! every field but an identifier is optional here, and unknown ones are ignored. Texts that hold
//! instants stay texts: whether one is readable is decided for one record, not for a whole answer.

use chrono::{DateTime, Timelike, Utc};
use serde::Deserialize;
use serde_json::value::RawValue;

use crate::rows::{self, Stop};

/// `GET /user`, and each of `GET /workspaces/{w}/users`.
#[derive(Debug, Deserialize)]
pub(super) struct User {
    pub(super) id: String,
    pub(super) name: Option<String>,
    pub(super) email: Option<String>,
    pub(super) settings: Option<UserSettings>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct UserSettings {
    pub(super) time_zone: Option<String>,
}

/// Each of `GET /workspaces`.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Workspace {
    pub(super) id: String,
    pub(super) name: Option<String>,
    pub(super) feature_subscription_type: Option<String>,
}

/// Each of `GET /workspaces/{w}/projects`, and a hydrated entry's own.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Project {
    pub(super) id: Option<String>,
    pub(super) name: Option<String>,
    pub(super) client_id: Option<String>,
    pub(super) client_name: Option<String>,
    pub(super) archived: Option<bool>,
}

/// A time entry; `project`, `task` and `tags` come only where it was asked for hydrated.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Entry {
    pub(super) user_id: Option<String>,
    pub(super) description: Option<String>,
    pub(super) billable: Option<bool>,
    /// `REGULAR`, `BREAK`, `HOLIDAY`, `TIME_OFF`.
    #[serde(rename = "type")]
    pub(super) kind: Option<String>,
    pub(super) project_id: Option<String>,
    pub(super) project: Option<Project>,
    pub(super) task_id: Option<String>,
    pub(super) task: Option<NamedId>,
    pub(super) tag_ids: Option<Vec<String>>,
    pub(super) tags: Option<Vec<NamedId>>,
    pub(super) time_interval: Option<Interval>,
}

/// A tag or a task.
#[derive(Debug, Deserialize)]
pub(super) struct NamedId {
    pub(super) id: Option<String>,
    pub(super) name: Option<String>,
}

#[derive(Debug, Deserialize)]
pub(super) struct Interval {
    pub(super) start: Option<String>,
    #[serde(default)]
    pub(super) end: Stop,
}

/// The identifier of a row, however little else of it can be read.
pub(super) fn identifier(row: &RawValue) -> Option<String> {
    rows::identifier(row).filter(|id: &String| !id.trim().is_empty())
}

/// When a row's timer was started, where it still runs.
pub(super) fn running_since(row: &RawValue) -> Option<DateTime<Utc>> {
    let entry: Entry = serde_json::from_str(row.get()).ok()?;
    let interval = entry.time_interval?;
    let running = interval.end == Stop::Running;
    whole_second(interval.start.as_deref()?).filter(|_| running)
}

/// An instant in whole seconds.
pub(super) fn whole_second(text: &str) -> Option<DateTime<Utc>> {
    let instant = DateTime::parse_from_rfc3339(text).ok()?;
    instant.with_timezone(&Utc).with_nanosecond(0)
}
