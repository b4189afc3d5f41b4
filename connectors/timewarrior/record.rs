//! What is kept of an interval, and the record that it means. Pure.

use serde::{Deserialize, Serialize};

use super::line;
use super::pull::Wishes;
use crate::contract::{Identified, Raw};
use crate::error::Reject;
use crate::record::{Named, PersonRef, Record, Stream, TimeEntry, Worked};

/// A line as it stands in the file, and what the settings made of its tags when it was read.
#[derive(Debug, Deserialize, Serialize)]
pub(super) struct Body {
    line: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    person: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    client: Option<Named>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    project: Option<Named>,
    /// The tags that name neither.
    #[serde(default)]
    words: Vec<String>,
}

impl Body {
    /// Of a line that cannot be read, only the line is kept, to be refused with a reason.
    pub(super) fn of(text: &str, wishes: &Wishes) -> Self {
        let tags = line::read(text).map(|interval| interval.tags);
        let tags = tags.unwrap_or_default();
        let other = |tag: &&String| {
            let patterns = [&wishes.clients, &wishes.projects];
            patterns.iter().all(|pattern| pattern.within(tag).is_none())
        };
        Self {
            line: text.to_owned(),
            person: wishes.person.clone(),
            client: wishes.clients.name(&tags),
            project: wishes.projects.name(&tags),
            words: tags.iter().filter(other).cloned().collect(),
        }
    }
}

/// Maps one kept line.
pub(super) fn normalise(raw: &Raw) -> Result<Vec<Identified>, Reject> {
    if raw.stream != Stream::Time {
        return Err(Reject::new(format!("Timewarrior has no {}", raw.stream)));
    }
    let body: Body =
        serde_json::from_str(&raw.body).map_err(|error| Reject::new(error.to_string()))?;
    let interval = line::read(&body.line)?;
    let worked = match interval.end {
        Some(stop) => Worked::Span {
            start: interval.start,
            stop,
        },
        None => Worked::Running {
            start: interval.start,
        },
    };
    // Most people say what they do in the tags and annotate nothing.
    let description = match interval.annotation.trim() {
        "" => body.words.join(", "),
        annotation => annotation.to_owned(),
    };
    let mut tags = interval.tags;
    tags.sort();
    tags.dedup();
    let person = body.person.filter(|name| !name.trim().is_empty());
    Ok(vec![Identified {
        id: raw.id.clone(),
        record: Record::TimeEntry(TimeEntry {
            worked,
            description,
            person: person.map(|name| PersonRef {
                name: Some(name),
                ..PersonRef::default()
            }),
            client: body.client,
            project: body.project,
            task: None,
            tags,
            billable: None,
        }),
    }])
}
