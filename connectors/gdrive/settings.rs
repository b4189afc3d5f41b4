//! What a connection is configured with, and how it becomes a way to Google.

use std::sync::Arc;
use std::time::Duration;

use super::api::{READS, WRITES};
use super::classify::classify;
use super::key::ServiceAccount;
use super::names::folder_id;
use super::root;
use crate::contract::Platform;
use crate::error::{Error, Kind as ErrorKind, Result};
use crate::http::Options;
use crate::kind::{
    Bucket, Changes, Deletions, Delivery, DeliveryKind, Kind, Need, Repeat, Setting, Settings,
    StreamKind, ValueKind,
};
use crate::login::{self, ClientAuth, Grant, OAuth, Redirect};
use crate::record::Stream;

const API: &str = "https://www.googleapis.com";
const AUTHORIZE: &str = "https://accounts.google.com/o/oauth2/v2/auth";
const TOKEN: &str = "https://oauth2.googleapis.com/token";

pub(super) static KIND: Kind = Kind {
    name: "gdrive",
    title: "Google Drive",
    summary: "A folder at Google Drive, own or shared: its files, and documents put there.",
    settings: &[
        Setting {
            key: "folder",
            value: ValueKind::Text,
            need: Need::Required,
            help: "the folder: its id, or its address copied from the browser",
        },
        Setting {
            key: "access",
            value: ValueKind::Text,
            need: Need::Default("read"),
            help: "`metadata` (names and times), `read` (also time sheets), `write` (deliveries)",
        },
        Setting {
            key: "client_id",
            value: ValueKind::Text,
            need: Need::Optional,
            help: "the OAuth client, type `Desktop app`, of your own Google Cloud project",
        },
        Setting {
            key: "client_secret",
            value: ValueKind::Secret,
            need: Need::Optional,
            help: "the secret of that client",
        },
        Setting {
            key: "key",
            value: ValueKind::Secret,
            need: Need::Optional,
            help: "instead of a client: the JSON key file of a service account",
        },
        Setting {
            key: "user",
            value: ValueKind::Text,
            need: Need::Optional,
            help: "for whom the service account acts, where the domain allows it",
        },
        Setting {
            key: "api_url",
            value: ValueKind::Url,
            need: Need::Default(API),
            help: "where Drive's API is",
        },
        Setting {
            key: "auth_url",
            value: ValueKind::Url,
            need: Need::Default(AUTHORIZE),
            help: "where a person agrees",
        },
        Setting {
            key: "token_url",
            value: ValueKind::Url,
            need: Need::Default(TOKEN),
            help: "where tokens are made",
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
    // Google, "Usage limits", as of 2026-05-01, and rclone's "about two files a second"; both read
    // 2026-11. Far below, because what one request costs in units could not be read.
    buckets: &[
        Bucket {
            name: READS,
            requests: 600,
            per: Duration::from_mins(1),
            reserve: 100,
            spacing: Duration::from_millis(50),
        },
        Bucket {
            name: WRITES,
            requests: 60,
            per: Duration::from_mins(1),
            reserve: 0,
            spacing: Duration::from_millis(500),
        },
    ],
    quiet_night: "1 request a folder",
    needs: "an OAuth client of your own Google Cloud project and a login (`stundenbuch auth`), or \
            a service account's key",
    experimental: false,
};

/// What the connection may do at Drive.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Access {
    Metadata,
    Read,
    Write,
}

impl Access {
    fn read(text: &str) -> Result<Self> {
        match text {
            "metadata" => Ok(Self::Metadata),
            "read" => Ok(Self::Read),
            "write" => Ok(Self::Write),
            other => Err(
                Error::new(ErrorKind::Settings, "`access` is no word that is known")
                    .with("access", other)
                    .hint("use `metadata`, `read` or `write`"),
            ),
        }
    }

    /// The smallest scope for it. `drive.file` would be smaller for deliveries, and does not reach
    /// a folder that somebody else has made.
    fn scope(self) -> &'static str {
        match self {
            Self::Metadata => "https://www.googleapis.com/auth/drive.metadata.readonly",
            Self::Read => "https://www.googleapis.com/auth/drive.readonly",
            Self::Write => "https://www.googleapis.com/auth/drive",
        }
    }
}

/// The settings, understood.
pub(super) struct Read {
    pub(super) folder: String,
    pub(super) access: Access,
    pub(super) options: Options,
    pub(super) login: Option<OAuth>,
    pub(super) homeless: Option<String>,
}

pub(super) fn read(name: &str, settings: &Settings, platform: &Platform) -> Result<Read> {
    let folder = settings.text("folder").unwrap_or_default().to_owned();
    if folder_id(&folder).is_none() {
        return Err(root::unreadable(&folder));
    }
    let access = Access::read(settings.text("access").unwrap_or("read"))?;
    let user = settings.text("user");
    let (client, secret) = (settings.text("client_id"), settings.secret("client_secret"));
    let mut service = OAuth {
        authorize_url: settings.text("auth_url").unwrap_or(AUTHORIZE).to_owned(),
        token_url: settings.text("token_url").unwrap_or(TOKEN).to_owned(),
        // Google's device flow reaches only files that the program has made itself.
        device_url: None,
        client_id: client.unwrap_or_default().to_owned(),
        client_secret: secret.cloned(),
        client_auth: ClientAuth::Form,
        scopes: vec![access.scope().to_owned()],
        pkce: true,
        // Without these, Google gives no refresh token, or none the second time.
        authorize_extra: &[("access_type", "offline"), ("prompt", "consent")],
        redirect: Redirect::AnyPort,
        grant: Grant::Login { shown_code: false },
    };
    let mut homeless = None;
    if let Some(key) = settings.secret("key") {
        let account = ServiceAccount::read(key, access.scope(), &service.token_url, user)?;
        service.client_id.clone_from(&account.email);
        service.client_secret = None;
        homeless = user.is_none().then(|| account.email.clone());
        service.grant = Grant::Assertion(Arc::new(account));
    } else if client.is_none() {
        return Err(Error::new(
            ErrorKind::Settings,
            "no way to log in at Google is configured",
        )
        .with("connection", name)
        .hint("set `client_id` and `client_secret`, or `key` for a service account"));
    }
    let mut options = Options::new(
        name,
        settings
            .text("api_url")
            .unwrap_or(API)
            .trim_end_matches('/'),
        KIND.buckets,
    );
    // The key itself is never sent, so nothing can repeat it.
    options.secrets = secret.cloned().into_iter().collect();
    options.access = Some(login::oauth(name, service.clone(), platform)?);
    options.classify = classify;
    options.timeout = Duration::from_mins(2);
    options.body_max = 64 << 20;
    let login = matches!(service.grant, Grant::Login { .. }).then_some(service);
    Ok(Read {
        folder,
        access,
        options,
        login,
        homeless,
    })
}
