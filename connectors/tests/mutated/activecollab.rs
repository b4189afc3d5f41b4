//! ActiveCollab's answers: users, projects, open tasks, time records, expenses, a thing alone.

use serde_json::{Value, json};
use stundenbuch_connectors::clock::ManualClock;
use stundenbuch_connectors::contract::{Absent, Cursor, Page, Presence, Pull};
use stundenbuch_connectors::error::Error;
use stundenbuch_connectors::kind::{Settings, Value as Setting};
use stundenbuch_connectors::record::{ExternalId, Stream};
use stundenbuch_connectors::secret::Secret;
use stundenbuch_connectors::{Connector, find};

use crate::Tally;
use crate::fakes::Server;
use crate::fakes::activecollab::TOKEN;
use crate::judge::Case;
use crate::mutants::{fields, wholes};
use crate::script::{Script, platform};

const NOW: &str = "2026-03-02T08:00:00Z";
const USERS: &str = include_str!("../../activecollab/fixtures/users.json");
const PROJECTS: &str = include_str!("../../activecollab/fixtures/projects.json");
const TASKS: &str = include_str!("../../activecollab/fixtures/tasks.json");
const TIME: &str = include_str!("../../activecollab/fixtures/time_records.json");
const EXPENSES: &str = include_str!("../../activecollab/fixtures/expenses.json");
const NOT_FOUND: &str = r#"{"type":"NotFound","message":"Not found"}"#;

struct Bench {
    script: Script,
    clock: ManualClock,
    connector: Box<dyn Connector>,
    _server: Server,
}

impl Bench {
    async fn start() -> Self {
        let script = Script::default();
        let server = script.serve().await;
        let clock = ManualClock::at(NOW.parse().unwrap());
        let kind = find("activecollab").unwrap().kind;
        let mut settings = Settings::default();
        for (key, value) in [
            ("url", Setting::Url(server.base().to_owned())),
            ("token", Setting::Secret(Secret::new(TOKEN))),
            ("expenses", Setting::Flag(true)),
        ] {
            settings.set(kind.setting(key).unwrap(), value);
        }
        let build = find("activecollab").unwrap().build;
        let connector = build("activecollab", &settings, &platform(&clock)).unwrap();
        for (path, body) in [
            ("users", USERS),
            ("companies", r#"[{"id":31,"name":"Bäckerei Ahorn"}]"#),
            ("job-types", r#"[{"id":81,"name":"Beratung"}]"#),
            ("expense-categories", r#"[{"id":95,"name":"Fahrt"}]"#),
            ("projects", PROJECTS),
            ("projects/archive", "[]"),
            ("projects/21/tasks", TASKS),
            (
                "projects/21/tasks/archive",
                r#"[{"id":43,"name":"Fertig"}]"#,
            ),
            ("projects/21/time-records", TIME),
            ("projects/21/expenses", EXPENSES),
        ] {
            script.put(&at(path), 200, body.as_bytes());
        }
        // Tasks and projects that only a spoiled record names.
        for id in [7, 9_007_199_254_740_993_i64] {
            for path in [
                format!("projects/21/tasks/{id}"),
                format!("projects/{id}/tasks"),
            ] {
                script.put(&at(&path), 404, NOT_FOUND.as_bytes());
            }
        }
        script.put(&at("projects/22/tasks"), 404, NOT_FOUND.as_bytes());
        Self {
            script,
            clock,
            connector,
            _server: server,
        }
    }

    async fn pull(&self) -> Result<Page, Error> {
        self.clock.set(NOW.parse().unwrap());
        self.connector.pull(&Cursor::start(), &Pull::Changes).await
    }

    async fn spoil(&self, path: &str, text: &str, list: (&str, Stream), whole: bool) {
        let case = Case {
            connector: &*self.connector,
            honest: self.pull().await.unwrap(),
            lists: &[list],
            id_at: "/id",
            choosing: &["is_trashed"],
            canaries: &[TOKEN],
            document: serde_json::from_str(text).unwrap(),
        };
        let elements = case.elements();
        let mut tally = Tally::default();
        let text = case.document.to_string();
        let wholes = whole.then(|| wholes(&text)).into_iter().flatten();
        for mutant in fields(&case.document).into_iter().chain(wholes) {
            self.script.put(&at(path), 200, &mutant.bytes);
            let outcome = self.pull().await;
            tally.count(mutant.kind, case.judge(&elements, &mutant, outcome));
        }
        tally.tell(&format!("activecollab {path}"), 400);
        self.script.put(&at(path), 200, text.as_bytes());
    }
}

fn at(path: &str) -> String {
    format!("/api/v1/{path}")
}

#[tokio::test]
async fn users_and_projects() {
    let bench = Bench::start().await;
    bench
        .spoil("users", USERS, ("", Stream::People), true)
        .await;
    let projects = ("", Stream::Projects);
    bench.spoil("projects", PROJECTS, projects, false).await;
}

#[tokio::test]
async fn tasks() {
    let bench = Bench::start().await;
    let list = ("/tasks", Stream::Tasks);
    bench.spoil("projects/21/tasks", TASKS, list, false).await;
}

#[tokio::test]
async fn time_records() {
    let bench = Bench::start().await;
    let list = ("/time_records", Stream::Time);
    bench
        .spoil("projects/21/time-records", TIME, list, false)
        .await;
}

#[tokio::test]
async fn expenses() {
    let bench = Bench::start().await;
    let list = ("/expenses", Stream::Expenses);
    bench
        .spoil("projects/21/expenses", EXPENSES, list, false)
        .await;
}

/// The second look: only a thing that says so lies in the trash, and a project that cannot be
/// read vouches for nothing.
#[tokio::test]
async fn a_thing_at_its_own_address() {
    let bench = Bench::start().await;
    let absent = Absent {
        stream: Stream::Time,
        id: ExternalId::new("71"),
        scope: "21".to_owned(),
    };
    let gone = async |path: &str, status: u16, bytes: &[u8]| {
        bench.script.put(&at(path), status, bytes);
        let answers = bench.connector.confirm(std::slice::from_ref(&absent)).await;
        let gone = |answer: &(_, Presence)| matches!(answer.1, Presence::Gone(_));
        answers.iter().flatten().any(gone)
    };
    let thing = json!({"single": {"id": 71, "is_trashed": false}});
    let record = "projects/21/time-records/71";
    let mut tally = Tally::default();
    for mutant in fields(&thing).into_iter().chain(wholes(&thing.to_string())) {
        let said = mutant.path == "/single/is_trashed" && mutant.kind == "a flag";
        let found = gone(record, 200, &mutant.bytes).await;
        assert_eq!(found, said, "{} at {}", mutant.kind, mutant.path);
        tally.count(mutant.kind, if found { "gone" } else { "kept" });
    }
    tally.tell("activecollab thing", 120);

    bench.script.put(&at(record), 404, NOT_FOUND.as_bytes());
    let project = json!({"single": {"id": 21, "is_trashed": false}});
    let mut tally = Tally::default();
    for mutant in fields(&project)
        .into_iter()
        .chain(wholes(&project.to_string()))
    {
        let found = gone("projects/21", 200, &mutant.bytes).await;
        let read: Value = serde_json::from_slice(&mutant.bytes).unwrap_or_default();
        let single = if read["single"].is_null() {
            &read
        } else {
            &read["single"]
        };
        let vouches = single["id"] == 21 && single["is_trashed"] != true;
        assert!(vouches || !found, "{} at {}", mutant.kind, mutant.path);
        tally.count(mutant.kind, if found { "gone" } else { "kept" });
    }
    tally.tell("activecollab project that vouches", 120);
}
