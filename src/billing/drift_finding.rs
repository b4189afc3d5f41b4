//! Drift in words, as a finding.

use std::collections::BTreeSet;

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
    let money = drift.seconds() != 0 || drift.amount() != Cents::ZERO || drift.cancel_only;
    let severity = if money || drift.has(&[Field::Client]) {
        Severity::Act
    } else if drift.has(&[
        Field::Day,
        Field::Project,
        Field::Person,
        Field::Billable,
        Field::Deleted,
        Field::Contract,
        Field::Rate,
    ]) {
        Severity::Check
    } else {
        Severity::Note
    };
    let number = &drift.statement;
    let accept = format!("`stundenbuch statement correct {number} --work {id}`");
    let action = if drift.cancel_only {
        format!(
            "Restore the entry at its source, or cancel {number} and seal anew: a correction \
             cannot change the currency or the tax."
        )
    } else if severity == Severity::Note {
        format!("Nothing is to be done: time and money are as billed. {accept} takes note of it.")
    } else {
        format!(
            "Restore the entry at its source, or accept the difference with {accept}: it goes on \
             the client's next statement, and {number} stays as it was sealed."
        )
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
    let difference = difference_words(drift.seconds(), drift.amount(), &sealed.currency);
    let number = &drift.statement;
    format!("{subject} in {number} {now}: {difference}.")
}

/// `−0:30 h, −29.50 EUR`
pub fn difference_words(seconds: i64, amount: Cents, currency: &str) -> String {
    if seconds == 0 && amount == Cents::ZERO {
        return "time and money stay the same".to_owned();
    }
    let sign = if amount < Cents::ZERO { "−" } else { "+" };
    let digits = amount.to_string();
    let digits = digits.trim_start_matches('-');
    format!("{}, {sign}{digits} {currency}", signed_hours(seconds))
}

/// Work of a statement that is the same as ever, and has another rate by the configuration of
/// now: one finding for all of it. `drifts` are compared with [`super::Rates::OfNow`]; `amount`
/// is what the rates alone make of them.
pub fn rates_finding(drifts: &[&Drift], amount: Cents, sealed: &Statement) -> Option<Finding> {
    let number = sealed.number.as_deref()?;
    let changes = drifts.iter().flat_map(|drift| &drift.what);
    let rates: BTreeSet<String> = changes
        .filter(|change| change.field == Field::Rate)
        .map(|change| format!("{} → {}", change.old, change.new))
        .collect();
    if rates.is_empty() {
        return None;
    }
    let rates: Vec<String> = rates.into_iter().collect();
    let entries = match drifts.len() {
        1 => "1 entry was".to_owned(),
        several => format!("{several} entries were"),
    };
    Some(Finding {
        kind: Kind::RateChanged,
        severity: Severity::Check,
        subject: number.to_owned(),
        other: None,
        client: Some(sealed.client_key.clone()),
        sentence: format!(
            "{entries} billed in {number} at another rate than the configuration gives now ({}): \
             {}.",
            rates.join(", "),
            difference_words(0, amount, &sealed.currency)
        ),
        action: format!(
            "If the new rate holds from some day on, give it a `from` in the configuration. If it \
             was meant for these, too, `stundenbuch statement correct {number} --rates` puts the \
             difference on the client's next statement."
        ),
    })
}
