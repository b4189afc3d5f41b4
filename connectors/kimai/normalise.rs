//! From what was kept to our own records. Pure.

use chrono::{DateTime, FixedOffset, Utc};

use super::wire::{self, Reference};
use crate::contract::{Identified, Raw};
use crate::culprit::read_object as read;
use crate::error::Reject;
use crate::record::{
    ExternalId, Named, Person, PersonRef, Project, Record, Stream, TimeEntry, Worked,
};
use crate::rows::Stop;

/// Maps one kept record.
pub(super) fn normalise(raw: &Raw) -> Result<Vec<Identified>, Reject> {
    let record = match raw.stream {
        Stream::Time => Record::TimeEntry(time(&raw.body)?),
        Stream::Projects => Record::Project(project(&raw.body)?),
        Stream::People => Record::Person(person(&raw.body)?),
        other => return Err(Reject::new(format!("Kimai has no {other}"))),
    };
    Ok(vec![Identified {
        id: raw.id.clone(),
        record,
    }])
}

fn time(body: &str) -> Result<TimeEntry, Reject> {
    let sheet: wire::Timesheet = read(body)?;
    let worked = worked(&sheet)?;
    let mut tags = sheet.tags.unwrap_or_default();
    tags.sort();
    tags.dedup();
    let (project, client) = match sheet.project {
        None => (None, None),
        Some(Reference::Number(id)) => (named(Some(id), None), None),
        Some(Reference::Whole(project)) => {
            let client = project.customer.and_then(of_activity);
            (named(Some(project.id), project.name), client)
        }
    };
    Ok(TimeEntry {
        worked,
        description: sheet.description.unwrap_or_default(),
        person: sheet.user.map(of_user),
        client,
        project,
        task: sheet.activity.and_then(of_activity),
        tags,
        billable: sheet.billable,
    })
}

fn worked(sheet: &wire::Timesheet) -> Result<Worked, Reject> {
    let begin = sheet.begin.as_deref();
    let begin = instant(
        "begin",
        begin.ok_or_else(|| Reject::field("begin", "is missing"))?,
    )?;
    let start = begin.with_timezone(&Utc);
    let end = match &sheet.end {
        // A key that is gone says nothing; taken for null it would turn worked hours into a
        // running timer, which is never billed.
        Stop::Missing => return Err(Reject::field("end", "is missing")),
        Stop::Running => return Ok(Worked::Running { start }),
        Stop::At(end) => instant("end", end)?.with_timezone(&Utc),
    };
    match sheet.pause.unwrap_or(0) {
        0 => Ok(Worked::Span { start, stop: end }),
        // Where within the span the pause lay is not said, so neither is when the work ended.
        pause if pause > 0 => Ok(Worked::Day {
            date: begin.date_naive(),
            seconds: (end - start).num_seconds().saturating_sub(pause),
        }),
        pause => Err(Reject::field(
            "break",
            format!("{pause} seconds are no pause"),
        )),
    }
}

fn instant(field: &'static str, text: &str) -> Result<DateTime<FixedOffset>, Reject> {
    let shown: String = text.chars().take(40).collect();
    wire::local(text).ok_or_else(|| Reject::field(field, format!("`{shown}` is no instant")))
}

fn of_user(user: Reference<wire::User>) -> PersonRef {
    match user {
        Reference::Number(id) => PersonRef {
            id: Some(external(id)),
            ..PersonRef::default()
        },
        Reference::Whole(user) => PersonRef {
            id: Some(external(user.id)),
            name: user.shown(),
            email: blank(user.email),
        },
    }
}

fn of_activity(activity: Reference<wire::Activity>) -> Option<Named> {
    match activity {
        Reference::Number(id) => named(Some(id), None),
        Reference::Whole(activity) => named(Some(activity.id), activity.name),
    }
}

