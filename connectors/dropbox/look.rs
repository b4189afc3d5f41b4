//! Looking at single files: the second look at what a listing did not show, and reading a file.

use std::collections::BTreeMap;

use serde_json::{Value, json};

use super::Dropbox;
use super::api::{RESULT, Said};
use super::entry::OWN;
use super::hash::content_hash;
use super::place::Spot;
use super::state::Anchor;
use crate::contract::{Absent, Presence};
use crate::drive::received::id;
use crate::error::{Error, Kind, Result};
use crate::record::{ExternalId, Stream};

impl Dropbox {
    /// Asks for each file by its id, which stays when it is renamed or moved. "Not found" is
    /// believed only of a file whose folder can be listed at the same time, for it also stands
    /// for a file that was taken from us.
    pub(super) async fn look(&self, absent: &[Absent]) -> Result<Vec<(ExternalId, Presence)>> {
        let mut answers = Vec::new();
        let mut listed: BTreeMap<&str, bool> = BTreeMap::new();
        let files = absent.iter().filter(|it| it.stream == Stream::Files);
        let files: Vec<&Absent> = files.collect();
        if files.is_empty() {
            return Ok(answers);
        }
        let anchor = self.anchor().await?;
        let spot = self.spot(&anchor).await?;
        for file in files {
            let arg = json!({"path": file.id.as_str()});
            let said = self
                .api
                .ask(anchor.space.as_deref(), "/files/get_metadata", arg)
                .await?;
            let presence = match said {
                Said::Done(reply) => found(&reply.json()?, file, &anchor, &spot),
                Said::Refused(refusal) if refusal.not_found() => {
                    let scope = file.scope.as_str();
                    let seen = match listed.get(scope) {
                        Some(seen) => *seen,
                        None => self.can_list(&anchor, scope).await?,
                    };
                    listed.insert(scope, seen);
                    if seen {
                        Presence::Gone(format!("get_metadata was answered: {refusal}"))
                    } else {
                        Presence::Unknown
                    }
                }
                Said::Refused(_) => Presence::Unknown,
            };
            answers.push((file.id.clone(), presence));
        }
        Ok(answers)
    }

    /// Whether the scope of a file can be listed now.
    async fn can_list(&self, anchor: &Anchor, scope: &str) -> Result<bool> {
        let path = match scope {
            OWN => anchor.folder.as_deref().unwrap_or_default(),
            shared => shared,
        };
        let arg = json!({"path": path, "limit": 1});
        let said = self
            .api
            .ask(anchor.space.as_deref(), "/files/list_folder", arg)
            .await?;
        match said {
            Said::Done(reply) => Ok(reply.json::<Value>()?["entries"].is_array()),
            Said::Refused(_) => Ok(false),
        }
    }

    /// Reads a file whole. What arrived is held against the hash that Dropbox gave for it.
    pub(super) async fn read(&self, file: &ExternalId, most: usize) -> Result<Vec<u8>> {
        let anchor = self.anchor().await?;
        let space = anchor.space.as_deref();
        let arg = json!({"path": file.as_str()});
        let said = self.api.ask(space, "/files/get_metadata", arg).await?;
        let entry: Value = said.done("the file cannot be found")?.json()?;
        let refuse = |what: &str| Error::new(Kind::Rejected, what).with("file", file);
        if entry["is_downloadable"] == false {
            return Err(Error::new(
                Kind::Unsupported,
                "the document cannot be downloaded as it is",
            )
            .with("file", file)
            .hint("export it at Dropbox or Google into a file, and take that one"));
        }
        if entry["size"].as_u64().is_none_or(|size| size > most as u64) {
            return Err(
                refuse("the file is too large to be read whole").with("bytes", &entry["size"])
            );
        }
        self.read_version(space, &entry).await
    }

    /// Reads the version of a file that `entry` describes, and no later one.
    pub(super) async fn read_version(&self, space: Option<&str>, entry: &Value) -> Result<Vec<u8>> {
        let wrong = |what: &str| Error::new(Kind::Protocol, what);
        let rev = entry["rev"]
            .as_str()
            .ok_or_else(|| wrong("the file has no revision"))?;
        let said = self.api.download(space, &format!("rev:{rev}")).await?;
        let reply = said.done("the file cannot be read")?;
        let told: Value = reply
            .header(RESULT)
            .and_then(|text| serde_json::from_str(text).ok())
            .ok_or_else(|| wrong("the download does not say what it is"))?;
        let hash = told["content_hash"]
            .as_str()
            .or(entry["content_hash"].as_str());
        if hash != Some(content_hash(&reply.body).as_str()) {
            return Err(Error::new(Kind::Unavailable, "the file arrived damaged")
                .with("bytes", reply.body.len())
                .hint("nothing to do: it is tried again"));
        }
        Ok(reply.body)
    }
}

/// What an answer about a file says of it.
fn found(entry: &Value, file: &Absent, anchor: &Anchor, spot: &Spot) -> Presence {
    match entry[".tag"].as_str() {
        Some("deleted") => Presence::Gone("get_metadata was answered: deleted".to_owned()),
        Some("file") if id(entry) == Some(file.id.as_str()) => {
            match entry["path_lower"].as_str() {
                // In a shared folder that is not mounted: neither here nor gone.
                None => Presence::Unknown,
                Some(path) if !path.starts_with('/') => Presence::Unknown,
                Some(path) if anchor.folder.is_none() || spot.holds(path) => Presence::Present,
                Some(_) => Presence::Gone("it lies outside the folder that is read now".to_owned()),
            }
        }
        _ => Presence::Unknown,
    }
}
