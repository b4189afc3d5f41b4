//! Delivery: one file, put there once, and nobody's work lost.
//!
//! Whether something lies there already is decided by content, read back from the server. What is
//! written is written under a condition that the server was seen to keep ([`super::probe`]):
//!
//! - Nextcloud shows a file only when it is whole. A new one is put with `If-None-Match: *`, and an
//!   earlier version of ours is replaced with `If-Match`.
//! - Of other servers that is not known. The content goes under a name of our own first, is read
//!   back, and gets its real name by a `MOVE` that must not overwrite.
//! - Where `If-Match` is not kept, or the tag is weak, the earlier version is taken away by a
//!   `MOVE` to a name of our own and read there, where nobody edits it. If it is not ours after
//!   all, because somebody edited it since we looked, it is put back.
//!
//! The names of our own come from the delivery's key. So the next attempt finds what an earlier one
//! left, whenever that was killed, and no record of its progress is needed.

use std::collections::BTreeSet;

use sha2::{Digest as _, Sha256};
use tokio::sync::Mutex;

use super::client::{BUCKET, Dav, Place};
use super::href::join;
use super::listing::{Entry, Listing};
use super::probe::{Honours, Moved, own_name, probe, remove_own, rename, unexpected};
use crate::contract::{Outcome, OutgoingFile, Receipt};
use crate::drive::names::{beside, beside_number, outgoing};
use crate::error::{Error, Kind, Result};
use crate::http::{Method, Request};

/// How often the target may change under us before we give up for now.
const ROUNDS: usize = 8;
/// A file longer than this is none of our documents.
const LONGEST: u64 = 64 << 20;

/// Where deliveries of a connection go.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Target<'a> {
    pub(crate) dav: &'a Dav,
    pub(crate) root: &'a Place,
    /// What was found out about the server, once a process.
    pub(crate) honours: &'a Mutex<Option<Honours>>,
    /// Whether a `PUT` is seen whole or not at all.
    pub(crate) atomic: bool,
}

/// Puts `file` below the root.
pub(crate) async fn deliver(target: Target<'_>, key: &str, file: &OutgoingFile) -> Result<Receipt> {
    let (folders, name) = outgoing(&file.path)?;
    if sha256(&file.bytes) != file.sha256 {
        return Err(
            Error::new(Kind::Rejected, "the file is not what its checksum promises")
                .with("path", &file.path)
                .hint("this is a defect of the program or a damaged store; nothing was written"),
        );
    }
    let mut delivery = Delivery {
        target,
        folder: target.root.at(folders.join("/")),
        name,
        key: sha256(key.as_bytes())[..16].to_owned(),
        file,
        written: false,
        took: false,
        tried: None,
        refused: Vec::new(),
    };
    let result = delivery.run().await;
    let error = match result {
        Ok(receipt) => return Ok(receipt),
        Err(error) => error.with("path", &file.path),
    };
    // A server that is away is not asked again; the next attempt clears up as well.
    if !matches!(
        error.kind(),
        Kind::Unavailable | Kind::Auth | Kind::RateLimited
    ) {
        let _ = remove_own(target.dav, &delivery.own("")).await;
    }
    Err(error)
}

/// One delivery under way.
#[derive(Debug)]
struct Delivery<'a> {
    target: Target<'a>,
    folder: Place,
    name: &'a str,
    /// Makes the names of our own.
    key: String,
    file: &'a OutgoingFile,
    /// Whether the content lies under our own name.
    written: bool,
    /// Whether our earlier version was taken away.
    took: bool,
    /// What we last tried, for the case that only its answer was lost.
    tried: Option<(String, Outcome)>,
    /// Names that the server refused as taken.
    refused: Vec<String>,
}

/// What to do, seeing what lies there.
#[derive(Debug)]
enum Choice {
    There(String),
    Replace(String, Option<String>),
    Create(String),
}

/// What lies under a name.
enum Holds {
    ThisContent,
    /// With its tag, where that can be used as a condition.
    EarlierContent(Option<String>),
    SomethingElse,
}

