//! The walk: from folder to folder, as far as tags do not say that nothing changed.
//!
//! A page is a number of folders. What a run concludes from what it did not see, it concludes at
//! its end, when everything that was moved has been seen in its new place, and only if it could
//! read every folder.

use std::collections::{BTreeMap, BTreeSet};

use chrono::{DateTime, TimeDelta, Utc};

use super::client::{Dav, Place, http_date};
use super::href::join;
use super::listing::{Entry, Listing};
use super::tree::{Due, Folder, Identity, Plan, State, Step, mark};
use crate::contract::{Notice, Pull, Sweep};
use crate::drive::names::Ignore;
use crate::error::{Error, Kind, Result};
use crate::record::{ExternalId, Stream};

/// A page ends with the folder that brings this many files …
const FILES_A_PAGE: usize = 1_000;
/// … or after so many folders.
const FOLDERS_A_PAGE: usize = 50;
/// So many folders may be spoilt by troubles of the server before it counts as away.
const STRIKES: u32 = 5;
const DEPTH_MAX: usize = 64;
/// A file that changed so short a time before may change again without another time.
const RACY: TimeDelta = TimeDelta::seconds(2);

/// How a connection walks.
#[derive(Debug)]
pub(crate) struct Walk<'a> {
    pub(crate) dav: &'a Dav,
    pub(crate) root: &'a Place,
    pub(crate) identity: Identity,
    pub(crate) ignore: &'a Ignore,
    /// Stands for the settings that decide what belongs to the drive.
    pub(crate) choice: u64,
}

/// What a page brings.
#[derive(Debug, Default)]
pub(crate) struct Page {
    pub(crate) state: State,
    pub(crate) found: Vec<Found>,
    pub(crate) swept: Vec<Sweep>,
    pub(crate) notices: Vec<Notice>,
    pub(crate) more: bool,
    /// The files of the run so far, where this instance has seen it from its beginning.
    pub(crate) seen: Option<Vec<String>>,
}

/// A file that is new or changed.
#[derive(Clone, Debug)]
pub(crate) struct Found {
    pub(crate) id: String,
    pub(crate) path: String,
    pub(crate) scope: String,
    pub(crate) entry: Entry,
    /// When its folder was listed, by the server's clock.
    pub(crate) at: Option<DateTime<Utc>>,
}

