//! The only user of HTTP: budget, retry, limits, redirects, redaction.
//!
//! A connector builds a [`Request`] and gets a [`Reply`] that its own `classify` function called
//! good. Everything between is decided here, once, for all services.

use std::time::Duration;

use chrono::{DateTime, Utc};
use serde::de::DeserializeOwned;

use crate::contract::Platform;
use crate::error::{Error, Kind, Result};
use crate::kind::Bucket;
use crate::secret::Secret;

/// How a connection talks to its service.
#[derive(Clone, Debug)]
pub struct Options {
    /// The connection's name: keys the budgets and stands in errors.
    pub connection: String,
    /// Scheme, host, port and path prefix, without a slash at the end. Plain `http` is refused
    /// except to loopback.
    pub base: String,
    /// Sent with every request to the base's origin, and never anywhere else.
    pub headers: Vec<(&'static str, Secret)>,
    pub buckets: &'static [Bucket],
    /// For one attempt, from connecting to the last byte.
    pub timeout: Duration,
    /// The longest body taken, unpacked, in bytes.
    pub body_max: usize,
    /// The longest wait within a call; a longer one ends the call with `Retry::Later`.
    pub wait_max: Duration,
    pub attempts_max: u32,
    /// The connector's reading of an answer.
    pub classify: fn(&Reply, DateTime<Utc>) -> Verdict,
}

/// What an answer means.
#[derive(Debug)]
pub enum Verdict {
    /// Hand it to the caller.
    Good,
    /// A passing trouble: try again, not before `after` where the service named an instant.
    Retry {
        after: Option<DateTime<Utc>>,
        error: Error,
    },
    /// The bucket is used up: no request from it before `until`, in this run or the next.
    Park { until: DateTime<Utc>, error: Error },
    /// Trying again changes nothing.
    Fail(Error),
}

/// One request, relative to the connection's base.
#[derive(Clone, Debug)]
pub struct Request {
    pub method: Method,
    pub bucket: &'static str,
    /// Begins with a slash.
    pub path: String,
    pub query: Vec<(&'static str, String)>,
    pub body: Option<serde_json::Value>,
}

/// The methods in use. `Read` marks a `POST` that changes nothing, as reports are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Method {
    Get,
    PostRead,
}

impl Request {
    pub fn get(bucket: &'static str, path: impl Into<String>) -> Self {
        Self {
            method: Method::Get,
            bucket,
            path: path.into(),
            query: Vec::new(),
            body: None,
        }
    }

    /// A `POST` that reads, safe to repeat.
    pub fn post_read(
        bucket: &'static str,
        path: impl Into<String>,
        body: serde_json::Value,
    ) -> Self {
        Self {
            method: Method::PostRead,
            bucket,
            path: path.into(),
            query: Vec::new(),
            body: Some(body),
        }
    }

    #[must_use]
    pub fn query(mut self, key: &'static str, value: impl ToString) -> Self {
        self.query.push((key, value.to_string()));
        self
    }
}

/// An answer, whole and within the limits.
#[derive(Clone, Debug)]
pub struct Reply {
    pub status: u16,
    /// Names in lower case.
    pub headers: Vec<(String, String)>,
    pub body: Vec<u8>,
}

impl Reply {
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers
            .iter()
            .find(|(key, _)| key == name)
            .map(|(_, value)| value.as_str())
    }

    /// Reads the body as JSON; an answer that is none is [`Kind::Protocol`], with its beginning.
    pub fn json<T: DeserializeOwned>(&self) -> Result<T> {
        serde_json::from_slice(&self.body).map_err(|error| {
            Error::new(
                Kind::Protocol,
                "the answer is not the JSON that the service describes",
            )
            .with("error", error)
            .with("body", self.excerpt())
        })
    }

    /// The beginning of the body for an error message: one line, at most 200 characters.
    pub fn excerpt(&self) -> String {
        let text = String::from_utf8_lossy(&self.body);
        text.split_whitespace()
            .collect::<Vec<_>>()
            .join(" ")
            .chars()
            .take(200)
            .collect()
    }
}

/// A connection's way to its service. Cheap to clone.
#[derive(Clone, Debug)]
pub struct Http {
    options: Options,
}

impl Http {
    /// Refuses a base that is not `https` or loopback.
    pub fn new(options: Options, _platform: &Platform) -> Result<Self> {
        Ok(Self { options })
    }

    /// Sends, waits, tries again and returns an answer that `classify` called good.
    pub async fn send(&self, _request: Request) -> Result<Reply> {
        Err(Error::new(
            Kind::Unsupported,
            self.options.connection.clone(),
        ))
    }

    /// The requests sent so far, repetitions included.
    pub fn requests(&self) -> u64 {
        0
    }
}
