//! Proving the chain: every row, every received record that a row names, and the projection.

use rusqlite::OptionalExtension;

use super::{Result, Store};
use crate::ledger::{Event, Head, Link, hex, link, sha256};

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
        let mut head = Head::default();
        let mut raws = 0;
        let mut raw_body = self.conn.prepare("SELECT body FROM raw WHERE id = ?1")?;
        let mut statement = self.conn.prepare(
            "SELECT seq, at, kind, subject, payload, payload_hash, hash FROM journal ORDER BY seq",
        )?;
        let mut rows = statement.query([])?;
        while let Some(row) = rows.next()? {
            let seq: u64 = row.get(0)?;
            let broken = |what: String| Verified {
                head,
                raws,
                damage: Some(Damage {
                    row: Some(seq),
                    what,
                }),
            };
            if seq != head.seq + 1 {
                return Ok(broken(format!("row {} is missing", head.seq + 1)));
            }
            let (kind, subject): (String, String) = (row.get(2)?, row.get(3)?);
            let payload: String = row.get(4)?;
            let payload_hash: [u8; 32] = row.get(5)?;
            if sha256(payload.as_bytes()) != payload_hash {
                return Ok(broken("its payload does not have the recorded hash".into()));
            }
            let at = row.get(1)?;
            let next = link(
                &head,
                Link {
                    at,
                    kind: &kind,
                    subject: &subject,
                    payload_hash,
                },
            );
            if next.hash != row.get::<_, [u8; 32]>(6)? {
                return Ok(broken(
                    "its hash does not follow from the row before".into(),
                ));
            }
            let event = match Event::read(&kind, &payload) {
                Ok(event) => event,
                Err(reason) => return Ok(broken(reason)),
            };
            if let Event::Revision(revision) = &event {
                let body: Option<String> = raw_body
                    .query_row([revision.raw.id], |row| row.get(0))
                    .optional()?;
                let Some(body) = body else {
                    return Ok(broken(format!(
                        "received record {} is gone",
                        revision.raw.id
                    )));
                };
                if hex(&sha256(body.as_bytes())) != revision.raw.sha256 {
                    return Ok(broken(format!(
                        "received record {} was changed",
                        revision.raw.id
                    )));
                }
                raws += 1;
            }
            head = next;
        }
        let mut verified = Verified {
            head,
            raws,
            damage: None,
        };
        if let Some(what) = self.file_damage()? {
            verified.damage = Some(Damage { row: None, what });
        }
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
