//! What is remembered of a drive between pulls, and what a run has still to do. No request is
//! sent here.
//!
//! The memory is a snapshot: for each folder the mark of its tag, for each file a number and a
//! mark of its version. There is no name in it, for a cursor is a place where nobody looks when
//! data must be erased; only the steps of a run under way have paths, and they go with the run.

use std::collections::{BTreeMap, BTreeSet};

use chrono::{DateTime, TimeDelta, Utc};
use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};

use super::listing::{Entry, Mount};

/// The scope of what is the user's own.
pub(crate) const HOME: &str = ".";

/// A plan that is older than this is made anew when a pull goes on: the drive has changed.
const PLAN_AGE: TimeDelta = TimeDelta::hours(1);

/// How things of a drive are told apart.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Identity {
    /// By path: a renamed file is one that is gone and another that is new.
    Path,
    /// By Nextcloud's number, which a file keeps wherever it is moved in the same storage.
    FileId,
}

impl Identity {
    /// The key of a thing; `None` where the server did not give its number.
    pub(crate) fn key(self, entry: &Entry, path: &str) -> Option<u64> {
        match self {
            Self::Path => Some(mark(path)),
            Self::FileId => entry.id,
        }
    }

    /// The identifier of a file in the ledger.
    pub(crate) fn external(self, key: u64, path: &str) -> String {
        match self {
            Self::Path => path.to_owned(),
            Self::FileId => key.to_string(),
        }
    }
}

/// The connector's cursor.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub(crate) struct State {
    /// The key of the root.
    #[serde(default)]
    pub(crate) root: Option<u64>,
    /// By key.
    #[serde(default)]
    pub(crate) folders: BTreeMap<u64, Folder>,
    /// Whether the root itself lies in a mount: then that mount is home.
    #[serde(default)]
    pub(crate) in_mount: bool,
    /// Roots of mounts that are group folders.
    #[serde(default, skip_serializing_if = "BTreeSet::is_empty")]
    pub(crate) groups: BTreeSet<u64>,
    /// Files that were not in their folder any more, with the mount that they were in. What they
    /// are, a complete run decides.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub(crate) missing: BTreeMap<u64, u64>,
    /// Folders that were not in their folder any more, with that folder.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub(crate) gone: BTreeMap<u64, u64>,
    /// The server's mark that it was not restored from a backup.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) fingerprint: Option<String>,
    /// The user's name in addresses, where it is not the one to log in with.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) user: Option<String>,
    /// The last entry read of the log of activities.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) activity: Option<u64>,
    /// What was chosen to be passed over and where the root is; another choice is another drive.
    #[serde(default)]
    pub(crate) choice: u64,
    /// What this run has still to do.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) plan: Option<Plan>,
}

/// One folder as it was last read.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Folder {
    /// The folder that it lies in.
    pub(crate) up: u64,
    /// The mark of its tag. `None` until everything below it was read without a trouble.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) etag: Option<u64>,
    /// The mark of its path.
    pub(crate) path: u64,
    /// The root of the mount that it lies in; 0 for the user's own storage.
    #[serde(default)]
    pub(crate) mount: u64,
    /// The marks of its files, by key. An odd mark is that of a file shared by itself.
    #[serde(default)]
    pub(crate) files: BTreeMap<u64, u64>,
}

/// The rest of a run.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct Plan {
    pub(crate) made_at: DateTime<Utc>,
    /// Whether every folder is read, whatever its tag says.
    pub(crate) full: bool,
    /// Whether nothing is to be concluded from what is not there: after a restored backup.
    #[serde(default)]
    pub(crate) calm: bool,
    /// The next is the last.
    pub(crate) steps: Vec<Step>,
    /// Folders that could not be read, with the reason.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub(crate) unknown: Vec<(String, String)>,
    /// How many of them for a trouble of the server.
    #[serde(default)]
    pub(crate) strikes: u32,
    /// Names that were passed over, being no UTF-8.
    #[serde(default)]
    pub(crate) odd: usize,
    /// Folders read.
    #[serde(default)]
    pub(crate) read: usize,
}

/// One thing to do.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Step {
    Visit(Due),
    /// Everything below was read: from now on its tag counts.
    Seal {
        key: u64,
        etag: u64,
    },
}

