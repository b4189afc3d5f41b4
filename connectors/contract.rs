//! The connector contract.
//!
//! A connector turns one service's answers into raw pages, and raw pages into records. It never
//! stores, never retries (`http.rs` does), never asks for the time and never decides what a
//! change means. The core commits a page and its cursor in one transaction and only then asks
//! for the next page, so a connector may be stopped between any two calls and continues from
//! the last cursor that was committed.

use std::fmt;
use std::sync::Arc;

use async_trait::async_trait;
use chrono::{DateTime, Utc};
use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::budget::BudgetStore;
use crate::clock::Clock;
use crate::error::{Error, Kind as ErrorKind, Reject, Result};
use crate::kind::Kind;
use crate::login::{Login, Logins};
use crate::record::{ExternalId, Record, Stream};

/// One account at one service.
#[async_trait]
pub trait Connector: Send + Sync + fmt::Debug {
    /// The static facts.
    fn kind(&self) -> &'static Kind;

    /// Proves that the credential works. Reads one cheap thing, changes nothing.
    async fn check(&self) -> Result<Identity>;

    /// Fetches the next page after `cursor`. The empty cursor means: from the beginning.
    ///
    /// Calling it again with the same cursor must be harmless and must miss nothing. A pull ends
    /// with the page whose `more` is false; its cursor starts the next pull.
    async fn pull(&self, cursor: &Cursor, mode: &Pull) -> Result<Page>;

    /// Maps one raw record to our vocabulary. Pure: the same bytes give the same records.
    fn normalise(&self, raw: &Raw) -> Result<Vec<Identified>, Reject>;

    /// Hands over the cursor that is stored, before anything else is asked of a connector that
    /// was just built: what it says of the place (which share was mounted) guards deliveries, too.
    fn resume(&self, _cursor: &Cursor) {}

    /// Looks a second way for records that a complete listing did not show.
    ///
    /// Returns one answer for each id, in any order; an id left out counts as
    /// [`Presence::Unknown`].
    async fn confirm(&self, _absent: &[Absent]) -> Result<Vec<(ExternalId, Presence)>> {
        Ok(Vec::new())
    }

    /// Delivers one item. Safe to call twice with the same item, from any point of an earlier
    /// call on: the target then holds it once.
    async fn deliver(&self, _item: &Outgoing) -> Result<Receipt> {
        Err(Error::new(
            ErrorKind::Unsupported,
            format!("{} takes no deliveries", self.kind().name),
        ))
    }

    /// Reads a file of the drive, whole; longer than `most` bytes is refused.
    async fn fetch(&self, _file: &ExternalId, _most: usize) -> Result<Vec<u8>> {
        Err(Error::new(
            ErrorKind::Unsupported,
            format!("{} holds no files", self.kind().name),
        ))
    }

    /// What a person has to do before this connection works; `None` where the settings alone do.
    fn login(&self) -> Option<Login> {
        None
    }

    /// The requests sent since the connector was built, refused ones included.
    fn requests(&self) -> u64 {
        0
    }
}

/// What a connector is built with besides its settings.
#[derive(Clone, Debug)]
pub struct Platform {
    pub clock: Arc<dyn Clock>,
    pub budgets: Arc<dyn BudgetStore>,
    pub logins: Arc<dyn Logins>,
}

/// Who we are at the service.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Identity {
    /// The account in the service's own words, for `check` and `status`.
    pub account: String,
    /// What the account may do that matters here, for people: plan, workspaces, writable.
    pub details: Vec<String>,
}

/// How much a pull should look at.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Pull {
    /// What changed since the cursor; the cheapest way to be complete.
    Changes,
    /// What changed, and besides a full comparison of what started at or after `from` and before
    /// `until`, or up to now: for changes that the service's own feed does not report.
    Compare {
        from: DateTime<Utc>,
        until: Option<DateTime<Utc>>,
    },
}

/// Where a connection continues. Opaque to everything but its connector.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Cursor(Option<String>);

impl Cursor {
    /// The beginning.
    pub fn start() -> Self {
        Self(None)
    }

    /// A cursor as it was stored.
    pub fn stored(text: Option<String>) -> Self {
        Self(text)
    }

    /// The form to store; `None` at the beginning.
    pub fn as_str(&self) -> Option<&str> {
        self.0.as_deref()
    }

    /// Encodes a connector's own state.
    pub fn encode<T: Serialize>(state: &T) -> Self {
        Self(Some(
            serde_json::to_string(state).expect("a cursor is plain data"),
        ))
    }

