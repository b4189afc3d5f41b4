//! Files: refused with a reason, or read without a word that does not stand in them.

use std::collections::BTreeMap;

use chrono_tz::Tz;
use serde_json::{Value, json};
use stundenbuch_connectors::contract::Identified;
use stundenbuch_connectors::import::{DateOrder, Format, Options, ReadError, find};
use stundenbuch_connectors::record::{Record, Stream};

use crate::Tally;
use crate::judge::invented;
use crate::mutants::{Mutant, fields, wholes};
use crate::recorded::shared;

type Records = BTreeMap<(Stream, String), Identified>;

const ASANA: &str = r#"{"data": [
 {"gid": "1", "resource_type": "task", "name": "Statik prüfen", "notes": "Mit Ingenieur",
  "completed": false, "completed_at": "2026-10-09T08:00:00Z", "due_on": "2026-10-12",
  "created_at": "2026-10-01T08:00:00.147Z", "actual_time_minutes": 75,
  "assignee": {"gid": "9", "name": "Person 01"},
  "memberships": [{"project": {"gid": "7", "name": "Halle 3"},
    "section": {"gid": "8", "name": "In Arbeit"}}],
  "tags": [{"gid": "5", "name": "Eilt"}], "permalink_url": "https://app.asana.com/0/7/1",
  "custom_fields": [{"name": "Status", "display_value": "blau"}],
  "subtasks": [{"gid": "2", "resource_type": "task", "name": "Fotos", "completed": true,
    "subtasks": []}]},
 {"gid": "4", "resource_type": "task", "name": "Auch oben", "projects": [{"gid": "6",
  "name": "Anderes"}]}]}"#;

/// Reads a file; `None` where it is refused, which must be told in few words.
fn read(format: &dyn Format, bytes: &[u8]) -> Option<Records> {
    let options = Options {
        time_zone: Tz::Europe__Berlin,
        dates: DateOrder::Detect,
    };
    let (mut raws, mut input) = (Vec::new(), bytes);
    let outcome = format.read(&mut input, &options, &mut |raw| {
        raws.push(raw);
        Ok(())
    });
    match outcome {
        Ok(()) => {}
        Err(ReadError::Refused(refusal)) => {
            assert!(!refusal.problems.is_empty(), "refused without a reason");
            for problem in &refusal.problems {
                let text = problem.to_string();
                assert!(!problem.reason.is_empty() && text.len() < 4_000, "{text}");
            }
            return None;
        }
        Err(ReadError::Sink(error)) => panic!("{error}"),
    }
    let mut records = Records::new();
    for raw in &raws {
        let found = format.normalise(raw);
        let found = found.unwrap_or_else(|reject| panic!("accepted, and then put aside: {reject}"));
        for identified in found {
            records.insert((raw.stream, identified.id.as_str().to_owned()), identified);
        }
    }
    Some(records)
}

/// Spoils a JSON document. What is read of it in spite of that says what it says.
fn spoil(name: &str, document: &Value, whole: bool, least: usize) {
    let format = find(name).unwrap();
    let text = document.to_string();
    let honest = read(format, text.as_bytes()).expect("the honest file is read");
    assert!(least == 0 || !honest.is_empty(), "{name} reads nothing");
    let mut tally = Tally::default();
    let wholes = whole.then(|| wholes(&text)).into_iter().flatten();
    for mutant in fields(document).into_iter().chain(wholes) {
        let end = judge(format, &mutant, &honest);
        tally.count(mutant.kind, end);
    }
    tally.tell(name, least);
}

fn judge(format: &dyn Format, mutant: &Mutant, honest: &Records) -> &'static str {
    let Some(records) = read(format, &mutant.bytes) else {
        return "refused";
    };
    assert!(
        !matches!(mutant.kind, "cut" | "no UTF-8"),
        "{} bytes of {} are read",
        mutant.bytes.len(),
        format.name()
    );
    let all: Vec<&Identified> = honest.values().collect();
    for identified in records.values() {
        if let Some(value) = invented(mutant, &mutant.path, identified, &all) {
            let text = String::from_utf8_lossy(&mutant.bytes);
            panic!(
                "{} at {}: invents {value}: {text:.900}",
                mutant.kind, mutant.path
            );
        }
    }
    if records == *honest {
        "as before"
    } else {
        "read"
    }
}

#[test]
fn a_board_of_trello() {
    let board = include_str!("../../trello/fixtures/board-2015.json");
    spoil(
        "trello-board",
        &serde_json::from_str(board).unwrap(),
        true,
        2_500,
    );
}

#[test]
fn tasks_of_asana() {
    spoil(
        "asana-json",
        &serde_json::from_str(ASANA).unwrap(),
        true,
        2_000,
    );
}

#[test]
fn a_workspace_of_toggl() {
    let projects = json!([
        {"id": 3_000_001, "workspace_id": 2_000_001, "client_id": 4_000_001, "name": "Relaunch",
            "active": true, "wid": 2_000_001, "cid": 4_000_001},
        {"id": 3_000_002, "workspace_id": 2_000_001, "client_id": null, "name": "Intern",
            "active": false}]);
    spoil("toggl-workspace", &projects, true, 400);
    for file in ["projects", "workspace_users", "tasks/401"] {
        if let Some(document) = shared(&format!("toggl/workspace_export/{file}.json")) {
            // A real account may have none of a thing.
            spoil("toggl-workspace", &document, false, 0);
        }
    }
}

