//! A Box with files that tests change like people do, written from the OpenAPI description.
//!
//! Every change is an event that says what happened to which item. Tests may let events come
//! twice, out of order, slim, or without a source; folders may be taken away; what is in the trash
//! is to be seen there alone.

mod answers;
mod content;
mod sha1;
mod world;

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::sync::{Arc, Mutex, MutexGuard};

use axum::Router;
use chrono::{DateTime, FixedOffset, Utc};
use serde_json::{Value, json};
use stundenbuch_connectors::clock::{Clock as _, ManualClock};

pub const TOKEN: &str = "FakeBoxAccessTokenThatStandsNowhereElse0123456789";

/// The service; clones are the same service.
#[derive(Clone, Debug)]
pub struct Boxed {
    clock: ManualClock,
    world: Arc<Mutex<World>>,
}

#[derive(Debug)]
struct World {
    items: BTreeMap<String, Item>,
    events: Vec<Value>,
    /// Events before this one are forgotten.
    oldest: usize,
    made: u64,
    options: Options,
    /// Where downloads come from.
    abroad: String,
    asked: VecDeque<DateTime<Utc>>,
    refused: u32,
    /// So many uploads find the name reserved.
    reserved: u32,
    /// What a person writes while an upload is told to wait.
    meanwhile: Option<(String, Vec<u8>)>,
    /// So many downloads are not ready.
    unready: u32,
    /// Lists of folders show folders alone.
    lag: bool,
}

/// How the service behaves.
#[derive(Clone, Debug)]
pub struct Options {
    /// Items in one answer, at most.
    pub page: usize,
    /// Events in one answer, at most.
    pub chunk: usize,
    /// Every event comes twice.
    pub twice: bool,
    /// The newest events come first.
    pub backwards: bool,
    /// How much of its source an event has.
    pub source: Source,
    /// A trashed item is merely not found.
    pub vague: bool,
}

/// How much an event says of its item.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Source {
    Whole,
    /// `item_type`, `item_id`, `item_name`, and the folder.
    Slim,
    /// The same without the folder.
    Bare,
    Nothing,
}

#[derive(Clone, Debug)]
struct Item {
    name: String,
    parent: String,
    /// `None` for a folder.
    bytes: Option<Vec<u8>>,
    etag: u64,
    modified: DateTime<Utc>,
    by: (String, String),
    trashed: bool,
    purged: bool,
    hidden: bool,
}

impl Boxed {
    pub fn new(clock: ManualClock) -> Self {
        let root = Item {
            name: "All Files".to_owned(),
            parent: String::new(),
            bytes: None,
            etag: 0,
            modified: clock.now(),
            by: ("1".to_owned(), "Ada Beispiel".to_owned()),
            trashed: false,
            purged: false,
            hidden: false,
        };
        let world = World {
            items: BTreeMap::from([("0".to_owned(), root)]),
            events: Vec::new(),
            oldest: 0,
            made: 1_280_000_000_000,
            options: Options {
                page: 1000,
                chunk: 500,
                twice: false,
                backwards: false,
                source: Source::Whole,
                vague: false,
            },
            abroad: String::new(),
            asked: VecDeque::new(),
            refused: 0,
            reserved: 0,
            meanwhile: None,
            unready: 0,
            lag: false,
        };
        Self {
            clock,
            world: Arc::new(Mutex::new(world)),
        }
    }

    /// The API under `/2.0`, uploads under `/upload`.
    pub fn router(&self) -> Router {
        Router::new()
            .fallback(answers::answer)
            .with_state(self.clone())
    }

    /// The other host that downloads come from. It refuses whoever shows a credential.
    pub fn downloads(&self) -> Router {
        Router::new()
            .fallback(content::abroad)
            .with_state(self.clone())
    }

    pub fn download_from(&self, base: &str) {
        base.clone_into(&mut self.world().abroad);
    }

    pub fn options(&self, change: impl FnOnce(&mut Options)) {
        change(&mut self.world().options);
    }

    /// How many requests were refused with 429.
    pub fn refused(&self) -> u32 {
        self.world().refused
    }

    pub fn reserve(&self, uploads: u32) {
        self.world().reserved = uploads;
    }

    /// A person writes while the next upload is told to wait.
    pub fn write_meanwhile(&self, path: &str, bytes: &[u8]) {
        let mut world = self.world();
        world.reserved = 1;
        world.meanwhile = Some((path.to_owned(), bytes.to_vec()));
    }

    pub fn unready(&self, downloads: u32) {
        self.world().unready = downloads;
    }

