//! Drift: what was sealed, and what the source says by now.
//!
//! A sealed statement does not change. When its work does, the difference becomes a finding and,
//! by a person's decision, a correction in an open period.

use chrono::NaiveDate;
use chrono_tz::Tz;
use serde::{Deserialize, Serialize};
use stundenbuch_connectors::record::{PersonRef, Worked};

use super::admit::charges;
use super::attribute::attribute;
use super::explain::rows_of;
use super::rounding::bill;
use super::terms::{ContractAt, RateAt, contract_at, entry_day, project_name, rate_at};
use super::{EntryRow, Line, Statement};
use crate::config::{Client, Contract, Person};
use crate::matching::{normal, person_name, person_of};
use crate::money::Cents;
use crate::reconcile::words::{hours, quoted};
use crate::work::{Work, WorkId};

/// What differs between a sealed row and its work now.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Drift {
    pub work: WorkId,
    /// The number of the sealed statement.
    pub statement: String,
    /// Never empty.
    pub what: Vec<Change>,
    /// The difference in time that is charged, as tracked.
    pub seconds: i64,
    /// The difference in money: the line as the contract would compute it now, less the line as
    /// it was sealed; at the line's rate.
    pub amount: Cents,
}

/// One thing that changed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Change {
    pub field: Field,
    pub old: String,
    pub new: String,
}

/// What can change.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Field {
    /// The entry is gone.
    Deleted,
    Client,
    Duration,
    Day,
    /// The time of day.
    Start,
    Project,
    Person,
    Billable,
    Description,
}

impl Field {
    pub(super) fn as_str(self) -> &'static str {
        match self {
            Self::Deleted => "deleted",
            Self::Client => "client",
            Self::Duration => "duration",
            Self::Day => "day",
            Self::Start => "time of day",
            Self::Project => "project",
            Self::Person => "person",
            Self::Billable => "billable",
            Self::Description => "description",
        }
    }
}

/// Compares a work with its row in a sealed statement. `now` is `None` when the ledger has it no
/// longer. `None` when nothing differs, or when the statement has no such row.
pub fn drift(
    sealed: &Statement,
    work: WorkId,
    now: Option<&Work>,
    clients: &[Client],
    people: &[Person],
) -> Option<Drift> {
    let id = work.to_string();
    let row = sealed.entries.iter().find(|row| row.work == id)?;
    let mut drift = Drift {
        work,
        statement: sealed.number.clone().unwrap_or_default(),
        what: Vec::new(),
        seconds: 0,
        amount: Cents::ZERO,
    };
    let Some(now) = now.filter(|now| !now.deleted) else {
        drift.change(
            Field::Deleted,
            hours(row.tracked_seconds),
            "deleted".to_owned(),
        );
        drift.charge(sealed, row, None, clients);
        return Some(drift);
    };
    let client = clients
        .iter()
        .find(|client| client.key == sealed.client_key);
    let owner = attribute(&now.entry, clients);
    if owner.client() != Some(&sealed.client_key) {
        let new = owner.client().unwrap_or("no single client").to_owned();
        drift.change(Field::Client, sealed.client_key.clone(), new);
        drift.charge(sealed, row, None, clients);
        return Some(drift);
    }
    drift.compare_time(sealed, row, now);
    drift.compare_words(row, now, people);
    let contract = client.and_then(|client| contract_now(sealed, row, now, client));
    let charged = contract.map_or(row.line.is_some(), |contract| charges(contract, now));
    // An entry of no time was not charged, which says nothing about its mark.
    if row.tracked_seconds > 0 && charged != row.line.is_some() {
        let yes_no = |charged: bool| if charged { "yes" } else { "no" }.to_owned();
        drift.change(Field::Billable, yes_no(row.line.is_some()), yes_no(charged));
    }
    if drift.what.is_empty() {
        return None;
    }
    let seconds = now.entry.worked.seconds().filter(|s| charged && *s > 0);
    let day = entry_day(&now.entry, zone(sealed));
    drift.charge(sealed, row, seconds.map(|seconds| (day, seconds)), clients);
    if row.line.is_none() {
        let rate = contract.map(|contract| rate_at(contract, &now.entry, day, people));
        if let (Some(RateAt::One(_, rule)), Some(seconds)) = (rate, seconds) {
            drift.amount = rule.rate.price_of(seconds).unwrap_or_default();
        }
    }
    Some(drift)
}

impl Drift {
    fn change(&mut self, field: Field, old: String, new: String) {
        self.what.push(Change { field, old, new });
    }

    pub(super) fn has(&self, fields: &[Field]) -> bool {
        self.what
            .iter()
            .any(|change| fields.contains(&change.field))
    }

