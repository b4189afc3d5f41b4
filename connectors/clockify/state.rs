//! What a connection remembers between pages: the content of its cursor.
//!
//! A pull is a queue of steps, one page each, and the queue lies in the cursor. Stopped between
//! any two pages, the next pull takes the next step.

use std::collections::{BTreeMap, VecDeque};

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

use crate::record::{ExternalId, PersonRef};
use crate::window::Span;

/// Where a connection stands.
#[derive(Clone, Debug, Default, Deserialize, Serialize)]
#[serde(default)]
pub(super) struct State {
    /// Whose key it is; `None` before the first answer.
    pub(super) me: Option<Person>,
    /// The workspaces that are read, by id.
    pub(super) workspaces: BTreeMap<String, Workspace>,
    /// Nothing that started before this was ever looked for.
    pub(super) earliest: Option<DateTime<Utc>>,
    /// When what is recent was last looked for, by our clock: after a long silence the nightly
    /// look reaches back to what was recent then.
    pub(super) asked: Option<DateTime<Utc>>,
    /// The start of the timer that ran when it was last seen, by scope: the nightly look reaches
    /// back to it, however long it runs.
    pub(super) running: BTreeMap<String, DateTime<Utc>>,
    /// The steps left in this pull. Empty between pulls.
    pub(super) todo: VecDeque<Step>,
    /// How far back this pull compares; `None` when it is an ordinary one.
    pub(super) compare: Option<DateTime<Utc>>,
}

#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize, Serialize)]
pub(super) struct Workspace {
    pub(super) name: String,
    /// Other people, where they are read too.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub(super) people: Vec<Person>,
}

/// A person; the name stands beside each of their entries, which name them by number only.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize, Serialize)]
pub(super) struct Person {
    pub(super) id: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) name: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) email: Option<String>,
}

/// A part of a pull.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, Serialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum Step {
    /// Whose key it is, and the workspaces; becomes their projects and people.
    Account,
    Projects {
        workspace: String,
        page: u32,
    },
    People {
        workspace: String,
        page: u32,
    },
    /// Becomes listings, for each workspace and person.
    Span {
        from: DateTime<Utc>,
        until: Option<DateTime<Utc>>,
    },
    Listing(Listing),
}

/// One person's entries that start within a span, or the rest of them.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, Serialize)]
pub(super) struct Listing {
    pub(super) workspace: String,
    pub(super) user: String,
    pub(super) from: DateTime<Utc>,
    /// `None` for what lies ahead, too.
    pub(super) until: Option<DateTime<Utc>>,
    pub(super) page: u32,
    /// What the pages before this one held.
    #[serde(default)]
    pub(super) seen: Vec<String>,
    /// One of them had a row without an identifier, so nothing is called absent.
    #[serde(default)]
    pub(super) unclear: bool,
    /// The earliest start of a timer in them that runs.
    #[serde(default)]
    pub(super) running: Option<DateTime<Utc>>,
}

impl Listing {
    pub(super) fn new(workspace: &str, user: &str, (from, until): Span) -> Self {
        Self {
            workspace: workspace.to_owned(),
            user: user.to_owned(),
            from,
            until,
            page: 1,
            seen: Vec::new(),
            unclear: false,
            running: None,
        }
    }

    /// What the entries belong to for a sweep: one person in one workspace.
    pub(super) fn scope(&self) -> String {
        format!("{}/{}", self.workspace, self.user)
    }
}

impl Step {
    /// The workspace that it is about.
    pub(super) fn workspace(&self) -> Option<&String> {
        match self {
            Self::Projects { workspace, .. } | Self::People { workspace, .. } => Some(workspace),
            Self::Listing(listing) => Some(&listing.workspace),
            Self::Account | Self::Span { .. } => None,
        }
    }
}

impl State {
    /// A person of a workspace.
    pub(super) fn person(&self, workspace: &str, id: &str) -> Person {
        let others = self.workspaces.get(workspace).map(|it| it.people.iter());
        let mut people = self.me.iter().chain(others.into_iter().flatten());
        let known = people.find(|person| person.id == id).cloned();
        known.unwrap_or_else(|| Person {
            id: id.to_owned(),
            ..Person::default()
        })
    }
}

impl Person {
    pub(super) fn reference(self) -> PersonRef {
        PersonRef {
            id: Some(ExternalId::new(self.id)),
            name: self.name.filter(|name| !name.trim().is_empty()),
            email: self.email.filter(|email| !email.trim().is_empty()),
        }
    }
}
