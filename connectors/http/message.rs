//! Requests and answers as connectors see them.

use serde::de::DeserializeOwned;

use crate::error::{Error, Kind, Result};

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

impl Method {
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Get => "GET",
            Self::PostRead => "POST",
        }
    }
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
    #[expect(
        clippy::needless_pass_by_value,
        reason = "numbers and texts are handed in as they are"
    )]
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
