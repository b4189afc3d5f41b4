//! Asana's JSON: a project's export, or an answer of the API saved to a file.
//!
//! Both are `{"data": …}` with things that say of themselves what they are. An export nests
//! subtasks in their tasks and leaves out where they belong, so each task becomes a record of
//! its own that carries its parent and the project it has from there.

use std::collections::BTreeSet;
use std::io::Read;

use serde::{Deserialize, Serialize};
use serde_json::Value;
use serde_json::value::RawValue;

use super::json_doc::{Fields, Records, not_json, read_text, refused};
use super::{Format, Options, ReadError, SinkError};
use crate::asana;
use crate::contract::{Identified, Raw};
use crate::error::Reject;
use crate::record::{Record, Stream};

/// The format.
#[derive(Clone, Copy, Debug)]
pub struct AsanaJson;

const NAME: &str = "asana-json";

/// The document. Fields besides these (`next_page`, `sync`) describe the answer, not the work.
#[derive(Deserialize)]
struct Document<'a> {
    #[serde(borrow)]
    data: Option<&'a RawValue>,
    errors: Option<Value>,
}

/// The body of a raw record.
#[derive(Serialize, Deserialize)]
struct Body<T> {
    item: T,
    /// The task that this one is a part of.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    parent: Option<Value>,
    /// The parent's project.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    project: Option<Value>,
}

impl Body<Value> {
    /// What the document says of a task besides the task itself.
    fn frame(&self) -> Result<asana::Frame<'_>, Reject> {
        let project = self.project.as_ref().map(Fields::of).transpose()?;
        Ok(asana::Frame {
            home: asana::Home::First,
            project: project.map(asana::named).transpose()?,
            parent: self.parent.as_ref().map(Fields::of).transpose()?,
            archived: false,
        })
    }
}

impl Format for AsanaJson {
    fn name(&self) -> &'static str {
        NAME
    }

    fn title(&self) -> &'static str {
        "Asana: a project exported as JSON, or a saved answer of the API"
    }

    fn recognises(&self, _file_name: &str, head: &[u8]) -> bool {
        let head = head.strip_prefix(b"\xEF\xBB\xBF").unwrap_or(head);
        let Some(inner) = head.trim_ascii_start().strip_prefix(b"{") else {
            return false;
        };
        let inner = inner.trim_ascii_start();
        // An error answer is recognised, too, so that it is refused by its name.
        inner.starts_with(br#""data""#) || inner.starts_with(br#""errors""#)
    }

    fn read(
        &self,
        input: &mut dyn Read,
        _options: &Options,
        each: &mut dyn FnMut(Raw) -> Result<(), SinkError>,
    ) -> Result<(), ReadError> {
        let text = read_text(input)?;
        let document: Document<'_> =
            serde_json::from_str(&text).map_err(|error| not_json(&error))?;
        if let Some(errors) = document.errors {
            let message = errors.pointer("/0/message").and_then(Value::as_str);
            let message = message.unwrap_or("without a message");
            return Err(refused(
                Some("errors"),
                format!("the file is an error that Asana answered: {message}"),
            ));
        }
        let Some(data) = document.data else {
            return Err(refused(
                None,
                "the file has no `data`, so it is no export of Asana",
            ));
        };
        let mut reader = Reader {
            records: Records::new(self),
            seen: BTreeSet::new(),
        };
        if data.get().starts_with('[') {
            let items: Vec<&RawValue> =
                serde_json::from_str(data.get()).map_err(|error| not_json(&error))?;
            // What stands at the top comes first: there it says more of itself than where it is
            // nested as a subtask.
            for nested in [false, true] {
                for (index, item) in items.iter().enumerate() {
                    reader.item(&format!("data[{index}]"), item, None, nested);
                }
            }
        } else {
            for nested in [false, true] {
                reader.item("data", data, None, nested);
            }
        }
        reader.records.hand_on(each)
    }

    fn normalise(&self, raw: &Raw) -> Result<Vec<Identified>, Reject> {
        let body: Body<Value> =
            serde_json::from_str(&raw.body).map_err(|error| Reject::new(error.to_string()))?;
        let item = Fields::of(&body.item)?;
        let record = match Thing::of(item)? {
            Thing::Task => Record::Task(asana::task(item, body.frame()?)?),
            Thing::Project => Record::Project(asana::project(item)?),
            Thing::User => Record::Person(asana::person(item)?),
            Thing::TimeEntry => Record::TimeEntry(asana::time_entry(item)?),
        };
        let id = raw.id.clone();
        Ok(vec![Identified { id, record }])
    }
}

