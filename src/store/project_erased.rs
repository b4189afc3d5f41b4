//! The projection of what was erased: numbers stay, and keys as hashes, so that nothing is taken
//! again.

use rusqlite::{OptionalExtension, params};
use stundenbuch_connectors::record::{Record, Stream};

use super::journal::Row;
use super::{Error, Result, Store, Writer};
use crate::ledger::{Erased, Event, sha256, subject_hash};
use crate::work::RecordKey;

impl Writer<'_> {
    /// Brings the projection up to one row as it stands in the journal, erased or not.
    pub(super) fn project_row(&mut self, row: &Row) -> Result<()> {
        if !row.payload.is_empty() {
            return self.project(row.seq, &row.subject, &row.event()?);
        }
        if !may_be_erased(&row.kind) {
            let (seq, kind) = (row.seq, &row.kind);
            let what = format!("row {seq} is empty, and a row `{kind}` is never erased");
            return Err(Error::Damaged(what));
        }
        if row.kind == "revision" {
            self.number_forgotten(row)?;
        }
        Ok(())
    }

    /// The first erased revision of a record gives it its number, as any first revision does.
    fn number_forgotten(&mut self, row: &Row) -> Result<()> {
        let is_time = row.subject.split('/').nth(1) == Some("time");
        self.tx
            .prepare_cached("INSERT OR IGNORE INTO forgotten (id, key, work) VALUES (?1, ?2, ?3)")?
            .execute(params![
                row.seq,
                subject_hash(&row.subject),
                is_time.then_some(row.seq)
            ])?;
        self.forgets = Some(true);
        Ok(())
    }

    /// What an erasure says of records, of its client, and of numbers.
    pub(super) fn project_erased(&mut self, seq: u64, erased: &Erased) -> Result<()> {
        for run in &erased.records {
            self.forget_run(*run)?;
        }
        self.tx.execute(
            "INSERT INTO erasure (client, row) VALUES (?1, ?2)
             ON CONFLICT (client) DO UPDATE SET row = excluded.row",
            params![erased.client, seq],
        )?;
        for end in &erased.series {
            self.tx.execute(
                "INSERT INTO series (series, running) VALUES (?1, ?2)
                 ON CONFLICT (series) DO UPDATE SET running = max(running, excluded.running)",
                params![end.series, end.running],
            )?;
        }
        Ok(())
    }

    /// The records of a run are not known any more, and their works are spoken for by others.
    fn forget_run(&mut self, (first, last): (u64, u64)) -> Result<()> {
        type Found = (u64, String, Option<u64>);
        let found: Vec<Found> = self
            .tx
            .prepare_cached(
                "SELECT r.id, s.connection || '/' || s.stream || '/' || r.ext_id, r.work
                   FROM record r JOIN source s ON s.id = r.source
                  WHERE r.id BETWEEN ?1 AND ?2 ORDER BY r.id",
            )?
            .query_map([first, last], |row| {
                Ok((row.get(0)?, row.get(1)?, row.get(2)?))
            })?
            .collect::<rusqlite::Result<_>>()?;
        for (id, key, work) in found {
            self.tx
                .prepare_cached("DELETE FROM record WHERE id = ?1")?
                .execute([id])?;
            self.tx
                .prepare_cached(
                    "INSERT OR REPLACE INTO forgotten (id, key, work) VALUES (?1, ?2, ?3)",
                )?
                .execute(params![id, sha256(key.as_bytes()), work])?;
            if let Some(work) = work {
                self.choose_speaker(work)?;
            }
            self.forgets = Some(true);
        }
        Ok(())
    }

    /// Whether a record was erased, so that it is not taken again.
    pub fn is_forgotten(&mut self, key: &RecordKey) -> Result<bool> {
        if !self.forgets_any()? {
            return Ok(false);
        }
        Ok(self
            .tx
            .prepare_cached("SELECT EXISTS (SELECT 1 FROM forgotten WHERE key = ?1)")?
            .query_row([hash_of(key)], |row| row.get(0))?)
    }

    /// Whether a record is about a task that was erased: what is done to it now is about the
    /// client as well.
    pub(super) fn is_of_forgotten(&mut self, key: &RecordKey, record: &Record) -> Result<bool> {
        let Record::Activity(activity) = record else {
            return Ok(false);
        };
        self.is_forgotten(&RecordKey {
            connection: key.connection.clone(),
            stream: Stream::Tasks,
            id: activity.task.clone(),
        })
    }

    /// Asked of every new record, so it is answered once a transaction where nothing was erased.
    fn forgets_any(&mut self) -> Result<bool> {
        if let Some(forgets) = self.forgets {
            return Ok(forgets);
        }
        let forgets = self
            .tx
            .query_row("SELECT EXISTS (SELECT 1 FROM forgotten)", [], |row| {
                row.get(0)
            })?;
        self.forgets = Some(forgets);
        Ok(forgets)
    }

    /// The number of a record that has a revision before this one. One whose earlier revisions
    /// were erased, and this one was not, is known again under its number.
    pub(super) fn known_or_recalled(&mut self, key: &RecordKey) -> Result<u64> {
        let known = self.known(key)?.map(|known| known.id);
        if !self.forgets_any()? {
            return known.ok_or_else(|| never_introduced(key));
        }
        let forgotten: Option<(u64, Option<u64>)> = self
            .tx
            .prepare_cached("DELETE FROM forgotten WHERE key = ?1 RETURNING id, work")?
            .query_row([hash_of(key)], |row| Ok((row.get(0)?, row.get(1)?)))
            .optional()?;
        if let Some(id) = known {
            return Ok(id);
        }
        let (id, work) = forgotten.ok_or_else(|| never_introduced(key))?;
        let source = self.source(key)?;
        self.tx
            .prepare_cached(
                "INSERT INTO record (id, source, ext_id, scope, revision, content, work, speaks)
                 VALUES (?1, ?2, ?3, '', ?1, x'', ?4, iif(?4 IS NULL, NULL, 1))",
            )?
            .execute(params![id, source, key.id.as_str(), work])?;
        Ok(id)
    }

    /// The number of a record; `None` for one whose rows so far were erased.
    pub(super) fn known_or_forgotten(&mut self, key: &RecordKey) -> Result<Option<u64>> {
        match self.known(key)? {
            Some(known) => Ok(Some(known.id)),
            None if self.is_forgotten(key)? => Ok(None),
            None => Err(never_introduced(key)),
        }
    }

    /// A record whose rows so far were erased joins a work.
    pub(super) fn forgotten_reports(&mut self, key: &RecordKey, work: u64) -> Result<()> {
        self.tx
            .prepare_cached("UPDATE forgotten SET work = ?2 WHERE key = ?1")?
            .execute(params![hash_of(key), work])?;
        Ok(())
    }

    /// Whether a client was erased: nothing of it is written into the ledger again.
    pub fn client_is_erased(&self, key: &str) -> Result<bool> {
        is_erased(&self.tx, key)
    }
}

