//! One page of a pull: takes the next step of the queue and reads it.

use std::collections::BTreeSet;

use chrono::{DateTime, NaiveTime, TimeDelta, Utc};
use serde_json::value::RawValue;

use super::api::{LISTING_MAX, Listing};
use super::state::{State, Step, Track};
use super::{Toggl, envelope, plan, wire};
use crate::contract::{Cursor, Gone, Notice, Page, Pull, Sweep};
use crate::error::{Error, Kind, Result};
use crate::planted::{Bug, planted};
use crate::record::{ExternalId, Stream};
use crate::rows;

/// A listing is not cut into pieces smaller than this; a thousand entries within an hour are
/// no time tracking.
const NARROWEST: TimeDelta = TimeDelta::hours(1);

impl Toggl {
    pub(super) async fn next_page(&self, cursor: &Cursor, mode: &Pull) -> Result<Page> {
        let now = self.clock.now();
        let mut state: State = cursor.decode()?;
        plan::begin(&mut state, mode, &self.wishes, now);
        let step = self.next_step(&mut state, now);
        let mut page = match step {
            Some(Step::Bootstrap) => self.bootstrap(&mut state).await?,
            Some(Step::Report(report)) => self.report(&mut state, report, now).await?,
            Some(Step::Changed(changed)) => self.changed(&mut state, changed, now).await?,
            Some(Step::Track(track)) => self.track(&mut state, track).await?,
            Some(Step::Since) => self.since(&mut state, now).await?,
            // `next_step` takes only these; the others became some of them.
            Some(Step::History { .. } | Step::Compare { .. } | Step::Team) | None => {
                Page::default()
            }
        };
        page.more = !state.todo.is_empty();
        if !page.more {
            state.compare = None;
            state.fresh = false;
        }
        page.next = Cursor::encode(&state);
        Ok(page)
    }

    fn next_step(&self, state: &mut State, now: DateTime<Utc>) -> Option<Step> {
        while let Some(step) = state.todo.pop_front() {
            let Some(steps) = plan::expand(&step, state, &self.wishes, now) else {
                return Some(step);
            };
            for step in steps.into_iter().rev() {
                state.todo.push_front(step);
            }
        }
        None
    }

    /// Reads the change feed: in a quiet night the only request.
    async fn since(&self, state: &mut State, now: DateTime<Utc>) -> Result<Page> {
        let mut since = plan::since(state, now);
        let mut listing = self.api.since(since).await?;
        if let Listing::TooEarly(day) = listing {
            since = day.and_time(NaiveTime::MIN).and_utc();
            // Our clock did not notice the gap that the service's clock shows.
            if let Some(asked) = state.asked.filter(|asked| *asked < since) {
                let from = plan::gap_start(asked);
                state.todo.push_front(Step::Since);
                // The day named is about three months back by the service's clock, so this
                // reaches its present, whatever ours says.
                let until = Some(now.max(since + plan::REACH + plan::AHEAD));
                state.todo.push_front(Step::Compare { from, until });
                state.asked = None;
                return Ok(Page::default());
            }
            listing = self.api.since(since).await?;
        }
        let Listing::Rows { rows, answered } = listing else {
            return Err(refused_twice(since));
        };
        let mut page = Page::default();
        self.know_projects(state, projects_of(&rows), &mut page)
            .await?;
        let answered = answered.unwrap_or(now);
        if rows.len() >= LISTING_MAX {
            // Cut off, nobody knows where: what the feed would have said is listed by start.
            state.todo.push_back(Step::Track(Track {
                from: now - plan::REACH,
                until: now,
                sweep: true,
                workspaces: plan::selected(state, &self.wishes),
            }));
        }
        let latest = rows
            .iter()
            .filter_map(|row| wire::instant(read_entry(row)?.at.as_deref()?))
            .max();
        // An `at` ahead of the service's own clock would silence the feed until then.
        let latest = if planted(Bug::CursorOfOurClock) {
            Some(now)
        } else {
            latest.map(|at| at.min(answered))
        };
        state.watermark = state.watermark.max(latest);
        state.asked = Some(answered);
        self.take(state, &rows, &mut page)?;
        Ok(page)
    }

    /// Reads own entries by their start, in halves where there are too many.
    async fn track(&self, state: &mut State, mut track: Track) -> Result<Page> {
        let mut listing = self.api.between(track.from, track.until).await?;
        let mut page = Page::default();
        if let Listing::TooEarly(day) = listing {
            let day = day.and_time(NaiveTime::MIN).and_utc();
            page.notices.push(plan::history_out_of_reach(day));
            if day >= track.until {
                return Ok(page);
            }
            track.from = track.from.max(day);
            listing = self.api.between(track.from, track.until).await?;
        }
        let Listing::Rows { rows, .. } = listing else {
            return Err(refused_twice(track.from));
        };
        let full = rows.len() >= LISTING_MAX;
        let width = track.until - track.from;
        if full && width > NARROWEST {
            let middle = track.from + TimeDelta::seconds(width.num_seconds() / 2);
            let halves = [(track.from, middle), (middle, track.until)];
            for (from, until) in halves {
                let half = Track {
                    from,
                    until,
                    ..track.clone()
                };
                state.todo.push_front(Step::Track(half));
            }
            return Ok(page);
        }
        if full {
            page.notices.push(Notice {
                code: "toggl-too-many-entries",
                text: format!(
                    "Toggl shows {LISTING_MAX} entries between {} and {} and may hide more",
                    track.from, track.until
                ),
            });
        }
        self.know_projects(state, projects_of(&rows), &mut page)
            .await?;
        let rows: Vec<Box<RawValue>> = rows
            .into_iter()
            .filter(|row| belongs(row, &track))
            .collect();
        let unreadable = self.take(state, &rows, &mut page)?;
        if track.sweep && !full && unreadable == 0 {
            page.swept.extend(sweeps(&rows, &track));
        }
        Ok(page)
    }

