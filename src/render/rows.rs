//! The rows of a table: the entries, and behind them what earlier statements owed, so that a
//! table adds up to its statement.

use std::borrow::Cow;

use crate::billing::{CorrectedWork, EntryRow, Statement};

/// A row of a table.
#[derive(Clone, Debug)]
pub(super) struct Row<'a> {
    pub(super) entry: Cow<'a, EntryRow>,
    /// What it corrects; none for an entry of the statement itself.
    pub(super) corrects: Option<&'a CorrectedWork>,
}

/// The entries in order, then one row for each line of each correction.
pub(super) fn rows(statement: &Statement) -> Vec<Row<'_>> {
    let entries = statement.entries.iter().map(|entry| Row {
        entry: Cow::Borrowed(entry),
        corrects: None,
    });
    let corrections = statement.corrections.iter();
    entries
        .chain(corrections.flat_map(|work| corrected(statement, work)))
        .collect()
}

/// One row a line; what was tracked and no line has gets a row of its own.
fn corrected<'a>(
    statement: &'a Statement,
    work: &'a CorrectedWork,
) -> impl Iterator<Item = Row<'a>> + use<'a> {
    let lines = statement.lines.iter();
    let mut rows: Vec<EntryRow> = lines
        .filter(|line| work.lines.contains(&line.position))
        .map(|line| EntryRow {
            line: Some(line.position),
            description: line.title.clone(),
            tracked_seconds: line.tracked_seconds,
            billed_seconds: line.billed_seconds,
            billable: true,
            ..bare(work)
        })
        .collect();
    let mine = rows.iter();
    let mine = mine.fold(0i64, |sum, row| sum.saturating_add(row.tracked_seconds));
    let rest = work.tracked_seconds.saturating_sub(mine);
    if rest != 0 {
        rows.push(EntryRow {
            tracked_seconds: rest,
            billed_seconds: rest,
            ..bare(work)
        });
    }
    rows.into_iter().map(move |entry| Row {
        entry: Cow::Owned(entry),
        corrects: Some(work),
    })
}

fn bare(work: &CorrectedWork) -> EntryRow {
    EntryRow {
        work: work.work.clone(),
        line: None,
        date: work.date,
        start: None,
        stop: None,
        person: work.person.clone(),
        project: work.project.clone(),
        task: None,
        description: work.description.clone(),
        tracked_seconds: 0,
        billed_seconds: 0,
        billable: false,
    }
}
