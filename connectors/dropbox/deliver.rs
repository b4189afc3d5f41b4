//! Delivery: one file, put there once, and nobody's work lost.
//!
//! An upload that must not replace anything is harmless to repeat: "if the target path refers to
//! a file with identical contents, nothing gets written; no conflict" (Dropbox, `WriteMode`, read
//! 2026-11). One that replaces names the revision it replaces, so an edit in between is a
//! conflict, and we look again.

use std::collections::BTreeSet;

use serde_json::{Value, json};

use super::Dropbox;
use super::api::Said;
use super::hash::{content_hash, of_one_block};
use super::pull::Listed;
use super::refusal::Refusal;
use crate::contract::{Outcome, OutgoingFile, Receipt};
use crate::drive::hash::sha256;
use crate::drive::names::outgoing;
use crate::drive::slots::{Choice, Holds, acceptable, choose, rank, receipt, too_busy};
use crate::error::{Error, Kind, Result};

/// How often a name may be taken from under us before we give up for now.
const ROUNDS: usize = 20;

/// The most that an upload in one request may hold (Dropbox, `upload`, read 2026-11).
const UPLOAD_MAX: usize = 150 << 20;

/// One delivery under way.
struct Delivery<'a> {
    dropbox: &'a Dropbox,
    space: Option<String>,
    /// Where it belongs, in the Dropbox; empty for the top.
    parent: String,
    /// The same within the folder that is read.
    folder: String,
    name: &'a str,
    file: &'a OutgoingFile,
    hash: String,
}

impl Dropbox {
    /// Puts one file there. Writes within one shared folder block each other, so there is one at
    /// a time.
    pub(super) async fn put(&self, file: &OutgoingFile) -> Result<Receipt> {
        let (folders, name) = outgoing(&file.path)?;
        acceptable(file, UPLOAD_MAX)?;
        let _turn = self.writing.lock().await;
        let anchor = self.anchor().await?;
        // Asked for each time: a folder that was renamed must not be made a second time.
        let spot = self.spot(&anchor).await?;
        let folder = folders.join("/");
        let delivery = Delivery {
            dropbox: self,
            space: anchor.space,
            parent: match folder.as_str() {
                "" => spot.path,
                folder => format!("{}/{folder}", spot.path),
            },
            folder,
            name,
            file,
            hash: content_hash(&file.bytes),
        };
        delivery.run().await
    }
}

impl Delivery<'_> {
    async fn run(&self) -> Result<Receipt> {
        let mut taken = BTreeSet::new();
        for _ in 0..ROUNDS {
            let (name, ended) = match choose(self.name, self.seen().await?, &taken) {
                Choice::There(name) => (name, Outcome::AlreadyThere),
                Choice::Replace(name, rev) => {
                    let mode = json!({".tag": "update", "update": rev});
                    if self.upload(&name, mode, true).await?.is_some() {
                        continue;
                    }
                    (name, Outcome::Replaced)
                }
                Choice::Create(name) => {
                    if self.upload(&name, json!("add"), false).await?.is_some() {
                        taken.extend(rank(self.name, &name));
                        continue;
                    }
                    (name, Outcome::Created)
                }
            };
            return Ok(receipt(&self.folder, self.name, &name, ended));
        }
        Err(too_busy(self.file))
    }

    /// What lies under the names that this delivery may have, with their revisions.
    async fn seen(&self) -> Result<Vec<(u32, String, Holds, String)>> {
        let mut seen = Vec::new();
        for entry in self.entries().await? {
            let Some(name) = entry["name"].as_str() else {
                continue;
            };
            let Some(rank) = rank(self.name, name) else {
                continue;
            };
            let rev = entry["rev"].as_str().unwrap_or_default().to_owned();
            seen.push((rank, name.to_owned(), self.holds(&entry).await?, rev));
        }
        Ok(seen)
    }

    /// What lies in the folder; nothing where there is no folder yet.
    async fn entries(&self) -> Result<Vec<Value>> {
        let mut all = Vec::new();
        let mut route = "/files/list_folder";
        let mut arg = json!({"path": self.parent, "limit": 2000});
        loop {
            let reply = match self
                .dropbox
                .api
                .ask(self.space.as_deref(), route, arg)
                .await?
            {
                Said::Done(reply) => reply,
                Said::Refused(refusal) if refusal.not_found() => return Ok(all),
                Said::Refused(refusal) if refusal.reset() => {
                    return Err(refusal.error("the folder changed while it was listed"));
                }
                Said::Refused(refusal) => {
                    return Err(refusal.error("the folder for the delivery cannot be listed"));
                }
            };
            let listed: Listed = reply.json()?;
            all.extend(listed.entries.0);
            if !listed.has_more {
                return Ok(all);
            }
            arg = json!({"cursor": listed.cursor});
            route = "/files/list_folder/continue";
        }
    }

    async fn holds(&self, entry: &Value) -> Result<Holds> {
        if entry[".tag"] != "file" {
            return Ok(Holds::SomethingElse);
        }
        let hash = entry["content_hash"].as_str();
        if hash == Some(&self.hash) {
            return Ok(Holds::ThisContent);
        }
        let (Some(earlier), Some(hash), Some(size)) =
            (&self.file.replaces, hash, entry["size"].as_u64())
        else {
            return Ok(Holds::SomethingElse);
        };
        let ours = match of_one_block(earlier, size) {
            Some(ours) => ours == hash,
            // Of several blocks, only the content itself tells.
            None if size <= UPLOAD_MAX as u64 => {
                let bytes = self
                    .dropbox
                    .read_version(self.space.as_deref(), entry)
                    .await?;
                sha256(&bytes) == *earlier
            }
            None => false,
        };
        Ok(if ours {
            Holds::EarlierContent
        } else {
            Holds::SomethingElse
        })
    }

    /// Uploads; `Some` when somebody was faster.
    async fn upload(&self, name: &str, mode: Value, strict: bool) -> Result<Option<Refusal>> {
        let arg = json!({
            "path": format!("{}/{name}", self.parent),
            "mode": mode,
            "autorename": false,
            "mute": true,
            "strict_conflict": strict,
            "content_hash": self.hash,
        });
        let space = self.space.as_deref();
        let bytes = std::sync::Arc::clone(&self.file.bytes);
        let reply = match self.dropbox.api.upload(space, &arg, bytes).await? {
            Said::Done(reply) => reply,
            Said::Refused(refusal) if refusal.has("content_hash_mismatch") => {
                return Err(Error::new(Kind::Unavailable, "the upload arrived damaged")
                    .hint("nothing was written; it is tried again"));
            }
            Said::Refused(refusal) if refusal.has("conflict") && !refusal.has("file_ancestor") => {
                return Ok(Some(refusal));
            }
            Said::Refused(refusal) => {
                let error = refusal.error("Dropbox does not take the file");
                return Err(error.with("path", &self.file.path));
            }
        };
        let written: Value = reply.json()?;
        if written["content_hash"] != self.hash.as_str() {
            return Err(
                Error::new(Kind::Protocol, "Dropbox holds other bytes than were sent")
                    .with("path", &self.file.path),
            );
        }
        Ok(None)
    }
}
