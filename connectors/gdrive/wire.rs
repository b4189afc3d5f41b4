//! Drive's answers, as far as they are read (Drive API v3, discovery document of 2026-11-06).
//!
//! Files and changes are taken one by one: a field that cannot be read keeps its name and the
//! reason, and the others stay readable, so that one file does not stop a folder.

use std::collections::BTreeMap;

use serde::Deserialize;
use serde_json::value::RawValue;
use serde_json::{Map, Value};

use crate::error::{Error, Kind, Result};

pub(super) const FOLDER: &str = "application/vnd.google-apps.folder";
pub(super) const SHORTCUT: &str = "application/vnd.google-apps.shortcut";
/// Google's own documents have types that begin so.
pub(super) const GOOGLE: &str = "application/vnd.google-apps.";

/// Under this key a file has the fields that could not be read, with the reasons.
pub(super) const UNREADABLE: &str = "unreadable";

/// What is asked for of each file. Nothing that changes by itself: `version` counts changes that
/// nobody sees, and links carry keys.
pub(super) const FILE_FIELDS: &str = "id,name,mimeType,parents,size,md5Checksum,headRevisionId,\
    modifiedTime,lastModifyingUser(displayName,emailAddress,permissionId),\
    shortcutDetails(targetId,targetMimeType)";

/// `GET changes`.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct FeedPage {
    pub(super) changes: Vec<Box<RawValue>>,
    pub(super) next_page_token: Option<String>,
    pub(super) new_start_page_token: Option<String>,
}

/// `GET files`.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct FileList {
    pub(super) files: Vec<Box<RawValue>>,
    pub(super) next_page_token: Option<String>,
    #[serde(default)]
    pub(super) incomplete_search: bool,
}

/// `GET changes/startPageToken`.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct StartToken {
    pub(super) start_page_token: String,
}

/// `GET files/generateIds`.
#[derive(Debug, Deserialize)]
pub(super) struct Ids {
    pub(super) ids: Vec<String>,
}

/// `GET about`.
#[derive(Debug, Deserialize)]
pub(super) struct About {
    pub(super) user: User,
}

#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct User {
    pub(super) display_name: Option<String>,
    pub(super) email_address: Option<String>,
}

/// A file that is asked for by its id, as far as deliveries, downloads and second looks need it.
#[derive(Clone, Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Meta {
    pub(super) id: String,
    #[serde(default)]
    pub(super) name: String,
    #[serde(default)]
    pub(super) mime_type: String,
    pub(super) parents: Option<Vec<String>>,
    pub(super) drive_id: Option<String>,
    pub(super) trashed: Option<bool>,
    /// A number as text, as all 64-bit numbers of this API.
    pub(super) size: Option<String>,
    pub(super) sha256_checksum: Option<String>,
    pub(super) created_time: Option<String>,
    #[serde(default)]
    pub(super) app_properties: BTreeMap<String, String>,
    #[serde(default)]
    pub(super) capabilities: Capabilities,
}

#[derive(Clone, Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Capabilities {
    pub(super) can_add_children: Option<bool>,
}

impl Meta {
    pub(super) fn is_folder(&self) -> bool {
        self.mime_type == FOLDER
    }

    pub(super) fn is_trashed(&self) -> bool {
        self.trashed == Some(true)
    }

    pub(super) fn lies_in(&self, folder: &str) -> bool {
        self.parents.iter().flatten().any(|parent| parent == folder)
    }
}

/// A file as it was received in a list.
#[derive(Clone, Debug)]
pub(super) struct Node(pub(super) Map<String, Value>);

impl Node {
    /// `None` for what is no object at all.
    pub(super) fn read(text: &RawValue) -> Option<Self> {
        let fields = fields(text)?;
        let mut node = Map::new();
        let mut unreadable = Vec::new();
        for (name, text) in fields {
            match serde_json::from_str::<Value>(text.get()) {
                Ok(value) => drop(node.insert(name, value)),
                Err(error) => unreadable.push(format!("`{name}` cannot be read: {error}")),
            }
        }
        if !unreadable.is_empty() {
            node.insert(UNREADABLE.to_owned(), unreadable.join("; ").into());
        }
        Some(Self(node))
    }

    pub(super) fn text(&self, field: &str) -> Option<&str> {
        self.0.get(field)?.as_str().filter(|text| !text.is_empty())
    }

    pub(super) fn id(&self) -> Option<&str> {
        self.text("id")
    }

    /// The one folder that it lies in ("A file can only have one parent folder", discovery
    /// document, `File.parents`).
    pub(super) fn parent(&self) -> Parent<'_> {
        match self.0.get("parents") {
            None => Parent::Hidden,
            Some(Value::Array(parents)) => match parents.as_slice() {
                [] => Parent::Hidden,
                [Value::String(one)] => Parent::Is(one),
                _ => Parent::Unclear,
            },
            Some(_) => Parent::Unclear,
        }
    }
}

