//! Every byte of every file that the program keeps.

use chrono::NaiveDate;
use rusqlite::Connection;
use serde_json::json;
use stundenbuch::config::Config;
use stundenbuch::erase::plan;
use stundenbuch::statements;
use stundenbuch::store::{Store, Swept};
use stundenbuch_connectors::record::{Record, Stream};

use super::town::{BOUND, LOOSE, OTHER, Town, entry, free, holding, key, now, today, words};
use crate::ledger_format::strangers_verify;
use crate::night::house::state;

/// What the ledger says of the other client, and of nobody.
fn rest(store: &Store) -> (Vec<String>, Vec<String>) {
    let state = state(store);
    let records = state.records.iter();
    let mut rest: Vec<String> = records
        .map(|(key, (content, deleted))| format!("{key} {deleted} {content}"))
        .chain(state.works.iter().map(|work| format!("{work:?}")))
        .filter(|line| line.contains(OTHER))
        .collect();
    rest.sort();
    let findings = store.findings(true).unwrap().into_iter();
    let findings = findings.map(|stored| format!("{stored:?}"));
    (rest, findings.filter(|line| line.contains(OTHER)).collect())
}

fn show(town: &Town, format: &str) -> Vec<u8> {
    let shown = town.run(&["statement", "show", "2026-0001", "--format", format]);
    assert_eq!(shown.status.code(), Some(0), "{}", words(&shown));
    shown.stdout
}

#[test]
fn nothing_of_an_erased_client_is_found_in_any_byte() {
    let town = Town::full();
    let state_dir = town.dir.path().join("state");
    // No file is read before: that would end this process's locks on the ledger, and the program
    // would remove a log that it thinks is its own.
    assert!(cells(&town).contains(LOOSE));
    let before = rest(&town.store);
    assert!(before.0.len() > 5 && !before.1.is_empty(), "{before:?}");
    let sealed = ["json", "pdf", "csv"].map(|format| show(&town, format));

    let erase = [
        "ledger",
        "erase",
        "--client",
        "ahorn",
        "--no-export",
        "--yes",
    ];
    let erased = town.run(&erase);
    assert_eq!(erased.status.code(), Some(0), "{}", words(&erased));

    let log = std::fs::metadata(state_dir.join("ledger.db-wal"));
    let length = log.map_or(0, |log| log.len());
    assert_eq!(length, 0, "the log holds old pages");
    assert_eq!(holding(&state_dir, LOOSE), Vec::<std::path::PathBuf>::new());
    assert_eq!(holding(&state_dir, BOUND), [town.ledger()]);
    assert_eq!(rest(&town.store), before);
    assert_eq!(
        ["json", "pdf", "csv"].map(|format| show(&town, format)),
        sealed
    );
    let verified = town.run(&["ledger", "verify"]);
    assert_eq!(verified.status.code(), Some(0), "{}", words(&verified));
    let head = town.run(&["ledger", "head"]);
    let head = String::from_utf8(head.stdout).unwrap();
    assert_eq!(strangers_verify(&town.ledger()).unwrap(), head.trim());
    let export = town.run(&["export"]);
    assert_eq!(export.status.code(), Some(0), "{}", words(&export));
    assert!(!words(&export).contains(LOOSE));
}

#[test]
fn what_a_statement_billed_is_still_explained() {
    let mut town = Town::full();
    town.erase("ahorn", today());
    let explained = town.run(&["--json", "explain", "2026-0001:1"]);
    assert_eq!(explained.status.code(), Some(0), "{}", words(&explained));
    let trace: serde_json::Value = serde_json::from_slice(&explained.stdout).unwrap();
    let revision = &trace["works"][0]["records"][0]["revisions"][0];
    let body = revision["received_body"].as_str().unwrap();
    assert!(body.contains(BOUND), "{trace}");
}

/// The texts in the tables of the file, all of them.
fn cells(town: &Town) -> String {
    let db = Connection::open(town.ledger()).unwrap();
    let names = |sql: &str| -> Vec<String> {
        let mut statement = db.prepare(sql).unwrap();
        let names = statement.query_map([], |row| {
            let bytes = row.get_ref(0)?.as_bytes().unwrap().to_vec();
            Ok(String::from_utf8_lossy(&bytes).into_owned())
        });
        names.unwrap().map(Result::unwrap).collect()
    };
    let mut cells = String::new();
    for table in names("SELECT name FROM sqlite_schema WHERE type = 'table'") {
        for column in names(&format!("SELECT name FROM pragma_table_info('{table}')")) {
            let sql = format!("SELECT CAST(coalesce({column}, '') AS BLOB) FROM {table}");
            cells.extend(names(&sql));
        }
    }
    cells
}

