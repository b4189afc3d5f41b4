//! A Google Drive with folders that tests change like people do, and limits that it enforces.
//!
//! Written from the vendor's discovery document (Drive API v3, revision 20261106) and the guides
//! "Retrieve changes", "Search for files" and "Upload file data". It answers the fields that were
//! asked for and no others; it tells of a trashed, moved or renamed folder and not of what lies
//! in it; a file occurs once in the feed, with its latest state; its searches may lag behind.

mod api;
mod query;
mod upload;

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::sync::{Arc, Mutex, MutexGuard};

use axum::Router;
use chrono::{DateTime, SecondsFormat, TimeDelta, Utc};
use serde_json::{Value, json};
use sha2::{Digest as _, Sha256};
use stundenbuch_connectors::clock::{Clock as _, ManualClock};
use stundenbuch_connectors::login::{Stored, Tokens};
use stundenbuch_connectors::secret::Secret;

/// The access token that is good.
pub const TOKEN: &str = "ya29.fake-0f1e2d3c4b5a69788796a5b4c3d2e1f0";

pub const FOLDER: &str = "application/vnd.google-apps.folder";
const SHORTCUT: &str = "application/vnd.google-apps.shortcut";
const DOCUMENT: &str = "application/vnd.google-apps.document";

/// The service; clones are the same service.
#[derive(Clone, Debug)]
pub struct Drive {
    clock: ManualClock,
    world: Arc<Mutex<World>>,
}

/// What a login stores: the token that is good.
pub fn login() -> Stored {
    Stored::Tokens(Tokens {
        access: Secret::new(TOKEN),
        expires_at: None,
        refresh: None,
        previous: None,
    })
}

/// What an answer was, for a test that holds all of them against the vendor's description.
#[derive(Clone, Debug)]
pub struct Answered {
    pub method: String,
    pub path: String,
    pub query: Vec<(String, String)>,
    pub status: u16,
    pub body: Value,
}

/// How this Drive behaves, where real ones differ.
#[expect(clippy::struct_excessive_bools, reason = "each is a switch of its own")]
#[derive(Clone, Debug)]
pub struct Ways {
    /// The most files in one answer, whatever was asked for.
    pub files_at_once: usize,
    pub changes_at_once: usize,
    /// How long a search does not know of what was made.
    pub lag: TimeDelta,
    /// A question about several folders is answered with nothing.
    pub or_finds_nothing: bool,
    /// `incompleteSearch` is set.
    pub incomplete: bool,
    /// The account is a service account, which has no storage.
    pub no_storage: bool,
    /// The account may read only.
    pub read_only: bool,
    /// A folder that is deleted for good takes what lies in it without a word.
    pub silent_below: bool,
    /// Page tokens of the feed that were given out before are not known any more.
    pub forgot_the_feed: bool,
    /// Page tokens of listings are not known any more, so many times.
    pub forget_pages: u32,
}

#[derive(Debug)]
struct World {
    items: BTreeMap<String, Item>,
    /// Which file changed, oldest first; the place in it is the feed's token.
    log: Vec<String>,
    made: u64,
    generated: BTreeSet<String>,
    sessions: BTreeMap<String, upload::Session>,
    ways: Ways,
    recent: VecDeque<DateTime<Utc>>,
    written: VecDeque<DateTime<Utc>>,
    refused: u32,
    answers: Vec<Answered>,
}

/// A file, folder, document or shortcut.
#[derive(Clone, Debug)]
struct Item {
    name: String,
    mime: String,
    parent: Option<String>,
    drive: Option<String>,
    trashed: bool,
    /// Not shared with us any more.
    hidden: bool,
    /// Deleted for good.
    dead: bool,
    bytes: Option<Vec<u8>>,
    /// What a search that lags behind still takes for its content.
    before: Option<Vec<u8>>,
    revision: u64,
    version: u64,
    created: DateTime<Utc>,
    modified: DateTime<Utc>,
    app: BTreeMap<String, String>,
    target: Option<String>,
    /// When searches begin to know of it.
    listed_from: DateTime<Utc>,
}

