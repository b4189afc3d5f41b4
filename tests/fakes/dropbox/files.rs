//! The tree of the fake Dropbox, and how its things are described.

use chrono::{DateTime, Utc};
use serde_json::{Value, json};

use super::{Change, Kind, Node, World, content_hash, iso};

impl World {
    pub(super) fn make_id(&mut self) -> String {
        self.made += 1;
        format!("id:Fake_{:016}", self.made)
    }

    fn child(&self, parent: Option<&str>, name: &str) -> Option<String> {
        let name = name.to_lowercase();
        let mut nodes = self.nodes.iter();
        let found = nodes
            .find(|(_, node)| node.parent.as_deref() == parent && node.name.to_lowercase() == name);
        found.map(|(id, _)| id.clone())
    }

    /// The thing at a path, in the whole space.
    pub(super) fn find(&self, path: &str) -> Option<String> {
        let mut at: Option<String> = None;
        for name in path.split('/').filter(|name| !name.is_empty()) {
            at = Some(self.child(at.as_deref(), name)?);
        }
        at
    }

    pub(super) fn path(&self, id: &str) -> String {
        let node = &self.nodes[id];
        let above = node
            .parent
            .as_deref()
            .map(|id| self.path(id))
            .unwrap_or_default();
        format!("{above}/{}", node.name)
    }

    pub(super) fn make_folder(&mut self, parent: Option<String>, name: &str) -> String {
        let id = self.make_id();
        let kind = Kind::Folder {
            shared: None,
            lost: false,
            traverse_only: false,
        };
        let name = name.to_owned();
        self.nodes.insert(id.clone(), Node { name, parent, kind });
        self.journal.push(Change::Upsert(id.clone()));
        id
    }

    /// The folder at a path, made where it is missing; `None` for the top.
    pub(super) fn folders(&mut self, path: &str) -> Option<String> {
        let mut at: Option<String> = None;
        for name in path.split('/').filter(|name| !name.is_empty()) {
            let found = self.child(at.as_deref(), name);
            at = Some(found.unwrap_or_else(|| self.make_folder(at.clone(), name)));
        }
        at
    }

    pub(super) fn folder_at(
        &mut self,
        path: &str,
        change: impl FnOnce(&mut Option<String>, &mut bool, &mut bool),
    ) {
        let id = self.find(path).unwrap();
        match &mut self.nodes.get_mut(&id).unwrap().kind {
            Kind::Folder {
                shared,
                lost,
                traverse_only,
            } => change(shared, lost, traverse_only),
            Kind::File { .. } => panic!("{path} is a file"),
        }
        self.journal.push(Change::Upsert(id));
    }

    pub(super) fn write(
        &mut self,
        path: &str,
        bytes: &[u8],
        by: Option<&str>,
        now: DateTime<Utc>,
    ) -> String {
        let (parent, name) = path.rsplit_once('/').unwrap();
        let parent = self.folders(parent);
        let id = match self.child(parent.as_deref(), name) {
            Some(id) => id,
            None => self.make_id(),
        };
        self.made += 1;
        let rev = format!("{:015x}", 0x0160_0000_0000 + self.made);
        self.revisions.insert(rev.clone(), bytes.to_vec());
        let kind = Kind::File {
            rev,
            bytes: bytes.to_vec(),
            modified: now,
            by: by.map(str::to_owned),
            export_only: false,
        };
        // The name keeps its first spelling, as at the vendor.
        let name = self
            .nodes
            .get(&id)
            .map_or(name.to_owned(), |node| node.name.clone());
        self.nodes.insert(id.clone(), Node { name, parent, kind });
        self.journal.push(Change::Upsert(id.clone()));
        id
    }

    pub(super) fn remove(&mut self, id: &str) {
        for below in self.below(Some(id)) {
            self.nodes.remove(&below);
        }
    }

    /// A thing and all that lies in it, the nearer first; everything for `None`.
    pub(super) fn below(&self, root: Option<&str>) -> Vec<String> {
        let mut found: Vec<String> = root.map(str::to_owned).into_iter().collect();
        if root.is_none() {
            found.extend(self.children(None));
        }
        let mut at = 0;
        while at < found.len() {
            found.extend(self.children(Some(&found[at])));
            at += 1;
        }
        found
    }

    pub(super) fn children(&self, parent: Option<&str>) -> Vec<String> {
        let nodes = self.nodes.iter();
        let inside = nodes.filter(|(_, node)| node.parent.as_deref() == parent);
        inside.map(|(id, _)| id.clone()).collect()
    }

    /// Whether it lies in no folder that was taken away.
    pub(super) fn visible(&self, id: &str) -> bool {
        let Some(node) = self.nodes.get(id) else {
            return false;
        };
        let lost = matches!(node.kind, Kind::Folder { lost: true, .. });
        !lost
            && node
                .parent
                .as_deref()
                .is_none_or(|parent| self.visible(parent))
    }

    /// The shared folder that a thing lies in, itself not counted.
    fn shared_above(&self, id: &str) -> Option<String> {
        let parent = self.nodes[id].parent.as_deref()?;
        match &self.nodes[parent].kind {
            Kind::Folder {
                shared: Some(number),
                ..
            } => Some(number.clone()),
            _ => self.shared_above(parent),
        }
    }

    /// `Metadata` as `files.stone` has it. `prefix` is the part of paths that is not to be seen.
    pub(super) fn metadata(&self, id: &str, prefix: &str) -> Value {
        let node = &self.nodes[id];
        let path = self.path(id);
        let path = path.strip_prefix(prefix).unwrap_or(&path);
        let above = self.shared_above(id);
        let mut entry = json!({"name": node.name, "id": id, "path_lower": path.to_lowercase(),
            "path_display": path});
        match &node.kind {
            Kind::Folder {
                shared,
                traverse_only,
                ..
            } => {
                entry[".tag"] = json!("folder");
                if shared.is_some() || above.is_some() {
                    let mut info = json!({"read_only": false, "traverse_only": traverse_only,
                        "no_access": false});
                    if let Some(number) = shared {
                        info["shared_folder_id"] = json!(number);
                    }
                    if let Some(number) = above {
                        info["parent_shared_folder_id"] = json!(number);
                    }
                    entry["sharing_info"] = info;
                }
            }
            Kind::File {
                rev,
                bytes,
                modified,
                by,
                export_only,
            } => {
                entry[".tag"] = json!("file");
                entry["client_modified"] = json!("2014-05-12T15:50:38Z");
                entry["server_modified"] = json!(iso(*modified));
                entry["rev"] = json!(rev);
                entry["size"] = json!(bytes.len());
                entry["is_downloadable"] = json!(!export_only);
                if *export_only {
                    entry["export_info"] = json!({"export_as": "html"});
                } else {
                    entry["content_hash"] = json!(content_hash(bytes));
                }
                if let Some(number) = above {
                    entry["sharing_info"] = json!({"read_only": false,
                        "parent_shared_folder_id": number, "modified_by": by});
                }
            }
        }
        entry
    }
}

/// `DeletedMetadata`: a path, and no id.
pub(super) fn deleted(path: &str, prefix: &str) -> Value {
    let path = path.strip_prefix(prefix).unwrap_or(path);
    json!({".tag": "deleted", "name": path.rsplit('/').next(),
        "path_lower": path.to_lowercase(), "path_display": path})
}
