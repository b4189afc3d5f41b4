//! A small ledger to be damaged, and looks at it from outside of the program.

use std::fs;
use std::path::{Path, PathBuf};

use chrono::{DateTime, Utc};
use rusqlite::types::ValueRef;
use rusqlite::{Connection, OpenFlags};
use sha2::{Digest as _, Sha256};
use stundenbuch::ledger::{Alias, Event};
use stundenbuch::statements;
use stundenbuch::store::{Damage, Error, Store};
use stundenbuch_connectors::clock::Clock as _;
use tempfile::TempDir;

use crate::fakes::toggl::Entry;
use crate::night::house::{House, SMALL, Size, nth_entry};

/// As little as has everything: new, changed and deleted records, tasks, a taught alias, a sealed
/// statement with delivered documents, and free space of several sizes.
pub(super) const LITTLE: Size = Size {
    boards: 1,
    cards: 2,
    entries: 6,
};

/// The first day of the history, on which all entries are.
pub(super) const DAY: &str = "2026-08-20..2026-08-20";

/// A house whose ledger has rows of many kinds.
pub(super) async fn house() -> House {
    house_of(LITTLE).await
}

/// The same with more in it.
async fn house_of(size: Size) -> House {
    let mut house = House::new(size).await;
    house.night().await;
    house.noon();
    let ids: Vec<i64> = house
        .toggl
        .with(|world| world.entries.keys().copied().collect());
    house.toggl.edit(ids[1], |entry| {
        entry.description = Some("Nachgetragen".into());
    });
    house.toggl.delete(ids[2]);
    house.night().await;
    let now = at(&house);
    let alias = Event::Alias(Alias {
        text: "aufgabe".into(),
        task: house.store.parse_key("trello/tasks/1").ok(),
    });
    let taught = house.store.write(|it| it.append(now, "ahorn", &alias));
    taught.unwrap();
    seal(&mut house).unwrap();
    house.night().await;
    house.noon();
    // So that the chain does not end with what sealing wrote.
    add(&house, 7);
    house.night().await;
    house
}

/// The instant in a house.
pub(super) fn at(house: &House) -> DateTime<Utc> {
    house.clock.now()
}

/// Adds an entry, as somebody does just now.
pub(super) fn add(house: &House, number: i64) {
    house.toggl.add(Entry {
        at: None,
        ..nth_entry(number)
    });
}

/// Seals the day on which the entries are.
pub(super) fn seal(house: &mut House) -> Result<String, statements::SealError> {
    let client = house.config.client("ahorn").unwrap();
    let now = at(house);
    let period = DAY.parse().unwrap();
    let sealed = statements::seal(&mut house.store, &house.config, client, period, now)?;
    Ok(sealed.number.unwrap())
}

/// The ledger of [`house`], closed, as one file's bytes.
pub(super) async fn ledger() -> Vec<u8> {
    file_of(house().await)
}

/// One that has more rows than tables, as those of people do.
pub(super) async fn larger_ledger() -> Vec<u8> {
    file_of(house_of(SMALL).await)
}

fn file_of(house: House) -> Vec<u8> {
    let path = house.store.path().to_owned();
    assert_eq!(house.store.verify().unwrap().damage, None);
    drop(house.store);
    let free = Connection::open(&path).unwrap();
    free.execute_batch(
        "CREATE TABLE gone (x); INSERT INTO gone VALUES (zeroblob(9000)); DROP TABLE gone;
         DELETE FROM run WHERE id = 1;",
    )
    .unwrap();
    drop(free);
    assert!(!beside(&path, "-wal").exists(), "all of it is in the file");
    fs::read(&path).unwrap()
}

/// The same on pages of 512 bytes: a third of the size, with more pages between root and row.
pub(super) fn on_small_pages(ledger: &[u8]) -> Vec<u8> {
    let dir = room();
    let path = dir.path().join("ledger.db");
    fs::write(&path, ledger).unwrap();
    let hand = Connection::open(&path).unwrap();
    hand.execute_batch("PRAGMA journal_mode = delete; PRAGMA page_size = 512; VACUUM;")
        .unwrap();
    hand.execute_batch("PRAGMA journal_mode = wal").unwrap();
    drop(hand);
    fs::read(&path).unwrap()
}

/// A directory in memory, where there is one: thousands of files are written there.
pub(super) fn room() -> TempDir {
    let memory = Path::new("/dev/shm");
    if memory.is_dir() {
        tempfile::tempdir_in(memory).unwrap()
    } else {
        tempfile::tempdir().unwrap()
    }
}

/// A file beside another, as SQLite names it.
pub(super) fn beside(path: &Path, ending: &str) -> PathBuf {
    PathBuf::from(format!("{}{ending}", path.display()))
}

