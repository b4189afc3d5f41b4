//! Delivery: one file, put there once, and nobody's work lost.
//!
//! The content is written under a name of our own, made durable, and then given its real name
//! by a call that fails where the name is taken. Whatever moment the program is killed at, the
//! next attempt finds either nothing, or a left-over that only we can have written, or the
//! finished file; so it needs no record of how far the last one came.

use std::io::{Read as _, Write as _};
use std::os::fd::OwnedFd;

use rustix::fs::{AtFlags, Dir, FileType, Mode, OFlags, RenameFlags, Stat};
use rustix::io::Errno;
use sha2::{Digest as _, Sha256};

use super::failure::failure;

use crate::contract::{Outcome, OutgoingFile, Receipt};
use crate::drive::hash::hex;
use crate::drive::names::{TEMP_PREFIX, TEMP_SUFFIX, beside, beside_number, outgoing};
use crate::error::{Error, Kind, Result};
use crate::planted::{Bug, planted};

/// How often a name may be taken from under us before we give up for now.
const ROUNDS: usize = 20;

/// The moments between which a delivery can be cut off. Tests stop at each of them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Step {
    FoldersMade,
    TempOpened,
    TempHalf,
    TempDurable,
    Linked,
    Named,
    Done,
}

/// Called at each [`Step`]; an error ends the delivery there and then, as a kill would.
pub(super) type Watch<'a> = &'a mut dyn FnMut(Step) -> Result<()>;

/// Puts `file` below `root`, and clears away what a failed attempt leaves.
pub(super) fn deliver(
    root: &OwnedFd,
    key: &str,
    file: &OutgoingFile,
    watch: Watch<'_>,
) -> Result<Receipt> {
    let delivery = prepare(root, key, file, watch)?;
    let result = delivery.run(watch);
    if result.is_err() {
        // The failure matters more than the left-over, which the next attempt clears as well.
        let _ = delivery.clear();
    }
    result
}

/// Checks what is asked for, makes the folders and opens the last of them.
pub(super) fn prepare<'a>(
    root: &OwnedFd,
    key: &str,
    file: &'a OutgoingFile,
    watch: Watch<'_>,
) -> Result<Delivery<'a>> {
    let (folders, name) = outgoing(&file.path)?;
    if hex(&Sha256::digest(&file.bytes)) != file.sha256 {
        return Err(
            Error::new(Kind::Rejected, "the file is not what its checksum promises")
                .with("path", &file.path)
                .hint("this is a defect of the program or a damaged store; nothing was written"),
        );
    }
    let dir = make_folders(root, &folders)
        .map_err(|errno| failure("could not make the folder", &file.path, errno))?;
    watch(Step::FoldersMade)?;
    let key = hex(&Sha256::digest(key));
    Ok(Delivery {
        dir,
        folder: folders.join("/"),
        name,
        temp: format!("{TEMP_PREFIX}{}{TEMP_SUFFIX}", &key[..16]),
        file,
    })
}

/// One delivery under way, in the folder where it belongs.
#[derive(Debug)]
pub(super) struct Delivery<'a> {
    dir: OwnedFd,
    folder: String,
    name: &'a str,
    temp: String,
    file: &'a OutgoingFile,
}

/// What to do, seeing what lies there.
enum Choice {
    /// It lies there already, under this name.
    There(String),
    /// Our earlier version lies there, in this state.
    Replace(String, Box<Stat>),
    /// This name is free.
    Create(String),
}

/// What lies under a name.
enum Holds {
    Nothing,
    ThisContent,
    EarlierContent(Box<Stat>),
    SomethingElse,
}

