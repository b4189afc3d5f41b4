//! CSV files of any shape, described by a mapping file.
//!
//! A mapping says in TOML which column holds what and how it is written; `docs/imports.md`
//! explains every key, and `config/imports/` holds mappings to start from. A mapping that cannot
//! work is refused with all of its errors, each with its line, its key and the way out.

use std::fmt;
use std::io::Read;

use chrono_tz::Tz;
use toml_edit::{Document, Item, Table};

use super::csv_file::Header;
use super::dates::DateStyle;
use super::durations::{Decimal, Unit};
use super::layout::{Field, Layout, Words};
use super::timesheet::{self, Sheet};
use super::{Format, Options, ReadError, Refusal, SinkError};
use crate::contract::{Identified, Raw};
use crate::error::Reject;

const NAME: &str = "csv";
const TITLE: &str = "CSV described by a mapping file (config/imports/)";

/// A mapping file, checked.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Mapping {
    title: String,
    layout: Layout,
    delimiter: Option<u8>,
    time_zone: Option<Tz>,
}

/// Everything that is wrong with a mapping file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MappingError {
    /// The file as it was named.
    pub file: String,
    pub faults: Vec<MappingFault>,
}

/// One thing that is wrong with a mapping file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MappingFault {
    pub line: usize,
    /// `columns.start`; empty where the text is no TOML.
    pub key: String,
    /// What is wrong and what to write instead.
    pub reason: String,
}

impl fmt::Display for MappingError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, fault) in self.faults.iter().enumerate() {
            if index > 0 {
                f.write_str("\n")?;
            }
            write!(f, "{}:{}: ", self.file, fault.line)?;
            if !fault.key.is_empty() {
                write!(f, "`{}` ", fault.key)?;
            }
            f.write_str(&fault.reason)?;
        }
        Ok(())
    }
}

impl std::error::Error for MappingError {}

impl Mapping {
    /// Reads a mapping; `file` names it in errors.
    ///
    /// # Errors
    /// All that is wrong with it, at once.
    pub fn parse(file: &str, text: &str) -> Result<Self, MappingError> {
        let mut reader = Reader {
            text,
            faults: Vec::new(),
        };
        let mapping = reader.mapping();
        match mapping {
            Some(mapping) if reader.faults.is_empty() => Ok(mapping),
            _ => {
                reader.faults.sort_by_key(|fault| fault.line);
                Err(MappingError {
                    file: file.to_owned(),
                    faults: reader.faults,
                })
            }
        }
    }

    /// The mapping's own words for what it reads.
    pub fn subject(&self) -> &str {
        &self.title
    }
}

impl Format for Mapping {
    fn name(&self) -> &'static str {
        NAME
    }

    fn title(&self) -> &'static str {
        TITLE
    }

    fn recognises(&self, _file_name: &str, head: &[u8]) -> bool {
        Header::at_head(head).is_some_and(|header| self.layout.fits(&header))
    }

    fn read(
        &self,
        input: &mut dyn Read,
        options: &Options,
        each: &mut dyn FnMut(Raw) -> Result<(), SinkError>,
    ) -> Result<(), ReadError> {
        let options = Options {
            time_zone: self.time_zone.unwrap_or(options.time_zone),
            ..options.clone()
        };
        let sheet = Sheet {
            format: NAME,
            layout: &self.layout,
            delimiter: self.delimiter,
            keep_layout: true,
        };
        timesheet::read(sheet, input, &options, each)
    }

    fn normalise(&self, raw: &Raw) -> Result<Vec<Identified>, Reject> {
        timesheet::normalise(raw, None)
    }
}

/// The format without a mapping at hand: normalises what any mapping has read, for the raw
/// records carry it, and reads nothing.
#[derive(Clone, Copy, Debug)]
pub struct MappedCsv;

impl Format for MappedCsv {
    fn name(&self) -> &'static str {
        NAME
    }

    fn title(&self) -> &'static str {
        TITLE
    }

    fn recognises(&self, _file_name: &str, _head: &[u8]) -> bool {
        false
    }

    fn read(
        &self,
        _input: &mut dyn Read,
        _options: &Options,
        _each: &mut dyn FnMut(Raw) -> Result<(), SinkError>,
    ) -> Result<(), ReadError> {
        let mut refusal = Refusal::default();
        refusal.push(super::Problem {
            row: None,
            column: None,
            reason: "a plain CSV file needs a mapping file; config/imports/ holds some to start \
                     from"
                .to_owned(),
        });
        Err(ReadError::Refused(refusal))
    }

    fn normalise(&self, raw: &Raw) -> Result<Vec<Identified>, Reject> {
        timesheet::normalise(raw, None)
    }
}

