//! An old copy of the ledger, a shortened one, none, another one: noticed by whatever works on it.

use std::fs;
use std::io::{Read as _, Write as _};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::process::Child;
use std::time::Duration;

use chrono::DateTime;
use rustix::process::{Pid, Signal, kill_process};
use stundenbuch::store::Store;

use super::home::Home;

/// Two statements, of which an old copy in `old.db` has the first.
fn rolled_back() -> (Home, u64, u64) {
    let home = Home::new();
    home.seal(1);
    home.must(&["ledger", "backup", "old.db"], 0);
    let old = home.rows();
    home.seal(2);
    let rows = home.rows();
    home.put_back(&home.path("old.db"));
    (home, old, rows)
}

fn told(old: u64, rows: u64) -> String {
    format!(
        "error: the ledger ./ledger.db was rolled back: row {rows} of NOW is not in it any more, \
         and ./ledger.db.heads knows that it was\n  \
         rows behind row {old} are missing\n  \
         missing: statement R 0002 of 2026-02, 118.00 EUR net\n\n\
         hint: put the newest backup in its place: `stundenbuch ledger restore FILE`; where there \
         is none, `stundenbuch ledger restore ./ledger.db` goes on with what is left\n"
    )
}

#[test]
fn an_old_copy_that_was_put_back_is_refused_by_every_command_that_changes_it() {
    let (home, old, rows) = rolled_back();
    let before = fs::read(home.ledger()).unwrap();
    let heads = fs::read(home.path("ledger.db.heads")).unwrap();
    for args in [
        &["ledger", "verify"][..],
        &["nightly"],
        &["nightly", "--dry-run"],
        &["pull"],
        &["reconcile"],
        &["import", "work.csv"],
        &["statement", "seal", "ahorn", "--period", "2026-03"],
        &["deliver"],
        &["ledger", "rebuild"],
    ] {
        let said = home.must(args, 4);
        assert_eq!(said.err, told(old, rows), "{args:?}");
        assert_eq!(said.out, "", "{args:?}");
    }
    assert_eq!(fs::read(home.ledger()).unwrap(), before);
    assert_eq!(fs::read(home.path("ledger.db.heads")).unwrap(), heads);
    assert_eq!(fs::read_dir(home.path("drive")).unwrap().count(), 0);
    // Looking at what is left is no harm, and the status says how it is.
    home.must(&["statement", "list"], 0);
    let status = home.must(&["--json", "status"], 4);
    assert!(status.out.contains("was rolled back: row"), "{status:?}");
    let verified = home.must(&["--json", "ledger", "verify"], 4);
    assert!(
        verified.out.contains("\"rolled_back\": \"the ledger"),
        "{verified:?}"
    );
}

#[test]
fn a_cut_tail_whose_current_state_was_made_anew_is_noticed() {
    let home = Home::new();
    home.seal(1);
    let rows = home.rows();
    home.sql("DELETE FROM journal WHERE seq = (SELECT max(seq) FROM journal)");
    let mut store = Store::open(&home.ledger(), DateTime::UNIX_EPOCH).unwrap();
    store.rebuild().unwrap();
    assert_eq!(store.verify().unwrap().damage, None, "it looks whole");
    drop(store);
    let said = home.must(&["ledger", "verify"], 4);
    assert!(
        said.err
            .contains(&format!("rows behind row {} are missing", rows - 1)),
        "{}",
        said.err
    );
    assert!(
        said.err
            .contains("missing: statement R 0001 of 2026-01, 59.00 EUR net")
    );
}

#[test]
fn another_chain_of_the_same_length_is_noticed() {
    let home = Home::new();
    home.must(&["ledger", "backup", "old.db"], 0);
    home.seal(1);
    let rows = home.rows();
    home.put_back(&home.path("old.db"));
    let heads = home.path("ledger.db.heads");
    let kept = fs::read(&heads).unwrap();
    fs::remove_file(&heads).unwrap();
    home.seal(2);
    assert_eq!(home.rows(), rows);
    fs::write(&heads, kept).unwrap();
    let said = home.must(&["deliver"], 4);
    assert!(said.err.contains("was rolled back"), "{}", said.err);
}

