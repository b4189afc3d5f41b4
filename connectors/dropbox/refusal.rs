//! What an endpoint refused: Dropbox's own words, from the outside in.
//!
//! An endpoint's error is a union in a union: `{".tag": "path", "path": {".tag": "not_found"}}`.
//! The `error_summary` beside it says the same with a tail of dots that varies and must not be
//! compared. Unions are open: a tag that is new is no error of its own (Dropbox, "Errors", read
//! 2026-11).

use std::fmt;

use serde::Deserialize;
use serde_json::Value;

use crate::error::{Error, Kind};
use crate::http::Reply;

/// Unions that lie deeper are not described.
const DEPTH: usize = 6;

/// The tags of a refusal: `path`, `not_found`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Refusal {
    tags: Vec<String>,
    /// The account that the refusal names, where it does.
    pub(super) account: Option<String>,
}

#[derive(Debug, Deserialize)]
struct Envelope {
    error: Value,
}

impl Refusal {
    /// Reads the answer of an endpoint that refuses; `None` for one that has no tags.
    pub(super) fn of(reply: &Reply) -> Option<Self> {
        let Envelope { error } = serde_json::from_slice(&reply.body).ok()?;
        let tags = tags(&error);
        let account = error["no_account"].as_str().map(str::to_owned);
        (!tags.is_empty()).then_some(Self { tags, account })
    }

    pub(super) fn has(&self, tag: &str) -> bool {
        self.tags.iter().any(|it| it == tag)
    }

    /// There is nothing at the path that was asked for.
    pub(super) fn not_found(&self) -> bool {
        self.has("not_found")
    }

    /// The list of changes cannot be continued.
    pub(super) fn reset(&self) -> bool {
        self.has("reset")
    }

    /// The team's space, which paths were relative to, is another one now.
    pub(super) fn root_moved(&self) -> bool {
        self.has("invalid_root") || self.tags == ["no_permission"]
    }

    /// The error for a refusal that nobody expected.
    pub(super) fn error(&self, what: &str) -> Error {
        let any = |tags: &[&str]| tags.iter().any(|tag| self.has(tag));
        let (kind, hint) = if any(&["insufficient_space"]) {
            (
                Kind::Forbidden,
                "make room in the Dropbox, or deliver somewhere else",
            )
        } else if any(&[
            "no_write_permission",
            "access_restricted",
            "operation_suppressed",
        ]) {
            (
                Kind::Forbidden,
                "give the account that logged in the right to write there, or deliver elsewhere",
            )
        } else if any(&["restricted_content", "team_folder", "no_permission"]) {
            (
                Kind::Forbidden,
                "ask the owner or the team's administrator for access",
            )
        } else if any(&["not_found"]) {
            (
                Kind::NotFound,
                "check `folder`: it may have been moved, deleted or unshared",
            )
        } else if any(&["conflict", "invalid_root"]) {
            (Kind::Conflict, "nothing to do: it is looked at again")
        } else if any(&[
            "not_folder",
            "not_file",
            "malformed_path",
            "disallowed_name",
        ]) {
            (
                Kind::Rejected,
                "check the path and the connection's `folder`",
            )
        } else {
            (Kind::Rejected, "see Dropbox's description of this answer")
        };
        Error::new(kind, what).with("dropbox", self).hint(hint)
    }
}

impl fmt::Display for Refusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.tags.join("/"))
    }
}

/// The tags on the way in. The value of a union stands under the tag's own name; where the value
/// is an object its fields stand beside the tag, and the next union is its `reason`.
pub(super) fn tags(error: &Value) -> Vec<String> {
    let mut tags = Vec::new();
    // A refusal may have no tag of its own: `{"reason": {…}, "retry_after": 1}`.
    let mut at = match error.get(".tag") {
        None => error.get("reason").unwrap_or(error),
        Some(_) => error,
    };
    while tags.len() < DEPTH {
        let tag = at.as_str().or_else(|| at[".tag"].as_str());
        let Some(tag) = tag.filter(|tag| is_tag(tag)) else {
            break;
        };
        tags.push(tag.to_owned());
        match at.get(tag).or_else(|| at.get("reason")) {
            Some(next) => at = next,
            None => break,
        }
    }
    tags
}

fn is_tag(text: &str) -> bool {
    let plain = |sign: u8| sign.is_ascii_lowercase() || sign.is_ascii_digit() || sign == b'_';
    !text.is_empty() && text.len() <= 60 && text.bytes().all(plain)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn unions_are_read_from_the_outside_in_and_stay_open() {
        for (error, wanted) in [
            (json!({".tag": "reset"}), vec!["reset"]),
            (
                json!({".tag": "path", "path": {".tag": "not_found"}}),
                vec!["path", "not_found"],
            ),
            (
                json!({".tag": "path", "upload_session_id": "x",
                    "reason": {".tag": "conflict", "conflict": {".tag": "file"}}}),
                vec!["path", "conflict", "file"],
            ),
            (
                json!({"reason": {".tag": "too_many_write_operations"}, "retry_after": 1}),
                vec!["too_many_write_operations"],
            ),
            (
                json!({".tag": "path", "path": {".tag": "malformed_path",
                    "malformed_path": "Größe: nein"}}),
                vec!["path", "malformed_path"],
            ),
            (
                json!({".tag": "something_new", "with": [1]}),
                vec!["something_new"],
            ),
            (
                json!({".tag": "path", "path": "not_found"}),
                vec!["path", "not_found"],
            ),
            (json!({".tag": 7}), vec![]),
            (json!([]), vec![]),
            (json!({"reason": {"reason": {}}}), vec![]),
        ] {
            assert_eq!(tags(&error), wanted, "{error}");
        }
    }

    #[test]
    fn a_union_in_itself_ends() {
        let mut error = json!({".tag": "a"});
        for _ in 0..50 {
            error = json!({".tag": "a", "a": error});
        }
        assert_eq!(tags(&error).len(), DEPTH);
    }
}
