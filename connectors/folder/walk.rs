//! The walk: every file below the root, or which folders could not be read.
//!
//! It goes from folder to folder by descriptor and never by path, so no link is followed, not
//! even one that is put there while it goes, and no depth makes a path too long. A folder that
//! cannot be read is *unknown*: nothing can be said about what it holds, least of all that it
//! is gone.

use std::collections::BTreeSet;
use std::ffi::CString;
use std::os::fd::OwnedFd;

use rustix::fs::{AtFlags, Dir, FileType, Mode, OFlags, Stat};
use rustix::io::Errno;
use sha2::{Digest as _, Sha256};

use super::failure::failure;
use super::names::encode;
use super::root::{Place, RootMark};
use super::turn::Stop;
use crate::drive::names::Ignore;
use crate::error::{Error, Kind, Result};

/// A change within so many nanoseconds before the walk may be followed by another one with the
/// same time (FAT keeps two seconds), so such a file is looked at again; git calls it racy.
const RACY_NS: i128 = 2_000_000_000;

/// A time further ahead than this is somebody's setting and not a difference of clocks.
const AHEAD_NS: i128 = 86_400_000_000_000;

/// How far a walk goes.
#[derive(Clone, Copy, Debug)]
pub(super) struct Bounds {
    pub(super) depth: usize,
    pub(super) files: usize,
}

/// One file as it was seen.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Seen {
    pub(super) path: String,
    pub(super) size: u64,
    pub(super) mtime_ns: i128,
    /// Stands for size, mtime and ctime; even.
    pub(super) mark: u64,
    pub(super) racy: bool,
}

/// What a walk found.
#[derive(Clone, Debug)]
pub(super) struct Scan {
    pub(super) root: RootMark,
    /// By path.
    pub(super) files: Vec<Seen>,
    pub(super) folders: usize,
    /// Folders that could not be read, with the reason.
    pub(super) unknown: Vec<(String, String)>,
    /// Folders on which another file system is mounted, or should be.
    pub(super) mounts: BTreeSet<String>,
    /// Links that were not followed.
    pub(super) links: usize,
    /// Names that are no UTF-8: how many, and the first.
    pub(super) odd_names: Option<(usize, String)>,
}

/// What a walk must know.
#[derive(Clone, Debug)]
pub(super) struct Plan {
    pub(super) place: Place,
    pub(super) ignore: Ignore,
    pub(super) bounds: Bounds,
    /// When it starts, in nanoseconds since 1970.
    pub(super) now_ns: i128,
    /// The mounts that the last walk found.
    pub(super) mounts: BTreeSet<String>,
}

/// Walks the folder from its root to its end.
pub(super) fn walk(plan: &Plan, stop: &Stop) -> Result<Scan> {
    let root = plan.place.open()?;
    let mut walker = Walker {
        plan,
        stop,
        scan: Scan {
            root: root.mark,
            files: Vec::new(),
            folders: 0,
            unknown: Vec::new(),
            mounts: BTreeSet::new(),
            links: 0,
            odd_names: None,
        },
    };
    let fail = |errno| failure("could not read the folder", &plan.place.shown(), errno);
    let dir = Dir::read_from(&root.fd).map_err(fail)?;
    if let Err(broken) = walker.folder(dir, "", root.mark.dev, 0) {
        return Err(broken.into_error(fail));
    }
    plan.place.still(&root)?;
    let mut scan = walker.scan;
    scan.files.sort_unstable_by(|a, b| a.path.cmp(&b.path));
    Ok(scan)
}

/// Why a folder was not read to its end.
enum Broken {
    /// This folder alone.
    Here(Errno),
    /// The walk as a whole.
    All(Error),
}

impl Broken {
    fn into_error(self, here: impl Fn(Errno) -> Error) -> Error {
        match self {
            Self::Here(errno) => here(errno),
            Self::All(error) => error,
        }
    }
}

impl From<Errno> for Broken {
    fn from(errno: Errno) -> Self {
        Self::Here(errno)
    }
}

struct Walker<'a> {
    plan: &'a Plan,
    stop: &'a Stop,
    scan: Scan,
}

