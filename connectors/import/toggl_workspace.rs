//! Toggl's workspace export: `projects.json`, `clients.json`, `workspace_users.json`,
//! `tags.json` and `tasks/*.json`, one file at a time.
//!
//! Each file is a list of one kind of thing and does not say which, so it is told by the keys
//! of its first element. Clients and tags are no records of their own: their files are read,
//! checked and give none. A project names its client by number.

use std::io::Read;

use serde_json::Value;
use serde_json::value::RawValue;

use super::json_doc::{Fields, Records, not_json, read_text, refused};
use super::{Format, Options, ReadError, SinkError};
use crate::contract::{Identified, Raw};
use crate::error::Reject;
use crate::record::{
    ExternalId, Named, Person, PersonRef, Project, Record, Stream, Task, TaskState,
};

/// The format.
#[derive(Clone, Copy, Debug)]
pub struct TogglWorkspace;

const NAME: &str = "toggl-workspace";

/// The files of the export, as they are called in it.
const FILES: &[&str] = &[
    "clients.json",
    "projects.json",
    "tags.json",
    "workspace_users.json",
];

impl Format for TogglWorkspace {
    fn name(&self) -> &'static str {
        NAME
    }

    fn title(&self) -> &'static str {
        "Toggl Track: the JSON files of a workspace export"
    }

    fn recognises(&self, file_name: &str, head: &[u8]) -> bool {
        let mut path = file_name.rsplit(['/', '\\']);
        let name = path.next().unwrap_or_default();
        // Tasks and project members have a file for each project, named by its number.
        let numbered = name
            .strip_suffix(".json")
            .is_some_and(|stem| !stem.is_empty() && stem.bytes().all(|byte| byte.is_ascii_digit()));
        let known = FILES.contains(&name)
            || numbered && matches!(path.next(), None | Some("tasks" | "projects_users"));
        let head = head.strip_prefix(b"\xEF\xBB\xBF").unwrap_or(head);
        known && head.trim_ascii_start().starts_with(b"[")
    }

    fn read(
        &self,
        input: &mut dyn Read,
        _options: &Options,
        each: &mut dyn FnMut(Raw) -> Result<(), SinkError>,
    ) -> Result<(), ReadError> {
        let text = read_text(input)?;
        if !text.trim_start().starts_with('[') {
            return Err(refused(
                None,
                "a file of a workspace export is a list `[…]`",
            ));
        }
        let items: Vec<&RawValue> =
            serde_json::from_str(&text).map_err(|error| not_json(&error))?;
        let mut records = Records::new(self);
        let mut first = None;
        for (index, item) in items.iter().enumerate() {
            let place = format!("[{index}]");
            match thing_and_id(item) {
                Err(reject) => records.reject(&place, &reject),
                Ok((thing, _)) if *first.get_or_insert(thing) != thing => {
                    let reason = "is of another kind than the first element";
                    records.reject(&place, &Reject::new(reason));
                }
                Ok((thing, Some(id))) => {
                    if let Some(stream) = thing.stream() {
                        let body = item.get().to_owned();
                        let scope = NAME.to_owned();
                        records.add(
                            &place,
                            Raw {
                                stream,
                                id,
                                body,
                                scope,
                            },
                        );
                    }
                }
                Ok((_, None)) => records.reject(&place, &Reject::field("id", "is missing")),
            }
        }
        records.hand_on(each)
    }

    fn normalise(&self, raw: &Raw) -> Result<Vec<Identified>, Reject> {
        let value: Value =
            serde_json::from_str(&raw.body).map_err(|error| Reject::new(error.to_string()))?;
        let item = Fields::of(&value)?;
        let record = match Thing::of(item)? {
            Thing::Project => Record::Project(project(item)?),
            Thing::User => Record::Person(person(item)?),
            Thing::Task => Record::Task(task(item)?),
            Thing::Client | Thing::Tag | Thing::Member => return Ok(Vec::new()),
        };
        let id = raw.id.clone();
        Ok(vec![Identified { id, record }])
    }
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Thing {
    Project,
    User,
    Task,
    Client,
    Tag,
    Member,
}

impl Thing {
    fn of(item: Fields<'_>) -> Result<Self, Reject> {
        let has = |keys: &[&str]| keys.iter().all(|key| item.has(key));
        if has(&["email"]) && (item.has("uid") || item.has("user_id")) {
            Ok(Self::User)
        } else if has(&["name", "project_id"]) {
            Ok(Self::Task)
        } else if has(&["user_id", "project_id"]) {
            Ok(Self::Member)
        } else if has(&["name", "active"]) && (item.has("client_id") || item.has("cid")) {
            Ok(Self::Project)
        } else if has(&["name", "wid"]) || has(&["name", "archived"]) {
            Ok(Self::Client)
        } else if has(&["name", "workspace_id"]) {
            Ok(Self::Tag)
        } else {
            Err(Reject::new(
                "is none of the things in a workspace export of Toggl: a project, a task, a \
                 user, a client or a tag",
            ))
        }
    }

    fn stream(self) -> Option<Stream> {
        match self {
            Self::Project => Some(Stream::Projects),
            Self::User => Some(Stream::People),
            Self::Task => Some(Stream::Tasks),
            Self::Client | Self::Tag | Self::Member => None,
        }
    }
}

fn thing_and_id(item: &RawValue) -> Result<(Thing, Option<ExternalId>), Reject> {
    let value: Value =
        serde_json::from_str(item.get()).map_err(|error| Reject::new(error.to_string()))?;
    let item = Fields::of(&value)?;
    let thing = Thing::of(item)?;
    let id = match thing {
        // Time entries refer to a person by this number; `id` is the membership's.
        Thing::User => user_id(item)?,
        _ => item.id("id")?,
    };
    Ok((thing, id))
}

fn user_id(item: Fields<'_>) -> Result<Option<ExternalId>, Reject> {
    match item.id("uid")? {
        None => item.id("user_id"),
        uid => Ok(uid),
    }
}

fn project(item: Fields<'_>) -> Result<Project, Reject> {
    let client = match item.id("client_id")? {
        None => item.id("cid")?,
        id => id,
    };
    Ok(Project {
        name: item.needed("name")?.to_owned(),
        client: client.map(|id| Named {
            id: Some(id),
            name: None,
        }),
        archived: !item.flag("active")?.unwrap_or(true),
        url: None,
    })
}

fn person(item: Fields<'_>) -> Result<Person, Reject> {
    Ok(Person {
        name: item.needed("name")?.to_owned(),
        email: item.text("email")?.map(str::to_owned),
    })
}

fn task(item: Fields<'_>) -> Result<Task, Reject> {
    let active = item.flag("active")?.unwrap_or(true);
    let project = item.id("project_id")?;
    let assignee = item.id("user_id")?;
    Ok(Task {
        title: item.needed("name")?.to_owned(),
        notes: String::new(),
        project: project.map(|id| Named {
            id: Some(id),
            name: None,
        }),
        section: None,
        state: if active {
            TaskState::Open
        } else {
            TaskState::Done
        },
        archived: false,
        short_id: None,
        url: None,
        assignees: assignee
            .map(|id| PersonRef {
                id: Some(id),
                ..PersonRef::default()
            })
            .into_iter()
            .collect(),
        labels: Vec::new(),
        created: None,
        done_at: None,
        due: None,
        // The API's `tracked_seconds` holds milliseconds, and nobody has said what the export's
        // holds; a number that may be a thousand times too large is no check.
        tracked_seconds: None,
        fields: std::collections::BTreeMap::new(),
    })
}
