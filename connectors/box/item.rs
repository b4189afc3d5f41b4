//! One item of a folder: what is kept of it, and what it says in our words.

use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use crate::contract::{Identified, Raw};
use crate::drive::received::{id, instant, needed, readable, size, text, wrong};
use crate::error::Reject;
use crate::record::{ExternalId, File, PersonRef, Record, Stream};

/// What is asked for of each item; "none of the standard fields are returned … unless explicitly
/// specified" (Box, parameter `fields`, 2026-06).
pub(super) const FIELDS: &str =
    "type,id,name,etag,sha1,size,modified_at,modified_by,path_collection,file_version";

/// What is asked for to see where an item stands.
pub(super) const WHERE: &str = "type,id,etag,item_status,parent,path_collection,sha1,size";

/// A file as it is kept.
#[derive(Debug, Serialize, Deserialize)]
struct Kept {
    /// The folder that is read; paths begin below it.
    root: String,
    /// As received.
    item: Value,
}

/// The identifier of an item; one with a blank in it could not be told from two.
pub(super) fn number(item: &Value) -> Option<&str> {
    id(item).filter(|id| !id.contains(char::is_whitespace))
}

/// The raw record of a file.
pub(super) fn raw(root: &str, item: &Value) -> Option<Raw> {
    let kept = Kept {
        root: root.to_owned(),
        item: item.clone(),
    };
    Some(Raw {
        stream: Stream::Files,
        id: ExternalId::new(number(item)?),
        scope: root.to_owned(),
        body: json!(kept).to_string(),
    })
}

/// The folders above an item, from the top.
pub(super) fn above(item: &Value) -> Vec<&str> {
    let entries = item["path_collection"]["entries"].as_array();
    entries.into_iter().flatten().filter_map(number).collect()
}

/// Where an item lies, seen from the folder that is read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Lies {
    /// It is that folder, or lies below it.
    Inside,
    Outside,
    /// Its path cannot be read.
    Unknown,
}

pub(super) fn lies(item: &Value, root: &str) -> Lies {
    let above = above(item);
    if id(item) == Some(root) || above.contains(&root) {
        return Lies::Inside;
    }
    let path = &item["path_collection"];
    // A path with a part missing may well have led here.
    let whole = path["total_count"].as_u64() == Some(above.len() as u64);
    let entries = path["entries"].as_array();
    if whole && entries.is_some_and(|it| it.len() == above.len() && !it.is_empty()) {
        Lies::Outside
    } else {
        Lies::Unknown
    }
}

/// Whether an item is there: neither in the trash nor deleted.
pub(super) fn active(item: &Value) -> bool {
    !matches!(item["item_status"].as_str(), Some("trashed" | "deleted"))
}

/// The file that a raw record describes.
pub(super) fn normalise(raw: &Raw) -> Result<Vec<Identified>, Reject> {
    let kept: Kept =
        serde_json::from_str(&raw.body).map_err(|error| Reject::new(error.to_string()))?;
    let item = &kept.item;
    readable(item)?;
    if needed(item, "id")? != raw.id.as_str() {
        return Err(Reject::field(
            "id",
            "is another one than the record was kept under",
        ));
    }
    let by = &item["modified_by"];
    if !(by.is_null() || by.is_object()) {
        return Err(wrong("modified_by", "an object", by));
    }
    let account = text(by, "id")?;
    Ok(vec![Identified {
        id: raw.id.clone(),
        record: Record::File(File {
            path: path(item, &kept.root)?,
            size: size(item, "size")?,
            modified: instant(item, "modified_at")?,
            modified_by: account.map(|account| person(account, by)).transpose()?,
            version: text(item, "sha1")?.map(str::to_owned),
        }),
    }])
}

fn person(account: &str, by: &Value) -> Result<PersonRef, Reject> {
    let filled = |field| {
        Ok(text(by, field)?
            .filter(|it| !it.is_empty())
            .map(str::to_owned))
    };
    Ok(PersonRef {
        id: Some(ExternalId::new(account)),
        name: filled("name")?,
        email: filled("login")?,
    })
}

/// The path below the folder that is read.
fn path(item: &Value, root: &str) -> Result<String, Reject> {
    let field = "path_collection";
    let entries = match &item[field]["entries"] {
        Value::Array(entries) => entries,
        other => return Err(wrong(field, "a list of folders", other)),
    };
    let mut names = Vec::new();
    let mut below = false;
    for folder in entries {
        if below {
            names.push(needed(folder, "name").map_err(|it| Reject::field(field, it.to_string()))?);
        }
        below |= id(folder) == Some(root);
    }
    if !below {
        return Err(Reject::field(
            field,
            "does not lead to the folder that is read",
        ));
    }
    names.push(needed(item, "name")?);
    Ok(names.join("/"))
}

#[cfg(test)]
mod tests {
    use super::*;

    const FILE: &str = include_str!("fixtures/file.json");

    fn item() -> Value {
        serde_json::from_str(FILE).unwrap()
    }

    fn file(root: &str) -> Result<File, Reject> {
        let found = normalise(&raw(root, &item()).unwrap())?.remove(0);
        match found.record {
            Record::File(file) => Ok(file),
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn a_file_and_its_path_below_the_folder() {
        let found = file("0").unwrap();
        assert_eq!(found.path, "Kunden/Nord/Entwürfe/Übersicht.pdf");
        assert_eq!(found.size, Some(629_644));
        assert_eq!(
            found.modified.unwrap().to_rfc3339(),
            "2026-11-03T14:50:38+00:00"
        );
        assert_eq!(
            found.version.as_deref(),
            Some("85136c79cbf9fe36bb9d05d0639c70c265c18d37")
        );
        let by = found.modified_by.unwrap();
        assert_eq!(by.id, Some(ExternalId::new("11446498")));
        assert_eq!(by.name.as_deref(), Some("Otto Muster"));
        assert_eq!(by.email.as_deref(), Some("otto@example.org"));
        assert_eq!(file("160000000002").unwrap().path, "Entwürfe/Übersicht.pdf");
        assert_eq!(file("9").unwrap_err().field, Some("path_collection"));
    }

    #[test]
    fn where_an_item_lies_is_told_by_its_path() {
        let item = item();
        assert_eq!(lies(&item, "0"), Lies::Inside);
        assert_eq!(lies(&item, "160000000003"), Lies::Inside);
        assert_eq!(lies(&item, "7"), Lies::Outside);
        assert_eq!(lies(&json!({"id": "0"}), "0"), Lies::Inside);
        for path in [
            json!(null),
            json!({"entries": []}),
            json!({"entries": [{"id": 7}]}),
            json!({"total_count": 2, "entries": [{"id": "7"}]}),
        ] {
            assert_eq!(
                lies(&json!({"id": "1", "path_collection": path}), "0"),
                Lies::Unknown
            );
        }
        assert!(active(&item) && !active(&json!({"item_status": "trashed"})));
    }
}