impl Store {
    /// As [`Writer::client_is_erased`].
    pub fn client_is_erased(&self, key: &str) -> Result<bool> {
        is_erased(&self.conn, key)
    }
}

/// Rows about the ledger itself are about nobody.
pub(super) fn may_be_erased(kind: &str) -> bool {
    !["genesis", "format", "restored", "erased"].contains(&kind)
}

fn is_erased(conn: &rusqlite::Connection, key: &str) -> Result<bool> {
    let client = Erased::client_hash(&identity(conn)?, key);
    Ok(conn
        .prepare_cached("SELECT EXISTS (SELECT 1 FROM erasure WHERE client = ?1)")?
        .query_row([client], |row| row.get(0))?)
}

pub(super) fn identity(conn: &rusqlite::Connection) -> Result<String> {
    let payload: String = conn
        .prepare_cached("SELECT payload FROM journal WHERE seq = 1")?
        .query_row([], |row| row.get(0))?;
    match Event::read("genesis", &payload) {
        Ok(Event::Genesis(genesis)) => Ok(genesis.ledger),
        _ => Err(Error::Damaged(
            "row 1 does not say which ledger it is".into(),
        )),
    }
}

fn hash_of(key: &RecordKey) -> [u8; 32] {
    sha256(key.to_string().as_bytes())
}

fn never_introduced(key: &RecordKey) -> Error {
    Error::Damaged(format!(
        "the journal changes {key}, which it never introduced"
    ))
}
