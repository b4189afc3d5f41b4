//! Dates and times of day as people and exports write them.

use chrono::NaiveDate;
use serde::{Deserialize, Serialize};

/// Which of two numbers is the day in `03/04/2024`, once it is known.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum Order {
    DayFirst,
    MonthFirst,
}

/// How a mapping says that dates are written.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) enum DateStyle {
    /// Whatever can be told apart; slashes and dashes ask for the order.
    #[default]
    #[serde(rename = "auto")]
    Auto,
    #[serde(rename = "YYYY-MM-DD")]
    Iso,
    #[serde(rename = "YYYYMMDD")]
    Compact,
    #[serde(rename = "DD.MM.YYYY")]
    Dots,
    #[serde(rename = "DD/MM/YYYY")]
    DaySlashes,
    #[serde(rename = "MM/DD/YYYY")]
    MonthSlashes,
    #[serde(rename = "DD-MM-YYYY")]
    DayDashes,
    #[serde(rename = "MM-DD-YYYY")]
    MonthDashes,
}

impl DateStyle {
    /// The styles by the words of a mapping.
    pub(crate) const WORDS: [(&'static str, Self); 8] = [
        ("auto", Self::Auto),
        ("YYYY-MM-DD", Self::Iso),
        ("YYYYMMDD", Self::Compact),
        ("DD.MM.YYYY", Self::Dots),
        ("DD/MM/YYYY", Self::DaySlashes),
        ("MM/DD/YYYY", Self::MonthSlashes),
        ("DD-MM-YYYY", Self::DayDashes),
        ("MM-DD-YYYY", Self::MonthDashes),
    ];

    fn word(self) -> &'static str {
        Self::WORDS
            .iter()
            .find(|(_, style)| *style == self)
            .map_or("auto", |(word, _)| word)
    }
}

/// What a written date may mean.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Reading {
    Known(NaiveDate),
    /// Day and month are written alike; either reading may be no date at all.
    Open {
        day_first: Option<NaiveDate>,
        month_first: Option<NaiveDate>,
    },
}

/// Reads a date in the style; the reason on failure.
pub(super) fn read(text: &str, style: DateStyle) -> Result<Reading, String> {
    let reading = if style == DateStyle::Compact {
        compact(text).map(Reading::Known)
    } else {
        parts(text).and_then(|(mark, parts)| in_style(mark, parts, style))
    };
    reading.ok_or_else(|| match style {
        DateStyle::Auto => "is not a date; known are 2024-04-03, 03.04.2024 and 04/03/2024, \
                            with four digits for the year"
            .to_owned(),
        style => format!("is not a date written as {}", style.word()),
    })
}

/// Reads a date whose order is known.
pub(super) fn date(
    text: &str,
    style: DateStyle,
    order: Option<Order>,
) -> Result<NaiveDate, String> {
    let (day_first, month_first) = match read(text, style)? {
        Reading::Known(date) => return Ok(date),
        Reading::Open {
            day_first,
            month_first,
        } => (day_first, month_first),
    };
    match order {
        Some(Order::DayFirst) => {
            day_first.ok_or_else(|| "is not a date with the day first, as in this file".to_owned())
        }
        Some(Order::MonthFirst) => month_first
            .ok_or_else(|| "is not a date with the month first, as in this file".to_owned()),
        None => Err(ambiguous()),
    }
}

/// Why a date that allows two readings is refused, and what to do.
pub(super) fn ambiguous() -> String {
    "allows two readings, and no row tells which one is meant; say --dates day-first or \
     --dates month-first"
        .to_owned()
}

fn in_style(mark: u8, parts: [&str; 3], style: DateStyle) -> Option<Reading> {
    let [first, second, third] = parts;
    let known = |date: Option<NaiveDate>| date.map(Reading::Known);
    match (style, mark) {
        (DateStyle::Auto, b'-' | b'/') | (DateStyle::Iso, b'-') if first.len() == 4 => {
            known(ymd(first, second, third))
        }
        (DateStyle::Auto | DateStyle::Dots, b'.')
        | (DateStyle::DaySlashes, b'/')
        | (DateStyle::DayDashes, b'-') => known(ymd(third, second, first)),
        (DateStyle::MonthSlashes, b'/') | (DateStyle::MonthDashes, b'-') => {
            known(ymd(third, first, second))
        }
        (DateStyle::Auto, b'/' | b'-') => {
            let day_first = ymd(third, second, first);
            let month_first = ymd(third, first, second);
            if day_first == month_first {
                return known(day_first);
            }
            Some(Reading::Open {
                day_first,
                month_first,
            })
        }
        _ => None,
    }
}

/// Three runs of digits between two equal marks.
fn parts(text: &str) -> Option<(u8, [&str; 3])> {
    let at = text.find(['-', '/', '.'])?;
    let mark = text.as_bytes()[at];
    let mut pieces = text.split(char::from(mark));
    let parts = [pieces.next()?, pieces.next()?, pieces.next()?];
    pieces.next().is_none().then_some((mark, parts))
}

