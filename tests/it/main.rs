//! The integration tests: one binary, so that Typst is linked once.

#![allow(
    clippy::unwrap_used,
    clippy::print_stdout,
    clippy::print_stderr,
    reason = "helpers of tests fail and speak like tests"
)]

mod asof;
mod crash;
mod daemon;
mod demo;
mod erase;
#[path = "../fakes/mod.rs"]
mod fakes;
mod faults;
mod first_errors;
mod late;
mod ledger;
mod ledger_format;
mod logins;
mod night;
mod proof;
mod real_input;
mod render;
mod systemd;
mod tidy;
mod trade;
