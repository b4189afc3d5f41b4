//! A Dropbox with files that tests change like people do, written from the Stone description.
//!
//! It knows names without regard to case, tells of changes by a journal that cursors point into,
//! tells of a deletion by its path alone, keeps every revision, and refuses too many requests and
//! writes that follow each other too fast.

mod api;
mod files;

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::sync::{Arc, Mutex, MutexGuard};

use axum::Router;
use chrono::{DateTime, SecondsFormat, Utc};
use serde_json::{Value, json};
use sha2::{Digest, Sha256};
use stundenbuch_connectors::clock::{Clock as _, ManualClock};

use super::hex;

pub const TOKEN: &str = "sl.u.AFakeDropboxAccessTokenThatStandsNowhereElse0123456789";
pub const ME: &str = "dbid:AAFakeAccountOfAdaBeispiel0000000000000";

/// The service; clones are the same service.
#[derive(Clone, Debug)]
pub struct Dropbox {
    clock: ManualClock,
    world: Arc<Mutex<World>>,
}

#[derive(Debug)]
struct World {
    nodes: BTreeMap<String, Node>,
    /// Every change, oldest first.
    journal: Vec<Change>,
    revisions: BTreeMap<String, Vec<u8>>,
    cursors: BTreeMap<String, Place>,
    accounts: BTreeMap<String, String>,
    team: Option<Team>,
    made: u64,
    /// Entries in one answer, at most.
    page: usize,
    /// So many answers come empty, though there is more.
    hollow: u32,
    /// So many uploads are refused, as others write there.
    busy: u32,
    /// What a person writes while an upload is told to wait.
    meanwhile: Option<(String, Vec<u8>)>,
    login: Login,
    without_scope: Option<&'static str>,
    asked: VecDeque<DateTime<Utc>>,
    written: Option<DateTime<Utc>>,
    refused: u32,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Login {
    Good,
    Expired,
}

/// The space of a team, in which the member's own folder is one of many.
#[derive(Clone, Debug)]
struct Team {
    root: String,
    home: String,
    /// The member's own folder, as `/Ada Beispiel`.
    path: String,
}

#[derive(Clone, Debug)]
struct Node {
    name: String,
    parent: Option<String>,
    kind: Kind,
}

#[derive(Clone, Debug)]
enum Kind {
    Folder {
        /// The number of a shared folder, where it is one.
        shared: Option<String>,
        /// It was taken from us, or left: nothing below it is to be seen.
        lost: bool,
        traverse_only: bool,
    },
    File {
        rev: String,
        bytes: Vec<u8>,
        modified: DateTime<Utc>,
        by: Option<String>,
        /// Paper, or a Google document.
        export_only: bool,
    },
}

#[derive(Clone, Debug)]
enum Change {
    Upsert(String),
    /// By path, as it was written.
    Deleted(String),
}

/// What a cursor stands for.
#[derive(Clone, Debug)]
struct Place {
    root: Option<String>,
    space: bool,
    recursive: bool,
    /// Of the listing, what was not given out yet.
    pending: Vec<String>,
    /// How far the journal was read.
    read: usize,
}

impl Dropbox {
    pub fn new(clock: ManualClock) -> Self {
        let world = World {
            nodes: BTreeMap::new(),
            journal: Vec::new(),
            revisions: BTreeMap::new(),
            cursors: BTreeMap::new(),
            accounts: BTreeMap::from([(ME.to_owned(), "Ada Beispiel".to_owned())]),
            team: None,
            made: 0,
            page: 2000,
            hollow: 0,
            busy: 0,
            meanwhile: None,
            login: Login::Good,
            without_scope: None,
            asked: VecDeque::new(),
            written: None,
            refused: 0,
        };
        Self {
            clock,
            world: Arc::new(Mutex::new(world)),
        }
    }

    /// The API under `/2`, and uploads and downloads under `/content/2`.
    pub fn router(&self) -> Router {
        Router::new().fallback(api::answer).with_state(self.clone())
    }

    /// How many requests were refused with 429.
    pub fn refused(&self) -> u32 {
        self.world().refused
    }

    pub fn page(&self, most: usize) {
        self.world().page = most;
    }

    pub fn hollow(&self, answers: u32) {
        self.world().hollow = answers;
    }

    pub fn busy(&self, uploads: u32) {
        self.world().busy = uploads;
    }

    /// A person writes while the next upload is told to wait.
    pub fn write_meanwhile(&self, path: &str, bytes: &[u8]) {
        let mut world = self.world();
        world.busy = 1;
        world.meanwhile = Some((path.to_owned(), bytes.to_vec()));
    }

    pub fn expire(&self, expired: bool) {
        self.world().login = if expired { Login::Expired } else { Login::Good };
    }

    pub fn take_scope(&self, scope: Option<&'static str>) {
        self.world().without_scope = scope;
    }

    /// Makes every cursor useless.
    pub fn reset(&self) {
        self.world().cursors.clear();
    }

    /// Puts the account into a team; `path` is its own folder there.
    pub fn join_team(&self, root: &str, path: &str) {
        let name = path.trim_start_matches('/').to_owned();
        let mut world = self.world();
        world.team = Some(Team {
            root: root.to_owned(),
            home: "777".to_owned(),
            path: path.to_owned(),
        });
        if world.find(path).is_none() {
            world.make_folder(None, &name);
        }
    }

    pub fn add_account(&self, id: &str, name: &str) {
        self.world().accounts.insert(id.to_owned(), name.to_owned());
    }

