//! The root of the shared folder: whether what lies at the path is really the share.
//!
//! An unmounted share looks like an empty folder, and a daemon that believes it reports every
//! file as deleted, or writes a report to where nobody will find it. rclone and its users
//! learned this at their own cost (bisync's `--check-access`), so the root is questioned on
//! every call.

use std::os::fd::OwnedFd;
use std::path::{Path, PathBuf};

use rustix::fs::{AtFlags, FileType, Mode, OFlags, StatxAttributes, StatxFlags};
use rustix::io::Errno;
use serde::{Deserialize, Serialize};

use super::failure::failure;
use crate::error::{Error, Kind, Result};

/// What is remembered of a root, to know it again.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct RootMark {
    /// The number of the file system. Local disks keep theirs; network mounts get a new one
    /// each time that they are mounted.
    pub(super) dev: u64,
    /// Whether something is mounted exactly here.
    pub(super) mount: bool,
}

/// Where the folder lies and how it is recognised.
#[derive(Clone, Debug)]
pub(super) struct Place {
    pub(super) path: PathBuf,
    /// A file that lies in the root as long as the share is there.
    pub(super) marker: Option<String>,
}

/// An open root.
#[derive(Debug)]
pub(super) struct Root {
    pub(super) fd: OwnedFd,
    pub(super) mark: RootMark,
    ino: u64,
}

impl Place {
    pub(super) fn shown(&self) -> String {
        self.path.display().to_string()
    }

    /// Opens the root; refuses one that is not there or has lost its marker. A link at the path
    /// itself is followed, since a person configured it; links below it never are.
    pub(super) fn open(&self) -> Result<Root> {
        let flags = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::CLOEXEC;
        let fd = rustix::fs::open(&self.path, flags, Mode::empty())
            .map_err(|errno| self.not_opened(errno))?;
        let root = self.describe(fd)?;
        if let Some(marker) = &self.marker {
            let found = rustix::fs::statat(&root.fd, marker, AtFlags::SYMLINK_NOFOLLOW)
                .map_err(|errno| self.no_marker(marker, errno))?;
            if FileType::from_raw_mode(found.st_mode) != FileType::RegularFile {
                return Err(self.no_marker(marker, Errno::NOENT));
            }
        }
        Ok(root)
    }

    /// Makes sure that the path still leads to the same root, after work that took a while: an
    /// open folder outlives `umount -l`.
    pub(super) fn still(&self, root: &Root) -> Result<()> {
        let now = self.open()?;
        if now.mark == root.mark && now.ino == root.ino {
            return Ok(());
        }
        Err(self.away("the folder was mounted, unmounted or replaced while it was read"))
    }

    /// Refuses a root on which something was mounted when it was last read, and is no longer.
    pub(super) fn same_mount(&self, known: Option<RootMark>, root: &Root) -> Result<()> {
        match known {
            Some(known) if known.mount && !root.mark.mount && self.marker.is_none() => {
                Err(self.away("something was mounted here, and is no longer"))
            }
            _ => Ok(()),
        }
    }

    /// Refuses a root that is not the one that was last read.
    pub(super) fn same_root(&self, known: Option<RootMark>, root: &Root) -> Result<()> {
        match known {
            Some(known) if known != root.mark && self.marker.is_none() => {
                Err(self.away("it was mounted or unmounted since it was read"))
            }
            _ => Ok(()),
        }
    }

    /// The error for a root that is there and is not the share.
    pub(super) fn away(&self, reason: &str) -> Error {
        let remedy = match &self.marker {
            Some(marker) => format!("mount the share; its root holds the marker `{marker}`"),
            None => "mount the share; if this is right all the same, put a file into its root \
                     and name it as `marker` in the settings"
                .to_owned(),
        };
        Error::new(
            Kind::Unavailable,
            format!("the shared folder seems unmounted: {reason}"),
        )
        .with("path", self.path.display())
        .hint(remedy)
    }

    fn describe(&self, fd: OwnedFd) -> Result<Root> {
        let fail = |errno| failure("could not look at the folder", &self.shown(), errno);
        let stat = rustix::fs::fstat(&fd).map_err(fail)?;
        let mount = is_mount(&fd, &self.path).map_err(fail)?;
        Ok(Root {
            fd,
            mark: RootMark {
                dev: stat.st_dev,
                mount,
            },
            ino: stat.st_ino,
        })
    }

    fn not_opened(&self, errno: Errno) -> Error {
        match errno {
            // A slip in the settings looks the same as a share that is away.
            Errno::NOENT => Error::new(
                Kind::Unavailable,
                "the folder is not there: nothing lies at the path",
            )
            .with("path", self.path.display())
            .hint("correct `path`, or mount the share that belongs there"),
            Errno::NOTDIR => Error::new(Kind::Settings, "the path is a file, not a folder")
                .with("path", self.path.display())
                .hint("give the folder in `path`"),
            _ => failure("could not open the folder", &self.shown(), errno),
        }
    }

    fn no_marker(&self, marker: &str, errno: Errno) -> Error {
        match errno {
            Errno::NOENT => self.away(&format!("the marker `{marker}` is not in it")),
            _ => failure("could not look for the marker", &self.shown(), errno),
        }
    }
}

/// Whether something is mounted at this folder. The kernel says so since Linux 5.8; before, two
/// numbers are compared, which does not see a bind mount.
fn is_mount(fd: &OwnedFd, path: &Path) -> rustix::io::Result<bool> {
    let told = rustix::fs::statx(fd, "", AtFlags::EMPTY_PATH, StatxFlags::BASIC_STATS);
    if let Ok(told) = told
        && told
            .stx_attributes_mask
            .contains(StatxAttributes::MOUNT_ROOT)
    {
        return Ok(told.stx_attributes.contains(StatxAttributes::MOUNT_ROOT));
    }
    let own = rustix::fs::fstat(fd)?;
    let above = rustix::fs::stat(path.join(".."))?;
    Ok(own.st_dev != above.st_dev || own.st_ino == above.st_ino)
}
