//! From work and contract to a statement. Pure: no clock, no network, no files.

mod attribute;
mod rounding;
mod statement;
mod terms;

pub use attribute::{Attribution, attribute, task_client};
pub use rounding::rounding_words;
pub use statement::{
    EntryRow, Language, LedgerHead, Line, Party, SCHEMA, Statement, TaskRow, Totals, Vat,
};
pub(crate) use terms::project_name;
pub use terms::{ContractAt, RateAt, contract_at, entry_day, rate_at, rule_text};
