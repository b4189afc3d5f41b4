//! What each entry costs: a position's amount divided among its entries, to the cent.
//!
//! A position is priced as a whole, so an entry has no price of its own. A table that people
//! sum by project or person needs one all the same, and it must add up: each entry gets its
//! part of the position's amount by its time, and the parts add up to the amount exactly.

use std::collections::BTreeMap;

use super::rows::Row;
use crate::billing::Statement;
use crate::money::Cents;

/// One share for each row, in order; zero for rows that no position charges.
pub(super) fn shares(statement: &Statement, rows: &[Row<'_>]) -> Vec<Cents> {
    let mut groups: BTreeMap<u32, Vec<usize>> = BTreeMap::new();
    for (index, row) in rows.iter().enumerate() {
        if let Some(line) = row.entry.line {
            groups.entry(line).or_default().push(index);
        }
    }
    let mut shares = vec![Cents::ZERO; rows.len()];
    for line in &statement.lines {
        let Some(members) = groups.get(&line.position) else {
            continue;
        };
        let weights: Vec<i64> = members
            .iter()
            .map(|&index| rows[index].entry.billed_seconds)
            .collect();
        for (&index, share) in members.iter().zip(split(line.amount, &weights)) {
            shares[index] = share;
        }
    }
    shares
}

/// Splits an amount by weight: each running sum is rounded, and a part is the difference of two
/// of them, so that no cent is lost and none is off by more than one.
fn split(amount: Cents, weights: &[i64]) -> Vec<Cents> {
    let total: i128 = weights.iter().copied().map(i128::from).sum();
    let mut running = 0i128;
    let mut given = 0i64;
    weights
        .iter()
        .enumerate()
        .map(|(index, &weight)| {
            running += i128::from(weight);
            let reached = if index + 1 == weights.len() {
                amount.get()
            } else {
                portion(amount.get(), running, total)
            };
            let part = reached.saturating_sub(given);
            given = given.saturating_add(part);
            Cents::new(part)
        })
        .collect()
}

/// `amount × part / whole`, half away from zero; zero where there is no whole.
fn portion(amount: i64, part: i128, whole: i128) -> i64 {
    if whole == 0 {
        return 0;
    }
    let (product, whole) = (i128::from(amount) * part * whole.signum(), whole.abs());
    let half = if product < 0 { -whole / 2 } else { whole / 2 };
    i64::try_from((product + half) / whole).unwrap_or(amount)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn cents(parts: &[Cents]) -> Vec<i64> {
        parts.iter().map(|part| part.get()).collect()
    }

    #[test]
    fn the_odd_cent_goes_to_one_entry_only() {
        assert_eq!(cents(&split(Cents::new(100), &[1, 1, 1])), [33, 34, 33]);
        assert_eq!(cents(&split(Cents::new(-100), &[1, 1, 1])), [-33, -34, -33]);
    }

    #[test]
    fn without_time_the_last_entry_carries_the_amount() {
        assert_eq!(cents(&split(Cents::new(500), &[0, 0])), [0, 500]);
        assert!(split(Cents::new(500), &[]).is_empty());
    }

    proptest! {
        #[test]
        fn parts_add_up_and_are_fair(
            amount in -100_000_000i64..100_000_000,
            weights in prop::collection::vec(0i64..100_000, 1..40),
        ) {
            let parts = cents(&split(Cents::new(amount), &weights));
            prop_assert_eq!(parts.iter().sum::<i64>(), amount);
            let total: i128 = weights.iter().copied().map(i128::from).sum();
            for (&part, &weight) in parts.iter().zip(&weights) {
                let exact = i128::from(amount) * i128::from(weight);
                let off = (i128::from(part) * total - exact).abs();
                prop_assert!(total == 0 || off <= total, "{part} is off by more than a cent");
            }
        }
    }
}
