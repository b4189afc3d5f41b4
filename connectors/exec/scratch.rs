//! The private directory of one run: what the program is handed as files, and where it works.
//!
//! The directory is made by us, for us alone, and removed when the run is over. A process that
//! was killed could not remove it; so each holds a lock, and what nobody locks any more is
//! removed by the next run.

use std::fs::{self, DirBuilder, File, OpenOptions};
use std::io::{self, Write};
use std::os::unix::fs::{DirBuilderExt, MetadataExt, OpenOptionsExt};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU32, Ordering};

use crate::error::{Error, Kind, Result};

const PREFIX: &str = "stundenbuch-exec-";
const LOCK: &str = ".lock";

/// A private directory; gone when it is dropped.
#[derive(Debug)]
pub(super) struct Scratch {
    path: PathBuf,
    /// Locked as long as it is open.
    _lock: File,
}

impl Scratch {
    /// Makes one in `parent`.
    pub(super) fn make(parent: &Path) -> Result<Self> {
        Self::try_make(parent).map_err(|error| {
            Error::new(
                Kind::Settings,
                "no private directory can be made for the program",
            )
            .with("directory", parent.display())
            .with("error", error)
            .hint("set `directory` to one that the program's user can write to")
        })
    }

    fn try_make(parent: &Path) -> io::Result<Self> {
        static NEXT: AtomicU32 = AtomicU32::new(0);
        remove_left(parent);
        loop {
            let number = NEXT.fetch_add(1, Ordering::Relaxed);
            let path = parent.join(format!("{PREFIX}{}-{number}", std::process::id()));
            // Fails where anything is there already, so nobody can have prepared it for us.
            match DirBuilder::new().mode(0o700).create(&path) {
                Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {}
                Err(error) => return Err(error),
                Ok(()) => {
                    let lock = create(&path.join(LOCK))?;
                    lock.lock()?;
                    return Ok(Self { path, _lock: lock });
                }
            }
        }
    }

    pub(super) fn path(&self) -> &Path {
        &self.path
    }

    /// Writes a file that only this user can read.
    pub(super) fn write(&self, name: &str, content: &str) -> Result<PathBuf> {
        let path = self.path.join(name);
        let written = create(&path).and_then(|mut file| file.write_all(content.as_bytes()));
        written.map_err(|error| {
            Error::new(
                Kind::Unavailable,
                "a file for the program cannot be written",
            )
            .with("path", path.display())
            .with("error", error)
        })?;
        Ok(path)
    }
}

impl Drop for Scratch {
    fn drop(&mut self) {
        // What cannot be removed now is removed by the next run.
        let _ = fs::remove_dir_all(&self.path);
    }
}

fn create(path: &Path) -> io::Result<File> {
    OpenOptions::new()
        .write(true)
        .create_new(true)
        .mode(0o600)
        .open(path)
}

/// Removes what processes left that are no more.
fn remove_left(parent: &Path) {
    let us = rustix::process::geteuid().as_raw();
    let entries = fs::read_dir(parent).into_iter().flatten().flatten();
    for entry in entries {
        let ours = entry.file_name().to_string_lossy().starts_with(PREFIX)
            && fs::symlink_metadata(entry.path())
                .is_ok_and(|found| found.is_dir() && found.uid() == us);
        if !ours {
            continue;
        }
        let lock = File::open(entry.path().join(LOCK));
        if lock.is_ok_and(|lock| lock.try_lock().is_ok()) {
            let _ = fs::remove_dir_all(entry.path());
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_directory_is_private_and_what_was_left_is_removed() {
        let parent = tempfile::tempdir().unwrap();
        let left = parent.path().join(format!("{PREFIX}1-0"));
        fs::create_dir(&left).unwrap();
        fs::write(left.join(LOCK), "").unwrap();
        fs::write(left.join("config.json"), "secret").unwrap();
        let strange = parent.path().join(format!("{PREFIX}file"));
        fs::write(&strange, "").unwrap();

        let one = Scratch::make(parent.path()).unwrap();
        let file = one.write("config.json", "{}").unwrap();
        assert!(!left.exists() && strange.exists());
        let mode = |path: &Path| fs::metadata(path).unwrap().mode() & 0o777;
        assert_eq!((mode(one.path()), mode(&file)), (0o700, 0o600));
        assert!(one.write("config.json", "again").is_err());

        // One that is in use stays.
        let two = Scratch::make(parent.path()).unwrap();
        assert!(one.path().exists() && two.path().exists());
        let path = one.path().to_owned();
        drop(one);
        assert!(!path.exists() && two.path().exists());
        let error = Scratch::make(&parent.path().join("away")).unwrap_err();
        assert_eq!(error.kind(), Kind::Settings);
    }
}
