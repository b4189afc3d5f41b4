//! One instance at a time: a lock that the kernel releases when its holder dies.

use std::fs::{File, OpenOptions, TryLockError};
use std::io::{Read, Seek, Write};
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::{Path, PathBuf};

use super::{Error, Result};
use crate::durable;

/// The right to change a ledger, held until dropped.
#[derive(Debug)]
pub struct Lock {
    _file: File,
}

impl Lock {
    /// Takes the right to change a ledger, or says who has it. `what` names the holder for
    /// others.
    pub fn take(ledger: &Path, what: &str) -> Result<Self> {
        Self::take_at(ledger, &path_of(ledger, "lock"), what)
    }

    /// Takes the right to be the daemon of a ledger. Between its runs others may change it.
    pub fn take_daemon(ledger: &Path) -> Result<Self> {
        Self::take_at(ledger, &path_of(ledger, "daemon"), "the daemon")
    }

    /// Whether somebody is changing the ledger right now.
    pub fn is_held(ledger: &Path) -> bool {
        File::open(path_of(ledger, "lock"))
            .is_ok_and(|file| matches!(file.try_lock_shared(), Err(TryLockError::WouldBlock)))
    }

    fn take_at(ledger: &Path, path: &Path, what: &str) -> Result<Self> {
        let open = |reason: std::io::Error| Error::Open {
            path: path.to_owned(),
            reason: reason.to_string(),
            hint: "check that the directory exists and that this user may write there",
        };
        if let Some(parent) = path
            .parent()
            .filter(|parent| !parent.as_os_str().is_empty())
        {
            durable::create_directories(parent).map_err(open)?;
        }
        let mut file = OpenOptions::new()
            .create(true)
            .truncate(false)
            .read(true)
            .write(true)
            .mode(0o600)
            .open(path)
            .map_err(open)?;
        match file.try_lock() {
            Ok(()) => {}
            Err(TryLockError::WouldBlock) => {
                let mut holder = String::new();
                // Who holds it is a courtesy; that it is held is certain.
                let _ = file.read_to_string(&mut holder);
                let holder = holder
                    .lines()
                    .next()
                    .map_or(String::new(), |line| format!(" ({line})"));
                return Err(Error::Locked {
                    path: ledger.to_owned(),
                    holder,
                });
            }
            Err(TryLockError::Error(error)) => return Err(open(error)),
        }
        let note = format!("{what}, process {}\n", std::process::id());
        file.set_len(0)
            .and_then(|()| file.rewind())
            .and_then(|()| file.write_all(note.as_bytes()))
            .map_err(open)?;
        Ok(Self { _file: file })
    }
}

fn path_of(ledger: &Path, ending: &str) -> PathBuf {
    let mut name = ledger.as_os_str().to_owned();
    name.push(".");
    name.push(ending);
    PathBuf::from(name)
}
