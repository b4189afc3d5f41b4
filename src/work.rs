//! What the pure stages see of the ledger: current records, without storage.
//!
//! *Work* is one piece of tracked time that exists once, however many sources report it: an
//! entry imported from a file and pulled through the API later are two claims on one work.

use std::fmt;

use serde::{Deserialize, Serialize};
use stundenbuch_connectors::record::{ExternalId, File, Stream, Task, TimeEntry};

/// A record's place in the ledger: connection, stream and the source's own identifier.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct RecordKey {
    pub connection: String,
    pub stream: Stream,
    pub id: ExternalId,
}

impl fmt::Display for RecordKey {
    /// `toggl/time/3727977106`
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}/{}", self.connection, self.stream, self.id)
    }
}

/// The identity of a work: the number of the ledger row in which it was first seen, which no
/// later event can change. Printed as `w1042`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct WorkId(pub u64);

impl WorkId {
    /// Reads what it prints.
    pub fn parse(text: &str) -> Option<Self> {
        text.strip_prefix('w')?.parse().ok().map(Self)
    }
}

impl fmt::Display for WorkId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "w{}", self.0)
    }
}

/// One piece of tracked time in its current state.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Work {
    pub id: WorkId,
    /// The source that speaks for it: an API before a file, then the earlier one.
    pub key: RecordKey,
    /// The ledger row of the revision that holds now.
    pub revision: u64,
    pub entry: TimeEntry,
    /// Deleted at its source.
    pub deleted: bool,
    /// The sealed statement that charges or lists it.
    pub statement: Option<String>,
}

/// A task in its current state.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TaskItem {
    pub key: RecordKey,
    pub revision: u64,
    pub task: Task,
    pub deleted: bool,
}

/// A file in its current state.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FileItem {
    pub key: RecordKey,
    pub revision: u64,
    pub file: File,
    pub deleted: bool,
}
