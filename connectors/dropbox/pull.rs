//! Pulls: what changed since the cursor, and a listing that proves what is there.
//!
//! Dropbox tells of a deletion by its path alone, and a path that is gone may be a rename. So
//! nothing is deleted by such a word: it makes a whole listing due, which costs one request for
//! 2,000 files, and what that does not show is looked for by its id.

use std::collections::{BTreeMap, BTreeSet};

use serde::Deserialize;
use serde_json::{Value, json};

use super::Dropbox;
use super::api::Said;
use super::entry::{OWN, modified_by, raw, scope, shared_scope};
use super::place::Spot;
use super::state::{Anchor, State};
use crate::contract::{Cursor, Notice, Page, Pull, Sweep};
use crate::drive::received::{Elements, id};
use crate::error::{Error, Kind, Result};
use crate::record::{ExternalId, Stream};

/// The most entries in one answer (Dropbox, `ListFolderArg`, read 2026-11).
const LIMIT: u32 = 2000;

/// Up to so many files every night with changes ends with a listing, which costs two requests: a
/// file that takes the place of another one is told without a word of deletion ("if there's
/// already something else at the given path, replace it", Dropbox, `list_folder`, read 2026-11).
/// Of more files, only a word of deletion makes it due, and the weekly comparison.
const FEW: usize = 4000;

/// More answers than any account has.
const ANSWERS_MAX: usize = 10_000;

/// One answer of a listing.
#[derive(Debug, Deserialize)]
pub(super) struct Listed {
    pub(super) entries: Elements,
    pub(super) cursor: String,
    pub(super) has_more: bool,
}

/// How a call for entries ended.
enum Got {
    Listed(Listed),
    /// The cursor does not work any more: everything is listed again.
    Reset,
    /// The space is another one now: everything is found again.
    Moved,
}

pub(super) async fn pull(dropbox: &Dropbox, cursor: &Cursor, mode: &Pull) -> Result<Page> {
    let mut state: State = cursor.decode()?;
    let same = |anchor: &Anchor| anchor.setting == dropbox.mark();
    if state.anchor.as_ref().is_some_and(|anchor| !same(anchor)) {
        state.anchor = None;
        state.list_again();
    }
    if matches!(mode, Pull::Compare { until: None, .. }) && !state.comparing {
        state.list_again();
        state.comparing = true;
    }
    let mut page = Page::default();
    if state.proving {
        prove(dropbox, &mut state, &mut page).await?;
    } else {
        changes(dropbox, &mut state, &mut page).await?;
    }
    if !page.more {
        state.comparing = false;
    }
    page.next = Cursor::encode(&state);
    Ok(page)
}

/// The next entries behind the cursor, or the first of a new listing.
async fn changes(dropbox: &Dropbox, state: &mut State, page: &mut Page) -> Result<()> {
    let mut tries = 0;
    let (anchor, first, listed) = loop {
        let anchor = match &state.anchor {
            Some(anchor) => anchor.clone(),
            None => dropbox.find_anchor().await?,
        };
        dropbox.know(&anchor);
        state.anchor = Some(anchor.clone());
        let first = state.cursor.is_none();
        let got = match &state.cursor {
            None => list(dropbox, &anchor).await?,
            Some(cursor) => go_on(dropbox, &anchor, cursor).await?,
        };
        tries += 1;
        match got {
            Got::Listed(listed) => break (anchor, first, listed),
            _ if tries > 2 => {
                return Err(Error::new(
                    Kind::Unavailable,
                    "Dropbox changes its mind again and again",
                )
                .hint("nothing to do: it is tried again"));
            }
            Got::Reset => state.list_again(),
            Got::Moved => {
                state.anchor = None;
                state.list_again();
            }
        }
    };
    let entries = &listed.entries.0;
    let spot = if entries.is_empty() {
        Spot::default()
    } else {
        dropbox.spot_for(&anchor, entries).await?
    };
    let mut found = Found::default();
    found.take(entries);
    let files = last_of_each(entries);
    page.raw = raws(dropbox, spot.depth(), &files).await?;
    page.notices.extend(found.notice());
    let listing = first || state.listing;
    state.listing = listing && listed.has_more;
    state.cursor = Some(listed.cursor);
    if first && !listed.has_more {
        found.sweep(&anchor, &spot, state, page);
        state.due = false;
        return Ok(());
    }
    if listing {
        state.files += files.len();
        state.shared.extend(found.shared);
        state.due |= entries.iter().any(is_deleted);
    } else {
        state.due |= tells_of_loss(entries, state.files);
    }
    page.more = listed.has_more || state.due;
    state.proving = !listed.has_more && state.due;
    Ok(())
}

