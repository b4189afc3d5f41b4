//! An ActiveCollab with projects that tests change like people do.
//!
//! Written from the vendor's PHP SDK (2025-05), its help centre and the API notes of version 5.
//! Where these leave open how the service behaves, the world has a switch: whether answers say how
//! long a list is, whether lists have pages at all, whether a thing in the trash still answers.

mod api;

use std::collections::{BTreeMap, VecDeque};
use std::sync::{Arc, Mutex, MutexGuard};

use axum::Router;
use chrono::{DateTime, NaiveDate, NaiveTime, Utc};
use serde_json::{Value, json};
use stundenbuch_connectors::clock::{Clock as _, ManualClock};

pub const TOKEN: &str = "1-8f14e45fceea167a5a36dedd4bea2543f1c0ffee";
pub const USER: &str = "ada@example.org";
pub const PASSWORD: &str = "korrekt-pferd-batterie";
/// What the cloud's login gives, to be changed into a token.
pub const INTENT: &str = "intent-5d41402abc4b2a76b9719d911017c592";

/// The service; clones are the same service.
#[derive(Clone, Debug)]
pub struct ActiveCollab {
    pub clock: ManualClock,
    world: Arc<Mutex<World>>,
}

#[derive(Debug)]
#[allow(clippy::struct_excessive_bools, reason = "each is a switch of its own")]
pub struct World {
    pub users: Vec<Value>,
    pub companies: Vec<Value>,
    pub job_types: Vec<Value>,
    pub categories: Vec<Value>,
    pub projects: BTreeMap<i64, Project>,
    /// Elements in a page.
    pub page: usize,
    /// Whether answers tell how long a list is.
    pub announces: bool,
    /// Whether lists have pages; else each answer has all of it.
    pub pages: bool,
    /// Whether lists come as objects with identifiers as keys, as PHP may send them.
    pub keyed: bool,
    /// Whether a thing in the trash answers at its own address.
    pub trash_answers: bool,
    /// Whether there is a list of completed tasks.
    pub has_archive: bool,
    /// Whether answers bring the tasks that time was tracked on.
    pub relates: bool,
    /// Paths that are answered 403.
    pub forbidden: Vec<&'static str>,
    pub version: &'static str,
    /// Whether the account asks for a second factor.
    pub second_factor: bool,
    pub revoked: bool,
    /// Happens once, behind the first answer that does not hold all of its list.
    pub meanwhile: Option<fn(&mut World)>,
    /// Tokens that were issued.
    pub issued: u32,
    made: i64,
    window: VecDeque<DateTime<Utc>>,
    refused: u32,
}

#[derive(Debug, Default)]
pub struct Project {
    pub facts: Value,
    pub archived: bool,
    pub tasks: BTreeMap<i64, Value>,
    pub time: BTreeMap<i64, Value>,
    pub expenses: BTreeMap<i64, Value>,
    /// The token sees nothing of it.
    pub hidden: bool,
}

impl Default for World {
    fn default() -> Self {
        let user = |id: i64, class: &str, first: &str, email: &str| {
            json!({"id": id, "class": class, "first_name": first, "last_name": "Beispiel",
                "display_name": format!("{first} Beispiel"), "email": email, "company_id": 1,
                "avatar_url": "https://example.org/avatar"})
        };
        Self {
            users: vec![
                user(1, "Owner", "Ada", USER),
                user(2, "Member", "Bo", "bo@example.org"),
            ],
            companies: vec![
                json!({"id": 1, "name": "Büro Beispiel"}),
                json!({"id": 2, "name": "Bäckerei Ahorn"}),
            ],
            job_types: vec![json!({"id": 1, "name": "Beratung", "default_hourly_rate": 92.5})],
            categories: vec![json!({"id": 1, "name": "Fahrt"})],
            projects: BTreeMap::new(),
            page: 100,
            announces: true,
            pages: true,
            keyed: false,
            trash_answers: true,
            has_archive: true,
            relates: true,
            forbidden: Vec::new(),
            version: "7.4.600",
            second_factor: false,
            revoked: false,
            meanwhile: None,
            issued: 0,
            made: 100,
            window: VecDeque::new(),
            refused: 0,
        }
    }
}

impl World {
    pub fn project(&mut self, id: i64) -> &mut Project {
        self.projects.get_mut(&id).expect("a project of the fake")
    }

    fn make_id(&mut self) -> i64 {
        self.made += 1;
        self.made
    }
}

impl ActiveCollab {
    pub fn new(clock: ManualClock) -> Self {
        Self {
            clock,
            world: Arc::default(),
        }
    }

    /// The instance under `/api/v1`, and the cloud's login under `/cloud`.
    pub fn router(&self) -> Router {
        Router::new().fallback(api::answer).with_state(self.clone())
    }

    pub fn with<T>(&self, change: impl FnOnce(&mut World) -> T) -> T {
        change(&mut self.world())
    }

    /// How many requests came faster than a small machine bears.
    pub fn refused(&self) -> u32 {
        self.world().refused
    }

