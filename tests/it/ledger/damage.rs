//! Damage to the file: the triggers refuse it, and what goes around them is found.

use rusqlite::types::Value;
use rusqlite::{Connection, params};
use stundenbuch::ledger::hex;
use stundenbuch::store::Store;
use tempfile::TempDir;

use super::pieces::{Piece, delete, ledger, pull};

/// A ledger with some history: new entries, edits and deletions.
fn history() -> (TempDir, Store) {
    let (dir, mut store) = ledger();
    let mut pieces: Vec<Piece> = (1..=60)
        .map(|id| Piece {
            id,
            start: i64::from(id) * 3_600,
            seconds: 900,
            person: 1,
            text: 1,
            project: Some(1),
        })
        .collect();
    pull(&mut store, &pieces);
    for piece in pieces.iter_mut().step_by(3) {
        piece.seconds += 60;
    }
    pull(&mut store, &pieces);
    delete(&mut store, &[pieces[4].key(), pieces[44].key()]);
    assert_eq!(store.verify().unwrap().damage, None);
    (dir, store)
}

/// A second hand on the file, with the triggers out of the way.
fn hand(store: &Store) -> Connection {
    let hand = Connection::open(store.path()).unwrap();
    hand.execute_batch(
        "PRAGMA synchronous = off; PRAGMA foreign_keys = off;
         DROP TRIGGER journal_no_update; DROP TRIGGER journal_no_delete;
         DROP TRIGGER raw_no_update;",
    )
    .unwrap();
    hand
}

#[test]
fn the_triggers_refuse_to_change_the_past() {
    let (_dir, store) = history();
    let hand = Connection::open(store.path()).unwrap();
    for sql in [
        "UPDATE journal SET payload = '{}' WHERE seq = 2",
        "UPDATE journal SET at = at + 1",
        "DELETE FROM journal WHERE seq = 2",
        "DELETE FROM journal",
        "UPDATE raw SET body = '{}' WHERE id = 1",
    ] {
        let error = hand.execute(sql, []).unwrap_err().to_string();
        assert!(
            error.contains("append-only") || error.contains("never changed"),
            "{sql}: {error}"
        );
    }
    // Not even by replacing: SQLite deletes the old row without asking delete triggers, unless
    // they are recursive; but then the chain tells.
    let sql = "INSERT OR REPLACE INTO journal
               SELECT seq, at, kind, subject, '{}', payload_hash, hash FROM journal WHERE seq = 2";
    let replaced = hand.execute(sql, []);
    let damage = store.verify().unwrap().damage;
    assert!(replaced.is_err() || damage.is_some());
}

#[test]
fn any_flipped_bit_is_found() {
    let (_dir, store) = history();
    let hand = hand(&store);
    let rows = store.head().unwrap().seq;
    let mut dice = Dice::new(7);
    for column in ["at", "kind", "subject", "payload", "payload_hash", "hash"] {
        for _ in 0..50 {
            let seq = dice.roll(rows) + 1;
            let select = format!("SELECT {column} FROM journal WHERE seq = ?1");
            let whole: Value = hand.query_row(&select, [seq], |row| row.get(0)).unwrap();
            let flipped = flip(&whole, &mut dice);
            put(&hand, column, seq, &flipped);
            let damage = store.verify().unwrap().damage;
            let damage = damage.unwrap_or_else(|| panic!("{column} of row {seq}: not found"));
            assert_eq!(damage.row, Some(seq), "{column}: {damage:?}");
            put(&hand, column, seq, &whole);
            assert_eq!(store.verify().unwrap().damage, None, "mended");
        }
    }
}

#[test]
fn dropped_swapped_and_added_rows_are_found() {
    let (_dir, store) = history();
    let hand = hand(&store);
    let found = |sql: &str, row: Option<u64>| {
        hand.execute_batch(&format!("SAVEPOINT before; {sql}; RELEASE before;"))
            .unwrap();
        let damage = store.verify().unwrap().damage.expect(sql);
        assert_eq!(damage.row, row, "{sql}: {damage:?}");
    };
    hand.execute_batch("CREATE TABLE kept AS SELECT * FROM journal")
        .unwrap();
    let restore = || {
        hand.execute_batch("DELETE FROM journal; INSERT INTO journal SELECT * FROM kept;")
            .unwrap();
        assert_eq!(store.verify().unwrap().damage, None);
    };
    found("DELETE FROM journal WHERE seq = 20", Some(21));
    restore();
    found("DELETE FROM journal WHERE seq = 1", Some(2));
    restore();
    // Two neighbours swapped, their numbers too.
    found(
        "UPDATE journal SET seq = -1 WHERE seq = 30;
         UPDATE journal SET seq = 30 WHERE seq = 31;
         UPDATE journal SET seq = 31 WHERE seq = -1",
        Some(30),
    );
    restore();
    // The contents of two rows swapped.
    found(
        "UPDATE journal SET payload = (SELECT payload FROM kept WHERE seq = 12),
                payload_hash = (SELECT payload_hash FROM kept WHERE seq = 12) WHERE seq = 11",
        Some(11),
    );
    restore();
    // A row slipped in.
    found(
        "INSERT INTO journal SELECT (SELECT max(seq) + 1 FROM kept), at, kind, subject, payload,
                payload_hash, hash FROM kept WHERE seq = 5",
        Some(store.head().unwrap().seq + 1),
    );
    restore();
}

