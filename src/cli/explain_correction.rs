//! `explain` for corrections: from the line that charges one to what it corrects, and back.

use serde::Serialize;

use super::statement_change::change_words;
use crate::billing::{Change, Recorded, Statement, difference_words};
use crate::money::Cents;
use crate::store::Store;
use crate::work::WorkId;

/// A correction with both ends: what was billed, and what charges the difference.
#[derive(Clone, Debug, Serialize)]
pub(super) struct CorrectionTrace {
    /// The row of the journal.
    pub(super) row: u64,
    pub(super) work: String,
    /// The corrected statement, and its position that charged the work.
    pub(super) statement: String,
    pub(super) line: Option<u32>,
    /// The row of the revision that was billed.
    pub(super) was: Option<u64>,
    /// The row of the revision or deletion that holds since.
    pub(super) now: u64,
    pub(super) changes: Vec<Change>,
    pub(super) tracked_seconds: i64,
    pub(super) amount: Cents,
    /// The statement that charges the difference, and its positions; none so far.
    pub(super) charged: Option<String>,
    pub(super) charged_lines: Vec<u32>,
}

/// All corrections of a work, in their order.
pub(super) fn of_work(store: &Store, work: WorkId) -> anyhow::Result<Vec<CorrectionTrace>> {
    let recorded = store.corrections_about(work)?;
    let mut traces: Vec<CorrectionTrace> = Vec::new();
    for one in &recorded {
        let before = traces.iter().rfind(|it| it.statement == one.statement);
        let was = match before {
            Some(before) => Some(before.now),
            None => billed_row(store, one)?,
        };
        let corrected = store.statement(&one.statement)?;
        let charging = one.charged.as_deref().map(|number| store.statement(number));
        let charging = charging.transpose()?.flatten();
        traces.push(trace(one, was, corrected.as_ref(), charging.as_ref()));
    }
    Ok(traces)
}

/// The corrections that a line charges.
pub(super) fn of_line(
    store: &Store,
    statement: &Statement,
    position: u32,
) -> anyhow::Result<Vec<CorrectionTrace>> {
    let mut traces = Vec::new();
    for work in &statement.corrections {
        if !work.lines.contains(&position) {
            continue;
        }
        let Some(id) = WorkId::parse(&work.work) else {
            continue;
        };
        let of_work = of_work(store, id)?.into_iter();
        traces.extend(of_work.filter(|it| it.row == work.row));
    }
    Ok(traces)
}

fn billed_row(store: &Store, one: &Recorded) -> anyhow::Result<Option<u64>> {
    let sealed = store.sealed(&one.statement)?;
    Ok(sealed.and_then(|sealed| {
        let mut works = sealed.works.iter();
        let settled = works.find(|settled| settled.work == one.correction.work);
        settled.map(|settled| settled.revision)
    }))
}

fn trace(
    one: &Recorded,
    was: Option<u64>,
    corrected: Option<&Statement>,
    charging: Option<&Statement>,
) -> CorrectionTrace {
    let work = one.correction.work.to_string();
    let row = corrected.and_then(|it| it.entries.iter().find(|row| row.work == work));
    let parts = one.correction.parts.iter();
    let seconds = parts.clone().map(|part| part.tracked_seconds);
    let mut amounts = parts.map(|part| part.amount);
    let charging = charging.into_iter().flat_map(|it| &it.corrections);
    let charging = charging.filter(|it| it.row == one.id);
    let lines = charging.flat_map(|it| it.lines.clone()).collect();
    CorrectionTrace {
        row: one.id,
        statement: one.statement.clone(),
        line: row.and_then(|row| row.line),
        was,
        now: one.correction.state,
        changes: one.correction.changes.clone(),
        tracked_seconds: seconds.fold(0, i64::saturating_add),
        amount: amounts
            .try_fold(Cents::ZERO, Cents::checked_add)
            .unwrap_or_default(),
        charged: one.charged.clone(),
        charged_lines: lines,
        work,
    }
}

impl CorrectionTrace {
    /// `corrected by row 91: duration 2:30 h → 2:00 h (…), charged by 2026-0008:4`
    pub(super) fn words(&self, currency: &str) -> String {
        let changes: Vec<String> = self.changes.iter().map(change_words).collect();
        let place = self.line.map_or_else(
            || self.statement.clone(),
            |line| format!("{}:{line}", self.statement),
        );
        let was = self
            .was
            .map_or_else(String::new, |row| format!(" row {row}"));
        let charged = match (&self.charged, self.charged_lines.as_slice()) {
            (None, _) => "waits for the client's next statement".to_owned(),
            (Some(number), []) => format!("taken note of by {number}"),
            (Some(number), lines) => {
                let lines: Vec<String> = lines
                    .iter()
                    .map(|line| format!("{number}:{line}"))
                    .collect();
                format!("charged by {}", lines.join(" and "))
            }
        };
        format!(
            "correction in row {} of {place}, {}:{was} → row {}, {}; {}; {charged}",
            self.row,
            self.work,
            self.now,
            changes.join(", "),
            difference_words(self.tracked_seconds, self.amount, currency)
        )
    }
}
