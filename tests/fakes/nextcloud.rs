//! A Nextcloud with files that tests change like people do: tags that change in every folder
//! around a change, numbers that stay, a trash bin, a log of activities, mounts.
//!
//! It answers what the manuals describe and what a sabre server was recorded to answer: only the
//! properties that were asked for, several `propstat`, `Depth: infinity` silently taken as 1.

mod answers;

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex, MutexGuard};

use axum::Router;
use chrono::{DateTime, Utc};
use stundenbuch_connectors::clock::{Clock as _, ManualClock};

pub const USER: &str = "anna";
pub const PASSWORD: &str = "Canar-yCana-ryCan-aryCa";
/// The word in the public link.
pub const SHARE: &str = "AbCdEfGh1234";

const ROOT: u64 = 100;

/// The service; clones are the same service.
#[derive(Clone, Debug)]
pub struct Nextcloud {
    clock: ManualClock,
    world: Arc<Mutex<World>>,
}

#[derive(Debug)]
struct World {
    nodes: BTreeMap<u64, Node>,
    made: u64,
    /// Deleted files and folders by number, with the time.
    trash: BTreeMap<u64, DateTime<Utc>>,
    log: Vec<Activity>,
    fingerprint: String,
    /// Folders that may not be read, by path, with the status.
    hidden: BTreeMap<String, u16>,
    maintenance: bool,
    /// Parts that the administrator switched off; `conditions` stands for keeping them.
    off: BTreeSet<String>,
    /// The folder that the public link shows.
    shared: Option<u64>,
    /// Wrong passwords that came.
    refusals: u32,
    /// What is done right before the next request of a method is answered.
    before: Vec<(&'static str, Act)>,
    full: bool,
    locked: u32,
}

type Act = fn(&Nextcloud);

#[derive(Clone, Debug)]
struct Node {
    name: String,
    up: u64,
    /// `None` for a folder.
    content: Option<Vec<u8>>,
    etag: u64,
    changed: DateTime<Utc>,
    mount: Option<&'static str>,
    mount_root: bool,
}

#[derive(Clone, Debug)]
struct Activity {
    id: u64,
    kind: &'static str,
    user: String,
    file: u64,
    at: DateTime<Utc>,
}

impl Nextcloud {
    pub fn new(clock: ManualClock) -> Self {
        let root = Node {
            name: String::new(),
            up: 0,
            content: None,
            etag: 1,
            changed: clock.now(),
            mount: None,
            mount_root: false,
        };
        let world = World {
            nodes: BTreeMap::from([(ROOT, root)]),
            made: ROOT,
            trash: BTreeMap::new(),
            log: Vec::new(),
            fingerprint: String::new(),
            hidden: BTreeMap::new(),
            maintenance: false,
            off: BTreeSet::new(),
            shared: None,
            refusals: 0,
            before: Vec::new(),
            full: false,
            locked: 0,
        };
        Self {
            clock,
            world: Arc::new(Mutex::new(world)),
        }
    }

    pub fn router(&self) -> Router {
        Router::new()
            .fallback(answers::answer)
            .with_state(self.clone())
    }

    /// Writes a file as a user does, making the folders around it; its number.
    pub fn write(&self, user: &str, path: &str, content: &str) -> u64 {
        let (folders, name) = path.rsplit_once('/').unwrap_or(("", path));
        let folder = self.folder(folders);
        let id = self
            .world()
            .put(folder, name, content.as_bytes(), self.clock.now());
        let known = self.world().log.iter().any(|it| it.file == id);
        self.act(
            if known {
                "file_changed"
            } else {
                "file_created"
            },
            user,
            id,
        );
        id
    }

    /// Makes a folder and those around it; its number.
    pub fn folder(&self, path: &str) -> u64 {
        let now = self.clock.now();
        let mut world = self.world();
        let mut at = ROOT;
        for name in path.split('/').filter(|name| !name.is_empty()) {
            at = match world.child(at, name) {
                Some(id) => id,
                None => world.add(at, name, None, now),
            };
        }
        at
    }

