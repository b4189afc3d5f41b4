//! Drift: what was sealed, and what the source says by now.
//!
//! A sealed statement does not change. When its work does, the difference becomes a finding and,
//! by a person's decision, a correction on the client's next statement.

use chrono_tz::Tz;
use serde::{Deserialize, Serialize};
use stundenbuch_connectors::record::{PersonRef, TimeEntry, Worked};

use super::attribute::attribute;
use super::difference::{Goes, difference};
use super::terms::{entry_day, project_name};
use super::{EntryRow, Line, Statement};
use crate::config::{Client, Person};
use crate::ledger::CorrectionPart;
use crate::matching::{normal, person_name, person_of};
use crate::money::Cents;
use crate::reconcile::words::{hours, quoted};
use crate::work::{Work, WorkId};

/// What differs between a billed row and its work now.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Drift {
    pub work: WorkId,
    /// The number of the sealed statement.
    pub statement: String,
    /// Never empty.
    pub what: Vec<Change>,
    /// The row as it would be now; none where the client is not charged for the work any more.
    pub entry: Option<EntryRow>,
    /// The difference, one part for each rate that takes part; empty when only words changed.
    pub parts: Vec<CorrectionPart>,
    /// The work is charged in another currency or with another tax by now, so no line of this
    /// client's statements can hold the difference: only cancelling makes it right.
    pub cancel_only: bool,
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
    /// Whether it is charged.
    Billable,
    Description,
    Tags,
    Contract,
    /// The price of an hour.
    Rate,
}

impl Field {
    /// The name in sentences.
    pub fn as_str(self) -> &'static str {
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
            Self::Tags => "tags",
            Self::Contract => "contract",
            Self::Rate => "rate",
        }
    }
}

/// What a work is compared under.
#[derive(Clone, Copy, Debug)]
pub struct Terms<'a> {
    pub clients: &'a [Client],
    pub people: &'a [Person],
    pub rates: Rates,
}

/// Which rate is right where the work is the same and only the configuration gives another one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Rates {
    /// The one that was billed.
    AsBilled,
    /// The one that the configuration gives now.
    OfNow,
}

/// Compares a work with its row in a sealed statement, or in one that corrections were applied
/// to ([`super::corrected`]). `was` is the work as it stood when that row was made, `now` is
/// `None` when the ledger has it no longer. `None` when nothing differs, or when the statement
/// has no such row.
pub fn drift(
    billed: &Statement,
    work: WorkId,
    was: &TimeEntry,
    now: Option<&Work>,
    terms: &Terms<'_>,
) -> Option<Drift> {
    let id = work.to_string();
    let row = billed.entries.iter().find(|row| row.work == id)?;
    let mut what = Changes(Vec::new());
    let now = now.filter(|now| !now.deleted).map(|now| &now.entry);
    let leaves = match now {
        None => {
            let old = hours(row.tracked_seconds);
            what.add(Field::Deleted, old, "deleted".to_owned());
            true
        }
        Some(now) => what.client(billed, was, now, terms.clients),
    };
    let goes = match now.filter(|_| !leaves) {
        None => Goes::Away,
        Some(now) => {
            what.time(billed, row, now);
            what.words(row, was, now, terms.people);
            Goes::of(billed, row, was, now, terms)
        }
    };
    what.place(billed, row, &goes);
    if what.0.is_empty() {
        return None;
    }
    let made = difference(billed, row, &goes, terms.clients);
    let entry = made.place.zip(now).map(|(place, now)| EntryRow {
        line: place.line,
        billable: place.line.is_some(),
        billed_seconds: place.billed_seconds,
        ..row_now(billed, row, now, terms.people)
    });
    Some(Drift {
        work,
        statement: billed.number.clone().unwrap_or_default(),
        what: what.0,
        entry,
        parts: made.parts,
        cancel_only: matches!(goes, Goes::Elsewhere),
    })
}

impl Drift {
    /// The difference in time that is charged, as tracked, in seconds.
    pub fn seconds(&self) -> i64 {
        let parts = self.parts.iter();
        parts.fold(0, |sum: i64, part| sum.saturating_add(part.tracked_seconds))
    }

    /// The difference in money.
    pub fn amount(&self) -> Cents {
        let mut parts = self.parts.iter().map(|part| part.amount);
        parts
            .try_fold(Cents::ZERO, Cents::checked_add)
            .unwrap_or_default()
    }

    pub(super) fn has(&self, fields: &[Field]) -> bool {
        self.what
            .iter()
            .any(|change| fields.contains(&change.field))
    }
}

/// The row with what the entry says now. The task stays: it was not billed, it is the program's
/// own doing.
fn row_now(billed: &Statement, row: &EntryRow, now: &TimeEntry, people: &[Person]) -> EntryRow {
    let zone = zone(billed);
    let local = |at: chrono::DateTime<chrono::Utc>| at.with_timezone(&zone).fixed_offset();
    let (start, stop) = match now.worked {
        Worked::Span { start, stop } => (Some(local(start)), Some(local(stop))),
        Worked::Running { .. } | Worked::Day { .. } => (None, None),
    };
    EntryRow {
        date: entry_day(now, zone),
        start,
        stop,
        person: person_name(now, people),
        project: project_name(now).map(str::to_owned),
        description: now.description.clone(),
        tracked_seconds: now.worked.seconds().unwrap_or(0),
        ..row.clone()
    }
}

