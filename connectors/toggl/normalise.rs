//! From what was kept to our own records. Pure.
//!
//! The same entry must give the same record from either interface, or every comparison would
//! add a revision. What both can say is taken from the same place: instants in UTC and whole
//! seconds, tags sorted, names first from the catalogue and only then from the row.

use serde::Deserialize;

use super::catalogue::Names;
use super::envelope::{ProjectBody, Source, TimeBody};
use super::wire;
use crate::contract::{Identified, Raw};
use crate::culprit::read_object as read;
use crate::error::Reject;
use crate::planted::{Bug, planted};
use crate::record::{
    ExternalId, Named, Person, PersonRef, Project, Record, Stream, TimeEntry, Worked,
};

/// Maps one kept record.
pub(super) fn normalise(raw: &Raw) -> Result<Vec<Identified>, Reject> {
    let record = match raw.stream {
        Stream::Time => Record::TimeEntry(time(&raw.body)?),
        Stream::People => Record::Person(person(&raw.body)?),
        Stream::Projects => Record::Project(project(&raw.body)?),
        other => return Err(Reject::new(format!("Toggl has no {other}"))),
    };
    Ok(vec![Identified {
        id: raw.id.clone(),
        record,
    }])
}

/// What the two shapes of an entry have in common.
struct Common {
    start: Option<String>,
    stop: wire::Stop,
    description: Option<String>,
    billable: Option<bool>,
    user: (Option<i64>, Option<String>, Option<String>),
    project: (Option<i64>, Option<String>),
    client_name: Option<String>,
    task: (Option<i64>, Option<String>),
    tags: Option<Vec<String>>,
    tag_ids: Option<Vec<i64>>,
}

fn time(body: &str) -> Result<TimeEntry, Reject> {
    let body: TimeBody = read(body)?;
    let common = match body.source {
        Source::Track => from_track(read(body.entry.get())?)?,
        Source::Reports => from_report(read(body.entry.get())?, body.id)?,
    };
    record(common, &body.names)
}

fn from_track(entry: wire::Entry) -> Result<Common, Reject> {
    still_there(entry.server_deleted_at.as_deref())?;
    Ok(Common {
        start: entry.start,
        stop: entry.stop,
        description: entry.description,
        billable: entry.billable,
        user: (entry.user_id, entry.user_name, None),
        project: (entry.project_id, entry.project_name),
        client_name: entry.client_name,
        task: (entry.task_id, entry.task_name),
        tags: entry.tags,
        tag_ids: entry.tag_ids,
    })
}

/// A mark of deletion that names no instant proves nothing, and the thing does not just live on.
fn still_there(deleted: Option<&str>) -> Result<(), Reject> {
    match deleted {
        Some(at) if wire::instant(at).is_none() => Err(unreadable("server_deleted_at", at)),
        _ => Ok(()),
    }
}

fn from_report(row: wire::Row, id: i64) -> Result<Common, Reject> {
    let mut entries = row.time_entries.into_iter();
    let entry = entries
        .find(|entry| entry.id == id)
        .ok_or_else(|| Reject::field("time_entries", format!("no entry {id} in its row")))?;
    Ok(Common {
        start: entry.start,
        stop: entry.stop,
        description: row.description,
        billable: row.billable,
        user: (row.user_id, row.username, row.email),
        project: (row.project_id, row.project_name),
        client_name: row.client_name,
        task: (row.task_id, row.task_name),
        tags: row.tag_names,
        tag_ids: row.tag_ids,
    })
}

fn record(entry: Common, names: &Names) -> Result<TimeEntry, Reject> {
    let worked = worked(entry.start.as_deref(), &entry.stop)?;
    let person = person_ref(entry.user, names);
    let (project, client) = project_and_client(entry.project, entry.client_name, names);
    let task = named(entry.task.0, names.task.clone().or(blank(entry.task.1)));
    let tags = tags(
        entry.tags,
        entry.tag_ids.as_deref().unwrap_or_default(),
        names,
    )?;
    Ok(TimeEntry {
        worked,
        description: entry.description.unwrap_or_default(),
        person,
        client,
        project,
        task,
        tags,
        billable: entry.billable,
    })
}

