//! Credentials: a personal access token, or a login by OAuth 2.

use zeroize::Zeroizing;

use super::classify::NEW_TOKEN;
use crate::error::{Error, Kind, Result};
use crate::kind::Settings;
use crate::login::{ClientAuth, Grant, OAuth, Redirect};
use crate::secret::Secret;

/// Authorisation is at `/oauth_authorize` below it, tokens at `/oauth_token` ("OAuth", read
/// 2026-11).
pub(super) const LOGIN_URL: &str = "https://app.asana.com/-";

pub(super) const REDIRECT: &str = "http://127.0.0.1:53682/callback";

/// What reading takes ("OAuth scopes", in the description of 2026-06). Time entries besides.
const READING: [&str; 8] = [
    "projects:read",
    "project_sections:read",
    "tasks:read",
    "stories:read",
    "custom_fields:read",
    "tags:read",
    "users:read",
    "workspaces:read",
];
const TIME: [&str; 2] = [
    "time_tracking_entries:read",
    "time_tracking_categories:read",
];

/// The login by an app of the user's own; `None` where none is configured.
pub(super) fn describe(settings: &Settings) -> Result<Option<OAuth>> {
    let base = settings.text("login_url").unwrap_or(LOGIN_URL);
    let base = base.trim_end_matches('/');
    let redirect = settings.text("redirect_url").unwrap_or(REDIRECT);
    let mut scopes = settings.texts("scopes").to_vec();
    if scopes.is_empty() {
        scopes.extend(READING.map(str::to_owned));
        // Without `time`, the sum of a task's entries is left out of it.
        if settings.flag("time") {
            scopes.extend(TIME.map(str::to_owned));
        }
    }
    let (id, secret) = (settings.text("client_id"), settings.secret("client_secret"));
    let Some(id) = id else {
        return Ok(None);
    };
    let Some(secret) = secret else {
        return Err(
            Error::new(Kind::Settings, "`client_secret` is not configured")
                .hint("copy it from the app's page at https://app.asana.com/0/my-apps"),
        );
    };
    Ok(Some(OAuth {
        authorize_url: format!("{base}/oauth_authorize"),
        token_url: format!("{base}/oauth_token"),
        device_url: None,
        client_id: id.to_owned(),
        client_secret: Some(secret.clone()),
        client_auth: ClientAuth::Form,
        scopes,
        pkce: true,
        authorize_extra: &[],
        redirect: Redirect::Fixed(redirect.to_owned()),
        grant: Grant::Login { shown_code: false },
    }))
}

/// Refuses a token that can be none: a blank or a line end would break the header.
pub(super) fn check(token: &Secret) -> Result<()> {
    let text = token.expose();
    if !text.is_empty() && text.bytes().all(|sign| sign.is_ascii_graphic()) {
        return Ok(());
    }
    let what = "`token` names a secret that is no such word as Asana gives";
    Err(Error::new(Kind::Settings, what).hint(NEW_TOKEN))
}

pub(super) fn bearer(token: &Secret) -> Secret {
    Secret::new(&Zeroizing::new(format!("Bearer {}", token.expose())))
}