impl Delivery<'_> {
    pub(super) fn run(&self, watch: Watch<'_>) -> Result<Receipt> {
        self.clear()
            .map_err(|errno| self.failed("could not clear a left-over", errno))?;
        let mut written = false;
        for _ in 0..ROUNDS {
            let choice = self
                .choose()
                .map_err(|errno| self.failed("could not look at the target", errno))?;
            if !written && !matches!(choice, Choice::There(_)) {
                self.write(watch)?;
                written = true;
            }
            let (name, outcome) = match choice {
                Choice::There(name) => (name, Outcome::AlreadyThere),
                Choice::Replace(name, seen) => {
                    if !self.replace(&name, &seen)? {
                        continue;
                    }
                    (name, Outcome::Replaced)
                }
                Choice::Create(name) => {
                    if !self.place(&name, watch)? {
                        continue;
                    }
                    (name, Outcome::Created)
                }
            };
            watch(Step::Named)?;
            return self.finish(&name, outcome, watch);
        }
        Err(Error::new(
            Kind::Unavailable,
            "the target changes faster than it can be read",
        )
        .with("path", &self.file.path)
        .hint("somebody writes there just now; it is tried again"))
    }

    /// Removes the left-over of an earlier attempt with the same key: nobody else uses its name.
    pub(super) fn clear(&self) -> rustix::io::Result<()> {
        match rustix::fs::unlinkat(&self.dir, &self.temp, AtFlags::empty()) {
            // On a read-only share there is none, and what lies there already is delivered.
            Err(Errno::NOENT | Errno::ROFS) => Ok(()),
            other => other,
        }
    }

    /// Decides by content. A name that was taken when we last tried has made us go beside it,
    /// so the names beside it are looked at as well, whether or not it is taken now.
    fn choose(&self) -> rustix::io::Result<Choice> {
        let mut numbers = Vec::new();
        let mut entries = Dir::read_from(&self.dir)?;
        while let Some(entry) = entries.read() {
            let entry = entry?;
            let name = entry.file_name().to_str().ok();
            numbers.extend(name.and_then(|name| beside_number(self.name, name)));
        }
        numbers.sort_unstable();
        let mut replace = None;
        let mut free = false;
        let others = numbers.iter().map(|number| beside(self.name, *number));
        for name in std::iter::once(self.name.to_owned()).chain(others) {
            match self.look(&name)? {
                Holds::ThisContent => return Ok(Choice::There(name)),
                Holds::EarlierContent(seen) if replace.is_none() => replace = Some((name, seen)),
                Holds::Nothing if name == self.name => free = true,
                _ => {}
            }
        }
        Ok(match replace {
            Some((name, seen)) => Choice::Replace(name, seen),
            None if free => Choice::Create(self.name.to_owned()),
            None => {
                // The numbers are sorted, so the first gap is the first that is not its turn.
                let taken = (2..)
                    .zip(&numbers)
                    .take_while(|(turn, number)| turn == *number);
                let number = taken.last().map_or(2, |(turn, _): (u32, _)| turn + 1);
                Choice::Create(beside(self.name, number))
            }
        })
    }

    fn look(&self, name: &str) -> rustix::io::Result<Holds> {
        let seen = match rustix::fs::statat(&self.dir, name, AtFlags::SYMLINK_NOFOLLOW) {
            Ok(seen) => seen,
            Err(Errno::NOENT) => return Ok(Holds::Nothing),
            Err(errno) => return Err(errno),
        };
        let as_long = u64::try_from(seen.st_size) == u64::try_from(self.file.bytes.len());
        let regular = FileType::from_raw_mode(seen.st_mode) == FileType::RegularFile;
        if !regular || !(as_long || self.file.replaces.is_some()) {
            return Ok(Holds::SomethingElse);
        }
        let flags = OFlags::RDONLY | OFlags::NOFOLLOW | OFlags::NONBLOCK | OFlags::CLOEXEC;
        let fd = match rustix::fs::openat(&self.dir, name, flags, Mode::empty()) {
            Ok(fd) => fd,
            // Ours could be read: we wrote it.
            Err(Errno::ACCESS | Errno::LOOP) => return Ok(Holds::SomethingElse),
            Err(errno) => return Err(errno),
        };
        let before = rustix::fs::fstat(&fd)?;
        let mut content = std::fs::File::from(fd);
        let hash = hash(&mut content)?;
        let after = rustix::fs::fstat(&content)?;
        let earlier = self.file.replaces.as_ref() == Some(&hash);
        Ok(if !unchanged(&before, &after) {
            Holds::SomethingElse
        } else if hash == self.file.sha256 && !planted(Bug::RepeatCreatesSecond) {
            Holds::ThisContent
        } else if earlier {
            Holds::EarlierContent(Box::new(after))
        } else {
            Holds::SomethingElse
        })
    }

    /// Writes the content under our own name and makes it durable.
    fn write(&self, watch: Watch<'_>) -> Result<()> {
        let fail = |errno| self.failed("could not write the file", errno);
        let flags =
            OFlags::WRONLY | OFlags::CREATE | OFlags::EXCL | OFlags::NOFOLLOW | OFlags::CLOEXEC;
        // A shared folder is read by others; who exactly, the umask says.
        let mode = Mode::from_raw_mode(0o666);
        let fd = rustix::fs::openat(&self.dir, &self.temp, flags, mode).map_err(fail)?;
        watch(Step::TempOpened)?;
        let mut temp = std::fs::File::from(fd);
        let (first, second) = self.file.bytes.split_at(self.file.bytes.len() / 2);
        temp.write_all(first).map_err(|error| fail(errno(&error)))?;
        watch(Step::TempHalf)?;
        temp.write_all(second)
            .map_err(|error| fail(errno(&error)))?;
        rustix::fs::fsync(&temp).map_err(fail)?;
        watch(Step::TempDurable)
    }

    /// Gives the content its name. `false` when somebody took the name meanwhile.
    fn place(&self, name: &str, watch: Watch<'_>) -> Result<bool> {
        for way in [Way::Rename, Way::Link, Way::LookAndRename] {
            match self.place_by(way, name, watch)? {
                Ok(()) => return Ok(true),
                Err(Errno::EXIST) => return Ok(false),
                // Not every file system knows every way.
                Err(
                    Errno::INVAL | Errno::NOSYS | Errno::OPNOTSUPP | Errno::PERM | Errno::MLINK,
                ) if way != Way::LookAndRename => {}
                Err(errno) => return Err(self.failed("could not name the file", errno)),
            }
        }
        Ok(false)
    }

    /// One way to name the content without touching what has the name already.
    pub(super) fn place_by(
        &self,
        way: Way,
        name: &str,
        watch: Watch<'_>,
    ) -> Result<rustix::io::Result<()>> {
        let (dir, temp) = (&self.dir, self.temp.as_str());
        Ok(match way {
            Way::Rename => rustix::fs::renameat_with(dir, temp, dir, name, RenameFlags::NOREPLACE),
            Way::Link => match rustix::fs::linkat(dir, temp, dir, name, AtFlags::empty()) {
                Ok(()) => {
                    watch(Step::Linked)?;
                    rustix::fs::unlinkat(dir, temp, AtFlags::empty())
                }
                Err(errno) => Err(errno),
            },
            Way::LookAndRename => match rustix::fs::statat(dir, name, AtFlags::SYMLINK_NOFOLLOW) {
                Ok(_) => Err(Errno::EXIST),
                Err(Errno::NOENT) => rustix::fs::renameat(dir, temp, dir, name),
                Err(errno) => Err(errno),
            },
        })
    }

    /// Puts the new version in the place of our earlier one. `false` when that has changed since
    /// it was read: then it is somebody's work.
    fn replace(&self, name: &str, seen: &Stat) -> Result<bool> {
        let fail = |errno| self.failed("could not replace our earlier version", errno);
        match rustix::fs::statat(&self.dir, name, AtFlags::SYMLINK_NOFOLLOW) {
            Ok(now) if unchanged(seen, &now) => {}
            Ok(_) | Err(Errno::NOENT) => return Ok(false),
            Err(errno) => return Err(fail(errno)),
        }
        rustix::fs::renameat(&self.dir, &self.temp, &self.dir, name).map_err(fail)?;
        Ok(true)
    }

    /// Makes the name durable and says where the file lies. A file that an earlier attempt put
    /// there may not be durable yet, so this is done for that one, too.
    fn finish(&self, name: &str, outcome: Outcome, watch: Watch<'_>) -> Result<Receipt> {
        self.clear()
            .map_err(|errno| self.failed("could not clear a left-over", errno))?;
        sync_folder(&self.dir)
            .map_err(|errno| self.failed("could not make the name durable", errno))?;
        watch(Step::Done)?;
        let location = match self.folder.as_str() {
            "" => name.to_owned(),
            folder => format!("{folder}/{name}"),
        };
        let outcome = match outcome {
            Outcome::Created | Outcome::AlreadyThere if name != self.name => Outcome::Beside,
            outcome => outcome,
        };
        Ok(Receipt { outcome, location })
    }

    fn failed(&self, what: &str, errno: Errno) -> Error {
        failure(what, &self.file.path, errno)
    }
}

