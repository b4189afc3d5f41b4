//! Money in whole cents, and the one place where a fraction becomes a cent.

use std::fmt;

use rust_decimal::prelude::ToPrimitive;
use rust_decimal::{Decimal, RoundingStrategy};
use serde::{Deserialize, Serialize};
use stundenbuch_connectors::planted::{Bug, planted};

/// An amount in the hundredth part of a currency. The currency stands once on the document.
#[derive(
    Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize,
)]
#[serde(transparent)]
pub struct Cents(i64);

impl Cents {
    pub const ZERO: Self = Self(0);

    pub const fn new(cents: i64) -> Self {
        Self(cents)
    }

    pub const fn get(self) -> i64 {
        self.0
    }

    /// Rounds an exact amount in units of the currency to cents, half away from zero: 319.485
    /// becomes 319.49, and −319.485 becomes −319.49. `None` beyond 92 quadrillion.
    pub fn round(amount: Decimal) -> Option<Self> {
        let cents = amount.checked_mul(Decimal::ONE_HUNDRED)?;
        let halves = if planted(Bug::RoundHalfEven) {
            RoundingStrategy::MidpointNearestEven
        } else {
            RoundingStrategy::MidpointAwayFromZero
        };
        cents.round_dp_with_strategy(0, halves).to_i64().map(Self)
    }

    /// The same amount in units of the currency, exact.
    pub fn to_decimal(self) -> Decimal {
        Decimal::new(self.0, 2)
    }

    pub fn checked_add(self, other: Self) -> Option<Self> {
        self.0.checked_add(other.0).map(Self)
    }

    pub fn checked_sub(self, other: Self) -> Option<Self> {
        self.0.checked_sub(other.0).map(Self)
    }

    /// The same amount the other way.
    #[must_use]
    pub fn negated(self) -> Self {
        Self(self.0.saturating_neg())
    }
}

impl fmt::Display for Cents {
    /// With a point and two places, for machines and logs: `-1681.50`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let sign = if self.0 < 0 { "-" } else { "" };
        let cents = self.0.unsigned_abs();
        write!(f, "{sign}{}.{:02}", cents / 100, cents % 100)
    }
}

/// A price for an hour, exact.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct HourlyRate(#[serde(with = "rust_decimal::serde::str")] Decimal);

impl HourlyRate {
    pub fn new(rate: Decimal) -> Self {
        Self(rate)
    }

    pub fn get(self) -> Decimal {
        self.0
    }

    /// The price of so many seconds, rounded once. `None` when it does not fit.
    ///
    /// The product comes before the division: 20 minutes at 59.00 are 19.67 and not the 19.47
    /// that 0.33 hours would give.
    pub fn price_of(self, seconds: i64) -> Option<Cents> {
        if planted(Bug::HoursOfTwoDecimals) {
            let hours = Decimal::from(seconds).checked_div(Decimal::from(3600))?;
            return Cents::round(self.0.checked_mul(hours.round_dp(2))?);
        }
        let product = self.0.checked_mul(Decimal::from(seconds))?;
        Cents::round(product.checked_div(Decimal::from(3600))?)
    }
}

impl fmt::Display for HourlyRate {
    /// With a point and at least two places: `59.00`, `59.125`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut rate = self.0.normalize();
        if rate.scale() < 2 {
            rate.rescale(2);
        }
        write!(f, "{rate}")
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn rate(text: &str) -> HourlyRate {
        HourlyRate::new(text.parse().unwrap())
    }

    #[test]
    fn twenty_minutes_are_priced_from_the_exact_fraction() {
        assert_eq!(rate("59.00").price_of(20 * 60), Some(Cents::new(1967)));
    }

    #[test]
    fn halves_go_away_from_zero() {
        assert_eq!(
            Cents::round("319.485".parse().unwrap()),
            Some(Cents::new(31949))
        );
        assert_eq!(
            Cents::round("-319.485".parse().unwrap()),
            Some(Cents::new(-31949))
        );
    }

    #[test]
    fn amounts_print_with_two_places() {
        assert_eq!(Cents::new(-5).to_string(), "-0.05");
        assert_eq!(rate("59").to_string(), "59.00");
        assert_eq!(rate("59.125").to_string(), "59.125");
    }

    proptest! {
        /// Against integers alone: cents = seconds × rate in cents / 3600, half away from zero.
        #[test]
        fn price_equals_integer_arithmetic(
            cents in 0i64..1_000_000,
            seconds in -1_000_000i64..1_000_000,
        ) {
            let product = i128::from(cents) * i128::from(seconds);
            let half = if product < 0 { -1800 } else { 1800 };
            let expected = i64::try_from((product + half) / 3600).unwrap();
            let price = HourlyRate::new(Decimal::new(cents, 2)).price_of(seconds);
            prop_assert_eq!(price, Some(Cents::new(expected)));
        }
    }
}
