//! The conformance suite over the fake ActiveCollab.

use std::sync::Mutex;

use stundenbuch_connectors::suite::{self, Subject, Trouble};

use super::*;
use crate::fakes::Fault;

/// An instance with three projects, of which one stream is tested.
struct World {
    bench: Bench,
    stream: Stream,
    projects: [i64; 3],
    /// In which project each thing lies.
    lies_in: Mutex<BTreeMap<i64, i64>>,
    edits: Mutex<u32>,
}

impl World {
    async fn start(stream: Stream) -> Self {
        let bench = Bench::start().await;
        let projects = ["Eins", "Zwei", "Drei"].map(|name| bench.fake.add_project(name));
        Self {
            bench,
            stream,
            projects,
            lies_in: Mutex::default(),
            edits: Mutex::default(),
        }
    }

    fn tick(&self) {
        self.bench.fake.clock.advance(Duration::from_mins(1));
    }

    fn text_field(&self) -> &'static str {
        match self.stream {
            Stream::Tasks => "name",
            _ => "summary",
        }
    }

    fn add_one(&self, number: usize) -> i64 {
        let (fake, project) = (&self.bench.fake, self.projects[number % 3]);
        let day = self.bench.day(i64::try_from(number % 30).unwrap());
        let id = match self.stream {
            Stream::Tasks => fake.add_task(project, &format!("Aufgabe {number}")),
            Stream::Expenses => fake.add_expense(project, day, json!(12.5)),
            _ => fake.add_time(project, None, day, json!(1.25)),
        };
        self.lies_in.lock().unwrap().insert(id, project);
        id
    }

    fn place(&self, id: &ExternalId) -> (i64, i64) {
        let id = id.as_str().parse().unwrap();
        (self.lies_in.lock().unwrap()[&id], id)
    }
}

fn external(id: i64) -> ExternalId {
    ExternalId::new(id.to_string())
}

impl Subject for World {
    fn stream(&self) -> Stream {
        self.stream
    }

    fn connector(&self) -> Box<dyn Connector> {
        self.bench.connector()
    }

    fn add(&self, count: usize) -> Vec<ExternalId> {
        self.tick();
        (0..count).map(|it| external(self.add_one(it))).collect()
    }

    fn add_titled(&self, text: &str) -> Option<ExternalId> {
        self.tick();
        let id = self.add_one(0);
        let (fake, field) = (&self.bench.fake, self.text_field());
        fake.change(self.projects[0], id, field, json!(text));
        Some(external(id))
    }

    fn edit(&self, id: &ExternalId) {
        self.tick();
        let mut edits = self.edits.lock().unwrap();
        *edits += 1;
        let (project, id) = self.place(id);
        let text = json!(format!("Neu {edits}"));
        self.bench.fake.change(project, id, self.text_field(), text);
    }

    fn delete(&self, id: &ExternalId) {
        self.tick();
        let (project, id) = self.place(id);
        self.bench.fake.trash(project, id);
    }

    fn truth(&self) -> BTreeSet<ExternalId> {
        self.bench.fake.with(|world| {
            let lists = world.projects.values().map(|project| match self.stream {
                Stream::Tasks => &project.tasks,
                Stream::Expenses => &project.expenses,
                _ => &project.time,
            });
            let there = lists.flatten().filter(|it| it.1["is_trashed"] != true);
            there.map(|(id, _)| external(*id)).collect()
        })
    }

    fn break_with(&self, trouble: Trouble, skip: u32) -> bool {
        if trouble == Trouble::Stalled {
            let clock = &self.bench.fake.clock;
            clock.lose_patience_after(Duration::from_millis(20));
        }
        let (path, times, kind) = ("/", u32::MAX, FaultKind::of(trouble));
        self.bench
            .server
            .fail_after(skip, Fault { path, times, kind });
        true
    }

    fn heal(&self) {
        self.bench.fake.clock.lose_patience_after(Duration::MAX);
        self.bench.server.heal();
    }

    fn canary(&self) -> Option<String> {
        Some(TOKEN.to_owned())
    }

    /// Users, companies, job types, categories and projects, and three for each project.
    fn quiet_requests(&self) -> u64 {
        5 + 3 * 3
    }

    fn requests_seen(&self) -> Option<u64> {
        Some(self.bench.sent() as u64)
    }
}

#[tokio::test]
async fn time_conforms() {
    suite::all(|| World::start(Stream::Time)).await;
}

#[tokio::test]
async fn tasks_conform() {
    suite::all(|| World::start(Stream::Tasks)).await;
}

#[tokio::test]
async fn expenses_conform() {
    suite::all(|| World::start(Stream::Expenses)).await;
}

#[tokio::test]
async fn settings_are_declared() {
    let bench = Bench::start().await;
    let entry = find("activecollab").unwrap();
    let more = [
        ("token", secret(TOKEN)),
        ("user", Value::Text(USER.to_owned())),
        ("password", secret(PASSWORD)),
        ("cloud", Value::Flag(false)),
        ("login_url", Value::Url("https://example.org".to_owned())),
        ("projects", Value::Texts(vec!["Eins".to_owned()])),
        ("history_from", Value::Date(bench.day(90))),
        ("currency", Value::Text("CHF".to_owned())),
        ("full_every_days", Value::Count(7)),
    ];
    suite::settings_are_declared(entry, &bench.settings(&more), &bench.platform());
}
