//! What the lines of one run come to: records, deletions, the state to go on from, and which
//! streams were listed whole.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::value::RawValue;

use super::listing::Listing;
use super::message::{self, Message};
use super::raw;
use super::shape::Mapped;
use crate::contract::{Gone, Notice, Raw, Sweep};
use crate::error::{Error, Kind, Result};
use crate::record::{ExternalId, Stream};

/// A part is handed over at the first STATE behind so many records …
const PART: usize = 200;
/// … and without any STATE behind so many, or so many bytes, so that memory stays small.
const PART_MAX: usize = 5_000;
const PART_BYTES: usize = 8 << 20;

/// What a run brought since the part before.
#[derive(Debug, Default)]
pub(super) struct Part {
    pub(super) raw: Vec<Raw>,
    pub(super) gone: Vec<Gone>,
    pub(super) swept: Vec<Sweep>,
    pub(super) notices: Vec<Notice>,
    /// The last STATE that the program said; `None` where it has said none yet.
    pub(super) state: Option<Box<RawValue>>,
    /// The versions of streams that came up.
    pub(super) versions: BTreeMap<String, i64>,
    /// Whether the run is over and went well.
    pub(super) done: bool,
}

/// What a run knows of the run before it.
#[derive(Clone, Debug, Default)]
pub(super) struct Before {
    /// It was not cut short, so that this one lists what it lists from the beginning.
    pub(super) whole: bool,
    pub(super) versions: BTreeMap<String, i64>,
    /// The parts that it handed over without coming to its end. Each time that a run is cut short,
    /// the parts of the next are larger, so that one that always begins at the beginning comes to
    /// its end as well.
    pub(super) parts: usize,
}

/// The last word on one record.
#[derive(Debug)]
enum Item {
    Raw(Raw),
    Gone(Gone),
}

/// One run, as far as it was heard.
#[derive(Debug)]
pub(super) struct Session<'p> {
    listings: BTreeMap<String, Listing<'p>>,
    before: Before,
    items: BTreeMap<(Stream, ExternalId), Item>,
    bytes: usize,
    state: Option<Box<RawValue>>,
    /// Whether there was any message at all.
    spoke: bool,
    records: u64,
    records_max: u64,
}

impl<'p> Session<'p> {
    pub(super) fn new(mapped: &'p [Mapped], before: Before, records_max: u64) -> Self {
        let listings = mapped
            .iter()
            .map(|mapped| (mapped.name.clone(), Listing::new(mapped)));
        Self {
            listings: listings.collect(),
            before,
            items: BTreeMap::new(),
            bytes: 0,
            state: None,
            spoke: false,
            records: 0,
            records_max,
        }
    }

    /// Takes one line; says whether enough has come together for a part.
    pub(super) fn take(&mut self, line: &str) -> Result<bool> {
        let Some(message) = message::parse(line)? else {
            return Ok(false);
        };
        self.spoke = true;
        match message {
            Message::Schema {
                stream,
                schema,
                key,
            } => {
                if let Some(listing) = self.listings.get_mut(&stream) {
                    listing.describe(schema, key)?;
                }
                Ok(false)
            }
            Message::Record {
                stream,
                record,
                version,
            } => {
                self.record(&stream, record, version)?;
                Ok(
                    self.items.len() >= self.times(PART_MAX)
                        || self.bytes >= self.times(PART_BYTES),
                )
            }
            Message::State(state) => {
                self.state = Some(state.to_owned());
                Ok(self.items.len() >= self.times(PART))
            }
            Message::Activate { stream, version } => {
                if let Some(listing) = self.listings.get_mut(&stream) {
                    listing.activated = Some(version);
                }
                Ok(false)
            }
        }
    }

    fn times(&self, usual: usize) -> usize {
        usual.saturating_mul(1 + self.before.parts)
    }

    fn record(&mut self, stream: &str, record: &RawValue, version: Option<i64>) -> Result<()> {
        self.records += 1;
        if self.records > self.records_max {
            let most = self.records_max;
            return Err(super::failure::too_much("records", most, "records_max"));
        }
        let Some(listing) = self.listings.get_mut(stream) else {
            return Ok(());
        };
        let seen = listing.see(record, version)?;
        let kind = listing.mapped.shape.record.stream();
        let item = match seen.deleted {
            Some(proof) => Item::Gone(Gone {
                stream: kind,
                id: seen.id.clone(),
                proof,
            }),
            None => Item::Raw(Raw {
                stream: kind,
                id: seen.id.clone(),
                body: raw::body(listing.mapped, record)?,
                scope: listing.mapped.name.clone(),
            }),
        };
        if let Item::Raw(raw) = &item {
            self.bytes += raw.body.len();
        }
        // What came last is true.
        self.items.insert((kind, seen.id), item);
        Ok(())
    }

    /// What came since the last part. Whoever takes it must hand it over: the next one has the
    /// STATE behind it.
    pub(super) fn part(&mut self) -> Part {
        let mut part = Part {
            state: self.state.clone(),
            versions: self.before.versions.clone(),
            ..Part::default()
        };
        for (name, listing) in &self.listings {
            if let Some(version) = listing.activated.or(listing.version) {
                part.versions.insert(name.clone(), version);
            }
        }
        self.bytes = 0;
        for item in std::mem::take(&mut self.items).into_values() {
            match item {
                Item::Raw(raw) => part.raw.push(raw),
                Item::Gone(gone) => part.gone.push(gone),
            }
        }
        part
    }

    /// What is left of a run that failed. It is true, and so it is kept; the state stays at the
    /// last STATE, so that it comes again.
    pub(super) fn broken(&mut self) -> Option<Part> {
        let anything = !self.items.is_empty() || self.state.is_some();
        anything.then(|| self.part())
    }

    /// What is left of a run that went well, with the proofs of what it listed whole.
    pub(super) fn finish(mut self) -> Result<Part> {
        if !self.spoke {
            return Err(
                Error::new(Kind::Protocol, "the program ended well and said nothing").hint(
                    "run it by hand with the same configuration; it should print SCHEMA and STATE",
                ),
            );
        }
        let mut part = self.part();
        part.done = true;
        for (name, listing) in &self.listings {
            if !listing.described {
                part.notices.push(Notice {
                    code: "stream-not-seen",
                    text: format!("the program did not mention the stream `{name}`"),
                });
            }
            if !self.lists_all(name, listing) {
                continue;
            }
            if listing.ids.is_empty() {
                part.notices.push(Notice {
                    code: "listing-empty",
                    text: format!(
                        "the stream `{name}` lists everything, and listed nothing; nothing of it \
                         counts as deleted for that"
                    ),
                });
                continue;
            }
            part.swept.push(Sweep {
                stream: listing.mapped.shape.record.stream(),
                scope: name.clone(),
                from: None,
                until: None,
                present: listing.ids.iter().cloned().collect(),
            });
        }
        Ok(part)
    }

    /// Whether what this run listed of the stream is all that there is.
    fn lists_all(&self, name: &str, listing: &Listing<'_>) -> bool {
        let known = self.before.versions.get(name).copied();
        self.before.whole
            && listing.described
            && !listing.strays
            && (listing.mapped.full || listing.is_new_version(known))
    }

    /// What the streams that were listed whole hold, for the second look.
    pub(super) fn listed(self) -> Result<BTreeMap<String, BTreeSet<ExternalId>>> {
        let swept = self.finish()?.swept;
        let listed = swept
            .into_iter()
            .map(|sweep| (sweep.scope, sweep.present.into_iter().collect()));
        Ok(listed.collect())
    }
}

#[cfg(test)]
#[path = "session_tests.rs"]
mod tests;
