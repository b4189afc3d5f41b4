//! Erasing a client: everything about it goes, except what the law wants kept for a while.
//!
//! [`plan`] finds out what belongs to a client and what of it must stay, without changing
//! anything. [`Plan::export`] writes it all down for the one who asks for it. The store erases what
//! the plan names, in one transaction. `docs/erasure.md` says what this means for people,
//! `docs/ledger.md` what it leaves in the file.

mod export;
mod glance;
mod look;
mod owner;
mod people;
mod plan;
mod proofs;
mod redact;
mod retention;

pub use export::{ExportError, Exported};
pub use plan::{Counts, Open, Plan, plan};
pub use redact::without_names;
