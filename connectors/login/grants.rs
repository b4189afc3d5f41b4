//! Access without a person: the program itself is the account, or it hands in a signed statement.

use oauth2::Scope;
use oauth2::basic::BasicTokenResponse;

use super::endpoint::{self, Endpoint, Purpose};
use super::{OAuth, Sign, Tokens};
use crate::contract::Platform;
use crate::error::{Error, Kind, Result};
use crate::http::{FormValue, Method, Request};

/// Client credentials (RFC 6749, section 4.4).
pub(super) async fn client(
    connection: &str,
    service: &OAuth,
    platform: &Platform,
    extra: &[(&'static str, String)],
) -> Result<Tokens> {
    let way = Endpoint::new(connection, platform, Purpose::Token);
    let client = endpoint::client(service, connection)?;
    let mut request = client.exchange_client_credentials();
    for scope in &service.scopes {
        request = request.add_scope(Scope::new(scope.clone()));
    }
    for (name, value) in extra {
        request = request.add_extra_param(*name, value.as_str());
    }
    let asked = platform.clock.now();
    let answer = request.request_async(&way).await;
    let answer = answer.map_err(|failure| not_a_login(endpoint::explain(failure, service)))?;
    endpoint::tokens(&answer, asked)
}

/// A signed statement (RFC 7523, section 2.1).
pub(super) async fn assertion(
    connection: &str,
    service: &OAuth,
    platform: &Platform,
    sign: &dyn Sign,
) -> Result<Tokens> {
    let way = Endpoint::new(connection, platform, Purpose::Token);
    let asked = platform.clock.now();
    let assertion = sign.assertion(asked)?;
    let (base, path) = endpoint::split(&service.token_url, connection)?;
    let grant = "urn:ietf:params:oauth:grant-type:jwt-bearer";
    let request = Request::new(Method::Post, way.bucket(), path)
        .header("accept", "application/json")
        .form(vec![
            ("grant_type", FormValue::from(grant)),
            ("assertion", assertion.clone().into()),
        ]);
    let reply = way.ask(base, request).await?;
    if let Ok(refusal) = serde_json::from_slice::<oauth2::basic::BasicErrorResponse>(&reply.body) {
        let said = refusal.error_description().map_or("", String::as_str);
        let error = endpoint::refused(refusal.error().as_ref(), said, service);
        return Err(not_a_login(endpoint::hide(error, &assertion)));
    }
    let answer: BasicTokenResponse = serde_json::from_slice(&reply.body).map_err(|_| {
        Error::new(
            Kind::Protocol,
            "the login service's answer is not what OAuth describes",
        )
    })?;
    endpoint::tokens(&answer, asked)
}

/// Nobody has logged in here, so nobody can do it again.
fn not_a_login(error: Error) -> Error {
    match error.kind() {
        Kind::Auth => error.hint(
            "compare the account's key and rights with what the service shows, and this machine's \
             clock with the time: a signature of another time is refused",
        ),
        _ => error,
    }
}