/// The ways to give a file a name that must be free, the best first.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Way {
    /// `RENAME_NOREPLACE`: local file systems.
    Rename,
    /// A second name, then the first one off: NFS.
    Link,
    /// A look, then a rename: FAT, some SMB servers. Leaves a gap that the protocol leaves.
    LookAndRename,
}

/// Opens folder in folder from the root, making those that are missing. Never follows a link.
fn make_folders(root: &OwnedFd, folders: &[&str]) -> rustix::io::Result<OwnedFd> {
    let flags = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::NOFOLLOW | OFlags::CLOEXEC;
    let mut dir = rustix::fs::openat(root, ".", flags, Mode::empty())?;
    for folder in folders {
        match rustix::fs::mkdirat(&dir, *folder, Mode::from_raw_mode(0o777)) {
            Ok(()) => sync_folder(&dir)?,
            Err(Errno::EXIST) => {}
            // A read-only share may well hold the folder already; writing then says what is up.
            Err(Errno::ROFS | Errno::ACCESS)
                if rustix::fs::statat(&dir, *folder, AtFlags::SYMLINK_NOFOLLOW).is_ok() => {}
            Err(errno) => return Err(errno),
        }
        dir = rustix::fs::openat(&dir, *folder, flags, Mode::empty())?;
    }
    Ok(dir)
}

