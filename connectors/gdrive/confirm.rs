//! The second look at files that a listing did not show, or that the feed calls removed.
//!
//! Each is asked for by its id, which is never out of date. "Not found" also stands for a file
//! that is no longer shared with us, so it counts only while the connection's folder can be read.

use std::collections::BTreeMap;

use super::api::Api;
use super::root;
use super::wire::Meta;
use crate::contract::{Absent, Presence};
use crate::error::{Kind, Result};
use crate::record::{ExternalId, Stream};

/// Folders do not lie deeper; a way that goes on leads in a circle.
const DEEPEST: usize = 128;

/// One answer for each file, as far as it can be given.
pub(super) async fn confirm(
    api: &Api,
    folder: &str,
    absent: &[Absent],
) -> Result<Vec<(ExternalId, Presence)>> {
    let files: Vec<&Absent> = absent
        .iter()
        .filter(|it| it.stream == Stream::Files)
        .collect();
    if files.is_empty() {
        return Ok(Vec::new());
    }
    let root = match root::look(api, folder).await {
        // Without the folder nothing can be told; all of it is asked again.
        Err(error) if matches!(error.kind(), Kind::NotFound | Kind::Forbidden) => {
            return Ok(Vec::new());
        }
        other => other?,
    };
    let mut way = Way::to(api, &root.id);
    let mut answers = Vec::new();
    for file in files {
        let id = file.id.as_str();
        let presence = match api.find(id).await {
            Ok(None) => Presence::Gone(format!(
                "GET files/{id} was answered notFound, while the folder {} can be read",
                root.id
            )),
            Ok(Some(meta)) if meta.id == id => way.presence(&meta).await?,
            Ok(Some(_)) => Presence::Unknown,
            Err(error) if error.kind() == Kind::Forbidden => Presence::Unknown,
            // What is known by now counts; the others are asked about another time.
            Err(error) if error.kind() == Kind::RateLimited && !answers.is_empty() => break,
            Err(error) => return Err(error),
        };
        answers.push((file.id.clone(), presence));
    }
    Ok(answers)
}

/// The way from files up to the connection's folder.
struct Way<'a> {
    api: &'a Api,
    /// Whether each folder lies below it; `None` where that cannot be told.
    known: BTreeMap<String, Option<bool>>,
}

/// Whether a folder is known to lie outside the connection's folder `root`, now.
pub(super) async fn lies_elsewhere(api: &Api, root: &str, folder: &Meta) -> Result<bool> {
    let inside = match folder.parents.as_deref() {
        Some([parent]) => Way::to(api, root).inside(parent).await?,
        // In a folder that is not shown to us, and all of ours are.
        None | Some([]) => Some(false),
        Some(_) => None,
    };
    Ok(inside == Some(false))
}

impl<'a> Way<'a> {
    fn to(api: &'a Api, root: &str) -> Self {
        let known = BTreeMap::from([(root.to_owned(), Some(true))]);
        Self { api, known }
    }

    async fn presence(&mut self, file: &Meta) -> Result<Presence> {
        match file.trashed {
            None => return Ok(Presence::Unknown),
            Some(true) => {
                return Ok(Presence::Gone(format!("GET files/{}: trashed", file.id)));
            }
            Some(false) => {}
        }
        let parents = file.parents.as_deref().unwrap_or_default();
        let [parent] = parents else {
            return Ok(Presence::Unknown);
        };
        Ok(match self.inside(parent).await? {
            Some(true) => Presence::Present,
            Some(false) => Presence::Gone(format!(
                "GET files/{}: lies in {parent}, outside the connection's folder",
                file.id
            )),
            None => Presence::Unknown,
        })
    }

    /// Whether a folder lies below the connection's folder, by its parents.
    async fn inside(&mut self, folder: &str) -> Result<Option<bool>> {
        let mut path = Vec::new();
        let mut at = folder.to_owned();
        let answer = loop {
            if let Some(known) = self.known.get(&at) {
                break *known;
            }
            if path.len() == DEEPEST {
                break None;
            }
            path.push(at.clone());
            let meta = match self.api.find(&at).await {
                // A folder that we cannot see is none of those that were shared with us.
                Ok(None) => break Some(false),
                Ok(Some(meta)) => meta,
                Err(error) if error.kind() == Kind::Forbidden => break None,
                Err(error) => return Err(error),
            };
            match meta.parents.as_deref() {
                Some([parent]) => at.clone_from(parent),
                // The top of a drive, or a folder that was shared by itself.
                None | Some([]) => break Some(false),
                Some(_) => break None,
            }
        };
        for folder in path {
            self.known.insert(folder, answer);
        }
        Ok(answer)
    }
}
