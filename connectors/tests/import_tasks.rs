//! The formats that bring tasks, projects and people: Asana's JSON and CSV, Toggl's workspace.

#![allow(
    clippy::unwrap_used,
    clippy::print_stdout,
    reason = "what tests share may panic, and skips are told"
)]

use std::path::PathBuf;

use chrono::NaiveDate;
use stundenbuch_connectors::contract::Raw;
use stundenbuch_connectors::import::{
    self, DateOrder, Format, Options, Problem, ReadError, asana_csv::AsanaCsv,
    asana_json::AsanaJson, toggl_workspace::TogglWorkspace,
};
use stundenbuch_connectors::record::{Project, Record, Task, TaskState, Worked};

fn options() -> Options {
    Options {
        time_zone: chrono_tz::Europe::Berlin,
        dates: DateOrder::Detect,
    }
}

fn raws(format: &dyn Format, bytes: &[u8]) -> Result<Vec<Raw>, Vec<Problem>> {
    let mut raws = Vec::new();
    let mut input = bytes;
    let read = format.read(&mut input, &options(), &mut |raw| {
        raws.push(raw);
        Ok(())
    });
    match read {
        Ok(()) => Ok(raws),
        Err(ReadError::Refused(refusal)) => Err(refusal.problems),
        Err(ReadError::Sink(error)) => panic!("{error}"),
    }
}

fn records(format: &dyn Format, text: &str) -> Vec<(String, Record)> {
    let raws = raws(format, text.as_bytes()).unwrap_or_else(|problems| panic!("{problems:?}"));
    raws.iter()
        .flat_map(|raw| {
            let records = format.normalise(raw).unwrap();
            assert!(records.iter().all(|one| one.record.stream() == raw.stream));
            assert_eq!(raw.scope, format.name());
            records
                .into_iter()
                .map(|one| (one.id.as_str().to_owned(), one.record))
        })
        .collect()
}

fn tasks(format: &dyn Format, text: &str) -> Vec<(String, Task)> {
    let task = |(id, record)| match record {
        Record::Task(task) => (id, task),
        other => panic!("{other:?}"),
    };
    records(format, text).into_iter().map(task).collect()
}

fn problems(format: &dyn Format, text: &str) -> Vec<String> {
    let problems = raws(format, text.as_bytes()).unwrap_err();
    problems.iter().map(ToString::to_string).collect()
}

fn assert_refused(format: &dyn Format, text: &str, reason: &str) {
    let problems = problems(format, text);
    assert!(problems[0].contains(reason), "{text}: {problems:?}");
}

fn sample(path: &str) -> Option<PathBuf> {
    let shared = std::env::var_os("STUNDENBUCH_SHARED").map_or_else(
        || PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../shared"),
        PathBuf::from,
    );
    let path = shared.join("data").join(path);
    if path.exists() {
        return Some(path);
    }
    println!("SKIPPED: no sample {}", path.display());
    None
}

/// Whatever a file is cut to or changed to, reading it ends, with records or with reasons.
fn survives_damage(format: &dyn Format, text: &str) {
    for end in 0..text.len() {
        let _ = raws(format, &text.as_bytes()[..end]);
        for byte in [b'"', b'{', b'0', b',', b'\n', 0xFF] {
            let mut damaged = text.as_bytes().to_vec();
            damaged[end] = byte;
            if let Err(problems) = raws(format, &damaged) {
                assert!(!problems.is_empty());
            }
        }
    }
}

const EXPORT: &str = r#"{"data":[
 {"gid":"1","resource_type":"task","name":"Statik prüfen","notes":"Mit Ingenieur\nabstimmen",
  "completed":false,"completed_at":"2026-10-09T08:00:00Z","created_at":"2026-10-01T08:00:00.147Z",
  "due_on":"2026-10-12","actual_time_minutes":75,"assignee":{"gid":"9","name":"Person 01"},
  "memberships":[{"project":{"gid":"7","name":"Halle 3"},"section":{"gid":"8","name":"In Arbeit"}}],
  "tags":[{"gid":"5","name":"Eilt"}],"permalink_url":"https://app.asana.com/0/7/1",
  "custom_fields":[{"name":"Status","display_value":"blau"},{"name":"Leer","display_value":null}],
  "subtasks":[
   {"gid":"2","resource_type":"task","name":"Fotos","completed":true,
    "completed_at":"2026-10-03T10:00:00Z","actual_time_minutes":0.5,"subtasks":[
     {"gid":"3","resource_type":"task","name":"Tief","subtasks":[]}]},
   {"gid":"4","resource_type":"task","name":"Auch oben","subtasks":[]}]},
 {"gid":"4","resource_type":"task","name":"Auch oben","projects":[{"gid":"6","name":"Anderes"}]}
]}"#;

