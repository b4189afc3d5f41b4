//! Exchanging the ledger's file for another, so that a kill at any point leaves one of the two in
//! its place, whole.
//!
//! A file system exchanges two names in one step. What makes it delicate is what SQLite keeps
//! beside a file: with a stranger's write-ahead log beside it, a database is another one. So the
//! old file is first made one file that nobody has open.

use std::io;
use std::path::{Path, PathBuf};
use std::time::Duration;

use chrono::{DateTime, Utc};
use rusqlite::{Connection, OpenFlags};
use rustix::fs::{CWD, RenameFlags, renameat_with};
use rustix::io::Errno;

use super::restore::failed;
use super::{Error, Result, files};

/// How often, and how long apart, it is tried to be alone with the old ledger. Commands that
/// only read have it open for moments.
const TRIES: u32 = 50;
const PAUSE: Duration = Duration::from_millis(100);

/// Gives the prepared file the ledger's name, and the ledger another; that one, if there was a
/// ledger.
pub(super) fn put(prepared: &Path, ledger: &Path, now: DateTime<Utc>) -> Result<Option<PathBuf>> {
    let time = now.format("%Y%m%dT%H%M%SZ");
    let mut kept = files::with_suffix(ledger, &format!("replaced-{time}"));
    // Two in one second.
    while kept.exists() {
        kept = files::with_end(&kept, "-again");
    }
    let fail = |error: io::Error| failed(ledger, &error);
    if ledger.exists() {
        alone(ledger)?;
    }
    // What SQLite could not settle belongs to the old file. Left there, it would be taken for
    // the new one's.
    for end in ["-wal", "-journal", "-shm"] {
        let (left, right) = (files::with_end(ledger, end), files::with_end(&kept, end));
        if left.exists() {
            files::rename(&left, &right).map_err(fail)?;
        }
    }
    if !ledger.exists() {
        files::rename(prepared, ledger).map_err(fail)?;
        return Ok(None);
    }
    // Under its final name first, so that the exchange is the whole change. Killed in between,
    // that name holds the new ledger, and the next attempt makes another.
    files::rename(prepared, &kept).map_err(fail)?;
    match renameat_with(CWD, &kept, CWD, ledger, RenameFlags::EXCHANGE) {
        Ok(()) => {}
        Err(Errno::INVAL | Errno::NOSYS | Errno::NOTSUP) => {
            // Not every file system can: then there is a moment without a ledger, in which the
            // heads tell that there was one, and the same command goes on.
            files::rename(&kept, prepared).map_err(fail)?;
            files::rename(ledger, &kept).map_err(fail)?;
            files::rename(prepared, ledger).map_err(fail)?;
        }
        Err(errno) => return Err(fail(errno.into())),
    }
    files::sync_name(ledger).map_err(fail)?;
    Ok(Some(kept))
}

/// Makes the old ledger one file that nobody has open. A damaged one is left as it is.
fn alone(ledger: &Path) -> Result<()> {
    for _ in 0..TRIES {
        let mode = Connection::open_with_flags(ledger, OpenFlags::SQLITE_OPEN_READ_WRITE)
            .and_then(|conn| {
                let mode = conn.pragma_update_and_check(None, "journal_mode", "delete", |row| {
                    row.get::<_, String>(0)
                })?;
                conn.close().map_err(|(_, error)| error)?;
                Ok(mode)
            })
            .map_err(Error::from);
        match mode {
            Ok(mode) if mode == "delete" => return Ok(()),
            Ok(_) | Err(Error::Busy) => std::thread::sleep(PAUSE),
            Err(Error::Damaged(_)) => return Ok(()),
            Err(error) => return Err(error),
        }
    }
    Err(Error::Refused {
        what: format!("restore: another program has {} open", ledger.display()),
        hint: "end it, and run the same command again; nothing was changed".to_owned(),
    })
}