/// What takes the place of a cell.
const CELLS: [(&str, &str); 17] = [
    ("nothing", ""),
    ("a text", "x"),
    ("a number", "7"),
    ("zero", "0"),
    ("a negative number", "-1"),
    ("a fraction", "1.5"),
    ("a number above 2^53", "9007199254740993"),
    ("a number above 64 bits", "99999999999999999999"),
    ("a number above all", "1e999"),
    ("NaN", "NaN"),
    ("a far day", "9999-12-31"),
    ("a day that is none", "2026-02-30"),
    ("a time that is none", "25:61:61"),
    ("a NUL", "\u{0}"),
    ("a mark of direction", "\u{202e}"),
    ("a long text", "LONG"),
    ("an open quotation mark", "\""),
];

/// Spoils each cell of the middle row. The rows beside it stay what they are, and its time
/// changes only where the cell is of its time.
fn spoil_cells(name: &str, header: &str, rows: [&str; 3], of_time: &[&str]) {
    let format = find(name).unwrap();
    let columns: Vec<&str> = header.split(',').collect();
    let file = |middle: &str| format!("{header}\n{}\n{middle}\n{}\n", rows[0], rows[2]);
    let honest = read(format, file(rows[1]).as_bytes()).unwrap();
    assert_eq!(honest.len(), 3, "{name}");
    let mut tally = Tally::default();
    for (at, column) in columns.iter().enumerate() {
        for (kind, text) in CELLS {
            let long = "ü".repeat(100_000);
            let mut cells: Vec<&str> = rows[1].split(',').collect();
            cells[at] = if text == "LONG" { &long } else { text };
            let Some(found) = read(format, file(&cells.join(",")).as_bytes()) else {
                tally.count(kind, "refused");
                continue;
            };
            let what = format!("{name}: {kind} in {column}");
            assert_eq!(found.len(), 3, "{what}");
            let same = found
                .iter()
                .filter(|(key, it)| honest.get(*key) == Some(it))
                .count();
            assert!(same >= 2, "{what}: other rows changed");
            let changed = |records: &Records, other: &Records| {
                let mut one = records
                    .iter()
                    .filter(|(key, it)| other.get(*key) != Some(it));
                one.next().map(|(_, it)| match &it.record {
                    Record::TimeEntry(entry) => entry.worked.clone(),
                    other => panic!("{other:?}"),
                })
            };
            let (now, before) = (changed(&found, &honest), changed(&honest, &found));
            let own = of_time.contains(column);
            assert!(own || now == before, "{what}: {before:?} became {now:?}");
            tally.count(kind, if same == 3 { "as before" } else { "read" });
        }
    }
    tally.tell(name, 17 * columns.len());
}

#[test]
fn rows_of_time() {
    let times = [
        "Start date",
        "Start time",
        "End date",
        "End time",
        "Duration",
    ];
    spoil_cells(
        "toggl-csv",
        "User,Email,Client,Project,Task,Description,Billable,Start date,Start time,End date,\
         End time,Duration,Tags",
        [
            "Erika,e@x.de,Nord,Web,,a,Yes,2026-06-13,09:00:00,2026-06-13,10:00:00,01:00:00,t",
            "Erika,e@x.de,Nord,Web,T,b,No,2026-06-14,09:00:00,2026-06-14,10:30:00,01:30:00,u",
            "Erika,e@x.de,Nord,Web,,c,Yes,2026-06-15,09:00:00,2026-06-15,11:00:00,02:00:00,t",
        ],
        &times,
    );
    let times = [
        "Start Date",
        "Start Time",
        "End Date",
        "End Time",
        "Duration (h)",
    ];
    spoil_cells(
        "clockify-csv",
        "Project,Client,Description,Task,User,Email,Tags,Billable,Start Date,Start Time,End Date,\
         End Time,Duration (h),Duration (decimal)",
        [
            "Web,Nord,a,,Erika,e@x.de,t,No,2026-06-13,10:00:00,2026-06-13,11:00:00,01:00:00,1.00",
            "Web,Nord,b,T,Erika,e@x.de,t,Yes,2026-06-14,10:00:00,2026-06-14,11:30:00,01:30:00,1.50",
            "Web,Nord,c,,Erika,e@x.de,t,No,2026-06-15,10:00:00,2026-06-15,12:00:00,02:00:00,2.00",
        ],
        &times,
    );
    spoil_cells(
        "harvest-csv",
        "Date,Client,Project,Task,Notes,Hours,Billable?,First Name,Last Name",
        [
            "2026-06-13,Nord,Web,,a,1.00,Yes,Erika,Müßig",
            "2026-06-14,Nord,Web,T,b,1.50,No,Erika,Müßig",
            "2026-06-15,Nord,Web,,c,2.00,Yes,Erika,Müßig",
        ],
        &["Date", "Hours"],
    );
}
