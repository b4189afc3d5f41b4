//! A night after a day of changes, on a large ledger and on a small one.

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use stundenbuch::run::nightly::{self, Plan};
use stundenbuch::run::sources::Environment;
use stundenbuch::store::Store;
use stundenbuch_connectors::clock::ManualClock;

use crate::Options;
use crate::house::{House, import, now};
use crate::table::{Table, median, milliseconds, ratio, timed};

const CHANGES: u32 = 500;
const SMALL: u32 = 10_000;

pub(crate) fn measure(options: &Options, table: &mut Table) {
    let large = options.house();
    let small = large.sheet.shorter(SMALL.min(options.entries));
    let small = House::with(&options.dir.join("small"), small);
    let mut ratios = Vec::new();
    let mut times = Vec::new();
    for edition in 1..=u32::try_from(options.repeat.max(3)).unwrap() {
        let (small, large) = (night(&small, edition), night(&large, edition));
        ratios.push(ratio(large, small));
        times.push((large, small));
    }
    let times_small = median(&ratios);
    table.judge(
        "night with 500 changes: times the same on 10,000 entries",
        format!("{times_small:.2}"),
        "≤ 2",
        times_small <= 2.0,
    );
    let (large, small) = median(&times);
    table.tell("night with 500 changes: large ledger", milliseconds(large));
    table.tell("night with 500 changes: small ledger", milliseconds(small));
}

/// Imports corrections of entries all over the last days, and runs a night without connections;
/// the night is timed.
fn night(house: &House, edition: u32) -> Duration {
    let ledger = house.scratch();
    let csv = house.dir.join("changes.csv");
    let last = house.sheet.entries;
    // Every tenth entry, back from the end.
    let rows = (0..CHANGES).rev().map(|number| last - 1 - number * 10);
    house.sheet.write_some(&csv, rows, edition);
    let mut store = Store::open(&ledger, now()).unwrap();
    assert_eq!(
        import(&mut store, &csv),
        u64::from(CHANGES),
        "each is a change"
    );
    timed(|| run(house, &mut store, &ledger)).0
}

fn run(house: &House, store: &mut Store, _ledger: &Path) {
    let plan = Plan {
        trigger: "bench".into(),
        ..Plan::default()
    };
    let clock = Arc::new(ManualClock::at(now()));
    let environment = Environment::default();
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .unwrap();
    let pass = nightly::run(store, &house.config, &environment, clock, &plan);
    runtime.block_on(pass).unwrap();
}
