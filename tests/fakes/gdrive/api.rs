//! The answers, one function for each address.

use axum::body::{Body, to_bytes};
use axum::extract::{Query, Request, State};
use axum::http::Method;
use axum::response::Response;
use chrono::TimeDelta;
use serde_json::{Value, json};
use stundenbuch_connectors::clock::Clock as _;

use super::query::{masked, parse};
use super::{Answered, DOCUMENT, Drive, FOLDER, TOKEN, World};

/// A request as the functions below see it.
pub(super) struct Call {
    pub(super) method: Method,
    pub(super) path: String,
    pub(super) query: Vec<(String, String)>,
    pub(super) kind: String,
    pub(super) body: Vec<u8>,
    /// The address of this server, for session addresses.
    pub(super) base: String,
}

/// What comes of it: JSON or bytes, or a refusal.
pub(super) enum Outcome {
    Json(Value),
    Bytes(Vec<u8>),
    /// A session for the bytes of a file, by its address.
    Session(String),
    Refused(u16, &'static str, String),
}

impl Call {
    pub(super) fn query(&self, name: &str) -> Option<&str> {
        let found = self.query.iter().find(|(key, _)| key == name);
        found.map(|(_, value)| value.as_str())
    }

    pub(super) fn flag(&self, name: &str) -> bool {
        self.query(name) == Some("true")
    }
}

pub(super) async fn answer(State(drive): State<Drive>, request: Request) -> Response {
    let (parts, body) = request.into_parts();
    let header = |name: &str| {
        let value = parts
            .headers
            .get(name)
            .and_then(|value| value.to_str().ok());
        value.unwrap_or_default().to_owned()
    };
    let query = Query::<Vec<(String, String)>>::try_from_uri(&parts.uri);
    let call = Call {
        path: parts.uri.path().to_owned(),
        query: query.map_or(Vec::new(), |it| it.0),
        kind: header("content-type"),
        base: format!("http://{}", header("host")),
        body: to_bytes(body, usize::MAX).await.unwrap().to_vec(),
        method: parts.method,
    };
    if call.path == "/token" {
        let form = String::from_utf8_lossy(&call.body);
        let (status, body) = match drive.token(&form, &format!("{}/token", call.base)) {
            Ok(token) => (200, token),
            Err(why) => (
                400,
                json!({"error": "invalid_grant", "error_description": why}),
            ),
        };
        let response = Response::builder().status(status);
        let response = response.header("content-type", "application/json");
        return response.body(Body::from(body.to_string())).unwrap();
    }
    let outcome = if header("authorization") == format!("Bearer {TOKEN}") {
        drive.act(&call)
    } else {
        Outcome::Refused(401, "authError", "Invalid Credentials".to_owned())
    };
    drive.respond(&call, outcome)
}

impl Drive {
    fn respond(&self, call: &Call, outcome: Outcome) -> Response {
        let mut response = Response::builder();
        let (status, body) = match outcome {
            Outcome::Bytes(bytes) => {
                response = response.header("content-type", "text/plain");
                self.note(call, 200, Value::Null);
                return response.body(Body::from(bytes)).unwrap();
            }
            Outcome::Session(address) => {
                response = response.header("location", address);
                (200, Value::Null)
            }
            Outcome::Json(value) => match call.query("fields") {
                Some(mask) => (200, masked(&value, mask)),
                // "By default, the server returns a default set of fields."
                None => (200, masked(&value, "kind,id,name,mimeType")),
            },
            Outcome::Refused(status, reason, message) => {
                let detail = json!({"domain": "global", "reason": reason, "message": message});
                let error = json!({"code": status, "message": message, "errors": [detail]});
                (status, json!({"error": error}))
            }
        };
        self.note(call, status, body.clone());
        let text = if body.is_null() {
            String::new()
        } else {
            body.to_string()
        };
        response
            .status(status)
            .header("content-type", "application/json; charset=UTF-8")
            .body(Body::from(text))
            .unwrap()
    }

    fn note(&self, call: &Call, status: u16, body: Value) {
        self.world().answers.push(Answered {
            method: call.method.to_string(),
            path: call.path.clone(),
            query: call.query.clone(),
            status,
            body,
        });
    }

