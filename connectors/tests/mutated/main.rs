//! Every body that is read, spoiled in every way: nothing panics or hangs, nothing is called
//! gone, nothing is invented, and what cannot be read is told by its name while the rest goes on.
//!
//! The rules are in `judge.rs`, the ways in `mutants.rs`. Each test prints what it tried.

#![allow(
    clippy::unwrap_used,
    clippy::print_stdout,
    reason = "a test file, though not each function is a test"
)]

#[path = "../../../tests/fakes/mod.rs"]
mod fakes;

mod activecollab;
mod asana;
mod clouds;
mod dav;
mod files;
mod gdrive;
mod judge;
mod mutants;
mod recorded;
mod script;
mod times;
mod toggl;
mod trello;

use std::collections::BTreeMap;

/// How many mutants of each kind were tried, and how each was taken.
#[derive(Debug, Default)]
struct Tally {
    kinds: BTreeMap<&'static str, usize>,
    ends: BTreeMap<&'static str, usize>,
}

impl Tally {
    fn count(&mut self, kind: &'static str, end: &'static str) {
        *self.kinds.entry(kind).or_default() += 1;
        *self.ends.entry(end).or_default() += 1;
    }

    /// Prints the numbers; fewer than `least` would mean that the test lost its subject.
    fn tell(&self, what: &str, least: usize) {
        let total: usize = self.kinds.values().sum();
        println!(
            "MUTANTS {what}: {total} {:?} by kind {:?}",
            self.ends, self.kinds
        );
        assert!(total >= least, "{what}: only {total} mutants");
    }
}
