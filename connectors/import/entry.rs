//! What one row of a time sheet says.
//!
//! The same function reads a row when a file is imported and again when its raw record is
//! normalised, so that a row which was accepted cannot be rejected later by another opinion.

use std::borrow::Cow;

use chrono::{DateTime, NaiveDate, NaiveDateTime, TimeDelta, Utc};
use chrono_tz::Tz;

use super::dates::{self, Order};
use super::durations::{self, Unit, Written};
use super::identity::Key;
use super::layout::{Cells, Field, Layout};
use super::wall::{self, Claim, Doubt, Moment};
use crate::record::{Named, PersonRef, TimeEntry, Worked};

/// Why a row cannot be read: the cell to blame, and the reason.
#[derive(Debug)]
pub(crate) struct Fault {
    pub(crate) field: Field,
    pub(crate) reason: String,
}

/// How to read the rows of one file.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Rules<'a> {
    pub(crate) layout: &'a Layout,
    pub(crate) zone: Tz,
    pub(crate) order: Option<Order>,
}

/// A row as understood.
#[derive(Debug)]
pub(crate) struct Row<'a> {
    pub(super) worked: Worked,
    pub(super) doubts: Vec<Doubt>,
    start: Began,
    person: Cow<'a, str>,
    billable: Option<bool>,
    cells: Cells<'a>,
}

/// When the work began, as far as the file says.
#[derive(Clone, Copy, Debug)]
enum Began {
    Day(NaiveDate),
    At { moment: Moment, coarse: bool },
}

