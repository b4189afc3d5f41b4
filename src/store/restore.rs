//! Putting a backup in the ledger's place, without losing a statement unsaid.
//!
//! The backup is copied beside the ledger and verified there, so what was looked at is what
//! counts. What the ledger and its heads know and the copy does not is listed, and a person has
//! to name it. How the copy takes the ledger's place is next door, in `swap`.

use std::collections::BTreeSet;
use std::fs::{self, File};
use std::io;
use std::path::{Path, PathBuf};

use chrono::{DateTime, Utc};
use rusqlite::OpenFlags;

use super::anchors::{Found, Loss, Place};
use super::journal::Row;
use super::{Anchors, Error, Result, Store, files, open};
use crate::billing::LedgerHead;
use crate::ledger::{Event, Head, Mark, Restored, Why};

/// A backup that was verified and compared with what is there; nothing was changed yet.
#[derive(Debug)]
pub struct Restore {
    /// The copy of the backup. Closed before the copy is removed, so it stands first.
    store: Store,
    copy: Copy,
    from: PathBuf,
    anchors: Anchors,
    /// The end of the backup.
    pub end: Head,
    /// The last row that the backup and the ledger have in common, as far as it is known.
    shared: u64,
    pub current: Current,
    /// What belongs to statements and is known to be missing in the backup.
    pub lost: Vec<Lost>,
    /// Rows that the ledger has and the backup has not, all kinds.
    pub rows: u64,
    gave_up: Option<Mark>,
}

/// The ledger that is there.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Current {
    Missing,
    /// Why it cannot be read to its end.
    Unreadable(String),
    Ends(Head),
}

/// A row about a statement that the backup does not have.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize)]
pub struct Lost {
    /// The number of the statement.
    pub number: String,
    /// What is lost, for a person.
    pub what: String,
    /// Whether it is the statement itself, and not something about it.
    #[serde(skip)]
    whole: bool,
    #[serde(skip)]
    row: u64,
}

/// A restore that was carried out.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize)]
pub struct Done {
    /// The ledger that was there before.
    pub kept: Option<PathBuf>,
    /// The last row now.
    pub rows: u64,
    pub head: String,
}

impl Restore {
    /// Copies, verifies and compares a backup. The caller has the lock of the ledger.
    ///
    /// # Errors
    /// [`Error::BadBackup`] when it is damaged or no ledger, [`Error::Refused`] when it is of
    /// another ledger.
    pub fn prepare(from: &Path, anchors: Anchors, now: DateTime<Utc>) -> Result<Self> {
        let ledger = anchors.ledger().to_owned();
        let copy = Copy(files::with_suffix(&ledger, open::RESTORING));
        copy_in(from, &copy.0).map_err(|error| failed(from, &error))?;
        let (store, end) = whole(&copy.0, now).map_err(|error| of_backup(from, error))?;
        // What is left of a ledger is taken as it is; its own heads are compared below.
        if !files::are_one(from, &ledger) {
            own_heads(&store, from)?;
        }
        let mut restore = Self {
            end,
            shared: end.seq,
            store,
            copy,
            from: from.to_owned(),
            anchors,
            current: Current::Missing,
            lost: Vec::new(),
            rows: 0,
            gave_up: None,
        };
        let current = restore.compare_ledger(&ledger)?;
        restore.compare_heads(current.as_ref())?;
        restore.lost.sort_by_key(|lost| lost.row);
        Ok(restore)
    }

    /// Compares with the ledger that is there, as far as it can be read; it, if to its end.
    fn compare_ledger(&mut self, ledger: &Path) -> Result<Option<Store>> {
        if !ledger.exists() {
            return Ok(None);
        }
        // In whatever version it is: only its rows are read.
        let read = open::connect(ledger, OpenFlags::SQLITE_OPEN_READ_WRITE).and_then(|conn| {
            let current = Store::of(conn, ledger);
            let identity = current.identity()?;
            if identity.is_some() && identity != self.store.identity()? {
                return Err(self.of_another(ledger));
            }
            self.rows_lost(&current)?;
            let end = current.head()?;
            if !self.store.has(end)? {
                let row = current.row(end.seq)?;
                self.gave_up = row.map(|row| row.mark(Why::Rows));
            }
            Ok((current, end))
        });
        match read {
            Ok((current, end)) => {
                self.current = Current::Ends(end);
                Ok(Some(current))
            }
            Err(Error::Damaged(reason)) => {
                self.current = Current::Unreadable(reason);
                Ok(None)
            }
            Err(error) => Err(error),
        }
    }

