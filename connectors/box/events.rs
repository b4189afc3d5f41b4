//! Events: what to look at. They say that something happened to an item, come twice, late and out
//! of order, and may lack most of it; so none is believed for what an item is like. Each names a
//! folder to list or to look at, and the listing tells how things stand.

use std::collections::{BTreeMap, BTreeSet};

use serde::Deserialize;
use serde_json::Value;

use super::Drive;
use super::api::{API, Said};
use super::item::{above, number};
use super::state::{Job, State};
use crate::drive::received::Elements;
use crate::error::{Error, Kind, Result};
use crate::http::Request;

/// The most events in one answer (Box, `get_events`, 2026-06).
const LIMIT: u32 = 500;

/// Events that change no file and no folder.
const HARMLESS: &[&str] = &[
    "COMMENT_",
    "ITEM_DOWNLOAD",
    "ITEM_OPEN",
    "ITEM_PREVIEW",
    "LOCK",
    "TAG_ITEM_",
    "TASK_",
    "UNLOCK",
];

#[derive(Debug, Deserialize)]
struct Events {
    entries: Elements,
    /// A number or a text (Box, `Events`, 2026-06).
    next_stream_position: Value,
}

/// One answer of the stream.
pub(super) struct Heard {
    pub(super) events: Vec<Value>,
    pub(super) position: String,
}

impl Drive {
    /// The events behind a position; `None` for one that Box does not know any more.
    pub(super) async fn events(&self, position: &str) -> Result<Option<Heard>> {
        let request = Request::get(API, "/events")
            .query("stream_type", "changes")
            .query("stream_position", position)
            .query("limit", LIMIT);
        let events: Events = match self.api.ask(request).await {
            Ok(Said::Done(events)) => events,
            Ok(Said::Refused(refusal)) => return Err(refusal.error("the events cannot be read")),
            Err(error) if error.kind() == Kind::Rejected && position != "now" => return Ok(None),
            Err(error) => return Err(error),
        };
        let position = match events.next_stream_position {
            Value::String(text) if !text.is_empty() => text,
            Value::Number(number) => number.to_string(),
            _ => return Err(Error::new(Kind::Protocol, "Box's events have no position")),
        };
        let events = events.entries.0;
        Ok(Some(Heard { events, position }))
    }
}

/// Notes what the events make worth looking at.
pub(super) fn note(state: &mut State, events: &[Value]) {
    let mut seen = BTreeSet::new();
    let tree = state.tree.clone();
    let homes = tree.homes();
    for event in events {
        let event_id = event["event_id"].as_str().unwrap_or_default();
        if !event_id.is_empty() && !seen.insert(event_id) {
            continue;
        }
        let what = event["event_type"].as_str().unwrap_or_default();
        if HARMLESS.iter().any(|start| what.starts_with(start)) {
            continue;
        }
        let proof = (what == "ITEM_TRASH").then(|| format!("event {event_id}: ITEM_TRASH"));
        match Source::of(&event["source"]) {
            Source::File(id, rest) => file(state, &homes, (id, rest), proof),
            Source::Folder(id, rest) => folder(state, (id, rest), proof),
            Source::Other => {}
            // Something happened, and it is not said to what.
            Source::Unknown => state.crawl(),
        }
    }
}

/// What an event is about.
enum Source<'a> {
    File(&'a str, &'a Value),
    Folder(&'a str, &'a Value),
    /// A user, a web link: nothing that is read here.
    Other,
    Unknown,
}

impl<'a> Source<'a> {
    /// An item as it is described everywhere, or in the slim form (`item_type`, `item_id`).
    fn of(source: &'a Value) -> Self {
        let text = |key: &str| source[key].as_str();
        let kind = text("type").or(text("item_type"));
        let id = number(source)
            .or(text("item_id"))
            .filter(|id| !id.is_empty());
        match (kind, id) {
            (Some("file"), Some(id)) => Self::File(id, source),
            (Some("folder"), Some(id)) => Self::Folder(id, source),
            (Some("file" | "folder") | None, _) => Self::Unknown,
            (Some(_), _) => Self::Other,
        }
    }
}

