//! The one place where a failure of the file system becomes our error.

use rustix::io::Errno;

use crate::error::{Error, Kind};

/// What a failed call means for the person who reads it.
pub(super) fn failure(what: &str, path: &str, errno: Errno) -> Error {
    let (kind, reason, hint) = match errno {
        Errno::NOSPC => (
            Kind::Unavailable,
            "the disk is full",
            "free some space; it is tried again",
        ),
        Errno::DQUOT => (
            Kind::Unavailable,
            "the quota is used up",
            "free some space or ask for a larger quota; it is tried again",
        ),
        Errno::ROFS => (
            Kind::Forbidden,
            "the file system is read-only",
            "mount it writable, or deliver elsewhere; under systemd, see `ReadWritePaths=`",
        ),
        Errno::ACCESS | Errno::PERM => (
            Kind::Forbidden,
            "permission denied",
            "give the user that runs the program access (`chown`, `chmod` or an ACL)",
        ),
        Errno::NOENT => (
            Kind::NotFound,
            "it is not there",
            "somebody may have moved it just now; it is looked at again in the next run",
        ),
        Errno::LOOP | Errno::NOTDIR => (
            Kind::Conflict,
            "a link or a file lies where a folder should be",
            "links are never followed; move it away, or choose another path",
        ),
        Errno::NAMETOOLONG => (
            Kind::Rejected,
            "the name is too long for the file system",
            "choose a shorter name",
        ),
        Errno::STALE
        | Errno::IO
        | Errno::NOTCONN
        | Errno::HOSTDOWN
        | Errno::HOSTUNREACH
        | Errno::TIMEDOUT
        | Errno::NODEV
        | Errno::NXIO => (
            Kind::Unavailable,
            "the share does not answer",
            "see that the server is up, and mount the share again",
        ),
        _ => (
            Kind::Unavailable,
            "the file system refused",
            "see the error number; it is tried again",
        ),
    };
    Error::new(kind, format!("{what}: {reason}"))
        .with("path", path)
        .with("error", errno)
        .hint(hint)
}
