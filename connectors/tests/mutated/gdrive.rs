//! Google Drive's answers: a listing, a page of the feed, a file and the folder that vouches for
//! it.

use std::sync::Arc;

use serde_json::{Value, json};
use stundenbuch_connectors::clock::ManualClock;
use stundenbuch_connectors::contract::{Absent, Cursor, Page, Presence, Pull};
use stundenbuch_connectors::kind::{Settings, Value as Setting};
use stundenbuch_connectors::login::{Logins as _, Memory};
use stundenbuch_connectors::record::{ExternalId, Stream};
use stundenbuch_connectors::{Connector, Error, Platform, find};

use crate::Tally;
use crate::fakes::Server;
use crate::fakes::gdrive::{FOLDER, TOKEN, login};
use crate::judge::Case;
use crate::mutants::{fields, wholes};
use crate::script::{Script, platform};

const ROOT: &str = "1RootRootRootRootRootRootRootRoot";
const FILE: &str = "1FileFileFileFileFileFileFileFileF";
const FILES: &str = "/drive/v3/files";
const CHANGES: &str = "/drive/v3/changes";

struct Bench {
    script: Script,
    connector: Box<dyn Connector>,
    _server: Server,
}

impl Bench {
    async fn start() -> Self {
        let script = Script::default();
        let server = script.serve().await;
        let clock = ManualClock::at("2026-11-16T08:00:00Z".parse().unwrap());
        let logins = Memory::default();
        logins.save("gdrive", &login()).unwrap();
        let platform = Platform {
            logins: Arc::new(logins),
            ..platform(&clock)
        };
        let entry = find("gdrive").unwrap();
        let mut settings = Settings::default();
        for (key, value) in [
            ("folder", Setting::Text(ROOT.to_owned())),
            ("client_id", Setting::Text("client".to_owned())),
            ("api_url", Setting::Url(server.base().to_owned())),
        ] {
            settings.set(entry.kind.setting(key).unwrap(), value);
        }
        let connector = (entry.build)("gdrive", &settings, &platform).unwrap();
        let bench = Self {
            script,
            connector,
            _server: server,
        };
        bench.put(&format!("{FILES}/{ROOT}"), &root());
        bench.put(
            &format!("{CHANGES}/startPageToken"),
            &json!({"startPageToken": "7"}),
        );
        bench.put(FILES, &listing());
        bench
    }

    fn put(&self, path: &str, answer: &Value) {
        self.script.put(path, 200, answer.to_string().as_bytes());
    }

    async fn pull(&self, cursor: &Cursor) -> Result<Page, Error> {
        self.connector.pull(cursor, &Pull::Changes).await
    }

    async fn spoil(&self, path: &str, cursor: &Cursor, part: Part) {
        self.put(path, &part.document);
        let case = Case {
            connector: &*self.connector,
            honest: self.pull(cursor).await.unwrap(),
            lists: &[(part.list, Stream::Files)],
            id_at: part.id_at,
            // These say whether a file is one, whether it is meant, and where it lies.
            choosing: &[
                "id",
                "changeType",
                "removed",
                "mimeType",
                "parents",
                "trashed",
                "file",
            ],
            canaries: &[TOKEN],
            document: part.document,
        };
        let elements = case.elements();
        let mut tally = Tally::default();
        for mutant in fields(&case.document)
            .into_iter()
            .chain(wholes(&case.document.to_string()))
        {
            self.script.put(path, 200, &mutant.bytes);
            let outcome = self.pull(cursor).await;
            tally.count(mutant.kind, case.judge(&elements, &mutant, outcome));
        }
        tally.tell(part.what, part.least);
    }

    /// Asks for a file with each spoiled answer at `path`; those that make it gone.
    async fn gone_by(&self, path: &str, document: &Value, what: &str) -> Vec<(String, Value)> {
        let absent = Absent {
            stream: Stream::Files,
            id: ExternalId::new(FILE),
            scope: ROOT.to_owned(),
        };
        let (mut tally, mut found) = (Tally::default(), Vec::new());
        for mutant in fields(document)
            .into_iter()
            .chain(wholes(&document.to_string()))
        {
            self.script.put(path, 200, &mutant.bytes);
            let answers = self.connector.confirm(std::slice::from_ref(&absent)).await;
            let gone = |answer: &(_, Presence)| matches!(answer.1, Presence::Gone(_));
            let gone = answers.iter().flatten().any(gone);
            if gone {
                let read = serde_json::from_slice(&mutant.bytes).unwrap_or_default();
                found.push((format!("{} at {}", mutant.kind, mutant.path), read));
            }
            tally.count(mutant.kind, if gone { "gone" } else { "kept" });
        }
        tally.tell(what, 200);
        found
    }
}