    /// Notes what the ledger has of statements and the backup has not.
    fn rows_lost(&mut self, current: &Store) -> Result<()> {
        let mut numbers = BTreeSet::new();
        let kinds = ["sealed", "cancelled", "correction", "delivered"];
        current.rows_of_kinds(&kinds, |row| {
            let event = row.event()?;
            if matches!(event, Event::Sealed(_) | Event::Cancelled(_)) {
                numbers.insert(row.subject.clone());
            }
            let head = row.mark(Why::Rows).head;
            if !self.store.has(head)?
                && let Some(lost) = Lost::of(&row, &event, &numbers)
            {
                self.lost.push(lost);
            }
            Ok(())
        })?;
        let end = current.head()?.seq;
        let same = |seq: u64| -> Result<bool> {
            let row = current.row(seq)?;
            row.map_or(Ok(false), |row| self.store.has(row.mark(Why::Rows).head))
        };
        // The chains agree up to some row and nowhere behind it.
        let (mut both, mut differ) = (0, end + 1);
        while both + 1 < differ {
            let middle = both + (differ - both) / 2;
            if same(middle)? {
                both = middle;
            } else {
                differ = middle;
            }
        }
        self.rows = end - both;
        self.shared = self.shared.min(both);
        Ok(())
    }

    /// Compares with the heads that were kept of the ledger.
    fn compare_heads(&mut self, current: Option<&Store>) -> Result<()> {
        for Place { file, found } in self.anchors.read() {
            let heads = match found {
                Found::Heads(heads) => heads,
                Found::Missing | Found::Closed(_) => continue,
            };
            if heads.ledger.is_some() && heads.ledger != self.store.identity()? {
                return Err(self.of_another(&file));
            }
            let mut shared = 0;
            for mark in &heads.marks {
                if self.store.has(mark.head)? {
                    shared = shared.max(mark.head.seq);
                    continue;
                }
                let known = self.lost.iter().any(|lost| lost.row == mark.head.seq);
                if !known && let Some(lost) = Lost::from_head(mark) {
                    self.lost.push(lost);
                }
            }
            if !matches!(self.current, Current::Ends(_)) {
                self.shared = self.shared.min(shared);
            }
            let Some(last) = heads.last() else { continue };
            // Of a ledger that does not agree with its heads, these are what is given up.
            let agrees = current.map_or(Ok(false), |current| current.has(last.head))?;
            if !agrees && !self.store.has(last.head)? {
                self.gave_up = Some(last.clone());
            }
        }
        Ok(())
    }

    fn of_another(&self, of: &Path) -> Error {
        Error::Refused {
            what: format!(
                "restore {}: it is a backup of another ledger than {} is of",
                self.from.display(),
                of.display()
            ),
            hint: "name a backup of this ledger, or move the files of the other one away"
                .to_owned(),
        }
    }

    /// The numbers of statements of which something would be lost and that are not in `accepted`.
    pub fn refused<'a>(&'a self, accepted: &[String]) -> Vec<&'a Lost> {
        let lost = self.lost.iter();
        lost.filter(|lost| !accepted.contains(&lost.number))
            .collect()
    }

    /// Puts the backup in the ledger's place.
    pub fn carry_out(mut self, now: DateTime<Utc>) -> Result<Done> {
        let restored = Restored {
            gave_up: self.gave_up.as_ref().map(|mark| LedgerHead {
                seq: mark.head.seq,
                hash: mark.head.hex(),
            }),
            lost: self.numbers(),
        };
        self.store
            .write(|writer| writer.append(now, "ledger", &Event::Restored(restored)))?;
        let identity = self.store.identity()?.unwrap_or_default();
        let behind = self.shared;
        let end = self.store.row(self.store.head()?.seq)?;
        let mark = end.map(|row| row.mark(Why::Restored { behind }));
        // With the ledger's own end in them, the heads and the new row say the same, should
        // there be no time to add the line below.
        if let Some(gave_up) = &self.gave_up {
            self.note(&identity, gave_up);
        }
        let Self {
            store,
            copy,
            anchors,
            from,
            ..
        } = self;
        drop(store);
        super::backup::settle(&copy.0)?;
        files::sync(&copy.0).map_err(|error| failed(&from, &error))?;
        let kept = super::swap::put(&copy.0, anchors.ledger(), now)?;
        for place in anchors.read() {
            if let (Found::Heads(_), Some(mark)) = (place.found, &mark) {
                anchors
                    .only(place.file)
                    .add(&identity, std::slice::from_ref(mark));
            }
        }
        let head = Store::open_kept(anchors, now)?.head()?;
        Ok(Done {
            kept,
            rows: head.seq,
            head: head.hex(),
        })
    }

    fn numbers(&self) -> Vec<String> {
        let whole = self.lost.iter().filter(|lost| lost.whole);
        whole.map(|lost| lost.number.clone()).collect()
    }

    /// Brings heads that are behind the chain that is given up to its end.
    fn note(&self, identity: &str, gave_up: &Mark) {
        for place in self.anchors.read() {
            if let Found::Heads(heads) = place.found
                && heads
                    .last()
                    .is_some_and(|last| last.head.seq < gave_up.head.seq)
            {
                let rows = Mark {
                    why: Why::Rows,
                    ..gave_up.clone()
                };
                self.anchors.only(place.file).add(identity, &[rows]);
            }
        }
    }
}

