//! Rendering: what the documents say is what the statement says, whatever stands in it.

mod pdf;
mod sample;
mod schema;
mod tables;
