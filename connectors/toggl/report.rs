//! Pages of detailed reports: history, comparison, and what other people changed.

use std::collections::BTreeSet;

use chrono::{DateTime, TimeDelta, Utc};
use serde_json::value::RawValue;
use serde_json::{Value, json};

use super::api::ReportPage;
use super::catalogue::{Catalogue, Who};
use super::pull::{external, identifier, left_out};
use super::state::{Changed, Next, Report, State, Step};
use super::{Toggl, envelope, plan, span, wire};
use crate::contract::{Notice, Page, Sweep};
use crate::error::{Error, Kind, Result};
use crate::record::Stream;

/// Rows asked for at once. The largest number that Toggl takes is not documented.
const ROWS: u32 = 1000;

/// What is asked for where [`ROWS`] is refused; in use by others for years.
const FEWER_ROWS: u32 = 200;

/// More pages than any report has; a service that pages in circles is stopped here.
const PAGES_MAX: u32 = 1000;

/// A confirmation looks back one year (see `confirm.rs`), so nothing older is called absent
/// when a report is the only second look.
const CONFIRMED: TimeDelta = TimeDelta::days(360);

impl Toggl {
    /// Reads one page of a report over a span.
    pub(super) async fn report(
        &self,
        state: &mut State,
        mut report: Report,
        now: DateTime<Utc>,
    ) -> Result<Page> {
        let mut page = Page::default();
        let mut catalogue = state.catalogue.clone().unwrap_or_default();
        let search = self.search_span(state, &catalogue, &report);
        let answer = match self.api.report(report.workspace, search).await {
            Ok(answer) => answer,
            Err(error) => {
                let workspace = report.workspace;
                let step = Step::Report(report);
                return refused(state, step, workspace, error, now);
            }
        };
        let next = onward(&answer, report.next.as_ref(), report.pages)?;
        let rows = Rows::read(&answer);
        self.know_projects(state, rows.projects(), &mut page)
            .await?;
        if let Some(newer) = &state.catalogue {
            catalogue.clone_from(newer);
        }
        for (received, row, entry) in rows.entries() {
            let start = entry.start.as_deref().and_then(wire::instant);
            let own = row.user_id.is_none_or(|user| user == catalogue.me);
            if start.is_some_and(|start| start < report.from || start >= report.until)
                || !(own || self.wishes.team)
            {
                continue;
            }
            let found = if own {
                &mut report.own
            } else {
                &mut report.others
            };
            found.push(entry.id);
            learn(&mut catalogue, row, &mut page);
            let raw = envelope::report(&catalogue, report.workspace, entry.id, received, row);
            page.raw.push(raw);
        }
        for (received, id) in &rows.unread {
            report.own.push(*id);
            report.others.push(*id);
            page.raw
                .push(envelope::unread_report(report.workspace, *id, received));
        }
        page.notices
            .extend(left_out(rows.unreadable, rows.count())?);
        report.sweep &= rows.unreadable == 0 && answer.rows.is_some();
        state.catalogue = Some(catalogue);
        if next.is_some() {
            report.next = next;
            report.pages += 1;
            state.todo.push_front(Step::Report(report));
        } else if report.sweep {
            page.swept = self.sweeps(&report, state, now);
        }
        Ok(page)
    }

    fn search_span(&self, state: &State, catalogue: &Catalogue, report: &Report) -> Value {
        let (first, last) = span::days((report.from, report.until));
        let mut search = json!({
            "start_date": first.to_string(),
            "end_date": last.to_string(),
            "page_size": state.page_size.unwrap_or(ROWS),
            "order_by": "date",
            "order_dir": "ASC",
        });
        if !self.wishes.team {
            search["user_ids"] = json!([catalogue.me]);
        }
        go_on(&mut search, report.next.as_ref());
        search
    }

    /// What the last page of a report proves.
    fn sweeps(&self, report: &Report, state: &State, now: DateTime<Utc>) -> Vec<Sweep> {
        let span = report.from..report.until;
        // Reports do not show running timers; those we know of are not absent.
        let running = state
            .running
            .iter()
            .filter(|(_, start)| span.contains(start))
            .map(|(id, _)| *id);
        let own: BTreeSet<i64> = report.own.iter().copied().chain(running).collect();
        let sweep = |scope, present: BTreeSet<i64>| Sweep {
            stream: Stream::Time,
            scope,
            from: Some(report.from),
            until: Some(report.until),
            present: present.into_iter().map(external).collect(),
        };
        let mut sweeps = vec![sweep(envelope::own_scope(report.workspace), own)];
        if self.wishes.team && report.from > now - CONFIRMED {
            let others = report.others.iter().copied().collect();
            sweeps.push(sweep(envelope::team_scope(report.workspace), others));
        }
        sweeps
    }

