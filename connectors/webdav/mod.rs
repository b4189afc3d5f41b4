//! WebDAV: a folder on any server that speaks it.
//!
//! # What it reads
//!
//! Every file below one address: its path, size, time and tag, never its content, except of a file
//! that is an import. Each folder is asked for at each pull, one request a folder, for what a
//! folder's own tag says about changes deeper down differs from server to server: Apache's knows
//! its direct children, sabre and rclone give none. `Depth: infinity` is never used: Apache
//! refuses it and sabre silently answers less. A file is gone when a walk that could read every
//! folder did not show it and the server, asked for it, does not have it while it has the root.
//!
//! # What it writes
//!
//! Documents. Each is written under a name of our own, read back, and renamed by a `MOVE` that must
//! not overwrite; what conditions the server keeps is tried first. A file that we did not put
//! there is never replaced; ours goes beside it.
//!
//! # Credentials
//!
//! User and password, sent as a header to this server alone; none for a server that asks for none.
//!
//! # Limits
//!
//! WebDAV has no quota of its own: 3,000 requests in ten minutes at most, 64 folders deep, 64 MiB
//! an answer. After a refused login nothing is sent for six hours.
//!
//! # Known gaps
//!
//! A renamed file is one that is gone and another that is new. Who changed a file is not known.
//! Names that are no UTF-8 are passed over, and told. Redirections of a `PROPFIND` are not
//! followed: the address must be the final one. Servers with `Digest` logins are not supported.

use std::fmt;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use async_trait::async_trait;

use crate::Entry;
use crate::contract::{
    Absent, Connector, Cursor, Identified, Identity, Outgoing, Page, Platform, Presence, Pull, Raw,
    Receipt,
};
use crate::dav::client::{BUCKET, Dav, Place};
use crate::dav::deliver::{Target, deliver};
use crate::dav::login::Credential;
use crate::dav::probe::Honours;
use crate::dav::record::{Body, normalise};
use crate::dav::tree::{self, State};
use crate::dav::walk::{self, Walk};
use crate::drive::names::Ignore;
use crate::error::{Error, Kind as ErrorKind, Reject, Result};
use crate::kind::{
    Bucket, Changes, Deletions, Delivery, DeliveryKind, Kind, Need, Repeat, Setting, Settings,
    StreamKind, ValueKind,
};
use crate::record::{ExternalId, Stream};

static KIND: Kind = Kind {
    name: "webdav",
    title: "WebDAV",
    summary: "A folder on a WebDAV server: a NAS, Apache, a web host's storage.",
    settings: &[
        Setting {
            key: "url",
            value: ValueKind::Url,
            need: Need::Required,
            help: "the address of the folder, as a WebDAV program wants it",
        },
        Setting {
            key: "user",
            value: ValueKind::Text,
            need: Need::Optional,
            help: "the user's name",
        },
        Setting {
            key: "password",
            value: ValueKind::Secret,
            need: Need::Optional,
            help: "the user's password; better one made for this program alone",
        },
        Setting {
            key: "ignore",
            value: ValueKind::Texts,
            need: Need::Optional,
            help: "names of files and folders to pass over; `*` stands for any characters",
        },
    ],
    streams: &[StreamKind {
        stream: Stream::Files,
        changes: Changes::Listing,
        deletions: Deletions::ConfirmedAbsence,
    }],
    delivers: &[DeliveryKind {
        what: Delivery::File,
        repeat: Repeat::SameContent,
    }],
    // No quota is described anywhere; this keeps a small server free for people.
    buckets: &[Bucket {
        name: BUCKET,
        requests: 3_000,
        per: Duration::from_mins(10),
        reserve: 0,
        spacing: Duration::ZERO,
    }],
    quiet_night: "1 request a folder",
    needs: "the address of a folder on a WebDAV server, and a user who can read it",
    experimental: false,
};

/// The properties that are asked for.
const WANTED: &str = r#"<?xml version="1.0" encoding="utf-8"?>
<d:propfind xmlns:d="DAV:"><d:prop><d:getetag/><d:getlastmodified/><d:getcontentlength/>
<d:resourcetype/></d:prop></d:propfind>"#;

pub(crate) const ENTRY: Entry = Entry { kind: &KIND, build };

