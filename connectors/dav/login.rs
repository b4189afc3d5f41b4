//! User and password: from the settings, or as a login stored them.

use std::fmt;
use std::sync::Arc;

use async_trait::async_trait;

use crate::basic_auth;
use crate::contract::Platform;
use crate::error::{Error, Kind, Result};
use crate::http::{Access, Options};
use crate::kind::Settings;
use crate::login::{Basic, Logins, Stored};
use crate::secret::Secret;

/// Where user and password of a connection come from.
#[derive(Clone, Debug)]
pub(crate) enum Credential {
    /// Nobody asks who we are.
    None,
    Given {
        user: String,
        password: Secret,
    },
    /// What the `auth` command stored.
    Stored(Arc<StoredLogin>),
}

/// A login that is read when it is needed: a connection can be built before anybody logged in.
pub(crate) struct StoredLogin {
    connection: String,
    logins: Arc<dyn Logins>,
}

impl fmt::Debug for StoredLogin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("StoredLogin")
            .field("connection", &self.connection)
            .finish_non_exhaustive()
    }
}

impl Credential {
    /// The settings' `user` and `password`; `None` where there is neither.
    pub(crate) fn given(settings: &Settings) -> Result<Option<(String, Secret)>> {
        match (settings.text("user"), settings.secret("password")) {
            (None, None) => Ok(None),
            (Some(user), Some(password)) => {
                // The header has a colon between the two (RFC 7617, section 2).
                if user.is_empty() || user.contains(':') {
                    return Err(Error::new(Kind::Settings, "`user` is no name of a user")
                        .hint("write it as in the login form; it has no colon"));
                }
                Ok(Some((user.to_owned(), password.clone())))
            }
            _ => Err(Error::new(
                Kind::Settings,
                "only one of `user` and `password` is configured",
            )
            .hint("give both, or neither")),
        }
    }

    pub(crate) fn stored(connection: &str, platform: &Platform) -> Self {
        Self::Stored(Arc::new(StoredLogin {
            connection: connection.to_owned(),
            logins: Arc::clone(&platform.logins),
        }))
    }

    /// Puts it where the requests take it from.
    pub(crate) fn prepare(&self, options: &mut Options) {
        match self {
            Self::None => {}
            Self::Given { user, password } => {
                let header = basic_auth::header(user, password.expose());
                options.headers = vec![("authorization", header)];
                options.secrets = vec![password.clone()];
            }
            Self::Stored(login) => {
                let access: Arc<StoredLogin> = Arc::clone(login);
                options.access = Some(access);
            }
        }
    }

    /// The name to log in with.
    pub(crate) fn user(&self) -> Result<String> {
        match self {
            Self::None => Ok("anonymous".to_owned()),
            Self::Given { user, .. } => Ok(user.clone()),
            Self::Stored(login) => Ok(login.load()?.user),
        }
    }
}

impl StoredLogin {
    fn load(&self) -> Result<Basic> {
        match self.logins.load(&self.connection)? {
            Some(Stored::Basic(basic)) => Ok(basic),
            _ => Err(
                Error::new(Kind::Auth, "nobody has logged in at the server yet")
                    .with("connection", &self.connection)
                    .hint(
                        "run `stundenbuch auth` for this connection, or set `user` and `password`",
                    ),
            ),
        }
    }
}

#[async_trait]
impl Access for StoredLogin {
    /// There is nothing to renew: a refused password stays refused.
    async fn header(&self, refused: Option<&Secret>) -> Result<Secret> {
        if refused.is_some() {
            return Err(
                Error::new(Kind::Auth, "the server does not accept the stored login")
                    .with("connection", &self.connection)
                    .hint("run `stundenbuch auth` for this connection again"),
            );
        }
        let login = self.load()?;
        Ok(basic_auth::header(&login.user, login.password.expose()))
    }
}
