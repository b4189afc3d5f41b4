//! Lists of the fake Asana: what belongs to them, and their pages.

use std::collections::BTreeMap;

use chrono::{DateTime, NaiveDate, TimeDelta, Utc};
use serde_json::{Value, json};

use super::answers::{Answer, Refusal, refuse};
use super::{Offset, WORKSPACE, World};

/// A mark of a page is good for so long.
const OFFSET_AGE: TimeDelta = TimeDelta::minutes(1);

/// A request, taken apart.
pub(super) struct Asked {
    pub(super) method: String,
    /// Without the prefix of the API.
    pub(super) path: String,
    pub(super) query: BTreeMap<String, String>,
    pub(super) body: Value,
}

impl World {
    /// The tasks of a project, in no order that says anything; subtasks are not in it.
    pub(super) fn tasks_of(&self, asked: &Asked) -> Result<Vec<Value>, Refusal> {
        let Some(project) = asked.query.get("project") else {
            return Err(refuse(
                400,
                "You should specify one of: project, tag, section",
            ));
        };
        self.project(project)?;
        let since = instant(asked, "modified_since")?;
        let tasks = self.tasks.values().filter(|it| {
            let here = it.places.iter().any(|place| place.0 == *project);
            here && !it.deleted && it.hidden.is_none()
        });
        let tasks = tasks.filter(|it| {
            let at = it.facts["modified_at"].as_str().unwrap();
            let at: DateTime<Utc> = at.parse().unwrap();
            since.is_none_or(|since| at >= since)
        });
        Ok(tasks.map(|it| self.shown(it)).collect())
    }

    pub(super) fn entries_of(&self, asked: &Asked) -> Result<Vec<Value>, Refusal> {
        if asked.query.get("workspace").map(String::as_str) != Some(WORKSPACE) {
            return Err(refuse(400, "workspace: Missing input"));
        }
        let from = day(asked, "entered_on_start_date")?;
        let until = day(asked, "entered_on_end_date")?;
        if from.is_none() && until.is_none() {
            return Err(refuse(400, "entered_on_start_date: Missing input"));
        }
        let entries = self.entries.values().filter(|entry| {
            let on: NaiveDate = entry["entered_on"].as_str().unwrap().parse().unwrap();
            from.is_none_or(|from| on >= from) && until.is_none_or(|until| on <= until)
        });
        Ok(entries.cloned().collect())
    }

    /// One page. What is on later pages was decided when the first was made.
    pub(super) fn page(&mut self, asked: &Asked, all: Vec<Value>, now: DateTime<Utc>) -> Answer {
        let limit = number(asked, "limit")?;
        let Some(limit) = limit.filter(|limit| (1..=100).contains(limit)) else {
            return Err(refuse(400, "limit: Must be between 1 and 100"));
        };
        let mut rest = match asked.query.get("offset") {
            None => all,
            Some(offset) => {
                let known = self.offsets.remove(offset);
                let known = known.filter(|it| it.path == asked.path && now - it.at <= OFFSET_AGE);
                if self.forgets > 0 {
                    self.forgets -= 1;
                    return Err(expired());
                }
                known.ok_or_else(expired)?.rest
            }
        };
        let later = rest.split_off(rest.len().min(limit));
        let next = if later.is_empty() {
            Value::Null
        } else {
            self.made += 1;
            let offset = format!("eyJ0eXAiOiJKV1Qi{:06}", self.made);
            let path = asked.path.clone();
            let mark = Offset {
                rest: later,
                path: path.clone(),
                at: now,
            };
            self.offsets.insert(offset.clone(), mark);
            let path = format!("{path}?limit={limit}&offset={offset}");
            let uri = format!("https://app.asana.com/api/1.0{path}");
            json!({"offset": offset, "path": path, "uri": uri})
        };
        let data: Vec<Value> = rest.iter().map(|it| asked.chosen(it)).collect();
        Ok(json!({"data": data, "next_page": next}))
    }
}

fn expired() -> Refusal {
    refuse(400, "offset: Your pagination token has expired.")
}

pub(super) fn number(asked: &Asked, key: &str) -> Result<Option<usize>, Refusal> {
    let given = asked.query.get(key).map(|it| it.parse());
    given
        .transpose()
        .map_err(|_| refuse(400, &format!("{key}: Not a number")))
}

fn instant(asked: &Asked, key: &str) -> Result<Option<DateTime<Utc>>, Refusal> {
    let given = asked.query.get(key).map(|it| it.parse());
    given
        .transpose()
        .map_err(|_| refuse(400, &format!("{key}: Not a valid date")))
}

fn day(asked: &Asked, key: &str) -> Result<Option<NaiveDate>, Refusal> {
    let given = asked.query.get(key).map(|it| it.parse());
    given
        .transpose()
        .map_err(|_| refuse(400, &format!("{key}: Not a valid date")))
}
