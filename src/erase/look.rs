//! The second walk over the journal: which rows go, and which stay though they are the client's.

use std::collections::{BTreeMap, BTreeSet};

use stundenbuch_connectors::record::{Named, Record, Stream};

use super::glance::{Glance, Own};
use super::owner::Owners;
use super::people::People;
use super::proofs::Proofs;
use crate::config::Config;
use crate::ledger::{Event, Revision};
use crate::matching::normal;
use crate::store::{Result, Row, Store};
use crate::work::{RecordKey, WorkId};

/// What a search came to.
#[derive(Debug)]
pub(super) struct Found {
    /// Rows to empty, each with the received record that it names.
    pub(super) rows: BTreeMap<u64, Option<u64>>,
    /// Rows about the client that stay.
    pub(super) stay: BTreeSet<u64>,
    /// Received records that only rows that go name.
    pub(super) raws: Vec<u64>,
    pub(super) own: Own,
    /// Names that only records that go have, as names are compared: those of tasks, and all.
    pub(super) tasks: BTreeSet<String>,
    pub(super) words: BTreeSet<String>,
    /// How many records are somebody else's as well, and stay.
    pub(super) several: usize,
}

/// The walk.
struct Look<'a> {
    store: &'a Store,
    client: &'a str,
    proofs: &'a Proofs,
    glance: Glance,
    own: Own,
    rows: BTreeMap<u64, Option<u64>>,
    stay: BTreeSet<u64>,
    /// Received records that are named by rows that stay.
    named: Vec<u64>,
    people: People,
    ours: Words,
    others: Words,
}

/// The names in records, as names are compared.
#[derive(Debug, Default)]
struct Words {
    tasks: BTreeSet<String>,
    all: BTreeSet<String>,
}

/// Finds every row of the journal that is about the client.
pub(super) fn look(
    store: &Store,
    config: &Config,
    owners: &Owners<'_>,
    proofs: &Proofs,
) -> Result<Found> {
    let glance = Glance::at(store, owners)?;
    let mut own = glance.own(store, owners)?;
    own.take_settled(store, &proofs.settled)?;
    let mut look = Look {
        store,
        client: owners.key,
        proofs,
        rows: own.taught.iter().map(|seq| (*seq, None)).collect(),
        glance,
        own,
        stay: BTreeSet::new(),
        named: Vec::new(),
        people: People::default(),
        ours: Words::default(),
        others: Words::default(),
    };
    store.rows_after(0, |row| look.take(&row))?;
    look.take_people(config);
    look.keep_proofs()?;
    Ok(look.found())
}

