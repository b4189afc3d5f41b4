//! Backups: whole copies of the ledger, verified before they count.

use std::fs;
use std::io::ErrorKind;
use std::path::{Path, PathBuf};

use chrono::{DateTime, NaiveDateTime, Utc};
use rusqlite::{Connection, OpenFlags};

use super::anchors::Found;
use super::{Anchors, Error, Result, Store, files, open};
use crate::ledger::{Head, Heads, Mark, Why, first_line};

/// What a backup is called until it was verified, behind its name.
const PART: &str = "part";
/// The instant in a backup's name: UTC, sorted by time when sorted by name.
const TIME: &str = "%Y%m%dT%H%M%SZ";

/// A backup that was made.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct Backup {
    pub file: PathBuf,
    /// Rows of the journal.
    pub rows: u64,
    /// The hash of the last of them, lower-case hexadecimal.
    pub head: String,
    pub bytes: u64,
    /// Sealed statements, cancellations among them.
    pub statements: usize,
    /// The number of the newest of them.
    pub newest: Option<String>,
    /// Older backups that were removed for it.
    pub removed: Vec<PathBuf>,
}

impl Store {
    /// Copies the ledger into a file, as it is at one instant, while others may write to it.
    pub(super) fn copy_to(&self, path: &Path) -> Result<()> {
        files::remove_database(path);
        files::create_private(path).map_err(|error| failed(path, &error))?;
        // One snapshot, however long the copy takes: without it, the copy would begin again
        // after each commit of another process.
        let snapshot = self.conn.unchecked_transaction()?;
        self.head()?;
        let copied = self
            .conn
            .backup("main", path, None::<fn(rusqlite::backup::Progress)>);
        snapshot.finish()?;
        copied.map_err(|error| {
            files::remove_database(path);
            match Error::from(error) {
                Error::DiskFull => failed(path, &ErrorKind::StorageFull.into()),
                other => other,
            }
        })
    }

    /// Makes a backup in a directory, under a name with the time and the row that it ends in, or
    /// as a file of that name; it is there whole and verified, or not at all. With `keep`, of the
    /// backups of this ledger in the directory so many stay, the newest.
    ///
    /// # Errors
    /// [`Error::Refused`] where something lies that is not an older backup of this ledger;
    /// [`Error::Backup`] when it cannot be written; [`Error::Damaged`] when the ledger is.
    pub fn back_up(
        &self,
        to: &Path,
        keep: Option<usize>,
        anchors: &Anchors,
        now: DateTime<Utc>,
    ) -> Result<Backup> {
        let identity = self.identity()?.unwrap_or_default();
        let directory = to.is_dir().then_some(to);
        let part = if let Some(directory) = directory {
            remove_parts(directory, &self.path);
            files::with_suffix(&directory.join(self.stem()), PART)
        } else {
            self.may_replace(to)?;
            files::with_suffix(to, PART)
        };
        self.copy_to(&part)?;
        let made = self.finish(&part, directory, to, now);
        let (file, mut backup) = made.inspect_err(|_| files::remove_database(&part))?;
        let mut marks = marks_of(anchors);
        marks.retain(|mark| mark.head.seq <= backup.rows);
        let lines: String = marks.iter().map(Mark::line).collect();
        let heads = files::with_suffix(&file, "heads");
        files::write_whole(&heads, (first_line(&identity) + &lines).as_bytes())
            .map_err(|error| failed(&heads, &error))?;
        if let (Some(directory), Some(keep)) = (directory, keep) {
            backup.removed = forget(directory, &self.path, &identity, keep)?;
        }
        // A head of a ledger that was rolled back would make it look right.
        if self.agrees(anchors).is_ok()
            && let Some(end) = self.row(backup.rows)?
        {
            // Only said: a backup is good without it.
            let _ = anchors.add(&identity, &[end.mark(Why::Backup)]);
        }
        Ok(backup)
    }

    /// Verifies a copy and gives it its name.
    fn finish(
        &self,
        part: &Path,
        directory: Option<&Path>,
        to: &Path,
        now: DateTime<Utc>,
    ) -> Result<(PathBuf, Backup)> {
        settle(part)?;
        let copy = Self::open_read_only(part)?;
        let verified = copy.verify()?;
        if let Some(damage) = verified.damage {
            return Err(Error::Damaged(damage.to_string()));
        }
        let statements = copy.statements()?;
        let head = verified.head;
        drop(copy);
        let file = match directory {
            Some(directory) => {
                let time = now.format(TIME);
                let file = directory.join(format!("{}-{time}-{}.db", self.stem(), head.seq));
                self.may_replace(&file)?;
                file
            }
            None => to.to_owned(),
        };
        files::sync(part).map_err(|error| failed(part, &error))?;
        files::rename(part, &file).map_err(|error| failed(&file, &error))?;
        let backup = Backup {
            rows: head.seq,
            head: head.hex(),
            bytes: fs::metadata(&file).map_or(0, |it| it.len()),
            statements: statements.len(),
            newest: statements.into_iter().next_back().map(|it| it.number),
            removed: Vec::new(),
            file: file.clone(),
        };
        Ok((file, backup))
    }

