//! Reading a file whole.

use sha2::{Digest as _, Sha256};

use super::api::{Api, FILES, READS};
use super::wire::GOOGLE;
use crate::drive::hash::hex;
use crate::error::{Error, Kind, Result};
use crate::http::{Request, segment};
use crate::record::ExternalId;

/// Reads the bytes. What Google calls harmful is not asked for (`acknowledgeAbuse` is never
/// sent), and its own documents have no bytes.
pub(super) async fn fetch(api: &Api, file: &ExternalId, most: usize) -> Result<Vec<u8>> {
    let meta = api.get(file.as_str()).await?;
    if meta.mime_type.starts_with(GOOGLE) {
        return Err(Error::new(
            Kind::Unsupported,
            "a document of Google's own has no bytes to read",
        )
        .with("name", &meta.name)
        .with("type", &meta.mime_type)
        .hint("download it at Google Drive as .xlsx or .csv and put that file beside it"));
    }
    let size: Option<usize> = meta.size.as_ref().and_then(|size| size.parse().ok());
    if size.is_none_or(|size| size > most) {
        return Err(
            Error::new(Kind::Rejected, "the file is too large to be read whole")
                .with("name", &meta.name)
                .with("bytes", meta.size.as_deref().unwrap_or("unknown")),
        );
    }
    let request = Request::get(READS, format!("{FILES}/{}", segment(&meta.id)))
        .query("alt", "media")
        .query("supportsAllDrives", true);
    let bytes = api.http.send(request).await?.body;
    let whole = size == Some(bytes.len())
        && meta
            .sha256_checksum
            .is_none_or(|sha256| sha256 == hex(&Sha256::digest(&bytes)));
    if !whole {
        return Err(Error::new(
            Kind::Unavailable,
            "other bytes came than the file should have",
        )
        .with("name", &meta.name)
        .with("received", bytes.len())
        .hint("it was changed while it was read, or something on the way answered for it"));
    }
    Ok(bytes)
}
