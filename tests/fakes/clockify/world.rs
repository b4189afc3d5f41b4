//! What the fake Clockify holds.

use std::collections::{BTreeMap, BTreeSet};

use chrono::{DateTime, TimeDelta, Utc};
use serde_json::{Value, json};

pub const KEY: &str = "Y2FuYXJ5LWtleS1vZi10aGUtZmFrZS1jbG9ja2lmeQ";
pub const ME: &str = "64c777ddd3fcab07cf00000b";
pub const OTHER: &str = "64c777ddd3fcab07cf00000c";
pub const STUDIO: &str = "64c777ddd3fcab07cf00000a";
pub const PROJECT: &str = "64c777ddd3fcab07cf0000c1";

/// Everything at the service.
#[derive(Debug)]
pub struct World {
    /// By id.
    pub workspaces: BTreeMap<String, String>,
    /// Workspaces that the owner of the key has left.
    pub left: BTreeSet<String>,
    /// Name and whether it is archived, by id.
    pub projects: BTreeMap<String, (String, bool)>,
    pub entries: BTreeMap<String, Entry>,
    /// Whether the owner of the key may see other people's entries.
    pub admin: bool,
    /// How far the account's zone is ahead of UTC.
    pub zone_hours: i64,
    /// Whether `end` bounds when entries end, and not when they start.
    pub end_is_about_ends: bool,
    pub page_max: usize,
    /// Whether answers carry `Last-Page`.
    pub says_last: bool,
    /// Requests in an hour; `None` on a paid plan.
    pub quota: Option<u32>,
    pub refused: u32,
    window: Option<(DateTime<Utc>, u32)>,
    next: u64,
}

/// A time entry.
#[derive(Clone, Debug)]
pub struct Entry {
    pub workspace: String,
    pub user: String,
    pub start: DateTime<Utc>,
    pub end: Option<DateTime<Utc>>,
    pub description: String,
    pub project: Option<String>,
    pub tags: Vec<String>,
    pub billable: bool,
    pub kind: &'static str,
}

impl Entry {
    /// An own entry of so many minutes.
    pub fn of(start: DateTime<Utc>, minutes: i64) -> Self {
        Self {
            workspace: STUDIO.to_owned(),
            user: ME.to_owned(),
            start,
            end: Some(start + TimeDelta::minutes(minutes)),
            description: "Entwürfe für Frühjahr – 🥐".to_owned(),
            project: Some(PROJECT.to_owned()),
            tags: vec!["vor Ort".to_owned(), "Abstimmung".to_owned()],
            billable: true,
            kind: "REGULAR",
        }
    }

    pub fn running(start: DateTime<Utc>) -> Self {
        Self {
            end: None,
            ..Self::of(start, 0)
        }
    }
}

impl World {
    pub(super) fn new() -> Self {
        let project = |name: &str, archived| (name.to_owned(), archived);
        Self {
            workspaces: [(STUDIO.to_owned(), "Studio Lindgrün".to_owned())].into(),
            left: BTreeSet::new(),
            projects: [
                (PROJECT.to_owned(), project("Relaunch", false)),
                (
                    "64c777ddd3fcab07cf0000c2".to_owned(),
                    project("Altes", true),
                ),
            ]
            .into(),
            entries: BTreeMap::new(),
            admin: true,
            zone_hours: 2,
            end_is_about_ends: false,
            page_max: 5_000,
            says_last: true,
            quota: Some(30),
            refused: 0,
            window: None,
            next: 1,
        }
    }

    /// Counts a request; the hour begins with its first.
    pub(super) fn admit(&mut self, now: DateTime<Utc>) -> bool {
        let Some(quota) = self.quota else {
            return true;
        };
        let window = self
            .window
            .filter(|(start, _)| now - *start < TimeDelta::hours(1));
        let (start, used) = window.unwrap_or((now, 0));
        self.window = Some((start, used + 1));
        self.refused += u32::from(used >= quota);
        used < quota
    }

    pub(super) fn is_member(&self, workspace: &str) -> bool {
        self.workspaces.contains_key(workspace) && !self.left.contains(workspace)
    }

    pub fn add(&mut self, entry: Entry) -> String {
        let id = format!("64d{:021x}", self.next);
        self.next += 1;
        self.entries.insert(id.clone(), entry);
        id
    }

    pub fn edit(&mut self, id: &str, change: impl FnOnce(&mut Entry)) {
        change(self.entries.get_mut(id).expect("an entry of this world"));
    }

    /// The seconds of everything that does not run.
    pub fn worked_seconds(&self) -> i64 {
        let spans = self.entries.values();
        let spans = spans.filter_map(|it| Some((it.end? - it.start).num_seconds()));
        spans.sum()
    }

    pub(super) fn workspaces(&self) -> Value {
        let there = self.workspaces.iter().filter(|(id, _)| self.is_member(id));
        let rows = there.map(|(id, name)| {
            json!({"id": id, "name": name, "featureSubscriptionType": null, "memberships": []})
        });
        rows.collect()
    }

    pub(super) fn projects(&self, workspace: &str) -> Vec<Value> {
        let rows = self.projects.keys();
        rows.map(|id| {
            let mut row = self.project(id);
            row["workspaceId"] = json!(workspace);
            row
        })
        .collect()
    }

    fn project(&self, id: &str) -> Value {
        let (name, archived) = &self.projects[id];
        json!({
            "id": id, "name": name, "archived": archived, "billable": true, "color": "#d92b2b",
            "clientId": "64c777ddd3fcab07cf0000e1", "clientName": "Bäckerei Ahorn",
        })
    }

    pub(super) fn row(&self, id: &str, entry: &Entry, hydrated: bool) -> Value {
        let tags = entry.tags.iter();
        let tags = tags.map(|tag| json!({"id": format!("tag-{tag}"), "name": tag}));
        let tags: Vec<Value> = tags.collect();
        let ids = tags.iter().map(|tag| tag["id"].clone());
        let mut row = json!({
            "id": id, "description": entry.description, "userId": entry.user,
            "workspaceId": entry.workspace, "billable": entry.billable, "type": entry.kind,
            "projectId": entry.project, "taskId": null, "tagIds": ids.collect::<Vec<_>>(),
            "timeInterval": {"start": entry.start, "end": entry.end, "duration": null},
            "isLocked": false, "customFieldValues": [],
        });
        if hydrated {
            row["project"] = entry
                .project
                .as_deref()
                .map_or(Value::Null, |id| self.project(id));
            row["task"] = Value::Null;
            row["tags"] = json!(tags);
        }
        row
    }
}

/// A person, as the service shows one.
pub(super) fn user(id: &str) -> Value {
    let (name, email) = match id {
        ME => ("Mara Lindgrün", "mara@lindgruen.example"),
        _ => ("Timo Aster", "timo@lindgruen.example"),
    };
    json!({
        "id": id, "name": name, "email": email, "status": "ACTIVE",
        "activeWorkspace": STUDIO, "defaultWorkspace": STUDIO, "memberships": [],
        "profilePicture": "https://images.example/0.png",
        "settings": {"timeZone": "Europe/Berlin", "weekStart": "MONDAY"},
    })
}
