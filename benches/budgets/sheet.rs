//! Invented time sheets: Toggl's detailed report, any number of rows, the same every time.
//!
//! Twenty clients have ten projects each. Everybody works one entry after the other from six in
//! the morning on, so nobody overlaps with himself and no row meets a change of the clocks.

use std::fs::File;
use std::io::{BufWriter, Write};
use std::path::Path;

use chrono::{NaiveDate, TimeDelta};

pub(crate) const CLIENTS: u32 = 20;
pub(crate) const PROJECTS_EACH: u32 = 10;
/// Cards that descriptions name, on each client's board.
pub(crate) const CARDS_EACH: u32 = 25;
/// Five years.
pub(crate) const DAYS: u32 = 1_826;
/// From six to ten in the evening.
const DAY_SECONDS: u32 = 16 * 3_600;

/// The last day of every sheet.
pub(crate) fn last_day() -> NaiveDate {
    NaiveDate::from_ymd_opt(2026, 11, 21).unwrap()
}

/// How much was tracked: so many people, so many entries a day each, so many days.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Sheet {
    pub(crate) entries: u32,
    pub(crate) people: u32,
    /// Entries a day, of all people.
    pub(crate) a_day: u32,
}

impl Sheet {
    /// So many entries over five years.
    pub(crate) fn over_five_years(entries: u32, people: u32) -> Self {
        Self {
            entries,
            people,
            a_day: entries.div_ceil(DAYS).max(1),
        }
    }

    /// Fewer entries of the same density, and so of fewer days.
    pub(crate) fn shorter(self, entries: u32) -> Self {
        Self { entries, ..self }
    }

    /// Writes all rows.
    pub(crate) fn write(self, path: &Path) {
        self.write_some(path, 0..self.entries, 0);
    }

    /// Writes rows by their number; `edition` changes what can be corrected in a row without
    /// its becoming another entry.
    pub(crate) fn write_some(self, path: &Path, rows: impl IntoIterator<Item = u32>, edition: u32) {
        let mut out = BufWriter::with_capacity(1 << 16, File::create(path).unwrap());
        out.write_all(
            "\u{feff}User,Email,Client,Project,Task,Description,Billable,Start date,\
             Start time,End date,End time,Duration,Tags,Amount (EUR)\n"
                .as_bytes(),
        )
        .unwrap();
        for row in rows {
            self.write_row(&mut out, row, edition);
        }
        out.flush().unwrap();
    }

    fn write_row(self, out: &mut impl Write, row: u32, edition: u32) {
        let days = self.entries.div_ceil(self.a_day);
        let day = last_day() - TimeDelta::days((days - 1 - row / self.a_day).into());
        let of_day = row % self.a_day;
        let (person, turn) = (of_day % self.people, of_day / self.people);
        let turns = self.a_day.div_ceil(self.people);
        let length = DAY_SECONDS / turns;
        let start = 6 * 3_600 + turn * length;
        let seconds = length - length / 7 - scattered(row) % (length / 3) - edition;
        let client = scattered(row / 3) % CLIENTS;
        let project = scattered(row / 5) % PROJECTS_EACH;
        let card = scattered(row) % (CARDS_EACH + 5);
        let clock = |second: u32| {
            let (minutes, seconds) = (second / 60, second % 60);
            format!("{:02}:{:02}:{seconds:02}", minutes / 60, minutes % 60)
        };
        // Some descriptions name no card, and nobody knows what was done.
        let description = if card < CARDS_EACH {
            card_title(client, card)
        } else {
            format!("Telefonat und \"Kleinkram\", Vorgang {}", row % 997)
        };
        writeln!(
            out,
            "Person {person},person{person}@studio.example,{},{},,\"{}\",{},\
             {day},{},{day},{},{},{},",
            client_name(client),
            project_name(client, project),
            description.replace('"', "\"\""),
            if row.is_multiple_of(9) { "No" } else { "Yes" },
            clock(start),
            clock(start + seconds),
            clock(seconds),
            if row.is_multiple_of(4) { "vor Ort" } else { "" },
        )
        .unwrap();
    }
}

pub(crate) fn client_name(client: u32) -> String {
    format!("Kunde {client:02} GmbH")
}

pub(crate) fn project_name(client: u32, project: u32) -> String {
    format!("Vorhaben {client:02}-{project}")
}

pub(crate) fn card_title(client: u32, card: u32) -> String {
    format!("Aufgabe {client:02}-{card:02}: Texte prüfen und Bilder einsetzen")
}

/// A number that looks arbitrary and depends on nothing but its argument.
fn scattered(number: u32) -> u32 {
    let mixed = u64::from(number).wrapping_mul(0x9E37_79B9_7F4A_7C15);
    (mixed >> 40) as u32
}
