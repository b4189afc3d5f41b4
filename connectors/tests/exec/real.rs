//! A tap that somebody else wrote, run unchanged: `tap-jsonl` reads files of JSON lines, so it
//! needs no network. `tests/run` installs it; where it is not, this says so.

use std::path::PathBuf;

use serde_json::json;
use stundenbuch_connectors::contract::Cursor;
use stundenbuch_connectors::error::Kind;
use stundenbuch_connectors::kind::Value;
use stundenbuch_connectors::record::{Record, Worked};

use crate::world::{build, ids, pull, pull_well, table, texts};

/// Where `tests/run` puts it.
fn tap() -> Option<PathBuf> {
    let tap = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../target/taps/bin/tap-jsonl");
    if tap.exists() {
        return Some(tap);
    }
    println!("SKIPPED: there is no tap-jsonl; `tests/run` installs it");
    None
}

const ROWS: &str = concat!(
    r#"{"id": 1, "begin": "2026-03-02T08:00:00Z", "hours": 1.25, "note": "Über","#,
    r#" "who": {"name": "Ida"}}"#,
    "\n",
    r#"{"id": 2, "begin": "2026-03-03T08:00:00+01:00", "hours": 0.016666666666666666,"#,
    r#" "note": "kurz", "who": {"name": "Bär"}}"#,
    "\n",
);

#[tokio::test]
async fn a_tap_from_a_registry_runs_unchanged() {
    let Some(tap) = tap() else { return };
    let around = tempfile::tempdir().unwrap();
    let file = around.path().join("zeiten.jsonl");
    std::fs::write(&file, ROWS).unwrap();
    let values = |config: serde_json::Value| {
        [
            ("command", texts(&[tap.to_str().unwrap()])),
            ("directory", Value::Path(around.path().to_owned())),
            ("config", table(config)),
            (
                "streams",
                table(json!({"zeiten": {"record": "time", "columns": {
                    "start": "begin", "duration": "hours", "description": "note",
                    "person": "who.name"}}})),
            ),
        ]
    };
    let config = json!({"path": file, "stream_name": "zeiten", "primary_keys": ["id"]});
    let connector = build(&values(config)).unwrap();
    let identity = connector.check().await.unwrap();
    assert_eq!(identity.details, ["has the streams zeiten"]);

    let (pages, cursor) = pull_well(&*connector, &Cursor::start()).await;
    assert_eq!(ids(&pages), ["1", "2"]);
    let read = |at: usize| {
        let records = connector.normalise(&pages[0].raw[at]).unwrap();
        match &records[0].record {
            Record::TimeEntry(entry) => entry.clone(),
            other => panic!("{other:?}"),
        }
    };
    let one = read(0);
    let span = Worked::Span {
        start: "2026-03-02T08:00:00Z".parse().unwrap(),
        stop: "2026-03-02T09:15:00Z".parse().unwrap(),
    };
    assert_eq!((one.worked, one.description.as_str()), (span, "Über"));
    assert_eq!(one.person.unwrap().name.as_deref(), Some("Ida"));
    assert_eq!(read(1).worked.seconds(), Some(60));
    assert!(
        cursor.as_str().unwrap().contains("replication_key_value"),
        "{cursor:?}"
    );

    // Its own state brings it back to where it was.
    let (again, after) = pull_well(&*connector, &cursor).await;
    let mut before: Vec<_> = pages[0].raw.clone();
    before.retain(|raw| again[0].raw.iter().any(|other| other.id == raw.id));
    assert_eq!(again[0].raw, before, "what comes again is the same");
    assert!(after.as_str().unwrap().contains("replication_key_value"));

    let mut longer = ROWS.to_owned();
    longer.push_str(r#"{"id": 3, "begin": "2026-03-04T08:00:00Z", "hours": 2, "note": "neu"}"#);
    std::fs::write(&file, longer).unwrap();
    let (pages, _) = pull_well(&*connector, &after).await;
    assert!(ids(&pages).contains(&"3".to_owned()), "{pages:?}");

    // What it says of its configuration is told, with who has to act.
    let mut wrong = values(json!({"nothing": 1})).to_vec();
    wrong.push(("select", Value::Text("none".to_owned())));
    let connector = build(&wrong).unwrap();
    let (_, end) = pull(&*connector, &Cursor::start()).await;
    let error = end.unwrap_err();
    assert_eq!(error.kind(), Kind::Settings, "{error}");
    assert!(error.to_string().contains("required property"), "{error}");
}
