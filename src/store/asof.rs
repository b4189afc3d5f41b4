//! The ledger as it was: a private store of what was known at an instant.
//!
//! The journal alone determines the projection, so it is made anew from the rows that were there.
//! Matches and findings are not in the journal; their tables keep what they replace, with the
//! time. What is large is not copied: the journal and the received records are read in the
//! ledger's own file, through views that end where the ledger ended then. The rest lies in a
//! temporary database, which SQLite keeps on disk when it is large and removes by itself.

use chrono::{DateTime, Utc};
use rusqlite::{OptionalExtension, params};

use super::open::{BUSY, MIGRATIONS};
use super::{Error, Result, Store};

/// Rows after which progress is told.
const STEP: u64 = 10_000;

/// What was there by `?1`, from the rows that still are and from those that were replaced. What
/// was closed later was open then; what was delivered later was waiting.
const COPIES: [&str; 5] = [
    "INSERT OR REPLACE INTO main.finding
            (id, kind, severity, subject, other, client, body, opened_at, closed_at, since)
     SELECT id, kind, severity, subject, other, client, body, opened_at,
            iif(closed_at <= ?1, closed_at, NULL), since
       FROM ledger.finding_past WHERE since <= ?1 AND until > ?1",
    "INSERT OR REPLACE INTO main.finding
            (id, kind, severity, subject, other, client, body, opened_at, closed_at, since)
     SELECT id, kind, severity, subject, other, client, body, opened_at,
            iif(closed_at <= ?1, closed_at, NULL), since
       FROM ledger.finding WHERE since <= ?1",
    "INSERT OR REPLACE INTO main.match (work, task, evidence, since)
     SELECT work, task, evidence, since FROM ledger.match_past WHERE since <= ?1 AND until > ?1",
    "INSERT OR REPLACE INTO main.match (work, task, evidence, since)
     SELECT work, task, evidence, since FROM ledger.match WHERE since <= ?1",
    // Documents are large and can be made again; which of them there were is enough.
    "INSERT INTO main.outbox (id, key, connection, statement, path, sha256, state, attempts,
                              not_before, location, outcome, queued_at, done_at, body)
     SELECT id, key, connection, statement, path, sha256,
            iif(done_at <= ?1, 'delivered', 'queued'), 0, queued_at,
            iif(done_at <= ?1, location, NULL), iif(done_at <= ?1, outcome, NULL), queued_at,
            iif(done_at <= ?1, done_at, NULL), x''
       FROM ledger.outbox WHERE queued_at <= ?1",
];

impl Store {
    /// The last row of what was known at an instant: the one before the first row that is later.
    /// 0 before there was a ledger. A clock that was set back may leave rows behind it that call
    /// themselves earlier; they are not known yet.
    pub fn last_row_by(&self, at: DateTime<Utc>) -> Result<u64> {
        let later: Option<u64> = self
            .conn
            .query_row(
                "SELECT seq FROM journal WHERE at > ?1 ORDER BY seq LIMIT 1",
                [at.timestamp()],
                |row| row.get(0),
            )
            .optional()?;
        match later {
            Some(seq) => Ok(seq - 1),
            None => Ok(self.head()?.seq),
        }
    }

    /// What was known at an instant, as a store of its own that can be read. `progress` hears
    /// how many rows were walked, of how many. The time it takes follows the rows.
    ///
    /// Not in it: quarantine, cursors, runs and budgets, which are only remembered as they are.
    pub fn as_of(&self, at: DateTime<Utc>, progress: &mut dyn FnMut(u64, u64)) -> Result<Self> {
        let last = self.last_row_by(at)?;
        let mut then = self.scratch()?;
        then.write(|writer| {
            self.rows_between(0, last, |row| {
                if row.seq % STEP == 0 || row.seq == last {
                    progress(row.seq, last);
                }
                writer.project_row(&row)
            })
        })?;
        then.conn
            .pragma_update(None, "user_version", MIGRATIONS.len())?;
        then.attach(self, last)?;
        let tx = then.conn.transaction()?;
        for sql in COPIES {
            tx.execute(sql, params![at.timestamp()])?;
        }
        tx.commit()?;
        then.conn.pragma_update(None, "query_only", true)?;
        then.path.clone_from(&self.path);
        Ok(then)
    }

    /// Looks at the file of another store for journal and received records, up to a row.
    fn attach(&self, file: &Self, last: u64) -> Result<()> {
        let path = file.path.to_str().ok_or_else(|| Error::Open {
            path: file.path.clone(),
            reason: "its path is not UTF-8".into(),
            hint: "move the ledger to a directory with a name in UTF-8",
        })?;
        self.conn.busy_timeout(BUSY)?;
        self.conn.execute("ATTACH DATABASE ?1 AS ledger", [path])?;
        // Names are looked up among the temporary ones first, so every query finds these.
        self.conn.execute_batch(&format!(
            "CREATE TEMP VIEW journal AS SELECT * FROM ledger.journal WHERE seq <= {last};
             CREATE TEMP VIEW raw AS SELECT * FROM ledger.raw;"
        ))?;
        Ok(())
    }
}
