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
            let Some(found) = fields(row) else {
                return Ok(broken("it cannot be read".into()));
            };
            let (kind, payload) = (found.kind, found.payload);
            if sha256(payload.as_bytes()) != found.payload_hash {
                return Ok(broken("its payload does not have the recorded hash".into()));
            }
            let next = link(
                &head,
                Link {
                    at: found.at,
                    kind,
                    subject: found.subject,
                    payload_hash: found.payload_hash,
                },
            );
            if next.hash != found.hash {
                return Ok(broken(
                    "its hash does not follow from the row before".into(),
                ));
            }
            let event = match Event::read(kind, payload) {
                Ok(event) => event,
                Err(reason) => return Ok(broken(reason)),
            };
            if let Event::Revision(revision) = &event {
                // As bytes: damaged text may not be text any more.
                let body: Option<[u8; 32]> = raw_body
                    .query_row([revision.raw.id], |row| {
                        Ok(sha256(row.get_ref(0)?.as_bytes()?))
                    })
                    .optional()?;
                let Some(body) = body else {
                    return Ok(broken(format!(
                        "received record {} is gone",
                        revision.raw.id
                    )));
                };
                if hex(&body) != revision.raw.sha256 {
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
        } else if self.hash_if_rebuilt()? != self.projection_hash()? {
            let what = "the current state is not what the rows say; they hold, and \
                        `stundenbuch ledger rebuild` makes it anew from them";
            verified.damage = Some(Damage {
                row: None,
                what: what.into(),
            });
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

/// A row's columns behind its number.
struct Fields<'a> {
    at: i64,
    kind: &'a str,
    subject: &'a str,
    payload: &'a str,
    payload_hash: [u8; 32],
    hash: [u8; 32],
}

/// Reads a row; none when a column does not hold what it must, as after damage.
fn fields<'a>(row: &'a rusqlite::Row<'_>) -> Option<Fields<'a>> {
    fn text<'a>(row: &'a rusqlite::Row<'_>, at: usize) -> Option<&'a str> {
        row.get_ref(at).ok()?.as_str().ok()
    }
    Some(Fields {
        at: row.get(1).ok()?,
        kind: text(row, 2)?,
        subject: text(row, 3)?,
        payload: text(row, 4)?,
        payload_hash: row.get(5).ok()?,
        hash: row.get(6).ok()?,
    })
}
