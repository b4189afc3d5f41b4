//! Computes the worked cases of `docs/billing.md`, so that the document cannot be wrong.
//!
//! A case is a fenced block of the language `case`: above `---` what was agreed and tracked,
//! below it what comes out, compared to the letter.

use std::fmt::Write;

use stundenbuch_connectors::record::Worked;

use super::{
    Carried, Drafts, Party, Rates, Recorded, Statement, TaskRow, Terms, apply, carried, drift,
    statements,
};
use crate::config::{Client, Contract, Grouping, Model, RateRule, RoundingMode, RoundingScope};
use crate::ledger::Correction;
use crate::matching::testing::{EntryBuilder, client, contract, day, rate};
use crate::time::clock_text;
use crate::work::{Work, WorkId};

#[test]
fn the_worked_cases_come_out_as_written() {
    let cases = blocks(include_str!("../../docs/billing.md"));
    assert!(cases.len() >= 12, "only {} cases", cases.len());
    for (line, case) in cases {
        let (given, wanted) = case.split_once("---\n").expect("a case has a `---`");
        assert_eq!(
            compute(given),
            wanted,
            "docs/billing.md, case in line {line}"
        );
    }
}

/// The line numbers and texts of the fenced cases.
fn blocks(document: &str) -> Vec<(usize, String)> {
    let mut blocks = Vec::new();
    let mut open: Option<(usize, String)> = None;
    for (index, line) in document.lines().enumerate() {
        match (&mut open, line) {
            (None, "```case") => open = Some((index + 1, String::new())),
            (Some(_), "```") => blocks.extend(open.take()),
            (Some((_, text)), line) => {
                text.push_str(line);
                text.push('\n');
            }
            (None, _) => {}
        }
    }
    assert_eq!(open, None, "a case is not closed");
    blocks
}

fn compute(given: &str) -> String {
    let mut acme: Client = client("acme");
    let mut works: Vec<Work> = Vec::new();
    let mut tasks = Vec::new();
    let mut changes = Vec::new();
    for line in given.lines() {
        let (what, value) = line.split_once(": ").expect("`what: value`");
        match what {
            "contract" => acme.contracts.push(agreed(value, acme.contracts.len())),
            "rate" => {
                let contract = acme
                    .contracts
                    .last_mut()
                    .expect("a contract before its rates");
                let Model::Hourly { rates } = &mut contract.model;
                rates.push(ruled(value));
            }
            "entry" => {
                let (entry, task) = tracked(value);
                tasks.push(task);
                works.push(entry.work(works.len() as u64 + 1));
            }
            "now" => changes.push(changed(value, &works)),
            other => panic!("unknown word `{other}`"),
        }
    }
    let task = |id: WorkId| {
        let title = tasks[usize::try_from(id.0).unwrap() - 1].clone()?;
        Some(TaskRow { title, url: None })
    };
    let period = "2026-10".parse().unwrap();
    let issuer = Party::default();
    let drafts = statements(&acme, period, &works, &[], &task, &issuer, &[]);
    let mut text = written(&drafts);
    if !changes.is_empty() {
        let carried: Vec<Carried> = drafts
            .drafts
            .iter()
            .flat_map(|draft| corrections(&acme, &draft.statement, &works, &changes))
            .collect();
        let period = "2026-11".parse().unwrap();
        let next = statements(&acme, period, &[], &carried, &task, &issuer, &[]);
        text.push_str("then\n");
        text.push_str(&written(&next));
    }
    text
}

/// `w1 | deleted`, or `w1 | ` and an entry.
fn changed(text: &str, works: &[Work]) -> Work {
    let (id, rest) = text.split_once(" | ").expect("a work and what it is now");
    let id = WorkId::parse(id).unwrap();
    if rest == "deleted" {
        let mut work = works[usize::try_from(id.0).unwrap() - 1].clone();
        work.deleted = true;
        return work;
    }
    tracked(rest).0.work(id.0)
}

/// Takes note of the changes one after another, as a person would who accepts them all.
fn corrections(
    client: &Client,
    draft: &Statement,
    works: &[Work],
    changes: &[Work],
) -> Vec<Carried> {
    let mut sealed = draft.clone();
    sealed.number = Some("2026-0007".to_owned());
    let clients = std::slice::from_ref(client);
    let terms = Terms {
        clients,
        people: &[],
        rates: Rates::AsBilled,
    };
    let mut state = sealed.clone();
    let mut recorded = Vec::new();
    for (id, now) in (1..).zip(changes) {
        let was = &works[usize::try_from(now.id.0).unwrap() - 1].entry;
        let found = drift(&state, now.id, was, Some(now), &terms).expect("it drifted");
        let correction = Correction {
            work: now.id,
            state: now.revision,
            changes: found.what,
            entry: found.entry,
            parts: found.parts,
        };
        apply(&mut state, &correction);
        recorded.push(Recorded {
            id,
            statement: "2026-0007".to_owned(),
            charged: None,
            correction,
        });
    }
    carried(&sealed, &recorded)
}

