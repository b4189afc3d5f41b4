//! Copies of a ledger beside it or in other directories: what was erased here may still be there.

use std::fmt::Write as _;
use std::fs::File;
use std::io::Read as _;
use std::path::{Path, PathBuf};

use rusqlite::{Connection, OpenFlags};

use super::open::APPLICATION_ID;
use super::project_erased::identity;
use super::{Error, Result, Store};

/// The beginning of every SQLite file, and where its application id stands.
const MAGIC: &[u8] = b"SQLite format 3\0";
const APPLICATION_AT: usize = 68;

impl Store {
    /// The files in these directories that are copies of this ledger from before a row: they
    /// have another row there, or none. A copy that cannot be read counts, for nobody can say
    /// what it holds.
    ///
    /// # Errors
    /// A directory that is there and cannot be listed.
    pub fn copies_before(
        &self,
        (seq, hash): (u64, [u8; 32]),
        directories: &[PathBuf],
    ) -> Result<Vec<PathBuf>> {
        let own = self
            .path
            .canonicalize()
            .unwrap_or_else(|_| self.path.clone());
        let identity = identity(&self.conn)?;
        let mut copies = Vec::new();
        for directory in directories {
            for path in files_of(directory)? {
                let is_own = path.canonicalize().is_ok_and(|path| path == own);
                if is_own || !is_ledger(&path) {
                    continue;
                }
                let holds = match read(&path, seq) {
                    Ok((of, there)) => of == identity && there != Some(hash),
                    Err(_) => true,
                };
                if holds {
                    copies.push(path);
                }
            }
        }
        copies.sort();
        copies.dedup();
        Ok(copies)
    }
}

fn files_of(directory: &Path) -> Result<Vec<PathBuf>> {
    let failed = |error: std::io::Error| Error::Open {
        path: directory.to_owned(),
        reason: format!("list the directory: {error}"),
        hint: "make it readable for this user; it may hold copies of the ledger",
    };
    if !directory.exists() {
        return Ok(Vec::new());
    }
    let mut files = Vec::new();
    for entry in std::fs::read_dir(directory).map_err(failed)? {
        let path = entry.map_err(failed)?.path();
        if path.is_file() {
            files.push(path);
        }
    }
    Ok(files)
}

/// Whether a file is a ledger of this program, told by its first bytes.
fn is_ledger(path: &Path) -> bool {
    let mut head = [0; APPLICATION_AT + 4];
    let read = File::open(path).and_then(|mut file| file.read_exact(&mut head));
    let id = u32::try_from(APPLICATION_ID).expect("an application id has 32 bits");
    read.is_ok() && head.starts_with(MAGIC) && head[APPLICATION_AT..] == id.to_be_bytes()
}

/// The identity of a copy, and the hash of its row with that number. Nothing of it changes: it
/// is read as a file that nobody writes.
fn read(path: &Path, seq: u64) -> Result<(String, Option<[u8; 32]>)> {
    let flags = OpenFlags::SQLITE_OPEN_READ_ONLY
        | OpenFlags::SQLITE_OPEN_URI
        | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let conn = Connection::open_with_flags(uri(path), flags)?;
    let of = identity(&conn)?;
    let mut found = conn.prepare("SELECT hash FROM journal WHERE seq = ?1")?;
    let mut rows = found.query([seq])?;
    let hash = rows.next()?.map(|row| row.get(0)).transpose()?;
    Ok((of, hash))
}

fn uri(path: &Path) -> String {
    use std::os::unix::ffi::OsStrExt as _;
    let mut uri = "file:".to_owned();
    for byte in path.as_os_str().as_bytes() {
        if byte.is_ascii_alphanumeric() || b"/-_.".contains(byte) {
            uri.push(char::from(*byte));
        } else {
            write!(uri, "%{byte:02x}").expect("a string takes everything");
        }
    }
    uri.push_str("?immutable=1");
    uri
}