impl Look<'_> {
    fn take(&mut self, row: &Row) -> Result<()> {
        match row.event()? {
            Event::Revision(revision) => return self.take_revision(row, *revision),
            Event::Deleted(_) | Event::SameWork(_) => self.take_about_record(row)?,
            Event::Alias(_) if row.subject == self.client => self.go(row.seq, None),
            Event::Sealed(_) | Event::Cancelled(_) => {
                self.take_statement(row.seq, self.proofs.stays(&row.subject));
            }
            Event::Correction(correction) => {
                let stays = self.proofs.stays(&row.subject);
                self.take_statement(row.seq, stays);
                if stays == Some(true) {
                    self.stay.insert(correction.state);
                }
            }
            Event::Delivered(delivered) => {
                let connection = &delivered.connection;
                let stays = self.proofs.delivery_stays(&row.subject, connection);
                self.take_statement(row.seq, stays);
            }
            Event::Configured(_) if row.subject.strip_prefix("client/") == Some(self.client) => {
                self.go(row.seq, None);
            }
            _ => {}
        }
        Ok(())
    }

    fn go(&mut self, seq: u64, raw: Option<u64>) {
        self.rows.insert(seq, raw);
    }

    fn take_statement(&mut self, seq: u64, stays: Option<bool>) {
        match stays {
            Some(true) => {
                self.stay.insert(seq);
            }
            Some(false) => self.go(seq, None),
            None => {}
        }
    }

    fn take_revision(&mut self, row: &Row, revision: Revision) -> Result<()> {
        let key = self.store.parse_key(&row.subject)?;
        if key.stream == Stream::People {
            self.people.add(key, row, revision);
            return Ok(());
        }
        let raw = revision.raw.id;
        if self.own.keys.contains(&row.subject) || self.hangs_on(&key, &revision) {
            self.own.keys.insert(row.subject.clone());
            self.ours.add(&revision.record);
            self.go(row.seq, Some(raw));
            return Ok(());
        }
        // An earlier state of what is another's now, or was billed on a statement that goes.
        let was = self.glance.rows.contains(&row.seq) || self.proofs.unbound.contains(&row.seq);
        if was && self.store.revision_of(&key)? != Some(row.seq) {
            self.ours.add(&revision.record);
            self.go(row.seq, Some(raw));
            return Ok(());
        }
        self.others.add(&revision.record);
        self.people.name(&key.connection, &revision.record);
        self.named.push(raw);
        Ok(())
    }

    /// An activity belongs to its task, or to a board that is the client's alone.
    fn hangs_on(&self, key: &RecordKey, revision: &Revision) -> bool {
        let Record::Activity(activity) = &revision.record else {
            return false;
        };
        let task = RecordKey {
            connection: key.connection.clone(),
            stream: Stream::Tasks,
            id: activity.task.clone(),
        };
        let scope = (key.connection.clone(), revision.scope.clone());
        self.own.keys.contains(&task.to_string()) || self.own.scopes.contains(&scope)
    }

    /// A deletion, or two records that report one work. What was billed stays with the row that
    /// says which work it reports.
    fn take_about_record(&mut self, row: &Row) -> Result<()> {
        self.people.add_deleted(row);
        let joined_proof = row.kind == "same-work" && self.proofs.keys.contains(&row.subject);
        if joined_proof {
            self.stay.insert(row.seq);
        } else if self.own.keys.contains(&row.subject) || self.is_left_over(&row.subject)? {
            self.go(row.seq, None);
        }
        Ok(())
    }

    /// Whether a record is there only because of a statement that goes.
    fn is_left_over(&self, subject: &str) -> Result<bool> {
        let key = self.store.parse_key(subject)?;
        Ok(self.proofs.loose.contains(subject) && self.store.revision_of(&key)?.is_none())
    }

    fn take_people(&mut self, config: &Config) {
        let keys = self.own.keys.iter();
        let connections = keys.filter_map(|key| key.split('/').next().map(str::to_owned));
        let people = std::mem::take(&mut self.people);
        let (going, named) = people.going(config, &connections.collect());
        self.named.extend(named);
        for (subject, rows) in going {
            self.own.keys.insert(subject);
            self.rows.extend(rows);
        }
    }

    /// What statements that stay were made from stays with them, whosever they are.
    fn keep_proofs(&mut self) -> Result<()> {
        self.stay.extend(&self.proofs.billed);
        for seq in &self.stay {
            self.named.extend(self.rows.remove(seq).flatten());
        }
        for statement in self.store.statements()? {
            if statement.client == self.client {
                continue;
            }
            let Some(row) = self.store.row(statement.sealed)? else {
                continue;
            };
            if let Event::Sealed(sealed) = row.event()? {
                for work in &sealed.works {
                    self.named
                        .extend(self.rows.remove(&work.revision).flatten());
                }
            }
        }
        Ok(())
    }

    fn found(mut self) -> Found {
        self.named.sort_unstable();
        let raws: BTreeSet<u64> = self
            .rows
            .values()
            .flatten()
            .filter(|raw| self.named.binary_search(raw).is_err())
            .copied()
            .collect();
        let alone = |ours: &BTreeSet<String>| -> BTreeSet<String> {
            ours.difference(&self.others.all).cloned().collect()
        };
        let several = self.glance.several.iter();
        Found {
            raws: raws.into_iter().collect(),
            tasks: alone(&self.ours.tasks),
            words: alone(&self.ours.all),
            several: several.filter(|key| !self.own.keys.contains(*key)).count(),
            rows: self.rows,
            stay: self.stay,
            own: self.own,
        }
    }
}

impl Found {
    /// Every record that goes and that the ledger knows, by its number.
    pub(super) fn records(&self, store: &Store) -> Result<Vec<(u64, RecordKey)>> {
        let mut records = Vec::new();
        for subject in &self.own.keys {
            let key = store.parse_key(subject)?;
            if let Some(id) = store.record_number(&key)? {
                records.push((id, key));
            }
        }
        Ok(records)
    }

    /// The works that go.
    pub(super) fn works(&self) -> Vec<WorkId> {
        self.own.works.iter().copied().collect()
    }
}

impl Words {
    fn add(&mut self, record: &Record) {
        let mut add = |text: Option<&str>| {
            let word = text.map(normal).filter(|word| !word.is_empty());
            self.all.extend(word);
        };
        let name = |named: &'_ Option<Named>| named.as_ref().and_then(|it| it.name.clone());
        match record {
            Record::TimeEntry(entry) => {
                for named in [&entry.client, &entry.project, &entry.task] {
                    add(name(named).as_deref());
                }
                for tag in &entry.tags {
                    add(Some(tag));
                }
                let person = entry.person.as_ref();
                add(person.and_then(|person| person.name.as_deref()));
                add(person.and_then(|person| person.email.as_deref()));
                self.tasks
                    .extend(name(&entry.task).map(|task| normal(&task)));
            }
            Record::Task(task) => {
                add(name(&task.project).as_deref());
                add(name(&task.section).as_deref());
                for label in &task.labels {
                    add(Some(label));
                }
                for person in &task.assignees {
                    add(person.name.as_deref());
                }
            }
            Record::Project(project) => {
                add(Some(&project.name));
                add(name(&project.client).as_deref());
            }
            Record::Expense(expense) => {
                for named in [&expense.client, &expense.project, &expense.task] {
                    add(name(named).as_deref());
                }
                add(name(&expense.category).as_deref());
                let person = expense.person.as_ref();
                add(person.and_then(|person| person.name.as_deref()));
                add(person.and_then(|person| person.email.as_deref()));
            }
            Record::Activity(_) | Record::File(_) | Record::Person(_) => {}
        }
    }
}
