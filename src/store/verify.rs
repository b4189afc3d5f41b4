//! Proving the chain: every row, every received record that a row names, and the projection.

use rusqlite::OptionalExtension;

use super::{Result, Store};
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

impl Store {
    /// Recomputes the chain from its first row and compares everything that hangs on it.
    pub fn verify(&self) -> Result<Verified> {
        let mut verified = Verified {
            head: Head::default(),
            raws: 0,
            damage: None,
        };
        let mut body_of = self.conn.prepare("SELECT body FROM raw WHERE id = ?1")?;
        let mut statement = self.conn.prepare(
            "SELECT seq, at, kind, subject, payload, payload_hash, hash FROM journal ORDER BY seq",
        )?;
        let mut rows = statement.query([])?;
        while let Some(row) = rows.next()? {
            let chained = Chained::read(row)?;
            let seq = chained.seq;
            let raw = match chained.follows(&verified.head) {
                Ok((head, raw)) => {
                    verified.head = head;
                    raw
                }
                Err(what) => {
                    verified.damage = Some(Damage {
                        row: Some(seq),
                        what,
                    });
                    return Ok(verified);
                }
            };
            if let Some(raw) = raw {
                let body = body_of.query_row([raw.id], |row| row.get(0)).optional()?;
                if let Some(what) = raw_damage(&raw, body) {
                    verified.damage = Some(Damage {
                        row: Some(seq),
                        what,
                    });
                    return Ok(verified);
                }
                verified.raws += 1;
            }
        }
        verified.damage = self.file_damage()?.map(|what| Damage { row: None, what });
        Ok(verified)
    }

    /// SQLite's own check of the file's structure and indexes.
    fn file_damage(&self) -> Result<Option<String>> {
        let answer: String = self
            .conn
            .query_row("PRAGMA integrity_check(1)", [], |row| row.get(0))?;
        Ok((answer != "ok").then_some(answer))
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
    fn read(row: &rusqlite::Row<'_>) -> Result<Self> {
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

    /// Whether the row follows from the one before; then the head behind it, and the received
    /// record that it names.
    fn follows(&self, before: &Head) -> Result<(Head, Option<RawRef>), String> {
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
fn raw_damage(raw: &RawRef, body: Option<String>) -> Option<String> {
    match body {
        None => Some(format!("received record {} is gone", raw.id)),
        Some(body) if hex(&sha256(body.as_bytes())) != raw.sha256 => {
            Some(format!("received record {} was changed", raw.id))
        }
        Some(_) => None,
    }
}
