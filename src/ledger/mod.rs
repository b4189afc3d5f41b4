//! The ledger's format: what a row says, and how rows are chained.
//!
//! Storage is next door in `store`; here is what would stay the same in any other storage.

mod chain;
mod event;
mod heads;
mod runs;

pub use chain::{Form, Head, Link, Subject, erased_subject, hex, link, sha256, subject_hash};
pub use event::{
    Alias, Cancelled, Configured, Content, Correction, CorrectionPart, Deleted, Delivered, Erased,
    Event, Format, Genesis, Kept, RawRef, Restored, Revision, SameWork, Sealed, SeriesEnd,
    SettledWork,
};
pub use heads::{Bill, Heads, LONG, Mark, Why, first_line};
pub use runs::runs;