#[test]
fn an_asana_export_brings_tasks_and_their_subtasks() {
    let tasks = tasks(&AsanaJson, EXPORT);
    let ids: Vec<_> = tasks.iter().map(|(id, _)| id.as_str()).collect();
    assert_eq!(
        ids,
        ["1", "4", "2", "3"],
        "each once, and at the top where it stands there"
    );
    let task = &tasks[0].1;
    assert_eq!(
        (task.title.as_str(), task.state),
        ("Statik prüfen", TaskState::Open)
    );
    assert_eq!(task.notes, "Mit Ingenieur\nabstimmen");
    assert_eq!(task.done_at, None, "a task that is open again was not done");
    assert_eq!(task.due.unwrap().to_rfc3339(), "2026-10-12T00:00:00+00:00");
    assert_eq!(task.tracked_seconds, Some(4_500));
    assert_eq!(
        task.section.as_ref().unwrap().name.as_deref(),
        Some("In Arbeit")
    );
    assert_eq!(task.assignees[0].name.as_deref(), Some("Person 01"));
    assert_eq!(task.labels, ["Eilt"]);
    assert_eq!(task.fields.len(), 1);
    assert_eq!(task.fields["Status"], "blau");
    let project = |at: usize| tasks[at].1.project.as_ref().unwrap().name.as_deref();
    assert_eq!(
        project(1),
        Some("Anderes"),
        "its own project, not its parent's"
    );
    let sub = &tasks[2].1;
    assert_eq!(
        (sub.state, sub.tracked_seconds),
        (TaskState::Done, Some(30))
    );
    assert_eq!(sub.fields["Parent task"], "Statik prüfen");
    assert_eq!((project(2), project(3)), (Some("Halle 3"), Some("Halle 3")));
    assert_eq!(tasks[3].1.fields["Parent task"], "Fotos");
    // The raw record holds the task as Asana wrote it.
    let raws = raws(&AsanaJson, EXPORT.as_bytes()).unwrap();
    assert!(
        raws[3]
            .body
            .contains(r#"{"gid":"3","resource_type":"task","name":"Tief""#)
    );
}

#[test]
fn asana_entries_are_days_with_seconds() {
    let text = r#"{"data":{"gid":"1","resource_type":"time_tracking_entry","duration_minutes":12,
        "entered_on":"2026-03-14","attributable_to":{"gid":"7","resource_type":"project",
        "name":"Halle 3"},"created_by":{"gid":"9","name":"Person 01"},"billable_status":
        "nonBillable","categories":[{"name":"B"},{"name":"A"},{"name":"B"}],"description":"x"}}"#;
    let records = records(&AsanaJson, text);
    let Record::TimeEntry(entry) = &records[0].1 else {
        panic!()
    };
    let date = NaiveDate::from_ymd_opt(2026, 3, 14).unwrap();
    assert_eq!(entry.worked, Worked::Day { date, seconds: 720 });
    assert_eq!(
        (entry.billable, entry.tags.as_slice()),
        (Some(false), &["A".into(), "B".into()][..])
    );
    assert_eq!(
        entry.project.as_ref().unwrap().name.as_deref(),
        Some("Halle 3")
    );
    let other = text.replace(r#""resource_type":"project""#, r#""resource_type":"goal""#);
    let Record::TimeEntry(entry) = &self::records(&AsanaJson, &other)[0].1 else {
        panic!()
    };
    assert_eq!(entry.project, None);
}

