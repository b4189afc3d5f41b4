//! Durations as people write them: hours and minutes, and decimal hours.

use rust_decimal::Decimal;

use super::locale::MINUS;

/// Whether durations are printed to the minute or to the second; one choice for a whole column,
/// because `0:25` below `0:25:20` invites misreading.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Precision {
    Minutes,
    Seconds,
}

impl Precision {
    /// Minutes as long as nothing is lost.
    pub(super) fn of(durations: impl IntoIterator<Item = i64>) -> Self {
        if durations.into_iter().all(|seconds| seconds % 60 == 0) {
            Self::Minutes
        } else {
            Self::Seconds
        }
    }

    /// `24:30` or `24:30:00`, with the given sign below zero.
    fn text(self, seconds: i64, minus: char) -> String {
        let whole = seconds.unsigned_abs();
        let (hours, minutes, rest) = (whole / 3600, whole / 60 % 60, whole % 60);
        let sign = if seconds < 0 {
            minus.to_string()
        } else {
            String::new()
        };
        match self {
            Self::Minutes => format!("{sign}{hours}:{minutes:02}"),
            Self::Seconds => format!("{sign}{hours}:{minutes:02}:{rest:02}"),
        }
    }

    /// For a page.
    pub(super) fn print(self, seconds: i64) -> String {
        self.text(seconds, MINUS)
    }

    /// For a spreadsheet, which takes only a hyphen for a sign.
    pub(super) fn cell(self, seconds: i64) -> String {
        self.text(seconds, '-')
    }
}

/// Hours with two places, rounded half away from zero; true when nothing was rounded.
pub(super) fn hours(seconds: i64) -> (String, bool) {
    let exact = seconds % 36 == 0;
    (decimal_hours(seconds, 2).to_string(), exact)
}

/// Hours for a spreadsheet: two places, or up to six where two are not exact. A second is
/// 0.000278 hours, so none is lost.
pub(super) fn hours_cell(seconds: i64) -> String {
    let mut hours = decimal_hours(seconds, 6).normalize();
    if hours.scale() < 2 {
        hours.rescale(2);
    }
    hours.to_string()
}

fn decimal_hours(seconds: i64, places: u32) -> Decimal {
    let scaled = i128::from(seconds) * 10i128.pow(places);
    let half = if scaled < 0 { -1800 } else { 1800 };
    Decimal::from_i128_with_scale((scaled + half) / 3600, places)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn a_column_has_one_precision() {
        assert_eq!(Precision::of([60, 3600]), Precision::Minutes);
        assert_eq!(Precision::of([60, 1520]), Precision::Seconds);
        assert_eq!(Precision::Seconds.print(60), "0:01:00");
        assert_eq!(Precision::Minutes.print(-1200), "\u{2212}0:20");
        assert_eq!(Precision::Minutes.cell(-1200), "-0:20");
        assert_eq!(Precision::Minutes.print(88_200), "24:30");
    }

    #[test]
    fn decimal_hours_say_when_they_are_rounded() {
        assert_eq!(hours(88_200), ("24.50".to_owned(), true));
        assert_eq!(hours(1200), ("0.33".to_owned(), false));
        assert_eq!(hours(-18), ("-0.01".to_owned(), false));
        assert_eq!(hours_cell(88_200), "24.50");
        assert_eq!(hours_cell(1200), "0.333333");
        assert_eq!(hours_cell(0), "0.00");
    }

    proptest! {
        /// Six places of an hour are a third of a hundredth of a second: the second comes back.
        #[test]
        fn no_second_is_lost_in_decimal_hours(seconds in -400_000_000i64..400_000_000) {
            let hours: Decimal = hours_cell(seconds).parse().unwrap();
            let back = (hours * Decimal::from(3600)).round();
            prop_assert_eq!(back, Decimal::from(seconds));
        }
    }
}
