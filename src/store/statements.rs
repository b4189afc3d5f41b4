//! Sealed statements and their numbers.

use chrono::NaiveDate;
use rusqlite::{OptionalExtension, params};

use super::{Error, Result, Store, Writer};
use crate::ledger::{Event, Sealed};
use crate::work::WorkId;

/// A sealed statement as it is listed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StatementRow {
    pub number: String,
    pub client: String,
    /// The journal row that holds it.
    pub sealed: u64,
    /// ISO dates.
    pub first_day: String,
    pub last_day: String,
}

impl Store {
    /// All sealed statements, in the order of sealing.
    pub fn statements(&self) -> Result<Vec<StatementRow>> {
        let mut statement = self.conn.prepare_cached(
            "SELECT number, client, sealed, first_day, last_day FROM statement ORDER BY sealed",
        )?;
        let rows = statement.query_map([], statement_row)?;
        Ok(rows.collect::<rusqlite::Result<_>>()?)
    }

    /// The newest statement of a client that was sealed over a day.
    pub fn sealed_over(&self, client: &str, day: NaiveDate) -> Result<Option<StatementRow>> {
        Ok(self
            .conn
            .prepare_cached(
                "SELECT number, client, sealed, first_day, last_day FROM statement
                 WHERE client = ?1 AND first_day <= ?2 AND last_day >= ?2
                 ORDER BY sealed DESC LIMIT 1",
            )?
            .query_row([client, day.to_string().as_str()], statement_row)
            .optional()?)
    }

    /// A sealed statement, whole.
    pub fn sealed(&self, number: &str) -> Result<Option<Sealed>> {
        let seq: Option<u64> = self
            .conn
            .query_row(
                "SELECT sealed FROM statement WHERE number = ?1",
                [number],
                |row| row.get(0),
            )
            .optional()?;
        let Some(row) = seq.map(|seq| self.row(seq)).transpose()?.flatten() else {
            return Ok(None);
        };
        match row.event()? {
            Event::Sealed(sealed) => Ok(Some(*sealed)),
            _ => Err(Error::Damaged(format!(
                "row {} should seal {number}",
                row.seq
            ))),
        }
    }

    /// The statement that settles a work, with its line.
    pub fn settled(&self, work: WorkId) -> Result<Option<(String, Option<u32>)>> {
        Ok(self
            .conn
            .prepare_cached("SELECT statement, line FROM settled WHERE work = ?1")?
            .query_row([work.0], |row| Ok((row.get(0)?, row.get(1)?)))
            .optional()?)
    }
}

impl Writer<'_> {
    /// The next running number of a series; within the sealing transaction, so without gaps.
    pub fn next_running(&self, series: &str) -> Result<u32> {
        Ok(self.tx.query_row(
            "SELECT coalesce(max(running), 0) + 1
               FROM (SELECT running FROM statement WHERE series = ?1
                     UNION ALL SELECT running FROM series WHERE series = ?1)",
            [series],
            |row| row.get(0),
        )?)
    }

    /// Whether any of these works is settled already, by which statement.
    pub fn first_settled(&self, works: &[WorkId]) -> Result<Option<(WorkId, String)>> {
        let mut query = self
            .tx
            .prepare_cached("SELECT statement FROM settled WHERE work = ?1")?;
        for work in works {
            let found: Option<String> = query
                .query_row(params![work.0], |row| row.get(0))
                .optional()?;
            if let Some(number) = found {
                return Ok(Some((*work, number)));
            }
        }
        Ok(None)
    }

    /// The revision that holds now for a work, `None` when it is deleted or unknown.
    pub fn current_revision(&self, work: WorkId) -> Result<Option<u64>> {
        Ok(self
            .tx
            .prepare_cached(
                "SELECT revision FROM record
                 WHERE speaks = 1 AND deleted IS NULL
                   AND ((id = ?1 AND work = ?1) OR (work = ?1 AND work <> id))",
            )?
            .query_row([work.0], |row| row.get(0))
            .optional()?)
    }
}

fn statement_row(row: &rusqlite::Row<'_>) -> rusqlite::Result<StatementRow> {
    Ok(StatementRow {
        number: row.get(0)?,
        client: row.get(1)?,
        sealed: row.get(2)?,
        first_day: row.get(3)?,
        last_day: row.get(4)?,
    })
}
