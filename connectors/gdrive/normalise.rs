//! From a kept file to a record. Pure.

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use super::names::join;
use super::wire::{GOOGLE, Node, SHORTCUT, UNREADABLE};
use crate::contract::{Identified, Raw};
use crate::error::Reject;
use crate::record::{ExternalId, File, PersonRef, Record, Stream};

/// A file as it is kept: what was received, and the path of the folder that it names by id.
#[derive(Debug, Serialize, Deserialize)]
struct Kept {
    folder: String,
    file: Map<String, Value>,
}

/// Says of a list whether it was asked for live files, and nothing of the file.
const LEFT_OUT: [&str; 3] = ["trashed", "trashedTime", "explicitlyTrashed"];

/// The raw record of a file in the folder `parent`, whose path is `folder`.
pub(super) fn raw(node: Node, id: &str, parent: &str, folder: &str) -> Raw {
    let mut file = node.0;
    file.retain(|field, _| !LEFT_OUT.contains(&field.as_str()));
    let folder = folder.to_owned();
    Raw {
        stream: Stream::Files,
        id: ExternalId::new(id),
        body: serde_json::to_string(&Kept { folder, file }).expect("it was JSON before"),
        scope: parent.to_owned(),
    }
}

/// Maps one kept file.
pub(super) fn normalise(raw: &Raw) -> Result<Vec<Identified>, Reject> {
    let kept: Kept = serde_json::from_str(&raw.body)
        .map_err(|error| Reject::new(format!("the kept file cannot be read: {error}")))?;
    let file = &kept.file;
    if let Some(reason) = file.get(UNREADABLE).and_then(Value::as_str) {
        return Err(Reject::new(reason));
    }
    let name = text(file, "name")?.ok_or_else(|| Reject::field("name", "is missing"))?;
    let kind = text(file, "mimeType")?.unwrap_or_default();
    Ok(vec![Identified {
        id: raw.id.clone(),
        record: Record::File(File {
            path: join(&kept.folder, name),
            size: size(file)?.filter(|_| !kind.starts_with(GOOGLE)),
            modified: instant(file, "modifiedTime")?,
            modified_by: person(file)?,
            version: version(file, kind)?,
        }),
    }])
}

/// The mark of the content. Google's own documents have none; of a shortcut, it is where it
/// leads.
fn version(file: &Map<String, Value>, kind: &str) -> Result<Option<String>, Reject> {
    let (hash, revision) = (text(file, "md5Checksum")?, text(file, "headRevisionId")?);
    if kind == SHORTCUT {
        let Some(details) = object(file, "shortcutDetails")? else {
            return Ok(None);
        };
        let target = text(details, "targetId");
        let target = target.map_err(|reject| Reject::field("shortcutDetails", reject.reason))?;
        return Ok(target.map(str::to_owned));
    }
    Ok(hash.or(revision).map(str::to_owned))
}

fn person(file: &Map<String, Value>) -> Result<Option<PersonRef>, Reject> {
    let Some(user) = object(file, "lastModifyingUser")? else {
        return Ok(None);
    };
    let field = |field| match text(user, field) {
        Ok(text) => Ok(text.map(str::to_owned)),
        Err(reject) => Err(Reject::field(
            "lastModifyingUser",
            format!("{field} {}", reject.reason),
        )),
    };
    let person = PersonRef {
        id: field("permissionId")?.map(ExternalId::new),
        name: field("displayName")?,
        email: field("emailAddress")?,
    };
    Ok((person != PersonRef::default()).then_some(person))
}

/// A 64-bit number, which this API writes as text.
fn size(file: &Map<String, Value>) -> Result<Option<u64>, Reject> {
    let Some(text) = text(file, "size")? else {
        return Ok(None);
    };
    let size = text
        .bytes()
        .all(|byte| byte.is_ascii_digit())
        .then(|| text.parse().ok());
    match size.flatten() {
        Some(size) => Ok(Some(size)),
        None => Err(Reject::field(
            "size",
            format!("`{text}` is no number of bytes"),
        )),
    }
}

fn instant(
    file: &Map<String, Value>,
    field: &'static str,
) -> Result<Option<DateTime<Utc>>, Reject> {
    let Some(text) = text(file, field)? else {
        return Ok(None);
    };
    match DateTime::parse_from_rfc3339(text) {
        Ok(at) => Ok(Some(at.to_utc())),
        Err(_) => Err(Reject::field(field, format!("`{text}` is not an instant"))),
    }
}

/// A text; `None` where it is missing, null or empty.
fn text<'a>(from: &'a Map<String, Value>, field: &'static str) -> Result<Option<&'a str>, Reject> {
    match from.get(field) {
        None | Some(Value::Null) => Ok(None),
        Some(Value::String(text)) => Ok(Some(text.as_str()).filter(|text| !text.is_empty())),
        Some(_) => Err(Reject::field(field, "should be a text and is none")),
    }
}

fn object<'a>(
    from: &'a Map<String, Value>,
    field: &'static str,
) -> Result<Option<&'a Map<String, Value>>, Reject> {
    match from.get(field) {
        None | Some(Value::Null) => Ok(None),
        Some(Value::Object(fields)) => Ok(Some(fields)),
        Some(_) => Err(Reject::field(field, "should be an object and is none")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn file(body: &str) -> Result<File, Reject> {
        let raw = Raw {
            stream: Stream::Files,
            id: ExternalId::new("f"),
            body: body.to_owned(),
            scope: "p".to_owned(),
        };
        match normalise(&raw)?.remove(0).record {
            Record::File(file) => Ok(file),
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn a_fixture_becomes_a_file() {
        let whole = file(include_str!("fixtures/file.json")).unwrap();
        assert_eq!(whole.path, "Acme/2026-10/Bericht Ü (1).pdf");
        assert_eq!(
            whole.size,
            Some(9_007_199_254_740_993),
            "not through a float"
        );
        assert_eq!(
            whole.modified.unwrap().to_rfc3339(),
            "2026-10-31T16:20:05.123+00:00"
        );
        let person = whole.modified_by.unwrap();
        assert_eq!(person.email.as_deref(), Some("erika@example.com"));
        assert_eq!(
            whole.version.as_deref(),
            Some("9e107d9d372bb6826bd81d3542a419d6")
        );
    }

    #[test]
    fn documents_of_google_have_neither_size_nor_hash() {
        let document = file(include_str!("fixtures/document.json")).unwrap();
        assert_eq!((document.size, document.version), (None, None));
        let shortcut = file(include_str!("fixtures/shortcut.json")).unwrap();
        assert_eq!(
            shortcut.version.as_deref(),
            Some("1TargetTargetTargetTarget")
        );
        assert_eq!(shortcut.size, None);
    }

    #[test]
    fn what_cannot_be_understood_is_named() {
        for (body, field) in [
            (r#"{"folder":"","file":{"id":"f"}}"#, "name"),
            (r#"{"folder":"","file":{"name":"a","size":7}}"#, "size"),
            (r#"{"folder":"","file":{"name":"a","size":"-1"}}"#, "size"),
            (
                r#"{"folder":"","file":{"name":"a","modifiedTime":"gestern"}}"#,
                "modifiedTime",
            ),
            (
                r#"{"folder":"","file":{"name":"a","lastModifyingUser":[]}}"#,
                "lastModifyingUser",
            ),
        ] {
            assert_eq!(file(body).unwrap_err().field, Some(field), "{body}");
        }
    }
}
