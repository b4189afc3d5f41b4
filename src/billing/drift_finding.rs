//! Drift in words, as a finding.

use super::drift::{Drift, Field};
use super::{EntryRow, Statement};
use crate::finding::{Finding, Kind, Severity};
use crate::money::Cents;
use crate::reconcile::words::{hours, quoted, signed_hours};

/// The drift as a finding: money is to act on, what may change a rate is to check, words are a
/// note.
pub fn drift_finding(drift: &Drift, sealed: &Statement) -> Finding {
    let id = drift.work.to_string();
    let row = sealed.entries.iter().find(|row| row.work == id);
    let deleted = drift.has(&[Field::Deleted]);
    let money = drift.seconds != 0 || drift.amount != Cents::ZERO || drift.has(&[Field::Client]);
    let severity = if money {
        Severity::Act
    } else if drift.has(&[
        Field::Day,
        Field::Project,
        Field::Person,
        Field::Billable,
        Field::Deleted,
    ]) {
        Severity::Check
    } else {
        Severity::Note
    };
    let action = match severity {
        Severity::Note => "Nothing is to be done: time and money are as billed.".to_owned(),
        Severity::Check | Severity::Act => format!(
            "Restore the entry at its source, or settle the difference with the client: {} stays \
             as it was sealed.",
            drift.statement
        ),
    };
    Finding {
        kind: if deleted {
            Kind::BilledEntryDeleted
        } else {
            Kind::BilledEntryChanged
        },
        severity,
        subject: id,
        other: Some(drift.statement.clone()),
        client: Some(sealed.client_key.clone()),
        sentence: sentence(drift, sealed, row),
        action,
    }
}

fn sentence(drift: &Drift, sealed: &Statement, row: Option<&EntryRow>) -> String {
    let subject = row.map_or_else(String::new, |row| {
        let who = row
            .person
            .as_ref()
            .map_or_else(String::new, |who| format!(" by {who}"));
        let charged = if row.line.is_some() {
            format!("was billed with {}", hours(row.tracked_seconds))
        } else {
            "was listed without charge".to_owned()
        };
        format!(
            "The entry{who} on {}, {}, {charged}",
            row.date,
            quoted(&row.description)
        )
    });
    let now = match drift.what.as_slice() {
        [only] if only.field == Field::Deleted => "and is now deleted".to_owned(),
        [only] if only.field == Field::Duration => format!("and now has {}", only.new),
        [only] if only.field == Field::Client => {
            format!("to client `{}` and now belongs to {}", only.old, only.new)
        }
        several => {
            let changes: Vec<String> = several
                .iter()
                .map(|change| format!("{} {} → {}", change.field.as_str(), change.old, change.new))
                .collect();
            format!("and has changed since: {}", changes.join(", "))
        }
    };
    let difference = if drift.seconds == 0 && drift.amount == Cents::ZERO {
        "time and money stay the same".to_owned()
    } else {
        let amount = drift.amount.to_string();
        let sign = if drift.amount < Cents::ZERO {
            "−"
        } else {
            "+"
        };
        let amount = amount.trim_start_matches('-');
        format!(
            "{}, {sign}{amount} {}",
            signed_hours(drift.seconds),
            sealed.currency
        )
    };
    let number = &drift.statement;
    format!("{subject} in {number} {now}: {difference}.")
}
