//! What is killed: a line for each operation of the program that changes something.

use std::fs;
use std::path::Path;

use stundenbuch::store::{Error, Store};

use super::outcome::{delivered, files, holds, statements};
use super::scene::ledger;
use super::services::World;
use crate::night::house::state;

/// One operation, and what must be so right after it was cut off.
pub(super) struct Operation {
    pub(super) name: &'static str,
    /// What lies there before.
    pub(super) base: Base,
    pub(super) world: World,
    /// The command; `PERIOD` stands for the days of the first world, `NUMBER` for the number of
    /// the statement that was sealed.
    pub(super) command: &'static [&'static str],
    /// Looks at what was left: whole, or not begun; anything else is a complaint. Without it, the
    /// operation is asked for again whatever was left, and the end shows whether that was whole.
    pub(super) left: Option<Look>,
    /// Of how many points one is taken, unless all are.
    pub(super) stride: usize,
}

/// A look at a home.
type Look = fn(&Path) -> Result<Left, String>;

/// What an operation that was cut off has left.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Left {
    /// It took place, and is not asked for again.
    Done,
    /// It is asked for again, and does what is left to do.
    Open,
}

/// The states in which operations begin.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Base {
    /// A configuration, and no ledger.
    Fresh,
    /// A ledger of an older version.
    Old,
    /// After the first night.
    Pulled,
    /// With a sealed statement whose documents wait.
    Sealed,
    /// With a backup beside it.
    BackedUp,
    /// With a backup, and rows that it does not have.
    GoneOn,
    /// With billed work that has changed since.
    Drifted,
}

/// How a state is made from another.
pub(super) enum Making {
    Command(&'static [&'static str]),
    OldLedger,
}

impl Base {
    /// Each after the one that it is made from.
    pub(super) const ALL: [Self; 7] = [
        Self::Fresh,
        Self::Old,
        Self::Pulled,
        Self::Sealed,
        Self::BackedUp,
        Self::GoneOn,
        Self::Drifted,
    ];

    pub(super) fn made_from(self) -> Option<(Self, Making)> {
        match self {
            Self::Fresh => None,
            Self::Old => Some((Self::Fresh, Making::OldLedger)),
            Self::Pulled => Some((Self::Fresh, Making::Command(&["nightly"]))),
            Self::Sealed => Some((Self::Pulled, Making::Command(SEAL))),
            Self::BackedUp => Some((Self::Sealed, Making::Command(BACKUP))),
            Self::GoneOn => Some((Self::BackedUp, Making::Command(&["import", "hours.csv"]))),
            Self::Drifted => Some((Self::Sealed, Making::Command(&["nightly"]))),
        }
    }

    /// The world in which it is made.
    pub(super) fn world(self) -> World {
        match self {
            Self::Drifted => World::Later,
            _ => World::First,
        }
    }
}

const BACKUP: &[&str] = &["ledger", "backup", "backup.db"];
const SEAL: &[&str] = &["statement", "seal", "ahorn", "--period", "PERIOD"];

pub(super) const OPERATIONS: &[Operation] = &[
    Operation {
        name: "init",
        base: Base::Fresh,
        world: World::First,
        command: &["init", "fresh.toml"],
        left: Some(a_whole_configuration),
        stride: 1,
    },
    Operation {
        name: "migration",
        base: Base::Old,
        world: World::First,
        command: &["reconcile"],
        left: None,
        stride: 2,
    },
    Operation {
        name: "first pull",
        base: Base::Fresh,
        world: World::First,
        command: &["pull"],
        left: None,
        stride: 8,
    },
    Operation {
        name: "nightly",
        base: Base::Pulled,
        world: World::Later,
        command: &["nightly"],
        left: None,
        stride: 4,
    },
    Operation {
        name: "import",
        base: Base::Pulled,
        world: World::First,
        command: &["import", "hours.csv"],
        left: Some(a_whole_import),
        stride: 1,
    },
    Operation {
        name: "seal",
        base: Base::Pulled,
        world: World::First,
        command: SEAL,
        left: Some(a_whole_statement),
        stride: 1,
    },
    Operation {
        name: "deliver",
        base: Base::Sealed,
        world: World::First,
        command: &["deliver"],
        left: Some(whole_documents),
        stride: 1,
    },
    Operation {
        name: "correct",
        base: Base::Drifted,
        world: World::Later,
        command: &["statement", "correct", "NUMBER"],
        left: Some(corrections),
        stride: 3,
    },
    Operation {
        name: "cancel",
        base: Base::Sealed,
        world: World::First,
        command: &["statement", "cancel", "NUMBER"],
        left: Some(a_whole_cancellation),
        stride: 3,
    },
    Operation {
        name: "backup",
        base: Base::Sealed,
        world: World::First,
        command: BACKUP,
        left: Some(a_whole_backup),
        stride: 4,
    },
    Operation {
        name: "restore",
        base: Base::GoneOn,
        world: World::First,
        command: &["ledger", "restore", "backup.db"],
        left: Some(a_whole_ledger),
        stride: 4,
    },
    Operation {
        name: "erase",
        base: Base::Sealed,
        world: World::First,
        command: &[
            "ledger",
            "erase",
            "--client",
            "ahorn",
            "--no-export",
            "--with-open-work",
            "--yes",
        ],
        left: Some(an_erasure),
        stride: 9,
    },
];

