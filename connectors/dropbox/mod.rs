//! Dropbox: the files of one account, or of one folder in it.
//!
//! # What it reads
//! Every file below the folder: its path, its size, when the server received it, its content
//! hash as the version, and in shared folders who changed it last. A quiet night is one request
//! to Dropbox's own list of changes. Files keep their id through renames and moves. Of a deletion
//! Dropbox tells the path alone, and of a rename the same; so after changes that may have taken
//! something away, one listing (2,000 files a request) proves what is there, and what is missing
//! is asked for by its id. A cursor that Dropbox resets costs one more listing, and deletes
//! nothing. Every shared folder is a scope of its own: one that was taken from us is told, and
//! its files stay.
//!
//! # What it writes
//! Documents, each whole and at once, below the folder; folders on the way are made by Dropbox.
//! The same content is written once, however often it is sent. Our own earlier version is
//! replaced by its revision; a file that is not ours is never replaced, and ours goes beside it.
//!
//! # Credentials
//! An app of yours (<https://www.dropbox.com/developers/apps>, "scoped access"; "full Dropbox" to
//! see clients' folders) with the permissions `account_info.read`, `files.metadata.read`,
//! `files.content.read`, `sharing.read`, and `files.content.write` for deliveries. You log in
//! once, with a proof key and without the app's secret; without a browser, Dropbox shows a code
//! to be pasted. The refresh token does not expire.
//!
//! # Limits
//! Dropbox publishes no numbers. We send at most 60 requests and 20 uploads in a minute, one after
//! the other, and wait as long as Dropbox says; for writes that block each other, at least
//! 15 seconds. Uploads hold at most 150 MiB. Teams may have a monthly number of uploads, of which
//! every delivery is one.
//!
//! # Known gaps
//! Who changed a file is known in shared folders only. A change of a path's case alone is not in
//! the list of changes, and is seen by the weekly comparison. The spelling of folders in paths is
//! as Dropbox gives it, which is sure for the last name only. In accounts of more than 4,000
//! files, a file in whose place another one was put is noticed by the weekly comparison, unless
//! Dropbox tells of the deletion. Paper and Google documents have no size and cannot be read.
//! That a folder which is asked for by its id is still found after a move, and that `ns:` paths
//! can be listed, stands in the description and was not tried against the service.

mod api;
mod classify;
mod deliver;
mod entry;
mod hash;
mod look;
mod people;
mod place;
mod pull;
mod refusal;
mod state;

use std::collections::BTreeMap;
use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use async_trait::async_trait;

use self::api::{API, Api, CONTENT};
use self::place::Spot;
use self::state::{Anchor, State};
use crate::Entry;
use crate::contract::{
    Absent, Connector, Cursor, Identified, Identity, Outgoing, Page, Platform, Presence, Pull, Raw,
    Receipt,
};
use crate::error::{Error, Kind as ErrorKind, Reject, Result};
use crate::http::{Http, Options};
use crate::kind::{
    Bucket, Changes, Deletions, Delivery, DeliveryKind, Kind, Need, Repeat, Setting, Settings,
    StreamKind, ValueKind,
};
use crate::login::{self, ClientAuth, Grant, Login, OAuth, Redirect};
use crate::record::{ExternalId, Stream};

/// What the login asks for (Dropbox, "Scopes", read 2026-11).
const SCOPES: [&str; 5] = [
    "account_info.read",
    "files.metadata.read",
    "files.content.read",
    "files.content.write",
    "sharing.read",
];

