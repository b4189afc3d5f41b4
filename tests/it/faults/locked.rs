//! Others at the ledger: a program that writes to the file, one that reads it for long, and our
//! own commands while a run is under way.

use std::fs;
use std::sync::mpsc;
use std::time::Duration;

use rusqlite::Connection;
use stundenbuch::store::Store;

use super::made::{self, DAY, LITTLE, Said, beside, verify};
use super::process::{Child, Running, begin, stundenbuch, until};
use crate::fakes::{Fault, FaultKind};
use crate::night::house::House;

/// Somebody else's transaction is waited for.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_second_of_somebody_elses_transaction() {
    let mut house = House::new(LITTLE).await;
    let path = house.store.path().to_owned();
    let (locked, is_locked) = mpsc::channel();
    let other = std::thread::spawn(move || {
        let hand = Connection::open(path).unwrap();
        hand.execute_batch("BEGIN IMMEDIATE").unwrap();
        locked.send(()).unwrap();
        std::thread::sleep(Duration::from_secs(1));
        hand.execute_batch("COMMIT").unwrap();
    });
    is_locked.recv().unwrap();
    house.night().await;
    other.join().unwrap();
    house.assert_true();
    assert_eq!(house.store.verify().unwrap().damage, None);
}

/// Longer than the program waits, which is half a minute: it says so, has done nothing, and the
/// next run does all of it.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_transaction_that_does_not_end() {
    let mut house = House::new(LITTLE).await;
    house.night().await;
    house.noon();
    made::add(&house, 9);
    let rows = house.rows();
    let hand = Connection::open(house.store.path()).unwrap();
    hand.execute_batch("BEGIN IMMEDIATE").unwrap();
    let output = stundenbuch(&house, &["nightly"]).await;
    let said = String::from_utf8(output.stderr).unwrap();
    let expected = format!(
        "error: the ledger is in use: another program has locked the file\n  \
         the ledger is {}\n\n\
         hint: close what has it open, such as a database browser or a copy that hangs; nothing \
         was lost, the next run goes on\n",
        house.config.ledger.display()
    );
    assert_eq!(said, expected);
    assert_eq!(output.status.code(), Some(3));
    assert_eq!(house.rows(), rows);
    hand.execute_batch("ROLLBACK").unwrap();
    house.night().await;
    house.assert_true();
}

/// While somebody reads, the log cannot be folded in and grows with every night; afterwards it is
/// cut back, also when it had grown beyond all measure.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_log_that_grew_under_a_reader_is_cut_back() {
    let mut house = House::new(LITTLE).await;
    let path = house.store.path().to_owned();
    house.night().await;
    let log = || fs::metadata(beside(&path, "-wal")).map_or(0, |it| it.len());
    let reader = Connection::open(&path).unwrap();
    reader
        .execute_batch("BEGIN; SELECT count(*) FROM journal")
        .unwrap();
    for number in 0..5 {
        house.noon();
        made::add(&house, 20 + number);
        house.night().await;
        println!("night {number} under a reader: log of {} KiB", log() >> 10);
    }
    let nights = log();
    assert!(nights > 0 && nights < 2 << 20, "{nights}");
    let hand = Connection::open(&path).unwrap();
    let ballast = "CREATE TABLE ballast (x); INSERT INTO ballast VALUES (zeroblob(90000000));";
    hand.execute_batch(ballast).unwrap();
    hand.execute_batch("DROP TABLE ballast").unwrap();
    drop(hand);
    println!("under the reader: log of {} MiB", log() >> 20);
    assert!(log() > 64 << 20);
    reader.execute_batch("COMMIT").unwrap();
    // Not even a whole night is needed: the next transactions do it.
    let now = made::at(&house);
    for _ in 0..2 {
        let marked = house.store.write(|it| {
            it.set_mark("test", "x")?;
            it.begin_run(now, "test")
        });
        marked.unwrap();
    }
    println!("after the reader: log of {} MiB", log() >> 20);
    assert!(log() <= 64 << 20);
    house.noon();
    house.night().await;
    assert_eq!(log(), 0);
    house.assert_true();
    assert_eq!(house.store.verify().unwrap().damage, None);
}

/// A run that waits for its service: others may look, and nobody else may change anything.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn commands_during_a_run() {
    let mut house = House::new(LITTLE).await;
    house.night().await;
    house.toggl.server.fail(Fault {
        path: "/",
        times: u32::MAX,
        kind: FaultKind::Stall,
    });
    house.toggl.server.forget_requests();
    let running = Running::of(&house);
    let mut run = Child(begin(&house, "nightly"));
    until("the run", || !house.toggl.server.requests().is_empty()).await;
    let rows = house.rows();
    for args in [
        &["status"][..],
        &["findings"],
        &["export"],
        &["ledger", "verify"],
        &["ledger", "head"],
        &["statement", "list"],
        &["statement", "preview", "ahorn", "--period", DAY],
    ] {
        let output = stundenbuch(&house, args).await;
        let code = output.status.code().unwrap();
        assert!(
            code <= 1 || (args == ["status"] && code == 3),
            "{args:?}: {output:?}"
        );
    }
    let holder = format!(
        "error: another instance works on {} (nightly, process {})\n",
        house.config.ledger.display(),
        run.0.id()
    );
    for args in [
        &["nightly"][..],
        &["pull"],
        &["reconcile"],
        &["deliver"],
        &["ledger", "rebuild"],
        &["statement", "seal", "ahorn", "--period", DAY],
    ] {
        let output = stundenbuch(&house, args).await;
        let said = String::from_utf8(output.stderr).unwrap();
        assert!(said.starts_with(&holder), "{args:?}: {said}");
        assert_eq!(output.status.code(), Some(2), "{args:?}");
    }
    assert_eq!(house.rows(), rows);
    drop(running);
    run.0.kill().unwrap();
    run.0.wait().unwrap();
    assert_eq!(verify(&house.config.ledger), Said::Holds);
    house.toggl.server.heal();
    assert!(Store::open_read_only(&house.config.ledger).is_ok());
    let output = stundenbuch(&house, &["nightly"]).await;
    assert!(matches!(output.status.code(), Some(0 | 1)), "{output:?}");
}
