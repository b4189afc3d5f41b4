//! One exchange with the service: out goes a request, in comes a whole answer or a failure.

use std::error::Error as _;
use std::fmt::Write as _;
use std::sync::Once;
use std::time::Duration;

use reqwest::header::{HeaderName, HeaderValue};
use reqwest::{Client, Response, Url};

use super::base::Base;
use super::redact::Redactor;
use super::{Failure, Method, Options, Reply, Request};
use crate::error::{Error, Kind, Result};

/// The client of one connection, with its credential.
#[derive(Debug)]
pub(super) struct Transport {
    client: Client,
    base: Base,
    headers: Vec<(HeaderName, HeaderValue)>,
    redactor: Redactor,
    body_max: usize,
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

    /// Sends once and reads to the end, within `limit`. `at_home` says whether the address is the
    /// service's own, and so may see our headers.
    pub(super) async fn exchange(
        &self,
        request: &Request,
        url: &Url,
        at_home: bool,
        limit: Duration,
    ) -> Result<Reply, Failure> {
        let exchange = self.exchange_untimed(request, url, at_home);
        match tokio::time::timeout(limit, exchange).await {
            Ok(outcome) => outcome,
            Err(_) => Err(Failure::Passing(
                self.away("the service did not answer in time")
                    .with("seconds", limit.as_secs_f32()),
            )),
        }
    }

    async fn exchange_untimed(
        &self,
        request: &Request,
        url: &Url,
        at_home: bool,
    ) -> Result<Reply, Failure> {
        let mut builder = match request.method {
            Method::Get => self.client.get(url.clone()),
            Method::PostRead => self.client.post(url.clone()),
        };
        if at_home {
            for (name, value) in &self.headers {
                builder = builder.header(name, value);
            }
            if let Some(body) = &request.body {
                builder = builder.json(body);
            }
        }
        let response = builder.send().await.map_err(|error| {
            let what = if error.is_connect() {
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
            Failure::Passing(self.away(what).with("error", cause).hint(hint))
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
                    return Err(Failure::Passing(
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

fn headers(options: &Options) -> Result<Vec<(HeaderName, HeaderValue)>> {
    let header = |(name, secret): &(&'static str, crate::secret::Secret)| {
        let mut value = HeaderValue::from_str(secret.expose()).map_err(|_| {
            Error::new(
                Kind::Auth,
                "the credential contains characters that cannot be sent",
            )
            .with("connection", &options.connection)
            .hint("store it again: one line of plain letters, digits and signs")
        })?;
        value.set_sensitive(true);
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
