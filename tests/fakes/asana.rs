//! An Asana with projects that tests change like people do, and limits that it enforces.
//!
//! Written from the vendor's description: a thing shows only the fields that were asked for,
//! lists come in pages of at most a hundred whose marks expire, subtasks are in no list but their
//! parent's, and the instant of modification moves with what is described to move it and with
//! nothing else. Events are kept for a day and handed out once.

mod answers;
mod lists;

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::sync::{Arc, Mutex, MutexGuard};

use axum::Router;
use chrono::{DateTime, SecondsFormat, Utc};
use serde_json::{Value, json};
use stundenbuch_connectors::clock::{Clock as _, ManualClock};

#[allow(
    unused_imports,
    reason = "each test file uses its own part of the fakes"
)]
pub use self::answers::Exchange;

pub const TOKEN: &str = "2/1200000000000001/1209999999999999:0f1e2d3c4b5a69788796a5b4c3d2e1f0";
pub const ME: &str = "1200000000000001";
pub const OTHER: &str = "1200000000000002";
pub const WORKSPACE: &str = "1200000000000010";

/// The service; clones are the same service.
#[derive(Clone, Debug)]
pub struct Asana {
    clock: ManualClock,
    world: Arc<Mutex<World>>,
}

/// What the plan has of time tracking.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Plan {
    #[default]
    Full,
    /// Without the add-on "Timesheets and Budgets".
    Lean,
    None,
}

#[derive(Debug, Default)]
struct World {
    made: u64,
    plan: Plan,
    users: BTreeMap<String, Value>,
    projects: BTreeMap<String, Project>,
    /// The name of a section, and its project.
    sections: BTreeMap<String, (String, String)>,
    tasks: BTreeMap<String, Task>,
    stories: BTreeMap<String, Story>,
    entries: BTreeMap<String, Value>,
    fields: BTreeMap<String, Value>,
    events: Vec<Event>,
    /// Which event comes next, when the token was given, and for which project.
    syncs: BTreeMap<String, (usize, DateTime<Utc>, String)>,
    offsets: BTreeMap<String, Offset>,
    /// So many marks of pages are forgotten before they are used.
    forgets: u32,
    loses_events: bool,
    revoked: bool,
    /// The instants of the last requests.
    requests: VecDeque<DateTime<Utc>>,
    refused: u32,
    journal: Vec<Exchange>,
}

#[derive(Debug, Default)]
struct Project {
    name: String,
    archived: bool,
    /// The status with which it is refused.
    hidden: Option<u16>,
    fields: Vec<String>,
}

#[derive(Debug)]
struct Task {
    facts: Value,
    parent: Option<String>,
    /// Project and section, in the order of being added.
    places: Vec<(String, Option<String>)>,
    deleted: bool,
    hidden: Option<u16>,
    /// Custom fields that have a value.
    values: BTreeMap<String, Value>,
}

#[derive(Debug)]
struct Story {
    task: String,
    facts: Value,
    deleted: bool,
}

#[derive(Debug)]
struct Event {
    at: DateTime<Utc>,
    projects: BTreeSet<String>,
    facts: Value,
}

/// The rest of a list, behind its mark.
#[derive(Debug)]
struct Offset {
    rest: Vec<Value>,
    path: String,
    at: DateTime<Utc>,
}

impl Asana {
    /// A workspace with two people and no projects.
    pub fn new(clock: ManualClock) -> Self {
        let asana = Self {
            clock,
            world: Arc::default(),
        };
        asana.add_user(ME, "Ada Beispiel", "ada@example.org");
        asana.add_user(OTHER, "Ben Muster", "ben@example.org");
        asana
    }

    /// The API under `/api/1.0`, as at the vendor.
    pub fn router(&self) -> Router {
        Router::new()
            .fallback(answers::answer)
            .with_state(self.clone())
    }

    fn add_user(&self, gid: &str, name: &str, email: &str) {
        let user = json!({"gid": gid, "resource_type": "user", "name": name, "email": email,
            "workspaces": [workspace()]});
        self.world().users.insert(gid.to_owned(), user);
    }

    /// How many requests were refused with 429.
    pub fn refused(&self) -> u32 {
        self.world().refused
    }

    /// Every request so far with its answer.
    pub fn journal(&self) -> Vec<Exchange> {
        self.world().journal.clone()
    }

    pub fn revoke(&self, revoked: bool) {
        self.world().revoked = revoked;
    }

    pub fn set_plan(&self, plan: Plan) {
        self.world().plan = plan;
    }

