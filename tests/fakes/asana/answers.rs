//! What the fake Asana answers, and what it refuses.

use std::collections::BTreeMap;

use axum::body::{Body, to_bytes};
use axum::extract::{Query, Request, State as Shared};
use axum::http::Response;
use chrono::{DateTime, TimeDelta, Utc};
use serde_json::{Map, Value, json};
use stundenbuch_connectors::clock::Clock as _;

use super::lists::Asked;
use super::{Asana, ME, Project, TOKEN, Task, WORKSPACE, World, workspace};

/// A status other than 200, and the whole body.
pub(super) type Refusal = (u16, Value);
pub(super) type Answer = Result<Value, Refusal>;

/// A request, with what was answered.
#[derive(Clone, Debug)]
pub struct Exchange {
    pub method: String,
    pub path: String,
    pub query: BTreeMap<String, String>,
    pub sent: Value,
    pub status: u16,
    pub answer: Value,
}

pub(super) async fn answer(Shared(asana): Shared<Asana>, request: Request) -> Response<Body> {
    let (head, body) = request.into_parts();
    let query = Query::<BTreeMap<String, String>>::try_from_uri(&head.uri);
    let body = to_bytes(body, 1 << 20).await.unwrap_or_default();
    let asked = Asked {
        method: head.method.to_string(),
        path: head.uri.path().trim_start_matches("/api/1.0").to_owned(),
        query: query.map(|it| it.0).unwrap_or_default(),
        body: serde_json::from_slice(&body).unwrap_or(Value::Null),
    };
    let given = head.headers.get("authorization");
    let given = given.and_then(|it| it.to_str().ok()).unwrap_or_default();
    let now = asana.clock.now();
    let outcome = asana.respond(&asked, given, now);
    let (status, value) = match outcome {
        Ok(value) if asked.method == "POST" => (201, value),
        Ok(value) => (200, value),
        Err((status, body)) => (status, body),
    };
    let mut response = Response::builder()
        .status(status)
        .header("content-type", "application/json; charset=UTF-8")
        .header("date", now.format("%a, %d %b %Y %H:%M:%S GMT").to_string());
    if status == 429 {
        response = response.header("retry-after", "30");
    }
    asana.world().journal.push(Exchange {
        method: asked.method,
        path: asked.path,
        query: asked.query,
        sent: asked.body,
        status,
        answer: value.clone(),
    });
    response.body(Body::from(value.to_string())).unwrap()
}

pub(super) fn refuse(status: u16, message: &str) -> Refusal {
    let help = "For more information on API status codes, read the docs on errors";
    (
        status,
        json!({"errors": [{"message": message, "help": help}]}),
    )
}

impl Asana {
    fn respond(&self, asked: &Asked, given: &str, now: DateTime<Utc>) -> Answer {
        self.world().admit(now)?;
        if self.world().revoked || given != format!("Bearer {TOKEN}") {
            return Err(refuse(401, "Not Authorized"));
        }
        let parts: Vec<&str> = asked.path.trim_matches('/').split('/').collect();
        match (asked.method.as_str(), parts.as_slice()) {
            ("GET", _) => self.world().get(asked, &parts, now),
            ("POST", ["tasks", task, "stories"]) => self.post_story(asked, task),
            ("PUT", ["stories", story]) => self.put_story(asked, story),
            ("PUT", ["tasks", task]) => self.put_task(asked, task),
            _ => Err(refuse(404, "No matching route for request")),
        }
    }

    fn post_story(&self, asked: &Asked, task: &str) -> Answer {
        self.world().task(task)?;
        let text = asked.text()?;
        let gid = self.comment(task, &text);
        let story = self.world().stories[&gid].facts.clone();
        Ok(json!({"data": asked.chosen(&story)}))
    }

    fn put_story(&self, asked: &Asked, story: &str) -> Answer {
        let facts = self.world().story(story)?;
        if facts["created_by"]["gid"] != ME || facts["resource_subtype"] != "comment_added" {
            return Err(refuse(403, "You may only edit your own comments"));
        }
        self.edit_comment(story, &asked.text()?);
        let facts = self.world().story(story)?;
        Ok(json!({"data": asked.chosen(&facts)}))
    }

    fn put_task(&self, asked: &Asked, task: &str) -> Answer {
        self.world().task(task)?;
        let Some(values) = asked.body["data"]["custom_fields"].as_object().cloned() else {
            return Err(refuse(400, "custom_fields: Missing input"));
        };
        for (field, value) in values {
            let facts = self.world().fields.get(&field).cloned();
            let facts = facts.ok_or_else(|| refuse(400, "custom_fields: Unknown field"))?;
            let fits = match facts["resource_subtype"].as_str() {
                Some("number") => value.is_number() || value.is_null(),
                _ => value.is_string() || value.is_null(),
            };
            if !fits {
                return Err(refuse(400, "custom_fields: Invalid value"));
            }
            self.set_value(task, &field, value);
        }
        let world = self.world();
        let facts = world.shown(world.task(task)?);
        Ok(json!({"data": asked.chosen(&facts)}))
    }
}