/// Where a file lies, as far as it says so.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Parent<'a> {
    Is(&'a str),
    /// In a folder that is not shown to us.
    Hidden,
    Unclear,
}

/// One entry of the feed.
#[derive(Debug)]
pub(super) struct Change {
    pub(super) file: String,
    /// Absent where it was removed.
    pub(super) node: Option<Node>,
}

/// What an element of the feed is.
#[derive(Debug)]
pub(super) enum Told {
    File(Change),
    /// A shared drive itself: its name, our membership.
    Drive,
    Unclear,
}

impl Told {
    pub(super) fn read(text: &RawValue) -> Self {
        Self::understand(text).unwrap_or(Self::Unclear)
    }

    fn understand(text: &RawValue) -> Option<Self> {
        let fields = fields(text)?;
        let value = |name: &str| -> Option<Value> {
            fields
                .get(name)
                .and_then(|text| serde_json::from_str(text.get()).ok())
        };
        match value("changeType")?.as_str()? {
            "drive" => return Some(Self::Drive),
            "file" => {}
            _ => return None,
        }
        let removed = match fields.get("removed") {
            None => false,
            Some(text) => serde_json::from_str(text.get()).ok()?,
        };
        let id = value("fileId")?
            .as_str()
            .filter(|id| !id.is_empty())?
            .to_owned();
        if removed {
            return Some(Self::File(Change {
                file: id,
                node: None,
            }));
        }
        let node = Node::read(fields.get("file")?)?;
        (node.id() == Some(id.as_str())).then_some(Self::File(Change {
            file: id,
            node: Some(node),
        }))
    }
}

/// The fields of an object, each unread; of one that stands twice, the last.
fn fields(text: &RawValue) -> Option<BTreeMap<String, Box<RawValue>>> {
    // A list would be taken for a map of nothing by no reader; an object is asked for all the same.
    let text = text.get();
    text.starts_with('{')
        .then(|| serde_json::from_str(text).ok())
        .flatten()
}

/// An answer that lacks what makes it one.
pub(super) fn unexpected(what: &str) -> Error {
    Error::new(Kind::Protocol, what)
}

impl FeedPage {
    /// Where the feed goes on, and whether that is another page of it.
    pub(super) fn next(&self) -> Result<(String, bool)> {
        match (&self.next_page_token, &self.new_start_page_token) {
            (Some(next), _) if !next.is_empty() => Ok((next.clone(), true)),
            (_, Some(start)) if !start.is_empty() => Ok((start.clone(), false)),
            _ => Err(unexpected(
                "Drive's list of changes does not say where it goes on",
            )),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn raw(text: &str) -> Box<RawValue> {
        RawValue::from_string(text.to_owned()).unwrap()
    }

    #[test]
    fn one_field_that_cannot_be_read_leaves_the_others() {
        let node = Node::read(&raw(
            r#"{"id":"f","name":"\ud83d","size":1e999,"parents":["p"]}"#,
        ));
        let node = node.unwrap();
        assert_eq!((node.id(), node.parent()), (Some("f"), Parent::Is("p")));
        let why = node.text(UNREADABLE).unwrap();
        assert!(why.contains("`name`") && why.contains("`size`"), "{why}");
        assert!(Node::read(&raw("[1]")).is_none());
    }

    #[test]
    fn a_removal_needs_no_file_and_any_other_change_does() {
        let told = |text: &str| Told::read(&raw(text));
        let removed = told(r#"{"changeType":"file","fileId":"f","removed":true}"#);
        assert!(matches!(removed, Told::File(Change { node: None, .. })));
        for unclear in [
            r#"{"changeType":"file","fileId":"f","removed":false}"#,
            r#"{"changeType":"file","fileId":"f","removed":"yes"}"#,
            r#"{"changeType":"file","fileId":"f","file":{"id":"g"}}"#,
            r#"{"changeType":"file","removed":true}"#,
            r#"{"changeType":"team"}"#,
            "[]",
        ] {
            assert!(matches!(told(unclear), Told::Unclear), "{unclear}");
        }
        assert!(matches!(told(r#"{"changeType":"drive"}"#), Told::Drive));
    }

    #[test]
    fn a_feed_that_goes_nowhere_is_no_answer() {
        let read = |text: &str| serde_json::from_str::<FeedPage>(text).unwrap().next();
        assert_eq!(
            read(r#"{"changes":[],"nextPageToken":"2"}"#).unwrap(),
            ("2".to_owned(), true)
        );
        let end = read(r#"{"changes":[],"newStartPageToken":"9"}"#).unwrap();
        assert_eq!(end, ("9".to_owned(), false));
        assert!(read(r#"{"changes":[]}"#).is_err());
        assert!(serde_json::from_str::<FeedPage>("{}").is_err());
    }
}