fn worked(start: Option<&str>, stop: &wire::Stop) -> Result<Worked, Reject> {
    let start = start.ok_or_else(|| Reject::field("start", "is missing"))?;
    let start = wire::whole_second(start).ok_or_else(|| unreadable("start", start))?;
    match stop {
        // A key that is gone says nothing; taken for null it would turn worked hours into
        // running timers, which are never billed.
        wire::Stop::Missing => Err(Reject::field("stop", "is missing")),
        wire::Stop::Running if planted(Bug::RunningCounts) => Ok(Worked::Span {
            start,
            stop: start + chrono::TimeDelta::hours(1),
        }),
        wire::Stop::Running => Ok(Worked::Running { start }),
        wire::Stop::At(stop) => {
            let stop = wire::whole_second(stop).ok_or_else(|| unreadable("stop", stop))?;
            Ok(Worked::Span { start, stop })
        }
    }
}

fn unreadable(field: &'static str, text: &str) -> Reject {
    let shown: String = text.chars().take(40).collect();
    Reject::field(field, format!("`{shown}` is no instant"))
}

fn person_ref(
    (id, name, email): (Option<i64>, Option<String>, Option<String>),
    names: &Names,
) -> Option<PersonRef> {
    match &names.person {
        Some(who) => Some(who.person(id)),
        None => (id.is_some() || name.is_some()).then(|| PersonRef {
            id: id.map(external),
            name: blank(name),
            email: blank(email),
        }),
    }
}

fn project_and_client(
    (id, name): (Option<i64>, Option<String>),
    client_name: Option<String>,
    names: &Names,
) -> (Option<Named>, Option<Named>) {
    match &names.project {
        Some(known) => (named(id, Some(known.name.clone())), known.client.clone()),
        // Reports do not give the client's identifier, so Track's is not taken either.
        None => (named(id, blank(name)), named(None, blank(client_name))),
    }
}

fn tags(given: Option<Vec<String>>, ids: &[i64], names: &Names) -> Result<Vec<String>, Reject> {
    let mut tags = match given {
        Some(tags) if !tags.is_empty() || ids.is_empty() => tags,
        _ => ids
            .iter()
            .map(|id| names.tags.get(id).cloned())
            .collect::<Option<_>>()
            .ok_or_else(|| Reject::field("tag_ids", "a tag has no known name"))?,
    };
    tags.sort();
    tags.dedup();
    Ok(tags)
}

fn project(body: &str) -> Result<Project, Reject> {
    let body: ProjectBody = read(body)?;
    let project: wire::Project = read(body.project.get())?;
    still_there(project.server_deleted_at.as_deref())?;
    Ok(Project {
        name: project
            .name
            .ok_or_else(|| Reject::field("name", "is missing"))?,
        client: body.client,
        archived: project.active == Some(false),
        url: None,
    })
}

/// The owner from `/me`, or somebody else from a report.
#[derive(Deserialize)]
struct AnyPerson {
    fullname: Option<String>,
    username: Option<String>,
    email: Option<String>,
}

fn person(body: &str) -> Result<Person, Reject> {
    let person: AnyPerson = read(body)?;
    let email = blank(person.email);
    // An account may be without a name; then its address is what people know it by.
    let name = blank(person.fullname)
        .or(blank(person.username))
        .or_else(|| email.clone())
        .ok_or_else(|| Reject::field("fullname", "is missing"))?;
    Ok(Person { name, email })
}

fn named(id: Option<i64>, name: Option<String>) -> Option<Named> {
    (id.is_some() || name.is_some()).then(|| Named {
        id: id.map(external),
        name,
    })
}

fn external(id: i64) -> ExternalId {
    ExternalId::new(id.to_string())
}

/// A blank name is none.
fn blank(name: Option<String>) -> Option<String> {
    name.filter(|name| !name.trim().is_empty())
}

#[cfg(test)]
mod tests {
    use serde_json::json;
    use serde_json::value::RawValue;

    use super::*;
    use crate::toggl::catalogue::Catalogue;
    use crate::toggl::envelope;

