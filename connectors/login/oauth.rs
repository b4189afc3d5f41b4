//! Access by what a login stored.

use std::sync::Arc;

use async_trait::async_trait;

use super::{Basic, Logins, OAuth, Stored};
use crate::contract::Platform;
use crate::error::{Error, Kind, Result};
use crate::http::Access;
use crate::secret::Secret;

/// The renewed access of one connection.
///
/// Nothing is asked or read before the first request, so a connection can be built before anybody
/// has logged in.
pub fn oauth(connection: &str, service: OAuth, platform: &Platform) -> Result<Arc<dyn Access>> {
    Ok(Arc::new(Renewed {
        connection: connection.to_owned(),
        service,
        logins: Arc::clone(&platform.logins),
    }))
}

/// The user and the password that a login stored; `None` before it.
pub fn basic(connection: &str, platform: &Platform) -> Result<Option<Basic>> {
    match platform.logins.load(connection)? {
        Some(Stored::Basic(basic)) => Ok(Some(basic)),
        _ => Ok(None),
    }
}

#[derive(Debug)]
struct Renewed {
    connection: String,
    service: OAuth,
    logins: Arc<dyn Logins>,
}

#[async_trait]
impl Access for Renewed {
    async fn header(&self, refused: Option<&Secret>) -> Result<Secret> {
        let Some(Stored::Tokens(tokens)) = self.logins.load(&self.connection)? else {
            return Err(
                Error::new(Kind::Auth, "nobody has logged in at the service yet")
                    .with("connection", &self.connection)
                    .with("service", &self.service.token_url),
            );
        };
        let header = Secret::new(&format!("Bearer {}", tokens.access.expose()));
        if refused.is_some_and(|refused| refused.expose() == header.expose()) {
            return Err(Error::new(Kind::Auth, "the login has expired")
                .with("connection", &self.connection));
        }
        Ok(header)
    }
}
