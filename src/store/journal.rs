//! The append-only chain: one way in, ordered ways out.

use chrono::{DateTime, Utc};
use rusqlite::{Connection, OptionalExtension, params};

use super::{Error, Result, Store, Writer};
use crate::ledger::{Event, Form, Head, Link, Mark, Why, link, sha256};

/// One row as it stands in the journal.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Row {
    pub seq: u64,
    /// Unix seconds.
    pub at: i64,
    pub kind: String,
    pub subject: String,
    pub payload: String,
    pub hash: [u8; 32],
}

impl Row {
    /// The head behind the row.
    pub(super) fn mark(&self, why: Why) -> Mark {
        Mark {
            head: Head {
                seq: self.seq,
                hash: self.hash,
            },
            at: DateTime::from_timestamp(self.at, 0).unwrap_or_default(),
            why,
        }
    }

    /// What the row says.
    pub fn event(&self) -> Result<Event> {
        Event::read(&self.kind, &self.payload)
            .map_err(|reason| Error::Damaged(format!("row {}: {reason}", self.seq)))
    }
}

/// A record as it was received, for the end of a trace.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TracedRaw {
    pub id: u64,
    pub received_at: i64,
    pub body: String,
}

impl Writer<'_> {
    /// Appends one row and brings the projection up to it.
    pub fn append(&mut self, now: DateTime<Utc>, subject: &str, event: &Event) -> Result<u64> {
        let seq = self.append_row(now, subject, event.kind(), &event.payload())?;
        if let (Some(why), Some(mark)) = (Why::of(subject, event), self.marks.last_mut()) {
            mark.why = why;
        }
        self.project(seq, subject, event)?;
        Ok(seq)
    }

    /// Appends one row; the caller brings the projection up to it.
    pub(super) fn append_row(
        &mut self,
        now: DateTime<Utc>,
        subject: &str,
        kind: &str,
        payload: &str,
    ) -> Result<u64> {
        let at = now.timestamp();
        let payload_hash = sha256(payload.as_bytes());
        let head = link(
            &self.head,
            Link {
                at,
                kind,
                subject: self.form.subject(subject),
                payload_hash,
            },
        );
        self.tx
            .prepare_cached(
                "INSERT INTO journal (seq, at, kind, subject, payload, payload_hash, hash)
                 VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)",
            )?
            .execute(params![
                head.seq,
                at,
                kind,
                subject,
                payload,
                payload_hash,
                head.hash
            ])?;
        self.head = head;
        self.marks.pop_if(|mark| mark.why == Why::Rows);
        self.marks.push(Mark {
            head,
            at: now,
            why: Why::Rows,
        });
        Ok(head.seq)
    }
}

impl Store {
    /// One row of the journal.
    pub fn row(&self, seq: u64) -> Result<Option<Row>> {
        Ok(self
            .conn
            .prepare_cached(
                "SELECT seq, at, kind, subject, payload, hash FROM journal WHERE seq = ?1",
            )?
            .query_row([seq], row)
            .optional()?)
    }

    /// The chained hash of a row's payload, also where the payload was erased.
    pub fn payload_hash(&self, seq: u64) -> Result<[u8; 32]> {
        Ok(self
            .conn
            .prepare_cached("SELECT payload_hash FROM journal WHERE seq = ?1")?
            .query_row([seq], |row| row.get(0))?)
    }

    /// Hands the rows after `seq` to `each`, in order.
    ///
    /// # Errors
    /// Those of `each` end the walk.
    pub fn rows_after<E: From<Error>>(
        &self,
        seq: u64,
        each: impl FnMut(Row) -> Result<(), E>,
    ) -> Result<(), E> {
        // The largest number of a row.
        self.rows_between(seq, i64::MAX.unsigned_abs(), each)
    }

