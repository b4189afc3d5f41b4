//! Days, months and durations: the only place where an instant meets a time zone.
//!
//! An instant is UTC. A working day belongs to a zone and reaches from its local midnight to the
//! next, so it has 23, 24 or 25 hours. A duration is a difference of instants and never of wall
//! times.

use std::fmt;
use std::str::FromStr;

use chrono::{
    DateTime, Datelike, Days, Months, NaiveDate, NaiveDateTime, Offset, TimeDelta, TimeZone, Utc,
};
use chrono_tz::Tz;
use serde::{Deserialize, Serialize};
use stundenbuch_connectors::planted::{Bug, planted};

/// The local calendar day on which an instant falls.
pub fn local_day(instant: DateTime<Utc>, zone: Tz) -> NaiveDate {
    if planted(Bug::DaysOfUtc) {
        return instant.date_naive();
    }
    local_time(instant, zone).date()
}

/// The wall time of an instant. In the last hours of chrono's calendar, which only a mistake in
/// foreign data reaches, it is that of UTC instead of a panic.
pub fn local_time(instant: DateTime<Utc>, zone: Tz) -> NaiveDateTime {
    let utc = instant.naive_utc();
    let offset = zone.offset_from_utc_datetime(&utc).fix();
    utc.checked_add_offset(offset).unwrap_or(utc)
}

/// The instant at which a local day begins.
///
/// Where the clock jumps over midnight (Beirut, Santiago), the day begins with its first
/// existing minute; where midnight comes twice, with the first of the two.
pub fn day_start(day: NaiveDate, zone: Tz) -> DateTime<Utc> {
    let midnight = day.and_hms_opt(0, 0, 0).expect("midnight is a time");
    first_instant_from(midnight, zone)
}

/// The instant of a wall time; of two, the earlier, and of none, the first that exists after.
pub fn first_instant_from(wall: NaiveDateTime, zone: Tz) -> DateTime<Utc> {
    let mut wall = wall;
    loop {
        if let Some(instant) = zone.from_local_datetime(&wall).earliest() {
            return instant.with_timezone(&Utc);
        }
        // No zone has ever skipped more than a day; gaps end on a whole minute.
        wall += TimeDelta::minutes(1);
    }
}

/// A span of whole local days, both ends included: what a statement is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct Period {
    pub first: NaiveDate,
    pub last: NaiveDate,
}

impl Period {
    /// The calendar month that holds `day`.
    pub fn month_of(day: NaiveDate) -> Self {
        let first = day.with_day(1).expect("every month has a first day");
        let last = first + Months::new(1) - Days::new(1);
        Self { first, last }
    }

    /// The instants from the first day's beginning to the end of the last, the end excluded.
    pub fn instants(self, zone: Tz) -> (DateTime<Utc>, DateTime<Utc>) {
        (
            day_start(self.first, zone),
            day_start(self.last + Days::new(1), zone),
        )
    }

    pub fn contains(self, day: NaiveDate) -> bool {
        self.first <= day && day <= self.last
    }
}

impl fmt::Display for Period {
    /// `2026-10` for a whole month, else `2026-10-05..2026-10-18`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if *self == Self::month_of(self.first) {
            write!(f, "{}", self.first.format("%Y-%m"))
        } else {
            write!(f, "{}..{}", self.first, self.last)
        }
    }
}

impl FromStr for Period {
    type Err = String;

    /// Reads what [`Period`] prints.
    fn from_str(text: &str) -> Result<Self, String> {
        let wrong =
            || format!("`{text}` is no period; write a month (2026-10) or 2026-10-05..2026-10-18");
        let day = |text: &str| text.parse::<NaiveDate>().map_err(|_| wrong());
        if let Some((first, last)) = text.split_once("..") {
            let period = Self {
                first: day(first)?,
                last: day(last)?,
            };
            if period.last < period.first {
                return Err(format!("the period `{text}` ends before it begins"));
            }
            return Ok(period);
        }
        Ok(Self::month_of(day(&format!("{text}-01"))?))
    }
}

/// A moment as people name it: an instant, or a day, which means its end.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Moment {
    At(DateTime<Utc>),
    EndOf(NaiveDate),
}

impl Moment {
    /// The instant; of a day its last second in that zone.
    pub fn instant(self, zone: Tz) -> DateTime<Utc> {
        match self {
            Self::At(instant) => instant,
            Self::EndOf(day) => day.succ_opt().map_or(DateTime::<Utc>::MAX_UTC, |next| {
                day_start(next, zone) - TimeDelta::seconds(1)
            }),
        }
    }
}

