//! What a connection remembers between two pulls: the position in the stream of events, the
//! folders, and what is still to be looked at. Numbers only, no names.

use std::collections::{BTreeMap, VecDeque};

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

use super::tree::Tree;

#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[expect(
    clippy::struct_excessive_bools,
    reason = "each is a fact of its own, stored under its name"
)]
pub(super) struct State {
    /// The folder that is read, to notice another one.
    #[serde(default)]
    pub(super) root: String,
    /// Where the events continue; `None` before the first pull.
    #[serde(default)]
    pub(super) position: Option<String>,
    /// When events were last asked for.
    #[serde(default)]
    pub(super) polled: Option<DateTime<Utc>>,
    /// The events of this pull are read.
    #[serde(default)]
    pub(super) read: bool,
    #[serde(default)]
    pub(super) tree: Tree,
    #[serde(default)]
    pub(super) jobs: VecDeque<Job>,
    /// Files that Box says are in the trash, in its words.
    #[serde(default)]
    pub(super) told: BTreeMap<String, String>,
    /// The events that told of a folder in the trash.
    #[serde(default)]
    pub(super) told_folders: BTreeMap<String, String>,
    /// Files that left the folder that they were in, and that folder.
    #[serde(default)]
    pub(super) missing: BTreeMap<String, String>,
    /// Something left its place in this pull.
    #[serde(default)]
    pub(super) left: bool,
    /// A list of this pull had an item that cannot be told from others, so what is missing
    /// proves nothing.
    #[serde(default)]
    pub(super) unsure: bool,
    /// Everything is listed again, and what is missing then is looked for.
    #[serde(default)]
    pub(super) crawling: bool,
    /// The folder that was read before another one was configured.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) previous: Option<String>,
    /// This pull compares; set so that its second page does not begin again.
    #[serde(default)]
    pub(super) comparing: bool,
}

/// One thing to look at, with the number of what.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) enum Job {
    /// List a folder.
    #[serde(rename = "l")]
    List(String),
    /// List a folder and everything below it.
    #[serde(rename = "d")]
    Deep(String),
    /// See what became of a folder.
    #[serde(rename = "k")]
    Look(String),
    /// See where a file lies.
    #[serde(rename = "f")]
    File(String),
}

impl State {
    /// Adds a job, unless it is there already.
    pub(super) fn add(&mut self, job: Job) {
        if self.jobs.contains(&job) {
            return;
        }
        if let Job::List(id) = &job
            && self.jobs.contains(&Job::Deep(id.clone()))
        {
            return;
        }
        if let Job::Deep(id) = &job {
            let listed = Job::List(id.clone());
            self.jobs.retain(|it| *it != listed);
        }
        self.jobs.push_back(job);
    }

    /// A file is not where it was. Whether it is anywhere shows at the end.
    pub(super) fn miss(&mut self, file: String, folder: String) {
        self.missing.insert(file, folder);
        self.left = true;
    }

    /// Begins a listing of everything.
    pub(super) fn crawl(&mut self) {
        self.crawling = true;
        self.missing.clear();
        let root = self.root.clone();
        self.tree.place(&root, "");
        self.add(Job::Deep(root));
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::contract::Cursor;

    #[test]
    fn a_job_is_done_once() {
        let mut state = State::default();
        for job in [
            Job::List("1".to_owned()),
            Job::Deep("1".to_owned()),
            Job::List("1".to_owned()),
            Job::Look("1".to_owned()),
            Job::Look("1".to_owned()),
        ] {
            state.add(job);
        }
        assert_eq!(
            state.jobs,
            [Job::Deep("1".to_owned()), Job::Look("1".to_owned())]
        );
    }

    #[test]
    fn an_older_cursor_is_read() {
        let stored = Cursor::stored(Some(r#"{"root": "0", "position": "7"}"#.to_owned()));
        let state: State = stored.decode().unwrap();
        assert_eq!(
            (state.root.as_str(), state.position.as_deref()),
            ("0", Some("7"))
        );
        let text = Cursor::encode(&state);
        assert_eq!(text.decode::<State>().unwrap(), state);
    }
}
