//! Delivery: one file, put there once, and nobody's work lost.
//!
//! Box lets no two things in a folder have one name, so an upload that is repeated is refused,
//! and the refusal names what is there by its hash. A new version names the `etag` of the one
//! that it replaces, so an edit in between is refused as well, and we look again.

use std::collections::BTreeSet;

use serde_json::{Value, json};

use super::Drive;
use super::api::Said;
use super::item::number;
use crate::contract::{Outcome, OutgoingFile, Receipt};
use crate::drive::hash::{sha1, sha256};
use crate::drive::names::outgoing;
use crate::drive::slots::{Choice, Holds, acceptable, choose, rank, receipt, too_busy};
use crate::error::{Error, Kind, Result};

/// How often a name may be taken from under us before we give up for now.
const ROUNDS: usize = 20;

/// The most that an upload in one request may hold (Box, `post_files_content`, 2026-06).
const UPLOAD_MAX: usize = 50 << 20;

/// What is asked for to tell what lies in a folder.
const FIELDS: &str = "type,id,name,etag,sha1,size";

/// One delivery under way, in the folder where it belongs.
struct Delivery<'a> {
    drive: &'a Drive,
    parent: String,
    folder: String,
    name: &'a str,
    file: &'a OutgoingFile,
    hash: String,
}

/// How an upload ended.
enum Put {
    Done,
    /// It was there already, under this name: an attempt before has put it there.
    There(String),
    /// Somebody was faster.
    Taken,
}

/// Our earlier version.
struct Earlier {
    id: String,
    etag: String,
    name: String,
}

impl Drive {
    /// Puts one file there, one at a time.
    pub(super) async fn put(&self, file: &OutgoingFile) -> Result<Receipt> {
        let (folders, name) = outgoing(&file.path)?;
        acceptable(file, UPLOAD_MAX)?;
        let _turn = self.writing.lock().await;
        let mut parent = self.root.clone();
        for folder in &folders {
            parent = self.folder_in(&parent, folder).await?;
        }
        let delivery = Delivery {
            drive: self,
            parent,
            folder: folders.join("/"),
            name,
            file,
            hash: sha1(&file.bytes),
        };
        delivery.run().await
    }

    /// The folder of that name, made where there is none.
    async fn folder_in(&self, parent: &str, name: &str) -> Result<String> {
        let blocked = || {
            Error::new(
                Kind::Rejected,
                "a file has the name of the folder for the delivery",
            )
            .with("folder", name)
            .hint("rename the file at Box, or deliver under another path")
        };
        for item in self.listed(parent).await? {
            let same = item["name"]
                .as_str()
                .is_some_and(|it| rank(name, it) == Some(1));
            match (item["type"].as_str(), number(&item)) {
                (Some("folder"), Some(id)) if same => return Ok(id.to_owned()),
                (Some("file"), _) if same => return Err(blocked()),
                _ => {}
            }
        }
        match self.api.make_folder(parent, name).await? {
            Said::Done(made) => number(&made)
                .map(str::to_owned)
                .ok_or_else(|| Error::new(Kind::Protocol, "Box does not say which folder it made")),
            // Somebody was faster, or our own first request was, whose answer was lost.
            Said::Refused(refusal) if refusal.name_in_use() => {
                refusal.folder().map(str::to_owned).ok_or_else(blocked)
            }
            Said::Refused(refusal) => Err(refusal.error("the folder for it cannot be made")),
        }
    }

    async fn listed(&self, folder: &str) -> Result<Vec<Value>> {
        self.items(folder, FIELDS).await?.ok_or_else(|| {
            Error::new(
                Kind::NotFound,
                "the folder for the delivery is not there any more",
            )
            .with("folder", folder)
            .hint("check `folder`: it may have been deleted, or the account taken off it")
        })
    }
}

