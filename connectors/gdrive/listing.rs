//! Listing folders: several at once, each completely, with what they no longer hold.
//!
//! A folder is listed to its end within one page of ours, because a page token of Drive is good
//! for some hours only and a cursor may be months old. What was listed completely is a sweep.

use std::collections::BTreeMap;

use serde_json::value::RawValue;

use super::GDrive;
use super::names::{in_any, quoted};
use super::normalise::raw;
use super::root;
use super::state::{Root, State, Todo, notice};
use super::tree::Put;
use super::wire::{FILE_FIELDS, FOLDER, Node, Parent};
use crate::contract::{Page, Sweep};
use crate::error::{Kind, Result};
use crate::record::{ExternalId, Stream};

/// Folders asked about in one request; rclone asks about as many, and an address stays below
/// 4 KB with them.
const AT_ONCE: usize = 50;

/// Lists the next folders.
pub(super) async fn read(drive: &GDrive, state: &mut State, page: &mut Page) -> Result<()> {
    let Some(home) = state.root.clone() else {
        return Ok(());
    };
    let batch = take_batch(state);
    if batch.is_empty() {
        return Ok(());
    }
    let ids: Vec<&str> = batch.iter().map(|todo| todo.id.as_str()).collect();
    match ask(drive, &home, &ids).await {
        Ok(found) if found.is_empty() && ids.len() > 1 => {
            one_by_one(drive, &home, &batch, state, page).await
        }
        Ok(found) => {
            file(&batch, &found, state, page);
            Ok(())
        }
        // One of them is not there any more, and the others need not suffer for it.
        Err(error) if error.kind() == Kind::NotFound => {
            one_by_one(drive, &home, &batch, state, page).await
        }
        Err(error) => Err(error),
    }
}

fn take_batch(state: &mut State) -> Vec<Todo> {
    let most = if state.singly { 1 } else { AT_ONCE };
    let mut batch = Vec::new();
    while batch.len() < most {
        let Some(todo) = state.list.pop_front() else {
            break;
        };
        if state.tree.holds(&todo.id) {
            batch.push(todo);
        }
    }
    batch
}

async fn ask(drive: &GDrive, home: &Root, ids: &[&str]) -> Result<Vec<Box<RawValue>>> {
    let query = format!("{} and trashed = false", in_any(ids));
    drive.api.list(home, &query, FILE_FIELDS).await
}

/// Asks about each folder by itself. Asked about several, Drive may answer with nothing although
/// they hold something (rclone#3114, shared drives); from then on it is not asked so.
async fn one_by_one(
    drive: &GDrive,
    home: &Root,
    batch: &[Todo],
    state: &mut State,
    page: &mut Page,
) -> Result<()> {
    for todo in batch {
        match ask(drive, home, &[&todo.id]).await {
            Ok(found) => {
                state.singly |= batch.len() > 1 && !found.is_empty();
                file(std::slice::from_ref(todo), &found, state, page);
            }
            Err(error) if error.kind() == Kind::NotFound => {
                root::look(&drive.api, &drive.folder).await?;
                state.leave(&todo.id);
            }
            Err(error) => return Err(error),
        }
    }
    Ok(())
}

/// Puts what was found in these folders on the page.
fn file(batch: &[Todo], found: &[Box<RawValue>], state: &mut State, page: &mut Page) {
    let mut files: BTreeMap<&str, BTreeMap<String, Node>> = batch
        .iter()
        .map(|todo| (todo.id.as_str(), BTreeMap::new()))
        .collect();
    let mut unclear = 0;
    for text in found {
        let node = Node::read(text);
        let place = node
            .as_ref()
            .and_then(|node| match (node.id(), node.parent()) {
                (Some(id), Parent::Is(parent)) => Some((id.to_owned(), parent.to_owned())),
                _ => None,
            });
        match (node, place) {
            (Some(node), Some((id, parent))) if files.contains_key(parent.as_str()) => {
                files
                    .entry(known(batch, &parent))
                    .or_default()
                    .insert(id, node);
            }
            _ => unclear += 1,
        }
    }
    for todo in batch {
        let nodes = files.remove(todo.id.as_str()).unwrap_or_default();
        unclear += folder(todo, nodes, unclear == 0, state, page);
    }
    if unclear > 0 {
        page.notices.push(notice(
            "drive-files-unclear",
            format!(
                "{unclear} files of a listing cannot be understood; \
                 nothing is taken for deleted by it"
            ),
        ));
    }
}

fn known<'a>(batch: &'a [Todo], id: &str) -> &'a str {
    let todo = batch.iter().find(|todo| todo.id == id);
    todo.map_or("", |todo| todo.id.as_str())
}

/// One folder, completely listed where `clear`; how much of it is unclear.
fn folder(
    todo: &Todo,
    nodes: BTreeMap<String, Node>,
    clear: bool,
    state: &mut State,
    page: &mut Page,
) -> usize {
    let Some(path) = state.tree.path(&todo.id) else {
        return 0;
    };
    let mut unclear = 0;
    let mut missing = state.tree.inner(&todo.id);
    let mut present = Vec::new();
    for (id, node) in nodes {
        missing.retain(|inner| *inner != id);
        match (node.text("mimeType"), node.text("name")) {
            (Some(FOLDER), Some(name)) => {
                let put = state.tree.put(&id, &todo.id, name);
                if todo.deep || put != Put::Same {
                    state.list_folder(&id, true);
                }
            }
            (Some(FOLDER) | None, _) => unclear += 1,
            (Some(_), _) => {
                page.raw.push(raw(node, &id, &todo.id, &path));
                present.push(id);
            }
        }
    }
    if !clear || unclear > 0 {
        for id in &present {
            state.tree.keep(id, &todo.id);
        }
        return unclear;
    }
    state
        .tree
        .fill(&todo.id, present.iter().map(String::as_str));
    for inner in missing {
        state.leave(&inner);
    }
    page.swept.push(sweep(&todo.id, &present));
    0
}

/// The complete content of a folder, as ids of files.
pub(super) fn sweep(folder: &str, present: &[String]) -> Sweep {
    Sweep {
        stream: Stream::Files,
        scope: folder.to_owned(),
        from: None,
        until: None,
        present: present.iter().map(ExternalId::new).collect(),
    }
}

/// The query for folders of that name in a folder.
pub(super) fn folders_named(parent: &str, name: &str) -> String {
    format!(
        "{} and name = {} and mimeType = {} and trashed = false",
        in_any(&[parent]),
        quoted(name),
        quoted(FOLDER)
    )
}