/// What the program says of a file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Said {
    Holds,
    Damaged(Damage),
    /// It was not even opened or read to its end.
    Refused(String),
}

/// Opens a file for reading and verifies it.
pub(super) fn verify(path: &Path) -> Said {
    let verified = Store::open_read_only(path).and_then(|store| store.verify());
    match verified {
        Ok(verified) => verified.damage.map_or(Said::Holds, Said::Damaged),
        Err(
            error @ (Error::Damaged(_)
            | Error::Foreign { .. }
            | Error::Newer { .. }
            | Error::ReadOnly),
        ) => Said::Refused(error.to_string()),
        Err(error) => panic!("a damaged file is called something else: {error:?}"),
    }
}

/// Puts bytes in the place of a ledger, alone, and verifies them.
pub(super) fn verify_bytes(path: &Path, bytes: &[u8]) -> Said {
    Store::remove(path);
    fs::write(path, bytes).unwrap();
    verify(path)
}

/// What the journal proves, by plain SQL over a file that is not changed by it: each row, each
/// received record that a revision names, and the projection. None: SQLite cannot read it.
pub(super) fn proved(path: &Path) -> Option<String> {
    content(
        path,
        &[
            "SELECT * FROM journal NOT INDEXED ORDER BY seq",
            "SELECT id, body FROM raw NOT INDEXED WHERE id IN (SELECT payload ->> '$.raw.id'
               FROM journal WHERE kind = 'revision') ORDER BY id",
            "SELECT * FROM record NOT INDEXED ORDER BY id",
            "SELECT * FROM statement NOT INDEXED ORDER BY sealed",
            "SELECT * FROM settled NOT INDEXED ORDER BY work",
            "SELECT * FROM alias NOT INDEXED ORDER BY 1, 2",
            "SELECT * FROM correction NOT INDEXED ORDER BY 1, 2",
            "SELECT * FROM configured NOT INDEXED ORDER BY 1, 2",
            "SELECT id, connection, stream FROM source NOT INDEXED
              WHERE id IN (SELECT source FROM record) ORDER BY id",
        ],
    )
}

/// As [`proved`], with the cursors.
pub(super) fn with_cursors(path: &Path) -> Option<String> {
    let cursors = content(path, &["SELECT name, cursor FROM connection ORDER BY name"])?;
    Some(proved(path)? + &cursors)
}

fn content(path: &Path, queries: &[&str]) -> Option<String> {
    // Nobody else writes now, so a log that is there is read, and nothing is left behind.
    let log = beside(path, "-wal").exists();
    let name = format!("file:{}?immutable={}", path.display(), u8::from(!log));
    let flags = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_URI;
    let conn = Connection::open_with_flags(name, flags).ok()?;
    let mut hash = Sha256::new();
    for query in queries {
        let mut statement = conn.prepare(query).ok()?;
        let columns = statement.column_count();
        let mut rows = statement.query([]).ok()?;
        while let Some(row) = rows.next().ok()? {
            for column in 0..columns {
                let value = row.get_ref(column).ok()?;
                hash.update([value.data_type() as u8]);
                match value {
                    ValueRef::Null => {}
                    ValueRef::Integer(value) => hash.update(value.to_be_bytes()),
                    ValueRef::Real(value) => hash.update(value.to_be_bytes()),
                    ValueRef::Text(value) | ValueRef::Blob(value) => {
                        hash.update(value.len().to_be_bytes());
                        hash.update(value);
                    }
                }
            }
            hash.update([255]);
        }
        hash.update([254]);
    }
    Some(stundenbuch::ledger::hex(&hash.finalize()))
}

/// Numbers that look random and are the same in every run (Knuth's multiplier, 64 bits).
#[derive(Debug)]
pub(super) struct Dice(pub(super) u64);

impl Dice {
    /// A number below `sides`.
    pub(super) fn roll(&mut self, sides: usize) -> usize {
        self.0 = self
            .0
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1_442_695_040_888_963_407);
        usize::try_from(self.0 >> 33).unwrap() % sides
    }
}

/// How much is tried: a number of trials, or everything.
#[derive(Clone, Copy, Debug)]
pub(super) enum Effort {
    Some(usize),
    All,
}

/// As `STUNDENBUCH_FAULTS` says (`all`, or how many trials a test), else `usual` many.
pub(super) fn effort(usual: usize) -> Effort {
    match std::env::var("STUNDENBUCH_FAULTS").as_deref() {
        Ok("all") => Effort::All,
        Ok(number) => Effort::Some(
            number
                .parse()
                .expect("STUNDENBUCH_FAULTS is `all` or a number"),
        ),
        Err(_) => Effort::Some(usual),
    }
}
