//! Logins: credentials that a person obtains at the service, and that are renewed while we work.
//!
//! A connector describes how its service logs people in ([`OAuth`]) and gets an
//! [`Access`](crate::http::Access) for its requests. What was obtained is kept by [`Logins`],
//! which the application brings.

mod consent;
mod device;
mod endpoint;
mod grants;
mod memory;
mod nextcloud;
mod renew;
mod stored;

use std::collections::BTreeMap;
use std::fmt;
use std::sync::Arc;

use chrono::{DateTime, Utc};

use crate::contract::Platform;
use crate::error::Result;
use crate::secret::Secret;

pub use self::consent::{Consent, NoCode};
pub use self::device::{DeviceCode, device};
pub use self::memory::Memory;
pub use self::nextcloud::nextcloud;
pub use self::renew::{oauth, turn};

/// The user and the password that a login stored; `None` before it.
pub fn basic(connection: &str, platform: &Platform) -> Result<Option<Basic>> {
    match platform.logins.load(connection)? {
        Some(Stored::Basic(basic)) => Ok(Some(basic)),
        _ => Ok(None),
    }
}

/// How a service logs people and programs in by OAuth 2 (RFC 6749).
#[derive(Clone, Debug)]
pub struct OAuth {
    /// Where a person agrees.
    pub authorize_url: String,
    /// Where tokens are obtained and renewed.
    pub token_url: String,
    /// Where the device flow begins (RFC 8628), at services that have one.
    pub device_url: Option<String>,
    pub client_id: String,
    pub client_secret: Option<Secret>,
    /// How the client shows its secret at the token address.
    pub client_auth: ClientAuth,
    /// The smallest that suffice.
    pub scopes: Vec<String>,
    /// Whether the service knows proof keys (RFC 7636, S256).
    pub pkce: bool,
    /// Sent along to the page where a person agrees: `access_type=offline`.
    pub authorize_extra: &'static [(&'static str, &'static str)],
    pub redirect: Redirect,
    pub grant: Grant,
}

/// How a client shows its secret.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ClientAuth {
    /// In the `Authorization` header (RFC 6749, section 2.3.1).
    Header,
    /// As `client_secret` in the form.
    Form,
}

/// Where the service sends the person after agreeing.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Redirect {
    /// To any port of this machine (RFC 8252, section 7.3).
    AnyPort,
    /// To this address alone, as it was registered at the service:
    /// `http://127.0.0.1:53682/callback`.
    Fixed(String),
}

/// How access is obtained.
#[derive(Clone, Debug)]
pub enum Grant {
    /// A person logged in once; the refresh token renews it. `shown_code`: without a redirect
    /// address, the service shows the code to be pasted.
    Login { shown_code: bool },
    /// The program itself is the account (RFC 6749, section 4.4); more parameters of the request.
    Client { extra: Vec<(&'static str, String)> },
    /// A signed statement is handed in (RFC 7523).
    Assertion(Arc<dyn Sign>),
}

/// Makes the signed statement of [`Grant::Assertion`].
pub trait Sign: Send + Sync + fmt::Debug {
    /// A JWT, valid from `now` on.
    fn assertion(&self, now: DateTime<Utc>) -> Result<Secret>;
}

/// What a person has to do before a connection works; for the command that logs in.
#[derive(Clone, Debug)]
pub enum Login {
    /// Agree at the service's page.
    OAuth(Box<OAuth>),
    /// Agree in Nextcloud's login flow; the server's address.
    Nextcloud { server: String },
}

impl Login {
    /// Whether something is obtained and kept that ends, or may be missing.
    pub fn is_obtained(&self) -> bool {
        match self {
            Self::OAuth(service) => matches!(service.grant, Grant::Login { .. }),
            Self::Nextcloud { .. } => true,
        }
    }
}

/// What a login gave, as it is kept.
#[derive(Clone, Debug)]
pub enum Stored {
    Tokens(Tokens),
    Basic(Basic),
}

/// A user, and a password made for this program alone.
#[derive(Clone, Debug)]
pub struct Basic {
    pub user: String,
    pub password: Secret,
    /// What else the service said that is needed later, and is no secret.
    pub facts: BTreeMap<String, String>,
}

/// The tokens of one OAuth login.
#[derive(Clone, Debug)]
pub struct Tokens {
    pub access: Secret,
    /// By our clock; `None` where the service does not say.
    pub expires_at: Option<DateTime<Utc>>,
    pub refresh: Option<Secret>,
    /// The refresh token before that one, for a service that never got to know that we have the
    /// new one.
    pub previous: Option<Secret>,
}

/// Keeps logins, over restarts and between processes.
pub trait Logins: Send + Sync + fmt::Debug {
    /// What was stored for this connection last.
    fn load(&self, connection: &str) -> Result<Option<Stored>>;

    /// Stores it so that a crash right after cannot lose it.
    fn save(&self, connection: &str, login: &Stored) -> Result<()>;

    /// Proves that there is room for the next [`Logins::save`], before the service is asked for
    /// what it gives only once.
    fn prepare(&self, _connection: &str) -> Result<()> {
        Ok(())
    }

    /// Forgets it. Nothing there is no error.
    fn remove(&self, connection: &str) -> Result<()>;

    /// The right to renew this login, among all processes; `None` while another one has it. It
    /// ends with the value.
    fn try_lock(&self, connection: &str) -> Result<Option<Box<dyn Send + Sync>>>;
}
