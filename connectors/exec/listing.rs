//! One stream within a run: how its records are named, and which of them came.

use std::collections::BTreeSet;

use serde_json::value::RawValue;
use sha2::{Digest, Sha256};

use super::node::Node;
use super::number;
use super::shape::{DELETED, Mapped};
use super::words::did_you_mean;
use crate::error::{Error, Kind, Reject, Result};
use crate::record::ExternalId;

/// The column in which the usual libraries tell of a deletion.
const SDC_DELETED: &str = "_sdc_deleted_at";

/// What came of one stream so far.
#[derive(Debug)]
pub(super) struct Listing<'p> {
    pub(super) mapped: &'p Mapped,
    /// Whether its SCHEMA came.
    pub(super) described: bool,
    key: Vec<String>,
    pub(super) ids: BTreeSet<ExternalId>,
    /// A record came that has no identifier, so the identifiers are not all.
    pub(super) strays: bool,
    /// The version of the records.
    pub(super) version: Option<i64>,
    /// Records came in several versions, or without one.
    mixed: bool,
    pub(super) activated: Option<i64>,
}

/// A record that came.
pub(super) struct Seen {
    pub(super) id: ExternalId,
    /// In what words the program calls it deleted.
    pub(super) deleted: Option<String>,
}

impl<'p> Listing<'p> {
    pub(super) fn new(mapped: &'p Mapped) -> Self {
        Self {
            mapped,
            described: false,
            key: mapped.key.clone(),
            ids: BTreeSet::new(),
            strays: false,
            version: None,
            mixed: false,
            activated: None,
        }
    }

    /// Takes the stream's SCHEMA. It may come again, and with other types: records are read by
    /// what they hold.
    pub(super) fn describe(&mut self, schema: Option<&RawValue>, key: Vec<String>) -> Result<()> {
        self.described = true;
        let name = &self.mapped.name;
        if self.mapped.key.is_empty() {
            self.key = key;
        }
        if self.key.is_empty() {
            return Err(Error::new(
                Kind::Settings,
                format!("the program does not say what names a record of `{name}`"),
            )
            .hint(format!(
                "write key = [\"id\"] under streams.{name}, with the columns that together name \
                 one record for good"
            )));
        }
        let wrong = |reject: Reject| {
            Error::new(
                Kind::Protocol,
                format!("the SCHEMA of `{name}` cannot be read"),
            )
            .with("error", reject)
        };
        match schema.map(Node::of).transpose().map_err(wrong)? {
            Some(schema) => self.knows_columns(&schema),
            None => Ok(()),
        }
    }

    /// Whether the stream has the columns that the mapping names.
    fn knows_columns(&self, schema: &Node<'_>) -> Result<()> {
        let read = |path| schema.at(path).ok().flatten();
        let Some(Node::Table(known)) = read("properties") else {
            return Ok(());
        };
        if known.is_empty() || matches!(read("additionalProperties"), Some(Node::Flag(true))) {
            return Ok(());
        }
        let is_known = |path: &String| {
            let first = path.split('.').next().unwrap_or(path);
            known.contains_key(path) || known.contains_key(first)
        };
        let mut missing = Vec::new();
        for field in &self.mapped.required {
            let paths = self.mapped.shape.columns.get(field);
            let paths = paths.into_iter().flatten();
            if paths.clone().any(is_known) {
                continue;
            }
            let words: Vec<&str> = paths.map(String::as_str).collect();
            let near = words
                .first()
                .and_then(|path| did_you_mean(path, known.keys().map(String::as_str)));
            let near = near.map(|near| format!(" ({near})")).unwrap_or_default();
            missing.push(format!("{field} = \"{}\"{near}", words.join("\" or \"")));
        }
        if missing.is_empty() {
            return Ok(());
        }
        let name = &self.mapped.name;
        Err(Error::new(
            Kind::Settings,
            format!("the stream `{name}` does not have columns that are mapped"),
        )
        .with("missing", missing.join("; "))
        .hint(format!(
            "correct streams.{name}.columns, or move what may be missing to `optional`"
        )))
    }

    /// Takes a record.
    pub(super) fn see(&mut self, record: &RawValue, version: Option<i64>) -> Result<Seen> {
        if self.key.is_empty() {
            let name = &self.mapped.name;
            return Err(Error::new(
                Kind::Protocol,
                format!("a RECORD of `{name}` came before the stream's SCHEMA"),
            ));
        }
        if self.ids.is_empty() && self.version.is_none() {
            self.version = version;
        }
        self.mixed |= version.is_none() || version != self.version;
        let node = Node::of(record).unwrap_or(Node::Null);
        let Some(id) = self.identify(&node) else {
            // It is put aside by its content, and told.
            self.strays = true;
            let hash = Sha256::digest(record.get().as_bytes());
            let start = hexadecimal(&hash[..8]);
            return Ok(Seen {
                id: ExternalId::new(format!("{NAMELESS}{start}")),
                deleted: None,
            });
        };
        let deleted = self.deleted(&node);
        if deleted.is_some() {
            self.ids.remove(&id);
        } else {
            self.ids.insert(id.clone());
        }
        Ok(Seen { id, deleted })
    }

    /// The values of the key. Several stand as a list, so that `a`, `bc` is not `ab`, `c`.
    fn identify(&self, record: &Node<'_>) -> Option<ExternalId> {
        let mut parts = Vec::new();
        for column in &self.key {
            let text = match record.at(column).ok()?? {
                Node::Number(digits) => number::plain(digits),
                Node::Text(text) => text,
                _ => return None,
            };
            if text.trim().is_empty() {
                return None;
            }
            parts.push(text);
        }
        let id = match parts.as_slice() {
            [one] => one.clone(),
            parts => serde_json::to_string(parts).expect("texts are plain data"),
        };
        Some(ExternalId::new(format!("{}{id}", self.mapped.prefix)))
    }

    /// The words in which a record is called deleted. An empty text, `0` and the usual words for
    /// no say that it is not.
    fn deleted(&self, record: &Node<'_>) -> Option<String> {
        let columns = self.mapped.shape.columns.get(DELETED);
        let mut columns = columns.into_iter().flatten().map(String::as_str);
        columns.by_ref().chain([SDC_DELETED]).find_map(|column| {
            match record.at(column).ok()?? {
                Node::Flag(true) => Some(format!("{column} true")),
                Node::Number(digits) if digits.bytes().any(|it| (b'1'..=b'9').contains(&it)) => {
                    Some(format!("{column} {digits}"))
                }
                Node::Text(text) if !is_no(&text) => Some(format!("{column} {text}")),
                _ => None,
            }
        })
    }

    /// Whether the records of this run, and they alone, are still there: the program named a
    /// version that was not yet there before, and all records are of it.
    pub(super) fn is_new_version(&self, known: Option<i64>) -> bool {
        self.activated.is_some()
            && self.activated == self.version
            && !self.mixed
            && self.activated != known
    }
}

/// Before what stands in for the identifier of a record that has none.
pub(super) const NAMELESS: &str = "without a key: ";

fn is_no(text: &str) -> bool {
    let text = text.trim();
    text.is_empty()
        || ["0", "false", "no", "nein", "f", "n", "off", "null", "none"]
            .iter()
            .any(|no| text.eq_ignore_ascii_case(no))
}

pub(super) fn hexadecimal(bytes: &[u8]) -> String {
    use std::fmt::Write as _;
    bytes.iter().fold(String::new(), |mut text, byte| {
        write!(text, "{byte:02x}").expect("writing to a string cannot fail");
        text
    })
}