/// A folder to be read.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Due {
    pub(crate) path: String,
    /// `None` for a root that was never read.
    pub(crate) key: Option<u64>,
    pub(crate) up: u64,
    /// The mark of its tag when it was first seen in this run: what changes while we read makes
    /// the next run differ.
    pub(crate) etag: Option<u64>,
    pub(crate) mount: u64,
}

impl Plan {
    pub(crate) fn new(now: DateTime<Utc>, full: bool, root: Due) -> Self {
        Self {
            made_at: now,
            full,
            calm: false,
            steps: vec![Step::Visit(root)],
            unknown: Vec::new(),
            strikes: 0,
            odd: 0,
            read: 0,
        }
    }

    /// Whether it still serves: not for a comparison that it was not made for, and not on another
    /// day.
    pub(crate) fn goes_on(&self, full: bool, now: DateTime<Utc>) -> bool {
        let age = now - self.made_at;
        (self.full || !full) && age >= TimeDelta::zero() && age < PLAN_AGE
    }

    /// Notes that a folder could not be read. The tags of the folders around it must not count, or
    /// nobody would come this way again; those that wait for being sealed are just these.
    pub(crate) fn give_up(&mut self, path: &str, reason: impl Into<String>) {
        self.unknown.push((path.to_owned(), reason.into()));
        self.steps.retain(|step| matches!(step, Step::Visit(_)));
    }
}

impl State {
    /// The text that ties a file to the sweeps of its mount.
    pub(crate) fn scope(&self, mount: u64) -> String {
        match mount {
            0 => HOME.to_owned(),
            mount if self.groups.contains(&mount) => format!("group-{mount}"),
            mount => format!("mount-{mount}"),
        }
    }

    /// The mount of an entry in a folder of that mount.
    pub(crate) fn mount_of(&mut self, entry: &Entry, key: u64, around: u64) -> u64 {
        let Some(kind) = entry.mount else {
            return 0;
        };
        // Older servers do not say where a mount begins.
        let begins = entry.mount_root.unwrap_or(around == 0 && !self.in_mount);
        let mount = if begins { key } else { around };
        if begins && kind == Mount::Group {
            self.groups.insert(mount);
        }
        mount
    }

    /// The folders by the folder that they lie in.
    pub(crate) fn children(&self) -> BTreeMap<u64, Vec<u64>> {
        let mut children: BTreeMap<u64, Vec<u64>> = BTreeMap::new();
        for (key, folder) in &self.folders {
            if Some(*key) != self.root {
                children.entry(folder.up).or_default().push(*key);
            }
        }
        children
    }

    /// Decides over folders that were not in their place. One that was seen elsewhere was moved;
    /// of the others, the files are missing, except where a mount is gone as a whole: then we lost
    /// access, and nothing is known of them. The keys of such mounts are returned.
    pub(crate) fn settle_folders(&mut self) -> BTreeSet<u64> {
        let gone = std::mem::take(&mut self.gone);
        let children = self.children();
        let mut lost = BTreeSet::new();
        for (key, from) in gone {
            let still_there = |folder: &Folder| folder.up == from;
            if !self.folders.get(&key).is_some_and(still_there) {
                continue;
            }
            let around = self.folders.get(&from).map_or(0, |folder| folder.mount);
            let mut rest = vec![key];
            while let Some(key) = rest.pop() {
                rest.extend(children.get(&key).into_iter().flatten().filter(|child| {
                    // One of them may have been moved out before its folder was deleted.
                    self.folders.get(child).is_some_and(|it| it.up == key)
                }));
                let Some(folder) = self.folders.remove(&key) else {
                    continue;
                };
                if folder.mount == around {
                    let own = folder.files.iter().filter(|(_, mark)| *mark & 1 == 0);
                    self.missing
                        .extend(own.map(|(file, _)| (*file, folder.mount)));
                } else {
                    lost.insert(folder.mount);
                }
            }
        }
        lost
    }

    /// The files of a mount that are there, as far as is remembered.
    pub(crate) fn present(&self, mount: u64) -> impl Iterator<Item = u64> {
        let folders = self.folders.values().filter(move |it| it.mount == mount);
        let files = folders.flat_map(|folder| &folder.files);
        files
            .filter(|(_, mark)| *mark & 1 == 0)
            .map(|(key, _)| *key)
    }

    /// Every mount with files.
    pub(crate) fn mounts(&self) -> BTreeSet<u64> {
        let folders = self.folders.values().filter(|it| !it.files.is_empty());
        folders.map(|folder| folder.mount).collect()
    }

