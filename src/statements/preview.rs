//! What would be billed now: open work, and what earlier statements owe.

use std::collections::BTreeMap;

use crate::billing::{
    self, Attribution, Carried, Draft, Drafts, LedgerHead, TaskRow, attribute, entry_day,
};
use crate::config::{Client, Config};
use crate::finding::Finding;
use crate::matching::normal;
use crate::store::{Result, Store, WorkQuery};
use crate::time::Period;
use crate::work::{RecordKey, Work, WorkId};

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

/// What would be billed now. Open corrections are on it, whatever the period.
pub fn preview(
    store: &Store,
    config: &Config,
    client: &Client,
    period: Period,
) -> Result<Previews> {
    let works = open_works(store, config, client, period)?;
    let carried = carried(store, client)?;
    let tasks = tasks_of(store, &works)?;
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
        &carried,
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

/// The tasks that works are matched to.
fn tasks_of(store: &Store, works: &[Work]) -> Result<BTreeMap<WorkId, TaskRow>> {
    let mut tasks: BTreeMap<WorkId, TaskRow> = BTreeMap::new();
    let mut rows: BTreeMap<RecordKey, Option<TaskRow>> = BTreeMap::new();
    for work in works {
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
    Ok(tasks)
}

/// The client's open corrections.
fn carried(store: &Store, client: &Client) -> Result<Vec<Carried>> {
    let mut carried = Vec::new();
    for number in store.corrected_statements(&client.key)? {
        if let Some(sealed) = store.statement(&number)? {
            let recorded = store.corrections_of(&number)?;
            carried.extend(billing::carried(&sealed, &recorded));
        }
    }
    Ok(carried)
}

/// The client's work in the period that is not settled, finished and not deleted.
fn open_works(
    store: &Store,
    config: &Config,
    client: &Client,
    period: Period,
) -> Result<Vec<Work>> {
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
