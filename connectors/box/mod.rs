//! Box: the files of one account, or of one folder in it.
//!
//! # What it reads
//! Every file below the folder: its path, its size, when and by whom it was last changed, and its
//! SHA-1 as the version. A quiet night is one request for events. An event is believed for
//! nothing but where to look: the folder that it names is listed again, in one request. A first
//! pull is one request a folder. Files keep their id through renames and moves. A file that Box
//! says is in the trash, by itself or with a folder above it, is deleted in Box's words; one that
//! merely is not there any more is asked for by its id, and counts as gone only while its folder
//! can be read. Web links are no files.
//!
//! # What it writes
//! Documents, each whole and at once, below the folder; folders on the way are made once. Our own
//! earlier version gets a new one, if it still is what we saw; a file that is not ours is never
//! replaced, and ours goes beside it. To know our earlier version it is read once.
//!
//! # Credentials
//! An app of yours (<https://app.box.com/developers/console>, "Custom App"), with its client id
//! and secret, and the scope "Read and write all files and folders" ("Read all files" without
//! deliveries). Either you log in once (a refresh token of Box works one time and for 60 days, so
//! a nightly run keeps it alive), or the app uses client credentials: set `enterprise_id` or
//! `user_id`, let an administrator authorise the app, and invite its service account to the
//! folder. Then nothing expires.
//!
//! # Limits
//! 1,000 requests a minute and 240 uploads a minute for a user, of which most are left to others.
//! Enterprises have a monthly number of calls. Uploads hold at most 50 MB.
//!
//! # Known gaps
//! How long Box keeps events of a user is not confirmed; after ten days without a pull everything
//! is listed again. That a trashed item answers 404 with the code `trashed` is common knowledge
//! and not in the description; the trash itself is asked as well. Files under a folder that was
//! taken from us stay as they were, and are told. What was uploaded through a file request has
//! the changer that Box names. The cursor holds the numbers of all files, about 14 bytes each.

mod api;
mod classify;
mod crawl;
mod deliver;
mod events;
mod item;
mod look;
mod pull;
mod refusal;
mod state;
mod tree;

use std::collections::BTreeMap;
use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use async_trait::async_trait;
use serde_json::Value;

use self::api::{API, Api, UPLOAD, path};
use self::item::WHERE;
use self::state::State;
use crate::Entry;
use crate::clock::Clock;
use crate::contract::{
    Absent, Connector, Cursor, Identified, Identity, Outgoing, Page, Platform, Presence, Pull, Raw,
    Receipt,
};
use crate::error::{Error, Kind as ErrorKind, Reject, Result};
use crate::http::{Http, Options, Request};
use crate::kind::{
    Bucket, Changes, Deletions, Delivery, DeliveryKind, Kind, Need, Repeat, Setting, Settings,
    StreamKind, ValueKind,
};
use crate::login::{self, ClientAuth, Grant, Login, OAuth, Redirect};
use crate::record::{ExternalId, Stream};