fn build(name: &str, settings: &Settings, platform: &Platform) -> Result<Box<dyn Connector>> {
    let url = settings.text("url").ok_or_else(|| {
        Error::new(ErrorKind::Settings, "the server's `url` is missing").with("connection", name)
    })?;
    let credential = match Credential::given(settings)? {
        Some((user, password)) => Credential::Given { user, password },
        None => Credential::None,
    };
    let ignore = settings.texts("ignore");
    Ok(Box::new(WebDav {
        dav: Dav::new(name, url, KIND.buckets, WANTED, platform, |options| {
            credential.prepare(options);
        })?,
        root: Place::root(""),
        url: url.to_owned(),
        choice: tree::mark(&format!("{url}\n{}", ignore.join("\n"))),
        ignore: Ignore::new(ignore, None),
        honours: tokio::sync::Mutex::default(),
        under_way: Mutex::default(),
    }))
}

/// One folder on one server.
struct WebDav {
    dav: Dav,
    root: Place,
    url: String,
    choice: u64,
    ignore: Ignore,
    honours: tokio::sync::Mutex<Option<Honours>>,
    /// The files of the run whose next page this cursor asks for. It saves a second walk; another
    /// instance walks again for its proof.
    under_way: Mutex<Option<(Cursor, Vec<String>)>>,
}

impl fmt::Debug for WebDav {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("WebDav")
            .field("url", &self.url)
            .finish_non_exhaustive()
    }
}

#[async_trait]
impl Connector for WebDav {
    fn kind(&self) -> &'static Kind {
        &KIND
    }

    async fn check(&self) -> Result<Identity> {
        let listing = self.dav.list(&self.root).await?;
        let (folders, files): (Vec<_>, Vec<_>) =
            listing.entries.iter().partition(|entry| entry.folder);
        Ok(Identity {
            account: self.url.clone(),
            details: vec![format!(
                "readable; {} folders and {} files directly in it",
                folders.len(),
                files.len()
            )],
        })
    }

    async fn pull(&self, cursor: &Cursor, mode: &Pull) -> Result<Page> {
        let state: State = cursor.decode()?;
        let held = self
            .under_way
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .take();
        let seen = held
            .filter(|(next, _)| next == cursor)
            .map(|(_, seen)| seen);
        let walk = Walk {
            dav: &self.dav,
            root: &self.root,
            identity: tree::Identity::Path,
            ignore: &self.ignore,
            choice: self.choice,
        };
        let page = walk.page(state, mode, seen).await?;
        let walk::Page {
            state,
            found,
            swept,
            notices,
            more,
            seen,
        } = page;
        let next = Cursor::encode(&state);
        if let Some(seen) = seen.filter(|_| more) {
            let held = Some((next.clone(), seen));
            *self
                .under_way
                .lock()
                .unwrap_or_else(PoisonError::into_inner) = held;
        }
        let raw = found
            .into_iter()
            .map(|it| Body::of(&it.entry, it.path).into_raw(it.id, it.scope));
        Ok(Page {
            raw: raw.collect(),
            gone: Vec::new(),
            swept,
            next,
            more,
            notices,
        })
    }

    fn normalise(&self, raw: &Raw) -> Result<Vec<Identified>, Reject> {
        normalise(raw)
    }

    /// Asks for each path. "Not found" counts only while the root can be read.
    async fn confirm(&self, absent: &[Absent]) -> Result<Vec<(ExternalId, Presence)>> {
        let mut answers = Vec::new();
        let mut root_is_there = false;
        for file in absent.iter().filter(|it| it.stream == Stream::Files) {
            let place = self.root.at(file.id.as_str());
            let presence = match self.dav.look(&place, false).await {
                Ok(Some(entry)) if entry.folder => {
                    Presence::Gone(format!("`{}` is a folder now", file.id))
                }
                Ok(Some(_)) => Presence::Present,
                Ok(None) => {
                    if !root_is_there {
                        self.dav.list(&self.root).await?;
                        root_is_there = true;
                    }
                    Presence::Gone(format!("PROPFIND of `{}` was answered: not found", file.id))
                }
                Err(error) if error.kind() == ErrorKind::Forbidden => Presence::Unknown,
                Err(error) => return Err(error),
            };
            answers.push((file.id.clone(), presence));
        }
        Ok(answers)
    }

    async fn deliver(&self, item: &Outgoing) -> Result<Receipt> {
        let target = Target {
            dav: &self.dav,
            root: &self.root,
            honours: &self.honours,
            atomic: false,
        };
        deliver(target, &item.key, item.item.file()?).await
    }

    async fn fetch(&self, file: &ExternalId, most: usize) -> Result<Vec<u8>> {
        let place = self.root.at(file.as_str());
        let entry = self.dav.look(&place, false).await?;
        self.dav.fetch(&place, entry, most).await
    }

    fn requests(&self) -> u64 {
        self.dav.requests()
    }
}