const TOP: [&str; 12] = [
    "title",
    "delimiter",
    "dates",
    "decimal",
    "time_zone",
    "duration",
    "break",
    "tags_separator",
    "columns",
    "optional",
    "constants",
    "billable",
];

/// What a constant may stand for; a time that is the same in every row is a mistake.
const CONSTANT: [Field; 10] = [
    Field::Person,
    Field::FirstName,
    Field::LastName,
    Field::Email,
    Field::Client,
    Field::Project,
    Field::Task,
    Field::Description,
    Field::Billable,
    Field::Tags,
];

struct Reader<'a> {
    text: &'a str,
    faults: Vec<MappingFault>,
}

impl Reader<'_> {
    fn mapping(&mut self) -> Option<Mapping> {
        let document = match Document::parse(self.text) {
            Ok(document) => document,
            Err(error) => {
                let at = error.span().map_or(0, |span| span.start);
                self.fault_at(at, "", format!("is not TOML: {}", error.message()));
                return None;
            }
        };
        let top = document.as_table();
        for (key, _) in top.iter().filter(|(key, _)| !TOP.contains(key)) {
            let reason = format!("is not known; known keys are {}", TOP.join(", "));
            self.fault(top, "", key, reason);
        }
        let mut layout = Layout {
            dates: self.word(top, "dates", &DateStyle::WORDS),
            decimal: self.word(top, "decimal", &Decimal::WORDS),
            duration: self.word(top, "duration", &Unit::WORDS),
            pause: self.word(top, "break", &Unit::WORDS),
            tags_separator: self.string(top, "", "tags_separator"),
            ..Layout::default()
        };
        if layout.tags_separator.as_deref() == Some("") {
            self.fault(top, "", "tags_separator", "must not be empty".to_owned());
        }
        self.columns(top, &mut layout);
        self.constants(top, &mut layout);
        self.billable(top, &mut layout);
        self.can_work(top, &mut layout);
        Some(Mapping {
            title: self.string(top, "", "title").unwrap_or_default(),
            delimiter: self.delimiter(top),
            time_zone: self.time_zone(top),
            layout,
        })
    }

    fn columns(&mut self, top: &Table, layout: &mut Layout) {
        for table_key in ["columns", "optional"] {
            let Some(table) = self.table(top, table_key) else {
                continue;
            };
            for (key, item) in table {
                let Some(field) = self.field(table, table_key, key, &Field::ALL) else {
                    continue;
                };
                let names = match texts(item) {
                    Some(names) if names.iter().all(|name| !name.trim().is_empty()) => names,
                    _ => {
                        let reason = "must be a column name, or a list of names of which the \
                                      file has one";
                        self.fault(table, table_key, key, reason.to_owned());
                        continue;
                    }
                };
                if layout.columns.insert(field, names).is_some() {
                    let reason = "is in `columns` already; remove one of the two";
                    self.fault(table, table_key, key, reason.to_owned());
                }
                if table_key == "columns" {
                    layout.required.push(field);
                }
            }
        }
    }

    fn constants(&mut self, top: &Table, layout: &mut Layout) {
        let Some(table) = self.table(top, "constants") else {
            return;
        };
        for (key, _) in table {
            if let Some(field) = self.field(table, "constants", key, &CONSTANT)
                && let Some(text) = self.string(table, "constants", key)
            {
                layout.constants.insert(field, text);
            }
        }
    }

    fn billable(&mut self, top: &Table, layout: &mut Layout) {
        let Some(table) = self.table(top, "billable") else {
            return;
        };
        let mut words = Words::default();
        for (key, item) in table {
            let place = match key {
                "yes" => &mut words.yes,
                "no" => &mut words.no,
                _ => {
                    let reason = "is not known; known keys are yes and no".to_owned();
                    self.fault(table, "billable", key, reason);
                    continue;
                }
            };
            if let Some(texts) = texts(item) {
                *place = texts;
            } else {
                let reason = "must be a list of words, such as [\"ja\", \"x\"]".to_owned();
                self.fault(table, "billable", key, reason);
            }
        }
        if let Some(word) = words.yes.iter().find(|word| words.no.contains(word)) {
            let reason = format!("has `{word}` for yes and for no");
            self.fault(top, "", "billable", reason);
        }
        layout.billable = words;
    }

    /// Whether a row of this shape says when, and how long.
    fn can_work(&mut self, top: &Table, layout: &mut Layout) {
        let has = |field| layout.has(field);
        let fault = if !has(Field::Date) && !has(Field::Start) {
            Some("needs `date`, or a `start` that holds date and time")
        } else if has(Field::End) && !has(Field::Start) {
            Some("has `end` without `start`; add `start`")
        } else if !has(Field::End) && !has(Field::Duration) {
            Some("needs `end` or `duration`, to tell how long the work took")
        } else if has(Field::EndDate) && !(has(Field::Date) && has(Field::End)) {
            Some("has `end_date`, which needs `date` and `end`")
        } else {
            None
        };
        if let Some(reason) = fault {
            self.fault(top, "", "columns", reason.to_owned());
        }
        layout.times_optional = has(Field::Date) && has(Field::Duration);
    }

    fn delimiter(&mut self, top: &Table) -> Option<u8> {
        let text = self.string(top, "", "delimiter")?;
        match text.as_str() {
            "," | ";" | "\t" => text.bytes().next(),
            _ => {
                let reason = "must be \",\", \";\" or \"\\t\"; without it the header decides";
                self.fault(top, "", "delimiter", reason.to_owned());
                None
            }
        }
    }

    fn time_zone(&mut self, top: &Table) -> Option<Tz> {
        let text = self.string(top, "", "time_zone")?;
        let zone = text.parse().ok();
        if zone.is_none() {
            let reason =
                format!("`{text}` is not a time zone; write one such as \"Europe/Berlin\"");
            self.fault(top, "", "time_zone", reason);
        }
        zone
    }

    fn word<T: Copy + Default>(&mut self, top: &Table, key: &str, words: &[(&str, T)]) -> T {
        let Some(text) = self.string(top, "", key) else {
            return T::default();
        };
        if let Some((_, value)) = words.iter().find(|(word, _)| *word == text) {
            return *value;
        }
        let words: Vec<String> = words
            .iter()
            .map(|(word, _)| format!("\"{word}\""))
            .collect();
        let reason = format!("`{text}` is not known; write one of {}", words.join(", "));
        self.fault(top, "", key, reason);
        T::default()
    }

    fn field(&mut self, table: &Table, path: &str, key: &str, known: &[Field]) -> Option<Field> {
        let field = known.iter().copied().find(|field| field.key() == key);
        if field.is_none() {
            let keys: Vec<&str> = known.iter().map(|field| field.key()).collect();
            let reason = format!("is not known here; known keys are {}", keys.join(", "));
            self.fault(table, path, key, reason);
        }
        field
    }

    fn table<'t>(&mut self, top: &'t Table, key: &str) -> Option<&'t Table> {
        let item = top.get(key)?;
        let table = item.as_table();
        if table.is_none() {
            let reason = format!("must be a table, begun by a line [{key}]");
            self.fault(top, "", key, reason);
        }
        table
    }

    fn string(&mut self, table: &Table, path: &str, key: &str) -> Option<String> {
        let item = table.get(key)?;
        let text = item.as_str().map(str::to_owned);
        if text.is_none() {
            self.fault(
                table,
                path,
                key,
                "must be a text in quotation marks".to_owned(),
            );
        }
        text
    }

    fn fault(&mut self, table: &Table, path: &str, key: &str, reason: String) {
        let at = table
            .get_key_value(key)
            .and_then(|(key, item)| key.span().or_else(|| item.span()))
            .map_or(0, |span| span.start);
        let key = if path.is_empty() {
            key.to_owned()
        } else {
            format!("{path}.{key}")
        };
        self.fault_at(at, &key, reason);
    }

    fn fault_at(&mut self, at: usize, key: &str, reason: String) {
        let before = self.text.as_bytes().iter().take(at);
        self.faults.push(MappingFault {
            line: 1 + before.filter(|&&byte| byte == b'\n').count(),
            key: key.to_owned(),
            reason,
        });
    }
}

/// A text, or a list of texts.
fn texts(item: &Item) -> Option<Vec<String>> {
    if let Some(text) = item.as_str() {
        return Some(vec![text.to_owned()]);
    }
    let texts: Option<Vec<String>> = item
        .as_array()?
        .iter()
        .map(|value| value.as_str().map(str::to_owned))
        .collect();
    texts.filter(|texts| !texts.is_empty())
}
