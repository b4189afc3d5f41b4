//! Statements over the ledger: preview, seal, and what changed afterwards.

use std::collections::BTreeMap;

use chrono::{DateTime, Datelike as _, Utc};

use crate::billing::{
    self, Attribution, ContractAt, Draft, Drafts, LedgerHead, RateAt, Statement, TaskRow,
    attribute, contract_at, entry_day, rate_at,
};
use crate::config::{Client, Config};
use crate::finding::{Finding, Kind, Severity};
use crate::ledger::{Event, Sealed, SettledWork, hex, sha256};
use crate::matching::normal;
use crate::render::{self, Format, RenderError, Rendered};
use crate::store::{self, NewParcel, Store, WorkQuery, Writer};
use crate::time::{Period, clock_text};
use crate::work::{RecordKey, Work, WorkId};

/// Why a statement was not sealed; then nothing happened.
#[derive(Debug, thiserror::Error)]
pub enum SealError {
    #[error("there is nothing to seal for {client} in {period}")]
    Nothing { client: String, period: Period },
    #[error("{0} has changed since it was read; nothing was sealed")]
    Changed(WorkId),
    #[error("{work} is settled by {number} already; nothing was sealed")]
    Settled { work: WorkId, number: String },
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
            Self::Changed(_) | Self::Settled { .. } => {
                Some("look at the preview again, then seal again".into())
            }
            Self::Several { .. } => Some("seal shorter periods, each under one contract".into()),
            Self::Render(_) => None,
            Self::Store(error) => Some(error.hint().into()),
        }
    }
}

/// A draft with the works that it is made of.
#[derive(Clone, Debug)]
pub struct Preview {
    pub draft: Draft,
    /// Every work that it lists, with the revision that was read.
    pub works: Vec<(WorkId, u64)>,
}

/// Everything that would be billed now, and why some work would not.
#[derive(Clone, Debug, Default)]
pub struct Previews {
    /// One for each currency and tax.
    pub previews: Vec<Preview>,
    pub findings: Vec<Finding>,
}

/// What would be billed now.
pub fn preview(
    store: &Store,
    config: &Config,
    client: &Client,
    period: Period,
) -> store::Result<Previews> {
    let works = open_works(store, config, client, period)?;
    let mut tasks: BTreeMap<WorkId, TaskRow> = BTreeMap::new();
    let mut rows: BTreeMap<RecordKey, Option<TaskRow>> = BTreeMap::new();
    for work in &works {
        let Some((Some(key), _)) = store.matched(work.id)? else {
            continue;
        };
        // Many entries are about one task; it is read once.
        if !rows.contains_key(&key) {
            let row = store.task(&key)?.map(|item| TaskRow {
                title: item.task.title,
                url: item.task.url,
            });
            rows.insert(key.clone(), row);
        }
        if let Some(Some(row)) = rows.get(&key) {
            tasks.insert(work.id, row.clone());
        }
    }
    let head = store.head()?;
    let head = LedgerHead {
        seq: head.seq,
        hash: head.hex(),
    };
    let revisions: BTreeMap<WorkId, u64> =
        works.iter().map(|work| (work.id, work.revision)).collect();
    let Drafts { drafts, findings } = billing::statements(
        client,
        period,
        &works,
        &|work| tasks.get(&work).cloned(),
        &config.issuer,
        &config.people,
    );
    let previews = drafts
        .into_iter()
        .map(|mut draft| {
            draft.statement.ledger_head = Some(head.clone());
            // Every listed work is settled, whether a line charges it or not.
            let listed = draft.statement.entries.iter().filter_map(|row| {
                let work = WorkId::parse(&row.work)?;
                Some((work, *revisions.get(&work)?))
            });
            Preview {
                works: listed.collect(),
                draft,
            }
        })
        .collect();
    Ok(Previews { previews, findings })
}

/// The client's work in the period that is not settled, finished and not deleted.
fn open_works(
    store: &Store,
    config: &Config,
    client: &Client,
    period: Period,
) -> store::Result<Vec<Work>> {
    let (from, until) = period.instants(client.time_zone);
    // Work that has only a day stands at 00:00 UTC of it, which may lie outside of the local
    // day; so the query is a day wider, and the day itself decides.
    let wider = chrono::TimeDelta::days(1);
    let names = |list: &[String]| list.iter().map(|name| normal(name)).collect();
    let query = WorkQuery {
        from: Some(from - wider),
        until: Some(until + wider),
        client_or_project: Some((
            names(&client.sources.clients),
            names(&client.sources.projects),
        )),
        unsettled: true,
        ..WorkQuery::default()
    };
    let mut works = store.works(&query)?;
    let mut asked: BTreeMap<[Option<String>; 2], bool> = BTreeMap::new();
    works.retain(|work| {
        let entry = &work.entry;
        if work.deleted || !period.contains(entry_day(entry, client.time_zone)) {
            return false;
        }
        // The two names alone decide, and a month has few of them.
        let names = [&entry.project, &entry.client].map(|named| named.as_ref()?.name.clone());
        *asked.entry(names).or_insert_with(|| {
            attribute(entry, &config.clients) == Attribution::Client(client.key.clone())
        })
    });
    Ok(works)
}

