//! The addresses at which tokens are obtained: requests are made by the crate `oauth2` and sent
//! by our own HTTP layer, with its budget, limits and repetitions.
//!
//! No body of an answer goes into an error here: it may hold tokens, or repeat the secrets that
//! we sent.

use std::pin::Pin;
use std::time::Duration;

use chrono::{DateTime, TimeDelta, Utc};
use oauth2::basic::{BasicClient, BasicErrorResponse, BasicTokenResponse};
use oauth2::http::{Response, header};
use oauth2::{
    AsyncHttpClient, AuthType, AuthUrl, ClientId, ClientSecret, EndpointNotSet, EndpointSet,
    HttpRequest, HttpResponse, RequestTokenError, TokenResponse as _, TokenUrl,
};
use serde_json::Value;

use super::{ClientAuth, OAuth, Tokens};
use crate::contract::Platform;
use crate::error::{Error, Kind, Result};
use crate::http::{Http, Method, Options, Reply, Request, Verdict, classify_standard};
use crate::kind::Bucket;
use crate::secret::Secret;

/// For renewals and logins. No service names a quota for them; a renewal is due once an hour.
const LOGIN: &str = "login";
/// For asking whether a person has agreed yet: every five seconds for a quarter of an hour
/// (RFC 8628, section 3.2; Nextcloud, "Login flow", read 2026-11).
const POLL: &str = "login-poll";

const BUCKETS: &[Bucket] = &[
    Bucket {
        name: LOGIN,
        requests: 60,
        per: Duration::from_hours(1),
        reserve: 0,
        spacing: Duration::ZERO,
    },
    Bucket {
        name: POLL,
        requests: 2_000,
        per: Duration::from_hours(1),
        reserve: 0,
        spacing: Duration::ZERO,
    },
];

/// What is asked there.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Purpose {
    Token,
    /// Asked again and again, so nothing is repeated within a call.
    Poll,
}

/// A token address, or one beside it.
#[derive(Debug)]
pub(super) struct Endpoint<'a> {
    connection: &'a str,
    platform: &'a Platform,
    purpose: Purpose,
}

impl<'a> Endpoint<'a> {
    pub(super) fn new(connection: &'a str, platform: &'a Platform, purpose: Purpose) -> Self {
        Self {
            connection,
            platform,
            purpose,
        }
    }

    /// Sends what `oauth2` made. Requests here are rare, so each gets a way of its own.
    async fn send(&self, request: HttpRequest) -> Result<HttpResponse> {
        let (parts, body) = request.into_parts();
        let authorization = parts.headers.get(header::AUTHORIZATION);
        let authorization = authorization.and_then(|value| value.to_str().ok());
        let (base, path) = split(&parts.uri.to_string(), self.connection)?;
        let request = Request::new(Method::Post, self.bucket(), path)
            .header("accept", "application/json")
            .bytes("application/x-www-form-urlencoded", body.into());
        let reply = self.way(base, authorization)?.send(request).await?;
        let mut response = Response::builder().status(reply.status);
        if let Some(kind) = reply.header("content-type") {
            response = response.header(header::CONTENT_TYPE, kind);
        }
        response.body(reply.body).map_err(|error| {
            Error::new(Kind::Protocol, "the answer cannot be read").with("error", error)
        })
    }

    /// A request that is none of OAuth's.
    pub(super) async fn ask(&self, base: String, request: Request) -> Result<Reply> {
        self.way(base, None)?.send(request).await
    }

    pub(super) fn bucket(&self) -> &'static str {
        match self.purpose {
            Purpose::Token => LOGIN,
            Purpose::Poll => POLL,
        }
    }

    fn way(&self, base: String, authorization: Option<&str>) -> Result<Http> {
        let mut options = Options::new(self.connection, base, BUCKETS);
        options.classify = classify;
        options.body_max = 1 << 20;
        options.wait_max = Duration::from_mins(1);
        if let Some(value) = authorization {
            options.headers.push(("authorization", Secret::new(value)));
        }
        if self.purpose == Purpose::Poll {
            options.attempts_max = 1;
        }
        Http::new(options, self.platform)
    }
}