impl Walk<'_> {
    /// The next page of a run. `seen` is what the page before it gave, in the same instance.
    pub(crate) async fn page(
        &self,
        mut state: State,
        mode: &Pull,
        seen: Option<Vec<String>>,
    ) -> Result<Page> {
        if state.choice != self.choice {
            // What was chosen otherwise is neither gone nor known; the ledger keeps it.
            state = State {
                choice: self.choice,
                user: state.user,
                activity: state.activity,
                ..State::default()
            };
        }
        let full = matches!(mode, Pull::Compare { until: None, .. });
        let now = self.dav.clock().now();
        let (mut plan, seen) = match state.plan.take().filter(|plan| plan.goes_on(full, now)) {
            Some(plan) => (plan, seen),
            None => (self.begin(&mut state, full).await?, Some(Vec::new())),
        };
        let mut page = Page {
            state,
            seen,
            ..Page::default()
        };
        self.go_on(&mut plan, &mut page).await?;
        if plan.steps.is_empty() {
            self.finish(&plan, &mut page);
        } else {
            page.more = true;
            page.state.plan = Some(plan);
        }
        Ok(page)
    }

    /// Asks for the root alone, where its tag can tell that nothing changed: the one request of a
    /// quiet night.
    async fn begin(&self, state: &mut State, full: bool) -> Result<Plan> {
        let now = self.dav.clock().now();
        let whole = Plan::new(now, full, Due::default());
        let known = state.root.and_then(|root| state.folders.get(&root));
        if full || self.identity == Identity::Path || known.is_none_or(|it| it.etag.is_none()) {
            return Ok(whole);
        }
        let known = known.and_then(|folder| folder.etag);
        let Some(own) = self.dav.look(self.root, true).await? else {
            return Err(
                Error::new(Kind::NotFound, "the folder of the connection is not there").hint(
                    "it was moved, deleted, or is no longer shared with this user; see `folder`",
                ),
            );
        };
        let due = Due {
            key: own.id,
            etag: own.etag.as_deref().map(mark),
            ..Due::default()
        };
        let same = due.etag.is_some() && due.etag == known && due.key == state.root;
        let mut plan = Plan::new(now, false, due);
        if note_fingerprint(state, &own) {
            state.distrust();
            (plan.full, plan.calm) = (true, true);
        } else if same {
            plan.steps.clear();
        }
        Ok(plan)
    }

    async fn go_on(&self, plan: &mut Plan, page: &mut Page) -> Result<()> {
        let children = page.state.children();
        let mut visited = 0;
        while let Some(step) = plan.steps.pop() {
            let due = match step {
                Step::Seal { key, etag } => {
                    if let Some(folder) = page.state.folders.get_mut(&key) {
                        folder.etag = Some(etag);
                    }
                    continue;
                }
                Step::Visit(due) => due,
            };
            match self.dav.list(&self.root.at(&*due.path)).await {
                Ok(listing) => self.take(&due, &listing, &children, plan, page)?,
                Err(error) => match self.bear(&due, error, plan).await {
                    Ok(reason) => plan.give_up(&due.path, reason),
                    // What this page has is worth keeping; the next one meets the trouble again.
                    Err(_) if visited > 0 => {
                        plan.steps.push(Step::Visit(due));
                        break;
                    }
                    Err(error) => return Err(error),
                },
            }
            visited += 1;
            if visited >= FOLDERS_A_PAGE || page.found.len() >= FILES_A_PAGE {
                break;
            }
        }
        Ok(())
    }

    /// Whether a folder that cannot be read is only unknown, with the reason, or the end of the
    /// pull. A server that is away is told from one broken folder by asking for the root.
    async fn bear(&self, due: &Due, error: Error, plan: &mut Plan) -> Result<String> {
        if due.path.is_empty() {
            return Err(error);
        }
        match error.kind() {
            Kind::NotFound | Kind::Forbidden | Kind::Conflict | Kind::Rejected => {}
            Kind::Unavailable | Kind::Protocol if plan.strikes < STRIKES => {
                plan.strikes += 1;
                self.dav.list(self.root).await?;
            }
            _ => return Err(error),
        }
        Ok(error.to_string())
    }

    /// Compares a listing with what is remembered of the folder.
    fn take(
        &self,
        due: &Due,
        listing: &Listing,
        children: &BTreeMap<u64, Vec<u64>>,
        plan: &mut Plan,
        page: &mut Page,
    ) -> Result<()> {
        let Some(key) = self.identity.key(&listing.own, &due.path) else {
            return Err(
                Error::new(Kind::Protocol, "the server gives its files no numbers")
                    .with("folder", &due.path)
                    .hint("use the connector `webdav` for servers that are no Nextcloud"),
            );
        };
        if due.key.is_some_and(|expected| expected != key) {
            plan.give_up(&due.path, "it was replaced while the drive was read");
            return Ok(());
        }
        plan.read += 1;
        plan.odd += listing.odd;
        let state = &mut page.state;
        if due.path.is_empty() {
            plan.calm |= note_fingerprint(state, &listing.own);
            state.in_mount = listing.own.mount.is_some();
            if let Some(before) = state.root.replace(key).filter(|before| *before != key) {
                let up = state.folders.get(&before).map_or(0, |folder| folder.up);
                state.gone.insert(before, up);
            }
        }
        let etag = due.etag.or(listing.own.etag.as_deref().map(mark));
        if let Some(etag) = etag {
            plan.steps.push(Step::Seal { key, etag });
        }
        for (name, reason) in &listing.unknown {
            plan.give_up(&join(&due.path, name), reason.as_str());
        }
        let before = state.folders.remove(&key).unwrap_or_default();
        let folder = Folder {
            up: due.up,
            etag: None,
            path: mark(&due.path),
            mount: due.mount,
            files: BTreeMap::new(),
        };
        state.folders.insert(key, folder);
        self.take_files(due, key, &before, listing, plan, page);
        self.take_folders(due, key, listing, children, plan, &mut page.state);
        Ok(())
    }

    fn take_files(
        &self,
        due: &Due,
        folder: u64,
        before: &Folder,
        listing: &Listing,
        plan: &mut Plan,
        page: &mut Page,
    ) {
        let mut files = BTreeMap::new();
        let mut all_numbered = true;
        for entry in listing.entries.iter().filter(|entry| !entry.folder) {
            let path = join(&due.path, &entry.name);
            if self.ignore.covers(&entry.name) {
                continue;
            }
            let Some(key) = self.identity.key(entry, &path) else {
                plan.give_up(&path, "the server gave it no number");
                all_numbered = false;
                continue;
            };
            if let Some(seen) = &mut page.seen {
                seen.push(path.clone());
            }
            let mount = page.state.mount_of(entry, key, due.mount);
            let alone = mount != due.mount;
            let version = version_mark(entry, &path, listing.at).map(|it| it | u64::from(alone));
            let kept = version.is_some() && before.files.get(&key) == version.as_ref();
            // Without a version it is looked at again the next time.
            files.insert(key, version.unwrap_or(u64::from(alone)));
            if !kept {
                page.found.push(Found {
                    id: self.identity.external(key, &path),
                    scope: page.state.scope(mount),
                    path,
                    entry: entry.clone(),
                    at: listing.at,
                });
            }
        }
        let gone = before.files.iter();
        let gone = gone.filter(|(key, _)| !files.contains_key(*key));
        let gone: Vec<(u64, u64)> = gone.map(|(key, mark)| (*key, *mark)).collect();
        if listing.unknown.is_empty() && all_numbered {
            let ours = gone.iter().filter(|(_, mark)| mark & 1 == 0);
            page.state
                .missing
                .extend(ours.map(|(key, _)| (*key, before.mount)));
        } else {
            // One whose properties did not come cannot be told from one that is gone.
            files.extend(gone);
        }
        if let Some(folder) = page.state.folders.get_mut(&folder) {
            folder.files = files;
        }
    }

    fn take_folders(
        &self,
        due: &Due,
        folder: u64,
        listing: &Listing,
        children: &BTreeMap<u64, Vec<u64>>,
        plan: &mut Plan,
        state: &mut State,
    ) {
        let mut seen = BTreeSet::new();
        let mut whole = listing.unknown.is_empty();
        for entry in listing.entries.iter().filter(|entry| entry.folder) {
            let path = join(&due.path, &entry.name);
            if self.ignore.covers(&entry.name) {
                continue;
            }
            let Some(key) = self.identity.key(entry, &path) else {
                plan.give_up(&path, "the server gave it no number");
                whole = false;
                continue;
            };
            seen.insert(key);
            let next = Due {
                key: Some(key),
                up: folder,
                etag: entry.etag.as_deref().map(mark),
                mount: state.mount_of(entry, key, due.mount),
                path,
            };
            let full = plan.full || self.identity == Identity::Path;
            match state.folders.get_mut(&key) {
                Some(known) if !full && is_settled(known, &next) => known.up = folder,
                known => {
                    if let Some(known) = known {
                        known.up = folder;
                    }
                    if next.path.split('/').count() > DEPTH_MAX {
                        plan.give_up(&next.path, "it lies too deep");
                    } else {
                        plan.steps.push(Step::Visit(next));
                    }
                }
            }
        }
        // One whose properties did not come is not gone, and cannot be told from the others.
        if whole {
            let known = children.get(&folder).into_iter().flatten();
            let gone = known.filter(|child| !seen.contains(*child));
            state.gone.extend(gone.map(|child| (*child, folder)));
        }
    }

    /// Ends a run, and concludes from it what can be concluded.
    fn finish(&self, plan: &Plan, page: &mut Page) {
        page.notices.extend(notices(plan));
        if !plan.unknown.is_empty() || plan.calm {
            return;
        }
        let state = &mut page.state;
        let lost = state.settle_folders();
        if !lost.is_empty() && self.identity == Identity::FileId {
            page.notices.push(notice(
                "nextcloud-share-gone",
                format!(
                    "{} shared folders are not there any more; their files stay",
                    lost.len()
                ),
            ));
        }
        state.settle_files();
        if state.missing.is_empty() && !plan.full {
            return;
        }
        match self.identity {
            Identity::FileId => {
                let mut mounts: BTreeSet<u64> = state.missing.values().copied().collect();
                if plan.full {
                    mounts.extend(state.mounts());
                }
                for mount in mounts {
                    let present = state.present(mount).map(|key| key.to_string());
                    page.swept.push(sweep(state.scope(mount), present));
                }
                state.missing.clear();
            }
            Identity::Path => match page.seen.take() {
                Some(seen) => {
                    page.swept.push(sweep(state.scope(0), seen.into_iter()));
                    state.missing.clear();
                }
                // Another instance has seen the beginning of the run, and the names are not
                // remembered: the proof needs a walk of its own.
                None => page.more = true,
            },
        }
    }
}

