//! Erasures that were none, and rows that say what is not so.

use rusqlite::Connection;
use serde_json::json;

use super::town::{Town, today};
use crate::ledger_format::strangers_verify;

fn sql(town: &Town, sql: &str) {
    let db = Connection::open(town.ledger()).unwrap();
    db.execute_batch(sql).unwrap();
}

/// What the program says is wrong; the readers of the document find it too.
fn damage(town: &Town) -> (Option<u64>, String) {
    assert!(strangers_verify(&town.ledger()).is_err());
    let damage = town.store.verify().unwrap().damage.unwrap();
    (damage.row, damage.what)
}

fn a_row_of(town: &Town, kind: &str) -> u64 {
    let db = Connection::open(town.ledger()).unwrap();
    let sql = "SELECT min(seq) FROM journal WHERE kind = ?1 AND payload <> ''";
    db.query_row(sql, [kind], |row| row.get(0)).unwrap()
}

#[test]
fn a_row_that_was_only_emptied_is_found() {
    for kind in ["revision", "sealed", "alias", "delivered"] {
        let town = Town::full();
        let row = a_row_of(&town, kind);
        sql(
            &town,
            &format!("UPDATE journal SET payload = '' WHERE seq = {row}"),
        );
        let (found, what) = damage(&town);
        assert_eq!(found, Some(row), "{kind}: {what}");
        assert!(
            what.contains("no row behind it says that it was erased"),
            "{what}"
        );
    }
}

#[test]
fn the_trigger_lets_an_erasure_through_and_nothing_else() {
    let town = Town::full();
    let db = Connection::open(town.ledger()).unwrap();
    let row = a_row_of(&town, "alias");
    for change in [
        "payload = '{}'",
        "payload = '', subject = 'somebody else'",
        "payload = '', at = at + 1",
        "payload = '', kind = 'deleted'",
        "payload = '', payload_hash = x''",
        "payload = '', hash = x''",
        "payload = '', seq = seq + 1000",
    ] {
        let sql = format!("UPDATE journal SET {change} WHERE seq = {row}");
        let refused = db.execute(&sql, []).unwrap_err().to_string();
        assert!(refused.contains("append-only"), "{change}: {refused}");
    }
}

#[test]
fn a_row_that_says_erased_of_what_is_there_is_found() {
    let mut town = Town::full();
    let row = a_row_of(&town, "revision");
    let erased = json!({"client": "00", "rows": [[row, row]], "raws": 0});
    town.append("ledger", "erased", &erased);
    let (found, what) = damage(&town);
    assert_eq!(found, Some(town.store.head().unwrap().seq));
    assert!(what.contains(&format!("row {row} was erased")), "{what}");
}

#[test]
fn a_text_that_was_put_back_is_found() {
    let mut town = Town::full();
    let row = a_row_of(&town, "alias");
    let before = town.store.row(row).unwrap().unwrap();
    town.erase("ahorn", today());
    assert_eq!(town.store.verify().unwrap().damage, None);
    let db = Connection::open(town.ledger()).unwrap();
    db.execute_batch("DROP TRIGGER journal_no_update").unwrap();
    let sql = "UPDATE journal SET payload = ?2, subject = ?3 WHERE seq = ?1";
    let put_back = db.execute(sql, rusqlite::params![row, before.payload, before.subject]);
    assert_eq!(put_back.unwrap(), 1);
    let (found, what) = damage(&town);
    assert_eq!(found, Some(town.store.head().unwrap().seq), "{what}");
}

#[test]
fn the_hash_in_the_place_of_a_subject_is_proved() {
    let mut town = Town::full();
    let row = a_row_of(&town, "alias");
    town.erase("ahorn", today());
    let db = Connection::open(town.ledger()).unwrap();
    let changed = "UPDATE journal SET subject = 'sha256:' || printf('%064d', 7) WHERE seq = ?1";
    db.execute(changed, [row]).unwrap();
    let (found, what) = damage(&town);
    assert_eq!(found, Some(row), "{what}");
}

#[test]
fn rows_that_make_a_ledger_what_it_is_are_never_erased() {
    for kind in ["genesis", "format"] {
        let mut town = Town::full();
        let row = a_row_of(&town, kind);
        sql(
            &town,
            &format!("UPDATE journal SET payload = '' WHERE seq = {row}"),
        );
        let erased = json!({"client": "00", "rows": [[row, row]], "raws": 0});
        town.append("ledger", "erased", &erased);
        let (found, what) = damage(&town);
        assert_eq!(found, Some(row), "{kind}: {what}");
        assert!(what.contains("is never erased"), "{kind}: {what}");
    }
}
