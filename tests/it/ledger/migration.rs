//! A ledger of version 1, made by hand as that version made it, is brought forward.

use std::path::{Path, PathBuf};

use chrono::TimeDelta;
use rusqlite::{Connection, params};
use sha2::{Digest as _, Sha256};
use stundenbuch::ledger::Event;
use stundenbuch::store::{Error, Store};
use tempfile::TempDir;

use super::pieces::now;

const SCHEMA: &str = include_str!("../../../src/store/schema/0001.sql");

/// Appends a row as version 1 did: with the subject's text in the chain.
fn append(db: &Connection, head: &mut ([u8; 32], u64), kind: &str, subject: &str, payload: &str) {
    let at = now().timestamp();
    head.1 += 1;
    let payload_hash = Sha256::digest(payload.as_bytes());
    let mut hash = Sha256::new();
    hash.update(head.0);
    hash.update(head.1.to_be_bytes());
    hash.update(at.to_be_bytes());
    for text in [kind, subject] {
        hash.update((text.len() as u64).to_be_bytes());
        hash.update(text.as_bytes());
    }
    hash.update(payload_hash);
    head.0 = hash.finalize().into();
    db.execute(
        "INSERT INTO journal (seq, at, kind, subject, payload, payload_hash, hash)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)",
        params![
            head.1,
            at,
            kind,
            subject,
            payload,
            payload_hash.as_slice(),
            head.0
        ],
    )
    .unwrap();
}

/// The same in a directory of its own.
fn version_1() -> (TempDir, PathBuf, [u8; 32]) {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("ledger.db");
    let head = make_version_1(&path);
    (dir, path, head)
}

/// Makes a ledger of version 1 with a genesis, a person and what somebody taught; returns its
/// head.
pub(crate) fn make_version_1(path: &Path) -> [u8; 32] {
    let db = Connection::open(path).unwrap();
    db.execute_batch(SCHEMA).unwrap();
    db.pragma_update(None, "user_version", 1).unwrap();
    db.pragma_update(None, "application_id", 0x5374_4275)
        .unwrap();
    let mut head = ([0; 32], 0);
    append(
        &db,
        &mut head,
        "genesis",
        "ledger",
        r#"{"ledger":"00112233445566778899aabbccddeeff","program":"stundenbuch 0.1.0"}"#,
    );
    let record = r#"{"type":"person","name":"Mara Lindgrün"}"#;
    let body = r#"{"id":7,"fullname":"Mara Lindgrün"}"#;
    let raw: String = Sha256::digest(body)
        .iter()
        .fold(String::new(), |hex, byte| hex + &format!("{byte:02x}"));
    let revision =
        format!(r#"{{"record":{record},"scope":"1","raw":{{"id":1,"sha256":"{raw}"}}}}"#);
    append(&db, &mut head, "revision", "toggl/people/7", &revision);
    let alias = r#"{"text":"CALL","task":{"connection":"trello","stream":"tasks","id":"5"}}"#;
    append(&db, &mut head, "alias", "ahorn", alias);
    db.execute_batch(
        "INSERT INTO source VALUES (1, 'toggl', 'people');
         INSERT INTO alias VALUES ('ahorn', 'CALL', 'trello/tasks/5');",
    )
    .unwrap();
    db.execute(
        "INSERT INTO raw VALUES (1, 1, '7', '1', 1700000000, ?1)",
        [body],
    )
    .unwrap();
    db.execute(
        "INSERT INTO record (id, source, ext_id, scope, revision, content)
         VALUES (2, 1, '7', '1', 2, ?1)",
        [Sha256::digest(record).as_slice()],
    )
    .unwrap();
    head.0
}

#[test]
fn an_old_ledger_keeps_its_rows_and_goes_on_in_the_new_format() {
    let (_dir, path, old_head) = version_1();
    let store = Store::open(&path, now() + TimeDelta::days(1)).unwrap();
    let last_old = store.row(3).unwrap().unwrap();
    assert_eq!(
        last_old.hash, old_head,
        "a head that was printed stays true"
    );
    let format = store.row(4).unwrap().unwrap();
    assert!(matches!(format.event().unwrap(), Event::Format(found) if found.version == 2));
    let verified = store.verify().unwrap();
    assert_eq!(verified.damage, None);
    assert_eq!((verified.head.seq, verified.raws), (4, 1));
    drop(store);
    let store = Store::open(&path, now() + TimeDelta::days(2)).unwrap();
    assert_eq!(store.head().unwrap().seq, 4, "it is brought forward once");
}

#[test]
fn looking_at_an_old_ledger_changes_nothing_and_says_what_to_do() {
    let (_dir, path, _) = version_1();
    let error = Store::open_read_only(&path).unwrap_err();
    assert!(matches!(error, Error::Older { found: 1, .. }), "{error}");
    assert!(error.hint().contains("stundenbuch reconcile"), "{error}");
    let db = Connection::open(&path).unwrap();
    let version: i64 = db
        .pragma_query_value(None, "user_version", |row| row.get(0))
        .unwrap();
    assert_eq!(version, 1);
}