impl<'c> AsyncHttpClient<'c> for Endpoint<'_> {
    type Error = Error;
    type Future = Pin<Box<dyn Future<Output = Result<HttpResponse>> + Send + 'c>>;

    fn call(&'c self, request: HttpRequest) -> Self::Future {
        Box::pin(self.send(request))
    }
}

/// An address as base and path.
pub(super) fn split(address: &str, connection: &str) -> Result<(String, String)> {
    let host = address.find("://").map(|at| at + 3);
    let path = host.and_then(|host| address[host..].find('/').map(|at| host + at));
    match path {
        Some(path) if !address.contains(['?', '#']) => {
            Ok((address[..path].to_owned(), address[path..].to_owned()))
        }
        _ => Err(
            Error::new(Kind::Settings, "this is no address to log in at")
                .with("connection", connection)
                .hint("write the whole address, as in `https://login.example.com/oauth2/token`"),
        ),
    }
}

/// A refusal in OAuth's words is an answer; everything that may pass is no refusal.
fn classify(reply: &Reply, now: DateTime<Utc>) -> Verdict {
    let fields: Option<Value> = serde_json::from_slice(&reply.body).ok();
    let error = fields.as_ref().and_then(|it| it.get("error")?.as_str());
    let passing = |message: &str| {
        let error = Error::new(Kind::Unavailable, message).with("status", reply.status);
        let after = match classify_standard(reply, now) {
            Verdict::Retry { after, .. } => after,
            _ => None,
        };
        Verdict::Retry { after, error }
    };
    match (reply.status, error) {
        (408 | 425 | 429 | 500.., _) | (_, Some("server_error" | "temporarily_unavailable")) => {
            passing("the service cannot log us in for now")
        }
        // A network that asks for a login of its own, or a proxy in trouble.
        (200..300, _) if !matches!(fields, Some(Value::Object(_))) => {
            passing("another page came instead of an answer of the login service")
        }
        (200..300 | 404, _) | (400..500, Some(_)) => Verdict::Good,
        _ => Verdict::Fail(
            Error::new(Kind::Protocol, "the login service gave no answer of OAuth")
                .with("status", reply.status)
                .hint(
                    "check the address of the login service, and whether this network asks for a \
                     login",
                ),
        ),
    }
}

/// What `oauth2` needs to know of a service.
pub(super) type Client =
    BasicClient<EndpointSet, EndpointNotSet, EndpointNotSet, EndpointNotSet, EndpointSet>;

pub(super) fn client(service: &OAuth, connection: &str) -> Result<Client> {
    let wrong = |what: &'static str| {
        Error::new(
            Kind::Settings,
            "an address of the login service cannot be read",
        )
        .with("connection", connection)
        .with("address", what)
    };
    // A service to which nobody logs in by a page has no address for it.
    let page = match service.authorize_url.as_str() {
        "" => &service.token_url,
        _ => &service.authorize_url,
    };
    let authorize = AuthUrl::new(page.clone());
    let token = TokenUrl::new(service.token_url.clone());
    let mut client = BasicClient::new(ClientId::new(service.client_id.clone()))
        .set_auth_uri(authorize.map_err(|_| wrong("authorize"))?)
        .set_token_uri(token.map_err(|_| wrong("token"))?)
        .set_auth_type(match service.client_auth {
            ClientAuth::Header => AuthType::BasicAuth,
            ClientAuth::Form => AuthType::RequestBody,
        });
    if let Some(secret) = &service.client_secret {
        client = client.set_client_secret(ClientSecret::new(secret.expose().to_owned()));
    }
    Ok(client)
}

/// How long before its end a token is renewed.
pub(super) const MARGIN: TimeDelta = TimeDelta::seconds(120);