    fn compare_time(&mut self, sealed: &Statement, row: &EntryRow, now: &Work) {
        let seconds = now.entry.worked.seconds();
        if seconds != Some(row.tracked_seconds) {
            let new = seconds.map_or_else(|| "a running timer".to_owned(), hours);
            self.change(Field::Duration, hours(row.tracked_seconds), new);
        }
        let day = entry_day(&now.entry, zone(sealed));
        if day != row.date {
            self.change(Field::Day, row.date.to_string(), day.to_string());
            return;
        }
        let start = match now.entry.worked {
            Worked::Running { start } | Worked::Span { start, .. } => Some(start),
            Worked::Day { .. } => None,
        };
        if let (Some(old), Some(new)) = (row.start, start)
            && old.timestamp() != new.timestamp()
        {
            let new = new.with_timezone(&zone(sealed));
            self.change(
                Field::Start,
                old.format("%H:%M:%S%:z").to_string(),
                new.format("%H:%M:%S%:z").to_string(),
            );
        }
    }

    fn compare_words(&mut self, row: &EntryRow, now: &Work, people: &[Person]) {
        let project = project_name(&now.entry).map(str::to_owned);
        if key(row.project.as_deref()) != key(project.as_deref()) {
            self.change(
                Field::Project,
                or_none(row.project.clone()),
                or_none(project),
            );
        }
        let name = person_name(&now.entry, people);
        if !same_name(row.person.as_deref(), name.as_deref(), people) {
            self.change(Field::Person, or_none(row.person.clone()), or_none(name));
        }
        if row.description != now.entry.description {
            let [old, new] = [&row.description, &now.entry.description].map(|text| quoted(text));
            self.change(Field::Description, old, new);
        }
    }

    /// Sets the difference in time and, at the line's rate, in money. `now` is the day and the
    /// time that would be charged, if any.
    fn charge(
        &mut self,
        sealed: &Statement,
        row: &EntryRow,
        now: Option<(NaiveDate, i64)>,
        clients: &[Client],
    ) {
        let before = if row.line.is_some() {
            row.tracked_seconds
        } else {
            0
        };
        self.seconds = now.map_or(0, |now| now.1).saturating_sub(before);
        let line = sealed
            .lines
            .iter()
            .find(|line| Some(line.position) == row.line);
        if let Some(line) = line {
            self.amount = recomputed(sealed, line, row, now, clients)
                .or_else(|| line.rate.price_of(self.seconds))
                .unwrap_or_default();
        }
    }
}

/// The line's amount with the row as it is now, less the amount as sealed. `None` when the
/// contract of today does not give the sealed line from the sealed rows: then its rounding has
/// changed since and says nothing.
fn recomputed(
    sealed: &Statement,
    line: &Line,
    row: &EntryRow,
    now: Option<(NaiveDate, i64)>,
    clients: &[Client],
) -> Option<Cents> {
    let client = clients
        .iter()
        .find(|client| client.key == sealed.client_key)?;
    let contract = client
        .contracts
        .iter()
        .find(|contract| contract.key == line.contract)?;
    let rows = || rows_of(sealed, line);
    let old: Vec<_> = rows().map(|row| (row.date, row.tracked_seconds)).collect();
    if bill(&old, contract.rounding)?.line != line.billed_seconds {
        return None;
    }
    let new: Vec<_> = rows()
        .filter_map(|other| {
            if other.work == row.work {
                now
            } else {
                Some((other.date, other.tracked_seconds))
            }
        })
        .collect();
    let billed = bill(&new, contract.rounding)?.line;
    line.rate.price_of(billed)?.checked_sub(line.amount)
}

/// The contract that tells whether the mark "not billable" means something: that of the sealed
/// line, else the one that holds now.
fn contract_now<'a>(
    sealed: &Statement,
    row: &EntryRow,
    now: &Work,
    client: &'a Client,
) -> Option<&'a Contract> {
    let line = sealed
        .lines
        .iter()
        .find(|line| Some(line.position) == row.line);
    if let Some(line) = line {
        return client
            .contracts
            .iter()
            .find(|contract| contract.key == line.contract);
    }
    match contract_at(client, &now.entry) {
        ContractAt::One(contract) => Some(contract),
        ContractAt::None | ContractAt::Clash(_) => None,
    }
}

/// The zone of the statement. It was written from a zone, so it reads as one.
fn zone(sealed: &Statement) -> Tz {
    sealed.time_zone.parse().unwrap_or(Tz::UTC)
}

fn key(name: Option<&str>) -> String {
    normal(name.unwrap_or(""))
}

fn or_none(name: Option<String>) -> String {
    name.map_or_else(|| "none".to_owned(), |name| format!("\"{name}\""))
}

/// Whether two names on paper are one person, who may have got a new name in the configuration.
fn same_name(old: Option<&str>, new: Option<&str>, people: &[Person]) -> bool {
    let known = |name: &str| {
        let reference = PersonRef {
            name: Some(name.to_owned()),
            ..PersonRef::default()
        };
        person_of(&reference, people).map(|person| person.key.clone())
    };
    key(old) == key(new)
        || old
            .zip(new)
            .is_some_and(|(old, new)| known(old).is_some() && known(old) == known(new))
}

#[cfg(test)]
#[path = "drift_tests.rs"]
mod tests;
