//! From columns to records: times, durations, timers, people, and every mistake in the tables.

use serde_json::{Value as Json, json};
use stundenbuch_connectors::contract::{Connector, Cursor};
use stundenbuch_connectors::error::Kind;
use stundenbuch_connectors::kind::{Value, ValueKind};
use stundenbuch_connectors::record::{Record, TaskState, TimeEntry, Worked};

use crate::world::{Script, lines, pull_well, refused, table, texts};

/// The records that this JSON becomes under a mapping, or the reasons why it does not.
async fn read(mapping: Json, rows: &[&str]) -> Vec<Result<Record, String>> {
    let mut shell = vec![
        r#"say '{"type":"SCHEMA","stream":"s","schema":{},"key_properties":["id"]}'"#.to_owned(),
    ];
    for (at, row) in rows.iter().enumerate() {
        shell.push(format!(
            "cat <<'ROW'\n{}{{\"id\":{},{row}}}}}\nROW",
            r#"{"type":"RECORD","stream":"s","record":"#,
            at + 1
        ));
    }
    let shell: Vec<&str> = shell.iter().map(String::as_str).collect();
    let script = Script::new(&lines(&shell)).with("streams", table(json!({"s": mapping})));
    let connector = script.connector();
    let (pages, _) = pull_well(&*connector, &Cursor::start()).await;
    let raw = pages.iter().flat_map(|page| &page.raw);
    raw.map(|raw| {
        let records = connector
            .normalise(raw)
            .map_err(|reject| reject.to_string())?;
        Ok(records[0].record.clone())
    })
    .collect()
}

async fn times(mapping: Json, rows: &[&str]) -> Vec<Result<TimeEntry, String>> {
    let records = read(mapping, rows).await.into_iter();
    records
        .map(|record| match record? {
            Record::TimeEntry(entry) => Ok(entry),
            other => panic!("{other:?}"),
        })
        .collect()
}

fn span(start: &str, stop: &str) -> Worked {
    Worked::Span {
        start: start.parse().unwrap(),
        stop: stop.parse().unwrap(),
    }
}

