//! Logging in on another device (RFC 8628): a short code is shown, a person types it in at the
//! service, and it is asked from time to time whether that has happened.

use std::pin::Pin;
use std::sync::Mutex;
use std::time::Duration;

use chrono::{DateTime, Utc};
use oauth2::basic::BasicTokenResponse;
use oauth2::http::Response;
use oauth2::{
    AsyncHttpClient, DeviceAuthorizationUrl, HttpRequest, HttpResponse, RequestTokenError, Scope,
    StandardDeviceAuthorizationResponse,
};

use super::endpoint::{self, Endpoint, Purpose};
use super::{OAuth, Tokens};
use crate::clock::Clock;
use crate::contract::Platform;
use crate::error::{Error, Kind, Result, Retry};
use crate::secret::Secret;

/// What a person has to do.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DeviceCode {
    /// Where to go.
    pub page: String,
    /// The page with the code already in it, where the service has one.
    pub whole: Option<String>,
    /// What to type in there.
    pub code: String,
    pub valid: Duration,
}

/// Logs in by a code on another device; `show` tells the person what to do.
pub async fn device(
    connection: &str,
    service: &OAuth,
    platform: &Platform,
    show: &mut (dyn FnMut(&DeviceCode) + Send),
) -> Result<Tokens> {
    let Some(address) = &service.device_url else {
        return Err(
            Error::new(Kind::Unsupported, "the service has no codes for devices")
                .with("connection", connection)
                .hint("log in with a browser"),
        );
    };
    let address = DeviceAuthorizationUrl::new(address.clone()).map_err(|_| {
        Error::new(Kind::Settings, "the address for devices cannot be read")
            .with("connection", connection)
    })?;
    let client = endpoint::client(service, connection)?.set_device_authorization_url(address);
    let way = Endpoint::new(connection, platform, Purpose::Token);
    let mut request = client.exchange_device_code();
    for scope in &service.scopes {
        request = request.add_scope(Scope::new(scope.clone()));
    }
    let details: StandardDeviceAuthorizationResponse = request
        .request_async(&way)
        .await
        .map_err(|failure| endpoint::explain(failure, service))?;
    show(&DeviceCode {
        page: details.verification_uri().to_string(),
        whole: details
            .verification_uri_complete()
            .map(|it| it.secret().clone()),
        code: details.user_code().secret().clone(),
        valid: details.expires_in(),
    });
    let (answer, asked) = poll(connection, service, platform, &client, &details).await?;
    endpoint::tokens(&answer, asked)
}

type Client = oauth2::basic::BasicClient<
    oauth2::EndpointSet,
    oauth2::EndpointSet,
    oauth2::EndpointNotSet,
    oauth2::EndpointNotSet,
    oauth2::EndpointSet,
>;

/// The token address, asked again and again.
struct Poll<'a> {
    way: Endpoint<'a>,
    clock: &'a dyn Clock,
    last: Mutex<Last>,
}

/// How it went the last time.
#[derive(Default)]
struct Last {
    asked: Option<DateTime<Utc>>,
    /// A failure that stays.
    fatal: Option<Error>,
}

impl<'c> AsyncHttpClient<'c> for Poll<'_> {
    type Error = Error;
    type Future = Pin<Box<dyn Future<Output = Result<HttpResponse>> + Send + 'c>>;

    fn call(&'c self, request: HttpRequest) -> Self::Future {
        Box::pin(async move {
            let asked = self.clock.now();
            let answer = self.way.call(request).await;
            let mut last = self.last.lock().expect("no panic while it is held");
            last.asked = Some(asked);
            match answer {
                // `oauth2` asks again after any failure, also where that is of no use: it is
                // given a refusal, and the failure is told instead of it.
                Err(error) if !matches!(error.retry_advice(), Retry::Later { .. }) => {
                    last.fatal = Some(error);
                    let ended = br#"{"error":"access_denied"}"#.to_vec();
                    let answer = Response::builder().status(400).body(ended);
                    Ok(answer.expect("a plain answer"))
                }
                answer => answer,
            }
        })
    }
}

/// Asks until somebody agreed, refused, or the code has expired.
async fn poll(
    connection: &str,
    service: &OAuth,
    platform: &Platform,
    client: &Client,
    details: &StandardDeviceAuthorizationResponse,
) -> Result<(BasicTokenResponse, DateTime<Utc>)> {
    let way = Poll {
        way: Endpoint::new(connection, platform, Purpose::Poll),
        clock: platform.clock.as_ref(),
        last: Mutex::new(Last::default()),
    };
    let clock = &platform.clock;
    let asked_of = details.interval();
    let request = client
        .exchange_device_access_token(details)
        .set_time_fn(|| clock.now())
        // After a failure it doubles the wait, up to this; never below what the service asked for.
        .set_max_backoff_interval(asked_of.saturating_mul(4));
    let outcome = request
        .request_async(&way, |wait| clock.sleep(wait), None)
        .await;
    let last = way.last.into_inner().expect("no panic while it is held");
    if let Some(error) = last.fatal {
        return Err(error);
    }
    match outcome {
        Ok(answer) => Ok((answer, last.asked.unwrap_or_else(|| clock.now()))),
        Err(RequestTokenError::ServerResponse(answer)) => {
            let said = answer.error_description().map_or("", String::as_str);
            let error = endpoint::refused(answer.error().as_ref(), said, service);
            let sent = Secret::new(details.device_code().secret());
            Err(endpoint::hide(error, &sent))
        }
        Err(RequestTokenError::Request(error)) => Err(error),
        Err(_) => Err(Error::new(
            Kind::Protocol,
            "the login service's answer is not what OAuth describes",
        )),
    }
}
