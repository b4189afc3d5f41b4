//! Toggl Track's detailed report as CSV: the way in on every plan, and for history.
//!
//! Header and styles vary with the year of the export and the preferences of the person who
//! made it (files of 2017 to 2026): with and without amounts in any currency, `End date` or
//! `Stop date`, 24 and 12 hours, five orders of a date. The report has no zone and no
//! identifier. Running entries have neither end nor duration.

use std::io::Read;
use std::sync::LazyLock;

use super::csv_file::Header;
use super::layout::{Field, Layout};
use super::timesheet::{self, Sheet};
use super::{Format, Options, ReadError, SinkError};
use crate::contract::{Identified, Raw};
use crate::error::Reject;

/// The format `toggl-csv`.
#[derive(Clone, Copy, Debug)]
pub struct TogglCsv;

static LAYOUT: LazyLock<Layout> = LazyLock::new(|| {
    Layout::new(
        &[
            (Field::Person, &["User", "Member"]),
            (Field::Email, &["Email"]),
            (Field::Client, &["Client"]),
            (Field::Project, &["Project"]),
            (Field::Task, &["Task"]),
            (Field::Description, &["Description"]),
            (Field::Billable, &["Billable"]),
            (Field::Date, &["Start date"]),
            (Field::Start, &["Start time"]),
            (Field::EndDate, &["End date", "Stop date"]),
            (Field::End, &["End time", "Stop time"]),
            (Field::Duration, &["Duration"]),
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

impl Format for TogglCsv {
    fn name(&self) -> &'static str {
        "toggl-csv"
    }

    fn title(&self) -> &'static str {
        "Toggl Track, detailed report as CSV"
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
