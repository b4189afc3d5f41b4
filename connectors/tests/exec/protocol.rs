//! What the messages mean: names of records, repeated schemas, metadata that moves by itself.

use serde_json::json;
use stundenbuch_connectors::contract::Cursor;
use stundenbuch_connectors::error::Kind;

use crate::world::{
    SCHEMA, Script, codes, ids, lines, pull, pull_well, record, state, table, zeiten,
};

fn schema(key: &str, properties: &str) -> String {
    format!(
        "say '{}{{\"properties\":{properties}}},\"key_properties\":{key}}}'",
        r#"{"type":"SCHEMA","stream":"zeiten","schema":"#
    )
}

/// How a record begins.
const RECORD: &str = r#"{"type":"RECORD","stream":"zeiten","record":"#;

const COLUMNS: &str = r#"{"id":{},"day":{},"hours":{},"note":{}}"#;

#[tokio::test]
async fn what_moves_by_itself_is_not_in_the_record() {
    let row = |columns: &str, extracted: &str| {
        format!("say '{RECORD}{{{columns}}},\"time_extracted\":\"{extracted}\"}}'")
    };
    let script = Script::new(&lines(&[
        SCHEMA,
        &row(
            r#""id":1,"day":"2026-03-02","hours":0.10,"_sdc_extracted_at":"1","_sdc_sequence":1"#,
            "2026-03-03T00:00:00Z",
        ),
    ]));
    let (pages, _) = pull_well(&*script.connector(), &Cursor::start()).await;
    let before = pages[0].raw[0].clone();
    assert!(
        before
            .body
            .contains(r#""record":{"day":"2026-03-02","hours":0.10,"id":1}"#)
    );
    script.rewrite(&lines(&[
        SCHEMA,
        &row(
            r#""_sdc_sequence":2,"hours":0.10,"_sdc_extracted_at":"2","id":1,"day":"2026-03-02""#,
            "2026-03-04T00:00:00Z",
        ),
    ]));
    let (pages, _) = pull_well(&*script.connector(), &Cursor::start()).await;
    assert_eq!(pages[0].raw[0], before);
}

#[tokio::test]
async fn a_record_is_named_by_its_key() {
    let row = |id: &str| format!("say '{RECORD}{{{id},\"day\":\"2026-03-02\",\"hours\":1}}}}'");
    // A number and its text are the same name, so a type that changes makes nothing new.
    let script = Script::new(&lines(&[
        &schema(r#"["id"]"#, COLUMNS),
        &row(r#""id":7"#),
        &row(r#""id":7.0"#),
        &schema(
            r#"["id"]"#,
            r#"{"id":{"type":"string"},"day":{},"hours":{},"note":{}}"#,
        ),
        &row(r#""id":"7""#),
        &row(r#""id":"ü/8""#),
    ]));
    let (pages, _) = pull_well(&*script.connector(), &Cursor::start()).await;
    assert_eq!(ids(&pages), ["7", "ü/8"]);

    // Several columns are kept apart.
    let script = Script::new(&lines(&[
        &schema(r#"["a","b"]"#, COLUMNS),
        &row(r#""a":"x","b":"yz""#),
        &row(r#""a":"xy","b":"z""#),
    ]));
    let (pages, _) = pull_well(&*script.connector(), &Cursor::start()).await;
    assert_eq!(ids(&pages), [r#"["x","yz"]"#, r#"["xy","z"]"#]);

    // The configuration may know better, and may tell two streams apart.
    let mut streams = zeiten();
    streams["zeiten"]["key"] = json!(["ref.id"]);
    streams["zeiten"]["prefix"] = json!("z-");
    let script = Script::new(&lines(&[&schema("[]", COLUMNS), &row(r#""ref":{"id":3}"#)]))
        .with("streams", table(streams));
    let (pages, _) = pull_well(&*script.connector(), &Cursor::start()).await;
    assert_eq!(ids(&pages), ["z-3"]);
}

#[tokio::test]
async fn columns_that_the_stream_does_not_have_are_told_at_once() {
    let mut streams = zeiten();
    streams["zeiten"]["columns"] =
        json!({"date": "dya", "duration": ["minutes", "hours"], "description": "text"});
    streams["zeiten"]["optional"] = json!({"billable": "nothing"});
    let with = |properties: &str| {
        Script::new(&lines(&[&schema(r#"["id"]"#, properties)]))
            .with("streams", table(streams.clone()))
    };
    let (_, end) = pull(&*with(COLUMNS).connector(), &Cursor::start()).await;
    let error = end.unwrap_err();
    assert_eq!(error.kind(), Kind::Settings);
    let text = error.to_string();
    assert!(
        text.contains("date = \"dya\" (did you mean `day`?)"),
        "{text}"
    );
    assert!(
        text.contains("description = \"text\" (known here"),
        "{text}"
    );
    assert!(
        !text.contains("duration") && !text.contains("billable"),
        "{text}"
    );
    // A schema that names no columns, or allows others, says nothing.
    for open in ["{}", r#"{},"additionalProperties":true"#] {
        let (_, end) = pull(&*with(open).connector(), &Cursor::start()).await;
        assert!(end.is_ok(), "{open}: {end:?}");
    }
}

#[tokio::test]
async fn streams_that_are_not_mapped_are_passed_over() {
    let script = Script::new(&lines(&[
        r#"say '{"type":"RECORD","stream":"other","record":{"id":1}}'"#,
        r#"say '{"type":"SCHEMA","stream":"other","schema":{},"key_properties":[]}'"#,
        "",
        "echo",
        SCHEMA,
        &record(1),
        r#"say '{"type":"ACTIVATE_VERSION","stream":"other","version":1}'"#,
    ]));
    let (pages, _) = pull_well(&*script.connector(), &Cursor::start()).await;
    assert_eq!(ids(&pages), ["1"]);
}

#[tokio::test]
async fn another_mapping_reads_everything_from_the_beginning() {
    let script = Script::new(&lines(&[
        "echo \"$1\" >> \"$OUT/flag\"",
        SCHEMA,
        &record(1),
        &state("5"),
    ]));
    let (_, cursor) = pull_well(&*script.connector(), &Cursor::start()).await;
    let (pages, _) = pull_well(&*script.connector(), &cursor).await;
    assert!(codes(&pages).is_empty());
    let mut streams = zeiten();
    streams["zeiten"]["constants"] = json!({"client": "ACME"});
    let script = script.with("streams", table(streams));
    let (pages, after) = pull_well(&*script.connector(), &cursor).await;
    assert_eq!(codes(&pages), ["mapping-changed"]);
    let (pages, _) = pull_well(&*script.connector(), &after).await;
    assert!(codes(&pages).is_empty());
    assert_eq!(script.trace("flag"), "\n--state\n\n--state\n");
}

#[tokio::test]
async fn a_state_too_large_for_a_cursor_is_told() {
    let script = Script::new(&lines(&[
        SCHEMA,
        r#"printf '{"type":"STATE","value":"'; head -c 1100000 /dev/zero | tr '\0' x; echo '"}'"#,
    ]));
    let (_, end) = pull(&*script.connector(), &Cursor::start()).await;
    let error = end.unwrap_err();
    assert!(error.to_string().contains("STATE is too large"), "{error}");
}