/// `Web development; VAT 19; 15 up per entry; by task; project Website; from …; until …`
fn agreed(text: &str, index: usize) -> Contract {
    let mut contract = contract(&format!("c{index}"));
    contract.vat = None;
    contract.model = Model::Hourly { rates: Vec::new() };
    let mut parts = text.split("; ");
    parts.next().unwrap().clone_into(&mut contract.title);
    for part in parts {
        match part.split(' ').collect::<Vec<_>>().as_slice() {
            ["VAT", rate] => contract.vat = Some(rate.parse().unwrap()),
            ["in", currency] => (*currency).clone_into(&mut contract.currency),
            ["from", date] => contract.from = day(date),
            ["until", date] => contract.until = Some(day(date)),
            ["project", name] => contract.projects.push((*name).to_owned()),
            ["flag", "ignored"] => contract.ignore_billable_flag = true,
            ["by", group] => contract.group_by = grouping(group),
            [step, mode, "per", scope] => {
                contract.rounding.step_minutes = step.parse().unwrap();
                contract.rounding.mode = match *mode {
                    "up" => RoundingMode::Up,
                    "nearest" => RoundingMode::Nearest,
                    other => panic!("unknown mode `{other}`"),
                };
                contract.rounding.per = match *scope {
                    "entry" => RoundingScope::Entry,
                    "day" => RoundingScope::Day,
                    "line" => RoundingScope::Line,
                    other => panic!("unknown scope `{other}`"),
                };
            }
            other => panic!("unknown term {other:?}"),
        }
    }
    contract
}

fn grouping(name: &str) -> Grouping {
    match name {
        "project" => Grouping::Project,
        "task" => Grouping::Task,
        "person" => Grouping::Person,
        "day" => Grouping::Day,
        "entry" => Grouping::Entry,
        other => panic!("unknown grouping `{other}`"),
    }
}

/// `65.00; person Anna; project Website; from 2026-10-15; until …`
fn ruled(text: &str) -> RateRule {
    let mut parts = text.split("; ");
    let mut rule = rate(parts.next().unwrap());
    for part in parts {
        match part.split_once(' ') {
            Some(("person", name)) => rule.person = Some(name.to_owned()),
            Some(("project", name)) => rule.project = Some(name.to_owned()),
            Some(("from", date)) => rule.from = Some(day(date)),
            Some(("until", date)) => rule.until = Some(day(date)),
            other => panic!("unknown condition {other:?}"),
        }
    }
    rule
}

/// `2026-10-14 09:00+02:00 to 2026-10-14 11:30+02:00 | Anna | Website | Concept | Card`, or
/// `2026-10-14 for 1:30 | …`; the card may be missing, and `not billable` stand at the end.
fn tracked(text: &str) -> (EntryBuilder, Option<String>) {
    let mut parts = text.split(" | ");
    let when = parts.next().unwrap();
    let worked = if let Some((date, time)) = when.split_once(" for ") {
        let (hours, minutes) = time.split_once(':').unwrap();
        let seconds = hours.parse::<i64>().unwrap() * 3600 + minutes.parse::<i64>().unwrap() * 60;
        Worked::Day {
            date: day(date),
            seconds,
        }
    } else {
        let (start, stop) = when.split_once(" to ").unwrap();
        let [start, stop] = [start, stop].map(|text| {
            let instant = chrono::DateTime::parse_from_str(text, "%Y-%m-%d %H:%M%:z");
            instant
                .unwrap_or_else(|error| panic!("{text}: {error}"))
                .to_utc()
        });
        Worked::Span { start, stop }
    };
    let mut entry = EntryBuilder::new(worked).by(parts.next().unwrap());
    entry = entry
        .project(parts.next().unwrap())
        .text(parts.next().unwrap());
    let mut task = None;
    for part in parts {
        if part == "not billable" {
            entry = entry.billable(false);
        } else {
            task = Some(part.to_owned());
        }
    }
    (entry, task)
}

fn written(drafts: &Drafts) -> String {
    let mut text = String::new();
    for draft in &drafts.drafts {
        let statement = &draft.statement;
        for line in &statement.lines {
            let hours = clock_text(line.billed_seconds);
            let (title, rate, amount) = (&line.title, line.rate, line.amount);
            writeln!(text, "{title}: {hours} h × {rate} = {amount}").unwrap();
        }
        for row in statement.entries.iter().filter(|row| row.line.is_none()) {
            let hours = clock_text(row.tracked_seconds);
            writeln!(text, "{}, without charge: {hours} h", row.description).unwrap();
        }
        let totals = &statement.totals;
        let (net, currency) = (totals.net, &statement.currency);
        match &totals.vat {
            None => writeln!(text, "net {net} {currency}").unwrap(),
            Some(vat) => writeln!(
                text,
                "net {net} + {} % VAT {} = {} {currency}",
                vat.rate, vat.amount, totals.gross
            )
            .unwrap(),
        }
    }
    for finding in &drafts.findings {
        writeln!(text, "finding {}: {}", finding.kind.name(), finding.subject).unwrap();
    }
    text
}
