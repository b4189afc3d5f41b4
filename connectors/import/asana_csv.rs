//! Asana's CSV: a project exported as a table, in English.
//!
//! A task is one row, with a line for each line of its notes. What the table has no column for
//! in our records (custom fields, start, dependencies, the parent's name) is kept by name.

use std::collections::{BTreeMap, BTreeSet};
use std::io::Read;

use chrono::{DateTime, Datelike as _, NaiveDate, NaiveTime, TimeDelta, TimeZone as _, Utc};
use chrono_tz::Tz;
use csv::ByteRecord;
use serde::{Deserialize, Serialize};

use super::{Format, Options, Problem, ReadError, Refusal, SinkError};
use crate::contract::{Identified, Raw};
use crate::error::Reject;
use crate::record::{ExternalId, Named, PersonRef, Record, Stream, Task, TaskState};

/// The format.
#[derive(Clone, Copy, Debug)]
pub struct AsanaCsv;

const NAME: &str = "asana-csv";

/// The columns without which a table is none of Asana's.
const NEEDED: [&str; 5] = [
    "Task ID",
    "Created At",
    "Completed At",
    "Name",
    "Section/Column",
];

/// Columns with a place of their own in a record. `Last Modified` has none: it changes with
/// every comment, and would make a new revision of it.
const PLACED: [&str; 13] = [
    "Task ID",
    "Created At",
    "Completed At",
    "Last Modified",
    "Name",
    "Section/Column",
    "Assignee",
    "Assignee Email",
    "Due Date",
    "Tags",
    "Notes",
    "Projects",
    "Actual time",
];

/// The body of a raw record: the row by column.
#[derive(Serialize, Deserialize)]
struct Body {
    format: String,
    /// Days in the table are days there.
    zone: String,
    row: BTreeMap<String, String>,
}

impl Format for AsanaCsv {
    fn name(&self) -> &'static str {
        NAME
    }

    fn title(&self) -> &'static str {
        "Asana: a project exported as CSV (with Asana set to English)"
    }

    fn recognises(&self, _file_name: &str, head: &[u8]) -> bool {
        let line = head.split(|byte| *byte == b'\n').next().unwrap_or_default();
        let line = String::from_utf8_lossy(line);
        line.contains("Task ID") && line.contains("Section/Column")
    }

    fn read(
        &self,
        input: &mut dyn Read,
        options: &Options,
        each: &mut dyn FnMut(Raw) -> Result<(), SinkError>,
    ) -> Result<(), ReadError> {
        let mut table = csv::ReaderBuilder::new()
            .has_headers(false)
            .flexible(true)
            .from_reader(input);
        let mut refusal = Refusal::default();
        let mut record = ByteRecord::new();
        let Some(columns) = header(&mut table, &mut record).map_err(ReadError::Refused)? else {
            return Err(refused(problem(None, None, "the file is empty")));
        };
        let mut seen = BTreeSet::new();
        loop {
            let line = match table.read_byte_record(&mut record) {
                Ok(false) => break,
                Ok(true) => record.position().map(csv::Position::line),
                Err(error) => {
                    refusal.push(problem(
                        None,
                        None,
                        format!("the file cannot be read: {error}"),
                    ));
                    break;
                }
            };
            match row(&columns, &record, options.time_zone) {
                // A task in several projects or sections has several rows; the first counts.
                Ok(raw) if !seen.insert(raw.id.clone()) => {}
                Ok(raw) => match self.normalise(&raw) {
                    Ok(_) if refusal.problems.is_empty() => each(raw).map_err(ReadError::Sink)?,
                    Ok(_) => {}
                    Err(reject) => refusal.push(problem(line, reject.field, reject.reason)),
                },
                Err((column, reason)) => refusal.push(Problem {
                    row: line,
                    column,
                    reason,
                }),
            }
        }
        if refusal.problems.is_empty() {
            Ok(())
        } else {
            Err(ReadError::Refused(refusal))
        }
    }

    fn normalise(&self, raw: &Raw) -> Result<Vec<Identified>, Reject> {
        let body: Body =
            serde_json::from_str(&raw.body).map_err(|error| Reject::new(error.to_string()))?;
        let record = Record::Task(task(&body)?);
        let id = raw.id.clone();
        Ok(vec![Identified { id, record }])
    }
}

fn refused(problem: Problem) -> ReadError {
    let mut refusal = Refusal::default();
    refusal.push(problem);
    ReadError::Refused(refusal)
}

fn problem(row: Option<u64>, column: Option<&str>, reason: impl Into<String>) -> Problem {
    Problem {
        row,
        column: column.map(str::to_owned),
        reason: reason.into(),
    }
}

/// The columns' names, each once: a custom field may be called as a column is, and then gets a
/// number. `None` for a file without a single row.
fn header(
    table: &mut csv::Reader<&mut dyn Read>,
    record: &mut ByteRecord,
) -> Result<Option<Vec<String>>, Refusal> {
    let mut refusal = Refusal::default();
    match table.read_byte_record(record) {
        Ok(true) => {}
        Ok(false) => return Ok(None),
        Err(error) => {
            refusal.push(problem(
                Some(1),
                None,
                format!("the header cannot be read: {error}"),
            ));
            return Err(refusal);
        }
    }
    let mut columns: Vec<String> = Vec::new();
    for (index, name) in record.iter().enumerate() {
        let name = if index == 0 {
            name.strip_prefix(b"\xEF\xBB\xBF").unwrap_or(name)
        } else {
            name
        };
        let name = String::from_utf8_lossy(name).trim().to_owned();
        let taken = |name: &String| columns.contains(name);
        let numbered = (2..=u32::MAX).map(|number| format!("{name} ({number})"));
        let free = std::iter::once(name.clone())
            .chain(numbered)
            .find(|name| !taken(name));
        columns.extend(free);
    }
    for needed in NEEDED {
        if !columns.iter().any(|column| column == needed) {
            let reason = "the column is missing; set Asana to English and export again, as CSV";
            refusal.push(problem(Some(1), Some(needed), reason));
        }
    }
    if refusal.problems.is_empty() {
        Ok(Some(columns))
    } else {
        Err(refusal)
    }
}

