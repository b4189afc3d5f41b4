//! The exec connector with real processes: taps in shell and Python that do what taps do, and
//! what they should not do.

#![allow(
    clippy::unwrap_used,
    clippy::print_stdout,
    reason = "what tests share may panic, and skips are told"
)]

mod conformance;
mod deletions;
mod faults;
mod mapping;
mod private;
mod protocol;
mod real;
mod world;
