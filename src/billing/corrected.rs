//! A sealed statement as its corrections left it.

use super::draft::totals;
use super::{EntryRow, Line, Statement};
use crate::ledger::{Correction, CorrectionPart};

/// A correction in the ledger.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Recorded {
    /// The journal row.
    pub id: u64,
    /// The number of the statement that it corrects.
    pub statement: String,
    /// The number of the statement that charges it; none so far where it is none.
    pub charged: Option<String>,
    pub correction: Correction,
}

/// The statement with the corrections applied, in their order: its rows and lines as they are
/// now, and its totals. A rate that it had no line for has one behind its own.
pub fn corrected<'a>(
    sealed: &Statement,
    corrections: impl IntoIterator<Item = &'a Correction>,
) -> Statement {
    let mut now = sealed.clone();
    for correction in corrections {
        apply(&mut now, correction);
    }
    let vat = now.totals.vat.as_ref().map(|vat| vat.rate);
    let owed = now.corrections.iter().map(|work| work.tracked_seconds);
    if let Some(totals) = totals(&now.lines, &now.entries, owed, vat) {
        now.totals = totals;
    }
    now
}

/// Brings a statement up to one correction.
pub(crate) fn apply(statement: &mut Statement, correction: &Correction) {
    for part in &correction.parts {
        let lines = &mut statement.lines;
        let found = lines.iter().position(|line| line.position == part.line);
        let at = found.unwrap_or_else(|| {
            lines.push(added(part));
            lines.len() - 1
        });
        let line = &mut lines[at];
        let add = |to: &mut i64, difference: i64| *to = to.saturating_add(difference);
        add(&mut line.tracked_seconds, part.tracked_seconds);
        add(&mut line.billed_seconds, part.billed_seconds);
        line.amount = line.amount.checked_add(part.amount).unwrap_or(line.amount);
    }
    let work = correction.work.to_string();
    let rows = &mut statement.entries;
    let found = rows.iter().position(|row| row.work == work);
    match (&correction.entry, found) {
        (Some(entry), Some(at)) => rows[at] = EntryRow::clone(entry),
        (Some(entry), None) => rows.push(entry.clone()),
        (None, Some(at)) => drop(rows.remove(at)),
        (None, None) => {}
    }
}

/// The line that a part adds, before anything stands on it.
fn added(part: &CorrectionPart) -> Line {
    Line {
        position: part.line,
        contract: part.contract.clone(),
        title: part.contract.clone(),
        tracked_seconds: 0,
        billed_seconds: 0,
        rate: part.rate,
        amount: crate::money::Cents::ZERO,
        rate_rule: part.rate_rule.clone(),
    }
}
