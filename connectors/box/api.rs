//! Calls: reading, folders, uploads and downloads, each at its own address.

use serde::de::DeserializeOwned;
use serde_json::{Value, json};

use super::refusal::Refusal;
use crate::drive::hash::sha1;
use crate::error::{Error, Kind, Result};
use crate::http::{Http, Method, Part, Reply, Request, segment};

/// The bucket of all requests but uploads.
pub(super) const API: &str = "api";
/// The bucket of uploads.
pub(super) const UPLOAD: &str = "upload";

/// The addresses of one account.
#[derive(Clone, Debug)]
pub(super) struct Api {
    pub(super) json: Http,
    pub(super) upload: Http,
    pub(super) download: Http,
}

/// What Box says.
#[derive(Debug)]
pub(super) enum Said<T = Value> {
    Done(T),
    Refused(Refusal),
}

impl<T> Said<T> {
    /// The answer; a refusal is an error that says what could not be done.
    pub(super) fn done(self, what: &str) -> Result<T> {
        match self {
            Self::Done(value) => Ok(value),
            Self::Refused(refusal) => Err(refusal.error(what)),
        }
    }
}

/// The path of a folder, file or what is below it.
pub(super) fn path(kind: &str, id: &str, below: &str) -> String {
    format!("/{kind}/{}{below}", segment(id))
}

impl Api {
    pub(super) fn requests(&self) -> u64 {
        self.json.requests() + self.upload.requests() + self.download.requests()
    }

    /// Reads one thing, with exactly these fields.
    pub(super) async fn read(&self, path: String, fields: &str) -> Result<Said> {
        self.ask(Request::get(API, path).query("fields", fields))
            .await
    }

    pub(super) async fn ask<T: DeserializeOwned>(&self, request: Request) -> Result<Said<T>> {
        said(&self.json.send(request).await?)
    }

    /// Makes a folder. A second one of that name is refused, so a repetition is harmless.
    pub(super) async fn make_folder(&self, parent: &str, name: &str) -> Result<Said> {
        let body = json!({"name": name, "parent": {"id": parent}});
        let request = Request::new(Method::Post, API, "/folders").json(body);
        self.ask(request.query("fields", "type,id,name")).await
    }

    /// Uploads a new file, or a new version of one whose `etag` must not have changed. Both are
    /// refused the second time, so a repetition is harmless.
    ///
    /// The attributes come before the content ("Requests that do not follow this format … will
    /// receive a HTTP 400"), and `Content-MD5` holds a SHA-1 (Box, `post_files_content`, 2026-06).
    pub(super) async fn upload(
        &self,
        attributes: &Value,
        version_of: Option<(&str, &str)>,
        bytes: &[u8],
    ) -> Result<Said> {
        let place = match version_of {
            None => "/files/content".to_owned(),
            Some((id, _)) => path("files", id, "/content"),
        };
        let attributes = attributes.to_string();
        let parts = [
            Part {
                headers: &[
                    ("Content-Disposition", "form-data; name=\"attributes\""),
                    ("Content-Type", "application/json"),
                ],
                bytes: attributes.as_bytes(),
            },
            Part {
                headers: &[
                    (
                        "Content-Disposition",
                        "form-data; name=\"file\"; filename=\"file\"",
                    ),
                    ("Content-Type", "application/octet-stream"),
                ],
                bytes,
            },
        ];
        let request = Request::new(Method::Post, UPLOAD, place)
            .query("fields", "type,id,name,etag,sha1,size")
            .header("content-md5", sha1(bytes))
            .multipart("form-data", &parts);
        let request = match version_of {
            None => request,
            Some((_, etag)) => request.header("if-match", etag),
        };
        said(&self.upload.send(request).await?)
    }

    /// The bytes of a file. Box answers with the address of another host, which sees no
    /// credential of ours.
    pub(super) async fn download(&self, id: &str) -> Result<Vec<u8>> {
        let request = Request::get(API, path("files", id, "/content")).from_abroad();
        let reply = self.download.send(request).await?;
        match Refusal::of(&reply).filter(|_| reply.status != 200) {
            None => Ok(reply.body),
            Some(refusal) => Err(refusal.error("the file cannot be read")),
        }
    }
}

fn said<T: DeserializeOwned>(reply: &Reply) -> Result<Said<T>> {
    if let 200 | 201 = reply.status {
        // A struct would be read from a list as well.
        if reply.body.trim_ascii_start().starts_with(b"{") {
            return Ok(Said::Done(reply.json()?));
        }
        return Err(Error::new(Kind::Protocol, "Box's answer is no object"));
    }
    let refusal = Refusal::of(reply).ok_or_else(|| {
        Error::new(Kind::Protocol, "Box's refusal has no reason").with("body", reply.excerpt())
    })?;
    Ok(Said::Refused(refusal))
}
