//! Durations as exports write them, in whole seconds.

use serde::{Deserialize, Serialize};

use super::dates::{half_of_day, number};

/// What a plain number in a duration column counts; a written-out form (`1:30`, `25:20 min`)
/// speaks for itself.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum Unit {
    #[default]
    Hours,
    Minutes,
    Seconds,
}

impl Unit {
    pub(crate) const WORDS: [(&'static str, Self); 3] = [
        ("hours", Self::Hours),
        ("minutes", Self::Minutes),
        ("seconds", Self::Seconds),
    ];

    fn seconds(self) -> i64 {
        match self {
            Self::Hours => 3600,
            Self::Minutes => 60,
            Self::Seconds => 1,
        }
    }
}

/// Which sign stands before the decimals.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) enum Decimal {
    /// The last of the signs in the number: durations are too short to need thousands.
    #[default]
    #[serde(rename = "auto")]
    Auto,
    #[serde(rename = ",")]
    Comma,
    #[serde(rename = ".")]
    Point,
}

impl Decimal {
    pub(crate) const WORDS: [(&'static str, Self); 3] =
        [("auto", Self::Auto), (",", Self::Comma), (".", Self::Point)];
}

/// A duration as written, and how exactly.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Written {
    pub(crate) seconds: i64,
    /// The smallest step of the writing, in seconds: 1 for `0:25:20`, 60 for `0:25`, 36 for
    /// hours with two decimals.
    pub(crate) step: i64,
    /// Written as a time of day (`02:00:00 AM`), so whole days are lost.
    pub(crate) wraps: bool,
}

impl Written {
    fn exact(seconds: i64, step: i64) -> Self {
        Self {
            seconds,
            step,
            wraps: false,
        }
    }
}

/// Reads a duration; the reason on failure.
pub(crate) fn read(text: &str, unit: Unit, decimal: Decimal) -> Result<Written, String> {
    let (negative, plain) = match text.strip_prefix(['-', '−']) {
        Some(rest) => (true, rest.trim_start()),
        None => (false, text),
    };
    let written = form(plain, unit, decimal).ok_or_else(|| {
        "is not a duration; known are 1:30:00, 1:30, 25:20 min, 1.5 and 1,5".to_owned()
    })?;
    Ok(Written {
        seconds: if negative {
            -written.seconds
        } else {
            written.seconds
        },
        ..written
    })
}

fn form(text: &str, unit: Unit, decimal: Decimal) -> Option<Written> {
    // A spreadsheet in a 12-hour locale takes 02:00:00 for a time of day and writes it so;
    // half an hour becomes 12:30:00 AM (seen in a Toggl export of 2022).
    if let (clock, Some(half)) = half_of_day(text) {
        let (hours, rest) = clock.split_once(':')?;
        let hours = number(hours).filter(|hours| *hours <= 12)? % 12 + half;
        let (seconds, step) = sexagesimal(i64::from(hours), rest)?;
        return Some(Written {
            seconds,
            step,
            wraps: true,
        });
    }
    for (word, unit) in [
        ("hours", Unit::Hours),
        ("min", Unit::Minutes),
        ("sec", Unit::Seconds),
        ("h", Unit::Hours),
    ] {
        if let Some(rest) = text.strip_suffix(word) {
            let rest = rest.trim_end();
            return match (rest.split_once(':'), unit) {
                // Toggl's classic style writes less than an hour as `25:20 min`.
                (Some((minutes, seconds)), Unit::Minutes) if !seconds.contains(':') => {
                    let minutes = i64::from(number(minutes)?);
                    Some(Written::exact(minutes * 60 + below_60(seconds)?, 1))
                }
                (Some((hours, rest)), Unit::Hours) => clock(hours, rest),
                (Some(_), _) => None,
                (None, unit) => scaled(rest, unit.seconds(), decimal),
            };
        }
    }
    match text.split_once(':') {
        Some((hours, rest)) => clock(hours, rest),
        None => scaled(text, unit.seconds(), decimal),
    }
}

fn clock(hours: &str, rest: &str) -> Option<Written> {
    let (seconds, step) = sexagesimal(i64::from(number(hours)?), rest)?;
    Some(Written::exact(seconds, step))
}

/// `25:20` or `25` behind the hours.
fn sexagesimal(hours: i64, rest: &str) -> Option<(i64, i64)> {
    let (minutes, seconds, step) = match rest.split_once(':') {
        Some((minutes, seconds)) => (below_60(minutes)?, below_60(seconds)?, 1),
        None => (below_60(rest)?, 0, 60),
    };
    Some((hours * 3600 + minutes * 60 + seconds, step))
}

fn below_60(text: &str) -> Option<i64> {
    (text.len() == 2)
        .then(|| number(text))
        .flatten()
        .filter(|&value| value < 60)
        .map(i64::from)
}

/// A decimal number of a unit, as whole seconds, halves away from zero.
fn scaled(text: &str, unit: i64, decimal: Decimal) -> Option<Written> {
    let sign = match decimal {
        Decimal::Comma => Some(','),
        Decimal::Point => Some('.'),
        Decimal::Auto => text.rfind([',', '.']).map(|at| {
            let byte = text.as_bytes()[at];
            char::from(byte)
        }),
    };
    let (whole, fraction) = sign
        .and_then(|sign| text.split_once(sign))
        .unwrap_or((text, ""));
    let whole = without_thousands(whole, sign)?;
    // More decimals than nine say nothing about seconds, and would not fit.
    if fraction.len() > 9 || whole.len() + fraction.len() == 0 {
        return None;
    }
    let whole = i64::from(number(if whole.is_empty() { "0" } else { &whole })?);
    let (value, scale) = match fraction {
        "" => (0, 1),
        digits => {
            let power = 10_i64.pow(u32::try_from(digits.len()).ok()?);
            (i64::from(number(digits)?), power)
        }
    };
    let seconds = whole
        .checked_mul(unit)?
        .checked_add((value * unit * 2 + scale) / (2 * scale))?;
    Some(Written::exact(seconds, (unit + scale - 1) / scale))
}

/// The whole part without the other sign, where that groups by three: `1.234` of `1.234,5`.
fn without_thousands(whole: &str, sign: Option<char>) -> Option<String> {
    let other = match sign {
        Some(',') => '.',
        _ => ',',
    };
    if !whole.contains(other) {
        return Some(whole.to_owned());
    }
    let mut groups = whole.split(other);
    let first = groups.next()?;
    let grouped = (1..=3).contains(&first.len()) && groups.all(|group| group.len() == 3);
    grouped.then(|| whole.replace(other, ""))
}
