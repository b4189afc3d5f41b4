//! The tree of the fake Box, and how its things are described.

use chrono::{DateTime, Utc};
use serde_json::{Value, json};

use super::sha1::sha1;
use super::{Item, Source, World, iso};

impl World {
    fn make(
        &mut self,
        parent: &str,
        name: &str,
        bytes: Option<&[u8]>,
        now: DateTime<Utc>,
    ) -> String {
        self.made += 1;
        let item = Item {
            name: name.to_owned(),
            parent: parent.to_owned(),
            bytes: bytes.map(<[u8]>::to_vec),
            etag: 0,
            modified: now,
            by: ("1".to_owned(), "Ada Beispiel".to_owned()),
            trashed: false,
            purged: false,
            hidden: false,
        };
        let id = self.made.to_string();
        self.items.insert(id.clone(), item);
        id
    }

    /// What has this name in a folder, without regard to case.
    pub(super) fn child(&self, parent: &str, name: &str) -> Option<String> {
        let name = name.to_lowercase();
        let mut items = self.items.iter();
        let found = items.find(|(_, item)| {
            item.parent == parent
                && !item.trashed
                && !item.purged
                && item.name.to_lowercase() == name
        });
        found.map(|(id, _)| id.clone())
    }

    pub(super) fn folders(&mut self, path: &str, now: DateTime<Utc>) -> String {
        let mut at = "0".to_owned();
        for name in path.split('/').filter(|name| !name.is_empty()) {
            at = match self.child(&at, name) {
                Some(id) => id,
                None => self.make_folder(&at, name, now),
            };
        }
        at
    }

    pub(super) fn make_folder(&mut self, parent: &str, name: &str, now: DateTime<Utc>) -> String {
        let id = self.make(parent, name, None, now);
        self.tell("ITEM_CREATE", &id, now);
        id
    }

    pub(super) fn make_file(
        &mut self,
        parent: &str,
        name: &str,
        bytes: &[u8],
        now: DateTime<Utc>,
    ) -> String {
        let id = self.make(parent, name, Some(bytes), now);
        self.tell("ITEM_UPLOAD", &id, now);
        id
    }

    pub(super) fn write_path(&mut self, path: &str, bytes: &[u8], now: DateTime<Utc>) -> String {
        let (parent, name) = path.rsplit_once('/').unwrap_or(("", path));
        let parent = self.folders(parent, now);
        match self.child(&parent, name) {
            Some(id) => {
                self.edit(&id, bytes, ("2", "Otto Muster"), now);
                id
            }
            None => self.make_file(&parent, name, bytes, now),
        }
    }

    pub(super) fn edit(&mut self, id: &str, bytes: &[u8], by: (&str, &str), now: DateTime<Utc>) {
        let item = self.items.get_mut(id).unwrap();
        item.bytes = Some(bytes.to_vec());
        item.etag += 1;
        item.modified = now;
        item.by = (by.0.to_owned(), by.1.to_owned());
        self.tell("ITEM_UPLOAD", id, now);
    }

    pub(super) fn tell(&mut self, what: &str, id: &str, now: DateTime<Utc>) {
        let whole = self.whole(id);
        let mut slim = json!({"item_type": whole["type"], "item_id": id,
            "item_name": whole["name"], "parent": whole["parent"]});
        let source = match self.options.source {
            Source::Whole => whole,
            Source::Slim => slim,
            Source::Bare => {
                slim.as_object_mut().unwrap().remove("parent");
                slim
            }
            Source::Nothing => Value::Null,
        };
        let number = self.events.len();
        self.events
            .push(json!({"type": "event", "event_id": format!("e{number:08}"),
            "event_type": what, "created_at": iso(now), "recorded_at": iso(now),
            "created_by": {"type": "user", "id": "1", "name": "Ada Beispiel",
            "login": "ada@example.org"}, "source": source}));
    }

    /// The folders above an item, from the top.
    fn above(&self, id: &str) -> Vec<String> {
        let mut above = Vec::new();
        let mut at = self.items[id].parent.clone();
        while !at.is_empty() {
            above.push(at.clone());
            at = self.items[&at].parent.clone();
        }
        above.reverse();
        above
    }

    pub(super) fn path(&self, id: &str) -> String {
        let above = self.above(id);
        let way = above.iter().skip(1).map(String::as_str).chain([id]);
        way.map(|it| &*self.items[it].name)
            .collect::<Vec<_>>()
            .join("/")
    }

    fn with_above(&self, id: &str, test: impl Fn(&Item) -> bool) -> bool {
        test(&self.items[id]) || self.above(id).iter().any(|id| test(&self.items[id]))
    }

    pub(super) fn visible(&self, id: &str) -> bool {
        self.items.contains_key(id)
            && !self.with_above(id, |it| it.trashed || it.purged || it.hidden)
    }

    /// Whether it lies in the trash, with or without a folder above it.
    pub(super) fn is_trashed(&self, id: &str) -> bool {
        self.items.contains_key(id)
            && self.with_above(id, |it| it.trashed)
            && !self.with_above(id, |it| it.purged || it.hidden)
    }

    /// Whether it is to be seen in the trash: not when a folder above it was put there.
    pub(super) fn in_trash(&self, id: &str) -> bool {
        self.is_trashed(id)
            && self.items[id].trashed
            && !self.above(id).iter().any(|id| self.items[id].trashed)
    }

    fn mini_folder(&self, id: &str) -> Value {
        let item = &self.items[id];
        let mark = (id != "0").then(|| item.etag.to_string());
        json!({"type": "folder", "id": id, "sequence_id": mark, "etag": mark, "name": item.name})
    }

    /// `File--Full` or `Folder`, as far as it matters.
    pub(super) fn whole(&self, id: &str) -> Value {
        let item = &self.items[id];
        let above = self.above(id);
        let folders: Vec<Value> = above.iter().map(|id| self.mini_folder(id)).collect();
        let status = if item.trashed { "trashed" } else { "active" };
        let mut whole = json!({"id": id, "etag": item.etag.to_string(),
            "sequence_id": item.etag.to_string(), "name": item.name,
            "created_at": iso(item.modified), "modified_at": iso(item.modified),
            "content_modified_at": "2012-12-12T10:53:43-08:00",
            "modified_by": {"type": "user", "id": item.by.0, "name": item.by.1,
                "login": format!("{}@example.org", item.by.0)},
            "parent": folders.last(), "item_status": status,
            "path_collection": {"total_count": folders.len(), "entries": folders}});
        match &item.bytes {
            None => whole["type"] = json!("folder"),
            Some(bytes) => {
                whole["type"] = json!("file");
                whole["size"] = json!(bytes.len());
                whole["sha1"] = json!(sha1(bytes));
                let version = format!("9{id}{:03}", item.etag);
                whole["file_version"] = json!({"type": "file_version", "id": version,
                    "sha1": sha1(bytes)});
            }
        }
        if id == "0" {
            whole["etag"] = Value::Null;
            whole["sequence_id"] = Value::Null;
        }
        whole
    }

    /// The mini representation and the fields that were asked for.
    pub(super) fn chosen(&self, id: &str, fields: Option<&str>) -> Value {
        let mut whole = self.whole(id);
        let Some(fields) = fields else { return whole };
        let mut kept = vec!["type", "id", "etag", "sequence_id", "name"];
        if whole["type"] == "file" {
            kept.extend(["sha1", "file_version"]);
        }
        kept.extend(fields.split(','));
        whole
            .as_object_mut()
            .unwrap()
            .retain(|key, _| kept.contains(&key.as_str()));
        whole
    }
}
