//! Single values: texts, numbers, days, times, money, zones, and words of a list.

use chrono::{NaiveDate, NaiveTime};
use chrono_tz::Tz;
use config::ValueKind;
use rust_decimal::Decimal;

use super::reader::{Field, Spot};
use super::suggest;

/// The longest text that makes sense anywhere, in characters.
const TEXT_MAX: usize = 500;

impl Field<'_> {
    /// A text that says something, without blanks around it.
    pub(super) fn text(&self) -> Option<String> {
        let ValueKind::String(text) = self.kind() else {
            self.expected("a text", "\"…\"");
            return None;
        };
        let text = text.trim();
        if text.is_empty() {
            self.wrong(
                "this text is empty",
                "write something, or leave the key out".to_owned(),
            );
            return None;
        }
        if text.chars().count() > TEXT_MAX {
            self.wrong(format!("longer than {TEXT_MAX} characters"), None);
            return None;
        }
        if text.chars().any(char::is_control) {
            self.wrong(
                "this text has a line break or another control character",
                None,
            );
            return None;
        }
        Some(text.to_owned())
    }

    /// A list of texts.
    pub(super) fn texts(&self) -> Vec<String> {
        self.spotted_texts()
            .into_iter()
            .map(|(text, _)| text)
            .collect()
    }

    /// A list of texts and where each stands.
    pub(super) fn spotted_texts(&self) -> Vec<(String, Spot)> {
        if matches!(self.kind(), ValueKind::String(_)) && !self.is_all_text() {
            self.expected("a list of texts", "[\"…\", \"…\"]");
            return Vec::new();
        }
        let fields = self.list("a list of texts").unwrap_or_default();
        let texts = fields
            .iter()
            .filter_map(|field| Some((field.text()?, field.spot())));
        texts.collect()
    }

    pub(super) fn flag(&self) -> Option<bool> {
        match self.kind() {
            ValueKind::Boolean(flag) => Some(*flag),
            ValueKind::String(text) if self.is_all_text() && text == "true" => Some(true),
            ValueKind::String(text) if self.is_all_text() && text == "false" => Some(false),
            _ => {
                self.expected("`true` or `false`", "");
                None
            }
        }
    }

    /// A whole number within its bounds.
    pub(super) fn count(&self, min: u64, max: u64) -> Option<u64> {
        let number = match self.kind() {
            ValueKind::I64(number) => Some(*number),
            ValueKind::String(text) if self.is_all_text() => text.trim().parse().ok(),
            _ => None,
        };
        let Some(number) = number else {
            self.expected("a whole number", "");
            return None;
        };
        match u64::try_from(number) {
            Ok(count) if (min..=max).contains(&count) => Some(count),
            _ => {
                self.wrong(format!("{number} is not between {min} and {max}"), None);
                None
            }
        }
    }

    /// A calendar day, with or without quotation marks.
    pub(super) fn day(&self) -> Option<NaiveDate> {
        let ValueKind::String(text) = self.kind() else {
            self.expected("a day", "2026-01-31");
            return None;
        };
        let day = parse_day(text.trim());
        if day.is_none() {
            let german = NaiveDate::parse_from_str(text.trim(), "%d.%m.%Y").ok();
            let fix = match german {
                Some(day) => format!("write {day}"),
                None => "write year, month and day: 2026-01-31".to_owned(),
            };
            self.wrong(format!("`{text}` is no day of the calendar"), fix);
        }
        day
    }

    /// A time of day, `03:15`.
    pub(super) fn time_of_day(&self) -> Option<NaiveTime> {
        let ValueKind::String(text) = self.kind() else {
            self.expected("a time of day", "\"03:15\"");
            return None;
        };
        let text = text.trim();
        let parse = |format| NaiveTime::parse_from_str(text, format).ok();
        let time = parse("%H:%M").or_else(|| parse("%H:%M:%S"));
        if time.is_none() {
            self.wrong(
                format!("`{text}` is no time of day"),
                "write hours and minutes: \"03:15\"".to_owned(),
            );
        }
        time
    }

    /// A time zone by its name in the IANA database.
    pub(super) fn zone(&self) -> Option<Tz> {
        let text = self.text()?;
        let zone = text.parse().ok();
        if zone.is_none() {
            let fix = match suggest::zone(&text) {
                Some(meant) => format!("did you mean `{meant}`?"),
                None => "write it like \"Europe/Berlin\"".to_owned(),
            };
            self.wrong(format!("`{text}` is no time zone"), fix);
        }
        zone
    }

    /// An amount of money that is not negative, exact.
    pub(super) fn money(&self) -> Option<Decimal> {
        self.decimal(&Wanted {
            one: "an amount of money",
            none: "no amount of money",
            example: "\"59.00\"",
        })
    }

    /// A share in per cent, from 0 to 100.
    pub(super) fn percent(&self) -> Option<Decimal> {
        let percent = self.decimal(&Wanted {
            one: "a percentage",
            none: "no percentage",
            example: "19",
        })?;
        if percent > Decimal::ONE_HUNDRED {
            self.wrong(format!("{percent} per cent is more than 100"), None);
            return None;
        }
        Some(percent)
    }

    fn decimal(&self, wanted: &Wanted) -> Option<Decimal> {
        let text = match self.kind() {
            ValueKind::I64(number) => number.to_string(),
            ValueKind::String(text) => text.trim().to_owned(),
            // What 59.10 means in binary is not what was agreed.
            ValueKind::Float(_) => self.number_text().unwrap_or_default(),
            _ => {
                self.expected(wanted.one, wanted.example);
                return None;
            }
        };
        let value = parse_decimal(&text);
        if value.is_none() {
            self.wrong_decimal(&text, wanted);
        }
        value
    }

    fn wrong_decimal(&self, text: &str, wanted: &Wanted) {
        let positive = text.strip_prefix('-').and_then(parse_decimal);
        if positive.is_some_and(|value| !value.is_zero()) {
            self.wrong(format!("{text} is negative"), None);
            return;
        }
        // What people write: 59,00 or 59 € or 59 EUR.
        let units = ["€", "EUR", "Euro", "CHF", "$", "%"];
        let bare = units
            .iter()
            .fold(text.to_owned(), |text, unit| text.replace(unit, ""));
        let plain = bare.trim().replace(',', ".");
        let fix = match parse_decimal(&plain) {
            Some(_) => format!("write \"{plain}\""),
            None => format!(
                "write digits, a point and at most four more digits: {}",
                wanted.example
            ),
        };
        self.wrong(format!("`{text}` is {}", wanted.none), fix);
    }

    /// A duration, `10h`, `15m`, `90s` or `1h 30m`, in seconds.
    pub(super) fn duration(&self) -> Option<i64> {
        let ValueKind::String(text) = self.kind() else {
            self.expected("a duration", "\"1h 30m\"");
            return None;
        };
        let seconds = parse_duration(text);
        if seconds.is_none() {
            self.wrong(
                format!("`{text}` is no duration"),
                "write it like \"10h\", \"15m\", \"90s\" or \"1h 30m\"".to_owned(),
            );
        }
        seconds
    }

    /// One word of several.
    pub(super) fn choice<T: Copy>(&self, choices: &[(&str, T)]) -> Option<T> {
        let text = self.text()?;
        if let Some((_, value)) = choices.iter().find(|(word, _)| *word == text) {
            return Some(*value);
        }
        let fix = suggest::help(&text, choices.iter().map(|(word, _)| *word));
        self.wrong(format!("`{text}` is not known here"), fix);
        None
    }

    /// A path within a connection: relative, `/`-separated; empty and `.` are its root.
    pub(super) fn inner_path(&self) -> Option<String> {
        if matches!(self.kind(), ValueKind::String(text) if text.trim().is_empty()) {
            return Some(String::new());
        }
        let text = self.text()?;
        match inner_path(&text) {
            Ok(path) => Some(path),
            Err(why) => {
                self.wrong(format!("`{text}` {why}"), None);
                None
            }
        }
    }
}

