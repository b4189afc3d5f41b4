//! From a statement to bytes: a PDF and a table for people, a table and JSON for programs.
//!
//! All of them are made from the one [`Statement`] and from nothing else, so they agree, and a
//! sealed statement gives the same bytes whenever it is asked; once it is cancelled, they name the
//! statement that reverses it.

mod card;
mod csv;
mod duration;
mod fonts;
mod json;
mod locale;
mod name;
mod pdf;
mod references;
mod rows;
mod share;
mod text;
mod view;
mod words;
mod world;

use std::fmt;
use std::str::FromStr;

use chrono::{NaiveDate, NaiveDateTime};

pub use self::card::{card_comment, decimal_hours};
pub use self::pdf::{BUILT_IN_TEMPLATE, TemplateProblem};
use crate::billing::Statement;

/// The forms in which a statement can be had.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Format {
    /// The time report (Leistungsnachweis) for the client: PDF/A-3b.
    Pdf,
    /// The entries as a table that a spreadsheet opens in the language of the document.
    Csv,
    /// The same table for programs: one form in every language.
    CsvRaw,
    /// The statement itself.
    Json,
}

impl Format {
    pub const ALL: [Self; 4] = [Self::Pdf, Self::Csv, Self::CsvRaw, Self::Json];

    /// The name on the command line and in the configuration.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Pdf => "pdf",
            Self::Csv => "csv",
            Self::CsvRaw => "csv-raw",
            Self::Json => "json",
        }
    }

    pub fn media_type(self) -> &'static str {
        match self {
            Self::Pdf => "application/pdf",
            Self::Csv | Self::CsvRaw => "text/csv; charset=utf-8",
            Self::Json => "application/json",
        }
    }

    fn extension(self) -> &'static str {
        match self {
            Self::Pdf => "pdf",
            Self::Csv => "csv",
            Self::CsvRaw => "raw.csv",
            Self::Json => "json",
        }
    }
}

impl fmt::Display for Format {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl FromStr for Format {
    type Err = String;

    fn from_str(name: &str) -> Result<Self, String> {
        Self::ALL
            .into_iter()
            .find(|format| format.as_str() == name)
            .ok_or_else(|| format!("`{name}` is no format; choose pdf, csv, csv-raw or json"))
    }
}

/// A document, ready to be saved or sent.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Rendered {
    /// Letters, digits, `-`, `_` and dots only.
    pub file_name: String,
    pub media_type: &'static str,
    pub bytes: Vec<u8>,
}

/// Why there is no document.
#[derive(Debug, thiserror::Error)]
pub enum RenderError {
    #[error("lay out the report: {}", list(.0))]
    Template(Vec<TemplateProblem>),
    #[error("write the statement as data: {0}")]
    Data(#[source] serde_json::Error),
    #[error("write the table: {0}")]
    Table(#[source] ::csv::Error),
    #[error("date the report: {0} is outside the calendar of PDF")]
    Date(NaiveDate),
    #[error("start a thread for the layout: {0}")]
    Thread(#[source] std::io::Error),
    #[error("lay out the report: Typst panicked; please report it with the statement's JSON")]
    Panicked,
}

fn list(problems: &[TemplateProblem]) -> String {
    let lines: Vec<String> = problems.iter().map(ToString::to_string).collect();
    lines.join("; ")
}

/// The layout of the procedure description.
pub const PROCEDURE_TEMPLATE: &str = include_str!("../../config/templates/procedure.typ");

/// Lays out any data with a template of the program. Every text in it is made fit to be printed.
/// `ident` is the document's own name, `at` the moment of which it speaks.
pub fn document(
    template: &str,
    mut data: serde_json::Value,
    ident: &str,
    at: NaiveDateTime,
) -> Result<Vec<u8>, RenderError> {
    fn fit(value: &mut serde_json::Value) {
        match value {
            serde_json::Value::String(text) => *text = text::block(text),
            serde_json::Value::Array(values) => values.iter_mut().for_each(fit),
            serde_json::Value::Object(values) => values.values_mut().for_each(fit),
            _ => {}
        }
    }
    fit(&mut data);
    let data = serde_json::to_vec(&data).map_err(RenderError::Data)?;
    pdf::lay_out(template, data, ident.to_owned(), at)
}

/// Makes one document. `template` replaces the layout of the PDF and matters to no other form.
///
/// A PDF of many pages takes a second of computing: call it where blocking is allowed.
pub fn render(
    statement: &Statement,
    format: Format,
    template: Option<&str>,
) -> Result<Rendered, RenderError> {
    let bytes = match format {
        Format::Pdf => pdf::pdf(statement, template)?,
        Format::Csv => csv::for_people(statement)?,
        Format::CsvRaw => csv::for_programs(statement)?,
        Format::Json => json::json(statement)?,
    };
    Ok(Rendered {
        file_name: name::file_name(statement, format),
        media_type: format.media_type(),
        bytes,
    })
}
