//! Stored logins: one sealed file a connection, in a directory beside the ledger.
//!
//! They are no part of the ledger: they change every hour, must not be in its backups, and a
//! machine without them has lost nothing but the need to log in again.

mod key;
mod look;
mod seal;

use std::fmt;
use std::fs::{File, OpenOptions, TryLockError};
use std::io::{self, ErrorKind, Write as _};
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::{Path, PathBuf};

use chrono::{DateTime, Utc};
use stundenbuch_connectors::Error;
use stundenbuch_connectors::error::{Kind, Result};
use stundenbuch_connectors::login::{Logins, Stored};

use self::seal::{Key, Unsealed};
use crate::config::Config;
use crate::durable;
use crate::run::sources::Environment;

pub use self::key::NAME as KEY_NAME;
pub use self::look::{Login, State, look};

/// Written before a service is asked, to see that the disk takes it; longer than any login.
const ROOM: [u8; 16 << 10] = [b'\n'; 16 << 10];

/// The logins of one ledger's connections.
pub struct Vault {
    directory: PathBuf,
    /// Missing until the first login, and then made.
    key: Result<Key>,
}

impl fmt::Debug for Vault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Vault")
            .field("directory", &self.directory)
            .finish_non_exhaustive()
    }
}

impl Vault {
    /// The logins of this configuration, with the key as it is found now.
    pub fn of(config: &Config, environment: &Environment) -> Self {
        Self {
            directory: directory(&config.ledger),
            key: key::find(config, environment),
        }
    }

    /// As [`Vault::of`], with a key that is made where there is none; then its path is told, too.
    pub fn with_key(config: &Config, environment: &Environment) -> Result<(Self, Option<PathBuf>)> {
        let found = Self::of(config, environment);
        let made = match &found.key {
            Ok(_) => return Ok((found, None)),
            Err(error) if key::place(config).exists() => return Err(error.clone()),
            Err(_) => key::make(config)?,
        };
        let vault = Self::of(config, environment);
        match vault.key {
            Ok(_) => Ok((vault, Some(made))),
            Err(error) => Err(error),
        }
    }

    /// Where a connection's login is kept.
    pub fn path(&self, connection: &str) -> PathBuf {
        self.directory.join(connection)
    }

    /// When a login was stored last; `None` before the first.
    pub fn stored_at(&self, connection: &str) -> Option<DateTime<Utc>> {
        let metadata = std::fs::metadata(self.path(connection)).ok()?;
        metadata.modified().ok().map(DateTime::from)
    }

    fn new_path(&self, connection: &str) -> PathBuf {
        self.directory.join(format!(".{connection}.new"))
    }

    /// Writes a file that has no name yet which anybody reads. One that failed is not used again:
    /// after a failed sync nobody knows what is in it.
    fn write(&self, connection: &str, bytes: &[u8]) -> Result<PathBuf> {
        let path = self.new_path(connection);
        let written = durable::create_private_directory(&self.directory).and_then(|()| {
            let mut file = OpenOptions::new()
                .create(true)
                .truncate(false)
                .write(true)
                .mode(0o600)
                .open(&path)?;
            file.write_all(bytes)?;
            file.set_len(bytes.len() as u64)?;
            file.sync_all()
        });
        match written {
            Ok(()) => Ok(path),
            Err(error) => {
                // What is left of it is in nobody's way.
                let _ = std::fs::remove_file(&path);
                Err(failed("the login cannot be stored", &path, &error))
            }
        }
    }
}

impl Logins for Vault {
    fn load(&self, connection: &str) -> Result<Option<Stored>> {
        let path = self.path(connection);
        let text = match std::fs::read_to_string(&path) {
            Ok(text) => text,
            Err(error) if error.kind() == ErrorKind::NotFound => return Ok(None),
            Err(error) => return Err(failed("the stored login cannot be read", &path, &error)),
        };
        let key = self.key.as_ref().map_err(|error| {
            let what = "the key of the stored logins is not to be had";
            Error::new(Kind::Auth, what).with("because", error).hint(format!(
                "hand the program the credential `{KEY_NAME}` that it had when somebody logged in"
            ))
        })?;
        let login = key.open(connection, &text).map_err(|unsealed| {
            let (what, hint) = match unsealed {
                Unsealed::OtherKey => (
                    "the login was stored with another key",
                    "hand the program that key again, or log in again",
                ),
                Unsealed::Newer => (
                    "the login was stored by a newer version",
                    "update the program",
                ),
                Unsealed::Damaged => ("the stored login is damaged", "log in again"),
            };
            Error::new(Kind::Auth, what)
                .with("path", path.display())
                .hint(hint)
        })?;
        Stored::from_text(&login).map(Some)
    }

    fn prepare(&self, connection: &str) -> Result<()> {
        self.key.as_ref().map_err(Clone::clone)?;
        self.write(connection, &ROOM).map(|_| ())
    }

    fn save(&self, connection: &str, login: &Stored) -> Result<()> {
        let key = self.key.as_ref().map_err(Clone::clone)?;
        let text = key
            .seal(connection, &login.to_text())
            .ok_or_else(|| Error::new(Kind::Unavailable, "the login cannot be sealed"))?;
        let (new, path) = (
            self.write(connection, text.as_bytes())?,
            self.path(connection),
        );
        std::fs::rename(&new, &path)
            .and_then(|()| durable::sync_name(&path))
            .map_err(|error| failed("the login cannot be stored", &path, &error))
    }

    fn remove(&self, connection: &str) -> Result<()> {
        let path = self.path(connection);
        match std::fs::remove_file(&path) {
            Ok(()) => durable::sync_name(&path),
            Err(error) if error.kind() == ErrorKind::NotFound => Ok(()),
            Err(error) => Err(error),
        }
        .map_err(|error| failed("the login cannot be removed", &path, &error))
    }

    fn try_lock(&self, connection: &str) -> Result<Option<Box<dyn Send + Sync>>> {
        let path = self.directory.join(format!(".{connection}.lock"));
        let opened = durable::create_private_directory(&self.directory).and_then(|()| {
            OpenOptions::new()
                .create(true)
                .truncate(false)
                .write(true)
                .mode(0o600)
                .open(&path)
        });
        let file: File =
            opened.map_err(|error| failed("the stored login cannot be locked", &path, &error))?;
        match file.try_lock() {
            Ok(()) => Ok(Some(Box::new(file))),
            Err(TryLockError::WouldBlock) => Ok(None),
            Err(TryLockError::Error(error)) => {
                Err(failed("the stored login cannot be locked", &path, &error))
            }
        }
    }
}

/// Beside the ledger and named after it, as its lock is: two ledgers in one directory share none.
fn directory(ledger: &Path) -> PathBuf {
    let mut name = ledger.as_os_str().to_owned();
    name.push(".logins");
    PathBuf::from(name)
}

/// A failure of the disk: it passes, or a person sees to the rights.
fn failed(what: &str, path: &Path, error: &io::Error) -> Error {
    let kind = match error.kind() {
        ErrorKind::PermissionDenied => Kind::Settings,
        _ => Kind::Unavailable,
    };
    let error = Error::new(kind, what)
        .with("path", path.display())
        .with("error", error);
    match kind {
        Kind::Settings => error.hint("run the program as the user that the ledger belongs to"),
        _ => error.hint("see to the disk that holds the ledger; the login itself is not lost"),
    }
}
