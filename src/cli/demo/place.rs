//! The directory of the demo: made where nothing is, and afresh where a demo was.
//!
//! A file in it lists what the demo made, with the hash of each. Starting afresh removes those
//! files and no other, and none at all when one of them was edited since: what a person did in
//! the demo is theirs.

use std::fmt::Write as _;
use std::fs::{self, File, FileTimes, OpenOptions};
use std::io::{ErrorKind, Write as _};
use std::path::{Component, Path, PathBuf};

use anyhow::Context as _;
use chrono::DateTime;

use super::files::{FILES, LEDGER, Made};
use crate::error_text::Advised;
use crate::ledger::{hex, sha256};
use crate::store::Lock;

/// The list of what was made.
const MARKER: &str = ".stundenbuch-demo";
const MARKER_HEAD: &str = "# What `stundenbuch demo` made here. It starts afresh by removing these \
                           files and no other.\n";
/// In the list, for files that change as they are used.
const ANY: &str = "-";

/// The directory, ready to be filled.
#[derive(Debug)]
pub(super) struct Place {
    dir: PathBuf,
    /// Hash and path.
    made: Vec<(String, String)>,
    /// Keeps a daemon that runs on the old demo from writing into the new one.
    _lock: Lock,
}

impl Place {
    /// Takes a directory that is new, empty, or a demo's.
    pub(super) fn take(dir: &Path) -> anyhow::Result<Self> {
        let what = || format!("make the demo in {}", dir.display());
        fs::create_dir_all(dir).with_context(what)?;
        let old = match fs::read_to_string(dir.join(MARKER)) {
            Ok(list) => Some(parse(&list)),
            Err(error) if error.kind() == ErrorKind::NotFound => None,
            Err(error) => return Err(error).with_context(what),
        };
        if old.is_none() && fs::read_dir(dir).with_context(what)?.next().is_some() {
            let hint = "name a directory that is empty or not there yet: `--dir DIR`";
            let message = format!("{}: there is something else in it", what());
            return Err(Advised::new(message, hint).into());
        }
        let lock = Lock::take(&dir.join(LEDGER), "demo").with_context(what)?;
        if let Some(old) = &old {
            clear(dir, old).with_context(what)?;
        }
        let beside = |suffix: &str| (ANY.to_owned(), format!("{LEDGER}{suffix}"));
        let files = FILES
            .iter()
            .map(|file| (hash(file.text.as_bytes()), file.path.to_owned()));
        let made = files
            .chain(["", "-wal", "-shm", ".heads"].map(beside))
            .collect();
        let place = Self {
            dir: dir.to_owned(),
            made,
            _lock: lock,
        };
        // The list stands before the first file, so that a demo that was interrupted can be
        // started afresh, too.
        place.note().with_context(what)?;
        Ok(place)
    }

    /// Where a path of the demo lies.
    pub(super) fn path(&self, path: &str) -> PathBuf {
        self.dir.join(path)
    }

    /// Writes a file with the time of its last change.
    pub(super) fn write(&self, file: &Made) -> anyhow::Result<()> {
        let path = self.path(file.path);
        let what = || format!("write {}", path.display());
        if let Some(parent) = path.parent() {
            fs::create_dir_all(parent).with_context(what)?;
        }
        let mut opened = OpenOptions::new()
            .write(true)
            .create_new(true)
            .open(&path)
            .with_context(what)?;
        let changed = DateTime::parse_from_rfc3339(file.changed).with_context(what)?;
        let times = FileTimes::new().set_modified(changed.into());
        opened.write_all(file.text.as_bytes()).with_context(what)?;
        opened.set_times(times).with_context(what)
    }

    /// Adds what will be made, with its hash.
    pub(super) fn expect(&mut self, files: Vec<(String, String)>) -> anyhow::Result<()> {
        self.made.extend(files);
        self.note()
            .with_context(|| format!("list the files of {}", self.dir.display()))
    }

    fn note(&self) -> anyhow::Result<()> {
        let mut list = MARKER_HEAD.to_owned();
        for (hash, path) in &self.made {
            writeln!(list, "{hash}  {path}")?;
        }
        let new = self.dir.join(format!("{MARKER}.new"));
        let mut file = File::create(&new)?;
        file.write_all(list.as_bytes())?;
        file.sync_all()?;
        Ok(fs::rename(&new, self.dir.join(MARKER))?)
    }
}

/// The hash of a file's content, as the list has it.
fn hash(bytes: &[u8]) -> String {
    hex(&sha256(bytes))
}

/// Reads the list. A path that leads out of the directory is nothing that the demo made.
fn parse(list: &str) -> Vec<(String, PathBuf)> {
    list.lines()
        .filter(|line| !line.starts_with('#'))
        .filter_map(|line| line.split_once("  "))
        .map(|(hash, path)| (hash.to_owned(), PathBuf::from(path)))
        .filter(|(_, path)| {
            path.components()
                .all(|part| matches!(part, Component::Normal(_)))
        })
        .collect()
}

/// Removes what an earlier demo made, if nothing of it was edited.
fn clear(dir: &Path, made: &[(String, PathBuf)]) -> anyhow::Result<()> {
    for (expected, path) in made.iter().filter(|(expected, _)| expected != ANY) {
        let path = dir.join(path);
        match fs::read(&path) {
            Ok(bytes) if hash(&bytes) == *expected => {}
            Ok(_) => {
                let message = format!("start afresh: {} was edited since", path.display());
                let hint = "move it away, or make another demo: `--dir DIR`";
                return Err(Advised::new(message, hint).into());
            }
            Err(error) if error.kind() == ErrorKind::NotFound => {}
            Err(error) => return Err(error).with_context(|| format!("read {}", path.display())),
        }
    }
    for (_, path) in made {
        let path = dir.join(path);
        match fs::remove_file(&path) {
            Err(error) if error.kind() != ErrorKind::NotFound => {
                return Err(error).with_context(|| format!("remove {}", path.display()));
            }
            _ => {}
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::parse;

    #[test]
    fn a_list_cannot_name_files_elsewhere() {
        let list = "# head\nab  Drive/a.csv\n-  ../b\ncd  /etc/passwd\n-  x/../../y\n";
        let paths: Vec<_> = parse(list).into_iter().map(|(_, path)| path).collect();
        assert_eq!(paths, [std::path::PathBuf::from("Drive/a.csv")]);
    }
}
