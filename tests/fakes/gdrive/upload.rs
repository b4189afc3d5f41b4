//! Making and changing files, with bytes or without.

use std::collections::BTreeMap;

use axum::http::Method;
use chrono::{DateTime, Utc};
use serde_json::{Map, Value};

use super::api::{Call, Outcome, missing, takes_children};
use super::{FOLDER, Item, World};

/// A file whose bytes are still to come.
#[derive(Clone, Debug)]
pub(super) struct Session {
    /// The file that gets them; `None` for a new one.
    id: Option<String>,
    meta: Value,
}

/// Of private properties ("Add custom file properties": 30 by one app, 124 bytes each).
const PROPERTIES_MAX: usize = 30;
const PROPERTY_MAX: usize = 124;
/// For an upload at once.
const MULTIPART_MAX: usize = 5 << 20;

impl World {
    pub(super) fn upload(&mut self, call: &Call, id: &str, now: DateTime<Utc>) -> Outcome {
        let invalid = |why: &str| Outcome::Refused(400, "badRequest", why.to_owned());
        if let Some(session) = call.query("upload_id") {
            let Some(session) = self
                .sessions
                .remove(session)
                .filter(|_| call.method == "PUT")
            else {
                return missing("session");
            };
            return self.store(session.id.as_deref(), &session.meta, call.body.clone(), now);
        }
        let id = Some(id).filter(|id| !id.is_empty());
        let right = match id {
            None => call.method == Method::POST,
            Some(_) => call.method == Method::PATCH,
        };
        if !right {
            return missing(&call.path);
        }
        match call.query("uploadType") {
            Some("multipart") => match parts(&call.kind, &call.body).as_deref() {
                Some([meta, bytes]) if bytes.len() <= MULTIPART_MAX => {
                    match serde_json::from_slice(meta) {
                        Ok(meta) => self.store(id, &meta, bytes.clone(), now),
                        Err(_) => invalid("Malformed metadata"),
                    }
                }
                _ => invalid("Malformed multipart body."),
            },
            Some("resumable") => {
                let Ok(meta) = serde_json::from_slice(&call.body) else {
                    return invalid("Malformed metadata");
                };
                let id = id.map(str::to_owned);
                let name = format!("ABg5-{}", self.fresh_id());
                self.sessions.insert(name.clone(), Session { id, meta });
                let path = &call.path;
                let address = format!("{}{path}?uploadType=resumable&upload_id={name}", call.base);
                Outcome::Session(address)
            }
            _ => invalid("uploadType"),
        }
    }

    fn store(
        &mut self,
        id: Option<&str>,
        meta: &Value,
        bytes: Vec<u8>,
        now: DateTime<Utc>,
    ) -> Outcome {
        match id {
            Some(id) => self.update(id, meta, Some(bytes), now),
            None => self.create(meta, Some(bytes), now),
        }
    }

    pub(super) fn create(
        &mut self,
        meta: &Value,
        bytes: Option<Vec<u8>>,
        now: DateTime<Utc>,
    ) -> Outcome {
        let Some(parent) = meta["parents"][0].as_str() else {
            return Outcome::Refused(400, "invalid", "parents".to_owned());
        };
        if !takes_children(self, parent) {
            return missing(parent);
        }
        let drive = self.items[parent].drive.clone();
        if let Some(refusal) = self.may_write(bytes.is_some() && drive.is_none()) {
            return refusal;
        }
        let id = match meta["id"].as_str() {
            None => self.fresh_id(),
            Some(id) if self.items.contains_key(id) => {
                let why = "A file already exists with the provided ID.".to_owned();
                return Outcome::Refused(409, "fileIdInUse", why);
            }
            Some(id) if self.generated.contains(id) => id.to_owned(),
            Some(_) => {
                let why = "The provided file ID is not usable.".to_owned();
                return Outcome::Refused(400, "invalid", why);
            }
        };
        let mut app = BTreeMap::new();
        if !set_properties(&mut app, &meta["appProperties"]) {
            return too_long();
        }
        let name = meta["name"].as_str().unwrap_or("Untitled");
        let mime = meta["mimeType"].as_str().unwrap_or("application/pdf");
        let mut item = Item::new(name, mime, Some(parent.to_owned()), now);
        (item.drive, item.bytes, item.app) = (drive, bytes, app);
        item.listed_from = now + self.ways.lag;
        self.items.insert(id.clone(), item);
        self.tell(&id);
        Outcome::Json(self.show(&id))
    }

    pub(super) fn update(
        &mut self,
        id: &str,
        meta: &Value,
        bytes: Option<Vec<u8>>,
        now: DateTime<Utc>,
    ) -> Outcome {
        if !self.is_visible(id) {
            return missing(id);
        }
        if let Some(refusal) = self.may_write(false) {
            return refusal;
        }
        let item = self.items.get_mut(id).expect("it is visible");
        if item.mime == FOLDER && item.drive.as_deref() == Some(id) {
            let why = "The top of a shared drive cannot be changed.".to_owned();
            return Outcome::Refused(403, "insufficientFilePermissions", why);
        }
        if !set_properties(&mut item.app, &meta["appProperties"]) {
            return too_long();
        }
        if let Some(name) = meta["name"].as_str() {
            name.clone_into(&mut item.name);
        }
        if let Some(trashed) = meta["trashed"].as_bool() {
            item.trashed = trashed;
        }
        if let Some(bytes) = bytes {
            item.write(bytes, now);
        }
        self.tell(id);
        Outcome::Json(self.show(id))
    }

    fn may_write(&self, needs_storage: bool) -> Option<Outcome> {
        let refused = |reason, why: &str| Some(Outcome::Refused(403, reason, why.to_owned()));
        if self.ways.read_only {
            return refused(
                "insufficientFilePermissions",
                "The user has no rights to write.",
            );
        }
        if self.ways.no_storage && needs_storage {
            return refused(
                "storageQuotaExceeded",
                "Service Accounts do not have storage quota. Leverage shared drives, or use OAuth \
                 delegation instead.",
            );
        }
        None
    }
}

fn too_long() -> Outcome {
    Outcome::Refused(
        400,
        "propertyQuotaExceeded",
        "Too many or too long properties".to_owned(),
    )
}

/// Sets properties, and takes away those that are null.
fn set_properties(properties: &mut BTreeMap<String, String>, change: &Value) -> bool {
    let none = Map::new();
    for (key, value) in change.as_object().unwrap_or(&none) {
        match value.as_str() {
            None => drop(properties.remove(key)),
            Some(value) if key.len() + value.len() <= PROPERTY_MAX => {
                properties.insert(key.clone(), value.to_owned());
            }
            Some(_) => return false,
        }
    }
    properties.len() <= PROPERTIES_MAX
}

/// The parts of a `multipart/related` body, without their headers.
fn parts(kind: &str, body: &[u8]) -> Option<Vec<Vec<u8>>> {
    let boundary = kind.strip_prefix("multipart/related; boundary=")?;
    let line = format!("--{boundary}").into_bytes();
    let find = |from: usize, needle: &[u8]| {
        let mut windows = body[from..].windows(needle.len());
        windows
            .position(|bytes| bytes == needle)
            .map(|at| from + at)
    };
    let mut parts = Vec::new();
    let mut at = find(0, &line)?;
    while let Some(next) = find(at + line.len(), &line) {
        let start = find(at, b"\r\n\r\n")? + 4;
        parts.push(body.get(start..next - 2)?.to_vec());
        at = next;
    }
    Some(parts)
}
