//! `ledger restore`: what it refuses, in which words, and what it leaves whatever was there.

use std::fs;
use std::path::Path;

use rusqlite::Connection;
use stundenbuch::ledger::Event;
use stundenbuch::store::{Lock, Store};

use super::home::Home;

/// Three statements, all delivered; `one.db` has the first, not delivered yet.
fn three() -> Home {
    let home = Home::new();
    home.seal(1);
    home.must(&["ledger", "backup", "one.db"], 0);
    home.seal(2);
    home.seal(3);
    home.must(&["deliver"], 0);
    home
}

fn lost_lines(err: &str) -> Vec<&str> {
    let lines = err.lines().filter_map(|line| line.strip_prefix("lost: "));
    lines.collect()
}

const LOST: [&str; 2] = [
    "statement R 0002 of 2026-02, 118.00 EUR net, for ahorn",
    "statement R 0003 of 2026-03, 177.00 EUR net, for ahorn",
];

const ACCEPT: [&str; 7] = [
    "ledger",
    "restore",
    "one.db",
    "--accept-lost",
    "R 0001",
    "R 0002",
    "R 0003",
];

fn restored(home: &Home) -> stundenbuch::ledger::Restored {
    let store = Store::open_read_only(&home.ledger()).unwrap();
    let mut found = None;
    store
        .rows_after(0, |row| -> Result<(), stundenbuch::store::Error> {
            if let Event::Restored(restored) = row.event()? {
                found = Some(restored);
            }
            Ok(())
        })
        .unwrap();
    found.expect("a row says that it was restored")
}

#[test]
fn a_backup_without_sealed_statements_is_refused_until_each_is_named() {
    let home = three();
    let (rows, before) = (home.rows(), fs::read(home.ledger()).unwrap());
    let said = home.must(&["ledger", "restore", "one.db"], 4);
    let lost = lost_lines(&said.err);
    assert_eq!(lost[..2], LOST);
    assert_eq!(lost.len(), 5, "{lost:?}");
    for number in ["R 0001", "R 0002", "R 0003"] {
        let proof = format!("the proof that {number}/drive/");
        assert!(
            lost[2..].iter().any(|it| it.starts_with(&proof)),
            "{number}: {lost:?}"
        );
    }
    let refusal = "\nerror: restore one.db: it would lose what belongs to sealed statements; \
                   nothing was changed\n\n\
                   hint: take a newer backup; if there is none, name each: `--accept-lost \"R \
                   0002\" \"R 0003\" \"R 0001\"`\n";
    assert!(said.err.ends_with(refusal), "{}", said.err);

    let said = home.must(
        &["ledger", "restore", "one.db", "--accept-lost", "R 0002"],
        4,
    );
    assert!(
        said.err
            .ends_with("`--accept-lost \"R 0003\" \"R 0001\"`\n"),
        "{}",
        said.err
    );
    let said = home.must(
        &["ledger", "restore", "one.db", "--accept-lost", "R 0009"],
        2,
    );
    assert_eq!(
        said.err,
        "error: accept the loss of R 0009: it would not be lost\n\n\
         hint: leave it out; `--dry-run` lists what would be lost\n"
    );
    let said = home.must(&["ledger", "restore", "one.db", "--dry-run"], 1);
    assert!(said.err.ends_with("Dry run: nothing was changed.\n"));
    assert_eq!(fs::read(home.ledger()).unwrap(), before);
    assert_eq!(
        home.files(),
        ["ledger.db", "ledger.db.heads", "ledger.db.lock"]
    );
    assert_eq!(home.rows(), rows);
}

#[test]
fn an_accepted_loss_stands_in_the_chain_and_the_old_ledger_is_kept() {
    let home = three();
    let (rows, head) = (home.rows(), home.must(&["ledger", "head"], 0).out);
    let old = fs::read(home.ledger()).unwrap();
    let said = home.must(&ACCEPT, 0);
    assert!(
        said.err
            .contains("The ledger that was there is kept as ./ledger.db.replaced-NOW.\n"),
        "{}",
        said.err
    );
    assert_eq!(home.numbers(), ["R 0001"]);
    let row = restored(&home);
    assert_eq!(row.lost, ["R 0002", "R 0003"]);
    let gave_up = row.gave_up.unwrap();
    assert_eq!(format!("{} {}\n", gave_up.seq, gave_up.hash), head);
    home.must(&["ledger", "verify", "--ledger-only"], 0);
    home.must(&["status"], 0);
    assert!(
        home.heads()
            .last()
            .unwrap()
            .why
            .to_string()
            .starts_with("restored ")
    );
    // The work is open again, and its number is given again.
    home.seal(2);
    assert_eq!(home.numbers(), ["R 0001", "R 0002"]);
    home.must(&["deliver"], 0);
    home.must(&["ledger", "verify", "--ledger-only"], 0);
    // What was there is whole.
    let kept = fs::read_dir(home.dir.path())
        .unwrap()
        .map(|it| it.unwrap().path());
    let kept: Vec<_> = kept
        .filter(|it| it.to_string_lossy().contains("replaced-"))
        .collect();
    assert_eq!(kept.len(), 1, "{kept:?}");
    assert_eq!(fs::metadata(&kept[0]).unwrap().len(), old.len() as u64);
    let store = Store::open_read_only(&kept[0]).unwrap();
    assert_eq!(store.verify().unwrap().damage, None);
    assert_eq!(store.head().unwrap().seq, rows);
    drop(store);
    // Back to it: now the other chain's statement would be lost.
    let back = kept[0].to_str().unwrap();
    let said = home.must(&["ledger", "restore", back], 4);
    assert_eq!(
        lost_lines(&said.err)[0],
        "statement R 0002 of 2026-02, 118.00 EUR net, for ahorn"
    );
    let again = [
        "ledger",
        "restore",
        back,
        "--accept-lost",
        "R 0001",
        "R 0002",
    ];
    home.must(&again, 0);
    assert_eq!(home.numbers(), ["R 0001", "R 0002", "R 0003"]);
    home.must(&["ledger", "verify"], 0);
    home.must(&["nightly"], 0);
}