#[test]
fn asana_json_is_refused_with_place_and_reason() {
    for (text, reason) in [
        ("", "the file is empty"),
        (" \n", "the file is empty"),
        ("Task ID,Name", "no JSON"),
        ("{\"data\":[", "row 1, the file is no JSON, or cut short"),
        ("{}", "no `data`"),
        (r#"{"data":null}"#, "no `data`"),
        (r#"{"data":5}"#, "column `data`: must be an object, is 5"),
        (r#"{"data":[5]}"#, "column `data[0]`: must be an object"),
        (r#"{"data":[{}]}"#, "resource_type"),
        (
            r#"{"data":[{"gid":"1","resource_type":"story"}]}"#,
            "the file holds Asana's `story`",
        ),
        (
            r#"{"data":[{"resource_type":"task","name":"x"}]}"#,
            "`data[0].gid`: is missing",
        ),
        (
            r#"{"data":[{"gid":"1","resource_type":"task"}]}"#,
            "`data[0].name`: is missing",
        ),
        (
            r#"{"data":[{"action":"changed","resource":{}}]}"#,
            "events of Asana",
        ),
        (
            r#"{"errors":[{"message":"Not Authorized"}]}"#,
            "Asana answered: Not Authorized",
        ),
    ] {
        assert_refused(&AsanaJson, text, reason);
    }
    let bad = EXPORT.replace("2026-10-03T10:00:00Z", "gestern");
    let expected = "column `data[0].subtasks[0].completed_at`: must be an instant such as \
                    2026-10-01T08:00:00Z, is \"gestern\"";
    assert_eq!(problems(&AsanaJson, &bad), [expected]);
    assert!(raws(&AsanaJson, br#"{"data":[]}"#).unwrap().is_empty());
    // An element that cannot be read is told once, though the file is gone through twice.
    assert_eq!(problems(&AsanaJson, r#"{"data":[7,8]}"#).len(), 2);
}

#[test]
fn many_problems_are_counted() {
    let text = format!(r#"{{"data":[{}]}}"#, vec!["1"; 50].join(","));
    let mut input = text.as_bytes();
    let read = AsanaJson.read(&mut input, &options(), &mut |_| Ok(()));
    let Err(ReadError::Refused(refusal)) = read else {
        panic!()
    };
    assert_eq!((refusal.problems.len(), refusal.more), (20, 30));
}

#[test]
fn asana_samples_are_imported_or_refused_by_name() {
    let Some(folder) = sample("asana/api_examples") else {
        return;
    };
    let mut imported = Vec::new();
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        let name = path.file_name().unwrap().to_str().unwrap().to_owned();
        let bytes = std::fs::read(&path).unwrap();
        let found = import::detect(&name, &bytes).unwrap_or_else(|| panic!("{name} is unknown"));
        assert_eq!(found.name(), "asana-json", "{name}");
        match raws(&AsanaJson, &bytes) {
            Ok(raws) => imported.push((name, raws.len())),
            Err(problems) => assert!(problems[0].reason.contains("Asana"), "{name}: {problems:?}"),
        }
    }
    imported.sort();
    let expected = [
        "project.json",
        "projects.json",
        "subtasks.json",
        "task.json",
        "task_search.json",
        "tasks.json",
        "time_tracking_entries.json",
        "time_tracking_entry.json",
        "users_me.json",
    ];
    assert_eq!(imported, expected.map(|name| (name.to_owned(), 1)));
}

const TABLE: &str = "Task ID,Created At,Completed At,Last Modified,Name,Section/Column,Assignee,\
Assignee Email,Start Date,Due Date,Tags,Notes,Projects,Parent task,Tags,Actual time\n\
11,2026-10-01,,2026-10-02,Statik,In Arbeit,Person 01,p1@example.invalid,,2026-10-12,\"A,Eilt\",\
\"Zeile 1\nZeile 2, mit Komma\",\"Halle 3, Nord\",,rot,1:15\n\
12,2026-03-29,2026-10-03,2026-10-03,Fotos,,,,2026-10-02,,,,,Statik,,0:07\n\
11,2026-10-01,,2026-10-02,Statik,Erledigt,Person 01,p1@example.invalid,,2026-10-12,,,,,,1:15\n";

#[test]
fn an_asana_table_brings_tasks() {
    for text in [
        TABLE.to_owned(),
        format!("\u{feff}{TABLE}"),
        TABLE.replace('\n', "\r\n"),
    ] {
        let tasks = tasks(&AsanaCsv, &text);
        assert_eq!(tasks.len(), 2, "a repeated row is the same task");
        let (id, task) = &tasks[0];
        assert_eq!((id.as_str(), task.title.as_str()), ("11", "Statik"));
        assert_eq!(task.notes.replace('\r', ""), "Zeile 1\nZeile 2, mit Komma");
        assert_eq!(task.labels, ["A", "Eilt"]);
        assert_eq!(
            task.project.as_ref().unwrap().name.as_deref(),
            Some("Halle 3, Nord")
        );
        assert_eq!(task.tracked_seconds, Some(4_500));
        assert_eq!(
            task.created.unwrap().to_rfc3339(),
            "2026-09-30T22:00:00+00:00"
        );
        assert_eq!(task.due.unwrap().to_rfc3339(), "2026-10-11T22:00:00+00:00");
        assert_eq!(
            task.assignees[0].email.as_deref(),
            Some("p1@example.invalid")
        );
        assert_eq!(
            task.fields["Tags (2)"], "rot",
            "a custom field called like a column"
        );
        let done = &tasks[1].1;
        assert_eq!(
            (done.state, done.tracked_seconds),
            (TaskState::Done, Some(420))
        );
        assert_eq!(
            done.created.unwrap().to_rfc3339(),
            "2026-03-28T23:00:00+00:00"
        );
        let fields: Vec<_> = done.fields.iter().collect();
        assert_eq!(
            format!("{fields:?}"),
            r#"[("Parent task", "Statik"), ("Start Date", "2026-10-02")]"#
        );
    }
}

#[test]
fn an_asana_table_is_refused_with_row_column_and_reason() {
    for (from, to, expected) in [
        (
            "1:15",
            "1.25",
            "row 2, column `Actual time`: must be hours and minutes",
        ),
        ("0:07", "0:7", "row 4, column `Actual time`: must be"),
        ("0:07", "0:60", "row 4, column `Actual time`: must be"),
        ("0:07", "-1:00", "row 4, column `Actual time`: must be"),
        (
            "2026-10-12",
            "12.10.2026",
            "row 2, column `Due Date`: must be a day",
        ),
        (
            "2026-03-29",
            "99999-03-29",
            "row 4, column `Created At`: must be a day",
        ),
        (
            "\n12,",
            "\nzwölf,",
            "row 4, column `Task ID`: is no identifier",
        ),
        ("\n12,", "\n,", "row 4, column `Task ID`: is no identifier"),
        (
            ",Statik,,0:07",
            ",Statik",
            "row 4, the row has 14 columns and the header 16",
        ),
        (
            "Task ID",
            "Aufgaben-ID",
            "row 1, column `Task ID`: the column is missing; set Asana",
        ),
    ] {
        let changed = TABLE.replacen(from, to, 1);
        assert_ne!(changed, TABLE);
        assert_refused(&AsanaCsv, &changed, expected);
    }
    assert_refused(&AsanaCsv, "", "the file is empty");
    let mut latin = TABLE.replace("Fotos", "B#ro").into_bytes();
    let at = latin.iter().position(|byte| *byte == b'#').unwrap();
    latin[at] = 0xFC;
    let problems = raws(&AsanaCsv, &latin).unwrap_err();
    assert!(
        problems[0]
            .to_string()
            .starts_with("row 4, column `Name`: is no UTF-8")
    );
    let header = TABLE.lines().next().unwrap();
    assert!(raws(&AsanaCsv, header.as_bytes()).unwrap().is_empty());
}

#[test]
fn the_asana_table_sample_is_read() {
    let Some(path) = sample("asana/export_header_en_synthetic.csv") else {
        return;
    };
    let text = std::fs::read_to_string(path).unwrap();
    assert_eq!(
        import::detect("x.csv", text.as_bytes()).unwrap().name(),
        "asana-csv"
    );
    let tasks = tasks(&AsanaCsv, &text);
    let seconds: i64 = tasks
        .iter()
        .filter_map(|(_, task)| task.tracked_seconds)
        .sum();
    assert_eq!((tasks.len(), seconds), (3, 75 * 60 + 37 * 60));
}

const PROJECTS: &str = r#"[{"id":1,"name":"Halle 3","active":false,"client_id":5,"cid":5},
    {"id":2,"name":"Eigenes","active":true,"client_id":null,"cid":null}]"#;

#[test]
fn a_toggl_workspace_is_read_file_by_file() {
    let projects = records(&TogglWorkspace, PROJECTS);
    let Record::Project(Project {
        name,
        client,
        archived,
        ..
    }) = &projects[0].1
    else {
        panic!()
    };
    assert_eq!(
        (projects[0].0.as_str(), name.as_str(), *archived),
        ("1", "Halle 3", true)
    );
    assert_eq!(client.as_ref().unwrap().id.as_ref().unwrap().as_str(), "5");
    let Record::Project(Project { client, .. }) = &projects[1].1 else {
        panic!()
    };
    assert_eq!(*client, None);
    let users = r#"[{"id":3,"uid":2001,"name":"Peter","email":"p@example.invalid","active":true}]"#;
    let users = records(&TogglWorkspace, users);
    assert_eq!(users[0].0, "2001", "the number that time entries refer to");
    let task = r#"[{"id":6,"name":"Aufgabe","project_id":1,"active":false,"user_id":2001,
        "tracked_seconds":3600000}]"#;
    let (_, task) = &tasks(&TogglWorkspace, task)[0];
    assert_eq!((task.state, task.tracked_seconds), (TaskState::Done, None));
    assert_eq!(task.assignees[0].id.as_ref().unwrap().as_str(), "2001");
    for none in [
        "[]",
        r#"[{"id":1,"name":"A","wid":0,"archived":true,"creator_id":1}]"#,
        r#"[{"id":1,"name":"Tag","workspace_id":0,"creator_id":1}]"#,
        r#"[{"id":1,"user_id":2,"project_id":3,"manager":true}]"#,
    ] {
        assert_eq!(records(&TogglWorkspace, none).len(), 0, "{none}");
    }
}

#[test]
fn toggl_workspace_files_are_refused_with_place_and_reason() {
    for (text, reason) in [
        ("", "the file is empty"),
        ("{}", "is a list"),
        ("[", "no JSON"),
        ("[1]", "column `[0]`: must be an object, is 1"),
        (r#"[{"id":1}]"#, "column `[0]`: is none of the things"),
        (
            r#"[{"id":1,"name":5,"project_id":1}]"#,
            "column `[0].name`: must be a text, is 5",
        ),
        (
            r#"[{"name":"x","project_id":1}]"#,
            "column `[0].id`: is missing",
        ),
        (
            r#"[{"id":1,"name":"x","project_id":1},{"id":1,"name":"y","workspace_id":1}]"#,
            "column `[1]`: is of another kind than the first element",
        ),
    ] {
        assert_refused(&TogglWorkspace, text, reason);
    }
}

#[test]
fn the_toggl_workspace_sample_is_read() {
    let Some(folder) = sample("toggl/workspace_export") else {
        return;
    };
    let mut counts = Vec::new();
    for (name, expected) in [
        ("clients.json", 0),
        ("projects.json", 3),
        ("tags.json", 0),
        ("workspace_users.json", 1),
        ("tasks/401.json", 0),
        ("tasks/402.json", 2),
        ("tasks/403.json", 0),
        ("projects_users/401.json", 0),
    ] {
        let text = std::fs::read_to_string(folder.join(name)).unwrap();
        let found = import::detect(name, text.as_bytes()).unwrap_or_else(|| panic!("{name}"));
        assert_eq!(found.name(), "toggl-workspace", "{name}");
        counts.push((name, records(found, &text).len(), expected));
    }
    assert!(
        counts.iter().all(|(_, found, expected)| found == expected),
        "{counts:?}"
    );
}

#[test]
fn no_format_takes_another_ones_file() {
    for (name, head, expected) in [
        ("a.json", r#"{"data":[]}"#, Some("asana-json")),
        ("a.json", "\u{feff}{ \n\"data\": {", Some("asana-json")),
        (
            "a.json",
            r#"{"id":"5","name":"a Trello board","data":1}"#,
            None,
        ),
        ("projects.json", "[]", Some("toggl-workspace")),
        ("x/tasks/401.json", " [", Some("toggl-workspace")),
        ("other/401.json", "[]", None),
        ("projects.json", "{}", None),
        ("a.csv", TABLE, Some("asana-csv")),
    ] {
        let found = import::detect(name, head.as_bytes()).map(Format::name);
        assert_eq!(found, expected, "{name} {head}");
    }
}

#[test]
fn damaged_files_are_read_or_refused_and_never_panic() {
    survives_damage(&AsanaJson, EXPORT);
    survives_damage(&AsanaCsv, TABLE);
    survives_damage(&TogglWorkspace, PROJECTS);
}

#[test]
fn a_receiver_that_stops_is_passed_through() {
    for (format, text) in [
        (&AsanaJson as &dyn Format, EXPORT),
        (&AsanaCsv, TABLE),
        (&TogglWorkspace, PROJECTS),
    ] {
        let mut calls = 0;
        let read = format.read(&mut text.as_bytes(), &options(), &mut |_| {
            calls += 1;
            Err("the disk is full".into())
        });
        assert!(matches!(read, Err(ReadError::Sink(_))));
        assert_eq!(calls, 1);
    }
}

#[test]
fn the_same_file_gives_the_same_records() {
    for (format, text) in [(&AsanaJson as &dyn Format, EXPORT), (&AsanaCsv, TABLE)] {
        assert_eq!(raws(format, text.as_bytes()), raws(format, text.as_bytes()));
    }
    for format in [&AsanaJson as &dyn Format, &AsanaCsv, &TogglWorkspace] {
        for body in [
            "",
            "[]",
            "{}",
            r#"{"item":{}}"#,
            r#"{"row":{},"format":"","zone":"x"}"#,
        ] {
            let raw = raws(&AsanaCsv, TABLE.as_bytes()).unwrap().remove(0);
            assert!(
                format
                    .normalise(&Raw {
                        body: body.to_owned(),
                        ..raw
                    })
                    .is_err(),
                "{body}"
            );
        }
    }
}
