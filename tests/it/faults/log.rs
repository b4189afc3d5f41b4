//! The write-ahead log beside the ledger: damaged, cut, lost, or that of another file.
//!
//! The log has checksums of its own. From the first frame that does not hold on, SQLite takes it
//! for never written, so what is left is what the ledger was after an earlier transaction: whole,
//! and found only by its head, as with any cut tail. It must never be a mixture. That is why the
//! program folds the log into the file and empties it whenever it has finished something.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

use rusqlite::Connection;
use tempfile::TempDir;

use super::made::{self, Dice, Effort, LITTLE, Said, beside, effort, room, verify, with_cursors};
use super::walk;
use crate::night::house::House;

/// A ledger whose newest transactions are in its log.
struct Logged {
    /// As it was when the log was begun.
    file: Vec<u8>,
    log: Vec<u8>,
    /// The file with everything from the log folded in, while the log is still there.
    folded: Vec<u8>,
    room: TempDir,
}

impl Logged {
    async fn new() -> Self {
        let mut house = House::new(LITTLE).await;
        let path = house.store.path().to_owned();
        house.night().await;
        // Who reads keeps the log from being folded in.
        let reader = Connection::open(&path).unwrap();
        reader
            .execute_batch("BEGIN; SELECT count(*) FROM journal")
            .unwrap();
        for number in 20..26 {
            house.noon();
            made::add(&house, number);
            house.night().await;
        }
        let (file, log) = (read(&path), read(&beside(&path, "-wal")));
        reader
            .execute_batch("COMMIT; PRAGMA wal_checkpoint(PASSIVE)")
            .unwrap();
        let folded = read(&path);
        assert_ne!(file, folded);
        assert_eq!(log, read(&beside(&path, "-wal")), "folding in leaves it");
        Self {
            file,
            log,
            folded,
            room: room(),
        }
    }

    fn path(&self) -> PathBuf {
        self.room.path().join("ledger.db")
    }

    /// Puts a file and a log in the place of a ledger; what it says, if it holds.
    fn says(&self, file: &[u8], log: Option<&[u8]>) -> Option<String> {
        let path = self.path();
        put(&path, file, log);
        if verify(&path) != Said::Holds {
            return None;
        }
        put(&path, file, log);
        Some(with_cursors(&path).expect("what holds can be read"))
    }

    /// What the ledger was after each transaction of the log.
    fn states(&self) -> BTreeSet<String> {
        // A header, then frames of a header and a page each.
        let frame = 24 + walk::page_size(&self.file);
        let ends = (32..=self.log.len()).step_by(frame);
        ends.filter_map(|end| self.says(&self.file, Some(&self.log[..end])))
            .collect()
    }
}

fn read(path: &Path) -> Vec<u8> {
    fs::read(path).unwrap()
}

fn put(path: &Path, file: &[u8], log: Option<&[u8]>) {
    stundenbuch::store::Store::remove(path);
    fs::write(path, file).unwrap();
    if let Some(log) = log {
        fs::write(beside(path, "-wal"), log).unwrap();
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_damaged_log_leaves_an_earlier_whole_ledger_or_is_found() {
    let logged = Logged::new().await;
    let states = logged.states();
    assert!(states.len() > 5, "the log has several transactions");
    for (name, file) in [("not folded", &logged.file), ("folded", &logged.folded)] {
        let mut dice = Dice(11);
        let trials = match effort(150) {
            Effort::All => logged.log.len() * 8,
            Effort::Some(trials) => trials,
        };
        let (mut found, mut earlier) = (0, 0);
        for trial in 0..trials * 2 {
            let damaged = if trial % 2 == 0 {
                let mut damaged = logged.log.clone();
                damaged[dice.roll(logged.log.len())] ^= 1 << dice.roll(8);
                damaged
            } else {
                logged.log[..dice.roll(logged.log.len())].to_vec()
            };
            match logged.says(file, Some(&damaged)) {
                Some(says) => {
                    assert!(states.contains(&says), "{name}: trial {trial} is a mixture");
                    earlier += 1;
                }
                None => found += 1,
            }
        }
        println!("log {name}: {earlier} trials left a whole ledger, {found} were found");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_lost_log_is_an_earlier_ledger_and_a_lost_index_is_nothing() {
    let logged = Logged::new().await;
    let states = logged.states();
    let newest = logged.says(&logged.file, Some(&logged.log)).unwrap();
    let lost = logged.says(&logged.file, None).unwrap();
    assert!(states.contains(&lost));
    assert_ne!(lost, newest);
    assert_eq!(logged.says(&logged.folded, None), Some(newest.clone()));
    // `put` leaves no `-shm`, so the index was lost each time. One of another file is not believed.
    let path = logged.path();
    put(&path, &logged.file, Some(&logged.log));
    fs::write(beside(&path, "-shm"), vec![0x5a; 32_768]).unwrap();
    assert_eq!(verify(&path), Said::Holds);
    assert_eq!(with_cursors(&path), Some(newest));
}

/// An old copy put under a newer log, and the ledger of somebody else: what comes of it is found,
/// or it is what one of the two was.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_log_over_another_file_is_no_third_ledger() {
    let logged = Logged::new().await;
    let mut whole = logged.states();
    let old = {
        let house = House::new(LITTLE).await;
        let path = house.store.path().to_owned();
        drop(house.store);
        read(&path)
    };
    let other = made::ledger().await;
    let small = made::on_small_pages(&other);
    for (name, file) in [("old", &old), ("other", &other), ("small", &small)] {
        whole.insert(logged.says(file, None).expect("alone it is a ledger"));
        let mixed = logged.says(file, Some(&logged.log));
        println!(
            "{name}: {}",
            if mixed.is_some() { "whole" } else { "found" }
        );
        if let Some(says) = mixed {
            assert!(whole.contains(&says), "{name} is a mixture");
        }
    }
}

/// After a night and after sealing nothing is left in the log, whoever else has the file open.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_is_finished_is_in_the_file() {
    let mut house = House::new(LITTLE).await;
    let path = house.store.path().to_owned();
    let other = Connection::open(&path).unwrap();
    let rows = "SELECT count(*) FROM journal";
    let count = |conn: &Connection| conn.query_row(rows, [], |row| row.get::<_, u64>(0));
    house.night().await;
    assert_eq!(count(&other).unwrap(), house.rows());
    let length = || fs::metadata(beside(&path, "-wal")).unwrap().len();
    assert_eq!(length(), 0, "after a night");
    made::seal(&mut house).unwrap();
    assert_eq!(length(), 0, "after sealing");
    assert_eq!(count(&other).unwrap(), house.rows());
}
