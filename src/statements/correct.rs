//! Corrections: a person accepts what became of billed work, and the next statement charges the
//! difference.

use std::collections::BTreeSet;

use chrono::{DateTime, Utc};

use super::drift::Billed;
use crate::billing::{Drift, Rates};
use crate::config::Config;
use crate::ledger::{Correction, Event};
use crate::store::{self, Store};
use crate::work::WorkId;

/// What is to be corrected.
#[derive(Clone, Debug, Default)]
pub struct Wanted {
    /// Only these works; all of the statement when empty.
    pub works: BTreeSet<WorkId>,
    /// Also what only the rates of the configuration changed.
    pub rates: bool,
}

/// Why nothing was corrected.
#[derive(Debug, thiserror::Error)]
pub enum CorrectError {
    #[error("there is no statement {0}")]
    Unknown(String),
    #[error("{number} is cancelled by {by}: its works are open and will be billed as they are")]
    Cancelled { number: String, by: String },
    #[error("{number} only reverses {cancels}")]
    Reversal { number: String, cancels: String },
    #[error("{work} is not on {number}")]
    Foreign { work: WorkId, number: String },
    #[error("nothing of {0} has changed since it was billed or corrected")]
    Nothing(String),
    #[error("{work} is charged in another currency or with another tax by now")]
    CancelOnly { work: WorkId, number: String },
    #[error(transparent)]
    Store(#[from] store::Error),
}

impl CorrectError {
    /// What a person can do.
    pub fn hint(&self) -> String {
        match self {
            Self::Unknown(_) | Self::Reversal { .. } => {
                "`stundenbuch statement list` names those that there are".into()
            }
            Self::Cancelled { .. } => "`stundenbuch statement preview` shows them".into(),
            Self::Foreign { number, .. } => {
                format!("`stundenbuch explain {number}` names its works")
            }
            Self::Nothing(number) => format!(
                "`stundenbuch findings` shows what has changed; `stundenbuch statement correct \
                 {number} --rates` corrects rates that changed in the configuration only"
            ),
            Self::CancelOnly { number, .. } => format!(
                "cancel {number} with `stundenbuch statement cancel {number}` and seal anew"
            ),
            Self::Store(error) => error.hint().into_owned(),
        }
    }
}

/// The corrections that would be made: old, new and difference of each work.
pub fn proposals(
    store: &Store,
    config: &Config,
    number: &str,
    wanted: &Wanted,
) -> Result<Vec<Drift>, CorrectError> {
    let found = found(store, config, number, wanted)?;
    Ok(found.into_iter().map(|(drift, _)| drift).collect())
}

/// Takes note of what became of the works: one row of the ledger each, all or none. What another
/// currency or tax keeps from being corrected is left out.
pub fn correct(
    store: &mut Store,
    config: &Config,
    number: &str,
    wanted: &Wanted,
    now: DateTime<Utc>,
) -> Result<Vec<Drift>, CorrectError> {
    let found = found(store, config, number, wanted)?;
    store.write(|writer| {
        for (_, correction) in &found {
            let event = Event::Correction(Box::new(correction.clone()));
            writer.append(now, number, &event)?;
        }
        Ok::<(), CorrectError>(())
    })?;
    Ok(found.into_iter().map(|(drift, _)| drift).collect())
}

fn found(
    store: &Store,
    config: &Config,
    number: &str,
    wanted: &Wanted,
) -> Result<Vec<(Drift, Correction)>, CorrectError> {
    let billed = standing(store, number)?;
    let number = number.to_owned();
    for work in &wanted.works {
        let id = work.to_string();
        if !billed.statement.entries.iter().any(|row| row.work == id) {
            let work = *work;
            return Err(CorrectError::Foreign { work, number });
        }
    }
    let chosen = |work| wanted.works.is_empty() || wanted.works.contains(&work);
    let rates = if wanted.rates {
        Rates::OfNow
    } else {
        Rates::AsBilled
    };
    let mut found = billed.drifts(store, config, &chosen, rates)?;
    let stuck = found.iter().find(|(drift, _)| drift.cancel_only);
    let stuck = stuck.map(|(drift, _)| drift.work);
    found.retain(|(drift, _)| !drift.cancel_only);
    match (found.is_empty(), stuck) {
        (false, _) => Ok(found),
        (true, Some(work)) => Err(CorrectError::CancelOnly { work, number }),
        (true, None) => Err(CorrectError::Nothing(number)),
    }
}

/// The statement as it stands, or why it cannot be corrected.
fn standing(store: &Store, number: &str) -> Result<Billed, CorrectError> {
    let unknown = || CorrectError::Unknown(number.to_owned());
    let row = store.statement_row(number)?.ok_or_else(unknown)?;
    let number = row.number.clone();
    if let Some(cancels) = row.cancels {
        return Err(CorrectError::Reversal { number, cancels });
    }
    if let Some(by) = row.cancelled_by {
        return Err(CorrectError::Cancelled { number, by });
    }
    Billed::load(store, &number)?.ok_or_else(unknown)
}