    /// The next marks of pages are unknown when they are used.
    pub fn forget_offsets(&self, count: u32) {
        self.world().forgets = count;
    }

    /// Events are handed out at most once: from now on, not even that.
    pub fn lose_events(&self) {
        self.world().loses_events = true;
    }

    pub fn add_project(&self, name: &str) -> String {
        let gid = self.make_gid();
        let project = Project {
            name: name.to_owned(),
            ..Project::default()
        };
        self.world().projects.insert(gid.clone(), project);
        gid
    }

    pub fn archive_project(&self, project: &str, archived: bool) {
        self.on_project(project, |it| it.archived = archived);
    }

    pub fn rename_project(&self, project: &str, name: &str) {
        self.on_project(project, |it| name.clone_into(&mut it.name));
    }

    /// Answers with this status for the project and everything asked by it; `None` shows it.
    pub fn hide_project(&self, project: &str, status: Option<u16>) {
        self.on_project(project, |it| it.hidden = status);
    }

    pub fn add_section(&self, project: &str, name: &str) -> String {
        let gid = self.make_gid();
        let section = (name.to_owned(), project.to_owned());
        self.world().sections.insert(gid.clone(), section);
        gid
    }

    /// A custom field on all projects; `kind` is its `resource_subtype`.
    pub fn add_field(&self, name: &str, kind: &str, precision: Option<u64>) -> String {
        let gid = self.make_gid();
        let mut field = json!({"gid": gid, "resource_type": "custom_field", "name": name,
            "resource_subtype": kind, "type": kind, "enabled": true,
            "is_value_read_only": false});
        if let Some(precision) = precision {
            field["precision"] = json!(precision);
        }
        let mut world = self.world();
        world.fields.insert(gid.clone(), field);
        for project in world.projects.values_mut() {
            project.fields.push(gid.clone());
        }
        gid
    }

    pub fn add_task(&self, project: &str, section: Option<&str>, name: &str) -> String {
        let place = (project.to_owned(), section.map(str::to_owned));
        let gid = self.make_task(name, None, vec![place]);
        self.event(
            &gid,
            "added",
            &json!({"gid": gid, "resource_type": "task"}),
            None,
        );
        gid
    }

    pub fn add_subtask(&self, parent: &str, name: &str) -> String {
        let gid = self.make_task(name, Some(parent.to_owned()), Vec::new());
        // "A task is not considered modified just because a subtask is modified."
        let about = json!({"gid": gid, "resource_type": "task"});
        self.event(&gid, "added", &about, Some(parent));
        gid
    }

    fn make_task(
        &self,
        name: &str,
        parent: Option<String>,
        places: Vec<(String, Option<String>)>,
    ) -> String {
        let (gid, now) = (self.make_gid(), iso(self.clock.now()));
        let facts = json!({
            "gid": gid, "resource_type": "task", "resource_subtype": "default_task", "name": name,
            "notes": "", "completed": false, "completed_at": null, "created_at": now,
            "modified_at": now, "due_on": null, "due_at": null, "start_on": null,
            "is_rendered_as_separator": false, "assignee": null, "tags": [],
            "actual_time_minutes": null, "liked": false, "num_likes": 0, "followers": [],
            "workspace": workspace(),
            "permalink_url": format!("https://app.asana.com/1/{WORKSPACE}/task/{gid}"),
        });
        let task = Task {
            facts,
            parent,
            places,
            deleted: false,
            hidden: None,
            values: BTreeMap::new(),
        };
        self.world().tasks.insert(gid.clone(), task);
        gid
    }

    /// Changes a field of a task as described to count as a modification.
    pub fn set(&self, task: &str, field: &str, value: Value) {
        self.on_task(task, |it| it.facts[field] = value);
        self.touch(task);
        let about = json!({"gid": task, "resource_type": "task"});
        self.event(task, "changed", &about, None);
    }

    pub fn rename(&self, task: &str, name: &str) {
        self.set(task, "name", json!(name));
    }

    /// Changes a field of a task without any trace.
    pub fn set_silently(&self, task: &str, field: &str, value: Value) {
        self.on_task(task, |it| it.facts[field] = value);
    }

    pub fn assign(&self, task: &str, user: &str) {
        let person = self.compact_user(user);
        self.set(task, "assignee", person);
    }

    pub fn complete(&self, task: &str) {
        self.set_silently(task, "completed_at", json!(iso(self.clock.now())));
        self.set(task, "completed", json!(true));
        self.tell(
            task,
            "marked_complete",
            "marked this task complete",
            json!({}),
        );
    }