impl<'a> Rules<'a> {
    /// Reads one row.
    pub(crate) fn row(&self, mut cells: Cells<'a>) -> Result<Row<'a>, Fault> {
        for (&field, text) in &self.layout.constants {
            if cells.get(field).is_empty() {
                cells.set(field, text);
            }
        }
        let start = self.began(&cells)?;
        let (worked, doubts) = self.worked(&cells, start)?;
        Ok(Row {
            worked,
            doubts,
            start,
            person: person(&cells),
            billable: self.billable(&cells)?,
            cells,
        })
    }

    /// An instant that stands in one cell; a day alone begins at its midnight.
    pub(crate) fn instant(&self, text: &str) -> Result<DateTime<Utc>, String> {
        let reason = |fault: Fault| fault.reason;
        let began = if text.contains(['T', ' ', ':']) {
            self.date_and_time(Field::Start, text).map_err(reason)?
        } else {
            let date = self.date(Field::Date, text).map_err(reason)?;
            Began::Day(date)
        };
        let moment = match began {
            Began::Day(date) => Moment::Wall(NaiveDateTime::from(date)),
            Began::At { moment, .. } => moment,
        };
        Ok(wall::instant(moment, self.zone).0)
    }

    /// A calendar day that stands in one cell.
    pub(crate) fn day_of(&self, text: &str) -> Result<NaiveDate, String> {
        self.date(Field::Date, text).map_err(|fault| fault.reason)
    }

    fn began(&self, cells: &Cells<'_>) -> Result<Began, Fault> {
        let (date, start) = (cells.get(Field::Date), cells.get(Field::Start));
        if !self.layout.has(Field::Date) {
            return self.date_and_time(Field::Start, start);
        }
        let date = self.date(Field::Date, date)?;
        let needs_time = self.layout.has(Field::Start) && !self.layout.times_optional;
        if start.is_empty() && !needs_time {
            return Ok(Began::Day(date));
        }
        time_on(date, Field::Start, start)
    }

    fn worked(&self, cells: &Cells<'_>, start: Began) -> Result<(Worked, Vec<Doubt>), Fault> {
        let written = self.duration(cells, Field::Duration, self.layout.duration)?;
        let (moment, coarse) = match start {
            Began::At { moment, coarse } => (moment, coarse),
            Began::Day(date) => {
                let written = written.ok_or_else(|| Fault {
                    field: Field::Duration,
                    reason: "is empty, and the row has no times either".to_owned(),
                })?;
                let seconds = written.seconds;
                return Ok((Worked::Day { date, seconds }, Vec::new()));
            }
        };
        if cells.get(Field::End).is_empty() {
            let (start, doubt) = wall::instant(moment, self.zone);
            let worked = match written {
                None => Worked::Running { start },
                Some(written) => Worked::Span {
                    start,
                    stop: later(start, written.seconds)?,
                },
            };
            return Ok((worked, doubt.into_iter().collect()));
        }
        let pause = self.duration(cells, Field::Break, self.layout.pause)?;
        let pause = pause.map_or(0, |pause| pause.seconds);
        let written = written.map(|written| Written {
            seconds: written.seconds.saturating_add(pause),
            ..written
        });
        let (span, seconds) = self.between(cells, moment, coarse, written)?;
        if pause == 0 {
            let stop = later(span.start, seconds)?;
            let start = span.start;
            return Ok((Worked::Span { start, stop }, span.doubts));
        }
        // Where in the span the break lay is not known, so no span can be claimed; what was
        // worked on the day can.
        let worked = Worked::Day {
            date: self.day(moment),
            seconds: seconds - pause,
        };
        Ok((worked, span.doubts))
    }

    /// The span between start and end, and the seconds to count of it.
    fn between(
        &self,
        cells: &Cells<'_>,
        start: Moment,
        coarse: bool,
        written: Option<Written>,
    ) -> Result<(wall::Span, i64), Fault> {
        let (end, end_coarse, next_day) = self.ended(cells, start)?;
        let claim = written.map(|written| Claim {
            written,
            // Trackers measure finer than they write: a Toggl export of 2017 has durations one
            // second below the difference. A time without seconds hides up to 59 more.
            slack: 1 + 59 * i64::from(coarse || end_coarse),
        });
        let mut span = wall::span(start, end, claim, self.zone);
        if let Some(next) = next_day
            && (claim.is_none() || span.is_err())
        {
            span = wall::span(start, next, claim, self.zone);
        }
        let span = span.map_err(|contradiction| Fault {
            field: Field::Duration,
            reason: format!(
                "contradicts start and end, which are {} apart",
                clock(contradiction.seconds)
            ),
        })?;
        // Within that slack the duration is what the tracker counts, and reports show.
        let seconds = match claim {
            Some(Claim { written, .. })
                if written.step == 1
                    && !written.wraps
                    && !span.doubts.contains(&Doubt::DurationByWallClock) =>
            {
                written.seconds
            }
            _ => span.seconds(),
        };
        Ok((span, seconds))
    }

    /// The end, whether it is written to the minute only, and the same time a day later where
    /// the file has no end date and the work may have gone over midnight.
    fn ended(
        &self,
        cells: &Cells<'_>,
        start: Moment,
    ) -> Result<(Moment, bool, Option<Moment>), Fault> {
        let text = cells.get(Field::End);
        let end = if !self.layout.has(Field::Date) {
            self.date_and_time(Field::End, text)?
        } else if cells.get(Field::EndDate).is_empty() {
            time_on(self.day(start), Field::End, text)?
        } else {
            let date = self.date(Field::EndDate, cells.get(Field::EndDate))?;
            time_on(date, Field::End, text)?
        };
        let Began::At { moment, coarse } = end else {
            unreachable!("an end that is not empty has a time");
        };
        let over_midnight = self.layout.has(Field::Date) && cells.get(Field::EndDate).is_empty();
        let next_day = match (start, moment) {
            (Moment::Wall(start), Moment::Wall(end)) if over_midnight && end < start => {
                Some(Moment::Wall(end + TimeDelta::days(1)))
            }
            _ => None,
        };
        Ok((moment, coarse, next_day))
    }

    fn day(&self, moment: Moment) -> NaiveDate {
        match moment {
            Moment::Wall(wall) => wall.date(),
            Moment::Instant(instant) => instant.with_timezone(&self.zone).date_naive(),
        }
    }

    fn date(&self, field: Field, text: &str) -> Result<NaiveDate, Fault> {
        if text.is_empty() {
            return Err(empty(field));
        }
        dates::date(text, self.layout.dates, self.order)
            .map_err(|reason| wrong(field, text, &reason))
    }

    /// A cell that holds date and time together, and possibly a zone.
    fn date_and_time(&self, field: Field, text: &str) -> Result<Began, Fault> {
        if text.is_empty() {
            return Err(empty(field));
        }
        let Some((date, time)) = text.split_once(['T', ' ']) else {
            return Err(wrong(field, text, "is not a date and a time"));
        };
        let date = self.date(field, date)?;
        let (time, offset) = dates::offset(time.trim());
        let began = time_on(date, field, time)?;
        match (began, offset) {
            (
                Began::At {
                    moment: Moment::Wall(wall),
                    coarse,
                },
                Some(offset),
            ) => {
                let utc = wall - TimeDelta::seconds(offset.into());
                Ok(Began::At {
                    moment: Moment::Instant(utc.and_utc()),
                    coarse,
                })
            }
            (began, _) => Ok(began),
        }
    }

    fn duration(
        &self,
        cells: &Cells<'_>,
        field: Field,
        unit: Unit,
    ) -> Result<Option<Written>, Fault> {
        let text = cells.get(field);
        if text.is_empty() {
            return Ok(None);
        }
        durations::read(text, unit, self.layout.decimal)
            .map(Some)
            .map_err(|reason| wrong(field, text, &reason))
    }

    fn billable(&self, cells: &Cells<'_>) -> Result<Option<bool>, Fault> {
        let text = cells.get(Field::Billable);
        let among = |words: &[String]| {
            words
                .iter()
                .any(|word| super::csv_file::same_name(word, text))
        };
        let words = &self.layout.billable;
        if among(&words.yes) {
            Ok(Some(true))
        } else if among(&words.no) {
            Ok(Some(false))
        } else if text.is_empty() {
            Ok(None)
        } else {
            let reason = format!(
                "is neither of the words for yes ({}) nor for no ({})",
                words.yes.join(", "),
                words.no.join(", ")
            );
            Err(wrong(Field::Billable, text, &reason))
        }
    }
}

impl Row<'_> {
    /// What the row is known by. A row without a time of day needs its task as well: a day has
    /// several rows of one project without notes.
    pub(super) fn key(&self) -> Key {
        let email = self.cells.get(Field::Email);
        let key = if email.is_empty() {
            Key::new().part(&self.person)
        } else {
            Key::new().part(&email.to_lowercase())
        };
        let key = match self.start {
            Began::Day(date) => key
                .part(&date.to_string())
                .part(self.cells.get(Field::Task)),
            Began::At {
                moment: Moment::Wall(wall),
                ..
            } => key.part(&wall.to_string()),
            Began::At {
                moment: Moment::Instant(at),
                ..
            } => key.part(&at.to_rfc3339()),
        };
        key.part(self.cells.get(Field::Project))
            .part(self.cells.get(Field::Description))
            .part(self.cells.get(Field::Client))
    }

