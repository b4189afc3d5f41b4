//! What a card on a board is told: the hours of a period, in the client's language.

use std::collections::BTreeSet;

use super::duration::{Precision, hours};
use super::locale::Locale;
use crate::billing::Language;
use crate::time::Period;

/// The text of a comment. Its last line is the marker by which it is found again.
pub fn card_comment(
    language: Language,
    period: Period,
    seconds: i64,
    statements: &BTreeSet<String>,
    marker: &str,
) -> String {
    let locale = Locale::new(language, "EUR");
    let when = locale.period_name(period);
    // To the minute: nobody reads seconds on a card, and the statement has them.
    let minutes = (seconds.abs() + 30) / 60 * seconds.signum();
    let time = Precision::Minutes.print(minutes * 60);
    let numbers: Vec<&str> = statements.iter().map(String::as_str).collect();
    let numbers = numbers.join(", ");
    let text = match (language, statements.len()) {
        (Language::De, 0) => format!("{when}: storniert"),
        (Language::En, 0) => format!("{when}: cancelled"),
        (Language::De, 1) => format!("{when}: {time} Std. (Abrechnung {numbers})"),
        (Language::De, _) => format!("{when}: {time} Std. (Abrechnungen {numbers})"),
        (Language::En, 1) => format!("{when}: {time} h (statement {numbers})"),
        (Language::En, _) => format!("{when}: {time} h (statements {numbers})"),
    };
    format!("{text}\n{marker}")
}

/// Hours with two decimals and a point, as number fields take them; halves away from zero.
pub fn decimal_hours(seconds: i64) -> String {
    hours(seconds).0
}
