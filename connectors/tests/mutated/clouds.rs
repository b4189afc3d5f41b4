//! Dropbox's and Box's answers: lists of files, the stream of events, and single files.

use std::sync::Arc;

use serde_json::{Value, json};
use stundenbuch_connectors::clock::ManualClock;
use stundenbuch_connectors::contract::{Absent, Cursor, Page, Presence, Pull};
use stundenbuch_connectors::error::Error;
use stundenbuch_connectors::kind::{Settings, Value as Setting};
use stundenbuch_connectors::login::{Logins as _, Memory, Stored, Tokens};
use stundenbuch_connectors::record::{ExternalId, Stream};
use stundenbuch_connectors::secret::Secret;
use stundenbuch_connectors::{Connector, find};

use crate::Tally;
use crate::fakes::Server;
use crate::judge::Case;
use crate::mutants::{fields, wholes};
use crate::script::{Script, platform};

const NOW: &str = "2026-11-16T08:00:00Z";
const TOKEN: &str = "FakeAccessTokenThatStandsNowhereElse0123456789";
const SECRET: &str = "FakeClientSecretThatStandsNowhereElse0123456789";

struct Bench {
    script: Script,
    clock: ManualClock,
    build: Box<dyn Fn() -> Box<dyn Connector>>,
    connector: Box<dyn Connector>,
    _server: Server,
}

impl Bench {
    async fn start(name: &str) -> Self {
        let script = Script::default();
        let server = script.serve().await;
        let clock = ManualClock::at(NOW.parse().unwrap());
        let entry = find(name).unwrap();
        let mut settings = Settings::default();
        for (key, value) in [
            ("client_id", Setting::Text("app".to_owned())),
            ("client_secret", Setting::Secret(Secret::new(SECRET))),
            ("api_url", Setting::Url(server.base().to_owned())),
        ] {
            settings.set(entry.kind.setting(key).unwrap(), value);
        }
        let logins = Memory::default();
        let tokens = Tokens {
            access: Secret::new(TOKEN),
            expires_at: None,
            refresh: None,
            previous: None,
        };
        logins.save(name, &Stored::Tokens(tokens)).unwrap();
        let mut platform = platform(&clock);
        platform.logins = Arc::new(logins);
        let name = name.to_owned();
        let build = move || (entry.build)(&name, &settings, &platform).unwrap();
        Self {
            script,
            clock,
            connector: build(),
            build: Box::new(build),
            _server: server,
        }
    }

    fn put(&self, path: &str, body: &Value) {
        self.script.put(path, 200, body.to_string().as_bytes());
    }

    async fn pull(&self, cursor: &Cursor) -> Result<Page, Error> {
        self.clock.set(NOW.parse().unwrap());
        self.connector.pull(cursor, &Pull::Changes).await
    }

    async fn spoil(&mut self, path: &str, cursor: &Cursor, part: Part<'_>) {
        self.put(path, &part.document);
        let other = (self.build)();
        let case = Case {
            connector: &*other,
            honest: self.pull(cursor).await.unwrap(),
            lists: part.lists,
            id_at: "/id",
            choosing: part.choosing,
            canaries: &[TOKEN, SECRET],
            document: part.document,
        };
        let elements = case.elements();
        let mut tally = Tally::default();
        let text = case.document.to_string();
        for mutant in fields(&case.document).into_iter().chain(wholes(&text)) {
            self.script.put(path, 200, &mutant.bytes);
            if part.fresh {
                self.connector = (self.build)();
            }
            let outcome = self.pull(cursor).await;
            tally.count(mutant.kind, case.judge(&elements, &mutant, outcome));
        }
        tally.tell(part.what, part.least);
    }

    /// The second look: a file that answers, however badly, is not gone. `moved` tells which
    /// mutants say that it lies elsewhere.
    async fn spoil_look(&self, path: &str, document: &Value, scope: &str, what: &str) {
        let absent = Absent {
            stream: Stream::Files,
            id: ExternalId::new(document["id"].as_str().unwrap()),
            scope: scope.to_owned(),
        };
        let mut tally = Tally::default();
        let text = document.to_string();
        for mutant in fields(document).into_iter().chain(wholes(&text)) {
            self.script.put(path, 200, &mutant.bytes);
            let answers = self.connector.confirm(std::slice::from_ref(&absent)).await;
            let moved = mutant.path.ends_with("/entries/0/id");
            for (_, presence) in answers.iter().flatten() {
                let gone = matches!(presence, Presence::Gone(_));
                assert!(
                    !gone || moved,
                    "{} at {}: {presence:?}",
                    mutant.kind,
                    mutant.path
                );
            }
            let end = if answers.is_ok() {
                "answered"
            } else {
                "refused"
            };
            tally.count(mutant.kind, end);
        }
        tally.tell(what, 150);
    }
}

/// What to spoil.
struct Part<'a> {
    document: Value,
    lists: &'a [(&'a str, Stream)],
    choosing: &'a [&'a str],
    /// Each time as after a restart, where an answer is remembered.
    fresh: bool,
    what: &'a str,
    least: usize,
}

fn fixture(text: &str) -> Value {
    serde_json::from_str(text).unwrap()
}

fn dropbox_files() -> (Value, Value) {
    let shared = fixture(include_str!("../../dropbox/fixtures/file_shared.json"));
    let paper = fixture(include_str!("../../dropbox/fixtures/file_paper.json"));
    (shared, paper)
}