    pub(crate) fn entry(self, separator: &str) -> TimeEntry {
        let text = |field| self.cells.get(field);
        let some = |text: &str| (!text.is_empty()).then(|| text.to_owned());
        let (name, email) = (some(&self.person), some(text(Field::Email)));
        let mut tags: Vec<String> = text(Field::Tags)
            .split(separator)
            .map(str::trim)
            .filter(|tag| !tag.is_empty())
            .map(str::to_owned)
            .collect();
        tags.sort_unstable();
        tags.dedup();
        TimeEntry {
            description: text(Field::Description).replace("\r\n", "\n"),
            person: (name.is_some() || email.is_some()).then_some(PersonRef {
                id: None,
                name,
                email,
            }),
            client: Named::by_name(text(Field::Client)),
            project: Named::by_name(text(Field::Project)),
            task: Named::by_name(text(Field::Task)),
            tags,
            billable: self.billable,
            worked: self.worked,
        }
    }
}

fn person<'a>(cells: &Cells<'a>) -> Cow<'a, str> {
    let (first, last) = (cells.get(Field::FirstName), cells.get(Field::LastName));
    match (cells.get(Field::Person), first, last) {
        ("", "", name) | ("", name, "") | (name, "", "") => Cow::Borrowed(name),
        ("", first, last) => Cow::Owned(format!("{first} {last}")),
        (name, _, _) => Cow::Borrowed(name),
    }
}

fn time_on(date: NaiveDate, field: Field, text: &str) -> Result<Began, Fault> {
    if text.is_empty() {
        return Err(empty(field));
    }
    let time = dates::time_of_day(text).map_err(|reason| wrong(field, text, &reason))?;
    let wall = NaiveDateTime::from(date) + TimeDelta::seconds(time.seconds.into());
    Ok(Began::At {
        moment: Moment::Wall(wall),
        coarse: time.coarse,
    })
}

fn later(start: DateTime<Utc>, seconds: i64) -> Result<DateTime<Utc>, Fault> {
    TimeDelta::try_seconds(seconds)
        .and_then(|delta| start.checked_add_signed(delta))
        .ok_or_else(|| Fault {
            field: Field::Duration,
            reason: "is longer than the calendar".to_owned(),
        })
}

fn empty(field: Field) -> Fault {
    Fault {
        field,
        reason: "is empty".to_owned(),
    }
}

fn wrong(field: Field, text: &str, reason: &str) -> Fault {
    Fault {
        field,
        reason: format!("`{}` {reason}", super::shortened(text)),
    }
}

/// Seconds as people read them, for a message.
fn clock(seconds: i64) -> String {
    let sign = if seconds < 0 { "-" } else { "" };
    let all = seconds.unsigned_abs();
    format!("{sign}{}:{:02}:{:02}", all / 3600, all / 60 % 60, all % 60)
}