fn a_whole_configuration(home: &Path) -> Result<Left, String> {
    let example = include_str!("../../../config/example.toml");
    match fs::read_to_string(home.join("fresh.toml")) {
        Ok(text) if text == example => Ok(Left::Done),
        Ok(text) => Err(format!(
            "{} bytes of {} were left",
            text.len(),
            example.len()
        )),
        Err(_) => Ok(Left::Open),
    }
}

fn a_whole_import(home: &Path) -> Result<Left, String> {
    let records = state(&open(home)?).records;
    match records
        .keys()
        .filter(|key| key.starts_with("file:"))
        .count()
    {
        0 | 10 => Ok(Left::Open),
        some => Err(format!("{some} of 10 records were left")),
    }
}

fn a_whole_statement(home: &Path) -> Result<Left, String> {
    let store = open(home)?;
    let numbers = statements(&store)?;
    let Some(number) = numbers.first() else {
        return Ok(Left::Open);
    };
    match store.parcels_of(number).unwrap().len() {
        2 => Ok(Left::Done),
        some => Err(format!("{number} is sealed and has {some} of 2 documents")),
    }
}

/// Whether they are all of them, the end shows.
fn corrections(home: &Path) -> Result<Left, String> {
    let store = open(home)?;
    let numbers = statements(&store)?;
    let some = numbers
        .iter()
        .any(|number| !store.corrections_of(number).unwrap().is_empty());
    Ok(if some { Left::Done } else { Left::Open })
}

fn a_whole_cancellation(home: &Path) -> Result<Left, String> {
    let store = open(home)?;
    match statements(&store)?.as_slice() {
        [_] => Ok(Left::Open),
        [_, own] if store.parcels_of(own).unwrap().len() == 2 => Ok(Left::Done),
        other => Err(format!("these were left, without documents: {other:?}")),
    }
}

fn whole_documents(home: &Path) -> Result<Left, String> {
    delivered(&open(home)?, home)?;
    let left: Vec<_> = files(&home.join("drive")).into_iter().collect();
    match left.len() {
        0..=2 => Ok(Left::Open),
        _ => Err(format!("these are on the drive: {left:?}")),
    }
}

/// Asked for again in any case: what lies beside the backup may still be missing.
fn a_whole_backup(home: &Path) -> Result<Left, String> {
    let path = home.join("backup.db");
    if path.exists() {
        let backup = Store::open_read_only(&path).map_err(|error| error.to_string())?;
        holds(&backup)?;
    }
    Ok(Left::Open)
}

/// The ledger that was there, or that of the backup, and never none.
fn a_whole_ledger(home: &Path) -> Result<Left, String> {
    let store = open(home)?;
    let mut restored = false;
    store
        .rows_after(0, |row| -> Result<(), Error> {
            restored |= row.kind == "restored";
            Ok(())
        })
        .map_err(|error| error.to_string())?;
    let imported = state(&store).records;
    let imported = imported.keys().filter(|key| key.starts_with("file:"));
    match (restored, imported.count()) {
        (true, 0) => Ok(Left::Done),
        (false, 0 | 10) => Ok(Left::Open),
        (restored, some) => Err(format!(
            "restored: {restored}, with {some} imported records"
        )),
    }
}

/// Asked for again in any case: that finishes what is left to do on the disk.
fn an_erasure(home: &Path) -> Result<Left, String> {
    holds(&open(home)?)?;
    Ok(Left::Open)
}

fn open(home: &Path) -> Result<Store, String> {
    Store::open_read_only(&ledger(home)).map_err(|error| error.to_string())
}
