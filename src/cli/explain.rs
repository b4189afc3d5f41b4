//! `explain`: from a cent to the record as it was received, and back.

use serde::Serialize;
use serde_json::Value;
use stundenbuch_connectors::record::Stream;

use super::explain_correction::{CorrectionTrace, of_line, of_work};
use super::matches::find_work;
use super::out::one_line;
use super::{App, args};
use crate::billing::{LineExplained, Reference, explain_line};
use crate::error_text::Advised;
use crate::ledger::Event;
use crate::run::report::Exit;
use crate::store::Store;
use crate::time::clock_text;
use crate::work::{RecordKey, WorkId};

/// A piece of work with everything that hangs on it.
#[derive(Debug, Serialize)]
struct WorkTrace {
    work: String,
    /// The records that report it, the speaking one first.
    records: Vec<RecordTrace>,
    task: Option<String>,
    evidence: Option<String>,
    /// The sealed statement that lists it, and the line that charges it.
    statement: Option<String>,
    line: Option<u32>,
    /// What became of it after it was billed, in order.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    corrections: Vec<CorrectionTrace>,
    #[serde(skip)]
    currency: String,
}

/// A record with its revisions, newest first.
#[derive(Debug, Serialize)]
struct RecordTrace {
    record: String,
    revisions: Vec<RevisionTrace>,
}

/// One revision, down to what was received.
#[derive(Debug, Serialize)]
struct RevisionTrace {
    /// The row of the journal.
    row: u64,
    /// RFC 3339.
    at: String,
    content: Value,
    received: Option<u64>,
    received_sha256: String,
    received_body: Option<String>,
}

/// A line with the works under it.
#[derive(Debug, Serialize)]
struct LineTrace {
    statement: String,
    /// The row of the journal that sealed it.
    sealed_row: Option<u64>,
    line: LineExplained,
    works: Vec<WorkTrace>,
    /// What the line corrects of earlier statements.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    corrects: Vec<CorrectionTrace>,
    /// The statement that this one reverses, or that reverses it.
    #[serde(skip_serializing_if = "Option::is_none")]
    cancels: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    cancelled_by: Option<String>,
    #[serde(skip)]
    currency: String,
}

pub(super) fn run(app: &App, args: &args::Explain) -> anyhow::Result<Exit> {
    let store = app.view(args.as_of)?.store;
    let what = args.what.as_str();
    if let Some((number, position)) = what.rsplit_once(':')
        && let Ok(position) = position.parse()
        && store.statement_row(number)?.is_some()
    {
        let trace = trace_line(&store, number, position)?;
        return show(app, &trace, || line_words(&trace));
    }
    if let Some(statement) = store.statement(what)? {
        let traces = statement
            .lines
            .iter()
            .map(|line| trace_line(&store, what, line.position))
            .collect::<anyhow::Result<Vec<_>>>()?;
        return show(app, &traces, || {
            traces.iter().flat_map(line_words).collect()
        });
    }
    if let Ok(key) = store.parse_key(what)
        && let Some(revision) = store.revision_of(&key)?
    {
        if key.stream == Stream::Time
            && let Some(work) = store.work_of(&key)?
        {
            let trace = trace_work(&store, work)?;
            return show(app, &trace, || work_words(&trace, Depth::Whole));
        }
        let trace = trace_record(&store, &key, revision)?;
        return show(app, &trace, || record_words(&trace, Depth::Whole));
    }
    if let Some(held) = store
        .quarantined()?
        .into_iter()
        .find(|held| format!("{}/{}/{}", held.connection, held.raw.stream, held.raw.id) == what)
    {
        return show(app, &held.raw.body, || {
            vec![
                format!("{what} is in quarantine: {}", held.reason),
                held.raw.body.clone(),
            ]
        });
    }
    if let Some(stored) = store
        .findings(true)?
        .into_iter()
        .find(|stored| stored.id == what)
    {
        super::findings::print(app, std::slice::from_ref(&stored))?;
        if let Ok(work) = find_work(&store, &stored.finding.subject) {
            let trace = trace_work(&store, work.id)?;
            return show(app, &trace, || work_words(&trace, Depth::Whole));
        }
        return Ok(Exit::Fine);
    }
    if what.starts_with('w') {
        let trace = trace_work(&store, find_work(&store, what)?.id)?;
        return show(app, &trace, || work_words(&trace, Depth::Whole));
    }
    let hint = "name a line (2026-0007:3), a statement (2026-0007), a work (w1042), a record \
                (toggl/time/123) or a finding's id";
    Err(Advised::new(
        format!("explain `{what}`: the ledger has nothing of that name"),
        hint,
    )
    .into())
}

