//! What counts as deleted: what the program calls so, and what two whole listings do not have.

use serde_json::json;
use stundenbuch_connectors::contract::{Absent, Connector, Cursor, Page, Presence};
use stundenbuch_connectors::record::{ExternalId, Stream};

use crate::world::{SCHEMA, Script, codes, ids, lines, pull, pull_well, record, state, table};

fn full() -> stundenbuch_connectors::kind::Value {
    let mut streams = crate::world::zeiten();
    streams["zeiten"]["replication"] = "full".into();
    table(streams)
}

fn swept(pages: &[Page]) -> Vec<Vec<String>> {
    let swept = pages.iter().flat_map(|page| &page.swept);
    swept
        .map(|sweep| {
            assert_eq!(
                (sweep.stream, sweep.scope.as_str()),
                (Stream::Time, "zeiten")
            );
            sweep.present.iter().map(ToString::to_string).collect()
        })
        .collect()
}

async fn sweeps_of(script: &Script, cursor: &Cursor) -> (Vec<Vec<String>>, Cursor) {
    let (pages, cursor) = pull_well(&*script.connector(), cursor).await;
    (swept(&pages), cursor)
}

#[tokio::test]
async fn only_a_whole_listing_that_ended_well_proves_anything() {
    let (one, two) = (record(1), record(2));
    let whole = lines(&[SCHEMA, &one, &two, &state("{}")]);
    let script = Script::new(&whole).with("streams", full());
    let (found, after) = sweeps_of(&script, &Cursor::start()).await;
    assert_eq!(found, [["1", "2"]]);

    // A stream that lists what is new proves nothing.
    let incremental = Script::new(&whole);
    assert!(sweeps_of(&incremental, &Cursor::start()).await.0.is_empty());

    // Neither does a run that failed, …
    script.rewrite(&lines(&[SCHEMA, &one, &state("{}"), "exit 1"]));
    let (pages, end) = pull(&*script.connector(), &after).await;
    assert!(end.is_err() && swept(&pages).is_empty());
    // … nor one that goes on behind it, …
    script.rewrite(&whole);
    let (found, after) = sweeps_of(&script, &pages[0].next).await;
    assert!(found.is_empty());
    // … but the next one does.
    assert_eq!(sweeps_of(&script, &after).await.0.len(), 1);

    // A program that says itself that it is in the middle is one that was cut short.
    script.rewrite(&lines(&[
        SCHEMA,
        &one,
        &state(r#"{"currently_syncing": "zeiten"}"#),
    ]));
    let (_, after) = sweeps_of(&script, &Cursor::start()).await;
    script.rewrite(&whole);
    assert!(sweeps_of(&script, &after).await.0.is_empty());
}

#[tokio::test]
async fn a_record_without_a_name_is_put_aside_and_ends_the_proof() {
    let stray = r#"say '{"type":"RECORD","stream":"zeiten","record":{"id":null,"note":"x"}}'"#;
    let script = Script::new(&lines(&[SCHEMA, &record(1), stray, stray])).with("streams", full());
    let connector = script.connector();
    let (pages, _) = pull_well(&*connector, &Cursor::start()).await;
    assert!(swept(&pages).is_empty());
    assert_eq!(pages[0].raw.len(), 2, "the same stray is one");
    let stray = pages[0]
        .raw
        .iter()
        .find(|raw| raw.id.as_str() != "1")
        .unwrap();
    let reject = connector.normalise(stray).unwrap_err();
    assert!(reject.to_string().contains("name a record"), "{reject}");
}

#[tokio::test]
async fn an_empty_listing_deletes_nothing_and_is_told() {
    let script = Script::new(&lines(&[SCHEMA, &state("{}")])).with("streams", full());
    let (pages, _) = pull_well(&*script.connector(), &Cursor::start()).await;
    assert!(swept(&pages).is_empty());
    assert_eq!(codes(&pages), ["listing-empty"]);
    script.rewrite(&lines(&[&state("{}")]));
    let (pages, _) = pull_well(&*script.connector(), &Cursor::start()).await;
    assert!(swept(&pages).is_empty());
    assert_eq!(codes(&pages), ["stream-not-seen"]);
}

fn versioned(id: u32, version: u32) -> String {
    record(id).replace(
        "\"time_extracted\"",
        &format!("\"version\":{version},\"time_extracted\""),
    )
}

fn activate(version: u32) -> String {
    format!(r#"say '{{"type":"ACTIVATE_VERSION","stream":"zeiten","version":{version}}}'"#)
}

#[tokio::test]
async fn a_new_version_is_a_whole_listing_and_an_old_one_is_not() {
    let script = Script::new(&lines(&[
        SCHEMA,
        &versioned(1, 7),
        &versioned(2, 7),
        &activate(7),
        &state("{}"),
    ]));
    let (found, after) = sweeps_of(&script, &Cursor::start()).await;
    assert_eq!(found, [["1", "2"]]);
    // The same version again: what came under it before is still there.
    script.rewrite(&lines(&[
        SCHEMA,
        &versioned(3, 7),
        &activate(7),
        &state("{}"),
    ]));
    let (found, after) = sweeps_of(&script, &after).await;
    assert!(found.is_empty(), "{found:?}");
    // Records of another version than the one that is named.
    script.rewrite(&lines(&[
        SCHEMA,
        &versioned(3, 8),
        &record(4),
        &activate(8),
        &state("{}"),
    ]));
    let (found, _) = sweeps_of(&script, &after).await;
    assert!(found.is_empty(), "{found:?}");
    script.rewrite(&lines(&[
        SCHEMA,
        &versioned(3, 9),
        &activate(9),
        &state("{}"),
    ]));
    assert_eq!(sweeps_of(&script, &after).await.0, [["3"]]);
}

async fn second_look(connector: &dyn Connector, id: &str) -> Presence {
    let absent = Absent {
        stream: Stream::Time,
        id: ExternalId::new(id),
        scope: "zeiten".to_owned(),
    };
    let answers = connector.confirm(&[absent]).await.unwrap();
    answers[0].1.clone()
}

#[tokio::test]
async fn a_second_listing_from_the_beginning_confirms() {
    let script = Script::new(&lines(&[
        "echo \"$#\" > \"$OUT/count\"",
        SCHEMA,
        &record(1),
        &state("{}"),
    ]))
    .with("streams", full());
    let connector = script.connector();
    assert_eq!(second_look(&*connector, "1").await, Presence::Present);
    let Presence::Gone(proof) = second_look(&*connector, "2").await else {
        panic!("it is in neither listing");
    };
    assert!(proof.contains("two whole listings"), "{proof}");
    assert_eq!(script.trace("count").trim(), "0", "without a state");
    script.rewrite(&lines(&[SCHEMA, &state("{}")]));
    assert_eq!(second_look(&*connector, "2").await, Presence::Unknown);
    script.rewrite(&lines(&[SCHEMA, &record(1), "exit 1"]));
    let absent = Absent {
        stream: Stream::Time,
        id: ExternalId::new("2"),
        scope: "zeiten".to_owned(),
    };
    assert!(connector.confirm(&[absent]).await.is_err());
}

#[tokio::test]
async fn the_program_calls_a_record_deleted() {
    let marked =
        |id: u32, column: &str| record(id).replace("\"hours\"", &format!("{column},\"hours\""));
    let mut streams = crate::world::zeiten();
    streams["zeiten"]["optional"] = json!({"deleted": "trash.at"});
    let script = Script::new(&lines(&[
        SCHEMA,
        &record(1),
        &marked(1, r#""_sdc_deleted_at":"2026-03-05T10:00:00Z""#),
        &marked(2, r#""trash":{"at":true}"#),
        &marked(3, r#""trash":{"at":false},"_sdc_deleted_at":null"#),
        &marked(4, r#""trash":{"at":"0"}"#),
        &marked(5, r#""trash":{"at":1}"#),
        // What came last is true.
        &record(5),
        &marked(6, r#""trash":{"at":"N"}"#),
        &marked(7, r#""trash":{"at":"Nein"}"#),
        &state("1"),
    ]))
    .with("streams", table(streams));
    let (pages, _) = pull_well(&*script.connector(), &Cursor::start()).await;
    assert_eq!(ids(&pages), ["3", "4", "5", "6", "7"]);
    let gone: Vec<(&str, &str)> = pages[0]
        .gone
        .iter()
        .map(|gone| (gone.id.as_str(), gone.proof.as_str()))
        .collect();
    assert_eq!(
        gone,
        [
            ("1", "_sdc_deleted_at 2026-03-05T10:00:00Z"),
            ("2", "trash.at true")
        ]
    );
}
