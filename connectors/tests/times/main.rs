//! Time trackers that tell of no deletions: Clockify, Kimai and Timewarrior, each against the
//! nearest thing to itself.

#![allow(
    clippy::unwrap_used,
    clippy::print_stdout,
    clippy::print_stderr,
    reason = "a test file, though not each function is a test"
)]

mod clockify;
#[path = "../../../tests/fakes/mod.rs"]
mod fakes;
mod kimai;
mod ledger;
mod timewarrior;
mod trouble;