static KIND: Kind = Kind {
    name: "box",
    title: "Box",
    summary: "Reads the files of a Box account or of a folder in it, and delivers documents there.",
    settings: &[
        Setting {
            key: "client_id",
            value: ValueKind::Text,
            need: Need::Required,
            help: "The client id of an app of yours, from https://app.box.com/developers/console.",
        },
        Setting {
            key: "client_secret",
            value: ValueKind::Secret,
            need: Need::Required,
            help: "The client secret of that app.",
        },
        Setting {
            key: "folder",
            value: ValueKind::Text,
            need: Need::Default("0"),
            help: "The number of the folder to read and to deliver to, from its address; 0 is all.",
        },
        Setting {
            key: "enterprise_id",
            value: ValueKind::Text,
            need: Need::Optional,
            help: "Act as the app's own service account in this enterprise; nobody logs in then.",
        },
        Setting {
            key: "user_id",
            value: ValueKind::Text,
            need: Need::Optional,
            help: "Act as this user, by the app's own credentials; nobody logs in then.",
        },
        Setting {
            key: "redirect_url",
            value: ValueKind::Text,
            need: Need::Default("http://127.0.0.1:53682/callback"),
            help: "Where Box sends the browser after a login; must stand in the app's settings.",
        },
        Setting {
            key: "api_url",
            value: ValueKind::Url,
            need: Need::Default("https://api.box.com/2.0"),
            help: "Where Box's API is.",
        },
        Setting {
            key: "upload_url",
            value: ValueKind::Url,
            need: Need::Default("https://upload.box.com/api/2.0"),
            help: "Where files are uploaded to.",
        },
        Setting {
            key: "authorize_url",
            value: ValueKind::Url,
            need: Need::Default("https://account.box.com/api/oauth2/authorize"),
            help: "Where you agree to the login.",
        },
        Setting {
            key: "token_url",
            value: ValueKind::Url,
            need: Need::Default("https://api.box.com/oauth2/token"),
            help: "Where tokens are obtained and renewed.",
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
    // Box, "Rate limits", read 2026-11: 1,000 requests and 240 uploads a minute for a user.
    buckets: &[
        Bucket {
            name: API,
            requests: 600,
            per: Duration::from_mins(1),
            reserve: 100,
            spacing: Duration::from_millis(80),
        },
        Bucket {
            name: UPLOAD,
            requests: 60,
            per: Duration::from_mins(1),
            reserve: 20,
            spacing: Duration::from_millis(300),
        },
    ],
    quiet_night: "1 request an account",
    needs: "an app's id and secret (https://app.box.com/developers/console), and a login or the \
            administrator's authorisation",
    experimental: false,
};

pub(crate) const ENTRY: Entry = Entry { kind: &KIND, build };

/// One account's files.
struct Drive {
    api: Api,
    login: OAuth,
    clock: Arc<dyn Clock>,
    /// The number of the folder that is read.
    root: String,
    /// The last folder of files that are missing.
    missing: Mutex<BTreeMap<String, String>>,
    /// One upload at a time.
    writing: tokio::sync::Mutex<()>,
}

impl fmt::Debug for Drive {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Box")
            .field("folder", &self.root)
            .finish_non_exhaustive()
    }
}

fn build(name: &str, settings: &Settings, platform: &Platform) -> Result<Box<dyn Connector>> {
    let login = login(settings)?;
    let access = login::oauth(name, login.clone(), platform)?;
    let http = |key: &str, usual: &str, change: fn(&mut Options)| {
        let base = settings.text(key).unwrap_or(usual);
        let mut options = Options::new(name, base.trim_end_matches('/'), KIND.buckets);
        options.access = Some(Arc::clone(&access));
        options.secrets = login.client_secret.clone().into_iter().collect();
        options.classify = classify::classify;
        options.timeout = Duration::from_mins(2);
        change(&mut options);
        Http::new(options, platform)
    };
    let api_url = "https://api.box.com/2.0";
    let api = Api {
        json: http("api_url", api_url, |_| ())?,
        upload: http("upload_url", "https://upload.box.com/api/2.0", |_| ())?,
        download: http("api_url", api_url, |options| {
            options.classify = classify::classify_download;
            options.body_max = 64 << 20;
        })?,
    };
    let root = settings.text("folder").unwrap_or("0").trim().to_owned();
    if root.is_empty() || !root.bytes().all(|it| it.is_ascii_digit()) {
        let error = Error::new(
            ErrorKind::Settings,
            "`folder` is no number of a folder at Box",
        );
        return Err(error
            .with("folder", root)
            .hint("open the folder in a browser and take the number at the end of its address"));
    }
    Ok(Box::new(Drive {
        api,
        login,
        clock: Arc::clone(&platform.clock),
        root,
        missing: Mutex::default(),
        writing: tokio::sync::Mutex::default(),
    }))
}

fn login(settings: &Settings) -> Result<OAuth> {
    let text = |key: &str, usual: &str| settings.text(key).unwrap_or(usual).to_owned();
    let wrong = |what: &str| Error::new(ErrorKind::Settings, what);
    let client_id = text("client_id", "");
    if client_id.trim().is_empty() {
        return Err(wrong("`client_id` is not configured"));
    }
    let secret = settings.secret("client_secret").cloned();
    let secret = secret.ok_or_else(|| wrong("`client_secret` is not configured"))?;
    let grant = match (settings.text("enterprise_id"), settings.text("user_id")) {
        (None, None) => Grant::Login { shown_code: false },
        (Some(id), None) => client("enterprise", id),
        (None, Some(id)) => client("user", id),
        (Some(_), Some(_)) => {
            return Err(wrong("`enterprise_id` and `user_id` exclude each other")
                .hint("leave one of them out: act as the service account, or as that user"));
        }
    };
    Ok(OAuth {
        authorize_url: text(
            "authorize_url",
            "https://account.box.com/api/oauth2/authorize",
        ),
        token_url: text("token_url", "https://api.box.com/oauth2/token"),
        device_url: None,
        client_id,
        client_secret: Some(secret),
        client_auth: ClientAuth::Form,
        // What the app may do is set in the developer console.
        scopes: Vec::new(),
        // There is no `code_verifier` in Box's description of 2026-06.
        pkce: false,
        authorize_extra: &[],
        redirect: Redirect::Fixed(text("redirect_url", "http://127.0.0.1:53682/callback")),
        grant,
    })
}

/// The app itself asks for access (Box, `post_oauth2_token`, 2026-06).
fn client(kind: &str, id: &str) -> Grant {
    Grant::Client {
        extra: vec![
            ("box_subject_type", kind.to_owned()),
            ("box_subject_id", id.trim().to_owned()),
        ],
    }
}

#[async_trait]
impl Connector for Drive {
    fn kind(&self) -> &'static Kind {
        &KIND
    }

    async fn check(&self) -> Result<Identity> {
        let request = Request::get(API, "/users/me").query("fields", "id,name,login");
        let me = self.api.ask::<Value>(request).await?;
        let me = me.done("Box does not tell the account")?;
        let said = self
            .api
            .read(path("folders", &self.root, ""), WHERE)
            .await?;
        let folder = said.done("the folder cannot be read")?;
        if !item::active(&folder) {
            return Err(Error::new(
                ErrorKind::NotFound,
                "the folder is in the trash",
            ));
        }
        let word = |key: &str| me[key].as_str().unwrap_or_default().to_owned();
        Ok(Identity {
            account: format!("{} ({})", word("name"), word("login")),
            details: vec![match self.root.as_str() {
                "0" => "reads all folders".to_owned(),
                folder => format!("reads the folder {folder}"),
            }],
        })
    }

    async fn pull(&self, cursor: &Cursor, mode: &Pull) -> Result<Page> {
        pull::pull(self, cursor, mode).await
    }

    fn normalise(&self, raw: &Raw) -> Result<Vec<Identified>, Reject> {
        item::normalise(raw)
    }

    fn resume(&self, cursor: &Cursor) {
        // A cursor that cannot be read is told by the pull.
        if let Ok(state) = cursor.decode::<State>() {
            self.remember(&state);
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
        match self.login.grant {
            Grant::Login { .. } => Some(Login::OAuth(Box::new(self.login.clone()))),
            _ => None,
        }
    }

    fn requests(&self) -> u64 {
        self.api.requests()
    }
}

impl Drive {
    fn remember(&self, state: &State) {
        *self.missing() = state.missing.clone();
    }

    /// The folder that a missing file was in.
    fn last_folder(&self, file: &str) -> Option<String> {
        self.missing().get(file).cloned()
    }

    /// Nothing that is held here can be left half changed by a panic.
    fn missing(&self) -> MutexGuard<'_, BTreeMap<String, String>> {
        self.missing.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
