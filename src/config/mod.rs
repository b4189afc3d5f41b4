//! Reading the configuration.

mod model;

pub use model::*;
