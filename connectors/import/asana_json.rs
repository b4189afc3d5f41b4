//! Asana's JSON: a project's export, or an answer of the API saved to a file.
//!
//! Both are `{"data": …}` with things that say of themselves what they are. An export nests
//! subtasks in their tasks and leaves out where they belong, so each task becomes a record of
//! its own that carries its parent and the project it has from there.

use std::collections::{BTreeMap, BTreeSet};
use std::io::Read;

use chrono::{NaiveTime, TimeZone as _};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use serde_json::value::RawValue;

use super::json_doc::{Fields, Records, not_json, read_text, refused};
use super::{Format, Options, ReadError, SinkError};
use crate::contract::{Identified, Raw};
use crate::error::Reject;
use crate::record::{
    Named, Person, PersonRef, Project, Record, Stream, Task, TaskState, TimeEntry, Worked,
};

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
            Thing::Task => Record::Task(task(item, &body)?),
            Thing::Project => Record::Project(project(item)?),
            Thing::User => Record::Person(person(item)?),
            Thing::TimeEntry => Record::TimeEntry(time_entry(item)?),
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

fn task(item: Fields<'_>, body: &Body<Value>) -> Result<Task, Reject> {
    let membership = item
        .list("memberships")?
        .first()
        .map(Fields::of)
        .transpose()?;
    let of_membership = |key| membership.map(|of| of.object(key)).transpose();
    let mut project = of_membership("project")?.flatten();
    if project.is_none() {
        project = item.list("projects")?.first().map(Fields::of).transpose()?;
    }
    if project.is_none() {
        project = body.project.as_ref().map(Fields::of).transpose()?;
    }
    let done = item.flag("completed")?.unwrap_or_default();
    let due = match (item.instant("due_at")?, item.day("due_on")?) {
        (None, Some(day)) => Some(chrono::Utc.from_utc_datetime(&day.and_time(NaiveTime::MIN))),
        (at, _) => at,
    };
    Ok(Task {
        title: item.needed("name")?.to_owned(),
        notes: item.text("notes")?.unwrap_or_default().to_owned(),
        project: project.map(named).transpose()?,
        section: of_membership("section")?.flatten().map(named).transpose()?,
        state: if done {
            TaskState::Done
        } else {
            TaskState::Open
        },
        archived: false,
        short_id: None,
        url: item.text("permalink_url")?.map(str::to_owned),
        assignees: item
            .object("assignee")?
            .map(person_ref)
            .transpose()?
            .into_iter()
            .collect(),
        labels: names(item.list("tags")?)?,
        created: item.instant("created_at")?,
        done_at: item.instant("completed_at")?.filter(|_| done),
        due,
        tracked_seconds: item.minutes("actual_time_minutes")?,
        fields: fields(item, body)?,
    })
}

/// The custom fields that have a value, and the parent, under the names that Asana shows.
fn fields(item: Fields<'_>, body: &Body<Value>) -> Result<BTreeMap<String, String>, Reject> {
    let mut fields = BTreeMap::new();
    for field in item.list("custom_fields")? {
        let field = Fields::of(field)?;
        if let (Some(name), Some(value)) = (field.text("name")?, field.text("display_value")?) {
            fields.insert(name.to_owned(), value.to_owned());
        }
    }
    let mut parent = item.object("parent")?;
    if parent.is_none() {
        parent = body.parent.as_ref().map(Fields::of).transpose()?;
    }
    if let Some(name) = parent
        .map(|parent| parent.text("name"))
        .transpose()?
        .flatten()
    {
        fields
            .entry("Parent task".to_owned())
            .or_insert_with(|| name.to_owned());
    }
    Ok(fields)
}

fn project(item: Fields<'_>) -> Result<Project, Reject> {
    Ok(Project {
        name: item.needed("name")?.to_owned(),
        client: None,
        archived: item.flag("archived")?.unwrap_or_default(),
        url: item.text("permalink_url")?.map(str::to_owned),
    })
}

fn person(item: Fields<'_>) -> Result<Person, Reject> {
    Ok(Person {
        name: item.needed("name")?.to_owned(),
        email: item.text("email")?.map(str::to_owned),
    })
}

fn time_entry(item: Fields<'_>) -> Result<TimeEntry, Reject> {
    let missing = |key| move || Reject::field(key, "is missing");
    // Time may be attributed to something else than a project (a portfolio, a goal).
    let attributed = item.object("attributable_to")?;
    let mut project = None;
    if let Some(of) = attributed
        && of.text("resource_type")? == Some("project")
    {
        project = Some(named(of)?);
    }
    let mut tags = names(item.list("categories")?)?;
    tags.sort_unstable();
    tags.dedup();
    Ok(TimeEntry {
        worked: Worked::Day {
            date: item.day("entered_on")?.ok_or_else(missing("entered_on"))?,
            seconds: item
                .minutes("duration_minutes")?
                .ok_or_else(missing("duration_minutes"))?,
        },
        description: item.text("description")?.unwrap_or_default().to_owned(),
        person: item.object("created_by")?.map(person_ref).transpose()?,
        client: None,
        project,
        task: item.object("task")?.map(named).transpose()?,
        tags,
        billable: match item.text("billable_status")? {
            Some("billable") => Some(true),
            Some("nonBillable") => Some(false),
            _ => None,
        },
    })
}

fn named(item: Fields<'_>) -> Result<Named, Reject> {
    Ok(Named {
        id: item.id("gid")?,
        name: item.text("name")?.map(str::to_owned),
    })
}

fn person_ref(item: Fields<'_>) -> Result<PersonRef, Reject> {
    Ok(PersonRef {
        id: item.id("gid")?,
        name: item.text("name")?.map(str::to_owned),
        email: item.text("email")?.map(str::to_owned),
    })
}

fn names(items: &[Value]) -> Result<Vec<String>, Reject> {
    let mut names = Vec::new();
    for item in items {
        names.extend(Fields::of(item)?.text("name")?.map(str::to_owned));
    }
    Ok(names)
}
