//! One exchange with the service: out goes a request, in comes a whole answer or a failure.

use std::error::Error as _;
use std::fmt::Write as _;
use std::sync::Once;
use std::time::Duration;

use reqwest::header::{AUTHORIZATION, CONTENT_TYPE, HeaderName, HeaderValue};
use reqwest::{Client, RequestBuilder, Response, Url};

use super::base::Base;
use super::redact::Redactor;
use super::{Body, Failure, FormValue, Options, Reply, Request};
use crate::error::{Error, Kind, Result};
use crate::secret::Secret;

/// The client of one connection, with its credential.
#[derive(Debug)]
pub(super) struct Transport {
    client: Client,
    base: Base,
    headers: Vec<(HeaderName, HeaderValue)>,
    redactor: Redactor,
    body_max: usize,
}

/// Who is asked.
#[derive(Clone, Copy)]
pub(super) enum Whom<'a> {
    /// The service itself, which may see our headers, and the renewed credential if there is one.
    Service(Option<&'a Secret>),
    /// Somebody whom the service named.
    Stranger,
}

impl Transport {
    pub(super) fn new(options: &Options) -> Result<Self> {
        let base = Base::parse(options)?;
        let client = client(base.is_loopback()).map_err(|error| {
            Error::new(Kind::Settings, "cannot prepare encrypted connections")
                .with("error", render(error))
                .hint("install the system's certificates (package `ca-certificates`)")
        })?;
        Ok(Self {
            client,
            base,
            headers: headers(options)?,
            redactor: Redactor::new(options),
            body_max: options.body_max,
        })
    }

    pub(super) fn address(&self, request: &Request) -> Result<Url> {
        self.base.join(request)
    }

    /// Sends once and reads to the end, within `limit`.
    pub(super) async fn exchange(
        &self,
        request: &Request,
        url: &Url,
        whom: Whom<'_>,
        limit: Duration,
    ) -> Result<Reply, Failure> {
        let exchange = self.exchange_untimed(request, url, whom);
        match tokio::time::timeout(limit, exchange).await {
            Ok(outcome) => outcome,
            Err(_) => Err(passing(
                self.away("the service did not answer in time")
                    .with("seconds", limit.as_secs_f32()),
            )),
        }
    }

    async fn exchange_untimed(
        &self,
        request: &Request,
        url: &Url,
        whom: Whom<'_>,
    ) -> Result<Reply, Failure> {
        let method = reqwest::Method::from_bytes(request.method.as_str().as_bytes());
        let method = method.expect("the methods are written right");
        let mut builder = self.client.request(method, url.clone());
        if let Whom::Service(authorization) = whom {
            for (name, value) in &self.headers {
                builder = builder.header(name, value);
            }
            if let Some(secret) = authorization {
                builder = builder.header(AUTHORIZATION, sensitive(secret, self.base.host())?);
            }
            for (name, value) in &request.headers {
                builder = builder.header(*name, value);
            }
            builder = with_body(builder, &request.body);
        }
        let response = builder.send().await.map_err(|error| {
            let error_is_connect = error.is_connect();
            let what = if error_is_connect {
                "cannot connect to the service"
            } else {
                "the connection broke before the answer came"
            };
            let cause = render(error);
            let hint = if cause.contains("certificate") {
                "check this machine's clock and certificates (package `ca-certificates`), and the \
                 certificate of the service"
            } else {
                "check the network and the connection's base address"
            };
            Failure::Passing {
                sent: !error_is_connect,
                error: self.away(what).with("error", cause).hint(hint),
            }
        })?;
        self.read(response).await
    }

    /// Reads the body, counting what comes out of the unpacking, so that neither a lying length
    /// nor a packed bomb gets past the limit.
    async fn read(&self, mut response: Response) -> Result<Reply, Failure> {
        let status = response.status().as_u16();
        let headers = response.headers().iter().map(|(name, value)| {
            let value = String::from_utf8_lossy(value.as_bytes()).into_owned();
            (name.as_str().to_owned(), value)
        });
        let headers = headers.collect();
        let mut body = Vec::new();
        loop {
            match response.chunk().await {
                Ok(None) => {
                    return Ok(Reply {
                        status,
                        headers,
                        body,
                    });
                }
                Ok(Some(chunk)) if body.len() + chunk.len() <= self.body_max => {
                    body.extend_from_slice(&chunk);
                }
                Ok(Some(_)) => {
                    return Err(Failure::Final(
                        Error::new(Kind::Protocol, "the answer is longer than is accepted")
                            .with("host", self.base.host())
                            .with("limit_bytes", self.body_max),
                    ));
                }
                Err(error) => {
                    return Err(passing(
                        self.away("the answer broke off")
                            .with("received_bytes", body.len())
                            .with("error", render(error)),
                    ));
                }
            }
        }
    }