    const TRACK: &str = include_str!("fixtures/track_entry.json");
    const RUNNING: &str = include_str!("fixtures/track_running.json");
    const REPORT: &str = include_str!("fixtures/report_row.json");

    fn catalogue() -> Catalogue {
        let me = serde_json::from_str(include_str!("fixtures/me.json")).unwrap();
        Catalogue::from_me(&me, None)
    }

    fn track(text: &str, catalogue: &Catalogue) -> Raw {
        let received = RawValue::from_string(text.to_owned()).unwrap();
        let entry: wire::Entry = serde_json::from_str(text).unwrap();
        envelope::track(catalogue, entry.id, &received, Some(&entry))
    }

    fn report(text: &str, catalogue: &Catalogue) -> Raw {
        let received = RawValue::from_string(text.to_owned()).unwrap();
        let row: wire::Row = serde_json::from_str(text).unwrap();
        let id = row.time_entries[0].id;
        envelope::report(catalogue, 2_000_001, id, &received, &row)
    }

    fn entry(raw: &Raw) -> TimeEntry {
        match normalise(raw).unwrap().remove(0).record {
            Record::TimeEntry(entry) => entry,
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn both_shapes_give_one_record() {
        let known = catalogue();
        let (one, other) = (track(TRACK, &known), report(REPORT, &known));
        assert_eq!(entry(&one), entry(&other));
        assert_eq!((&one.id, &one.scope), (&other.id, &other.scope));
        let read = entry(&one);
        assert_eq!(read.worked.seconds(), Some(3 * 3600));
        assert_eq!(read.tags, ["Abstimmung", "vor Ort"]);
        assert_eq!(read.client.unwrap().id, Some(ExternalId::new("4000001")));
        // Neither names the project of a catalogue that does not know it differently.
        let mut strange = known;
        strange.projects.clear();
        assert_eq!(
            entry(&track(TRACK, &strange)),
            entry(&report(REPORT, &strange))
        );
    }

    #[test]
    fn null_runs_and_missing_is_refused() {
        let running = entry(&track(RUNNING, &catalogue()));
        assert!(matches!(running.worked, Worked::Running { .. }));
        assert_eq!(running.description, "");
        for field in ["start", "stop"] {
            let mut value: serde_json::Value = serde_json::from_str(TRACK).unwrap();
            value.as_object_mut().unwrap().remove(field);
            let reject = normalise(&track(&value.to_string(), &catalogue())).unwrap_err();
            assert_eq!(reject.field, Some(field));
            value[field] = json!("gestern");
            let reject = normalise(&track(&value.to_string(), &catalogue())).unwrap_err();
            assert_eq!(reject.field, Some(field));
        }
    }

    #[test]
    fn tags_are_named_by_the_catalogue_where_the_row_only_numbers_them() {
        let mut value: serde_json::Value = serde_json::from_str(REPORT).unwrap();
        value["tag_names"] = json!(null);
        let known = catalogue();
        let read = entry(&report(&value.to_string(), &known));
        assert_eq!(read.tags, ["Abstimmung", "vor Ort"]);
        value["tag_ids"] = json!([5_000_001, 1]);
        let reject = normalise(&report(&value.to_string(), &known)).unwrap_err();
        assert_eq!(reject.field, Some("tag_ids"));
    }

    #[test]
    fn a_project_keeps_its_client_and_tells_that_it_is_archived() {
        let known = catalogue();
        let me: wire::Me = serde_json::from_str(include_str!("fixtures/me.json")).unwrap();
        let projects: Vec<Record> = me
            .projects
            .iter()
            .flatten()
            .map(|received| {
                let read: wire::Project = serde_json::from_str(received.get()).unwrap();
                let raw = envelope::project(&known, read.id, received, Some(&read));
                normalise(&raw).unwrap().remove(0).record
            })
            .collect();
        let Record::Project(first) = &projects[0] else {
            panic!("{projects:?}");
        };
        assert_eq!(
            first.client.as_ref().unwrap().name.as_deref(),
            Some("Bäckerei Ahorn")
        );
        assert!(!first.archived);
        assert!(matches!(&projects[1], Record::Project(it) if it.archived));
    }
}