impl Delivery<'_> {
    async fn run(&self) -> Result<Receipt> {
        let mut taken = BTreeSet::new();
        for _ in 0..ROUNDS {
            let (name, ended) = match choose(self.name, self.seen().await?, &taken) {
                Choice::There(name) => (name, Outcome::AlreadyThere),
                Choice::Replace(name, earlier) => match self.upload(&name, Some(&earlier)).await? {
                    Put::Done => (name, Outcome::Replaced),
                    Put::There(_) | Put::Taken => continue,
                },
                Choice::Create(name) => match self.upload(&name, None).await? {
                    Put::Done => (name, Outcome::Created),
                    Put::There(name) => (name, Outcome::AlreadyThere),
                    Put::Taken => {
                        taken.extend(rank(self.name, &name));
                        continue;
                    }
                },
            };
            return Ok(receipt(&self.folder, self.name, &name, ended));
        }
        Err(too_busy(self.file))
    }

    /// What lies under the names that this delivery may have.
    async fn seen(&self) -> Result<Vec<(u32, String, Holds, Earlier)>> {
        let mut seen = Vec::new();
        for item in self.drive.listed(&self.parent).await? {
            let (Some(name), Some(id)) = (item["name"].as_str(), number(&item)) else {
                continue;
            };
            let Some(rank) = rank(self.name, name) else {
                continue;
            };
            let earlier = Earlier {
                id: id.to_owned(),
                etag: item["etag"].as_str().unwrap_or_default().to_owned(),
                name: name.to_owned(),
            };
            let holds = self.holds(&item, &earlier.id).await?;
            seen.push((rank, name.to_owned(), holds, earlier));
        }
        Ok(seen)
    }

    async fn holds(&self, item: &Value, id: &str) -> Result<Holds> {
        let hash = item["sha1"].as_str().filter(|_| item["type"] == "file");
        let Some(hash) = hash else {
            return Ok(Holds::SomethingElse);
        };
        if hash.eq_ignore_ascii_case(&self.hash) {
            return Ok(Holds::ThisContent);
        }
        let small = item["size"]
            .as_u64()
            .is_some_and(|size| size <= UPLOAD_MAX as u64);
        let Some(earlier) = self.file.replaces.as_ref().filter(|_| small) else {
            return Ok(Holds::SomethingElse);
        };
        // Box knows no SHA-256, so only the content itself tells.
        let bytes = self.drive.read_version(id, Some(hash)).await?;
        Ok(if sha256(&bytes) == *earlier {
            Holds::EarlierContent
        } else {
            Holds::SomethingElse
        })
    }

    /// Uploads. Where the name is taken, the refusal says by what: a list of the folder may not
    /// show yet what an attempt before has put there.
    async fn upload(&self, name: &str, earlier: Option<&Earlier>) -> Result<Put> {
        let attributes = match earlier {
            // The name as it is: another one would rename the file.
            Some(earlier) => json!({"name": earlier.name}),
            None => json!({"name": name, "parent": {"id": self.parent}}),
        };
        let version_of = earlier.map(|it| (it.id.as_str(), it.etag.as_str()));
        let bytes = &self.file.bytes;
        let written = match self
            .drive
            .api
            .upload(&attributes, version_of, bytes)
            .await?
        {
            Said::Done(written) => written,
            Said::Refused(refusal) if refusal.name_in_use() || refusal.status == 412 => {
                let there = refusal.same_content(&self.hash).map(str::to_owned);
                return Ok(there.map_or(Put::Taken, Put::There));
            }
            // The version that we saw was deleted meanwhile.
            Said::Refused(refusal) if earlier.is_some() && refusal.not_found() => {
                return Ok(Put::Taken);
            }
            Said::Refused(refusal) => {
                let error = refusal.error("Box does not take the file");
                return Err(error.with("path", &self.file.path));
            }
        };
        let hash = written["entries"][0]["sha1"].as_str();
        if hash.is_some_and(|hash| hash.eq_ignore_ascii_case(&self.hash)) {
            return Ok(Put::Done);
        }
        Err(
            Error::new(Kind::Protocol, "Box holds other bytes than were sent")
                .with("path", &self.file.path),
        )
    }
}