type BadCell = (Option<String>, String);

fn row(columns: &[String], record: &ByteRecord, zone: Tz) -> Result<Raw, BadCell> {
    if record.len() != columns.len() {
        let (found, wanted) = (record.len(), columns.len());
        return Err((
            None,
            format!("the row has {found} columns and the header {wanted}"),
        ));
    }
    let mut row = BTreeMap::new();
    for (column, cell) in columns.iter().zip(record) {
        let cell = std::str::from_utf8(cell)
            .map_err(|error| (Some(column.clone()), format!("is no UTF-8: {error}")))?;
        row.insert(column.clone(), cell.to_owned());
    }
    let id = row.get("Task ID").map(|id| id.trim()).unwrap_or_default();
    if id.is_empty() || !id.bytes().all(|byte| byte.is_ascii_digit()) {
        let reason = "is no identifier of Asana, which has digits only";
        return Err((Some("Task ID".to_owned()), reason.to_owned()));
    }
    let id = ExternalId::new(id);
    let (format, zone) = (NAME.to_owned(), zone.name().to_owned());
    let body = serde_json::to_string(&Body { format, zone, row }).expect("a body is plain data");
    Ok(Raw {
        stream: Stream::Tasks,
        id,
        body,
        scope: NAME.to_owned(),
    })
}

fn task(body: &Body) -> Result<Task, Reject> {
    let zone: Tz = body
        .zone
        .parse()
        .map_err(|_| Reject::field("zone", format!("no time zone is called `{}`", body.zone)))?;
    let cell = |column: &str| body.row.get(column).map_or("", |cell| cell.trim());
    let day = |column: &'static str| day(column, cell(column), zone);
    let name = cell("Name");
    if name.is_empty() && cell("Task ID").is_empty() {
        return Err(Reject::field("Name", "is missing"));
    }
    let done_at = day("Completed At")?;
    let some = |text: &str| (!text.is_empty()).then(|| text.to_owned());
    let assignee = PersonRef {
        id: None,
        name: some(cell("Assignee")),
        email: some(cell("Assignee Email")),
    };
    let kept = |(column, value): (&String, &String)| {
        let kept = !PLACED.contains(&column.as_str()) && !value.trim().is_empty();
        kept.then(|| (column.clone(), value.trim().to_owned()))
    };
    Ok(Task {
        title: name.to_owned(),
        notes: body.row.get("Notes").cloned().unwrap_or_default(),
        // Of a task in several projects all names stand here, with commas between them; names
        // have commas, too, so they are left as they stand.
        project: Named::by_name(cell("Projects")),
        section: Named::by_name(cell("Section/Column")),
        state: if done_at.is_some() {
            TaskState::Done
        } else {
            TaskState::Open
        },
        archived: false,
        short_id: None,
        url: None,
        assignees: (assignee != PersonRef::default())
            .then_some(assignee)
            .into_iter()
            .collect(),
        labels: cell("Tags")
            .split(',')
            .map(str::trim)
            .filter(|tag| !tag.is_empty())
            .map(str::to_owned)
            .collect(),
        created: day("Created At")?,
        done_at,
        due: day("Due Date")?,
        tracked_seconds: hours_and_minutes("Actual time", cell("Actual time"))?,
        fields: body.row.iter().filter_map(kept).collect(),
    })
}

/// The instant at which a day begins there.
fn day(column: &'static str, text: &str, zone: Tz) -> Result<Option<DateTime<Utc>>, Reject> {
    if text.is_empty() {
        return Ok(None);
    }
    let date = NaiveDate::parse_from_str(text, "%Y-%m-%d")
        .ok()
        .filter(|date| (1970..2200).contains(&date.year()))
        .ok_or_else(|| {
            Reject::field(
                column,
                format!("must be a day such as 2026-10-01, is `{text}`"),
            )
        })?;
    // Where the clocks change at midnight, a day begins at one o'clock; where a day was left out
    // (2011-12-30 in Samoa), it begins with the next one.
    let midnight = date.and_time(NaiveTime::MIN);
    let start = [0, 1, 24].into_iter().find_map(|hours| {
        zone.from_local_datetime(&(midnight + TimeDelta::hours(hours)))
            .earliest()
    });
    Ok(start.map(|start| start.to_utc()))
}

/// `1:15` → 4500.
fn hours_and_minutes(column: &'static str, text: &str) -> Result<Option<i64>, Reject> {
    if text.is_empty() {
        return Ok(None);
    }
    let digits = |text: &str| {
        let plain = !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
        plain.then(|| text.parse::<i64>().ok()).flatten()
    };
    let seconds = text.split_once(':').and_then(|(hours, minutes)| {
        let minutes_are_two = minutes.len() == 2;
        let (hours, minutes) = (digits(hours)?, digits(minutes)?);
        (minutes_are_two && minutes < 60).then_some(())?;
        hours.checked_mul(3_600)?.checked_add(minutes * 60)
    });
    let wrong = || {
        Reject::field(
            column,
            format!("must be hours and minutes such as 1:15, is `{text}`"),
        )
    };
    seconds.map(Some).ok_or_else(wrong)
}
