//! Clockify's detailed report as CSV.
//!
//! Dates come in the order that the account chose, the American one where nobody chose, and a
//! wrong guess is the commonest fault of imports from Clockify (kimai #4053, solidtime #461): a
//! file that allows two readings is refused until somebody says which. The decimal duration is
//! used only where `Duration (h)` is missing, for it is cut to two places.

use std::io::Read;
use std::sync::LazyLock;

use super::csv_file::Header;
use super::layout::{Field, Layout};
use super::timesheet::{self, Sheet};
use super::{Format, Options, ReadError, SinkError};
use crate::contract::{Identified, Raw};
use crate::error::Reject;

/// The format `clockify-csv`.
#[derive(Clone, Copy, Debug)]
pub struct ClockifyCsv;

static LAYOUT: LazyLock<Layout> = LazyLock::new(|| {
    Layout::new(
        &[
            (Field::Person, &["User"]),
            (Field::Email, &["Email"]),
            (Field::Client, &["Client"]),
            (Field::Project, &["Project"]),
            (Field::Task, &["Task"]),
            (Field::Description, &["Description"]),
            (Field::Billable, &["Billable"]),
            (Field::Date, &["Start Date"]),
            (Field::Start, &["Start Time"]),
            (Field::EndDate, &["End Date"]),
            (Field::End, &["End Time"]),
            (Field::Duration, &["Duration (h)", "Duration (decimal)"]),
            (Field::Tags, &["Tags"]),
        ],
        &[
            Field::Description,
            Field::Date,
            Field::Start,
            Field::EndDate,
            Field::End,
            Field::Duration,
        ],
    )
});

impl Format for ClockifyCsv {
    fn name(&self) -> &'static str {
        "clockify-csv"
    }

    fn title(&self) -> &'static str {
        "Clockify, detailed report as CSV"
    }

    fn recognises(&self, _file_name: &str, head: &[u8]) -> bool {
        Header::at_head(head).is_some_and(|header| LAYOUT.fits(&header))
    }

    fn read(
        &self,
        input: &mut dyn Read,
        options: &Options,
        each: &mut dyn FnMut(Raw) -> Result<(), SinkError>,
    ) -> Result<(), ReadError> {
        let sheet = Sheet {
            format: self.name(),
            layout: &LAYOUT,
            delimiter: None,
            keep_layout: false,
        };
        timesheet::read(sheet, input, options, each)
    }

    fn normalise(&self, raw: &Raw) -> Result<Vec<Identified>, Reject> {
        timesheet::normalise(raw, Some(&LAYOUT))
    }
}
