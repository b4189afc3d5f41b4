//! What the demo tells: what was read, what does not add up, what was billed, where it lies.

use std::collections::BTreeMap;
use std::path::Path;

use super::super::out::{Align, Table, one_line};
use super::Demo;
use crate::finding::{Finding, Kind, Severity};
use crate::run::intake::Counts;
use crate::time::clock_text;

/// No line is longer, so that a narrow terminal does not break them.
const WIDTH: usize = 96;

pub(super) fn lines(demo: &Demo) -> Vec<String> {
    let mut lines = vec![format!(
        "A freelancer's October 2026, all of it made up, lies in {}.",
        demo.directory
    )];
    part(
        &mut lines,
        "Read in three nights, each thing once",
        read(demo),
    );
    part(&mut lines, "What does not add up", findings(&demo.findings));
    part(&mut lines, "Sealed and delivered", statements(demo));
    let left_out = demo.not_billed.len();
    if left_out > 0 {
        let entries = if left_out == 1 {
            "entry is"
        } else {
            "entries are"
        };
        lines.push(format!(
            "  {left_out} {entries} not billed, and comes again when it can be."
        ));
    }
    let pdf = |path: &&String| Path::new(path).extension().is_some_and(|end| end == "pdf");
    let pdfs = demo.documents.iter().filter(pdf);
    part(&mut lines, "The reports", pdfs.map(String::clone).collect());
    part(&mut lines, "Look further", next(demo));
    lines
}

fn part(lines: &mut Vec<String>, title: &str, inner: Vec<String>) {
    lines.push(String::new());
    lines.push(title.to_owned());
    lines.extend(inner.into_iter().map(|line| format!("  {line}")));
}

/// A line for each file that was imported.
fn read(demo: &Demo) -> Vec<String> {
    let columns = ["records", "new", "changed", "also elsewhere", "known"];
    let mut table = Table::new(&[
        ("", Align::Left),
        (columns[0], Align::Right),
        (columns[1], Align::Right),
        (columns[2], Align::Right),
        (columns[3], Align::Right),
        (columns[4], Align::Right),
    ]);
    for import in demo.nights.iter().flat_map(|night| &night.imports) {
        let Counts {
            received,
            new,
            changed,
            joined,
            rejected,
            ..
        } = import.counts;
        let known = received.saturating_sub(new + changed + rejected);
        let mut row = vec![
            import
                .file
                .split_once(':')
                .map_or("", |(_, path)| path)
                .to_owned(),
        ];
        row.extend([received, new, changed, joined, known].map(count));
        table.row(row);
    }
    table.lines()
}

/// A number; nothing for none, so that the others are seen.
fn count(number: u64) -> String {
    if number == 0 {
        String::new()
    } else {
        number.to_string()
    }
}

/// A line for each kind, the gravest first, and one of them in full.
fn findings(findings: &[Finding]) -> Vec<String> {
    let mut kinds: BTreeMap<(std::cmp::Reverse<Severity>, Kind), usize> = BTreeMap::new();
    for finding in findings {
        *kinds
            .entry((std::cmp::Reverse(finding.severity), finding.kind))
            .or_default() += 1;
    }
    let mut lines: Vec<String> = kinds
        .iter()
        .map(|((severity, kind), count)| {
            let mark = match severity.0 {
                Severity::Act => "ACT",
                Severity::Check => "check",
                Severity::Note => "note",
            };
            format!(
                "{mark:<5}  {count}  {:<22}  {}",
                kind.name(),
                meaning(*kind)
            )
        })
        .collect();
    if let Some(example) = findings
        .iter()
        .find(|finding| finding.kind == Kind::Overlap)
    {
        lines.push(one_line(&format!("       {}", example.sentence), WIDTH));
    }
    lines
}

/// What a kind is about, for those that the demo has.
fn meaning(kind: Kind) -> &'static str {
    match kind {
        Kind::EntryWithoutTask => "time that belongs to no card",
        Kind::AmbiguousTask => "time that fits two cards",
        Kind::TaskDoneWithoutTime => "a card that is done, and nobody tracked time",
        Kind::TimeOnArchivedTask => "time on a card that had been put away",
        Kind::Overlap => "one person, two entries, the same time",
        Kind::LongEntry => "a timer that was surely forgotten",
        Kind::ZeroDuration => "an entry of no length",
        Kind::NoDescription => "an entry that does not say what was done",
        Kind::NoProject => "an entry without a project: nobody pays it",
        Kind::NoClient => "work for somebody who is no client yet",
        Kind::NoContract => "work after the end of its contract",
        _ => "",
    }
}

fn statements(demo: &Demo) -> Vec<String> {
    let mut table = Table::new(&[
        ("number", Align::Left),
        ("client", Align::Left),
        ("entries", Align::Right),
        ("tracked", Align::Right),
        ("billed", Align::Right),
        ("net", Align::Right),
        ("gross", Align::Right),
    ]);
    for statement in &demo.statements {
        let totals = &statement.totals;
        table.row(vec![
            statement.number.clone().unwrap_or_default(),
            one_line(&statement.client.name, 40),
            statement.entries.len().to_string(),
            clock_text(totals.tracked_seconds),
            clock_text(totals.billed_seconds),
            totals.net.to_string(),
            format!("{} {}", totals.gross, statement.currency),
        ]);
    }
    table.lines()
}

/// What a person can do now; the first lines of the two longest commands say where.
fn next(demo: &Demo) -> Vec<String> {
    let number = demo
        .statements
        .first()
        .and_then(|it| it.number.as_deref())
        .unwrap_or_default();
    let command = format!("stundenbuch --config {}", shell(&demo.config));
    let mut lines = vec![format!(
        "{:<12}every setting with its reason",
        shell(&demo.config)
    )];
    lines = vec![format!("open {}", lines.remove(0).trim_end())];
    for (rest, what) in [
        ("findings".to_owned(), "the sentences, and what to do"),
        (
            format!("explain {number}:1"),
            "from an amount to the rows of the exports",
        ),
        ("nightly".to_owned(), "again: nothing is taken twice"),
    ] {
        lines.push(format!("{command} {rest:<20}  {what}"));
    }
    lines
}

/// A path as a shell takes it.
fn shell(path: &str) -> String {
    let plain = |c: char| c.is_alphanumeric() || "/._-".contains(c);
    if path.chars().all(plain) {
        path.to_owned()
    } else {
        format!("'{}'", path.replace('\'', "'\\''"))
    }
}