    fn away(&self, what: &str) -> Error {
        Error::new(Kind::Unavailable, what).with("host", self.base.host())
    }

    /// Hides this credential as well, from now on.
    pub(super) fn learn(&self, secret: &Secret) {
        self.redactor.learn(secret);
    }

    /// Takes every credential out of an error.
    pub(super) fn redact(&self, error: Error) -> Error {
        error.map_text(|text| self.hide(text))
    }

    /// Takes every credential out of a text that is to be shown.
    pub(super) fn hide(&self, text: &str) -> String {
        self.redactor.text(text)
    }

    /// Takes every credential out of an answer: some services repeat ours (Toggl's `/me` has an
    /// `api_token`, read 2026-11), and an answer is stored as it was received.
    pub(super) fn clean(&self, mut reply: Reply) -> Reply {
        reply.body = self.redactor.bytes(reply.body);
        for (_, value) in &mut reply.headers {
            *value = self.redactor.text(value);
        }
        reply
    }
}

#[expect(
    clippy::disallowed_methods,
    reason = "this is the one place that talks HTTP"
)]
fn client(loopback: bool) -> reqwest::Result<Client> {
    static PROVIDER: Once = Once::new();
    // Fails only where the process has installed one already, which then serves as well.
    PROVIDER.call_once(|| drop(rustls::crypto::ring::default_provider().install_default()));
    let mut builder = Client::builder()
        .user_agent(concat!("stundenbuch/", env!("CARGO_PKG_VERSION")))
        // reqwest would take our own headers along to another host, and the query of the first
        // address as `Referer` (source of 0.12.28 and 0.13.5, read 2026-11); see `redirect.rs`.
        .redirect(reqwest::redirect::Policy::none())
        .referer(false)
        // The loop that counts and spaces requests is ours; nothing may repeat one behind it.
        .retry(reqwest::retry::never());
    if loopback {
        builder = builder.no_proxy();
    }
    builder.build()
}

/// The service may have seen the request.
fn passing(error: Error) -> Failure {
    Failure::Passing { error, sent: true }
}

fn with_body(builder: RequestBuilder, body: &Body) -> RequestBuilder {
    match body {
        Body::None => builder,
        Body::Json(value) => builder.json(value),
        Body::Form(fields) => builder
            .header(CONTENT_TYPE, "application/x-www-form-urlencoded")
            .body(form(fields)),
        Body::Bytes {
            content_type,
            bytes,
        } => {
            let builder = match content_type.as_str() {
                "" => builder,
                content_type => builder.header(CONTENT_TYPE, content_type),
            };
            // Its length is announced, so that a target cannot take half of it for the whole.
            builder.body(bytes.to_vec())
        }
    }
}

/// The fields as a form writes them.
fn form(fields: &[(&'static str, FormValue)]) -> String {
    let mut url = Url::parse("http://form/").expect("an address");
    for (key, value) in fields {
        let value = match value {
            FormValue::Text(text) => text,
            FormValue::Secret(secret) => secret.expose(),
        };
        url.query_pairs_mut().append_pair(key, value);
    }
    url.query().unwrap_or_default().to_owned()
}

/// A credential as a header's value, which is never logged.
fn sensitive(secret: &Secret, at: &str) -> Result<HeaderValue> {
    let mut value = HeaderValue::from_str(secret.expose()).map_err(|_| {
        Error::new(
            Kind::Auth,
            "the credential contains characters that cannot be sent",
        )
        .with("at", at)
        .hint("store it again: one line of plain letters, digits and signs")
    })?;
    value.set_sensitive(true);
    Ok(value)
}

fn headers(options: &Options) -> Result<Vec<(HeaderName, HeaderValue)>> {
    let header = |(name, secret): &(&'static str, Secret)| {
        let value = sensitive(secret, &options.connection)?;
        let name = HeaderName::from_bytes(name.as_bytes()).map_err(|_| {
            Error::new(
                Kind::Unsupported,
                "the connector names an impossible header",
            )
        })?;
        Ok((name, value))
    };
    options.headers.iter().map(header).collect()
}

/// An error with its causes, without the address: that has the query, which may hold a token.
fn render(error: reqwest::Error) -> String {
    let error = error.without_url();
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(error) = cause {
        write!(text, ": {error}").expect("a string takes it");
        cause = error.source();
    }
    text
}

impl From<Error> for Failure {
    fn from(error: Error) -> Self {
        Self::Final(error)
    }
}
