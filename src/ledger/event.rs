//! What a row of the journal says.
//!
//! The JSON forms are the ledger's format: fields are added, never renamed or given another
//! meaning. `docs/ledger.md` describes them for readers in other languages.

use std::collections::BTreeMap;

use chrono::NaiveDate;
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use serde_json::value::{RawValue, to_raw_value};
use stundenbuch_connectors::record::Record;

use super::{hex, sha256};
use crate::billing::{Change, EntryRow, LedgerHead, Statement};
use crate::money::{Cents, HourlyRate};
use crate::work::{RecordKey, WorkId};

/// One row's meaning.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(untagged)]
pub enum Event {
    Genesis(Genesis),
    Revision(Box<Revision>),
    Deleted(Deleted),
    SameWork(SameWork),
    Alias(Alias),
    Sealed(Box<Sealed>),
    Delivered(Delivered),
    Format(Format),
    Configured(Configured),
    Correction(Box<Correction>),
    Cancelled(Box<Cancelled>),
    Restored(Restored),
    Erased(Erased),
    /// What the row said was erased. Never written: it is read where a payload is empty.
    Gone,
}

/// The first row of every ledger.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Genesis {
    /// Random, so that two ledgers never share a chain.
    pub ledger: String,
    /// The program and version that made it.
    pub program: String,
}

/// One observed state of a record. The row's subject is the record's key.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Revision {
    pub record: Record,
    pub scope: String,
    pub raw: RawRef,
    /// The revision that this one supersedes.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub previous: Option<u64>,
}

/// A record's JSON, which is a part of its revision's payload and tells one state from another.
#[derive(Debug)]
pub struct Content(Box<RawValue>);

impl Content {
    pub fn of(record: &Record) -> Self {
        Self(to_raw_value(record).expect("a record is plain data"))
    }

    pub fn json(&self) -> &str {
        self.0.get()
    }
}

impl Revision {
    /// The row's `payload`, as [`Event::payload`] gives it, around the record's JSON: an import
    /// of a million entries writes each of them once and not twice.
    pub fn payload_around(&self, content: &Content) -> String {
        #[derive(Serialize)]
        struct Around<'a> {
            record: &'a RawValue,
            scope: &'a str,
            raw: &'a RawRef,
            #[serde(skip_serializing_if = "Option::is_none")]
            previous: Option<u64>,
        }
        let around = Around {
            record: &content.0,
            scope: &self.scope,
            raw: &self.raw,
            previous: self.previous,
        };
        serde_json::to_string(&around).expect("a revision is plain data")
    }
}

/// The record as it was received.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct RawRef {
    pub id: u64,
    /// SHA-256 of the received text, lower-case hexadecimal.
    pub sha256: String,
}

/// The source says that a record is gone. The row's subject is the record's key.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Deleted {
    pub proof: String,
    /// The revision that was the last.
    pub revision: u64,
}

/// A record reports a work that another record reported before. The row's subject is its key.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct SameWork {
    pub work: WorkId,
    /// The record that it was found equal to.
    pub with: RecordKey,
}

/// A person said which task a text means, or took that back. The row's subject is the client.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Alias {
    /// Normalised.
    pub text: String,
    pub task: Option<RecordKey>,
}

/// A statement that will not change any more. The row's subject is its number.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Sealed {
    pub statement: Statement,
    /// What the running part of the number counts within: `2026`.
    pub series: String,
    pub running: u32,
    /// Everything that it settles.
    pub works: Vec<SettledWork>,
    /// The rows of the corrections that it charges.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub corrections: Vec<u64>,
}

/// A work in a sealed statement.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct SettledWork {
    pub work: WorkId,
    /// The revision that was billed.
    pub revision: u64,
    /// The line that charges it; none when it is listed only.
    pub line: Option<u32>,
}

/// A document reached its target. The row's subject is the delivery's key.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Delivered {
    pub connection: String,
    pub sha256: String,
    pub location: String,
    pub outcome: String,
}

/// From the next row on, the ledger follows this version of the format. The subject is `ledger`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Format {
    pub version: u32,
    /// The program and version that brought it there.
    pub program: String,
}

/// A part of the configuration changed. The row's subject names the part: `general`,
/// `client/ahorn`, `connection/toggl`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Configured {
    pub program: String,
    /// As it is in the file, secrets by name only; `None` when the part is not there any more.
    pub settings: Option<serde_json::Value>,
    /// Where rules stand that documents name, by the path of their key: `stundenbuch.toml:41`.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub places: BTreeMap<String, String>,
}

/// What a sealed work came to be afterwards, accepted by a person, to be charged or returned on
/// the client's next statement. The row's subject is the number of the statement that it corrects.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Correction {
    pub work: WorkId,
    /// The revision or deletion of the work that this leads to.
    pub state: u64,
    /// What differs, field by field, as the drift finding said it.
    pub changes: Vec<Change>,
    /// The work's row as it is now; `None` when the client is not charged for it any more, and the
    /// statement does not settle it any more either.
    pub entry: Option<EntryRow>,
    /// What it comes to: one part for each rate that takes part. Empty when only words changed.
    pub parts: Vec<CorrectionPart>,
}

