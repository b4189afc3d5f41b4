//! `ledger erase` as a person uses it.

use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;

use serde_json::Value;
use stundenbuch_connectors::record::Record;

use super::town::{BOUND, LOOSE, OTHER, Town, entry, holding, words};

const ERASE: [&str; 4] = ["ledger", "erase", "--client", "ahorn"];

fn erase(town: &Town, more: &[&str]) -> (Option<i32>, String) {
    let arguments: Vec<&str> = ERASE.iter().chain(more).copied().collect();
    let output = town.run(&arguments);
    (output.status.code(), words(&output))
}

#[test]
fn a_dry_run_says_what_would_go_and_changes_nothing() {
    let town = Town::full();
    let head = town.store.head().unwrap();
    let (exit, said) = erase(&town, &["--dry-run"]);
    assert_eq!(exit, Some(0), "{said}");
    for part in [
        "Goes: ",
        "of the stream time",
        "Stays: 1 statements",
        "2026-0001",
        "2035-01-01",
    ] {
        assert!(said.contains(part), "`{part}` is missing in: {said}");
    }
    assert!(!said.contains(LOOSE) && !said.contains(OTHER), "{said}");
    assert_eq!(town.store.head().unwrap(), head);
}

#[test]
fn it_refuses_what_was_not_thought_of() {
    let mut town = Town::full();
    let refuses = |town: &Town, more: &[&str], exit: i32, part: &str| {
        let head = town.store.head().unwrap();
        let (code, said) = erase(town, more);
        assert_eq!(code, Some(exit), "{more:?}: {said}");
        assert!(said.contains(part), "{more:?}: {said}");
        assert!(said.contains("hint: "), "{said}");
        assert_eq!(town.store.head().unwrap(), head, "{more:?}");
    };
    refuses(&town, &["--yes"], 2, "without an export");
    refuses(&town, &["--no-export"], 2, "nobody confirmed it");
    let file = town.dir.path().join("stundenbuch.toml");
    let there = file.parent().unwrap().to_str().unwrap();
    refuses(
        &town,
        &["--yes", "--export", there],
        2,
        "something in it already",
    );
    let unbilled = entry(15, "kanarie Projekt", "kanarie spät");
    town.take("toggl", "1", "105", Record::TimeEntry(unbilled));
    let part = "1 pieces of work (1:00 h) were never billed, and 0 documents";
    refuses(&town, &["--yes", "--no-export"], 2, part);
    let unknown = town.run(&["ledger", "erase", "--client", "buche", "--dry-run"]);
    assert_eq!(unknown.status.code(), Some(2));
    assert!(
        words(&unknown).contains("there is none"),
        "{}",
        words(&unknown)
    );
    let (exit, said) = erase(&town, &["--yes", "--no-export", "--with-open-work"]);
    assert_eq!(exit, Some(0), "{said}");
    assert!(said.contains("[clients.ahorn]"), "{said}");
}

#[test]
fn it_makes_no_ledger_where_there_is_none() {
    let town = Town::empty();
    fs::remove_file(town.ledger()).unwrap();
    let (exit, said) = erase(&town, &["--yes", "--no-export"]);
    assert_eq!(exit, Some(2), "{said}");
    assert!(!town.ledger().exists());
}

fn json_lines(path: &Path) -> Vec<Value> {
    let text = fs::read_to_string(path).unwrap();
    text.lines()
        .map(|line| serde_json::from_str(line).unwrap())
        .collect()
}

