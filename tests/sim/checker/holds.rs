//! P1, P2, P4, P6 and P7: the ledger has what the services have, once, and no more.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Debug;

use super::{Checked, hold};
use crate::ledger::Ledger;
use crate::truth::Truth;

/// What the ledger calls deleted is not there any more.
pub(crate) fn nothing_invented(ledger: &Ledger, truth: &Truth) -> Checked {
    for (key, current) in ledger.current.iter().filter(|(_, it)| it.deleted) {
        let id = key.rsplit('/').next().unwrap();
        let exists = truth.entries.contains_key(id) || truth.cards.contains_key(id);
        hold("P4", !exists, || {
            format!("{key} is deleted in row {} and exists", current.revision)
        })?;
    }
    Ok(())
}

/// Every entry is in exactly one current row with what the service says of it. What vanished
/// without a word may still be there until it was looked for.
pub(crate) fn entries(ledger: &Ledger, truth: &Truth, vanished: Vanished) -> Checked {
    let mut found = ledger.entries();
    if vanished == Vanished::NotYetMissed {
        found.retain(|id, _| truth.entries.contains_key(id) || !unexplained(ledger, id));
    }
    // A timer counts nowhere, and one that ran before the first pull may be read when it stops.
    let mut wanted = truth.entries.clone();
    wanted.retain(|id, spot| spot.stop.is_some() || found.contains_key(id));
    same("P1", "entry", &wanted, &found)?;
    let upstream: i64 = truth
        .entries
        .values()
        .filter_map(crate::truth::Spot::seconds)
        .sum();
    let held: i64 = found.values().filter_map(crate::truth::Spot::seconds).sum();
    hold("P2", upstream == held, || {
        format!("{upstream} s are tracked and {held} s are in the ledger")
    })
}

/// Every card is there with what the service says of it.
pub(crate) fn cards(ledger: &Ledger, truth: &Truth) -> Checked {
    same("P1", "card", &truth.cards, &ledger.cards())
}

/// Whether what vanished must have been missed by now.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Vanished {
    NotYetMissed,
    Missed,
}

/// An entry that no service has, and whose end nobody told.
fn unexplained(ledger: &Ledger, id: &str) -> bool {
    ledger
        .current
        .get(&format!("toggl/time/{id}"))
        .is_some_and(|it| !it.deleted)
}

fn same<T: PartialEq + Debug>(
    promise: &'static str,
    what: &str,
    truth: &BTreeMap<String, T>,
    found: &BTreeMap<String, T>,
) -> Checked {
    let ids: BTreeSet<&String> = truth.keys().chain(found.keys()).collect();
    for id in ids {
        let (wanted, found) = (truth.get(id), found.get(id));
        hold(promise, wanted == found, || {
            format!("{what} {id}: the service has {wanted:?}, the ledger {found:?}")
        })?;
    }
    Ok(())
}
