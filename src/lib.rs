//! Stundenbuch: hours and tasks from other people's tools, reconciled and ready to invoice.
//!
//! `ARCHITECTURE.md` is the map. In short: `run` pulls through the connectors and appends to the
//! ledger (`ledger` is its format, `store` its file); `matching`, `reconcile` and `billing` are
//! pure; `statements` puts them over the ledger, `render` makes documents, `outbox` delivers
//! them; `daemon` and `cli` are the two ways in.

pub mod audit;
pub mod billing;
pub mod cli;
pub mod clock;
pub mod config;
pub mod daemon;
pub mod durable;
pub mod erase;
pub mod error_text;
pub mod finding;
pub mod ledger;
pub mod logins;
pub mod matching;
pub mod money;
pub mod outbox;
pub mod procedure;
pub mod reconcile;
pub mod render;
pub mod run;
pub mod statements;
pub mod store;
pub mod time;
pub mod work;
