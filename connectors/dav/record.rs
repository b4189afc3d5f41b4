//! What a file on a server becomes: the raw record, and the record that is made of it.

use serde::{Deserialize, Serialize};

use super::client::http_date;
use super::listing::Entry;
use crate::contract::{Identified, Raw};
use crate::error::Reject;
use crate::record::{ExternalId, File, PersonRef, Record, Stream};

/// The body of a raw record: what the server said of the file, in its own words.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Body {
    /// Below the connection's root.
    pub(crate) path: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) size: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) modified: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) etag: Option<String>,
    /// Who made this version, where the server's log says so.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) by: Option<String>,
}

impl Body {
    pub(crate) fn of(entry: &Entry, path: String) -> Self {
        Self {
            path,
            size: entry.size.clone(),
            modified: entry.modified.clone(),
            etag: entry.etag.clone(),
            by: None,
        }
    }

    pub(crate) fn into_raw(self, id: String, scope: String) -> Raw {
        Raw {
            stream: Stream::Files,
            id: ExternalId::new(id),
            body: serde_json::to_string(&self).expect("a body is plain data"),
            scope,
        }
    }
}

/// The tag without what says how it may be compared: Apache calls it weak for as long as the file
/// is younger than two seconds, and strong later (recorded 2026-11).
pub(crate) fn plain_tag(etag: &str) -> &str {
    etag.strip_prefix("W/").unwrap_or(etag).trim_matches('"')
}

/// Maps one raw record. Pure.
pub(crate) fn normalise(raw: &Raw) -> Result<Vec<Identified>, Reject> {
    // A list would be read as the fields in their order.
    if !raw.body.trim_start().starts_with('{') {
        return Err(Reject::new("the record is no object"));
    }
    let body: Body =
        serde_json::from_str(&raw.body).map_err(|error| Reject::new(error.to_string()))?;
    if body.path.is_empty() {
        return Err(Reject::field("path", "a file has a path"));
    }
    let size = body.size.as_deref().map(|text| {
        text.parse()
            .map_err(|_| Reject::field("size", format!("`{text}` is no number of bytes")))
    });
    let modified = body.modified.as_deref().map(|text| {
        http_date(text).ok_or_else(|| Reject::field("modified", format!("`{text}` is no time")))
    });
    let (size, modified) = (size.transpose()?, modified.transpose()?);
    let version = match body.etag.as_deref().map(plain_tag) {
        Some(etag) if !etag.is_empty() => Some(etag.to_owned()),
        // A server without tags has no better mark of a version than these.
        _ => match (size, modified) {
            (Some(size), Some(modified)) => Some(format!("{size}-{}", modified.timestamp())),
            _ => None,
        },
    };
    Ok(vec![Identified {
        id: raw.id.clone(),
        record: Record::File(File {
            path: body.path,
            size,
            modified,
            modified_by: body.by.map(|user| PersonRef {
                id: Some(ExternalId::new(user)),
                ..PersonRef::default()
            }),
            version,
        }),
    }])
}

#[cfg(test)]
mod tests {
    use super::*;

    fn raw(body: &str) -> Raw {
        Raw {
            stream: Stream::Files,
            id: ExternalId::new("7"),
            body: body.to_owned(),
            scope: ".".to_owned(),
        }
    }

    fn file(body: &str) -> File {
        match normalise(&raw(body)).unwrap().remove(0).record {
            Record::File(file) => file,
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn a_file_is_what_the_server_says() {
        let found = file(
            r#"{"path":"Kunde A/Bericht.pdf","size":"12","modified":"Sun, 22 Nov 2026 03:22:15 GMT",
                "etag":"W/\"5f-1\"","by":"anna"}"#,
        );
        assert_eq!(found.path, "Kunde A/Bericht.pdf");
        assert_eq!(
            (found.size, found.version.as_deref()),
            (Some(12), Some("5f-1"))
        );
        assert_eq!(
            found.modified.unwrap().to_rfc3339(),
            "2026-11-22T03:22:15+00:00"
        );
        assert_eq!(found.modified_by.unwrap().id, Some(ExternalId::new("anna")));
    }

    #[test]
    fn a_server_without_tags_has_size_and_time() {
        let found = file(r#"{"path":"a","size":"3","modified":"Sun, 22 Nov 2026 03:22:15 GMT"}"#);
        assert_eq!(found.version.as_deref(), Some("3-1795317735"));
        assert_eq!(file(r#"{"path":"a"}"#).version, None);
    }

    #[test]
    fn what_cannot_be_read_is_put_aside_by_its_name() {
        for (body, word) in [
            (r#"{"path":"a","size":"many"}"#, "size"),
            (r#"{"path":"a","size":"-1"}"#, "size"),
            (r#"{"path":"a","modified":"yesterday"}"#, "modified"),
            (r#"{"path":""}"#, "path"),
            (r#"{"size":"1"}"#, "path"),
            (r#"["a"]"#, "object"),
        ] {
            let reject = normalise(&raw(body)).unwrap_err().to_string();
            assert!(reject.contains(word), "{body}: {reject}");
        }
    }
}
