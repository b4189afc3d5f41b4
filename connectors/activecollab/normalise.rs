//! From what was kept to our own records. Pure.

use std::collections::BTreeMap;

use chrono::{DateTime, NaiveDate, NaiveTime, Utc};
use serde_json::value::RawValue;

use super::envelope::{KeptProject, KeptTask, KeptTracked, Place, Who};
use super::number::Decimal;
use super::shape::elements;
use super::state::external;
use super::wire::{self, Day, filled};
use crate::contract::{Identified, Raw};
use crate::culprit::read_object as read;
use crate::error::Reject;
use crate::record::{
    Expense, Named, Person, PersonRef, Project, Record, Stream, Task, TaskState, TimeEntry, Worked,
};

/// Maps one kept record.
pub(super) fn normalise(raw: &Raw) -> Result<Vec<Identified>, Reject> {
    let record = match raw.stream {
        Stream::Time => Record::TimeEntry(time(&read(&raw.body)?)?),
        Stream::Expenses => Record::Expense(expense(&read(&raw.body)?)?),
        Stream::Tasks => Record::Task(task(read(&raw.body)?)?),
        Stream::People => Record::Person(person(&read(&raw.body)?)),
        Stream::Projects => Record::Project(project(read(&raw.body)?)?),
        other => return Err(Reject::new(format!("ActiveCollab has no {other}"))),
    };
    Ok(vec![Identified {
        id: raw.id.clone(),
        record,
    }])
}

fn time(kept: &KeptTracked) -> Result<TimeEntry, Reject> {
    let record: wire::Tracked = read(kept.record.get())?;
    let hours = Decimal::read("value", record.value.as_deref())?;
    let seconds = hours
        .seconds_of_hours()
        .ok_or_else(|| Reject::field("value", "is more than can be counted"))?;
    Ok(TimeEntry {
        worked: Worked::Day {
            date: day(record.record_date.as_ref())?,
            seconds,
        },
        description: record.summary.clone().unwrap_or_default(),
        person: tracker(&record, kept.person.as_ref()),
        client: kept.project.client.clone(),
        project: Some(place(&kept.project)),
        task: on_task(&record, kept.task.as_deref()),
        tags: kept.sort.iter().cloned().collect(),
        billable: billable(record.billable_status)?,
    })
}

fn expense(kept: &KeptTracked) -> Result<Expense, Reject> {
    let record: wire::Tracked = read(kept.record.get())?;
    let amount = Decimal::read("value", record.value.as_deref())?;
    let category = (record.category_id.filter(|id| *id > 0), kept.sort.clone());
    Ok(Expense {
        date: day(record.record_date.as_ref())?,
        amount_cents: amount
            .cents()
            .ok_or_else(|| Reject::field("value", "is no whole number of cents"))?,
        currency: kept.currency.clone(),
        description: record.summary.clone().unwrap_or_default(),
        category: (category != (None, None)).then(|| Named {
            id: category.0.map(external),
            name: category.1,
        }),
        person: tracker(&record, kept.person.as_ref()),
        client: kept.project.client.clone(),
        project: Some(place(&kept.project)),
        task: on_task(&record, kept.task.as_deref()),
        billable: billable(record.billable_status)?,
    })
}

/// 0 is not billable, 1 is. 2 (on an invoice of ActiveCollab) and 3 (paid) are billable, too, and
/// stand for what became of it there; the pull tells of them. They are not part of the record:
/// paying an invoice does not change the work.
fn billable(status: Option<i64>) -> Result<Option<bool>, Reject> {
    match status {
        None => Ok(None),
        Some(0) => Ok(Some(false)),
        Some(1..=3) => Ok(Some(true)),
        Some(other) => Err(Reject::field(
            "billable_status",
            format!("{other} is none of 0 to 3"),
        )),
    }
}

/// The day of a record: midnight UTC stands for a calendar day, whatever zone people are in. Any
/// other instant would leave open which day was meant.
pub(super) fn day(received: Option<&Day>) -> Result<NaiveDate, Reject> {
    let wrong = |shown: String| {
        let shown: String = shown.chars().take(40).collect();
        Reject::field(
            "record_date",
            format!("`{shown}` is not midnight UTC of a day"),
        )
    };
    match received {
        None => Err(Reject::field("record_date", "is missing")),
        Some(Day::Seconds(seconds)) => {
            let at = DateTime::from_timestamp(*seconds, 0);
            at.filter(|at| at.time() == NaiveTime::MIN)
                .map(|at| at.date_naive())
                .ok_or_else(|| wrong(seconds.to_string()))
        }
        Some(Day::Text(text)) => text.parse().map_err(|_| wrong(text.clone())),
    }
}

