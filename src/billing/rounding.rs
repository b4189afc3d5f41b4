//! From tracked to billed time, and the words for it.

use std::collections::BTreeMap;

use chrono::NaiveDate;
use stundenbuch_connectors::planted::{Bug, planted};

use super::Language;
use crate::config::{Rounding, RoundingMode, RoundingScope};

/// The billed time of one line.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Billed {
    pub(super) line: i64,
    /// One for each entry. They add up to the line's, unless the line is rounded as a whole:
    /// then they are as tracked.
    pub(super) rows: Vec<i64>,
}

/// Rounds one duration, which is not negative, to whole steps.
pub(super) fn round(seconds: i64, rounding: Rounding) -> i64 {
    let step = i64::from(rounding.step_minutes) * 60;
    if step == 0 {
        return seconds;
    }
    let lift = match rounding.mode {
        RoundingMode::Nearest => step / 2,
        RoundingMode::Up => step - 1,
    };
    seconds.saturating_add(lift) / step * step
}

/// Rounds the entries of one line, each with its local day. `None` when the sum does not fit.
pub(super) fn bill(entries: &[(NaiveDate, i64)], rounding: Rounding) -> Option<Billed> {
    let tracked: Vec<i64> = entries.iter().map(|(_, seconds)| *seconds).collect();
    let per = if planted(Bug::RoundEachEntry) {
        RoundingScope::Entry
    } else {
        rounding.per
    };
    match per {
        RoundingScope::Entry => {
            let rows: Vec<i64> = tracked.iter().map(|s| round(*s, rounding)).collect();
            Some(Billed {
                line: sum(&rows)?,
                rows,
            })
        }
        RoundingScope::Day => by_day(entries, rounding),
        RoundingScope::Line => Some(Billed {
            line: round(sum(&tracked)?, rounding),
            rows: tracked,
        }),
    }
}

fn by_day(entries: &[(NaiveDate, i64)], rounding: Rounding) -> Option<Billed> {
    let mut days: BTreeMap<NaiveDate, Vec<usize>> = BTreeMap::new();
    for (index, (day, _)) in entries.iter().enumerate() {
        days.entry(*day).or_default().push(index);
    }
    let mut rows = vec![0; entries.len()];
    for indices in days.values() {
        let tracked: Vec<i64> = indices.iter().map(|index| entries[*index].1).collect();
        let billed = round(sum(&tracked)?, rounding);
        for (index, share) in indices.iter().zip(share_out(billed, &tracked)) {
            rows[*index] = share;
        }
    }
    Some(Billed {
        line: sum(&rows)?,
        rows,
    })
}

/// Shares a day's time out among its entries in proportion to what was tracked, in whole minutes
/// where it is whole minutes. What is left over goes to the largest remainders, of equal ones to
/// the earlier.
fn share_out(billed: i64, tracked: &[i64]) -> Vec<i64> {
    let all: i128 = tracked.iter().map(|seconds| i128::from(*seconds)).sum();
    if all == 0 || i128::from(billed) == all {
        return tracked.to_vec();
    }
    let unit = if billed % 60 == 0 { 60 } else { 1 };
    let units = i128::from(billed / unit);
    let exact = |seconds: i64| units * i128::from(seconds);
    let mut shares: Vec<i128> = tracked.iter().map(|s| exact(*s) / all).collect();
    let left = units - shares.iter().sum::<i128>();
    let mut order: Vec<usize> = (0..tracked.len()).collect();
    order.sort_by_key(|index| (std::cmp::Reverse(exact(tracked[*index]) % all), *index));
    let left = usize::try_from(left).unwrap_or(0);
    for index in order.into_iter().take(left) {
        shares[index] += 1;
    }
    // A share is at most the whole, which fits.
    let fits = |share: i128| i64::try_from(share).unwrap_or(i64::MAX) * unit;
    shares.into_iter().map(fits).collect()
}

pub(super) fn sum(seconds: &[i64]) -> Option<i64> {
    seconds
        .iter()
        .try_fold(0i64, |sum, next| sum.checked_add(*next))
}

