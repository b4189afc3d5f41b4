//! How a connection gets its token: from the settings, or by user and password.
//!
//! Self-hosted: one request to the instance. Cloud: a login at ActiveCollab's own site gives an
//! `intent`, and the account changes that into a token ("Authentication", help centre, read
//! 2026-11). The token is kept in memory only, and the password is sent nowhere else. With a
//! token in the settings none of this happens, so that is the better way.

use std::fmt;

use chrono::{DateTime, Utc};
use serde_json::{Value, json};

use super::api::BUCKET;
use super::classify::{ADDRESS, classify};
use super::wire::{Issued, filled};
use crate::contract::Platform;
use crate::error::{Error, Kind, Result};
use crate::http::{Http, Options, Reply, Request, Verdict};
use crate::kind::{Bucket, Settings};
use crate::secret::Secret;

/// What a subscription is called in the user's profile.
const CLIENT_NAME: &str = "Stundenbuch";
const CLIENT_VENDOR: &str = "Stundenbuch";

const BUCKETS: &[Bucket] = &[BUCKET];

/// What the settings give.
pub(super) enum Credential {
    Token(Secret),
    Password { user: String, password: Secret },
}

impl fmt::Debug for Credential {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Token(_) => "a token",
            Self::Password { .. } => "a user and a password",
        })
    }
}

impl Credential {
    /// A token, or else a user with a password.
    pub(super) fn of(settings: &Settings) -> Result<Self> {
        let (token, password) = (settings.secret("token"), settings.secret("password"));
        let user = settings.text("user").and_then(|user| filled(Some(user)));
        let wrong = |what: &str| Err(Error::new(Kind::Settings, what.to_owned()));
        if let Some(token) = token {
            let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"-_.".contains(&byte);
            if token.expose().is_empty() || !token.expose().bytes().all(plain) {
                return wrong("`token` names a secret that is no token of ActiveCollab");
            }
            return Ok(Self::Token(token.clone()));
        }
        match (user, password) {
            (Some(user), Some(password)) => Ok(Self::Password {
                user,
                password: password.clone(),
            }),
            (Some(_), None) => wrong("`user` is configured without `password`"),
            (None, Some(_)) => wrong("`password` is configured without `user`"),
            (None, None) => wrong("neither `token` nor `user` and `password` are configured"),
        }
    }

    /// Who the token belongs to: its beginning is the user's number (`12-abc…`).
    pub(super) fn owner(token: &Secret) -> Option<i64> {
        token.expose().split_once('-')?.0.parse().ok()
    }
}

/// Where a login goes.
#[derive(Debug)]
pub(super) struct Doors {
    pub(super) connection: String,
    /// The instance's or the account's own interface.
    pub(super) api: String,
    /// The cloud's login; `None` for a self-hosted instance.
    pub(super) cloud: Option<String>,
}

/// A new token for a user; with the number of requests that it took.
pub(super) async fn issue(
    doors: &Doors,
    user: &str,
    password: &Secret,
    platform: &Platform,
) -> Result<(Secret, u64)> {
    let open = |base: &str, secrets: Vec<Secret>| {
        let mut options = Options::new(doors.connection.clone(), base, BUCKETS);
        options.secrets = secrets;
        options.classify = unquoted;
        options.timeout = super::api::TIMEOUT;
        Http::new(options, platform)
    };
    let client = |mut body: Value| {
        body["client_name"] = json!(CLIENT_NAME);
        body["client_vendor"] = json!(CLIENT_VENDOR);
        body
    };
    let Some(cloud) = &doors.cloud else {
        let http = open(&doors.api, vec![password.clone()])?;
        let body = client(json!({"username": user, "password": password.expose()}));
        let reply = http
            .send(Request::post_read(BUCKET.name, "/issue-token", body))
            .await?;
        return Ok((token(&reply)?, http.requests()));
    };
    let first = open(cloud, vec![password.clone()])?;
    let body = json!({"email": user, "password": password.expose()});
    let reply = first
        .send(Request::post_read(BUCKET.name, "/external/login", body))
        .await?;
    let intent = intent(&reply)?;
    let second = open(&doors.api, vec![password.clone(), intent.clone()])?;
    let body = client(json!({"intent": intent.expose()}));
    let reply = second
        .send(Request::post_read(BUCKET.name, "/issue-token-intent", body))
        .await?;
    Ok((token(&reply)?, first.requests() + second.requests()))
}

/// What an answer means, without quoting one that may hold a token that nobody knows yet: a
/// server that prints a warning of PHP before it gives no JSON, and the token all the same.
fn unquoted(reply: &Reply, now: DateTime<Utc>) -> Verdict {
    match classify(reply, now) {
        Verdict::Retry { after, .. } if (200..400).contains(&reply.status) => Verdict::Retry {
            after,
            error: unclear()
                .with("status", reply.status)
                .with("bytes", reply.body.len())
                .hint(ADDRESS),
        },
        verdict => verdict,
    }
}

/// A refused login is a 200, too, so only a token is one. No error here quotes the answer.
fn token(reply: &Reply) -> Result<Secret> {
    let issued: Issued = serde_json::from_slice(&reply.body).map_err(|_| unclear())?;
    match issued.token {
        Some(token) if !token.is_empty() => Ok(Secret::new(&token)),
        _ => Err(refused(issued.message)),
    }
}

fn intent(reply: &Reply) -> Result<Secret> {
    let answer: Value = serde_json::from_slice(&reply.body).map_err(|_| unclear())?;
    if let Some(intent) = answer["user"]["intent"]
        .as_str()
        .filter(|it| !it.is_empty())
    {
        return Ok(Secret::new(intent));
    }
    if !answer["intent_id"].is_null() {
        return Err(Error::new(
            Kind::Auth,
            "this ActiveCollab account asks for a second factor",
        )
        .hint(
            "a service that runs at night cannot answer it: configure `token` with a token that \
             was made once by hand, or a user of its own without a second factor",
        ));
    }
    Err(refused(answer["message"].as_str().map(str::to_owned)))
}

fn refused(message: Option<String>) -> Error {
    let error = Error::new(Kind::Auth, "ActiveCollab does not accept user and password")
        .hint("check `user` (the e-mail address) and the secret that `password` names");
    match message {
        Some(message) => error.with("answer", message),
        None => error,
    }
}

fn unclear() -> Error {
    Error::new(
        Kind::Protocol,
        "ActiveCollab's login answers something else",
    )
}
