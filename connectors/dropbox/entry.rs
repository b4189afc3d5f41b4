//! One entry of a listing: what is kept of it, and what it says in our words.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use crate::contract::{Identified, Raw};
use crate::drive::received::{flag, id, instant, needed, readable, size, text, wrong};
use crate::error::Reject;
use crate::record::{ExternalId, File, PersonRef, Record, Stream};

/// The scope of files that lie in no shared folder.
pub(super) const OWN: &str = "own";

/// Fields that change by themselves, are links that open the file for anyone, or belong to other
/// apps.
const LEFT_OUT: &[&str] = &[
    "file_lock_info",
    "has_explicit_shared_members",
    "media_info",
    "preview_url",
    "property_groups",
];

/// A file as it is kept.
#[derive(Debug, Serialize, Deserialize)]
struct Kept {
    /// The names in front that lead to the folder which is read.
    above: usize,
    /// As received, less [`LEFT_OUT`].
    entry: Value,
    /// The name of whoever changed it last.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    by: Option<String>,
}

/// The scope of an entry: the shared folder that it lies in. Files of a shared folder that was
/// taken from us are not deleted, so each of them is a scope of its own.
pub(super) fn scope(entry: &Value) -> String {
    let within = [&entry["sharing_info"], entry];
    let shared = within
        .iter()
        .find_map(|it| it["parent_shared_folder_id"].as_str());
    shared_scope(shared)
}

pub(super) fn shared_scope(shared: Option<&str>) -> String {
    shared.map_or_else(|| OWN.to_owned(), |id| format!("ns:{id}"))
}

/// Who changed the file last, where it lies in a shared folder.
pub(super) fn modified_by(entry: &Value) -> Option<&str> {
    entry["sharing_info"]["modified_by"].as_str()
}

/// The raw record of a file, with the name that it refers to by an account.
pub(super) fn raw(above: usize, entry: &Value, names: &BTreeMap<String, String>) -> Option<Raw> {
    let mut entry = entry.clone();
    if let Some(fields) = entry.as_object_mut() {
        fields.retain(|key, _| !LEFT_OUT.contains(&key.as_str()));
    }
    let by = modified_by(&entry)
        .and_then(|account| names.get(account))
        .cloned();
    Some(Raw {
        stream: Stream::Files,
        id: ExternalId::new(id(&entry)?),
        scope: scope(&entry),
        body: json!(Kept { above, entry, by }).to_string(),
    })
}

/// The file that a raw record describes.
pub(super) fn normalise(raw: &Raw) -> Result<Vec<Identified>, Reject> {
    let kept: Kept =
        serde_json::from_str(&raw.body).map_err(|error| Reject::new(error.to_string()))?;
    let entry = &kept.entry;
    readable(entry)?;
    if needed(entry, "id")? != raw.id.as_str() {
        return Err(Reject::field(
            "id",
            "is another one than the record was kept under",
        ));
    }
    let sharing = &entry["sharing_info"];
    if !(sharing.is_null() || sharing.is_object()) {
        return Err(wrong("sharing_info", "an object", sharing));
    }
    let by = text(sharing, "modified_by")?.map(|account| PersonRef {
        id: Some(ExternalId::new(account)),
        name: kept.by.clone(),
        email: None,
    });
    // A document that lives at Dropbox or Google alone has a size that says nothing.
    let whole = flag(entry, "is_downloadable", true)?;
    let length = size(entry, "size")?;
    let version = text(entry, "content_hash")?.or(text(entry, "rev")?);
    Ok(vec![Identified {
        id: raw.id.clone(),
        record: Record::File(File {
            path: path(entry, kept.above)?,
            size: length.filter(|_| whole),
            // `client_modified` is what the uploader claims, "only for display purposes".
            modified: instant(entry, "server_modified")?,
            modified_by: by,
            version: version.map(str::to_owned),
        }),
    }])
}

/// The path within the folder that is read.
fn path(entry: &Value, above: usize) -> Result<String, Reject> {
    let full = needed(entry, "path_display")?;
    let names: Vec<&str> = full.strip_prefix('/').unwrap_or(full).split('/').collect();
    match names.get(above..) {
        Some(names) if !names.is_empty() => Ok(names.join("/")),
        _ => Err(Reject::field(
            "path_display",
            format!("`{full}` is not below the folder"),
        )),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SHARED: &str = include_str!("fixtures/file_shared.json");
    const PAPER: &str = include_str!("fixtures/file_paper.json");

    fn file(text: &str, above: usize, by: Option<&str>) -> File {
        let entry: Value = serde_json::from_str(text).unwrap();
        let account = modified_by(&entry).unwrap_or_default().to_owned();
        let names = by
            .map(|name| (account, name.to_owned()))
            .into_iter()
            .collect();
        let raw = raw(above, &entry, &names).unwrap();
        match normalise(&raw).unwrap().remove(0).record {
            Record::File(file) => file,
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn a_file_in_a_shared_folder() {
        let found = file(SHARED, 1, Some("Ada Beispiel"));
        assert_eq!(found.path, "Entwürfe/Übersicht.pdf");
        assert_eq!(found.size, Some(7212));
        assert_eq!(
            found.modified.unwrap().to_rfc3339(),
            "2026-11-03T15:50:38+00:00"
        );
        let by = found.modified_by.unwrap();
        assert_eq!(by.name.as_deref(), Some("Ada Beispiel"));
        assert!(by.id.unwrap().as_str().starts_with("dbid:"));
        // The content's hash and not the revision: a rename is not another version.
        assert!(found.version.unwrap().starts_with("e3b0c442"));
        let entry: Value = serde_json::from_str(SHARED).unwrap();
        assert_eq!(scope(&entry), "ns:84528192421");
    }

    #[test]
    fn a_document_that_cannot_be_downloaded_has_no_size() {
        let found = file(PAPER, 0, None);
        assert_eq!((found.size, found.modified_by), (None, None));
        assert_eq!(found.version.as_deref(), Some("5e1b0c44298fc1c"));
    }

    #[test]
    fn links_and_locks_are_not_kept() {
        let entry: Value = serde_json::from_str(SHARED).unwrap();
        let raw = raw(0, &entry, &BTreeMap::new()).unwrap();
        assert!(!raw.body.contains("preview_url") && !raw.body.contains("lockholder"));
    }

    #[test]
    fn a_path_above_the_folder_is_put_aside() {
        let entry: Value = serde_json::from_str(SHARED).unwrap();
        let raw = raw(3, &entry, &BTreeMap::new()).unwrap();
        assert_eq!(normalise(&raw).unwrap_err().field, Some("path_display"));
    }
}