/// Seals the client's statement for a period: its number, its rows and its documents are fixed
/// in one transaction.
pub fn seal(
    store: &mut Store,
    config: &Config,
    client: &Client,
    period: Period,
    now: DateTime<Utc>,
) -> Result<Statement, SealError> {
    let Previews { mut previews, .. } = preview(store, config, client, period)?;
    let chosen = previews.pop().filter(|preview| !preview.works.is_empty());
    let Some(preview) = chosen else {
        return Err(SealError::Nothing {
            client: client.key.clone(),
            period,
        });
    };
    if !previews.is_empty() {
        return Err(SealError::Several { period });
    }
    let template = template(config)?;
    store.write(|writer| {
        still_so(writer, &preview)?;
        let issued_on = now.with_timezone(&client.time_zone).date_naive();
        let pattern = &config.statements.number_pattern;
        let (year, month) = (issued_on.year(), issued_on.month());
        // Numbers that differ in nothing but the running part count together.
        let series = billing::number(pattern, year, month, 0);
        let running = writer.next_running(&series)?;
        let number = billing::number(pattern, year, month, running.into());
        let head = writer.head();
        let mut statement = preview.draft.statement.clone();
        statement.number = Some(number.clone());
        statement.sealed_at = Some(whole_second(now));
        statement.issued_on = Some(issued_on);
        statement.ledger_head = Some(LedgerHead {
            seq: head.seq,
            hash: head.hex(),
        });
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
            corrections: Vec::new(),
        };
        writer.append(now, &number, &Event::Sealed(Box::new(sealed)))?;
        queue_documents(writer, now, client, &statement, template.as_deref())?;
        Ok(statement)
    })
}

/// The documents of a statement wait in the outbox for each of the client's targets.
fn queue_documents(
    writer: &mut Writer<'_>,
    now: DateTime<Utc>,
    client: &Client,
    statement: &Statement,
    template: Option<&str>,
) -> Result<(), SealError> {
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
fn still_so(writer: &Writer<'_>, preview: &Preview) -> Result<(), SealError> {
    let works: Vec<WorkId> = preview.works.iter().map(|(work, _)| *work).collect();
    if let Some((work, number)) = writer.first_settled(&works)? {
        return Err(SealError::Settled { work, number });
    }
    for (work, revision) in &preview.works {
        if writer.current_revision(*work)? != Some(*revision) {
            return Err(SealError::Changed(*work));
        }
    }
    Ok(())
}

/// The user's own layout, where there is one.
pub fn template(config: &Config) -> Result<Option<String>, store::Error> {
    let Some(directory) = &config.templates else {
        return Ok(None);
    };
    let path = directory.join("report.typ");
    std::fs::read_to_string(&path)
        .map(Some)
        .map_err(|error| store::Error::Open {
            path,
            reason: error.to_string(),
            hint: "`statements.templates` names a directory with a `report.typ`; remove the key to \
               use the built-in layout",
        })
}

/// What changed of a settled work since it was billed.
pub fn drift(store: &Store, config: &Config, work: &Work) -> store::Result<Option<Finding>> {
    let Some(number) = &work.statement else {
        return Ok(None);
    };
    let Some(sealed) = store.sealed(number)? else {
        return Ok(None);
    };
    let now = (!work.deleted).then_some(work);
    let drift = billing::drift(
        &sealed.statement,
        work.id,
        now,
        &config.clients,
        &config.people,
    );
    Ok(drift.map(|drift| billing::drift_finding(&drift, &sealed.statement)))
}

/// Work that could be billed and is in no statement, though its day was sealed: it came later,
/// became the client's later, or had no rate then.
pub fn late(store: &Store, config: &Config, work: &Work) -> store::Result<Option<Finding>> {
    if work.deleted || work.statement.is_some() || work.entry.worked.seconds().is_none() {
        return Ok(None);
    }
    let Attribution::Client(key) = attribute(&work.entry, &config.clients) else {
        return Ok(None);
    };
    let Some(client) = config.client(&key) else {
        return Ok(None);
    };
    let day = entry_day(&work.entry, client.time_zone);
    let Some(sealed) = store.sealed_over(&key, day)? else {
        return Ok(None);
    };
    // What has no contract or no rate is told as that; it is late once it could be billed.
    let ContractAt::One(contract) = contract_at(client, &work.entry) else {
        return Ok(None);
    };
    let RateAt::One(..) = rate_at(contract, &work.entry, day, &config.people) else {
        return Ok(None);
    };
    Ok(Some(Finding {
        kind: Kind::LateEntry,
        severity: Severity::Check,
        subject: work.id.to_string(),
        other: None,
        client: Some(key.clone()),
        sentence: format!(
            "\"{}\" of {day} ({} h) is not in {}, which was sealed over that day.",
            work.entry.description,
            clock_text(work.entry.worked.seconds().unwrap_or(0)),
            sealed.number
        ),
        action: format!(
            "Seal the late work on a statement of its own: `stundenbuch statement seal {key} \
             --period {}..{}`.",
            sealed.first_day, sealed.last_day
        ),
    }))
}

/// Statements name whole seconds.
fn whole_second(at: DateTime<Utc>) -> DateTime<Utc> {
    DateTime::from_timestamp(at.timestamp(), 0).unwrap_or(at)
}

#[cfg(test)]
#[path = "statements_tests.rs"]
mod tests;
