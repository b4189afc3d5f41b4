//! Access by a login that is renewed: one renewal at a time among all tasks and processes, and
//! stored before it is used.
//!
//! A service may take a refresh token once and give the next one with the same answer. Between
//! that answer and the disk lies the one moment at which a login can be lost; so the disk is
//! tried before the service is asked, and storing is tried again before it is given up.

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use oauth2::RefreshToken;

use super::endpoint::{self, Endpoint, MARGIN, Purpose};
use super::{Grant, OAuth, Stored, Tokens, grants};
use crate::contract::Platform;
use crate::error::{Error, Kind, Result};
use crate::http::Access;
use crate::secret::Secret;

/// How long another process may take for its renewal.
const OTHERS: Duration = Duration::from_mins(3);
/// How often it is looked whether it has come to its end.
const LOOK: Duration = Duration::from_millis(100);
/// The waits between attempts to store.
const STORE_AGAIN: [Duration; 3] = [
    Duration::from_secs(1),
    Duration::from_secs(4),
    Duration::from_secs(15),
];

/// The renewed access of one connection.
///
/// Nothing is asked or read before the first request, so a connection can be built before anybody
/// has logged in.
pub fn oauth(connection: &str, service: OAuth, platform: &Platform) -> Result<Arc<dyn Access>> {
    Ok(Arc::new(Renewed {
        connection: connection.to_owned(),
        service,
        platform: platform.clone(),
        known: tokio::sync::Mutex::new(Known::default()),
    }))
}

#[derive(Debug)]
struct Renewed {
    connection: String,
    service: OAuth,
    platform: Platform,
    /// Held while a renewal is under way, so that others wait for it and use it.
    known: tokio::sync::Mutex<Known>,
}

#[derive(Debug, Default)]
struct Known {
    tokens: Option<Tokens>,
    /// A refresh token that the service took back, and what it said: it is not asked again.
    spent: Option<(Secret, Error)>,
}

#[async_trait]
impl Access for Renewed {
    async fn header(&self, refused: Option<&Secret>) -> Result<Secret> {
        let mut known = self.known.lock().await;
        if let Some(header) = known.tokens.as_ref().and_then(|it| self.good(it, refused)) {
            return Ok(header);
        }
        let (name, service, platform) = (&self.connection, &self.service, &self.platform);
        let tokens = match &service.grant {
            Grant::Login { .. } => self.renewed(&mut known, refused).await?,
            // Nobody has to agree, so there is nothing to keep: it is asked for once a run.
            Grant::Client { extra } => grants::client(name, service, platform, extra).await?,
            Grant::Assertion(sign) => {
                grants::assertion(name, service, platform, sign.as_ref()).await?
            }
        };
        let header = header(&tokens);
        known.tokens = Some(tokens);
        Ok(header)
    }
}

impl Renewed {
    /// The header of tokens that can still be used.
    fn good(&self, tokens: &Tokens, refused: Option<&Secret>) -> Option<Secret> {
        let ends = tokens.expires_at.map(|at| at - MARGIN);
        if ends.is_some_and(|ends| ends <= self.platform.clock.now()) {
            return None;
        }
        let header = header(tokens);
        let same = refused.is_some_and(|refused| refused.expose() == header.expose());
        (!same).then_some(header)
    }

    /// The stored tokens, or those that they are renewed to.
    async fn renewed(&self, known: &mut Known, refused: Option<&Secret>) -> Result<Tokens> {
        // Another process, or a person, may have stored better ones meanwhile.
        let stored = self.load()?;
        if self.good(&stored, refused).is_some() {
            return Ok(stored);
        }
        let _ours = turn(&self.connection, &self.platform).await?;
        let stored = self.load()?;
        if self.good(&stored, refused).is_some() {
            return Ok(stored);
        }
        if let Some((spent, error)) = &known.spent
            && let Some(refresh) = &stored.refresh
            && refresh.expose() == spent.expose()
        {
            return Err(error.clone());
        }
        self.platform.logins.prepare(&self.connection)?;
        let renewed = self.renew(known, &stored).await?;
        self.store(&renewed).await?;
        tracing::info!(connection = self.connection, "The login was renewed.");
        Ok(renewed)
    }

