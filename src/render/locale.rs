//! Numbers, dates and durations as people write them in the language of the document.
//!
//! Everything is computed with integers and exact decimals; a floating point number never
//! comes near a printed digit.

use chrono::{DateTime, Datelike, FixedOffset, NaiveDate, TimeZone};
use chrono_tz::{OffsetName, Tz};
use rust_decimal::Decimal;

use crate::billing::Language;
use crate::money::{Cents, HourlyRate};
use crate::time::Period;

/// Keeps an amount and its currency on one line.
const NO_BREAK_SPACE: char = '\u{a0}';
/// The minus sign of typography; a hyphen is shorter than the digits and may break the line.
pub(super) const MINUS: char = '\u{2212}';
const EN_DASH: char = '\u{2013}';

const MONTHS_DE: [&str; 12] = [
    "Januar",
    "Februar",
    "März",
    "April",
    "Mai",
    "Juni",
    "Juli",
    "August",
    "September",
    "Oktober",
    "November",
    "Dezember",
];
const MONTHS_EN: [&str; 12] = [
    "January",
    "February",
    "March",
    "April",
    "May",
    "June",
    "July",
    "August",
    "September",
    "October",
    "November",
    "December",
];
const WEEKDAYS_DE: [&str; 7] = ["Mo", "Di", "Mi", "Do", "Fr", "Sa", "So"];
const WEEKDAYS_EN: [&str; 7] = ["Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun"];

/// How one document writes its numbers.
#[derive(Clone, Debug)]
pub(super) struct Locale {
    pub(super) language: Language,
    currency: String,
}

impl Locale {
    pub(super) fn new(language: Language, currency: &str) -> Self {
        Self {
            language,
            currency: currency.to_owned(),
        }
    }

    fn german(&self) -> bool {
        self.language == Language::De
    }

    /// Groups thousands and sets the decimal sign of a number written with a point.
    pub(super) fn number(&self, plain: &str) -> String {
        let (negative, digits) = match plain.strip_prefix('-') {
            Some(digits) => (true, digits),
            None => (false, plain),
        };
        let (whole, fraction) = digits.split_once('.').unwrap_or((digits, ""));
        let (group, point) = if self.german() {
            ('.', ',')
        } else {
            (',', '.')
        };
        let mut text = String::with_capacity(plain.len() + 8);
        if negative {
            text.push(MINUS);
        }
        for (index, digit) in whole.chars().enumerate() {
            if index > 0 && (whole.len() - index).is_multiple_of(3) {
                text.push(group);
            }
            text.push(digit);
        }
        if !fraction.is_empty() {
            text.push(point);
            text.push_str(fraction);
        }
        text
    }

    /// `1.681,50 €`, `€1,681.50`, `−CHF 308.28`.
    pub(super) fn amount(&self, amount: Cents) -> String {
        self.money(&amount.to_string())
    }

    /// The price of an hour with as many places as it needs, two at least.
    pub(super) fn rate(&self, rate: HourlyRate) -> String {
        self.money(&rate.to_string())
    }

    fn money(&self, plain: &str) -> String {
        let number = self.number(plain);
        let symbol = symbol(&self.currency);
        if self.german() {
            return format!(
                "{number}{NO_BREAK_SPACE}{}",
                symbol.unwrap_or(&self.currency)
            );
        }
        let (sign, number) = match number.strip_prefix(MINUS) {
            Some(number) => (MINUS.to_string(), number),
            None => (String::new(), number.as_str()),
        };
        match symbol {
            Some(symbol) => format!("{sign}{symbol}{number}"),
            None => format!("{sign}{}{NO_BREAK_SPACE}{number}", self.currency),
        }
    }

    /// `19 %` in German, `19%` in English.
    pub(super) fn percent(&self, rate: Decimal) -> String {
        let number = self.number(&rate.normalize().to_string());
        if self.german() {
            format!("{number}{NO_BREAK_SPACE}%")
        } else {
            format!("{number}%")
        }
    }

    /// `02.11.2026`, `2 Nov 2026`.
    pub(super) fn date(&self, day: NaiveDate) -> String {
        if self.german() {
            day.format("%d.%m.%Y").to_string()
        } else {
            format!("{}{NO_BREAK_SPACE}{}", self.english_day(day), day.year())
        }
    }

    fn english_day(&self, day: NaiveDate) -> String {
        format!("{}{NO_BREAK_SPACE}{}", day.day(), &self.month(day)[..3])
    }

