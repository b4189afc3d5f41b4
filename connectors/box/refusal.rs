//! What Box refused, in its own words.

use std::fmt;

use serde::Deserialize;
use serde_json::Value;

use crate::drive::received::id;
use crate::error::{Error, Kind};
use crate::http::Reply;

/// A refusal with a reason.
#[derive(Clone, Debug)]
pub(super) struct Refusal {
    pub(super) status: u16,
    pub(super) code: String,
    /// What is in the way, where Box says so.
    pub(super) conflicts: Vec<Value>,
}

#[derive(Debug, Deserialize)]
struct Body {
    r#type: String,
    code: String,
    #[serde(default)]
    context_info: Option<Value>,
}

impl Refusal {
    /// Reads a refusal; `None` where there is no reason of Box's in it.
    pub(super) fn of(reply: &Reply) -> Option<Self> {
        let body: Body = serde_json::from_slice(&reply.body).ok()?;
        if body.r#type != "error" || body.code.is_empty() {
            return None;
        }
        // One object for a file, a list for a folder; both were seen (Box, "Conflict", read
        // 2026-11; the description knows the list alone).
        let conflicts = match body.context_info.map(|mut it| it["conflicts"].take()) {
            Some(Value::Array(list)) => list,
            Some(one @ Value::Object(_)) => vec![one],
            _ => Vec::new(),
        };
        Some(Self {
            status: reply.status,
            code: body.code,
            conflicts,
        })
    }

    pub(super) fn not_found(&self) -> bool {
        self.status == 404
    }

    /// Said of a thing that lies in the trash.
    pub(super) fn trashed(&self) -> bool {
        self.status == 404 && self.code == "trashed"
    }

    pub(super) fn name_in_use(&self) -> bool {
        self.status == 409 && self.code == "item_name_in_use"
    }

    /// The name of the file that has the name already, where it has this content.
    pub(super) fn same_content(&self, sha1: &str) -> Option<&str> {
        let same = |it: &&Value| {
            let hash = it["sha1"].as_str();
            it["type"] == "file" && hash.is_some_and(|hash| hash.eq_ignore_ascii_case(sha1))
        };
        let file = self.conflicts.iter().find(same)?;
        file["name"].as_str().filter(|_| self.name_in_use())
    }

    /// The folder that has the name already.
    pub(super) fn folder(&self) -> Option<&str> {
        let folder = self.conflicts.iter().find(|it| it["type"] == "folder");
        folder.and_then(id)
    }

    /// The error for a refusal that nobody expected.
    pub(super) fn error(&self, what: &str) -> Error {
        let (kind, hint) = match self.status {
            403 => (
                Kind::Forbidden,
                "give the account that logged in the right to do this; for an app with client \
                 credentials, invite its service account to the folder",
            ),
            404 => (
                Kind::NotFound,
                "check `folder`: it may have been moved, deleted or unshared",
            ),
            _ => (Kind::Conflict, "nothing to do: it is looked at again"),
        };
        Error::new(kind, what).with("box", self).hint(hint)
    }
}

impl fmt::Display for Refusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", self.status, self.code)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn refusal(conflicts: &str) -> Refusal {
        let body = format!(
            r#"{{"type": "error", "status": 409, "code": "item_name_in_use",
                "context_info": {{"conflicts": {conflicts}}}, "request_id": "x"}}"#
        );
        let (status, headers, body) = (409, Vec::new(), body.into_bytes());
        Refusal::of(&Reply {
            status,
            headers,
            body,
        })
        .unwrap()
    }

    #[test]
    fn what_is_in_the_way_comes_as_an_object_or_as_a_list() {
        let folder = r#"{"type": "folder", "id": "12"}"#;
        for conflicts in [folder.to_owned(), format!("[{folder}]")] {
            let refusal = refusal(&conflicts);
            assert!(refusal.name_in_use());
            assert_eq!(refusal.folder(), Some("12"), "{conflicts}");
        }
        assert_eq!(refusal(r#"{"type": "file", "id": "12"}"#).folder(), None);
        assert!(refusal("7").conflicts.is_empty());
    }
}