impl Delivery<'_> {
    async fn run(&mut self) -> Result<Receipt> {
        for _ in 0..ROUNDS {
            let Some(listing) = self.look_around().await? else {
                continue;
            };
            self.rescue(&listing).await?;
            let (name, outcome) = match self.choose(&listing).await? {
                Choice::There(name) => {
                    let tried = self.tried.take().filter(|(tried, _)| *tried == name);
                    (
                        name,
                        tried.map_or(Outcome::AlreadyThere, |(_, outcome)| outcome),
                    )
                }
                Choice::Replace(name, etag) => {
                    self.tried = Some((name.clone(), Outcome::Replaced));
                    if !self.replace(&name, etag).await? {
                        continue;
                    }
                    (name, Outcome::Replaced)
                }
                Choice::Create(name) => {
                    let ours_was_here = self.took && name == self.name;
                    let outcome = if ours_was_here {
                        Outcome::Replaced
                    } else {
                        Outcome::Created
                    };
                    self.tried = Some((name.clone(), outcome));
                    if !self.create(&name).await? {
                        self.refused.push(name);
                        continue;
                    }
                    (name, outcome)
                }
            };
            return self.finish(&name, outcome).await;
        }
        Err(Error::new(
            Kind::Unavailable,
            "the target changes faster than it can be read",
        )
        .hint("somebody writes there just now; it is tried again"))
    }

    /// The folder as it is now; `None` after it had to be made.
    async fn look_around(&self) -> Result<Option<Listing>> {
        match self.target.dav.list(&self.folder).await {
            Ok(listing) => Ok(Some(listing)),
            Err(error) if error.kind() == Kind::NotFound && !self.folder.path.is_empty() => {
                self.make_folders().await.map(|()| None)
            }
            Err(error) => Err(error),
        }
    }

    /// Makes the folder and those that it lies in, from the first that is missing on. Which that
    /// is, the server says: a folder within a missing one is a conflict (RFC 4918, 9.3.1; rclone
    /// and older sabre answer 404, recorded 2026-11).
    async fn make_folders(&self) -> Result<()> {
        let names: Vec<&str> = self.folder.path.split('/').collect();
        let mut depth = names.len();
        while !self.make_folder(&names[..depth]).await? {
            depth -= 1;
            if depth == 0 {
                return Err(Error::new(
                    Kind::NotFound,
                    "the folder of the connection is not there",
                )
                .hint("check `url` and `folder` in the connection's settings"));
            }
        }
        while depth < names.len() {
            depth += 1;
            self.make_folder(&names[..depth]).await?;
        }
        Ok(())
    }

    /// `false` where the folder around it is missing.
    async fn make_folder(&self, names: &[&str]) -> Result<bool> {
        let place = self.folder.at(names.join("/"));
        let request = Request::new(Method::Mkcol, BUCKET, place.as_folder());
        match self.target.dav.send(request).await {
            // 405: it is there already.
            Ok(reply) if matches!(reply.status, 201 | 405) => Ok(true),
            Ok(reply) => Err(unexpected("a folder was to be made", &reply)),
            Err(error) if matches!(error.kind(), Kind::Conflict | Kind::NotFound) => Ok(false),
            Err(error) => Err(error),
        }
    }

    /// Looks at what an earlier attempt, or an earlier round, left under names of our own.
    async fn rescue(&mut self, listing: &Listing) -> Result<()> {
        for what in ["-probe", "-probe2"] {
            if self.has(listing, what) {
                remove_own(self.target.dav, &self.own(what)).await?;
            }
        }
        if self.has(listing, "") && !self.written {
            remove_own(self.target.dav, &self.own("")).await?;
        }
        if self.has(listing, "-old") {
            self.took = self.is_ours_or_put_back().await?;
        }
        Ok(())
    }

    fn has(&self, listing: &Listing, what: &str) -> bool {
        let name = own_name(&self.key, what);
        listing.entries.iter().any(|entry| entry.name == name)
    }

    fn own(&self, what: &str) -> Place {
        self.at(&own_name(&self.key, what))
    }

    fn at(&self, name: &str) -> Place {
        self.folder.at(join(&self.folder.path, name))
    }

    /// Decides by content. A name that was taken when we last tried has made us go beside it, so
    /// the names beside it are looked at as well, whether or not it is taken now.
    async fn choose(&self, listing: &Listing) -> Result<Choice> {
        let taken: BTreeSet<&str> = listing
            .entries
            .iter()
            .map(|entry| entry.name.as_str())
            .chain(listing.unknown.iter().map(|(name, _)| name.as_str()))
            .chain(self.often_refused())
            .collect();
        let numbers: BTreeSet<u32> = taken
            .iter()
            .filter_map(|name| beside_number(self.name, name))
            .collect();
        let others = numbers.iter().map(|number| beside(self.name, *number));
        let mut replace = None;
        for name in std::iter::once(self.name.to_owned()).chain(others) {
            let Some(entry) = listing.entries.iter().find(|entry| entry.name == name) else {
                continue;
            };
            match self.holds(entry).await? {
                Holds::ThisContent => return Ok(Choice::There(name)),
                Holds::EarlierContent(etag) if replace.is_none() => replace = Some((name, etag)),
                Holds::EarlierContent(_) | Holds::SomethingElse => {}
            }
        }
        if let Some((name, etag)) = replace {
            return Ok(Choice::Replace(name, etag));
        }
        if !taken.contains(self.name) {
            return Ok(Choice::Create(self.name.to_owned()));
        }
        let free = (2..u32::MAX).find(|number| !numbers.contains(number));
        Ok(Choice::Create(beside(self.name, free.unwrap_or(2))))
    }

    /// Names that the server calls taken, again and again, though it does not list them: one that
    /// differs in capitals, or that is hidden from us.
    fn often_refused(&self) -> impl Iterator<Item = &str> {
        let again = |name: &&String| self.refused.iter().filter(|it| it == name).count() > 1;
        self.refused.iter().filter(again).map(String::as_str)
    }

    async fn holds(&self, entry: &Entry) -> Result<Holds> {
        let size: Option<u64> = entry.size.as_deref().and_then(|size| size.parse().ok());
        let as_long = size.is_none_or(|size| size == self.file.bytes.len() as u64);
        let may_be = as_long || self.file.replaces.is_some();
        if entry.folder || !may_be || size.is_some_and(|size| size > LONGEST) {
            return Ok(Holds::SomethingElse);
        }
        let place = self.at(&entry.name);
        let hash = match self.target.dav.get(&place).await {
            Ok(content) => sha256(&content),
            // Ours could be read: we wrote it.
            Err(error) if matches!(error.kind(), Kind::NotFound | Kind::Forbidden) => {
                return Ok(Holds::SomethingElse);
            }
            Err(error) => return Err(error),
        };
        if hash == self.file.sha256 {
            return Ok(Holds::ThisContent);
        }
        if self.file.replaces.as_ref() != Some(&hash) {
            return Ok(Holds::SomethingElse);
        }
        // The tag stands for the content that was read only if it is the same before and after.
        let strong = entry.etag.as_deref().filter(|etag| !etag.starts_with("W/"));
        let Some(etag) = strong.filter(|_| self.target.atomic) else {
            return Ok(Holds::EarlierContent(None));
        };
        let after = self.target.dav.look(&place, false).await?;
        let same = after.is_some_and(|after| after.etag.as_deref() == Some(etag));
        Ok(Holds::EarlierContent(same.then(|| etag.to_owned())))
    }

    /// Puts a new file. `false` when the name was taken meanwhile.
    async fn create(&mut self, name: &str) -> Result<bool> {
        let honours = self.honours().await?;
        if honours.create && (self.target.atomic || !honours.moving) {
            return self.put_if(name, ("if-none-match", "*")).await;
        }
        if !honours.moving {
            return Err(Error::new(
                Kind::Unsupported,
                "the server overwrites files though it is told not to",
            )
            .hint(
                "nothing was delivered, as it could destroy somebody's work; use another target",
            ));
        }
        self.write().await?;
        self.name_it(name).await
    }

    /// Puts the new version in the place of our earlier one. `false` when that has changed since.
    async fn replace(&mut self, name: &str, etag: Option<String>) -> Result<bool> {
        let honours = self.honours().await?;
        if let Some(etag) = etag.filter(|_| honours.matching && self.target.atomic) {
            return self.put_if(name, ("if-match", &etag)).await;
        }
        if !self.honours_of_moves().await? {
            return Err(Error::new(
                Kind::Unsupported,
                "the server gives no way to replace a file without a risk for others' work",
            )
            .hint("remove our earlier version by hand, and deliver again"));
        }
        if self.took {
            // Taken away by an earlier attempt, and put there again by somebody.
            remove_own(self.target.dav, &self.own("-old")).await?;
            self.took = false;
        }
        self.write().await?;
        if rename(self.target.dav, &self.at(name), &self.own("-old")).await? != Moved::Done {
            return Ok(false);
        }
        self.took = self.is_ours_or_put_back().await?;
        if !self.took {
            return Ok(false);
        }
        self.name_it(name).await
    }

    /// Puts the content under its real name at once, on a condition; reads it back.
    async fn put_if(&self, name: &str, (header, value): (&'static str, &str)) -> Result<bool> {
        let place = self.at(name);
        let request = Request::new(Method::Put, BUCKET, place.as_file())
            .header(header, value)
            .header("oc-checksum", format!("SHA256:{}", self.file.sha256))
            .bytes("application/octet-stream", self.file.bytes.clone());
        match self.target.dav.send(request).await {
            Ok(reply) if reply.status == 412 => Ok(false),
            Ok(reply) if matches!(reply.status, 200 | 201 | 204) => self.arrived(&place).await,
            Ok(reply) => Err(unexpected("a file was put there", &reply)),
            // The folder went away in between, or is one no more.
            Err(error) if matches!(error.kind(), Kind::Conflict | Kind::NotFound) => Ok(false),
            Err(error) => Err(error),
        }
    }

    /// Writes the content under our own name, and reads it back.
    async fn write(&mut self) -> Result<()> {
        if self.written {
            return Ok(());
        }
        let own = self.own("");
        let request = Request::new(Method::Put, BUCKET, own.as_file())
            .bytes("application/octet-stream", self.file.bytes.clone());
        let reply = self.target.dav.send(request).await?;
        if !matches!(reply.status, 200 | 201 | 204) {
            return Err(unexpected("a file was put there", &reply));
        }
        if !self.arrived(&own).await? {
            return Err(
                Error::new(Kind::Unavailable, "the file did not arrive as it was sent")
                    .hint("nothing was delivered; it is tried again"),
            );
        }
        self.written = true;
        Ok(())
    }

    /// Gives the written content its real name. `false` when that is taken, or the content is not
    /// there any more, as after a move whose answer was lost.
    async fn name_it(&mut self, name: &str) -> Result<bool> {
        let moved = rename(self.target.dav, &self.own(""), &self.at(name)).await?;
        self.written = moved == Moved::Taken;
        Ok(moved == Moved::Done)
    }

    /// Whether what was taken away is our earlier version. Anything else is somebody's work, and
    /// goes back to its name, or beside it when that is taken again.
    async fn is_ours_or_put_back(&self) -> Result<bool> {
        let old = self.own("-old");
        let hash = sha256(&self.target.dav.get(&old).await?);
        if self.file.replaces.as_ref() == Some(&hash) {
            return Ok(true);
        }
        for number in 1..100 {
            let name = match number {
                1 => self.name.to_owned(),
                number => beside(self.name, number),
            };
            if rename(self.target.dav, &old, &self.at(&name)).await? != Moved::Taken {
                return Ok(false);
            }
        }
        Err(Error::new(
            Kind::Conflict,
            "somebody's file cannot be put back to its place",
        )
        .with("left_as", &old.path)
        .hint("rename it by hand"))
    }

    async fn arrived(&self, place: &Place) -> Result<bool> {
        let content = self.target.dav.get(place).await?;
        Ok(sha256(&content) == self.file.sha256)
    }

    async fn finish(&self, name: &str, outcome: Outcome) -> Result<Receipt> {
        if self.written {
            remove_own(self.target.dav, &self.own("")).await?;
        }
        if self.took {
            remove_own(self.target.dav, &self.own("-old")).await?;
        }
        let outcome = match outcome {
            Outcome::Created | Outcome::AlreadyThere if name != self.name => Outcome::Beside,
            outcome => outcome,
        };
        Ok(Receipt {
            outcome,
            location: join(&self.folder.path, name),
        })
    }

    async fn honours(&self) -> Result<Honours> {
        let mut known = self.target.honours.lock().await;
        if let Some(known) = *known {
            return Ok(known);
        }
        let found = probe(
            self.target.dav,
            &self.folder,
            &self.key,
            !self.target.atomic,
        )
        .await?;
        *known = Some(found);
        Ok(found)
    }

    /// Whether a `MOVE` keeps from overwriting, asked where that was not needed before.
    async fn honours_of_moves(&self) -> Result<bool> {
        let mut known = self.target.honours.lock().await;
        if known.is_some_and(|known| known.moving) {
            return Ok(true);
        }
        let found = probe(self.target.dav, &self.folder, &self.key, true).await?;
        *known = Some(found);
        Ok(found.moving)
    }
}

/// SHA-256 in lower-case hexadecimal.
pub(crate) fn sha256(bytes: &[u8]) -> String {
    use std::fmt::Write as _;
    Sha256::digest(bytes)
        .iter()
        .fold(String::with_capacity(64), |mut text, byte| {
            write!(text, "{byte:02x}").expect("a string takes it");
            text
        })
}