/// A difference at one rate.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct CorrectionPart {
    /// The position of the corrected statement; one that it does not have is a line that
    /// corrections added behind its own, for a rate that it had no line for.
    pub line: u32,
    /// The key of the contract.
    pub contract: String,
    pub rate: HourlyRate,
    pub rate_rule: String,
    /// Differences, in seconds.
    pub tracked_seconds: i64,
    pub billed_seconds: i64,
    /// The difference in money; to the cent, also where it is not `billed_seconds` × `rate`,
    /// because both ends were rounded.
    pub amount: Cents,
    /// What is charged at this rate in the corrected line before and after, in seconds.
    pub before_seconds: i64,
    pub after_seconds: i64,
}

/// A sealed statement was reversed. The row's subject is the number of the reversing statement.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Cancelled {
    /// The reversing statement: the cancelled one with every amount and time negated.
    pub statement: Statement,
    pub series: String,
    pub running: u32,
    /// The number of the statement that it reverses. Its works are open again.
    pub cancels: String,
}

/// The ledger was replaced by a backup of itself. The subject is `ledger`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Restored {
    /// The end of the chain that was given up; `None` when it could not be read.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub gave_up: Option<LedgerHead>,
    /// Sealed statements that were in it and are not in this one; a person accepted that.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub lost: Vec<String>,
}

/// Rows were erased: their payload, and of rows behind `format` their subject. The subject is
/// `ledger`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Erased {
    /// SHA-256 of the ledger's identity, a slash, and the client's key: it names nobody, and
    /// tells whoever knows both.
    pub client: String,
    /// Runs of rows, first and last.
    pub rows: Vec<(u64, u64)>,
    /// Runs of records that are not taken again, each by the row of its first revision.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub records: Vec<(u64, u64)>,
    /// How many received records went with them.
    pub raws: u64,
    /// Where the numbers of erased statements ended; none of them is given again.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub series: Vec<SeriesEnd>,
    /// What the law keeps.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub kept: Vec<Kept>,
}

impl Erased {
    /// How a client stands in `client`.
    pub fn client_hash(ledger: &str, key: &str) -> String {
        hex(&sha256(format!("{ledger}/{key}").as_bytes()))
    }
}

/// The highest running number among the erased statements of a series.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct SeriesEnd {
    pub series: String,
    pub running: u32,
}

/// A sealed statement that an erasure left.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Kept {
    pub number: String,
    /// The first day on which it may be erased.
    pub until: NaiveDate,
}

impl Event {
    /// The row's `kind`.
    pub fn kind(&self) -> &'static str {
        match self {
            Self::Genesis(_) => "genesis",
            Self::Revision(_) => "revision",
            Self::Deleted(_) => "deleted",
            Self::SameWork(_) => "same-work",
            Self::Alias(_) => "alias",
            Self::Sealed(_) => "sealed",
            Self::Delivered(_) => "delivered",
            Self::Format(_) => "format",
            Self::Configured(_) => "configured",
            Self::Correction(_) => "correction",
            Self::Cancelled(_) => "cancelled",
            Self::Restored(_) => "restored",
            Self::Erased(_) => "erased",
            Self::Gone => unreachable!("what was erased is not written"),
        }
    }

    /// The row's `payload`.
    pub fn payload(&self) -> String {
        serde_json::to_string(self).expect("an event is plain data")
    }

    /// Reads a payload under its kind.
    pub fn read(kind: &str, payload: &str) -> Result<Self, String> {
        fn body<T: DeserializeOwned>(payload: &str) -> Result<T, String> {
            serde_json::from_str(payload).map_err(|error| error.to_string())
        }
        if payload.is_empty() {
            return Ok(Self::Gone);
        }
        match kind {
            "genesis" => body(payload).map(Self::Genesis),
            "revision" => body(payload).map(Self::Revision),
            "deleted" => body(payload).map(Self::Deleted),
            "same-work" => body(payload).map(Self::SameWork),
            "alias" => body(payload).map(Self::Alias),
            "sealed" => body(payload).map(Self::Sealed),
            "delivered" => body(payload).map(Self::Delivered),
            "format" => body(payload).map(Self::Format),
            "configured" => body(payload).map(Self::Configured),
            "correction" => body(payload).map(Self::Correction),
            "cancelled" => body(payload).map(Self::Cancelled),
            "restored" => body(payload).map(Self::Restored),
            "erased" => body(payload).map(Self::Erased),
            other => Err(format!(
                "the kind `{other}` is unknown; a newer version wrote it"
            )),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use stundenbuch_connectors::record::Person;

    #[test]
    fn a_payload_around_the_record_is_the_payload() {
        for previous in [None, Some(7)] {
            let revision = Revision {
                record: Record::Person(Person {
                    name: "Jörg \"J\" Ä\n".into(),
                    email: None,
                }),
                scope: "a/\"b\"".into(),
                raw: RawRef {
                    id: 3,
                    sha256: "00ff".into(),
                },
                previous,
            };
            let around = revision.payload_around(&Content::of(&revision.record));
            assert_eq!(around, Event::Revision(Box::new(revision)).payload());
        }
    }
}
