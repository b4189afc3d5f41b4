//! The records: what a connector saw, in our own words.
//!
//! Every field that a service may leave out is optional, and nothing here is computed: a record
//! says what the source said. Two observations are the same revision when their records are
//! equal, so a record must not carry anything that changes on its own (a fetch time, a row
//! number, a signed download link).

use std::collections::BTreeMap;
use std::fmt;

use chrono::{DateTime, NaiveDate, Utc};
use serde::{Deserialize, Serialize};

/// The identifier that a source gives to one of its things; unique within a stream of a
/// connection, and never shown to be more than an opaque text.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct ExternalId(String);

impl ExternalId {
    /// Takes the identifier as the source writes it.
    pub fn new(id: impl Into<String>) -> Self {
        Self(id.into())
    }

    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for ExternalId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// One kind of record in a connection.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Stream {
    /// Time that somebody tracked.
    Time,
    /// Cards, tasks, issues: the work as it is described.
    Tasks,
    /// Who did what to a task, and when.
    Activity,
    /// Files on a drive.
    Files,
    /// People who appear in other records.
    People,
    /// Projects, boards: what tasks and time belong to.
    Projects,
    /// Money that was spent for somebody and may be passed on.
    Expenses,
}

impl Stream {
    pub const ALL: [Self; 7] = [
        Self::Time,
        Self::Tasks,
        Self::Activity,
        Self::Files,
        Self::People,
        Self::Projects,
        Self::Expenses,
    ];

    /// The name used in the ledger; part of its format, so never changed.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Time => "time",
            Self::Tasks => "tasks",
            Self::Activity => "activity",
            Self::Files => "files",
            Self::People => "people",
            Self::Projects => "projects",
            Self::Expenses => "expenses",
        }
    }

    /// The stream of that name in the ledger.
    pub fn parse(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|stream| stream.as_str() == name)
    }
}

impl fmt::Display for Stream {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// One thing as a source described it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "type", rename_all = "snake_case")]
pub enum Record {
    TimeEntry(TimeEntry),
    Task(Task),
    Activity(Activity),
    File(File),
    Person(Person),
    Project(Project),
    Expense(Expense),
}

impl Record {
    /// The stream that a record of this type belongs to.
    pub fn stream(&self) -> Stream {
        match self {
            Self::TimeEntry(_) => Stream::Time,
            Self::Task(_) => Stream::Tasks,
            Self::Activity(_) => Stream::Activity,
            Self::File(_) => Stream::Files,
            Self::Person(_) => Stream::People,
            Self::Project(_) => Stream::Projects,
            Self::Expense(_) => Stream::Expenses,
        }
    }
}

/// Something that a source refers to by id, by name, or by both.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Named {
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub id: Option<ExternalId>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
}

impl Named {
    /// A reference by name alone, as files have it; `None` for a blank name.
    pub fn by_name(name: &str) -> Option<Self> {
        let name = name.trim();
        (!name.is_empty()).then(|| Self {
            id: None,
            name: Some(name.to_owned()),
        })
    }
}

/// A person as a record refers to one.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct PersonRef {
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub id: Option<ExternalId>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub email: Option<String>,
}

/// How a source measured time. Instants are UTC and whole seconds.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "how", rename_all = "snake_case")]
pub enum Worked {
    /// A timer that still runs. Never billed, never summed.
    Running { start: DateTime<Utc> },
    /// From an instant to an instant; the duration is their difference.
    Span {
        start: DateTime<Utc>,
        stop: DateTime<Utc>,
    },
    /// So many seconds on a calendar day, without a time of day (Harvest, Asana).
    Day { date: NaiveDate, seconds: i64 },
}

impl Worked {
    /// The tracked time in whole seconds; `None` while the timer runs. May be zero or negative
    /// when the source says so: that is a finding, not an error.
    pub fn seconds(&self) -> Option<i64> {
        match self {
            Self::Running { .. } => None,
            Self::Span { start, stop } => Some(stop.timestamp() - start.timestamp()),
            Self::Day { seconds, .. } => Some(*seconds),
        }
    }
}

/// A piece of tracked time.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct TimeEntry {
    pub worked: Worked,
    /// What the person wrote; empty when nothing was written.
    pub description: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub person: Option<PersonRef>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub client: Option<Named>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub project: Option<Named>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub task: Option<Named>,
    /// Sorted, without repetition.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub tags: Vec<String>,
    /// `None` when the source does not know the notion.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub billable: Option<bool>,
}

/// Where a task stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum TaskState {
    Open,
    Done,
}

/// A card, task or issue.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Task {
    pub title: String,
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub notes: String,
    /// The board or project that it lies in.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub project: Option<Named>,
    /// The list, column or section within the project.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub section: Option<Named>,
    pub state: TaskState,
    /// Put away by the user (with its list, or its project), and still there.
    pub archived: bool,
    /// The short identifier that people paste into other tools (Trello's `shortLink`).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub short_id: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub url: Option<String>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub assignees: Vec<PersonRef>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub labels: Vec<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub created: Option<DateTime<Utc>>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub done_at: Option<DateTime<Utc>>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub due: Option<DateTime<Utc>>,
    /// Time that the task tool itself has summed up for this task, in seconds (Asana's
    /// `Actual time`); a check, never billed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tracked_seconds: Option<i64>,
    /// Custom fields by name, values as text.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub fields: BTreeMap<String, String>,
}

/// One thing that somebody did to a task.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Activity {
    pub task: ExternalId,
    pub at: DateTime<Utc>,
    /// A short verb phrase: `created`, `commented`, `moved to Done`, `archived`.
    pub what: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub person: Option<PersonRef>,
    /// The words of a comment.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub text: String,
}

/// A file on a drive, in its newest version.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct File {
    /// The path within the connection, `/`-separated, as the drive writes it.
    pub path: String,
    /// Bytes; `None` where the drive does not say (a Google document).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub size: Option<u64>,
    /// When the content last changed, as the drive says.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub modified: Option<DateTime<Utc>>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub modified_by: Option<PersonRef>,
    /// The drive's own mark of the version (a revision, an `ETag`, a content hash).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub version: Option<String>,
}

/// A person as a source knows one.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Person {
    pub name: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub email: Option<String>,
}

/// A project or board.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Project {
    pub name: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub client: Option<Named>,
    pub archived: bool,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub url: Option<String>,
}

/// Money that was spent for a client or project, as the source recorded it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Expense {
    pub date: NaiveDate,
    /// In hundredths of the currency's unit. May be zero or negative when the source says so.
    pub amount_cents: i64,
    /// Three letters (ISO 4217); `None` where the source does not say.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub currency: Option<String>,
    /// What the person wrote; empty when nothing was written.
    pub description: String,
    /// The source's category: travel, material.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub category: Option<Named>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub person: Option<PersonRef>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub client: Option<Named>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub project: Option<Named>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub task: Option<Named>,
    /// `None` when the source does not know the notion.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub billable: Option<bool>,
}
