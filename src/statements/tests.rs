//! What was previewed and what is sealed are the same, or nothing is sealed.

use std::collections::BTreeMap;

use chrono::{DateTime, Utc};
use serde_json::json;
use stundenbuch_connectors::contract::Raw;
use stundenbuch_connectors::record::{ExternalId, Record, Stream};
use tempfile::TempDir;

use super::seal::still_so;
use super::*;
use crate::config::Config;
use crate::store::Store;
use crate::work::RecordKey;

const CONFIG: &str = r#"
[issuer]
name = "Mara"
address = ["Gartenweg 3"]
tax_number = "1"
[ledger]
path = "ledger.db"
[clients.ahorn]
name = "Ahorn"
address = ["Marktplatz 1"]
[clients.ahorn.sources]
projects = ["Relaunch"]
[[clients.ahorn.contracts]]
from = 2026-01-01
rate = "59.00"
"#;

fn now() -> DateTime<Utc> {
    "2026-11-03T02:15:00Z".parse().unwrap()
}

/// An hour of work, and so many minutes more.
fn told(store: &mut Store, minutes: u32) {
    let record: Record = serde_json::from_value(json!({
        "type": "time_entry", "description": "Startseite", "billable": true,
        "project": {"name": "Relaunch"},
        "worked": {"how": "span", "start": "2026-10-14T07:00:00Z",
            "stop": format!("2026-10-14T08:{minutes:02}:00Z")},
    }))
    .unwrap();
    let key = RecordKey {
        connection: "toggl".to_owned(),
        stream: Stream::Time,
        id: ExternalId::new("1"),
    };
    let raw = Raw {
        stream: Stream::Time,
        id: key.id.clone(),
        body: format!("{{\"minutes\": {minutes}}}"),
        scope: "1".to_owned(),
    };
    store
        .write(|writer| writer.append_record(now(), &key, record, &raw).map(drop))
        .unwrap();
}

fn ready() -> (TempDir, Config, Store) {
    let dir = tempfile::tempdir().unwrap();
    let file = dir.path().join("stundenbuch.toml");
    std::fs::write(&file, CONFIG).unwrap();
    let config = Config::load(Some(&file), &BTreeMap::new()).unwrap();
    let mut store = Store::open(&config.ledger, now()).unwrap();
    told(&mut store, 0);
    (dir, config, store)
}

fn october(store: &Store, config: &Config) -> Preview {
    let client = config.client("ahorn").unwrap();
    let mut found = preview(store, config, client, "2026-10".parse().unwrap()).unwrap();
    found.previews.remove(0)
}

#[test]
fn an_entry_that_changed_since_the_preview_stops_the_seal() {
    let (_dir, config, mut store) = ready();
    let before = october(&store, &config);
    let same: Result<(), SealError> = store.write(|writer| still_so(writer, &before));
    assert!(same.is_ok());
    told(&mut store, 30);
    let changed: Result<(), SealError> = store.write(|writer| still_so(writer, &before));
    let work = before.works[0].0;
    assert!(matches!(changed, Err(SealError::Changed(it)) if it == work));
}

#[test]
fn an_entry_that_was_deleted_since_the_preview_stops_the_seal() {
    let (_dir, config, mut store) = ready();
    let before = october(&store, &config);
    let key = store.parse_key("toggl/time/1").unwrap();
    store
        .write(|writer| writer.append_deletion(now(), &key, "gone").map(drop))
        .unwrap();
    let changed: Result<(), SealError> = store.write(|writer| still_so(writer, &before));
    assert!(matches!(changed, Err(SealError::Changed(_))), "{changed:?}");
}

#[test]
fn an_entry_that_was_sealed_since_the_preview_stops_the_seal() {
    let (_dir, config, mut store) = ready();
    let before = october(&store, &config);
    let client = config.client("ahorn").unwrap();
    let period = "2026-10".parse().unwrap();
    let first = seal(&mut store, &config, client, period, now()).unwrap();
    let again: Result<(), SealError> = store.write(|writer| still_so(writer, &before));
    let number = first.number.unwrap();
    assert!(matches!(again, Err(SealError::Settled { number: it, .. }) if it == number));
}

#[test]
fn a_correction_that_was_charged_since_the_preview_stops_the_seal() {
    let (_dir, config, mut store) = ready();
    let client = config.client("ahorn").unwrap();
    let period = "2026-10".parse().unwrap();
    let first = seal(&mut store, &config, client, period, now()).unwrap();
    told(&mut store, 30);
    let wanted = Wanted::default();
    correct(&mut store, &config, &first.number.unwrap(), &wanted, now()).unwrap();
    let before = october(&store, &config);
    let same: Result<(), SealError> = store.write(|writer| still_so(writer, &before));
    assert!(same.is_ok());
    let second = seal(&mut store, &config, client, period, now()).unwrap();
    assert_eq!(second.totals.net.to_string(), "29.50");
    let again: Result<(), SealError> = store.write(|writer| still_so(writer, &before));
    assert!(matches!(again, Err(SealError::Corrected(_))), "{again:?}");
    // And one that has nothing to correct any more.
    cancel(&mut store, &config, &second.number.unwrap(), now()).unwrap();
    let open: Result<(), SealError> = store.write(|writer| still_so(writer, &before));
    assert!(open.is_ok(), "{open:?}");
    cancel(&mut store, &config, "2026-0001", now()).unwrap();
    let void: Result<(), SealError> = store.write(|writer| still_so(writer, &before));
    assert!(matches!(void, Err(SealError::Corrected(_))), "{void:?}");
}
