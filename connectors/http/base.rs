//! Where a connection may talk to: the check of its base address, and the addresses below it.

use reqwest::Url;

use super::{Options, Request};
use crate::error::{Error, Kind, Result};

/// A checked base address.
#[derive(Clone, Debug)]
pub(super) struct Base {
    text: String,
    url: Url,
}

impl Base {
    /// Refuses what would send a credential in the clear, or where nobody looks for one.
    pub(super) fn parse(options: &Options) -> Result<Self> {
        let text = options.base.trim_end_matches('/');
        let refuse = |why: &str, hint: &str| {
            Err(Error::new(Kind::Settings, why)
                .with("connection", &options.connection)
                .hint(hint))
        };
        // The text itself stays out of the message: it may hold a password before the `@`.
        let Ok(url) = Url::parse(text) else {
            return refuse(
                "the base address cannot be read",
                "write scheme and host, as in `https://api.example.com`",
            );
        };
        if !matches!(url.scheme(), "https" | "http") || url.host().is_none() {
            return refuse(
                "the base address is not a web address",
                "begin it with `https://`",
            );
        }
        if !url.username().is_empty() || url.password().is_some() {
            return refuse(
                "the base address contains a user name or a password",
                "remove everything before the `@` and configure a credential",
            );
        }
        if url.query().is_some() || url.fragment().is_some() {
            return refuse(
                "the base address contains a query or a fragment",
                "remove everything from the `?` or the `#` on",
            );
        }
        if !encrypted_or_loopback(&url) {
            return refuse(
                "the base address is not encrypted",
                "use `https://`; plain `http://` is accepted to this machine only",
            );
        }
        Ok(Self {
            text: text.to_owned(),
            url,
        })
    }

    /// The full address of a request.
    pub(super) fn join(&self, request: &Request) -> Result<Url> {
        let wrong = |why| Error::new(Kind::Rejected, why).with("path", &request.path);
        if !request.path.starts_with('/') || request.path.contains(['?', '#']) {
            return Err(wrong(
                "a request's path begins with a slash and has no query",
            ));
        }
        let mut url = Url::parse(&format!("{}{}", self.text, request.path))
            .map_err(|_| wrong("the request's path does not make an address"))?;
        // Dots, escaped dots and backslashes in a path are resolved by the parser: then there are
        // fewer or more segments than were asked for.
        let slashes = |path: &str| path.bytes().filter(|byte| *byte == b'/').count();
        let asked = slashes(self.url.path().trim_end_matches('/')) + slashes(&request.path);
        if url.origin() != self.url.origin() || slashes(url.path()) != asked {
            return Err(wrong("the request's path leads away from the base address"));
        }
        if !request.query.is_empty() {
            url.query_pairs_mut().extend_pairs(&request.query);
        }
        Ok(url)
    }

    /// Whether the service runs on this machine, where no proxy has a place.
    pub(super) fn is_loopback(&self) -> bool {
        is_loopback(&self.url)
    }

    /// The host, for messages.
    pub(super) fn host(&self) -> &str {
        self.url.host_str().unwrap_or_default()
    }
}

/// Whether what is sent to this address can be read on the way.
pub(super) fn encrypted_or_loopback(url: &Url) -> bool {
    url.scheme() == "https" || (url.scheme() == "http" && is_loopback(url))
}

fn is_loopback(url: &Url) -> bool {
    let host = url.host_str().unwrap_or_default();
    let host = host.trim_start_matches('[').trim_end_matches(']');
    match host.parse::<std::net::IpAddr>() {
        Ok(address) => address.is_loopback(),
        Err(_) => host == "localhost",
    }
}

/// Escapes a text of unknown content (an identifier, a file name) as one segment of a path. One
/// of dots alone stays what it is, and sending it is refused.
pub fn segment(text: &str) -> String {
    use std::fmt::Write as _;
    let mut escaped = String::with_capacity(text.len());
    for byte in text.bytes() {
        match byte {
            b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'-' | b'.' | b'_' | b'~' => {
                escaped.push(char::from(byte));
            }
            _ => write!(escaped, "%{byte:02X}").expect("a string takes it"),
        }
    }
    escaped
}