async fn dropbox() -> Bench {
    let bench = Bench::start("dropbox").await;
    bench.put(
        "/users/get_current_account",
        &json!({"account_id": "dbid:a"}),
    );
    bench.put("/users/get_account_batch", &json!([]));
    bench
}

/// The shared folder decides which proof a file is in.
const DROPBOX_CHOOSING: &[&str] = &[".tag", "sharing_info"];

#[tokio::test]
async fn a_listing_of_dropbox() {
    let mut bench = dropbox().await;
    let (shared, paper) = dropbox_files();
    let part = Part {
        document: json!({"entries": [shared, paper], "cursor": "AAF1", "has_more": false}),
        lists: &[("/entries", Stream::Files)],
        choosing: DROPBOX_CHOOSING,
        fresh: false,
        what: "dropbox listing",
        least: 1_000,
    };
    bench
        .spoil("/files/list_folder", &Cursor::start(), part)
        .await;
}

#[tokio::test]
async fn changes_of_dropbox() {
    let mut bench = dropbox().await;
    let (shared, paper) = dropbox_files();
    let first = json!({"entries": [shared], "cursor": "AAF1", "has_more": false});
    bench.put("/files/list_folder", &first);
    let cursor = bench.pull(&Cursor::start()).await.unwrap().next;
    let deleted = json!({".tag": "deleted", "name": "x", "path_lower": "/x", "path_display": "/X"});
    let part = Part {
        document: json!({"entries": [deleted, shared, paper], "cursor": "AAF2",
            "has_more": false}),
        lists: &[("/entries", Stream::Files)],
        choosing: DROPBOX_CHOOSING,
        fresh: false,
        what: "dropbox changes",
        least: 1_000,
    };
    bench
        .spoil("/files/list_folder/continue", &cursor, part)
        .await;
}

#[tokio::test]
async fn the_names_of_accounts_at_dropbox() {
    let mut bench = dropbox().await;
    let (shared, _) = dropbox_files();
    let listing = json!({"entries": [shared], "cursor": "AAF1", "has_more": false});
    bench.put("/files/list_folder", &listing);
    let account = json!({"account_id": "dbid:AAH4f99T0taONIb-OurWxbNQ6ywGRopQngc",
        "name": {"display_name": "Otto Muster"}});
    let part = Part {
        document: json!([account]),
        lists: &[],
        choosing: &[],
        fresh: true,
        what: "dropbox accounts",
        least: 100,
    };
    bench
        .spoil("/users/get_account_batch", &Cursor::start(), part)
        .await;
}

#[tokio::test]
async fn a_file_of_dropbox_at_its_own_address() {
    let bench = dropbox().await;
    let (_, paper) = dropbox_files();
    bench
        .spoil_look("/files/get_metadata", &paper, "own", "dropbox file")
        .await;
}

fn box_file(id: &str) -> Value {
    let mut file = fixture(include_str!("../../box/fixtures/file.json"));
    file["id"] = json!(id);
    // Two folders above say as much as four.
    let entries = file["path_collection"]["entries"].as_array_mut().unwrap();
    entries.truncate(2);
    file["path_collection"]["total_count"] = json!(2);
    file
}

const NOTHING: &str = r#"{"chunk_size": 0, "next_stream_position": 7, "entries": []}"#;

#[tokio::test]
async fn a_folder_of_box() {
    let mut bench = Bench::start("box").await;
    bench.put("/events", &fixture(NOTHING));
    let link = json!({"type": "web_link", "id": "9", "name": "Verweis"});
    let mut small = box_file("1280000000002");
    let kept = ["type", "id", "name", "path_collection"];
    let fields = small.as_object_mut().unwrap();
    fields.retain(|key, _| kept.contains(&key.as_str()));
    let part = Part {
        document: json!({"limit": 1000, "next_marker": null,
            "entries": [box_file("1280000000001"), small, link]}),
        lists: &[("/entries", Stream::Files)],
        choosing: &["type"],
        fresh: false,
        what: "box folder",
        least: 1_000,
    };
    // A marker that does not end sends us round; the page is small enough to see it.
    bench
        .spoil("/folders/0/items", &Cursor::start(), part)
        .await;
}

#[tokio::test]
async fn events_of_box() {
    let mut bench = Bench::start("box").await;
    bench.put("/events", &fixture(NOTHING));
    let items = json!({"next_marker": "", "entries": [box_file("1280000000001")]});
    bench.put("/folders/0/items", &items);
    let cursor = bench.pull(&Cursor::start()).await.unwrap().next;
    let event = json!({"type": "event", "event_id": "e1", "event_type": "ITEM_UPLOAD",
        "source": {"type": "file", "id": "1280000000001",
            "parent": {"type": "folder", "id": "0"}}});
    let part = Part {
        document: json!({"chunk_size": 1, "next_stream_position": "8", "entries": [event]}),
        lists: &[],
        choosing: &[],
        fresh: false,
        what: "box events",
        least: 250,
    };
    bench.spoil("/events", &cursor, part).await;
}

#[tokio::test]
async fn a_file_of_box_at_its_own_address() {
    let bench = Bench::start("box").await;
    let file = box_file("1280000000001");
    bench
        .spoil_look("/files/1280000000001", &file, "0", "box file")
        .await;
}
