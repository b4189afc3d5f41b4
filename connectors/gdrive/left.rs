//! Folders that are no longer where they were: what became of them, and of what lay in them.
//!
//! The feed tells of the folder alone. Trashed or moved away, it can still be listed, and each
//! file in it is told of by name. Where it cannot be seen any more, what lay in it is absent, and
//! looked for file by file: many at once, and a person is asked.

use std::collections::BTreeSet;

use super::GDrive;
use super::confirm::lies_elsewhere;
use super::listing::sweep;
use super::names::in_any;
use super::root;
use super::state::{Left, Root, State};
use super::wire::{FILE_FIELDS, FOLDER, Meta, Node};
use crate::contract::{Gone, Page};
use crate::error::{Kind, Result};
use crate::record::{ExternalId, Stream};

/// Folders asked about in one request.
const AT_ONCE: usize = 50;

/// Looks at the next folder that left.
pub(super) async fn read(drive: &GDrive, state: &mut State, page: &mut Page) -> Result<()> {
    let (Some(left), Some(home)) = (state.left.pop_front(), state.root.clone()) else {
        return Ok(());
    };
    if state.tree.holds(&left.id) {
        // A listing has met it in its new place.
        return Ok(());
    }
    let Some(meta) = drive.api.find(&left.id).await? else {
        root::look(&drive.api, &drive.folder).await?;
        absent(&left, &BTreeSet::new(), state, page);
        return Ok(());
    };
    let parents = meta.parents.iter().flatten();
    let parent = parents
        .into_iter()
        .find(|parent| state.tree.holds(parent))
        .cloned();
    match parent {
        Some(parent) if !meta.is_trashed() => {
            state.tree.put(&left.id, &parent, &meta.name);
            state.list_folder(&left.id, true);
        }
        // In a folder that we have not met yet: one that was made since the feed was read, or that
        // no listing shows so far. It is found when everything is listed.
        _ if !meta.is_trashed() && !lies_elsewhere(&drive.api, &home.id, &meta).await? => {
            state.compare();
        }
        _ => {
            let found = told_gone(drive, &home, &left, &meta, state, page).await?;
            absent(&left, &found, state, page);
        }
    }
    Ok(())
}

/// Calls gone what still lies in the folder, at every depth; the folders that were found there.
async fn told_gone(
    drive: &GDrive,
    home: &Root,
    left: &Left,
    meta: &Meta,
    state: &State,
    page: &mut Page,
) -> Result<BTreeSet<String>> {
    let fields = format!("{FILE_FIELDS},trashed");
    let what = if meta.is_trashed() {
        "trashed"
    } else {
        "moved away"
    };
    // Found from the folder itself: one that lay below it may lie in ours again by now.
    let mut found = BTreeSet::from([left.id.clone()]);
    let mut todo = vec![left.id.clone()];
    while !todo.is_empty() {
        let batch: Vec<String> = todo.drain(..todo.len().min(AT_ONCE)).collect();
        let ids: Vec<&str> = batch.iter().map(String::as_str).collect();
        let listed = match drive.api.list(home, &in_any(&ids), &fields).await {
            // What cannot be listed is absent, and looked for.
            Err(error) if error.kind() == Kind::NotFound => continue,
            other => other?,
        };
        for node in listed.iter().filter_map(|text| Node::read(text)) {
            let Some(id) = node.id() else { continue };
            if node.text("mimeType") == Some(FOLDER) {
                if !state.tree.holds(id) && found.insert(id.to_owned()) {
                    todo.push(id.to_owned());
                }
            } else if state.tree.home(id).is_some() {
                // It came back by itself, and the list lags behind.
            } else if !meta.is_trashed() || node.0.get("trashed") == Some(&true.into()) {
                page.gone.push(Gone {
                    stream: Stream::Files,
                    id: ExternalId::new(id),
                    proof: format!("lies in the folder {}, which was {what}", left.id),
                });
            }
        }
    }
    Ok(found)
}

/// Nothing is left in these folders, as far as they are not in the tree by now.
fn absent(left: &Left, found: &BTreeSet<String>, state: &State, page: &mut Page) {
    let mut folders = found.clone();
    folders.insert(left.id.clone());
    folders.extend(left.below.iter().cloned());
    folders.retain(|folder| !state.tree.holds(folder));
    page.swept
        .extend(folders.iter().map(|folder| sweep(folder, &[])));
}