/// What changed, found piece by piece.
struct Changes(Vec<Change>);

impl Changes {
    fn add(&mut self, field: Field, old: String, new: String) {
        self.0.push(Change { field, old, new });
    }

    /// Whether the work went to another client. Where the configuration alone would put it
    /// there, it stays with the client to whom it was billed.
    fn client(
        &mut self,
        billed: &Statement,
        was: &TimeEntry,
        now: &TimeEntry,
        clients: &[Client],
    ) -> bool {
        let owner = attribute(now, clients);
        if owner.client() == Some(&billed.client_key) || owner == attribute(was, clients) {
            return false;
        }
        let new = owner.client().unwrap_or("no single client").to_owned();
        self.add(Field::Client, billed.client_key.clone(), new);
        true
    }

    fn time(&mut self, billed: &Statement, row: &EntryRow, now: &TimeEntry) {
        let seconds = now.worked.seconds();
        if seconds != Some(row.tracked_seconds) {
            let new = seconds.map_or_else(|| "a running timer".to_owned(), hours);
            self.add(Field::Duration, hours(row.tracked_seconds), new);
        }
        let day = entry_day(now, zone(billed));
        if day != row.date {
            self.add(Field::Day, row.date.to_string(), day.to_string());
            return;
        }
        let start = match now.worked {
            Worked::Running { start } | Worked::Span { start, .. } => Some(start),
            Worked::Day { .. } => None,
        };
        if let (Some(old), Some(new)) = (row.start, start)
            && old.timestamp() != new.timestamp()
        {
            let new = new.with_timezone(&zone(billed));
            self.add(
                Field::Start,
                old.format("%H:%M:%S%:z").to_string(),
                new.format("%H:%M:%S%:z").to_string(),
            );
        }
    }

    fn words(&mut self, row: &EntryRow, was: &TimeEntry, now: &TimeEntry, people: &[Person]) {
        let project = project_name(now).map(str::to_owned);
        if key(row.project.as_deref()) != key(project.as_deref()) {
            self.add(
                Field::Project,
                or_none(row.project.clone()),
                or_none(project),
            );
        }
        let name = person_name(now, people);
        if !same_name(row.person.as_deref(), name.as_deref(), people) {
            self.add(Field::Person, or_none(row.person.clone()), or_none(name));
        }
        if row.description != now.description {
            let [old, new] = [&row.description, &now.description].map(|text| quoted(text));
            self.add(Field::Description, old, new);
        }
        if was.tags != now.tags {
            let [old, new] = [was, now].map(|entry| {
                let tags = entry.tags.join(", ");
                or_none(Some(tags).filter(|tags| !tags.is_empty()))
            });
            self.add(Field::Tags, old, new);
        }
    }

    /// What the changes above do to the charge: whether there is one, under which contract, and
    /// at which rate.
    fn place(&mut self, billed: &Statement, row: &EntryRow, goes: &Goes<'_>) {
        let old = line_of(billed, row);
        match (old, goes) {
            (Some(line), Goes::Nowhere) => {
                self.add(Field::Contract, line.contract.clone(), "none".to_owned());
            }
            (_, Goes::Elsewhere) => self.add(
                Field::Contract,
                old.map_or("none", |line| &line.contract).to_owned(),
                "one with another currency or tax".to_owned(),
            ),
            // An entry of no time is not charged, which says nothing about its mark.
            (Some(_), Goes::Listed(time)) if row.tracked_seconds > 0 && time.seconds > 0 => {
                self.add(Field::Billable, "yes".to_owned(), "no".to_owned());
            }
            (None, Goes::Charged(..)) if row.tracked_seconds > 0 => {
                self.add(Field::Billable, "no".to_owned(), "yes".to_owned());
            }
            (Some(line), Goes::Charged(place, ..)) => {
                if line.contract != place.contract {
                    self.add(
                        Field::Contract,
                        line.contract.clone(),
                        place.contract.to_owned(),
                    );
                }
                if line.rate != place.rate {
                    self.add(Field::Rate, line.rate.to_string(), place.rate.to_string());
                }
            }
            // A deletion, a move to another client or an impossible time says it all.
            _ => {}
        }
    }
}

/// The line that charges a row.
pub(super) fn line_of<'a>(billed: &'a Statement, row: &EntryRow) -> Option<&'a Line> {
    billed
        .lines
        .iter()
        .find(|line| Some(line.position) == row.line)
}

/// The zone of the statement. It was written from a zone, so it reads as one.
pub(super) fn zone(billed: &Statement) -> Tz {
    billed.time_zone.parse().unwrap_or(Tz::UTC)
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
