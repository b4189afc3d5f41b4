//! The conformance suite over the fake Asana.

use std::sync::Mutex;

use stundenbuch_connectors::suite::Subject;

use super::*;

/// A world of which one stream is tested: tasks, comments on one task, or time entries.
struct World {
    bench: Bench,
    stream: Stream,
    project: String,
    task: Option<String>,
    edits: Mutex<u32>,
}

/// The name by which the settings choose the project.
const NAME: &str = "Kunde Nord";

impl World {
    async fn start(stream: Stream) -> Self {
        let bench = Bench::start().await;
        let project = bench.asana.add_project(NAME);
        bench.asana.add_project("Not read");
        let task = (stream != Stream::Tasks).then(|| bench.asana.add_task(&project, None, "Seite"));
        Self {
            bench,
            stream,
            project,
            task,
            edits: Mutex::default(),
        }
    }

    fn tick(&self) {
        self.bench.clock.advance(Duration::from_mins(1));
    }

    fn more(&self) -> Vec<(&'static str, Value)> {
        let mut more = vec![("projects", texts(&[NAME]))];
        match self.stream {
            // Edited comments show in events, or a week later.
            Stream::Activity => more.push(("events", Value::Flag(true))),
            Stream::Time => more.push(("time", Value::Flag(true))),
            _ => {}
        }
        more
    }

    fn add_one(&self, number: usize) -> ExternalId {
        let asana = &self.bench.asana;
        ExternalId::new(match (&self.task, self.stream) {
            (None, _) => asana.add_task(&self.project, None, &format!("Aufgabe {number}")),
            (Some(task), Stream::Time) => asana.track(task, Some(&self.project), "2026-11-12", 15),
            (Some(task), _) => asana.comment(task, &format!("Nummer {number}")),
        })
    }
}

impl Subject for World {
    fn stream(&self) -> Stream {
        self.stream
    }

    fn connector(&self) -> Box<dyn Connector> {
        // A restart some time later: what was read before is not within the overlap any more.
        self.bench.clock.advance(Duration::from_mins(10));
        let entry = stundenbuch_connectors::find("asana").unwrap();
        let platform = Platform {
            budgets: Arc::new(MemoryBudgets::default()),
            ..self.bench.platform()
        };
        let settings = self.bench.settings(&self.more());
        (entry.build)("asana-test", &settings, &platform).unwrap()
    }

    fn add(&self, count: usize) -> Vec<ExternalId> {
        self.tick();
        let added: Vec<_> = (0..count).map(|number| self.add_one(number)).collect();
        if self.task.is_none() && count >= self.many() {
            // Many tasks lie there for long; asking for the stories of all would take long, too.
            for id in &added {
                self.bench
                    .asana
                    .age(id.as_str(), at("2026-05-01T09:00:00Z"));
            }
        }
        added
    }

    fn add_titled(&self, text: &str) -> Option<ExternalId> {
        self.tick();
        let asana = &self.bench.asana;
        let gid = match (&self.task, self.stream) {
            (None, _) => asana.add_task(&self.project, None, text),
            (Some(task), Stream::Time) => {
                let gid = asana.track(task, Some(&self.project), "2026-11-12", 15);
                asana.set_entry(&gid, "description", json!(text));
                gid
            }
            (Some(task), _) => asana.comment(task, text),
        };
        Some(ExternalId::new(gid))
    }

    fn edit(&self, id: &ExternalId) {
        self.tick();
        let mut edits = self.edits.lock().unwrap();
        *edits += 1;
        let (asana, gid) = (&self.bench.asana, id.as_str());
        match self.stream {
            Stream::Time => asana.set_entry(gid, "duration_minutes", json!(15 + *edits)),
            Stream::Activity => asana.edit_comment(gid, &format!("Neu {edits}")),
            _ => asana.rename(gid, &format!("Neu {edits}")),
        }
    }

    fn delete(&self, id: &ExternalId) {
        self.tick();
        let (asana, gid) = (&self.bench.asana, id.as_str());
        match self.stream {
            Stream::Time => asana.delete_entry(gid),
            Stream::Activity => asana.delete_comment(gid),
            _ => asana.delete(gid),
        }
    }

    fn truth(&self) -> BTreeSet<ExternalId> {
        let asana = &self.bench.asana;
        let gids = match self.stream {
            Stream::Time => asana.entries(),
            Stream::Activity => asana.all_stories(),
            _ => asana.tasks(),
        };
        gids.into_iter().map(ExternalId::new).collect()
    }

    fn break_with(&self, trouble: Trouble, skip: u32) -> bool {
        self.bench.break_with(trouble, skip);
        true
    }

    fn heal(&self) {
        self.bench.heal();
    }

    fn canary(&self) -> Option<String> {
        Some(TOKEN.to_owned())
    }

    fn quiet_requests(&self) -> u64 {
        match self.stream {
            // The project; and its events, or a page of entries.
            Stream::Activity => 2,
            // 120 entries are two pages.
            Stream::Time => 3,
            _ => 1,
        }
    }

    fn many(&self) -> usize {
        120
    }

    fn requests_seen(&self) -> Option<u64> {
        Some(self.bench.sent())
    }
}

#[tokio::test]
async fn tasks_conform() {
    suite::all(|| World::start(Stream::Tasks)).await;
}

#[tokio::test]
async fn stories_conform() {
    suite::all(|| World::start(Stream::Activity)).await;
}

#[tokio::test]
async fn time_entries_conform() {
    suite::all(|| World::start(Stream::Time)).await;
}

#[tokio::test]
async fn settings_are_declared() {
    let bench = Bench::start().await;
    let entry = stundenbuch_connectors::find("asana").unwrap();
    let more = [
        ("client_id", Value::Text("1200000000000099".to_owned())),
        ("client_secret", Value::Secret(Secret::new("s"))),
        ("scopes", texts(&["default"])),
        (
            "redirect_url",
            Value::Url("http://127.0.0.1:1/c".to_owned()),
        ),
        ("login_url", Value::Url("http://127.0.0.1:1/-".to_owned())),
        ("workspaces", texts(&["Agentur"])),
        ("projects", texts(&[NAME])),
        ("time", Value::Flag(true)),
        ("events", Value::Flag(true)),
        ("history_from", Value::Date("2026-08-01".parse().unwrap())),
    ];
    suite::settings_are_declared(entry, &bench.settings(&more), &bench.platform());
}