    /// Puts rows from Track into a page. Returns how many had not even an identifier.
    pub(super) fn take(
        &self,
        state: &mut State,
        rows: &[Box<RawValue>],
        page: &mut Page,
    ) -> Result<usize> {
        let selected = plan::selected(state, &self.wishes);
        let catalogue = state.catalogue.clone().unwrap_or_default();
        let mut unreadable = 0;
        for row in rows {
            let entry = read_entry(row);
            let Some(id) = identifier(row) else {
                unreadable += 1;
                continue;
            };
            let workspace = entry.as_ref().and_then(|entry| entry.workspace_id);
            if workspace.is_some_and(|workspace| !selected.contains(&workspace)) {
                continue;
            }
            let deleted = entry
                .as_ref()
                .and_then(|it| it.server_deleted_at.as_deref());
            // A mark that names no instant is no proof: such an entry is put aside.
            let deleted = deleted.filter(|at| wire::instant(at).is_some());
            state.running.remove(&id);
            if let Some(at) = deleted {
                page.gone.push(gone(Stream::Time, id, at));
                continue;
            }
            if let Some(start) = entry.as_ref().and_then(starts) {
                state.saw(start);
            }
            if let Some(start) = entry.as_ref().and_then(running_since) {
                state.running.insert(id, start);
            }
            page.raw
                .push(envelope::track(&catalogue, id, row, entry.as_ref()));
        }
        page.notices.extend(left_out(unreadable, rows.len())?);
        Ok(unreadable)
    }
}

fn refused_twice(from: DateTime<Utc>) -> Error {
    Error::new(Kind::Protocol, "Toggl refuses the day that it named itself")
        .with("from", from.format("%Y-%m-%d"))
}

pub(super) fn read_entry(row: &RawValue) -> Option<wire::Entry> {
    serde_json::from_str(row.get()).ok()
}

pub(super) fn identifier(row: &RawValue) -> Option<i64> {
    rows::identifier(row)
}

fn starts(entry: &wire::Entry) -> Option<DateTime<Utc>> {
    wire::whole_second(entry.start.as_deref()?)
}

fn running_since(entry: &wire::Entry) -> Option<DateTime<Utc>> {
    starts(entry).filter(|_| entry.stop == wire::Stop::Running)
}

fn projects_of(rows: &[Box<RawValue>]) -> BTreeSet<i64> {
    rows.iter()
        .filter_map(|row| read_entry(row)?.project_id)
        .collect()
}

/// Whether a row is meant by a listing: in one of its workspaces, and within its span, whose
/// end the service may count in. What cannot be read is kept, to be refused by name.
fn belongs(row: &RawValue, track: &Track) -> bool {
    let Some(entry) = read_entry(row) else {
        return true;
    };
    let within = entry
        .start
        .as_deref()
        .and_then(wire::instant)
        .is_none_or(|start| start >= track.from && start < track.until);
    let here = entry
        .workspace_id
        .is_none_or(|id| track.workspaces.contains(&id));
    within && here
}

fn sweeps(rows: &[Box<RawValue>], track: &Track) -> Vec<Sweep> {
    let present: Vec<ExternalId> = rows
        .iter()
        .filter_map(|row| identifier(row))
        .map(external)
        .collect();
    let workspaces = track.workspaces.iter();
    workspaces
        .map(|workspace| Sweep {
            stream: Stream::Time,
            scope: envelope::own_scope(*workspace),
            from: Some(track.from),
            until: Some(track.until),
            present: present.clone(),
        })
        .collect()
}

pub(super) fn gone(stream: Stream, id: i64, at: &str) -> Gone {
    Gone {
        stream,
        id: external(id),
        proof: format!("server_deleted_at {at}"),
    }
}

pub(super) fn external(id: i64) -> ExternalId {
    ExternalId::new(id.to_string())
}

/// Tells of rows without an identifier; where no row has one, none of the answer is taken.
pub(super) fn left_out(count: usize, rows: usize) -> Result<Option<Notice>> {
    rows::left_out("Toggl", count, rows)?;
    Ok(unreadable_notice(count))
}

pub(super) fn unreadable_notice(count: usize) -> Option<Notice> {
    (count > 0).then(|| Notice {
        code: "toggl-rows-unreadable",
        text: format!("{count} rows of Toggl's answer have no identifier and were left out"),
    })
}