#[test]
fn what_would_lose_nothing_needs_no_word() {
    let home = three();
    home.must(&["ledger", "backup", "all.db"], 0);
    let said = home.must(&["ledger", "restore", "all.db"], 0);
    assert!(
        said.err.contains("; 0 of them are not in the backup."),
        "{}",
        said.err
    );
    assert_eq!(restored(&home).gave_up, None);
    assert_eq!(home.numbers().len(), 3);
    home.must(&["ledger", "verify"], 0);
}

#[test]
fn a_rolled_back_ledger_is_mended_by_a_newer_backup_or_accepted_as_it_is() {
    for accept in [false, true] {
        let home = three();
        home.must(&["ledger", "backup", "all.db"], 0);
        home.put_back(&home.path("one.db"));
        home.must(&["nightly"], 4);
        if accept {
            let said = home.must(&["ledger", "restore", "ledger.db"], 4);
            // Who they were for is not known any more.
            let lost = LOST.map(|it| it.trim_end_matches(", for ahorn"));
            assert_eq!(lost_lines(&said.err), lost);
            let args = [
                "ledger",
                "restore",
                "ledger.db",
                "--accept-lost",
                "R 0002",
                "R 0003",
            ];
            home.must(&args, 0);
            assert_eq!(home.numbers(), ["R 0001"]);
            assert_eq!(restored(&home).lost, ["R 0002", "R 0003"]);
        } else {
            home.must(&["ledger", "restore", "all.db"], 0);
            assert_eq!(home.numbers().len(), 3);
        }
        home.must(&["status"], 0);
        home.must(&["nightly"], 0);
        home.must(&["ledger", "verify", "--ledger-only"], 0);
    }
}

