//! Answers that the real service gave in December 2024, where they are at hand.

use std::path::PathBuf;

use axum::Router;
use axum::routing::get;
use serde_json::{Value as Json, json};
use stundenbuch_connectors::contract::Raw;
use stundenbuch_connectors::kind::Value;
use stundenbuch_connectors::record::{ExternalId, Record, Stream, Worked};

use crate::fakes::Server;
use crate::ledger::Desk;

/// The recordings; `None`, and told, where they are not.
fn samples() -> Option<Vec<Json>> {
    let root = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../shared");
    let root = std::env::var_os("STUNDENBUCH_SHARED").map_or(root, PathBuf::from);
    let path = root.join("data/toggl/wire_samples_v9_2024-12_anonymised.json");
    let Ok(text) = std::fs::read_to_string(&path) else {
        println!(
            "SKIPPED: there are no recorded answers at {}",
            path.display()
        );
        return None;
    };
    Some(serde_json::from_str(&text).unwrap())
}

fn entries(samples: &[Json]) -> Vec<Json> {
    let mut entries = Vec::new();
    for sample in samples {
        let url = sample["url"].as_str().unwrap();
        let body = sample["body"].as_str().unwrap();
        if sample["status"] != 200 || !url.contains("time_entries") {
            continue;
        }
        match serde_json::from_str(body) {
            Ok(Json::Array(rows)) => entries.extend(rows),
            Ok(Json::Object(row)) => entries.push(Json::Object(row)),
            Ok(Json::Null) => {}
            other => panic!("{url}: {other:?}"),
        }
    }
    entries
}

#[tokio::test]
async fn every_recorded_entry_becomes_a_record() {
    let Some(samples) = samples() else {
        return;
    };
    let desk = Desk::new().await;
    let connector = desk.connector();
    let (mut spans, mut running) = (0, 0);
    for entry in entries(&samples) {
        let id = entry["id"].as_i64().unwrap();
        let raw = Raw {
            stream: Stream::Time,
            id: ExternalId::new(id.to_string()),
            body: json!({"source": "track", "id": id, "entry": entry, "names": {}}).to_string(),
            scope: String::new(),
        };
        let records = connector.normalise(&raw).unwrap();
        let [identified] = &records[..] else {
            panic!("{records:?}");
        };
        let Record::TimeEntry(read) = &identified.record else {
            panic!("{records:?}");
        };
        match read.worked {
            Worked::Running { .. } => {
                running += 1;
                assert!(entry["stop"].is_null());
            }
            Worked::Span { .. } => {
                spans += 1;
                assert_eq!(read.worked.seconds(), entry["duration"].as_i64(), "{entry}");
            }
            Worked::Day { .. } => panic!("{read:?}"),
        }
    }
    // As many as the recordings hold: a mapping that skips would show.
    assert!(spans >= 12, "{spans}");
    assert!(running >= 5, "{running}");
}

#[tokio::test]
async fn the_recorded_account_is_read() {
    let Some(samples) = samples() else {
        return;
    };
    let me = samples
        .iter()
        .find(|it| it["status"] == 200 && it["body"].as_str().unwrap().contains("fullname"));
    let body = me.unwrap()["body"].as_str().unwrap().to_owned();
    let server = Server::start(Router::new().route("/me", get(move || async { body }))).await;
    let mut desk = Desk::new().await;
    desk.set("api_url", Value::Url(server.base().to_owned()));
    let identity = desk.connector().check().await.unwrap();
    assert_eq!(identity.account, "Nutzer Eins <nutzer1@example.test>");
    assert_eq!(identity.details, ["time zone Europe/Berlin"]);
}