    /// Takes from the missing files those that were seen elsewhere.
    pub(crate) fn settle_files(&mut self) {
        if self.missing.is_empty() {
            return;
        }
        let seen: BTreeSet<u64> = self
            .folders
            .values()
            .flat_map(|folder| folder.files.keys().copied())
            .collect();
        self.missing.retain(|key, _| !seen.contains(key));
    }

    /// Forgets all tags, so that every folder is read again.
    pub(crate) fn distrust(&mut self) {
        for folder in self.folders.values_mut() {
            folder.etag = None;
        }
    }
}

/// Stands for a text; even.
pub(crate) fn mark(text: &str) -> u64 {
    let hash = Sha256::digest(text);
    let bytes = hash.first_chunk().expect("a SHA-256 has 32 bytes");
    u64::from_be_bytes(*bytes) & !1
}

#[cfg(test)]
mod tests {
    use super::*;

    fn folder(up: u64, mount: u64, files: &[u64]) -> Folder {
        Folder {
            up,
            mount,
            files: files.iter().map(|key| (*key, 2)).collect(),
            ..Folder::default()
        }
    }

    /// 1 ─ 2 ─ 3 (a mount), 1 ─ 4.
    fn state() -> State {
        State {
            root: Some(1),
            folders: BTreeMap::from([
                (1, folder(0, 0, &[10])),
                (2, folder(1, 0, &[20, 21])),
                (3, folder(2, 3, &[30])),
                (4, folder(1, 0, &[])),
            ]),
            ..State::default()
        }
    }

    fn missing(state: &State) -> Vec<u64> {
        state.missing.keys().copied().collect()
    }

    #[test]
    fn a_folder_that_is_gone_takes_its_files_and_not_those_of_others() {
        let mut state = state();
        state.gone.insert(2, 1);
        assert_eq!(state.settle_folders(), [3].into());
        assert_eq!(missing(&state), [20, 21]);
        assert_eq!(state.folders.keys().copied().collect::<Vec<_>>(), [1, 4]);
    }

    #[test]
    fn a_folder_that_was_seen_elsewhere_was_moved() {
        let mut state = state();
        state.gone.insert(2, 1);
        state.folders.get_mut(&2).unwrap().up = 4;
        assert!(state.settle_folders().is_empty());
        assert!(state.missing.is_empty() && state.folders.len() == 4);
    }

    #[test]
    fn a_folder_moved_out_of_one_that_was_deleted_stays() {
        let mut state = state();
        state.folders.insert(5, folder(2, 0, &[50]));
        state.gone.extend([(2, 1), (5, 2)]);
        state.folders.get_mut(&5).unwrap().up = 4;
        state.settle_folders();
        assert_eq!(missing(&state), [20, 21]);
        assert!(state.folders.contains_key(&5));
    }

    #[test]
    fn a_file_that_was_seen_elsewhere_was_moved() {
        let mut state = state();
        state.missing.extend([(20, 0), (99, 0)]);
        state.settle_files();
        assert_eq!(missing(&state), [99]);
    }

    #[test]
    fn a_file_shared_by_itself_is_in_no_sweep() {
        let mut state = state();
        state.folders.get_mut(&2).unwrap().files.insert(22, 3);
        assert_eq!(state.present(0).collect::<Vec<_>>(), [10, 20, 21]);
        state.gone.insert(2, 1);
        state.settle_folders();
        assert_eq!(missing(&state), [20, 21]);
    }

    #[test]
    fn a_cursor_has_no_names_in_it_once_a_run_is_over() {
        let text = serde_json::to_string(&state()).unwrap();
        assert!(!text.contains('/'), "{text}");
        let read: State = serde_json::from_str(&text).unwrap();
        assert_eq!(read.folders, state().folders);
        assert!(serde_json::from_str::<State>("{}").is_ok());
    }

    #[test]
    fn giving_up_on_a_folder_leaves_those_around_it_open() {
        let due = |path: &str| {
            Step::Visit(Due {
                path: path.to_owned(),
                ..Due::default()
            })
        };
        let mut plan = Plan::new(DateTime::UNIX_EPOCH, false, Due::default());
        plan.steps = vec![
            Step::Seal { key: 1, etag: 2 },
            due("b"),
            Step::Seal { key: 3, etag: 4 },
        ];
        plan.give_up("a/x", "status 403");
        assert_eq!(plan.steps, [due("b")]);
    }
}