#[test]
fn a_cursor_loses_the_names_and_does_not_get_them_back() {
    let mut town = Town::full();
    let cursor = town.store.connection("toggl").unwrap().cursor;
    town.erase("ahorn", today());
    let remembered = || town.store.connection("toggl").unwrap().cursor;
    let left = remembered().as_str().unwrap().to_owned();
    assert!(!left.contains(LOOSE) && !left.contains(BOUND), "{left}");
    assert!(left.contains("birkenzeisig Projekt"), "{left}");
    town.store
        .write(|writer| writer.set_cursor("toggl", &cursor))
        .unwrap();
    let again = town.store.connection("toggl").unwrap().cursor;
    let again = again.as_str().unwrap();
    // The word of an account, as a tag is, may come back with it.
    let without_tags = again.replace("kanarie Schlagwort", "");
    assert!(!without_tags.contains(LOOSE), "{again}");
    assert!(!again.contains(BOUND), "{again}");
}

#[test]
fn when_the_time_is_over_the_statements_go_too() {
    for configured in [true, false] {
        let mut town = Town::full();
        town.erase("ahorn", today());
        if !configured {
            let file = town.config.file.clone();
            let text = std::fs::read_to_string(&file).unwrap();
            let (before, rest) = text.split_once("[clients.ahorn]").unwrap();
            let (_, birke) = rest.split_once("[clients.birke]").unwrap();
            std::fs::write(&file, format!("{before}[clients.birke]{birke}")).unwrap();
            town.config = Config::load(Some(&file), &std::collections::BTreeMap::new()).unwrap();
        }
        let day_before = free().pred_opt().unwrap();
        assert_eq!(town.plan("ahorn", day_before).erasure.statements.len(), 0);
        let before = rest(&town.store);
        let last = town.erase("ahorn", free());
        assert_eq!(last.erasure.statements, ["2026-0001"]);
        assert_eq!(rest(&town.store), before);
        let cells = cells(&town).to_lowercase();
        for word in [LOOSE, BOUND, "ahorn"] {
            assert!(
                !cells.contains(word),
                "{configured}: `{word}` is in a table"
            );
        }
        assert_eq!(town.store.sweep().unwrap(), Swept::Done);
        let state = town.dir.path().join("state");
        for word in [LOOSE, BOUND, "ahorn"] {
            assert_eq!(holding(&state, word), Vec::<std::path::PathBuf>::new());
        }
        assert_eq!(town.store.verify().unwrap().damage, None);
        strangers_verify(&town.ledger()).unwrap();
        assert!(town.plan("ahorn", free()).is_empty());
    }
}

#[test]
fn a_number_is_never_given_twice() {
    let mut town = Town::full();
    town.erase("birke", free());
    town.erase("ahorn", free());
    assert_eq!(town.store.statements().unwrap(), []);
    let late = Record::TimeEntry(entry(20, "birkenzeisig Projekt", "new"));
    town.take("toggl", "1", "301", late);
    let client = town.config.client("birke").unwrap();
    let october = "2026-10".parse().unwrap();
    let sealed = statements::seal(&mut town.store, &town.config, client, october, now());
    assert_eq!(sealed.unwrap().number.as_deref(), Some("2026-0003"));
    assert_eq!(town.store.verify().unwrap().damage, None);
}

#[test]
fn an_erased_record_is_not_taken_again_and_another_is() {
    let mut town = Town::full();
    town.erase("ahorn", today());
    let rows = town.store.head().unwrap().seq;
    let edited = entry(9, "kanarie Projekt", "kanarie edited");
    town.take("toggl", "1", "102", Record::TimeEntry(edited.clone()));
    town.take("toggl", "1", "101", Record::TimeEntry(edited.clone()));
    assert_eq!(town.store.head().unwrap().seq, rows);
    let gone = key("toggl", Stream::Time, "102");
    let deleted = town
        .store
        .write(|writer| writer.append_deletion(now(), &gone, "x"));
    assert!(!deleted.unwrap());
    let other = entry(9, "birkenzeisig Projekt", "another");
    town.take("toggl", "1", "104", Record::TimeEntry(other));
    assert_eq!(town.store.head().unwrap().seq, rows + 1);
    assert!(town.store.client_is_erased("ahorn").unwrap());
    assert!(!town.store.client_is_erased("birke").unwrap());
}

