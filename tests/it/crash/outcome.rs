//! Where a home has come to: what must not depend on whether something was cut off on the way.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::Path;

use stundenbuch::ledger::{Event, hex, sha256};
use stundenbuch::store::{Error, Store};

use super::scene::ledger;
use crate::night::house::{State, state};

/// Everything that a home has come to, without row numbers and instants.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Outcome {
    state: State,
    /// The numbers of the sealed statements, in their order.
    statements: Vec<String>,
    /// Of each statement, how many works were corrected.
    corrections: BTreeMap<String, usize>,
    /// Of each kind of open finding, how many there are.
    findings: BTreeMap<String, usize>,
    /// Where each document lies.
    delivered: BTreeMap<String, String>,
    /// Every file, except those that SQLite keeps beside a ledger while it is open.
    files: BTreeSet<String>,
}

impl Outcome {
    /// Reads a home, and complains of what must never be: a ledger that does not hold, a gap
    /// among the numbers, a document that is recorded and not there, or there twice.
    pub(super) fn of(home: &Path) -> Result<Self, String> {
        let store = Store::open_read_only(&ledger(home)).map_err(|error| error.to_string())?;
        holds(&store)?;
        let delivered = delivered(&store, home)?;
        let mut state = state(&store);
        for (key, (content, _)) in &mut state.records {
            // A file's record has the instant at which it was written.
            if key.contains("/files/") {
                content.clear();
            }
        }
        let open = store.findings(false).unwrap();
        let mut findings = BTreeMap::new();
        for stored in open {
            *findings.entry(stored.finding.kind.name()).or_default() += 1;
        }
        let statements = statements(&store)?;
        let corrections = statements.iter().map(|number| {
            let corrections = store.corrections_of(number).unwrap();
            (number.clone(), corrections.len())
        });
        Ok(Self {
            state,
            corrections: corrections.collect(),
            statements,
            findings,
            delivered,
            files: files(home),
        })
    }

    /// The first thing in which it is not as `expected`.
    pub(super) fn differs(&self, expected: &Self) -> Option<String> {
        let records = (&self.state.records, &expected.state.records);
        for key in records.0.keys().chain(records.1.keys()) {
            let (found, wanted) = (records.0.get(key), records.1.get(key));
            if found != wanted {
                return Some(format!("{key} is {found:?} and not {wanted:?}"));
            }
        }
        let different = |what: &str, found: &dyn std::fmt::Debug, wanted: &dyn std::fmt::Debug| {
            Some(format!("{what}: {found:?} and not {wanted:?}"))
        };
        if self.state.works != expected.state.works {
            return different("works", &self.state.works, &expected.state.works);
        }
        if self.statements != expected.statements {
            return different("statements", &self.statements, &expected.statements);
        }
        if self.corrections != expected.corrections {
            return different("corrections", &self.corrections, &expected.corrections);
        }
        if self.findings != expected.findings {
            return different("findings", &self.findings, &expected.findings);
        }
        if self.delivered != expected.delivered {
            return different("documents", &self.delivered, &expected.delivered);
        }
        (self.files != expected.files)
            .then(|| different("files", &self.files, &expected.files))
            .flatten()
    }
}

/// The chain and what hangs on it hold.
pub(super) fn holds(store: &Store) -> Result<(), String> {
    match store.verify().map_err(|error| error.to_string())?.damage {
        None => Ok(()),
        Some(damage) => Err(format!("the ledger is damaged: {damage:?}")),
    }
}

/// The sealed statements and those that reverse one; their numbers must run without a gap.
pub(super) fn statements(store: &Store) -> Result<Vec<String>, String> {
    let mut last: BTreeMap<String, u32> = BTreeMap::new();
    let mut numbers = Vec::new();
    for statement in store.statements().unwrap() {
        let row = store.row(statement.sealed).unwrap();
        let event = row.map(|row| row.event().unwrap());
        let (series, running) = match event {
            Some(Event::Sealed(sealed)) => (sealed.series, sealed.running),
            Some(Event::Cancelled(cancelled)) => (cancelled.series, cancelled.running),
            _ => return Err(format!("{} is listed and not there", statement.number)),
        };
        let last = last.entry(series).or_default();
        *last += 1;
        if running != *last {
            return Err(format!("{} follows number {}", statement.number, *last - 1));
        }
        numbers.push(statement.number);
    }
    Ok(numbers)
}

/// What the ledger says was delivered lies there, as it was recorded; each document once, and
/// nothing half-written under the name of one.
pub(super) fn delivered(store: &Store, home: &Path) -> Result<BTreeMap<String, String>, String> {
    let mut places: BTreeMap<String, String> = BTreeMap::new();
    let mut complaint = None;
    store
        .rows_after(0, |row| -> Result<(), Error> {
            if let Event::Delivered(event) = row.event()? {
                let path = home.join("drive").join(&event.location);
                match fs::read(&path) {
                    Ok(bytes) if hex(&sha256(&bytes)) == event.sha256 => {}
                    Ok(_) => complaint = Some(format!("{} is not what was delivered", row.subject)),
                    Err(error) => complaint = Some(format!("{}: {error}", row.subject)),
                }
                if places.insert(row.subject.clone(), event.location).is_some() {
                    complaint = Some(format!("{} was delivered twice", row.subject));
                }
            }
            Ok(())
        })
        .map_err(|error| error.to_string())?;
    let known = known_documents(store);
    for name in files(&home.join("drive")) {
        let bytes = fs::read(home.join("drive").join(&name)).unwrap();
        if !is_under_way(&name) && !known.contains(&hex(&sha256(&bytes))) {
            complaint = Some(format!("{name} on the drive is no whole document"));
        }
    }
    complaint.map_or(Ok(places), Err)
}

/// A file that is written under a name of the program's own, for which nobody takes it.
fn is_under_way(path: &str) -> bool {
    let name = path.rsplit('/').next().unwrap_or(path);
    name.starts_with(".stundenbuch-")
}

/// The hashes of all documents that were ever queued.
fn known_documents(store: &Store) -> BTreeSet<String> {
    let numbers = store.statements().unwrap();
    let parcels = numbers
        .iter()
        .flat_map(|row| store.parcels_of(&row.number).unwrap());
    parcels.map(|parcel| parcel.sha256).collect()
}

/// Every file below a directory, from there; without what SQLite keeps beside a ledger, and without
/// the old ledger of a restore, whose name has the second.
pub(super) fn files(below: &Path) -> BTreeSet<String> {
    let mut found = BTreeSet::new();
    let Ok(entries) = fs::read_dir(below) else {
        return found;
    };
    for entry in entries.map(Result::unwrap) {
        let name = entry.file_name().into_string().unwrap();
        if entry.file_type().unwrap().is_dir() {
            let deeper = files(&entry.path());
            found.extend(deeper.into_iter().map(|path| format!("{name}/{path}")));
        } else if !passing(&name) {
            found.insert(name);
        }
    }
    found
}

fn passing(name: &str) -> bool {
    name.ends_with("-wal") || name.ends_with("-shm") || name.contains(".replaced-")
}