impl FromStr for Moment {
    type Err = String;

    /// Reads `2026-11-03T03:20:00+01:00` and `2026-11-03`.
    fn from_str(text: &str) -> Result<Self, String> {
        if let Ok(instant) = DateTime::parse_from_rfc3339(text) {
            return Ok(Self::At(instant.to_utc()));
        }
        text.parse().map(Self::EndOf).map_err(|_| {
            format!(
                "`{text}` is no moment; write a day (2026-11-03) or an instant with its offset \
                 (2026-11-03T03:20:00+01:00, or Z for UTC)"
            )
        })
    }
}

/// Seconds as `24:30`, or `24:30:15` where they do not end on a minute; `-0:20` below zero.
pub fn clock_text(seconds: i64) -> String {
    let sign = if seconds < 0 { "-" } else { "" };
    let whole = seconds.unsigned_abs();
    let (hours, minutes, rest) = (whole / 3600, whole / 60 % 60, whole % 60);
    if rest == 0 {
        format!("{sign}{hours}:{minutes:02}")
    } else {
        format!("{sign}{hours}:{minutes:02}:{rest:02}")
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use chrono_tz::Europe::Berlin;

    fn day(text: &str) -> NaiveDate {
        text.parse().unwrap()
    }

    fn hours(text: &str) -> i64 {
        let (from, to) = Period {
            first: day(text),
            last: day(text),
        }
        .instants(Berlin);
        (to - from).num_hours()
    }

    #[test]
    fn days_have_the_hours_that_the_clock_gives_them() {
        assert_eq!(hours("2026-03-28"), 24);
        assert_eq!(hours("2026-03-29"), 23);
        assert_eq!(hours("2026-10-25"), 25);
    }

    #[test]
    fn a_day_without_midnight_begins_with_its_first_minute() {
        let start = day_start(day("2024-09-08"), chrono_tz::America::Santiago);
        assert_eq!(start.to_rfc3339(), "2024-09-08T04:00:00+00:00");
    }

    #[test]
    fn a_skipped_hour_gives_the_first_instant_after_it() {
        let wall = day("2026-03-29").and_hms_opt(2, 30, 0).unwrap();
        let instant = first_instant_from(wall, Berlin);
        assert_eq!(instant.to_rfc3339(), "2026-03-29T01:00:00+00:00");
    }

    #[test]
    fn the_last_second_of_a_month_belongs_to_it() {
        let last = "2026-10-31T22:59:59Z".parse().unwrap();
        let next = "2026-10-31T23:00:00Z".parse().unwrap();
        assert_eq!(local_day(last, Berlin), day("2026-10-31"));
        assert_eq!(local_day(next, Berlin), day("2026-11-01"));
    }

    #[test]
    fn periods_read_what_they_print() {
        for text in ["2026-02", "2024-02", "2026-10-05..2026-10-18"] {
            assert_eq!(text.parse::<Period>().unwrap().to_string(), text);
        }
        assert!("2026-13".parse::<Period>().is_err());
        assert!("2026-10-05..2026-10-04".parse::<Period>().is_err());
    }

    #[test]
    fn a_moment_is_an_instant_or_the_end_of_a_day() {
        let end = |text: &str| text.parse::<Moment>().unwrap().instant(Berlin).to_rfc3339();
        assert_eq!(
            end("2026-11-03T03:20:00+01:00"),
            "2026-11-03T02:20:00+00:00"
        );
        assert_eq!(end("2026-11-03"), "2026-11-03T22:59:59+00:00");
        // The night in which the clock is set back is an hour longer.
        assert_eq!(end("2026-10-25"), "2026-10-25T22:59:59+00:00");
        assert_eq!(end("2026-10-24"), "2026-10-24T21:59:59+00:00");
        assert!("yesterday".parse::<Moment>().is_err());
        assert!("2026-11-03 03:20".parse::<Moment>().is_err());
    }

    #[test]
    fn durations_show_seconds_only_where_there_are_some() {
        assert_eq!(clock_text(24 * 3600 + 30 * 60), "24:30");
        assert_eq!(clock_text(-20 * 60), "-0:20");
        assert_eq!(clock_text(1520), "0:25:20");
    }
}
