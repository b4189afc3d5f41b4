//! What is remembered of each connection between runs.

use chrono::{DateTime, Utc};
use rusqlite::{OptionalExtension, params};
use stundenbuch_connectors::contract::Cursor;

use super::{Result, Store, Writer};

/// How a connection stands.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ConnectionState {
    pub cursor: Cursor,
    /// When a pull last reached its end.
    pub pulled_at: Option<DateTime<Utc>>,
    /// When the open period was last compared with the source.
    pub compared_at: Option<DateTime<Utc>>,
    /// The last failure, unless a pull succeeded since.
    pub failure: Option<(DateTime<Utc>, String)>,
}

impl Store {
    /// How a connection stands; the default for one that never ran.
    pub fn connection(&self, name: &str) -> Result<ConnectionState> {
        let state = self
            .conn
            .query_row(
                "SELECT cursor, pulled_at, compared_at, failed_at, failure FROM connection
                 WHERE name = ?1",
                [name],
                |row| {
                    let failed: Option<i64> = row.get(3)?;
                    let failure: Option<String> = row.get(4)?;
                    Ok(ConnectionState {
                        cursor: Cursor::stored(row.get(0)?),
                        pulled_at: row.get::<_, Option<i64>>(1)?.and_then(instant),
                        compared_at: row.get::<_, Option<i64>>(2)?.and_then(instant),
                        failure: failed.and_then(instant).zip(failure),
                    })
                },
            )
            .optional()?;
        Ok(state.unwrap_or_default())
    }
}

impl Store {
    /// Every connection whose last pull failed, with the reason.
    pub fn failures(&self) -> Result<Vec<(String, String)>> {
        let mut statement = self.conn.prepare_cached(
            "SELECT name, failure FROM connection WHERE failure IS NOT NULL ORDER BY name",
        )?;
        let failures = statement.query_map([], |row| Ok((row.get(0)?, row.get(1)?)))?;
        Ok(failures.collect::<rusqlite::Result<_>>()?)
    }
}

impl Writer<'_> {
    /// Remembers that a pull reached its end.
    pub fn pulled(&mut self, name: &str, now: DateTime<Utc>, compared: bool) -> Result<()> {
        self.tx.execute(
            // The first pull that reaches its end has seen everything: it counts as a comparison.
            "INSERT INTO connection (name, pulled_at, compared_at) VALUES (?1, ?2, ?2)
             ON CONFLICT (name) DO UPDATE SET pulled_at = excluded.pulled_at,
                 compared_at = iif(?3 OR compared_at IS NULL, excluded.pulled_at, compared_at),
                 failed_at = NULL, failure = NULL",
            params![name, now.timestamp(), compared],
        )?;
        Ok(())
    }

    /// Remembers why a pull did not.
    pub fn pull_failed(&mut self, name: &str, now: DateTime<Utc>, failure: &str) -> Result<()> {
        self.tx.execute(
            "INSERT INTO connection (name, failed_at, failure) VALUES (?1, ?2, ?3)
             ON CONFLICT (name) DO UPDATE SET failed_at = excluded.failed_at,
                 failure = excluded.failure",
            params![name, now.timestamp(), failure],
        )?;
        Ok(())
    }
}

/// An instant from Unix seconds.
pub(super) fn instant(seconds: i64) -> Option<DateTime<Utc>> {
    DateTime::from_timestamp(seconds, 0)
}