static KIND: Kind = Kind {
    name: "dropbox",
    title: "Dropbox",
    summary: "Reads the files of a Dropbox or of a folder in it, and delivers documents there.",
    settings: &[
        Setting {
            key: "client_id",
            value: ValueKind::Text,
            need: Need::Required,
            help: "The App key of an app of yours, from https://www.dropbox.com/developers/apps.",
        },
        Setting {
            key: "client_secret",
            value: ValueKind::Secret,
            need: Need::Optional,
            help: "The app's secret; not needed, as the login uses a proof key.",
        },
        Setting {
            key: "folder",
            value: ValueKind::Text,
            need: Need::Optional,
            help: "The folder to read and deliver to, as `/Clients/Nord` or by its id; else all.",
        },
        Setting {
            key: "redirect_url",
            value: ValueKind::Text,
            need: Need::Default("http://127.0.0.1:53682/callback"),
            help: "Where Dropbox sends the browser after a login; the app's settings must have it.",
        },
        Setting {
            key: "api_url",
            value: ValueKind::Url,
            need: Need::Default("https://api.dropboxapi.com/2"),
            help: "Where Dropbox's API is.",
        },
        Setting {
            key: "content_url",
            value: ValueKind::Url,
            need: Need::Default("https://content.dropboxapi.com/2"),
            help: "Where files are uploaded to and downloaded from.",
        },
        Setting {
            key: "authorize_url",
            value: ValueKind::Url,
            need: Need::Default("https://www.dropbox.com/oauth2/authorize"),
            help: "Where you agree to the login.",
        },
        Setting {
            key: "token_url",
            value: ValueKind::Url,
            need: Need::Default("https://api.dropboxapi.com/oauth2/token"),
            help: "Where the login is renewed.",
        },
    ],
    streams: &[StreamKind {
        stream: Stream::Files,
        changes: Changes::Since,
        deletions: Deletions::ConfirmedAbsence,
    }],
    delivers: &[DeliveryKind {
        what: Delivery::File,
        repeat: Repeat::SameContent,
    }],
    // Dropbox names no numbers ("Performance guide", read 2026-11); these are far below what
    // others report, and leave room for the user's own apps.
    buckets: &[
        Bucket {
            name: API,
            requests: 60,
            per: Duration::from_mins(1),
            reserve: 12,
            spacing: Duration::from_millis(50),
        },
        Bucket {
            name: CONTENT,
            requests: 20,
            per: Duration::from_mins(1),
            reserve: 4,
            spacing: Duration::from_millis(200),
        },
    ],
    quiet_night: "1 request an account",
    needs: "an app's key (https://www.dropbox.com/developers/apps), and a login",
    experimental: false,
};

pub(crate) const ENTRY: Entry = Entry { kind: &KIND, build };

/// The files of one Dropbox.
struct Dropbox {
    api: Api,
    login: OAuth,
    /// As configured: a path, an id, or empty for everything.
    folder: String,
    /// What was found out of the account and the folder, by ids.
    anchor: Mutex<Option<Anchor>>,
    /// Where the folder lay when it was last asked for; only saves asking again within a run.
    spot: Mutex<Option<Spot>>,
    /// The names of accounts that were asked for.
    people: Mutex<BTreeMap<String, Option<String>>>,
    /// One upload at a time.
    writing: tokio::sync::Mutex<()>,
}

impl fmt::Debug for Dropbox {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Dropbox")
            .field("folder", &self.folder)
            .finish_non_exhaustive()
    }
}

fn build(name: &str, settings: &Settings, platform: &Platform) -> Result<Box<dyn Connector>> {
    let login = login(settings)?;
    let access = login::oauth(name, login.clone(), platform)?;
    let http = |key: &str, usual: &str| {
        let base = settings.text(key).unwrap_or(usual);
        let mut options = Options::new(name, base.trim_end_matches('/'), KIND.buckets);
        options.access = Some(Arc::clone(&access));
        options.secrets = login.client_secret.clone().into_iter().collect();
        options.classify = classify::classify;
        // A listing of 2,000 files and an upload both take their time.
        options.timeout = Duration::from_mins(3);
        options.body_max = 160 << 20;
        Http::new(options, platform)
    };
    let api = Api {
        rpc: http("api_url", "https://api.dropboxapi.com/2")?,
        content: http("content_url", "https://content.dropboxapi.com/2")?,
    };
    Ok(Box::new(Dropbox {
        api,
        login,
        folder: folder(settings.text("folder").unwrap_or_default())?,
        anchor: Mutex::default(),
        spot: Mutex::default(),
        people: Mutex::default(),
        writing: tokio::sync::Mutex::default(),
    }))
}