    /// Decodes a connector's own state; the beginning gives the default.
    pub fn decode<T: DeserializeOwned + Default>(&self) -> Result<T> {
        match &self.0 {
            None => Ok(T::default()),
            Some(text) => serde_json::from_str(text).map_err(|error| {
                Error::new(ErrorKind::Protocol, "the stored cursor cannot be read")
                    .with("error", error)
                    .hint("it was written by a newer version; update the program")
            }),
        }
    }
}

/// One page of what a service said, with the cursor that continues behind it.
#[derive(Clone, Debug, Default)]
pub struct Page {
    pub raw: Vec<Raw>,
    /// Records that the service itself calls deleted.
    pub gone: Vec<Gone>,
    /// Scopes that were listed completely, this page being the proof.
    pub swept: Vec<Sweep>,
    pub next: Cursor,
    /// Whether to pull again at once.
    pub more: bool,
    /// What a person should know and no record says.
    pub notices: Vec<Notice>,
}

/// One record as it was received.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Raw {
    pub stream: Stream,
    pub id: ExternalId,
    /// The JSON text, whole, as the service sent it, without credentials.
    pub body: String,
    /// What the record belongs to for a [`Sweep`]: a board, a workspace, a share.
    pub scope: String,
}

/// A record and the identity it has in its stream.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Identified {
    pub id: ExternalId,
    pub record: Record,
}

/// A record that the service explicitly calls deleted.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Gone {
    pub stream: Stream,
    pub id: ExternalId,
    /// In what words it was told: `server_deleted_at 2026-10-03T08:00:00Z`.
    pub proof: String,
}

/// A complete listing of a scope: what it does not name is absent.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Sweep {
    pub stream: Stream,
    pub scope: String,
    /// For time entries: only those that start at or after this instant, and before `until`.
    pub from: Option<DateTime<Utc>>,
    pub until: Option<DateTime<Utc>>,
    pub present: Vec<ExternalId>,
}

/// A record that the ledger has and a complete listing did not show.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Absent {
    pub stream: Stream,
    pub id: ExternalId,
    pub scope: String,
}

/// What the second look found.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Presence {
    /// It is still there; the listing was not the whole truth.
    Present,
    /// It is gone; with the words that prove it.
    Gone(String),
    /// It cannot be told now.
    Unknown,
}

/// Something that a person should know about a connection, though the pull went on.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Notice {
    /// Stable, so that the same notice is told once: `workspace-not-visible`.
    pub code: &'static str,
    pub text: String,
}

/// One thing to put somewhere.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Outgoing {
    /// Names this delivery for good; a repetition carries the same key.
    pub key: String,
    pub item: Item,
}

/// The content of a delivery.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Item {
    File(OutgoingFile),
    Comment(OutgoingComment),
    Field(OutgoingField),
}

impl Item {
    /// The file, for a connector that takes nothing else.
    pub fn file(&self) -> Result<&OutgoingFile> {
        match self {
            Self::File(file) => Ok(file),
            Self::Comment(_) | Self::Field(_) => Err(Error::new(
                ErrorKind::Unsupported,
                "only files are delivered there",
            )),
        }
    }
}

/// A file to put on a drive.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OutgoingFile {
    /// Where, relative to the connection's root, `/`-separated, made of safe names.
    pub path: String,
    pub bytes: Arc<[u8]>,
    /// SHA-256 of `bytes`, lower-case hexadecimal.
    pub sha256: String,
    /// SHA-256 of the version that we delivered here before, where we did: a file that still
    /// has this content is ours to replace, any other is somebody's work.
    pub replaces: Option<String>,
}

/// A comment to put under a card or task: one for each marker.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OutgoingComment {
    pub task: ExternalId,
    /// By this it is found again among our own comments. Stands in the last line of `text`.
    pub marker: String,
    pub text: String,
    /// SHA-256 of the text that we put there before, where we did: a comment that still reads so
    /// is ours to edit, any other was edited by a person.
    pub replaces: Option<String>,
}

/// A value to put into a custom field of a card or task.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OutgoingField {
    pub task: ExternalId,
    /// The field's name at the service.
    pub field: String,
    /// As a decimal number with a point: `12.50`.
    pub value: String,
    /// The value that we put there before: a field that holds this, or none, is ours to write.
    pub replaces: Option<String>,
}

/// Proof that a delivery is where it should be.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Receipt {
    pub outcome: Outcome,
    /// Where it really lies; differs from the wish when the name was taken.
    pub location: String,
}

/// How a delivery ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Outcome {
    Created,
    /// The same content was there already, from an earlier attempt.
    AlreadyThere,
    /// Our own earlier version was replaced.
    Replaced,
    /// The name was taken by something that is not ours: put beside it under another name.
    Beside,
    /// A person changed what we had put there: it was left as it is.
    Kept,
}
