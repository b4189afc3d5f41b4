//! The first walk over the journal: which records and works are the client's.

use std::collections::{BTreeMap, BTreeSet};

use stundenbuch_connectors::record::{Record, Stream};

use super::owner::{Owner, Owners};
use crate::ledger::{Event, Revision};
use crate::store::{Result, Row, Store};
use crate::work::{RecordKey, WorkId};

/// What the revisions say by themselves, whatever became of their records.
#[derive(Debug, Default)]
pub(super) struct Glance {
    /// Revisions that are the client's by what they say.
    pub(super) rows: BTreeSet<u64>,
    /// Records that are the client's and somebody else's.
    pub(super) several: BTreeSet<String>,
    records: BTreeSet<String>,
    works: BTreeSet<WorkId>,
    scopes: BTreeMap<(String, String), Sides>,
    /// What was taught for work without a client, by its text.
    taught: BTreeMap<String, Taught>,
}

/// Whose tasks a scope holds.
#[derive(Clone, Copy, Debug, Default)]
struct Sides {
    client: bool,
    others: bool,
}

#[derive(Debug, Default)]
struct Taught {
    rows: Vec<u64>,
    tasks: BTreeSet<String>,
}

/// What belongs to the client.
#[derive(Debug, Default)]
pub(super) struct Own {
    /// Keys of records.
    pub(super) keys: BTreeSet<String>,
    pub(super) works: BTreeSet<WorkId>,
    /// Connection and scope of boards that hold nobody else's tasks.
    pub(super) scopes: BTreeSet<(String, String)>,
    /// Rows that taught a text for work without a client.
    pub(super) taught: BTreeSet<u64>,
}

impl Glance {
    pub(super) fn at(store: &Store, owners: &Owners<'_>) -> Result<Self> {
        let mut glance = Self::default();
        store.rows_after(0, |row| glance.take(store, owners, &row))?;
        Ok(glance)
    }

    fn take(&mut self, store: &Store, owners: &Owners<'_>, row: &Row) -> Result<()> {
        match row.event()? {
            Event::Revision(revision) => self.take_revision(store, owners, row, &revision),
            Event::Alias(alias) if row.subject.is_empty() => {
                let taught = self.taught.entry(alias.text).or_default();
                taught.rows.push(row.seq);
                taught.tasks.extend(alias.task.map(|task| task.to_string()));
                Ok(())
            }
            _ => Ok(()),
        }
    }

    fn take_revision(
        &mut self,
        store: &Store,
        owners: &Owners<'_>,
        row: &Row,
        revision: &Revision,
    ) -> Result<()> {
        let key = store.parse_key(&row.subject)?;
        let owner = owners.of(&key, &revision.record);
        if matches!(revision.record, Record::Task(_)) {
            let scope = (key.connection.clone(), revision.scope.clone());
            let sides = self.scopes.entry(scope).or_default();
            sides.client |= owner == Owner::Client;
            sides.others |= owner != Owner::Client;
        }
        match owner {
            Owner::Client => {
                self.rows.insert(row.seq);
                if key.stream == Stream::Time {
                    self.works.extend(store.work_of(&key)?);
                } else {
                    self.records.insert(row.subject.clone());
                }
            }
            Owner::Several => {
                self.several.insert(row.subject.clone());
            }
            Owner::Other | Owner::Nobody => {}
        }
        Ok(())
    }

    /// What is the client's now. A record whose newest state is nobody's belongs to the client
    /// that it ever belonged to; one whose newest state is another's, to that other.
    pub(super) fn own(&self, store: &Store, owners: &Owners<'_>) -> Result<Own> {
        let mut own = Own::default();
        for subject in &self.records {
            let key = store.parse_key(subject)?;
            if let Some(Owner::Client | Owner::Nobody) = owner_now(store, owners, &key)? {
                own.keys.insert(subject.clone());
            }
        }
        for work in &self.works {
            if let Some(Owner::Client | Owner::Nobody) = owner_of_work(store, owners, *work)? {
                own.works.insert(*work);
            }
        }
        // Work that names no client, and whose task is the client's.
        for subject in &own.keys {
            let key = store.parse_key(subject)?;
            if key.stream == Stream::Tasks {
                for work in store.works_on(&key)? {
                    if owner_of_work(store, owners, work)? == Some(Owner::Nobody) {
                        own.works.insert(work);
                    }
                }
            }
        }
        for work in &own.works {
            let claims = store.claims(*work)?.into_iter();
            own.keys.extend(claims.map(|key| key.to_string()));
        }
        let scopes = self.scopes.iter();
        own.scopes = scopes
            .filter(|(_, sides)| sides.client && !sides.others)
            .map(|(scope, _)| scope.clone())
            .collect();
        let taught = self.taught.values();
        own.taught = taught
            .filter(|taught| taught.tasks.iter().any(|task| own.keys.contains(task)))
            .flat_map(|taught| taught.rows.iter().copied())
            .collect();
        Ok(own)
    }
}

impl Own {
    /// Work that a statement billed which goes now belongs to its client, whatever became of it:
    /// it would be open without the statement, and billed a second time.
    pub(super) fn take_settled(
        &mut self,
        store: &Store,
        settled: &[(WorkId, String)],
    ) -> Result<()> {
        for (work, number) in settled {
            let by = store.settled(*work)?.map(|(number, _)| number);
            if by.as_ref() == Some(number) {
                self.works.insert(*work);
                let claims = store.claims(*work)?.into_iter();
                self.keys.extend(claims.map(|key| key.to_string()));
            }
        }
        Ok(())
    }
}

/// Whose a record is by its newest state; `None` when the ledger does not know it.
fn owner_now(store: &Store, owners: &Owners<'_>, key: &RecordKey) -> Result<Option<Owner>> {
    let revision = store.revision_of(key)?;
    let Some(row) = revision.map(|seq| store.row(seq)).transpose()?.flatten() else {
        return Ok(None);
    };
    Ok(match row.event()? {
        Event::Revision(revision) => Some(owners.of(key, &revision.record)),
        _ => None,
    })
}

fn owner_of_work(store: &Store, owners: &Owners<'_>, work: WorkId) -> Result<Option<Owner>> {
    let work = store.work(work)?;
    Ok(work.map(|work| owners.of(&work.key, &Record::TimeEntry(work.entry))))
}
