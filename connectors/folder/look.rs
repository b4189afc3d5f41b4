//! Looking without changing anything: the check of the settings, and the second look at files
//! that a walk did not show.

use std::ffi::OsString;
use std::io::Read as _;
use std::os::fd::OwnedFd;

use rustix::fs::{Access, AtFlags, Dir, FileType, Mode, OFlags};
use rustix::io::Errno;

use super::failure::failure;
use super::names::components;
use super::root::{Place, Root, RootMark};
use super::turn::Stop;
use crate::contract::{Identity, Presence};
use crate::error::{Error, Kind, Result};
use crate::record::ExternalId;

/// Whether the folder can be read, and whether it could be written. Access bits alone tell;
/// writing a file to see whether that works would show up on everybody's screen.
pub(super) fn check(place: &Place) -> Result<Identity> {
    let root = place.open()?;
    let may = |access| rustix::fs::accessat(&root.fd, ".", access, AtFlags::EACCESS);
    may(Access::READ_OK | Access::EXEC_OK)
        .map_err(|errno| failure("could not read the folder", &place.shown(), errno))?;
    let mut details = vec![match may(Access::WRITE_OK | Access::EXEC_OK) {
        Ok(()) => "readable and writable".to_owned(),
        Err(Errno::ROFS) => "readable; mounted read-only, so nothing can be delivered".to_owned(),
        Err(_) => "readable; not writable for this user, so nothing can be delivered".to_owned(),
    }];
    details.push(match (&place.marker, root.mark.mount) {
        (Some(marker), _) => format!("the marker `{marker}` is in its place"),
        (None, true) => "a file system is mounted here".to_owned(),
        (None, false) => "nothing is mounted exactly here, and no marker is set".to_owned(),
    });
    Ok(Identity {
        account: place.shown(),
        details,
    })
}

/// Looks at each path again.
pub(super) fn confirm(
    place: &Place,
    known: Option<RootMark>,
    ids: Vec<ExternalId>,
    stop: &Stop,
) -> Result<Vec<(ExternalId, Presence)>> {
    let root = place.open()?;
    place.same_root(known, &root)?;
    let believable = place.marker.is_some() || !is_empty(place, &root)?;
    let mut answers = Vec::with_capacity(ids.len());
    for id in ids {
        stop.check()?;
        let presence = match look(&root.fd, id.as_str()) {
            Presence::Gone(_) if !believable => Presence::Unknown,
            presence => presence,
        };
        answers.push((id, presence));
    }
    // What was looked at must still be the share, or none of it counts.
    place.still(&root)?;
    Ok(answers)
}

/// An empty root is how an unmounted share looks.
fn is_empty(place: &Place, root: &Root) -> Result<bool> {
    let fail = |errno| failure("could not read the folder", &place.shown(), errno);
    let mut entries = Dir::read_from(&root.fd).map_err(fail)?;
    while let Some(entry) = entries.read() {
        if !matches!(entry.map_err(fail)?.file_name().to_bytes(), b"." | b"..") {
            return Ok(false);
        }
    }
    Ok(true)
}

/// Reads a file whole. Links are not followed, here as little as in the walk.
pub(super) fn fetch(root: &OwnedFd, place: &Place, path: &str, most: usize) -> Result<Vec<u8>> {
    let shown = format!("{}/{path}", place.shown());
    let fail = |errno| failure("could not read the file", &shown, errno);
    let Some(names) = components(path) else {
        return Err(fail(Errno::NOENT));
    };
    let Some((name, folders)) = names.split_last() else {
        return Err(fail(Errno::ISDIR));
    };
    let through = OFlags::PATH | OFlags::DIRECTORY | OFlags::NOFOLLOW | OFlags::CLOEXEC;
    let mut dir: Option<OwnedFd> = None;
    for folder in folders {
        let parent = dir.as_ref().unwrap_or(root);
        let inner = rustix::fs::openat(parent, folder, through, Mode::empty()).map_err(fail)?;
        dir = Some(inner);
    }
    // Not blocking, so that a pipe under that name cannot hold us.
    let flags = OFlags::RDONLY | OFlags::NOFOLLOW | OFlags::NONBLOCK | OFlags::CLOEXEC;
    let parent = dir.as_ref().unwrap_or(root);
    let file = rustix::fs::openat(parent, name, flags, Mode::empty()).map_err(fail)?;
    let size = rustix::fs::fstat(&file).map_err(fail)?.st_size;
    if usize::try_from(size).is_ok_and(|size| size > most) {
        return Err(
            Error::new(Kind::Rejected, "the file is too large to be read whole")
                .with("path", shown)
                .with("bytes", size),
        );
    }
    let mut bytes = Vec::new();
    let limit = u64::try_from(most).unwrap_or(u64::MAX).saturating_add(1);
    std::fs::File::from(file)
        .take(limit)
        .read_to_end(&mut bytes)
        .map_err(|error| fail(Errno::from_io_error(&error).unwrap_or(Errno::IO)))?;
    if bytes.len() > most {
        return Err(
            Error::new(Kind::Rejected, "the file grew while it was read").with("path", shown),
        );
    }
    Ok(bytes)
}

fn look(root: &OwnedFd, path: &str) -> Presence {
    let Some(names) = components(path) else {
        return Presence::Unknown;
    };
    let mut names = names.iter();
    let Some(name) = names.next_back() else {
        return Presence::Unknown;
    };
    let flags = OFlags::PATH | OFlags::DIRECTORY | OFlags::NOFOLLOW | OFlags::CLOEXEC;
    let mut dir: Option<OwnedFd> = None;
    for folder in names {
        match rustix::fs::openat(dir.as_ref().unwrap_or(root), folder, flags, Mode::empty()) {
            Ok(inner) => dir = Some(inner),
            Err(errno) => {
                let parent = dir.as_ref().unwrap_or(root);
                return match kind_at(parent, folder) {
                    Some(FileType::RegularFile) => {
                        Presence::Gone(format!("the folder of `{path}` is a file now"))
                    }
                    _ => missing(errno, &format!("the folder of `{path}`")),
                };
            }
        }
    }
    let dir = dir.as_ref().unwrap_or(root);
    match rustix::fs::statat(dir, name, AtFlags::SYMLINK_NOFOLLOW) {
        Ok(stat) => match FileType::from_raw_mode(stat.st_mode) {
            FileType::RegularFile => Presence::Present,
            FileType::Directory => Presence::Gone(format!("`{path}` is a folder now")),
            _ => Presence::Unknown,
        },
        Err(errno) => missing(errno, &format!("`{path}`")),
    }
}

fn kind_at(dir: &OwnedFd, name: &OsString) -> Option<FileType> {
    let stat = rustix::fs::statat(dir, name, AtFlags::SYMLINK_NOFOLLOW).ok()?;
    Some(FileType::from_raw_mode(stat.st_mode))
}

/// Only one answer proves that something is not there. A link in the way (`ENOTDIR` here, as
/// links are not followed) may well lead to it.
fn missing(errno: Errno, what: &str) -> Presence {
    match errno {
        Errno::NOENT => Presence::Gone(format!("ENOENT for {what}")),
        _ => Presence::Unknown,
    }
}
