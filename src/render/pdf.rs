//! The time report as PDF: a Typst template, laid out in process.
//!
//! The same statement gives the same bytes: fonts, date and identifier come from the program
//! and the statement, nothing from the machine.

use std::fmt;
use std::thread;

use chrono::{Datelike, NaiveDateTime, NaiveTime, Timelike};
use typst::WorldExt;
use typst::diag::{Severity, SourceDiagnostic, Warned};
use typst::ecow::EcoVec;
use typst::foundations::{Datetime, Smart};
use typst::syntax::DiagSpan;
use typst::{World, comemo};
use typst_layout::PagedDocument;
use typst_pdf::{PdfOptions, PdfStandard, PdfStandards, Timestamp};

use super::RenderError;
use super::view::View;
use super::world::{ReportWorld, TEMPLATE_NAME};
use crate::billing::Statement;

/// The layout that is used when there is no other.
pub const BUILT_IN_TEMPLATE: &str = include_str!("../../config/templates/report.typ");

/// Typst lays out nested content recursively, and unoptimised builds need much stack for it.
const STACK: usize = 16 * 1024 * 1024;

/// One thing that is wrong with a template, where it stands, and what Typst advises.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TemplateProblem {
    pub file: String,
    /// Line and column, from 1; none for what belongs to no place.
    pub at: Option<(usize, usize)>,
    pub message: String,
    pub hints: Vec<String>,
}

impl fmt::Display for TemplateProblem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.file)?;
        if let Some((line, column)) = self.at {
            write!(f, ":{line}:{column}")?;
        }
        write!(f, ": {}", self.message)?;
        for hint in &self.hints {
            write!(f, " (hint: {hint})")?;
        }
        Ok(())
    }
}

/// Lays out on a thread of its own: it needs a deep stack, and should Typst ever panic, the
/// document fails and not the daemon.
pub(super) fn pdf(statement: &Statement, template: Option<&str>) -> Result<Vec<u8>, RenderError> {
    let template = template.unwrap_or(BUILT_IN_TEMPLATE);
    let data = serde_json::to_vec(&View::of(statement)).map_err(RenderError::Data)?;
    let number = statement.number.as_deref().unwrap_or("draft");
    let ident = format!("{}/{}/{number}", statement.client_key, statement.period);
    lay_out(template, data, ident, document_date(statement))
}

/// Any template with its data, under a name that is the document's own, at a moment.
pub(super) fn lay_out(
    template: &str,
    data: Vec<u8>,
    ident: String,
    at: NaiveDateTime,
) -> Result<Vec<u8>, RenderError> {
    thread::scope(|scope| {
        thread::Builder::new()
            .name("render".to_owned())
            .stack_size(STACK)
            .spawn_scoped(scope, || compile(template, data, ident, at))
            .map_err(RenderError::Thread)?
            .join()
            .map_err(|_| RenderError::Panicked)?
    })
}

fn compile(
    template: &str,
    data: Vec<u8>,
    ident: String,
    at: NaiveDateTime,
) -> Result<Vec<u8>, RenderError> {
    let at = typst_time(at)?;
    let world = ReportWorld::new(template, data, at);
    let Warned { output, .. } = typst::compile::<PagedDocument>(&world);
    let result = output
        .and_then(|document| typst_pdf::pdf(&document, &options(ident, at)))
        .map_err(|errors| RenderError::Template(problems(&world, &errors)));
    // Typst remembers every layout for the next one; a daemon prints a report a month.
    comemo::evict(0);
    result
}

/// PDF/A-3b (ISO 19005-3) with tags: fit for the archive, and for an invoice to be attached.
fn options(ident: String, at: Datetime) -> PdfOptions {
    let standards =
        PdfStandards::new(&[PdfStandard::A_3b]).expect("a single standard contradicts no other");
    PdfOptions {
        ident: Smart::Custom(ident),
        creator: Smart::Custom(Some("Stundenbuch".to_owned())),
        timestamp: Some(Timestamp::new_utc(at)),
        standards,
        ..PdfOptions::default()
    }
}

