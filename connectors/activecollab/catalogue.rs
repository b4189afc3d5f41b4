//! Who and what the numbers in records mean: people, companies, job types, categories.
//!
//! Read with every pull, because names in a cursor would have to be erased there, too. A pull
//! that goes on in another process reads them again.

use std::collections::{BTreeMap, BTreeSet};

use serde::Deserialize;
use serde::de::DeserializeOwned;
use serde_json::value::RawValue;

use super::api::{Api, Wanted};
use super::envelope::Who;
use super::shape::identifier;
use super::wire::{Titled, User, filled};
use crate::error::{Kind, Result};

/// The names of one instance.
#[derive(Clone, Debug, Default)]
pub(super) struct Catalogue {
    people: BTreeMap<i64, Who>,
    /// `Owner`, `Member`, `Client`.
    roles: BTreeMap<i64, String>,
    companies: BTreeMap<i64, String>,
    jobs: BTreeMap<i64, String>,
    categories: BTreeMap<i64, String>,
    /// The users as received.
    pub(super) users: Vec<Box<RawValue>>,
}

/// What is known of lists that the user may not read.
pub(super) struct Refused<'a> {
    /// Nothing was read yet, so nothing can be lost.
    pub(super) first: bool,
    /// Try those that were refused.
    pub(super) again: bool,
    pub(super) without: &'a mut BTreeSet<String>,
}

/// The lists that only give names: what each is called, and where it is.
const NAMES: [(&str, &str); 3] = [
    ("companies", "/companies"),
    ("job_types", "/job-types"),
    ("expense_categories", "/expense-categories"),
];

impl Catalogue {
    /// Reads the lists. One that the user may not read is done without from then on; one that
    /// could be read before and is refused now is an error, for else names would vanish from
    /// all records overnight.
    pub(super) async fn read(
        api: &Api,
        expenses: bool,
        unpaged: &mut BTreeSet<String>,
        refused: Refused<'_>,
    ) -> Result<Self> {
        let users = Wanted::new("/users", "users", "users");
        let mut catalogue = Self::default();
        catalogue.take_users(api.list(&users, unpaged).await?.rows);
        for (name, path) in NAMES {
            let unused = name == "expense_categories" && !expenses;
            let left_out = refused.without.contains(name);
            if unused || (left_out && !refused.again) {
                continue;
            }
            let bearable = refused.first || left_out;
            let rows = match api.list(&Wanted::new(path, name, name), unpaged).await {
                Ok(listed) => listed.rows,
                Err(error)
                    if bearable && matches!(error.kind(), Kind::Forbidden | Kind::NotFound) =>
                {
                    refused.without.insert(name.to_owned());
                    continue;
                }
                Err(error) => return Err(error),
            };
            refused.without.remove(name);
            *catalogue.names(name) = names(&rows);
        }
        Ok(catalogue)
    }

    fn names(&mut self, list: &str) -> &mut BTreeMap<i64, String> {
        match list {
            "companies" => &mut self.companies,
            "job_types" => &mut self.jobs,
            _ => &mut self.categories,
        }
    }

    fn take_users(&mut self, rows: Vec<Box<RawValue>>) {
        for user in rows.iter().filter_map(|row| object::<User>(row)) {
            let email = filled(user.email.as_deref());
            let name = user.title();
            self.people.insert(user.id, Who { name, email });
            self.roles.extend(user.class.map(|class| (user.id, class)));
        }
        self.users = rows;
    }

    pub(super) fn person(&self, id: i64) -> Option<Who> {
        self.people.get(&id).cloned()
    }

    /// What a user may do, in ActiveCollab's own word.
    pub(super) fn role(&self, user: i64) -> Option<&str> {
        self.roles.get(&user).map(String::as_str)
    }

    pub(super) fn company(&self, id: i64) -> Option<String> {
        self.companies.get(&id).cloned()
    }

    pub(super) fn job(&self, id: i64) -> Option<String> {
        self.jobs.get(&id).cloned()
    }

    pub(super) fn category(&self, id: i64) -> Option<String> {
        self.categories.get(&id).cloned()
    }
}

/// The names in a list; rows that cannot be read give none.
pub(super) fn names(rows: &[Box<RawValue>]) -> BTreeMap<i64, String> {
    let titled = rows.iter().filter_map(|row| object::<Titled>(row));
    titled
        .filter_map(|it| Some((it.id, filled(it.name.as_deref())?)))
        .collect()
}

/// The names of the tasks that come beside a list of time records: `{"Task": {"12": {…}}}`.
pub(super) fn related_tasks(related: Option<&RawValue>) -> BTreeMap<i64, String> {
    #[derive(Deserialize)]
    struct Related {
        #[serde(rename = "Task")]
        tasks: Option<BTreeMap<String, Box<RawValue>>>,
    }
    let read = related.and_then(|related| serde_json::from_str::<Related>(related.get()).ok());
    let tasks = read.and_then(|related| related.tasks).unwrap_or_default();
    names(&tasks.into_values().collect::<Vec<_>>())
}

/// Reads an object; a list of fields is none, though it could be read as one.
pub(super) fn object<T: DeserializeOwned>(row: &RawValue) -> Option<T> {
    identifier(row)?;
    serde_json::from_str(row.get()).ok()
}
