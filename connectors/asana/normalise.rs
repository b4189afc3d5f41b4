//! From what was kept to records. Pure, and shared with the import of exported files, so that a
//! task that was imported and one that was pulled are the same record.

use std::collections::BTreeMap;

use chrono::{NaiveTime, TimeZone as _};
use serde::de::DeserializeOwned;
use serde_json::Value;
use serde_json::value::RawValue;

use super::activity;
use super::envelope::{Kept, Told};
use crate::contract::{Identified, Raw};
use crate::culprit::{blame, culprit};
use crate::error::Reject;
use crate::import::Fields;
use crate::record::{
    Named, Person, PersonRef, Project, Record, Stream, Task, TaskState, TimeEntry, Worked,
};

/// Maps one kept thing of any stream; none where it says nothing of the work.
pub(super) fn normalise(raw: &Raw) -> Result<Vec<Identified>, Reject> {
    let record = match raw.stream {
        Stream::Tasks => kept_task(raw)?.map(Record::Task),
        Stream::Activity => Some(Record::Activity(told_story(raw)?)),
        Stream::People => Some(Record::Person(person(Fields::of(&read(&raw.body)?)?)?)),
        Stream::Projects => Some(Record::Project(project(Fields::of(&read(&raw.body)?)?)?)),
        Stream::Time => Some(Record::TimeEntry(time_entry(Fields::of(&read(
            &raw.body,
        )?)?)?)),
        other => return Err(Reject::new(format!("Asana has no records of kind {other}"))),
    };
    let id = raw.id.clone();
    let identified = record.map(|record| Identified { id, record });
    Ok(identified.into_iter().collect())
}

/// Reads what was received; what is wrong with it is told by the field that it is in.
fn read(text: &str) -> Result<Value, Reject> {
    serde_json::from_str(text).map_err(|error| {
        let unread = |_: &str, it: &RawValue| serde_json::from_str::<Value>(it.get()).is_err();
        Reject::new(blame(culprit(text, unread), &error))
    })
}

fn open<T: DeserializeOwned>(raw: &Raw) -> Result<T, Reject> {
    serde_json::from_str(&raw.body)
        .map_err(|error| Reject::new(format!("the kept record cannot be read: {error}")))
}

fn kept_task(raw: &Raw) -> Result<Option<Task>, Reject> {
    let kept: Kept<Box<RawValue>> = open(raw)?;
    let item = read(kept.task.get())?;
    let item = Fields::of(&item)?;
    // A line between subtasks, and no work ("Tasks", `is_rendered_as_separator`).
    if item.flag("is_rendered_as_separator")?.unwrap_or_default() {
        return Ok(None);
    }
    let place = kept.project.as_ref();
    let frame = Frame {
        home: place.map_or(Home::Oldest, |place| Home::Is(&place.gid)),
        project: place.map(|place| Named {
            id: Some(crate::record::ExternalId::new(place.gid.as_str())),
            name: place.name.clone(),
        }),
        parent: None,
        archived: kept.archived,
    };
    task(item, frame).map(Some)
}

fn told_story(raw: &Raw) -> Result<crate::record::Activity, Reject> {
    let told: Told<Box<RawValue>> = open(raw)?;
    let item = read(told.story.get())?;
    activity::read(Fields::of(&item)?, &told.task)
}

/// What is known of a task besides itself.
pub(crate) struct Frame<'a> {
    pub(crate) home: Home<'a>,
    /// Where it lies, if it does not say so itself.
    pub(crate) project: Option<Named>,
    /// The task that it is a part of, if it does not say so itself.
    pub(crate) parent: Option<Fields<'a>>,
    pub(crate) archived: bool,
}

/// Which of several projects a task counts for.
#[derive(Clone, Copy)]
pub(crate) enum Home<'a> {
    /// The first that is named.
    First,
    /// The one with the smallest gid: gids count upwards.
    Oldest,
    Is(&'a str),
}

