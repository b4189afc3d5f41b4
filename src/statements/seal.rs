//! Sealing: a draft becomes final, and its documents wait for delivery.

use std::collections::BTreeMap;

use chrono::{DateTime, Datelike as _, Utc};
use chrono_tz::Tz;

use super::preview::{Preview, Previews, preview};
use super::{template, write_back};
use crate::billing::{self, LedgerHead, Statement};
use crate::config::{Client, Config};
use crate::ledger::{Event, Sealed, SettledWork, hex, sha256};
use crate::render::{self, Format, RenderError, Rendered};
use crate::store::{self, NewParcel, Store, Writer};
use crate::time::Period;
use crate::work::WorkId;

/// Why a statement was not sealed; then nothing happened.
#[derive(Debug, thiserror::Error)]
pub enum SealError {
    #[error("there is nothing to seal for {client} in {period}")]
    Nothing { client: String, period: Period },
    #[error("{0} has changed since it was read; nothing was sealed")]
    Changed(WorkId),
    #[error("{work} is settled by {number} already; nothing was sealed")]
    Settled { work: WorkId, number: String },
    #[error("the correction in row {0} is charged or void by now; nothing was sealed")]
    Corrected(u64),
    #[error("the work of {period} belongs to several statements (currencies or taxes)")]
    Several { period: Period },
    #[error(transparent)]
    Render(#[from] RenderError),
    #[error(transparent)]
    Store(#[from] store::Error),
}

impl SealError {
    /// What a person can do, where that is known.
    pub fn hint(&self) -> Option<String> {
        match self {
            Self::Nothing { client, period } => Some(format!(
                "`stundenbuch statement list` shows what was sealed already, and \
                 `stundenbuch statement preview {client} --period {period}` why work is left out"
            )),
            Self::Changed(_) | Self::Settled { .. } | Self::Corrected(_) => {
                Some("look at the preview again, then seal again".into())
            }
            Self::Several { .. } => Some("seal shorter periods, each under one contract".into()),
            Self::Render(_) => None,
            Self::Store(error) => Some(error.hint().into_owned()),
        }
    }
}

/// Seals the client's statement for a period: its number, its rows and its documents are fixed
/// in one transaction. What is sealed cannot be taken back, so the whole ledger is verified first.
pub fn seal(
    store: &mut Store,
    config: &Config,
    client: &Client,
    period: Period,
    now: DateTime<Utc>,
) -> Result<Statement, SealError> {
    store.verify()?.whole()?;
    let Previews { previews, .. } = preview(store, config, client, period)?;
    // What another currency or tax still owes, and no work of the period has, can wait.
    let (mut worked, mut owed): (Vec<_>, Vec<_>) = previews
        .into_iter()
        .partition(|preview| !preview.works.is_empty());
    if worked.len() > 1 {
        return Err(SealError::Several { period });
    }
    owed.truncate(1);
    let Some(preview) = worked.pop().or(owed.pop()) else {
        return Err(SealError::Nothing {
            client: client.key.clone(),
            period,
        });
    };
    let template = template(config)?;
    let cards = write_back::cards(store, client, &preview.draft.statement)?;
    let sealed = store.write(|writer| {
        still_so(writer, &preview)?;
        let mut statement = preview.draft.statement.clone();
        let Numbered {
            number,
            series,
            running,
        } = make_final(writer, config, &mut statement, client.time_zone, now)?;
        let works = preview.works.iter().map(|(work, revision)| SettledWork {
            work: *work,
            revision: *revision,
            line: preview.draft.line_of.get(work).copied(),
        });
        let sealed = Sealed {
            statement: statement.clone(),
            series,
            running,
            works: works.collect(),
            corrections: preview.draft.corrections.clone(),
        };
        writer.append(now, &number, &Event::Sealed(Box::new(sealed)))?;
        queue_documents::<SealError>(writer, now, client, &statement, template.as_deref())?;
        cards.queue(writer, now, client, &statement)?;
        Ok::<_, SealError>(statement)
    })?;
    store.fold_in_log();
    Ok(sealed)
}

/// The number that a statement got.
pub(super) struct Numbered {
    pub(super) number: String,
    /// What its running part counts within.
    pub(super) series: String,
    pub(super) running: u32,
}

/// Gives a statement its number, its day and the head of the ledger.
pub(super) fn make_final(
    writer: &Writer<'_>,
    config: &Config,
    statement: &mut Statement,
    zone: Tz,
    now: DateTime<Utc>,
) -> store::Result<Numbered> {
    let issued_on = now.with_timezone(&zone).date_naive();
    let pattern = &config.statements.number_pattern;
    let (year, month) = (issued_on.year(), issued_on.month());
    // Numbers that differ in nothing but the running part count together.
    let series = billing::number(pattern, year, month, 0);
    let running = writer.next_running(&series)?;
    let number = billing::number(pattern, year, month, running.into());
    let head = writer.head();
    statement.number = Some(number.clone());
    statement.sealed_at = Some(whole_second(now));
    statement.issued_on = Some(issued_on);
    statement.ledger_head = Some(LedgerHead {
        seq: head.seq,
        hash: head.hex(),
    });
    Ok(Numbered {
        number,
        series,
        running,
    })
}

/// The documents of a statement wait in the outbox for each of the client's targets.
pub(super) fn queue_documents<E: From<RenderError> + From<store::Error>>(
    writer: &mut Writer<'_>,
    now: DateTime<Utc>,
    client: &Client,
    statement: &Statement,
    template: Option<&str>,
) -> Result<(), E> {
    let number = statement.number.as_deref().unwrap_or_default();
    let mut rendered: BTreeMap<Format, Rendered> = BTreeMap::new();
    for target in &client.deliver {
        for format in &target.formats {
            if !rendered.contains_key(format) {
                rendered.insert(*format, render::render(statement, *format, template)?);
            }
            let document = &rendered[format];
            let folder = target.folder.trim_matches('/');
            let path = if folder.is_empty() {
                document.file_name.clone()
            } else {
                format!("{folder}/{}", document.file_name)
            };
            let parcel = NewParcel {
                key: &format!("{number}/{}/{path}", target.connection),
                connection: &target.connection,
                statement: number,
                path: &path,
                sha256: &hex(&sha256(&document.bytes)),
                bytes: &document.bytes,
            };
            writer.enqueue(now, &parcel)?;
        }
    }
    Ok(())
}

/// Nothing that was read has changed since, and nothing of it was settled by another.
pub(super) fn still_so(writer: &Writer<'_>, preview: &Preview) -> Result<(), SealError> {
    let works: Vec<WorkId> = preview.works.iter().map(|(work, _)| *work).collect();
    if let Some((work, number)) = writer.first_settled(&works)? {
        return Err(SealError::Settled { work, number });
    }
    for (work, revision) in &preview.works {
        if writer.current_revision(*work)? != Some(*revision) {
            return Err(SealError::Changed(*work));
        }
    }
    let corrections = &preview.draft.corrections;
    match writer.first_not_open(corrections)? {
        Some(row) => Err(SealError::Corrected(row)),
        None => Ok(()),
    }
}

/// Statements name whole seconds.
fn whole_second(at: DateTime<Utc>) -> DateTime<Utc> {
    DateTime::from_timestamp(at.timestamp(), 0).unwrap_or(at)
}
