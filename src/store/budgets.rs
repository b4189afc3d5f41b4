//! Request budgets in the ledger's file, so that a restart does not spend a quota twice.

use std::path::Path;
use std::sync::Mutex;

use rusqlite::{Connection, OpenFlags, OptionalExtension, params};
use stundenbuch_connectors::budget::{BudgetState, BudgetStore};
use stundenbuch_connectors::error::{Error as PullError, Kind, Result as PullResult};

use super::connections::instant;
use super::{Result, open};

/// The budgets of all connections; a connection of its own to the file, because requests are
/// counted while the ledger's writer is busy with a page.
#[derive(Debug)]
pub struct Budgets {
    conn: Mutex<Connection>,
}

impl Budgets {
    /// Opens the budgets of a ledger that exists.
    pub fn open(ledger: &Path) -> Result<Self> {
        let conn = open::connect(ledger, OpenFlags::SQLITE_OPEN_READ_WRITE)?;
        Ok(Self {
            conn: Mutex::new(conn),
        })
    }
}

impl BudgetStore for Budgets {
    fn load(&self, connection: &str, bucket: &str) -> PullResult<BudgetState> {
        let conn = self.conn.lock().map_err(|_| broken("a thread panicked"))?;
        let state = conn
            .prepare_cached(
                "SELECT window_start, used, told, told_until, parked_until FROM budget
                 WHERE connection = ?1 AND bucket = ?2",
            )
            .and_then(|mut statement| {
                statement
                    .query_row([connection, bucket], |row| {
                        let at = |index| -> rusqlite::Result<_> {
                            Ok(row.get::<_, Option<i64>>(index)?.and_then(instant))
                        };
                        Ok(BudgetState {
                            window_start: at(0)?,
                            used: row.get(1)?,
                            told: row.get::<_, Option<i64>>(2)?.zip(at(3)?),
                            parked_until: at(4)?,
                        })
                    })
                    .optional()
            })
            .map_err(broken)?;
        Ok(state.unwrap_or_default())
    }

    fn save(&self, connection: &str, bucket: &str, state: &BudgetState) -> PullResult<()> {
        let conn = self.conn.lock().map_err(|_| broken("a thread panicked"))?;
        conn.prepare_cached(
            "INSERT OR REPLACE INTO budget
                 (connection, bucket, window_start, used, told, told_until, parked_until)
             VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)",
        )
        .and_then(|mut statement| {
            statement.execute(params![
                connection,
                bucket,
                state.window_start.map(|at| at.timestamp()),
                state.used,
                state.told.map(|(left, _)| left),
                state.told.map(|(_, until)| until.timestamp()),
                state.parked_until.map(|at| at.timestamp()),
            ])
        })
        .map_err(broken)?;
        Ok(())
    }
}

fn broken(error: impl std::fmt::Display) -> PullError {
    PullError::new(Kind::Unavailable, "the request budget cannot be kept").with("error", error)
}