    pub fn rename_account(&self, id: &str, name: Option<&str>) {
        let mut world = self.world();
        match name {
            Some(name) => drop(world.accounts.insert(id.to_owned(), name.to_owned())),
            None => drop(world.accounts.remove(id)),
        }
    }

    /// Writes a file as a person does, with the folders on the way; its id.
    pub fn write(&self, path: &str, bytes: &[u8]) -> String {
        self.write_as(path, bytes, None)
    }

    /// The same, by another account.
    pub fn write_as(&self, path: &str, bytes: &[u8], by: Option<&str>) -> String {
        let now = self.clock.now();
        self.world().write(path, bytes, by, now)
    }

    /// A document that cannot be downloaded.
    pub fn write_paper(&self, path: &str) -> String {
        let id = self.write(path, b"");
        let mut world = self.world();
        if let Some(Node {
            kind: Kind::File { export_only, .. },
            ..
        }) = world.nodes.get_mut(&id)
        {
            *export_only = true;
        }
        id
    }

    /// Makes a folder, and those on the way; its id.
    pub fn folder(&self, path: &str) -> String {
        self.world().folders(path).unwrap()
    }

    /// Makes a folder a shared one.
    pub fn share(&self, path: &str, number: &str) {
        self.world()
            .folder_at(path, |shared, _, _| *shared = Some(number.to_owned()));
    }

    /// Takes a shared folder away, or gives it back. Nothing is deleted by that.
    pub fn lose(&self, path: &str, gone: bool) {
        let mut world = self.world();
        let id = world.find(path).unwrap();
        world.folder_at(path, |_, lost, _| *lost = gone);
        let change = if gone {
            Change::Deleted(path.to_owned())
        } else {
            Change::Upsert(id)
        };
        world.journal.push(change);
    }

    pub fn traverse_only(&self, path: &str) {
        self.world()
            .folder_at(path, |_, _, traverse| *traverse = true);
    }

    /// Deletes a file or a folder with all that is in it: one entry for it all.
    pub fn delete(&self, path: &str) {
        let mut world = self.world();
        let id = world.find(path).unwrap();
        let told = Change::Deleted(world.path(&id));
        world.remove(&id);
        world.journal.push(told);
    }

    /// Puts another file in the place of one. Of the old one, no word is told.
    pub fn supplant(&self, path: &str, bytes: &[u8]) -> String {
        let id = self.world().find(path).unwrap();
        self.world().remove(&id);
        self.write(path, bytes)
    }

    /// Renames or moves; the two entries come in either order.
    pub fn move_to(&self, from: &str, to: &str, new_first: bool) {
        let mut world = self.world();
        let id = world.find(from).unwrap();
        let told = Change::Deleted(world.path(&id));
        let (parent, name) = to.rsplit_once('/').unwrap();
        let parent = world.folders(parent);
        let node = world.nodes.get_mut(&id).unwrap();
        (node.parent, node.name) = (parent, name.to_owned());
        let mut changes = vec![told];
        changes.extend(world.below(Some(&id)).into_iter().map(Change::Upsert));
        if new_first {
            changes.reverse();
        }
        world.journal.extend(changes);
    }

    /// Changes the case of a name. "Changes to only the casing of paths won't be returned."
    pub fn recase(&self, path: &str, name: &str) {
        let mut world = self.world();
        let id = world.find(path).unwrap();
        name.clone_into(&mut world.nodes.get_mut(&id).unwrap().name);
    }

    /// What an endpoint answers to this argument.
    pub fn answer(&self, route: &str, arg: &Value) -> Value {
        self.world().rpc(route, arg, "").unwrap()
    }

    /// The files of the whole Dropbox by path.
    pub fn files(&self) -> BTreeMap<String, Vec<u8>> {
        let world = self.world();
        let files = world
            .nodes
            .iter()
            .filter_map(|(id, node)| match &node.kind {
                Kind::File { bytes, .. } => Some((world.path(id), bytes.clone())),
                Kind::Folder { .. } => None,
            });
        files.collect()
    }

    pub fn ids(&self) -> BTreeSet<String> {
        let world = self.world();
        let files = world.nodes.iter();
        let files = files.filter(|(_, node)| matches!(node.kind, Kind::File { .. }));
        files.map(|(id, _)| id.clone()).collect()
    }

    pub fn path(&self, id: &str) -> String {
        self.world().path(id)
    }

    /// Revisions that were ever written.
    pub fn revisions(&self) -> usize {
        self.world().revisions.len()
    }

    fn world(&self) -> MutexGuard<'_, World> {
        self.world.lock().unwrap()
    }
}

fn iso(at: DateTime<Utc>) -> String {
    at.to_rfc3339_opts(SecondsFormat::Secs, true)
}

/// Dropbox's hash, written a second time from its description.
fn content_hash(bytes: &[u8]) -> String {
    let blocks = bytes.chunks(4_194_304).map(Sha256::digest);
    let digests: Vec<u8> = blocks.flat_map(|digest| digest.to_vec()).collect();
    hex(&Sha256::digest(digests))
}

fn refusal(summary: &str, error: Value) -> (u16, Value) {
    (
        409,
        json!({"error_summary": format!("{summary}/..."), "error": error}),
    )
}

/// There is nothing there, as the endpoints of `files` say it.
fn not_found() -> (u16, Value) {
    let error = json!({".tag": "path", "path": {".tag": "not_found"}});
    refusal("path/not_found", error)
}
