//! Opening and creating the file: settings, identity, migrations.

use std::path::{Path, PathBuf};
use std::time::Duration;

use chrono::{DateTime, Utc};
use rusqlite::config::DbConfig;
use rusqlite::{Connection, OpenFlags};

use super::{Anchors, Error, Result, Store, files};
use crate::durable;
use crate::ledger::{Event, Format, Genesis, hex};

/// "StBu": marks the file for `file(1)` and against other programs' databases.
pub(super) const APPLICATION_ID: i64 = 0x5374_4275;

/// One step a version; shipped steps are never edited.
pub(super) const MIGRATIONS: &[&str] = &[
    include_str!("schema/0001.sql"),
    include_str!("schema/0002.sql"),
];

/// The program as rows of the journal name it.
pub const PROGRAM: &str = concat!("stundenbuch ", env!("CARGO_PKG_VERSION"));

/// What a backup is called while it is made a ledger of, behind the ledger's name.
pub(super) const RESTORING: &str = "restoring";

/// How long a statement waits for another process's transaction.
pub(super) const BUSY: Duration = Duration::from_secs(30);

impl Store {
    /// Opens the ledger itself for writing, creating it where there is none. It must agree with
    /// the heads that were kept of it, before anything is changed; from then on its heads are
    /// kept. The caller has the [`Lock`](super::Lock).
    ///
    /// # Errors
    /// As [`Store::open`] and [`Store::agrees`].
    pub fn open_kept(anchors: Anchors, now: DateTime<Utc>) -> Result<Self> {
        let path = anchors.ledger().to_owned();
        Self::remove(&files::with_suffix(&path, RESTORING));
        if !path.exists() {
            anchors.refuse_new()?;
        }
        let mut store = Self::connect_to(&path)?;
        store.agrees(&anchors)?;
        store.migrate(now, None)?;
        store.keep_heads(anchors)?;
        Ok(store)
    }

    /// Opens a ledger for writing, creating it where there is none; no heads are kept.
    pub fn open(path: &Path, now: DateTime<Utc>) -> Result<Self> {
        Self::open_as(path, now, None)
    }

    /// Creates a ledger with a given identity: that of the demo, whose documents shall be the
    /// same each time. Ledgers of real work must never share one.
    pub fn create_as(path: &Path, now: DateTime<Utc>, identity: [u8; 16]) -> Result<Self> {
        Self::open_as(path, now, Some(identity))
    }

    fn open_as(path: &Path, now: DateTime<Utc>, identity: Option<[u8; 16]>) -> Result<Self> {
        let mut store = Self::connect_to(path)?;
        store.migrate(now, identity)?;
        Ok(store)
    }

    /// Opens or makes the file, and leaves what is in it as it is.
    fn connect_to(path: &Path) -> Result<Self> {
        let open = |reason: String, hint| Error::Open {
            path: path.to_owned(),
            reason,
            hint,
        };
        durable::create_directories(files::directory(path)).map_err(|error| {
            open(
                format!("create its directory: {error}"),
                "create the directory and make it writable for this user",
            )
        })?;
        // A ledger holds what people did all day. What SQLite puts beside it gets the same mode.
        files::create_private(path).map_err(|error| {
            open(
                error.to_string(),
                "check that the directory exists and that this user may write there",
            )
        })?;
        let conn = connect(path, OpenFlags::SQLITE_OPEN_READ_WRITE)?;
        Ok(Self::of(conn, path))
    }

    /// A store without anything beside its connection.
    pub(super) fn of(conn: Connection, path: &Path) -> Self {
        Self {
            conn,
            path: path.to_owned(),
            keeper: None,
        }
    }

    /// Opens an existing ledger for reading.
    pub fn open_read_only(path: &Path) -> Result<Self> {
        if !path.exists() {
            return Err(Error::Missing {
                path: path.to_owned(),
            });
        }
        let conn = connect(path, OpenFlags::SQLITE_OPEN_READ_WRITE)?;
        let (found, known) = (pragma(&conn, "user_version")?, newest());
        if (1..known).contains(&found) {
            return Err(Error::Older { found, known });
        }
        conn.pragma_update(None, "query_only", true)?;
        Ok(Self::of(conn, path))
    }

