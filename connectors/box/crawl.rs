//! Jobs: one folder listed, one folder or file looked at, and what that changes in the tree.

use std::collections::BTreeSet;

use serde::Deserialize;
use serde_json::Value;

use super::Drive;
use super::api::{API, Said, path};
use super::item::{FIELDS, Lies, WHERE, above, active, lies, number, raw};
use super::state::{Job, State};
use crate::contract::{Notice, Page};
use crate::drive::received::Elements;
use crate::error::{Error, Kind, Result};
use crate::http::Request;

/// The most items in one answer (Box, `get_folders_id_items`, 2026-06).
const LIMIT: u32 = 1000;

/// More answers than any folder has.
const ANSWERS_MAX: usize = 10_000;

#[derive(Debug, Deserialize)]
struct Items {
    entries: Elements,
    #[serde(default)]
    next_marker: Option<String>,
}

impl Drive {
    /// Does one job.
    pub(super) async fn work(&self, job: Job, state: &mut State, page: &mut Page) -> Result<()> {
        match job {
            Job::List(id) => self.list(&id, false, state, page).await,
            Job::Deep(id) => self.list(&id, true, state, page).await,
            Job::Look(id) => self.look_at_folder(&id, state, page).await,
            Job::File(id) => self.look_at_file(&id, state).await,
        }
    }

    /// All items of a folder; `None` where there is no such folder for us.
    pub(super) async fn items(&self, folder: &str, fields: &str) -> Result<Option<Vec<Value>>> {
        let mut all = Vec::new();
        let mut marker: Option<String> = None;
        for _ in 0..ANSWERS_MAX {
            let request = Request::get(API, path("folders", folder, "/items"))
                .query("usemarker", true)
                .query("limit", LIMIT)
                .query("fields", fields);
            let request = match &marker {
                None => request,
                Some(marker) => request.query("marker", marker),
            };
            let items: Items = match self.api.ask(request).await? {
                Said::Done(items) => items,
                Said::Refused(refusal) if refusal.not_found() => return Ok(None),
                Said::Refused(refusal) => {
                    return Err(refusal
                        .error("a folder cannot be listed")
                        .with("folder", folder));
                }
            };
            all.extend(items.entries.0);
            // The end is where there is no marker: null or empty, both were described.
            marker = items.next_marker.filter(|marker| !marker.is_empty());
            if marker.is_none() {
                return Ok(Some(all));
            }
        }
        Err(Error::new(Kind::Protocol, "Box lists without an end"))
    }

    async fn list(
        &self,
        folder: &str,
        deep: bool,
        state: &mut State,
        page: &mut Page,
    ) -> Result<()> {
        if !state.tree.knows(folder) {
            return Ok(());
        }
        let Some(items) = self.items(folder, FIELDS).await? else {
            return self.look_at_folder(folder, state, page).await;
        };
        let of_kind = |kind: &'static str| items.iter().filter(move |it| it["type"] == kind);
        let nameless = items.iter().filter(|it| number(it).is_none()).count();
        let unlike = items.iter().filter(|it| !it["type"].is_string()).count();
        page.raw
            .extend(of_kind("file").filter_map(|item| raw(&state.root, item)));
        let mut files: BTreeSet<&str> = of_kind("file").filter_map(number).collect();
        let folders: BTreeSet<&str> = of_kind("folder").filter_map(number).collect();
        for file in &files {
            state.told.remove(*file);
        }
        let before = state.tree.files(folder);
        let children = state.tree.children(folder);
        if nameless + unlike > 0 {
            // A list with such an item does not prove that another one is not there.
            state.unsure = true;
            page.notices.push(Notice {
                code: "item-without-id",
                text: format!(
                    "{} items of a folder cannot be told from others",
                    nameless + unlike
                ),
            });
            files.extend(before.iter().map(String::as_str));
        }
        for left in state.tree.fill(folder, &files) {
            state.miss(left, folder.to_owned());
        }
        for child in folders.iter().copied() {
            let moved = state.tree.parent(child) != Some(folder);
            if moved {
                state.tree.place(child, folder);
            }
            if moved || deep {
                state.add(Job::Deep(child.to_owned()));
            }
        }
        if nameless + unlike == 0 {
            let gone = children.into_iter();
            for child in gone.filter(|child| !folders.contains(child.as_str())) {
                state.add(Job::Look(child));
            }
        }
        Ok(())
    }

