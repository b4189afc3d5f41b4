//! What was done: counts, and the table of them.

use std::collections::BTreeMap;

/// Counts by name; the part before a colon is what a table groups by.
#[derive(Clone, Debug, Default)]
pub(crate) struct Tally(BTreeMap<String, u64>);

impl Tally {
    pub(crate) fn one(&mut self, what: impl Into<String>) {
        self.many(what, 1);
    }

    pub(crate) fn many(&mut self, what: impl Into<String>, count: usize) {
        let count = u64::try_from(count).expect("counts fit");
        *self.0.entry(what.into()).or_default() += count;
    }

    pub(crate) fn add(&mut self, other: &Self) {
        for (what, count) in &other.0 {
            *self.0.entry(what.clone()).or_default() += count;
        }
    }

    pub(crate) fn get(&self, what: &str) -> u64 {
        self.0.get(what).copied().unwrap_or(0)
    }
}

impl std::fmt::Display for Tally {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        for (what, count) in &self.0 {
            writeln!(f, "{count:>10}  {what}")?;
        }
        Ok(())
    }
}