/// What is imported.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Thing {
    Task,
    Project,
    User,
    TimeEntry,
}

impl Thing {
    fn of(item: Fields<'_>) -> Result<Self, Reject> {
        match item.text("resource_type")? {
            Some("task") => Ok(Self::Task),
            Some("project") => Ok(Self::Project),
            Some("user") => Ok(Self::User),
            Some("time_tracking_entry") => Ok(Self::TimeEntry),
            Some(other) => Err(Reject::field(
                "resource_type",
                format!("the file holds Asana's `{other}`; {IMPORTED}"),
            )),
            None if item.has("action") && item.has("resource") => Err(Reject::new(format!(
                "the file holds events of Asana; {IMPORTED}"
            ))),
            None if item.has("status_code") => Err(Reject::new(format!(
                "the file is a batch answer of Asana; {IMPORTED}"
            ))),
            None => Err(Reject::field(
                "resource_type",
                format!("is missing; {IMPORTED}"),
            )),
        }
    }

    fn stream(self) -> Stream {
        match self {
            Self::Task => Stream::Tasks,
            Self::Project => Stream::Projects,
            Self::User => Stream::People,
            Self::TimeEntry => Stream::Time,
        }
    }
}

const IMPORTED: &str = "tasks, projects, users and time tracking entries are imported";

/// Where a subtask is found.
#[derive(Clone)]
struct Within {
    parent: Value,
    project: Option<Value>,
}

struct Reader<'a> {
    records: Records<'a>,
    /// A task may stand in several sections, or both at the top and as a subtask.
    seen: BTreeSet<(Stream, String)>,
}

impl Reader<'_> {
    /// Takes one item, or, in the second round, what is nested in it.
    fn item(&mut self, place: &str, text: &RawValue, within: Option<&Within>, nested: bool) {
        if let Err(reject) = self.try_item(place, text, within, nested)
            && !nested
        {
            self.records.reject(place, &reject);
        }
    }

    fn try_item(
        &mut self,
        place: &str,
        text: &RawValue,
        within: Option<&Within>,
        nested: bool,
    ) -> Result<(), Reject> {
        let value: Value =
            serde_json::from_str(text.get()).map_err(|error| Reject::new(error.to_string()))?;
        let item = Fields::of(&value)?;
        let thing = Thing::of(item)?;
        let id = item
            .id("gid")?
            .ok_or_else(|| Reject::field("gid", "is missing"))?;
        if nested {
            return if thing == Thing::Task {
                self.subtasks(place, text, &value, within)
            } else {
                Ok(())
            };
        }
        if self.seen.insert((thing.stream(), id.as_str().to_owned())) {
            let body = Body {
                item: text,
                parent: within.map(|within| within.parent.clone()),
                project: within.and_then(|within| within.project.clone()),
            };
            let raw = Raw {
                stream: thing.stream(),
                id,
                body: serde_json::to_string(&body).expect("a body is plain data"),
                scope: NAME.to_owned(),
            };
            self.records.add(place, raw);
        }
        Ok(())
    }

    fn subtasks(
        &mut self,
        place: &str,
        text: &RawValue,
        value: &Value,
        within: Option<&Within>,
    ) -> Result<(), Reject> {
        #[derive(Deserialize)]
        struct Nest<'a> {
            #[serde(borrow, default)]
            subtasks: Option<Vec<&'a RawValue>>,
        }
        let nest: Nest<'_> = serde_json::from_str(text.get())
            .map_err(|error| Reject::field("subtasks", error.to_string()))?;
        let own = ["/memberships/0/project", "/projects/0"];
        let project = own.iter().find_map(|at| value.pointer(at)).map(reference);
        let inner = Within {
            parent: reference(value),
            project: project.or_else(|| within.and_then(|within| within.project.clone())),
        };
        for (index, subtask) in nest.subtasks.iter().flatten().enumerate() {
            let place = format!("{place}.subtasks[{index}]");
            self.item(&place, subtask, Some(&inner), false);
            self.item(&place, subtask, Some(&inner), true);
        }
        Ok(())
    }
}

/// A thing by identifier and name alone.
fn reference(value: &Value) -> Value {
    serde_json::json!({ "gid": value.get("gid"), "name": value.get("name") })
}
