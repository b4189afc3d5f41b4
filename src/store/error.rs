//! What can go wrong with the ledger's file.

use std::borrow::Cow;
use std::path::PathBuf;

use super::RolledBack;

pub type Result<T, E = Error> = std::result::Result<T, E>;

/// A failure of the ledger's file.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    #[error("open the ledger {path}: {reason}")]
    Open {
        path: PathBuf,
        reason: String,
        hint: &'static str,
    },
    #[error("open the ledger {path}: there is no such file")]
    Missing { path: PathBuf },
    #[error("{path} is not a ledger of this program")]
    Foreign { path: PathBuf },
    #[error(
        "the ledger was written by a newer version (format {found}, this program knows {known})"
    )]
    Newer { found: i64, known: i64 },
    #[error("the ledger has version {found} of the format, and this program writes {known}")]
    Older { found: i64, known: i64 },
    #[error("another instance works on {path}{holder}")]
    Locked { path: PathBuf, holder: String },
    #[error("the disk that holds the ledger is full")]
    DiskFull,
    #[error("the ledger cannot be written: it is read-only")]
    ReadOnly,
    #[error("the ledger is damaged: {0}")]
    Damaged(String),
    #[error("{0}")]
    RolledBack(Box<RolledBack>),
    #[error("{file} holds the heads of another ledger than {ledger}")]
    OtherHeads { file: PathBuf, ledger: PathBuf },
    #[error("back up to {path}: {reason}")]
    Backup { path: PathBuf, reason: String },
    #[error("restore {path}: {reason}")]
    Restore { path: PathBuf, reason: String },
    #[error("restore {path}: the backup is damaged: {what}")]
    BadBackup { path: PathBuf, what: String },
    #[error("{what}")]
    Refused { what: String, hint: String },
    #[error("the ledger is in use: another program has locked the file")]
    Busy,
    #[error("the ledger cannot be opened whole: {0}")]
    Beside(String),
    #[error("the disk that holds the ledger fails: {0}")]
    Disk(String),
    #[error("use the ledger")]
    Sqlite(#[source] rusqlite::Error),
}

impl Error {
    /// What a person can do.
    pub fn hint(&self) -> Cow<'static, str> {
        let hint = match self {
            Self::RolledBack(it) => return it.hint().into(),
            Self::OtherHeads { file, .. } => {
                let file = file.display();
                return format!(
                    "put the right ledger back, or correct `ledger.anchors`; if a new ledger was \
                     meant to begin here, move {file} away"
                )
                .into();
            }
            Self::Refused { hint, .. } => return hint.clone().into(),
            Self::Open { hint, .. } => hint,
            Self::Missing { .. } => {
                "run `stundenbuch nightly` or `stundenbuch import` first; they create it"
            }
            Self::Foreign { .. } => "set `ledger.path` in the configuration to another file",
            Self::Newer { .. } => "install the newer version; an older one never writes to it",
            Self::Older { .. } => {
                "`stundenbuch reconcile` brings it forward; nothing that was printed of it changes"
            }
            Self::Locked { .. } => {
                "wait until it has finished, or stop it: `systemctl stop stundenbuch`"
            }
            Self::DiskFull => "free some space; nothing was lost, the next run goes on",
            Self::ReadOnly => {
                "make the file, its directory and the files beside it (`-wal`, `-shm`) writable \
                 for this user; a disk that fails may have become read-only by itself"
            }
            Self::Damaged(_) => {
                "run `stundenbuch ledger verify`, then `stundenbuch ledger restore` with a backup"
            }
            Self::Backup { .. } => "make room or name another place; the ledger is as it was",
            Self::Restore { .. } => "mend the cause and run it again; the ledger is as it was",
            Self::BadBackup { .. } => "take another backup; nothing was changed",
            Self::Busy => {
                "close what has it open, such as a database browser or a copy that hangs; nothing \
                 was lost, the next run goes on"
            }
            Self::Beside(_) => {
                "SQLite keeps two files beside it, `-wal` and `-shm`: make the directory and what \
                 is in it writable for this user, and see that the disk has room for more files"
            }
            Self::Disk(_) => {
                "see what the system says about the disk (`journalctl -k`), then run \
                 `stundenbuch ledger verify`"
            }
            Self::Sqlite(_) => "run `stundenbuch ledger verify`",
        };
        hint.into()
    }

    /// Whether only a person can go on: the ledger is not what it was.
    pub fn needs_person(&self) -> bool {
        matches!(
            self,
            Self::Damaged(_)
                | Self::RolledBack(_)
                | Self::OtherHeads { .. }
                | Self::BadBackup { .. }
        )
    }

    /// Whether the message names the file. Errors from deep within do not know it.
    pub fn names_file(&self) -> bool {
        matches!(
            self,
            Self::Open { .. }
                | Self::Missing { .. }
                | Self::Foreign { .. }
                | Self::Locked { .. }
                | Self::RolledBack(_)
                | Self::OtherHeads { .. }
                | Self::Backup { .. }
                | Self::Restore { .. }
                | Self::BadBackup { .. }
                | Self::Refused { .. }
        )
    }

    /// Whether the same process may try again later: what was acknowledged is safe, and what was
    /// not has left nothing. After a failed disk it may not: what SQLite believes to be written
    /// may be lost, and a new process asks the disk.
    pub fn may_pass(&self) -> bool {
        matches!(
            self,
            Self::DiskFull | Self::ReadOnly | Self::Busy | Self::Beside(_)
        )
    }
}

impl From<rusqlite::Error> for Error {
    fn from(error: rusqlite::Error) -> Self {
        use rusqlite::ffi::{SQLITE_ERROR, SQLITE_IOERR_SHMSIZE};
        use rusqlite::{Error as Sqlite, ErrorCode};
        if let Sqlite::FromSqlConversionFailure(..)
        | Sqlite::InvalidColumnType(..)
        | Sqlite::IntegralValueOutOfRange(..)
        | Sqlite::Utf8Error(..)
        | Sqlite::SqlInputError { .. } = error
        {
            // The tables are strict, so what we wrote can be read back; and our statements fit
            // our tables, so where one does not, the table is not ours any more.
            return Self::Damaged(error.to_string());
        }
        match error.sqlite_error_code() {
            Some(ErrorCode::DiskFull) => Self::DiskFull,
            // The index of the log is a file, too, and SQLite says only that it cannot grow.
            _ if extended(&error) == Some(SQLITE_IOERR_SHMSIZE) => Self::DiskFull,
            Some(ErrorCode::ReadOnly) => Self::ReadOnly,
            Some(ErrorCode::DatabaseBusy | ErrorCode::DatabaseLocked) => Self::Busy,
            Some(ErrorCode::CannotOpen) => Self::Beside(error.to_string()),
            Some(ErrorCode::SystemIoFailure) => Self::Disk(error.to_string()),
            // A constraint of ours fails, or a value is longer than any: we wrote neither.
            Some(
                ErrorCode::DatabaseCorrupt
                | ErrorCode::NotADatabase
                | ErrorCode::ConstraintViolation
                | ErrorCode::TooBig,
            ) => Self::Damaged(error.to_string()),
            // The plain error of a statement, which is as good as ours always is.
            Some(ErrorCode::Unknown) if extended(&error) == Some(SQLITE_ERROR) => {
                Self::Damaged(error.to_string())
            }
            _ => Self::Sqlite(error),
        }
    }
}

/// SQLite's own number of an error.
fn extended(error: &rusqlite::Error) -> Option<i32> {
    error.sqlite_error().map(|error| error.extended_code)
}
