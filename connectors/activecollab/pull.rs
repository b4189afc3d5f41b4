//! Pulls: the names and the list of projects, then one page for each project.

use std::collections::BTreeMap;
use std::sync::Arc;

use chrono::{DateTime, TimeDelta, Utc};
use serde_json::value::RawValue;

use super::ActiveCollab;
use super::api::Wanted;
use super::catalogue::{Catalogue, object};
use super::envelope::{self, KeptProject};
use super::project;
use super::shape::identifier;
use super::state::{Due, Found, Mark, Plan, State};
use super::wire::{Project, filled};
use crate::contract::{Cursor, Notice, Page, Pull, Raw};
use crate::error::{Error, Kind, Result};
use crate::record::{Named, Stream};

/// A plan that is older than this is made anew when a pull goes on.
const PLAN_AGE: TimeDelta = TimeDelta::hours(1);

/// So many projects are named in an error.
const NAMED_MAX: usize = 20;

pub(super) async fn pull(it: &ActiveCollab, cursor: &Cursor, mode: &Pull) -> Result<Page> {
    let mut state: State = cursor.decode()?;
    let mut page = Page::default();
    let compare = matches!(mode, Pull::Compare { .. });
    let now = it.clock.now();
    let (mut plan, names) = match state.plan.take() {
        Some(plan) if goes_on(&plan, compare, now) => (plan, it.names(&mut state).await?),
        _ => begin(it, &mut state, compare, &mut page).await?,
    };
    if let Some(due) = plan.queue.pop_front() {
        project::read(it, &due, &names, &mut state, &mut plan.found, &mut page).await?;
    }
    page.more = !plan.queue.is_empty();
    if page.more {
        state.plan = Some(plan);
    } else {
        page.swept = plan.found.into_iter().map(Found::sweep).collect();
    }
    page.next = Cursor::encode(&state);
    Ok(page)
}

/// Whether an earlier plan still serves: not for a comparison that it was not made for, and not
/// on another day.
fn goes_on(plan: &Plan, compare: bool, now: DateTime<Utc>) -> bool {
    let age = now - plan.made_at;
    (plan.compare || !compare) && age >= TimeDelta::zero() && age < PLAN_AGE
}

/// Reads who and what there is, and decides what to read of it.
async fn begin(
    it: &ActiveCollab,
    state: &mut State,
    compare: bool,
    page: &mut Page,
) -> Result<(Plan, Arc<Catalogue>)> {
    let names = it.read_names(state, compare).await?;
    people(&names, page);
    if let Some(role) = only_own(it, &names).await? {
        page.notices.push(role);
    }
    let wanted = Wanted::new("/projects", "projects", "projects");
    let active = it.api.list(&wanted, &mut state.unpaged).await?.rows;
    let mut all = projects(it, active, false, page)?;
    let missing = |(id, mark): (&i64, &Mark)| {
        !mark.archived && !all.iter().any(|listed| listed.project.id == *id)
    };
    let strange = |word: &String| !is_known(word, &all, state);
    let more = state.projects.iter().any(missing) || it.projects.iter().any(strange);
    if compare || state.projects.is_empty() || more {
        let wanted = Wanted::new("/projects/archive", "projects", "projects-archive");
        let archived = it.api.list(&wanted, &mut state.unpaged).await?.rows;
        all.extend(projects(it, archived, true, page)?);
    }
    let chosen = select(&it.projects, &all, state)?;
    tell_lost(&it.projects, &all, state, page);
    let now = it.clock.now();
    let mut queue = Vec::new();
    for listed in chosen {
        let (project, archived) = (&listed.project, listed.archived);
        page.raw.push(listed.raw(it, &names));
        let mark = state.projects.get(&project.id);
        if let Some(full) = is_due(it, mark, archived, compare, now) {
            queue.push(Due {
                id: project.id,
                name: listed.title(),
                company: project.company_id,
                archived,
                full,
            });
        }
    }
    let plan = Plan {
        compare,
        made_at: now,
        queue: queue.into(),
        found: Vec::new(),
    };
    Ok((plan, names))
}

/// Whether a project is read, and whether whole. One that was put into the archive is read whole
/// once more, and then only by comparisons.
fn is_due(
    it: &ActiveCollab,
    mark: Option<&Mark>,
    archived: bool,
    compare: bool,
    now: DateTime<Utc>,
) -> Option<bool> {
    let Some(mark) = mark else { return Some(true) };
    if compare || mark.archived != archived {
        return Some(true);
    }
    let age = now - mark.full_at;
    let full = age >= it.full_every || age < TimeDelta::zero();
    (!archived).then_some(full)
}

fn people(names: &Catalogue, page: &mut Page) {
    let (mut nameless, raws) = (0, &mut page.raw);
    for user in &names.users {
        match identifier(user) {
            Some(id) => raws.push(envelope::in_account(Stream::People, id, user)),
            None => nameless += 1,
        }
    }
    page.notices.extend(nameless_rows("users", nameless));
}

/// Members see their own time only ("User roles", help centre, read 2026-11): whoever bills a
/// team with such a token bills too little.
async fn only_own(it: &ActiveCollab, names: &Catalogue) -> Result<Option<Notice>> {
    let role = it.api.owner().await?.and_then(|owner| names.role(owner));
    let Some(role) = role.filter(|role| *role != "Owner") else {
        return Ok(None);
    };
    Ok(Some(Notice {
        code: "activecollab-own-time-only",
        text: format!(
            "the token belongs to a user of the role {role}, who may see only their own time \
             records; those of others would be missing"
        ),
    }))
}