#[test]
fn it_works_where_the_ledger_is_gone_or_unreadable() {
    type Spoiling = (&'static str, fn(&Path));
    let spoil: [Spoiling; 4] = [
        ("gone", |ledger| fs::remove_file(ledger).unwrap()),
        ("garbage", |ledger| {
            fs::write(ledger, "garbage ".repeat(4_000)).unwrap();
        }),
        ("cut", |ledger| {
            let bytes = fs::read(ledger).unwrap();
            fs::write(ledger, &bytes[..bytes.len() / 3]).unwrap();
        }),
        ("a page of noise", |ledger| {
            let mut bytes = fs::read(ledger).unwrap();
            for page in 1..bytes.len() / 4_096 {
                bytes[page * 4_096..page * 4_096 + 64].fill(0xa5);
            }
            fs::write(ledger, bytes).unwrap();
        }),
    ];
    for (case, spoil) in spoil {
        let home = three();
        home.must(&["ledger", "backup", "all.db"], 0);
        spoil(&home.ledger());
        // Left from another life; they must not become the new ledger's.
        fs::write(home.path("ledger.db-wal"), "rest").unwrap();
        fs::write(home.path("ledger.db-journal"), "rest").unwrap();
        let spoilt = fs::read(home.ledger()).ok();
        // What the ledger had is known from its heads.
        let said = home.must(&["ledger", "restore", "one.db"], 4);
        let lost = LOST.map(|it| it.trim_end_matches(", for ahorn"));
        assert_eq!(lost_lines(&said.err)[..2], lost, "{case}: {}", said.err);
        let said = home.must(&["ledger", "restore", "all.db"], 0);
        assert_eq!(home.numbers().len(), 3, "{case}");
        assert!(said.err.contains("Restored: "), "{case}: {}", said.err);
        let kept = home.files();
        let there = kept.iter().any(|name| name == "ledger.db.replaced-NOW");
        assert_eq!(there, spoilt.is_some(), "{case}: {kept:?}");
        home.must(&["ledger", "verify"], 0);
        home.must(&["nightly"], 0);
    }
}

#[expect(
    clippy::too_many_lines,
    reason = "a table of files and what is said of each"
)]
#[test]
fn what_is_no_good_backup_is_refused_and_changes_nothing() {
    let (home, other) = (three(), Home::new());
    other.must(&["ledger", "backup", "other.db"], 0);
    fs::copy(other.path("other.db"), home.path("other.db")).unwrap();
    fs::write(home.path("empty.db"), "").unwrap();
    fs::write(home.path("notes.txt"), "Brot und Butter. ".repeat(500)).unwrap();
    let song = Connection::open(home.path("song.db")).unwrap();
    song.execute_batch("CREATE TABLE song (title TEXT)")
        .unwrap();
    drop(song);
    home.must(&["ledger", "backup", "bad.db"], 0);
    let bad = Connection::open(home.path("bad.db")).unwrap();
    bad.execute_batch("DROP TRIGGER journal_no_update; UPDATE journal SET at = 1 WHERE seq = 5")
        .unwrap();
    drop(bad);
    home.must(&["ledger", "backup", "short.db"], 0);
    fs::copy(home.path("one.db"), home.path("short.db")).unwrap();
    let before = fs::read(home.ledger()).unwrap();
    let another = "\n\nhint: take another backup; nothing was changed\n";
    for (file, code, text) in [
        (
            "bad.db",
            4,
            format!(
                "error: restore bad.db: the backup is damaged: row 5: its hash does not follow \
                 from the row before{another}"
            ),
        ),
        (
            "short.db",
            4,
            format!(
                "error: restore short.db: the backup is damaged: it does not hold what the heads \
                 beside it say that it held{another}"
            ),
        ),
        (
            "empty.db",
            4,
            format!("error: restore empty.db: the backup is damaged: the file is empty{another}"),
        ),
        (
            "song.db",
            4,
            format!(
                "error: restore song.db: the backup is damaged: it is not a ledger of this \
                 program{another}"
            ),
        ),
        (
            "notes.txt",
            4,
            format!(
                "error: restore notes.txt: the backup is damaged: file is not a database{another}"
            ),
        ),
        (
            "none.db",
            3,
            "error: restore none.db: No such file or directory (os error 2)\n\n\
             hint: mend the cause and run it again; the ledger is as it was\n"
                .to_owned(),
        ),
        (
            "other.db",
            2,
            "error: restore other.db: it is a backup of another ledger than ./ledger.db is of\n\n\
             hint: name a backup of this ledger, or move the files of the other one away\n"
                .to_owned(),
        ),
    ] {
        let said = home.must(&["ledger", "restore", file], code);
        assert_eq!(said.err, text);
        assert_eq!(fs::read(home.ledger()).unwrap(), before, "{file}");
        assert_eq!(
            home.files(),
            ["ledger.db", "ledger.db.heads", "ledger.db.lock"],
            "{file}"
        );
    }
    // Also when only its heads tell whose ledger it was.
    fs::remove_file(home.ledger()).unwrap();
    let said = home.must(&["ledger", "restore", "other.db"], 2);
    assert!(
        said.err
            .contains("another ledger than ./ledger.db.heads is of"),
        "{}",
        said.err
    );
    assert!(!home.ledger().exists());
}

#[test]
fn it_waits_for_nobody_who_works_on_the_ledger() {
    let home = three();
    let lock = Lock::take(&home.ledger(), "the daemon's run").unwrap();
    let said = home.must(&["ledger", "restore", "one.db"], 2);
    assert!(
        said.err
            .contains("another instance works on ./ledger.db (the daemon's run"),
        "{}",
        said.err
    );
    drop(lock);
    // A reader of the old file reads on in what it opened; the new one is not its.
    let reader = Store::open_read_only(&home.ledger()).unwrap();
    let rows = reader.head().unwrap().seq;
    let said = home.must(&ACCEPT, 2);
    assert!(
        said.err.contains("another program has ./ledger.db open"),
        "{}",
        said.err
    );
    assert_eq!(reader.head().unwrap().seq, rows);
    drop(reader);
    home.must(&ACCEPT, 0);
}

#[test]
fn a_restore_that_was_cut_off_is_finished_by_what_comes_next() {
    let home = three();
    let heads = fs::read(home.path("ledger.db.heads")).unwrap();
    // Killed while the backup was copied: the next command clears it away.
    fs::write(home.path("ledger.db.restoring"), "half").unwrap();
    home.must(&["reconcile"], 0);
    assert!(!home.path("ledger.db.restoring").exists());
    assert_eq!(home.numbers().len(), 3);
    // Killed behind the exchange, before the heads knew: the chain itself says what happened.
    home.must(&ACCEPT, 0);
    fs::write(home.path("ledger.db.heads"), &heads).unwrap();
    home.must(&["ledger", "verify", "--ledger-only"], 0);
    home.must(&["reconcile"], 0);
    let why = |home: &Home| {
        home.heads()
            .marks
            .iter()
            .any(|it| it.why.to_string().starts_with("restored"))
    };
    assert!(why(&home));
    // Or the same command again.
    fs::write(home.path("ledger.db.heads"), &heads).unwrap();
    home.must(&["ledger", "restore", "one.db", "--dry-run"], 1);
    let again = [
        "ledger",
        "restore",
        "one.db",
        "--accept-lost",
        "R 0002",
        "R 0003",
    ];
    home.must(&again, 0);
    assert_eq!(home.numbers(), ["R 0001"]);
    assert!(why(&home));
    home.must(&["nightly"], 0);
}
