//! P5: a change of what was billed is told once, with its seconds and cents, and none is invented.

use std::collections::BTreeMap;

use serde_json::Value;

use super::bills::{Listing, rows};
use super::money::{billed, price};
use super::{Checked, hold};
use crate::calendar::{day_text, local_day};
use crate::ledger::{Ledger, Open, Sealed, spot};
use crate::plan::Terms;

const KINDS: [&str; 2] = ["billed-entry-changed", "billed-entry-deleted"];

/// What should be told of an entry: the kind, and the difference in seconds and cents.
type Told = (&'static str, i64, i64);

/// Holds the open findings to what has changed since each statement was sealed.
pub(crate) fn is_told(
    ledger: &Ledger,
    terms: &dyn Fn(&Sealed) -> (Terms, &'static str),
) -> Checked {
    let mut found: BTreeMap<&str, Vec<&Open>> = BTreeMap::new();
    for open in ledger.told(&KINDS) {
        found.entry(&open.subject).or_default().push(open);
    }
    for sealed in &ledger.sealed {
        let (terms, client) = terms(sealed);
        let all = rows(&sealed.body["statement"]);
        for row in &all {
            let wanted = expected(ledger, sealed, row, &terms, client);
            let open = found.remove(row.work.as_str()).unwrap_or_default();
            let told: Vec<Option<Told>> = open.iter().map(|open| read(open)).collect();
            let right = match (&wanted, told.as_slice()) {
                (None, []) => true,
                (Some(wanted), [Some(told)]) => wanted == told,
                _ => false,
            };
            hold("P5", right, || {
                let sentences: Vec<_> = open.iter().map(|open| &open.sentence).collect();
                format!(
                    "{} of {} in {}: should be told as {wanted:?}, and is as {told:?}: \
                     {sentences:?}",
                    row.work,
                    day_text(row.day),
                    sealed.number
                )
            })?;
        }
    }
    hold("P5", found.is_empty(), || {
        format!("changes are invented: {found:?}")
    })
}

fn expected(
    ledger: &Ledger,
    sealed: &Sealed,
    row: &Listing,
    terms: &Terms,
    client: &str,
) -> Option<Told> {
    let all = &rows(&sealed.body["statement"]);
    let (_, current) = ledger.work(&row.work).expect("what was billed was there");
    let now = spot(&current.record);
    let theirs = now.client.as_deref() == Some(client);
    if current.deleted || !theirs {
        let kind = if current.deleted { KINDS[1] } else { KINDS[0] };
        let (seconds, cents) = difference(all, row, None, None, terms);
        return Some((kind, seconds, cents));
    }
    let charged = now.billable;
    let same = now.seconds() == Some(row.seconds)
        && now.start == row.start
        && now.text == row.text
        && now.project == row.project
        && now.tags == tags_before(ledger, sealed, &row.work)
        && (row.seconds == 0 || charged == row.line.is_some());
    if same {
        return None;
    }
    let counts = now.seconds().filter(|seconds| charged && *seconds > 0);
    let counts = counts.map(|seconds| (local_day(now.start), seconds));
    let (seconds, cents) = difference(all, row, counts, now.project.as_deref(), terms);
    Some((KINDS[0], seconds, cents))
}

/// The difference that a row makes when it is charged as `now` says, if at all.
fn difference(
    all: &[Listing],
    row: &Listing,
    now: Option<(i64, i64)>,
    project: Option<&str>,
    terms: &Terms,
) -> (i64, i64) {
    // What was listed without charge joins a line: one of its project, else the first.
    let line = row.line.or_else(|| joins(all, project));
    let mine: Vec<&Listing> = all
        .iter()
        .filter(|other| line.is_some() && other.line == line)
        .collect();
    let before: Vec<_> = mine.iter().map(|row| (row.day, row.seconds)).collect();
    let others = mine.iter().filter(|other| other.work != row.work);
    let after: Vec<_> = others
        .map(|row| (row.day, row.seconds))
        .chain(now)
        .collect();
    let amount = |entries: &[(i64, i64)]| price(terms.rate, billed(entries, terms));
    let charged = row.line.map_or(0, |_| row.seconds);
    let worked = now.map_or(0, |now| now.1);
    if row.line.is_none() && now.is_none() {
        return (0, 0);
    }
    (worked - charged, amount(&after) - amount(&before))
}

fn joins(all: &[Listing], project: Option<&str>) -> Option<i64> {
    let of_project = all.iter().filter(|row| row.project.as_deref() == project);
    let lines = |rows: &mut dyn Iterator<Item = &Listing>| rows.filter_map(|row| row.line).min();
    lines(&mut of_project.into_iter()).or_else(|| lines(&mut all.iter()))
}

/// The tags of a work when it was billed: the statement names the row that it was read from.
fn tags_before(ledger: &Ledger, sealed: &Sealed, work: &str) -> Vec<String> {
    let works = sealed.body["works"].as_array().unwrap();
    let found = works.iter().find(|it| format!("w{}", it["work"]) == work);
    let revision = found.and_then(|it| it["revision"].as_i64()).unwrap();
    let row = ledger.rows.iter().find(|row| row.seq == revision).unwrap();
    let payload: Value = serde_json::from_str(&row.payload).unwrap();
    spot(&payload["record"]).tags
}

/// What a finding says: `…: −0:30 h, −29.50 EUR.`
fn read(open: &Open) -> Option<Told> {
    let kind = KINDS.into_iter().find(|kind| *kind == open.kind)?;
    let (_, difference) = open.sentence.trim_end_matches('.').rsplit_once(": ")?;
    if difference == "time and money stay the same" {
        return Some((kind, 0, 0));
    }
    let (hours, money) = difference.split_once(", ")?;
    let hours = signed(hours.strip_suffix(" h")?, |text| {
        let mut parts = text.split(':').map(|part| part.parse::<i64>().ok());
        let (hours, minutes) = (parts.next()??, parts.next()??);
        let seconds = parts.next().map_or(Some(0), |seconds| seconds)?;
        Some(hours * 3600 + minutes * 60 + seconds)
    })?;
    let cents = signed(money.strip_suffix(" EUR")?, |text| {
        let (euros, cents) = text.split_once('.')?;
        Some(euros.parse::<i64>().ok()? * 100 + cents.parse::<i64>().ok()?)
    })?;
    Some((kind, hours, cents))
}

fn signed(text: &str, read: impl Fn(&str) -> Option<i64>) -> Option<i64> {
    if let Some(text) = text.strip_prefix('−') {
        return Some(-read(text)?);
    }
    read(text.strip_prefix('+')?)
}

/// The key of the client that a statement is for.
pub(crate) fn client_key(sealed: &Sealed) -> &str {
    let key: &Value = &sealed.body["statement"]["client_key"];
    key.as_str().expect("a statement names its client")
}
