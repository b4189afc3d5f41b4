//! Spans of days that may be open, and what they leave free.

use std::fmt;

use chrono::{Days, NaiveDate};

/// Both ends included; no end is as far as the calendar goes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Span {
    pub(super) first: NaiveDate,
    pub(super) last: NaiveDate,
}

impl Span {
    pub(super) fn new(from: Option<NaiveDate>, until: Option<NaiveDate>) -> Self {
        Self {
            first: from.unwrap_or(NaiveDate::MIN),
            last: until.unwrap_or(NaiveDate::MAX),
        }
    }

    /// The days that both have.
    pub(super) fn common(self, other: Self) -> Option<Self> {
        let first = self.first.max(other.first);
        let last = self.last.min(other.last);
        (first <= last).then_some(Self { first, last })
    }

    /// The days of this span that are in none of the others, in order.
    pub(super) fn without(self, others: impl IntoIterator<Item = Self>) -> Vec<Self> {
        let mut others: Vec<Self> = others.into_iter().collect();
        others.sort_unstable();
        let mut free = Vec::new();
        let mut next = Some(self.first);
        for other in others.into_iter().filter_map(|other| self.common(other)) {
            let Some(first) = next else { break };
            if let Some(before) = other.first.checked_sub_days(Days::new(1)) {
                if first <= before {
                    free.push(Self {
                        first,
                        last: before,
                    });
                }
            }
            next = other
                .last
                .checked_add_days(Days::new(1))
                .map(|day| day.max(first));
        }
        if let Some(first) = next.filter(|first| *first <= self.last) {
            free.push(Self {
                first,
                last: self.last,
            });
        }
        free
    }
}

impl fmt::Display for Span {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match (self.first, self.last) {
            (NaiveDate::MIN, NaiveDate::MAX) => f.write_str("on every day"),
            (NaiveDate::MIN, last) => write!(f, "until {last}"),
            (first, NaiveDate::MAX) => write!(f, "from {first} on"),
            (first, last) if first == last => write!(f, "on {first}"),
            (first, last) => write!(f, "from {first} until {last}"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn span(first: u32, last: u32) -> Span {
        let day = |day| NaiveDate::from_ymd_opt(2026, 1, day).unwrap();
        Span {
            first: day(first),
            last: day(last),
        }
    }

    #[test]
    fn open_spans_leave_nothing_beyond_the_calendar() {
        let all = Span::new(None, None);
        assert_eq!(all.without([all]), []);
        assert_eq!(all.without([]), [all]);
        assert_eq!(all.without([span(2, 3)]).len(), 2);
    }

    proptest! {
        /// Against counting day by day.
        #[test]
        fn free_days_are_those_that_nobody_has(
            ends in (1u32..=31, 1u32..=31),
            others in prop::collection::vec((1u32..=31, 1u32..=31), 0..5),
        ) {
            let ordered = |(a, b): (u32, u32)| span(a.min(b), a.max(b));
            let whole = ordered(ends);
            let others: Vec<Span> = others.into_iter().map(ordered).collect();
            let free = whole.without(others.iter().copied());
            for day in 1..=31 {
                let day = span(day, day);
                let expected = whole.common(day).is_some()
                    && others.iter().all(|other| other.common(day).is_none());
                let count = free.iter().filter(|free| free.common(day).is_some()).count();
                prop_assert_eq!(count, usize::from(expected));
            }
        }
    }
}
