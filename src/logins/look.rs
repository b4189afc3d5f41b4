//! How stored logins stand, seen without asking a service.

use chrono::{DateTime, TimeDelta, Utc};
use serde::Serialize;
use stundenbuch_connectors::Platform;
use stundenbuch_connectors::login::{Logins as _, Stored};

use super::Vault;
use crate::config::Config;
use crate::run::sources::{self, Environment};

/// A login that nobody used for so long may be forgotten by its service: Box forgets after 60
/// days (Box, "OAuth 2.0", read 2026-11).
const UNUSED_MAX: TimeDelta = TimeDelta::days(30);
/// So long before its end a person is told of a login that cannot be renewed.
const NOTICE: TimeDelta = TimeDelta::days(14);

/// One connection's login.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Login {
    pub connection: String,
    pub state: State,
    /// When it was stored or renewed last.
    pub stored_at: Option<DateTime<Utc>>,
}

/// How it stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum State {
    Stored,
    /// Nobody has logged in yet.
    Missing,
    /// The key is not to be had here; the service may have it.
    Sealed,
    /// It cannot be opened with the key that is there.
    Unreadable,
    /// It ends soon, or has ended, and cannot be renewed.
    Ending,
    /// It was not renewed for long.
    Unused,
}

impl Login {
    /// Whether a person has to log in.
    pub fn needs_person(&self) -> bool {
        matches!(self.state, State::Missing | State::Unreadable)
    }

    /// What a person should know, where there is something.
    pub fn sentence(&self) -> Option<String> {
        let name = &self.connection;
        let what = match self.state {
            State::Stored | State::Sealed => return None,
            State::Missing => "nobody has logged in yet",
            State::Unreadable => "the stored login cannot be opened",
            State::Ending => "the login ends soon and cannot be renewed by itself",
            State::Unused => "the login was not used for a month; services forget such logins",
        };
        Some(format!("`{name}`: {what}; run `stundenbuch auth {name}`."))
    }
}

/// Looks at the login of every connection that needs one.
pub fn look(config: &Config, environment: &Environment, platform: &Platform) -> Vec<Login> {
    let vault = Vault::of(config, environment);
    let now = platform.clock.now();
    let mut logins = Vec::new();
    for connection in &config.connections {
        let needs = sources::needs(platform, config, connection, environment);
        if needs.login.is_none() {
            continue;
        }
        let stored_at = vault.stored_at(&connection.name);
        logins.push(Login {
            state: state(&vault, &connection.name, stored_at, now),
            connection: connection.name.clone(),
            stored_at,
        });
    }
    logins
}

fn state(
    vault: &Vault,
    connection: &str,
    stored_at: Option<DateTime<Utc>>,
    now: DateTime<Utc>,
) -> State {
    let Some(stored_at) = stored_at else {
        return State::Missing;
    };
    if vault.key.is_err() {
        return State::Sealed;
    }
    let tokens = match vault.load(connection) {
        Ok(Some(Stored::Tokens(tokens))) => tokens,
        Ok(Some(Stored::Basic(_))) => return State::Stored,
        Ok(None) | Err(_) => return State::Unreadable,
    };
    match (&tokens.refresh, tokens.expires_at) {
        (None, Some(ends)) if ends - now < NOTICE => State::Ending,
        (Some(_), Some(_)) if now - stored_at > UNUSED_MAX => State::Unused,
        _ => State::Stored,
    }
}