fn tracker(record: &wire::Tracked, known: Option<&Who>) -> Option<PersonRef> {
    let id = record.user_id.filter(|id| *id > 0);
    let name = known.and_then(|who| who.name.clone());
    let email = known.and_then(|who| who.email.clone());
    let name = name.or_else(|| filled(record.user_name.as_deref()));
    let email = email.or_else(|| filled(record.user_email.as_deref()));
    (id.is_some() || name.is_some()).then(|| PersonRef {
        id: id.map(external),
        name,
        email,
    })
}

fn on_task(record: &wire::Tracked, title: Option<&str>) -> Option<Named> {
    record.task().map(|id| Named {
        id: Some(external(id)),
        name: title.map(str::to_owned),
    })
}

fn place(project: &Place) -> Named {
    Named {
        id: Some(external(project.id)),
        name: Some(project.name.clone()),
    }
}

fn task(kept: KeptTask) -> Result<Task, Reject> {
    let task: wire::Task = read(kept.task.get())?;
    let completed = instant("completed_on", task.completed_on)?;
    let done = task.is_completed.unwrap_or(completed.is_some());
    let labels = labels(task.labels.as_deref())?;
    let assignee = task.assignee_id.filter(|id| *id > 0).map(|id| PersonRef {
        id: Some(external(id)),
        name: kept.assignee.as_ref().and_then(|who| who.name.clone()),
        email: kept.assignee.as_ref().and_then(|who| who.email.clone()),
    });
    Ok(Task {
        title: task
            .name
            .ok_or_else(|| Reject::field("name", "is missing"))?,
        notes: task.body.unwrap_or_default(),
        project: Some(place(&kept.project)),
        section: task.list_id.filter(|id| *id > 0).map(|id| Named {
            id: Some(external(id)),
            name: kept.list,
        }),
        state: if done {
            TaskState::Done
        } else {
            TaskState::Open
        },
        archived: kept.project.archived,
        short_id: None,
        url: Some(kept.url),
        assignees: assignee.into_iter().collect(),
        labels,
        created: instant("created_on", task.created_on)?,
        done_at: completed.filter(|_| done),
        due: instant("due_on", task.due_on)?,
        tracked_seconds: None,
        fields: BTreeMap::new(),
    })
}

fn labels(received: Option<&RawValue>) -> Result<Vec<String>, Reject> {
    let Some(received) = received else {
        return Ok(Vec::new());
    };
    let wrong = || Reject::field("labels", "is no list of labels");
    let mut labels = Vec::new();
    for label in elements(received).ok_or_else(wrong)? {
        // A list would be read as well, its first text as the name.
        let object = Some(label.get()).filter(|text| text.starts_with('{'));
        let label: Option<wire::Label> = object.and_then(|it| serde_json::from_str(it).ok());
        labels.extend(filled(label.ok_or_else(wrong)?.name.as_deref()));
    }
    labels.sort_unstable();
    labels.dedup();
    Ok(labels)
}

/// Seconds since 1970; 0 stands for none.
fn instant(field: &'static str, seconds: Option<i64>) -> Result<Option<DateTime<Utc>>, Reject> {
    /// The first of January 2000; ActiveCollab is younger.
    const BEGINNING: i64 = 946_684_800;
    let at = |seconds: i64| {
        let at = DateTime::from_timestamp(seconds, 0);
        at.filter(|_| seconds >= BEGINNING)
            .ok_or_else(|| Reject::field(field, format!("`{seconds}` is no instant")))
    };
    seconds.filter(|seconds| *seconds != 0).map(at).transpose()
}

fn person(user: &wire::User) -> Person {
    Person {
        name: user.title().unwrap_or_else(|| user.id.to_string()),
        email: filled(user.email.as_deref()),
    }
}

fn project(kept: KeptProject) -> Result<Project, Reject> {
    let project: wire::Project = read(kept.project.get())?;
    Ok(Project {
        name: project
            .name
            .ok_or_else(|| Reject::field("name", "is missing"))?,
        client: kept.client,
        archived: kept.archived,
        url: Some(kept.url),
    })
}
