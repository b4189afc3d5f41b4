//! The outbox: everything that leaves the machine waits here first, with its bytes.

use std::sync::Arc;

use chrono::{DateTime, Utc};
use rusqlite::types::FromSql;
use rusqlite::{OptionalExtension, ToSql, params};

use super::connections::instant;
use super::{Result, Store, Writer};

/// One thing to deliver, and how far it came.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Parcel {
    pub id: u64,
    /// Names the delivery for good: statement, target and form.
    pub key: String,
    pub connection: String,
    pub statement: String,
    /// Where to: a path relative to the connection's root, or another [`super::Place`].
    pub path: String,
    pub sha256: String,
    pub bytes: Arc<[u8]>,
    pub state: ParcelState,
    pub attempts: u32,
    pub not_before: DateTime<Utc>,
    pub location: Option<String>,
    pub error: Option<String>,
}

/// How far a parcel came.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ParcelState {
    Queued,
    Delivered,
    /// A person must change something before it can be tried again.
    Failed,
}

impl ParcelState {
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Queued => "queued",
            Self::Delivered => "delivered",
            Self::Failed => "failed",
        }
    }

    fn parse(text: &str) -> Self {
        match text {
            "delivered" => Self::Delivered,
            "failed" => Self::Failed,
            _ => Self::Queued,
        }
    }
}

const COLUMNS: &str = "id, key, connection, statement, path, sha256, body, state, attempts,
                       not_before, location, error";

impl Writer<'_> {
    /// Queues one thing to deliver; queueing the same key again changes nothing.
    pub fn enqueue(&mut self, now: DateTime<Utc>, parcel: &NewParcel<'_>) -> Result<bool> {
        let queued = self.tx.execute(
            "INSERT OR IGNORE INTO outbox (key, connection, statement, path, sha256, body, state,
                                           attempts, not_before, queued_at)
             VALUES (?1, ?2, ?3, ?4, ?5, ?6, 'queued', 0, ?7, ?7)",
            params![
                parcel.key,
                parcel.connection,
                parcel.statement,
                parcel.path,
                parcel.sha256,
                parcel.bytes,
                now.timestamp()
            ],
        )?;
        Ok(queued == 1)
    }

    /// Records that a parcel is where it should be.
    pub fn parcel_delivered(
        &mut self,
        now: DateTime<Utc>,
        id: u64,
        location: &str,
        outcome: &str,
    ) -> Result<()> {
        self.tx.execute(
            "UPDATE outbox SET state = 'delivered', location = ?2, outcome = ?3, error = NULL,
                               attempts = attempts + 1, done_at = ?4
             WHERE id = ?1",
            params![id, location, outcome, now.timestamp()],
        )?;
        Ok(())
    }

    /// Records a failed attempt, and when to try again; never when `again` is none.
    pub fn parcel_failed(
        &mut self,
        id: u64,
        error: &str,
        again: Option<DateTime<Utc>>,
    ) -> Result<()> {
        let state = if again.is_some() {
            ParcelState::Queued
        } else {
            ParcelState::Failed
        };
        self.tx.execute(
            "UPDATE outbox SET state = ?2, error = ?3, attempts = attempts + 1,
                               not_before = coalesce(?4, not_before)
             WHERE id = ?1",
            params![id, state.as_str(), error, again.map(|at| at.timestamp())],
        )?;
        Ok(())
    }

    /// Puts failed parcels back in the queue, after a person mended something; how many.
    pub fn retry_failed_parcels(&mut self, now: DateTime<Utc>) -> Result<usize> {
        Ok(self.tx.execute(
            "UPDATE outbox SET state = 'queued', not_before = ?1
             WHERE state = 'failed' OR (state = 'queued' AND not_before > ?1)",
            [now.timestamp()],
        )?)
    }
}

/// What is queued.
#[derive(Clone, Copy, Debug)]
pub struct NewParcel<'a> {
    pub key: &'a str,
    pub connection: &'a str,
    pub statement: &'a str,
    pub path: &'a str,
    pub sha256: &'a str,
    pub bytes: &'a [u8],
}

impl Store {
    /// The parcels that may be tried now, oldest first. No wait is longer than a day: one that
    /// ends more than 25 hours ahead was begun by a clock that was wrong.
    pub fn parcels_due(&self, now: DateTime<Utc>) -> Result<Vec<Parcel>> {
        let due = "state = 'queued' AND (not_before <= ?1 OR not_before > ?1 + 25 * 3600)";
        self.parcels(due, now.timestamp())
    }

    /// All parcels that are not where they should be.
    pub fn parcels_open(&self) -> Result<Vec<Parcel>> {
        self.parcels("state <> 'delivered' AND ?1 IS NULL", Option::<i64>::None)
    }

    /// All parcels of a statement.
    pub fn parcels_of(&self, statement: &str) -> Result<Vec<Parcel>> {
        self.parcels("statement = ?1", statement)
    }

    /// The text that we last delivered to a place.
    pub fn delivered_text(&self, connection: &str, path: &str) -> Result<Option<String>> {
        let body: Option<Vec<u8>> = self.last_delivered("body", connection, path)?;
        Ok(body.and_then(|body| String::from_utf8(body).ok()))
    }

    /// The hash that we last delivered to a place, to recognise our own earlier version.
    pub fn delivered_hash(&self, connection: &str, path: &str) -> Result<Option<String>> {
        self.last_delivered("sha256", connection, path)
    }

    /// A column of what we last put at a place; what a person kept there is not ours.
    fn last_delivered<T: FromSql>(
        &self,
        column: &str,
        connection: &str,
        path: &str,
    ) -> Result<Option<T>> {
        let sql = format!(
            "SELECT {column} FROM outbox
             WHERE connection = ?1 AND path = ?2 AND state = 'delivered' AND outcome <> 'kept'
             ORDER BY done_at DESC, id DESC LIMIT 1"
        );
        let mut statement = self.conn.prepare_cached(&sql)?;
        let found = statement.query_row([connection, path], |row| row.get(0));
        Ok(found.optional()?)
    }

    fn parcels(&self, condition: &str, value: impl ToSql) -> Result<Vec<Parcel>> {
        let sql = format!("SELECT {COLUMNS} FROM outbox WHERE {condition} ORDER BY id");
        let mut statement = self.conn.prepare_cached(&sql)?;
        let parcels = statement.query_map([value], |row| {
            Ok(Parcel {
                id: row.get(0)?,
                key: row.get(1)?,
                connection: row.get(2)?,
                statement: row.get(3)?,
                path: row.get(4)?,
                sha256: row.get(5)?,
                bytes: row.get::<_, Vec<u8>>(6)?.into(),
                state: ParcelState::parse(&row.get::<_, String>(7)?),
                attempts: row.get(8)?,
                not_before: instant(row.get(9)?).unwrap_or_default(),
                location: row.get(10)?,
                error: row.get(11)?,
            })
        })?;
        Ok(parcels.collect::<rusqlite::Result<_>>()?)
    }
}
