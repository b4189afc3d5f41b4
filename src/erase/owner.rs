//! Whose a record is, told from the record alone.

use std::collections::BTreeSet;

use stundenbuch_connectors::record::{Project, Record};

use crate::billing::{Attribution, attribute, expense_client, task_client};
use crate::config::Client;
use crate::matching::{names, within};
use crate::work::RecordKey;

/// Whose a record is, seen from one client.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Owner {
    Client,
    Other,
    Nobody,
    /// The client's and somebody else's.
    Several,
}

/// What tells whose a record is.
#[derive(Debug)]
pub(super) struct Owners<'a> {
    pub(super) clients: &'a [Client],
    /// The client that is asked for.
    pub(super) key: &'a str,
    /// Where documents of the client's statements lie: connection and path.
    pub(super) delivered: BTreeSet<(String, String)>,
}

impl Owners<'_> {
    /// Activities and people are nobody's by themselves.
    pub(super) fn of(&self, key: &RecordKey, record: &Record) -> Owner {
        match record {
            Record::TimeEntry(entry) => self.seen(&attribute(entry, self.clients)),
            Record::Task(task) => self.seen(&task_client(task, self.clients)),
            Record::Project(project) => self.of_project(project),
            Record::Expense(expense) => self.seen(&expense_client(expense, self.clients)),
            Record::File(file) => self.of_file(&key.connection, &file.path),
            Record::Activity(_) | Record::Person(_) => Owner::Nobody,
        }
    }

    fn seen(&self, attribution: &Attribution) -> Owner {
        match attribution {
            Attribution::Client(key) => self.one_of(std::slice::from_ref(key)),
            Attribution::None => Owner::Nobody,
            Attribution::Clash(keys) => self.one_of(keys),
        }
    }

    fn one_of(&self, keys: &[String]) -> Owner {
        match keys {
            [] => Owner::Nobody,
            [only] if only == self.key => Owner::Client,
            several if several.iter().any(|key| key == self.key) => Owner::Several,
            _ => Owner::Other,
        }
    }

    /// A project or board: by its name in either kind of tool, else by the client that it names.
    fn of_project(&self, project: &Project) -> Owner {
        let claimed = |claims: &dyn Fn(&Client) -> bool| -> Vec<String> {
            let clients = self.clients.iter().filter(|client| claims(client));
            clients.map(|client| client.key.clone()).collect()
        };
        let by_name = claimed(&|client| {
            let sources = &client.sources;
            names(&sources.projects, &project.name) || names(&sources.boards, &project.name)
        });
        if !by_name.is_empty() {
            return self.one_of(&by_name);
        }
        let named = project
            .client
            .as_ref()
            .and_then(|named| named.name.as_ref());
        let Some(name) = named else {
            return Owner::Nobody;
        };
        self.one_of(&claimed(&|client| names(&client.sources.clients, name)))
    }

    /// A file: by the innermost folder that a client has, or because we delivered it.
    pub(super) fn of_file(&self, connection: &str, path: &str) -> Owner {
        let place = (connection.to_owned(), path.to_owned());
        if self.delivered.contains(&place) {
            return Owner::Client;
        }
        let folders = self.clients.iter().flat_map(|client| {
            let folders = client.sources.folders.iter();
            folders.map(move |folder| (folder, &client.key))
        });
        let holding = folders.filter(|(folder, _)| within(folder, connection, path));
        let innermost = holding.max_by_key(|(folder, _)| folder.path.matches('/').count());
        innermost.map_or(Owner::Nobody, |(_, key)| {
            self.one_of(std::slice::from_ref(key))
        })
    }
}
