//! The one error of the connectors: what happened, whether to try again, and what to do.
//!
//! Every connector maps its vendor's failures to [`Error`] in exactly one function. The caller
//! decides by [`Kind`] and [`Retry`] alone; the text is for people.

use std::fmt;

use chrono::{DateTime, Utc};

/// What went wrong.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Kind {
    /// The credential is missing, wrong, expired or revoked. A person must act.
    Auth,
    /// The credential is good and not enough for this.
    Forbidden,
    /// It is not there, or we may not know that it is.
    NotFound,
    /// The service's quota, or our own budget below it, is used up for now.
    RateLimited,
    /// The account's plan does not include this; asking again changes nothing.
    NotInPlan,
    /// The service is away: no connection, a time-out, a 5xx, an unmounted share.
    Unavailable,
    /// The service refused the request as wrong. Usually our mistake.
    Rejected,
    /// Somebody else changed what we meant to change.
    Conflict,
    /// The answer is not what the service's description promises.
    Protocol,
    /// The connection's settings cannot work.
    Settings,
    /// This connector cannot do that.
    Unsupported,
}

/// Whether the same call may succeed later.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Retry {
    /// Yes, not before `after` where the service named an instant.
    Later { after: Option<DateTime<Utc>> },
    /// Not without a change.
    Never,
    /// The request may have taken effect: the answer was lost.
    Unknown,
}

/// A failure of one call of a connector.
#[derive(Clone, Debug)]
pub struct Error {
    kind: Kind,
    retry: Retry,
    message: String,
    hint: Option<String>,
    context: Vec<(&'static str, String)>,
}

pub type Result<T, E = Error> = std::result::Result<T, E>;

impl Error {
    /// A failure that a later call may not meet again exactly when the kind says so.
    pub fn new(kind: Kind, message: impl Into<String>) -> Self {
        let retry = match kind {
            Kind::RateLimited | Kind::Unavailable => Retry::Later { after: None },
            _ => Retry::Never,
        };
        Self {
            kind,
            retry,
            message: message.into(),
            hint: None,
            context: Vec::new(),
        }
    }

    /// Says what a person can do; a sentence or a command.
    #[must_use]
    pub fn hint(mut self, hint: impl Into<String>) -> Self {
        self.hint = Some(hint.into());
        self
    }

    #[must_use]
    pub fn retry(mut self, retry: Retry) -> Self {
        self.retry = retry;
        self
    }

    /// Adds a fact, shown behind the message as `key=value`; of a long one, its two ends. Never a
    /// secret.
    #[must_use]
    pub fn with(mut self, key: &'static str, value: impl fmt::Display) -> Self {
        self.context.push((key, brief(value.to_string())));
        self
    }

    /// Rewrites every text in it; for the removal of secrets.
    pub(crate) fn map_text(mut self, rewrite: impl Fn(&str) -> String) -> Self {
        self.message = rewrite(&self.message);
        self.hint = self.hint.as_deref().map(&rewrite);
        for (_, value) in &mut self.context {
            *value = rewrite(value);
        }
        self
    }

    pub fn kind(&self) -> Kind {
        self.kind
    }

    pub fn retry_advice(&self) -> &Retry {
        &self.retry
    }

    /// What a person can do about it, where that is known.
    pub fn advice(&self) -> Option<&str> {
        self.hint.as_deref()
    }

    /// Whether a person must act before this can work again.
    pub fn needs_person(&self) -> bool {
        matches!(self.kind, Kind::Auth | Kind::Forbidden | Kind::Settings)
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)?;
        if let Some(((first, value), rest)) = self.context.split_first() {
            write!(f, " ({first}={value}")?;
            for (key, value) in rest {
                write!(f, ", {key}={value}")?;
            }
            f.write_str(")")?;
        }
        Ok(())
    }
}

impl std::error::Error for Error {}

/// A raw record that could not be understood: put aside with its reason, told as a finding, and
/// tried again when the connector's mapping changes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Reject {
    /// The field, where one is to blame.
    pub field: Option<&'static str>,
    pub reason: String,
}

impl Reject {
    pub fn new(reason: impl Into<String>) -> Self {
        Self {
            field: None,
            reason: brief(reason.into()),
        }
    }

    pub fn field(field: &'static str, reason: impl Into<String>) -> Self {
        Self {
            field: Some(field),
            reason: brief(reason.into()),
        }
    }
}

impl fmt::Display for Reject {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.field {
            Some(field) => write!(f, "{field}: {}", self.reason),
            None => f.write_str(&self.reason),
        }
    }
}

/// A text of at most about a thousand bytes: readers of JSON quote the whole value that they did
/// not expect, and that may be a document.
fn brief(text: String) -> String {
    const LONGEST: usize = 1000;
    const END: usize = 300;
    if text.len() <= LONGEST {
        return text;
    }
    let start = text.floor_char_boundary(LONGEST - END);
    let end = text.ceil_char_boundary(text.len() - END);
    format!("{}…{}", &text[..start], &text[end..])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_quoted_document_is_told_by_its_two_ends() {
        let long = format!(
            "invalid type: string \"{}\", expected i64",
            "ü".repeat(9_000)
        );
        let reject = Reject::field("id", long.clone());
        assert!(reject.reason.len() < 1_010, "{} bytes", reject.reason.len());
        assert!(reject.reason.starts_with("invalid type"), "{reject}");
        assert!(reject.reason.ends_with("expected i64"), "{reject}");
        let error = Error::new(Kind::Protocol, "no JSON").with("error", long);
        assert!(error.to_string().len() < 1_100, "{error}");
        assert_eq!(brief("kurz".to_owned()), "kurz");
    }
}
