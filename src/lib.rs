//! Stundenbuch: hours and tasks from other people's tools, reconciled and ready to invoice.

pub mod billing;
pub mod clock;
pub mod config;
pub mod daemon;
pub mod finding;
pub mod ledger;
pub mod matching;
pub mod money;
pub mod render;
pub mod run;
pub mod store;
pub mod time;
pub mod work;
