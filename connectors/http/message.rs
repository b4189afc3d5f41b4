//! Requests and answers as connectors see them.

use std::fmt;
use std::sync::Arc;

use serde::de::DeserializeOwned;

use super::multipart::{self, Part};
use crate::error::{Error, Kind, Result};
use crate::secret::Secret;

/// One request, relative to the connection's base.
#[derive(Clone, Debug)]
pub struct Request {
    pub method: Method,
    pub bucket: &'static str,
    /// Begins with a slash.
    pub path: String,
    pub query: Vec<(&'static str, String)>,
    /// Besides the connection's own headers; never a credential.
    pub headers: Vec<(&'static str, String)>,
    pub body: Body,
    pub repeat: Repeat,
    /// Whether the answer may come from another host, which sees no header of ours: downloads.
    pub abroad: bool,
}

/// The methods in use. `PostRead` marks a `POST` that changes nothing, as reports are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Method {
    Get,
    PostRead,
    Head,
    Post,
    Put,
    Patch,
    Delete,
    Options,
    Propfind,
    Mkcol,
    Move,
    Report,
}

impl Method {
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Get => "GET",
            Self::PostRead | Self::Post => "POST",
            Self::Head => "HEAD",
            Self::Put => "PUT",
            Self::Patch => "PATCH",
            Self::Delete => "DELETE",
            Self::Options => "OPTIONS",
            Self::Propfind => "PROPFIND",
            Self::Mkcol => "MKCOL",
            Self::Move => "MOVE",
            Self::Report => "REPORT",
        }
    }
}

/// Whether a request may be sent again when its answer was lost.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Repeat {
    /// It reads, or the second time changes nothing.
    Harmless,
    /// A second one would act twice. What may have gone out is not sent again: the error says
    /// [`crate::error::Retry::Unknown`], and the caller looks what became of it.
    Never,
}

impl Request {
    pub fn new(method: Method, bucket: &'static str, path: impl Into<String>) -> Self {
        Self {
            method,
            bucket,
            path: path.into(),
            query: Vec::new(),
            headers: Vec::new(),
            body: Body::None,
            repeat: Repeat::Harmless,
            abroad: false,
        }
    }

    pub fn get(bucket: &'static str, path: impl Into<String>) -> Self {
        Self::new(Method::Get, bucket, path)
    }

    /// A `POST` that reads, safe to repeat.
    pub fn post_read(
        bucket: &'static str,
        path: impl Into<String>,
        body: serde_json::Value,
    ) -> Self {
        Self::new(Method::PostRead, bucket, path).json(body)
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

    /// A header of this request alone; its name in lower case, its value no credential.
    #[must_use]
    pub fn header(mut self, name: &'static str, value: impl Into<String>) -> Self {
        self.headers.push((name, value.into()));
        self
    }

    #[must_use]
    pub fn json(mut self, body: serde_json::Value) -> Self {
        self.body = Body::Json(body);
        self
    }

    /// A body as `application/x-www-form-urlencoded`.
    #[must_use]
    pub fn form(mut self, fields: Vec<(&'static str, FormValue)>) -> Self {
        self.body = Body::Form(fields);
        self
    }

    #[must_use]
    pub fn bytes(mut self, content_type: impl Into<String>, bytes: Arc<[u8]>) -> Self {
        self.body = Body::Bytes {
            content_type: content_type.into(),
            bytes,
        };
        self
    }

    /// A body of parts, as `multipart/<subtype>`: `form-data`, `related`.
    #[must_use]
    pub fn multipart(self, subtype: &str, parts: &[Part<'_>]) -> Self {
        let (content_type, bytes) = multipart::encode(subtype, parts);
        self.bytes(content_type, bytes.into())
    }

    /// Never twice; see [`Repeat::Never`].
    #[must_use]
    pub fn once(mut self) -> Self {
        self.repeat = Repeat::Never;
        self
    }

    /// The answer may be a redirection to another host, which gets no header of ours.
    #[must_use]
    pub fn from_abroad(mut self) -> Self {
        self.abroad = true;
        self
    }
}

/// What a request carries.
#[derive(Clone)]
pub enum Body {
    None,
    Json(serde_json::Value),
    Form(Vec<(&'static str, FormValue)>),
    Bytes {
        content_type: String,
        bytes: Arc<[u8]>,
    },
}

impl fmt::Debug for Body {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::None => f.write_str("None"),
            Self::Json(value) => f.debug_tuple("Json").field(value).finish(),
            Self::Form(fields) => f.debug_tuple("Form").field(fields).finish(),
            Self::Bytes {
                content_type,
                bytes,
            } => write!(f, "Bytes({content_type}, {} bytes)", bytes.len()),
        }
    }
}

/// One value of a form.
#[derive(Clone, Debug)]
pub enum FormValue {
    Text(String),
    Secret(Secret),
}

impl From<&str> for FormValue {
    fn from(text: &str) -> Self {
        Self::Text(text.to_owned())
    }
}

impl From<String> for FormValue {
    fn from(text: String) -> Self {
        Self::Text(text)
    }
}

impl From<Secret> for FormValue {
    fn from(secret: Secret) -> Self {
        Self::Secret(secret)
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