    fn act(&self, call: &Call) -> Outcome {
        if let Some(refusal) = self.too_many(call) {
            return refusal;
        }
        let now = self.clock.now();
        let mut world = self.world();
        if let Some(path) = call.path.strip_prefix("/upload/drive/v3/files") {
            return world.upload(call, path.trim_start_matches('/'), now);
        }
        let path: Vec<&str> = match call.path.strip_prefix("/drive/v3/") {
            Some(path) => path.split('/').collect(),
            None => return missing(&call.path),
        };
        match (&call.method, path.as_slice()) {
            (&Method::GET, ["about"]) => Outcome::Json(json!({"kind": "drive#about",
                "user": {"kind": "drive#user", "displayName": "Books", "me": true,
                    "emailAddress": "books@example.com", "permissionId": "07"}})),
            (&Method::GET, ["changes", "startPageToken"]) => Outcome::Json(json!({
                "kind": "drive#startPageToken",
                "startPageToken": (world.log.len() + 1).to_string()})),
            (&Method::GET, ["changes"]) => world.changes(call),
            (&Method::GET, ["files"]) => world.list(call, now),
            (&Method::GET, ["files", "generateIds"]) => {
                let count = call
                    .query("count")
                    .and_then(|it| it.parse().ok())
                    .unwrap_or(10);
                let ids: Vec<String> = (0..count).map(|_| world.fresh_id()).collect();
                world.generated.extend(ids.iter().cloned());
                Outcome::Json(json!({"kind": "drive#generatedIds", "space": "drive", "ids": ids}))
            }
            (&Method::GET, ["files", id]) => world.get(call, id),
            (&Method::POST, ["files"]) => match serde_json::from_slice(&call.body) {
                Ok(meta) => world.create(&meta, None, now),
                Err(_) => Outcome::Refused(400, "parseError", "Parse Error".to_owned()),
            },
            (&Method::PATCH, ["files", id]) => match serde_json::from_slice(&call.body) {
                Ok(meta) => world.update(id, &meta, None, now),
                Err(_) => Outcome::Refused(400, "parseError", "Parse Error".to_owned()),
            },
            _ => missing(&call.path),
        }
    }

    /// The limits, as a window that slides: 3,000 requests a minute, three writes a second.
    fn too_many(&self, call: &Call) -> Option<Outcome> {
        let now = self.clock.now();
        let mut world = self.world();
        let writes = call.method != Method::GET;
        world.recent.retain(|at| now - *at < TimeDelta::minutes(1));
        world.written.retain(|at| now - *at < TimeDelta::seconds(1));
        if world.recent.len() >= 3_000 || (writes && world.written.len() >= 3) {
            world.refused += 1;
            let message = "User Rate Limit Exceeded".to_owned();
            return Some(Outcome::Refused(403, "userRateLimitExceeded", message));
        }
        world.recent.push_back(now);
        if writes {
            world.written.push_back(now);
        }
        None
    }
}

impl World {
    fn get(&self, call: &Call, id: &str) -> Outcome {
        let drive = self.items.get(id).and_then(|item| item.drive.as_ref());
        if !self.is_visible(id) || (drive.is_some() && !call.flag("supportsAllDrives")) {
            return missing(id);
        }
        let item = &self.items[id];
        if call.query("alt") != Some("media") {
            return Outcome::Json(self.show(id));
        }
        match &item.bytes {
            Some(bytes) if bytes.starts_with(b"EICAR") && !call.flag("acknowledgeAbuse") => {
                let why = "This file has been identified as malware or spam".to_owned();
                Outcome::Refused(403, "cannotDownloadAbusiveFile", why)
            }
            Some(bytes) => Outcome::Bytes(bytes.clone()),
            None => {
                let why = "Only files with binary content can be downloaded.".to_owned();
                let status = if item.mime == DOCUMENT { 403 } else { 400 };
                Outcome::Refused(status, "fileNotDownloadable", why)
            }
        }
    }

