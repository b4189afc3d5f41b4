//! Nextcloud: a folder of a user, or one that is shared by a public link.
//!
//! # What it reads
//!
//! Every file below the folder: its number, path, size, time and tag, never its content, except of
//! a file that is an import. A change anywhere changes the tag of every folder around it, so a
//! quiet night is one request, for the tag of the folder itself. Otherwise only folders with
//! another tag are listed. A file keeps its number when it is renamed or moved, so that is no
//! deletion. A file is gone when a run that could read every folder did not see it anywhere, and
//! the trash bin has it or a search by its number finds it nowhere. A share that is not there any
//! more is lost access, and its files stay as they were.
//!
//! Who changed a file is taken from the Activity app, with one request in a night with changes.
//!
//! # What it writes
//!
//! Documents, each with a `PUT` that must not overwrite, after the server was seen to keep to that;
//! what arrived is read back. A file that we did not put there is never replaced; ours goes beside
//! it. Nothing is deleted but our own files under way.
//!
//! # Credentials
//!
//! An app password, made by `stundenbuch auth` (the person agrees in the browser) or by hand
//! (Settings, Security), with the name to log in with. A public link needs none, or its password.
//!
//! # Limits
//!
//! Nextcloud has no quota for WebDAV: 3,000 requests in ten minutes at most, 64 folders deep, 64
//! MiB an answer. Whoever keeps trying a refused password is slowed down and locked out, so after
//! one refusal nothing is sent for six hours, or until the program is started again.
//!
//! # Known gaps
//!
//! What is changed directly on an external storage is seen when a full comparison lists every
//! folder, about once a week. In group folders, deletions are seen only while the trash bin has
//! them, for rules there may hide files that exist. The Activity app may be set not to log a user's
//! own changes; then nobody is named. The search by number and the numbers in the trash bin are as
//! the manual describes them and were not tried against a server. After a restored backup, nothing
//! counts as deleted before the next run. Addresses of public links need Nextcloud 29.

mod activity;
mod find;
mod site;

use std::fmt;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use async_trait::async_trait;
use serde_json::Value;

use self::activity::Log;
use self::find::{Finder, not_there};
use self::site::Site;
use crate::Entry;
use crate::contract::{
    Absent, Connector, Cursor, Identified, Identity, Notice, Outgoing, Page, Platform, Presence,
    Pull, Raw, Receipt,
};
use crate::dav::client::{BUCKET, Dav, Place};
use crate::dav::deliver::{Target, deliver};
use crate::dav::login::Credential;
use crate::dav::probe::Honours;
use crate::dav::record::{Body, normalise};
use crate::dav::tree::{self, State};
use crate::dav::walk::{self, Found, Walk};
use crate::drive::names::Ignore;
use crate::error::{Error, Kind as ErrorKind, Reject, Result};
use crate::http::Request;
use crate::kind::{
    Bucket, Changes, Deletions, Delivery, DeliveryKind, Kind, Need, Repeat, Setting, Settings,
    StreamKind, ValueKind,
};
use crate::login::Login;
use crate::record::{ExternalId, Stream};

static KIND: Kind = Kind {
    name: "nextcloud",
    title: "Nextcloud",
    summary: "A folder in Nextcloud, of a user or shared by a public link.",
    settings: &[
        Setting {
            key: "url",
            value: ValueKind::Url,
            need: Need::Required,
            help: "the server's address, or a public link as `https://cloud.example.com/s/AbCd`",
        },
        Setting {
            key: "user",
            value: ValueKind::Text,
            need: Need::Optional,
            help: "the name to log in with; left out after `stundenbuch auth`, or for a link",
        },
        Setting {
            key: "password",
            value: ValueKind::Secret,
            need: Need::Optional,
            help: "an app password (Settings, Security), or the password of the public link",
        },
        Setting {
            key: "folder",
            value: ValueKind::Text,
            need: Need::Optional,
            help: "the folder to read and to write to; everything when left out",
        },
        Setting {
            key: "ignore",
            value: ValueKind::Texts,
            need: Need::Optional,
            help: "names of files and folders to pass over; `*` stands for any characters",
        },
        Setting {
            key: "activity",
            value: ValueKind::Flag,
            need: Need::Default("true"),
            help: "whether to ask the Activity app who changed a file",
        },
    ],
    streams: &[StreamKind {
        stream: Stream::Files,
        changes: Changes::Snapshot,
        deletions: Deletions::ConfirmedAbsence,
    }],
    delivers: &[DeliveryKind {
        what: Delivery::File,
        repeat: Repeat::SameContent,
    }],
    // No quota for WebDAV is described; this keeps a small server free for people.
    buckets: &[Bucket {
        name: BUCKET,
        requests: 3_000,
        per: Duration::from_mins(10),
        reserve: 0,
        spacing: Duration::ZERO,
    }],
    quiet_night: "1 request",
    needs: "a login by `stundenbuch auth`, or a user and an app password, or a public link",
    experimental: false,
};

