//! What the fake answers and what the connector asks, against Dropbox's own description, where
//! that is at hand.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;
use stundenbuch_connectors::contract::{Cursor, Pull};
use stundenbuch_connectors::record::ExternalId;

use super::Bench;
use crate::described::specification;
use crate::document;
use crate::ledger::Ledger;

/// The structs of Stone files by name.
struct Stone(BTreeMap<String, Struct>);

#[derive(Default)]
struct Struct {
    extends: Option<String>,
    /// Whether each field must be there.
    fields: BTreeMap<String, bool>,
}

impl Stone {
    fn read(text: &str, into: &mut BTreeMap<String, Struct>) {
        let mut name: Option<String> = None;
        for line in text.lines() {
            let words: Vec<&str> = line.split_whitespace().collect();
            let indent = line.len() - line.trim_start().len();
            match (indent, words.as_slice()) {
                (0, ["struct", it, rest @ ..]) => {
                    let extends = rest.get(1).map(|it| (*it).to_owned());
                    let made = Struct {
                        extends,
                        ..Struct::default()
                    };
                    into.insert((*it).to_owned(), made);
                    name = Some((*it).to_owned());
                }
                (0, [_, ..]) => name = None,
                (4, [field, kind, ..])
                    if is_name(field) && kind.starts_with(char::is_uppercase)
                        || words
                            .get(1)
                            .is_some_and(|it| indent == 4 && it.contains('.')) =>
                {
                    if let Some(made) = name.as_ref().and_then(|it| into.get_mut(it)) {
                        let optional = line.trim_end().ends_with('?') || line.contains(" = ");
                        made.fields.insert((*field).to_owned(), !optional);
                    }
                }
                _ => {}
            }
        }
    }

    fn fields(&self, name: &str) -> BTreeMap<String, bool> {
        let it = &self.0[name];
        let mut fields = it
            .extends
            .as_ref()
            .map(|it| self.fields(it))
            .unwrap_or_default();
        fields.extend(it.fields.clone());
        fields
    }

    /// Every field is described, and none that is needed is missing.
    #[track_caller]
    fn holds(&self, name: &str, value: &Value) {
        let fields = self.fields(name);
        let given: BTreeSet<&str> = value
            .as_object()
            .unwrap()
            .keys()
            .map(String::as_str)
            .collect();
        for field in &given {
            assert!(
                *field == ".tag" || fields.contains_key(*field),
                "{name}: {field}: {value}"
            );
        }
        for (field, needed) in &fields {
            assert!(
                !needed || given.contains(field.as_str()),
                "{name}: no {field}: {value}"
            );
        }
    }
}

fn is_name(text: &str) -> bool {
    text.bytes()
        .all(|it| it.is_ascii_lowercase() || it.is_ascii_digit() || it == b'_')
}

fn description() -> Option<Stone> {
    let mut structs = BTreeMap::new();
    for file in ["common", "users", "files"] {
        Stone::read(
            &specification(&format!("dropbox/{file}.stone"))?,
            &mut structs,
        );
    }
    Some(Stone(structs))
}

