//! Which contract holds for an entry, and which of its rates.

use chrono::NaiveDate;
use chrono_tz::Tz;
use stundenbuch_connectors::record::{TimeEntry, Worked};

use crate::config::{Client, Contract, Model, Person, RateRule};
use crate::matching::{is_by, names, normal};
use crate::time::local_day;

/// The contract that holds for an entry.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ContractAt<'a> {
    One(&'a Contract),
    None,
    /// Several hold, in the order of the configuration.
    Clash(Vec<&'a Contract>),
}

/// The rate that holds for an entry.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum RateAt<'a> {
    /// The rule that won, and its index in the contract's list.
    One(usize, &'a RateRule),
    None,
    /// Two equally specific rules give different rates. The configuration refuses what it can
    /// see of this; a person under two names may be seen only here.
    Clash(usize, usize),
}

/// The day to which an entry belongs: the local day of its start, in the client's zone.
pub fn entry_day(entry: &TimeEntry, zone: Tz) -> NaiveDate {
    match entry.worked {
        Worked::Running { start } | Worked::Span { start, .. } => local_day(start, zone),
        Worked::Day { date, .. } => date,
    }
}

/// The contract that holds on the entry's day: one that names its project, else one that names
/// none.
pub fn contract_at<'a>(client: &'a Client, entry: &TimeEntry) -> ContractAt<'a> {
    let day = entry_day(entry, client.time_zone);
    let holding = || {
        client
            .contracts
            .iter()
            .filter(move |contract| holds(Some(contract.from), contract.until, day))
    };
    let mut found: Vec<&Contract> = match project_name(entry) {
        Some(project) => holding()
            .filter(|contract| names(&contract.projects, project))
            .collect(),
        None => Vec::new(),
    };
    if found.is_empty() {
        found = holding()
            .filter(|contract| contract.projects.is_empty())
            .collect();
    }
    match found.as_slice() {
        [] => ContractAt::None,
        [only] => ContractAt::One(only),
        _ => ContractAt::Clash(found),
    }
}

/// The rate that holds for the entry on its day: the most specific rule, which is person and
/// project, then person, then project, then neither.
pub fn rate_at<'a>(
    contract: &'a Contract,
    entry: &TimeEntry,
    day: NaiveDate,
    people: &[Person],
) -> RateAt<'a> {
    let Model::Hourly { rates } = &contract.model;
    let mut best: Option<(u8, usize, &RateRule)> = None;
    let mut tie = None;
    for (index, rule) in rates.iter().enumerate() {
        let Some(specific) = specificity(rule, entry, day, people) else {
            continue;
        };
        match best {
            Some((other, _, _)) if other > specific => {}
            Some((other, first, won)) if other == specific => {
                if won.rate != rule.rate {
                    tie = Some((first, index));
                }
            }
            _ => {
                best = Some((specific, index, rule));
                tie = None;
            }
        }
    }
    match (best, tie) {
        (_, Some((first, second))) => RateAt::Clash(first, second),
        (Some((_, index, rule)), None) => RateAt::One(index, rule),
        (None, None) => RateAt::None,
    }
}

/// Why a rate, in words: `rates[1] config.toml:41: project Website, from 2026-07-01`.
pub fn rule_text(index: usize, rule: &RateRule) -> String {
    let mut parts = Vec::new();
    if let Some(person) = &rule.person {
        parts.push(format!("person {person}"));
    }
    if let Some(project) = &rule.project {
        parts.push(format!("project {project}"));
    }
    if parts.is_empty() {
        parts.push("all work".to_owned());
    }
    parts.extend(rule.from.map(|day| format!("from {day}")));
    parts.extend(rule.until.map(|day| format!("until {day}")));
    format!("rates[{index}] {}: {}", rule.origin, parts.join(", "))
}

/// How specific a rule is where it holds; `None` where it does not.
fn specificity(
    rule: &RateRule,
    entry: &TimeEntry,
    day: NaiveDate,
    people: &[Person],
) -> Option<u8> {
    if !holds(rule.from, rule.until, day) {
        return None;
    }
    let mut specific = 0;
    if let Some(person) = &rule.person {
        is_by(entry, person, people).then_some(())?;
        specific += 2;
    }
    if let Some(project) = &rule.project {
        (normal(project_name(entry)?) == normal(project)).then_some(())?;
        specific += 1;
    }
    Some(specific)
}

/// Both ends are included.
fn holds(from: Option<NaiveDate>, until: Option<NaiveDate>, day: NaiveDate) -> bool {
    from.is_none_or(|from| from <= day) && until.is_none_or(|until| day <= until)
}

/// The project's name, where it has one.
pub(crate) fn project_name(entry: &TimeEntry) -> Option<&str> {
    let name = entry.project.as_ref()?.name.as_deref()?.trim();
    (!name.is_empty()).then_some(name)
}

#[cfg(test)]
#[path = "terms_tests.rs"]
mod tests;