    /// The beginning of the names of backups: the ledger's name without its ending.
    fn stem(&self) -> String {
        stem(&self.path)
    }

    /// Whether a backup may take the place of what lies there.
    fn may_replace(&self, file: &Path) -> Result<()> {
        match fs::metadata(file) {
            Ok(_) => {}
            Err(error) if error.kind() == ErrorKind::NotFound => return Ok(()),
            Err(error) => return Err(failed(file, &error)),
        }
        let refused = |why: &str| Error::Refused {
            what: format!("back up to {}: {why}", file.display()),
            hint: "name a directory, or a file that is not there yet".to_owned(),
        };
        if files::are_one(file, &self.path) {
            return Err(refused("that is the ledger itself"));
        }
        match peek(file) {
            None => Err(refused("something lies there that is no backup")),
            Some((identity, _)) if Some(&identity) != self.identity()?.as_ref() => {
                Err(refused("that is another ledger"))
            }
            Some((_, head)) if !self.has(head)? => {
                Err(refused("it holds rows that this ledger does not have"))
            }
            Some(_) => Ok(()),
        }
    }
}

/// What the files of heads say, without repetition.
fn marks_of(anchors: &Anchors) -> Vec<Mark> {
    let places = anchors.read().into_iter();
    let heads = places.filter_map(|place| match place.found {
        Found::Heads(heads) => Some(heads),
        Found::Missing | Found::Closed(_) => None,
    });
    heads
        .max_by_key(|heads| heads.marks.len())
        .map_or_else(Vec::new, |Heads { marks, .. }| marks)
}

/// The backups of a ledger in a directory, oldest first: files with the names that
/// [`Store::back_up`] gives, whose first row is that of the ledger.
pub fn backups_in(directory: &Path, ledger: &Path, identity: &str) -> Result<Vec<PathBuf>> {
    let stem = stem(ledger);
    let mut named = Vec::new();
    for entry in fs::read_dir(directory).map_err(|error| failed(directory, &error))? {
        let path = entry.map_err(|error| failed(directory, &error))?.path();
        let name = path.file_name().and_then(|name| name.to_str());
        if let Some(made) = name.and_then(|name| made_at(name, &stem)) {
            named.push((made, path));
        }
    }
    named.sort();
    named.retain(|(_, path)| peek(path).is_some_and(|(theirs, _)| theirs == identity));
    Ok(named.into_iter().map(|(_, path)| path).collect())
}

/// The time and the row in a backup's name.
fn made_at(name: &str, stem: &str) -> Option<(NaiveDateTime, u64)> {
    let rest = name.strip_prefix(stem)?.strip_prefix('-')?;
    let (time, row) = rest.strip_suffix(".db")?.split_once('-')?;
    Some((
        NaiveDateTime::parse_from_str(time, TIME).ok()?,
        row.parse().ok()?,
    ))
}

fn stem(ledger: &Path) -> String {
    let stem = ledger.file_stem().unwrap_or_default();
    stem.to_string_lossy().into_owned()
}

/// Removes the oldest backups, so that `keep` stay.
fn forget(directory: &Path, ledger: &Path, identity: &str, keep: usize) -> Result<Vec<PathBuf>> {
    let mut all = backups_in(directory, ledger, identity)?;
    all.truncate(all.len().saturating_sub(keep.max(1)));
    for file in &all {
        fs::remove_file(file).map_err(|error| failed(file, &error))?;
        let _ = fs::remove_file(files::with_suffix(file, "heads"));
    }
    Ok(all)
}

/// Removes what an earlier attempt left when it was cut off.
fn remove_parts(directory: &Path, ledger: &Path) {
    files::remove_database(&files::with_suffix(&directory.join(stem(ledger)), PART));
}

/// Makes a copy one file that can be opened without writing beside it.
pub(super) fn settle(path: &Path) -> Result<()> {
    let conn = Connection::open_with_flags(path, OpenFlags::SQLITE_OPEN_READ_WRITE)?;
    conn.pragma_update(None, "journal_mode", "delete")?;
    conn.close().map_err(|(_, error)| error)?;
    Ok(())
}

/// The identity and the end of a ledger, if the file is one that can be read.
pub(super) fn peek(path: &Path) -> Option<(String, Head)> {
    let conn = open::connect(path, OpenFlags::SQLITE_OPEN_READ_ONLY).ok()?;
    let store = Store::of(conn, path);
    Some((store.identity().ok()??, store.head().ok()?))
}

fn failed(path: &Path, error: &std::io::Error) -> Error {
    Error::Backup {
        path: path.to_owned(),
        reason: match error.kind() {
            ErrorKind::StorageFull | ErrorKind::QuotaExceeded => "the disk is full".to_owned(),
            _ => error.to_string(),
        },
    }
}
