//! Redirections, followed by hand: what leaves the service's own origin leaves without our
//! headers.

use reqwest::Url;

use super::base::encrypted_or_loopback;
use super::{Method, Reply, Request};
use crate::error::{Error, Kind, Result};

/// The way of one attempt from the first address on.
pub(super) struct Trail {
    method: Method,
    home: Url,
    url: Url,
    hops: u32,
    at_home: bool,
    /// Whether another host may answer.
    abroad: bool,
}

impl Trail {
    /// More than a service needs, and few enough that a circle costs little.
    const HOPS_MAX: u32 = 3;

    pub(super) fn begin(request: &Request, url: Url) -> Self {
        Self {
            method: request.method,
            home: url.clone(),
            url,
            hops: 0,
            at_home: true,
            abroad: request.abroad,
        }
    }

    pub(super) fn url(&self) -> &Url {
        &self.url
    }

    /// Whether the way never left the service's origin. What was sent abroad once stays without
    /// headers even when it is sent back: the stranger chose that address.
    pub(super) fn at_home(&self) -> bool {
        self.at_home
    }

    /// Goes where the answer points; `false` when it is the last one.
    pub(super) fn follow(&mut self, reply: &Reply) -> Result<bool> {
        let (301 | 302 | 303 | 307 | 308) = reply.status else {
            return Ok(false);
        };
        // The addresses stay out of the messages: a signed link is a credential.
        let refuse = |why: &str| {
            Err(Error::new(Kind::Protocol, why)
                .with("status", reply.status)
                .hint("check the connection's base address"))
        };
        if !matches!(self.method, Method::Get | Method::Head) {
            return refuse("the service redirects a request that must not be repeated elsewhere");
        }
        let Some(next) = reply
            .header("location")
            .and_then(|it| self.url.join(it).ok())
        else {
            return refuse("the service redirects to nowhere");
        };
        if !matches!(next.scheme(), "http" | "https") {
            return refuse("the service redirects to something that is not a web address");
        }
        if self.url.scheme() == "https" && next.scheme() == "http" || !encrypted_or_loopback(&next)
        {
            return refuse("the service redirects to an address that is not encrypted");
        }
        if self.hops == Self::HOPS_MAX {
            return refuse("the service redirects again and again");
        }
        if !self.abroad && next.origin() != self.home.origin() {
            return refuse("the service redirects to another host");
        }
        self.hops += 1;
        self.at_home &= next.origin() == self.home.origin();
        self.url = next;
        Ok(true)
    }
}
