//! The table of threats, carried out: what is found, by what, and what is not.

use rusqlite::{Connection, params};

use super::made::Ledger;
use super::reader::{sha256, verify};

#[test]
fn the_chain_finds_every_single_change() {
    for damage in [
        "UPDATE journal SET at = at + 1 WHERE seq = 3",
        "UPDATE journal SET kind = 'revisiom' WHERE seq = 3",
        "UPDATE journal SET subject = subject || ' ' WHERE seq = 3",
        "UPDATE journal SET payload = replace(payload, 'Call', 'Calk')
          WHERE seq = (SELECT min(seq) FROM journal WHERE payload LIKE '%Call%')",
        "UPDATE journal SET payload = '' WHERE seq = 4",
        "UPDATE journal SET payload_hash = zeroblob(32) WHERE seq = 4",
        "UPDATE journal SET hash = zeroblob(32) WHERE seq = 4",
        "DELETE FROM journal WHERE seq = 5",
        "DELETE FROM journal WHERE seq = 1",
        "UPDATE journal SET seq = -seq WHERE seq IN (6, 7);
         UPDATE journal SET seq = 13 + seq WHERE seq < 0",
        "INSERT INTO journal SELECT max(seq) + 1, at, kind, subject, payload, payload_hash, hash
           FROM journal",
        "UPDATE raw SET body = body || ' ' WHERE id = 1",
        "DELETE FROM raw WHERE id = 2",
    ] {
        let ledger = Ledger::make();
        ledger.sql(damage);
        assert!(
            verify(&ledger.file()).is_err(),
            "the reader does not find: {damage}"
        );
        let (exit, _, stderr) = ledger.run(&["ledger", "verify"]);
        assert_eq!(exit, Some(4), "the program does not find: {damage}");
        assert!(stderr.contains("row "), "{damage}: {stderr}");
    }
}

#[test]
fn a_cut_tail_shows_only_in_the_head() {
    let ledger = Ledger::make();
    let before = verify(&ledger.file()).unwrap().head();
    ledger.sql("DELETE FROM journal WHERE seq = (SELECT max(seq) FROM journal)");
    let after = verify(&ledger.file())
        .expect("what is left still holds")
        .head();
    assert_ne!(before, after);
    // The heads beside the file know it; without them, the chain holds.
    assert_eq!(ledger.run(&["ledger", "verify"]).0, Some(4));
    ledger.forget_heads();
    assert_eq!(ledger.run(&["ledger", "verify"]).0, Some(0));
}

#[test]
fn a_chain_that_was_computed_anew_shows_only_in_the_head() {
    let ledger = Ledger::make();
    let before = verify(&ledger.file()).unwrap();
    ledger.sql("SELECT 1");
    let db = Connection::open(ledger.file()).unwrap();
    let mut hash = [0; 32];
    for row in &before.rows {
        let payload = row.payload.replace("Call", "Fall");
        let payload_hash = sha256(payload.as_bytes());
        let at = db.query_row("SELECT at FROM journal WHERE seq = ?1", [row.seq], |row| {
            row.get(0)
        });
        let at: i64 = at.unwrap();
        let text = |text: &str| [&(text.len() as u64).to_be_bytes(), text.as_bytes()].concat();
        let parts = [
            hash.to_vec(),
            row.seq.to_be_bytes().to_vec(),
            at.to_be_bytes().to_vec(),
            text(&row.kind),
            if row.seq > 2 {
                sha256(row.subject.as_bytes()).to_vec()
            } else {
                text(&row.subject)
            },
            payload_hash.to_vec(),
        ];
        hash = sha256(&parts.concat());
        db.execute(
            "UPDATE journal SET payload = ?2, payload_hash = ?3, hash = ?4 WHERE seq = ?1",
            params![row.seq, payload, payload_hash, hash],
        )
        .unwrap();
    }
    let after = verify(&ledger.file()).expect("the forged chain holds");
    assert_ne!(before.head(), after.head());
    assert_eq!(ledger.run(&["ledger", "verify"]).0, Some(4));
    // Who can forge the chain can have the current state made from it, and forge the heads.
    ledger.forget_heads();
    ledger.run(&["ledger", "rebuild"]);
    assert_eq!(ledger.run(&["ledger", "verify"]).0, Some(0));
}

#[test]
fn a_damaged_projection_is_mended_from_the_journal() {
    let ledger = Ledger::make();
    ledger.sql("UPDATE record SET seconds = 1 WHERE seconds IS NOT NULL; DELETE FROM settled");
    verify(&ledger.file()).expect("the chain is as it was");
    let (exit, _, stderr) = ledger.run(&["ledger", "verify"]);
    assert_eq!(exit, Some(4), "{stderr}");
    assert!(stderr.contains("ledger rebuild"), "{stderr}");
    let exit = |command| ledger.run(&["ledger", command]).0;
    assert_eq!(exit("rebuild"), Some(1), "it was wrong and is mended");
    assert_eq!(exit("rebuild"), Some(0), "it is right");
    assert_eq!(exit("verify"), Some(0));
}

#[test]
fn the_journal_refuses_what_is_no_new_row() {
    let ledger = Ledger::make();
    let db = Connection::open(ledger.file()).unwrap();
    for sql in [
        "UPDATE journal SET at = 0",
        "DELETE FROM journal",
        "UPDATE raw SET body = ''",
    ] {
        assert!(db.execute(sql, []).is_err(), "{sql}");
    }
}

#[test]
fn a_file_that_is_foreign_or_newer_is_left_alone() {
    for (pragma, says) in [
        (
            "PRAGMA application_id = 7",
            "is not a ledger of this program",
        ),
        ("PRAGMA user_version = 3", "newer version"),
    ] {
        let ledger = Ledger::make();
        ledger.sql(pragma);
        let (exit, _, stderr) = ledger.run(&["nightly"]);
        assert_eq!(exit, Some(2), "{stderr}");
        assert!(stderr.contains(says), "{stderr}");
    }
}
