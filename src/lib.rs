//! Stundenbuch: hours and tasks from other people's tools, reconciled and ready to invoice.

pub mod billing;
pub mod clock;
pub mod config;
pub mod error_text;
pub mod money;
pub mod render;
pub mod time;
