//! The entries as a table: one row for each, one for each line of a correction, and nothing else,
//! so that a pivot table adds up.
//!
//! There are two of them because they serve two readers. The one for people opens in a
//! spreadsheet of their language with a double click and cannot run a formula that somebody
//! wrote into a card's title. The one for programs changes no character (RFC 4180).

use ::csv::{Terminator, Writer, WriterBuilder};
use chrono::SecondsFormat;

use super::RenderError;
use super::duration::{Precision, hours_cell};
use super::locale::Locale;
use super::references::References;
use super::rows::{Row, rows};
use super::share::shares;
use crate::billing::{EntryRow, Language, Reference, Statement};
use crate::money::Cents;

/// Tells Excel that the file is UTF-8; without it, umlauts are broken.
const BYTE_ORDER_MARK: &[u8] = b"\xef\xbb\xbf";

const HEADER_DE: [&str; 16] = [
    "Datum",
    "Beginn",
    "Ende",
    "Person",
    "Projekt",
    "Aufgabe",
    "Link",
    "Beschreibung",
    "Berechnet",
    "Position",
    "Erfasst (h:mm)",
    "Erfasst (Std.)",
    "Abgerechnet (h:mm)",
    "Abgerechnet (Std.)",
    "Betrag (anteilig)",
    "Währung",
];
const HEADER_EN: [&str; 16] = [
    "Date",
    "Start",
    "End",
    "Person",
    "Project",
    "Task",
    "Link",
    "Description",
    "Charged",
    "Item",
    "Tracked (h:mm)",
    "Tracked (hours)",
    "Billed (h:mm)",
    "Billed (hours)",
    "Amount (share)",
    "Currency",
];

/// Part of the interface: names may be added at the end, never changed.
const HEADER_RAW: [&str; 25] = [
    "statement_number",
    "client_key",
    "period_first",
    "period_last",
    "work",
    "date",
    "start",
    "stop",
    "person",
    "project",
    "task",
    "task_url",
    "description",
    "billable",
    "line",
    "contract",
    "rate",
    "tracked_seconds",
    "billed_seconds",
    "amount_share",
    "currency",
    "language",
    "cancels",
    "cancelled_by",
    "corrects",
];

/// For Excel and LibreOffice: the separators of the language, and every foreign text inert.
pub(super) fn for_people(statement: &Statement) -> Result<Vec<u8>, RenderError> {
    let german = statement.language == Language::De;
    let rows = rows(statement);
    let precision = Precision::of(
        rows.iter()
            .flat_map(|row| [row.entry.tracked_seconds, row.entry.billed_seconds]),
    );
    let delimiter = if german { b';' } else { b',' };
    let header = if german { HEADER_DE } else { HEADER_EN };
    let locale = Locale::new(statement.language, &statement.currency);
    let references = References::new(&locale);
    let whole = references.of(statement);
    // A column that most documents leave empty is there only where it says something.
    let refers = whole.is_some() || !statement.corrections.is_empty();
    let title = if german { "Bezug" } else { "Refers to" };
    table(delimiter, BYTE_ORDER_MARK, |writer| {
        writer.write_record(header.into_iter().chain(refers.then_some(title)))?;
        for (row, share) in rows.iter().zip(shares(statement, &rows)) {
            let cells = row_for_people(&row.entry, share, &statement.currency, german, precision);
            let corrected = row.corrects.map(|work| references.corrected(work));
            let what = corrected.or_else(|| whole.clone()).unwrap_or_default();
            let what = refers.then(|| inert(&what));
            writer.write_record(cells.into_iter().chain(what))?;
        }
        Ok(())
    })
}

fn row_for_people(
    entry: &EntryRow,
    share: Cents,
    currency: &str,
    german: bool,
    precision: Precision,
) -> [String; 16] {
    let number = |plain: String| {
        if german {
            plain.replace('.', ",")
        } else {
            plain
        }
    };
    let day = if german { "%d.%m.%Y" } else { "%Y-%m-%d" };
    let time = |at: Option<chrono::DateTime<chrono::FixedOffset>>| {
        at.map(|at| at.format(&format!("{day} %H:%M:%S")).to_string())
            .unwrap_or_default()
    };
    let text = |text: Option<&str>| inert(text.unwrap_or_default());
    let charged = match (entry.billable && entry.line.is_some(), german) {
        (true, true) => "ja",
        (true, false) => "yes",
        (false, true) => "nein",
        (false, false) => "no",
    };
    let task = entry.task.as_ref();
    [
        entry.date.format(day).to_string(),
        time(entry.start),
        time(entry.stop),
        text(entry.person.as_deref()),
        text(entry.project.as_deref()),
        text(task.map(|task| task.title.as_str())),
        text(task.and_then(|task| task.url.as_deref())),
        text(Some(&entry.description)),
        charged.to_owned(),
        entry.line.map(|line| line.to_string()).unwrap_or_default(),
        precision.cell(entry.tracked_seconds),
        number(hours_cell(entry.tracked_seconds)),
        precision.cell(entry.billed_seconds),
        number(hours_cell(entry.billed_seconds)),
        number(share.to_string()),
        text(Some(currency)),
    ]
}

