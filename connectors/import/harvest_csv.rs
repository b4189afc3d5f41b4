//! Harvest's detailed time report as CSV.
//!
//! Harvest exports hours of a day without times, as decimals with a comma or a point by the
//! account's locale. Two decimals are all that the file has: twenty minutes come as `0.33`, which
//! is 1188 seconds, and that is what is taken. There is no e-mail address, so people are known
//! by their names.

use std::io::Read;
use std::sync::LazyLock;

use super::csv_file::Header;
use super::layout::{Field, Layout};
use super::timesheet::{self, Sheet};
use super::{Format, Options, ReadError, SinkError};
use crate::contract::{Identified, Raw};
use crate::error::Reject;

/// The format `harvest-csv`.
#[derive(Clone, Copy, Debug)]
pub struct HarvestCsv;

static LAYOUT: LazyLock<Layout> = LazyLock::new(|| {
    Layout::new(
        &[
            (Field::FirstName, &["First Name"]),
            (Field::LastName, &["Last Name"]),
            (Field::Client, &["Client"]),
            (Field::Project, &["Project"]),
            (Field::Task, &["Task"]),
            (Field::Description, &["Notes"]),
            (Field::Billable, &["Billable?"]),
            (Field::Date, &["Date"]),
            (Field::Duration, &["Hours"]),
        ],
        &[
            Field::FirstName,
            Field::LastName,
            Field::Project,
            Field::Description,
            Field::Date,
            Field::Duration,
        ],
    )
});

impl Format for HarvestCsv {
    fn name(&self) -> &'static str {
        "harvest-csv"
    }

    fn title(&self) -> &'static str {
        "Harvest, detailed time report as CSV"
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