    fn load(&self) -> Result<Tokens> {
        match self.platform.logins.load(&self.connection)? {
            Some(Stored::Tokens(tokens)) => Ok(tokens),
            _ => Err(Error::new(
                Kind::Auth,
                "nobody has logged in at the service yet",
            )),
        }
    }

    /// Asks with the refresh token, and once with the one before it: a service that never got to
    /// know that we have the new one takes that.
    async fn renew(&self, known: &mut Known, stored: &Tokens) -> Result<Tokens> {
        let Some(refresh) = &stored.refresh else {
            return Err(Error::new(Kind::Auth, "the login has expired").hint("log in again"));
        };
        let mut first = None;
        for candidate in [Some(refresh), stored.previous.as_ref()]
            .into_iter()
            .flatten()
        {
            let failure = match self.ask(candidate).await {
                Ok(fresh) => return Ok(follow(fresh, candidate)),
                Err(failure) => failure,
            };
            let ended = endpoint::refusal(&failure) == Some("invalid_grant");
            let error = endpoint::hide(endpoint::explain(failure, &self.service), candidate);
            if !ended {
                return Err(error);
            }
            first.get_or_insert(error);
        }
        let error = first.expect("one was tried");
        known.spent = Some((refresh.clone(), error.clone()));
        Err(error)
    }

    async fn ask(&self, refresh: &Secret) -> Result<Tokens, endpoint::Failure> {
        let way = Endpoint::new(&self.connection, &self.platform, Purpose::Token);
        let client = endpoint::client(&self.service, &self.connection)?;
        let refresh = RefreshToken::new(refresh.expose().to_owned());
        let asked = self.platform.clock.now();
        let answer = client
            .exchange_refresh_token(&refresh)
            .request_async(&way)
            .await?;
        Ok(endpoint::tokens(&answer, asked)?)
    }

    /// Stores, or tries to for a while: without it, what the service has given is lost.
    async fn store(&self, tokens: &Tokens) -> Result<()> {
        let Platform { clock, logins, .. } = &self.platform;
        let stored = Stored::Tokens(tokens.clone());
        for wait in STORE_AGAIN {
            match logins.save(&self.connection, &stored) {
                Ok(()) => return Ok(()),
                Err(error) => {
                    let connection = &self.connection;
                    tracing::warn!(connection, %error, "A renewed login is not stored yet.");
                }
            }
            clock.sleep(wait).await;
        }
        logins.save(&self.connection, &stored)
    }
}

/// The right to change a connection's login, among all tasks and processes; waited for.
pub async fn turn(connection: &str, platform: &Platform) -> Result<Box<dyn Send + Sync>> {
    let Platform { clock, logins, .. } = platform;
    let mut waited = Duration::ZERO;
    loop {
        if let Some(turn) = logins.try_lock(connection)? {
            return Ok(turn);
        }
        if waited >= OTHERS {
            let what = "another process has been renewing this login for minutes";
            return Err(Error::new(Kind::Unavailable, what)
                .with("connection", connection)
                .hint("nothing to do, unless one of them hangs: then end it"));
        }
        clock.sleep(LOOK).await;
        waited += LOOK;
    }
}

/// What is kept of an answer: a service that sends no other refresh token means the same to be
/// used again (RFC 6749, section 6).
fn follow(fresh: Tokens, used: &Secret) -> Tokens {
    let rotated = fresh
        .refresh
        .as_ref()
        .is_some_and(|new| new.expose() != used.expose());
    Tokens {
        refresh: fresh.refresh.or_else(|| Some(used.clone())),
        previous: rotated.then(|| used.clone()),
        ..fresh
    }
}

/// The header that these tokens make.
fn header(tokens: &Tokens) -> Secret {
    Secret::new(&format!("Bearer {}", tokens.access.expose()))
}
