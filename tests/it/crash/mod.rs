//! Crashes: the real program is killed before each call that writes, and the power goes off at
//! each of them. Whatever was cut off, the program goes on as if nothing had been.
//!
//! `STUNDENBUCH_CRASH_ALL=1` takes every point instead of a sample, `STUNDENBUCH_CRASH_AT` only
//! the one that a failure named.

mod chance;
mod disk;
mod means;
mod operations;
mod outcome;
mod power;
mod scene;
mod services;
pub(crate) mod stopper;
mod sweep;

/// Every point, or a sample that leaves time for other tests.
fn every_point() -> bool {
    std::env::var_os("STUNDENBUCH_CRASH_ALL").is_some()
}

/// What to look at alone, as a failure names it: `seal`, `seal:17`, `power:3`.
struct Only {
    name: String,
    point: Option<usize>,
}

impl Only {
    fn asked_for() -> Option<Self> {
        let text = std::env::var("STUNDENBUCH_CRASH_AT").ok()?;
        let (name, point) = text.split_once(':').unwrap_or((&text, ""));
        Some(Self {
            name: name.to_owned(),
            point: point.parse().ok(),
        })
    }
}
