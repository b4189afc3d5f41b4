//! P1, P2 and P7 of statements: what they list, how it adds up, and that nothing is in two.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;

use super::money::{billed, price, tax};
use super::{Checked, hold};
use crate::calendar::{day_text, local_day, parse_day, parse_instant};
use crate::ledger::{Ledger, Sealed, spot};
use crate::plan::Terms;

/// What is sealed over a span of days, by work: its day, its seconds, and whether it is charged.
type Listed = BTreeMap<String, (i64, i64, bool)>;

/// The days that a statement is about, and the name of the client at the source.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Asked {
    pub(crate) first: i64,
    pub(crate) last: i64,
    pub(crate) client: &'static str,
}

/// What must be in a statement that is sealed now, in whichever statements there are already.
pub(crate) fn open_work(ledger: &Ledger, asked: Asked, sealed: &[Sealed]) -> Listed {
    let settled = works(sealed);
    let there = ledger.current.iter().filter(|(_, it)| !it.deleted);
    let mut listed = Listed::new();
    for (_, current) in there.filter(|(key, _)| key.starts_with("toggl/time/")) {
        let (name, spot) = (format!("w{}", current.first), spot(&current.record));
        let day = local_day(spot.start);
        let of_client = spot.client.as_deref() == Some(asked.client);
        let (true, Some(seconds)) = (of_client, spot.seconds()) else {
            continue;
        };
        if (asked.first..=asked.last).contains(&day) && !settled.contains(&name) {
            listed.insert(name, (day, seconds, spot.billable && seconds > 0));
        }
    }
    listed
}

/// A statement lists what was open, and nothing else.
pub(crate) fn lists(sealed: &Sealed, expected: &Listed) -> Checked {
    let rows = rows(&sealed.body["statement"]);
    let found: Listed = rows
        .iter()
        .map(|row| (row.work.clone(), (row.day, row.seconds, row.line.is_some())))
        .collect();
    let names: BTreeSet<&String> = found.keys().chain(expected.keys()).collect();
    for name in names {
        let (wanted, found) = (expected.get(name), found.get(name));
        hold("P2", wanted == found, || {
            let told = |it: Option<&(i64, i64, bool)>| {
                it.map(|(day, seconds, charged)| (day_text(*day), *seconds, *charged))
            };
            let (wanted, found) = (told(wanted), told(found));
            format!(
                "{name} in {}: should be {wanted:?}, is {found:?}",
                sealed.number
            )
        })?;
    }
    hold("P1", rows.len() == found.len(), || {
        format!("{} lists an entry twice", sealed.number)
    })
}

/// A row of a statement.
#[derive(Clone, Debug)]
pub(crate) struct Listing {
    pub(crate) work: String,
    pub(crate) line: Option<i64>,
    pub(crate) day: i64,
    pub(crate) start: i64,
    pub(crate) seconds: i64,
    pub(crate) text: String,
    pub(crate) project: Option<String>,
    task: Value,
    person: Value,
}

pub(crate) fn rows(statement: &Value) -> Vec<Listing> {
    let rows = statement["entries"].as_array().unwrap().iter();
    let listing = |row: &Value| Listing {
        work: row["work"].as_str().unwrap().to_owned(),
        line: row["line"].as_i64(),
        day: parse_day(row["date"].as_str().unwrap()),
        start: parse_instant(row["start"].as_str().unwrap()),
        seconds: row["tracked_seconds"].as_i64().unwrap(),
        text: row["description"].as_str().unwrap().to_owned(),
        project: row["project"].as_str().map(str::to_owned),
        task: row["task"].clone(),
        person: row["person"].clone(),
    };
    rows.map(listing).collect()
}

