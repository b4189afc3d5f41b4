//! A run: one pass of the program over all connections, with its counts and findings.

mod backup;
pub mod delivered;
pub mod history;
pub mod import;
pub mod intake;
pub mod nightly;
mod pickup;
pub mod pull;
pub mod report;
pub mod review;
pub mod sources;
mod spare;