/// How a number is asked for in words.
struct Wanted {
    one: &'static str,
    none: &'static str,
    example: &'static str,
}

/// Four digits, two, two: the parser of chrono would take more forms.
pub(super) fn parse_day(text: &str) -> Option<NaiveDate> {
    let digits = |byte: u8| byte.is_ascii_digit() || byte == b'-';
    let plain = text.len() == 10 && text.bytes().all(digits);
    plain.then(|| text.parse().ok()).flatten()
}

/// Digits, and up to four behind a point: no sign, no exponent, no separators.
fn parse_decimal(text: &str) -> Option<Decimal> {
    let (whole, rest) = text.split_once('.').unwrap_or((text, "0"));
    let digits = |text: &str, max| {
        (1..=max).contains(&text.len()) && text.bytes().all(|byte| byte.is_ascii_digit())
    };
    (digits(whole, 7) && digits(rest, 4))
        .then(|| text.parse().ok())
        .flatten()
}

/// Parts with a unit each, the largest first, as they are said.
fn parse_duration(text: &str) -> Option<i64> {
    let mut seconds: i64 = 0;
    let mut largest = i64::MAX;
    for part in text.split_whitespace() {
        let unit = match part.chars().last()? {
            'h' => 3600,
            'm' => 60,
            's' => 1,
            _ => return None,
        };
        let digits = &part[..part.len() - 1];
        if unit >= largest || digits.len() > 6 || !digits.bytes().all(|byte| byte.is_ascii_digit())
        {
            return None;
        }
        largest = unit;
        seconds += digits.parse::<i64>().ok()? * unit;
    }
    (seconds > 0).then_some(seconds)
}