/// A project of one of the two lists.
struct Listed {
    project: Project,
    received: Box<RawValue>,
    archived: bool,
}

impl Listed {
    fn title(&self) -> String {
        let name = filled(self.project.name.as_deref());
        name.unwrap_or_else(|| self.project.id.to_string())
    }

    fn raw(&self, it: &ActiveCollab, names: &Catalogue) -> Raw {
        let client = client(self.project.company_id, names);
        let received = self.received.clone();
        kept(it, self.project.id, received, client, self.archived)
    }
}

/// The company that a project is for.
pub(super) fn client(company: Option<i64>, names: &Catalogue) -> Option<Named> {
    let id = company.filter(|id| *id > 0)?;
    Some(Named {
        id: Some(super::state::external(id)),
        name: names.company(id),
    })
}

/// The projects of a list, without those in the trash. One that cannot be read is put aside by its
/// name, and one without a number is told.
fn projects(
    it: &ActiveCollab,
    rows: Vec<Box<RawValue>>,
    archived: bool,
    page: &mut Page,
) -> Result<Vec<Listed>> {
    let (count, mut nameless, mut listed) = (rows.len(), 0, Vec::new());
    for received in rows {
        match (identifier(&received), object::<Project>(&received)) {
            (Some(_), Some(project)) if project.is_trashed == Some(true) => {}
            (Some(_), Some(project)) => listed.push(Listed {
                project,
                received,
                archived,
            }),
            (Some(id), None) => page.raw.push(kept(it, id, received, None, archived)),
            (None, _) => nameless += 1,
        }
    }
    if count > 0 && nameless == count {
        return Err(Error::new(
            Kind::Protocol,
            "none of the projects in ActiveCollab's answer has a number",
        ));
    }
    page.notices.extend(nameless_rows("projects", nameless));
    Ok(listed)
}

fn kept(
    it: &ActiveCollab,
    id: i64,
    project: Box<RawValue>,
    client: Option<Named>,
    archived: bool,
) -> Raw {
    let body = KeptProject {
        project,
        client,
        archived,
        url: format!("{}/projects/{id}", it.site),
    };
    envelope::in_account(Stream::Projects, id, &body)
}

/// Tells of rows that are nobody's.
pub(super) fn nameless_rows(what: &str, count: usize) -> Option<Notice> {
    (count > 0).then(|| Notice {
        code: "activecollab-rows-unreadable",
        text: format!(
            "{count} of the {what} that ActiveCollab lists cannot be read and were left out"
        ),
    })
}

/// The projects that the settings mean: by number or name, or all.
fn select<'a>(wanted: &[String], all: &'a [Listed], state: &State) -> Result<Vec<&'a Listed>> {
    if wanted.is_empty() {
        return Ok(all.iter().collect());
    }
    let mut chosen: BTreeMap<i64, &Listed> = BTreeMap::new();
    for word in wanted {
        let meant = |listed: &&Listed| means(word, listed.project.id, &listed.title());
        if !is_known(word, all, state) {
            return Err(unknown(word, all));
        }
        chosen.extend(all.iter().filter(meant).map(|it| (it.project.id, it)));
    }
    Ok(chosen.into_values().collect())
}

/// Whether a word of the setting means a project that is listed, or was read before.
fn is_known(word: &str, all: &[Listed], state: &State) -> bool {
    let mut marks = state.projects.iter();
    let mut listed = all.iter();
    marks.any(|(id, mark)| means(word, *id, &mark.name))
        || listed.any(|it| means(word, it.project.id, &it.title()))
}

fn means(word: &str, id: i64, name: &str) -> bool {
    let word = word.trim();
    word == id.to_string() || word.to_lowercase() == name.trim().to_lowercase()
}

fn unknown(word: &str, all: &[Listed]) -> Error {
    let mut names: Vec<String> = all.iter().map(Listed::title).collect();
    let more = names.len().saturating_sub(NAMED_MAX);
    names.truncate(NAMED_MAX);
    if more > 0 {
        names.push(format!("and {more} more"));
    }
    Error::new(
        Kind::Settings,
        format!("`projects` names `{word}`, and the token sees no such project"),
    )
    .hint(format!("there are: {}", names.join(", ")))
}

/// Tells which projects are in neither list any more. What was read of them stays.
fn tell_lost(wanted: &[String], all: &[Listed], state: &State, page: &mut Page) {
    let chosen = |id: i64, mark: &Mark| {
        wanted.is_empty() || wanted.iter().any(|word| means(word, id, &mark.name))
    };
    let lost = state.projects.iter().filter(|(id, mark)| {
        let listed = all.iter().any(|listed| listed.project.id == **id);
        !mark.archived && !listed && chosen(**id, mark)
    });
    let lost: Vec<&str> = lost.map(|(_, mark)| mark.name.as_str()).collect();
    if !lost.is_empty() {
        page.notices.push(Notice {
            code: "activecollab-project-lost",
            text: format!(
                "ActiveCollab projects that the token no longer sees: {}; what was read stays as \
                 it is",
                lost.join(", ")
            ),
        });
    }
}
