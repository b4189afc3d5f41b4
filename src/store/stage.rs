//! A page enters the ledger: records, deletions, absences and the cursor in one transaction.

use std::collections::HashSet;

use chrono::{DateTime, Utc};
use rusqlite::{OptionalExtension, params};
use stundenbuch_connectors::contract::{Absent, Cursor, Raw, Sweep};
use stundenbuch_connectors::record::{ExternalId, Record, Stream};

use super::{Appended, Result, Store, Writer};
use crate::erase::without_names;
use crate::work::RecordKey;

/// A received record that no version so far could understand.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Quarantined {
    pub id: u64,
    pub connection: String,
    pub raw: Raw,
    pub reason: String,
}

impl Writer<'_> {
    /// Moves a connection's cursor. In the same transaction as the rows before it (P6).
    /// Names of clients that were erased do not enter it again, though a service still has them.
    pub fn set_cursor(&mut self, connection: &str, cursor: &Cursor) -> Result<()> {
        let names = self.erased_names()?;
        let cursor = cursor.as_str().map(|cursor| without_names(cursor, &names));
        self.tx
            .prepare_cached(
                "INSERT INTO connection (name, cursor) VALUES (?1, ?2)
                 ON CONFLICT (name) DO UPDATE SET cursor = excluded.cursor",
            )?
            .execute(params![connection, cursor])?;
        Ok(())
    }

    /// Puts a received record that cannot be understood aside; an older state of it gives way.
    pub fn quarantine(
        &mut self,
        now: DateTime<Utc>,
        connection: &str,
        raw: &Raw,
        reason: &str,
    ) -> Result<()> {
        let key = key_of(connection, raw);
        self.source(&key)?;
        self.release(&key)?;
        let id = self.keep_raw(now, &key, raw)?;
        self.tx
            .prepare_cached("INSERT INTO quarantine (raw, reason) VALUES (?1, ?2)")?
            .execute(params![id, reason])?;
        Ok(())
    }

    /// Whether anything is in quarantine.
    pub fn any_quarantined(&self) -> Result<bool> {
        Ok(self
            .tx
            .prepare_cached("SELECT EXISTS (SELECT 1 FROM quarantine)")?
            .query_row([], |row| row.get(0))?)
    }

    /// Drops what quarantine holds of a record, because a newer state of it was received.
    pub fn release(&mut self, key: &RecordKey) -> Result<()> {
        let source = self.source(key)?;
        let ids: Vec<u64> = self
            .tx
            .prepare_cached(
                // CROSS keeps this order: quarantine is short, and the received records are many.
                "SELECT q.raw FROM quarantine q CROSS JOIN raw r ON r.id = q.raw
                 WHERE r.source = ?1 AND r.ext_id = ?2",
            )?
            .query_map(params![source, key.id.as_str()], |row| row.get(0))?
            .collect::<rusqlite::Result<_>>()?;
        for id in ids {
            self.tx
                .execute("DELETE FROM quarantine WHERE raw = ?1", [id])?;
            self.tx.execute("DELETE FROM raw WHERE id = ?1", [id])?;
        }
        Ok(())
    }

    /// Appends a record that this version reads out of quarantine.
    pub fn append_quarantined(
        &mut self,
        now: DateTime<Utc>,
        held: &Quarantined,
        id: &ExternalId,
        record: Record,
    ) -> Result<Appended> {
        let key = RecordKey {
            connection: held.connection.clone(),
            stream: record.stream(),
            id: id.clone(),
        };
        let raw_id = held.id;
        self.append_revision(now, &key, record, &held.raw.scope, &held.raw.body, |_| {
            Ok(raw_id)
        })
    }

    /// Takes a received record out of quarantine; `keep` when a revision names it now.
    pub fn leave_quarantine(&mut self, held: &Quarantined, keep: bool) -> Result<()> {
        self.tx
            .execute("DELETE FROM quarantine WHERE raw = ?1", [held.id])?;
        if !keep {
            self.tx
                .execute("DELETE FROM raw WHERE id = ?1", [held.id])?;
        }
        Ok(())
    }

    /// Remembers records that a complete listing did not show.
    pub fn note_absent(&mut self, connection: &str, absent: &[Absent], held: bool) -> Result<()> {
        for absent in absent {
            self.tx
                .prepare_cached(
                    "INSERT INTO absence (connection, stream, ext_id, scope, held)
                     VALUES (?1, ?2, ?3, ?4, ?5)
                     ON CONFLICT DO UPDATE SET scope = excluded.scope, held = excluded.held",
                )?
                .execute(params![
                    connection,
                    absent.stream.as_str(),
                    absent.id.as_str(),
                    absent.scope,
                    held
                ])?;
        }
        Ok(())
    }

    /// Forgets an absence: it was explained, or the record was seen again.
    pub fn clear_absent(&mut self, key: &RecordKey) -> Result<()> {
        self.tx
            .prepare_cached(
                "DELETE FROM absence WHERE connection = ?1 AND stream = ?2 AND ext_id = ?3",
            )?
            .execute([
                key.connection.as_str(),
                key.stream.as_str(),
                key.id.as_str(),
            ])?;
        Ok(())
    }

    /// Whether any record of a connection is missed.
    pub fn any_absent(&self, connection: &str) -> Result<bool> {
        Ok(self
            .tx
            .prepare_cached("SELECT EXISTS (SELECT 1 FROM absence WHERE connection = ?1)")?
            .query_row([connection], |row| row.get(0))?)
    }

    /// The absences of a connection that are not held: they wait for their second look.
    pub fn waiting(&self, connection: &str) -> Result<HashSet<(Stream, ExternalId)>> {
        let mut statement = self.tx.prepare_cached(
            "SELECT stream, ext_id FROM absence WHERE connection = ?1 AND held = 0",
        )?;
        let waiting = statement.query_map([connection], |row| {
            let stream: String = row.get(0)?;
            let stream = Stream::parse(&stream).unwrap_or(Stream::Activity);
            Ok((stream, ExternalId::new(row.get::<_, String>(1)?)))
        })?;
        Ok(waiting.collect::<rusqlite::Result<_>>()?)
    }

    /// Lets absences be confirmed that were held for being too many; how many there were.
    pub fn release_held(&mut self, connection: &str) -> Result<usize> {
        let released = self.tx.execute(
            "UPDATE absence SET held = 0 WHERE connection = ?1 AND held = 1",
            [connection],
        )?;
        Ok(released)
    }
}

