//! The integration tests: one binary, so that Typst is linked once.

#![allow(
    clippy::unwrap_used,
    clippy::print_stdout,
    reason = "helpers of tests fail and speak like tests"
)]

mod demo;
mod ledger_format;
mod real_input;
mod render;
mod tidy;
