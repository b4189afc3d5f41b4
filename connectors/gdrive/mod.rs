//! Google Drive: one folder, in somebody's own drive or in a shared drive.
//!
//! # What it reads
//!
//! Every file below the folder: path, size, time, who changed it and the hash of its content;
//! never the content, except of a file that is an import. Documents of Google's own are read
//! without size and hash, for they have none; a shortcut is a file that names its target, and is
//! not followed. Names need not be unique at Drive, so a file is its id.
//!
//! The first pull lists the folders, fifty in a request; from then on Drive's feed of changes is
//! read, one request in a night without any. The feed tells of a folder that was moved, renamed or
//! trashed, and not of what lies in it: that is listed then. A file is deleted when the feed calls
//! it trashed; what is "removed" or moved away is looked for again, and gone only when Drive,
//! asked for it, does not have it (or has it elsewhere) while the folder can be read. A comparison
//! lists everything anew.
//!
//! # What it writes
//!
//! Documents, each once, in folders that are made where they are missing. Our own earlier version
//! gets a new revision; a file that we did not put there is never changed, ours goes beside it.
//! Nothing is ever deleted: of two copies that two runs at once have made, the younger goes into
//! the trash. In the folder itself, a private property notes which id the next file has.
//!
//! # Credentials
//!
//! Either a person's login, by an OAuth client of type "Desktop app" of one's own Google Cloud
//! project (`client_id`, `client_secret`, then `stundenbuch auth`), or a service account's key
//! file (`key`) with whose address the folder is shared. `access` chooses the scope:
//! `drive.metadata.readonly`, `drive.readonly` or `drive`. While the project's consent screen says
//! "Testing", a login ends after seven days: set it to "In production" or "Internal".
//!
//! A service account has no storage. It can deliver into a shared drive, or act for a user
//! (`user`, domain-wide delegation), and not into a folder of somebody's own drive.
//!
//! # Limits
//!
//! Google allows 325,000 units a minute for a user, without a table of what a request costs that
//! could be read (limits of 2026-05-01); before, it was 12,000 requests a minute for a project. So
//! 600 requests a minute are taken, of which 100 are left to others, and two writes a second.
//!
//! # Known gaps
//!
//! A file or folder that is no longer shared with us, while the folder above it is, looks like
//! one that was deleted, and is called so; it comes back with the access. What was written in the
//! minutes before the first pull may be missing from Drive's lists ("up to an hour" on shared
//! drives); the next comparison finds it. Drive's interface has no conditional write: an edit in
//! the second between our look and our new revision is covered by it, and stays in the revisions.
//! A folder's private properties cannot be written everywhere (the top of a shared drive); there, a
//! crash right after a delivery may lead to a second copy as long as the lists lag behind. That
//! an editor may write private properties of a folder that is not his was not confirmed by a
//! second source. `md5Checksum` is taken as the mark of the content. A `/` in a name becomes `∕`.

mod api;
mod claims;
mod classify;
mod confirm;
mod deliver;
mod feed;
mod fetch;
mod key;
mod left;
mod listing;
mod names;
mod normalise;
mod pull;
mod root;
mod settings;
mod state;
mod tree;
mod upload;
mod wire;

use async_trait::async_trait;

use self::api::Api;
use crate::Entry;
use crate::contract::{
    Absent, Connector, Cursor, Identified, Identity, Outgoing, Page, Platform, Presence, Pull, Raw,
    Receipt,
};
use crate::error::{Reject, Result};
use crate::http::Http;
use crate::kind::{Kind, Settings};
use crate::login::{Login, OAuth};
use crate::record::ExternalId;

pub(crate) const ENTRY: Entry = Entry {
    kind: &settings::KIND,
    build,
};

/// One folder at Google Drive.
#[derive(Debug)]
struct GDrive {
    api: Api,
    /// As the settings name it.
    folder: String,
    /// How a person logs in; `None` with a service account.
    login: Option<OAuth>,
    /// The address of the service account that works without a user of its own.
    homeless: Option<String>,
    access: settings::Access,
}

fn build(name: &str, settings: &Settings, platform: &Platform) -> Result<Box<dyn Connector>> {
    let read = settings::read(name, settings, platform)?;
    Ok(Box::new(GDrive {
        api: Api {
            http: Http::new(read.options, platform)?,
        },
        folder: read.folder,
        login: read.login,
        homeless: read.homeless,
        access: read.access,
    }))
}

#[async_trait]
impl Connector for GDrive {
    fn kind(&self) -> &'static Kind {
        &settings::KIND
    }

    fn login(&self) -> Option<Login> {
        self.login
            .clone()
            .map(|oauth| Login::OAuth(Box::new(oauth)))
    }

    async fn check(&self) -> Result<Identity> {
        let user = self.api.about().await?.user;
        let folder = root::look(&self.api, &self.folder).await?;
        let place = match &folder.drive_id {
            Some(_) => "in a shared drive",
            None => "in somebody's own drive",
        };
        let writable = folder.capabilities.can_add_children == Some(true);
        let may = match (self.access, writable) {
            (settings::Access::Write, true) => "readable and writable",
            (settings::Access::Write, false) => {
                "readable; not writable for this account, so nothing can be delivered"
            }
            _ => "readable; `access` does not allow deliveries",
        };
        let mut details = vec![
            format!("the folder `{}`, {place}", folder.name),
            may.to_owned(),
        ];
        if self.access == settings::Access::Write
            && folder.drive_id.is_none()
            && self.homeless.is_some()
        {
            details.push(
                "a service account has no storage: new files fail here, outside a shared drive"
                    .to_owned(),
            );
        }
        let name = user.display_name.unwrap_or_default();
        Ok(Identity {
            account: match (name.trim(), user.email_address) {
                ("", None) => "an account without a name".to_owned(),
                ("", Some(email)) => email,
                (name, None) => name.to_owned(),
                (name, Some(email)) => format!("{name} ({email})"),
            },
            details,
        })
    }

    async fn pull(&self, cursor: &Cursor, mode: &Pull) -> Result<Page> {
        pull::pull(self, cursor, mode).await
    }

    fn normalise(&self, raw: &Raw) -> Result<Vec<Identified>, Reject> {
        normalise::normalise(raw)
    }

    async fn confirm(&self, absent: &[Absent]) -> Result<Vec<(ExternalId, Presence)>> {
        confirm::confirm(&self.api, &self.folder, absent).await
    }

    async fn deliver(&self, item: &Outgoing) -> Result<Receipt> {
        deliver::deliver(self, item).await
    }

    async fn fetch(&self, file: &ExternalId, most: usize) -> Result<Vec<u8>> {
        fetch::fetch(&self.api, file, most).await
    }

    fn requests(&self) -> u64 {
        self.api.http.requests()
    }
}