#[test]
fn the_export_holds_everything_about_the_client_and_nothing_of_the_other() {
    let town = Town::full();
    let target = town.dir.path().join("out/ahorn");
    let (exit, said) = erase(&town, &["--yes", "--export", target.to_str().unwrap()]);
    assert_eq!(exit, Some(0), "{said}");
    let manifest: Value =
        serde_json::from_slice(&fs::read(target.join("manifest.json")).unwrap()).unwrap();
    for (name, hash) in manifest["files"].as_object().unwrap() {
        let bytes = fs::read(target.join(name)).unwrap();
        let found = stundenbuch::ledger::hex(&stundenbuch::ledger::sha256(&bytes));
        assert_eq!(found, hash.as_str().unwrap(), "{name}");
        let mode = fs::metadata(target.join(name))
            .unwrap()
            .permissions()
            .mode();
        assert_eq!(mode & 0o777, 0o600, "{name}");
    }
    let names: Vec<&String> = manifest["files"].as_object().unwrap().keys().collect();
    let ends = |end: &str| {
        names
            .iter()
            .any(|name| name.starts_with("statements/") && name.ends_with(end))
    };
    assert!(ends(".pdf") && ends(".json"), "{names:?}");
    let records = json_lines(&target.join("records.jsonl"));
    let types: std::collections::BTreeSet<&str> = records
        .iter()
        .map(|line| line["record"]["type"].as_str().unwrap())
        .collect();
    let all = [
        "activity",
        "file",
        "person",
        "project",
        "task",
        "time_entry",
    ];
    assert_eq!(types.into_iter().collect::<Vec<_>>(), all);
    let kinds: std::collections::BTreeSet<String> = json_lines(&target.join("journal.jsonl"))
        .iter()
        .map(|line| line["kind"].as_str().unwrap().to_owned())
        .collect();
    for kind in [
        "revision",
        "sealed",
        "alias",
        "configured",
        "delivered",
        "deleted",
        "same-work",
    ] {
        assert!(kinds.contains(kind), "{kinds:?} has no {kind}");
    }
    let entries = fs::read_to_string(target.join("entries.csv")).unwrap();
    assert_eq!(
        entries.lines().count(),
        3,
        "a header and two pieces of work"
    );
    assert!(entries.contains(BOUND) && entries.contains("kanarie ohne Projekt"));
    let received = fs::read_to_string(target.join("received.jsonl")).unwrap();
    assert!(received.contains("kanarie-unread") && received.contains("a kanarie in the mine"));
    assert!(
        fs::read_to_string(target.join("findings.json"))
            .unwrap()
            .contains(LOOSE)
    );
    assert_eq!(holding(&target, OTHER), Vec::<std::path::PathBuf>::new());
}

#[test]
fn an_interrupted_erasure_is_finished_by_running_it_again() {
    let mut town = Town::full();
    town.erase("ahorn", super::town::today());
    assert!(town.store.is_unswept().unwrap());
    let state = town.dir.path().join("state");
    assert!(!holding(&state, LOOSE).is_empty(), "the log still has it");
    let (exit, said) = erase(&town, &["--yes", "--no-export"]);
    assert_eq!(exit, Some(0), "{said}");
    assert!(said.contains("nothing to erase"), "{said}");
    assert_eq!(holding(&state, LOOSE), Vec::<std::path::PathBuf>::new());
    assert!(!town.store.is_unswept().unwrap());
}

#[test]
fn a_copy_from_before_is_told_and_removed_when_asked_for() {
    let town = Town::full();
    let copy = town.store.copy_beside("before").unwrap();
    let (exit, said) = erase(&town, &["--yes", "--no-export"]);
    assert_eq!(exit, Some(1), "{said}");
    assert!(
        said.contains("It is not done") && said.contains("ledger.db.before"),
        "{said}"
    );
    assert!(copy.exists());
    // A copy from after, a ledger of somebody else, and what is no ledger are left alone.
    let after = town.store.copy_beside("after").unwrap();
    let foreign = town.dir.path().join("state/foreign.db");
    stundenbuch::store::Store::open(&foreign, super::town::now()).unwrap();
    let notes = town.dir.path().join("state/ledger.db.notes");
    fs::write(&notes, "SQLite format 3").unwrap();
    let (exit, said) = erase(&town, &["--yes", "--no-export", "--delete-backups"]);
    assert_eq!(exit, Some(0), "{said}");
    assert!(!copy.exists());
    assert!(after.exists() && foreign.exists() && notes.exists());
    let state = town.dir.path().join("state");
    assert_eq!(holding(&state, LOOSE), Vec::<std::path::PathBuf>::new());
}

#[test]
fn a_reader_that_stands_in_the_way_is_told() {
    let town = Town::full();
    let reader = rusqlite::Connection::open(town.ledger()).unwrap();
    reader
        .execute_batch("BEGIN; SELECT count(*) FROM journal")
        .unwrap();
    let (exit, said) = erase(&town, &["--yes", "--no-export"]);
    assert_eq!(exit, Some(3), "{said}");
    assert!(said.contains("Another process reads the ledger"), "{said}");
    drop(reader);
    let (exit, said) = erase(&town, &["--yes", "--no-export"]);
    assert_eq!(exit, Some(0), "{said}");
    let state = town.dir.path().join("state");
    assert_eq!(holding(&state, LOOSE), Vec::<std::path::PathBuf>::new());
}