fn login(settings: &Settings) -> Result<OAuth> {
    let text = |key: &str, usual: &str| settings.text(key).unwrap_or(usual).to_owned();
    let client_id = text("client_id", "");
    if client_id.trim().is_empty() {
        return Err(Error::new(
            ErrorKind::Settings,
            "`client_id` is not configured",
        ));
    }
    Ok(OAuth {
        authorize_url: text("authorize_url", "https://www.dropbox.com/oauth2/authorize"),
        token_url: text("token_url", "https://api.dropboxapi.com/oauth2/token"),
        device_url: None,
        client_id,
        client_secret: settings.secret("client_secret").cloned(),
        client_auth: ClientAuth::Header,
        scopes: SCOPES.map(str::to_owned).to_vec(),
        pkce: true,
        // Without it, Dropbox gives no refresh token (Dropbox, "OAuth guide", read 2026-11).
        authorize_extra: &[("token_access_type", "offline")],
        redirect: Redirect::Fixed(text("redirect_url", "http://127.0.0.1:53682/callback")),
        grant: Grant::Login { shown_code: true },
    })
}

/// The configured folder as Dropbox wants it: an id, or a path with a slash in front and none
/// behind; empty for everything.
fn folder(word: &str) -> Result<String> {
    let word = word.trim();
    if word.starts_with("id:") {
        return Ok(word.to_owned());
    }
    let path = word.trim_end_matches('/');
    if path.is_empty() || (path.starts_with('/') && !path.contains("//")) {
        return Ok(path.to_owned());
    }
    let error = Error::new(ErrorKind::Settings, "`folder` is no path in a Dropbox");
    Err(error
        .with("folder", word)
        .hint("write it as `/Clients/Nord`"))
}

#[async_trait]
impl Connector for Dropbox {
    fn kind(&self) -> &'static Kind {
        &KIND
    }

    async fn check(&self) -> Result<Identity> {
        let account = self.account().await?;
        let anchor = self.find_anchor().await?;
        self.know(&anchor);
        let text = |at: &str| account.pointer(at).and_then(|it| it.as_str());
        let account_name = text("/name/display_name")
            .or(text("/email"))
            .or(text("/account_id"));
        let mut details = vec![match anchor.space {
            Some(_) => "reads the team's space".to_owned(),
            None => "reads the account's own space".to_owned(),
        }];
        details.push(match self.folder.as_str() {
            "" => "reads all folders".to_owned(),
            folder => format!("reads the folder {folder}"),
        });
        Ok(Identity {
            account: account_name.unwrap_or_default().to_owned(),
            details,
        })
    }

    async fn pull(&self, cursor: &Cursor, mode: &Pull) -> Result<Page> {
        pull::pull(self, cursor, mode).await
    }

    fn normalise(&self, raw: &Raw) -> Result<Vec<Identified>, Reject> {
        entry::normalise(raw)
    }

    fn resume(&self, cursor: &Cursor) {
        // A cursor that cannot be read is told by the pull.
        if let Ok(State {
            anchor: Some(anchor),
            ..
        }) = cursor.decode()
        {
            self.know(&anchor);
        }
    }

    async fn confirm(&self, absent: &[Absent]) -> Result<Vec<(ExternalId, Presence)>> {
        self.look(absent).await
    }

    async fn deliver(&self, item: &Outgoing) -> Result<Receipt> {
        self.put(item.item.file()?).await
    }

    async fn fetch(&self, file: &ExternalId, most: usize) -> Result<Vec<u8>> {
        self.read(file, most).await
    }

    fn login(&self) -> Option<Login> {
        Some(Login::OAuth(Box::new(self.login.clone())))
    }

    fn requests(&self) -> u64 {
        self.api.rpc.requests() + self.api.content.requests()
    }
}

impl Dropbox {
    fn known(&self) -> Option<Anchor> {
        hold(&self.anchor).clone()
    }

    fn know(&self, anchor: &Anchor) {
        *hold(&self.anchor) = Some(anchor.clone());
    }

    fn seen_spot(&self) -> Option<Spot> {
        hold(&self.spot).clone()
    }

    fn see_spot(&self, spot: &Spot) {
        *hold(&self.spot) = Some(spot.clone());
    }

    fn people(&self) -> MutexGuard<'_, BTreeMap<String, Option<String>>> {
        hold(&self.people)
    }
}

/// Nothing that is held here can be left half changed by a panic.
fn hold<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_folder_is_written_as_dropbox_wants_it() {
        for (word, wanted) in [
            ("", ""),
            ("/", ""),
            ("/Kunde A/", "/Kunde A"),
            (" id:abc ", "id:abc"),
        ] {
            assert_eq!(folder(word).unwrap(), wanted);
        }
        assert!(folder("Kunde A").is_err() && folder("/a//b").is_err());
    }
}