/// The rounding in words that a client reads.
pub fn rounding_words(rounding: Rounding, language: Language) -> String {
    let step = rounding.step_minutes;
    let per = match (language, rounding.per) {
        (Language::De, RoundingScope::Entry) => "je Eintrag",
        (Language::De, RoundingScope::Day) => "je Tag und Position",
        (Language::De, RoundingScope::Line) => "je Position",
        (Language::En, RoundingScope::Entry) => "per entry",
        (Language::En, RoundingScope::Day) => "per day and line",
        (Language::En, RoundingScope::Line) => "per line",
    };
    match (language, step, rounding.mode) {
        (Language::De, 0, _) => "sekundengenau, ohne Rundung".to_owned(),
        (Language::En, 0, _) => "exact to the second, not rounded".to_owned(),
        (Language::De, 1, RoundingMode::Nearest) => {
            format!("kaufmännisch auf volle Minuten gerundet, {per}")
        }
        (Language::De, _, RoundingMode::Nearest) => {
            format!("kaufmännisch auf {step} Minuten gerundet, {per}")
        }
        (Language::De, 1, RoundingMode::Up) => format!("je angefangene Minute, {per}"),
        (Language::De, _, RoundingMode::Up) => format!("je angefangene {step} Minuten, {per}"),
        (Language::En, 1, RoundingMode::Nearest) => {
            format!("rounded to the nearest minute, {per}")
        }
        (Language::En, _, RoundingMode::Nearest) => {
            format!("rounded to the nearest {step} minutes, {per}")
        }
        (Language::En, 1, RoundingMode::Up) => format!("every minute begun, {per}"),
        (Language::En, _, RoundingMode::Up) => format!("every {step} minutes begun, {per}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::matching::testing::day;
    use proptest::prelude::*;

    fn rule(step_minutes: u32, mode: RoundingMode, per: RoundingScope) -> Rounding {
        Rounding {
            step_minutes,
            mode,
            per,
        }
    }

    #[test]
    fn halves_go_up_and_every_step_begun_counts() {
        let nearest = rule(15, RoundingMode::Nearest, RoundingScope::Entry);
        assert_eq!(round(7 * 60 + 29, nearest), 0);
        assert_eq!(round(7 * 60 + 30, nearest), 900);
        let up = rule(15, RoundingMode::Up, RoundingScope::Entry);
        assert_eq!(round(0, up), 0);
        assert_eq!(round(1, up), 900);
        assert_eq!(
            round(900, up),
            900,
            "what is already whole is not bumped again"
        );
        assert_eq!(round(901, up), 1800);
        assert_eq!(
            round(901, rule(0, RoundingMode::Up, RoundingScope::Entry)),
            901
        );
    }

    #[test]
    fn the_scope_decides_what_is_rounded() {
        let [first, second] = [day("2026-10-14"), day("2026-10-15")];
        let entries = [(first, 600), (first, 120), (second, 600)];
        let lines = |per| bill(&entries, rule(15, RoundingMode::Up, per)).unwrap();
        assert_eq!(lines(RoundingScope::Entry).rows, [900, 900, 900]);
        let days = lines(RoundingScope::Day);
        assert_eq!((days.line, days.rows), (1800, vec![780, 120, 900]));
        let line = lines(RoundingScope::Line);
        assert_eq!((line.line, line.rows), (1800, vec![600, 120, 600]));
    }

    #[test]
    fn words_are_in_the_clients_language() {
        let up = rule(15, RoundingMode::Up, RoundingScope::Entry);
        assert_eq!(
            rounding_words(up, Language::De),
            "je angefangene 15 Minuten, je Eintrag"
        );
        assert_eq!(
            rounding_words(Rounding::default(), Language::En),
            "rounded to the nearest minute, per line"
        );
    }

    proptest! {
        #[test]
        fn shares_add_up_and_none_is_negative(
            tracked in prop::collection::vec(0i64..40_000, 1..12),
            step in prop::sample::select(vec![0u32, 1, 5, 6, 15, 60]),
            up: bool,
        ) {
            let mode = if up { RoundingMode::Up } else { RoundingMode::Nearest };
            let rounding = rule(step, mode, RoundingScope::Day);
            let entries: Vec<_> = tracked.iter().map(|s| (day("2026-10-14"), *s)).collect();
            let billed = bill(&entries, rounding).unwrap();
            prop_assert_eq!(billed.line, round(tracked.iter().sum(), rounding));
            prop_assert_eq!(billed.rows.iter().sum::<i64>(), billed.line);
            prop_assert!(billed.rows.iter().all(|share| *share >= 0));
        }
    }
}