    /// Makes a whole copy of the ledger beside it; the file's name with `suffix` behind.
    pub fn copy_beside(&self, suffix: &str) -> Result<PathBuf> {
        let path = files::with_suffix(&self.path, suffix);
        self.copy_to(&path)?;
        Ok(path)
    }

    /// Removes a copy, with what SQLite keeps beside it. What is not there is gone.
    pub fn remove(copy: &Path) {
        files::remove_database(copy);
    }

    /// How many migrations the file has seen; 0 before it is a ledger.
    pub(super) fn version(&self) -> Result<i64> {
        pragma(&self.conn, "user_version")
    }

    /// Makes the file one that this program writes to: the way changes are journalled, which the
    /// file remembers, and the newest version.
    fn migrate(&mut self, now: DateTime<Utc>, identity: Option<[u8; 16]>) -> Result<()> {
        self.conn.pragma_update(None, "journal_mode", "wal")?;
        let version = self.version()?;
        let done = usize::try_from(version).expect("a checked version is not negative");
        for (step, sql) in MIGRATIONS.iter().enumerate().skip(done) {
            self.write(|writer| -> Result<()> {
                writer.tx.execute_batch(sql)?;
                writer.tx.pragma_update(None, "user_version", step + 1)?;
                if step == 0 {
                    writer
                        .tx
                        .pragma_update(None, "application_id", APPLICATION_ID)?;
                    let random = |row: &rusqlite::Row<'_>| row.get(0);
                    let id = match identity {
                        Some(identity) => identity,
                        None => writer.tx.query_row("SELECT randomblob(16)", [], random)?,
                    };
                    let genesis = Genesis {
                        ledger: hex(&id),
                        program: PROGRAM.into(),
                    };
                    writer.append(now, "ledger", &Event::Genesis(genesis))?;
                } else {
                    let format = Format {
                        version: u32::try_from(step + 1).expect("few migrations"),
                        program: PROGRAM.into(),
                    };
                    writer.append(now, "ledger", &Event::Format(format))?;
                }
                Ok(())
            })?;
        }
        Ok(())
    }
}

/// A connection with the settings that every part of the program relies on. How changes are
/// journalled is a property of the file and set by who opens the ledger for writing: looking at a
/// file changes nothing in it.
pub(super) fn connect(path: &Path, flags: OpenFlags) -> Result<Connection> {
    let conn = Connection::open_with_flags(path, flags | OpenFlags::SQLITE_OPEN_NO_MUTEX).map_err(
        |error| Error::Open {
            path: path.to_owned(),
            reason: error.to_string(),
            hint: "check that the directory exists and that this user may read and write there",
        },
    )?;
    conn.busy_timeout(BUSY)?;
    // Before everything else: what is not ours is not touched.
    check(&conn, path)?;
    // A commit that was acknowledged survives a power cut, not only a crash.
    conn.pragma_update(None, "synchronous", "full")?;
    conn.pragma_update(None, "foreign_keys", true)?;
    // What is erased is overwritten, not only unlinked.
    conn.pragma_update(None, "secure_delete", true)?;
    // Plans follow from the statements alone. Otherwise SQLite plans a statement anew for each
    // value that might make another index worth it, which cost an import half of its time.
    conn.set_db_config(DbConfig::SQLITE_DBCONFIG_ENABLE_QPSG, true)?;
    // 8 MiB of pages; the rest of a large ledger stays on disk.
    conn.pragma_update(None, "cache_size", -8192)?;
    conn.set_prepared_statement_cache_capacity(64);
    Ok(conn)
}

/// Refuses files that are not ours, and ours from the future.
fn check(conn: &Connection, path: &Path) -> Result<()> {
    let tables: i64 = conn.query_row("SELECT count(*) FROM sqlite_schema", [], |row| row.get(0))?;
    if tables > 0 && pragma(conn, "application_id")? != APPLICATION_ID {
        return Err(Error::Foreign {
            path: path.to_owned(),
        });
    }
    let (found, known) = (pragma(conn, "user_version")?, newest());
    if found > known {
        return Err(Error::Newer { found, known });
    }
    Ok(())
}

/// The version of the format that this program writes.
fn newest() -> i64 {
    i64::try_from(MIGRATIONS.len()).expect("few migrations")
}

fn pragma(conn: &Connection, name: &str) -> Result<i64> {
    Ok(conn.pragma_query_value(None, name, |row| row.get(0))?)
}
