//! Files by their number: the second look at those that a run did not see, and the way to a file's
//! content.
//!
//! The trash bin tells what was deleted, and a search by number tells what is anywhere in the
//! user's files (Nextcloud, "Trashbin" and "Search", read 2026-11). Where there is no search (a
//! public link, an older server), every folder is listed once more, without trusting any tag.

use std::collections::{BTreeMap, BTreeSet};

use crate::contract::{Absent, Presence};
use crate::dav::client::{BUCKET, Dav, Place, read};
use crate::dav::{Resource, join, names};
use crate::error::{Error, Kind, Result};
use crate::http::{Method, Request, segment};
use crate::record::ExternalId;

/// Numbers in one search.
const NUMBERS: usize = 50;
/// Folders that a second listing may have.
const FOLDERS_MAX: usize = 5_000;

const TRASH: &str = r#"<?xml version="1.0" encoding="utf-8"?>
<d:propfind xmlns:d="DAV:" xmlns:oc="http://owncloud.org/ns" xmlns:nc="http://nextcloud.org/ns">
<d:prop><d:resourcetype/><oc:fileid/><nc:trashbin-deletion-time/></d:prop></d:propfind>"#;

/// Where to look.
#[derive(Debug)]
pub(super) struct Finder<'a> {
    pub(super) dav: &'a Dav,
    pub(super) root: &'a Place,
    /// The name in addresses; `None` for a public link, which has neither bin nor search.
    pub(super) user: Option<&'a str>,
    /// The number of the root, to try the search on.
    pub(super) root_id: Option<u64>,
}

/// Where files are.
#[derive(Debug, Default)]
struct Places {
    /// Below the root, by number.
    inside: BTreeMap<u64, String>,
    /// Elsewhere in the user's files.
    outside: BTreeSet<u64>,
    /// Whether what is in neither is nowhere, and what proves it.
    proof: Option<String>,
}

