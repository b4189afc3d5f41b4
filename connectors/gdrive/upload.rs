//! Sending the bytes of a file.

use std::sync::Arc;

use serde_json::Value;

use super::api::{Api, FILES, META_FIELDS, WRITES};
use super::wire::{Meta, unexpected};
use crate::contract::OutgoingFile;
use crate::error::Result;
use crate::http::{Method, Part, Reply, Request, segment};

/// Above this, Google wants the bytes in a session of their own ("Upload file data": multipart up
/// to 5 MB, read 2026-11).
const MULTIPART_MAX: usize = 5 << 20;

/// What a session's address may say besides its secret; all of it we said ourselves before.
const SESSION: [&str; 4] = ["uploadType", "upload_id", "supportsAllDrives", "fields"];

/// What to do with the bytes.
#[derive(Clone, Copy, Debug)]
pub(super) enum Into<'a> {
    /// A new file, of the id that is in `metadata`: Drive answers 409 where it was made before,
    /// so this may be repeated.
    New,
    /// The content of this one; the same again changes nothing but the number of the revision.
    Old(&'a str),
}

impl Api {
    /// Sends a file with what is to be known of it, and returns it as Drive has it then.
    pub(super) async fn upload(
        &self,
        into: Into<'_>,
        metadata: &Value,
        file: &OutgoingFile,
    ) -> Result<Meta> {
        let kind = media_type(&file.path);
        let reply = if file.bytes.len() <= MULTIPART_MAX {
            self.at_once(into, metadata, kind, &file.bytes).await?
        } else {
            self.in_session(into, metadata, kind, &file.bytes).await?
        };
        let meta: Meta = reply.json()?;
        match &meta.sha256_checksum {
            Some(sha256) if *sha256 != file.sha256 => {
                Err(unexpected("Drive has stored other bytes than were sent").with("id", meta.id))
            }
            _ => Ok(meta),
        }
    }

    async fn at_once(
        &self,
        into: Into<'_>,
        metadata: &Value,
        kind: &str,
        bytes: &[u8],
    ) -> Result<Reply> {
        let metadata = metadata.to_string();
        let parts = [
            Part {
                headers: &[("Content-Type", "application/json; charset=UTF-8")],
                bytes: metadata.as_bytes(),
            },
            Part {
                headers: &[("Content-Type", kind)],
                bytes,
            },
        ];
        let request = begin(into, "multipart").multipart("related", &parts);
        self.http.send(request).await
    }

    /// Opens a session and sends all bytes in one go. A session that breaks off is not continued
    /// but opened anew: the file's id makes that harmless, and the files are small.
    async fn in_session(
        &self,
        into: Into<'_>,
        metadata: &Value,
        kind: &str,
        bytes: &Arc<[u8]>,
    ) -> Result<Reply> {
        let opening = begin(into, "resumable")
            .header("x-upload-content-type", kind)
            .header("x-upload-content-length", bytes.len().to_string())
            .json(metadata.clone());
        let reply = self.http.send(opening).await?;
        let session = reply.header("location").and_then(read_session);
        let Some((path, query)) = session else {
            // The address is a credential, so it is not shown.
            return Err(unexpected(
                "Drive names no address to send the file's bytes to",
            ));
        };
        let mut request = Request::new(Method::Put, WRITES, path);
        request.query = query;
        self.http.send(request.bytes(kind, Arc::clone(bytes))).await
    }
}

fn begin(into: Into<'_>, how: &str) -> Request {
    let request = match into {
        Into::New => Request::new(Method::Post, WRITES, format!("/upload{FILES}")),
        Into::Old(id) => Request::new(
            Method::Patch,
            WRITES,
            format!("/upload{FILES}/{}", segment(id)),
        ),
    };
    request
        .query("uploadType", how)
        .query("supportsAllDrives", true)
        .query("fields", META_FIELDS)
}

/// Path and query of a session's address. Wherever it points, the bytes go to the connection's
/// own base: the credential goes with them.
fn read_session(location: &str) -> Option<(String, Vec<(&'static str, String)>)> {
    let (address, query) = location.split_once('?')?;
    let path = &address[address.find("/upload/drive/v3/files")?..];
    let mut pairs = Vec::new();
    for pair in query.split('&') {
        let (key, value) = pair.split_once('=')?;
        if let Some(key) = SESSION.iter().find(|known| **known == key) {
            pairs.push((*key, unescaped(value)?));
        }
    }
    pairs
        .iter()
        .any(|(key, _)| *key == "upload_id")
        .then(|| (path.to_owned(), pairs))
}

fn unescaped(text: &str) -> Option<String> {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.bytes();
    while let Some(byte) = rest.next() {
        match byte {
            b'%' => {
                let digits = [rest.next()?, rest.next()?];
                let digits = std::str::from_utf8(&digits).ok()?;
                bytes.push(u8::from_str_radix(digits, 16).ok()?);
            }
            b'+' => bytes.push(b' '),
            byte => bytes.push(byte),
        }
    }
    String::from_utf8(bytes).ok()
}

/// The type by the name's ending. None of Google's own, so nothing is converted.
fn media_type(path: &str) -> &'static str {
    let ending = path.rsplit_once('.').map_or("", |(_, ending)| ending);
    match ending.to_ascii_lowercase().as_str() {
        "pdf" => "application/pdf",
        "xml" => "application/xml",
        "json" => "application/json",
        "csv" => "text/csv",
        "txt" => "text/plain",
        "md" => "text/markdown",
        _ => "application/octet-stream",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_session_is_sent_to_our_own_base() {
        let (path, query) = read_session(
            "https://elsewhere.example/upload/drive/v3/files/1a?uploadType=resumable\
             &alt=json&upload_id=A%2DB_c",
        )
        .unwrap();
        assert_eq!(path, "/upload/drive/v3/files/1a");
        let wanted = [("uploadType", "resumable"), ("upload_id", "A-B_c")];
        assert_eq!(query, wanted.map(|(key, value)| (key, value.to_owned())));
        for wrong in [
            "https://x/other?upload_id=a",
            "/upload/drive/v3/files",
            "/upload/drive/v3/files?a=b",
        ] {
            assert_eq!(read_session(wrong), None, "{wrong}");
        }
    }
}