impl Drive {
    /// A drive of one's own, with a folder that was shared; the folder's id.
    pub fn new(clock: ManualClock) -> (Self, String) {
        let world = World {
            items: BTreeMap::new(),
            log: Vec::new(),
            made: 0,
            generated: BTreeSet::new(),
            sessions: BTreeMap::new(),
            ways: Ways {
                files_at_once: 1_000,
                changes_at_once: 1_000,
                lag: TimeDelta::zero(),
                or_finds_nothing: false,
                incomplete: false,
                no_storage: false,
                read_only: false,
                silent_below: false,
                forgot_the_feed: false,
                forget_pages: 0,
            },
            recent: VecDeque::new(),
            written: VecDeque::new(),
            refused: 0,
            answers: Vec::new(),
        };
        let drive = Self {
            clock,
            world: Arc::new(Mutex::new(world)),
        };
        let top = drive.add("", "Meine Ablage", FOLDER, None);
        let shared = drive.add(&top, "Kunde Nord", FOLDER, None);
        (drive, shared)
    }

    /// The API under `/drive/v3` and `/upload/drive/v3`, as at the vendor.
    pub fn router(&self) -> Router {
        Router::new().fallback(api::answer).with_state(self.clone())
    }

    /// Changes how this Drive behaves.
    pub fn behave(&self, change: impl FnOnce(&mut Ways)) {
        change(&mut self.world().ways);
    }

    /// How many requests were refused for being too many.
    pub fn refused(&self) -> u32 {
        self.world().refused
    }

    /// Every answer so far.
    pub fn answers(&self) -> Vec<Answered> {
        self.world().answers.clone()
    }

    /// A shared drive; its id is also that of its top folder.
    pub fn add_shared_drive(&self, name: &str) -> String {
        let id = self.add("", name, FOLDER, None);
        let mut world = self.world();
        let item = world.items.get_mut(&id).unwrap();
        item.drive = Some(id.clone());
        id
    }

    pub fn add_folder(&self, parent: &str, name: &str) -> String {
        self.add(parent, name, FOLDER, None)
    }

    pub fn add_file(&self, parent: &str, name: &str, content: &str) -> String {
        self.add(
            parent,
            name,
            "text/plain",
            Some(content.as_bytes().to_vec()),
        )
    }

    /// A document of Google's own.
    pub fn add_document(&self, parent: &str, name: &str) -> String {
        self.add(parent, name, DOCUMENT, None)
    }

    pub fn add_shortcut(&self, parent: &str, name: &str, target: &str) -> String {
        let id = self.add(parent, name, SHORTCUT, None);
        self.world().items.get_mut(&id).unwrap().target = Some(target.to_owned());
        id
    }

    pub fn edit(&self, id: &str, content: &str) {
        let now = self.clock.now();
        self.change(id, |item| {
            item.write(content.as_bytes().to_vec(), now);
        });
    }

    pub fn rename(&self, id: &str, name: &str) {
        self.change(id, |item| name.clone_into(&mut item.name));
    }

    pub fn move_to(&self, id: &str, parent: &str) {
        let drive = self
            .world()
            .items
            .get(parent)
            .and_then(|item| item.drive.clone());
        self.change(id, |item| item.parent = Some(parent.to_owned()));
        let mut world = self.world();
        for inner in world.below(id) {
            world
                .items
                .get_mut(&inner)
                .unwrap()
                .drive
                .clone_from(&drive);
        }
    }

    /// Puts something into the trash, or takes it out.
    pub fn trash(&self, id: &str, trashed: bool) {
        self.change(id, |item| item.trashed = trashed);
    }

    /// Deletes for good, as emptying the trash does.
    pub fn delete_for_good(&self, id: &str) {
        self.with_all_below(id, |item| item.dead = true);
    }

    /// Takes our access away, or gives it back.
    pub fn hide(&self, id: &str, hidden: bool) {
        self.with_all_below(id, |item| item.hidden = hidden);
    }

    /// Something is changed that nobody sees, as `version` counts it.
    pub fn touch(&self, id: &str) {
        self.change(id, |_| {});
    }

    /// The ids of what lies below a folder and is no folder.
    pub fn files_below(&self, folder: &str) -> BTreeSet<String> {
        let world = self.world();
        let live = |id: &&String| world.is_live(id) && world.items[*id].mime != FOLDER;
        world.below(folder).iter().filter(live).cloned().collect()
    }

    /// The bytes of what lies below a folder, by path. Two of the same path are told apart.
    pub fn contents(&self, folder: &str) -> BTreeMap<String, Vec<u8>> {
        let world = self.world();
        let mut contents = BTreeMap::new();
        for id in world.below(folder) {
            let item = &world.items[&id];
            let Some(bytes) = item.bytes.clone().filter(|_| world.is_live(&id)) else {
                continue;
            };
            let path = world.path(&id, folder);
            let path = if contents.contains_key(&path) {
                format!("{path} [{id}]")
            } else {
                path
            };
            contents.insert(path, bytes);
        }
        contents
    }