#[tokio::test]
async fn the_fake_and_the_connector_keep_to_the_description() {
    let Some(stone) = description() else { return };
    assert!(stone.fields("FileMetadata")["server_modified"]);
    assert!(stone.fields("FileMetadata")["name"], "an inherited field");
    assert!(!stone.fields("FileMetadata")["content_hash"]);
    let bench = Bench::start().await;
    let ada = crate::fakes::dropbox::ME;
    let id = bench.dropbox.write_as("/Geteilt/a.txt", b"x", Some(ada));
    bench.dropbox.write_as("/Geteilt/b.txt", b"x", Some(ada));
    bench.dropbox.write_paper("/Geteilt/c.paper");
    bench.dropbox.share("/Geteilt", "11");
    let (connector, mut ledger) = (bench.on("/Geteilt"), Ledger::default());
    connector.check().await.unwrap();
    ledger.pull(&*connector).await.unwrap();
    bench.dropbox.delete("/Geteilt/b.txt");
    ledger.pull(&*connector).await.unwrap();
    connector.fetch(&ExternalId::new(id), 10).await.unwrap();
    for (bytes, earlier) in [(&b"1"[..], None), (b"2", Some(&b"1"[..]))] {
        connector
            .deliver(&document("d.pdf", bytes, earlier))
            .await
            .unwrap();
    }
    let mut asked = BTreeSet::new();
    for request in bench.server.requests() {
        let route = request.path.rsplit_once("/2/").unwrap().1.to_owned();
        let arg = match request.header("dropbox-api-arg") {
            Some(arg) => arg.as_bytes().to_vec(),
            None => request.body.clone(),
        };
        let arg: Value = serde_json::from_slice(&arg).unwrap();
        match route.as_str() {
            "files/list_folder" => stone.holds("ListFolderArg", &arg),
            "files/list_folder/continue" => stone.holds("ListFolderContinueArg", &arg),
            "files/get_metadata" => stone.holds("GetMetadataArg", &arg),
            "files/upload" => stone.holds("UploadArg", &arg),
            "files/download" => stone.holds("DownloadArg", &arg),
            "users/get_account_batch" => stone.holds("GetAccountBatchArg", &arg),
            "users/get_current_account" => assert!(arg.is_null()),
            other => panic!("{other}"),
        }
        asked.insert(route);
    }
    assert_eq!(asked.len(), 7, "{asked:?}");
}

/// The answers as they stand in the wire, one of each.
#[tokio::test]
async fn the_fakes_answers_have_the_described_fields() {
    let Some(stone) = description() else { return };
    let bench = Bench::start().await;
    let ada = crate::fakes::dropbox::ME;
    bench
        .dropbox
        .write_as("/Geteilt/Unter/a.txt", b"x", Some(ada));
    bench.dropbox.share("/Geteilt", "11");
    bench.dropbox.write_paper("/c.paper");
    let connector = bench.connector();
    let page = connector
        .pull(&Cursor::start(), &Pull::Changes)
        .await
        .unwrap();
    bench.dropbox.delete("/c.paper");
    for (route, arg) in [
        (
            "/files/list_folder",
            r#"{"path": "", "recursive": true}"#.to_owned(),
        ),
        ("/users/get_current_account", "null".to_owned()),
        (
            "/users/get_account_batch",
            format!(r#"{{"account_ids": ["{ada}"]}}"#),
        ),
        ("/files/list_folder/continue", cursor_of(&page.next)),
    ] {
        let answer = bench
            .dropbox
            .answer(route, &serde_json::from_str(&arg).unwrap());
        match route {
            "/users/get_current_account" => stone.holds("FullAccount", &answer),
            "/users/get_account_batch" => stone.holds("BasicAccount", &answer[0]),
            _ => {
                stone.holds("ListFolderResult", &answer);
                let entries = answer["entries"].as_array().unwrap();
                assert!(!entries.is_empty());
                for entry in entries {
                    entry_holds(&stone, entry);
                }
            }
        }
    }
}

fn entry_holds(stone: &Stone, entry: &Value) {
    let (name, sharing) = match entry[".tag"].as_str().unwrap() {
        "file" => ("FileMetadata", "FileSharingInfo"),
        "folder" => ("FolderMetadata", "FolderSharingInfo"),
        _ => ("DeletedMetadata", ""),
    };
    stone.holds(name, entry);
    if entry["sharing_info"].is_object() {
        stone.holds(sharing, &entry["sharing_info"]);
    }
}

fn cursor_of(cursor: &Cursor) -> String {
    let state: Value = serde_json::from_str(cursor.as_str().unwrap()).unwrap();
    serde_json::json!({"cursor": state["cursor"]}).to_string()
}
