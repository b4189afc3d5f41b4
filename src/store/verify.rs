//! Proving the chain: every row, every received record that a row names, and the projection.

use std::collections::BTreeMap;

use rusqlite::{Connection, OptionalExtension};

use super::journal::ROWS;
use super::{Error, Result, Store, open};
use crate::ledger::{Event, Head, Link, RawRef, hex, link, sha256};

/// What a verification found.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Verified {
    /// The end of the chain as far as it holds.
    pub head: Head,
    /// Received records that were compared with their hash.
    pub raws: u64,
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

impl Verified {
    /// The end of a chain that holds, with everything that hangs on it.
    ///
    /// # Errors
    /// [`Error::Damaged`] names what does not hold.
    pub fn whole(self) -> Result<Head> {
        match self.damage {
            None => Ok(self.head),
            Some(Damage { row: None, what }) => Err(Error::Damaged(what)),
            Some(Damage {
                row: Some(row),
                what,
            }) => Err(Error::Damaged(format!("row {row}: {what}"))),
        }
    }
}

impl Store {
    /// Recomputes the chain from its first row and compares everything that hangs on it.
    pub fn verify(&self) -> Result<Verified> {
        let mut verified = Verified {
            head: Head::default(),
            raws: 0,
            damage: None,
        };
        verified.damage = match self.chain_damage(&mut verified.head, &mut verified.raws)? {
            None => self.rest_damage()?.map(|what| Damage { row: None, what }),
            damage => damage,
        };
        Ok(verified)
    }

    /// Walks the chain as far as it holds.
    fn chain_damage(&self, head: &mut Head, raws: &mut u64) -> Result<Option<Damage>> {
        let mut body_of = self.conn.prepare("SELECT body FROM raw WHERE id = ?1")?;
        let mut statement = self.conn.prepare(&format!("{ROWS} ORDER BY seq"))?;
        let mut rows = statement.query([])?;
        loop {
            let next = rows.next().map_err(Error::from);
            let row = match next {
                Ok(None) => return Ok(None),
                Ok(Some(row)) => row,
                Err(Error::Damaged(what)) => {
                    let row = Some(head.seq + 1);
                    return Ok(Some(Damage { row, what }));
                }
                Err(error) => return Err(error),
            };
            // A number that is none may stand where the next row should.
            let row_number = row.get(0).unwrap_or(head.seq + 1);
            let damaged = |what| {
                let row = Some(row_number);
                Ok(Some(Damage { row, what }))
            };
            let followed = Chained::read(row)
                .map_err(|_| "it cannot be read".to_owned())
                .and_then(|chained| chained.follows(head));
            let raw = match followed {
                Ok((next, raw)) => {
                    *head = next;
                    raw
                }
                Err(what) => return damaged(what),
            };
            if let Some(raw) = raw {
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
                    return damaged(what);
                }
                *raws += 1;
            }
        }
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

    /// Whether the row follows from the one before; then the head behind it, and the received
    /// record that it names.
    pub(super) fn follows(&self, before: &Head) -> Result<(Head, Option<RawRef>), String> {
        if self.seq != before.seq + 1 {
            return Err(format!("row {} is missing", before.seq + 1));
        }
        if sha256(self.payload.as_bytes()) != self.payload_hash {
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
            subject,
            payload_hash: *payload_hash,
        };
        let head = link(before, row);
        if head.hash != self.hash {
            return Err("its hash does not follow from the row before".into());
        }
        let raw = match Event::read(kind, &self.payload)? {
            Event::Revision(revision) => Some(revision.raw),
            _ => None,
        };
        Ok((head, raw))
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
