//! From work and contract to a statement. Pure: no clock, no network, no files.

mod statement;

pub use statement::{
    EntryRow, Language, LedgerHead, Line, Party, SCHEMA, Statement, TaskRow, Totals, Vat,
};
