//! The frame of an account: its workspaces, the people in them, and the projects to read.

use std::collections::BTreeMap;

use chrono::{DateTime, Utc};
use serde_json::value::RawValue;

use super::api::{Listing, TOKEN, path};
use super::envelope;
use super::state::{State, Step, Tasks};
use super::wire::{Head, Place, Whoami};
use super::{Asana, plan};
use crate::contract::{Notice, Page};
use crate::error::{Error, Kind, Result};
use crate::http::Request;
use crate::record::Stream;

/// So many names stand in an error; somebody with more knows where to look.
const NAMED_MAX: usize = 20;

const PROJECT: &str = "name,archived,permalink_url";
const USER: &str = "name,email";

impl Asana {
    /// Who we are, and in which workspaces.
    pub(super) async fn whoami(&self) -> Result<Whoami> {
        let request =
            Request::get(TOKEN, "/users/me").query("opt_fields", "name,email,workspaces.name");
        self.api.http.send(request).await?.json()
    }

    /// Reads workspaces, people and projects.
    pub(super) async fn catalogue(&self, state: &mut State, now: DateTime<Utc>) -> Result<Page> {
        let me = self.whoami().await?.data;
        state.workspaces = select(&self.wishes.workspaces, me.workspaces.unwrap_or_default())?;
        let mut page = Page::default();
        if state.workspaces.is_empty() {
            page.notices.push(Notice {
                code: "asana-no-workspaces",
                text: "the user of this credential is in no workspace of Asana; nothing is read"
                    .to_owned(),
            });
        }
        self.projects(state, &mut page).await?;
        for workspace in state.workspaces.keys() {
            let filter = [("workspace", workspace.clone())];
            match self.api.list("/users", USER, &filter).await {
                Ok(listing) => {
                    page.notices.extend(left_out(&listing, "people"));
                    let people = listing.rows.iter();
                    page.raw.extend(people.map(|(head, row)| {
                        envelope::plain(Stream::People, &head.gid, envelope::ACCOUNT, row)
                    }));
                }
                // A guest may not list people. Their names come with tasks all the same.
                Err(error) if is_refusal(&error) => {
                    page.notices
                        .push(refused("asana-people-hidden", "its people", &error));
                }
                Err(error) => return Err(error),
            }
        }
        state.catalogued = Some(now);
        Ok(page)
    }

    /// Reads which projects there are, and follows those that are wished for.
    pub(super) async fn projects(&self, state: &mut State, page: &mut Page) -> Result<()> {
        let mut found: BTreeMap<String, (String, Head)> = BTreeMap::new();
        // A workspace that was refused says nothing of the projects in it.
        let mut blind = Vec::new();
        for workspace in state.workspaces.keys() {
            let filter = [("workspace", workspace.clone())];
            let listing = match self.api.list("/projects", PROJECT, &filter).await {
                Ok(listing) => listing,
                Err(error) if is_refusal(&error) => {
                    page.notices
                        .push(refused("asana-projects-hidden", "its projects", &error));
                    blind.push(workspace.clone());
                    continue;
                }
                Err(error) => return Err(error),
            };
            if listing.unreadable > 0 {
                blind.push(workspace.clone());
            }
            page.notices.extend(left_out(&listing, "projects"));
            for (head, row) in listing.rows {
                self.keep_project(state, &head, &row, page);
                found.insert(head.gid.clone(), (workspace.clone(), head));
            }
        }
        self.follow(state, &found, &blind, page)
    }

    /// Puts a project on the page, if it is or was one of those that are read.
    fn keep_project(&self, state: &State, head: &Head, row: &RawValue, page: &mut Page) {
        let known = state.projects.contains_key(&head.gid);
        if known || self.wants(head) {
            let raw = envelope::plain(Stream::Projects, &head.gid, envelope::ACCOUNT, row);
            page.raw.push(raw);
        }
    }

    /// Whether a project is one that the settings ask for.
    fn wants(&self, head: &Head) -> bool {
        let wishes = &self.wishes.projects;
        if wishes.is_empty() {
            return !head.archived;
        }
        wishes
            .iter()
            .any(|word| means(word, &head.gid, &head.title()))
    }

