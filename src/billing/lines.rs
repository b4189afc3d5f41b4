//! Grouping: which entries make a line, in which order lines stand, and what they are called.

use std::collections::{BTreeMap, BTreeSet};

use chrono::NaiveDate;

use super::rounding::{bill, sum};
use super::terms::{project_name, rule_text};
use super::{Language, Line, TaskRow};
use crate::config::{Client, Contract, Grouping, Person, RateRule};
use crate::matching::{normal, person_key, person_name};
use crate::money::HourlyRate;
use crate::work::Work;

/// A piece of work that is in the statement.
#[derive(Clone, Debug)]
pub(super) struct Item<'a> {
    pub(super) work: &'a Work,
    pub(super) contract: &'a Contract,
    pub(super) day: NaiveDate,
    pub(super) seconds: i64,
    /// The rate that charges it; none when it is only listed.
    pub(super) rule: Option<(usize, &'a RateRule)>,
    pub(super) task: Option<TaskRow>,
}

/// The lines, and for each item its position and its billed time.
#[derive(Debug)]
pub(super) struct Lines {
    pub(super) list: Vec<Line>,
    pub(super) position: Vec<Option<u32>>,
    pub(super) billed: Vec<i64>,
}

/// What the items of a line have in common, in the order in which lines stand.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Key {
    /// The contract's place in the configuration.
    contract: usize,
    group: Group,
    rate: HourlyRate,
}

#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Group {
    Day(NaiveDate),
    /// The item's place in time.
    Entry(usize),
    /// A normalised name, and the address that tells tasks of one title apart.
    Named(String, Option<String>),
    /// What has no project, task or person comes last.
    Rest,
}

/// Makes the lines of items that are in order of time. `None` when a sum does not fit.
pub(super) fn lines(client: &Client, items: &[Item<'_>], people: &[Person]) -> Option<Lines> {
    let mut groups: BTreeMap<Key, Vec<usize>> = BTreeMap::new();
    for (index, item) in items.iter().enumerate() {
        let Some((_, rule)) = item.rule else {
            continue;
        };
        let place = |other: &Contract| other.key == item.contract.key;
        let key = Key {
            contract: client.contracts.iter().position(place)?,
            group: group(index, item, people),
            rate: rule.rate,
        };
        groups.entry(key).or_default().push(index);
    }
    // A contract whose lines are all without a project needs no word for the rest.
    let split: BTreeSet<usize> = groups
        .keys()
        .filter(|key| key.group != Group::Rest)
        .map(|key| key.contract)
        .collect();
    let mut since = Vec::new();
    let mut made = Lines {
        list: Vec::new(),
        position: vec![None; items.len()],
        billed: vec![0; items.len()],
    };
    for (key, indices) in &groups {
        let first = &items[*indices.first()?];
        let entries: Vec<_> = indices
            .iter()
            .map(|i| (items[*i].day, items[*i].seconds))
            .collect();
        let billed = bill(&entries, first.contract.rounding)?;
        let position = u32::try_from(made.list.len()).ok()?.checked_add(1)?;
        for (index, seconds) in indices.iter().zip(billed.rows) {
            made.position[*index] = Some(position);
            made.billed[*index] = seconds;
        }
        let label = label(
            client.language,
            key,
            first,
            people,
            split.contains(&key.contract),
        );
        made.list.push(Line {
            position,
            contract: first.contract.key.clone(),
            title: title(first.contract, label),
            tracked_seconds: sum(&entries.iter().map(|entry| entry.1).collect::<Vec<_>>())?,
            billed_seconds: billed.line,
            rate: key.rate,
            amount: key.rate.price_of(billed.line)?,
            rate_rule: rules(items, indices),
        });
        since.push(indices.iter().filter_map(|i| items[*i].rule?.1.from).min());
    }
    tell_apart(&mut made.list, &since, client.language);
    Some(made)
}

/// Lines that differ in nothing but their rate say from when theirs holds.
fn tell_apart(lines: &mut [Line], since: &[Option<NaiveDate>], language: Language) {
    let mut titles: BTreeMap<(String, String), usize> = BTreeMap::new();
    for line in lines.iter() {
        *titles
            .entry((line.contract.clone(), line.title.clone()))
            .or_default() += 1;
    }
    for (line, since) in lines.iter_mut().zip(since) {
        let alike = titles[&(line.contract.clone(), line.title.clone())] > 1;
        if let (true, Some(day)) = (alike, since) {
            let word = match language {
                Language::De => "ab",
                Language::En => "from",
            };
            line.title = format!("{} ({word} {})", line.title, date(*day, language));
        }
    }
}

/// A day within a title.
pub(super) fn date(day: NaiveDate, language: Language) -> String {
    match language {
        Language::De => day.format("%d.%m.%Y").to_string(),
        Language::En => day.format("%Y-%m-%d").to_string(),
    }
}

fn group(index: usize, item: &Item<'_>, people: &[Person]) -> Group {
    let named = |name: Option<String>| name.map_or(Group::Rest, |name| Group::Named(name, None));
    match item.contract.group_by {
        Grouping::Day => Group::Day(item.day),
        Grouping::Entry => Group::Entry(index),
        Grouping::Project => named(project_name(&item.work.entry).map(normal)),
        Grouping::Person => named(person_key(&item.work.entry, people)),
        Grouping::Task => match &item.task {
            Some(task) => Group::Named(normal(&task.title), task.url.clone()),
            None => Group::Rest,
        },
    }
}

/// What distinguishes the line within its contract, in the client's language.
fn label(
    language: Language,
    key: &Key,
    item: &Item<'_>,
    people: &[Person],
    split: bool,
) -> Option<String> {
    let date = |day: NaiveDate| date(day, language);
    let rest = || {
        let words = match language {
            Language::De => "weitere Leistungen",
            Language::En => "other services",
        };
        split.then(|| words.to_owned())
    };
    match key.group {
        Group::Rest => rest(),
        Group::Day(day) => Some(date(day)),
        Group::Entry(_) => {
            let text = item.work.entry.description.split_whitespace();
            let text = text.collect::<Vec<_>>().join(" ");
            Some(if text.is_empty() {
                date(item.day)
            } else {
                format!("{}: {text}", date(item.day))
            })
        }
        Group::Named(..) => match item.contract.group_by {
            Grouping::Person => person_name(&item.work.entry, people).or_else(rest),
            Grouping::Task => item.task.as_ref().map(|task| task.title.trim().to_owned()),
            _ => project_name(&item.work.entry).map(str::to_owned),
        },
    }
}

/// The contract's title and the label, unless they say the same.
fn title(contract: &Contract, label: Option<String>) -> String {
    let name = contract.title.trim();
    let name = if name.is_empty() { &contract.key } else { name };
    match label {
        Some(label) if normal(&label) == normal(name) => label,
        Some(label) => format!("{name} – {label}"),
        None => name.to_owned(),
    }
}

/// The rules that gave the line its rate, in the order of the configuration.
fn rules(items: &[Item<'_>], indices: &[usize]) -> String {
    let rules: BTreeMap<usize, &RateRule> = indices.iter().filter_map(|i| items[*i].rule).collect();
    let texts: Vec<String> = rules
        .into_iter()
        .map(|(index, rule)| rule_text(index, rule))
        .collect();
    texts.join("; ")
}
