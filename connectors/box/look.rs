//! Looking at single files: the second look at what was not listed, and reading a file.

use super::Drive;
use super::api::{Said, path};
use super::item::{Lies, WHERE, active, lies};
use crate::contract::{Absent, Presence};
use crate::drive::hash::sha1;
use crate::error::{Error, Kind, Result};
use crate::record::{ExternalId, Stream};

impl Drive {
    /// Asks for each file. "Not found" stands for a file that was deleted for good, and for one
    /// that was taken from us; it is believed only while the folder that the file was in can be
    /// read.
    pub(super) async fn look(&self, absent: &[Absent]) -> Result<Vec<(ExternalId, Presence)>> {
        let mut answers = Vec::new();
        for file in absent.iter().filter(|it| it.stream == Stream::Files) {
            answers.push((file.id.clone(), self.presence(file.id.as_str()).await?));
        }
        Ok(answers)
    }

    async fn presence(&self, id: &str) -> Result<Presence> {
        let gone = |proof: &str| Ok(Presence::Gone(proof.to_owned()));
        let refusal = match self.api.read(path("files", id, ""), WHERE).await? {
            Said::Done(found) if found["id"] != id => return Ok(Presence::Unknown),
            Said::Done(found) if !active(&found) => {
                let status = &found["item_status"];
                return gone(&format!("its item_status is {status}"));
            }
            Said::Done(found) => match lies(&found, &self.root) {
                Lies::Inside => return Ok(Presence::Present),
                Lies::Outside => return gone("it lies outside the folder that is read now"),
                Lies::Unknown => return Ok(Presence::Unknown),
            },
            Said::Refused(refusal) => refusal,
        };
        if !refusal.not_found() {
            return Ok(Presence::Unknown);
        }
        if refusal.trashed() || self.in_trash("files", id).await? {
            return gone("it is in the trash");
        }
        let Some(folder) = self.last_folder(id) else {
            return Ok(Presence::Unknown);
        };
        match self.api.read(path("folders", &folder, ""), WHERE).await? {
            Said::Done(found) if found["id"] == folder.as_str() && active(&found) => gone(
                &format!("{refusal}, while the folder {folder} that it was in can be read"),
            ),
            Said::Refused(refusal) if refusal.trashed() => gone("its folder is in the trash"),
            Said::Done(_) | Said::Refused(_) => Ok(Presence::Unknown),
        }
    }

    /// Reads a file whole. What arrived is held against the hash that Box gave for it.
    pub(super) async fn read(&self, file: &ExternalId, most: usize) -> Result<Vec<u8>> {
        let id = file.as_str();
        let said = self.api.read(path("files", id, ""), WHERE).await?;
        let found = said.done("the file cannot be found")?;
        if found["size"].as_u64().is_none_or(|size| size > most as u64) {
            return Err(
                Error::new(Kind::Rejected, "the file is too large to be read whole")
                    .with("file", id)
                    .with("bytes", &found["size"]),
            );
        }
        self.read_version(id, found["sha1"].as_str()).await
    }

    /// Reads a file that should have this hash.
    pub(super) async fn read_version(&self, id: &str, hash: Option<&str>) -> Result<Vec<u8>> {
        let bytes = self.api.download(id).await?;
        if hash.is_some_and(|hash| hash.eq_ignore_ascii_case(&sha1(&bytes))) {
            return Ok(bytes);
        }
        Err(Error::new(
            Kind::Unavailable,
            "the file arrived damaged, or was changed meanwhile",
        )
        .with("file", id)
        .with("bytes", bytes.len())
        .hint("nothing to do: it is tried again"))
    }
}
