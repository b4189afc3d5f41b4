//! How every error of the program is printed.
//!
//! ```text
//! error: pull from `toggl`
//!   because the service refused the token (status=403)
//!
//! hint: make a new token at track.toggl.com/profile and store it again
//! ```

use std::error::Error;
use std::fmt::Write as _;

use stundenbuch_connectors as connectors;

use crate::config::ConfigErrors;
use crate::erase::ExportError;
use crate::statements::{CancelError, CorrectError, SealError};
use crate::store;

/// An error that knows what a person can do about it; also a context for another error.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{message}")]
pub struct Advised {
    message: String,
    hint: String,
}

impl Advised {
    /// `message` is a lower-case verb phrase, `hint` a sentence or a command.
    pub fn new(message: impl Into<String>, hint: impl Into<String>) -> Self {
        Self {
            message: message.into(),
            hint: hint.into(),
        }
    }

    pub fn hint(&self) -> &str {
        &self.hint
    }
}

/// The whole text of an error: what happened, why, and what to do. No line break at the end.
pub fn of(error: &anyhow::Error) -> String {
    let mut text = format!("error: {error}");
    let mut last = error.to_string();
    for cause in error.chain().skip(1) {
        let cause = cause.to_string();
        // Some errors repeat their cause as their own text.
        if cause != last {
            // Every line of a cause stands below its own beginning.
            let _ = write!(text, "\n  because {}", cause.replace('\n', "\n  "));
        }
        last = cause;
    }
    if let Some(hint) = hint_of(error) {
        let _ = write!(text, "\n\nhint: {hint}");
    }
    text
}

/// The hint of the cause, which knows more than the contexts around it.
fn hint_of(error: &anyhow::Error) -> Option<String> {
    // A context is no link of the chain that could be asked, but anyhow finds it.
    let context = || {
        error
            .downcast_ref::<Advised>()
            .map(|advised| advised.hint.clone())
    };
    error.chain().find_map(hint_of_one).or_else(context)
}

fn hint_of_one(error: &(dyn Error + 'static)) -> Option<String> {
    if let Some(error) = error.downcast_ref::<connectors::Error>() {
        return error.advice().map(str::to_owned);
    }
    if let Some(errors) = error.downcast_ref::<ConfigErrors>() {
        return Some(errors.hint().to_owned());
    }
    if let Some(error) = error.downcast_ref::<store::Error>() {
        return Some(error.hint().into_owned());
    }
    if let Some(error) = error.downcast_ref::<ExportError>() {
        return error.hint().map(std::borrow::Cow::into_owned);
    }
    if let Some(error) = error.downcast_ref::<SealError>() {
        return error.hint();
    }
    if let Some(error) = error.downcast_ref::<CancelError>() {
        return error.hint();
    }
    if let Some(error) = error.downcast_ref::<CorrectError>() {
        return Some(error.hint());
    }
    let advised = error.downcast_ref::<Advised>()?;
    Some(advised.hint.clone())
}

#[cfg(test)]
mod tests {
    use anyhow::Context as _;

    use super::*;
    use connectors::error::Kind;

    #[test]
    fn a_chain_is_told_from_the_outside_in_with_the_innermost_hint() {
        let refused = connectors::Error::new(Kind::Auth, "the service refused the token")
            .with("status", 403)
            .hint("make a new token");
        let error = anyhow::Error::new(refused).context(Advised::new(
            "pull from `toggl`",
            "look at `stundenbuch status`",
        ));
        assert_eq!(
            of(&error),
            "error: pull from `toggl`\n  \
             because the service refused the token (status=403)\n\n\
             hint: make a new token"
        );
    }

    #[test]
    fn a_context_gives_its_hint_when_the_cause_has_none() {
        let error = anyhow::anyhow!("disk full")
            .context("write page 3\nof the ledger")
            .context(Advised::new("pull from `toggl`", "make room"));
        assert_eq!(
            of(&error),
            "error: pull from `toggl`\n  because write page 3\n  of the ledger\n  \
             because disk full\n\nhint: make room"
        );
    }

    #[test]
    fn an_error_alone_has_no_hint() {
        let error = Err::<(), _>(std::fmt::Error).context("x").unwrap_err();
        assert_eq!(
            of(&error),
            "error: x\n  because an error occurred when formatting an argument"
        );
        assert_eq!(of(&anyhow::anyhow!("alone")), "error: alone");
    }

    #[test]
    fn an_advised_error_at_the_root_is_found() {
        let error = anyhow::Error::new(Advised::new("no such client", "see `status`"));
        assert_eq!(of(&error), "error: no such client\n\nhint: see `status`");
    }
}