#[test]
fn a_ledger_that_is_gone_is_not_begun_anew() {
    let home = Home::new();
    home.seal(1);
    let rows = home.rows();
    for name in home.files() {
        if name != "ledger.db.heads" {
            fs::remove_file(home.path(&name)).unwrap();
        }
    }
    let text = format!(
        "error: the ledger ./ledger.db is gone: ./ledger.db.heads knows it with {rows} rows on \
         NOW\n  \
         missing: statement R 0001 of 2026-01, 59.00 EUR net\n\n\
         hint: put the newest backup in its place: `stundenbuch ledger restore FILE`; to begin a \
         new ledger here, move ./ledger.db.heads away\n"
    );
    for args in [
        &["import", "work.csv"][..],
        &["nightly"],
        &["status"],
        &["ledger", "verify"],
    ] {
        assert_eq!(home.must(args, 4).err, text, "{args:?}");
        assert!(!home.ledger().exists());
    }
    fs::rename(home.path("ledger.db.heads"), home.path("away")).unwrap();
    home.must(&["import", "work.csv"], 0);
}

#[test]
fn an_empty_file_in_the_ledgers_place_is_no_new_ledger() {
    let home = Home::new();
    home.put_back(&home.path("stundenbuch.toml"));
    fs::write(home.ledger(), "").unwrap();
    let said = home.must(&["import", "work.csv"], 4);
    assert!(
        said.err
            .contains("the ledger is damaged: the file is empty"),
        "{}",
        said.err
    );
    assert_eq!(fs::read(home.ledger()).unwrap().len(), 0);
}

#[test]
fn the_heads_of_another_ledger_are_told_apart() {
    let (home, other) = (Home::new(), Home::new());
    fs::copy(other.path("ledger.db.heads"), home.path("ledger.db.heads")).unwrap();
    let text = "error: ./ledger.db.heads holds the heads of another ledger than ./ledger.db\n\n\
                hint: put the right ledger back, or correct `ledger.anchors`; if a new ledger was \
                meant to begin here, move ./ledger.db.heads away\n";
    for args in [&["nightly"][..], &["ledger", "verify"]] {
        assert_eq!(home.must(args, 4).err, text, "{args:?}");
    }
}

#[test]
fn the_second_file_notices_what_the_first_was_rolled_back_with() {
    let home = Home::with("anchors = \"elsewhere\"", "");
    let said = home.must(&["status"], 0);
    let note = "note  No heads are kept in ./elsewhere/ledger.db.heads yet; it is begun with the \
                next change.";
    assert!(said.out.contains(note), "{}", said.out);
    fs::create_dir(home.path("elsewhere")).unwrap();
    home.seal(1);
    fs::copy(home.ledger(), home.path("old.db")).unwrap();
    let heads = fs::read(home.path("ledger.db.heads")).unwrap();
    home.seal(2);
    home.put_back(&home.path("old.db"));
    fs::write(home.path("ledger.db.heads"), heads).unwrap();
    let said = home.must(&["deliver"], 4);
    assert!(
        said.err
            .contains("./elsewhere/ledger.db.heads knows that it was"),
        "{}",
        said.err
    );
}

struct Daemon(Child);

impl Drop for Daemon {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

fn get(address: SocketAddr) -> Option<String> {
    let mut stream = TcpStream::connect(address).ok()?;
    stream
        .set_read_timeout(Some(Duration::from_secs(20)))
        .ok()?;
    write!(
        stream,
        "GET /health HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n"
    )
    .ok()?;
    let mut answer = String::new();
    stream.read_to_string(&mut answer).ok()?;
    Some(answer)
}

#[test]
fn the_daemon_stays_and_says_that_it_does_nothing() {
    let (home, ..) = rolled_back();
    let free = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = free.local_addr().unwrap();
    drop(free);
    home.configure("", &format!("[daemon]\nlisten = \"{address}\"\n"));
    let before = fs::read(home.ledger()).unwrap();
    let log = fs::File::create(home.path("log")).unwrap();
    let mut daemon = Daemon(home.command(&["run"]).stderr(log).spawn().unwrap());
    let answers = (0..400).find_map(|_| {
        std::thread::sleep(Duration::from_millis(50));
        get(address)
    });
    let answer = answers.expect("it answers");
    assert!(answer.starts_with("HTTP/1.1 503"), "{answer}");
    assert!(answer.contains("was rolled back"), "{answer}");
    assert!(
        answer.contains("missing: statement R 0002 of 2026-02"),
        "{answer}"
    );
    assert_eq!(daemon.0.try_wait().unwrap(), None, "it stays");
    // It stops behind its first look at what is due, and both looks are told once.
    let id = Pid::from_raw(i32::try_from(daemon.0.id()).unwrap()).unwrap();
    kill_process(id, Signal::TERM).unwrap();
    assert_eq!(daemon.0.wait().unwrap().code(), Some(0));
    assert_eq!(fs::read(home.ledger()).unwrap(), before);
    let log = fs::read_to_string(home.path("log")).unwrap();
    assert_eq!(log.matches("The ledger is left alone.").count(), 1, "{log}");
}
