//! What the demo tells: what was read, what does not add up, what was billed, where it lies.

use std::collections::BTreeMap;
use std::path::Path;

use super::super::out::{Align, Table, one_line};
use super::Demo;
use crate::finding::{Finding, Kind, Severity};
use crate::time::clock_text;

pub(super) fn lines(demo: &Demo) -> Vec<String> {
    let mut lines = vec![format!(
        "A freelancer's October 2026, {} entries for {} clients, all made up, in {}",
        demo.entries,
        demo.statements.len(),
        demo.directory
    )];
    part(
        &mut lines,
        "Read in three nights, each thing once",
        read(demo),
    );
    part(&mut lines, "What does not add up", findings(&demo.findings));
    part(&mut lines, "Sealed and delivered", statements(demo));
    let is_pdf = |path: &&String| Path::new(path).extension().is_some_and(|end| end == "pdf");
    let pdfs = demo.documents.iter().filter(is_pdf);
    part(&mut lines, "The reports", pdfs.map(String::clone).collect());
    let begin = format!(
        "Look further: stundenbuch --config {} …",
        shell(&demo.config)
    );
    part(&mut lines, &begin, next(demo));
    lines
}

fn part(lines: &mut Vec<String>, title: &str, inner: Vec<String>) {
    lines.push(String::new());
    lines.push(title.to_owned());
    lines.extend(inner.into_iter().map(|line| format!("  {line}")));
}

/// A line for each file that was imported. Work that another file had brought is not new.
fn read(demo: &Demo) -> Vec<String> {
    let mut table = Table::new(&[
        ("", Align::Left),
        ("records", Align::Right),
        ("new", Align::Right),
        ("changed", Align::Right),
        ("known", Align::Right),
    ]);
    for import in demo.nights.iter().flat_map(|night| &night.imports) {
        let counts = &import.counts;
        let new = counts.new.saturating_sub(counts.joined);
        let known = counts
            .received
            .saturating_sub(new + counts.changed + counts.rejected);
        let path = import.file.split_once(':').map_or("", |(_, path)| path);
        let mut row = vec![path.to_owned()];
        row.extend([counts.received, new, counts.changed, known].map(count));
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

/// A line for each kind, the gravest first.
fn findings(findings: &[Finding]) -> Vec<String> {
    let mut kinds: BTreeMap<(std::cmp::Reverse<Severity>, Kind), usize> = BTreeMap::new();
    for finding in findings {
        *kinds
            .entry((std::cmp::Reverse(finding.severity), finding.kind))
            .or_default() += 1;
    }
    let line = |((severity, kind), count): (&(std::cmp::Reverse<Severity>, Kind), &usize)| {
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
    };
    kinds.iter().map(line).collect()
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
    let mut lines = table.lines();
    let nobodys = [Kind::NoContract, Kind::NoClient, Kind::NoProject];
    let left_out =
        |finding: &&Finding| nobodys.contains(&finding.kind) && finding.severity > Severity::Note;
    lines.push(format!(
        "Left out: {} entries that nobody pays yet. The forgotten timer is in: correct such",
        demo.findings.iter().filter(left_out).count()
    ));
    lines.push("things in the time tracker before you seal in earnest.".to_owned());
    lines
}

/// What a person can do now.
fn next(demo: &Demo) -> Vec<String> {
    let first = demo.statements.first();
    let number = first
        .and_then(|it| it.number.as_deref())
        .unwrap_or_default();
    let explain = format!("explain {number}:1");
    [
        (
            "findings",
            "every finding as a sentence, and what to do about it",
        ),
        (
            explain.as_str(),
            "from an amount to the rows of the exports",
        ),
        (
            "ledger verify",
            "proves that nothing was changed afterwards",
        ),
        ("nightly", "once more: nothing is taken twice"),
    ]
    .map(|(command, what)| format!("… {command:<20}  {what}"))
    .to_vec()
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
