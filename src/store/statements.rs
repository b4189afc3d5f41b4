//! Sealed statements, what corrects and reverses them, and their numbers.

use chrono::NaiveDate;
use rusqlite::{OptionalExtension, params};

use super::{Error, Result, Store, Writer};
use crate::billing::{Recorded, Statement, reference};
use crate::ledger::{Event, Sealed};
use crate::work::WorkId;

/// A statement as it is listed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StatementRow {
    pub number: String,
    pub client: String,
    /// The journal row that holds it.
    pub sealed: u64,
    /// ISO dates.
    pub first_day: String,
    pub last_day: String,
    /// The number of the statement that it reverses.
    pub cancels: Option<String>,
    /// The number of the statement that reverses it.
    pub cancelled_by: Option<String>,
}

impl StatementRow {
    /// Whether it stands: it is not reversed, and reverses none.
    pub fn holds(&self) -> bool {
        self.cancels.is_none() && self.cancelled_by.is_none()
    }
}

const COLUMNS: &str = "SELECT number, client, sealed, first_day, last_day, cancels, cancelled_by
                         FROM statement";

impl Store {
    /// All statements, cancelled and reversing ones among them, in the order of sealing.
    pub fn statements(&self) -> Result<Vec<StatementRow>> {
        let mut statement = self
            .conn
            .prepare_cached(&format!("{COLUMNS} ORDER BY sealed"))?;
        let rows = statement.query_map([], statement_row)?;
        Ok(rows.collect::<rusqlite::Result<_>>()?)
    }

    /// One statement as it is listed.
    pub fn statement_row(&self, number: &str) -> Result<Option<StatementRow>> {
        Ok(self
            .conn
            .prepare_cached(&format!("{COLUMNS} WHERE number = ?1"))?
            .query_row([number], statement_row)
            .optional()?)
    }

    /// The newest statement of a client that was sealed over a day, and stands.
    pub fn sealed_over(&self, client: &str, day: NaiveDate) -> Result<Option<StatementRow>> {
        Ok(self
            .conn
            .prepare_cached(&format!(
                "{COLUMNS}
                 WHERE client = ?1 AND first_day <= ?2 AND last_day >= ?2
                   AND cancels IS NULL AND cancelled_by IS NULL
                 ORDER BY sealed DESC LIMIT 1"
            ))?
            .query_row([client, day.to_string().as_str()], statement_row)
            .optional()?)
    }

    /// Any statement by its number, as it was sealed; a cancelled one names the one that reverses
    /// it. `None` also where it was erased.
    pub fn statement(&self, number: &str) -> Result<Option<Statement>> {
        let Some(row) = self.statement_row(number)? else {
            return Ok(None);
        };
        let Some(mut statement) = self.as_sealed(row.sealed)? else {
            return Ok(None);
        };
        if let Some(by) = &row.cancelled_by {
            let by = self.statement_row(by)?;
            let by = by.map(|row| self.as_sealed(row.sealed)).transpose()?;
            statement.cancelled_by = by.flatten().as_ref().map(reference);
        }
        Ok(Some(statement))
    }

    /// The statement in a row of the journal.
    fn as_sealed(&self, seq: u64) -> Result<Option<Statement>> {
        let Some(row) = self.row(seq)? else {
            return Ok(None);
        };
        match row.event()? {
            Event::Sealed(sealed) => Ok(Some(sealed.statement)),
            Event::Cancelled(cancelled) => Ok(Some(cancelled.statement)),
            Event::Gone => Ok(None),
            _ => Err(Error::Damaged(format!("row {seq} should be a statement"))),
        }
    }

    /// What was sealed under a number, whole. `None` for one that reverses another.
    pub fn sealed(&self, number: &str) -> Result<Option<Sealed>> {
        let row = self.statement_row(number)?;
        let Some(row) = row.map(|row| self.row(row.sealed)).transpose()?.flatten() else {
            return Ok(None);
        };
        match row.event()? {
            Event::Sealed(sealed) => Ok(Some(*sealed)),
            Event::Cancelled(_) | Event::Gone => Ok(None),
            _ => Err(Error::Damaged(format!(
                "row {} should seal {number}",
                row.seq
            ))),
        }
    }

    /// The corrections of a statement, in their order.
    pub fn corrections_of(&self, number: &str) -> Result<Vec<Recorded>> {
        self.corrections("statement = ?1", number)
    }

    /// The corrections of a work, in their order.
    pub fn corrections_about(&self, work: WorkId) -> Result<Vec<Recorded>> {
        self.corrections("work = ?1", work.0)
    }

    /// The statements of a client that have corrections which no statement charges yet.
    pub fn corrected_statements(&self, client: &str) -> Result<Vec<String>> {
        let mut statement = self.conn.prepare_cached(
            "SELECT DISTINCT s.number, s.sealed FROM correction c
               JOIN statement s ON s.number = c.statement
              WHERE c.charged IS NULL AND s.client = ?1 ORDER BY s.sealed",
        )?;
        let numbers = statement.query_map([client], |row| row.get(0))?;
        Ok(numbers.collect::<rusqlite::Result<_>>()?)
    }

    fn corrections(&self, which: &str, value: impl rusqlite::ToSql) -> Result<Vec<Recorded>> {
        let sql =
            format!("SELECT id, statement, charged FROM correction WHERE {which} ORDER BY id");
        let rows: Vec<(u64, String, Option<String>)> = self
            .conn
            .prepare_cached(&sql)?
            .query_map([value], |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?)))?
            .collect::<rusqlite::Result<_>>()?;
        let mut recorded = Vec::new();
        for (id, statement, charged) in rows {
            let event = self.row(id)?.map(|row| row.event()).transpose()?;
            match event {
                Some(Event::Correction(correction)) => recorded.push(Recorded {
                    id,
                    statement,
                    charged,
                    correction: *correction,
                }),
                Some(Event::Gone) => {}
                _ => return Err(Error::Damaged(format!("row {id} should be a correction"))),
            }
        }
        Ok(recorded)
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

    /// Whether any of these corrections is charged already, or has nothing to correct any more.
    pub fn first_not_open(&self, corrections: &[u64]) -> Result<Option<u64>> {
        let mut query = self
            .tx
            .prepare_cached("SELECT charged IS NULL FROM correction WHERE id = ?1")?;
        for id in corrections {
            let open: Option<bool> = query.query_row([id], |row| row.get(0)).optional()?;
            if open != Some(true) {
                return Ok(Some(*id));
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
        cancels: row.get(5)?,
        cancelled_by: row.get(6)?,
    })
}
