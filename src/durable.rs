//! Names that survive a power cut: a file is safe once it is synced, its name only once its
//! directory is (`fsync(2)`, "Calling fsync() does not necessarily ensure …").

use std::ffi::OsString;
use std::fs::{File, OpenOptions};
use std::io::{self, Write as _};
use std::os::unix::fs::{DirBuilderExt as _, OpenOptionsExt as _};
use std::path::Path;

use rustix::io::Errno;

/// Makes the names in the directory of `path` durable, where the file system can.
///
/// # Errors
/// Those of opening and syncing the directory.
pub fn sync_name(path: &Path) -> io::Result<()> {
    let directory = path.parent().filter(|it| !it.as_os_str().is_empty());
    let directory = File::open(directory.unwrap_or(Path::new(".")))?;
    match rustix::fs::fsync(&directory) {
        // Some file systems have nothing to sync there.
        Ok(()) | Err(Errno::INVAL | Errno::OPNOTSUPP) => Ok(()),
        Err(errno) => Err(errno.into()),
    }
}

/// Makes a directory and those above it that are missing, each with a durable name.
///
/// # Errors
/// Those of making and syncing them.
pub fn create_directories(path: &Path) -> io::Result<()> {
    if path.as_os_str().is_empty() || path.is_dir() {
        return Ok(());
    }
    if let Some(above) = path.parent() {
        create_directories(above)?;
    }
    match std::fs::create_dir(path) {
        // Somebody else was faster.
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists && path.is_dir() => Ok(()),
        Err(error) => Err(error),
        Ok(()) => sync_name(path),
    }
}

/// Writes a file that its owner alone can read, in the place of the one that is there: whoever
/// looks finds the old content or the new one, whole.
///
/// # Errors
/// Those of making its directory, and of writing, syncing and naming it.
pub fn write_private(path: &Path, bytes: &[u8]) -> io::Result<()> {
    let Some(name) = path.file_name() else {
        return Err(io::ErrorKind::IsADirectory.into());
    };
    if let Some(directory) = path.parent() {
        create_private_directory(directory)?;
    }
    let mut hidden = OsString::from(".");
    hidden.push(name);
    hidden.push(".new");
    let new = path.with_file_name(hidden);
    // One that was left behind may have other rights.
    match std::fs::remove_file(&new) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
        _ => {}
    }
    let mut file = OpenOptions::new()
        .create_new(true)
        .write(true)
        .mode(0o600)
        .open(&new)?;
    file.write_all(bytes)?;
    file.sync_all()?;
    std::fs::rename(&new, path)?;
    sync_name(path)
}

/// Makes a directory that its owner alone can enter; one that is there stays as it is.
///
/// # Errors
/// Those of making and syncing it, and those above it.
pub fn create_private_directory(path: &Path) -> io::Result<()> {
    if path.as_os_str().is_empty() || path.is_dir() {
        return Ok(());
    }
    if let Some(above) = path.parent() {
        create_directories(above)?;
    }
    match std::fs::DirBuilder::new().mode(0o700).create(path) {
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists && path.is_dir() => Ok(()),
        Err(error) => Err(error),
        Ok(()) => sync_name(path),
    }
}