/// The tokens of an answer that was asked for at `asked`. The service's own clock is not looked
/// at: ours may be wrong by hours, and the duration still holds.
pub(super) fn tokens(answer: &BasicTokenResponse, asked: DateTime<Utc>) -> Result<Tokens> {
    let access = Secret::new(answer.access_token().secret());
    if access.expose().is_empty() {
        return Err(Error::new(
            Kind::Protocol,
            "the login service gave an empty token",
        ));
    }
    // A token that lives hardly longer than the margin would be renewed for each request.
    let life = answer
        .expires_in()
        .and_then(|it| TimeDelta::from_std(it).ok());
    let life = life.map(|life| life.max(life / 2 + MARGIN));
    let refresh = answer.refresh_token().map(|it| Secret::new(it.secret()));
    Ok(Tokens {
        access,
        expires_at: life.and_then(|life| asked.checked_add_signed(life)),
        refresh: refresh.filter(|it| !it.expose().is_empty()),
        previous: None,
    })
}

/// A failure of a token request.
pub(super) type Failure = RequestTokenError<Error, BasicErrorResponse>;

/// The word by which the service refused, where it did.
pub(super) fn refusal(failure: &Failure) -> Option<&str> {
    match failure {
        RequestTokenError::ServerResponse(answer) => Some(answer.error().as_ref()),
        _ => None,
    }
}

/// What became of a token request, for people.
pub(super) fn explain(failure: Failure, service: &OAuth) -> Error {
    let answer = match failure {
        RequestTokenError::Request(error) => return error,
        RequestTokenError::ServerResponse(answer) => answer,
        RequestTokenError::Parse(error, _) => {
            return not_oauth().with("field", error.path());
        }
        RequestTokenError::Other(_) => return not_oauth(),
    };
    let said = answer.error_description().map_or("", String::as_str);
    refused(answer.error().as_ref(), said, service)
}

/// A refusal in the words of RFC 6749, section 5.2.
pub(super) fn refused(code: &str, said: &str, service: &OAuth) -> Error {
    let (message, hint) = match code {
        "invalid_grant" => (
            "the login has expired or was withdrawn at the service",
            "log in again",
        ),
        "invalid_client" | "unauthorized_client" => (
            "the service does not accept the client id or its secret",
            "compare both with what the service shows for this program, and store the secret again",
        ),
        "access_denied" => (
            "the person refused, or the account may not allow it",
            "log in again and agree, or ask the account's administrator",
        ),
        "invalid_scope" => (
            "the service does not grant the rights that are needed",
            "allow them for this program in the service's settings",
        ),
        "expired_token" => ("nobody agreed in time", "begin again"),
        _ => (
            "the service refused the login",
            "compare the connection's settings with what the service shows for this program",
        ),
    };
    let error = Error::new(Kind::Auth, message)
        .with("code", clean(code, service))
        .hint(hint);
    match clean(said, service) {
        said if said.is_empty() => error,
        said => error.with("said", said),
    }
}

/// Takes what we sent out of an error: a service may repeat it in its own words.
pub(super) fn hide(error: Error, sent: &Secret) -> Error {
    if sent.expose().is_empty() {
        return error;
    }
    error.map_text(|text| text.replace(sent.expose(), "…"))
}

/// A service's own words, in one line, without what must not be seen.
fn clean(text: &str, service: &OAuth) -> String {
    let words: Vec<&str> = text
        .split(|c: char| c.is_whitespace() || c.is_control())
        .collect();
    let mut line: String = words.join(" ").trim().chars().take(200).collect();
    if let Some(secret) = &service.client_secret {
        line = line.replace(secret.expose(), "…");
    }
    // Words are short; what is longer without a blank is a token that is repeated to us.
    let hide = |word: &str| {
        if word.len() > 40 {
            "…".to_owned()
        } else {
            word.to_owned()
        }
    };
    line.split(' ').map(hide).collect::<Vec<_>>().join(" ")
}

fn not_oauth() -> Error {
    Error::new(
        Kind::Protocol,
        "the login service's answer is not what OAuth describes",
    )
}
