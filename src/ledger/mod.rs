//! The ledger's format: what a row says, and how rows are chained.
//!
//! Storage is next door in `store`; here is what would stay the same in any other storage.

mod chain;
mod event;

pub use chain::{Head, Link, hex, link, sha256};
pub use event::{
    Alias, Content, Deleted, Delivered, Event, Genesis, RawRef, Revision, SameWork, Sealed,
    SettledWork,
};
