//! Whose work it is: from the names in the tools to a client of the configuration.

use stundenbuch_connectors::record::{Expense, Named, Task, TimeEntry};

use crate::config::{Client, Sources};
use crate::matching::names;

/// The client of an entry or a task.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Attribution {
    /// The key of the client.
    Client(String),
    None,
    /// Several clients claim it, in the order of the configuration.
    Clash(Vec<String>),
}

impl Attribution {
    /// The key, where there is exactly one.
    pub fn client(&self) -> Option<&str> {
        match self {
            Self::Client(key) => Some(key),
            Self::None | Self::Clash(_) => None,
        }
    }
}

/// The client of an entry: by the name of its project, which says more, else by that of its
/// client. Where several clients name the project, the name of the client may decide.
pub fn attribute(entry: &TimeEntry, clients: &[Client]) -> Attribution {
    by_names(entry.project.as_ref(), entry.client.as_ref(), clients)
}

/// The client of an expense: by the same names.
pub fn expense_client(expense: &Expense, clients: &[Client]) -> Attribution {
    by_names(expense.project.as_ref(), expense.client.as_ref(), clients)
}

fn by_names(project: Option<&Named>, client: Option<&Named>, clients: &[Client]) -> Attribution {
    let by_project = claimed(project, clients, |sources| &sources.projects);
    let by_client = claimed(client, clients, |sources| &sources.clients);
    if by_project.is_empty() {
        return answer(&by_client);
    }
    let both: Vec<&Client> = by_project
        .iter()
        .copied()
        .filter(|client| by_client.iter().any(|other| other.key == client.key))
        .collect();
    if by_project.len() > 1 && both.len() == 1 {
        return answer(&both);
    }
    answer(&by_project)
}

/// The client of a task: by the name of its board or project.
pub fn task_client(task: &Task, clients: &[Client]) -> Attribution {
    answer(&claimed(task.project.as_ref(), clients, |sources| {
        &sources.boards
    }))
}

fn claimed<'a>(
    named: Option<&Named>,
    clients: &'a [Client],
    list: fn(&Sources) -> &Vec<String>,
) -> Vec<&'a Client> {
    let Some(name) = named.and_then(|named| named.name.as_deref()) else {
        return Vec::new();
    };
    let claims = |client: &&Client| names(list(&client.sources), name);
    clients.iter().filter(claims).collect()
}

fn answer(clients: &[&Client]) -> Attribution {
    match clients {
        [] => Attribution::None,
        [only] => Attribution::Client(only.key.clone()),
        several => Attribution::Clash(several.iter().map(|client| client.key.clone()).collect()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::matching::testing::{EntryBuilder, client, task};

    fn clients() -> Vec<Client> {
        let mut acme = client("acme");
        acme.sources.projects = vec!["Website".to_owned(), "Shop".to_owned()];
        acme.sources.boards = vec!["Acme Web".to_owned()];
        let mut other = client("other");
        other.sources.projects = vec!["Shop".to_owned()];
        vec![acme, other]
    }

    fn of(entry: EntryBuilder) -> Attribution {
        attribute(&entry.build(), &clients())
    }

    fn entry() -> EntryBuilder {
        EntryBuilder::day("2026-10-14", 60)
    }

    fn is(key: &str) -> Attribution {
        Attribution::Client(key.to_owned())
    }

    #[test]
    fn names_compare_without_case_and_blanks() {
        assert_eq!(of(entry().client(" ACME ")), is("acme"));
        assert_eq!(of(entry().project("website")), is("acme"));
        assert_eq!(of(entry()), Attribution::None);
        assert_eq!(of(entry().project("Private")), Attribution::None);
    }

    #[test]
    fn the_project_says_more_than_the_client() {
        assert_eq!(of(entry().client("other").project("Website")), is("acme"));
        assert_eq!(of(entry().client("other").project("Unlisted")), is("other"));
    }

    #[test]
    fn a_project_of_two_clients_is_settled_by_the_client_or_not_at_all() {
        assert_eq!(of(entry().client("other").project("Shop")), is("other"));
        let clash = Attribution::Clash(vec!["acme".to_owned(), "other".to_owned()]);
        assert_eq!(of(entry().project("Shop")), clash);
        assert_eq!(clash.client(), None);
    }

    #[test]
    fn tasks_belong_to_the_client_of_their_board() {
        assert_eq!(
            task_client(&task("c1", "acme web", "x").task, &clients()),
            is("acme")
        );
        assert_eq!(
            task_client(&task("c1", "Website", "x").task, &clients()),
            Attribution::None
        );
    }
}
