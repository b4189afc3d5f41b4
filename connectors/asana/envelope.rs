//! The raw records: what was received, with what the mapping must know besides.

use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;

use super::state::State;
use super::wire::Head;
use crate::contract::Raw;
use crate::record::{ExternalId, Stream};

/// What stands for the scope of people and projects, which are listed for the whole account.
pub(super) const ACCOUNT: &str = "account";

/// The scope of tasks that lie in no project that is read: nothing lists it.
pub(super) const ELSEWHERE: &str = "elsewhere";

/// A task as it is kept.
#[derive(Debug, Deserialize, Serialize)]
pub(super) struct Kept<T> {
    /// As received.
    pub(super) task: T,
    /// The project of those that are read in which the task counts as lying.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) project: Option<Place>,
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub(super) archived: bool,
}

/// A story as it is kept.
#[derive(Debug, Deserialize, Serialize)]
pub(super) struct Told<T> {
    pub(super) story: T,
    pub(super) task: String,
}

/// The project of a task.
#[derive(Clone, Debug, Deserialize, Serialize)]
pub(super) struct Place {
    pub(super) gid: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) name: Option<String>,
}

/// A person, project or time entry, as received and no more.
pub(super) fn plain(stream: Stream, gid: &str, scope: &str, row: &RawValue) -> Raw {
    Raw {
        stream,
        id: ExternalId::new(gid),
        body: row.get().to_owned(),
        scope: scope.to_owned(),
    }
}

/// A task in its envelope. `listed` is the project whose list it was found by.
///
/// A task may lie in several projects, and be found by the lists of all of them. It counts for
/// one, the oldest of those that are read, so that it is the same record wherever it is found.
pub(super) fn task(state: &State, listed: &str, head: &Head, row: &RawValue) -> Raw {
    let home = home(state, &head.projects);
    let lies_in_none = head.parent.is_none() && home.is_none() && !head.projects.is_empty();
    let (place, scope) = match (home, &head.parent) {
        // A part of another task, whose list is that one's.
        (None, Some(parent)) => (Some(listed), format!("{listed}/{parent}")),
        (Some(home), _) => (Some(home), home.to_owned()),
        (None, None) if lies_in_none => (None, ELSEWHERE.to_owned()),
        // Its memberships are not shown to us, and the list is all that is known.
        (None, None) => (Some(listed), listed.to_owned()),
    };
    wrapped(state, place, scope, head, row)
}

/// A task that its project no longer lists, as it says of itself where it lies now.
pub(super) fn moved(state: &State, from: &str, head: &Head, row: &RawValue) -> Raw {
    match home(state, &head.projects) {
        None if head.parent.is_none() => wrapped(state, None, ELSEWHERE.to_owned(), head, row),
        _ => task(state, from, head, row),
    }
}

fn wrapped(state: &State, place: Option<&str>, scope: String, head: &Head, row: &RawValue) -> Raw {
    let followed = place.and_then(|gid| state.projects.get(gid));
    let kept = Kept {
        task: row,
        project: place.map(|gid| Place {
            gid: gid.to_owned(),
            name: followed.map(|it| it.name.clone()),
        }),
        archived: followed.is_some_and(|it| it.archived),
    };
    raw(Stream::Tasks, &head.gid, scope, &kept)
}

/// One story of a task.
pub(super) fn story(task: &str, head: &Head, row: &RawValue) -> Raw {
    let told = Told {
        story: row,
        task: task.to_owned(),
    };
    raw(Stream::Activity, &head.gid, task.to_owned(), &told)
}

fn raw(stream: Stream, gid: &str, scope: String, body: &impl Serialize) -> Raw {
    Raw {
        stream,
        id: ExternalId::new(gid),
        body: serde_json::to_string(body).expect("an envelope is plain data with text keys"),
        scope,
    }
}

/// The oldest of the projects that are read: gids count upwards.
fn home<'a>(state: &State, projects: &'a [String]) -> Option<&'a str> {
    let read = projects
        .iter()
        .filter(|gid| state.projects.contains_key(*gid));
    read.map(String::as_str).min_by_key(|gid| (gid.len(), *gid))
}
