//! Which task a piece of time belongs to, who did it, and which files it touched. Pure.
//!
//! Only what is certain is a match: a link, an id, the tracker's own task, a person's decision,
//! or an exact title within the client's boards. Two answers are no answer.

mod catalogue;
mod files;
mod link;
mod people;
mod same_work;
#[cfg(test)]
pub(crate) mod testing;
mod text;

use std::collections::BTreeMap;

pub use catalogue::Catalogue;
pub use files::files_touched;
pub(crate) use files::within;
pub(crate) use people::is_by;
pub use people::{person_key, person_name, person_of};
pub use same_work::{fingerprint, pair, same_work};
pub(crate) use text::names;
pub use text::normal;

use crate::work::RecordKey;

/// The answer for one entry.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Match {
    Task {
        key: RecordKey,
        evidence: Evidence,
    },
    /// The evidence names several tasks; a person decides.
    Ambiguous {
        keys: Vec<RecordKey>,
    },
    /// The entry links to a task that no connection shows: it has a task, and not one of ours.
    Unknown {
        /// The link as the reference was understood: `trello.com/c/aB3dE6gH`.
        link: String,
    },
    None,
}

/// Why a match is certain, the strongest first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Evidence {
    /// The entry's text holds the task's address.
    Link,
    /// The entry's text holds the task's short id as a word.
    ShortId,
    /// A tag names the task.
    TagId,
    /// The time tracker itself says which task it was.
    SourceTask,
    /// A person said so for this client and text.
    Alias,
    /// The text is the title of exactly one task on the client's boards.
    ExactTitle,
}

impl Evidence {
    /// The name as it is stored and printed.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Link => "link",
            Self::ShortId => "short-id",
            Self::TagId => "tag",
            Self::SourceTask => "source-task",
            Self::Alias => "alias",
            Self::ExactTitle => "exact-title",
        }
    }
}

/// What people have confirmed: for a client, this text means that task.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Aliases {
    tasks: BTreeMap<(Option<String>, String), RecordKey>,
}

impl Aliases {
    /// Remembers a decision; a later one for the same text replaces it. A blank text decides
    /// nothing.
    pub fn insert(&mut self, client: Option<&str>, text: &str, task: RecordKey) {
        let key = normal(text);
        if !key.is_empty() {
            self.tasks.insert((client.map(str::to_owned), key), task);
        }
    }

    pub fn get(&self, client: Option<&str>, text: &str) -> Option<&RecordKey> {
        self.tasks.get(&(client.map(str::to_owned), normal(text)))
    }
}
