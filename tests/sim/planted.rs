//! The checker is checked: mistakes are planted into the program one by one, and each is caught.

use std::collections::BTreeMap;

use stundenbuch_connectors::planted::{Bug, plant};

use super::{fakes_runtime, simulate, trial};
use crate::tally::Tally;

/// So many histories may pass before a planted mistake shows.
const PATIENCE: u64 = 400;
/// So often the history that showed it is run again.
const REPLAYS: u32 = 3;

#[test]
fn every_planted_bug_is_caught() {
    let fakes = fakes_runtime();
    let mut escaped = Vec::new();
    let only = std::env::var("STUNDENBUCH_SIM_BUG").ok();
    let wanted = |bug: &Bug| only.as_ref().is_none_or(|only| format!("{bug:?}") == *only);
    for bug in Bug::ALL.into_iter().filter(wanted) {
        plant(Some(bug));
        let (_, found) = simulate(0, PATIENCE);
        let Some((history, violation)) = found else {
            println!("{bug:?}: NOT caught in {PATIENCE} histories");
            escaped.push(bug);
            continue;
        };
        let mut again: BTreeMap<&str, u32> = BTreeMap::new();
        for _ in 0..REPLAYS {
            let replayed = trial::trial(&history, fakes.handle(), &mut Tally::default());
            *again
                .entry(replayed.err().map_or("none", |it| it.promise))
                .or_default() += 1;
        }
        plant(None);
        println!(
            "{bug:?}: caught at seed {} by {}: {}; replayed: {again:?}",
            history.seed, violation.promise, violation.text
        );
        let without = trial::trial(&history, fakes.handle(), &mut Tally::default());
        assert!(
            without.is_ok(),
            "the same history fails without {bug:?}: {without:?}"
        );
    }
    assert!(escaped.is_empty(), "not caught: {escaped:?}");
}
