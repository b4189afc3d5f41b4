//! How a line came to its amount, as data: from the entries through the rounding and the rate to
//! the cent. Made from the statement alone, so it holds for sealed ones whatever the
//! configuration says by now.

use chrono::NaiveDate;
use rust_decimal::Decimal;
use serde::Serialize;

use super::{EntryRow, Line, Statement};
use crate::money::{Cents, HourlyRate};

/// One line, step by step.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct LineExplained {
    pub position: u32,
    pub title: String,
    /// The key of the contract.
    pub contract: String,
    pub entries: Vec<EntryStep>,
    /// Σ of the entries.
    pub tracked_seconds: i64,
    /// The rounding in words of the document's language.
    pub rounding: String,
    /// Where the time was rounded.
    pub rounded: Rounded,
    pub billed_seconds: i64,
    pub rate: HourlyRate,
    /// Why this rate.
    pub rate_rule: String,
    /// Billed seconds × rate / 3600 before it was rounded to a cent.
    #[serde(with = "rust_decimal::serde::str_option")]
    pub exact: Option<Decimal>,
    pub amount: Cents,
}

/// What an entry contributes to a line.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct EntryStep {
    /// The work's identity in the ledger.
    pub work: String,
    pub date: NaiveDate,
    pub description: String,
    pub tracked_seconds: i64,
    pub billed_seconds: i64,
}

/// Where a line's time was rounded, as the numbers show it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Rounded {
    /// Nothing changed.
    Nowhere,
    /// On the entries, or on their days and shared out among them.
    Entries,
    /// On the sum.
    Line,
}

/// Explains the line at a position; `None` where the statement has no such line.
pub fn explain_line(statement: &Statement, position: u32) -> Option<LineExplained> {
    let line = statement
        .lines
        .iter()
        .find(|line| line.position == position)?;
    let entries: Vec<EntryStep> = rows_of(statement, line).map(step).collect();
    let rows: i64 = entries.iter().map(|entry| entry.billed_seconds).sum();
    let untouched = entries
        .iter()
        .all(|e| e.billed_seconds == e.tracked_seconds);
    let rounded = if rows != line.billed_seconds {
        Rounded::Line
    } else if untouched {
        Rounded::Nowhere
    } else {
        Rounded::Entries
    };
    Some(LineExplained {
        position,
        title: line.title.clone(),
        contract: line.contract.clone(),
        entries,
        tracked_seconds: line.tracked_seconds,
        rounding: statement.rounding.clone(),
        rounded,
        billed_seconds: line.billed_seconds,
        rate: line.rate,
        rate_rule: line.rate_rule.clone(),
        exact: exact(line),
        amount: line.amount,
    })
}

/// The rows that a line charges.
pub(super) fn rows_of<'a>(
    statement: &'a Statement,
    line: &Line,
) -> impl Iterator<Item = &'a EntryRow> + use<'a> {
    let position = line.position;
    statement
        .entries
        .iter()
        .filter(move |row| row.line == Some(position))
}

fn step(row: &EntryRow) -> EntryStep {
    EntryStep {
        work: row.work.clone(),
        date: row.date,
        description: row.description.clone(),
        tracked_seconds: row.tracked_seconds,
        billed_seconds: row.billed_seconds,
    }
}

fn exact(line: &Line) -> Option<Decimal> {
    let product = line
        .rate
        .get()
        .checked_mul(Decimal::from(line.billed_seconds))?;
    product
        .checked_div(Decimal::from(3600))
        .map(|exact| exact.normalize())
}
