//! From a raw record to ours, by the mapping that came with it.

use std::collections::BTreeMap;

use super::listing::NAMELESS;
use super::number;
use super::raw::Stored;
use super::shape::{Shape, Target};
use super::values::Values;
use crate::contract::{Identified, Raw};
use crate::error::Reject;
use crate::import::layout::{Cells, Field, Words};
use crate::record::{
    Expense, File, Person, PersonRef, Project, Record, Task, TaskState, TimeEntry,
};

pub(super) fn normalise(raw: &Raw) -> Result<Vec<Identified>, Reject> {
    if raw.id.as_str().starts_with(NAMELESS) {
        return Err(Reject::new(
            "the columns that name a record are empty in it, so it cannot be told from others",
        ));
    }
    // A struct can be read from a list, too.
    if !raw.body.starts_with('{') {
        return Err(Reject::new("the raw record is no table"));
    }
    let stored: Stored<'_> =
        serde_json::from_str(&raw.body).map_err(|error| Reject::new(error.to_string()))?;
    let shape = stored.mapping;
    let layout = shape.layout();
    let values = Values::new(&shape, &layout, stored.record);
    let record = match shape.record {
        Target::Time => Record::TimeEntry(time(&values, &shape)?),
        Target::Tasks => Record::Task(task(&values, &shape)?),
        Target::Files => Record::File(file(&values)?),
        Target::People => Record::Person(person(&values)?),
        Target::Projects => Record::Project(project(&values)?),
        Target::Expenses => Record::Expense(expense(&values, &shape)?),
    };
    if record.stream() != raw.stream {
        return Err(Reject::field(
            "record",
            "is of another kind than its stream",
        ));
    }
    Ok(vec![Identified {
        id: raw.id.clone(),
        record,
    }])
}

/// By the rules of the imports, so that one rule for clock changes and durations holds for all.
fn time(values: &Values<'_>, shape: &Shape) -> Result<TimeEntry, Reject> {
    let mut texts: BTreeMap<Field, String> = BTreeMap::new();
    for field in Field::ALL {
        let key = field.key();
        let text = match field {
            Field::Date | Field::EndDate => values.date(key)?,
            // A time of day alone, where the day stands in a column of its own.
            Field::Start | Field::End => values.moment(key)?,
            Field::Duration => values.duration(key, shape.duration)?,
            Field::Break => values.duration(key, shape.pause)?,
            // Read below, for programs write lists and flags where files write words.
            Field::Tags | Field::Billable => None,
            _ => values.text(key)?,
        };
        texts.extend(text.map(|text| (field, text)));
    }
    if values.flag("running", &Words::default())? == Some(true) {
        // How long it ran up to now is another number every night.
        texts.remove(&Field::End);
        texts.remove(&Field::Duration);
        if !texts.contains_key(&Field::Start) {
            return Err(Reject::field("start", "is missing, and the timer runs"));
        }
    }
    let mut cells = Cells::default();
    for (field, text) in &texts {
        cells.set(*field, text);
    }
    let row = values
        .rules()
        .row(cells)
        .map_err(|fault| Reject::field(fault.field.key(), fault.reason))?;
    let entry = row.entry(", ");
    let person_id = values.id("person_id")?;
    let person = entry
        .person
        .or_else(|| person_id.is_some().then(PersonRef::default));
    Ok(TimeEntry {
        person: person.map(|person| PersonRef {
            id: person_id,
            ..person
        }),
        client: values.named("client", "client_id")?,
        project: values.named("project", "project_id")?,
        task: values.named("task", "task_id")?,
        tags: values.list("tags")?,
        billable: values.flag("billable", &shape.billable)?,
        ..entry
    })
}

fn task(values: &Values<'_>, shape: &Shape) -> Result<Task, Reject> {
    let done_at = values.instant("done_at")?;
    let done = match done(values, shape)? {
        Some(done) => done,
        None => !shape.has("done") && done_at.is_some(),
    };
    Ok(Task {
        title: values.needed("title")?,
        notes: values.text("notes")?.unwrap_or_default(),
        project: values.named("project", "project_id")?,
        section: values.named("section", "section_id")?,
        state: if done {
            TaskState::Done
        } else {
            TaskState::Open
        },
        archived: values
            .flag("archived", &Words::default())?
            .unwrap_or_default(),
        short_id: values.text("short_id")?,
        url: values.text("url")?,
        assignees: values.person()?.into_iter().collect(),
        labels: values.list("tags")?,
        created: values.instant("created")?,
        done_at: done_at.filter(|_| done),
        due: values.instant("due")?,
        tracked_seconds: values.seconds("duration", shape.duration)?,
        fields: BTreeMap::new(),
    })
}

/// Whether the task is done. Where the mapping lists the words for that, every other word is the
/// name of another state.
fn done(values: &Values<'_>, shape: &Shape) -> Result<Option<bool>, Reject> {
    if shape.done.is_empty() {
        return values.flag("done", &Words::default());
    }
    let text = values.text("done")?;
    let is_done = |text: String| {
        let mut words = shape.done.iter();
        words.any(|word| crate::import::csv_file::same_name(word, text.trim()))
    };
    Ok(text.map(is_done))
}

fn file(values: &Values<'_>) -> Result<File, Reject> {
    let size = match values.text("size")? {
        None => None,
        Some(text) => {
            let size = number::exact(&text, 1).and_then(|size| u64::try_from(size).ok());
            Some(size.ok_or_else(|| Reject::field("size", "is no number of bytes"))?)
        }
    };
    Ok(File {
        path: values.needed("path")?,
        size,
        modified: values.instant("modified")?,
        modified_by: values.person()?,
        version: values.text("version")?,
    })
}

fn person(values: &Values<'_>) -> Result<Person, Reject> {
    let name = if let Some(name) = values.text("name")? {
        name
    } else {
        let parts = [values.text("first_name")?, values.text("last_name")?];
        let parts: Vec<String> = parts.into_iter().flatten().collect();
        parts.join(" ")
    };
    if name.is_empty() {
        return Err(Reject::field("name", "is missing"));
    }
    Ok(Person {
        name,
        email: values.text("email")?,
    })
}

fn project(values: &Values<'_>) -> Result<Project, Reject> {
    Ok(Project {
        name: values.needed("name")?,
        client: values.named("client", "client_id")?,
        archived: values
            .flag("archived", &Words::default())?
            .unwrap_or_default(),
        url: values.text("url")?,
    })
}

fn expense(values: &Values<'_>, shape: &Shape) -> Result<Expense, Reject> {
    let amount = values.needed("amount")?;
    let cents = number::exact(amount.trim(), 100).ok_or_else(|| {
        Reject::field(
            "amount",
            format!(
                "`{}` is no amount in whole cents",
                crate::import::shortened(&amount)
            ),
        )
    })?;
    Ok(Expense {
        date: values
            .day("date")?
            .ok_or_else(|| Reject::field("date", "is missing"))?,
        amount_cents: cents,
        currency: values
            .text("currency")?
            .map(|text| text.trim().to_uppercase()),
        description: values.text("description")?.unwrap_or_default(),
        category: values.named("category", "category_id")?,
        person: values.person()?,
        client: values.named("client", "client_id")?,
        project: values.named("project", "project_id")?,
        task: values.named("task", "task_id")?,
        billable: values.flag("billable", &shape.billable)?,
    })
}