    fn follow(
        &self,
        state: &mut State,
        found: &BTreeMap<String, (String, Head)>,
        blind: &[String],
        page: &mut Page,
    ) -> Result<()> {
        for word in &self.wishes.projects {
            let mut named = found
                .values()
                .filter(|(_, it)| means(word, &it.gid, &it.title()));
            let mut known = state.projects.iter();
            let first = named.next();
            if first.is_none()
                && !known.any(|(gid, it)| means(word, gid, &it.name))
                && blind.is_empty()
            {
                return Err(unknown(word, found));
            }
            if first.is_some() && named.next().is_some() {
                return Err(Error::new(
                    Kind::Settings,
                    format!("several projects are called `{word}`"),
                )
                .hint("name it by its gid in `projects`: the digits in the project's address"));
            }
        }
        for (gid, (workspace, head)) in found {
            let known = state.projects.contains_key(gid);
            if !known && !self.wants(head) {
                continue;
            }
            let followed = state.projects.entry(gid.clone()).or_default();
            followed.name = head.title();
            followed.lost = false;
            followed.workspace.clone_from(workspace);
            // One that was put away is read whole once more, so that its tasks say so.
            if followed.archived != head.archived {
                followed.archived = head.archived;
                followed.deep_at = None;
            }
        }
        let mut lost = Vec::new();
        for (gid, followed) in &mut state.projects {
            if !found.contains_key(gid) && !blind.contains(&followed.workspace) {
                followed.lost = true;
                lost.push(followed.name.as_str());
            }
        }
        if !lost.is_empty() {
            page.notices.push(Notice {
                code: "asana-projects-lost",
                text: format!(
                    "Asana projects that are deleted, or no longer shown to us: {}; what was \
                     read of them stays as it is",
                    lost.join(", ")
                ),
            });
        }
        if state.projects.is_empty() && !state.workspaces.is_empty() && blind.is_empty() {
            page.notices.push(Notice {
                code: "asana-no-projects",
                text: "the user of this credential sees no open project; no tasks are read"
                    .to_owned(),
            });
        }
        Ok(())
    }

    /// The lists of tasks that are due now, one step for each project.
    pub(super) fn each_project(&self, state: &State, now: DateTime<Utc>) -> Vec<Step> {
        let mut steps = Vec::new();
        for (gid, followed) in &state.projects {
            let deep = plan::is_due(followed.deep_at, now, self.wishes.full_every)
                || state.compare.is_some_and(|it| it.until.is_none());
            let wished = |word: &String| means(word, gid, &followed.name);
            let wishes = &self.wishes.projects;
            let wanted = wishes.is_empty() || wishes.iter().any(wished);
            // What is put away changes no more, except for being taken back.
            let at_rest = followed.archived && followed.deep_at.is_some() && wishes.is_empty();
            if !wanted || followed.lost || (at_rest && state.compare.is_none()) {
                continue;
            }
            if self.wishes.events {
                steps.push(Step::Events {
                    project: gid.clone(),
                });
            }
            steps.push(Step::Tasks(Tasks {
                project: gid.clone(),
                whole: deep || followed.tasks.len() <= plan::SMALL,
                deep,
                ..Tasks::default()
            }));
        }
        steps
    }

    /// Whether a project can be read now.
    pub(super) async fn sees(&self, kind: &str, gid: &str) -> Result<bool> {
        match self.api.one(&path(kind, gid, ""), "name").await {
            Ok((head, _)) => Ok(head.gid == gid),
            Err(error) if is_refusal(&error) => Ok(false),
            Err(error) => Err(error),
        }
    }
}

/// Whether a refusal is about this one thing, and the others may be read all the same.
pub(super) fn is_refusal(error: &Error) -> bool {
    matches!(
        error.kind(),
        Kind::NotFound | Kind::Forbidden | Kind::NotInPlan
    )
}

