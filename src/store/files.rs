//! Files beside the ledger: names, modes, and writing that survives a power cut.

use std::fs::{File, OpenOptions};
use std::io::{ErrorKind, Result, Write as _};
use std::os::unix::fs::{MetadataExt as _, OpenOptionsExt as _};
use std::path::{Path, PathBuf};

pub(super) use crate::durable::sync_name;

/// What SQLite keeps beside a file while it is open, and after a crash.
const BESIDE: [&str; 3] = ["-wal", "-shm", "-journal"];

/// The file's name with a dot and `suffix` behind it.
pub(super) fn with_suffix(path: &Path, suffix: &str) -> PathBuf {
    with_end(path, &format!(".{suffix}"))
}

/// The names under which SQLite keeps something beside a file.
pub(super) fn beside(path: &Path) -> impl Iterator<Item = PathBuf> + '_ {
    BESIDE.iter().map(|end| with_end(path, end))
}

/// The file's name with something behind it.
pub(super) fn with_end(path: &Path, end: &str) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(end);
    PathBuf::from(name)
}

/// The directory of a file.
pub(super) fn directory(path: &Path) -> &Path {
    match path.parent() {
        Some(parent) if !parent.as_os_str().is_empty() => parent,
        _ => Path::new("."),
    }
}

/// Whether two names are of one file that is there.
pub(super) fn are_one(one: &Path, other: &Path) -> bool {
    let of = |path| std::fs::metadata(path).map(|it| (it.dev(), it.ino())).ok();
    of(one).is_some_and(|one| Some(one) == of(other))
}

/// Makes an empty file that its owner alone can read, unless there is one.
pub(super) fn create_private(path: &Path) -> Result<()> {
    let made = OpenOptions::new()
        .write(true)
        .create_new(true)
        .mode(0o600)
        .open(path);
    match made {
        Err(error) if error.kind() != ErrorKind::AlreadyExists => Err(error),
        _ => Ok(()),
    }
}

/// Removes a database with what SQLite keeps beside it. What is not there is gone.
pub(super) fn remove_database(path: &Path) {
    for file in std::iter::once(path.to_owned()).chain(beside(path)) {
        let _ = std::fs::remove_file(file);
    }
}

/// Writes a file under another name first, so that under its own it is whole at any time.
pub(super) fn write_whole(path: &Path, bytes: &[u8]) -> Result<()> {
    let new = with_suffix(path, "new");
    let written = || {
        let _ = std::fs::remove_file(&new);
        let mut file = OpenOptions::new()
            .write(true)
            .create_new(true)
            .mode(0o600)
            .open(&new)?;
        file.write_all(bytes)?;
        file.sync_all()?;
        rename(&new, path)
    };
    written().inspect_err(|_| {
        let _ = std::fs::remove_file(&new);
    })
}

/// Renames a file for good.
pub(super) fn rename(from: &Path, to: &Path) -> Result<()> {
    std::fs::rename(from, to)?;
    sync_name(to)
}

/// Waits until a file is on the disk.
pub(super) fn sync(path: &Path) -> Result<()> {
    File::open(path)?.sync_all()
}
