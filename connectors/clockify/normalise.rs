//! From what was kept to our own records. Pure.

use chrono::{DateTime, Utc};

use super::envelope::EntryBody;
use super::wire;
use crate::contract::{Identified, Raw};
use crate::culprit::read_object as read;
use crate::error::Reject;
use crate::record::{ExternalId, Named, Person, Project, Record, Stream, TimeEntry, Worked};
use crate::rows::Stop;

/// Maps one kept record.
pub(super) fn normalise(raw: &Raw) -> Result<Vec<Identified>, Reject> {
    let record = match raw.stream {
        Stream::Time => Record::TimeEntry(time(&raw.body)?),
        Stream::Projects => Record::Project(project(&raw.body)?),
        Stream::People => Record::Person(person(&raw.body)?),
        other => return Err(Reject::new(format!("Clockify has no {other}"))),
    };
    Ok(vec![Identified {
        id: raw.id.clone(),
        record,
    }])
}

fn time(body: &str) -> Result<TimeEntry, Reject> {
    let body: EntryBody = read(body)?;
    let entry: wire::Entry = read(body.entry.get())?;
    let worked = worked(entry.time_interval.as_ref())?;
    if entry
        .user_id
        .as_deref()
        .is_some_and(|it| it != body.person.id)
    {
        return Err(Reject::field("userId", "is another person's"));
    }
    let of_project = entry.project.as_ref();
    let project = named(
        entry.project_id.or(of_project.and_then(|it| it.id.clone())),
        of_project.and_then(|it| it.name.clone()),
    );
    let client = of_project.and_then(|it| named(it.client_id.clone(), it.client_name.clone()));
    let of_task = entry.task.as_ref();
    let task = named(
        entry.task_id.or(of_task.and_then(|it| it.id.clone())),
        of_task.and_then(|it| it.name.clone()),
    );
    // A pause, a holiday or leave is no work, whatever stands beside it.
    let work = entry.kind.as_deref().is_none_or(|kind| kind == "REGULAR");
    Ok(TimeEntry {
        worked,
        description: entry.description.unwrap_or_default(),
        person: Some(body.person.reference()),
        client,
        project,
        task,
        tags: tags(entry.tags, entry.tag_ids.as_deref().unwrap_or_default())?,
        billable: if work { entry.billable } else { Some(false) },
    })
}

fn worked(interval: Option<&wire::Interval>) -> Result<Worked, Reject> {
    let interval = interval.ok_or_else(|| unclear("is missing".to_owned()))?;
    let start = interval.start.as_deref();
    let start = instant(start.ok_or_else(|| unclear("`start` is missing".to_owned()))?)?;
    match &interval.end {
        // A key that is gone says nothing; taken for null it would turn worked hours into a
        // running timer, which is never billed.
        Stop::Missing => Err(unclear("`end` is missing".to_owned())),
        Stop::Running => Ok(Worked::Running { start }),
        Stop::At(end) => Ok(Worked::Span {
            start,
            stop: instant(end)?,
        }),
    }
}

fn instant(text: &str) -> Result<DateTime<Utc>, Reject> {
    let shown: String = text.chars().take(40).collect();
    wire::whole_second(text).ok_or_else(|| unclear(format!("`{shown}` is no instant")))
}

fn unclear(reason: String) -> Reject {
    Reject::field("timeInterval", reason)
}

/// Tags by name. An entry that has some, and names them by number only, was not answered as it
/// was asked for.
fn tags(tags: Option<Vec<wire::NamedId>>, ids: &[String]) -> Result<Vec<String>, Reject> {
    let tags = tags.unwrap_or_default();
    let names = tags.into_iter().map(|tag| tag.name);
    let names: Option<Vec<String>> = names.collect();
    let mut names = names.ok_or_else(|| Reject::field("tags", "one has no name"))?;
    if names.is_empty() && !ids.is_empty() {
        return Err(Reject::field("tags", "are given by number only"));
    }
    names.sort();
    names.dedup();
    Ok(names)
}

