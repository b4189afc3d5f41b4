//! The integration tests: one binary, so that Typst is linked once.

#[path = "../fakes/mod.rs"]
mod fakes;
mod night;
mod render;
