//! Names that survive a power cut: a file is safe once it is synced, its name only once its
//! directory is (`fsync(2)`, "Calling fsync() does not necessarily ensure …").

use std::fs::File;
use std::io;
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
