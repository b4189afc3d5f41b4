//! `--as-of` on the commands themselves, with the clock of this machine.

use std::fs;
use std::process::{Command, Output};
use std::time::Duration;

use chrono::{DateTime, SecondsFormat, Utc};
use tempfile::TempDir;

pub(super) const CONFIG: &str = r#"
[issuer]
name = "Jana Albers"
address = ["Lindenallee 12", "04277 Leipzig"]
tax_number = "232/123/45678"

[ledger]
path = "ledger.db"

[statements]
number = "R-{0000}"

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
vat = 19

[[clients.mueller.deliver]]
connection = "drive"
formats = ["csv", "json"]
"#;

const HEADER: &str = "User,Email,Client,Project,Task,Description,Billable,Start date,Start time,\
                      End date,End time,Duration,Tags\n";
const FIRST: &str = "\
Jana,j@albers.example,Müller,Website,,Köpfe,Yes,2026-01-12,09:00:00,2026-01-12,10:20:00,01:20:00,
Jana,j@albers.example,Müller,Website,,Call,Yes,2026-01-13,09:00:00,2026-01-13,21:20:00,12:20:00,
Jana,j@albers.example,Müller,Website,,Texte,No,2026-02-14,09:00:00,2026-02-14,09:20:00,00:20:00,
";
const SECOND: &str = "\
Jana,j@albers.example,Müller,Website,,Mehr,Yes,2026-01-15,09:00:00,2026-01-15,11:20:00,02:20:00,
";

/// A directory in which the program runs.
pub(super) struct Desk(pub(super) TempDir);

impl Desk {
    pub(super) fn new() -> Self {
        let desk = Self(tempfile::tempdir().unwrap());
        fs::create_dir(desk.path("drive")).unwrap();
        desk.write("stundenbuch.toml", CONFIG);
        desk.write("first.csv", &format!("{HEADER}{FIRST}"));
        desk.write("second.csv", &format!("{HEADER}{SECOND}"));
        desk
    }

    pub(super) fn path(&self, name: &str) -> std::path::PathBuf {
        self.0.path().join(name)
    }

    pub(super) fn write(&self, name: &str, text: &str) {
        fs::write(self.path(name), text).unwrap();
    }

    pub(super) fn run(&self, args: &[&str]) -> Output {
        Command::new(env!("CARGO_BIN_EXE_stundenbuch"))
            .args(args)
            .current_dir(self.0.path())
            .env_clear()
            .output()
            .unwrap()
    }

    /// Runs it and expects one of the exit codes that are no failure.
    pub(super) fn fine(&self, args: &[&str]) -> Output {
        let output = self.run(args);
        let errors = String::from_utf8_lossy(&output.stderr);
        assert!(
            matches!(output.status.code(), Some(0 | 1)),
            "{args:?}: {errors}"
        );
        output
    }

    /// The second in which the ledger was written last; the next one has begun when this returns.
    pub(super) fn written(&self) -> DateTime<Utc> {
        let times = ["ledger.db", "ledger.db-wal"].map(|name| {
            let found = fs::metadata(self.path(name)).and_then(|it| it.modified());
            found.map(DateTime::<Utc>::from).unwrap_or_default()
        });
        std::thread::sleep(Duration::from_millis(1_100));
        times.into_iter().max().unwrap()
    }
}

pub(super) fn text(at: DateTime<Utc>) -> String {
    at.to_rfc3339_opts(SecondsFormat::Secs, true)
}

/// Every report that takes `--as-of`.
const REPORTS: [&[&str]; 11] = [
    &[
        "statement",
        "preview",
        "mueller",
        "-p",
        "2026-01",
        "--format",
        "json",
    ],
    &[
        "statement",
        "preview",
        "mueller",
        "-p",
        "2026-01",
        "--format",
        "csv",
    ],
    &[
        "statement",
        "preview",
        "mueller",
        "-p",
        "2026-01",
        "--format",
        "pdf",
    ],
    &["statement", "preview", "mueller", "-p", "2026-01"],
    &["statement", "list"],
    &["statement", "list", "--json"],
    &["statement", "show", "R-0001", "--format", "pdf"],
    &["findings", "--all", "--json"],
    &["findings"],
    &["explain", "R-0001", "--json"],
    &["export"],
];

#[test]
fn every_report_is_the_same_as_it_was() {
    let desk = Desk::new();
    desk.fine(&["import", "first.csv"]);
    desk.fine(&["reconcile"]);
    desk.fine(&["statement", "seal", "mueller", "-p", "2026-02"]);
    let run = |more: &[&str]| -> Vec<(Option<i32>, Vec<u8>)> {
        let each = REPORTS.into_iter().map(|args| {
            let args = [args, more].concat();
            let output = desk.run(&args);
            (output.status.code(), output.stdout)
        });
        each.collect()
    };
    let then = run(&[]);
    assert!(then.iter().all(|(_, printed)| !printed.is_empty()));
    let at = text(desk.written());

    let config = CONFIG
        .replace("rate = \"59.00\"", "rate = \"70.00\"")
        .replace("Müller & Söhne GmbH", "Müller AG")
        .replace(
            "[ledger]",
            "# One line more.\n\n[checks]\nlong_entry = \"20h\"\n[ledger]",
        );
    desk.write("stundenbuch.toml", &config);
    desk.fine(&["import", "second.csv"]);
    desk.fine(&["reconcile"]);
    desk.fine(&["statement", "seal", "mueller", "-p", "2026-01"]);
    let now = run(&[]);
    for (args, (then, now)) in REPORTS.iter().zip(then.iter().zip(&now)) {
        let stays = ["show", "explain"].iter().any(|word| args.contains(word));
        assert!(
            stays || then != now,
            "{args:?} did not change, so it proves nothing"
        );
    }
    for _ in 0..2 {
        let again = run(&["--as-of", &at]);
        for (args, (then, again)) in REPORTS.iter().zip(then.iter().zip(&again)) {
            assert!(
                then == again,
                "{args:?}:\n{}\n{}",
                String::from_utf8_lossy(&then.1),
                String::from_utf8_lossy(&again.1)
            );
        }
    }
}

#[test]
fn moments_that_cannot_be_shown_are_told() {
    let desk = Desk::new();
    desk.fine(&["import", "first.csv"]);
    for (moment, said) in [
        (
            "2999-01-01",
            "error: look at 2999-01-01T22:59:59Z: it is still to come\n\nhint: ",
        ),
        (
            "2001-01-01",
            "error: look at 2001-01-01T22:59:59Z: the ledger begins later\n\nhint: ",
        ),
    ] {
        let output = desk.run(&["findings", "--as-of", moment]);
        let errors = String::from_utf8_lossy(&output.stderr).into_owned();
        assert!(errors.starts_with(said), "{errors}");
        assert_eq!(output.status.code(), Some(2));
    }
    let output = desk.run(&["findings", "--as-of", "yesterday"]);
    let errors = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(errors.contains("`yesterday` is no moment"), "{errors}");
    assert_eq!(output.status.code(), Some(2));
    let output = desk.run(&["statement", "seal", "mueller", "--as-of", "2026-11-01"]);
    assert_eq!(
        output.status.code(),
        Some(2),
        "nothing is sealed in the past"
    );
}

#[test]
fn a_ledger_without_a_recorded_configuration_says_so() {
    let desk = Desk::new();
    desk.fine(&["import", "first.csv", "--dry-run"]);
    let at = text(desk.written());
    let output = desk.fine(&["findings", "--as-of", &at]);
    let errors = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(
        errors.contains("had no configuration") && errors.contains(&at),
        "{errors}"
    );
}