    /// How many folders of that name lie in a folder.
    pub fn folders_named(&self, parent: &str, name: &str) -> usize {
        let world = self.world();
        let mut ids = world
            .items
            .keys()
            .filter(|id| world.is_live(id))
            .collect::<Vec<_>>();
        ids.retain(|id| {
            let item = &world.items[*id];
            item.mime == FOLDER && item.parent.as_deref() == Some(parent) && item.name == name
        });
        ids.len()
    }

    fn add(&self, parent: &str, name: &str, mime: &str, bytes: Option<Vec<u8>>) -> String {
        let now = self.clock.now();
        let mut world = self.world();
        let id = world.fresh_id();
        let drive = world.items.get(parent).and_then(|item| item.drive.clone());
        let parent = Some(parent.to_owned()).filter(|parent| !parent.is_empty());
        let mut item = Item::new(name, mime, parent, now);
        (item.drive, item.bytes) = (drive, bytes);
        world.items.insert(id.clone(), item);
        world.tell(&id);
        id
    }

    fn change(&self, id: &str, change: impl FnOnce(&mut Item)) {
        let mut world = self.world();
        change(world.items.get_mut(id).unwrap());
        world.tell(id);
    }

    fn with_all_below(&self, id: &str, change: impl Fn(&mut Item)) {
        let mut world = self.world();
        let silent = world.ways.silent_below;
        for inner in world.below(id) {
            change(world.items.get_mut(&inner).unwrap());
            if inner == id || !silent {
                world.tell(&inner);
            }
        }
    }

    /// The address that gives tokens for signed statements (RFC 7523).
    fn token(&self, form: &str, audience: &str) -> Result<Value, &'static str> {
        let assertion = form
            .split('&')
            .find_map(|pair| pair.strip_prefix("assertion="))
            .ok_or("no assertion")?;
        let claims = assertion
            .split('.')
            .nth(1)
            .and_then(base64url)
            .ok_or("no claims")?;
        let claims: Value = serde_json::from_slice(&claims).map_err(|_| "no JSON")?;
        let times = [&claims["iat"], &claims["exp"]].map(Value::as_i64);
        let [Some(issued), Some(ends)] = times else {
            return Err("no times");
        };
        let now = self.clock.now().timestamp();
        let good = claims["aud"] == audience && claims["iss"].is_string();
        // "A maximum of 1 hour after the issued time"; clocks may differ by five minutes.
        if !good || (issued - now).abs() > 300 || !(issued..=issued + 3_600).contains(&ends) {
            return Err("Invalid JWT");
        }
        Ok(json!({"access_token": TOKEN, "expires_in": 3599, "token_type": "Bearer"}))
    }

    fn world(&self) -> MutexGuard<'_, World> {
        self.world.lock().unwrap()
    }
}

impl Item {
    fn new(name: &str, mime: &str, parent: Option<String>, now: DateTime<Utc>) -> Self {
        Self {
            name: name.to_owned(),
            mime: mime.to_owned(),
            parent,
            drive: None,
            trashed: false,
            hidden: false,
            dead: false,
            bytes: None,
            before: None,
            revision: 1,
            version: 1,
            created: now,
            modified: now,
            app: BTreeMap::new(),
            target: None,
            listed_from: now,
        }
    }
}

impl Item {
    fn write(&mut self, bytes: Vec<u8>, now: DateTime<Utc>) {
        self.before = self.bytes.replace(bytes);
        self.revision += 1;
        self.modified = now;
    }
}

impl World {
    fn fresh_id(&mut self) -> String {
        self.made += 1;
        let hash = hex(&Sha256::digest(self.made.to_le_bytes()));
        format!("1{}", &hash[..32])
    }

    /// Puts a change into the feed.
    fn tell(&mut self, id: &str) {
        self.log.push(id.to_owned());
        if let Some(item) = self.items.get_mut(id) {
            item.version += 1;
        }
    }

