//! Logging in by a page at which a person agrees: the code grant with a proof key (RFC 6749,
//! section 4.1; RFC 7636). The page's address is shown, and the answer comes back through a
//! listener on this machine, or is pasted.

use std::fmt;

use oauth2::url::Url;
use oauth2::{
    AuthorizationCode, CsrfToken, PkceCodeChallenge, PkceCodeVerifier, RedirectUrl, Scope,
};

use super::endpoint::{self, Endpoint, Purpose};
use super::{OAuth, Tokens};
use crate::contract::Platform;
use crate::error::{Error, Kind, Result};
use crate::secret::Secret;

/// A login that was begun. It ends with the code that the service gives for it.
pub struct Consent {
    /// Where the person agrees. To be shown to that person alone.
    pub page: String,
    state: CsrfToken,
    verifier: Option<PkceCodeVerifier>,
    redirect: Option<RedirectUrl>,
}

impl fmt::Debug for Consent {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Consent")
            .field("redirect", &self.redirect)
            .finish_non_exhaustive()
    }
}

impl Consent {
    /// Begins. `redirect` is where the service sends the person afterwards; without it, the
    /// service shows a code.
    pub fn begin(connection: &str, service: &OAuth, redirect: Option<&str>) -> Result<Self> {
        let redirect = redirect.map(|address| {
            RedirectUrl::new(address.to_owned()).map_err(|_| {
                Error::new(Kind::Settings, "the redirect address cannot be read")
                    .with("connection", connection)
            })
        });
        let redirect = redirect.transpose()?;
        let mut client = endpoint::client(service, connection)?;
        if let Some(address) = &redirect {
            client = client.set_redirect_uri(address.clone());
        }
        let mut request = client.authorize_url(|| CsrfToken::new_random_len(32));
        for scope in &service.scopes {
            request = request.add_scope(Scope::new(scope.clone()));
        }
        for (name, value) in service.authorize_extra {
            request = request.add_extra_param(*name, *value);
        }
        let mut verifier = None;
        if service.pkce {
            let (challenge, secret) = PkceCodeChallenge::new_random_sha256();
            request = request.set_pkce_challenge(challenge);
            verifier = Some(secret);
        }
        let (page, state) = request.url();
        Ok(Self {
            page: page.into(),
            state,
            verifier,
            redirect,
        })
    }

    /// Reads the code from what came back: the whole address, its query, or the code alone where
    /// the service shows one.
    pub fn code(&self, answer: &str, service: &OAuth) -> Result<Secret, NoCode> {
        let answer = answer.trim();
        let shown = self.redirect.is_none() && !answer.contains(['?', '&', '=', ' ']);
        if shown && !answer.is_empty() {
            return Ok(Secret::new(answer));
        }
        let query = answer.split_once('?').map_or(answer, |(_, query)| query);
        let query = query.split('#').next().unwrap_or_default();
        let url = Url::parse(&format!("http://answer/?{query}")).map_err(|_| NoCode::Unreadable)?;
        let field = |wanted: &str| {
            let mut pairs = url.query_pairs();
            let found = pairs.find(|(name, _)| name == wanted)?;
            Some(found.1.into_owned())
        };
        // Without it, anybody who can reach the listener could have us log in as somebody else.
        if field("state").as_deref() != Some(self.state.secret()) {
            return Err(match field("state") {
                Some(_) => NoCode::OfAnother,
                None => NoCode::Unreadable,
            });
        }
        if let Some(error) = field("error") {
            let said = field("error_description").unwrap_or_default();
            let error = endpoint::refused(&error, &said, service);
            return Err(NoCode::Refused(Box::new(error)));
        }
        match field("code") {
            Some(code) if !code.is_empty() => Ok(Secret::new(&code)),
            _ => Err(NoCode::Unreadable),
        }
    }

    /// Exchanges the code for tokens.
    pub async fn finish(
        &self,
        connection: &str,
        service: &OAuth,
        platform: &Platform,
        code: &Secret,
    ) -> Result<Tokens> {
        let way = Endpoint::new(connection, platform, Purpose::Token);
        let mut client = endpoint::client(service, connection)?;
        if let Some(address) = &self.redirect {
            client = client.set_redirect_uri(address.clone());
        }
        let given = AuthorizationCode::new(code.expose().to_owned());
        let mut request = client.exchange_code(given);
        if let Some(verifier) = &self.verifier {
            let verifier = PkceCodeVerifier::new(verifier.secret().clone());
            request = request.set_pkce_verifier(verifier);
        }
        let asked = platform.clock.now();
        let answer = request.request_async(&way).await.map_err(|failure| {
            let ended = endpoint::refusal(&failure) == Some("invalid_grant");
            let error = endpoint::hide(endpoint::explain(failure, service), code);
            if ended {
                error.hint("the code was wrong, too old, or used before: begin again")
            } else {
                error
            }
        })?;
        endpoint::tokens(&answer, asked)
    }
}

/// Why an answer holds no code.
#[derive(Debug)]
pub enum NoCode {
    /// It is no answer of the service at all.
    Unreadable,
    /// It belongs to another login than the one that was begun.
    OfAnother,
    /// The service, or the person, refused.
    Refused(Box<Error>),
}

impl From<NoCode> for Error {
    fn from(no_code: NoCode) -> Self {
        let (message, hint) = match no_code {
            NoCode::Refused(error) => return *error,
            NoCode::Unreadable => (
                "there is no code in this",
                "copy the whole address at which the browser ended, from `http` to its end",
            ),
            NoCode::OfAnother => (
                "this is the answer to another login",
                "use the address that was shown last, in a browser window of its own",
            ),
        };
        Self::new(Kind::Rejected, message).hint(hint)
    }
}