#[test]
fn a_record_that_became_anothers_keeps_its_number_and_its_newest_state() {
    let mut town = Town::full();
    let moved = key("toggl", Stream::Time, "103");
    let before = (
        town.store.work_of(&moved).unwrap(),
        town.store.revision_of(&moved).unwrap(),
    );
    let plan = town.erase("ahorn", today());
    let first = before.0.unwrap().0;
    assert!(plan.erasure.rows.contains(&first), "its first state goes");
    let after = (
        town.store.work_of(&moved).unwrap(),
        town.store.revision_of(&moved).unwrap(),
    );
    assert_eq!(after, before);
    let work = town.store.work(before.0.unwrap()).unwrap().unwrap();
    assert_eq!(work.entry.description, "birkenzeisig jetzt");
    assert_eq!(work.statement.as_deref(), Some("2026-0002"));
}

#[test]
fn a_plan_changes_nothing_and_holds_for_one_head() {
    let town = Town::full();
    let before = (
        town.store.head().unwrap(),
        town.store.projection_hash().unwrap(),
    );
    let once = plan(&town.store, &town.config, "ahorn", today()).unwrap();
    let twice = town.plan("ahorn", today());
    assert_eq!(format!("{once:?}"), format!("{twice:?}"));
    let after = (
        town.store.head().unwrap(),
        town.store.projection_hash().unwrap(),
    );
    assert_eq!(after, before);
    assert_eq!(once.head, before.0);
}

#[test]
fn a_cancelled_statement_stays_as_long_as_the_one_that_cancels_it() {
    let mut town = Town::full();
    let sealed = town.store.sealed("2026-0001").unwrap().unwrap();
    let billed = &sealed.works[0];
    let correction = json!({
        "work": billed.work, "state": billed.revision, "changes": [], "entry": null, "parts": [],
    });
    town.append("2026-0001", "correction", &correction);
    let mut reversing = sealed.statement;
    reversing.number = Some("2027-0001".into());
    reversing.issued_on = "2027-02-01".parse().ok();
    let cancelled = json!({
        "statement": reversing, "series": "2027-0000", "running": 1, "cancels": "2026-0001",
    });
    town.append("2027-0001", "cancelled", &cancelled);

    let last: NaiveDate = "2035-12-31".parse().unwrap();
    let plan = town.erase("ahorn", last);
    assert_eq!(plan.erasure.statements, Vec::<String>::new());
    assert!(
        plan.erasure
            .kept
            .iter()
            .all(|kept| kept.until == last.succ_opt().unwrap())
    );
    for kind in ["sealed", "cancelled", "correction", "delivered"] {
        let stays = plan
            .stay
            .iter()
            .any(|seq| town.store.row(*seq).unwrap().unwrap().kind == kind);
        assert!(stays, "{kind}");
    }
    assert_eq!(town.store.verify().unwrap().damage, None);
    let statements: Vec<String> = numbers(&town.store);
    assert_eq!(statements, ["2026-0001", "2026-0002", "2027-0001"]);

    let plan = town.erase("ahorn", last.succ_opt().unwrap());
    assert_eq!(plan.erasure.statements, ["2026-0001", "2027-0001"]);
    assert_eq!(plan.stay, Vec::<u64>::new());
    assert_eq!(numbers(&town.store), ["2026-0002"]);
    assert!(!cells(&town).to_lowercase().contains("ahorn"));
    assert_eq!(town.store.verify().unwrap().damage, None);
    let mut next = |series| -> u32 {
        let next = town.store.write(|writer| writer.next_running(series));
        next.unwrap()
    };
    assert_eq!((next("2026-0000"), next("2027-0000")), (3, 2));
}

fn numbers(store: &Store) -> Vec<String> {
    let statements = store.statements().unwrap().into_iter();
    statements.map(|row| row.number).collect()
}