/// Tells what Asana refuses.
pub(super) fn refused(code: &'static str, what: &str, error: &Error) -> Notice {
    Notice {
        code,
        text: format!("Asana does not show {what}: {error}"),
    }
}

/// Tells of elements that have no gid.
pub(super) fn left_out(listing: &Listing, what: &str) -> Option<Notice> {
    (listing.unreadable > 0).then(|| Notice {
        code: "asana-elements-unreadable",
        text: format!(
            "{} elements in a list of {what} of Asana have no gid and were left out; \
             nothing is taken for deleted by that list",
            listing.unreadable
        ),
    })
}

/// The workspaces that the setting means; all, where it is empty.
fn select(words: &[String], listed: Vec<Place>) -> Result<BTreeMap<String, String>> {
    let named = listed.into_iter().map(|it| {
        let name = it.name.unwrap_or_else(|| it.gid.clone());
        (it.gid, name)
    });
    let mut all: BTreeMap<String, String> = named.collect();
    if words.is_empty() {
        return Ok(all);
    }
    for word in words {
        if !all.iter().any(|(gid, name)| means(word, gid, name)) {
            let there = brief(all.values().map(String::as_str));
            return Err(Error::new(
                Kind::Settings,
                format!("`workspaces` names `{word}`, and the user is in no such workspace"),
            )
            .hint(format!("there are: {there}")));
        }
    }
    all.retain(|gid, name| words.iter().any(|word| means(word, gid, name)));
    Ok(all)
}

fn unknown(word: &str, found: &BTreeMap<String, (String, Head)>) -> Error {
    let names: Vec<String> = found.values().map(|(_, head)| head.title()).collect();
    Error::new(
        Kind::Settings,
        format!("`projects` names `{word}`, and Asana shows us no such project"),
    )
    .hint(if names.is_empty() {
        "the user of this credential sees no projects; share them, or use another one".to_owned()
    } else {
        format!("there are: {}", brief(names.iter().map(String::as_str)))
    })
}

fn brief<'a>(names: impl Iterator<Item = &'a str>) -> String {
    let names: Vec<&str> = names.collect();
    match names.split_at_checked(NAMED_MAX) {
        Some((first, rest)) if !rest.is_empty() => {
            format!("{} and {} more", first.join(", "), rest.len())
        }
        _ => names.join(", "),
    }
}

/// Whether a word of a setting means this thing: its gid, its address, or its name.
pub(super) fn means(word: &str, gid: &str, name: &str) -> bool {
    let word = word.trim();
    let same = |left: &str, right: &str| left.trim().to_lowercase() == right.trim().to_lowercase();
    match word.split_once("app.asana.com/") {
        Some((_, rest)) => rest.split(['/', '?', '#']).any(|part| part == gid),
        None => word == gid || same(word, name),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_project_is_meant_by_gid_address_or_name() {
        for word in [
            "1200000000000001",
            " kunde nord ",
            "https://app.asana.com/0/1200000000000001/list",
            "https://app.asana.com/1/9/project/1200000000000001/board/12?focus=true",
        ] {
            assert!(means(word, "1200000000000001", "Kunde Nord"), "{word}");
        }
        for word in [
            "12000000000000",
            "Kunde",
            "https://app.asana.com/0/77/list",
            "",
        ] {
            assert!(!means(word, "1200000000000001", "Kunde Nord"), "{word}");
        }
    }

    #[test]
    fn a_workspace_that_is_not_there_is_told_with_those_that_are() {
        let listed = || {
            let place = |gid: &str, name: &str| Place {
                gid: gid.to_owned(),
                name: Some(name.to_owned()),
            };
            vec![place("1", "Agentur"), place("2", "Privat")]
        };
        assert_eq!(select(&[], listed()).unwrap().len(), 2);
        assert_eq!(select(&["agentur".to_owned()], listed()).unwrap().len(), 1);
        let error = select(&["Argentur".to_owned()], listed()).unwrap_err();
        assert_eq!(error.kind(), Kind::Settings);
        assert_eq!(error.advice(), Some("there are: Agentur, Privat"));
    }
}
