//! Stundenbuch: hours and tasks from other people's tools, reconciled and ready to invoice.

pub mod billing;
pub mod clock;
pub mod config;
pub mod finding;
pub mod matching;
pub mod money;
pub mod reconcile;
pub mod render;
pub mod time;
pub mod work;