impl Finder<'_> {
    /// Looks for records that a complete run did not see.
    pub(super) async fn confirm(&self, absent: &[&Absent]) -> Result<Vec<(ExternalId, Presence)>> {
        let ids: BTreeSet<u64> = absent
            .iter()
            .filter_map(|it| it.id.as_str().parse().ok())
            .collect();
        let binned = self.binned().await?;
        let rest: BTreeSet<u64> = ids
            .into_iter()
            .filter(|id| !binned.contains_key(id))
            .collect();
        let places = if rest.is_empty() {
            Places::default()
        } else {
            self.places(&rest).await?
        };
        let presence = |absent: &Absent| {
            let id: u64 = absent.id.as_str().parse().ok()?;
            if places.inside.contains_key(&id) {
                return Some(Presence::Present);
            }
            if let Some(since) = binned.get(&id) {
                return Some(Presence::Gone(format!(
                    "it is in the trash bin, deleted at {since}"
                )));
            }
            if places.outside.contains(&id) {
                return Some(Presence::Gone(
                    "it was moved out of the connection's folder".to_owned(),
                ));
            }
            // In a group folder, rules may hide a file that is there; only the bin proves more.
            if absent.scope.starts_with("group-") {
                return Some(Presence::Unknown);
            }
            places.proof.clone().map(Presence::Gone)
        };
        let answer = |it: &&Absent| (it.id.clone(), presence(it).unwrap_or(Presence::Unknown));
        Ok(absent.iter().map(answer).collect())
    }

    /// The path of a file below the root.
    pub(super) async fn path(&self, file: &ExternalId) -> Result<Option<String>> {
        let Ok(id) = file.as_str().parse() else {
            return Ok(None);
        };
        let mut places = self.places(&BTreeSet::from([id])).await?;
        Ok(places.inside.remove(&id))
    }

    /// What lies in the trash bin, by number, with the time of its deletion. Nothing where there is
    /// no bin, for the app can be switched off, or one that is too full to be listed.
    async fn binned(&self) -> Result<BTreeMap<u64, String>> {
        let Some(user) = self.user else {
            return Ok(BTreeMap::new());
        };
        let path = format!("/remote.php/dav/trashbin/{}/trash", segment(user));
        let reply = match self.dav.propfind(&path, "1", TRASH).await {
            Err(error) if is_refusal(error.kind()) || error.kind() == Kind::Protocol => {
                return Ok(BTreeMap::new());
            }
            other => other?,
        };
        let number = |it: &Resource| -> Option<(u64, String)> {
            let since = it.props.trash_time.clone()?;
            Some((it.props.fileid.as_deref()?.parse().ok()?, since))
        };
        Ok(read(&reply)?.iter().filter_map(number).collect())
    }

    async fn places(&self, ids: &BTreeSet<u64>) -> Result<Places> {
        if let Some(user) = self.user {
            match self.search(user, ids).await {
                Ok(Some(places)) => return Ok(places),
                Ok(None) => {}
                Err(error) if is_refusal(error.kind()) || error.kind() == Kind::Protocol => {}
                Err(error) => return Err(error),
            }
        }
        self.walk(ids).await
    }

    /// Searches by number. `None` where the search does not even find the root, or nobody knows the
    /// root's number: then what it does not find may be there.
    async fn search(&self, user: &str, ids: &BTreeSet<u64>) -> Result<Option<Places>> {
        let Some(root_id) = self.root_id else {
            return Ok(None);
        };
        let mut places = Places::default();
        let root = names(&self.root.as_folder()).unwrap_or_default();
        let all: Vec<u64> = ids.iter().copied().collect();
        for some in all.chunks(NUMBERS) {
            let request = Request::new(Method::Search, BUCKET, "/remote.php/dav/")
                .bytes("text/xml", query(user, some, root_id).into_bytes().into());
            let found = read(&self.dav.send(request).await?)?;
            let mut control = false;
            for resource in &found {
                let number = resource
                    .props
                    .fileid
                    .as_deref()
                    .and_then(|it| it.parse().ok());
                let (Some(number), Some(place)) = (number, names(&resource.href)) else {
                    continue;
                };
                control |= number == root_id;
                // A proxy may give addresses another beginning; what follows the root counts.
                let below = place.windows(root.len()).position(|part| part == root);
                match below {
                    Some(at) if ids.contains(&number) => {
                        places
                            .inside
                            .insert(number, place[at + root.len()..].join("/"));
                    }
                    _ if ids.contains(&number) => {
                        places.outside.insert(number);
                    }
                    _ => {}
                }
            }
            if !control {
                return Ok(None);
            }
        }
        places.proof =
            Some("a search by its number finds nothing, and finds the folder".to_owned());
        Ok(Some(places))
    }

    /// Lists every folder once more. What a folder that cannot be read holds is not known.
    async fn walk(&self, ids: &BTreeSet<u64>) -> Result<Places> {
        let mut places = Places::default();
        let mut folders = vec![String::new()];
        let (mut read, mut whole) = (0, true);
        while let Some(path) = folders.pop() {
            if read == FOLDERS_MAX {
                return Ok(places);
            }
            read += 1;
            let listing = match self.dav.list(&self.root.at(&*path)).await {
                Err(error) if is_refusal(error.kind()) && !path.is_empty() => {
                    whole = false;
                    continue;
                }
                other => other?,
            };
            whole &= listing.unknown.is_empty();
            for entry in listing.entries {
                let inner = join(&path, &entry.name);
                match entry.id {
                    _ if entry.folder => folders.push(inner),
                    Some(id) if ids.contains(&id) => {
                        places.inside.insert(id, inner);
                    }
                    Some(_) => {}
                    None => whole = false,
                }
            }
        }
        places.proof = whole.then(|| format!("a second listing of all {read} folders has it not"));
        Ok(places)
    }
}

fn is_refusal(kind: Kind) -> bool {
    matches!(
        kind,
        Kind::NotFound | Kind::Forbidden | Kind::Rejected | Kind::Conflict | Kind::NotInPlan
    )
}

/// A search for numbers (Nextcloud, "Search", "Examples search bodies", read 2026-11).
fn query(user: &str, ids: &[u64], root: u64) -> String {
    let mut wanted = String::new();
    for id in ids.iter().chain([&root]) {
        wanted += &format!("<d:eq><d:prop><oc:fileid/></d:prop><d:literal>{id}</d:literal></d:eq>");
    }
    format!(
        r#"<?xml version="1.0" encoding="utf-8"?>
<d:searchrequest xmlns:d="DAV:" xmlns:oc="http://owncloud.org/ns"><d:basicsearch>
<d:select><d:prop><d:resourcetype/><oc:fileid/></d:prop></d:select>
<d:from><d:scope><d:href>/files/{}</d:href><d:depth>infinity</d:depth></d:scope></d:from>
<d:where><d:or>{wanted}</d:or></d:where><d:orderby/></d:basicsearch></d:searchrequest>"#,
        segment(user)
    )
}

/// The error for a file that is not below the root any more.
pub(super) fn not_there(file: &ExternalId) -> Error {
    Error::new(
        Kind::NotFound,
        "the file is not in the connection's folder any more",
    )
    .with("file", file)
}