pub(crate) fn task(item: Fields<'_>, frame: Frame<'_>) -> Result<Task, Reject> {
    let (mut project, section) = place(item, frame.home)?;
    if project.is_none() && matches!(frame.home, Home::First) {
        let first = item.objects("projects")?.into_iter().next();
        project = first.map(named).transpose()?;
    }
    let done = item.flag("completed")?.unwrap_or_default();
    let due = match (item.instant("due_at")?, item.day("due_on")?) {
        (None, Some(day)) => Some(chrono::Utc.from_utc_datetime(&day.and_time(NaiveTime::MIN))),
        (at, _) => at,
    };
    let mut labels = names(&item.objects("tags")?)?;
    labels.sort_unstable();
    labels.dedup();
    Ok(Task {
        title: item.needed("name")?.to_owned(),
        notes: item.text("notes")?.unwrap_or_default().to_owned(),
        project: project.or(frame.project),
        section,
        state: if done {
            TaskState::Done
        } else {
            TaskState::Open
        },
        archived: frame.archived,
        short_id: None,
        url: item.text("permalink_url")?.map(str::to_owned),
        assignees: item
            .object("assignee")?
            .map(person_ref)
            .transpose()?
            .into_iter()
            .collect(),
        labels,
        created: item.instant("created_at")?,
        done_at: item.instant("completed_at")?.filter(|_| done),
        due,
        tracked_seconds: item.minutes("actual_time_minutes")?,
        fields: fields(item, frame.parent)?,
    })
}

/// The project that a task counts for, and the section of it that it lies in.
fn place(item: Fields<'_>, home: Home<'_>) -> Result<(Option<Named>, Option<Named>), Reject> {
    let mut places = Vec::new();
    for membership in item.objects("memberships")? {
        let project = membership.object("project")?.map(named).transpose()?;
        let section = membership.object("section")?.map(named).transpose()?;
        places.push((project, section));
    }
    let gid = |place: &(Option<Named>, Option<Named>)| {
        let project = place.0.as_ref()?.id.as_ref()?;
        Some(project.as_str().to_owned())
    };
    let mut places = places.into_iter();
    let chosen = match home {
        Home::First => places.next(),
        Home::Oldest => places.min_by_key(|place| gid(place).map(|gid| (gid.len(), gid))),
        Home::Is(home) => places.find(|place| gid(place).as_deref() == Some(home)),
    };
    Ok(chosen.unwrap_or_default())
}

/// The custom fields that have a value, and the parent, under the names that Asana shows.
fn fields(
    item: Fields<'_>,
    parent: Option<Fields<'_>>,
) -> Result<BTreeMap<String, String>, Reject> {
    let mut fields = BTreeMap::new();
    for field in item.objects("custom_fields")? {
        if let (Some(name), Some(value)) = (field.text("name")?, field.text("display_value")?) {
            fields.insert(name.to_owned(), value.to_owned());
        }
    }
    let parent = item.object("parent")?.or(parent);
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

pub(crate) fn project(item: Fields<'_>) -> Result<Project, Reject> {
    Ok(Project {
        name: item.needed("name")?.to_owned(),
        client: None,
        archived: item.flag("archived")?.unwrap_or_default(),
        url: item.text("permalink_url")?.map(str::to_owned),
    })
}

pub(crate) fn person(item: Fields<'_>) -> Result<Person, Reject> {
    Ok(Person {
        name: item.needed("name")?.to_owned(),
        email: item.text("email")?.map(str::to_owned),
    })
}

pub(crate) fn time_entry(item: Fields<'_>) -> Result<TimeEntry, Reject> {
    let missing = |key| move || Reject::field(key, "is missing");
    // Time may be attributed to something else than a project (a portfolio, a goal).
    let attributed = item.object("attributable_to")?;
    let mut project = None;
    if let Some(of) = attributed
        && of.text("resource_type")? == Some("project")
    {
        project = Some(named(of)?);
    }
    let mut tags = names(&item.objects("categories")?)?;
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

pub(crate) fn named(item: Fields<'_>) -> Result<Named, Reject> {
    Ok(Named {
        id: item.id("gid")?,
        name: item.text("name")?.map(str::to_owned),
    })
}

pub(super) fn person_ref(item: Fields<'_>) -> Result<PersonRef, Reject> {
    Ok(PersonRef {
        id: item.id("gid")?,
        name: item.text("name")?.map(str::to_owned),
        email: item.text("email")?.map(str::to_owned),
    })
}

fn names(items: &[Fields<'_>]) -> Result<Vec<String>, Reject> {
    let mut names = Vec::new();
    for item in items {
        names.extend(item.text("name")?.map(str::to_owned));
    }
    Ok(names)
}