impl Store {
    /// What is in quarantine.
    pub fn quarantined(&self) -> Result<Vec<Quarantined>> {
        let mut statement = self.conn.prepare_cached(
            "SELECT r.id, s.connection, s.stream, r.ext_id, r.scope, r.body, q.reason
             FROM quarantine q JOIN raw r ON r.id = q.raw JOIN source s ON s.id = r.source
             ORDER BY q.raw",
        )?;
        let held = statement.query_map([], |row| {
            let stream: String = row.get(2)?;
            Ok(Quarantined {
                id: row.get(0)?,
                connection: row.get(1)?,
                raw: Raw {
                    stream: Stream::parse(&stream).unwrap_or(Stream::Activity),
                    id: ExternalId::new(row.get::<_, String>(3)?),
                    scope: row.get(4)?,
                    body: row.get(5)?,
                },
                reason: row.get(6)?,
            })
        })?;
        Ok(held.collect::<rusqlite::Result<_>>()?)
    }

    /// The absences of a connection that wait for a second look.
    pub fn absences(&self, connection: &str, held: bool) -> Result<Vec<Absent>> {
        let mut statement = self.conn.prepare_cached(
            "SELECT stream, ext_id, scope FROM absence
             WHERE connection = ?1 AND held = ?2 ORDER BY stream, ext_id",
        )?;
        let absences = statement.query_map(params![connection, held], |row| {
            let stream: String = row.get(0)?;
            Ok(Absent {
                stream: Stream::parse(&stream).unwrap_or(Stream::Activity),
                id: ExternalId::new(row.get::<_, String>(1)?),
                scope: row.get(2)?,
            })
        })?;
        Ok(absences.collect::<rusqlite::Result<_>>()?)
    }
}

impl Writer<'_> {
    /// The records in a swept scope that the ledger has, that are not deleted, and that the
    /// listing did not name; with the number of all that it has there.
    pub fn absent(&self, connection: &str, sweep: &Sweep) -> Result<(Vec<Absent>, usize)> {
        let source: Option<i64> = self
            .tx
            .query_row(
                "SELECT id FROM source WHERE connection = ?1 AND stream = ?2",
                [connection, sweep.stream.as_str()],
                |row| row.get(0),
            )
            .optional()?;
        let Some(source) = source else {
            return Ok((Vec::new(), 0));
        };
        let present: HashSet<&str> = sweep.present.iter().map(ExternalId::as_str).collect();
        let (mut absent, mut all) = (Vec::new(), 0);
        // A running timer is in no report, so only finished time is looked for in a window. The
        // plus keeps SQLite from walking the whole source where the window is a few weeks.
        let sql = if sweep.from.is_none() && sweep.until.is_none() {
            "SELECT ext_id FROM record
             WHERE source = ?1 AND scope = ?2 AND deleted IS NULL AND ?3 <= ?4 ORDER BY id"
        } else {
            "SELECT ext_id FROM record
             WHERE +source = ?1 AND scope = ?2 AND deleted IS NULL
               AND start_at >= ?3 AND start_at < ?4 AND seconds IS NOT NULL
             ORDER BY id"
        };
        let mut statement = self.tx.prepare_cached(sql)?;
        let from = sweep.from.map_or(i64::MIN, |from| from.timestamp());
        let until = sweep.until.map_or(i64::MAX, |until| until.timestamp());
        let mut rows = statement.query(params![source, sweep.scope, from, until])?;
        while let Some(row) = rows.next()? {
            let id: String = row.get(0)?;
            all += 1;
            if !present.contains(id.as_str()) {
                let (stream, scope) = (sweep.stream, sweep.scope.clone());
                absent.push(Absent {
                    stream,
                    id: ExternalId::new(id),
                    scope,
                });
            }
        }
        Ok((absent, all))
    }
}

/// The key of the record that a raw is about, as far as it can be told without reading it.
fn key_of(connection: &str, raw: &Raw) -> RecordKey {
    RecordKey {
        connection: connection.to_owned(),
        stream: raw.stream,
        id: raw.id.clone(),
    }
}
