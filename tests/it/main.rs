//! The integration tests: one binary, so that Typst is linked once.

mod daemon;
#[path = "../fakes/mod.rs"]
mod fakes;
mod first_errors;
mod ledger;
mod night;
mod render;
mod systemd;