/// For programs: RFC 4180, ISO 8601, decimal points, and texts as they are.
pub(super) fn for_programs(statement: &Statement) -> Result<Vec<u8>, RenderError> {
    table(b',', b"", |writer| {
        writer.write_record(HEADER_RAW)?;
        let rows = rows(statement);
        for (row, share) in rows.iter().zip(shares(statement, &rows)) {
            writer.write_record(row_for_programs(statement, row, share))?;
        }
        Ok(())
    })
}

fn row_for_programs(statement: &Statement, row: &Row<'_>, share: Cents) -> [String; 25] {
    let entry = row.entry.as_ref();
    let number = |other: &Option<Reference>| {
        let other = other.as_ref();
        other.map(|other| other.number.clone()).unwrap_or_default()
    };
    let corrects = row.corrects.map(|work| match work.position {
        Some(position) => format!("{}:{position}", work.statement),
        None => work.statement.clone(),
    });
    let line = entry.line.and_then(|position| {
        statement
            .lines
            .iter()
            .find(|line| line.position == position)
    });
    let time = |at: Option<chrono::DateTime<chrono::FixedOffset>>| {
        at.map(|at| at.to_rfc3339_opts(SecondsFormat::AutoSi, false))
            .unwrap_or_default()
    };
    let task = entry.task.as_ref();
    let language = match statement.language {
        Language::De => "de",
        Language::En => "en",
    };
    [
        statement.number.clone().unwrap_or_default(),
        statement.client_key.clone(),
        statement.period.first.to_string(),
        statement.period.last.to_string(),
        entry.work.clone(),
        entry.date.to_string(),
        time(entry.start),
        time(entry.stop),
        entry.person.clone().unwrap_or_default(),
        entry.project.clone().unwrap_or_default(),
        task.map(|task| task.title.clone()).unwrap_or_default(),
        task.and_then(|task| task.url.clone()).unwrap_or_default(),
        entry.description.clone(),
        entry.billable.to_string(),
        entry.line.map(|line| line.to_string()).unwrap_or_default(),
        line.map(|line| line.contract.clone()).unwrap_or_default(),
        line.map(|line| line.rate.to_string()).unwrap_or_default(),
        entry.tracked_seconds.to_string(),
        entry.billed_seconds.to_string(),
        share.to_string(),
        statement.currency.clone(),
        language.to_owned(),
        number(&statement.cancels),
        number(&statement.cancelled_by),
        corrects.unwrap_or_default(),
    ]
}

fn table(
    delimiter: u8,
    prefix: &[u8],
    fill: impl FnOnce(&mut Writer<Vec<u8>>) -> Result<(), ::csv::Error>,
) -> Result<Vec<u8>, RenderError> {
    let mut writer = WriterBuilder::new()
        .delimiter(delimiter)
        .terminator(Terminator::CRLF)
        .from_writer(prefix.to_vec());
    fill(&mut writer).map_err(RenderError::Table)?;
    writer
        .into_inner()
        .map_err(|error| RenderError::Table(error.into_error().into()))
}

/// Foreign text that a spreadsheet would read as a formula gets an apostrophe in front, which
/// makes it a text (OWASP, "CSV Injection", read 2026-11). Our own numbers need none.
fn inert(text: &str) -> String {
    let risky = ['=', '+', '-', '@', '\t', '\r', '\n', '＝', '＋', '－', '＠'];
    if text.starts_with(risky) {
        format!("'{text}")
    } else {
        text.to_owned()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn formulas_become_texts() {
        assert_eq!(
            inert("=HYPERLINK(\"http://x\")"),
            "'=HYPERLINK(\"http://x\")"
        );
        assert_eq!(inert("-5 °C"), "'-5 °C");
        assert_eq!(inert("\t=1"), "'\t=1");
        assert_eq!(inert("a=b"), "a=b");
        assert_eq!(inert(""), "");
    }
}
