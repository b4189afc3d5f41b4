//! What a connector declares of itself: settings, streams, deliveries, limits.
//!
//! One declaration serves the configuration check, `connectors list`, the table in the docs and
//! the conformance suite, so that none of them can disagree with the code.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::time::Duration;

use crate::record::Stream;
use crate::secret::Secret;

/// The static facts of a connector.
#[derive(Debug)]
pub struct Kind {
    /// The word in the configuration: `connector = "toggl"`.
    pub name: &'static str,
    /// The service's own name.
    pub title: &'static str,
    /// One sentence for `connectors list`.
    pub summary: &'static str,
    pub settings: &'static [Setting],
    pub streams: &'static [StreamKind],
    /// What it can put somewhere; empty for a connector that only reads.
    pub delivers: &'static [DeliveryKind],
    /// The request budgets, enforced by `http.rs` and persisted; empty without a network.
    pub buckets: &'static [Bucket],
    /// What a night without changes costs, in words: "1 request an account".
    pub quiet_night: &'static str,
    /// What a person must prepare: which token, where to get it.
    pub needs: &'static str,
    /// Built by descriptions alone, with parts that nobody has confirmed: said wherever it is
    /// listed.
    pub experimental: bool,
}

impl Kind {
    /// The setting of that key.
    pub fn setting(&self, key: &str) -> Option<&'static Setting> {
        self.settings.iter().find(|setting| setting.key == key)
    }

    /// The declaration of that stream.
    pub fn stream(&self, stream: Stream) -> Option<&'static StreamKind> {
        self.streams
            .iter()
            .find(|declared| declared.stream == stream)
    }
}

/// One key that a connection of this kind understands.
#[derive(Debug)]
pub struct Setting {
    pub key: &'static str,
    pub value: ValueKind,
    pub need: Need,
    pub help: &'static str,
}

/// Whether a setting must be given.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Need {
    Required,
    Optional,
    /// Taken when nothing is given; written as in the configuration.
    Default(&'static str),
}

/// What a setting holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ValueKind {
    Text,
    /// An `https` address; plain `http` only to loopback.
    Url,
    /// A reference to a credential, never the credential itself.
    Secret,
    /// A path on this machine; relative to the configuration file.
    Path,
    /// A calendar day, `2026-01-31`.
    Date,
    Count {
        min: u64,
        max: u64,
    },
    Flag,
    Texts,
}

/// How a stream learns of changes and of deletions.
#[derive(Debug)]
pub struct StreamKind {
    pub stream: Stream,
    pub changes: Changes,
    pub deletions: Deletions,
}

/// How changes since the last pull are found.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Changes {
    /// The service lists what changed since a mark.
    Since,
    /// A listing of everything, skipped where a mark says that nothing changed.
    Snapshot,
    /// A listing of everything, every time.
    Listing,
}

/// How deletions are found.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Deletions {
    /// The service says so.
    Tombstone,
    /// Absence from a complete listing, confirmed by [`crate::Connector::confirm`].
    ConfirmedAbsence,
    /// Not at all: what was seen once stays.
    Never,
}

/// What a connector can deliver, and what a repetition does.
#[derive(Debug)]
pub struct DeliveryKind {
    pub what: Delivery,
    pub repeat: Repeat,
}

/// The forms of outgoing items.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Delivery {
    File,
    /// A comment under a card or task.
    Comment,
    /// A custom field of a card or task.
    Field,
}

/// Whether a delivery may be sent again when its outcome is not known.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Repeat {
    /// The target compares content: the same again changes nothing.
    SameContent,
    /// It is looked for by its marker first.
    Marker,
}

/// A quota of requests, kept below what the service allows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Bucket {
    /// Named in requests, in the persisted state and in `status`.
    pub name: &'static str,
    /// At most so many requests …
    pub requests: u32,
    /// … in a window that starts with the first of them.
    pub per: Duration,
    /// Of these, left alone for the user's own apps.
    pub reserve: u32,
    /// The shortest time between two requests.
    pub spacing: Duration,
}

/// The checked settings of one connection. Getters panic on a key or kind that the connector
/// did not declare: that is a defect of the connector, caught by the conformance suite.
#[derive(Clone, Debug, Default)]
pub struct Settings {
    values: BTreeMap<&'static str, Value>,
    /// What was asked for, so that the conformance suite can compare it with the declaration.
    #[cfg(any(test, feature = "suite"))]
    read: std::sync::Arc<std::sync::Mutex<std::collections::BTreeSet<String>>>,
}

/// The checked value of one setting.
#[derive(Clone, Debug)]
pub enum Value {
    Text(String),
    Url(String),
    Secret(Secret),
    Path(PathBuf),
    Date(chrono::NaiveDate),
    Count(u64),
    Flag(bool),
    Texts(Vec<String>),
}

impl Settings {
    /// Sets one value; the caller has checked it against the declaration.
    pub fn set(&mut self, setting: &'static Setting, value: Value) {
        self.values.insert(setting.key, value);
    }

    pub fn text(&self, key: &str) -> Option<&str> {
        match self.value(key)? {
            Value::Text(text) | Value::Url(text) => Some(text),
            other => wrong(key, "text", other),
        }
    }

    pub fn texts(&self, key: &str) -> &[String] {
        match self.value(key) {
            None => &[],
            Some(Value::Texts(texts)) => texts,
            Some(other) => wrong(key, "a list", other),
        }
    }

    pub fn path(&self, key: &str) -> Option<&PathBuf> {
        match self.value(key)? {
            Value::Path(path) => Some(path),
            other => wrong(key, "a path", other),
        }
    }

    pub fn secret(&self, key: &str) -> Option<&Secret> {
        match self.value(key)? {
            Value::Secret(secret) => Some(secret),
            other => wrong(key, "a secret", other),
        }
    }

    pub fn date(&self, key: &str) -> Option<chrono::NaiveDate> {
        match self.value(key)? {
            Value::Date(date) => Some(*date),
            other => wrong(key, "a date", other),
        }
    }

    pub fn count(&self, key: &str) -> Option<u64> {
        match self.value(key)? {
            Value::Count(count) => Some(*count),
            other => wrong(key, "a count", other),
        }
    }

    pub fn flag(&self, key: &str) -> bool {
        match self.value(key) {
            None => false,
            Some(Value::Flag(flag)) => *flag,
            Some(other) => wrong(key, "a flag", other),
        }
    }

    fn value(&self, key: &str) -> Option<&Value> {
        #[cfg(any(test, feature = "suite"))]
        self.read
            .lock()
            .expect("no panic while reading")
            .insert(key.to_owned());
        self.values.get(key)
    }

    /// The keys that have a value.
    #[cfg(any(test, feature = "suite"))]
    pub fn keys(&self) -> impl Iterator<Item = &str> {
        self.values.keys().copied()
    }

    /// The keys that were asked for, of this value and of its clones.
    #[cfg(any(test, feature = "suite"))]
    pub fn read_keys(&self) -> std::collections::BTreeSet<String> {
        self.read.lock().expect("no panic while reading").clone()
    }
}

fn wrong(key: &str, wanted: &str, found: &Value) -> ! {
    panic!("setting `{key}` is declared as {found:?} and read as {wanted}")
}
