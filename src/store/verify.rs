//! Proving the chain: every row, every received record that a row names, and the projection.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

use rusqlite::{Connection, OptionalExtension};

use super::journal::ROWS;
use super::project_erased::may_be_erased;
use super::{Error, Result, Store, open};
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

impl Verified {
    /// The end of a chain that holds, with everything that hangs on it.
    ///
    /// # Errors
    /// [`Error::Damaged`] names what does not hold.
    pub fn whole(self) -> Result<Head> {
        match self.damage {
            None => Ok(self.head),
            Some(damage) => Err(Error::Damaged(damage.to_string())),
        }
    }
}

impl Store {
    /// Recomputes the chain from its first row and compares everything that hangs on it.
    pub fn verify(&self) -> Result<Verified> {
        let mut walk = Walk::default();
        let damage = match self.walk(&mut walk)? {
            None => self.rest_damage()?.map(|what| Damage { row: None, what }),
            damage => damage,
        };
        Ok(Verified {
            head: walk.head,
            raws: walk.raws,
            statement: walk.statement,
            damage,
        })
    }

    /// What is wrong beside the rows, if anything is.
    fn rest_damage(&self) -> Result<Option<String>> {
        if let Some(what) = self.file_damage()? {
            return Ok(Some(what));
        }
        if let Some(what) = self.schema_damage()? {
            return Ok(Some(what));
        }
        let holds = self.hash_if_rebuilt()? == self.projection_hash()?;
        let rebuild = "the current state is not what the rows say; they hold, and \
                       `stundenbuch ledger rebuild` makes it anew from them";
        Ok((!holds).then(|| rebuild.to_owned()))
    }

    /// Follows the chain up to the first row that does not hold.
    fn walk(&self, walk: &mut Walk) -> Result<Option<Damage>> {
        let mut body_of = self.conn.prepare("SELECT body FROM raw WHERE id = ?1")?;
        let mut statement = self.conn.prepare(&format!("{ROWS} ORDER BY seq"))?;
        let mut rows = statement.query([])?;
        loop {
            let expected = walk.head.seq + 1;
            let damage = |row, what| {
                let row = Some(row);
                Ok(Some(Damage { row, what }))
            };
            let row = match rows.next().map_err(Error::from) {
                Ok(Some(row)) => row,
                Ok(None) => break,
                Err(Error::Damaged(what)) => return damage(expected, what),
                Err(error) => return Err(error),
            };
            // A number that is none may stand where the next row should.
            let seq = row.get(0).unwrap_or(expected);
            let raw = match walk.take(Chained::read(row).ok()) {
                Ok(raw) => raw,
                Err(what) => return damage(seq, what),
            };
            let Some(raw) = raw else { continue };
            // As bytes: damaged text may not be text any more.
            let body = body_of
                .query_row([raw.id], |row| Ok(sha256(row.get_ref(0)?.as_bytes()?)))
                .optional();
            let what = match body.map_err(Error::from) {
                Ok(body) => raw_damage(&raw, body),
                Err(Error::Damaged(what)) => {
                    Some(format!("received record {} cannot be read: {what}", raw.id))
                }
                Err(error) => return Err(error),
            };
            if let Some(what) = what {
                return damage(seq, what);
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

    /// A table or an index that is not defined as this program defines it: read by another
    /// definition, undamaged bytes say something else. Triggers prove nothing and are not asked.
    fn schema_damage(&self) -> Result<Option<String>> {
        let definitions = |conn: &Connection| -> Result<BTreeMap<String, String>> {
            let mut statement = conn.prepare(
                "SELECT name, sql FROM sqlite_schema
                 WHERE type IN ('table', 'index') AND sql IS NOT NULL",
            )?;
            let rows = statement.query_map([], |row| Ok((row.get(0)?, row.get(1)?)))?;
            Ok(rows.collect::<rusqlite::Result<_>>()?)
        };
        let found = definitions(&self.conn)?;
        let wrong = definitions(&open::blank()?)?
            .into_iter()
            .find(|(name, sql)| found.get(name) != Some(sql));
        Ok(wrong.map(|(name, _)| format!("`{name}` is not defined as this program defines it")))
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
pub(super) struct Chained {
    seq: u64,
    at: i64,
    kind: String,
    subject: String,
    payload: String,
    payload_hash: [u8; 32],
    hash: [u8; 32],
}

impl Chained {
    /// Fails when a column does not hold what it must, as after damage.
    pub(super) fn read(row: &rusqlite::Row<'_>) -> Result<Self> {
        Ok(Self {
            seq: row.get(0)?,
            at: row.get(1)?,
            kind: row.get(2)?,
            subject: row.get(3)?,
            payload: row.get(4)?,
            payload_hash: row.get(5)?,
            hash: row.get(6)?,
        })
    }

    /// The end of the chain, if this row is the last.
    pub(super) fn head(&self) -> Head {
        Head {
            seq: self.seq,
            hash: self.hash,
        }
    }

    /// Whether the row follows from the one before; then the head behind it, and what it says.
    pub(super) fn follows(&self, before: &Head, form: Form) -> Result<(Head, Event), String> {
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