    /// Mounts a folder of others: `shared`, `group` or `external`; its number.
    pub fn mount(&self, path: &str, kind: &'static str) -> u64 {
        let id = self.folder(path);
        let mut world = self.world();
        let node = world.nodes.get_mut(&id).unwrap();
        (node.mount, node.mount_root) = (Some(kind), true);
        id
    }

    /// Shares one file of others into a folder.
    pub fn mount_file(&self, path: &str, content: &str) -> u64 {
        let id = self.write("bert", path, content);
        let mut world = self.world();
        let node = world.nodes.get_mut(&id).unwrap();
        (node.mount, node.mount_root) = (Some("shared"), true);
        id
    }

    /// Deletes as a user does: into the bin.
    pub fn delete(&self, id: u64) {
        let now = self.clock.now();
        let mut world = self.world();
        world.touch(id);
        if world.has("bin") {
            world.trash.insert(id, now);
        }
        world.remove(id);
    }

    pub fn empty_bin(&self) {
        self.world().trash.clear();
    }

    /// Takes something away without a word: a share that ended, or a rule that hides.
    pub fn take_away(&self, id: u64) {
        self.world().touch(id);
        self.world().remove(id);
    }

    pub fn rename(&self, id: u64, path: &str) {
        let (folders, name) = path.rsplit_once('/').unwrap_or(("", path));
        let folder = self.folder(folders);
        let mut world = self.world();
        world.touch(id);
        let node = world.nodes.get_mut(&id).unwrap();
        let etag = node.etag;
        (node.up, node.name) = (folder, name.to_owned());
        world.touch(id);
        // Its own tag stays: only the folders around it have changed.
        world.nodes.get_mut(&id).unwrap().etag = etag;
    }

    /// Changes a file behind the server's back, as on an external storage.
    pub fn change_behind(&self, path: &str, content: &str) {
        let id = self.world().find(ROOT, path).unwrap();
        let (now, mut world) = (self.clock.now(), self.world());
        world.made += 1;
        let etag = world.made;
        let node = world.nodes.get_mut(&id).unwrap();
        (node.content, node.etag, node.changed) = (Some(content.into()), etag, now);
    }

    /// Takes the whole server back to an earlier state.
    pub fn restore(&self, earlier: &Self, fingerprint: &str) {
        let nodes = earlier.world().nodes.clone();
        let mut world = self.world();
        world.nodes = nodes;
        fingerprint.clone_into(&mut world.fingerprint);
        world.touch(ROOT);
    }

    /// The same files, in another service.
    pub fn copy(&self) -> Self {
        let other = Self::new(self.clock.clone());
        let (from, mut to) = (self.world(), other.world());
        (to.nodes, to.made) = (from.nodes.clone(), from.made);
        drop(to);
        drop(from);
        other
    }

    /// Answers every request for a folder with this status; 0 ends it.
    pub fn hide(&self, path: &str, status: u16) {
        let mut world = self.world();
        match status {
            0 => world.hidden.remove(path),
            status => world.hidden.insert(path.to_owned(), status),
        };
    }

    /// A minute passes.
    pub fn tick(&self) {
        self.clock.advance(std::time::Duration::from_mins(1));
    }

    pub fn maintain(&self, on: bool) {
        self.world().maintenance = on;
    }

    /// Switches parts of the server off, as an administrator can.
    pub fn without(&self, part: &str) {
        self.world().off.insert(part.to_owned());
    }

    /// There is no room left.
    pub fn fill(&self) {
        self.world().full = true;
    }

    /// The next `times` attempts to write find the file locked.
    pub fn lock(&self, times: u32) {
        self.world().locked = times;
    }

    /// Shares a folder by the public link.
    pub fn share(&self, path: &str) {
        let id = self.folder(path);
        self.world().shared = Some(id);
    }

