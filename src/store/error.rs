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
            Self::ReadOnly => "make the file and its directory writable for this user",
            Self::Damaged(_) => {
                "run `stundenbuch ledger verify`, then `stundenbuch ledger restore` with a backup"
            }
            Self::Backup { .. } => "make room or name another place; the ledger is as it was",
            Self::Restore { .. } => "mend the cause and run it again; the ledger is as it was",
            Self::BadBackup { .. } => "take another backup; nothing was changed",
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
}

impl From<rusqlite::Error> for Error {
    fn from(error: rusqlite::Error) -> Self {
        use rusqlite::{Error as Sqlite, ErrorCode};
        if let Sqlite::FromSqlConversionFailure(..)
        | Sqlite::InvalidColumnType(..)
        | Sqlite::IntegralValueOutOfRange(..)
        | Sqlite::Utf8Error(..) = error
        {
            // The tables are strict: what we wrote can be read back.
            return Self::Damaged(error.to_string());
        }
        match error.sqlite_error_code() {
            Some(ErrorCode::DiskFull) => Self::DiskFull,
            Some(ErrorCode::ReadOnly) => Self::ReadOnly,
            Some(ErrorCode::DatabaseCorrupt | ErrorCode::NotADatabase) => {
                Self::Damaged(error.to_string())
            }
            _ => Self::Sqlite(error),
        }
    }
}
