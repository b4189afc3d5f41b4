//! What a run did, for people, for `--json`, and for the exit code.

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

use super::intake::Counts;
use crate::store::Backup;

/// One pass of the program.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Report {
    pub trigger: String,
    pub started_at: DateTime<Utc>,
    pub finished_at: DateTime<Utc>,
    pub sources: Vec<SourceReport>,
    pub imports: Vec<ImportReport>,
    pub findings_new: usize,
    /// Open findings that ask for a person.
    pub findings_open: usize,
    pub deliveries: DeliveryReport,
    /// What a whole night did for the ledger itself, and could not do.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub kept: Option<Kept>,
}

/// The ledger's own safety.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Kept {
    pub backup: Option<Backup>,
    /// What failed, a sentence without a full stop each.
    pub failed: Vec<String>,
}

/// How one connection's pull went.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct SourceReport {
    pub connection: String,
    pub counts: Counts,
    pub requests: u64,
    pub notices: Vec<String>,
    /// Records that vanished, too many at once to believe it; since whichever run.
    pub held: usize,
    pub failure: Option<Failure>,
}

/// Why something did not work.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Failure {
    pub text: String,
    pub hint: Option<String>,
    pub needs_person: bool,
    /// When it may work, where that is known.
    pub after: Option<DateTime<Utc>>,
}

/// How one file's import went.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct ImportReport {
    /// `connection:path`
    pub file: String,
    pub format: Option<String>,
    pub counts: Counts,
    pub refused: Option<String>,
}

/// How the deliveries went.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub struct DeliveryReport {
    pub delivered: Vec<String>,
    /// Every document that is not where it should be and was tried, now or before.
    pub failed: Vec<String>,
    pub needs_person: bool,
    /// When the next document may be tried again.
    pub again: Option<DateTime<Utc>>,
}

/// How the program ends. The numbers are part of its interface.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
#[repr(u8)]
pub enum Exit {
    Fine = 0,
    /// Done, with findings that need a person.
    Findings = 1,
    /// Wrong usage or configuration.
    Usage = 2,
    /// A source or target failed for now.
    ForNow = 3,
    /// An expired login, a suspicious deletion, a damaged ledger.
    NeedsPerson = 4,
}

impl Exit {
    /// How a failed call ends the program.
    pub fn of(error: &stundenbuch_connectors::Error) -> Self {
        if error.needs_person() {
            Self::NeedsPerson
        } else {
            Self::ForNow
        }
    }
}

impl Report {
    /// The gravest thing that happened.
    pub fn exit(&self) -> Exit {
        let person = self.deliveries.needs_person
            || self.sources.iter().any(|source| {
                source.held > 0
                    || source
                        .failure
                        .as_ref()
                        .is_some_and(|failure| failure.needs_person)
            });
        let unkept = self
            .kept
            .as_ref()
            .is_some_and(|kept| !kept.failed.is_empty());
        let failed = unkept
            || !self.deliveries.failed.is_empty()
            || self.sources.iter().any(|source| source.failure.is_some())
            || self.imports.iter().any(|import| import.refused.is_some());
        match (person, failed, self.findings_open > 0) {
            (true, _, _) => Exit::NeedsPerson,
            (false, true, _) => Exit::ForNow,
            (false, false, true) => Exit::Findings,
            (false, false, false) => Exit::Fine,
        }
    }

    /// When a failed source or delivery may be tried again; the earliest, if any failed for now.
    pub fn try_again_at(&self) -> Option<DateTime<Utc>> {
        let failures = self
            .sources
            .iter()
            .filter_map(|source| source.failure.as_ref());
        failures
            .filter(|failure| !failure.needs_person)
            .map(|failure| failure.after.unwrap_or(self.finished_at))
            .chain(self.deliveries.again)
            .min()
    }
}

impl From<&stundenbuch_connectors::Error> for Failure {
    fn from(error: &stundenbuch_connectors::Error) -> Self {
        use stundenbuch_connectors::error::Retry;
        let after = match error.retry_advice() {
            Retry::Later { after } => *after,
            Retry::Never | Retry::Unknown => None,
        };
        Self {
            text: error.to_string(),
            hint: error.advice().map(str::to_owned),
            needs_person: error.needs_person(),
            after,
        }
    }
}
