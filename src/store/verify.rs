//! Proving the chain: every row, every received record that a row names, and the projection.

use std::collections::BTreeSet;
use std::fmt;

use rusqlite::OptionalExtension;

use super::project_erased::may_be_erased;
use super::{Result, Store};
use crate::ledger::{Event, Form, Head, Link, RawRef, hex, link, sha256};

/// What a verification found.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Verified {
    /// The end of the chain as far as it holds.
    pub head: Head,
    /// Received records that were compared with their hash.
    pub raws: u64,
    /// The newest statement within the rows that hold.
    pub statement: Option<String>,
    /// None: everything holds.
    pub damage: Option<Damage>,
}

/// The first thing that does not hold.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Damage {
    /// The row of the journal, where one is to blame.
    pub row: Option<u64>,
    pub what: String,
}

impl fmt::Display for Damage {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.row {
            Some(row) => write!(f, "row {row}: {}", self.what),
            None => f.write_str(&self.what),
        }
    }
}

impl Store {
    /// Recomputes the chain from its first row and compares everything that hangs on it.
    pub fn verify(&self) -> Result<Verified> {
        let mut walk = Walk::default();
        let damaged = self.walk(&mut walk)?;
        let mut verified = Verified {
            head: walk.head,
            raws: walk.raws,
            statement: walk.statement,
            damage: damaged,
        };
        if verified.damage.is_some() {
            return Ok(verified);
        }
        let mut what = self.file_damage()?;
        if what.is_none() && self.hash_if_rebuilt()? != self.projection_hash()? {
            let rebuild = "the current state is not what the rows say; they hold, and \
                           `stundenbuch ledger rebuild` makes it anew from them";
            what = Some(rebuild.to_owned());
        }
        verified.damage = what.map(|what| Damage { row: None, what });
        Ok(verified)
    }

    /// Follows the chain up to the first row that does not hold.
    fn walk(&self, walk: &mut Walk) -> Result<Option<Damage>> {
        let mut body_of = self.conn.prepare("SELECT body FROM raw WHERE id = ?1")?;
        let mut statement = self.conn.prepare(
            "SELECT seq, at, kind, subject, payload, payload_hash, hash FROM journal ORDER BY seq",
        )?;
        let mut rows = statement.query([])?;
        while let Some(row) = rows.next()? {
            let seq = row.get(0)?;
            let damage = |what| Damage {
                row: Some(seq),
                what,
            };
            let raw = match walk.take(Chained::read(row)) {
                Ok(raw) => raw,
                Err(what) => return Ok(Some(damage(what))),
            };
            let Some(raw) = raw else { continue };
            // As bytes: damaged text may not be text any more.
            let body = body_of
                .query_row([raw.id], |row| Ok(sha256(row.get_ref(0)?.as_bytes()?)))
                .optional()?;
            if let Some(what) = raw_damage(&raw, body) {
                return Ok(Some(damage(what)));
            }
            walk.raws += 1;
        }
        Ok(walk.gone.first().map(|seq| Damage {
            row: Some(*seq),
            what: "its payload is empty, and no row behind it says that it was erased".into(),
        }))
    }

    /// SQLite's own check of the file's structure and indexes.
    fn file_damage(&self) -> Result<Option<String>> {
        let answer: String = self
            .conn
            .query_row("PRAGMA integrity_check(1)", [], |row| row.get(0))?;
        Ok((answer != "ok").then_some(answer))
    }
}

/// How far the chain was followed.
#[derive(Debug, Default)]
struct Walk {
    head: Head,
    form: Form,
    /// Rows without a payload that no row behind them explains yet.
    gone: BTreeSet<u64>,
    raws: u64,
    statement: Option<String>,
}

impl Walk {
    /// Goes on by one row; the received record that it names, or what is wrong.
    fn take(&mut self, row: Option<Chained>) -> Result<Option<RawRef>, String> {
        let row = row.ok_or("it cannot be read")?;
        let (head, event) = row.follows(&self.head, self.form)?;
        self.head = head;
        match event {
            Event::Revision(revision) => return Ok(Some(revision.raw)),
            Event::Format(_) => self.form = Form::Hash,
            Event::Sealed(_) | Event::Cancelled(_) => self.statement = Some(row.subject),
            Event::Gone if !may_be_erased(&row.kind) => {
                return Err(format!(
                    "it is empty, and a row `{}` is never erased",
                    row.kind
                ));
            }
            Event::Gone => {
                self.gone.insert(row.seq);
            }
            Event::Erased(erased) => {
                for (first, last) in erased.rows {
                    self.explain(first, last)?;
                }
            }
            _ => {}
        }
        Ok(None)
    }
}

impl Walk {
    /// A run of rows was erased, and so they are empty; each is erased once.
    fn explain(&mut self, first: u64, last: u64) -> Result<(), String> {
        let mut next = Some(first).filter(|first| *first <= last);
        while let Some(seq) = next {
            if !self.gone.remove(&seq) {
                return Err(format!(
                    "it says that row {seq} was erased, and that row is not empty"
                ));
            }
            next = seq.checked_add(1).filter(|seq| *seq <= last);
        }
        Ok(())
    }
}

/// A row with everything that the chain fixes.
struct Chained {
    seq: u64,
    at: i64,
    kind: String,
    subject: String,
    payload: String,
    payload_hash: [u8; 32],
    hash: [u8; 32],
}

impl Chained {
    /// None when a column does not hold what it must, as after damage.
    fn read(row: &rusqlite::Row<'_>) -> Option<Self> {
        Some(Self {
            seq: row.get(0).ok()?,
            at: row.get(1).ok()?,
            kind: row.get(2).ok()?,
            subject: row.get(3).ok()?,
            payload: row.get(4).ok()?,
            payload_hash: row.get(5).ok()?,
            hash: row.get(6).ok()?,
        })
    }

    /// Whether the row follows from the one before; then the head behind it, and what it says.
    fn follows(&self, before: &Head, form: Form) -> Result<(Head, Event), String> {
        if self.seq != before.seq + 1 {
            return Err(format!("row {} is missing", before.seq + 1));
        }
        let erased = self.payload.is_empty();
        if !erased && sha256(self.payload.as_bytes()) != self.payload_hash {
            return Err("its payload does not have the recorded hash".into());
        }
        let Self {
            at,
            kind,
            subject,
            payload_hash,
            ..
        } = self;
        let row = Link {
            at: *at,
            kind,
            subject: if erased {
                form.erased(subject)
            } else {
                form.subject(subject)
            },
            payload_hash: *payload_hash,
        };
        let head = link(before, row);
        if head.hash != self.hash {
            return Err("its hash does not follow from the row before".into());
        }
        Ok((head, Event::read(kind, &self.payload)?))
    }
}

/// What is wrong with a received record, if anything is.
fn raw_damage(raw: &RawRef, body: Option<[u8; 32]>) -> Option<String> {
    match body {
        None => Some(format!("received record {} is gone", raw.id)),
        Some(body) if hex(&body) != raw.sha256 => {
            Some(format!("received record {} was changed", raw.id))
        }
        Some(_) => None,
    }
}
