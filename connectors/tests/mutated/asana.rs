//! Asana's answers: the lists of tasks, stories and time entries, and a task at its own address.

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
use crate::fakes::asana::TOKEN;
use crate::judge::Case;
use crate::mutants::{Mutant, fields, wholes};
use crate::script::{Script, platform};

const TASKS: &str = include_str!("../../asana/fixtures/tasks.json");
const STORIES: &str = include_str!("../../asana/fixtures/stories.json");
const ENTRIES: &str = include_str!("../../asana/fixtures/time_tracking_entries.json");

const PROJECT: &str = "1210000000000010";
const TASK: &str = "1210000000000101";
const NOW: &str = "2026-11-16T08:00:00Z";

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
        let kind = find("asana").unwrap().kind;
        let mut settings = Settings::default();
        for (key, value) in [
            ("token", Setting::Secret(Secret::new(TOKEN))),
            ("time", Setting::Flag(true)),
            ("api_url", Setting::Url(server.base().to_owned())),
        ] {
            settings.set(kind.setting(key).unwrap(), value);
        }
        let build = find("asana").unwrap().build;
        let connector = build("asana", &settings, &platform(&clock)).unwrap();
        let project = json!({"gid": PROJECT, "name": "Kunde Nord", "archived": false});
        let place = json!({"gid": "1200000000000010", "name": "Agentur"});
        let me = json!({"gid": "1200000000000001", "workspaces": [place]});
        let list = |items: Value| json!({"data": items, "next_page": null}).to_string();
        for (path, body) in [
            ("/users/me", json!({"data": me}).to_string()),
            ("/users", list(json!([]))),
            ("/projects", list(json!([project]))),
            ("/tasks", TASKS.to_owned()),
            ("/time_tracking_entries", ENTRIES.to_owned()),
        ] {
            script.put(path, 200, body.as_bytes());
        }
        for task in [TASK, "1210000000000102"] {
            let path = format!("/tasks/{task}/stories");
            script.put(&path, 200, STORIES.as_bytes());
        }
        Self {
            script,
            clock,
            connector,
            _server: server,
        }
    }

    async fn pull(&self, cursor: &Cursor) -> Result<Page, Error> {
        self.clock.set(NOW.parse().unwrap());
        self.connector.pull(cursor, &Pull::Changes).await
    }

    /// The cursor behind so many pages of a pull that follows a whole one.
    async fn second_pull(&self, pages: usize) -> Cursor {
        let mut cursor = Cursor::start();
        loop {
            let page = self.pull(&cursor).await.unwrap();
            cursor = page.next;
            if !page.more {
                break;
            }
        }
        for _ in 0..pages {
            cursor = self.pull(&cursor).await.unwrap().next;
        }
        cursor
    }

    async fn spoil(&self, path: &str, cursor: &Cursor, part: &Part<'_>) {
        let document: Value = serde_json::from_str(part.document).unwrap();
        let case = Case {
            connector: &*self.connector,
            honest: self.pull(cursor).await.unwrap(),
            lists: &[("/data", part.stream)],
            id_at: "/gid",
            choosing: &["is_rendered_as_separator"],
            canaries: &[TOKEN],
            document,
        };
        let elements = case.elements();
        let mut tally = Tally::default();
        for mutant in fields(&case.document)
            .into_iter()
            .chain(wholes(part.document))
        {
            self.script.put(path, 200, &mutant.bytes);
            let outcome = self.pull(cursor).await;
            must_not_look_ahead(&mutant, outcome.as_ref().ok());
            tally.count(mutant.kind, case.judge(&elements, &mutant, outcome));
        }
        self.script.put(path, 200, part.document.as_bytes());
        tally.tell(part.what, part.least);
    }
}

struct Part<'a> {
    document: &'a str,
    stream: Stream,
    what: &'a str,
    least: usize,
}