    /// Sees what became of a folder: it is there, in the trash, elsewhere, or out of our sight.
    async fn look_at_folder(&self, id: &str, state: &mut State, page: &mut Page) -> Result<()> {
        let refusal = match self.api.read(path("folders", id, ""), WHERE).await? {
            Said::Done(found) if active(&found) => {
                match lies(&found, &state.root) {
                    Lies::Inside => adopt(id, &found, state),
                    // It lies elsewhere now, and so do its files.
                    Lies::Outside => drop_branch(id, None, state),
                    Lies::Unknown => {
                        let error = Error::new(Kind::Protocol, "Box does not say where it lies");
                        return Err(error.with("folder", id));
                    }
                }
                return Ok(());
            }
            Said::Done(_) if id == state.root => return Err(root_is_lost(id)),
            Said::Done(found) => {
                let status = &found["item_status"];
                let proof = format!("the folder {id} above it has the status {status}");
                drop_branch(id, Some(&proof), state);
                return Ok(());
            }
            Said::Refused(_) if !state.tree.knows(id) => return Ok(()),
            Said::Refused(refusal) => refusal,
        };
        if !refusal.not_found() {
            return Err(refusal
                .error("a folder cannot be looked at")
                .with("folder", id));
        }
        if id == state.root {
            return Err(root_is_lost(id));
        }
        if refusal.trashed() || self.in_trash("folders", id).await? {
            let proof = format!("the folder {id} above it is in the trash");
            drop_branch(id, Some(&proof), state);
            return Ok(());
        }
        let told = state.told_folders.get(id).cloned();
        if told.is_none() {
            page.notices.push(Notice {
                code: "folder-lost",
                text: "a folder that was read is not to be seen any more, and Box does not say \
                       that it was deleted; its files stay in the ledger as they were last seen"
                    .to_owned(),
            });
        }
        drop_branch(id, told.as_deref(), state);
        Ok(())
    }

    /// Whether an item lies in the trash, by itself and not with a folder above it.
    pub(super) async fn in_trash(&self, kind: &str, id: &str) -> Result<bool> {
        let said = self
            .api
            .read(path(kind, id, "/trash"), "type,id,trashed_at")
            .await?;
        match said {
            Said::Done(found) => Ok(number(&found) == Some(id)),
            Said::Refused(_) => Ok(false),
        }
    }

    async fn look_at_file(&self, id: &str, state: &mut State) -> Result<()> {
        let Said::Done(found) = self.api.read(path("files", id, ""), WHERE).await? else {
            return Ok(());
        };
        if active(&found)
            && lies(&found, &state.root) == Lies::Inside
            && let Some(parent) = above(&found).last()
        {
            let parent = (*parent).to_owned();
            let known = state.tree.knows(&parent);
            state.add(if known {
                Job::List(parent)
            } else {
                Job::Look(parent)
            });
        }
        Ok(())
    }
}

/// Takes a folder in, with the folders between it and those that are known.
fn adopt(id: &str, found: &Value, state: &mut State) {
    let mut way = above(found);
    way.push(id);
    let Some(root) = way.iter().position(|it| *it == state.root) else {
        return;
    };
    let mut new = None;
    for pair in way[root..].windows(2) {
        let known = state.tree.knows(pair[1]);
        state.tree.place(pair[1], pair[0]);
        if !known && new.is_none() {
            new = Some(pair[1]);
        }
    }
    // What is below it has another path now, or was never listed.
    state.add(Job::Deep(new.unwrap_or(id).to_owned()));
}

/// Takes a folder and all below it out. With a proof its files are deleted; without one they are
/// looked for.
fn drop_branch(id: &str, proof: Option<&str>, state: &mut State) {
    for (file, folder) in state.tree.cut(id) {
        match proof {
            Some(proof) => drop(state.told.insert(file, proof.to_owned())),
            None => state.miss(file, folder),
        }
    }
}

/// The folder that everything is read below must be there; without it nothing can be said.
fn root_is_lost(id: &str) -> Error {
    Error::new(
        Kind::NotFound,
        "the folder is not to be seen at Box any more",
    )
    .with("folder", id)
    .hint("check `folder`: it may have been deleted, or the account taken off it")
}