fn show<T: Serialize>(
    app: &App,
    trace: &T,
    words: impl FnOnce() -> Vec<String>,
) -> anyhow::Result<Exit> {
    if app.out.json {
        app.out.value(trace)?;
    } else {
        for line in words() {
            app.out.line(&line)?;
        }
    }
    Ok(Exit::Fine)
}

fn trace_line(store: &Store, number: &str, position: u32) -> anyhow::Result<LineTrace> {
    let statement = store.statement(number)?;
    let line = statement
        .as_ref()
        .and_then(|statement| explain_line(statement, position));
    let (Some(statement), Some(line)) = (statement, line) else {
        let hint = format!("`stundenbuch statement show {number}` lists its positions");
        let what = format!("explain {number}:{position}: the statement has no such position");
        return Err(Advised::new(what, hint).into());
    };
    let row = store.statement_row(number)?;
    let corrects = of_line(store, &statement, position)?;
    let entries = statement.entries.iter();
    let entries = entries.filter(|row| row.line == Some(position));
    let corrected = statement.corrections.iter();
    let corrected = corrected.filter(|work| work.lines.contains(&position));
    let corrected = corrected.map(|work| &work.work);
    let works = entries
        .map(|row| &row.work)
        .chain(corrected)
        .filter_map(|work| WorkId::parse(work))
        .map(|work| trace_billed(store, number, work))
        .collect::<anyhow::Result<_>>()?;
    let number = |other: Option<Reference>| other.map(|other| other.number);
    Ok(LineTrace {
        statement: statement.number.clone().unwrap_or_default(),
        sealed_row: row.map(|row| row.sealed),
        line,
        works,
        corrects,
        cancels: number(statement.cancels),
        cancelled_by: number(statement.cancelled_by),
        currency: statement.currency,
    })
}

fn trace_work(store: &Store, work: WorkId) -> anyhow::Result<WorkTrace> {
    let mut records = Vec::new();
    for key in store.claims(work)? {
        if let Some(revision) = store.revision_of(&key)? {
            records.push(trace_record(store, &key, revision)?);
        }
    }
    let matched = store.matched(work)?;
    let settled = store.settled(work)?;
    let (task, evidence) = matched.map_or((None, None), |(task, why)| (task, Some(why)));
    let corrections = of_work(store, work)?;
    let billed = corrections.first().map(|it| store.statement(&it.statement));
    let billed = billed.transpose()?.flatten();
    Ok(WorkTrace {
        work: work.to_string(),
        records,
        task: task.map(|task| task.to_string()),
        evidence,
        statement: settled.as_ref().map(|(number, _)| number.clone()),
        line: settled.and_then(|(_, line)| line),
        corrections,
        currency: billed.map_or_else(String::new, |billed| billed.currency),
    })
}

/// A work as a statement billed it: where its client was erased since, the state that was billed
/// is all that is left of it.
fn trace_billed(store: &Store, number: &str, work: WorkId) -> anyhow::Result<WorkTrace> {
    let mut trace = trace_work(store, work)?;
    if !trace.records.is_empty() {
        return Ok(trace);
    }
    let sealed = store.sealed(number)?;
    let billed = sealed.and_then(|sealed| {
        let mut works = sealed.works.into_iter();
        works.find(|settled| settled.work == work)
    });
    let row = billed
        .map(|billed| store.row(billed.revision))
        .transpose()?;
    if let Some(row) = row.flatten() {
        let key = store.parse_key(&row.subject)?;
        trace.records.push(trace_record(store, &key, row.seq)?);
    }
    Ok(trace)
}

