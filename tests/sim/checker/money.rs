//! Time and money in whole numbers, from `docs/billing.md` alone.

use crate::plan::{Per, Terms};

/// Rounds seconds to the agreed step.
fn step(seconds: i64, terms: &Terms) -> i64 {
    let step = terms.step * 60;
    if step == 0 {
        return seconds;
    }
    let whole = seconds / step;
    let rest = seconds % step;
    let more = if terms.up { rest > 0 } else { 2 * rest >= step };
    (whole + i64::from(more)) * step
}

/// What a line of entries, each with its day and its seconds, charges.
pub(crate) fn billed(entries: &[(i64, i64)], terms: &Terms) -> i64 {
    match terms.per {
        Per::Line => step(entries.iter().map(|entry| entry.1).sum(), terms),
        Per::Entry => entries.iter().map(|entry| step(entry.1, terms)).sum(),
        Per::Day => {
            let mut days: Vec<i64> = entries.iter().map(|entry| entry.0).collect();
            days.sort_unstable();
            days.dedup();
            let of_day = |day: i64| {
                let of = entries.iter().filter(move |entry| entry.0 == day);
                of.map(|entry| entry.1).sum()
            };
            days.into_iter().map(|day| step(of_day(day), terms)).sum()
        }
    }
}

/// Cents for so many seconds, halves away from zero.
pub(crate) fn price(rate: &str, seconds: i64) -> i64 {
    let (whole, fraction) = rate.split_once('.').unwrap_or((rate, ""));
    let digits: i128 = format!("{whole}{fraction}")
        .parse()
        .expect("a rate in digits");
    let parts = 10_i128.pow(u32::try_from(fraction.len()).expect("few digits"));
    divide(digits * i128::from(seconds) * 100, parts * 3600)
}

/// The tax on cents, halves away from zero.
pub(crate) fn tax(net: i64, percent: u32) -> i64 {
    divide(i128::from(net) * i128::from(percent), 100)
}

fn divide(number: i128, by: i128) -> i64 {
    let half = if number < 0 { -by } else { by };
    i64::try_from((2 * number + half) / (2 * by)).expect("sums of people fit")
}

#[test]
fn halves_go_away_from_zero() {
    assert_eq!(price("49.50", 60), 83);
    assert_eq!(price("59.00", 1200), 1967);
    assert_eq!(price("72.125", 7200), 14_425);
    assert_eq!(tax(2450, 19), 466);
    assert_eq!(divide(-5, 10), -1);
    assert_eq!(divide(-4, 10), 0);
}