impl World {
    /// 150 requests a minute, no more than 25 of them in ten seconds; the refused ones count.
    fn admit(&mut self, now: DateTime<Utc>) -> Result<(), Refusal> {
        self.requests.push_back(now);
        self.requests.retain(|at| *at > now - TimeDelta::minutes(1));
        let slice = now - TimeDelta::seconds(10);
        let burst = self.requests.iter().filter(|at| **at > slice).count();
        if self.requests.len() > 150 || burst > 25 {
            self.refused += 1;
            return Err(refuse(
                429,
                "You've made too many requests and hit a rate limit.",
            ));
        }
        Ok(())
    }

    fn get(&mut self, asked: &Asked, parts: &[&str], now: DateTime<Utc>) -> Answer {
        let one = |value: Value| Ok(json!({"data": asked.chosen(&value)}));
        match parts {
            ["users", "me"] => one(self.users[ME].clone()),
            ["users"] => {
                in_workspace(asked)?;
                let users = self.users.values().cloned().collect();
                self.page(asked, users, now)
            }
            ["workspaces", WORKSPACE] => one(workspace()),
            ["projects"] => {
                in_workspace(asked)?;
                let seen = self.projects.iter().filter(|(_, it)| it.hidden.is_none());
                let projects = seen.map(|(gid, it)| it.shown(gid)).collect();
                self.page(asked, projects, now)
            }
            ["projects", project] => one(self.project(project)?.shown(project)),
            ["tasks"] => {
                let tasks = self.tasks_of(asked)?;
                self.page(asked, tasks, now)
            }
            ["tasks", task] => {
                let task = self.task(task)?;
                one(self.shown(task))
            }
            ["tasks", task, "subtasks"] => {
                self.task(task)?;
                let below = self.tasks.values().filter(|it| {
                    it.parent.as_deref() == Some(task) && !it.deleted && it.hidden.is_none()
                });
                let below = below.map(|it| self.shown(it)).collect();
                self.page(asked, below, now)
            }
            ["tasks", task, "stories"] => {
                self.task(task)?;
                let told = self.stories.values();
                let told = told.filter(|it| it.task == *task && !it.deleted);
                let told = told.map(|it| it.facts.clone()).collect();
                self.page(asked, told, now)
            }
            ["stories", story] => one(self.story(story)?),
            ["time_tracking_entries"] => {
                self.tracks(asked)?;
                let entries = self.entries_of(asked)?;
                self.page(asked, entries, now)
            }
            ["time_tracking_entries", entry] => {
                self.tracks(asked)?;
                let entry = self.entries.get(*entry);
                one(entry
                    .cloned()
                    .ok_or_else(|| unknown("time_tracking_entry"))?)
            }
            ["events"] => self.feed(asked, now),
            _ => Err(refuse(404, "No matching route for request")),
        }
    }

    pub(super) fn project(&self, gid: &str) -> Result<&Project, Refusal> {
        match self.projects.get(gid) {
            Some(Project {
                hidden: Some(status),
                ..
            }) => Err(refuse(*status, "project: not for you")),
            Some(project) => Ok(project),
            None => Err(unknown("project")),
        }
    }

    fn task(&self, gid: &str) -> Result<&Task, Refusal> {
        match self.tasks.get(gid) {
            Some(task) if task.deleted => Err(unknown("task")),
            Some(Task {
                hidden: Some(status),
                ..
            }) => Err(refuse(*status, "task: not for you")),
            Some(task) => Ok(task),
            None => Err(unknown("task")),
        }
    }

    fn story(&self, gid: &str) -> Answer {
        let story = self.stories.get(gid).filter(|it| !it.deleted);
        let story = story.ok_or_else(|| unknown("story"))?;
        self.task(&story.task)?;
        Ok(story.facts.clone())
    }

    /// 402 for everything where the plan has no time tracking, and for the fields of the add-on
    /// where that is missing.
    fn tracks(&self, asked: &Asked) -> Result<(), Refusal> {
        let fields = asked.query.get("opt_fields").map_or("", String::as_str);
        let add_on = fields.contains("billable_status") || fields.contains("approval_status");
        match self.plan {
            super::Plan::None => Err(refuse(402, "Time tracking is not in your plan")),
            super::Plan::Lean if add_on => Err(refuse(402, "Timesheets are not in your plan")),
            _ => Ok(()),
        }
    }

    /// A task with everything that can be asked of it.
    pub(super) fn shown(&self, task: &Task) -> Value {
        let mut facts = task.facts.clone();
        let gid = facts["gid"].as_str().unwrap().to_owned();
        let children = self
            .tasks
            .values()
            .filter(|it| it.parent.as_deref() == Some(&gid) && !it.deleted && it.hidden.is_none());
        facts["num_subtasks"] = json!(children.count());
        let seen = task.places.iter().filter_map(|(project, section)| {
            let facts = self
                .projects
                .get(project)
                .filter(|it| it.hidden.is_none())?;
            let section = section.as_ref().map(|section| {
                let name = &self.sections[section].0;
                json!({"gid": section, "resource_type": "section", "name": name})
            });
            let project = json!({"gid": project, "resource_type": "project", "name": facts.name});
            Some(json!({"project": project, "section": section}))
        });
        let seen: Vec<Value> = seen.collect();
        facts["projects"] = seen.iter().map(|it| it["project"].clone()).collect();
        facts["memberships"] = json!(seen);
        facts["parent"] = task.parent.as_ref().map_or(Value::Null, |parent| {
            let name = &self.tasks[parent].facts["name"];
            json!({"gid": parent, "resource_type": "task", "name": name,
                "resource_subtype": "default_task"})
        });
        facts["custom_fields"] = self.values(task);
        facts
    }

