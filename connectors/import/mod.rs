//! File formats: exports of services for people without API access, and for history.
//!
//! A format reads a file row by row into raw records, refuses what it does not understand with
//! row, column and reason, and maps raw records to our vocabulary like a connector does. Rows
//! have no identifier, so a format makes one from the row's content and a counter of equal rows:
//! the same file, read twice, gives the same identities.

pub(crate) mod dates;
pub(crate) mod durations;
mod encoding;
pub(crate) mod entry;
mod identity;
pub(crate) mod layout;
mod scan;
mod timesheet;

pub mod clockify_csv;
pub mod csv_file;
pub mod harvest_csv;
pub mod mapping;
pub mod toggl_csv;
pub mod trello_board;
pub mod wall;

// Tasks, projects and people.
mod json_doc;

pub mod asana_csv;
pub mod asana_json;
pub mod toggl_workspace;

use std::fmt;
use std::io::Read;

use chrono_tz::Tz;

pub(crate) use json_doc::Fields;

use crate::contract::{Identified, Notice, Raw};
use crate::error::Reject;

/// The list: one line a format. Where two could read a file, the first one does.
pub static ALL: [&dyn Format; 8] = [
    &toggl_csv::TogglCsv,
    &clockify_csv::ClockifyCsv,
    &harvest_csv::HarvestCsv,
    &trello_board::TrelloBoard,
    &mapping::MappedCsv,
    &asana_json::AsanaJson,
    &asana_csv::AsanaCsv,
    &toggl_workspace::TogglWorkspace,
];

/// The format of that name.
pub fn find(name: &str) -> Option<&'static dyn Format> {
    ALL.into_iter().find(|format| format.name() == name)
}

/// The format of a file that is called so and begins so; the first 64 KiB are enough.
pub fn detect(file_name: &str, head: &[u8]) -> Option<&'static dyn Format> {
    ALL.into_iter()
        .find(|format| format.recognises(file_name, head))
}

/// What a clock change leaves uncertain about an imported row, to be told as a finding.
pub fn doubts(raw: &Raw) -> Vec<wall::Doubt> {
    timesheet::doubts(raw)
}

/// What a file that was read whole is known not to hold, told by one of its records: an export
/// that leaves out what is old.
pub fn gap(raw: &Raw) -> Option<Notice> {
    crate::trello::gap(raw)
}

/// One file format.
pub trait Format: Send + Sync + fmt::Debug {
    /// The word on the command line and in the ledger: `toggl-csv`. Never changed.
    fn name(&self) -> &'static str;

    /// One line for people.
    fn title(&self) -> &'static str;

    /// Whether a file that is called so and begins so is of this format.
    fn recognises(&self, file_name: &str, head: &[u8]) -> bool;

    /// Reads the file to its end and hands each record to `each`, in the file's order. Holds
    /// a row at a time, so a file may be larger than memory (a JSON document may not).
    ///
    /// # Errors
    /// Every problem found, up to a limit; then nothing of the file may be kept. A failure of
    /// `each` ends the reading and comes back as [`ReadError::Sink`].
    fn read(
        &self,
        input: &mut dyn Read,
        options: &Options,
        each: &mut dyn FnMut(Raw) -> Result<(), SinkError>,
    ) -> Result<(), ReadError>;

    /// Maps one raw record to our vocabulary. Pure.
    fn normalise(&self, raw: &Raw) -> Result<Vec<Identified>, Reject>;
}

/// What a file does not say of itself.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Options {
    /// The zone of the wall times in the file; those of the person who exported it.
    pub time_zone: Tz,
    /// The order of numeric dates where the file leaves it open.
    pub dates: DateOrder,
}

/// How to read `03/04/2024`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum DateOrder {
    /// From the file itself; refused where the file allows two readings.
    #[default]
    Detect,
    DayFirst,
    MonthFirst,
}

/// Why the receiver of the records stopped; passed through, not read.
pub type SinkError = Box<dyn std::error::Error + Send + Sync>;

/// Why a file was not read.
#[derive(Debug)]
pub enum ReadError {
    /// The file is not acceptable.
    Refused(Refusal),
    /// The receiver of the records stopped.
    Sink(SinkError),
}

/// Everything that is wrong with a file, in its order.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Refusal {
    /// At most [`Refusal::KEPT`].
    pub problems: Vec<Problem>,
    /// How many more there are.
    pub more: usize,
}

impl Refusal {
    /// So many problems are told one by one.
    pub const KEPT: usize = 20;

    /// Adds one problem, or counts it when enough were told.
    pub fn push(&mut self, problem: Problem) {
        if self.problems.len() < Self::KEPT {
            self.problems.push(problem);
        } else {
            self.more += 1;
        }
    }
}

/// One thing that is wrong with a file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Problem {
    /// The line on which the row begins, the header being line 1.
    pub row: Option<u64>,
    /// The column's name in the file, or the path in a JSON document.
    pub column: Option<String>,
    pub reason: String,
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(row) = self.row {
            write!(f, "row {row}, ")?;
        }
        if let Some(column) = &self.column {
            write!(f, "column `{column}`: ")?;
        }
        f.write_str(&self.reason)
    }
}

/// A value from a file, short and on one line, for a message.
pub(crate) fn shortened(value: &str) -> String {
    const SHOWN: usize = 40;
    let mut text: String = value
        .chars()
        .take(SHOWN)
        .map(|letter| if letter.is_control() { ' ' } else { letter })
        .collect();
    if value.chars().nth(SHOWN).is_some() {
        text.push('…');
    }
    text
}