/// A mark ahead of the clock would keep what comes until then from being asked for.
fn must_not_look_ahead(mutant: &Mutant, page: Option<&Page>) {
    let Some(cursor) = page.and_then(|page| page.next.as_str()) else {
        return;
    };
    let state: Value = serde_json::from_str(cursor).unwrap();
    let since = state["projects"][PROJECT]["since"].as_str();
    let ahead = since.is_some_and(|since| since > "2026-11-17");
    assert!(
        !ahead,
        "{} at {}: since {since:?}",
        mutant.kind, mutant.path
    );
}

#[tokio::test]
async fn the_list_of_a_projects_tasks() {
    let bench = Bench::start().await;
    // The list of projects is the page before.
    let cursor = bench.second_pull(1).await;
    let part = Part {
        document: TASKS,
        stream: Stream::Tasks,
        what: "asana list of tasks",
        least: 2_500,
    };
    bench.spoil("/tasks", &cursor, &part).await;
}

#[tokio::test]
async fn the_stories_of_a_task() {
    let bench = Bench::start().await;
    // Account, tasks; the stories of the first pull are next.
    let mut cursor = Cursor::start();
    for _ in 0..2 {
        cursor = bench.pull(&cursor).await.unwrap().next;
    }
    let part = Part {
        document: STORIES,
        stream: Stream::Activity,
        what: "asana list of stories",
        least: 1_000,
    };
    let other = "/tasks/1210000000000102/stories";
    let empty = json!({"data": [], "next_page": null}).to_string();
    bench.script.put(other, 200, empty.as_bytes());
    bench
        .spoil(&format!("/tasks/{TASK}/stories"), &cursor, &part)
        .await;
}

#[tokio::test]
async fn the_time_entries_of_two_months() {
    let bench = Bench::start().await;
    // The list of projects, and of the tasks of the one.
    let cursor = bench.second_pull(2).await;
    let part = Part {
        document: ENTRIES,
        stream: Stream::Time,
        what: "asana list of time entries",
        least: 1_500,
    };
    bench.spoil("/time_tracking_entries", &cursor, &part).await;
}

/// The second look: a task that answers, however badly, is not gone; one that is not found is
/// gone only while its project can be read, and a spoiled project is none.
#[tokio::test]
async fn a_task_at_its_own_address_and_the_project_that_vouches() {
    let bench = Bench::start().await;
    let absent = Absent {
        stream: Stream::Tasks,
        id: ExternalId::new(TASK),
        scope: PROJECT.to_owned(),
    };
    let project = json!({"data": {"gid": PROJECT, "name": "Kunde Nord"}});
    let project_path = format!("/projects/{PROJECT}");
    let task_path = format!("/tasks/{TASK}");
    let good = project.to_string();
    bench.script.put(&project_path, 200, good.as_bytes());
    let mut tally = Tally::default();
    let task = json!({"data": {"gid": TASK, "created_by": {"gid": "7"}}});
    for (path, document) in [(&task_path, &task), (&project_path, &project)] {
        if path == &project_path {
            bench.script.put(&task_path, 404, b"{}");
        }
        let text = document.to_string();
        for mutant in fields(document).into_iter().chain(wholes(&text)) {
            bench.script.put(path, 200, &mutant.bytes);
            let answers = bench.connector.confirm(std::slice::from_ref(&absent)).await;
            let gone = |answer: &(_, Presence)| matches!(answer.1, Presence::Gone(_));
            let gone = answers.iter().flatten().any(gone);
            let text = String::from_utf8_lossy(&mutant.bytes);
            let vouches = text.contains(&format!(r#""gid":"{PROJECT}""#));
            let allowed = path == &project_path && vouches;
            assert!(
                allowed || !gone,
                "{path}: {} at {}",
                mutant.kind,
                mutant.path
            );
            tally.count(mutant.kind, if gone { "gone" } else { "kept" });
        }
    }
    tally.tell("asana task and project", 250);
}