    /// Reads what other people changed lately: a report in the order of changes, as far as the
    /// last pull's mark.
    pub(super) async fn changed(
        &self,
        state: &mut State,
        mut changed: Changed,
        now: DateTime<Utc>,
    ) -> Result<Page> {
        let mut page = Page::default();
        let (first, last) = span::days((now - plan::REACH, now + plan::AHEAD));
        let mut search = json!({
            "start_date": first.to_string(),
            "end_date": last.to_string(),
            "page_size": state.page_size.unwrap_or(ROWS),
            "order_by": "last_update",
            "order_dir": "DESC",
        });
        go_on(&mut search, changed.next.as_ref());
        let answer = match self.api.report(changed.workspace, search).await {
            Ok(answer) => answer,
            Err(error) => {
                let workspace = changed.workspace;
                return refused(state, Step::Changed(changed), workspace, error, now);
            }
        };
        let next = onward(&answer, changed.next.as_ref(), changed.pages)?;
        let rows = Rows::read(&answer);
        self.know_projects(state, rows.projects(), &mut page)
            .await?;
        let mut catalogue = state.catalogue.clone().unwrap_or_default();
        let mark = state
            .team
            .get(&changed.workspace)
            .copied()
            .or(state.watermark);
        let until = mark.map(|mark| mark - plan::OVERLAP);
        let mut reached = false;
        for (received, row, entry) in rows.entries() {
            let at = entry.at.as_deref().and_then(wire::instant);
            if at.is_some_and(|at| until.is_some_and(|until| at < until)) {
                reached = true;
                continue;
            }
            changed.newest = changed.newest.max(at.map(|at| at.min(now)));
            if row.user_id.is_none_or(|user| user == catalogue.me) {
                continue;
            }
            if let Some(start) = entry.start.as_deref().and_then(wire::instant) {
                state.saw(start);
            }
            learn(&mut catalogue, row, &mut page);
            let raw = envelope::report(&catalogue, changed.workspace, entry.id, received, row);
            page.raw.push(raw);
        }
        for (received, id) in &rows.unread {
            page.raw
                .push(envelope::unread_report(changed.workspace, *id, received));
        }
        page.notices
            .extend(left_out(rows.unreadable, rows.count())?);
        state.catalogue = Some(catalogue);
        if next.is_some() && !reached {
            changed.next = next;
            changed.pages += 1;
            state.todo.push_front(Step::Changed(changed));
        } else if let Some(newest) = changed.newest.max(mark) {
            state.team.insert(changed.workspace, newest);
        }
        Ok(page)
    }
}

/// The rows of one answer.
struct Rows<'a> {
    read: Vec<(&'a RawValue, wire::Row)>,
    /// Rows of which no more can be read than the identifiers of their entries.
    unread: Vec<(&'a RawValue, i64)>,
    /// Rows without so much.
    unreadable: usize,
}

impl<'a> Rows<'a> {
    fn read(answer: &'a ReportPage) -> Self {
        let mut rows = Self {
            read: Vec::new(),
            unread: Vec::new(),
            unreadable: 0,
        };
        for received in answer.rows.iter().flatten().map(|row| &**row) {
            let whole: Option<wire::Row> = serde_json::from_str(received.get()).ok();
            if let Some(row) = whole.filter(|row| !row.time_entries.is_empty()) {
                rows.read.push((received, row));
                continue;
            }
            let ids = identifiers(received);
            rows.unreadable += usize::from(ids.is_empty());
            rows.unread.extend(ids.into_iter().map(|id| (received, id)));
        }
        rows
    }

    fn count(&self) -> usize {
        self.read.len() + self.unread.len() + self.unreadable
    }

    fn entries(&self) -> impl Iterator<Item = (&'a RawValue, &wire::Row, &wire::RowEntry)> {
        self.read.iter().flat_map(|(received, row)| {
            let entries = row.time_entries.iter();
            entries.map(move |entry| (*received, row, entry))
        })
    }

    fn projects(&self) -> BTreeSet<i64> {
        self.read
            .iter()
            .filter_map(|(_, row)| row.project_id)
            .collect()
    }
}

/// The identifiers of the entries in a row that cannot be read further; none where even they
/// cannot, or some of them.
fn identifiers(row: &RawValue) -> Vec<i64> {
    let object = Some(row.get()).filter(|text| text.starts_with('{'));
    let row: Option<wire::OnlyEntries> = object.and_then(|it| serde_json::from_str(it).ok());
    let entries = row.iter().flat_map(|row| &row.time_entries);
    let ids: Option<Vec<i64>> = entries.map(|entry| identifier(entry)).collect();
    ids.unwrap_or_default()
}

fn learn(catalogue: &mut Catalogue, row: &wire::Row, page: &mut Page) {
    let Some(id) = row.user_id else {
        return;
    };
    let who = Who {
        name: row.username.clone(),
        email: row.email.clone(),
    };
    if catalogue.learn(id, &who) {
        page.raw.push(envelope::person(id, &who));
    }
}

fn go_on(search: &mut Value, next: Option<&Next>) {
    let Some(next) = next else {
        return;
    };
    search["first_row_number"] = json!(next.row);
    if let Some(id) = next.id {
        search["first_id"] = json!(id);
    }
    if let Some(timestamp) = next.timestamp {
        search["first_timestamp"] = json!(timestamp);
    }
}

/// Where the report goes on, if it does, and does so forwards.
fn onward(answer: &ReportPage, from: Option<&Next>, pages: u32) -> Result<Option<Next>> {
    let Some(next) = &answer.next else {
        return Ok(None);
    };
    if from.is_some_and(|from| next.row <= from.row) || pages >= PAGES_MAX {
        return Err(
            Error::new(Kind::Protocol, "Toggl's report does not come to an end")
                .with("row", next.row),
        );
    }
    Ok(Some(next.clone()))
}

/// Goes on without what was refused, where that is possible.
fn refused(
    state: &mut State,
    step: Step,
    workspace: i64,
    error: Error,
    now: DateTime<Utc>,
) -> Result<Page> {
    let mut page = Page::default();
    match error.kind() {
        Kind::NotInPlan | Kind::Forbidden => {
            state.todo.push_front(step);
            page.notices = plan::without_reports(state, workspace, now);
            page.notices.push(Notice {
                code: "toggl-no-reports",
                text: format!(
                    "the workspace {workspace} gives no reports ({error}); own entries of the \
                     last three months are read, other people's are not"
                ),
            });
        }
        Kind::Rejected if state.page_size.is_none() && error.to_string().contains("page_size") => {
            state.page_size = Some(FEWER_ROWS);
            state.todo.push_front(step);
        }
        _ => return Err(error),
    }
    Ok(page)
}
