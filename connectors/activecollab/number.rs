//! Decimal numbers as ActiveCollab writes them, without a floating point between text and sum.
//!
//! Time is kept there as decimal hours with two decimals, and shown as hours and minutes: ten
//! minutes are `0.17` (feather-sdk#30). So what has at most two decimals is rounded to the
//! nearest minute, which gives back what the person typed: two decimals are off by eighteen
//! seconds at most, and thirty would be needed to land on another minute. What has more decimals
//! was written by a program that meant them, and is rounded to the nearest second.

use serde_json::value::RawValue;

use crate::error::Reject;

/// More digits than these, before or behind the point, are no time and no price.
const DIGITS_MAX: usize = 12;

/// A number as `units` of `10 ^ -scale`; no trailing zeros behind the point.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Decimal {
    units: i128,
    scale: u32,
}

impl Decimal {
    /// Reads a JSON number, or a text that holds one.
    pub(super) fn read(field: &'static str, received: Option<&RawValue>) -> Result<Self, Reject> {
        let received = received.map(RawValue::get).filter(|text| *text != "null");
        let text = received.ok_or_else(|| Reject::field(field, "is missing"))?;
        let quoted = text.strip_prefix('"').and_then(|it| it.strip_suffix('"'));
        let plain = quoted.unwrap_or(text);
        Self::parse(plain).ok_or_else(|| {
            let shown: String = plain.chars().take(40).collect();
            Reject::field(field, format!("`{shown}` is not a plain decimal number"))
        })
    }

    fn parse(text: &str) -> Option<Self> {
        let (negative, text) = match text.strip_prefix('-') {
            Some(rest) => (true, rest),
            None => (false, text),
        };
        let (whole, fraction) = text.split_once('.').unwrap_or((text, "0"));
        let fraction = match fraction.trim_end_matches('0') {
            _ if fraction.is_empty() => return None,
            trimmed => trimmed,
        };
        let digits = |part: &str| part.bytes().all(|byte| byte.is_ascii_digit());
        let fits = whole.len() <= DIGITS_MAX && fraction.len() <= DIGITS_MAX;
        if whole.is_empty() || !fits || !digits(whole) || !digits(fraction) {
            return None;
        }
        let units: i128 = format!("{whole}{fraction}").parse().ok()?;
        Some(Self {
            units: if negative { -units } else { units },
            scale: u32::try_from(fraction.len()).ok()?,
        })
    }

    /// Hours as whole seconds; see the head of this file for the rounding.
    pub(super) fn seconds_of_hours(self) -> Option<i64> {
        let steps = if self.scale <= 2 { 60 } else { 3600 };
        let count = rounded(self.units * steps, 10_i128.pow(self.scale));
        i64::try_from(count * (3600 / steps)).ok()
    }

    /// An amount as whole cents; `None` where it has a fraction of one.
    pub(super) fn cents(self) -> Option<i64> {
        let missing = 2_u32.checked_sub(self.scale)?;
        i64::try_from(self.units * 10_i128.pow(missing)).ok()
    }
}

/// Half away from zero, as everywhere.
fn rounded(dividend: i128, divisor: i128) -> i128 {
    let half = if dividend < 0 { -divisor } else { divisor } / 2;
    (dividend + half) / divisor
}

#[cfg(test)]
mod tests {
    use super::*;

    fn decimal(text: &str) -> Result<Decimal, Reject> {
        let received = RawValue::from_string(text.to_owned()).unwrap();
        Decimal::read("value", Some(&received))
    }

    fn seconds(text: &str) -> i64 {
        decimal(text).unwrap().seconds_of_hours().unwrap()
    }

    #[test]
    fn three_tenths_of_an_hour_are_eighteen_minutes() {
        assert_eq!(3 * seconds("0.1"), 18 * 60);
        assert_eq!(seconds("0.3"), 18 * 60);
    }

    #[test]
    fn every_minute_of_a_day_comes_back_from_its_two_decimals() {
        for minutes in 0..=24 * 60_i64 {
            let hundredths = rounded(i128::from(minutes) * 100, 60);
            let text = format!("{}.{:02}", hundredths / 100, hundredths % 100);
            assert_eq!(seconds(&text), minutes * 60, "{text}");
            assert_eq!(seconds(&format!("\"{text}\"")), minutes * 60, "{text}");
        }
    }

    #[test]
    fn more_decimals_are_meant_to_the_second() {
        assert_eq!(seconds("0.125"), 450);
        assert_eq!(seconds("0.0001"), 0);
        assert_eq!(seconds("0.00014"), 1);
        assert_eq!(seconds("1.50000"), 5400);
        assert_eq!(seconds("-0.5"), -1800);
        assert_eq!(seconds("-0.17"), -600);
    }

    #[test]
    fn money_is_exact_or_refused() {
        let cents = |text| decimal(text).unwrap().cents();
        assert_eq!(cents("250"), Some(25_000));
        assert_eq!(cents("19.9"), Some(1_990));
        assert_eq!(cents("\"0.10\""), Some(10));
        assert_eq!(cents("4.350"), Some(435));
        assert_eq!(cents("-3.05"), Some(-305));
        assert_eq!(cents("0.005"), None);
    }

    #[test]
    fn what_is_no_plain_number_is_refused_by_its_field() {
        for text in [
            "1e3",
            "\"1,5\"",
            "\"\"",
            "true",
            "[1]",
            "\"1.\"",
            "1234567890123",
        ] {
            assert_eq!(decimal(text).unwrap_err().field, Some("value"), "{text}");
        }
        assert!(decimal("null").is_err());
        assert!(Decimal::read("value", None).is_err());
    }
}
