//! The files of heads: what is kept, when, and what becomes of files that are missing or broken.

use std::fs;
use std::os::unix::fs::PermissionsExt as _;

use chrono::DateTime;
use stundenbuch::finding::Kind;
use stundenbuch::ledger::{Alias, Event, Mark, Why};
use stundenbuch::store::{Anchors, Store};

use super::home::Home;

/// The words behind the instants, without the numbers of rows.
fn words(home: &Home) -> Vec<String> {
    let marks = home.heads().marks;
    marks.iter().map(|mark| mark.why.to_string()).collect()
}

/// Every head is in the chain, and the last is its end.
#[track_caller]
fn assert_kept(home: &Home) {
    let store = Store::open_read_only(&home.ledger()).unwrap();
    let heads = home.heads();
    assert_eq!(heads.unreadable, Vec::<usize>::new());
    assert_eq!(heads.ledger, store.identity().unwrap());
    for mark in &heads.marks {
        let row = store.row(mark.head.seq).unwrap().unwrap();
        assert_eq!(row.hash, mark.head.hash);
    }
    assert_eq!(heads.last().unwrap().head, store.head().unwrap());
}

#[test]
fn a_head_is_kept_after_each_change_and_none_in_a_quiet_night() {
    let home = Home::new();
    let begun = words(&home);
    assert_eq!(begun.first().unwrap(), "begun");
    assert_kept(&home);
    home.seal(1);
    assert_eq!(
        words(&home).last().unwrap(),
        "sealed 2026-01 59.00 EUR R 0001"
    );
    home.must(&["deliver"], 0);
    assert_eq!(words(&home).last().unwrap(), "delivered");
    home.must(&["ledger", "backup", "b.db"], 0);
    assert_eq!(words(&home).last().unwrap(), "backup");
    home.must(&["nightly"], 0);
    let lines = words(&home).len();
    assert_kept(&home);
    home.must(&["nightly"], 0);
    assert_eq!(words(&home).len(), lines, "nothing happened");
    let mode = fs::metadata(home.path("ledger.db.heads"))
        .unwrap()
        .permissions();
    assert_eq!(mode.mode() & 0o777, 0o600);
}

#[test]
fn a_copy_that_is_thrown_away_keeps_no_heads() {
    let home = Home::new();
    home.seal(1);
    let before = fs::read(home.path("ledger.db.heads")).unwrap();
    home.must(&["nightly", "--dry-run"], 0);
    assert_eq!(fs::read(home.path("ledger.db.heads")).unwrap(), before);
    let heads = |name: &String| name.ends_with("heads");
    assert_eq!(home.files().iter().filter(|it| heads(it)).count(), 1);
}

#[test]
fn a_missing_file_is_begun_with_every_statement() {
    let home = Home::new();
    home.seal(1);
    home.seal(2);
    fs::remove_file(home.path("ledger.db.heads")).unwrap();
    let said = home.must(&["ledger", "verify"], 0);
    let note = "note: No heads are kept in ./ledger.db.heads yet; it is begun with the next \
                change.";
    assert!(said.err.contains(note), "{}", said.err);
    assert!(
        !home.path("ledger.db.heads").exists(),
        "looking changes nothing"
    );
    home.must(&["reconcile"], 0);
    assert_eq!(
        words(&home),
        [
            "sealed 2026-01 59.00 EUR R 0001",
            "sealed 2026-02 118.00 EUR R 0002",
            "begun"
        ]
    );
    assert_kept(&home);
}

#[test]
fn garbage_is_told_with_its_line_and_passed_over() {
    let home = Home::new();
    let path = home.path("ledger.db.heads");
    let mut text = fs::read(&path).unwrap();
    // A power cut in the middle of a line, and a bit that flipped in another.
    text.extend(b"7 00ff\xfe\n9 torn");
    fs::write(&path, text).unwrap();
    let garbage = home.heads().unreadable;
    let said = home.must(&["ledger", "verify"], 0);
    for line in &garbage {
        let note =
            format!("note: Line {line} of ./ledger.db.heads cannot be read; it is passed over.");
        assert!(said.err.contains(&note), "{}", said.err);
    }
    home.seal(1);
    assert_eq!(
        home.heads().unreadable,
        garbage,
        "the new line is a line of its own"
    );
    assert_eq!(
        words(&home).last().unwrap(),
        "sealed 2026-01 59.00 EUR R 0001"
    );
}

#[test]
fn heads_that_are_behind_are_brought_up() {
    let home = Home::new();
    // A commit whose head was not kept: the program was killed in between.
    let mut store = Store::open(&home.ledger(), DateTime::UNIX_EPOCH).unwrap();
    let alias = Event::Alias(Alias {
        text: "x".to_owned(),
        task: None,
    });
    store
        .write(|writer| writer.append(DateTime::UNIX_EPOCH, "ahorn", &alias))
        .unwrap();
    drop(store);
    home.must(&["ledger", "verify"], 0);
    home.must(&["reconcile"], 0);
    assert_kept(&home);
}

#[test]
fn heads_that_cannot_be_kept_are_a_finding_and_no_reason_to_stop() {
    let home = Home::with("anchors = \"elsewhere\"", "");
    let said = home.must(&["nightly"], 3);
    let what = "the ledger's head could not be kept in ./elsewhere/ledger.db.heads: No such file";
    assert!(said.err.contains(what), "{}", said.err);
    assert!(
        said.out.contains(&format!("NOT KEPT {what}")),
        "{}",
        said.out
    );
    let status = home.must(&["status"], 3);
    assert!(status.out.contains(what), "{}", status.out);
    assert_kept(&home);
    fs::create_dir(home.path("elsewhere")).unwrap();
    home.must(&["nightly"], 0);
    let beside = fs::read(home.path("ledger.db.heads")).unwrap();
    assert!(!beside.is_empty());
    let store = Store::open_read_only(&home.ledger()).unwrap();
    let open = store.findings(false).unwrap();
    assert!(open.iter().all(|it| it.finding.kind != Kind::HeadsNotKept));
    let anchors = Anchors::new(&home.ledger(), Some(&home.path("elsewhere")));
    assert_eq!(store.agrees(&anchors).unwrap().notes, Vec::<String>::new());
}

#[test]
fn a_long_file_is_made_shorter_and_loses_no_statement() {
    let home = Home::new();
    home.seal(1);
    let heads = home.heads();
    let Mark { head, at, .. } = *heads.last().unwrap();
    let row = Mark {
        head,
        at,
        why: Why::Backup,
    };
    let mut text = fs::read_to_string(home.path("ledger.db.heads")).unwrap();
    text += &row.line().repeat(5_000);
    fs::write(home.path("ledger.db.heads"), &text).unwrap();
    home.seal(2);
    let shorter = home.heads();
    assert!(shorter.lines < 300, "{}", shorter.lines);
    let words = words(&home);
    assert!(words.contains(&"sealed 2026-01 59.00 EUR R 0001".to_owned()));
    assert_eq!(words.last().unwrap(), "sealed 2026-02 118.00 EUR R 0002");
    assert_kept(&home);
}