/// What to spoil.
struct Part {
    document: Value,
    list: &'static str,
    id_at: &'static str,
    what: &'static str,
    least: usize,
}

fn root() -> Value {
    json!({"id": ROOT, "name": "Kunde Nord", "mimeType": FOLDER, "trashed": false,
        "parents": ["1Top"], "capabilities": {"canAddChildren": true}})
}

fn file(id: &str, name: &str) -> Value {
    json!({"id": id, "name": name, "mimeType": "application/pdf", "parents": [ROOT],
        "size": "1234", "md5Checksum": "9e107d9d372bb6826bd81d3542a419d6",
        "headRevisionId": "0BRevision", "modifiedTime": "2026-11-02T09:00:00.000Z",
        "lastModifyingUser": {"displayName": "Erika", "emailAddress": "e@example.com",
            "permissionId": "0123"}})
}

fn listing() -> Value {
    let folder = json!({"id": "1Inner", "name": "innen", "mimeType": FOLDER, "parents": [ROOT]});
    json!({"incompleteSearch": false,
        "files": [file(FILE, "Bericht.pdf"), file("1Other", "Zeiten.csv"), folder]})
}

#[tokio::test]
async fn a_listing() {
    let bench = Bench::start().await;
    let part = Part {
        document: listing(),
        list: "/files",
        id_at: "/id",
        what: "gdrive listing",
        least: 1_500,
    };
    bench.spoil(FILES, &Cursor::start(), part).await;
}

#[tokio::test]
async fn a_page_of_the_feed() {
    let bench = Bench::start().await;
    let mut flat = listing();
    flat["files"].as_array_mut().unwrap().pop();
    bench.put(FILES, &flat);
    let first = bench.pull(&Cursor::start()).await.unwrap();
    assert!(!first.more);
    let change = |mut file: Value| {
        file["trashed"] = json!(false);
        json!({"changeType": "file", "removed": false, "fileId": file["id"], "file": file})
    };
    let part = Part {
        document: json!({"newStartPageToken": "9", "changes": [
            change(file(FILE, "Bericht neu.pdf")), change(file("1Third", "Drei.pdf")),
            {"changeType": "file", "removed": true, "fileId": "1Other"}]}),
        list: "/changes",
        id_at: "/fileId",
        what: "gdrive feed",
        least: 1_500,
    };
    bench.spoil(CHANGES, &first.next, part).await;
}

/// The second look: a file that answers, however badly, is gone only where the answer says so.
#[tokio::test]
async fn a_file_at_its_own_address() {
    let bench = Bench::start().await;
    let document = json!({"id": FILE, "name": "Bericht.pdf", "mimeType": "application/pdf",
        "parents": [ROOT], "trashed": false, "size": "1234"});
    let path = format!("{FILES}/{FILE}");
    for (what, answer) in bench.gone_by(&path, &document, "gdrive file").await {
        let elsewhere = answer["parents"][0]
            .as_str()
            .is_some_and(|parent| parent != ROOT);
        assert!(answer["trashed"] == true || elsewhere, "{what}");
    }
}

/// "Not found" counts only while the folder can be read, and a spoiled folder is none.
#[tokio::test]
async fn a_folder_that_vouches_for_a_missing_file() {
    let bench = Bench::start().await;
    let missing = json!({"error": {"code": 404, "message": "File not found", "errors": [
        {"domain": "global", "reason": "notFound", "message": "File not found"}]}});
    let missing = missing.to_string();
    bench
        .script
        .put(&format!("{FILES}/{FILE}"), 404, missing.as_bytes());
    let path = format!("{FILES}/{ROOT}");
    let found = bench
        .gone_by(&path, &root(), "gdrive folder that vouches")
        .await;
    assert!(!found.is_empty());
    for (what, answer) in found {
        let vouches = answer["id"] == ROOT && answer["mimeType"] == FOLDER;
        assert!(vouches && answer["trashed"] != true, "{what}");
    }
}