    pub fn set_value(&self, task: &str, field: &str, value: Value) {
        self.on_task(task, |it| drop(it.values.insert(field.to_owned(), value)));
        self.touch(task);
    }

    /// The value of a custom field; `null` where it has none.
    pub fn value(&self, task: &str, field: &str) -> Value {
        self.on_task(task, |it| {
            it.values.get(field).cloned().unwrap_or(Value::Null)
        })
    }

    /// Moves within the project: no change of the instant of modification is described.
    pub fn move_to(&self, task: &str, section: &str) {
        let (name, project) = self.world().sections[section].clone();
        self.on_task(task, |it| {
            let place = it.places.iter_mut().find(|it| it.0 == project).unwrap();
            place.1 = Some(section.to_owned());
        });
        let new = json!({"gid": section, "resource_type": "section", "name": name});
        let more = json!({"new_section": new});
        self.tell_silently(task, "section_changed", "moved this task", more);
    }

    /// Adds to another project; that this counts as a modification is described both ways.
    pub fn add_to(&self, task: &str, project: &str) {
        let place = (project.to_owned(), None);
        self.on_task(task, |it| it.places.push(place));
        let about = json!({"gid": task, "resource_type": "task"});
        self.event(task, "added", &about, None);
    }

    pub fn remove_from(&self, task: &str, project: &str) {
        let about = json!({"gid": task, "resource_type": "task"});
        self.event(task, "removed", &about, None);
        self.on_task(task, |it| it.places.retain(|place| place.0 != project));
    }

    /// Moves to the trash, with its subtasks: for everybody else they are not there.
    pub fn delete(&self, task: &str) {
        let about = json!({"gid": task, "resource_type": "task"});
        self.event(task, "deleted", &about, None);
        self.on_task(task, |it| it.deleted = true);
        let children: Vec<String> = {
            let world = self.world();
            let below = world
                .tasks
                .iter()
                .filter(|(_, it)| it.parent.as_deref() == Some(task) && !it.deleted);
            below.map(|(gid, _)| gid.clone()).collect()
        };
        for child in children {
            self.delete(&child);
        }
    }

    /// Answers with this status for the task; it is in no list then.
    pub fn hide(&self, task: &str, status: Option<u16>) {
        self.on_task(task, |it| it.hidden = status);
    }

    /// Comments as the owner of the token, and gives the story's gid.
    pub fn comment(&self, task: &str, text: &str) -> String {
        self.comment_as(ME, task, text)
    }

    pub fn comment_as(&self, user: &str, task: &str, text: &str) -> String {
        let more = json!({"created_by": self.compact_user(user), "type": "comment"});
        self.tell(task, "comment_added", text, more)
    }

    /// An edit of a comment is not among what counts as modifying the task.
    pub fn edit_comment(&self, story: &str, text: &str) {
        let task = {
            let mut world = self.world();
            let story = world.stories.get_mut(story).expect("a story of the fake");
            story.facts["text"] = json!(text);
            story.facts["is_edited"] = json!(true);
            story.task.clone()
        };
        let about = json!({"gid": story, "resource_type": "story"});
        self.event(&task, "changed", &about, Some(&task));
    }

    pub fn delete_comment(&self, story: &str) {
        let task = {
            let mut world = self.world();
            let story = world.stories.get_mut(story).expect("a story of the fake");
            story.deleted = true;
            story.task.clone()
        };
        self.touch(&task);
        let about = json!({"gid": story, "resource_type": "story"});
        self.event(&task, "deleted", &about, Some(&task));
    }

    fn tell(&self, task: &str, subtype: &str, text: &str, more: Value) -> String {
        let gid = self.tell_silently(task, subtype, text, more);
        self.touch(task);
        let about = json!({"gid": gid, "resource_type": "story"});
        self.event(task, "added", &about, Some(task));
        gid
    }

    fn tell_silently(&self, task: &str, subtype: &str, text: &str, more: Value) -> String {
        let gid = self.make_gid();
        let mut facts = json!({"gid": gid, "resource_type": "story", "type": "system",
            "resource_subtype": subtype, "text": text, "created_at": iso(self.clock.now()),
            "created_by": self.compact_user(ME), "is_edited": false});
        for (key, value) in more.as_object().unwrap() {
            facts[key] = value.clone();
        }
        let story = Story {
            task: task.to_owned(),
            facts,
            deleted: false,
        };
        self.world().stories.insert(gid.clone(), story);
        gid
    }

