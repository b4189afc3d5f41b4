//! What a connection remembers between pages: the content of its cursor.
//!
//! A pull is a queue of steps, one page each, and the queue lies in the cursor. Stopped between
//! any two pages, the next pull takes the next step; nothing is held anywhere else.

use std::collections::{BTreeMap, BTreeSet, VecDeque};

use chrono::{DateTime, NaiveDate, Utc};
use serde::{Deserialize, Serialize};

/// Where a connection stands.
#[derive(Clone, Debug, Default, Deserialize, Serialize)]
#[serde(default)]
pub(super) struct State {
    /// The workspaces to read, by their gid.
    pub(super) workspaces: BTreeMap<String, String>,
    /// The projects that are read, by their gid.
    pub(super) projects: BTreeMap<String, Followed>,
    /// When workspaces and people were last read.
    pub(super) catalogued: Option<DateTime<Utc>>,
    pub(super) time: Time,
    /// Tasks whose stories could not be read, and how often: tried again in the next pulls.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub(super) owed: BTreeMap<String, u8>,
    /// When the steps below were laid out.
    pub(super) planned: Option<DateTime<Utc>>,
    /// What this pull compares; `None` when it only looks for changes.
    pub(super) compare: Option<Span>,
    /// The steps left in this pull. Empty between pulls.
    #[serde(skip_serializing_if = "VecDeque::is_empty")]
    pub(super) todo: VecDeque<Step>,
}

/// From an instant, and until another one where there is one.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, Serialize)]
pub(super) struct Span {
    pub(super) from: DateTime<Utc>,
    pub(super) until: Option<DateTime<Utc>>,
}

/// How far one project was read.
#[derive(Clone, Debug, Default, Deserialize, Serialize)]
#[serde(default)]
pub(super) struct Followed {
    pub(super) name: String,
    pub(super) workspace: String,
    pub(super) archived: bool,
    /// The list of projects does not name it any more.
    pub(super) lost: bool,
    /// Modified before this instant of Asana's clock: read. The overlap is taken off already.
    pub(super) since: Option<DateTime<Utc>>,
    /// Read tasks that were modified after `since`, with the instant: the overlap brings them
    /// again, and their stories need not come again.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub(super) recent: BTreeMap<String, DateTime<Utc>>,
    /// When it was last read in depth: all tasks, and the subtasks of all.
    pub(super) deep_at: Option<DateTime<Utc>>,
    /// The tasks that lie in it. One that a complete list lacks is asked for.
    #[serde(skip_serializing_if = "BTreeSet::is_empty")]
    pub(super) tasks: BTreeSet<String>,
    /// Tasks that were in it, and that Asana refuses to show us: no list has them, and they are
    /// not gone.
    #[serde(skip_serializing_if = "BTreeSet::is_empty")]
    pub(super) hidden: BTreeSet<String>,
    /// Tasks, in it or below, that have subtasks.
    #[serde(skip_serializing_if = "BTreeSet::is_empty")]
    pub(super) parents: BTreeSet<String>,
    /// Where its events go on.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) sync: Option<String>,
}

/// How far time entries were read.
#[derive(Clone, Debug, Default, Deserialize, Serialize)]
#[serde(default)]
pub(super) struct Time {
    /// The first day that was ever read; the ledger has nothing before it.
    pub(super) from: Option<NaiveDate>,
    /// Workspaces whose plan has no time tracking, as it was said then.
    pub(super) off: BTreeMap<String, DateTime<Utc>>,
    /// Workspaces whose plan refuses the fields of an add-on.
    pub(super) lean: BTreeSet<String>,
    /// The scopes that entries were ever seen in, by workspace.
    pub(super) scopes: BTreeMap<String, BTreeSet<String>>,
}

/// A part of a pull.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, Serialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum Step {
    /// Workspaces, people and projects.
    Catalogue,
    /// The list of projects alone, so that a new one is seen.
    Projects,
    /// Becomes the lists of tasks of all projects.
    EachProject,
    /// Becomes the windows of time entries of all workspaces.
    EachWindow,
    /// What happened in a project, as a hint for the list of its tasks.
    Events {
        project: String,
    },
    Tasks(Tasks),
    Look(Look),
    Subtasks(Subtasks),
    Stories(Stories),
    Window(Window),
}

/// The list of a project's tasks.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize, Serialize)]
pub(super) struct Tasks {
    pub(super) project: String,
    /// All of them; else those that were modified since the mark.
    pub(super) whole: bool,
    /// With the subtasks of all; else only those of modified tasks.
    pub(super) deep: bool,
    /// Tasks that something happened to, as events say.
    #[serde(default, skip_serializing_if = "BTreeSet::is_empty")]
    pub(super) hints: BTreeSet<String>,
    /// Those of them that are said to be deleted.
    #[serde(default, skip_serializing_if = "BTreeSet::is_empty")]
    pub(super) deleted: BTreeSet<String>,
}

/// Tasks to be asked for one by one: missed in a list, or named by events.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, Serialize)]
pub(super) struct Look {
    pub(super) project: String,
    pub(super) tasks: Vec<String>,
    /// Those of them that events point at, whose stories may have changed …
    #[serde(default, skip_serializing_if = "BTreeSet::is_empty")]
    pub(super) hints: BTreeSet<String>,
    /// … and those that events call deleted.
    #[serde(default, skip_serializing_if = "BTreeSet::is_empty")]
    pub(super) deleted: BTreeSet<String>,
    /// What a complete list showed; told as complete once all have been asked for.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) listed: Option<Vec<String>>,
}

/// Tasks whose subtasks are to be read.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, Serialize)]
pub(super) struct Subtasks {
    pub(super) project: String,
    pub(super) parents: Vec<String>,
    /// Stories are read of subtasks that were modified since.
    pub(super) since: DateTime<Utc>,
    /// Those that were asked already.
    #[serde(default, skip_serializing_if = "BTreeSet::is_empty")]
    pub(super) done: BTreeSet<String>,
}

/// Tasks whose stories are to be read.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, Serialize)]
pub(super) struct Stories {
    pub(super) tasks: Vec<String>,
    /// Whether some were read before, so that one may be missing now.
    pub(super) sweep: bool,
}

/// Time entries of some days, the last included; without a last day, all from the first on.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, Serialize)]
pub(super) struct Window {
    pub(super) workspace: String,
    pub(super) from: NaiveDate,
    pub(super) until: Option<NaiveDate>,
    /// Whether an entry that is not listed may be missing.
    pub(super) sweep: bool,
}

impl Step {
    /// Whether it belongs to something that was read already, and is owed whatever comes.
    pub(super) fn is_owed(&self) -> bool {
        matches!(
            self,
            Self::Look(_) | Self::Subtasks(_) | Self::Stories(_) | Self::Window(_)
        )
    }
}
