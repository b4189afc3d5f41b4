//! A page of the feed: what became of each file and folder that it names.
//!
//! The feed says how things are now, each once, and not what happened. It is of the whole drive,
//! so most of it may be none of ours. A deletion it says in one way only: `trashed`. `removed`
//! may be a deletion and may be lost access, and whatever else leads out of the folder may be
//! undone before we look; there, the folder is listed anew, and what is missing looked for again.

use super::GDrive;
use super::normalise::raw;
use super::root;
use super::state::{State, notice};
use super::tree::Put;
use super::wire::{Change, FOLDER, Node, Parent, Told};
use crate::contract::{Gone, Page};
use crate::error::{Kind, Result};
use crate::record::{ExternalId, Stream};

/// Reads the next page of the feed.
pub(super) async fn read(drive: &GDrive, state: &mut State, page: &mut Page) -> Result<()> {
    let Some(home) = state.root.clone() else {
        return Ok(());
    };
    let answer = match drive.api.changes(&home, &state.token).await {
        Err(error) if matches!(error.kind(), Kind::Rejected | Kind::NotFound) => {
            return begin_anew(drive, state, page).await;
        }
        other => other?,
    };
    let (token, more) = answer.next()?;
    let mut changes = Vec::new();
    let (mut unclear, mut ours) = (0, false);
    for change in &answer.changes {
        match Told::read(change) {
            Told::File(change) => {
                ours |= state.is_root(&change.file);
                changes.push(change);
            }
            Told::Drive => ours |= home.drive.is_some(),
            Told::Unclear => unclear += 1,
        }
    }
    if ours {
        // Something is said of our folder or its drive itself; it must still be there.
        root::look(&drive.api, &drive.folder).await?;
    }
    changes.retain(|change| !state.is_root(&change.file));
    unclear += take(&changes, state, page);
    if unclear > 0 {
        state.compare();
        page.notices.push(notice(
            "drive-changes-unclear",
            format!("{unclear} changes cannot be understood, so the folder is listed anew"),
        ));
    }
    state.token = token;
    state.round.get_or_insert_default().fed = !more;
    Ok(())
}

/// The feed does not go on where we were: everything is listed, from a new place in the feed on.
async fn begin_anew(drive: &GDrive, state: &mut State, page: &mut Page) -> Result<()> {
    let meta = root::look(&drive.api, &drive.folder).await?;
    let home = super::state::Root::of(&meta);
    state.token = drive.api.start_token(&home).await?;
    state.root = Some(home);
    let round = state.round.get_or_insert_default();
    (round.fed, round.compare, round.crawled) = (true, true, true);
    state.list_all();
    page.notices.push(notice(
        "drive-feed-lost",
        "Drive does not go on with its list of changes where it was; everything is listed anew",
    ));
    Ok(())
}

/// Takes in the changes; how many of them are unclear.
fn take(changes: &[Change], state: &mut State, page: &mut Page) -> usize {
    let mut unclear = 0;
    let mut folders = Vec::new();
    let mut files = Vec::new();
    for change in changes {
        match &change.node {
            None if state.tree.holds(&change.file) => state.leave(&change.file),
            None => left_its_folder(&change.file, state),
            Some(node) => match node.text("mimeType") {
                Some(FOLDER) => folders.push((change.file.as_str(), node)),
                Some(_) if !state.tree.holds(&change.file) => {
                    files.push((change.file.as_str(), node));
                }
                _ => unclear += 1,
            },
        }
    }
    unclear += take_folders(folders, state);
    for (id, node) in files {
        unclear += usize::from(!take_file(id, node, state, page));
    }
    unclear
}

/// Puts folders where they are now. One may lie in another that comes later on the page, so it
/// goes round until nothing moves; what then has no place in the tree has left it, or is none of
/// ours. Says how many are unclear.
fn take_folders(mut folders: Vec<(&str, &Node)>, state: &mut State) -> usize {
    let mut unclear = 0;
    folders.retain(|(id, node)| {
        let trashed = is_trashed(node);
        let clear = trashed.is_some() && node.parent() != Parent::Unclear;
        unclear += usize::from(!clear);
        if trashed == Some(true) {
            state.leave(id);
        }
        clear && trashed == Some(false)
    });
    loop {
        let before = folders.len();
        folders.retain(|(id, node)| {
            let Parent::Is(parent) = node.parent() else {
                return true;
            };
            if !state.tree.holds(parent) {
                return true;
            }
            let Some(name) = node.text("name") else {
                unclear += 1;
                return false;
            };
            if state.tree.put(id, parent, name) != Put::Same {
                state.list_folder(id, true);
            }
            false
        });
        if folders.len() == before {
            break;
        }
    }
    for (id, _) in folders {
        state.leave(id);
    }
    unclear
}

/// Takes in one file; `false` where it is unclear what is said of it.
fn take_file(id: &str, node: &Node, state: &mut State, page: &mut Page) -> bool {
    let Some(trashed) = is_trashed(node) else {
        return false;
    };
    let parent = match node.parent() {
        Parent::Unclear => return false,
        Parent::Is(parent) => state.tree.path(parent).map(|path| (parent, path)),
        Parent::Hidden => None,
    };
    match parent {
        _ if trashed && (parent.is_some() || state.tree.home(id).is_some()) => {
            state.tree.forget(id);
            page.gone.push(Gone {
                stream: Stream::Files,
                id: ExternalId::new(id),
                proof: format!("trashed {}", node.text("trashedTime").unwrap_or("at Drive")),
            });
        }
        Some((parent, path)) => {
            state.tree.keep(id, parent);
            page.raw.push(raw(node.clone(), id, parent, &path));
        }
        None => left_its_folder(id, state),
    }
    true
}

/// A file is no longer where it was: its folder is listed, and the file looked for. One that was
/// never ours is nothing to us.
fn left_its_folder(file: &str, state: &mut State) {
    if let Some(home) = state.tree.home(file).map(str::to_owned) {
        state.list_folder(&home, false);
    }
}

/// Missing is no; `None` for something else than yes or no.
fn is_trashed(node: &Node) -> Option<bool> {
    node.0
        .get("trashed")
        .map_or(Some(false), serde_json::Value::as_bool)
}
