//! One page of a pull: takes the next step of the queue and reads it.

use std::collections::BTreeSet;

use chrono::{DateTime, Utc};
use serde_json::value::RawValue;

use super::api::Listed;
use super::state::{Changes, Listing, State, Step};
use super::{Kimai, classify, plan, wire};
use crate::contract::{Cursor, Notice, Page, Pull, Raw, Sweep};
use crate::error::{Error, Kind, Result};
use crate::record::{ExternalId, Stream};
use crate::{rows, window};

/// A quarter of a million entries in three months are no time tracking.
const PAGES_MAX: u32 = 500;

/// A listing in which something comes or goes between two pages is begun anew so often; after
/// that it is taken for what it is, and not for a proof.
const AGAIN_MAX: u32 = 2;

/// The scopes of sweeps: what may be seen of others can change, and says nothing of one's own.
const OWN: &str = "own";
const TEAM: &str = "team";

impl Kimai {
    pub(super) async fn next_page(&self, cursor: &Cursor, mode: &Pull) -> Result<Page> {
        let now = self.clock.now();
        let mut state: State = cursor.decode()?;
        plan::begin(&mut state, mode, &self.wishes, now);
        let mut page = match next_step(&mut state, now) {
            Some(Step::Account) => self.account(&mut state, now).await?,
            Some(Step::Projects) => whole_rows(Stream::Projects, &self.api.projects().await?)?,
            Some(Step::People) => self.people().await?,
            Some(Step::Changes(changes)) => self.changes(&mut state, changes, now).await?,
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

    /// Reads whose token it is.
    async fn account(&self, state: &mut State, now: DateTime<Utc>) -> Result<Page> {
        let reply = self.api.me().await?;
        let me: wire::User = reply.json()?;
        state.me = Some(me.id);
        if state.watermark.is_none() {
            state.watermark = Some(classify::answered(&reply).unwrap_or(now).min(now));
        }
        // The answer has all preferences, too; of them nothing is kept.
        let body = serde_json::to_string(&me).expect("a person is plain data");
        Ok(Page {
            raw: vec![raw(Stream::People, me.id, body, "")],
            ..Page::default()
        })
    }

    async fn people(&self) -> Result<Page> {
        match self.api.people().await {
            Ok(rows) => whole_rows(Stream::People, &rows),
            Err(error) if error.kind() == Kind::Forbidden => Ok(Page {
                notices: vec![Notice {
                    code: "kimai-people-not-visible",
                    text: format!("other people are not listed ({error}); their entries name them"),
                }],
                ..Page::default()
            }),
            Err(error) => Err(error),
        }
    }

    /// Reads a page of what was changed.
    async fn changes(
        &self,
        state: &mut State,
        mut changes: Changes,
        now: DateTime<Utc>,
    ) -> Result<Page> {
        let listed = self.api.changes(&changes).await?;
        let mut page = Page::default();
        take(state, &listed, &mut page)?;
        // A mark ahead of our clock would silence the changes until then.
        let answered = listed.answered.unwrap_or(now).min(now);
        changes.answered.get_or_insert(answered);
        if listed.last {
            state.watermark = state.watermark.max(changes.answered);
            return Ok(page);
        }
        changes.page = next_number(changes.page)?;
        state.todo.push_front(Step::Changes(changes));
        Ok(page)
    }

    /// Reads a page of a listing.
    async fn listing(&self, state: &mut State, mut listing: Listing) -> Result<Page> {
        let listed = self.api.listing(&listing).await?;
        let mut page = Page::default();
        let taken = take(state, &listed, &mut page)?;
        let moved =
            listing.total.is_some() && listed.total.is_some_and(|it| listing.total != Some(it));
        listing.total = listing.total.or(listed.total);
        listing.seen.extend(taken.ids);
        listing.unclear |= taken.nameless > 0;
        listing.running = [listing.running, taken.running].into_iter().flatten().min();
        let short = || {
            listing
                .total
                .is_some_and(|total| total != listing.seen.len())
        };
        let untrue = moved || (listed.last && !listing.unclear && short());
        if untrue && listing.again < AGAIN_MAX {
            let again = listing.again + 1;
            let anew = Listing::new((listing.from, listing.until));
            state
                .todo
                .push_front(Step::Listing(Listing { again, ..anew }));
        } else if listed.last {
            listing.unclear |= untrue;
            finish(state, &listing, &mut page, self.wishes.team);
        } else {
            listing.page = next_number(listing.page)?;
            state.todo.push_front(Step::Listing(listing));
        }
        Ok(page)
    }
}

/// What the last page of a listing proves.
fn finish(state: &mut State, listing: &Listing, page: &mut Page, team: bool) {
    // The listing shows every timer that started in it and still runs.
    let within = |start: &DateTime<Utc>| {
        *start >= listing.from && listing.until.is_none_or(|until| *start < until)
    };
    let elsewhere = state.running.filter(|start| !within(start));
    state.running = [elsewhere, listing.running].into_iter().flatten().min();
    if listing.unclear {
        return;
    }
    let scopes = if team { &[OWN, TEAM][..] } else { &[OWN] };
    let present: Vec<ExternalId> = listing.seen.iter().copied().map(external).collect();
    page.swept = scopes
        .iter()
        .map(|scope| Sweep {
            stream: Stream::Time,
            scope: (*scope).to_owned(),
            from: Some(listing.from),
            until: listing.until,
            present: present.clone(),
        })
        .collect();
}

/// What a page of time sheets held.
struct Taken {
    ids: BTreeSet<i64>,
    nameless: usize,
    running: Option<DateTime<Utc>>,
}

/// Puts time sheets into a page, to the letter.
fn take(state: &State, listed: &Listed, page: &mut Page) -> Result<Taken> {
    let mut taken = Taken {
        ids: BTreeSet::new(),
        nameless: 0,
        running: None,
    };
    for row in &listed.rows {
        let Some(id) = rows::identifier(row) else {
            taken.nameless += 1;
            continue;
        };
        let sheet = wire::read(row);
        let owner = sheet.as_ref().and_then(wire::Timesheet::owner);
        let running = sheet.and_then(|sheet| sheet.running_since());
        taken.running = [taken.running, running].into_iter().flatten().min();
        let others = owner.is_some_and(|owner| state.me != Some(owner));
        let scope = if others { TEAM } else { OWN };
        page.raw
            .push(raw(Stream::Time, id, row.get().to_owned(), scope));
        taken.ids.insert(id);
    }
    page.notices
        .extend(left_out(taken.nameless, listed.rows.len())?);
    Ok(taken)
}

/// Projects or people, to the letter.
fn whole_rows(stream: Stream, listed: &[Box<RawValue>]) -> Result<Page> {
    let mut page = Page::default();
    let mut nameless = 0;
    for row in listed {
        match rows::identifier(row) {
            Some(id) => page.raw.push(raw(stream, id, row.get().to_owned(), "")),
            None => nameless += 1,
        }
    }
    page.notices.extend(left_out(nameless, listed.len())?);
    Ok(page)
}

/// Tells of rows without an identifier; where no row has one, none of the answer is taken.
fn left_out(count: usize, rows: usize) -> Result<Option<Notice>> {
    let text = rows::left_out("Kimai", count, rows)?;
    Ok(text.map(|text| Notice {
        code: "kimai-rows-unreadable",
        text,
    }))
}

fn raw(stream: Stream, id: i64, body: String, scope: &str) -> Raw {
    Raw {
        stream,
        id: external(id),
        body,
        scope: scope.to_owned(),
    }
}

pub(super) fn external(id: i64) -> ExternalId {
    ExternalId::new(id.to_string())
}

fn next_number(page: u32) -> Result<u32> {
    if page < PAGES_MAX {
        return Ok(page + 1);
    }
    let error = Error::new(Kind::Protocol, "Kimai's listing does not come to an end");
    Err(error.with("page", page))
}

fn next_step(state: &mut State, now: DateTime<Utc>) -> Option<Step> {
    while let Some(step) = state.todo.pop_front() {
        let Step::Span { from, until } = step else {
            return Some(step);
        };
        for part in window::parts((from, until), plan::AT_ONCE, now)
            .into_iter()
            .rev()
        {
            state.todo.push_front(Step::Listing(Listing::new(part)));
        }
    }
    None
}