    /// Lists of folders do not show files yet.
    pub fn lag(&self) {
        self.world().lag = true;
    }

    /// Forgets all events so far.
    pub fn forget_events(&self) {
        let mut world = self.world();
        world.oldest = world.events.len() + 1;
    }

    /// Makes a folder, and those on the way; its id.
    pub fn folder(&self, path: &str) -> String {
        let now = self.clock.now();
        self.world().folders(path, now)
    }

    /// Writes a file as a person does, with the folders on the way; its id.
    pub fn write(&self, path: &str, bytes: &[u8]) -> String {
        let now = self.clock.now();
        self.world().write_path(path, bytes, now)
    }

    /// Writes into a file that is there.
    pub fn edit(&self, id: &str, bytes: &[u8]) {
        let now = self.clock.now();
        self.world().edit(id, bytes, ("2", "Otto Muster"), now);
    }

    /// Moves or renames a file or a folder. Of what lies below a folder, nothing is told.
    pub fn move_to(&self, id: &str, path: &str) {
        let now = self.clock.now();
        let mut world = self.world();
        let (parent, name) = path.rsplit_once('/').unwrap();
        let parent = world.folders(parent, now);
        let item = world.items.get_mut(id).unwrap();
        let what = if item.parent == parent {
            "ITEM_RENAME"
        } else {
            "ITEM_MOVE"
        };
        (item.parent, item.name) = (parent, name.to_owned());
        item.etag += 1;
        world.tell(what, id, now);
    }

    /// Puts a file or a folder into the trash: one event.
    pub fn trash(&self, id: &str) {
        let now = self.clock.now();
        let mut world = self.world();
        world.items.get_mut(id).unwrap().trashed = true;
        world.tell("ITEM_TRASH", id, now);
    }

    pub fn restore(&self, id: &str) {
        let now = self.clock.now();
        let mut world = self.world();
        world.items.get_mut(id).unwrap().trashed = false;
        world.tell("ITEM_UNDELETE_VIA_TRASH", id, now);
    }

    /// Deletes for good, without a word.
    pub fn purge(&self, id: &str) {
        self.world().items.get_mut(id).unwrap().purged = true;
    }

    /// Takes the account off a folder, or lets it on again. Nothing is deleted by that.
    pub fn hide(&self, id: &str, hidden: bool) {
        let now = self.clock.now();
        let mut world = self.world();
        world.items.get_mut(id).unwrap().hidden = hidden;
        let what = if hidden {
            "COLLAB_REMOVE_COLLABORATOR"
        } else {
            "COLLAB_ADD_COLLABORATOR"
        };
        world.tell(what, id, now);
    }

    /// The files that are there, by path.
    pub fn files(&self) -> BTreeMap<String, Vec<u8>> {
        let world = self.world();
        let there = world.items.iter().filter(|(id, _)| world.visible(id));
        there
            .filter_map(|(id, it)| Some((world.path(id), it.bytes.clone()?)))
            .collect()
    }

    pub fn ids(&self) -> BTreeSet<String> {
        let world = self.world();
        let files = world.items.iter().filter(|(_, item)| item.bytes.is_some());
        files
            .filter(|(id, _)| world.visible(id))
            .map(|(id, _)| id.clone())
            .collect()
    }

    pub fn path(&self, id: &str) -> String {
        self.world().path(id)
    }

    /// Folders, the top included.
    pub fn folders(&self) -> usize {
        self.world()
            .items
            .values()
            .filter(|item| item.bytes.is_none())
            .count()
    }

    /// What the API answers to this address.
    pub fn get(&self, path: &str, query: &[(&str, &str)]) -> Value {
        let asked = query
            .iter()
            .map(|(key, it)| ((*key).to_owned(), (*it).to_owned()))
            .collect();
        let now = self.clock.now();
        self.world()
            .get(path, &asked, now)
            .unwrap_or_else(|(_, body)| body)
    }

    fn world(&self) -> MutexGuard<'_, World> {
        self.world.lock().unwrap()
    }
}

/// As Box writes instants: with an offset, to the second.
fn iso(at: DateTime<Utc>) -> String {
    let west = FixedOffset::west_opt(8 * 3600).unwrap();
    at.with_timezone(&west)
        .format("%Y-%m-%dT%H:%M:%S%:z")
        .to_string()
}

type Refused = (u16, Value);

/// A `ClientError`.
fn refusal(status: u16, code: &str) -> Refused {
    let body = json!({"type": "error", "status": status, "code": code, "message": "…",
        "help_url": "https://developer.box.com/guides/api-calls/permissions-and-errors/",
        "request_id": "abcdef123456"});
    (status, body)
}
