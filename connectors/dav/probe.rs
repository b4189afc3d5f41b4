//! What a server does with conditions that are set to it, found out by trying.
//!
//! `rclone serve webdav` takes `If-None-Match: *` and overwrites all the same (1.60.1 and 1.75.2,
//! recorded 2026-11). A condition that is ignored is worse than none, so none is trusted before
//! the server has refused something because of it.

use super::client::{BUCKET, Dav, Place};
use super::href::join;
use crate::drive::names::{TEMP_PREFIX, TEMP_SUFFIX};
use crate::error::{Error, Kind, Result};
use crate::http::{Method, Reply, Request};

/// What was proved of a server.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Honours {
    /// `If-None-Match: *` keeps it from overwriting.
    pub(crate) create: bool,
    /// `If-Match` keeps it from overwriting another version.
    pub(crate) matching: bool,
    /// `Overwrite: F` keeps a `MOVE` from overwriting; not asked where `create` suffices.
    pub(crate) moving: bool,
}

/// The names of our own in a folder; nobody else uses them.
pub(crate) fn own_name(key: &str, what: &str) -> String {
    format!("{TEMP_PREFIX}{key}{what}{TEMP_SUFFIX}")
}

/// Tries the conditions on files of our own in a folder that is there, and removes these.
pub(crate) async fn probe(
    dav: &Dav,
    folder: &Place,
    key: &str,
    with_move: bool,
) -> Result<Honours> {
    let own = |what: &str| folder.at(join(&folder.path, &own_name(key, what)));
    let (one, two) = (own("-probe"), own("-probe2"));
    put(dav, &one, Some(("if-none-match", "*"))).await?;
    let create = put(dav, &one, Some(("if-none-match", "*"))).await?.status == 412;
    let never = Some(("if-match", "\"stundenbuch-never-made-this\""));
    let matching = put(dav, &one, never).await?.status == 412;
    let mut moving = false;
    if with_move {
        put(dav, &two, None).await?;
        moving = rename(dav, &two, &one).await? == Moved::Taken;
        remove_own(dav, &two).await?;
    }
    remove_own(dav, &one).await?;
    Ok(Honours {
        create,
        matching,
        moving,
    })
}

async fn put(dav: &Dav, place: &Place, condition: Option<(&'static str, &str)>) -> Result<Reply> {
    let mut request = Request::new(Method::Put, BUCKET, place.as_file())
        .bytes("text/plain", b"Stundenbuch tries this server.\n"[..].into());
    if let Some((name, value)) = condition {
        request = request.header(name, value);
    }
    dav.send(request).await
}

/// How a `MOVE` ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Moved {
    Done,
    /// The new name is taken.
    Taken,
    /// There is nothing under the old name.
    Nothing,
}

/// Gives a file another name, which must be free. Harmless to repeat: the second time there is
/// nothing under the old name, or the new one is taken.
pub(crate) async fn rename(dav: &Dav, from: &Place, to: &Place) -> Result<Moved> {
    let request = Request::new(Method::Move, BUCKET, from.as_file())
        .header("destination", dav.address(to))
        .header("overwrite", "F");
    match dav.send(request).await {
        Ok(reply) if reply.status == 412 => Ok(Moved::Taken),
        Ok(reply) if matches!(reply.status, 201 | 204) => Ok(Moved::Done),
        Ok(reply) => Err(unexpected("a file was to be renamed", &reply)),
        Err(error) if error.kind() == Kind::NotFound => Ok(Moved::Nothing),
        Err(error) => Err(error),
    }
}

/// Removes a file of our own. There is no other `DELETE` in this program.
pub(crate) async fn remove_own(dav: &Dav, place: &Place) -> Result<()> {
    let name = place.path.rsplit('/').next().unwrap_or_default();
    if !(name.starts_with(TEMP_PREFIX) && name.ends_with(TEMP_SUFFIX)) {
        return Err(
            Error::new(Kind::Rejected, "refused to delete what is not ours")
                .with("path", &place.path),
        );
    }
    let request = Request::new(Method::Delete, BUCKET, place.as_file());
    match dav.send(request).await {
        Ok(_) => Ok(()),
        Err(error) if error.kind() == Kind::NotFound => Ok(()),
        Err(error) => Err(error),
    }
}

pub(crate) fn unexpected(what: &str, reply: &Reply) -> Error {
    Error::new(
        Kind::Protocol,
        format!("{what}, and the server answered something else"),
    )
    .with("status", reply.status)
    .with("answer", reply.excerpt())
}
