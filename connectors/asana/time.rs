//! Time entries: windows of days, read whole and compared, since Asana says of no entry when it
//! was changed.

use std::collections::BTreeSet;

use chrono::{DateTime, Days, NaiveDate, NaiveTime, Utc};

use super::api::{ENTRY, ENTRY_LEAN, Listing};
use super::catalogue::{is_refusal, left_out, refused};
use super::state::{State, Window};
use super::wire::Head;
use super::{Asana, envelope};
use crate::contract::{Notice, Page, Sweep};
use crate::error::{Kind, Result};
use crate::record::{ExternalId, Stream};

impl Asana {
    /// Reads the time entries of some days.
    pub(super) async fn window(
        &self,
        state: &mut State,
        step: Window,
        now: DateTime<Utc>,
    ) -> Result<Page> {
        let listing = match self.entries(state, &step).await {
            Ok(listing) => listing,
            Err(error) if error.kind() == Kind::NotInPlan => {
                // It ends the feature and not the connection, and is tried again every week.
                state.time.off.insert(step.workspace, now);
                return Ok(told("asana-time-not-in-plan", "time entries", &error));
            }
            Err(error) if is_refusal(&error) => {
                return Ok(told("asana-time-hidden", "time entries", &error));
            }
            Err(error) => return Err(error),
        };
        state.time.off.remove(&step.workspace);
        state.time.from = Some(
            state
                .time
                .from
                .map_or(step.from, |from| from.min(step.from)),
        );
        let mut page = Page::default();
        page.notices.extend(left_out(&listing, "time entries"));
        let scopes = state.time.scopes.entry(step.workspace.clone()).or_default();
        for (head, row) in &listing.rows {
            let scope = scope(&step.workspace, head);
            page.raw
                .push(envelope::plain(Stream::Time, &head.gid, &scope, row));
            scopes.insert(scope);
        }
        if step.sweep && listing.unreadable == 0 {
            page.swept = sweeps(scopes, &step, &listing);
        }
        Ok(page)
    }

    /// Asks with the fields of the add-on, and where the plan refuses, once more without them.
    async fn entries(&self, state: &mut State, step: &Window) -> Result<Listing> {
        let mut filter = vec![
            ("workspace", step.workspace.clone()),
            ("entered_on_start_date", step.from.to_string()),
        ];
        filter.extend(
            step.until
                .map(|until| ("entered_on_end_date", until.to_string())),
        );
        let path = "/time_tracking_entries";
        if !state.time.lean.contains(&step.workspace) {
            match self.api.list(path, ENTRY, &filter).await {
                Err(error) if error.kind() == Kind::NotInPlan => {}
                outcome => return outcome,
            }
        }
        let listing = self.api.list(path, ENTRY_LEAN, &filter).await?;
        state.time.lean.insert(step.workspace.clone());
        Ok(listing)
    }
}

/// The workspace and the project that an entry is attributed to: one that is missing counts as
/// gone only while that project can be read.
fn scope(workspace: &str, head: &Head) -> String {
    match &head.attributed {
        Some(project) => format!("{workspace}/{project}"),
        None => workspace.to_owned(),
    }
}

fn sweeps(scopes: &BTreeSet<String>, step: &Window, listing: &Listing) -> Vec<Sweep> {
    let midnight = |day: NaiveDate| day.and_time(NaiveTime::MIN).and_utc();
    let present: Vec<ExternalId> = listing.gids().map(ExternalId::new).collect();
    let behind = step
        .until
        .and_then(|until| until.checked_add_days(Days::new(1)));
    scopes
        .iter()
        .map(|scope| Sweep {
            stream: Stream::Time,
            scope: scope.clone(),
            from: Some(midnight(step.from)),
            until: behind.map(midnight),
            present: present.clone(),
        })
        .collect()
}

fn told(code: &'static str, what: &str, error: &crate::Error) -> Page {
    let notice = refused(code, what, error);
    Page {
        notices: vec![Notice {
            text: format!("{}; what was read of them stays as it is", notice.text),
            ..notice
        }],
        ..Page::default()
    }
}
