//! `stundenbuch demo`, run as a person runs it: what it finds, what it bills, and that it is
//! careful with the directory.

mod sums;

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use serde_json::Value;

/// Runs the program in a directory, without the variables of whoever runs the tests.
fn run_in(dir: &Path, args: &[&str], variables: &[(&str, &str)]) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_stundenbuch"));
    command.args(args).current_dir(dir).env_clear();
    command.envs(variables.iter().copied()).output().unwrap()
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8(bytes.to_vec()).unwrap()
}

fn is_pdf(name: &str) -> bool {
    Path::new(name).extension().is_some_and(|end| end == "pdf")
}

/// A demo in a directory of its own.
struct Demo {
    home: tempfile::TempDir,
}

impl Demo {
    fn made() -> Self {
        let demo = Self {
            home: tempfile::tempdir().unwrap(),
        };
        let output = demo.again();
        assert_eq!(output.status.code(), Some(0), "{}", text(&output.stderr));
        demo
    }

    fn again(&self) -> Output {
        run_in(self.home.path(), &["demo"], &[])
    }

    fn path(&self, path: &str) -> PathBuf {
        self.home.path().join("stundenbuch-demo").join(path)
    }

    /// Runs a command on the demo's configuration; it must end with `code`.
    fn run(&self, code: i32, args: &[&str]) -> String {
        let mut all = vec!["--config", "stundenbuch-demo/stundenbuch.toml"];
        all.extend(args);
        let output = run_in(self.home.path(), &all, &[]);
        let told = text(&output.stderr);
        assert_eq!(output.status.code(), Some(code), "{args:?}: {told}");
        text(&output.stdout)
    }

    fn json(&self, code: i32, args: &[&str]) -> Value {
        let mut all = vec!["--json"];
        all.extend(args);
        serde_json::from_str(&self.run(code, &all)).unwrap()
    }

    /// The delivered documents by name.
    fn documents(&self) -> BTreeMap<String, Vec<u8>> {
        let mut found = BTreeMap::new();
        for folder in [
            "Kruemel/Stundenzettel",
            "Moorlicht/Stundenzettel",
            "Quertraeger/Timesheets",
        ] {
            for entry in fs::read_dir(self.path("Drive/Kunden").join(folder)).unwrap() {
                let path = entry.unwrap().path();
                let name = path.file_name().unwrap().to_str().unwrap().to_owned();
                found.insert(name, fs::read(path).unwrap());
            }
        }
        found
    }
}

#[test]
fn it_finds_what_users_recognise_and_nothing_else() {
    let demo = Demo::made();
    let mut kinds: BTreeMap<String, usize> = BTreeMap::new();
    for stored in demo.json(1, &["findings"]).as_array().unwrap() {
        let kind = stored["finding"]["kind"].as_str().unwrap();
        *kinds.entry(kind.to_owned()).or_default() += 1;
    }
    let expected = [
        ("ambiguous-task", 1),
        ("entry-without-task", 2),
        ("long-entry", 1),
        ("no-client", 1),
        ("no-contract", 1),
        ("no-description", 1),
        ("no-project", 1),
        ("overlap", 1),
        ("task-done-without-time", 1),
        ("time-on-archived-task", 1),
        ("zero-duration", 1),
    ];
    assert_eq!(
        kinds,
        expected
            .map(|(kind, count)| (kind.to_owned(), count))
            .into()
    );
    let entries = demo.json(1, &["status"])["stats"]["works"].as_u64();
    assert_eq!(entries, Some(110));
}

#[test]
fn the_statements_are_what_the_exports_add_up_to() {
    let demo = Demo::made();
    let month = sums::Month::read(&demo.path("Drive"));
    for (number, expected) in [
        ("2026-0001", month.kruemel()),
        ("2026-0002", month.moorlicht()),
        ("2026-0003", month.quertraeger()),
    ] {
        let statement = demo.json(0, &["statement", "show", number, "--format", "json"]);
        assert_eq!(sums::Sums::of(&statement), expected, "{number}");
        assert!(
            expected.net > 0 && expected.lines.len() > 1,
            "{number} is not empty"
        );
    }
}

#[test]
fn the_night_of_the_clock_change_has_three_hours_from_half_past_one_to_half_past_three() {
    let demo = Demo::made();
    let statement = demo.json(0, &["statement", "show", "2026-0001", "--format", "json"]);
    let entries = statement["entries"].as_array().unwrap();
    let night = entries
        .iter()
        .find(|entry| entry["date"] == "2026-10-25")
        .unwrap();
    assert_eq!(night["start"], "2026-10-25T01:30:00+02:00");
    assert_eq!(night["stop"], "2026-10-25T03:30:00+01:00");
    assert_eq!(night["tracked_seconds"], 3 * 3600);
}

#[test]
fn every_demo_is_the_same_to_the_last_byte() {
    let demo = Demo::made();
    let first = demo.documents();
    assert_eq!(first.len(), 9, "{:?}", first.keys());
    assert_eq!(first.keys().filter(|name| is_pdf(name)).count(), 3);
    let head = demo.run(0, &["ledger", "head"]);
    let told = demo.again();
    assert_eq!(told.status.code(), Some(0), "{}", text(&told.stderr));
    assert!(
        demo.documents() == first,
        "made afresh in its own directory"
    );
    assert_eq!(demo.run(0, &["ledger", "head"]), head);
    let elsewhere = Demo {
        home: tempfile::tempdir().unwrap(),
    };
    let dir = elsewhere.path("");
    let dir = dir.to_str().unwrap();
    let told = run_in(
        Path::new("/"),
        &["demo", "--dir", dir],
        &[("TZ", "Asia/Tokyo")],
    );
    assert_eq!(told.status.code(), Some(0), "{}", text(&told.stderr));
    assert!(
        elsewhere.documents() == first,
        "made elsewhere, called from elsewhere"
    );
    assert_eq!(elsewhere.run(0, &["ledger", "head"]), head);
}

