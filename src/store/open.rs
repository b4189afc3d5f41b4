//! Opening and creating the file: settings, identity, migrations.

use std::fs::OpenOptions;
use std::io::ErrorKind;
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::{Path, PathBuf};
use std::time::Duration;

use chrono::{DateTime, Utc};
use rusqlite::config::DbConfig;
use rusqlite::{Connection, OpenFlags};

use super::{Error, Result, Store};
use crate::ledger::{Event, Format, Genesis, hex};

/// "StBu": marks the file for `file(1)` and against other programs' databases.
const APPLICATION_ID: i64 = 0x5374_4275;

/// One step a version; shipped steps are never edited.
pub(super) const MIGRATIONS: &[&str] = &[
    include_str!("schema/0001.sql"),
    include_str!("schema/0002.sql"),
];

/// The program as rows of the journal name it.
pub(super) const PROGRAM: &str = concat!("stundenbuch ", env!("CARGO_PKG_VERSION"));

/// How long a statement waits for another process's transaction.
const BUSY: Duration = Duration::from_secs(30);

impl Store {
    /// Opens the ledger for writing, creating it where there is none.
    pub fn open(path: &Path, now: DateTime<Utc>) -> Result<Self> {
        Self::open_as(path, now, None)
    }

    /// Creates a ledger with a given identity: that of the demo, whose documents shall be the
    /// same each time. Ledgers of real work must never share one.
    pub fn create_as(path: &Path, now: DateTime<Utc>, identity: [u8; 16]) -> Result<Self> {
        Self::open_as(path, now, Some(identity))
    }

    fn open_as(path: &Path, now: DateTime<Utc>, identity: Option<[u8; 16]>) -> Result<Self> {
        if let Some(parent) = path
            .parent()
            .filter(|parent| !parent.as_os_str().is_empty())
        {
            std::fs::create_dir_all(parent).map_err(|error| Error::Open {
                path: path.to_owned(),
                reason: format!("create its directory: {error}"),
                hint: "create the directory and make it writable for this user",
            })?;
        }
        create_private(path)?;
        let conn = connect(path, OpenFlags::SQLITE_OPEN_READ_WRITE)?;
        let mut store = Self {
            conn,
            path: path.to_owned(),
        };
        store.migrate(now, identity)?;
        Ok(store)
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
        Ok(Self {
            conn,
            path: path.to_owned(),
        })
    }

    /// Makes a whole copy of the ledger beside it; the file's name with `suffix` behind.
    pub fn copy_beside(&self, suffix: &str) -> Result<PathBuf> {
        let mut name = self.path.as_os_str().to_owned();
        name.push(".");
        name.push(suffix);
        let path = PathBuf::from(name);
        Self::remove(&path);
        create_private(&path)?;
        self.conn
            .backup("main", &path, None::<fn(rusqlite::backup::Progress)>)?;
        Ok(path)
    }

    /// Removes a copy, with what SQLite keeps beside it. What is not there is gone.
    pub fn remove(copy: &Path) {
        for suffix in ["", "-wal", "-shm"] {
            let mut name = copy.as_os_str().to_owned();
            name.push(suffix);
            let _ = std::fs::remove_file(PathBuf::from(name));
        }
    }

    fn migrate(&mut self, now: DateTime<Utc>, identity: Option<[u8; 16]>) -> Result<()> {
        let version: i64 = pragma(&self.conn, "user_version")?;
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

/// Makes an empty file that its owner alone can read, unless there is one: a ledger holds what
/// people did all day. What SQLite puts beside it gets the same mode.
fn create_private(path: &Path) -> Result<()> {
    let made = OpenOptions::new()
        .write(true)
        .create_new(true)
        .mode(0o600)
        .open(path);
    match made {
        Ok(_) => Ok(()),
        Err(error) if error.kind() == ErrorKind::AlreadyExists => Ok(()),
        Err(error) => Err(Error::Open {
            path: path.to_owned(),
            reason: error.to_string(),
            hint: "check that the directory exists and that this user may write there",
        }),
    }
}

/// A connection with the settings that every part of the program relies on.
pub(super) fn connect(path: &Path, flags: OpenFlags) -> Result<Connection> {
    let conn = Connection::open_with_flags(path, flags | OpenFlags::SQLITE_OPEN_NO_MUTEX).map_err(
        |error| Error::Open {
            path: path.to_owned(),
            reason: error.to_string(),
            hint: "check that the directory exists and that this user may read and write there",
        },
    )?;
    conn.busy_timeout(BUSY)?;
    // Before the first setting that writes: what is not ours is not touched.
    check(&conn, path)?;
    conn.pragma_update(None, "journal_mode", "wal")?;
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
