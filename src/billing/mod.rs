//! From work and contract to a statement. Pure: no clock, no network, no files.

mod admit;
mod attribute;
mod draft;
mod drift;
mod drift_finding;
mod explain;
mod lines;
mod number;
mod rounding;
mod statement;
mod terms;
#[cfg(test)]
mod worked_cases;

pub(crate) use admit::{charges, contract_finding, negative, over_one_day, rate_finding};
pub use attribute::{Attribution, attribute, task_client};
pub use draft::{Draft, Drafts, statements};
pub use drift::{Change, Drift, Field, drift};
pub use drift_finding::drift_finding;
pub use explain::{EntryStep, LineExplained, Rounded, explain_line};
pub use number::{check_number_pattern, number};
pub use rounding::rounding_words;
pub use statement::{
    EntryRow, Language, LedgerHead, Line, Party, SCHEMA, Statement, TaskRow, Totals, Vat,
};
pub(crate) use terms::project_name;
pub use terms::{ContractAt, RateAt, contract_at, entry_day, rate_at, rule_text};
