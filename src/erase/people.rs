//! People: a service lists them for a whole account, so whose they are is told by who names them.

use std::collections::{BTreeMap, BTreeSet};

use stundenbuch_connectors::record::{Person, PersonRef, Record};

use crate::config::Config;
use crate::ledger::Revision;
use crate::matching::{normal, person_of};
use crate::store::Row;
use crate::work::RecordKey;

/// The people of the ledger, and who is named by records that stay.
#[derive(Debug, Default)]
pub(super) struct People {
    found: BTreeMap<String, Found>,
    named: BTreeSet<String>,
}

/// Rows of the journal, each with the received record that it names.
type Rows = Vec<(u64, Option<u64>)>;

/// A person's record.
#[derive(Debug)]
struct Found {
    key: RecordKey,
    newest: Person,
    rows: Rows,
}

impl People {
    /// A revision in the stream of people.
    pub(super) fn add(&mut self, key: RecordKey, row: &Row, revision: Revision) {
        let Record::Person(newest) = revision.record else {
            return;
        };
        let found = self.found.entry(row.subject.clone()).or_insert(Found {
            key,
            newest: newest.clone(),
            rows: Vec::new(),
        });
        found.newest = newest;
        found.rows.push((row.seq, Some(revision.raw.id)));
    }

    /// A row that says that a person's record is gone.
    pub(super) fn add_deleted(&mut self, row: &Row) {
        if let Some(found) = self.found.get_mut(&row.subject) {
            found.rows.push((row.seq, None));
        }
    }

    /// A record that stays names these people.
    pub(super) fn name(&mut self, connection: &str, record: &Record) {
        let named: Vec<&PersonRef> = match record {
            Record::TimeEntry(entry) => entry.person.iter().collect(),
            Record::Task(task) => task.assignees.iter().collect(),
            Record::Activity(activity) => activity.person.iter().collect(),
            Record::File(file) => file.modified_by.iter().collect(),
            Record::Expense(expense) => expense.person.iter().collect(),
            Record::Person(_) | Record::Project(_) => Vec::new(),
        };
        for person in named {
            let id = person.id.as_ref().map(|id| of_id(connection, id.as_str()));
            let texts = [&person.email, &person.name].into_iter().flatten();
            self.named.extend(texts.map(|text| normal(text)).chain(id));
        }
    }

    /// Of the connections that hold something of the client's, the people whom no record that
    /// stays names, and who are not the issuer's own: their rows, by their keys. The received
    /// records of all others are in the second list.
    pub(super) fn going(
        self,
        config: &Config,
        connections: &BTreeSet<String>,
    ) -> (BTreeMap<String, Rows>, Vec<u64>) {
        let (mut going, mut named) = (BTreeMap::new(), Vec::new());
        for (subject, found) in self.found {
            let stays = !connections.contains(&found.key.connection)
                || self
                    .named
                    .contains(&of_id(&found.key.connection, found.key.id.as_str()))
                || is_ours(config, &found.newest)
                || texts(&found.newest).any(|text| self.named.contains(&text));
            if stays {
                named.extend(found.rows.iter().filter_map(|(_, raw)| *raw));
            } else {
                going.insert(subject, found.rows);
            }
        }
        (going, named)
    }
}

fn of_id(connection: &str, id: &str) -> String {
    // No name has this sign in it.
    format!("{connection}\0{id}")
}

fn texts(person: &Person) -> impl Iterator<Item = String> {
    let texts = [Some(&person.name), person.email.as_ref()];
    texts.into_iter().flatten().map(|text| normal(text))
}

fn is_ours(config: &Config, person: &Person) -> bool {
    let reference = PersonRef {
        id: None,
        name: Some(person.name.clone()),
        email: person.email.clone(),
    };
    let issuer = [Some(&config.issuer.name), config.issuer.email.as_ref()];
    let mut issuer = issuer.into_iter().flatten().map(|text| normal(text));
    person_of(&reference, &config.people).is_some()
        || issuer.any(|own| texts(person).any(|text| text == own))
}
