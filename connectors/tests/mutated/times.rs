//! Clockify's and Kimai's answers: the account, projects, a listing, changes, one entry.

use serde_json::{Value, json};
use stundenbuch_connectors::clock::ManualClock;
use stundenbuch_connectors::contract::{Absent, Cursor, Presence, Pull};
use stundenbuch_connectors::kind::{Settings, Value as Setting};
use stundenbuch_connectors::record::{ExternalId, Stream};
use stundenbuch_connectors::secret::Secret;
use stundenbuch_connectors::{Connector, find};

use crate::Tally;
use crate::fakes::{Server, clockify, kimai};
use crate::judge::Case;
use crate::mutants::{fields, wholes};
use crate::script::{Script, platform};

const ENTRY: &str = include_str!("../../clockify/fixtures/entry.json");
const SHEET: &str = include_str!("../../kimai/fixtures/timesheet.json");

const NOW: &str = "2026-11-16T08:00:00Z";

/// A service that answers what it is told to, and a connector to it.
struct Bench {
    script: Script,
    connector: Box<dyn Connector>,
    _server: Server,
}

impl Bench {
    async fn start(name: &str) -> Self {
        let script = Script::default();
        let server = script.serve().await;
        let clock = ManualClock::at(NOW.parse().unwrap());
        let entry = find(name).unwrap();
        let given = match name {
            "clockify" => [
                ("api_key", Setting::Secret(Secret::new(clockify::KEY))),
                ("api_url", Setting::Url(format!("{}/api", server.base()))),
            ],
            _ => [
                ("token", Setting::Secret(Secret::new(kimai::TOKEN))),
                ("url", Setting::Url(server.base().to_owned())),
            ],
        };
        let mut settings = Settings::default();
        for (key, value) in given {
            settings.set(entry.kind.setting(key).unwrap(), value);
        }
        let connector = (entry.build)(name, &settings, &platform(&clock)).unwrap();
        Self {
            script,
            connector,
            _server: server,
        }
    }

    fn put(&self, path: &str, document: &Value) {
        self.script.put(path, 200, document.to_string().as_bytes());
    }

    /// The cursor behind so many pages.
    async fn after(&self, pages: usize) -> Cursor {
        let mut cursor = Cursor::start();
        for _ in 0..pages {
            let page = self.connector.pull(&cursor, &Pull::Changes).await;
            cursor = page.unwrap().next;
        }
        cursor
    }

    /// Spoils an answer in every way, and judges the page that comes of it.
    async fn spoil(
        &self,
        (path, document): (&str, Value),
        cursor: &Cursor,
        lists: &[(&str, Stream)],
        (what, least): (&str, usize),
    ) {
        self.put(path, &document);
        let case = Case {
            connector: &*self.connector,
            honest: self.connector.pull(cursor, &Pull::Changes).await.unwrap(),
            lists,
            id_at: "/id",
            choosing: &[],
            canaries: &[clockify::KEY, kimai::TOKEN],
            document,
        };
        let elements = case.elements();
        let mut tally = Tally::default();
        let text = case.document.to_string();
        for mutant in fields(&case.document).into_iter().chain(wholes(&text)) {
            self.script.put(path, 200, &mutant.bytes);
            let outcome = self.connector.pull(cursor, &Pull::Changes).await;
            tally.count(mutant.kind, case.judge(&elements, &mutant, outcome));
        }
        tally.tell(what, least);
    }

    /// The second look: an entry that answers, however badly, is not gone.
    async fn look_again(&self, path: &str, document: Value, scope: &str, what: &str) {
        let id = &document["id"];
        let absent = Absent {
            stream: Stream::Time,
            id: ExternalId::new(id.as_str().map_or_else(|| id.to_string(), str::to_owned)),
            scope: scope.to_owned(),
        };
        let mut tally = Tally::default();
        let text = document.to_string();
        for mutant in fields(&document).into_iter().chain(wholes(&text)) {
            self.script.put(path, 200, &mutant.bytes);
            let end = match self.connector.confirm(std::slice::from_ref(&absent)).await {
                Err(_) => "refused",
                Ok(answers) => match answers.first() {
                    Some((_, Presence::Gone(proof))) => {
                        panic!("{} at {}: {proof}", mutant.kind, mutant.path)
                    }
                    Some((_, Presence::Present)) => "present",
                    _ => "unknown",
                },
            };
            tally.count(mutant.kind, end);
        }
        tally.tell(what, 1_000);
    }
}

/// Entry number so-and-so at Clockify, on its own day of November.
fn entry(number: u32) -> Value {
    let mut entry: Value = serde_json::from_str(ENTRY).unwrap();
    entry["id"] = json!(format!("64c777ddd3fcab07cf00001{number}"));
    entry["timeInterval"]["start"] = json!(format!("2026-11-0{number}T08:00:00Z"));
    entry["timeInterval"]["end"] = json!(format!("2026-11-0{number}T09:30:17Z"));
    entry
}

fn running(number: u32) -> Value {
    let mut entry = entry(number);
    entry["timeInterval"]["end"] = Value::Null;
    entry
}

const CLOCKIFY_LIST: &str = "/api/workspaces/64c777ddd3fcab07cf00000a/user/\
    64c777ddd3fcab07cf00000b/time-entries";
