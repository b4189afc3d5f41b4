//! From work and contract to a statement. Pure: no clock, no network, no files.

mod admit;
mod attribute;
mod carried;
mod corrected;
mod difference;
mod draft;
mod drift;
mod drift_finding;
mod explain;
mod lines;
mod number;
mod reversed;
mod rounding;
mod statement;
mod terms;
#[cfg(test)]
mod worked_cases;

pub(crate) use admit::{charges, contract_finding, negative, over_one_day, rate_finding};
pub use attribute::{Attribution, attribute, expense_client, task_client};
pub use carried::{Carried, carried};
pub(crate) use corrected::apply;
pub use corrected::{Recorded, corrected};
pub use draft::{Draft, Drafts, statements};
pub use drift::{Change, Drift, Field, Rates, Terms, drift};
pub use drift_finding::{difference_words, drift_finding, rates_finding};
pub use explain::{EntryStep, LineExplained, Rounded, explain_line};
pub use number::{check_number_pattern, number};
pub use reversed::{reference, reversed};
pub use rounding::rounding_words;
pub use statement::{
    CorrectedWork, EntryRow, Language, LedgerHead, Line, Party, Reference, SCHEMA, Statement,
    TaskRow, Totals, Vat,
};
pub(crate) use terms::project_name;
pub use terms::{ContractAt, RateAt, contract_at, entry_day, rate_at, rule_text};