#[tokio::test]
async fn durations_are_exact_in_every_writing() {
    let columns = json!({"date": "d", "duration": "n"});
    let of = |unit: &str| json!({"record": "time", "duration": unit, "columns": columns});
    for (unit, number, seconds) in [
        ("hours", "0.1", 360),
        ("hours", "0.016666666666666666", 60),
        ("hours", "1.25", 4500),
        ("hours", "\"1,25\"", 4500),
        ("hours", "\"1:15\"", 4500),
        ("hours", "0", 0),
        ("hours", "-0.5", -1800),
        ("minutes", "90", 5400),
        ("minutes", "0.1", 6),
        ("minutes", "1.5e1", 900),
        ("seconds", "5400.0", 5400),
        ("seconds", "\"61\"", 61),
    ] {
        let row = format!(r#""d":"2026-03-02","n":{number}"#);
        let found = times(of(unit), &[&row]).await.remove(0).unwrap();
        assert_eq!(found.worked.seconds(), Some(seconds), "{number} {unit}");
    }
}

#[tokio::test]
async fn times_are_read_with_their_zone_or_ours() {
    let both = json!({"record": "time", "columns": {"start": "a", "end": "b"}});
    let rows = [
        r#""a":"2026-03-02T08:00:00.123456Z","b":"2026-03-02T09:30:00.9Z""#,
        r#""a":"2026-03-02T09:00:00+01:00","b":"2026-03-02T10:30:00+0100""#,
        r#""a":"2026-03-02 09:00","b":"2026-03-02 10:30:00""#,
        r#""a":"2026-03-02T08:00:00Z","b":null"#,
        r#""a":"yesterday","b":null"#,
        r#""a":{"x":1},"b":null"#,
    ];
    let found = times(both, &rows).await;
    let wanted = span("2026-03-02T08:00:00Z", "2026-03-02T09:30:00Z");
    for entry in &found[..3] {
        assert_eq!(entry.as_ref().unwrap().worked, wanted);
    }
    let running = Worked::Running {
        start: "2026-03-02T08:00:00Z".parse().unwrap(),
    };
    assert_eq!(found[3].as_ref().unwrap().worked, running);
    assert!(
        found[4]
            .as_ref()
            .unwrap_err()
            .starts_with("start: `yesterday`"),
        "{found:?}"
    );
    assert!(
        found[5].as_ref().unwrap_err().contains("is a table"),
        "{found:?}"
    );

    for (style, a, b) in [
        ("unix-seconds", "1772438400", "1772443800.5"),
        ("unix-milliseconds", "\"1772438400999\"", "1772443800000"),
    ] {
        let unix = json!({"record": "time", "times": style, "columns": {"start": "a", "end": "b"}});
        let row = format!(r#""a":{a},"b":{b}"#);
        let entry = times(unix, &[&row]).await.remove(0).unwrap();
        assert_eq!(entry.worked, wanted, "{style}");
    }
}

/// In the night of 25 October 2026 the hour from 2 to 3 comes twice.
#[tokio::test]
async fn the_two_nights_are_read_as_imports_read_them() {
    let mapping = json!({"record": "time",
        "columns": {"date": "d", "start": "a", "end": "b"}, "optional": {"duration": "h"}});
    let rows = [
        r#""d":"2026-10-25","a":"01:30","b":"03:30","h":"3:00:00""#,
        r#""d":"2026-10-25T00:00:00.000000Z","a":"22:00","b":"01:00""#,
        r#""d":"2026-10-25T08:15:00Z","a":"01:30","b":"03:30""#,
    ];
    let found = times(mapping, &rows).await;
    assert_eq!(found[0].as_ref().unwrap().worked.seconds(), Some(10_800));
    let over = span("2026-10-25T21:00:00Z", "2026-10-26T00:00:00Z");
    assert_eq!(found[1].as_ref().unwrap().worked, over);
    assert!(found[2].as_ref().unwrap_err().contains("map it as `start`"));
}

#[tokio::test]
async fn a_running_timer_stays_the_same_while_it_runs() {
    let mapping = json!({"record": "time", "duration": "seconds",
        "columns": {"date": "d", "start": "a", "duration": "n", "running": "is_running"}});
    let rows = [
        r#""d":"2026-03-02","a":"09:00","n":60,"is_running":true"#,
        r#""d":"2026-03-02","a":"09:00","n":120,"is_running":true"#,
        r#""d":"2026-03-02","a":"09:00","n":120,"is_running":false"#,
        r#""d":"2026-03-02","a":null,"n":120,"is_running":true"#,
    ];
    let found = times(mapping, &rows).await;
    assert_eq!(found[0], found[1]);
    assert_eq!(found[0].as_ref().unwrap().worked.seconds(), None);
    assert_eq!(found[2].as_ref().unwrap().worked.seconds(), Some(120));
    assert!(found[3].as_ref().unwrap_err().contains("the timer runs"));
}

#[tokio::test]
async fn who_what_and_for_whom() {
    let mapping = json!({"record": "time",
        "columns": {"date": "d", "duration": "n", "person": ["who.alias", "who.name"],
            "person_id": "who.id", "project": "p.name", "project_id": "p.id",
            "task_id": "t", "tags": "tags.name", "billable": "b"},
        "optional": {"description": "text"},
        "constants": {"client": "ACME", "description": "(ohne Text)"},
        "billable": {"yes": ["ja"], "no": ["nein"]}});
    let rows = [
        r#""d":"2026-03-02","n":1,"who":{"id":9.0,"alias":"","name":"Ökonomin"},
           "p":{"name":"Halle","id":"h1"},"t":4,"tags":[{"name":"b"},{"name":"a"},{"name":"b"}],
           "b":"Ja","text":"Plan""#,
        r#""d":"2026-03-02","n":1,"who":null,"p":null,"t":null,"tags":[],"b":true"#,
        r#""d":"2026-03-02","n":1,"b":"vielleicht""#,
    ]
    .map(|row| row.replace('\n', " "));
    let rows: Vec<&str> = rows.iter().map(String::as_str).collect();
    let found = times(mapping, &rows).await;
    let one = serde_json::to_value(found[0].as_ref().unwrap()).unwrap();
    assert_eq!(
        one,
        json!({"worked": {"how": "day", "date": "2026-03-02", "seconds": 3600},
            "description": "Plan", "person": {"id": "9", "name": "Ökonomin"},
            "client": {"name": "ACME"}, "project": {"id": "h1", "name": "Halle"},
            "task": {"id": "4"}, "tags": ["a", "b"], "billable": true})
    );
    let two = serde_json::to_value(found[1].as_ref().unwrap()).unwrap();
    assert_eq!(
        two,
        json!({"worked": {"how": "day", "date": "2026-03-02", "seconds": 3600},
            "description": "(ohne Text)", "client": {"name": "ACME"}, "billable": true})
    );
    assert!(
        found[2]
            .as_ref()
            .unwrap_err()
            .starts_with("billable: `vielleicht`")
    );
}

#[tokio::test]
async fn tasks_files_people_projects_and_expenses() {
    let task = json!({"record": "tasks", "done": ["Done", "Closed"], "tags_separator": ",",
        "columns": {"title": "name", "done": "status", "due": "due", "tags": "labels",
            "duration": "spent", "archived": "old"}});
    let rows = [
        r#""name":"A","status":"closed","due":"2026-03-02","labels":"b, a","spent":1.5,"old":true"#,
        r#""name":"B","status":"In progress","old":0"#,
        r#""name":null,"status":"x""#,
    ];
    let found = read(task, &rows).await;
    let Ok(Record::Task(one)) = &found[0] else {
        panic!("{found:?}")
    };
    assert_eq!(
        (one.state, one.archived, one.tracked_seconds),
        (TaskState::Done, true, Some(5400))
    );
    assert_eq!(one.labels, ["a", "b"]);
    assert_eq!(
        one.due,
        Some("2026-03-01T23:00:00Z".parse().unwrap()),
        "midnight in Berlin"
    );
    let Ok(Record::Task(two)) = &found[1] else {
        panic!("{found:?}")
    };
    assert_eq!((two.state, two.archived), (TaskState::Open, false));
    assert_eq!(found[2], Err("title: is missing".to_owned()));

    let file = json!({"record": "files",
        "columns": {"path": "p", "size": "s", "modified": "m", "version": "v"}});
    let rows = [
        r#""p":"A/ü.pdf","s":1e3,"m":"2026-03-02T08:00:00Z","v":5"#,
        r#""p":"x","s":1.5"#,
    ];
    let found = read(file, &rows).await;
    let Ok(Record::File(one)) = &found[0] else {
        panic!("{found:?}")
    };
    assert_eq!((one.size, one.version.as_deref()), (Some(1000), Some("5")));
    assert!(found[1].as_ref().unwrap_err().starts_with("size:"));

    let person = json!({"record": "people", "columns": {"first_name": "f", "last_name": "l"}});
    let found = read(person, &[r#""f":"Ida","l":"Bär""#, r#""f":"","l":null"#]).await;
    assert!(matches!(&found[0], Ok(Record::Person(person)) if person.name == "Ida Bär"));
    assert!(found[1].is_err());

    let expense = json!({"record": "expenses", "columns": {"date": "d", "amount": "a"},
        "constants": {"currency": "eur"}});
    let rows = [
        r#""d":"2026-03-02","a":19.99"#,
        r#""d":"2026-03-02","a":"-0.10""#,
        r#""d":"2026-03-02","a":0.125"#,
        r#""d":"2026-03-02","a":"1.234,56""#,
        r#""d":"2026-03-02","a":2.00"#,
    ];
    let found = read(expense, &rows).await;
    let cents: Vec<_> = found
        .iter()
        .map(|record| match record {
            Ok(Record::Expense(expense)) => {
                assert_eq!(expense.currency.as_deref(), Some("EUR"));
                Some(expense.amount_cents)
            }
            _ => None,
        })
        .collect();
    assert_eq!(cents, [Some(1999), Some(-10), None, None, Some(200)]);
}

/// The faults of a table as the configuration tells them.
fn faults(key: &str, json: Json) -> Vec<String> {
    let setting = crate::world::entry().kind.setting(key).unwrap();
    let ValueKind::Table(check) = setting.value else {
        panic!("{key} is no table")
    };
    let Json::Object(table) = json else {
        panic!("{json}")
    };
    let told = |fault: stundenbuch_connectors::kind::Fault| {
        let fix = fault.fix.map(|fix| format!("; {fix}")).unwrap_or_default();
        format!("{} {}{fix}", fault.path.join("."), fault.what)
    };
    (check.0)(&table).into_iter().map(told).collect()
}

#[test]
fn every_mistake_in_a_mapping_is_told_at_once_with_its_place() {
    let found = faults(
        "streams",
        json!({
            "a": {"record": "tiem"},
            "b": {"columns": {}},
            "c": {"record": "time", "colums": {}, "duration": "hour", "dates": 3,
                "columns": {"strat": "x", "date": "d", "duration": 7},
                "constants": {"start": "x", "client": 5}},
            "d": {"record": "time", "prefix": "d-", "columns": {"date": "d", "running": "r"}},
            "e": {"record": "tasks", "columns": {"notes": "n"},
                "billable": {"yes": ["1"], "no": ["1"]}},
            "f": {"record": "people", "columns": {"name": "n"}},
            "g": {"record": "people", "columns": {"name": "n"}},
            "h": 3
        }),
    );
    let wanted = [
        "a.record `tiem` is no kind of record; did you mean `time`?",
        "b does not say what its records are; write record = \"time\", say",
        "c.colums is not known; did you mean `columns`?",
        "c.dates must be a text",
        "c.duration `hour` is not known; did you mean `hours`?",
        "c.columns.duration must be a column's path",
        "c.columns.strat is no field of `time`; did you mean `start`?",
        "c.constants.client must be a text",
        "c.constants.start cannot be the same",
        "c.columns needs `end` or `duration`",
        "d.columns needs `end` or `duration`",
        "e.billable has `1` for yes and for no",
        "e.columns needs `title`",
        "g gives the same kind of record as `f`; give one of them a `prefix`",
        "h must be a table",
    ];
    for wanted in wanted {
        let told = found.iter().filter(|told| told.starts_with(wanted)).count();
        assert_eq!(told, 1, "{wanted}: {found:#?}");
    }
    assert_eq!(found.len(), wanted.len(), "{found:#?}");
    assert_eq!(faults("streams", json!({})).len(), 1);
    assert!(faults("streams", crate::world::zeiten()).is_empty());
}

#[test]
fn a_secret_in_the_tables_is_told_and_not_repeated() {
    let found = faults(
        "config",
        json!({"api_key": "abc123", "user": "x", "login": {"refreshToken": "def456"},
            "client_secret": "{credential_2}", "tokens": 3, "keyword": "x", "password": ""}),
    );
    assert_eq!(found.len(), 2, "{found:?}");
    assert!(found[0].starts_with("api_key a secret") && found[1].starts_with("login.refreshToken"));
    assert!(!format!("{found:?}").contains("abc123"));
    let found = faults("environment", json!({"A": 1, "B=": "x", "TAP_TOKEN": "x"}));
    assert_eq!(found.len(), 3, "{found:?}");
}

#[test]
fn settings_that_cannot_work_together_are_told_at_once() {
    let error = refused(&[
        ("command", texts(&["tap-x", "--key={credential}"])),
        ("config", table(json!({"key": "{credential}"}))),
        ("environment", table(json!({"KEY": "{credential_3}"}))),
        ("streams", table(json!({"s": {"record": "time"}}))),
        ("time_zone", Value::Text("Berlin".to_owned())),
        ("select", Value::Text("catalogue".to_owned())),
    ]);
    assert_eq!(error.kind(), Kind::Settings);
    let text = error.to_string();
    for part in [
        "whole path",
        "does not belong on the command line",
        "`config` has {credential}",
        "`environment` has {credential_3}",
        "`streams.s.columns` needs `date`",
        "`time_zone`",
        "did you mean `catalog`?",
    ] {
        assert!(text.contains(part), "{part}: {text}");
    }
    assert_eq!(refused(&[]).kind(), Kind::Settings);
}

#[test]
fn a_connector_is_not_needed_to_read_what_it_once_received() {
    let connect = |streams: Json| -> Box<dyn Connector> {
        crate::world::build(&[
            ("command", texts(&["/opt/tap"])),
            ("streams", table(streams)),
        ])
        .unwrap()
    };
    let other = connect(json!({"other": {"record": "people", "columns": {"name": "n"}}}));
    let raw = stundenbuch_connectors::contract::Raw {
        stream: stundenbuch_connectors::record::Stream::Time,
        id: stundenbuch_connectors::record::ExternalId::new("1"),
        body: r#"{"mapping":{"record":"time","columns":{"date":["d"],"duration":["n"]},
            "zone":"Europe/Berlin"},"record":{"d":"2026-03-02","n":0.5}}"#
            .to_owned(),
        scope: "zeiten".to_owned(),
    };
    assert_eq!(
        other.normalise(&raw),
        connect(crate::world::zeiten()).normalise(&raw)
    );
    assert!(other.normalise(&raw).is_ok());
}
