//! Claims: which id something of ours has, written down before it is made.
//!
//! Drive lets two files have the same name, and its searches lag behind what was written. Who
//! looks for his file after a crash may not find it, and makes a second one. But Drive takes a
//! file under an id that it made before, once, and a file or folder asked for by its id is always
//! as new as can be. So before anything is made in a folder, its id is noted in that folder's
//! private properties (`appProperties`: nobody but this program's project sees them). Whoever
//! comes after reads the note and goes on with the same id. A note goes when a search shows
//! what it stands for.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Map, Value, json};
use sha2::{Digest as _, Sha256};

use super::api::{Api, FILES, WRITES};
use super::listing::folders_named;
use super::state::Root;
use super::wire::{FOLDER, Meta, Node};
use crate::drive::hash::hex;
use crate::error::{Error, Kind, Result};
use crate::http::{Method, Request, segment};

/// Begins the names of our notes. A name and an id together stay below the 124 bytes that a
/// property may have.
const NOTE: &str = "sb-";

/// A folder in which something is to be made.
#[derive(Clone, Debug)]
pub(super) struct Place {
    pub(super) id: String,
    /// Its notes, as soon as they were read.
    notes: Option<BTreeMap<String, String>>,
}

impl Place {
    /// A folder that was just asked for by its id.
    pub(super) fn of(meta: &Meta) -> Self {
        Self {
            id: meta.id.clone(),
            notes: Some(notes(meta)),
        }
    }

    /// The id that was noted for something of this name.
    pub(super) async fn noted(&mut self, api: &Api, name: &str) -> Result<Option<String>> {
        if self.notes.is_none() {
            self.notes = Some(notes(&api.get(&self.id).await?));
        }
        Ok(self
            .notes
            .as_ref()
            .and_then(|notes| notes.get(&note(name)).cloned()))
    }

    /// Notes a new id for something of this name; notes of what is `listed` go.
    pub(super) async fn claim(
        &mut self,
        api: &Api,
        name: &str,
        listed: &BTreeSet<String>,
    ) -> Result<String> {
        let id = api.fresh_id().await?;
        let mut properties = Map::new();
        for (key, value) in self.notes.iter().flatten() {
            if listed.contains(value) {
                properties.insert(key.clone(), Value::Null);
            }
        }
        properties.insert(note(name), json!(id));
        let request = Request::new(
            Method::Patch,
            WRITES,
            format!("{FILES}/{}", segment(&self.id)),
        )
        .query("supportsAllDrives", true)
        .query("fields", "id")
        .json(json!({"appProperties": properties}));
        match api.http.send(request).await {
            Ok(_) => {}
            // The top of a shared drive takes no properties, and a folder no more than thirty.
            // Then a search is all there is.
            Err(error) if matches!(error.kind(), Kind::Forbidden | Kind::Rejected) => {}
            Err(error) => return Err(error),
        }
        if let Some(notes) = &mut self.notes {
            notes.retain(|_, value| !listed.contains(value));
            notes.insert(note(name), id.clone());
        }
        Ok(id)
    }
}

/// The folder of that name in another, made where there is none.
pub(super) async fn enter(api: &Api, root: &Root, parent: &mut Place, name: &str) -> Result<Place> {
    let found = search(api, root, &folders_named(&parent.id, name)).await?;
    let of_name = found.iter().filter(|folder| folder.name == name);
    // Of several of the same name, the oldest: another run chooses the same.
    if let Some(folder) = of_name.min_by_key(|folder| age(folder)) {
        let (id, notes) = (folder.id.clone(), None);
        return Ok(Place { id, notes });
    }
    let mut id = parent.noted(api, name).await?;
    if let Some(noted) = &id {
        match api.find(noted).await? {
            Some(meta) if is_live(&meta, &parent.id) => return Ok(Place::of(&meta)),
            // It was made, and somebody has put it away since.
            Some(_) => id = None,
            None => {}
        }
    }
    let id = match id {
        Some(id) => id,
        None => parent.claim(api, name, &BTreeSet::new()).await?,
    };
    let body = json!({"id": id, "name": name, "mimeType": FOLDER, "parents": [parent.id]});
    let request = Request::new(Method::Post, WRITES, FILES)
        .query("supportsAllDrives", true)
        .query("fields", super::api::META_FIELDS)
        .json(body);
    let meta = match api.http.send(request).await {
        Ok(reply) => reply.json()?,
        Err(error) if error.kind() == Kind::Conflict => made_before(api, &id, error).await?,
        Err(error) => return Err(error),
    };
    Ok(Place::of(&meta))
}

/// What has this id: made by an attempt whose answer was lost.
pub(super) async fn made_before(api: &Api, id: &str, conflict: Error) -> Result<Meta> {
    api.find(id).await?.ok_or(conflict)
}

/// Files and folders that a query finds.
pub(super) async fn search(api: &Api, root: &Root, query: &str) -> Result<Vec<Meta>> {
    let found = api.list(root, query, super::api::META_FIELDS).await?;
    let read = |node: Node| serde_json::from_value(Value::Object(node.0)).ok();
    // What cannot be read is nothing that we wrote.
    Ok(found
        .iter()
        .filter_map(|text| Node::read(text).and_then(read))
        .collect())
}

/// Orders by age; of the same age, by id.
pub(super) fn age(meta: &Meta) -> (String, String) {
    (
        meta.created_time.clone().unwrap_or_default(),
        meta.id.clone(),
    )
}

/// Whether it lies in that folder, and not in the trash.
pub(super) fn is_live(meta: &Meta, folder: &str) -> bool {
    !meta.is_trashed() && meta.lies_in(folder)
}

fn notes(meta: &Meta) -> BTreeMap<String, String> {
    let ours = meta
        .app_properties
        .iter()
        .filter(|(key, _)| key.starts_with(NOTE));
    ours.map(|(key, value)| (key.clone(), value.clone()))
        .collect()
}

fn note(name: &str) -> String {
    format!("{NOTE}{}", hex(&Sha256::digest(name)[..8]))
}
