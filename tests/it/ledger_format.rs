//! `docs/ledger.md` against a ledger that the program made.
//!
//! The reader here knows the document and not `stundenbuch::ledger`: it is what somebody would
//! write who has the file and the page. The page is read, too, so that its example, its kinds and
//! its fields cannot say anything else than the code.

#[path = "ledger_format/damage.rs"]
mod damage;
#[path = "ledger_format/document.rs"]
mod document;
#[path = "ledger_format/made.rs"]
mod made;
#[path = "ledger_format/reader.rs"]
mod reader;

use std::collections::BTreeSet;
use std::path::Path;
use std::process::Command;

use self::made::Ledger;
use self::reader::{Projected, verify};

/// Kinds of rows that this test's ledger has none of; other tests make them.
const ELSEWHERE: [&str; 2] = ["erased", "restored"];

/// The reader of the document verifies a ledger, and comes to the program's own projection.
pub(crate) fn strangers_read(file: &Path) -> String {
    let verified = verify(file).unwrap();
    let computed = Projected::from_journal(&verified.rows);
    assert_eq!(computed, Projected::from_tables(file));
    verified.head()
}

/// What the two readers who know only the document say of a ledger; the head that both find.
pub(crate) fn strangers_verify(file: &Path) -> Result<String, String> {
    verify(file)?;
    let head = strangers_read(file);
    let script = tempfile::tempdir().unwrap();
    let script = script.path().join("reader.py");
    std::fs::write(&script, document::block("python")).unwrap();
    if let Ok(run) = Command::new("python3").arg(&script).arg(file).output() {
        let words = String::from_utf8_lossy(&run.stderr).into_owned();
        if !run.status.success() {
            return Err(words);
        }
        assert_eq!(String::from_utf8_lossy(&run.stdout).trim(), head);
    }
    Ok(head)
}

#[test]
fn a_stranger_verifies_a_ledger_of_the_program() {
    let ledger = Ledger::make();
    let verified = verify(&ledger.file()).unwrap();
    let kinds: BTreeSet<&str> = verified.kinds().collect();
    let mut all: BTreeSet<&str> = document::kinds().into_iter().collect();
    for elsewhere in ELSEWHERE {
        assert!(all.remove(elsewhere), "{elsewhere}");
    }
    assert_eq!(
        kinds, all,
        "the ledger of this test should have a row of every kind"
    );
    assert_eq!(ledger.run(&["ledger", "head"]).1.trim(), verified.head());
}

#[test]
fn the_projection_follows_from_the_journal_as_the_document_says() {
    let ledger = Ledger::make();
    let verified = verify(&ledger.file()).unwrap();
    let computed = Projected::from_journal(&verified.rows);
    let stored = Projected::from_tables(&ledger.file());
    assert_eq!(computed, stored);
    let joined = computed.records.values().filter(|record| !record.speaks);
    assert_eq!(joined.count(), 1, "one record should report another's work");
    let deleted = computed
        .records
        .values()
        .filter(|record| record.deleted.is_some());
    assert_eq!(deleted.count(), 1, "one record should be deleted");
    assert_eq!(
        computed.corrections.len(),
        1,
        "one work should be corrected"
    );
}

#[test]
fn payloads_have_the_fields_that_the_document_names() {
    let ledger = Ledger::make();
    for row in verify(&ledger.file()).unwrap().rows {
        let named = document::fields(&row.kind);
        let fields = row.json();
        for field in fields.as_object().unwrap().keys() {
            assert!(
                named.contains(field.as_str()),
                "`{}` has a field `{field}`",
                row.kind
            );
        }
        if row.kind == "revision" {
            let record = &fields["record"];
            let named = document::fields(record["type"].as_str().unwrap());
            for field in record
                .as_object()
                .unwrap()
                .keys()
                .filter(|field| *field != "type")
            {
                assert!(
                    named.contains(field.as_str()),
                    "a record has a field `{field}`"
                );
            }
        }
    }
}

#[test]
fn the_python_of_the_document_agrees() {
    let ledger = Ledger::make();
    let head = verify(&ledger.file()).unwrap().head();
    let script = ledger.directory().join("reader.py");
    std::fs::write(&script, document::block("python")).unwrap();
    let run = || {
        Command::new("python3")
            .arg(&script)
            .arg(ledger.file())
            .output()
    };
    let Ok(good) = run() else {
        println!("SKIPPED: there is no python3 on this machine");
        return;
    };
    assert!(
        good.status.success(),
        "{}",
        String::from_utf8_lossy(&good.stderr)
    );
    assert_eq!(String::from_utf8(good.stdout).unwrap().trim(), head);
    ledger.sql("UPDATE journal SET subject = subject || 'x' WHERE seq = 3");
    assert!(
        !run().unwrap().status.success(),
        "the Python takes a changed subject"
    );
}