    pub(super) fn weekday(&self, day: NaiveDate) -> &'static str {
        let index = day.weekday().num_days_from_monday() as usize;
        if self.german() {
            WEEKDAYS_DE[index]
        } else {
            WEEKDAYS_EN[index]
        }
    }

    fn month(&self, day: NaiveDate) -> &'static str {
        let index = day.month0() as usize;
        if self.german() {
            MONTHS_DE[index]
        } else {
            MONTHS_EN[index]
        }
    }

    /// The shortest form that is not ambiguous: `01.11.–30.11.2026`, `1–30 Nov 2026`.
    pub(super) fn period(&self, period: Period) -> String {
        let Period { first, last } = period;
        if first == last || first.year() != last.year() {
            let both = [first, last].map(|day| self.date(day));
            return if first == last {
                both[0].clone()
            } else {
                both.join(&EN_DASH.to_string())
            };
        }
        let start = match (self.german(), first.month() == last.month()) {
            (true, _) => first.format("%d.%m.").to_string(),
            (false, true) => first.day().to_string(),
            (false, false) => self.english_day(first),
        };
        format!("{start}{EN_DASH}{}", self.date(last))
    }

    /// The name of a whole month, else the dates.
    pub(super) fn period_name(&self, period: Period) -> String {
        if period == Period::month_of(period.first) {
            format!("{} {}", self.month(period.first), period.first.year())
        } else {
            self.period(period)
        }
    }

    /// The time of day as the clock on the wall showed it, with its zone in the hour that the
    /// clock shows twice: `02:30 (MESZ)`.
    pub(super) fn time_of_day(&self, at: DateTime<FixedOffset>, zone: Option<Tz>) -> String {
        let wall = at.format("%H:%M").to_string();
        let Some(zone) = zone else { return wall };
        let twice = matches!(
            zone.from_local_datetime(&at.naive_local()),
            chrono::LocalResult::Ambiguous(..)
        );
        if !twice {
            return wall;
        }
        let local = at.with_timezone(&zone);
        let name = match (local.offset().abbreviation(), self.german()) {
            (Some("CEST"), true) => "MESZ".to_owned(),
            (Some("CET"), true) => "MEZ".to_owned(),
            (Some(name), _) if name.chars().all(|c| c.is_ascii_alphabetic()) => name.to_owned(),
            _ => format!("UTC{}", at.format("%:z")),
        };
        format!("{wall}{NO_BREAK_SPACE}({name})")
    }
}

/// Symbols that name one currency without doubt in Europe.
fn symbol(currency: &str) -> Option<&'static str> {
    match currency {
        "EUR" => Some("€"),
        "GBP" => Some("£"),
        "USD" => Some("$"),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use chrono_tz::Europe::Berlin;
    use proptest::prelude::*;

    fn de() -> Locale {
        Locale::new(Language::De, "EUR")
    }

    fn en(currency: &str) -> Locale {
        Locale::new(Language::En, currency)
    }

    fn period(text: &str) -> Period {
        text.parse().unwrap()
    }

    #[test]
    fn amounts_follow_the_language() {
        assert_eq!(de().amount(Cents::new(168_150)), "1.681,50\u{a0}€");
        assert_eq!(de().amount(Cents::new(-30_828)), "\u{2212}308,28\u{a0}€");
        assert_eq!(de().amount(Cents::new(123_456_789)), "1.234.567,89\u{a0}€");
        assert_eq!(en("EUR").amount(Cents::new(168_150)), "€1,681.50");
        assert_eq!(en("EUR").amount(Cents::new(-5)), "\u{2212}€0.05");
        assert_eq!(
            en("CHF").amount(Cents::new(-30_828)),
            "\u{2212}CHF\u{a0}308.28"
        );
        let chf = Locale::new(Language::De, "CHF");
        assert_eq!(chf.amount(Cents::new(99_900)), "999,00\u{a0}CHF");
    }

    #[test]
    fn rates_keep_every_place() {
        let rate = HourlyRate::new("59.125".parse().unwrap());
        assert_eq!(de().rate(rate), "59,125\u{a0}€");
        assert_eq!(de().percent("19.00".parse().unwrap()), "19\u{a0}%");
        assert_eq!(en("EUR").percent("7.5".parse().unwrap()), "7.5%");
    }

    #[test]
    fn periods_are_short_and_unambiguous() {
        assert_eq!(de().period(period("2026-11")), "01.11.–30.11.2026");
        assert_eq!(
            en("EUR").period(period("2026-11")),
            "1–30\u{a0}Nov\u{a0}2026"
        );
        let across = period("2026-12-28..2027-01-03");
        assert_eq!(de().period(across), "28.12.2026–03.01.2027");
        assert_eq!(
            en("EUR").period(period("2026-09-28..2026-10-04")),
            "28\u{a0}Sep–4\u{a0}Oct\u{a0}2026"
        );
        assert_eq!(de().period(period("2026-10-05..2026-10-05")), "05.10.2026");
        assert_eq!(de().period_name(period("2026-03")), "März 2026");
        assert_eq!(
            en("EUR").date("2026-11-02".parse().unwrap()),
            "2\u{a0}Nov\u{a0}2026"
        );
    }

    #[test]
    fn the_doubled_hour_names_its_zone_and_no_other_does() {
        let at = |text: &str| DateTime::parse_from_rfc3339(text).unwrap();
        let show = |text: &str| de().time_of_day(at(text), Some(Berlin));
        assert_eq!(show("2026-10-25T02:30:00+02:00"), "02:30\u{a0}(MESZ)");
        assert_eq!(show("2026-10-25T02:30:00+01:00"), "02:30\u{a0}(MEZ)");
        assert_eq!(show("2026-10-25T03:00:00+01:00"), "03:00");
        assert_eq!(show("2026-10-24T02:30:00+02:00"), "02:30");
        let english = en("EUR").time_of_day(at("2026-10-25T02:30:00+02:00"), Some(Berlin));
        assert_eq!(english, "02:30\u{a0}(CEST)");
        let casablanca = chrono_tz::Africa::Casablanca;
        let morocco = de().time_of_day(at("2026-02-15T02:30:00+01:00"), Some(casablanca));
        assert_eq!(morocco, "02:30\u{a0}(UTC+01:00)");
    }

    proptest! {
        /// Against an oracle that only removes: the digits and the sign stay what they were.
        #[test]
        fn grouping_changes_no_digit(cents in any::<i64>()) {
            let text = de().amount(Cents::new(cents));
            let back: String = text
                .replace('.', "").replace(',', ".").replace('\u{2212}', "-")
                .replace("\u{a0}€", "");
            prop_assert_eq!(back, Cents::new(cents).to_string());
        }
    }
}