    pub fn add_project(&self, name: &str) -> i64 {
        let now = self.clock.now().timestamp();
        self.with(|world| {
            let id = world.make_id();
            let facts = json!({"id": id, "class": "Project", "name": name, "company_id": 2,
                "created_on": now, "updated_on": now, "is_trashed": false,
                "url_path": format!("/projects/{id}")});
            let project = Project {
                facts,
                ..Project::default()
            };
            world.projects.insert(id, project);
            id
        })
    }

    pub fn add_task(&self, project: i64, name: &str) -> i64 {
        let now = self.clock.now().timestamp();
        self.with(|world| {
            let id = world.make_id();
            let task = json!({"id": id, "class": "Task", "name": name, "project_id": project,
                "task_list_id": 5, "task_number": 1, "assignee_id": 2, "is_completed": false,
                "completed_on": null, "created_on": now, "updated_on": now, "due_on": null,
                "body": "", "labels": [{"id": 3, "name": "Abrechenbar"}], "is_trashed": false,
                "url_path": format!("/projects/{project}/tasks/{id}")});
            world.project(project).tasks.insert(id, task);
            id
        })
    }

    /// Completes a task.
    pub fn complete(&self, project: i64, task: i64) {
        let now = self.clock.now().timestamp();
        self.change(project, task, "completed_on", json!(now));
        self.change(project, task, "is_completed", json!(true));
    }

    /// Tracks time; on a task, or on the project itself.
    pub fn add_time(&self, project: i64, task: Option<i64>, day: NaiveDate, hours: Value) -> i64 {
        let mut record = self.record(project, task, day, hours);
        record["class"] = json!("TimeRecord");
        record["job_type_id"] = json!(1);
        let id = record["id"].as_i64().unwrap();
        self.with(|world| world.project(project).time.insert(id, record));
        id
    }

    pub fn add_expense(&self, project: i64, day: NaiveDate, amount: Value) -> i64 {
        let mut record = self.record(project, None, day, amount);
        record["class"] = json!("Expense");
        record["category_id"] = json!(1);
        let id = record["id"].as_i64().unwrap();
        self.with(|world| world.project(project).expenses.insert(id, record));
        id
    }

    fn record(&self, project: i64, task: Option<i64>, day: NaiveDate, value: Value) -> Value {
        let now = self.clock.now().timestamp();
        let (parent, parent_id) = match task {
            Some(task) => ("Task", task),
            None => ("Project", project),
        };
        let id = self.with(World::make_id);
        json!({"id": id, "value": value, "record_date": midnight(day), "summary": "Beratung",
            "user_id": 1, "user_name": "Ada Beispiel", "parent_type": parent,
            "parent_id": parent_id, "billable_status": 1, "created_on": now, "updated_on": now,
            "is_trashed": false})
    }

    /// Changes a field of whatever has this identifier in the project.
    pub fn change(&self, project: i64, id: i64, field: &str, value: Value) {
        let now = self.clock.now().timestamp();
        self.with(|world| {
            let thing = thing(world.project(project), id);
            thing[field] = value;
            thing["updated_on"] = json!(now);
        });
    }

    /// Puts something into the trash.
    pub fn trash(&self, project: i64, id: i64) {
        let now = self.clock.now().timestamp();
        self.change(project, id, "trashed_on", json!(now));
        self.change(project, id, "is_trashed", json!(true));
    }

    /// Deletes for good.
    pub fn purge(&self, project: i64, id: i64) {
        self.with(|world| drop(take(world.project(project), id)));
    }

    /// Moves a task or a record to another project.
    pub fn move_to(&self, from: i64, id: i64, to: i64) {
        self.with(|world| {
            let (kind, mut thing) = take(world.project(from), id).expect("it is there");
            if thing["parent_type"] == "Project" {
                thing["parent_id"] = json!(to);
            }
            list(world.project(to), kind).insert(id, thing);
        });
    }

    fn world(&self) -> MutexGuard<'_, World> {
        self.world.lock().unwrap()
    }
}

/// Midnight UTC, as the service writes days.
pub fn midnight(day: NaiveDate) -> i64 {
    day.and_time(NaiveTime::MIN).and_utc().timestamp()
}

#[derive(Clone, Copy)]
enum Kind {
    Task,
    Time,
    Expense,
}

const KINDS: [Kind; 3] = [Kind::Task, Kind::Time, Kind::Expense];

fn list(project: &mut Project, kind: Kind) -> &mut BTreeMap<i64, Value> {
    match kind {
        Kind::Task => &mut project.tasks,
        Kind::Time => &mut project.time,
        Kind::Expense => &mut project.expenses,
    }
}

fn thing(project: &mut Project, id: i64) -> &mut Value {
    let kind = KINDS
        .into_iter()
        .find(|kind| list(project, *kind).contains_key(&id))
        .expect("it is in the project");
    list(project, kind).get_mut(&id).unwrap()
}

fn take(project: &mut Project, id: i64) -> Option<(Kind, Value)> {
    KINDS
        .into_iter()
        .find_map(|kind| Some((kind, list(project, kind).remove(&id)?)))
}