/// The moment of sealing; a draft, which has none, bears the last day of its period.
fn document_date(statement: &Statement) -> NaiveDateTime {
    match statement.sealed_at {
        Some(at) => at.naive_utc(),
        None => NaiveDateTime::new(statement.period.last, NaiveTime::MIN),
    }
}

fn typst_time(at: NaiveDateTime) -> Result<Datetime, RenderError> {
    // Each part fits: chrono counts months, days and hours within a byte.
    let part = |value: u32| u8::try_from(value).unwrap_or_default();
    Datetime::from_ymd_hms(
        at.year(),
        part(at.month()),
        part(at.day()),
        part(at.hour()),
        part(at.minute()),
        part(at.second()),
    )
    .ok_or(RenderError::Date(at.date()))
}

fn problems(world: &ReportWorld, errors: &EcoVec<SourceDiagnostic>) -> Vec<TemplateProblem> {
    errors
        .iter()
        .filter(|error| error.severity == Severity::Error)
        .map(|error| TemplateProblem {
            file: file_of(error.span),
            at: place(world, error.span),
            message: error.message.to_string(),
            hints: error.hints.iter().map(|hint| hint.v.to_string()).collect(),
        })
        .collect()
}

fn file_of(span: DiagSpan) -> String {
    match span.id() {
        Some(id) => id.get().vpath().get_without_slash().to_owned(),
        None => TEMPLATE_NAME.to_owned(),
    }
}

fn place(world: &ReportWorld, span: DiagSpan) -> Option<(usize, usize)> {
    let source = world.source(span.id()?).ok()?;
    let start = world.range(span)?.start;
    let (line, column) = source.lines().byte_to_line_column(start)?;
    Some((line + 1, column + 1))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::render::text::line;
    use proptest::prelude::*;

    /// A statement without work that carries these notes.
    fn with_notes(notes: &[String]) -> Statement {
        let party = serde_json::json!({
            "name": "A", "address": [], "email": null, "phone": null, "website": null,
            "vat_id": null, "tax_number": null,
        });
        let value = serde_json::json!({
            "schema": crate::billing::SCHEMA, "number": null, "sealed_at": null,
            "issued_on": null, "language": "de", "time_zone": "Europe/Berlin",
            "issuer": party, "client": party, "client_key": "a", "reference": null,
            "period": { "first": "2026-10-01", "last": "2026-10-31" }, "currency": "EUR",
            "rounding": "", "lines": [], "entries": [], "notes": notes, "ledger_head": null,
            "totals": {
                "tracked_seconds": 0, "billed_seconds": 0, "non_billable_seconds": 0,
                "net": 0, "vat": null, "gross": 0,
            },
        });
        serde_json::from_value(value).unwrap()
    }

    /// PDF/A refuses a document with a glyph that is missing, so this proves that each of the
    /// characters in Unicode is either shown or replaced.
    #[test]
    fn every_character_is_shown_or_replaced() {
        let shown: Vec<String> = ('\0'..=char::MAX)
            .map(String::from)
            .filter(|text| line(text) == *text)
            .collect();
        assert!(shown.len() > 3000, "only {} characters", shown.len());
        let notes: Vec<String> = shown.chunks(40).map(|part| part.join(" ")).collect();
        pdf(&with_notes(&notes), None).unwrap();
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(16))]

        /// The same for what characters form together.
        #[test]
        fn every_text_can_be_printed(notes in prop::collection::vec(any::<String>(), 40)) {
            prop_assert_eq!(pdf(&with_notes(&notes), None).err().map(|e| e.to_string()), None);
        }

        /// Letters with marks, joiners, flags and emoji, which chance alone rarely makes.
        #[test]
        fn every_cluster_can_be_printed(notes in prop::collection::vec(
            "([aeoöŁжΩ`´א❤👍👩🇩🇪1#*]\
            [\u{300}-\u{36f}\u{20d0}-\u{20f0}\u{200c}\u{200d}\u{fe0e}\u{fe0f}🏽👧]{0,3}){1,9}",
            20,
        )) {
            prop_assert_eq!(pdf(&with_notes(&notes), None).err().map(|e| e.to_string()), None);
        }
    }
}