impl Walker<'_> {
    /// Reads one folder and, after it, those that it holds.
    fn folder(&mut self, mut dir: Dir, path: &str, dev: u64, depth: usize) -> Result<(), Broken> {
        self.stop.check().map_err(Broken::All)?;
        let mut inner = Vec::new();
        while let Some(entry) = dir.read() {
            let name = entry?.file_name().to_owned();
            if matches!(name.as_bytes(), b"." | b"..") {
                continue;
            }
            let (text, clean) = encode(name.as_bytes());
            if self.plan.ignore.covers(&text) {
                continue;
            }
            let full = join(path, &text);
            if !clean {
                let (count, _) = self.scan.odd_names.get_or_insert((0, full.clone()));
                *count += 1;
            }
            // A file that goes away between being named and being looked at is just gone.
            let stat = match rustix::fs::statat(dir.fd()?, &name, AtFlags::SYMLINK_NOFOLLOW) {
                Ok(stat) => stat,
                Err(Errno::NOENT) => continue,
                Err(errno) => {
                    self.unknown(full, errno);
                    continue;
                }
            };
            match FileType::from_raw_mode(stat.st_mode) {
                FileType::RegularFile => self.file(full, &stat)?,
                FileType::Directory => inner.push((name, full, stat.st_dev)),
                FileType::Symlink => self.scan.links += 1,
                _ => {}
            }
        }
        for (name, full, inner_dev) in inner {
            self.enter(&dir, &name, full, (dev, inner_dev), depth + 1)?;
        }
        Ok(())
    }

    /// Goes into a folder within `parent`. What fails here is unknown, and the walk goes on.
    fn enter(
        &mut self,
        parent: &Dir,
        name: &CString,
        full: String,
        (dev, inner_dev): (u64, u64),
        depth: usize,
    ) -> Result<(), Broken> {
        self.scan.folders += 1;
        if inner_dev != dev {
            self.scan.mounts.insert(full.clone());
        } else if self.plan.mounts.contains(&full) {
            self.scan.mounts.insert(full.clone());
            let reason = "something was mounted on it, and is no longer".to_owned();
            self.scan.unknown.push((full, reason));
            return Ok(());
        }
        if depth > self.plan.bounds.depth {
            self.scan
                .unknown
                .push((full, "it lies too deep".to_owned()));
            return Ok(());
        }
        let result = open_folder(parent, name)
            .map_err(Broken::from)
            .and_then(|dir| self.folder(dir, &full, inner_dev, depth));
        match result {
            Err(Broken::Here(errno)) => {
                self.unknown(full, errno);
                Ok(())
            }
            other => other,
        }
    }

    fn file(&mut self, path: String, stat: &Stat) -> Result<(), Broken> {
        if self.scan.files.len() >= self.plan.bounds.files {
            let error = Error::new(Kind::Settings, "the folder holds too many files")
                .with("path", self.plan.place.shown())
                .with("limit", self.plan.bounds.files)
                .hint("choose a smaller folder, or name what to pass over in `ignore`");
            return Err(Broken::All(error));
        }
        self.scan.files.push(seen(path, stat, self.plan.now_ns));
        Ok(())
    }

    fn unknown(&mut self, path: String, errno: Errno) {
        self.scan.unknown.push((path, errno.to_string()));
    }
}

fn open_folder(parent: &Dir, name: &CString) -> rustix::io::Result<Dir> {
    let flags = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::NOFOLLOW | OFlags::CLOEXEC;
    let fd: OwnedFd = rustix::fs::openat(parent.fd()?, name, flags, Mode::empty())?;
    Dir::new(fd)
}

fn join(path: &str, name: &str) -> String {
    if path.is_empty() {
        name.to_owned()
    } else {
        format!("{path}/{name}")
    }
}

fn seen(path: String, stat: &Stat, now_ns: i128) -> Seen {
    let size = u64::try_from(stat.st_size).unwrap_or_default();
    let mtime_ns = nanoseconds(i128::from(stat.st_mtime), i128::from(stat.st_mtime_nsec));
    let ctime_ns = nanoseconds(i128::from(stat.st_ctime), i128::from(stat.st_ctime_nsec));
    let mut mark = Sha256::new();
    mark.update(size.to_le_bytes());
    mark.update(mtime_ns.to_le_bytes());
    mark.update(ctime_ns.to_le_bytes());
    Seen {
        path,
        size,
        mtime_ns,
        mark: first_eight(&mark.finalize()) & !1,
        racy: (now_ns - RACY_NS..now_ns + AHEAD_NS).contains(&mtime_ns),
    }
}

fn nanoseconds(seconds: i128, nanoseconds: i128) -> i128 {
    seconds * 1_000_000_000 + nanoseconds
}

/// The beginning of a hash as a number.
pub(super) fn first_eight(hash: &[u8]) -> u64 {
    let bytes = hash.first_chunk().expect("a SHA-256 has 32 bytes");
    u64::from_be_bytes(*bytes)
}
