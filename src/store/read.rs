//! Counts, for `status` and for tests.

use super::{Result, Store};

/// How much the ledger holds.
#[derive(Clone, Debug, Default, PartialEq, Eq, serde::Serialize)]
pub struct Stats {
    /// Rows of the chain.
    pub rows: u64,
    /// Pieces of finished tracked time that are not deleted, each counted once.
    pub works: u64,
    /// Their sum, in seconds.
    pub work_seconds: i64,
    /// Timers that run.
    pub running: u64,
    pub tasks: u64,
    pub files: u64,
    pub quarantined: u64,
    pub open_findings: u64,
    pub undelivered: u64,
}

impl Store {
    /// How much the ledger holds.
    pub fn stats(&self) -> Result<Stats> {
        let count = |sql: &str| -> Result<u64> {
            Ok(self.conn.query_row(sql, [], |row| row.get::<_, u64>(0))?)
        };
        let of = |stream: &str| {
            count(&format!(
                "SELECT count(*) FROM record r JOIN source s ON s.id = r.source
                 WHERE s.stream = '{stream}' AND r.deleted IS NULL"
            ))
        };
        let spoken = "FROM record WHERE start_at IS NOT NULL AND speaks = 1 AND deleted IS NULL";
        Ok(Stats {
            rows: self.head()?.seq,
            works: count(&format!("SELECT count(*) {spoken} AND seconds IS NOT NULL"))?,
            work_seconds: self.conn.query_row(
                &format!("SELECT coalesce(sum(seconds), 0) {spoken}"),
                [],
                |row| row.get(0),
            )?,
            running: count(&format!("SELECT count(*) {spoken} AND seconds IS NULL"))?,
            tasks: of("tasks")?,
            files: of("files")?,
            quarantined: count("SELECT count(*) FROM quarantine")?,
            open_findings: count("SELECT count(*) FROM finding WHERE closed_at IS NULL")?,
            undelivered: count("SELECT count(*) FROM outbox WHERE state <> 'delivered'")?,
        })
    }
}