fn file(
    state: &mut State,
    homes: &BTreeMap<&str, &str>,
    (id, source): (&str, &Value),
    trashed: Option<String>,
) {
    let home = homes.get(id).copied();
    if let Some(home) = home {
        state.add(Job::List(home.to_owned()));
    }
    if let Some(proof) = trashed {
        if home.is_some() || state.missing.contains_key(id) {
            state.told.insert(id.to_owned(), proof);
        }
        return;
    }
    match number(&source["parent"]) {
        Some(parent) if Some(parent) == home => {}
        Some(parent) if state.tree.knows(parent) => state.add(Job::List(parent.to_owned())),
        Some(_) if is_elsewhere(state, source) => {}
        Some(parent) => state.add(Job::Look(parent.to_owned())),
        None => state.add(Job::File(id.to_owned())),
    }
}

fn folder(state: &mut State, (id, source): (&str, &Value), trashed: Option<String>) {
    let known = state.tree.knows(id);
    if let Some(proof) = trashed.filter(|_| known) {
        state.told_folders.insert(id.to_owned(), proof);
    }
    if known || !is_elsewhere(state, source) {
        state.add(Job::Look(id.to_owned()));
    }
}

/// Whether an item says that it lies in none of our folders.
fn is_elsewhere(state: &State, source: &Value) -> bool {
    let above = above(source);
    !above.is_empty() && !above.iter().any(|id| state.tree.knows(id))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn state() -> State {
        let mut state = State {
            root: "0".to_owned(),
            ..State::default()
        };
        state.tree.place("0", "");
        state.tree.place("1", "0");
        state.tree.fill("1", &["10"].into());
        state
    }

    fn jobs(events: &[Value]) -> Vec<Job> {
        let mut state = state();
        note(&mut state, events);
        state.jobs.into()
    }

    fn event(id: &str, what: &str, source: &Value) -> Value {
        json!({"type": "event", "event_id": id, "event_type": what, "source": source})
    }

    #[test]
    fn an_event_is_a_place_to_look_at() {
        let list = |id: &str| Job::List(id.to_owned());
        let moved = json!({"type": "file", "id": "10", "parent": {"id": "0"}});
        assert_eq!(
            jobs(&[event("a", "ITEM_MOVE", &moved)]),
            [list("1"), list("0")]
        );
        let slim = json!({"item_type": "file", "item_id": "11", "item_name": "x",
            "parent": {"id": "1"}});
        let twice = event("a", "ITEM_UPLOAD", &slim);
        assert_eq!(jobs(&[twice.clone(), twice]), [list("1")]);
        let bare = json!({"item_type": "file", "item_id": "12", "item_name": "x"});
        assert_eq!(
            jobs(&[event("a", "ITEM_UPLOAD", &bare)]),
            [Job::File("12".to_owned())]
        );
        let other = json!({"type": "file", "id": "12", "parent": {"id": "7"},
            "path_collection": {"entries": [{"id": "6"}, {"id": "7"}]}});
        assert_eq!(jobs(&[event("a", "ITEM_UPLOAD", &other)]), []);
        let folder = json!({"type": "folder", "id": "1", "parent": {"id": "9"}});
        assert_eq!(
            jobs(&[event("a", "ITEM_MOVE", &folder)]),
            [Job::Look("1".to_owned())]
        );
        let looked_at = json!({"type": "file", "id": "10"});
        assert_eq!(jobs(&[event("a", "ITEM_PREVIEW", &looked_at)]), []);
    }

    #[test]
    fn an_event_about_nothing_makes_everything_worth_looking_at() {
        for source in [json!(null), json!({"type": "file"}), json!([7])] {
            let jobs = jobs(&[event("a", "ITEM_UPLOAD", &source)]);
            assert_eq!(jobs, [Job::Deep("0".to_owned())]);
        }
        assert_eq!(
            jobs(&[event(
                "a",
                "COLLAB_INVITE",
                &json!({"type": "user", "id": "1"})
            )]),
            []
        );
    }

    #[test]
    fn trash_is_told_of_what_is_known_alone() {
        let mut state = state();
        let file = |id: &str| json!({"type": "file", "id": id, "parent": null});
        note(
            &mut state,
            &[
                event("a", "ITEM_TRASH", &file("10")),
                event("b", "ITEM_TRASH", &file("99")),
            ],
        );
        assert_eq!(state.told.keys().collect::<Vec<_>>(), ["10"]);
        assert_eq!(state.told["10"], "event a: ITEM_TRASH");
    }
}
