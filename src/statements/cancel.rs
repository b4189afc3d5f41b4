//! Cancelling: a sealed statement is reversed by another, and its works are open again.

use chrono::{DateTime, Utc};
use chrono_tz::Tz;

use super::seal::{Numbered, make_final, queue_documents};
use super::{template, write_back};
use crate::billing::{Statement, reversed};
use crate::config::Config;
use crate::ledger::{Cancelled, Event};
use crate::render::RenderError;
use crate::store::{self, Store};

/// Why a statement was not cancelled; then nothing happened.
#[derive(Debug, thiserror::Error)]
pub enum CancelError {
    #[error("there is no statement {0}")]
    Unknown(String),
    #[error("{number} is cancelled by {by} already")]
    Already { number: String, by: String },
    #[error("{number} reverses {cancels}, and is not cancelled itself")]
    Reversal { number: String, cancels: String },
    #[error("corrections of {number} are charged by {by}")]
    Charged { number: String, by: String },
    #[error(transparent)]
    Render(#[from] RenderError),
    #[error(transparent)]
    Store(#[from] store::Error),
}

impl CancelError {
    /// What a person can do, where that is known.
    pub fn hint(&self) -> Option<String> {
        match self {
            Self::Unknown(_) => {
                Some("`stundenbuch statement list` names those that there are".into())
            }
            Self::Already { by, .. } => Some(format!("`stundenbuch statement show {by}` shows it")),
            Self::Reversal { .. } => {
                Some("the works of the cancelled statement are open; seal them anew".into())
            }
            Self::Charged { by, .. } => Some(format!(
                "cancel that one first: `stundenbuch statement cancel {by}`"
            )),
            Self::Render(_) => None,
            Self::Store(error) => Some(error.hint().into_owned()),
        }
    }
}

/// The statement that would reverse this one, without a number and a day.
pub fn reversal(store: &Store, number: &str) -> Result<Statement, CancelError> {
    let unknown = || CancelError::Unknown(number.to_owned());
    let row = store.statement_row(number)?.ok_or_else(unknown)?;
    let number = row.number;
    if let Some(cancels) = row.cancels {
        return Err(CancelError::Reversal { number, cancels });
    }
    if let Some(by) = row.cancelled_by {
        return Err(CancelError::Already { number, by });
    }
    let charged = store.corrections_of(&number)?;
    if let Some(by) = charged.into_iter().find_map(|it| it.charged) {
        return Err(CancelError::Charged { number, by });
    }
    let sealed = store.statement(&number)?.ok_or_else(unknown)?;
    Ok(reversed(&sealed))
}

/// Cancels a statement: the reversing one gets the next number, its documents go where those of
/// the cancelled one went, and the works are open again, all in one transaction. As for sealing,
/// the whole ledger is verified first.
pub fn cancel(
    store: &mut Store,
    config: &Config,
    number: &str,
    now: DateTime<Utc>,
) -> Result<Statement, CancelError> {
    store.verify()?.whole()?;
    let mut statement = reversal(store, number)?;
    let client = config.client(&statement.client_key);
    // It was written from a zone, so it reads as one.
    let zone: Tz = statement.time_zone.parse().unwrap_or(Tz::UTC);
    let template = template(config)?;
    let cards = match client {
        Some(client) => write_back::cards(store, client, &statement)?,
        None => write_back::Cards::default(),
    };
    store.write(|writer| {
        let Numbered {
            number: own,
            series,
            running,
        } = make_final(writer, config, &mut statement, zone, now)?;
        let cancelled = Cancelled {
            statement: statement.clone(),
            series,
            running,
            cancels: number.to_owned(),
        };
        writer.append(now, &own, &Event::Cancelled(Box::new(cancelled)))?;
        // Of a client that is not configured any more nobody knows where documents go.
        if let Some(client) = client {
            queue_documents::<CancelError>(writer, now, client, &statement, template.as_deref())?;
            cards.queue(writer, now, client, &statement)?;
        }
        Ok::<(), CancelError>(())
    })?;
    store.fold_in_log();
    Ok(statement)
}
