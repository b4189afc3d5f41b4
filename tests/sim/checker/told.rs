//! P11: whatever stops progress is told at once, and once.

use stundenbuch::run::report::Report;

use super::{Checked, hold};
use crate::ledger::Ledger;

/// The exit code from which on something failed; `docs/operations.md` has the list.
const FAILED: u8 = 3;

/// Holds the report, the exit code and the open findings together.
pub(crate) fn loud(ledger: &Ledger, report: &Report) -> Checked {
    let exit = report.exit() as u8;
    for source in &report.sources {
        let name = &source.connection;
        let told = ledger.told(&["source-failed"]);
        let told = told.filter(|open| open.subject == *name).count();
        let failed = source.failure.is_some();
        hold("P11", told == usize::from(failed), || {
            format!(
                "`{name}` failed: {:?}; findings of it: {told}",
                source.failure
            )
        })?;
        hold("P11", !failed || exit >= FAILED, || {
            format!("`{name}` failed, and the exit code is {exit}")
        })?;
    }
    for parcel in &ledger.parcels {
        let told = ledger.told(&["delivery-failed"]);
        let told = told.filter(|open| open.subject == parcel.key).count();
        let failed = parcel.state != "delivered" && parcel.error.is_some();
        hold("P11", told == usize::from(failed), || {
            format!(
                "{} is {}, and findings of it: {told}",
                parcel.key, parcel.state
            )
        })?;
        hold("P11", !failed || exit >= FAILED, || {
            format!(
                "{} is not delivered, and the exit code is {exit}",
                parcel.key
            )
        })?;
    }
    Ok(())
}
