//! The statement that reverses another: every time and amount the other way.

use super::{Reference, Statement};

/// The reversing statement, before it has a number and a day of its own.
pub fn reversed(sealed: &Statement) -> Statement {
    let mut made = Statement {
        number: None,
        sealed_at: None,
        issued_on: None,
        ledger_head: None,
        cancels: Some(reference(sealed)),
        cancelled_by: None,
        ..sealed.clone()
    };
    let negate = |seconds: &mut i64| *seconds = seconds.saturating_neg();
    for line in &mut made.lines {
        negate(&mut line.tracked_seconds);
        negate(&mut line.billed_seconds);
        line.amount = line.amount.negated();
    }
    for row in &mut made.entries {
        negate(&mut row.tracked_seconds);
        negate(&mut row.billed_seconds);
    }
    for work in &mut made.corrections {
        negate(&mut work.tracked_seconds);
    }
    let totals = &mut made.totals;
    negate(&mut totals.tracked_seconds);
    negate(&mut totals.billed_seconds);
    negate(&mut totals.non_billable_seconds);
    totals.net = totals.net.negated();
    totals.gross = totals.gross.negated();
    if let Some(vat) = &mut totals.vat {
        vat.amount = vat.amount.negated();
    }
    made
}

/// A statement as another one names it.
pub fn reference(statement: &Statement) -> Reference {
    Reference {
        number: statement.number.clone().unwrap_or_default(),
        issued_on: statement.issued_on,
    }
}
