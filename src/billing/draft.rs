//! From the works of a client and period to drafts of statements.
//!
//! A statement has one currency and one tax rate. Where the contracts of a client differ in
//! these, each combination becomes a statement of its own: adding up what cannot be added is
//! not on offer.

use std::collections::BTreeMap;

use chrono::{DateTime, Utc};
use rust_decimal::Decimal;
use stundenbuch_connectors::record::Worked;

use super::admit::{Admission, admit};
use super::carried::{Carried, charge_something};
use super::lines::{Item, Lines, lines};
use super::rounding::{rounding_words, sum};
use super::{
    CorrectedWork, EntryRow, Line, Party, SCHEMA, Statement, TaskRow, Totals, Vat, project_name,
};
use crate::config::{Client, Contract, Person};
use crate::finding::{Finding, Kind, Severity};
use crate::matching::person_name;
use crate::money::Cents;
use crate::time::{Period, day_start};
use crate::work::{Work, WorkId};

/// Everything that one client and period give.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Drafts {
    /// One for each currency and tax rate that has work, by currency and rate. Empty when no
    /// work of the period can be listed.
    pub drafts: Vec<Draft>,
    /// Why some work is in none of them.
    pub findings: Vec<Finding>,
}

/// A statement without a number, and what it is made of.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Draft {
    pub statement: Statement,
    /// The position that charges a work; a work that is only listed has none.
    pub line_of: BTreeMap<WorkId, u32>,
    /// The journal rows of the corrections that it charges.
    pub corrections: Vec<u64>,
}

/// What becomes one statement: what was worked, and what earlier statements owe.
#[derive(Debug, Default)]
struct Group<'a> {
    items: Vec<Item<'a>>,
    carried: Vec<&'a Carried>,
}

/// Computes the drafts for a client and period.
///
/// `works` are the client's; those of other days, deleted ones and running timers are left out
/// here, those in other statements by the caller. Their order does not matter, and a work given
/// twice counts once. `carried` are the client's open corrections; each is on the statement of its
/// currency and tax, whatever the period.
pub fn statements(
    client: &Client,
    period: Period,
    works: &[Work],
    carried: &[Carried],
    tasks: &dyn Fn(WorkId) -> Option<TaskRow>,
    issuer: &Party,
    people: &[Person],
) -> Drafts {
    let unique: BTreeMap<WorkId, &Work> = works.iter().map(|work| (work.id, work)).collect();
    let mut findings = Vec::new();
    let mut groups: BTreeMap<(String, Option<Decimal>), Group<'_>> = BTreeMap::new();
    for work in unique.into_values() {
        let (contract, day, rule, seconds) = match admit(client, work, people) {
            Admission::Charged {
                contract,
                day,
                rule,
                seconds,
            } => (contract, day, Some(rule), seconds),
            Admission::Listed {
                contract,
                day,
                seconds,
            } => (contract, day, None, seconds),
            Admission::Out(finding) => {
                let day = super::entry_day(&work.entry, client.time_zone);
                findings.extend(finding.filter(|_| period.contains(day)));
                continue;
            }
        };
        if period.contains(day) {
            let key = (contract.currency.clone(), contract.vat);
            groups.entry(key).or_default().items.push(Item {
                work,
                contract,
                day,
                seconds,
                rule,
                task: tasks(work.id),
            });
        }
    }
    for one in carried {
        let key = (one.currency.clone(), one.vat);
        groups.entry(key).or_default().carried.push(one);
    }
    let mut drafts = Vec::new();
    for ((currency, vat), mut group) in groups {
        group
            .items
            .sort_by_key(|item| (moment(item, client), item.work.id));
        match draft(client, period, &group, (&currency, vat), issuer, people) {
            // Corrections that come to nothing wait for a statement with something on it.
            Some(draft) if group.items.is_empty() && !charge_something(&draft.statement.lines) => {}
            Some(draft) => drafts.push(draft),
            None => findings.push(too_large(client, period, &currency)),
        }
    }
    Drafts { drafts, findings }
}

/// An entry without a time of day stands at the beginning of its day.
fn moment(item: &Item<'_>, client: &Client) -> DateTime<Utc> {
    match item.work.entry.worked {
        Worked::Running { start } | Worked::Span { start, .. } => start,
        Worked::Day { date, .. } => day_start(date, client.time_zone),
    }
}

