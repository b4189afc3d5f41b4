//! Pulls: the events since the last one, then the folders that they lead to.
//!
//! The position is taken before everything is listed, so what happens meanwhile comes as events
//! of the next pull. A pull that found files missing ends with a sweep of all that is known, for
//! which the folders in the cursor suffice.

use chrono::TimeDelta;

use super::Drive;
use super::events::note;
use super::state::State;
use crate::contract::{Cursor, Gone, Page, Pull, Sweep};
use crate::error::Result;
use crate::record::{ExternalId, Stream};

/// Jobs in one page; each is a request or some.
const JOBS: usize = 25;
/// Records in one page, about.
const RECORDS: usize = 2000;

/// Events are kept for two weeks at least, as far as is known; before that, everything is listed.
const TOO_OLD: TimeDelta = TimeDelta::days(10);

pub(super) async fn pull(drive: &Drive, cursor: &Cursor, mode: &Pull) -> Result<Page> {
    let mut state: State = cursor.decode()?;
    let mut page = Page::default();
    if state.root != drive.root {
        state = State {
            previous: Some(state.root).filter(|root| !root.is_empty()),
            root: drive.root.clone(),
            ..State::default()
        };
    }
    if matches!(mode, Pull::Compare { until: None, .. }) && !state.comparing {
        state.comparing = true;
        state.read = false;
        state.crawl();
    }
    if !state.read {
        listen(drive, &mut state).await?;
    }
    if state.read {
        work(drive, &mut state, &mut page).await?;
    }
    page.more = !state.read || !state.jobs.is_empty();
    if !page.more {
        end(&mut state, &mut page);
    }
    drive.remember(&state);
    page.next = Cursor::encode(&state);
    Ok(page)
}

/// Does some of the jobs: as many as are worth a page.
async fn work(drive: &Drive, state: &mut State, page: &mut Page) -> Result<()> {
    for _ in 0..JOBS {
        let Some(job) = state.jobs.pop_front() else {
            break;
        };
        drive.work(job, state, page).await?;
        if page.raw.len() >= RECORDS {
            break;
        }
    }
    Ok(())
}

/// Reads one answer of events, or takes the position before everything is listed.
async fn listen(drive: &Drive, state: &mut State) -> Result<()> {
    let now = drive.clock.now();
    let old = state.polled.is_none_or(|polled| now - polled > TOO_OLD);
    let heard = match state.position.clone().filter(|_| !old) {
        None => None,
        Some(position) => drive.events(&position).await?,
    };
    let Some(heard) = heard else {
        let Some(first) = drive.events("now").await? else {
            return Ok(());
        };
        state.position = Some(first.position);
        state.polled = Some(now);
        state.read = true;
        state.crawl();
        return Ok(());
    };
    // "Events less than the limit requested can be returned even when there may be more": only
    // an empty answer is the end, or one that leads nowhere.
    let same = state.position.as_ref() == Some(&heard.position);
    state.read = heard.events.is_empty() || same;
    note(state, &heard.events);
    state.position = Some(heard.position);
    state.polled = Some(now);
    Ok(())
}

/// Tells what is gone, and what has to be looked for.
fn end(state: &mut State, page: &mut Page) {
    let tree = state.tree.clone();
    let homes = tree.homes();
    state
        .missing
        .retain(|file, _| !homes.contains_key(file.as_str()));
    for (file, proof) in std::mem::take(&mut state.told) {
        if homes.contains_key(file.as_str()) {
            continue;
        }
        state.missing.remove(&file);
        let (stream, id) = (Stream::Files, ExternalId::new(file));
        page.gone.push(Gone { stream, id, proof });
    }
    let mut scopes = Vec::new();
    if state.crawling || (state.left && !state.missing.is_empty()) {
        scopes.push(state.root.clone());
    }
    // What was read before another folder was configured is looked for as well.
    scopes.extend(state.previous.take());
    for scope in scopes.into_iter().filter(|_| !state.unsure) {
        let present = homes.keys().map(|id| ExternalId::new(*id)).collect();
        let stream = Stream::Files;
        page.swept.push(Sweep {
            stream,
            scope,
            from: None,
            until: None,
            present,
        });
    }
    state.left = false;
    state.unsure = false;
    state.told_folders.clear();
    state.crawling = false;
    state.comparing = false;
    state.read = false;
}
