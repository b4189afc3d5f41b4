//! The integration tests: one binary, so that Typst is linked once.

#[path = "../fakes/mod.rs"]
mod fakes;
mod ledger;
mod night;
mod render;