#[test]
fn a_person_can_go_on_with_it_and_nothing_is_taken_twice() {
    let demo = Demo::made();
    demo.run(0, &["ledger", "verify"]);
    demo.run(0, &["explain", "2026-0001:1"]);
    let head = demo.run(0, &["ledger", "head"]);
    let month = demo.path("Drive/Zeiten/toggl-2026-10-01_2026-10-31.csv");
    let again = demo.json(0, &["import", month.to_str().unwrap()]);
    let counts = &again[0]["counts"];
    assert_eq!(
        (&counts["received"], &counts["new"]),
        (&100.into(), &0.into())
    );
    assert_eq!(
        demo.run(0, &["ledger", "head"]),
        head,
        "the import appended nothing"
    );
    // The next night finds the documents on the drive, and nothing that must be billed.
    let night = demo.json(1, &["nightly"]);
    assert_eq!(night["imports"], Value::Array(Vec::new()));
    assert_eq!(night["findings_new"], 0);
    assert_eq!(night["sources"][0]["counts"]["new"], 9);
    demo.run(
        1,
        &["statement", "preview", "moorlicht", "--period", "2026-10"],
    );
}

#[test]
fn it_says_in_few_lines_what_was_done_and_where_it_lies() {
    let demo = Demo::made();
    let output = demo.again();
    let told = text(&output.stdout);
    assert!(told.lines().count() <= 45, "{told}");
    assert!(output.stderr.is_empty(), "{}", text(&output.stderr));
    let pdfs: Vec<&str> = told.lines().map(str::trim).filter(|l| is_pdf(l)).collect();
    assert_eq!(pdfs.len(), 3);
    for pdf in pdfs {
        let bytes = fs::read(demo.home.path().join(pdf)).unwrap();
        assert!(bytes.starts_with(b"%PDF-"), "{pdf}");
    }
    let report = run_in(demo.home.path(), &["demo", "--json"], &[]);
    let report: Value = serde_json::from_slice(&report.stdout).unwrap();
    assert_eq!(report["statements"].as_array().unwrap().len(), 3);
    assert_eq!(report["documents"].as_array().unwrap().len(), 9);
    assert_eq!(report["entries"], 110);
}

#[test]
fn a_directory_with_something_else_in_it_is_left_alone() {
    let home = tempfile::tempdir().unwrap();
    let dir = home.path().join("stundenbuch-demo");
    fs::create_dir(&dir).unwrap();
    fs::write(dir.join("stundenbuch.toml"), "mine").unwrap();
    let output = run_in(home.path(), &["demo"], &[]);
    assert_eq!(output.status.code(), Some(2));
    assert!(
        text(&output.stderr).contains("hint: name a directory"),
        "{}",
        text(&output.stderr)
    );
    let left: Vec<_> = fs::read_dir(&dir)
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .collect();
    assert_eq!(left, [dir.join("stundenbuch.toml")]);
    assert_eq!(fs::read_to_string(&left[0]).unwrap(), "mine");
}

#[test]
fn starting_afresh_removes_only_what_it_made_and_nothing_that_was_edited() {
    let demo = Demo::made();
    let own = demo.path("Drive/Kunden/Kruemel/notiz.txt");
    fs::write(&own, "mine").unwrap();
    assert_eq!(demo.again().status.code(), Some(0));
    assert_eq!(fs::read_to_string(&own).unwrap(), "mine");

    let config = demo.path("stundenbuch.toml");
    let edited = fs::read_to_string(&config)
        .unwrap()
        .replace("72.50", "80.00");
    fs::write(&config, &edited).unwrap();
    let before = demo.documents();
    let output = demo.again();
    assert_eq!(output.status.code(), Some(2));
    assert!(
        text(&output.stderr).contains("was edited since"),
        "{}",
        text(&output.stderr)
    );
    assert_eq!(fs::read_to_string(&config).unwrap(), edited);
    assert!(
        demo.documents() == before,
        "nothing else was removed either"
    );
    demo.run(0, &["ledger", "verify"]);
}

#[test]
fn the_environment_cannot_lead_it_to_a_real_ledger_or_drive() {
    let home = tempfile::tempdir().unwrap();
    let (ledger, drive) = (home.path().join("real.db"), home.path().join("drive"));
    fs::create_dir(&drive).unwrap();
    let variables = [
        ("STUNDENBUCH__LEDGER__PATH", ledger.to_str().unwrap()),
        (
            "STUNDENBUCH__CONNECTIONS__DRIVE__PATH",
            drive.to_str().unwrap(),
        ),
    ];
    let output = run_in(home.path(), &["demo"], &variables);
    assert_eq!(output.status.code(), Some(0), "{}", text(&output.stderr));
    assert!(!ledger.exists());
    assert!(fs::read_dir(&drive).unwrap().next().is_none());
}