/// Lines come from the rows, amounts from the lines, and totals from the amounts.
pub(crate) fn adds_up(sealed: &Sealed, terms: &Terms) -> Checked {
    let statement = &sealed.body["statement"];
    let number = |value: &Value| value.as_i64().unwrap_or(i64::MIN);
    let rows = rows(statement);
    let lines = statement["lines"].as_array().unwrap();
    let (mut net, mut time) = (0, 0);
    for line in lines {
        let position = number(&line["position"]);
        let mine: Vec<(i64, i64)> = rows
            .iter()
            .filter(|row| row.line == Some(position))
            .map(|row| (row.day, row.seconds))
            .collect();
        let tracked: i64 = mine.iter().map(|row| row.1).sum();
        let seconds = billed(&mine, terms);
        let amount = price(terms.rate, seconds);
        let found = (
            number(&line["tracked_seconds"]),
            number(&line["billed_seconds"]),
            number(&line["amount"]),
        );
        hold("P2", found == (tracked, seconds, amount), || {
            format!(
                "line {position} of {} should have {tracked} s, charge {seconds} s and {amount} \
                 cents; it says {found:?}",
                sealed.number
            )
        })?;
        net += amount;
        time += seconds;
    }
    let all: i64 = rows.iter().map(|row| row.seconds).sum();
    let free: i64 = rows
        .iter()
        .filter(|row| row.line.is_none())
        .map(|row| row.seconds)
        .sum();
    let vat = terms.vat.map(|percent| tax(net, percent));
    let totals = &statement["totals"];
    let found = (
        number(&totals["tracked_seconds"]),
        number(&totals["billed_seconds"]),
        number(&totals["non_billable_seconds"]),
        number(&totals["net"]),
        totals["vat"]["amount"].as_i64(),
        number(&totals["gross"]),
    );
    let wanted = (all, time, free, net, vat, net + vat.unwrap_or(0));
    hold("P2", found == wanted, || {
        format!(
            "the totals of {} should be {wanted:?} and are {found:?}",
            sealed.number
        )
    })?;
    grouped(sealed, &rows, terms)
}

/// What belongs together is one line, and nothing else is.
fn grouped(sealed: &Sealed, rows: &[Listing], terms: &Terms) -> Checked {
    let key = |row: &Listing| match terms.group {
        "day" => day_text(row.day),
        "entry" => row.work.clone(),
        "project" => row.project.clone().unwrap_or_default(),
        "task" => row.task.to_string(),
        _ => row.person.to_string(),
    };
    let charged = rows.iter().filter_map(|row| Some((row.line?, key(row))));
    let pairs: BTreeSet<(i64, String)> = charged.collect();
    let lines: BTreeSet<i64> = pairs.iter().map(|pair| pair.0).collect();
    let keys: BTreeSet<&String> = pairs.iter().map(|pair| &pair.1).collect();
    let one_to_one = lines.len() == pairs.len() && keys.len() == pairs.len();
    hold("P2", one_to_one, || {
        format!(
            "the lines of {} by {} are {pairs:?}",
            sealed.number, terms.group
        )
    })
}

/// No work is settled twice, and the numbers have no gap.
pub(crate) fn once(ledger: &Ledger) -> Checked {
    let listed: usize = ledger.sealed.iter().map(|it| settles(it).len()).sum();
    let settled = works(&ledger.sealed);
    hold("P1", listed == settled.len(), || {
        "an entry is billed twice".to_owned()
    })?;
    let mut series: BTreeMap<String, i64> = BTreeMap::new();
    for sealed in &ledger.sealed {
        let count = series.entry(sealed.body["series"].to_string()).or_default();
        *count += 1;
        let running = sealed.body["running"].as_i64();
        hold("P5", running == Some(*count), || {
            format!(
                "{} is number {running:?} and should be {count}",
                sealed.number
            )
        })?;
    }
    Ok(())
}

fn works(sealed: &[Sealed]) -> BTreeSet<String> {
    sealed.iter().flat_map(settles).collect()
}

/// The works that a statement settles.
fn settles(sealed: &Sealed) -> Vec<String> {
    let works = sealed.body["works"].as_array().unwrap().iter();
    works.map(|work| format!("w{}", work["work"])).collect()
}
