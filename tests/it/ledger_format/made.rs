//! A small ledger with a row of every kind, made by the program as a person would make it.

use std::path::{Path, PathBuf};
use std::process::Command;

use rusqlite::Connection;

/// One client, one folder that is both source and target.
const CONFIG: &str = r#"
[issuer]
name = "Jana Albers"
address = ["Lindenallee 12", "04277 Leipzig"]
tax_number = "232/123/45678"

[ledger]
path = "ledger.db"

[connections.drive]
connector = "folder"
path = "drive"

[clients.mueller]
name = "Müller & Söhne GmbH"
address = ["Hafenstraße 5", "20457 Hamburg"]

[clients.mueller.sources]
clients = ["Müller"]

[[clients.mueller.contracts]]
from = 2026-01-01
rate = "59.00"

[[clients.mueller.deliver]]
connection = "drive"
formats = ["csv", "json"]
"#;

const TOGGL: &str = "\
User,Email,Client,Project,Task,Description,Billable,Start date,Start time,End date,End time,Duration,Tags
Jana,j@albers.example,Müller,Website,,Größe der Köpfe,No,2026-01-12,09:00:00,2026-01-12,10:20:00,01:20:00,
Jana,j@albers.example,Müller,Website,,Call,Yes,2026-01-13,09:00:00,2026-01-13,09:20:00,00:20:00,\"a, b\"
";

/// The second of these is the first of Toggl's.
const CLOCKIFY: &str = "\
Project,Client,Description,Task,User,Email,Tags,Billable,Start Date,Start Time,End Date,End Time,Duration (h)
Website,Müller,Texts,,Jana,j@albers.example,,Yes,2026-01-14,09:00:00,2026-01-14,09:45:00,00:45:00
Website,Müller,Größe der Köpfe,,Jana,j@albers.example,,Yes,2026-01-12,09:00:00,2026-01-12,10:20:00,01:20:00
";

const BOARD: &str = r#"{
  "data": [{"gid": "1201", "resource_type": "task", "name": "Köpfe zeichnen",
            "completed": false, "notes": "", "projects": [{"gid": "9", "name": "Website"}]}]
}"#;

/// The second of these lasts longer by now; the third is the next month's.
const LATER: &str = "\
User,Email,Client,Project,Task,Description,Billable,Start date,Start time,End date,End time,Duration,Tags
Jana,j@albers.example,Müller,Website,,Größe der Köpfe,No,2026-01-12,09:00:00,2026-01-12,10:20:00,01:20:00,
Jana,j@albers.example,Müller,Website,,Call,Yes,2026-01-13,09:00:00,2026-01-13,09:40:00,00:40:00,\"a, b\"
Jana,j@albers.example,Müller,Website,,Colours,Yes,2026-02-13,09:00:00,2026-02-13,09:40:00,00:40:00,
";

/// The key of the task in that export.
const TASK: &str = "file:asana-json/tasks/1201";

pub(super) struct Ledger {
    directory: tempfile::TempDir,
}

impl Ledger {
    pub(super) fn make() -> Self {
        let ledger = Self {
            directory: tempfile::tempdir().unwrap(),
        };
        for (name, text) in [
            ("stundenbuch.toml", CONFIG),
            ("toggl.csv", TOGGL),
            ("later.csv", LATER),
            ("clockify.csv", CLOCKIFY),
            ("asana.json", BOARD),
            ("drive/first.txt", "one"),
            ("drive/second.txt", "two"),
        ] {
            let path = ledger.directory().join(name);
            std::fs::create_dir_all(path.parent().unwrap()).unwrap();
            std::fs::write(path, text).unwrap();
        }
        ledger.must(&["import", "toggl.csv"], 0);
        ledger.must(&["import", "clockify.csv"], 0);
        ledger.must(&["import", "--format", "asana-json", "asana.json"], 0);
        ledger.must(&["pull"], 0);
        std::fs::remove_file(ledger.directory().join("drive/first.txt")).unwrap();
        std::fs::write(ledger.directory().join("drive/second.txt"), "changed").unwrap();
        ledger.must(&["pull"], 0);
        ledger.must(&["match", "w6", TASK], 0);
        ledger.must(&["match", "w7", TASK], 0);
        ledger.must(&["match", "--forget", "w7"], 0);
        ledger.must(&["statement", "seal", "mueller", "--period", "2026-01"], 0);
        // The number has the year in which the test runs.
        let number = |nth: &str| {
            let list = ledger.run(&["statement", "list"]).1;
            let number = list.lines().nth(1).unwrap();
            let (year, _) = number.split_once('-').unwrap();
            format!("{year}-{nth}")
        };
        ledger.must(&["import", "later.csv"], 0);
        ledger.must(&["statement", "correct", &number("0001")], 0);
        for _ in 0..2 {
            ledger.must(&["statement", "seal", "mueller", "--period", "2026-02"], 0);
            let last = ledger.run(&["statement", "list"]).1;
            let last = last
                .lines()
                .last()
                .unwrap()
                .split(' ')
                .next()
                .unwrap()
                .to_owned();
            if last == number("0002") {
                ledger.must(&["statement", "cancel", &last], 0);
            }
        }
        ledger.must(&["deliver"], 0);
        ledger.must(&["ledger", "verify"], 0);
        ledger
    }

    pub(super) fn directory(&self) -> &Path {
        self.directory.path()
    }

    pub(super) fn file(&self) -> PathBuf {
        self.directory().join("ledger.db")
    }

    /// Removes the heads that are kept beside the file.
    pub(super) fn forget_heads(&self) {
        std::fs::remove_file(self.directory().join("ledger.db.heads")).unwrap();
    }

    /// The exit code of the program and what it printed to stdout and stderr.
    pub(super) fn run(&self, arguments: &[&str]) -> (Option<i32>, String, String) {
        let output = Command::new(env!("CARGO_BIN_EXE_stundenbuch"))
            .args(arguments)
            .current_dir(self.directory())
            .env_clear()
            .output()
            .unwrap();
        let text = |bytes: Vec<u8>| String::from_utf8(bytes).unwrap();
        (
            output.status.code(),
            text(output.stdout),
            text(output.stderr),
        )
    }

    fn must(&self, arguments: &[&str], code: i32) {
        let (exit, stdout, stderr) = self.run(arguments);
        assert_eq!(exit, Some(code), "{arguments:?}: {stdout}{stderr}");
    }

    /// Changes the file as somebody with a shell would, triggers or not.
    pub(super) fn sql(&self, sql: &str) {
        let db = Connection::open(self.file()).unwrap();
        db.execute_batch(
            "DROP TRIGGER IF EXISTS journal_no_update;
             DROP TRIGGER IF EXISTS journal_no_delete;
             DROP TRIGGER IF EXISTS raw_no_update;
             PRAGMA foreign_keys = OFF;",
        )
        .unwrap();
        db.execute_batch(sql).unwrap();
    }
}
