//! From a kept card, board or member to a record. Pure.

use std::collections::BTreeMap;

use serde::de::DeserializeOwned;
use serde_json::Value;

use super::activity;
use super::envelope::{FieldNames, Kept, Place, Project};
use super::value::{flag, instant, made_at, needed, readable, text, texts};
use super::wire::Member;
use crate::contract::{Identified, Raw};
use crate::error::Reject;
use crate::record::{
    ExternalId, Named, Person, PersonRef, Project as ProjectRecord, Record, Stream, Task, TaskState,
};

/// Maps one kept thing of any stream.
pub(crate) fn normalise(raw: &Raw) -> Result<Vec<Identified>, Reject> {
    let record = match raw.stream {
        Stream::Tasks => Record::Task(task(&open(raw)?)?),
        Stream::Activity => match activity::read(&open(raw)?)? {
            Some(activity) => Record::Activity(activity),
            None => return Ok(Vec::new()),
        },
        Stream::People => Record::Person(person(&open(raw)?)),
        Stream::Projects => Record::Project(project(open(raw)?)),
        other => {
            return Err(Reject::new(format!(
                "Trello has no records of kind {other}"
            )));
        }
    };
    Ok(vec![Identified {
        id: raw.id.clone(),
        record,
    }])
}

fn open<T: DeserializeOwned>(raw: &Raw) -> Result<T, Reject> {
    serde_json::from_str(&raw.body)
        .map_err(|error| Reject::new(format!("the kept record cannot be read: {error}")))
}

fn task(kept: &Kept) -> Result<Task, Reject> {
    let card = &kept.card;
    readable(card)?;
    let ticked = flag(card, "dueComplete")?;
    let done = ticked || kept.list.as_ref().is_some_and(|list| list.done);
    let completed = instant(card, "dateCompleted")?.filter(|_| ticked);
    let put_away = kept.board.closed || kept.list.as_ref().is_some_and(|list| list.closed);
    Ok(Task {
        title: needed(card, "name")?.to_owned(),
        notes: text(card, "desc")?.unwrap_or_default().to_owned(),
        project: Some(named(&kept.board)),
        section: kept.list.as_ref().map(named),
        state: if done {
            TaskState::Done
        } else {
            TaskState::Open
        },
        archived: flag(card, "closed")? || put_away,
        short_id: text(card, "shortLink")?.map(str::to_owned),
        url: url(card)?,
        assignees: assignees(kept)?,
        labels: labels(kept)?,
        created: made_at(needed(card, "id")?),
        done_at: completed.or(kept.done_at).filter(|_| done),
        due: instant(card, "due")?,
        tracked_seconds: None,
        fields: fields(kept)?,
    })
}

fn named(place: &Place) -> Named {
    Named {
        id: Some(ExternalId::new(&*place.id)),
        name: place.name.clone(),
    }
}

/// The short address: the long one holds the title and would change with it.
fn url(card: &Value) -> Result<Option<String>, Reject> {
    Ok(match (text(card, "shortUrl")?, text(card, "shortLink")?) {
        (Some(url), _) => Some(url.to_owned()),
        (None, Some(link)) => Some(format!("https://trello.com/c/{link}")),
        (None, None) => text(card, "url")?.map(str::to_owned),
    })
}

/// Trello keeps no meaning in the order of members, so it must not make revisions.
fn assignees(kept: &Kept) -> Result<Vec<PersonRef>, Reject> {
    let mut ids = texts(&kept.card, "idMembers")?;
    ids.sort_unstable();
    ids.dedup();
    let person = |id: &str| PersonRef {
        id: Some(ExternalId::new(id)),
        name: kept.members.get(id).cloned(),
        email: None,
    };
    Ok(ids.into_iter().map(person).collect())
}

/// Labels by name. A card of an old export carries its labels whole; they fill in for those
/// that the board no longer knows.
fn labels(kept: &Kept) -> Result<Vec<String>, Reject> {
    let own: BTreeMap<&str, &str> = kept.card["labels"]
        .as_array()
        .into_iter()
        .flatten()
        .filter_map(|label| {
            let name = label["name"]
                .as_str()
                .filter(|name| !name.trim().is_empty());
            Some((label["id"].as_str()?, name.or(label["color"].as_str())?))
        })
        .collect();
    let mut ids = texts(&kept.card, "idLabels")?;
    ids.extend(own.keys());
    let name = |id: &str| match kept.labels.get(id) {
        Some(name) => Some(name.clone()),
        None => own.get(id).map(|name| name.trim().to_owned()),
    };
    let mut labels: Vec<String> = ids.into_iter().filter_map(name).collect();
    labels.sort_unstable();
    labels.dedup();
    Ok(labels)
}

/// Custom fields by name. An item whose field the board does not name is left out: an identifier
/// tells nobody anything.
fn fields(kept: &Kept) -> Result<BTreeMap<String, String>, Reject> {
    let items = match &kept.card["customFieldItems"] {
        Value::Null => return Ok(BTreeMap::new()),
        Value::Array(items) => items,
        _ => return Err(Reject::field("customFieldItems", "should be a list")),
    };
    // Two fields may have the same name; which of them is told must not depend on their order.
    let mut items: Vec<&Value> = items.iter().collect();
    items.sort_by_key(|item| item["idCustomField"].as_str());
    let named = items.into_iter().filter_map(|item| {
        let names = kept.fields.get(item["idCustomField"].as_str()?)?;
        Some((names.name.clone(), field_text(item, names)?))
    });
    Ok(named.collect())
}

/// `{"value": {"number": "42"}}`, `{"value": {"checked": "true"}}`: numbers and booleans come as
/// texts (seen in an export of 2021); a drop-down names its option by `idValue`.
fn field_text(item: &Value, names: &FieldNames) -> Option<String> {
    if let Some(option) = item["idValue"].as_str().filter(|id| !id.is_empty()) {
        return names.options.get(option).cloned();
    }
    item["value"]
        .as_object()?
        .values()
        .find_map(|value| match value {
            Value::String(text) => Some(text.clone()),
            // One that had to be rounded is not the one that stands there.
            Value::Number(number) => Some(number.to_string()).filter(|text| !text.contains('e')),
            Value::Bool(flag) => Some(flag.to_string()),
            _ => None,
        })
}

fn person(member: &Member) -> Person {
    Person {
        name: member.title().unwrap_or(&member.id).to_owned(),
        email: None,
    }
}

fn project(kept: Project) -> ProjectRecord {
    ProjectRecord {
        name: kept.board.name.unwrap_or(kept.board.id),
        client: None,
        archived: kept.board.closed,
        url: kept
            .short_link
            .map(|link| format!("https://trello.com/b/{link}")),
    }
}
