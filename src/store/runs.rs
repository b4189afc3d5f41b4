//! Runs: one row for each pass, with what it did.

use chrono::{DateTime, Utc};
use rusqlite::{OptionalExtension, params};

use super::connections::instant;
use super::{Result, Store, Writer};

/// One pass of the program.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StoredRun {
    pub id: u64,
    pub started_at: DateTime<Utc>,
    /// None: it is under way, or was interrupted.
    pub finished_at: Option<DateTime<Utc>>,
    pub trigger: String,
    /// JSON; what the run reported at its end.
    pub report: Option<String>,
}

impl Writer<'_> {
    /// Begins a run.
    pub fn begin_run(&mut self, now: DateTime<Utc>, trigger: &str) -> Result<u64> {
        self.tx.execute(
            "INSERT INTO run (started_at, trigger) VALUES (?1, ?2)",
            params![now.timestamp(), trigger],
        )?;
        Ok(u64::try_from(self.tx.last_insert_rowid()).expect("row ids are positive"))
    }

    /// Ends a run with its report.
    pub fn end_run(&mut self, now: DateTime<Utc>, id: u64, report: &str) -> Result<()> {
        self.tx.execute(
            "UPDATE run SET finished_at = ?2, report = ?3 WHERE id = ?1",
            params![id, now.timestamp(), report],
        )?;
        Ok(())
    }

    /// Remembers which version of a file was imported.
    pub fn set_imported(&mut self, connection: &str, path: &str, version: &str) -> Result<()> {
        self.tx.execute(
            "INSERT OR REPLACE INTO imported (connection, path, version) VALUES (?1, ?2, ?3)",
            [connection, path, version],
        )?;
        Ok(())
    }
}

impl Store {
    /// The newest run, finished or not.
    pub fn last_run(&self) -> Result<Option<StoredRun>> {
        let id: Option<u64> = self
            .conn
            .query_row("SELECT max(id) FROM run", [], |row| row.get(0))?;
        id.map(|id| self.run(id)).transpose().map(Option::flatten)
    }

    fn run(&self, id: u64) -> Result<Option<StoredRun>> {
        Ok(self
            .conn
            .prepare_cached(
                "SELECT id, started_at, finished_at, trigger, report FROM run WHERE id = ?1",
            )?
            .query_row([id], |row| {
                Ok(StoredRun {
                    id: row.get(0)?,
                    started_at: instant(row.get(1)?).unwrap_or_default(),
                    finished_at: row.get::<_, Option<i64>>(2)?.and_then(instant),
                    trigger: row.get(3)?,
                    report: row.get(4)?,
                })
            })
            .optional()?)
    }

    /// The newest run that came to its end.
    pub fn last_finished_run(&self) -> Result<Option<StoredRun>> {
        let id: Option<u64> = self.conn.query_row(
            "SELECT max(id) FROM run WHERE finished_at IS NOT NULL",
            [],
            |row| row.get(0),
        )?;
        id.map(|id| self.run(id)).transpose().map(Option::flatten)
    }

    /// The version of a file that was imported.
    pub fn imported(&self, connection: &str, path: &str) -> Result<Option<String>> {
        Ok(self
            .conn
            .query_row(
                "SELECT version FROM imported WHERE connection = ?1 AND path = ?2",
                [connection, path],
                |row| row.get(0),
            )
            .optional()?)
    }
}