/// `None` when a sum does not fit.
fn draft(
    client: &Client,
    period: Period,
    group: &Group<'_>,
    (currency, vat): (&str, Option<Decimal>),
    issuer: &Party,
    people: &[Person],
) -> Option<Draft> {
    let items = group.items.as_slice();
    let Lines {
        list: mut lines,
        position,
        billed,
    } = lines(client, items, people)?;
    let entries: Vec<EntryRow> = items
        .iter()
        .enumerate()
        .map(|(index, item)| row(client, item, position[index], billed[index], people))
        .collect();
    let line_of = items
        .iter()
        .zip(&position)
        .filter_map(|(item, line)| Some((item.work.id, (*line)?)))
        .collect();
    let corrections = owed(client, &group.carried, &mut lines)?;
    let tracked = corrections.iter().map(|work| work.tracked_seconds);
    let totals = totals(&lines, &entries, tracked, vat)?;
    Some(Draft {
        statement: Statement {
            schema: SCHEMA.to_owned(),
            number: None,
            sealed_at: None,
            issued_on: None,
            language: client.language,
            time_zone: client.time_zone.name().to_owned(),
            issuer: issuer.clone(),
            client: client.party.clone(),
            client_key: client.key.clone(),
            reference: client.reference.clone(),
            period,
            currency: currency.to_owned(),
            rounding: rounding(client, items),
            lines,
            entries,
            corrections,
            totals,
            notes: Vec::new(),
            ledger_head: None,
            cancels: None,
            cancelled_by: None,
        },
        line_of,
        corrections: group.carried.iter().map(|one| one.id).collect(),
    })
}

/// Adds the lines of corrections behind those of work. `None` when an amount does not fit.
fn owed(
    client: &Client,
    carried: &[&Carried],
    lines: &mut Vec<Line>,
) -> Option<Vec<CorrectedWork>> {
    let mut works = Vec::new();
    for one in carried {
        let first = u32::try_from(lines.len()).ok()?.checked_add(1)?;
        let made = one.lines(client, first)?;
        works.push(one.work(&made));
        lines.extend(made);
    }
    Some(works)
}

/// The sums over lines and entries; `owed` is the tracked time of what is corrected. `None` when
/// one does not fit.
pub(super) fn totals(
    lines: &[Line],
    entries: &[EntryRow],
    owed: impl Iterator<Item = i64>,
    vat: Option<Decimal>,
) -> Option<Totals> {
    let mut net = Cents::ZERO;
    for line in lines {
        net = net.checked_add(line.amount)?;
    }
    let vat = match vat {
        None => None,
        Some(rate) => Some(Vat {
            rate,
            amount: tax(net, rate)?,
        }),
    };
    let tracked: Vec<i64> = entries
        .iter()
        .map(|row| row.tracked_seconds)
        .chain(owed)
        .collect();
    let tracked = sum(&tracked)?;
    let of_lines = |seconds: fn(&Line) -> i64| sum(&lines.iter().map(seconds).collect::<Vec<_>>());
    Some(Totals {
        tracked_seconds: tracked,
        billed_seconds: of_lines(|line| line.billed_seconds)?,
        non_billable_seconds: tracked.checked_sub(of_lines(|line| line.tracked_seconds)?)?,
        net,
        gross: net.checked_add(vat.as_ref().map_or(Cents::ZERO, |vat| vat.amount))?,
        vat,
    })
}

/// The tax on the net sum, half away from zero.
pub(super) fn tax(net: Cents, rate: Decimal) -> Option<Cents> {
    let exact = net.to_decimal().checked_mul(rate)?;
    Cents::round(exact.checked_div(Decimal::ONE_HUNDRED)?)
}

fn row(
    client: &Client,
    item: &Item<'_>,
    line: Option<u32>,
    billed_seconds: i64,
    people: &[Person],
) -> EntryRow {
    let entry = &item.work.entry;
    let local = |instant: DateTime<Utc>| instant.with_timezone(&client.time_zone).fixed_offset();
    let (start, stop) = match entry.worked {
        Worked::Span { start, stop } => (Some(local(start)), Some(local(stop))),
        Worked::Running { .. } | Worked::Day { .. } => (None, None),
    };
    EntryRow {
        work: item.work.id.to_string(),
        line,
        date: item.day,
        start,
        stop,
        person: person_name(entry, people),
        project: project_name(entry).map(str::to_owned),
        task: item.task.clone(),
        description: entry.description.clone(),
        tracked_seconds: item.seconds,
        billed_seconds,
        billable: line.is_some(),
    }
}

/// The rounding of all contracts that appear, each named where they differ.
fn rounding(client: &Client, items: &[Item<'_>]) -> String {
    let used: Vec<&Contract> = client
        .contracts
        .iter()
        .filter(|contract| items.iter().any(|item| item.contract.key == contract.key))
        .collect();
    let words = |contract: &Contract| rounding_words(contract.rounding, client.language);
    match used.split_first() {
        None => String::new(),
        Some((first, rest)) if rest.iter().all(|other| other.rounding == first.rounding) => {
            words(first)
        }
        Some(_) => used
            .iter()
            .map(|contract| format!("{}: {}", contract.title, words(contract)))
            .collect::<Vec<_>>()
            .join("; "),
    }
}

fn too_large(client: &Client, period: Period, currency: &str) -> Finding {
    Finding {
        kind: Kind::NoContract,
        severity: Severity::Act,
        subject: format!("{}/{period}", client.key),
        other: Some(currency.to_owned()),
        client: Some(client.key.clone()),
        sentence: format!(
            "The amounts in {currency} of client `{}` for {period} are too large to be computed, \
             so nothing of them is billed.",
            client.key
        ),
        action: "Look for a mistake in the rates, the tax and the rounding of the client's \
                 contracts in the configuration."
            .to_owned(),
    }
}

#[cfg(test)]
#[path = "draft_tests.rs"]
mod tests;
