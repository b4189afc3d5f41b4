//! One page of a pull: the feed, then listings, then the folders that left.

use super::GDrive;
use super::root;
use super::state::{Root, Round, State, Step, notice};
use super::tree::Tree;
use super::{feed, left, listing};
use crate::contract::{Cursor, Page, Pull};
use crate::error::Result;

pub(super) async fn pull(drive: &GDrive, cursor: &Cursor, mode: &Pull) -> Result<Page> {
    let mut state: State = cursor.decode()?;
    let mut page = Page::default();
    if state.root.is_none() || state.asked != drive.folder {
        state = begin(drive, state, &mut page).await?;
    }
    state.enter(mode);
    match state.step() {
        Step::Feed => feed::read(drive, &mut state, &mut page).await?,
        Step::List => listing::read(drive, &mut state, &mut page).await?,
        Step::Left => left::read(drive, &mut state, &mut page).await?,
        Step::Done => {}
    }
    page.more = state.step() != Step::Done;
    if !page.more {
        state.round = None;
    }
    page.next = Cursor::encode(&state);
    Ok(page)
}

/// The first pull: the place in the feed is taken before anything is listed, so that what changes
/// meanwhile is told by the next one.
async fn begin(drive: &GDrive, before: State, page: &mut Page) -> Result<State> {
    let meta = root::look(&drive.api, &drive.folder).await?;
    let home = Root::of(&meta);
    let mut tree = before.tree;
    if before.root.as_ref().is_some_and(|root| *root != home) {
        tree = Tree::default();
        page.notices.push(notice(
            "drive-folder-changed",
            "the connection reads another folder than before; what was read from that one stays",
        ));
    }
    let mut state = State {
        asked: drive.folder.clone(),
        token: drive.api.start_token(&home).await?,
        tree,
        round: Some(Round {
            compare: true,
            fed: true,
            crawled: true,
        }),
        ..State::default()
    };
    state.tree.plant(&home.id);
    state.root = Some(home);
    state.list_all();
    Ok(state)
}