/// The properties that are asked for; the server's own choice lacks the number (Nextcloud, "Basic
/// WebDAV APIs", read 2026-11).
const WANTED: &str = r#"<?xml version="1.0" encoding="utf-8"?>
<d:propfind xmlns:d="DAV:" xmlns:oc="http://owncloud.org/ns" xmlns:nc="http://nextcloud.org/ns">
<d:prop><d:getetag/><d:getlastmodified/><d:getcontentlength/><d:resourcetype/><oc:fileid/>
<oc:data-fingerprint/><nc:data-fingerprint/><nc:mount-type/><nc:is-mount-root/></d:prop>
</d:propfind>"#;

pub(crate) const ENTRY: Entry = Entry { kind: &KIND, build };

fn build(name: &str, settings: &Settings, platform: &Platform) -> Result<Box<dyn Connector>> {
    let url = settings.text("url").ok_or_else(|| {
        Error::new(ErrorKind::Settings, "the server's `url` is missing").with("connection", name)
    })?;
    let folder = settings.text("folder").unwrap_or_default();
    let site = Site::parse(url, folder)?;
    let credential = credential(name, &site, settings, platform)?;
    let ignore = settings.texts("ignore");
    let prepare = |options: &mut crate::http::Options| credential.prepare(options);
    Ok(Box::new(Nextcloud {
        dav: Dav::new(name, &site.server, KIND.buckets, WANTED, platform, prepare)?,
        choice: tree::mark(&format!("{url}\n{}\n{}", site.folder, ignore.join("\n"))),
        site,
        credential,
        ignore: Ignore::new(ignore, None),
        honours: tokio::sync::Mutex::default(),
        known: Mutex::default(),
        log: AtomicBool::new(settings.flag("activity")),
    }))
}

fn credential(
    name: &str,
    site: &Site,
    settings: &Settings,
    platform: &Platform,
) -> Result<Credential> {
    if site.share.is_none() {
        return Ok(match Credential::given(settings)? {
            Some((user, password)) => Credential::Given { user, password },
            None => Credential::stored(name, platform),
        });
    }
    // The user of a public link is always `anonymous` ("Basic WebDAV APIs", read 2026-11).
    let (user, password) = (settings.text("user"), settings.secret("password"));
    if user.is_some_and(|user| user != "anonymous") {
        return Err(Error::new(ErrorKind::Settings, "a public link has no user")
            .hint("remove `user`; keep `password` where the link has one"));
    }
    Ok(match password {
        None => Credential::None,
        Some(password) => Credential::Given {
            user: "anonymous".to_owned(),
            password: password.clone(),
        },
    })
}

/// One folder on one server.
struct Nextcloud {
    dav: Dav,
    site: Site,
    credential: Credential,
    choice: u64,
    ignore: Ignore,
    honours: tokio::sync::Mutex<Option<Honours>>,
    known: Mutex<Known>,
    /// Whether the log of activities is asked for. Ends for this process when there is none.
    log: AtomicBool,
}

/// What the cursor says that other calls need, too.
#[derive(Clone, Debug, Default)]
struct Known {
    /// The name in addresses, where it is not the one to log in with.
    user: Option<String>,
    root: Option<u64>,
}