    /// The stories of a task, the oldest first.
    pub fn stories(&self, task: &str) -> Vec<Value> {
        let world = self.world();
        let stories = world.stories.values();
        let told = stories.filter(|it| it.task == task && !it.deleted);
        told.map(|it| it.facts.clone()).collect()
    }

    /// An entry of the owner of the token; entries do not modify their task.
    pub fn track(&self, task: &str, project: Option<&str>, day: &str, minutes: i64) -> String {
        let gid = self.make_gid();
        let name = self.on_task(task, |it| it.facts["name"].clone());
        let project = project.map(|gid| {
            let name = self.world().projects[gid].name.clone();
            json!({"gid": gid, "resource_type": "project", "name": name})
        });
        let entry = json!({
            "gid": gid, "resource_type": "time_tracking_entry", "duration_minutes": minutes,
            "entered_on": day, "created_at": iso(self.clock.now()), "description": "",
            "created_by": self.compact_user(ME), "categories": [], "attributable_to": project,
            "billable_status": "billable", "approval_status": "DRAFT",
            "task": {"gid": task, "resource_type": "task", "name": name,
                "resource_subtype": "default_task"},
        });
        self.world().entries.insert(gid.clone(), entry);
        gid
    }

    pub fn set_entry(&self, entry: &str, field: &str, value: Value) {
        self.world().entries.get_mut(entry).unwrap()[field] = value;
    }

    pub fn delete_entry(&self, entry: &str) {
        self.world().entries.remove(entry);
    }

    pub fn entries(&self) -> Vec<String> {
        self.world().entries.keys().cloned().collect()
    }

    /// Every task that is there, subtasks included.
    pub fn tasks(&self) -> Vec<String> {
        let world = self.world();
        let there = world.tasks.iter().filter(|(_, it)| !it.deleted);
        there.map(|(gid, _)| gid.clone()).collect()
    }

    /// Every story that is there.
    pub fn all_stories(&self) -> Vec<String> {
        let world = self.world();
        let there = world.stories.iter().filter(|(_, it)| !it.deleted);
        there.map(|(gid, _)| gid.clone()).collect()
    }

    /// Turns back what counts as the last modification, as of a task that lies for long.
    pub fn age(&self, task: &str, at: DateTime<Utc>) {
        self.set_silently(task, "modified_at", json!(iso(at)));
    }

    fn touch(&self, task: &str) {
        let now = iso(self.clock.now());
        self.on_task(task, |it| it.facts["modified_at"] = json!(now));
    }

    /// Notes an event for the projects that the task, or the one that it is a part of, lies in.
    fn event(&self, task: &str, action: &str, resource: &Value, parent: Option<&str>) {
        let now = self.clock.now();
        let mut world = self.world();
        let mut top = task.to_owned();
        while let Some(parent) = world.tasks[&top].parent.clone() {
            top = parent;
        }
        let projects = world.tasks[&top].places.iter().map(|it| it.0.clone());
        let projects = projects.collect();
        let parent = parent.map(|gid| json!({"gid": gid, "resource_type": "task"}));
        let facts = json!({"action": action, "resource": resource, "parent": parent,
            "type": resource["resource_type"], "created_at": iso(now),
            "user": {"gid": ME, "resource_type": "user"}});
        world.events.push(Event {
            at: now,
            projects,
            facts,
        });
    }

    fn compact_user(&self, user: &str) -> Value {
        let name = self.world().users[user]["name"].clone();
        json!({"gid": user, "resource_type": "user", "name": name})
    }

    fn world(&self) -> MutexGuard<'_, World> {
        self.world.lock().unwrap()
    }

    fn on_task<T>(&self, task: &str, change: impl FnOnce(&mut Task) -> T) -> T {
        let mut world = self.world();
        change(world.tasks.get_mut(task).expect("a task of the fake"))
    }

    fn on_project<T>(&self, project: &str, change: impl FnOnce(&mut Project) -> T) -> T {
        let mut world = self.world();
        change(
            world
                .projects
                .get_mut(project)
                .expect("a project of the fake"),
        )
    }

    fn make_gid(&self) -> String {
        let mut world = self.world();
        world.made += 1;
        format!("{}", 1_210_000_000_000_000 + world.made)
    }
}

fn workspace() -> Value {
    json!({"gid": WORKSPACE, "resource_type": "workspace", "name": "Agentur"})
}

fn iso(at: DateTime<Utc>) -> String {
    at.to_rfc3339_opts(SecondsFormat::Millis, true)
}
