//! The program as a process that starts, runs one night and ends, by itself or by a kill.
//!
//! Each night has a runtime of its own, so whatever the program still had under way ends with it.
//! After a kill the ledger's files are what they were on the disk at that moment: what SQLite
//! would tidy up at an orderly end is not tidied up.

use std::fs;
use std::future::{Future as _, poll_fn};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::task::Poll;
use std::time::Duration;

use rusqlite::{Connection, OpenFlags};
use stundenbuch::config::Config;
use stundenbuch::run::nightly::{self, Plan};
use stundenbuch::run::report::Report;
use stundenbuch::run::sources::Environment;
use stundenbuch::store::Store;
use stundenbuch_connectors::clock::{Clock as _, ManualClock};
use tokio::sync::Notify;

/// How a night ended.
#[derive(Debug)]
pub(crate) enum Ended {
    Whole(Box<Report>),
    Killed,
    /// The program gave up: its ledger did not do what it should.
    Broken(String),
}

/// When a night is to be killed.
#[derive(Debug, Default)]
pub(crate) struct Doom {
    /// After so many wakes.
    pub(crate) wakes: Option<u32>,
    /// When this rings.
    pub(crate) alarm: Option<Arc<Notify>>,
    /// When a folder holds so many files.
    pub(crate) files: Option<(PathBuf, usize)>,
}

impl Doom {
    /// Whether the folder holds as many files as it takes.
    fn sees_files(&self) -> bool {
        let found = self.files.as_ref();
        found.is_some_and(|(folder, count)| files(folder) >= *count)
    }
}

/// How many files with a name of their own a folder holds; none where there is no folder.
pub(crate) fn files(folder: &Path) -> usize {
    let Ok(entries) = fs::read_dir(folder) else {
        return 0;
    };
    let hidden = |name: &std::ffi::OsStr| name.as_encoded_bytes().starts_with(b".");
    entries
        .filter(|entry| entry.as_ref().is_ok_and(|it| !hidden(&it.file_name())))
        .count()
}

/// The program's files and what it is started with.
#[derive(Debug)]
pub(crate) struct Program {
    pub(crate) config: Config,
    pub(crate) environment: Environment,
    pub(crate) clock: ManualClock,
}

impl Program {
    /// Opens the ledger as a command does, does something, and closes it.
    pub(crate) fn with_store<T>(&self, work: impl FnOnce(&mut Store, &Config) -> T) -> T {
        let mut store = Store::open(&self.config.ledger, self.clock.now()).unwrap();
        work(&mut store, &self.config)
    }

    /// Starts the program for a night, and ends it when the night or the doom says so.
    pub(crate) fn night(&self, compare: bool, doom: &Doom) -> Ended {
        let runtime = tokio::runtime::Builder::new_multi_thread()
            .worker_threads(1)
            .enable_all()
            .build()
            .unwrap();
        let ledger = self.config.ledger.clone();
        let mut store = match Store::open(&ledger, self.clock.now()) {
            Ok(store) => store,
            Err(error) => return Ended::Broken(error.to_string()),
        };
        let plan = Plan {
            trigger: nightly::SCHEDULE.into(),
            compare,
            ..Plan::default()
        };
        let ended = {
            let clock = Arc::new(self.clock.clone());
            let (config, environment) = (&self.config, &self.environment);
            let night = nightly::run(&mut store, config, environment, clock, &plan);
            let mut night = Box::pin(night);
            let alarm = doom.alarm.clone().unwrap_or_default();
            let mut alarm = Box::pin(alarm.notified());
            let mut wakes = 0;
            let ended = runtime.block_on(poll_fn(|context| {
                let wakes_up = doom.wakes == Some(wakes) || doom.sees_files();
                if alarm.as_mut().poll(context).is_ready() || wakes_up {
                    return Poll::Ready(None);
                }
                wakes += 1;
                night.as_mut().poll(context).map(Some)
            }));
            if ended.is_none() {
                take_copy(&ledger);
            }
            ended
        };
        let ended = match ended {
            Some(Ok(report)) => return Ended::Whole(Box::new(report)),
            Some(Err(error)) => return Ended::Broken(error.to_string()),
            None => Ended::Killed,
        };
        drop(store);
        // Waits for what is under way in other threads: nothing of a dead process goes on.
        drop(runtime);
        put_copy_back(&ledger);
        ended
    }
}

/// What a kill leaves of the ledger. The lock keeps other connections from committing while both
/// files are copied, and what they move from one to the other meanwhile is in the copy twice.
fn take_copy(ledger: &Path) {
    let held = hold(ledger);
    for suffix in ["", "-wal"] {
        let _ = fs::copy(
            beside(ledger, suffix),
            beside(ledger, &format!("{suffix}.kept")),
        );
    }
    drop(held);
}

fn put_copy_back(ledger: &Path) {
    let _ = fs::remove_file(beside(ledger, "-shm"));
    for suffix in ["", "-wal"] {
        let (file, kept) = (
            beside(ledger, suffix),
            beside(ledger, &format!("{suffix}.kept")),
        );
        let _ = fs::remove_file(&file);
        let _ = fs::rename(kept, file);
    }
}

fn beside(ledger: &Path, suffix: &str) -> PathBuf {
    let mut name = ledger.as_os_str().to_owned();
    name.push(suffix);
    name.into()
}

/// Another program that holds the right to write for as long as the result lives.
fn hold(ledger: &Path) -> Connection {
    let other = Connection::open_with_flags(ledger, OpenFlags::SQLITE_OPEN_READ_WRITE).unwrap();
    other.busy_timeout(Duration::from_secs(20)).unwrap();
    other
        .execute_batch("BEGIN IMMEDIATE; SELECT count(*) FROM journal;")
        .unwrap();
    other
}

/// Another program that holds the right to write for a moment of real time.
pub(crate) fn hold_for_a_moment(ledger: &Path) -> Option<std::thread::JoinHandle<()>> {
    if !ledger.exists() {
        return None;
    }
    let held = hold(ledger);
    Some(std::thread::spawn(move || {
        std::thread::sleep(Duration::from_millis(20));
        drop(held);
    }))
}