impl fmt::Debug for Nextcloud {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Nextcloud")
            .field("site", &self.site)
            .finish_non_exhaustive()
    }
}

#[async_trait]
impl Connector for Nextcloud {
    fn kind(&self) -> &'static Kind {
        &KIND
    }

    async fn check(&self) -> Result<Identity> {
        let user = match self.site.share {
            None => Some(self.who().await?),
            Some(_) => None,
        };
        let root = match &user {
            Some(user) => self.site.root(&user.id),
            None => self.root()?,
        };
        let own = self.dav.list(&root).await?;
        let folder = match self.site.folder.as_str() {
            "" => "everything".to_owned(),
            folder => format!("`{folder}`"),
        };
        let details = vec![format!(
            "reads {folder}; {} things directly in it",
            own.entries.len()
        )];
        let account = match user {
            Some(user) => format!("{} ({}) at {}", user.name, user.id, self.site.server),
            None => format!("a public link at {}", self.site.server),
        };
        Ok(Identity { account, details })
    }

    async fn pull(&self, cursor: &Cursor, mode: &Pull) -> Result<Page> {
        let state: State = cursor.decode()?;
        self.remember(&state);
        let page = match self.walk(state.clone(), mode).await {
            Err(error) if self.may_be_another_user(&error) => {
                let user = self.learn_user(error).await?;
                let state = State {
                    user: Some(user),
                    ..state
                };
                self.walk(state, mode).await?
            }
            other => other?,
        };
        let walk::Page {
            mut state,
            found,
            swept,
            mut notices,
            more,
            ..
        } = page;
        let raw = self.with_authors(found, &mut state, &mut notices).await?;
        self.remember(&state);
        Ok(Page {
            raw,
            gone: Vec::new(),
            swept,
            next: Cursor::encode(&state),
            more,
            notices,
        })
    }

    fn normalise(&self, raw: &Raw) -> Result<Vec<Identified>, Reject> {
        normalise(raw)
    }

    fn resume(&self, cursor: &Cursor) {
        // A cursor that cannot be read is told by the pull.
        if let Ok(state) = cursor.decode::<State>() {
            self.remember(&state);
        }
    }

    async fn confirm(&self, absent: &[Absent]) -> Result<Vec<(ExternalId, Presence)>> {
        let files: Vec<&Absent> = absent
            .iter()
            .filter(|it| it.stream == Stream::Files)
            .collect();
        let (root, user) = (self.root()?, self.user()?);
        self.finder(&root, &user).confirm(&files).await
    }

    async fn deliver(&self, item: &Outgoing) -> Result<Receipt> {
        let file = item.item.file()?;
        match self.put(&self.root()?, item, file).await {
            Err(error) if self.may_be_another_user(&error) => {
                let user = self.learn_user(error).await?;
                self.put(&self.site.root(&user), item, file).await
            }
            other => other,
        }
    }

    async fn fetch(&self, file: &ExternalId, most: usize) -> Result<Vec<u8>> {
        let (root, user) = (self.root()?, self.user()?);
        let path = self.finder(&root, &user).path(file).await?;
        let place = root.at(path.ok_or_else(|| not_there(file))?);
        let entry = self.dav.look(&place, false).await?;
        self.dav.fetch(&place, entry, most).await
    }

    fn requests(&self) -> u64 {
        self.dav.requests()
    }

    fn login(&self) -> Option<Login> {
        matches!(self.credential, Credential::Stored(_)).then(|| Login::Nextcloud {
            server: self.site.server.clone(),
        })
    }
}

/// A user as the server knows one.
struct User {
    id: String,
    name: String,
}

impl Nextcloud {
    fn known(&self) -> Known {
        let known = self.known.lock().unwrap_or_else(PoisonError::into_inner);
        known.clone()
    }

    fn remember(&self, state: &State) {
        let mut known = self.known.lock().unwrap_or_else(PoisonError::into_inner);
        known.root = state.root.or(known.root);
        if state.user.is_some() {
            known.user.clone_from(&state.user);
        }
    }