    /// The same up to a row, that one included.
    pub fn rows_between<E: From<Error>>(
        &self,
        after: u64,
        until: u64,
        mut each: impl FnMut(Row) -> Result<(), E>,
    ) -> Result<(), E> {
        let mut statement = self
            .conn
            .prepare_cached(
                "SELECT seq, at, kind, subject, payload, hash FROM journal
                 WHERE seq > ?1 AND seq <= ?2 ORDER BY seq",
            )
            .map_err(Error::from)?;
        let rows = statement
            .query_map([after, until], row)
            .map_err(Error::from)?;
        for row in rows {
            each(row.map_err(Error::from)?)?;
        }
        Ok(())
    }

    /// Hands every row of a kind to `each`, in order.
    ///
    /// # Errors
    /// Those of `each` end the walk.
    pub fn rows_of<E: From<Error>>(
        &self,
        kind: &str,
        mut each: impl FnMut(Row) -> Result<(), E>,
    ) -> Result<(), E> {
        let mut statement = self
            .conn
            .prepare_cached(
                "SELECT seq, at, kind, subject, payload, hash FROM journal
                 WHERE kind = ?1 ORDER BY seq",
            )
            .map_err(Error::from)?;
        let rows = statement.query_map([kind], row).map_err(Error::from)?;
        for row in rows {
            each(row.map_err(Error::from)?)?;
        }
        Ok(())
    }

    /// Hands the rows of some kinds to `each`, in order. There is no index for it: it costs a walk
    /// over the journal, without the payloads of other rows.
    pub(super) fn rows_of_kinds(
        &self,
        kinds: &[&str],
        mut each: impl FnMut(Row) -> Result<()>,
    ) -> Result<()> {
        let kinds = serde_json::to_string(kinds).expect("words are plain data");
        let mut statement = self.conn.prepare(
            "SELECT seq, at, kind, subject, payload, hash FROM journal
             WHERE kind IN (SELECT value FROM json_each(?1)) ORDER BY seq",
        )?;
        let rows = statement.query_map([kinds], row)?;
        for row in rows {
            each(row?)?;
        }
        Ok(())
    }

    /// The revisions of a record, newest first.
    pub fn history(&self, newest: u64) -> Result<Vec<Row>> {
        let mut rows = Vec::new();
        let mut next = Some(newest);
        while let Some(row) = next.map(|seq| self.row(seq)).transpose()?.flatten() {
            next = match row.event()? {
                Event::Revision(revision) => revision.previous,
                _ => None,
            };
            rows.push(row);
        }
        Ok(rows)
    }

    /// A received record that a revision names.
    pub fn raw(&self, id: u64) -> Result<Option<TracedRaw>> {
        Ok(self
            .conn
            .prepare_cached("SELECT id, received_at, body FROM raw WHERE id = ?1")?
            .query_row([id], |row| {
                Ok(TracedRaw {
                    id: row.get(0)?,
                    received_at: row.get(1)?,
                    body: row.get(2)?,
                })
            })
            .optional()?)
    }
}

/// The last row of the chain.
pub(super) fn head(conn: &Connection) -> Result<Head> {
    // Before the first migration there is no table, and the chain is empty.
    let version: i64 = conn.pragma_query_value(None, "user_version", |row| row.get(0))?;
    if version == 0 {
        return Ok(Head::default());
    }
    let last = conn
        .prepare_cached("SELECT seq, hash FROM journal ORDER BY seq DESC LIMIT 1")?
        .query_row([], |row| {
            Ok(Head {
                seq: row.get(0)?,
                hash: row.get(1)?,
            })
        })
        .optional()?;
    Ok(last.unwrap_or_default())
}

/// The form of rows to come. A migration appends its `format` row while the version is still the
/// old one, so that row has the old form and the rows behind it the new one.
pub(super) fn form(conn: &Connection) -> Result<Form> {
    let version: i64 = conn.pragma_query_value(None, "user_version", |row| row.get(0))?;
    Ok(if version < 2 { Form::Text } else { Form::Hash })
}

pub(super) fn row(row: &rusqlite::Row<'_>) -> rusqlite::Result<Row> {
    Ok(Row {
        seq: row.get(0)?,
        at: row.get(1)?,
        kind: row.get(2)?,
        subject: row.get(3)?,
        payload: row.get(4)?,
        hash: row.get(5)?,
    })
}
