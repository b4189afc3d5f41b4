//! Uploads and downloads of the fake Box.

use axum::body::Body;
use axum::extract::{Request, State as Shared};
use axum::http::{HeaderMap, Response};
use chrono::{DateTime, Utc};
use serde_json::{Value, json};

use super::answers::written;
use super::sha1::sha1;
use super::{Boxed, Refused, World, refusal};

/// The other host: it knows no credential and refuses who shows one.
pub(super) async fn abroad(Shared(service): Shared<Boxed>, request: Request) -> Response<Body> {
    if request.headers().contains_key("authorization") {
        return Response::builder()
            .status(400)
            .body(Body::from("a credential"))
            .unwrap();
    }
    let world = service.world();
    let id = request.uri().path().trim_start_matches("/d/1/");
    match world.items.get(id).and_then(|item| item.bytes.clone()) {
        Some(bytes) => Response::builder()
            .header("content-type", "application/octet-stream")
            .body(Body::from(bytes))
            .unwrap(),
        None => Response::builder().status(404).body(Body::empty()).unwrap(),
    }
}

impl World {
    pub(super) fn download(&mut self, id: &str) -> Response<Body> {
        if let Err(refused) = self.there(id) {
            return written(Err(refused));
        }
        if self.unready > 0 {
            self.unready -= 1;
            let builder = Response::builder().status(202).header("retry-after", "3");
            return builder.body(Body::empty()).unwrap();
        }
        let place = format!("{}/d/1/{id}", self.abroad);
        Response::builder()
            .status(302)
            .header("location", place)
            .body(Body::empty())
            .unwrap()
    }

    pub(super) fn upload(
        &mut self,
        path: &str,
        headers: &HeaderMap,
        body: &[u8],
        now: DateTime<Utc>,
    ) -> Result<(u16, Value), Refused> {
        let text = |name: &str| headers.get(name).and_then(|it| it.to_str().ok());
        let kind = text("content-type").unwrap_or_default();
        let (attributes, bytes) =
            parts(kind, body).ok_or_else(|| refusal(400, "metadata_after_file_contents"))?;
        if text("content-md5").is_some_and(|hash| hash != sha1(&bytes)) {
            return Err(refusal(400, "bad_digest"));
        }
        if self.reserved > 0 {
            self.reserved -= 1;
            if let Some((path, bytes)) = self.meanwhile.take() {
                self.write_path(&path, &bytes, now);
            }
            return Err(refusal(409, "name_temporarily_reserved"));
        }
        let name = attributes["name"].as_str().unwrap();
        let id = match path
            .trim_matches('/')
            .split('/')
            .collect::<Vec<_>>()
            .as_slice()
        {
            ["files", "content"] => {
                let parent = attributes["parent"]["id"].as_str().unwrap();
                self.there(parent)?;
                if let Some(id) = self.child(parent, name) {
                    let (status, mut body) = refusal(409, "item_name_in_use");
                    body["context_info"] = json!({"conflicts": self.chosen(&id, Some("type"))});
                    return Err((status, body));
                }
                self.make_file(parent, name, &bytes, now)
            }
            ["files", id, "content"] => {
                self.there(id)?;
                let etag = self.items[*id].etag.to_string();
                if text("if-match").is_some_and(|it| it != etag) {
                    return Err(refusal(412, "precondition_failed"));
                }
                name.clone_into(&mut self.items.get_mut(*id).unwrap().name);
                self.edit(id, &bytes, ("1", "Ada Beispiel"), now);
                (*id).to_owned()
            }
            _ => return Err(refusal(404, "not_found")),
        };
        Ok((
            201,
            json!({"total_count": 1, "entries": [self.chosen(&id, Some("size"))]}),
        ))
    }
}

/// The attributes and the content; `None` where they come in another order.
fn parts(kind: &str, body: &[u8]) -> Option<(Value, Vec<u8>)> {
    let boundary = kind.strip_prefix("multipart/form-data; boundary=")?;
    let line = format!("--{boundary}");
    let mut parts = Vec::new();
    let mut rest = body.strip_prefix(line.as_bytes())?.strip_prefix(b"\r\n")?;
    loop {
        let head = find(rest, b"\r\n\r\n")?;
        let end = find(rest, format!("\r\n{line}").as_bytes())?;
        let headers = String::from_utf8(rest[..head].to_vec()).ok()?;
        parts.push((headers, rest[head + 4..end].to_vec()));
        rest = &rest[end + 2 + line.len()..];
        match rest.strip_prefix(b"\r\n") {
            Some(next) => rest = next,
            None => break,
        }
    }
    let [(first, attributes), (second, bytes)] = parts.as_slice() else {
        return None;
    };
    let named = first.contains("name=\"attributes\"") && second.contains("name=\"file\"");
    let attributes = serde_json::from_slice(attributes).ok()?;
    named.then(|| (attributes, bytes.clone()))
}

fn find(text: &[u8], part: &[u8]) -> Option<usize> {
    text.windows(part.len()).position(|it| it == part)
}