const CLOCKIFY_PROJECTS: &str = "/api/workspaces/64c777ddd3fcab07cf00000a/projects";

async fn at_clockify() -> Bench {
    let bench = Bench::start("clockify").await;
    let user = json!({"id": clockify::ME, "name": "Mara Lindgrün",
        "email": "mara@lindgruen.example", "settings": {"timeZone": "Europe/Berlin"}});
    bench.put("/api/user", &user);
    let studio = json!([{"id": clockify::STUDIO, "name": "Studio Lindgrün"}]);
    bench.put("/api/workspaces", &studio);
    bench.put(CLOCKIFY_PROJECTS, &json!([]));
    bench.put(CLOCKIFY_LIST, &json!([]));
    bench
}

#[tokio::test]
async fn a_listing_of_clockify() {
    let bench = at_clockify().await;
    let cursor = bench.after(2).await;
    let rows = json!([running(4), entry(3), entry(2)]);
    let lists = [("", Stream::Time)];
    let what = ("clockify listing", 4_000);
    bench
        .spoil((CLOCKIFY_LIST, rows), &cursor, &lists, what)
        .await;
}

#[tokio::test]
async fn projects_of_clockify() {
    let bench = at_clockify().await;
    let cursor = bench.after(1).await;
    let projects = json!([entry(1)["project"], {"id": "64c7", "name": "Intern", "clientId": "",
        "clientName": "", "archived": true}]);
    let lists = [("", Stream::Projects)];
    let what = ("clockify projects", 500);
    bench
        .spoil((CLOCKIFY_PROJECTS, projects), &cursor, &lists, what)
        .await;
}

#[tokio::test]
async fn the_account_of_clockify() {
    let bench = at_clockify().await;
    let user = json!({"id": clockify::ME, "name": "Mara Lindgrün",
        "email": "mara@lindgruen.example", "settings": {"timeZone": "Europe/Berlin"}});
    let what = ("clockify account", 300);
    let start = Cursor::start();
    bench.spoil(("/api/user", user), &start, &[], what).await;
}

#[tokio::test]
async fn an_entry_of_clockify_at_its_own_address() {
    let bench = at_clockify().await;
    let entry = entry(1);
    let id = entry["id"].as_str().unwrap();
    let path = format!("/api/workspaces/{}/time-entries/{id}", clockify::STUDIO);
    let scope = format!("{}/{}", clockify::STUDIO, clockify::ME);
    bench
        .look_again(&path, entry, &scope, "clockify entry")
        .await;
}

/// Sheet number so-and-so at Kimai, on its own day of November.
fn sheet(number: u32) -> Value {
    let mut sheet: Value = serde_json::from_str(SHEET).unwrap();
    sheet["id"] = json!(4_710 + number);
    sheet["begin"] = json!(format!("2026-11-0{number}T09:00:00+0100"));
    sheet["end"] = json!(format!("2026-11-0{number}T10:30:17+0100"));
    sheet
}

fn paused(number: u32) -> Value {
    let mut sheet = sheet(number);
    sheet["begin"] = json!(format!("2026-11-0{number}T09:00:00+0000"));
    sheet["end"] = json!(format!("2026-11-0{number}T10:30:17+0000"));
    sheet["break"] = json!(600);
    sheet
}

fn open(number: u32) -> Value {
    let mut sheet = sheet(number);
    sheet["end"] = Value::Null;
    sheet
}

async fn at_kimai() -> Bench {
    let bench = Bench::start("kimai").await;
    bench.put("/api/users/me", &sheet(1)["user"]);
    bench.put("/api/projects", &json!([]));
    bench.put("/api/timesheets", &json!([]));
    bench
}

#[tokio::test]
async fn a_listing_of_kimai() {
    let bench = at_kimai().await;
    let cursor = bench.after(2).await;
    let rows = json!([sheet(2), paused(3), open(4)]);
    let lists = [("", Stream::Time)];
    let what = ("kimai listing", 5_000);
    bench
        .spoil(("/api/timesheets", rows), &cursor, &lists, what)
        .await;
}

#[tokio::test]
async fn changes_of_kimai() {
    let bench = at_kimai().await;
    let cursor = bench.after(3).await;
    let rows = json!([sheet(2), open(4)]);
    let lists = [("", Stream::Time)];
    let what = ("kimai changes", 3_000);
    bench
        .spoil(("/api/timesheets", rows), &cursor, &lists, what)
        .await;
}

#[tokio::test]
async fn projects_of_kimai() {
    let bench = at_kimai().await;
    let cursor = bench.after(1).await;
    let projects = json!([{"id": 11, "name": "Relaunch", "customer": 5, "visible": true,
        "parentTitle": "Bäckerei Ahorn"}, {"id": 12, "name": "Altes", "visible": false}]);
    let lists = [("", Stream::Projects)];
    let what = ("kimai projects", 400);
    bench
        .spoil(("/api/projects", projects), &cursor, &lists, what)
        .await;
}

#[tokio::test]
async fn a_sheet_of_kimai_at_its_own_address() {
    let bench = at_kimai().await;
    let path = "/api/timesheets/4711";
    bench.look_again(path, sheet(1), "own", "kimai sheet").await;
}