    /// The name in addresses, as far as is known.
    fn user(&self) -> Result<String> {
        match self.known().user {
            Some(user) => Ok(user),
            None => self.credential.user(),
        }
    }

    fn root(&self) -> Result<Place> {
        Ok(self.site.root(&self.user()?))
    }

    fn finder<'a>(&'a self, root: &'a Place, user: &'a str) -> Finder<'a> {
        Finder {
            dav: &self.dav,
            root,
            user: self.site.share.is_none().then_some(user),
            root_id: self.known().root,
        }
    }

    async fn walk(&self, state: State, mode: &Pull) -> Result<walk::Page> {
        let user = match &state.user {
            Some(user) => user.clone(),
            None => self.user()?,
        };
        let walk = Walk {
            dav: &self.dav,
            root: &self.site.root(&user),
            identity: tree::Identity::FileId,
            ignore: &self.ignore,
            choice: self.choice,
        };
        walk.page(state, mode, None).await
    }

    async fn put(
        &self,
        root: &Place,
        item: &Outgoing,
        file: &crate::contract::OutgoingFile,
    ) -> Result<Receipt> {
        let target = Target {
            dav: &self.dav,
            root,
            honours: &self.honours,
            // It writes to a part file and renames that when all of it came.
            atomic: true,
        };
        deliver(target, &item.key, file).await
    }

    /// Whether nothing was found because the name to log in with (an e-mail address, say) is not
    /// the one in addresses.
    fn may_be_another_user(&self, error: &Error) -> bool {
        let missing = matches!(error.kind(), ErrorKind::NotFound | ErrorKind::Forbidden);
        missing && self.site.share.is_none() && self.known().user.is_none()
    }

    /// The name in addresses; the error where it is the one that was tried.
    async fn learn_user(&self, error: Error) -> Result<String> {
        let id = self.who().await?.id;
        if id == self.credential.user()? {
            return Err(error);
        }
        let mut known = self.known.lock().unwrap_or_else(PoisonError::into_inner);
        known.user = Some(id.clone());
        Ok(id)
    }

    /// Who we are (Nextcloud, "OCS API", "User metadata", read 2026-11).
    async fn who(&self) -> Result<User> {
        let request = Request::get(BUCKET, "/ocs/v2.php/cloud/user")
            .header("ocs-apirequest", "true")
            .query("format", "json");
        let answer: Value = self.dav.send(request).await?.json()?;
        let data = &answer["ocs"]["data"];
        let Some(id) = data["id"].as_str().filter(|id| !id.is_empty()) else {
            return Err(
                Error::new(ErrorKind::Protocol, "the server does not say who we are")
                    .hint("check `url`: is it a Nextcloud?"),
            );
        };
        let name = data["display-name"]
            .as_str()
            .or(data["displayname"].as_str());
        Ok(User {
            id: id.to_owned(),
            name: name.unwrap_or(id).to_owned(),
        })
    }

    /// The raw records of files, each with who made this version, where the log says so.
    async fn with_authors(
        &self,
        found: Vec<Found>,
        state: &mut State,
        notices: &mut Vec<Notice>,
    ) -> Result<Vec<Raw>> {
        let asked = self.log.load(Ordering::Relaxed) && self.site.share.is_none();
        let mut log = Log::default();
        if asked && !found.is_empty() {
            match Log::read(&self.dav, state.activity).await {
                Ok(read) => {
                    state.activity = read.until(&found).max(state.activity);
                    log = read;
                }
                Err(error) if matches!(error.kind(), ErrorKind::Auth | ErrorKind::RateLimited) => {
                    return Err(error);
                }
                // Files without a name are better than no files.
                Err(error) => {
                    self.log.store(false, Ordering::Relaxed);
                    notices.push(Notice {
                        code: "nextcloud-activity-away",
                        text: format!("the Activity app does not say who changed files: {error}"),
                    });
                }
            }
        }
        let raw = found.into_iter().map(|found| {
            let mut body = Body::of(&found.entry, found.path.clone());
            body.by = log.author(&found);
            body.into_raw(found.id, found.scope)
        });
        Ok(raw.collect())
    }
}