fn trace_record(store: &Store, key: &RecordKey, newest: u64) -> anyhow::Result<RecordTrace> {
    let mut revisions = Vec::new();
    for row in store.history(newest)? {
        let Event::Revision(revision) = row.event()? else {
            continue;
        };
        let raw = store.raw(revision.raw.id)?;
        revisions.push(RevisionTrace {
            row: row.seq,
            at: time(row.at),
            content: serde_json::to_value(&revision.record)?,
            received: raw.as_ref().map(|raw| raw.id),
            received_sha256: revision.raw.sha256,
            received_body: raw.map(|raw| raw.body),
        });
    }
    Ok(RecordTrace {
        record: key.to_string(),
        revisions,
    })
}

fn time(at: i64) -> String {
    chrono::DateTime::from_timestamp(at, 0)
        .unwrap_or_default()
        .to_rfc3339()
}

/// How much of a record is told.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Depth {
    /// Where it is.
    Place,
    /// With what was received.
    Whole,
}

fn line_words(trace: &LineTrace) -> Vec<String> {
    let line = &trace.line;
    let row = trace
        .sealed_row
        .map_or(String::new(), |row| format!(", sealed by row {row}"));
    let mut words = vec![
        format!(
            "{} position {}: {}{row}",
            trace.statement, line.position, line.title
        ),
        format!("  contract   {}", line.contract),
        format!("  tracked    {}", clock_text(line.tracked_seconds)),
        format!("  rounding   {}", line.rounding),
        format!("  billed     {}", clock_text(line.billed_seconds)),
        format!("  rate       {}  ({})", line.rate, line.rate_rule),
    ];
    let exact = line
        .exact
        .map_or(String::new(), |exact| format!("{exact} → "));
    words.push(format!("  amount     {exact}{}", line.amount));
    let relations = [
        ("cancels", &trace.cancels),
        ("cancelled", &trace.cancelled_by),
    ];
    for (what, other) in relations {
        words.extend(other.iter().map(|number| format!("  {what:<9}  {number}")));
    }
    let corrects = trace.corrects.iter();
    words.extend(corrects.map(|it| format!("  {}", it.words(&trace.currency))));
    for (step, work) in line.entries.iter().zip(&trace.works) {
        words.push(format!(
            "  {}  {}  {:>8}  {}",
            step.work,
            step.date,
            clock_text(step.tracked_seconds),
            one_line(&step.description, 60)
        ));
        words.extend(
            work_words(work, Depth::Place)
                .into_iter()
                .skip(1)
                .map(|line| format!("    {line}")),
        );
    }
    words
}

fn work_words(trace: &WorkTrace, depth: Depth) -> Vec<String> {
    let mut words = vec![trace.work.clone()];
    for record in &trace.records {
        words.extend(
            record_words(record, depth)
                .into_iter()
                .map(|line| format!("  {line}")),
        );
    }
    if let Some(task) = &trace.task {
        let evidence = trace.evidence.as_deref().unwrap_or_default();
        words.push(format!("  task {task} (by {evidence})"));
    } else if depth == Depth::Whole {
        words.push("  no certain task".into());
    }
    if depth == Depth::Whole {
        words.push(match (&trace.statement, trace.line) {
            (Some(number), Some(line)) => format!("  charged by {number}:{line}"),
            (Some(number), None) => format!("  listed by {number}, not charged"),
            (None, _) => "  not billed yet".into(),
        });
    }
    let corrections = trace.corrections.iter();
    words.extend(corrections.map(|it| format!("  {}", it.words(&trace.currency))));
    words
}

fn record_words(trace: &RecordTrace, depth: Depth) -> Vec<String> {
    let mut words = vec![trace.record.clone()];
    for revision in &trace.revisions {
        let received = revision
            .received
            .map_or("gone".to_owned(), |id| id.to_string());
        words.push(format!(
            "  row {} of {}, received as {received} (SHA-256 {}…)",
            revision.row,
            revision.at,
            &revision.received_sha256[..12.min(revision.received_sha256.len())]
        ));
        if depth == Depth::Whole
            && let Some(body) = &revision.received_body
        {
            words.push(format!("    {}", one_line(body, 4_000)));
        }
    }
    words
}
