//! What a stream of the program becomes, and in which of its columns the facts are.
//!
//! The words are those of the mapping files for imports (`docs/imports.md`), with paths in the
//! place of column names. A shape goes into every raw record: mappings change, and a raw record
//! must be read as it was when it came.

use std::collections::BTreeMap;

use chrono_tz::Tz;
use serde::{Deserialize, Serialize};

use crate::import::dates::DateStyle;
use crate::import::durations::{Decimal, Unit};
use crate::import::layout::{Field, Layout, Words};
use crate::record::Stream;

/// The kinds of records that a stream may become.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(super) enum Target {
    Time,
    Tasks,
    Files,
    People,
    Projects,
    Expenses,
}

impl Target {
    pub(super) const ALL: [Self; 6] = [
        Self::Time,
        Self::Tasks,
        Self::Files,
        Self::People,
        Self::Projects,
        Self::Expenses,
    ];

    pub(super) fn stream(self) -> Stream {
        match self {
            Self::Time => Stream::Time,
            Self::Tasks => Stream::Tasks,
            Self::Files => Stream::Files,
            Self::People => Stream::People,
            Self::Projects => Stream::Projects,
            Self::Expenses => Stream::Expenses,
        }
    }

    /// The fields that a mapping may fill.
    pub(super) fn fields(self) -> &'static [&'static str] {
        match self {
            Self::Time => TIME,
            Self::Tasks => TASKS,
            Self::Files => FILES,
            Self::People => &["name", "first_name", "last_name", "email", DELETED],
            Self::Projects => &["name", "client", "client_id", "archived", "url", DELETED],
            Self::Expenses => EXPENSES,
        }
    }

    /// The field without which there is no record; time has rules of its own.
    pub(super) fn needed(self) -> Option<&'static str> {
        match self {
            Self::Time => None,
            Self::Tasks => Some("title"),
            Self::Files => Some("path"),
            Self::People | Self::Projects => Some("name"),
            Self::Expenses => Some("amount"),
        }
    }
}

/// A column that says that the record was deleted.
pub(super) const DELETED: &str = "deleted";

const TIME: &[&str] = &[
    "person",
    "person_id",
    "first_name",
    "last_name",
    "email",
    "client",
    "client_id",
    "project",
    "project_id",
    "task",
    "task_id",
    "description",
    "billable",
    "date",
    "start",
    "end_date",
    "end",
    "duration",
    "break",
    "running",
    "tags",
    DELETED,
];

const TASKS: &[&str] = &[
    "title",
    "notes",
    "project",
    "project_id",
    "section",
    "section_id",
    "done",
    "done_at",
    "archived",
    "short_id",
    "url",
    "person",
    "person_id",
    "email",
    "tags",
    "created",
    "due",
    "duration",
    DELETED,
];

const FILES: &[&str] = &[
    "path",
    "size",
    "modified",
    "person",
    "person_id",
    "email",
    "version",
    DELETED,
];

const EXPENSES: &[&str] = &[
    "date",
    "amount",
    "currency",
    "description",
    "category",
    "category_id",
    "person",
    "person_id",
    "email",
    "client",
    "client_id",
    "project",
    "project_id",
    "task",
    "task_id",
    "billable",
    DELETED,
];

/// How times are written.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(super) enum Times {
    /// `2026-03-02T08:00:00Z`, and what else the imports read.
    #[default]
    Text,
    /// Seconds since 1970.
    UnixSeconds,
    UnixMilliseconds,
}

impl Times {
    pub(super) const WORDS: [(&'static str, Self); 3] = [
        ("text", Self::Text),
        ("unix-seconds", Self::UnixSeconds),
        ("unix-milliseconds", Self::UnixMilliseconds),
    ];
}

/// How the records of one stream are read.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Shape {
    pub(super) record: Target,
    /// The paths under which a fact may be found; the first that has a value is taken.
    pub(super) columns: BTreeMap<String, Vec<String>>,
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub(super) constants: BTreeMap<String, String>,
    /// The zone of times that do not say theirs.
    #[serde(with = "by_name")]
    pub(super) zone: Tz,
    #[serde(default, skip_serializing_if = "is_default")]
    pub(super) dates: DateStyle,
    #[serde(default, skip_serializing_if = "is_default")]
    pub(super) times: Times,
    #[serde(default, skip_serializing_if = "is_default")]
    pub(super) decimal: Decimal,
    #[serde(default, skip_serializing_if = "is_default")]
    pub(super) duration: Unit,
    #[serde(rename = "break", default, skip_serializing_if = "is_default")]
    pub(super) pause: Unit,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) tags_separator: Option<String>,
    #[serde(default, skip_serializing_if = "is_default")]
    pub(super) billable: Words,
    /// The words for a task that is done; without them, those for yes and no.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub(super) done: Vec<String>,
}

impl Shape {
    pub(super) fn has(&self, field: &str) -> bool {
        self.columns.contains_key(field)
    }

    /// The same for the rules of the imports.
    pub(super) fn layout(&self) -> Layout {
        let columns = Field::ALL
            .into_iter()
            .filter_map(|field| Some((field, self.columns.get(field.key())?.clone())));
        let columns: BTreeMap<_, _> = columns.collect();
        let has = |field| columns.contains_key(&field);
        Layout {
            times_optional: has(Field::Date) && has(Field::Duration),
            columns,
            dates: self.dates,
            decimal: self.decimal,
            duration: self.duration,
            pause: self.pause,
            billable: self.billable.clone(),
            ..Layout::default()
        }
    }
}

/// A time zone by its name.
mod by_name {
    use chrono_tz::Tz;
    use serde::{Deserialize, Deserializer, Serializer, de::Error};

    #[expect(clippy::trivially_copy_pass_by_ref, reason = "serde hands it over so")]
    pub(super) fn serialize<S: Serializer>(zone: &Tz, to: S) -> Result<S::Ok, S::Error> {
        to.serialize_str(zone.name())
    }

    pub(super) fn deserialize<'de, D: Deserializer<'de>>(from: D) -> Result<Tz, D::Error> {
        let name = String::deserialize(from)?;
        name.parse().map_err(D::Error::custom)
    }
}

fn is_default<T: Default + PartialEq>(value: &T) -> bool {
    *value == T::default()
}

/// One stream of the program that is read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Mapped {
    /// As the program calls it.
    pub(super) name: String,
    /// The columns that name a record, where the program does not say so or says it wrong.
    pub(super) key: Vec<String>,
    /// Put before every identifier, to keep two streams of one kind of record apart.
    pub(super) prefix: String,
    /// Whether every run lists all that there is.
    pub(super) full: bool,
    /// What the program is told to go by, where it leaves the choice.
    pub(super) replication_key: Option<String>,
    /// The fields whose columns the program must know.
    pub(super) required: Vec<String>,
    pub(super) shape: Shape,
}

impl Mapped {
    /// Every path that is read, with its first name alone: that is what a program can select.
    pub(super) fn columns(&self) -> impl Iterator<Item = &str> {
        let paths = self.shape.columns.values().flatten().chain(&self.key);
        paths
            .map(String::as_str)
            .chain(self.replication_key.as_deref())
    }
}
