//! A disk without room, without room for another file, or read-only: at every moment of a first
//! pull, of sealing and of delivering. Then there is space again, and the next run goes on.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use chrono::TimeDelta;
use stundenbuch::ledger::{Event, hex, sha256};
use stundenbuch::run::nightly::{self, Plan};
use stundenbuch::run::report::{Exit, Report};
use stundenbuch::statements::{self, SealError};
use stundenbuch::store::{Error, Store};
use stundenbuch_connectors::clock::Clock as _;

use super::made::{self, DAY, LITTLE, Said, verify};
use super::mount::Mount;
use super::process::stundenbuch;
use crate::night::house::{House, State, bytes, state};

/// How far the work came.
#[derive(Debug)]
enum Went {
    Done,
    /// The ledger stopped it in this step.
    Stopped(&'static str, Error),
    /// A run came to its end and tells of a failure.
    Failed(&'static str, Box<Report>),
}

/// A house whose ledger lies on a disk of its own.
async fn house(mount: &Mount) -> House {
    let mut house = House::new(LITTLE).await;
    house.config.ledger = mount.path().join("ledger.db");
    house
}

const ALL: [&str; 3] = ["pull", "seal", "deliver"];

/// Pulls, seals what is not sealed, and delivers; each step as a process of its own would.
async fn work(house: &House) -> Went {
    steps(house, &ALL).await
}

async fn steps(house: &House, steps: &[&'static str]) -> Went {
    let day = TimeDelta::hours(25).to_std().unwrap();
    house.clock.advance(day);
    for &step in steps {
        let opened = Store::open(&house.config.ledger, house.clock.now());
        let mut store = match opened {
            Ok(store) => store,
            Err(error) => return Went::Stopped("open", error),
        };
        if step == "seal" {
            match seal(house, &mut store) {
                Ok(()) => continue,
                Err(error) => return Went::Stopped(step, error),
            }
        }
        let (clock, plan) = (Arc::new(house.clock.clone()), Plan::default());
        let environment = &house.environment;
        match nightly::run(&mut store, &house.config, environment, clock, &plan).await {
            Err(error) => return Went::Stopped(step, error),
            Ok(report) if report.exit() >= Exit::Usage => {
                return Went::Failed(step, Box::new(report));
            }
            Ok(_) => {}
        }
    }
    Went::Done
}

fn seal(house: &House, store: &mut Store) -> Result<(), Error> {
    let client = house.config.client("ahorn").unwrap();
    let period = DAY.parse().unwrap();
    match statements::seal(store, &house.config, client, period, house.clock.now()) {
        Ok(_) | Err(SealError::Nothing { .. }) => Ok(()),
        Err(SealError::Store(error)) => Err(error),
        Err(other) => panic!("{other:?}"),
    }
}

/// What is there when everything is done.
#[derive(Debug, PartialEq)]
struct Done {
    /// Name and net sum of each statement.
    sealed: Vec<(String, String)>,
    documents: BTreeSet<PathBuf>,
    delivered: usize,
}

fn done(house: &House) -> (State, Done) {
    assert_eq!(verify(&house.config.ledger), Said::Holds);
    let store = Store::open_read_only(&house.config.ledger).unwrap();
    let mut delivered = 0;
    let walked = store.rows_after(0, |row| -> Result<(), Error> {
        if let Event::Delivered(proof) = row.event()? {
            delivered += 1;
            let there = bytes(&house.drive().join(proof.location));
            assert_eq!(
                hex(&sha256(&there)),
                proof.sha256,
                "what lies there is what was sent"
            );
        }
        Ok(())
    });
    walked.unwrap();
    let sealed = store.statements().unwrap().into_iter().map(|row| {
        let sealed = store.sealed(&row.number).unwrap().unwrap();
        (row.number, sealed.statement.totals.net.to_string())
    });
    let sealed = sealed.collect();
    let folder = house.drive().join("Berichte");
    let documents = fs::read_dir(folder).unwrap().map(|entry| {
        let path = entry.unwrap().path();
        path.strip_prefix(house.dir.path()).unwrap().to_owned()
    });
    let mut state = state(&store);
    // When a file was put on the target is the machine's business.
    state.records.retain(|key, _| !key.starts_with("drive/"));
    let done = Done {
        sealed,
        documents: documents.collect(),
        delivered,
    };
    (state, done)
}

/// What comes of it without any fault.
async fn expected() -> (State, Done) {
    let mut house = House::new(LITTLE).await;
    house.config.ledger = house.dir.path().join("own.db");
    for _ in 0..2 {
        assert!(matches!(work(&house).await, Went::Done));
    }
    let (state, done) = done(&house);
    assert_eq!((done.sealed.len(), done.delivered), (1, 2));
    (state, done)
}

fn assert_done(house: &House, expected: &(State, Done), case: &str) {
    let (state, done) = done(house);
    state.assert_same(&expected.0, case);
    assert_eq!(done, expected.1, "{case}");
}

/// What a ledger on a full disk must still be: whole, or not there yet.
fn assert_whole(ledger: &Path) {
    if ledger.exists() {
        match verify(ledger) {
            Said::Holds => {}
            // Not even SQLite's index has room; what it would say is asked when there is.
            Said::Refused(_) if !made::beside(ledger, "-shm").exists() => {}
            other => panic!("{other:?}"),
        }
    }
}

/// What stopped the work is what a full disk is called; with room it is done, and once.
async fn goes_on(house: &House, mount: &Mount, went: Went, expected: &(State, Done), case: &str) {
    match went {
        Went::Done => panic!("{case}: nothing stopped it"),
        Went::Stopped(_, Error::DiskFull | Error::Beside(_)) => {}
        Went::Stopped(step, error) => panic!("{case}: {step}: {error:?}"),
        Went::Failed(_, report) => assert_eq!(report.exit(), Exit::ForNow, "{case}: {report:#?}"),
    }
    mount.change("size=64m,nr_inodes=100");
    assert_whole(&house.config.ledger);
    // What was told to come later comes in the second night.
    for _ in 0..2 {
        let went = work(house).await;
        assert!(matches!(went, Went::Done), "{case}: {went:?}");
    }
    assert_done(house, expected, case);
}

impl Went {
    fn step(&self) -> Option<&'static str> {
        match self {
            Self::Done => None,
            Self::Stopped(step, _) | Self::Failed(step, _) => Some(step),
        }
    }
}

/// Disks that are a little larger each time, until everything fits.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_full_disk_at_any_moment() {
    let expected = expected().await;
    let mut stops: BTreeMap<&str, usize> = BTreeMap::new();
    for size in (8..).step_by(32) {
        let Some(mount) = Mount::new(&format!("size={size}k")) else {
            return;
        };
        let house = house(&mount).await;
        let went = work(&house).await;
        let Some(step) = went.step() else { break };
        *stops.entry(step).or_default() += 1;
        goes_on(&house, &mount, went, &expected, &format!("{size} KiB")).await;
    }
    println!("disks that were too small, by the step that they stopped: {stops:?}");
    assert!(stops.len() >= 2, "{stops:?}");
}

/// Disks that have so much left after the first pull, until everything fits.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_disk_that_becomes_full_later() {
    let expected = expected().await;
    let mut stops: BTreeMap<&str, usize> = BTreeMap::new();
    for free in (0..).step_by(8) {
        let Some(mount) = Mount::new("size=64m") else {
            return;
        };
        let house = house(&mount).await;
        assert!(matches!(steps(&house, &ALL[..1]).await, Went::Done));
        mount.change(&format!("size={}k", mount.used() / 1_024 + free));
        let went = steps(&house, &ALL[1..]).await;
        let Some(step) = went.step() else { break };
        *stops.entry(step).or_default() += 1;
        goes_on(&house, &mount, went, &expected, &format!("{free} KiB left")).await;
    }
    println!("disks that became full, by the step that they stopped: {stops:?}");
    assert!(stops.contains_key("seal"), "{stops:?}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn no_room_for_another_file() {
    let Some(mount) = Mount::new("size=64m,nr_inodes=64") else {
        return;
    };
    drop(mount);
    let expected = expected().await;
    // The root is one of them; each file of the ledger that cannot be made in turn.
    for inodes in 2..4 {
        let mount = Mount::new(&format!("size=64m,nr_inodes={inodes}")).unwrap();
        let house = house(&mount).await;
        let went = work(&house).await;
        goes_on(&house, &mount, went, &expected, &format!("{inodes} files")).await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_disk_that_becomes_read_only() {
    let Some(mount) = Mount::new("size=64m") else {
        return;
    };
    let expected = expected().await;
    let house = house(&mount).await;
    assert!(matches!(work(&house).await, Went::Done));
    mount.change("ro");
    let went = work(&house).await;
    let Went::Stopped(step, error) = &went else {
        panic!("{went:?}");
    };
    println!("{step}: {error}");
    assert!(matches!(error, Error::ReadOnly), "{error:?}");
    mount.change("rw");
    assert!(matches!(work(&house).await, Went::Done));
    assert_done(&house, &expected, "writable again");
}

/// The target is full: the documents wait, and it is said; then each is there once.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_full_target() {
    let (_, expected) = expected().await;
    for options in [
        "size=4k",
        "size=1m,nr_inodes=1",
        "size=1m,nr_inodes=2",
        "size=1m,nr_inodes=3",
    ] {
        let mut house = House::new(LITTLE).await;
        house.config.ledger = house.dir.path().join("own.db");
        let Some(mount) = Mount::over(&house.drive(), options) else {
            return;
        };
        let went = work(&house).await;
        let Went::Failed("deliver", report) = &went else {
            panic!("{options}: {went:?}");
        };
        assert_eq!(report.exit(), Exit::ForNow);
        let told = report.deliveries.failed.join("\n");
        assert!(told.contains("the disk is full (path="), "{told}");
        mount.change("size=8m,nr_inodes=100");
        for _ in 0..2 {
            let went = work(&house).await;
            assert!(matches!(went, Went::Done), "{options}: {went:?}");
        }
        let (_, now) = done(&house);
        assert_eq!(now, expected, "{options}: each is there once");
    }
}

/// In words: what, where, and what to do.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_a_full_disk_is_called() {
    let mut house = House::new(LITTLE).await;
    house.night().await;
    let text = fs::read_to_string(house.file()).unwrap();
    let Some(mount) = Mount::new("size=4m") else {
        return;
    };
    let ledger = mount.path().join("ledger.db");
    let path = format!("path = \"{}\"", ledger.display());
    fs::write(house.file(), text.replace("path = \"ledger.db\"", &path)).unwrap();
    let filled = mount.path().join("full");
    let night = stundenbuch(&house, &["nightly"]).await;
    assert!(matches!(night.status.code(), Some(0 | 1)), "{night:?}");
    let room = fs::File::create(&filled).unwrap();
    let mut length = 0;
    while std::io::Write::write_all(&mut &room, &[0; 4_096]).is_ok() {
        length += 4_096;
    }
    assert!(length > 0, "the disk was not full before");
    let output = stundenbuch(&house, &["nightly"]).await;
    let said = String::from_utf8(output.stderr).unwrap();
    let expected = format!(
        "error: the disk that holds the ledger is full\n  the ledger is {}\n\n\
         hint: free some space; nothing was lost, the next run goes on\n",
        ledger.display()
    );
    assert_eq!(said, expected);
    assert_eq!(output.status.code(), Some(3));
    drop(room);
    fs::remove_file(&filled).unwrap();
    let night = stundenbuch(&house, &["nightly"]).await;
    assert!(matches!(night.status.code(), Some(0 | 1)), "{night:?}");
}