impl Lost {
    fn of(row: &Row, event: &Event, numbers: &BTreeSet<String>) -> Option<Self> {
        let why = Why::of(&row.subject, event)?;
        let client = match event {
            Event::Sealed(sealed) => Some(&sealed.statement.client_key),
            Event::Cancelled(cancelled) => Some(&cancelled.statement.client_key),
            _ => None,
        };
        let client = client.map_or(String::new(), |key| format!(", for {key}"));
        let (number, what) = match &why {
            Why::Delivered => {
                // The longest, for a number may hold a slash.
                let key = row.subject.as_str();
                let begins = |number: &&String| {
                    let rest = key.strip_prefix(number.as_str());
                    rest.is_some_and(|rest| rest.starts_with('/'))
                };
                let number = numbers.iter().filter(begins).max_by_key(|it| it.len());
                (
                    number.map_or(key, String::as_str).to_owned(),
                    format!("the proof that {key} was delivered"),
                )
            }
            Why::Correction(number) => (number.clone(), Loss(&why).to_string()),
            _ => (row.subject.clone(), format!("{}{client}", Loss(&why))),
        };
        Some(Self {
            number,
            what,
            whole: matches!(why, Why::Sealed(_) | Why::Cancelled(_)),
            row: row.seq,
        })
    }

    fn from_head(mark: &Mark) -> Option<Self> {
        let number = match &mark.why {
            Why::Sealed(bill) | Why::Cancelled(bill) => &bill.number,
            Why::Correction(number) => number,
            _ => return None,
        };
        Some(Self {
            number: number.clone(),
            what: Loss(&mark.why).to_string(),
            whole: !matches!(mark.why, Why::Correction(_)),
            row: mark.head.seq,
        })
    }
}

/// The copy of the backup; removed unless it took the ledger's place.
#[derive(Debug)]
struct Copy(PathBuf);

impl Drop for Copy {
    fn drop(&mut self) {
        files::remove_database(&self.0);
    }
}

/// Copies a backup as it lies there, with what SQLite left beside it.
fn copy_in(from: &Path, to: &Path) -> io::Result<()> {
    files::remove_database(to);
    for end in ["", "-wal", "-journal"] {
        let mut source = match File::open(files::with_end(from, end)) {
            Ok(source) => source,
            Err(error) if error.kind() == io::ErrorKind::NotFound && !end.is_empty() => continue,
            Err(error) => return Err(error),
        };
        let target = files::with_end(to, end);
        files::create_private(&target)?;
        let mut target = fs::OpenOptions::new().write(true).open(&target)?;
        io::copy(&mut source, &mut target)?;
        target.sync_all()?;
    }
    Ok(())
}

/// Opens a copy, brings it to this program's version, and verifies all of it; with the end that
/// it had before.
fn whole(copy: &Path, now: DateTime<Utc>) -> Result<(Store, Head)> {
    let conn = open::connect(copy, OpenFlags::SQLITE_OPEN_READ_WRITE)?;
    let there = Store::of(conn, copy);
    if there.version()? == 0 {
        return Err(Error::Damaged("there is no ledger in it".to_owned()));
    }
    let end = there.head()?;
    drop(there);
    let store = Store::open(copy, now)?;
    match store.verify()?.damage {
        None => Ok((store, end)),
        Some(damage) => Err(Error::Damaged(damage.to_string())),
    }
}

/// A failure of the copy, told as one of the backup.
fn of_backup(from: &Path, error: Error) -> Error {
    let path = from.to_owned();
    match error {
        Error::Damaged(what) => Error::BadBackup { path, what },
        Error::Foreign { .. } => Error::BadBackup {
            path,
            what: "it is not a ledger of this program".to_owned(),
        },
        Error::DiskFull => failed(from, &io::ErrorKind::StorageFull.into()),
        other => other,
    }
}

/// The heads that lie beside a backup must be its own.
fn own_heads(store: &Store, from: &Path) -> Result<()> {
    match store.agrees(&Anchors::new(from, None)) {
        Ok(_) => Ok(()),
        Err(Error::RolledBack(_) | Error::OtherHeads { .. }) => Err(Error::BadBackup {
            path: from.to_owned(),
            what: "it does not hold what the heads beside it say that it held".to_owned(),
        }),
        Err(error) => Err(error),
    }
}

/// The words of a failure that is no fault of the backup.
pub(super) fn failed(path: &Path, error: &io::Error) -> Error {
    Error::Restore {
        path: path.to_owned(),
        reason: match error.kind() {
            io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded => {
                "the disk of the ledger is full".to_owned()
            }
            _ => error.to_string(),
        },
    }
}