/// Notes the server's mark that it was not restored; whether it is another one now.
fn note_fingerprint(state: &mut State, own: &Entry) -> bool {
    let Some(now) = &own.fingerprint else {
        return false;
    };
    let before = state.fingerprint.replace(now.clone());
    before.is_some_and(|before| before != *now)
}

/// Whether a folder is as it was when everything below it was read, and in the same place.
fn is_settled(known: &Folder, seen: &Due) -> bool {
    seen.etag.is_some()
        && known.etag == seen.etag
        && known.path == mark(&seen.path)
        && known.mount == seen.mount
}

/// Stands for a version of a file at its place; `None` where the next one might look the same.
fn version_mark(entry: &Entry, path: &str, listed: Option<DateTime<Utc>>) -> Option<u64> {
    let text = |text: &Option<String>| text.clone().unwrap_or_default();
    let (size, modified) = (text(&entry.size), text(&entry.modified));
    match entry.etag.as_deref() {
        Some(etag) if etag.starts_with("W/") => return None,
        Some(_) => {}
        None => {
            let at = http_date(&modified)?;
            if listed.is_none_or(|listed| listed - at < RACY) {
                return None;
            }
        }
    }
    Some(mark(&format!(
        "{path}\n{}\n{size}\n{modified}",
        text(&entry.etag)
    )))
}

fn sweep(scope: String, present: impl Iterator<Item = String>) -> Sweep {
    Sweep {
        stream: Stream::Files,
        scope,
        from: None,
        until: None,
        present: present.map(ExternalId::new).collect(),
    }
}

fn notices(plan: &Plan) -> Vec<Notice> {
    let mut notices = Vec::new();
    if let Some(((path, reason), rest)) = plan.unknown.split_first() {
        let more = match rest.len() {
            0 => String::new(),
            count => format!(", and {count} more"),
        };
        notices.push(notice(
            "dav-folder-unreadable",
            format!("could not read `{path}` ({reason}){more}; deletions are not looked for"),
        ));
    }
    if plan.odd > 0 {
        notices.push(notice(
            "dav-name-not-utf8",
            format!("{} names are no UTF-8 and were passed over", plan.odd),
        ));
    }
    if plan.calm {
        notices.push(notice(
            "nextcloud-restored",
            "the server was restored from a backup: everything is read again, and deletions are \
             looked for the next time"
                .to_owned(),
        ));
    }
    notices
}

fn notice(code: &'static str, text: String) -> Notice {
    Notice { code, text }
}