    /// This and everything below it.
    fn below(&self, id: &str) -> Vec<String> {
        let mut found = vec![id.to_owned()];
        let mut at = 0;
        while at < found.len() {
            let parent = found[at].clone();
            let inner = self.items.iter();
            let inner = inner.filter(|(_, item)| item.parent.as_ref() == Some(&parent));
            found.extend(inner.map(|(id, _)| id.clone()));
            at += 1;
        }
        found
    }

    fn is_visible(&self, id: &str) -> bool {
        self.items
            .get(id)
            .is_some_and(|item| !item.hidden && !item.dead)
    }

    fn is_live(&self, id: &str) -> bool {
        self.is_visible(id) && !self.is_trashed(id)
    }

    /// Trashed itself, or with a folder above it.
    fn is_trashed(&self, id: &str) -> bool {
        let Some(item) = self.items.get(id) else {
            return false;
        };
        item.trashed
            || item
                .parent
                .as_deref()
                .is_some_and(|parent| self.is_trashed(parent))
    }

    fn path(&self, id: &str, root: &str) -> String {
        let item = &self.items[id];
        match item.parent.as_deref() {
            Some(parent) if parent != root => format!("{}/{}", self.path(parent, root), item.name),
            _ => item.name.clone(),
        }
    }

    /// A file as a search has it, which may not know of its last change yet.
    fn show_listed(&self, id: &str, now: DateTime<Utc>) -> Value {
        let item = &self.items[id];
        match &item.before {
            Some(before) if item.modified + self.ways.lag > now => {
                let bytes = Some(before.clone());
                self.show_item(
                    id,
                    &Item {
                        bytes,
                        ..item.clone()
                    },
                )
            }
            _ => self.show_item(id, item),
        }
    }

    /// A file as the API describes it, all fields.
    fn show(&self, id: &str) -> Value {
        self.show_item(id, &self.items[id])
    }

    fn show_item(&self, id: &str, item: &Item) -> Value {
        let person = json!({"kind": "drive#user", "displayName": "Erika Müßig", "me": false,
            "permissionId": "01234567890123456789", "emailAddress": "erika@example.com"});
        let mut file = json!({
            "kind": "drive#file", "id": id, "name": item.name, "mimeType": item.mime,
            "trashed": self.is_trashed(id), "explicitlyTrashed": item.trashed,
            "createdTime": instant(item.created), "modifiedTime": instant(item.modified),
            "version": item.version.to_string(),
            "lastModifyingUser": person, "appProperties": item.app,
            "capabilities": {"canAddChildren": item.mime == FOLDER && !self.ways.read_only,
                "canEdit": !self.ways.read_only, "canDownload": true},
        });
        // "Parents" are shown as far as they can be seen.
        if let Some(parent) = item
            .parent
            .as_deref()
            .filter(|parent| self.is_visible(parent))
        {
            file["parents"] = json!([parent]);
        }
        if let Some(drive) = &item.drive {
            file["driveId"] = json!(drive);
            if item.trashed {
                file["trashedTime"] = json!(instant(item.modified));
            }
        }
        if let Some(bytes) = &item.bytes {
            let sha256 = hex(&Sha256::digest(bytes));
            file["size"] = json!(bytes.len().to_string());
            file["sha256Checksum"] = json!(sha256);
            // As long as an MD5, and as different for different bytes.
            file["md5Checksum"] = json!(sha256[..32]);
            file["headRevisionId"] = json!(format!("0B{id}{}", item.revision));
        }
        if item.mime == DOCUMENT {
            file["size"] = json!("1024");
        }
        if let Some(target) = &item.target {
            let mime = self
                .items
                .get(target)
                .map_or("text/plain", |item| &item.mime);
            file["shortcutDetails"] = json!({"targetId": target, "targetMimeType": mime});
        }
        file
    }
}

fn base64url(text: &str) -> Option<Vec<u8>> {
    let signs = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
    let (mut bits, mut count, mut bytes) = (0_u32, 0, Vec::new());
    for sign in text.chars() {
        bits = bits << 6 | u32::try_from(signs.find(sign)?).ok()?;
        count += 6;
        if count >= 8 {
            count -= 8;
            bytes.push(u8::try_from(bits >> count & 255).ok()?);
        }
    }
    Some(bytes)
}

fn instant(at: DateTime<Utc>) -> String {
    at.to_rfc3339_opts(SecondsFormat::Millis, true)
}

fn hex(bytes: &[u8]) -> String {
    bytes
        .iter()
        .fold(String::new(), |text, byte| text + &format!("{byte:02x}"))
}
