//! What a connection remembers between two pulls: where the list of changes continues, and
//! whether a listing has to prove what is there. No path and no name stands in it.

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};

#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[expect(
    clippy::struct_excessive_bools,
    reason = "each is a fact of its own, stored under its name"
)]
pub(super) struct State {
    /// What is read; `None` until it was found.
    #[serde(default)]
    pub(super) anchor: Option<Anchor>,
    /// Dropbox's own cursor; `None` where everything is to be listed.
    #[serde(default)]
    pub(super) cursor: Option<String>,
    /// The first answers of a listing are read, and there are more.
    #[serde(default)]
    pub(super) listing: bool,
    /// Files in the last complete listing.
    #[serde(default)]
    pub(super) files: usize,
    /// The shared folders that were seen in listings.
    #[serde(default)]
    pub(super) shared: BTreeSet<String>,
    /// A listing has to prove what is there before this pull ends.
    #[serde(default)]
    pub(super) due: bool,
    /// All changes are read, and the proof is the next page.
    #[serde(default)]
    pub(super) proving: bool,
    /// This pull compares; set so that its second page does not begin again.
    #[serde(default)]
    pub(super) comparing: bool,
}

/// What is read, by identifiers that stay when things are renamed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Anchor {
    /// The mark of the configured folder, to notice another one.
    pub(super) setting: String,
    /// The team's space; `None` for the user's own.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) space: Option<String>,
    /// The folder's id; `None` for everything.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) folder: Option<String>,
}

impl State {
    /// Everything is listed again, and what is missing then is looked for.
    pub(super) fn list_again(&mut self) {
        self.cursor = None;
        self.listing = false;
        self.files = 0;
        self.due = true;
        self.proving = false;
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::contract::Cursor;

    #[test]
    fn an_older_cursor_is_read() {
        let stored = Cursor::stored(Some(r#"{"cursor": "AAF"}"#.to_owned()));
        let state: State = stored.decode().unwrap();
        assert_eq!(state.cursor.as_deref(), Some("AAF"));
        assert!(state.anchor.is_none() && !state.due);
    }
}