fn project(body: &str) -> Result<Project, Reject> {
    let project: wire::Project = read(body)?;
    let customer_name = project.customer_name;
    let client = match project.customer {
        Some(Reference::Number(id)) => named(Some(id), customer_name),
        Some(Reference::Whole(customer)) => named(Some(customer.id), customer.name),
        None => named(None, customer_name),
    };
    let name = blank(project.name);
    Ok(Project {
        name: name.ok_or_else(|| Reject::field("name", "is missing"))?,
        client,
        archived: project.visible == Some(false),
        url: None,
    })
}

fn person(body: &str) -> Result<Person, Reject> {
    let user: wire::User = read(body)?;
    let name = user.shown();
    Ok(Person {
        name: name.ok_or_else(|| Reject::field("username", "is missing"))?,
        email: blank(user.email),
    })
}

fn named(id: Option<i64>, name: Option<String>) -> Option<Named> {
    let (id, name) = (id.map(external), blank(name));
    (id.is_some() || name.is_some()).then_some(Named { id, name })
}

fn external(id: i64) -> ExternalId {
    ExternalId::new(id.to_string())
}

fn blank(text: Option<String>) -> Option<String> {
    text.filter(|text| !text.trim().is_empty())
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;

    const SHEET: &str = include_str!("fixtures/timesheet.json");

    fn fixture() -> Value {
        serde_json::from_str(SHEET).unwrap()
    }

    fn normalised(sheet: &Value) -> Result<TimeEntry, Reject> {
        time(&sheet.to_string())
    }

    fn name(named: Option<&Named>) -> &str {
        named.and_then(|it| it.name.as_deref()).unwrap()
    }

    #[test]
    fn a_sheet_has_its_names_and_the_hour_of_the_clock_change() {
        let entry = normalised(&fixture()).unwrap();
        assert_eq!(entry.worked.seconds(), Some(3 * 3600));
        assert_eq!(name(entry.client.as_ref()), "Bäckerei Ahorn");
        assert_eq!(name(entry.project.as_ref()), "Relaunch");
        assert_eq!(name(entry.task.as_ref()), "Technik");
        assert_eq!(entry.tags, ["Abstimmung", "vor Ort"]);
        let person = entry.person.unwrap();
        assert_eq!(person.name.as_deref(), Some("Mara Lindgrün"));
        assert_eq!(entry.billable, Some(true));
    }

    #[test]
    fn a_pause_is_not_worked() {
        let mut sheet = fixture();
        sheet["break"] = json!(1_800);
        let expected = Worked::Day {
            date: "2026-10-25".parse().unwrap(),
            seconds: 9_000,
        };
        assert_eq!(normalised(&sheet).unwrap().worked, expected);
        for none in [Value::Null, json!(0)] {
            sheet["break"] = none;
            assert_eq!(normalised(&sheet).unwrap().worked.seconds(), Some(10_800));
        }
        sheet["break"] = json!(-60);
        assert_eq!(normalised(&sheet).unwrap_err().field, Some("break"));
    }

    #[test]
    fn what_is_named_by_number_has_no_name() {
        let mut sheet = fixture();
        for field in ["user", "project", "activity"] {
            sheet[field] = json!(7);
        }
        let entry = normalised(&sheet).unwrap();
        let number = Some(ExternalId::new("7"));
        assert_eq!(
            entry.project.unwrap(),
            Named {
                id: number.clone(),
                name: None
            }
        );
        assert_eq!(entry.client, None);
        assert_eq!(entry.person.unwrap().id, number);
    }

    #[test]
    fn a_project_is_listed_with_its_customer_by_number_and_name() {
        let body = json!({"id": 1, "name": "Relaunch", "customer": 4, "visible": false,
            "parentTitle": "Bäckerei Ahorn"});
        let project = project(&body.to_string()).unwrap();
        assert_eq!(name(project.client.as_ref()), "Bäckerei Ahorn");
        assert!(project.archived);
    }
}