/// Whether these changes may have taken something away.
fn tells_of_loss(entries: &[Value], files: usize) -> bool {
    entries.iter().any(is_deleted) || (!entries.is_empty() && files <= FEW)
}

fn is_deleted(entry: &Value) -> bool {
    entry[".tag"] == "deleted"
}

/// Lists everything once more, for the identifiers alone.
async fn prove(dropbox: &Dropbox, state: &mut State, page: &mut Page) -> Result<()> {
    state.proving = false;
    let Some(anchor) = state.anchor.clone() else {
        return Err(Error::new(
            Kind::Protocol,
            "the stored cursor has lost what it is about",
        ));
    };
    dropbox.know(&anchor);
    let spot = dropbox.spot(&anchor).await?;
    let mut found = Found::default();
    let mut got = list(dropbox, &anchor).await?;
    for _ in 0..ANSWERS_MAX {
        let Got::Listed(listed) = got else {
            // The next pull begins with a whole listing, and proves then.
            state.list_again();
            page.more = true;
            return Ok(());
        };
        found.take(&listed.entries.0);
        if !listed.has_more {
            page.notices.extend(found.notice());
            found.sweep(&anchor, &spot, state, page);
            state.due = false;
            return Ok(());
        }
        got = go_on(dropbox, &anchor, &listed.cursor).await?;
    }
    Err(Error::new(Kind::Protocol, "Dropbox lists without an end"))
}

async fn list(dropbox: &Dropbox, anchor: &Anchor) -> Result<Got> {
    let arg = json!({
        "path": anchor.folder.as_deref().unwrap_or_default(),
        "recursive": true,
        "include_deleted": false,
        "include_mounted_folders": true,
        "include_non_downloadable_files": true,
        "limit": LIMIT,
    });
    entries(dropbox, anchor, "/files/list_folder", arg).await
}

async fn go_on(dropbox: &Dropbox, anchor: &Anchor, cursor: &str) -> Result<Got> {
    entries(
        dropbox,
        anchor,
        "/files/list_folder/continue",
        json!({"cursor": cursor}),
    )
    .await
}

async fn entries(dropbox: &Dropbox, anchor: &Anchor, route: &str, arg: Value) -> Result<Got> {
    match dropbox.api.ask(anchor.space.as_deref(), route, arg).await? {
        Said::Done(reply) => Ok(Got::Listed(reply.json()?)),
        Said::Refused(refusal) if refusal.reset() => Ok(Got::Reset),
        Said::Refused(refusal) if refusal.root_moved() => Ok(Got::Moved),
        Said::Refused(refusal) => Err(refusal.error("the folder cannot be listed")),
    }
}

impl Dropbox {
    /// Where the folder lies, whose entries these are. What is known from this run serves, as
    /// long as it fits the entries.
    async fn spot_for(&self, anchor: &Anchor, entries: &[Value]) -> Result<Spot> {
        if anchor.folder.is_none() {
            return Ok(Spot::default());
        }
        let fits = |spot: &Spot| {
            let mut files = entries.iter().filter(|entry| entry[".tag"] == "file");
            files.all(|entry| {
                entry["path_lower"]
                    .as_str()
                    .is_some_and(|it| spot.holds(it))
            })
        };
        if let Some(spot) = self.seen_spot().filter(fits) {
            return Ok(spot);
        }
        let spot = self.spot(anchor).await?;
        self.see_spot(&spot);
        Ok(spot)
    }
}

/// The files of an answer, each once as it stands last: entries are applied in order.
fn last_of_each(entries: &[Value]) -> Vec<&Value> {
    let mut last = BTreeMap::new();
    for (at, entry) in entries.iter().enumerate() {
        if entry[".tag"] == "file"
            && let Some(id) = id(entry)
        {
            last.insert(id, at);
        }
    }
    let mut order: Vec<usize> = last.into_values().collect();
    order.sort_unstable();
    order.into_iter().map(|at| &entries[at]).collect()
}