fn compact(text: &str) -> Option<NaiveDate> {
    if text.len() != 8 || !text.bytes().all(|byte| byte.is_ascii_digit()) {
        return None;
    }
    ymd(&text[..4], &text[4..6], &text[6..])
}

fn ymd(year: &str, month: &str, day: &str) -> Option<NaiveDate> {
    let year = (year.len() == 4).then(|| number(year)).flatten()?;
    // No tracked time is older than the trackers, and `0024` is a year cut short by somebody.
    if !(1970..3000).contains(&year) || month.len() > 2 || day.len() > 2 {
        return None;
    }
    NaiveDate::from_ymd_opt(i32::try_from(year).ok()?, number(month)?, number(day)?)
}

/// Digits, and nothing but digits; `parse` would take a plus sign.
pub(super) fn number(text: &str) -> Option<u32> {
    let digits = !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    digits.then(|| text.parse().ok()).flatten()
}

/// A time of day.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct TimeOfDay {
    /// From midnight; `24:00` is 86400, the end of the day.
    pub(super) seconds: u32,
    /// Written to the minute only, so that up to 59 seconds may be missing.
    pub(super) coarse: bool,
}

/// Reads `15:10:43`, `15:10`, `9:05`, `10:30:34 AM`, `151043` and `24:00`.
pub(super) fn time_of_day(text: &str) -> Result<TimeOfDay, String> {
    clock(text).ok_or_else(|| "is not a time of day; known are 15:10, 15:10:43 and 3:10 PM".into())
}

fn clock(text: &str) -> Option<TimeOfDay> {
    let (text, half) = half_of_day(text);
    if text.len() == 6 && half.is_none() && !text.contains(':') {
        let (hours, rest) = text.split_at_checked(2)?;
        let (minutes, seconds) = rest.split_at_checked(2)?;
        return of_parts(number(hours)?, number(minutes)?, Some(number(seconds)?));
    }
    let mut pieces = text.split(':');
    let (hours, minutes) = (pieces.next()?, pieces.next()?);
    let seconds = pieces.next();
    if pieces.next().is_some() || hours.len() > 2 || minutes.len() != 2 {
        return None;
    }
    if seconds.is_some_and(|seconds| seconds.len() != 2) {
        return None;
    }
    let seconds = match seconds {
        Some(seconds) => Some(number(seconds)?),
        None => None,
    };
    let hours = match (half, number(hours)?) {
        (Some(half), hours @ 0..=12) => hours % 12 + half,
        // Spreadsheets write 13:05 PM for those who asked for both.
        (None, hours) | (Some(12), hours @ 13..=23) => hours,
        (Some(_), _) => return None,
    };
    of_parts(hours, number(minutes)?, seconds)
}

fn of_parts(hours: u32, minutes: u32, seconds: Option<u32>) -> Option<TimeOfDay> {
    let of_day = hours
        .checked_mul(3600)?
        .checked_add(minutes * 60 + seconds.unwrap_or(0))?;
    (minutes < 60 && seconds.unwrap_or(0) < 60 && of_day <= 86_400).then_some(TimeOfDay {
        seconds: of_day,
        coarse: seconds.is_none(),
    })
}

/// Takes `AM` or `PM` off; gives the hours that it adds.
pub(super) fn half_of_day(text: &str) -> (&str, Option<u32>) {
    let Some((at, _)) = text.char_indices().rev().nth(1) else {
        return (text, None);
    };
    let (rest, half) = text.split_at(at);
    let hours = if half.eq_ignore_ascii_case("AM") {
        0
    } else if half.eq_ignore_ascii_case("PM") {
        12
    } else {
        return (text, None);
    };
    // The space may be a narrow no-break one, as newer JavaScript engines write it.
    (rest.trim_end(), Some(hours))
}

/// The zone that a moment carries itself, and the text without it: `Z`, `+02:00`, `-0530`.
pub(super) fn offset(text: &str) -> (&str, Option<i32>) {
    if let Some(rest) = text.strip_suffix(['Z', 'z']) {
        return (rest.trim_end(), Some(0));
    }
    let Some(at) = text.rfind(['+', '-']) else {
        return (text, None);
    };
    let (rest, offset) = text.split_at(at);
    let sign = if offset.starts_with('-') { -1 } else { 1 };
    let digits = offset[1..].replace(':', "");
    if digits.len() != 4 {
        return (text, None);
    }
    let (Some(hours), Some(minutes)) = (
        digits.get(..2).and_then(number),
        digits.get(2..).and_then(number),
    ) else {
        return (text, None);
    };
    let seconds = i32::try_from(hours * 3600 + minutes * 60).unwrap_or(0);
    (rest.trim_end(), Some(sign * seconds))
}
