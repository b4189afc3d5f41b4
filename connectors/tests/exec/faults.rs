//! What a program does wrong: it is ended, told by its name, and what it handed over stays.

use std::sync::Arc;
use std::time::Duration;

use serde_json::json;
use stundenbuch_connectors::clock::{Clock as _, SystemClock};
use stundenbuch_connectors::contract::{Connector, Cursor, Pull};
use stundenbuch_connectors::error::{Error, Kind};
use stundenbuch_connectors::kind::Value;

use crate::world::{
    SCHEMA, Script, ids, lines, lives, pull, pull_well, record, state, texts, until,
};

/// The error of a pull that brings nothing.
async fn fails(script: Script) -> Error {
    let (pages, end) = pull(&*script.connector(), &Cursor::start()).await;
    assert!(pages.is_empty(), "{pages:?}");
    end.unwrap_err()
}

#[tokio::test]
async fn rows_up_to_a_state_are_kept_with_it_and_those_behind_it_come_again() {
    let script = Script::new(&lines(&[
        SCHEMA,
        &record(1),
        &state(r#"{"bookmark": 1}"#),
        &record(2),
        "echo 'CRITICAL the server said 500' >&2",
        "exit 3",
    ]));
    let connector = script.connector();
    let (pages, end) = pull(&*connector, &Cursor::start()).await;
    // Both rows are true, so both are kept; the state stands before the second.
    assert_eq!(ids(&pages), ["1", "2"]);
    let cursor = pages[0].next.clone();
    assert!(
        cursor
            .as_str()
            .unwrap()
            .contains(r#""state":{"bookmark": 1}"#),
        "{cursor:?}"
    );
    assert!(pages[0].swept.is_empty());
    let error = end.unwrap_err();
    assert_eq!(error.kind(), Kind::Unavailable);
    let text = error.to_string();
    assert!(
        text.contains("exit code 3") && text.contains("the server said 500"),
        "{text}"
    );

    script.rewrite(&lines(&[
        "cat \"$2\" > \"$OUT/state\"; echo \"$1\" > \"$OUT/flag\"",
        SCHEMA,
        &record(2),
        &record(3),
        &state(r#"{"bookmark": 3}"#),
    ]));
    let (pages, cursor) = pull_well(&*script.connector(), &cursor).await;
    assert_eq!(ids(&pages), ["2", "3"]);
    assert_eq!(
        script.trace("state"),
        r#"{"bookmark": 1}"#,
        "as it was said, to the byte"
    );
    assert_eq!(script.trace("flag").trim(), "--state");
    assert!(
        cursor
            .as_str()
            .unwrap()
            .contains(r#""state":{"bookmark": 3}"#)
    );
}

#[tokio::test]
async fn without_any_state_the_next_run_begins_at_the_beginning() {
    let script = Script::new(&lines(&[
        SCHEMA,
        "echo \"$#\" >> \"$OUT/count\"",
        &record(1),
    ]));
    let (pages, cursor) = pull_well(&*script.connector(), &Cursor::start()).await;
    assert_eq!(ids(&pages), ["1"]);
    let (pages, again) = pull_well(&*script.connector(), &cursor).await;
    assert_eq!(ids(&pages), ["1"]);
    assert_eq!(cursor, again);
    assert_eq!(script.trace("count"), "0\n0\n");
}

#[tokio::test]
async fn half_a_line_is_no_record() {
    let half = r#"printf '{"type":"RECORD","stream":"zeiten","rec'"#;
    for (end, part) in [("", "in the middle of a line"), ("kill -9 $$", "signal 9")] {
        let script = Script::new(&lines(&[SCHEMA, &record(1), &state("1"), half, end]));
        let (pages, outcome) = pull(&*script.connector(), &Cursor::start()).await;
        assert_eq!(ids(&pages), ["1"]);
        let error = outcome.unwrap_err();
        assert_eq!(error.kind(), Kind::Unavailable, "{error}");
        assert!(error.to_string().contains(part), "{error}");
    }
    // A last line without an end is a line.
    let script = Script::new(&lines(&[
        SCHEMA,
        &record(1),
        r#"printf '{"type":"STATE","value":7}'"#,
    ]));
    let (_, cursor) = pull_well(&*script.connector(), &Cursor::start()).await;
    assert!(
        cursor.as_str().unwrap().contains(r#""state":7"#),
        "{cursor:?}"
    );
}

/// Enough for a part, and the STATE that ends it is a line without an end.
#[tokio::test]
async fn nothing_is_lost_before_a_last_line_without_an_end() {
    let row = record(7).replace("\"id\":7", "\"id\":'$id'");
    let script = Script::new(&lines(&[
        SCHEMA,
        "id=0; while [ $id -lt 250 ]; do id=$((id+1))",
        &row,
        "done",
        r#"printf '{"type":"STATE","value":250}'"#,
    ]));
    let (pages, cursor) = pull_well(&*script.connector(), &Cursor::start()).await;
    assert_eq!(ids(&pages).len(), 250);
    assert!(cursor.as_str().unwrap().contains(r#""state":250"#));
}

/// Nobody asks for the next part until the time is over: the cursor goes no further than what is
/// handed over.
#[tokio::test]
async fn a_run_that_is_ended_while_it_waits_for_us_loses_nothing() {
    let row = record(7).replace("\"id\":7", "\"id\":'$id'");
    let script = Script::new(&lines(&[
        SCHEMA,
        "id=0; while [ $id -lt 2000 ]; do id=$((id+1))",
        &row,
        r#"if [ $((id % 200)) = 0 ]; then say '{"type":"STATE","value":'$id'}'; fi; done"#,
    ]))
    .with("seconds_max", Value::Count(2));
    let connector = script.connector();
    let first = connector
        .pull(&Cursor::start(), &Pull::Changes)
        .await
        .unwrap();
    let clock = SystemClock;
    clock.sleep(Duration::from_millis(2500)).await;
    let (pages, end) = pull(&*connector, &first.next).await;
    assert!(end.unwrap_err().to_string().contains("took too long"));
    let last = &pages.last().unwrap().next;
    let mut rows = ids(&pages);
    rows.extend(first.raw.iter().map(|raw| raw.id.to_string()));
    for state in (200..=2000).step_by(200) {
        let reached = last
            .as_str()
            .unwrap()
            .contains(&format!("\"state\":{state},"));
        let missing = (1..=state).find(|id: &u32| !rows.contains(&id.to_string()));
        assert!(!reached || missing.is_none(), "{missing:?} of {state}");
    }
    assert!(rows.len() >= 600, "{} rows", rows.len());
}

#[tokio::test]
async fn what_is_no_protocol_is_told() {
    for (line, kind, part) in [
        (
            "echo Starting",
            Kind::Protocol,
            "no message of the Singer protocol",
        ),
        ("printf '\\377\\376\\n'", Kind::Protocol, "no text in UTF-8"),
        ("exit 0", Kind::Protocol, "said nothing"),
        (
            r#"say '{"type":"BATCH","stream":"zeiten"}'"#,
            Kind::Unsupported,
            "BATCH",
        ),
        (
            r#"say '{"type":"RECORD","stream":"zeiten","record":{"id":1}}'"#,
            Kind::Protocol,
            "before the stream's SCHEMA",
        ),
        (
            r#"say '{"type":"SCHEMA","stream":"zeiten","schema":{},"key_properties":[]}'"#,
            Kind::Settings,
            "what names a record",
        ),
        (
            "head -c 17000000 /dev/zero | tr '\\0' x",
            Kind::Protocol,
            "a line without an end",
        ),
    ] {
        let error = fails(Script::new(&lines(&[line]))).await;
        assert_eq!(error.kind(), kind, "{error}");
        assert!(error.to_string().contains(part), "{error}");
    }
}

#[tokio::test]
async fn a_program_that_is_not_there_is_told() {
    for (command, part) in [("/nowhere/tap", "No such file"), ("/etc/passwd", "denied")] {
        let error = fails(Script::new("").with("command", texts(&[command]))).await;
        assert_eq!(error.kind(), Kind::Settings, "{error}");
        assert!(error.to_string().contains(part), "{error}");
    }
}

#[tokio::test]
async fn limits_end_the_program() {
    let endless = r#"while :; do say '{"type":"STATE","value":1}'; done"#;
    let many = |count: u32| {
        let numbers: Vec<String> = (1..=count).map(record).collect();
        lines(&[SCHEMA, &numbers.join("\n"), &state("1")])
    };
    let one = |key, value| (key, Value::Count(value));
    for (shell, (key, value), kind, part) in [
        (
            lines(&[endless]),
            one("seconds_max", 1),
            Kind::Unavailable,
            "took too long",
        ),
        (
            lines(&[SCHEMA, "sleep 100"]),
            one("silent_seconds_max", 1),
            Kind::Unavailable,
            "says nothing any more",
        ),
        (
            lines(&["head -c 2000000 /dev/zero | tr '\\0' '\\n'"]),
            one("output_mib_max", 1),
            Kind::Settings,
            "output_mib_max",
        ),
        (
            many(3),
            one("records_max", 2),
            Kind::Settings,
            "records_max",
        ),
    ] {
        let script = Script::new(&shell).with(key, value);
        let (_, end) = pull(&*script.connector(), &Cursor::start()).await;
        let error = end.unwrap_err();
        let told = format!("{error} {}", error.advice().unwrap_or_default());
        assert_eq!(error.kind(), kind, "{told}");
        assert!(told.contains(part), "{told}");
        assert_eq!(
            std::fs::read_dir(script.runs()).unwrap().count(),
            0,
            "{part}"
        );
    }
}

/// Shell that starts a child which would live for long, and leaves both numbers.
const CHILD: &str = "sleep 1000 & echo $! > \"$OUT/child\"; echo $$ > \"$OUT/self\"";

fn nobody_is_left(script: &Script) {
    for who in ["self", "child"] {
        let id = script.trace(who);
        assert!(!id.is_empty(), "{who} was never there");
        until(&format!("{who} ends"), || !lives(&id));
    }
}

#[tokio::test]
async fn a_program_ends_with_all_that_it_started() {
    // It fails, it is silent, or it ends well and leaves a child that holds its output open.
    for (last, limit) in [("exit 1", 100), ("sleep 1000", 1), ("exit 0", 100)] {
        let script = Script::new(&lines(&[SCHEMA, CHILD, last]))
            .with("silent_seconds_max", Value::Count(limit));
        let (_, end) = pull(&*script.connector(), &Cursor::start()).await;
        assert_eq!(end.is_ok(), last == "exit 0", "{last}: {end:?}");
        nobody_is_left(&script);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_run_that_nobody_wants_any_more_is_ended() {
    let rows: Vec<String> = (1..=600).map(record).collect();
    let shell = lines(&[SCHEMA, CHILD, &rows.join("\n"), &state("1"), "sleep 1000"]);

    // The connector is dropped between two pages, as when the daemon stops.
    let script = Script::new(&shell);
    let connector = script.connector();
    let page = connector
        .pull(&Cursor::start(), &Pull::Changes)
        .await
        .unwrap();
    assert!(page.more && page.raw.len() == 600);
    assert!(lives(&script.trace("self")));
    drop(connector);
    nobody_is_left(&script);
    until("its files are gone", || {
        std::fs::read_dir(script.runs()).unwrap().count() == 0
    });

    // The pull itself is given up while the program is silent.
    let script = Script::new(&lines(&[SCHEMA, CHILD, "sleep 1000"]));
    let connector: Arc<dyn Connector> = Arc::from(script.connector());
    let asked = Arc::clone(&connector);
    let task = tokio::spawn(async move { asked.pull(&Cursor::start(), &Pull::Changes).await });
    while script.trace("self").is_empty() {
        tokio::task::yield_now().await;
    }
    task.abort();
    assert!(task.await.is_err());
    nobody_is_left(&script);
}

#[tokio::test]
async fn a_long_run_comes_in_parts_and_waits_for_us() {
    // 12,000 rows, and a STATE behind each 1,000.
    let row = record(7).replace("\"id\":7", "\"id\":'$id'");
    let script = Script::new(&lines(&[
        SCHEMA,
        "id=0; while [ $id -lt 12000 ]; do id=$((id+1))",
        &row,
        r#"if [ $((id % 1000)) = 0 ]; then say '{"type":"STATE","value":'$id'}'; fi; done"#,
        "echo done > \"$OUT/done\"",
    ]));
    let connector = script.connector();
    let first = connector
        .pull(&Cursor::start(), &Pull::Changes)
        .await
        .unwrap();
    assert_eq!(first.raw.len(), 1000);
    assert!(
        first.next.as_str().unwrap().contains(r#""state":1000"#),
        "{:?}",
        first.next
    );
    assert_eq!(script.trace("done"), "", "it went on without being asked");
    let (pages, _) = pull_well(&*connector, &first.next).await;
    let rows: usize = pages.iter().map(|page| page.raw.len()).sum();
    assert_eq!((pages.len(), rows), (12, 11_000));

    // Without any STATE, memory is the limit.
    let script = Script::new(&lines(&[
        SCHEMA,
        "id=0; while [ $id -lt 12000 ]; do id=$((id+1))",
        &row,
        "done",
    ]));
    let (pages, _) = pull_well(&*script.connector(), &Cursor::start()).await;
    let sizes: Vec<usize> = pages.iter().map(|page| page.raw.len()).collect();
    assert_eq!(sizes, [5000, 5000, 2000]);
}

#[tokio::test]
async fn the_standard_error_is_heard_to_its_end_and_kept_in_part() {
    let script = Script::new(&lines(&[
        SCHEMA,
        "i=0; while [ $i -lt 4000 ]; do i=$((i+1)); echo \"INFO line $i of a long log\" >&2; done",
        "echo 'CRITICAL 401 Client Error: Unauthorized' >&2",
        "exit 1",
    ]));
    let error = fails(script).await;
    assert_eq!(error.kind(), Kind::Auth);
    let text = error.to_string();
    assert!(
        text.contains("line 4000") && !text.contains("line 3900"),
        "{text}"
    );
    assert!(text.len() < 1500, "{} bytes", text.len());
}

#[tokio::test]
async fn check_tells_what_the_program_has() {
    let discover = r#"if [ "$1" = --discover ]; then
        echo '{"streams": [{"tap_stream_id": "zeiten", "schema": {}}, {"stream": "kunden"}]}'
        exit 0
    fi"#;
    let script = Script::new(discover).with("select", Value::Text("catalog".to_owned()));
    let identity = script.connector().check().await.unwrap();
    assert!(identity.account.contains("/bin/sh"), "{identity:?}");
    assert_eq!(identity.details, ["has the streams zeiten, kunden"]);

    let other = json!({"zeitn": {"record": "people", "columns": {"name": "n"}}});
    let script = script.with("streams", crate::world::table(other));
    let error = script.connector().check().await.unwrap_err();
    assert_eq!(error.kind(), Kind::Settings);
    assert!(
        error
            .to_string()
            .contains("no stream `zeitn` (did you mean"),
        "{error}"
    );

    let script = Script::new("echo nothing").with("select", Value::Text("catalog".to_owned()));
    let error = script.connector().check().await.unwrap_err();
    assert!(error.to_string().contains("no catalog"), "{error}");
    assert!(error.advice().unwrap().contains("select = \"none\""));

    // Where it cannot discover, its first word is waited for and no more.
    let script = Script::new(&lines(&[SCHEMA, CHILD, "sleep 1000"]));
    let identity = script.connector().check().await.unwrap();
    assert!(identity.details[0].contains("Singer"), "{identity:?}");
}