/// Makes the names in a folder durable, where the file system can.
fn sync_folder(dir: &OwnedFd) -> rustix::io::Result<()> {
    match rustix::fs::fsync(dir) {
        Err(Errno::INVAL | Errno::OPNOTSUPP) => Ok(()),
        other => other,
    }
}

/// Whether two looks saw the same file in the same state.
fn unchanged(one: &Stat, other: &Stat) -> bool {
    let state = |stat: &Stat| {
        let modified = (i128::from(stat.st_mtime), i128::from(stat.st_mtime_nsec));
        let changed = (i128::from(stat.st_ctime), i128::from(stat.st_ctime_nsec));
        (stat.st_dev, stat.st_ino, stat.st_size, modified, changed)
    };
    state(one) == state(other)
}

fn hash(content: &mut std::fs::File) -> rustix::io::Result<String> {
    let mut hash = Sha256::new();
    let mut buffer = vec![0; 64 * 1024];
    loop {
        match content.read(&mut buffer) {
            Ok(0) => return Ok(hex(&hash.finalize())),
            Ok(count) => hash.update(&buffer[..count]),
            Err(error) if error.kind() == std::io::ErrorKind::Interrupted => {}
            Err(error) => return Err(errno(&error)),
        }
    }
}

fn errno(error: &std::io::Error) -> Errno {
    Errno::from_io_error(error).unwrap_or(Errno::IO)
}

#[cfg(test)]
#[path = "deliver_tests.rs"]
mod tests;