/// A path below some root, without steps that leave it.
pub(super) fn inner_path(text: &str) -> Result<String, &'static str> {
    if text.starts_with(['/', '~']) {
        return Err("must be relative to the root of the connection");
    }
    if text.contains('\\') {
        return Err("has a backslash; write `/` between folders");
    }
    let steps = text
        .split('/')
        .filter(|step| !step.is_empty() && *step != ".");
    let steps: Vec<&str> = steps.collect();
    if steps.contains(&"..") {
        return Err("leads out of the connection");
    }
    Ok(steps.join("/"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn durations_read_as_they_are_said() {
        assert_eq!(parse_duration("1h 30m"), Some(5400));
        assert_eq!(parse_duration("90s"), Some(90));
        for wrong in [
            "",
            "15",
            "m",
            "0m",
            "30m 1h",
            "1h 1h",
            "-5m",
            "1,5h",
            "99999999h",
            "1 h",
        ] {
            assert_eq!(parse_duration(wrong), None, "{wrong}");
        }
    }

    #[test]
    fn decimals_are_exact_and_plain() {
        assert_eq!(parse_decimal("59.10"), Some("59.10".parse().unwrap()));
        for wrong in [
            "", ".", "1.", ".5", "1e3", "+1", "-1", "1_0", "1.23456", "12345678", "inf",
        ] {
            assert_eq!(parse_decimal(wrong), None, "{wrong}");
        }
    }

    #[test]
    fn days_have_one_form() {
        assert!(parse_day("2026-02-28").is_some());
        for wrong in [
            "2026-02-29",
            "2026-2-1",
            "+2026-2-01",
            "20260201",
            "2026-13-01",
        ] {
            assert_eq!(parse_day(wrong), None, "{wrong}");
        }
    }

    #[test]
    fn inner_paths_stay_inside() {
        assert_eq!(
            inner_path("Kunden//Müller/").as_deref(),
            Ok("Kunden/Müller")
        );
        assert_eq!(inner_path(".").as_deref(), Ok(""));
        for wrong in ["/etc", "a/../..", "~/x", "a\\b"] {
            assert!(inner_path(wrong).is_err(), "{wrong}");
        }
    }
}
