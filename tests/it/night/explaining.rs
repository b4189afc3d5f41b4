//! From every cent to the record as it was received, and back, through the program itself.

use std::collections::BTreeSet;

use serde_json::Value;
use stundenbuch::ledger::{hex, sha256};

use super::house::{House, stundenbuch};
use super::statements::{WEEK, seal, upstream};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_line_leads_to_what_was_received_and_back() {
    let mut house = House::new(WEEK).await;
    house.night().await;
    let statement = seal(&mut house, "2026-08-21").unwrap();
    let number = statement.number.clone().unwrap();
    let expected = upstream(&house, &statement);

    // From the statement down.
    let lines = explain(&house, &number).await;
    let lines = lines.as_array().unwrap();
    assert_eq!(lines.len(), statement.lines.len());
    let mut records = Vec::new();
    for (line, sealed) in lines.iter().zip(&statement.lines) {
        assert_eq!(line["line"]["position"], sealed.position);
        let one = explain(&house, &format!("{number}:{}", sealed.position)).await;
        assert_eq!(one, *line, "a line alone says the same");
        let mut tracked = 0;
        for work in line["works"].as_array().unwrap() {
            let name = work["work"].as_str().unwrap();
            let id = expected[name].as_str();
            let record = &work["records"][0];
            assert_eq!(record["record"], format!("toggl/time/{id}"));
            tracked += proven(record, id);
            records.push((format!("toggl/time/{id}"), sealed.position));
        }
        assert_eq!(tracked, sealed.tracked_seconds, "the records give the line");
    }
    let charged = statement.entries.iter().filter(|row| row.line.is_some());
    assert_eq!(records.len(), charged.count());
    let distinct: BTreeSet<_> = records.iter().map(|(record, _)| record).collect();
    assert_eq!(distinct.len(), records.len(), "no record is charged twice");

    // And back up.
    for (record, position) in &records {
        let work = explain(&house, record).await;
        assert_eq!(work["statement"], *number, "{record}");
        assert_eq!(work["line"], *position, "{record}");
        assert_eq!(work["records"][0]["record"], **record);
        let same = explain(&house, work["work"].as_str().unwrap()).await;
        assert_eq!(same, work);
    }
    // What is listed without charge says so.
    for row in statement.entries.iter().filter(|row| row.line.is_none()) {
        let work = explain(&house, &row.work).await;
        assert_eq!(work["statement"], *number);
        assert_eq!(work["line"], Value::Null);
    }
}

/// A record's received text has the hash that the ledger chained, and is about the record;
/// returns the seconds that the text itself tells.
fn proven(record: &Value, id: &str) -> i64 {
    let newest = &record["revisions"][0];
    let body = newest["received_body"].as_str().unwrap();
    assert_eq!(newest["received_sha256"], hex(&sha256(body.as_bytes())));
    assert!(body.contains(id), "{id} is not in {body}");
    let content = &newest["content"]["worked"];
    let at = |key: &str| {
        let text = content[key].as_str().unwrap();
        chrono::DateTime::parse_from_rfc3339(text)
            .unwrap()
            .timestamp()
    };
    at("stop") - at("start")
}

async fn explain(house: &House, what: &str) -> Value {
    let output = stundenbuch(house, &["explain", what, "--json"]).await;
    let errors = String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.code(), Some(0), "{what}: {errors}");
    serde_json::from_slice(&output.stdout).unwrap()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_is_not_there_is_told() {
    let mut house = House::new(WEEK).await;
    house.night().await;
    for what in [
        "2026-0001:1",
        "w999999",
        "toggl/time/1",
        "nonsense",
        "",
        "w",
        "a/b/c",
    ] {
        let output = stundenbuch(&house, &["explain", what]).await;
        let errors = String::from_utf8_lossy(&output.stderr);
        assert_eq!(output.status.code(), Some(2), "{what}: {errors}");
        assert!(errors.starts_with("error: "), "{what}: {errors}");
        assert!(errors.contains("\n\nhint: "), "{what}: {errors}");
    }
}
