//! Whose key it is, and what belongs to it: workspaces, projects, people.

use serde_json::value::RawValue;

use super::api::Listed;
use super::state::{Listing, Person, State, Step, Workspace};
use super::{Clockify, envelope, plan, wire};
use crate::contract::{Notice, Page};
use crate::error::{Error, Kind, Result};
use crate::record::Stream;
use crate::rows;

impl Clockify {
    /// Reads the owner of the key and the workspaces, and plans to read what is in them.
    pub(super) async fn account(&self, state: &mut State) -> Result<Page> {
        let reply = self.api.user().await?;
        let user: wire::User = reply.json()?;
        let received: Box<RawValue> = reply.json()?;
        let workspaces: Vec<wire::Workspace> = self.api.workspaces().await?.json()?;
        let mut page = Page::default();
        page.raw
            .push(envelope::whole(Stream::People, &user.id, &received, ""));
        let (chosen, notices) = choose(&workspaces, &self.wishes.workspaces)?;
        page.notices = notices;
        let me = person(user);
        // A workspace that was not there before has a history to be read, too.
        let known = state.me.is_some();
        let mut steps = Vec::new();
        let mut found = std::collections::BTreeMap::new();
        for workspace in chosen {
            let id = workspace.id.clone();
            let earlier = state.workspaces.remove(&id);
            if known && earlier.is_none() {
                steps.extend(history(state, &id, &me.id));
            }
            steps.push(Step::Projects {
                workspace: id.clone(),
                page: 1,
            });
            if self.wishes.team {
                steps.push(Step::People {
                    workspace: id.clone(),
                    page: 1,
                });
            }
            let people = earlier.map(|it| it.people).unwrap_or_default();
            let name = workspace.name.clone().unwrap_or_default();
            let people = if self.wishes.team { people } else { Vec::new() };
            found.insert(id, Workspace { name, people });
        }
        state.workspaces = found;
        state.me = Some(me);
        for step in steps.into_iter().rev() {
            state.todo.push_front(step);
        }
        Ok(page)
    }

    pub(super) async fn projects(
        &self,
        state: &mut State,
        workspace: String,
        number: u32,
    ) -> Result<Page> {
        let listed = self.api.projects(&workspace, number).await?;
        let page = whole_rows(Stream::Projects, &listed, &workspace)?;
        if !listed.last {
            state.todo.push_front(Step::Projects {
                workspace,
                page: number + 1,
            });
        }
        Ok(page)
    }

    pub(super) async fn people(
        &self,
        state: &mut State,
        workspace: String,
        number: u32,
    ) -> Result<Page> {
        let listed = match self.api.people(&workspace, number).await {
            Ok(listed) => listed,
            Err(error) if matches!(error.kind(), Kind::Forbidden | Kind::NotInPlan) => {
                return Ok(no_team(&workspace, &error));
            }
            Err(error) => return Err(error),
        };
        let page = whole_rows(Stream::People, &listed, &workspace)?;
        let mine = state.me.as_ref().map(|me| me.id.clone());
        let users = listed.rows.iter();
        let users = users.filter_map(|row| serde_json::from_str::<wire::User>(row.get()).ok());
        let mut steps = Vec::new();
        for other in users.map(person).filter(|it| Some(&it.id) != mine.as_ref()) {
            let Some(here) = state.workspaces.get_mut(&workspace) else {
                break;
            };
            if let Some(known) = here.people.iter_mut().find(|it| it.id == other.id) {
                *known = other;
                continue;
            }
            here.people.push(other.clone());
            // In a first pull the span that is still to come names everybody.
            if state.asked.is_some() {
                steps.extend(history(state, &workspace, &other.id));
            }
        }
        for step in steps {
            state.todo.push_back(step);
        }
        if !listed.last {
            state.todo.push_front(Step::People {
                workspace,
                page: number + 1,
            });
        }
        Ok(page)
    }
}

/// All that was ever looked for, of somebody who was not there then.
fn history(state: &State, workspace: &str, user: &str) -> Option<Step> {
    let span = (state.earliest?, None);
    Some(Step::Listing(Listing::new(workspace, user, span)))
}

fn person(user: wire::User) -> Person {
    Person {
        id: user.id,
        name: user.name,
        email: user.email,
    }
}

/// Rows that are records as they stand.
fn whole_rows(stream: Stream, listed: &Listed, scope: &str) -> Result<Page> {
    let mut page = Page::default();
    let mut nameless = 0;
    for row in &listed.rows {
        match wire::identifier(row) {
            Some(id) => page.raw.push(envelope::whole(stream, &id, row, scope)),
            None => nameless += 1,
        }
    }
    page.notices.extend(left_out(nameless, listed.rows.len())?);
    Ok(page)
}

/// Tells of rows without an identifier; where no row has one, none of the answer is taken.
pub(super) fn left_out(count: usize, rows: usize) -> Result<Option<Notice>> {
    let text = rows::left_out("Clockify", count, rows)?;
    Ok(text.map(|text| Notice {
        code: "clockify-rows-unreadable",
        text,
    }))
}

fn no_team(workspace: &str, error: &Error) -> Page {
    Page {
        notices: vec![Notice {
            code: "clockify-no-team",
            text: format!(
                "the people of the workspace {workspace} are not shown ({error}); only your own \
                 time is read there"
            ),
        }],
        ..Page::default()
    }
}

/// The wanted workspaces. None at all is an error: with no workspace to read, every pull would
/// look like a quiet night.
fn choose<'w>(
    there: &'w [wire::Workspace],
    wanted: &[String],
) -> Result<(Vec<&'w wire::Workspace>, Vec<Notice>)> {
    let shown = || {
        let names = there.iter();
        let names = names.map(|it| format!("{} ({})", it.name.as_deref().unwrap_or("?"), it.id));
        names.collect::<Vec<_>>().join(", ")
    };
    if there.is_empty() {
        return Err(Error::new(
            Kind::Protocol,
            "Clockify names no workspace of this account",
        )
        .hint("log in to Clockify once and see whether the account is still in one"));
    }
    if wanted.is_empty() {
        return Ok((there.iter().collect(), Vec::new()));
    }
    let is_called = |workspace: &wire::Workspace, wish: &str| {
        plan::is_called(
            wish,
            &workspace.id,
            workspace.name.as_deref().unwrap_or_default(),
        )
    };
    let chosen: Vec<&wire::Workspace> = there
        .iter()
        .filter(|workspace| wanted.iter().any(|wish| is_called(workspace, wish)))
        .collect();
    if chosen.is_empty() {
        return Err(
            Error::new(Kind::Settings, "none of the wanted workspaces is visible")
                .with("wanted", wanted.join(", "))
                .with("visible", shown())
                .hint("correct `workspaces`, or use a key of somebody who is in them"),
        );
    }
    let missing = wanted.iter();
    let missing = missing.filter(|wish| !there.iter().any(|it| is_called(it, wish)));
    let notices = missing.map(|wish| Notice {
        code: "workspace-not-visible",
        text: format!(
            "the workspace `{wish}` is not visible; visible are {}",
            shown()
        ),
    });
    Ok((chosen, notices.collect()))
}
