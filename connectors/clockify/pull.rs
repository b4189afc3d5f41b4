//! One page of a pull: takes the next step of the queue and reads it.

use chrono::{DateTime, Utc};

use super::account::left_out;
use super::state::{Listing, State, Step};
use super::{Clockify, envelope, plan, wire};
use crate::contract::{Cursor, Notice, Page, Pull, Sweep};
use crate::error::{Error, Kind, Result};
use crate::record::{ExternalId, Stream};

/// Half a million entries of one person in half a year are no time tracking.
const PAGES_MAX: u32 = 500;

impl Clockify {
    pub(super) async fn next_page(&self, cursor: &Cursor, mode: &Pull) -> Result<Page> {
        let now = self.clock.now();
        let mut state: State = cursor.decode()?;
        plan::begin(&mut state, mode, &self.wishes, now);
        let mut page = match next_step(&mut state, now) {
            Some(Step::Account) => self.account(&mut state).await?,
            Some(Step::Projects { workspace, page }) => {
                self.projects(&mut state, workspace, page).await?
            }
            Some(Step::People { workspace, page }) => {
                self.people(&mut state, workspace, page).await?
            }
            Some(Step::Listing(listing)) => self.listing(&mut state, listing).await?,
            // `next_step` turns spans into listings.
            Some(Step::Span { .. }) | None => Page::default(),
        };
        page.more = !state.todo.is_empty();
        if !page.more {
            state.compare = None;
        }
        page.next = Cursor::encode(&state);
        Ok(page)
    }

    /// Reads a page of a person's entries.
    async fn listing(&self, state: &mut State, mut listing: Listing) -> Result<Page> {
        let listed = match self.api.entries(&listing).await {
            Ok(listed) => listed,
            Err(error) => return self.not_shown(state, &listing, error).await,
        };
        let person = state.person(&listing.workspace, &listing.user);
        let mut page = Page::default();
        let mut nameless = 0;
        for row in &listed.rows {
            let Some(id) = wire::identifier(row) else {
                nameless += 1;
                continue;
            };
            let running = [listing.running, wire::running_since(row)];
            listing.running = running.into_iter().flatten().min();
            page.raw
                .push(envelope::entry(&listing, &id, row, person.clone()));
            listing.seen.push(id);
        }
        page.notices.extend(left_out(nameless, listed.rows.len())?);
        listing.unclear |= nameless > 0;
        if listed.last {
            finish(state, listing, &mut page);
        } else if listing.page < PAGES_MAX {
            listing.page += 1;
            state.todo.push_front(Step::Listing(listing));
        } else {
            return Err(
                Error::new(Kind::Protocol, "Clockify's listing does not come to an end")
                    .with("page", listing.page),
            );
        }
        Ok(page)
    }

    /// A page in place of a listing that is refused, which proves nothing: one person, or a
    /// workspace that was left, must not hold up all others for good.
    async fn not_shown(&self, state: &mut State, listing: &Listing, error: Error) -> Result<Page> {
        let refused = [Kind::Forbidden, Kind::NotFound, Kind::NotInPlan];
        if !refused.contains(&error.kind()) {
            return Err(error);
        }
        let workspace = &listing.workspace;
        if state.me.as_ref().is_some_and(|me| me.id == listing.user) {
            let there: Vec<wire::Workspace> = self.api.workspaces().await?.json()?;
            let was_left = there.iter().all(|it| it.id != *workspace);
            if !was_left || state.workspaces.len() < 2 {
                return Err(error);
            }
            state.workspaces.remove(workspace);
            state
                .todo
                .retain(|step| step.workspace() != Some(workspace));
        }
        state.running.remove(&listing.scope());
        let mut page = Page::default();
        page.notices.push(Notice {
            code: "clockify-time-not-shown",
            text: format!(
                "the time of {} in the workspace {workspace} is not shown ({error}); what was read \
                 of it stays as it is",
                listing.user
            ),
        });
        Ok(page)
    }
}

/// What the last page of a listing proves.
fn finish(state: &mut State, listing: Listing, page: &mut Page) {
    let scope = listing.scope();
    match listing.running {
        Some(start) => drop(state.running.insert(scope.clone(), start)),
        None if listing.until.is_none() => drop(state.running.remove(&scope)),
        None => {}
    }
    if !listing.unclear {
        page.swept.push(Sweep {
            stream: Stream::Time,
            scope,
            from: Some(listing.from),
            until: listing.until,
            present: listing.seen.into_iter().map(ExternalId::new).collect(),
        });
    }
}

fn next_step(state: &mut State, now: DateTime<Utc>) -> Option<Step> {
    while let Some(step) = state.todo.pop_front() {
        let Step::Span { from, until } = step else {
            return Some(step);
        };
        for step in plan::listings(state, (from, until), now).into_iter().rev() {
            state.todo.push_front(step);
        }
    }
    None
}