#[test]
fn a_changed_or_missing_raw_record_is_found() {
    let (_dir, store) = history();
    let hand = hand(&store);
    let whole: String = hand
        .query_row("SELECT body FROM raw WHERE id = 17", [], |row| row.get(0))
        .unwrap();
    hand.execute("UPDATE raw SET body = body || ' ' WHERE id = 17", [])
        .unwrap();
    let damage = store.verify().unwrap().damage.unwrap();
    assert!(damage.what.contains("17 was changed"), "{damage:?}");
    hand.execute(
        "UPDATE raw SET body = CAST(x'ff' AS TEXT) WHERE id = 17",
        [],
    )
    .unwrap();
    let damage = store.verify().unwrap().damage.unwrap();
    assert!(damage.what.contains("17 was changed"), "{damage:?}");
    hand.execute("UPDATE raw SET body = ?1 WHERE id = 17", [whole])
        .unwrap();
    assert_eq!(store.verify().unwrap().damage, None);
    hand.execute("DELETE FROM raw WHERE id = 18", []).unwrap();
    let damage = store.verify().unwrap().damage.unwrap();
    assert!(damage.what.contains("18 is gone"), "{damage:?}");
}

/// Cutting the tail leaves a chain that holds; the head that somebody wrote down tells it.
#[test]
fn the_cut_tail_shows_in_the_head() {
    let (_dir, mut store) = history();
    let printed = store.head().unwrap();
    let hand = hand(&store);
    hand.execute("DELETE FROM journal WHERE seq > ?1", [printed.seq - 1])
        .unwrap();
    let head = store.verify().unwrap().head;
    assert_eq!(head.seq, printed.seq - 1);
    assert_ne!(head, printed);
    // Written on, it has the old length again, and another hash.
    pull(
        &mut store,
        &[Piece {
            id: 999,
            start: 1,
            seconds: 60,
            person: 1,
            text: 2,
            project: None,
        }],
    );
    let head = store.head().unwrap();
    assert_eq!(head.seq, printed.seq);
    assert_ne!(head.hex(), hex(&printed.hash));
}

/// Numbers that look random and are the same in every run (Knuth's multiplier, 64 bits).
struct Dice(u64);

impl Dice {
    fn new(seed: u64) -> Self {
        Self(seed)
    }

    /// A number below `sides`.
    fn roll(&mut self, sides: u64) -> u64 {
        self.0 = self
            .0
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 33) % sides
    }
}

/// One bit of a value is another: any bit of any byte, so text may stop being UTF-8.
fn flip(value: &Value, dice: &mut Dice) -> Value {
    let mut turn = |bytes: &[u8]| {
        let mut bytes = bytes.to_vec();
        let at = usize::try_from(dice.roll(bytes.len() as u64)).unwrap();
        bytes[at] ^= 1 << dice.roll(8);
        bytes
    };
    match value {
        Value::Integer(number) => {
            let bytes = turn(&number.to_be_bytes());
            Value::Integer(i64::from_be_bytes(bytes.try_into().unwrap()))
        }
        Value::Text(text) => Value::Blob(turn(text.as_bytes())),
        Value::Blob(bytes) => Value::Blob(turn(bytes)),
        other => panic!("{other:?} has no bits"),
    }
}

/// Writes a value into a row; bytes into a column of text are its text, whatever they are.
fn put(hand: &Connection, column: &str, seq: u64, value: &Value) {
    let of = match (column, value) {
        ("kind" | "subject" | "payload", Value::Blob(_)) => "CAST(?1 AS TEXT)",
        _ => "?1",
    };
    let sql = format!("UPDATE journal SET {column} = {of} WHERE seq = ?2");
    assert_eq!(hand.execute(&sql, params![value, seq]).unwrap(), 1);
}
