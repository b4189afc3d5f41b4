//! The account and everything that it can name, read in one request.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::value::RawValue;

use super::catalogue::Catalogue;
use super::pull::{gone, identifier, read_entry, unreadable_notice};
use super::state::State;
use super::{Toggl, classify, envelope, plan, wire};
use crate::contract::{Notice, Page};
use crate::error::{Error, Kind, Result};
use crate::record::Stream;

impl Toggl {
    /// Reads the account and all its names.
    pub(super) async fn bootstrap(&self, state: &mut State) -> Result<Page> {
        let reply = self.api.me().await?;
        let me: wire::Me = reply.json()?;
        let received: BTreeMap<String, Box<RawValue>> = reply.json()?;
        let catalogue = Catalogue::from_me(&me, state.catalogue.as_ref());
        let mut page = Page {
            notices: self.check_workspaces(&catalogue)?,
            ..Page::default()
        };
        page.raw.push(envelope::owner(me.id, &received));
        let mut unreadable = 0;
        for project in me.projects.iter().flatten() {
            let Some(id) = identifier(project) else {
                unreadable += 1;
                continue;
            };
            let read: Option<wire::Project> = serde_json::from_str(project.get()).ok();
            let deleted = read.as_ref().and_then(|it| it.server_deleted_at.as_deref());
            match deleted.filter(|at| wire::instant(at).is_some()) {
                Some(at) => page.gone.push(gone(Stream::Projects, id, at)),
                None => page
                    .raw
                    .push(envelope::project(&catalogue, id, project, read.as_ref())),
            }
        }
        page.notices.extend(unreadable_notice(unreadable));
        if state.watermark.is_none() {
            let touched = me.at.as_deref().and_then(wire::instant);
            // A mark ahead of all clocks would silence the feed until then.
            let now = self.clock.now();
            let answered = classify::answered(&reply).or(touched);
            state.watermark = answered.map(|at| at.min(now));
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
        self.take(state, &rows, &mut page)?;
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
}