    fn list(&mut self, call: &Call, now: chrono::DateTime<chrono::Utc>) -> Outcome {
        let invalid = |what: &str| Outcome::Refused(400, "invalid", format!("Invalid: {what}"));
        let (drive, corpora) = (
            call.query("driveId"),
            call.query("corpora").unwrap_or("user"),
        );
        if drive.is_some() != (corpora == "drive") {
            return invalid("driveId goes with corpora=drive");
        }
        let all = call.flag("supportsAllDrives") && call.flag("includeItemsFromAllDrives");
        if drive.is_some() && !all {
            return invalid("driveId without includeItemsFromAllDrives");
        }
        let Some(term) = parse(call.query("q").unwrap_or("trashed = false")) else {
            return invalid("q");
        };
        let folders = term.folders();
        if let Some(unknown) = folders.iter().find(|folder| !self.is_visible(folder)) {
            return missing(unknown);
        }
        let start: usize = match call
            .query("pageToken")
            .map(|token| token.strip_prefix("~!!~"))
        {
            None => 0,
            Some(Some(at)) if self.ways.forget_pages == 0 => at.parse().unwrap_or(0),
            Some(_) => {
                self.ways.forget_pages = self.ways.forget_pages.saturating_sub(1);
                return invalid("pageToken");
            }
        };
        let nothing = self.ways.or_finds_nothing && folders.len() > 1;
        let found: Vec<Value> = self
            .items
            .iter()
            .filter(|(id, item)| {
                self.is_visible(id)
                    && item.listed_from <= now
                    && (all || item.drive.is_none())
                    && drive.is_none_or(|drive| item.drive.as_deref() == Some(drive))
            })
            .map(|(id, _)| self.show_listed(id, now))
            .filter(|file| !nothing && term.covers(file))
            .collect();
        let wanted: usize = call
            .query("pageSize")
            .and_then(|it| it.parse().ok())
            .unwrap_or(100);
        let end = (start + wanted.min(1_000).min(self.ways.files_at_once)).min(found.len());
        let mut answer = json!({"kind": "drive#fileList", "files": found[start.min(end)..end],
            "incompleteSearch": self.ways.incomplete});
        if end < found.len() {
            answer["nextPageToken"] = json!(format!("~!!~{end}"));
        }
        Outcome::Json(answer)
    }

    fn changes(&self, call: &Call) -> Outcome {
        let token = call
            .query("pageToken")
            .and_then(|token| token.parse::<usize>().ok());
        let start = match token {
            Some(start) if (1..=self.log.len() + 1).contains(&start) => start,
            _ => return Outcome::Refused(400, "invalid", "Invalid Value: pageToken".to_owned()),
        };
        if self.ways.forgot_the_feed && start <= self.log.len() {
            return Outcome::Refused(400, "invalid", "Invalid Value: pageToken".to_owned());
        }
        let drive = call.query("driveId");
        if drive.is_some_and(|drive| !self.is_visible(drive)) {
            return missing(drive.unwrap_or_default());
        }
        let all = call.flag("supportsAllDrives") && call.flag("includeItemsFromAllDrives");
        let wanted: usize = call
            .query("pageSize")
            .and_then(|it| it.parse().ok())
            .unwrap_or(100);
        let most = wanted.min(1_000).min(self.ways.changes_at_once);
        let end = (start - 1 + most).min(self.log.len());
        let mut changes = Vec::new();
        for at in start - 1..end {
            let id = &self.log[at];
            // A file is told of once, with its latest state.
            let later = self.log[at + 1..].contains(id);
            let item = &self.items[id];
            let of_corpus = match drive {
                Some(drive) => item.drive.as_deref() == Some(drive),
                None => all || item.drive.is_none(),
            };
            if later || !of_corpus {
                continue;
            }
            let mut change = json!({"kind": "drive#change", "changeType": "file", "fileId": id,
                "time": super::instant(item.modified), "removed": !self.is_visible(id)});
            if self.is_visible(id) {
                change["file"] = self.show(id);
            }
            changes.push(change);
        }
        let mut answer = json!({"kind": "drive#changeList", "changes": changes});
        let next = (end + 1).to_string();
        if end < self.log.len() {
            answer["nextPageToken"] = json!(next);
        } else {
            answer["newStartPageToken"] = json!(next);
        }
        Outcome::Json(answer)
    }
}

pub(super) fn missing(id: &str) -> Outcome {
    Outcome::Refused(404, "notFound", format!("File not found: {id}."))
}

/// Whether something can be put in there.
pub(super) fn takes_children(world: &World, parent: &str) -> bool {
    world.is_live(parent) && world.items[parent].mime == FOLDER
}