    /// Does something right before the next request with this method is answered.
    pub fn before(&self, method: &'static str, act: Act) {
        self.world().before.push((method, act));
    }

    pub fn refusals(&self) -> u32 {
        self.world().refusals
    }

    /// Every file below a folder, by path.
    pub fn files(&self, below: &str) -> BTreeMap<String, Vec<u8>> {
        let world = self.world();
        let Some(from) = world.find(ROOT, below) else {
            return BTreeMap::new();
        };
        let files = world.nodes.iter().filter_map(|(id, node)| {
            let content = node.content.clone()?;
            Some((world.path(*id, from)?, content))
        });
        files.collect()
    }

    /// The numbers of all files.
    pub fn ids(&self) -> Vec<u64> {
        let world = self.world();
        let files = world
            .nodes
            .iter()
            .filter(|(_, node)| node.content.is_some());
        files.map(|(id, _)| *id).collect()
    }

    pub fn find(&self, path: &str) -> Option<u64> {
        self.world().find(ROOT, path)
    }

    /// Writes an entry into the log of activities.
    pub fn act(&self, kind: &'static str, user: &str, file: u64) {
        let at = self.clock.now();
        let mut world = self.world();
        let id = world.log.len() as u64 + 1;
        let user = user.to_owned();
        world.log.push(Activity {
            id,
            kind,
            user,
            file,
            at,
        });
    }

    fn world(&self) -> MutexGuard<'_, World> {
        self.world.lock().unwrap()
    }
}

impl World {
    fn has(&self, part: &str) -> bool {
        !self.off.contains(part)
    }

    fn child(&self, up: u64, name: &str) -> Option<u64> {
        let mut nodes = self.nodes.iter();
        nodes
            .find(|(_, node)| node.up == up && node.name == name)
            .map(|(id, _)| *id)
    }

    fn children(&self, up: u64) -> Vec<u64> {
        let nodes = self.nodes.iter().filter(|(_, node)| node.up == up);
        nodes.map(|(id, _)| *id).collect()
    }

    fn find(&self, from: u64, path: &str) -> Option<u64> {
        let mut names = path.split('/').filter(|name| !name.is_empty());
        names.try_fold(from, |at, name| self.child(at, name))
    }

    /// The path below a folder; `None` for what is not in it.
    fn path(&self, id: u64, from: u64) -> Option<String> {
        if id == from {
            return Some(String::new());
        }
        let node = self.nodes.get(&id)?;
        let above = self.path(node.up, from)?;
        Some(match above.as_str() {
            "" => node.name.clone(),
            above => format!("{above}/{}", node.name),
        })
    }

    fn add(&mut self, up: u64, name: &str, content: Option<Vec<u8>>, now: DateTime<Utc>) -> u64 {
        self.made += 1;
        let id = self.made;
        let mount = self.nodes[&up].mount;
        let node = Node {
            name: name.to_owned(),
            up,
            content,
            etag: 0,
            changed: now,
            mount,
            mount_root: false,
        };
        self.nodes.insert(id, node);
        self.touch(id);
        id
    }

    fn put(&mut self, up: u64, name: &str, content: &[u8], now: DateTime<Utc>) -> u64 {
        let Some(id) = self.child(up, name) else {
            return self.add(up, name, Some(content.to_vec()), now);
        };
        let node = self.nodes.get_mut(&id).unwrap();
        (node.content, node.changed) = (Some(content.to_vec()), now);
        self.touch(id);
        id
    }

    /// Another tag, here and in every folder around.
    fn touch(&mut self, id: u64) {
        self.made += 1;
        let (etag, mut at) = (self.made, id);
        while let Some(node) = self.nodes.get_mut(&at) {
            node.etag = etag;
            at = node.up;
        }
    }

    fn remove(&mut self, id: u64) {
        for child in self.children(id) {
            self.remove(child);
        }
        self.nodes.remove(&id);
    }
}
