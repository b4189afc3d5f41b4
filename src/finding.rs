//! Findings: what does not add up, as a sentence with a subject, a severity and a suggestion.

use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use crate::ledger::hex;

/// How much a finding matters.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Severity {
    /// Worth knowing; does not ask for anything.
    Note,
    /// Somebody should look before the statement is sealed.
    Check,
    /// Wrong money or lost time unless somebody acts.
    Act,
}

/// The kinds of findings. The names are stable: they stand in JSON and in the ledger.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Kind {
    EntryWithoutTask,
    AmbiguousTask,
    TaskDoneWithoutTime,
    TimeOnArchivedTask,
    Overlap,
    LongEntry,
    LongTimer,
    ZeroDuration,
    NegativeDuration,
    OverOneDay,
    NoDescription,
    NoProject,
    NoClient,
    NoContract,
    ContractClash,
    PossibleDuplicate,
    ClockChangeDoubt,
    BilledEntryChanged,
    BilledEntryDeleted,
    RateChanged,
    LateEntry,
    UnreadableRecord,
    SuspiciousDeletion,
    SourceFailed,
    SourceNotice,
    ImportRefused,
    DeliveryFailed,
    DeliveredBeside,
    DeliveryKept,
    LedgerDamaged,
    BackupFailed,
    HeadsNotKept,
}

impl Kind {
    /// The name as it is stored and printed: `entry-without-task`.
    pub fn name(self) -> String {
        serde_json::to_value(self)
            .ok()
            .and_then(|value| value.as_str().map(str::to_owned))
            .expect("a unit variant serialises to its name")
    }
}

/// One thing that does not add up.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Finding {
    pub kind: Kind,
    pub severity: Severity,
    /// What it is about: a work (`w1042`), a record key, a connection, a statement number.
    pub subject: String,
    /// The second thing, where two do not fit together.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub other: Option<String>,
    /// The key of the client, where it is known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub client: Option<String>,
    /// What was seen: a whole sentence.
    pub sentence: String,
    /// What a person can do: a whole sentence, with the command where there is one.
    pub action: String,
}

impl Finding {
    /// The finding's identity: the same thing, seen again tomorrow, is the same finding.
    pub fn id(&self) -> String {
        let mut hash = Sha256::new();
        for part in [
            self.kind.name().as_str(),
            self.subject.as_str(),
            self.other.as_deref().unwrap_or(""),
        ] {
            hash.update(part.len().to_be_bytes());
            hash.update(part.as_bytes());
        }
        hex(&hash.finalize()[..8])
    }
}