async fn raws(
    dropbox: &Dropbox,
    above: usize,
    files: &[&Value],
) -> Result<Vec<crate::contract::Raw>> {
    let accounts: BTreeSet<&str> = files.iter().filter_map(|it| modified_by(it)).collect();
    let names = dropbox.names(&accounts).await?;
    Ok(files
        .iter()
        .filter_map(|entry| raw(above, entry, &names))
        .collect())
}

/// What a listing shows, for the proof.
#[derive(Debug, Default)]
struct Found {
    /// Identifiers by scope.
    present: BTreeMap<String, Vec<ExternalId>>,
    /// The shared folders that are there.
    shared: BTreeSet<String>,
    /// Those of which we see a part at most.
    partial: BTreeSet<String>,
    files: usize,
    /// Entries without an identifier: a listing with one of them proves nothing.
    nameless: usize,
}

impl Found {
    fn take(&mut self, entries: &[Value]) {
        for entry in entries.iter().filter(|entry| !is_deleted(entry)) {
            let sharing = &entry["sharing_info"];
            if let Some(own) = sharing["shared_folder_id"].as_str() {
                let part = ["no_access", "traverse_only"];
                if part.iter().any(|key| sharing[*key] == true) {
                    self.partial.insert(own.to_owned());
                }
                self.shared.insert(own.to_owned());
            }
            if let Some(within) = sharing["parent_shared_folder_id"].as_str() {
                self.shared.insert(within.to_owned());
            }
            let Some(id) = id(entry) else {
                self.nameless += 1;
                continue;
            };
            if entry[".tag"] == "folder" {
                continue;
            }
            self.files += 1;
            let present = self.present.entry(scope(entry)).or_default();
            present.push(ExternalId::new(id));
        }
    }

    fn notice(&self) -> Option<Notice> {
        let text = format!(
            "{} entries of the listing have no identifier and were passed over",
            self.nameless
        );
        let code = "entry-without-id";
        (self.nameless > 0).then_some(Notice { code, text })
    }

    /// Says of every scope that was seen whole what is in it. A shared folder that is not there
    /// any more was taken from us or left: its files stay as they were, and a person is told.
    fn sweep(mut self, anchor: &Anchor, spot: &Spot, state: &mut State, page: &mut Page) {
        if self.nameless > 0 {
            return;
        }
        let base = match &anchor.folder {
            None => OWN.to_owned(),
            Some(_) => shared_scope(spot.shared.as_deref()),
        };
        self.shared.extend(spot.shared.clone());
        let whole = self.shared.difference(&self.partial);
        let scopes: BTreeSet<String> = whole
            .map(|id| shared_scope(Some(id)))
            .chain([base])
            .collect();
        for scope in scopes {
            let present = self.present.remove(&scope).unwrap_or_default();
            let stream = Stream::Files;
            page.swept.push(Sweep {
                stream,
                scope,
                from: None,
                until: None,
                present,
            });
        }
        let lost = state.shared.difference(&self.shared).count();
        if lost > 0 {
            page.notices.push(Notice {
                code: "shared-folder-lost",
                text: format!(
                    "{lost} shared folders that were read are not in the Dropbox any more; their \
                     files stay in the ledger as they were last seen"
                ),
            });
        }
        state.shared.extend(self.shared);
        state.files = self.files;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn of_one_file_the_last_word_counts() {
        let entry = |id: &str, name: &str| json!({".tag": "file", "id": id, "name": name});
        let entries = [
            entry("id:a", "one"),
            json!({".tag": "deleted", "path_lower": "/one"}),
            entry("id:b", "x"),
            entry("id:a", "two"),
            json!({".tag": "folder", "id": "id:f"}),
            json!({".tag": "something new"}),
        ];
        let names: Vec<_> = last_of_each(&entries)
            .iter()
            .map(|it| it["name"].clone())
            .collect();
        assert_eq!(names, ["x", "two"]);
    }

    #[test]
    fn a_listing_with_a_nameless_entry_proves_nothing() {
        let mut found = Found::default();
        found.take(&[
            json!({".tag": "file", "id": "id:a"}),
            json!({".tag": "file"}),
        ]);
        let anchor = Anchor {
            setting: String::new(),
            space: None,
            folder: None,
        };
        let (mut state, mut page) = (State::default(), Page::default());
        assert_eq!(found.notice().unwrap().code, "entry-without-id");
        found.sweep(&anchor, &Spot::default(), &mut state, &mut page);
        assert!(page.swept.is_empty());
    }
}