fn project(body: &str) -> Result<Project, Reject> {
    let project: wire::Project = read(body)?;
    let name = project.name;
    Ok(Project {
        name: name.ok_or_else(|| Reject::field("name", "is missing"))?,
        client: named(project.client_id, project.client_name),
        archived: project.archived.unwrap_or(false),
        url: None,
    })
}

fn person(body: &str) -> Result<Person, Reject> {
    let user: wire::User = read(body)?;
    let name = blank(user.name);
    let email = blank(user.email);
    Ok(Person {
        name: name
            .or_else(|| email.clone())
            .ok_or_else(|| Reject::field("name", "is missing"))?,
        email,
    })
}

fn named(id: Option<String>, name: Option<String>) -> Option<Named> {
    let id = blank(id).map(ExternalId::new);
    let name = blank(name);
    (id.is_some() || name.is_some()).then_some(Named { id, name })
}

/// Clockify writes an empty text where there is nothing.
fn blank(text: Option<String>) -> Option<String> {
    text.filter(|text| !text.trim().is_empty())
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;

    const ENTRY: &str = include_str!("fixtures/entry.json");

    fn normalised(entry: &Value) -> Result<TimeEntry, Reject> {
        let body = json!({
            "person": {"id": entry["userId"], "name": "Mara Lindgrün"},
            "entry": entry,
        });
        time(&body.to_string())
    }

    fn fixture() -> Value {
        serde_json::from_str(ENTRY).unwrap()
    }

    #[test]
    fn an_entry_has_its_names_and_its_whole_seconds() {
        let entry = normalised(&fixture()).unwrap();
        assert_eq!(entry.worked.seconds(), Some(3 * 3600));
        assert_eq!(entry.description, "Umzug der Datenbank");
        let name = |named: &Option<Named>| named.as_ref().unwrap().name.clone().unwrap();
        assert_eq!(name(&entry.client), "Bäckerei Ahorn");
        assert_eq!(name(&entry.project), "Relaunch");
        assert_eq!(name(&entry.task), "Technik");
        assert_eq!(entry.tags, ["Abstimmung", "vor Ort"]);
        assert_eq!(entry.billable, Some(true));
        let person = entry.person.unwrap();
        assert_eq!(person.name.as_deref(), Some("Mara Lindgrün"));
    }

    #[test]
    fn only_a_null_end_is_a_running_timer() {
        let mut entry = fixture();
        entry["timeInterval"]["end"] = Value::Null;
        assert_eq!(normalised(&entry).unwrap().worked.seconds(), None);
        let interval = entry["timeInterval"].as_object_mut().unwrap();
        interval.remove("end");
        let reject = normalised(&entry).unwrap_err();
        assert_eq!(reject.to_string(), "timeInterval: `end` is missing");
    }

    #[test]
    fn a_pause_is_not_billable() {
        let mut entry = fixture();
        for (kind, billable) in [("BREAK", false), ("TIME_OFF", false), ("REGULAR", true)] {
            entry["type"] = json!(kind);
            assert_eq!(
                normalised(&entry).unwrap().billable,
                Some(billable),
                "{kind}"
            );
        }
    }

    #[test]
    fn an_entry_that_was_not_hydrated_is_put_aside_only_for_its_tags() {
        let mut entry = fixture();
        let fields = entry.as_object_mut().unwrap();
        for field in ["project", "task", "tags"] {
            fields.remove(field);
        }
        assert_eq!(normalised(&entry).unwrap_err().field, Some("tags"));
        entry["tagIds"] = Value::Null;
        let entry = normalised(&entry).unwrap();
        assert!(entry.project.unwrap().id.is_some());
        assert_eq!(entry.client, None);
    }

    #[test]
    fn a_project_without_a_client_has_none() {
        let project = |body: Value| project(&body.to_string()).unwrap();
        let plain = json!({"id": "p", "name": "Intern", "clientId": "", "clientName": ""});
        assert_eq!(project(plain).client, None);
        let archived = json!({"id": "p", "name": "Alt", "archived": true});
        assert!(project(archived).archived);
    }
}
