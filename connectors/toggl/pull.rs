//! One page of a pull: takes the next step of the queue and reads it.

use std::collections::BTreeSet;

use chrono::{DateTime, NaiveTime, TimeDelta, Utc};
use serde_json::Value;
use serde_json::value::RawValue;

use super::api::{LISTING_MAX, Listing};
use super::catalogue::Catalogue;
use super::state::{State, Step, Track};
use super::{Toggl, classify, envelope, plan, wire};
use crate::contract::{Cursor, Gone, Notice, Page, Pull, Sweep};
use crate::error::{Error, Kind, Result};
use crate::record::{ExternalId, Stream};

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

    /// Reads the account and all its names.
    async fn bootstrap(&self, state: &mut State) -> Result<Page> {
        let reply = self.api.me().await?;
        let me: wire::Me = reply.json()?;
        let received: Value = reply.json()?;
        let catalogue = Catalogue::from_me(&me, state.catalogue.as_ref());
        let mut page = Page {
            notices: self.check_workspaces(&catalogue)?,
            ..Page::default()
        };
        page.raw.push(envelope::owner(me.id, &received));
        for project in me.projects.iter().flatten() {
            let Ok(read) = serde_json::from_str::<wire::Project>(project.get()) else {
                continue;
            };
            match &read.server_deleted_at {
                Some(at) => page.gone.push(gone(Stream::Projects, read.id, at)),
                None => page.raw.push(envelope::project(&catalogue, project, &read)),
            }
        }
        if state.watermark.is_none() {
            let touched = me.at.as_deref().and_then(wire::instant);
            state.watermark = classify::answered(&reply).or(touched);
        }
        state.denied.clear();
        state.catalogue = Some(catalogue);
        state.fresh = true;
        // Of the recent entries only the running timer is taken: nothing else here may show it,
        // while the others come with names from the reports or the feed.
        let running = me.time_entries.into_iter().flatten().filter(|received| {
            read_entry(received).is_some_and(|entry| entry.stop == wire::Stop::Running)
        });
        let rows: Vec<Box<RawValue>> = running.collect();
        self.take(state, &rows, &mut page);
        Ok(page)
    }

    /// Which wanted workspaces there are not. None at all is an error: with no workspace to
    /// read, every pull would look like a quiet night.
    fn check_workspaces(&self, catalogue: &Catalogue) -> Result<Vec<Notice>> {
        let there = || {
            let names = catalogue.workspaces.iter();
            let names: Vec<String> = names.map(|(id, name)| format!("{name} ({id})")).collect();
            names.join(", ")
        };
        let missing = self.wishes.workspaces.iter().filter(|wish| {
            let mut workspaces = catalogue.workspaces.iter();
            !workspaces.any(|(id, name)| plan::is_called(wish, *id, name))
        });
        let missing: Vec<&String> = missing.collect();
        let wanted = &self.wishes.workspaces;
        if catalogue.workspaces.is_empty() {
            return Err(
                Error::new(Kind::Protocol, "Toggl names no workspace of this account")
                    .hint("log in to Toggl once and see whether the account is still in one"),
            );
        }
        if !wanted.is_empty() && missing.len() == wanted.len() {
            return Err(
                Error::new(Kind::Settings, "none of the wanted workspaces is visible")
                    .with("wanted", wanted.join(", "))
                    .with("visible", there())
                    .hint("correct `workspaces`, or use a token of somebody who is in them"),
            );
        }
        let notices = missing.into_iter().map(|wish| Notice {
            code: "workspace-not-visible",
            text: format!(
                "the workspace `{wish}` is not visible; visible are {}",
                there()
            ),
        });
        Ok(notices.collect())
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
                state.todo.push_front(Step::Compare { from, until: None });
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
        let latest = latest.map(|at| at.min(answered));
        state.watermark = state.watermark.max(latest);
        state.asked = Some(answered);
        self.take(state, &rows, &mut page);
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
        let unreadable = self.take(state, &rows, &mut page);
        if track.sweep && !full && unreadable == 0 {
            page.swept.extend(sweeps(&rows, &track));
        }
        Ok(page)
    }

    /// Fetches the names anew, once in a pull, when an entry belongs to a project that is not
    /// among them. Projects that stay unknown (deleted, or another person's private one) are
    /// remembered, and named as the entry itself names them.
    pub(super) async fn know_projects(
        &self,
        state: &mut State,
        projects: BTreeSet<i64>,
        page: &mut Page,
    ) -> Result<()> {
        let unknown = |state: &State| -> BTreeSet<i64> {
            let Some(catalogue) = &state.catalogue else {
                return BTreeSet::new();
            };
            let ids = projects.iter().copied();
            ids.filter(|id| !catalogue.projects.contains_key(id) && !catalogue.strange.contains(id))
                .collect()
        };
        if !state.fresh && !unknown(state).is_empty() {
            let names = self.bootstrap(state).await?;
            page.raw.extend(names.raw);
            page.gone.extend(names.gone);
            page.notices.extend(names.notices);
        }
        let strange = unknown(state);
        if let Some(catalogue) = &mut state.catalogue {
            catalogue.strange.extend(strange);
        }
        Ok(())
    }

    /// Puts rows from Track into a page. Returns how many had not even an identifier.
    fn take(&self, state: &mut State, rows: &[Box<RawValue>], page: &mut Page) -> usize {
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
            state.running.remove(&id);
            if let Some(at) = deleted {
                page.gone.push(gone(Stream::Time, id, at));
                continue;
            }
            if let Some(start) = entry
                .as_ref()
                .and_then(starts)
                .filter(|it| *it > plan::beginning())
            {
                state.saw(start);
            }
            if let Some(start) = entry.as_ref().and_then(running_since) {
                state.running.insert(id, start);
            }
            page.raw
                .push(envelope::track(&catalogue, id, row, entry.as_ref()));
        }
        page.notices.extend(unreadable_notice(unreadable));
        unreadable
    }
}

fn refused_twice(from: DateTime<Utc>) -> Error {
    Error::new(Kind::Protocol, "Toggl refuses the day that it named itself")
        .with("from", from.format("%Y-%m-%d"))
}

fn read_entry(row: &RawValue) -> Option<wire::Entry> {
    serde_json::from_str(row.get()).ok()
}

fn identifier(row: &RawValue) -> Option<i64> {
    let found: Option<wire::OnlyId> = serde_json::from_str(row.get()).ok();
    found.map(|found| found.id)
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

fn gone(stream: Stream, id: i64, at: &str) -> Gone {
    Gone {
        stream,
        id: external(id),
        proof: format!("server_deleted_at {at}"),
    }
}

pub(super) fn external(id: i64) -> ExternalId {
    ExternalId::new(id.to_string())
}

pub(super) fn unreadable_notice(count: usize) -> Option<Notice> {
    (count > 0).then(|| Notice {
        code: "toggl-rows-unreadable",
        text: format!("{count} rows of Toggl's answer have no identifier and were left out"),
    })
}
