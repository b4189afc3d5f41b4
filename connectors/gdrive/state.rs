//! What the cursor holds: where the feed goes on, the tree of folders, and what is still to be
//! looked at in the pull under way.

use std::collections::VecDeque;

use serde::{Deserialize, Serialize};

use super::tree::Tree;
use crate::contract::{Notice, Pull};

/// The state behind a cursor.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub(super) struct State {
    /// The folder as the settings named it; another one there begins anew.
    #[serde(default)]
    pub(super) asked: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) root: Option<Root>,
    /// Where the feed of changes goes on. "The page token doesn't expire."
    #[serde(default)]
    pub(super) token: String,
    #[serde(default)]
    pub(super) tree: Tree,
    /// Folders to list.
    #[serde(default, skip_serializing_if = "VecDeque::is_empty")]
    pub(super) list: VecDeque<Todo>,
    /// Folders that are no longer where they were.
    #[serde(default, skip_serializing_if = "VecDeque::is_empty")]
    pub(super) left: VecDeque<Left>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) round: Option<Round>,
    /// Drive has answered a question about several folders with nothing although there was
    /// something; since then it is asked about one at a time.
    #[serde(default, skip_serializing_if = "is_false")]
    pub(super) singly: bool,
}

/// The connection's folder.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Root {
    pub(super) id: String,
    /// The shared drive that it lies in; absent in somebody's own drive.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) drive: Option<String>,
}

/// A folder to list.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Todo {
    pub(super) id: String,
    /// With all below it, for its path is another one.
    pub(super) deep: bool,
}

/// A folder that has left the tree, with those that lay below it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Left {
    pub(super) id: String,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub(super) below: Vec<String>,
}

/// How far a pull has come.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Round {
    /// Whether everything is to be listed, besides what the feed tells.
    pub(super) compare: bool,
    /// The feed was read to its end.
    pub(super) fed: bool,
    /// The listing of everything has begun.
    pub(super) crawled: bool,
}

/// What to do next.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Step {
    Feed,
    List,
    Left,
    Done,
}

impl State {
    /// Begins a pull, or goes on with one that was interrupted.
    pub(super) fn enter(&mut self, mode: &Pull) {
        let round = self.round.get_or_insert_default();
        round.compare |= matches!(mode, Pull::Compare { .. });
    }

    /// The next thing to do. Listings come before the folders that left: one of those may turn up
    /// in a listing.
    pub(super) fn step(&mut self) -> Step {
        let round = self.round.get_or_insert_default();
        if !round.fed {
            return Step::Feed;
        }
        if self.list.is_empty() && self.left.is_empty() && round.compare && !round.crawled {
            round.crawled = true;
            self.list_all();
        }
        if !self.list.is_empty() {
            Step::List
        } else if !self.left.is_empty() {
            Step::Left
        } else {
            Step::Done
        }
    }

    /// Lists everything, from the root on.
    pub(super) fn list_all(&mut self) {
        if let Some(root) = self.root.clone() {
            self.list_folder(&root.id, true);
        }
    }

    pub(super) fn list_folder(&mut self, id: &str, deep: bool) {
        match self.list.iter_mut().find(|todo| todo.id == id) {
            Some(todo) => todo.deep |= deep,
            None => self.list.push_back(Todo {
                id: id.to_owned(),
                deep,
            }),
        }
    }

    /// Takes a folder out of the tree, to see later what became of it.
    pub(super) fn leave(&mut self, folder: &str) {
        let mut below = self.tree.cut(folder).into_iter();
        if let Some(id) = below.next() {
            let below = below.collect();
            self.left.push_back(Left { id, below });
        }
    }

    /// Whether this is the connection's folder.
    pub(super) fn is_root(&self, id: &str) -> bool {
        self.root.as_ref().is_some_and(|root| root.id == id)
    }

    /// Lists everything in this pull, because the feed was not clear.
    pub(super) fn compare(&mut self) {
        self.round.get_or_insert_default().compare = true;
    }
}

pub(super) fn notice(code: &'static str, text: impl Into<String>) -> Notice {
    let text = text.into();
    Notice { code, text }
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde hands it over so")]
fn is_false(flag: &bool) -> bool {
    !flag
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_comparison_comes_after_the_feed_and_once() {
        let mut state = State {
            root: Some(Root {
                id: "r".to_owned(),
                drive: None,
            }),
            ..State::default()
        };
        state.tree.plant("r");
        let from = chrono::DateTime::UNIX_EPOCH;
        state.enter(&Pull::Compare { from, until: None });
        assert_eq!(state.step(), Step::Feed);
        state.round.as_mut().unwrap().fed = true;
        assert_eq!(state.step(), Step::List);
        state.list.clear();
        assert_eq!(state.step(), Step::Done);
    }

    #[test]
    fn a_cursor_of_the_least_is_read() {
        let state: State = serde_json::from_str("{}").unwrap();
        assert!(state.root.is_none() && state.list.is_empty());
    }
}
