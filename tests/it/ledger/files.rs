//! Files that are no ledger of this version, and what survives a restart.

use std::collections::BTreeSet;
use std::fs;

use chrono::TimeDelta;
use rusqlite::Connection;
use stundenbuch::store::{Budgets, Error, Lock, Store};
use stundenbuch_connectors::budget::{BudgetState, BudgetStore};

use super::pieces::{Piece, ledger, now, pull};

#[test]
fn a_database_of_another_program_is_refused_and_left_alone() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("other.db");
    let other = Connection::open(&path).unwrap();
    other
        .execute_batch("CREATE TABLE song (title TEXT); INSERT INTO song VALUES ('x');")
        .unwrap();
    drop(other);
    let before = fs::read(&path).unwrap();
    let error = Store::open(&path, now()).unwrap_err();
    assert!(matches!(error, Error::Foreign { .. }), "{error}");
    assert!(
        error
            .to_string()
            .ends_with("other.db is not a ledger of this program")
    );
    let error = Store::open_read_only(&path).unwrap_err();
    assert!(matches!(error, Error::Foreign { .. }), "{error}");
    assert_eq!(fs::read(&path).unwrap(), before, "not a byte was changed");
    let names: BTreeSet<_> = fs::read_dir(dir.path())
        .unwrap()
        .map(|entry| entry.unwrap().file_name())
        .collect();
    assert_eq!(names.len(), 1, "{names:?}");
}

#[test]
fn a_newer_ledger_is_refused() {
    let (_dir, store) = ledger();
    let path = store.path().to_owned();
    drop(store);
    let hand = Connection::open(&path).unwrap();
    hand.pragma_update(None, "user_version", 99).unwrap();
    drop(hand);
    for error in [
        Store::open(&path, now()).unwrap_err(),
        Store::open_read_only(&path).unwrap_err(),
    ] {
        assert!(matches!(error, Error::Newer { found: 99, .. }), "{error}");
        assert!(error.hint().starts_with("install the newer version"));
    }
}

#[test]
fn a_text_file_is_refused() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("notes.txt");
    fs::write(
        &path,
        "Not a database, but long enough to look at. ".repeat(100),
    )
    .unwrap();
    let before = fs::read(&path).unwrap();
    let error = Store::open(&path, now()).unwrap_err();
    assert!(matches!(error, Error::Damaged(_)), "{error:?}");
    assert_eq!(fs::read(&path).unwrap(), before);
}

#[test]
fn a_missing_ledger_is_not_made_by_looking() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("none.db");
    let error = Store::open_read_only(&path).unwrap_err();
    assert!(
        error.to_string().contains("there is no such file"),
        "{error}"
    );
    assert!(!path.exists());
}

/// Cut anywhere, a ledger either does not open or does not verify; it never looks whole.
#[test]
fn a_truncated_file_is_noticed() {
    let (dir, mut store) = ledger();
    let pieces: Vec<Piece> = (1..200)
        .map(|id| Piece {
            id,
            start: i64::from(id) * 60,
            seconds: 60,
            person: 1,
            text: 1,
            project: Some(1),
        })
        .collect();
    pull(&mut store, &pieces);
    let path = store.path().to_owned();
    drop(store);
    let whole = fs::read(&path).unwrap();
    assert!(whole.len() > 20 * 4_096);
    for part in 1..20 {
        let cut = dir.path().join(format!("cut{part}.db"));
        fs::write(&cut, &whole[..whole.len() * part / 20]).unwrap();
        let noticed = match Store::open(&cut, now()) {
            Err(Error::Damaged(_)) => true,
            Err(error) => panic!("{part}: {error:?}"),
            Ok(store) => match store.verify() {
                Err(Error::Damaged(_)) => true,
                Err(error) => panic!("{part}: {error:?}"),
                Ok(verified) => verified.damage.is_some(),
            },
        };
        assert!(noticed, "cut to {part} of 20");
    }
}

#[test]
fn budgets_survive_the_program() {
    let (dir, store) = ledger();
    let state = BudgetState {
        window_start: Some(now()),
        used: 17,
        told: Some((3, now() + TimeDelta::minutes(40))),
        parked_until: Some(now() + TimeDelta::minutes(5)),
    };
    let budgets = Budgets::open(store.path()).unwrap();
    budgets.save("toggl", "user", &state).unwrap();
    drop((budgets, store));
    let (_other, other) = ledger();
    let elsewhere = Budgets::open(other.path()).unwrap();
    assert_eq!(
        elsewhere.load("toggl", "user").unwrap(),
        BudgetState::default()
    );
    let again = Budgets::open(&dir.path().join("ledger.db")).unwrap();
    assert_eq!(again.load("toggl", "user").unwrap(), state);
    assert_eq!(again.load("toggl", "org").unwrap(), BudgetState::default());
}

#[test]
fn one_instance_at_a_time() {
    let (_dir, store) = ledger();
    let lock = Lock::take(store.path(), "nightly").unwrap();
    let error = Lock::take(store.path(), "pull").unwrap_err();
    assert!(matches!(error, Error::Locked { .. }));
    assert!(error.to_string().contains("(nightly, process "), "{error}");
    drop(lock);
    Lock::take(store.path(), "pull").unwrap();
}
