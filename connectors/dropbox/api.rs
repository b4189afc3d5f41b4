//! Calls: arguments as JSON in the body, or in a header where the body is a file.

use std::fmt::Write as _;
use std::sync::Arc;

use serde_json::{Value, json};

use super::refusal::Refusal;
use crate::error::{Error, Kind, Result};
use crate::http::{Http, Method, Reply, Request};

/// The bucket of calls about files.
pub(super) const API: &str = "api";
/// The bucket of uploads and downloads.
pub(super) const CONTENT: &str = "content";

/// Where a download describes itself.
pub(super) const RESULT: &str = "dropbox-api-result";
const ARGUMENT: &str = "dropbox-api-arg";
const PATH_ROOT: &str = "dropbox-api-path-root";

/// The two hosts of one account.
#[derive(Clone, Debug)]
pub(super) struct Api {
    pub(super) rpc: Http,
    pub(super) content: Http,
}

/// What an endpoint says.
#[derive(Debug)]
pub(super) enum Said {
    Done(Reply),
    Refused(Refusal),
}

impl Said {
    /// The answer; a refusal is an error that says what could not be done.
    pub(super) fn done(self, what: &str) -> Result<Reply> {
        match self {
            Self::Done(reply) => Ok(reply),
            Self::Refused(refusal) => Err(refusal.error(what)),
        }
    }
}

impl Api {
    /// Asks; `space` is the namespace that paths are relative to, where it is not the user's own.
    pub(super) async fn ask(&self, space: Option<&str>, route: &str, arg: Value) -> Result<Said> {
        let request = Request::post_read(API, route, arg);
        said(self.rpc.send(rooted(request, space)).await?)
    }

    /// Writes a file. The arguments say under which conditions, so that a repetition is harmless.
    pub(super) async fn upload(
        &self,
        space: Option<&str>,
        arg: &Value,
        bytes: Arc<[u8]>,
    ) -> Result<Said> {
        let request = Request::new(Method::Post, CONTENT, "/files/upload")
            .header(ARGUMENT, ascii(arg))
            .bytes("application/octet-stream", bytes);
        said(self.content.send(rooted(request, space)).await?)
    }

    /// Reads a file.
    pub(super) async fn download(&self, space: Option<&str>, path: &str) -> Result<Said> {
        let request = Request::new(Method::PostRead, CONTENT, "/files/download")
            .header(ARGUMENT, ascii(&json!({"path": path})));
        said(self.content.send(rooted(request, space)).await?)
    }
}

fn rooted(request: Request, space: Option<&str>) -> Request {
    match space {
        None => request,
        Some(id) => request.header(PATH_ROOT, ascii(&json!({".tag": "root", "root": id}))),
    }
}

fn said(reply: Reply) -> Result<Said> {
    if reply.status == 200 {
        return Ok(Said::Done(reply));
    }
    let refusal = Refusal::of(&reply).ok_or_else(|| {
        Error::new(Kind::Protocol, "Dropbox's refusal has no reason").with("body", reply.excerpt())
    })?;
    Ok(Said::Refused(refusal))
}

/// JSON for a header: everything beyond plain ASCII, and DEL, as `\u….`, without which
/// `Übersicht.pdf` is refused or arrives as another name (Dropbox, "Content-upload endpoints",
/// read 2026-11).
pub(super) fn ascii(value: &Value) -> String {
    let mut text = String::new();
    for sign in value.to_string().chars() {
        if sign.is_ascii() && sign != '\u{7f}' {
            text.push(sign);
            continue;
        }
        for unit in sign.encode_utf16(&mut [0; 2]) {
            write!(text, "\\u{unit:04x}").expect("a string takes it");
        }
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn arguments_in_a_header_are_plain_ascii() {
        let arg = json!({"path": "/Übersicht 👩‍👧 \u{7f}.pdf"});
        let text = ascii(&arg);
        assert!(
            text.bytes().all(|byte| (0x20..0x7f).contains(&byte)),
            "{text}"
        );
        assert!(
            text.contains(r"\u00dcbersicht \ud83d\udc69\u200d"),
            "{text}"
        );
        assert_eq!(serde_json::from_str::<Value>(&text).unwrap(), arg);
    }
}