    /// The custom fields of a task's projects, with their values.
    fn values(&self, task: &Task) -> Value {
        let places = task.places.iter().filter_map(|it| self.projects.get(&it.0));
        let mut fields: Vec<&String> = places.flat_map(|it| &it.fields).collect();
        fields.dedup();
        let shown = fields.into_iter().map(|gid| {
            let mut field = self.fields[gid].clone();
            let value = task.values.get(gid).cloned().unwrap_or(Value::Null);
            field["display_value"] = match &value {
                Value::Null => Value::Null,
                Value::String(text) => json!(text),
                other => json!(other.to_string()),
            };
            match field["resource_subtype"].as_str() {
                Some("number") => field["number_value"] = value,
                _ => field["text_value"] = value,
            }
            field
        });
        shown.collect()
    }

    fn feed(&mut self, asked: &Asked, now: DateTime<Utc>) -> Answer {
        let project = asked.query.get("resource").cloned().unwrap_or_default();
        self.project(&project)?;
        let known = asked.query.get("sync").and_then(|it| self.syncs.get(it));
        let known = known.filter(|(_, at, of)| *of == project && now - *at < TimeDelta::hours(24));
        let known = known.map(|(next, ..)| *next);
        let fresh = |world: &mut Self, next: usize| {
            world.made += 1;
            let sync = format!("de4774f6915eae04714ca93bb2f5{:04}", world.made);
            world
                .syncs
                .insert(sync.clone(), (next, now, project.clone()));
            sync
        };
        let Some(next) = known else {
            let end = self.events.len();
            let message = "Sync token invalid or too old. If you are attempting to keep resources \
                in sync, you must fetch the full dataset for this query now and use the new sync \
                token for the next sync.";
            let sync = fresh(self, end);
            return Err((412, json!({"errors": [{"message": message}], "sync": sync})));
        };
        let mut data = Vec::new();
        let mut at = next;
        while at < self.events.len() && data.len() < 100 {
            let event = &self.events[at];
            if event.projects.contains(&project) && !self.loses_events {
                data.push(event.facts.clone());
            }
            at += 1;
        }
        let more = at < self.events.len();
        let sync = fresh(self, at);
        Ok(json!({"data": data, "sync": sync, "has_more": more}))
    }
}

impl Project {
    fn shown(&self, gid: &str) -> Value {
        json!({"gid": gid, "resource_type": "project", "name": self.name,
            "archived": self.archived, "workspace": workspace(),
            "permalink_url": format!("https://app.asana.com/1/{WORKSPACE}/project/{gid}")})
    }
}

impl Asked {
    /// The text of a comment to write.
    fn text(&self) -> Result<String, Refusal> {
        let text = self.body["data"]["text"].as_str();
        text.map(str::to_owned)
            .ok_or_else(|| refuse(400, "text: Missing input"))
    }

    /// The fields that were asked for, and the gid; without a wish, the compact form.
    pub(super) fn chosen(&self, thing: &Value) -> Value {
        let wish = self.query.get("opt_fields").map_or("", String::as_str);
        let fields: Vec<&str> = wish.split(',').filter(|it| !it.is_empty()).collect();
        if fields.is_empty() {
            return chosen(thing, &["resource_type", "name", "text", "created_at"]);
        }
        chosen(thing, &fields)
    }
}

fn chosen(thing: &Value, fields: &[&str]) -> Value {
    match thing {
        Value::Array(items) => items.iter().map(|item| chosen(item, fields)).collect(),
        Value::Object(all) => {
            let mut kept = Map::new();
            for (key, value) in all {
                let here = |field: &&str| *field == key || key == "gid";
                let below: Vec<&str> = fields
                    .iter()
                    .filter_map(|field| field.strip_prefix(key.as_str())?.strip_prefix('.'))
                    .collect();
                if !below.is_empty() {
                    kept.insert(key.clone(), chosen(value, &below));
                } else if key == "gid" || fields.iter().any(here) {
                    kept.insert(key.clone(), value.clone());
                }
            }
            Value::Object(kept)
        }
        other => other.clone(),
    }
}

fn in_workspace(asked: &Asked) -> Result<(), Refusal> {
    match asked.query.get("workspace").map(String::as_str) {
        Some(WORKSPACE) => Ok(()),
        _ => Err(refuse(404, "workspace: Unknown object")),
    }
}

pub(super) fn unknown(kind: &str) -> Refusal {
    refuse(404, &format!("{kind}: Unknown object"))
}
