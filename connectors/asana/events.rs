//! Events: a hint at what happened in a project, and no more than that.
//!
//! Asana delivers each event at most once and keeps it for a day ("Events", read 2026-11), so a
//! list of tasks is never left out because no event was seen. What events add is what the lists
//! do not show: subtasks and comments that were changed, and tasks that were deleted.

use super::Asana;
use super::api::TOKEN;
use super::catalogue::{is_refusal, refused};
use super::state::{State, Step};
use super::wire::{Event, Events};
use crate::contract::Page;
use crate::error::{Error, Kind, Result};
use crate::http::Request;

/// A hundred events each; a project where more happens in a night is listed anyway.
const PAGES_MAX: usize = 50;

impl Asana {
    /// Reads what happened since the last look, and hands it to the list that is read next.
    pub(super) async fn events(&self, state: &mut State, project: &str) -> Result<Page> {
        let mut page = Page::default();
        let Some(followed) = state.projects.get(project) else {
            return Ok(page);
        };
        let mut sync = followed.sync.clone();
        let mut all = Vec::new();
        for _ in 0..PAGES_MAX {
            let mut request = Request::get(TOKEN, "/events").query("resource", project);
            if let Some(sync) = &sync {
                request = request.query("sync", sync);
            }
            let reply = match self.api.http.send(request).await {
                Ok(reply) => reply,
                Err(error) if is_refusal(&error) => {
                    page.notices
                        .push(refused("asana-events-hidden", "its events", &error));
                    return Ok(page);
                }
                Err(error) => return Err(error),
            };
            let answer: Events = reply.json()?;
            // 412 is how a feed begins, and how it begins anew when the token is too old.
            let begins = reply.status == 412;
            if !begins && answer.data.is_none() {
                return Err(Error::new(Kind::Protocol, "Asana's answer has no events"));
            }
            all.extend(answer.data.unwrap_or_default());
            sync = Some(answer.sync);
            if begins || !answer.has_more {
                break;
            }
        }
        if let Some(followed) = state.projects.get_mut(project) {
            followed.sync = sync;
        }
        // What cannot be read is no hint; the weekly list finds what it was about.
        let events = all
            .iter()
            .filter_map(|row| serde_json::from_str(row.get()).ok());
        hand_on(state, project, events);
        Ok(page)
    }
}

/// Puts the tasks that something happened to into the step that lists the project.
fn hand_on(state: &mut State, project: &str, events: impl Iterator<Item = Event>) {
    let step = state.todo.iter_mut().find_map(|step| match step {
        Step::Tasks(tasks) if tasks.project == project => Some(tasks),
        _ => None,
    });
    let Some(step) = step else {
        return;
    };
    for event in events {
        let (resource, parent) = (event.resource.as_ref(), event.parent.as_ref());
        let task = [resource, parent]
            .into_iter()
            .flatten()
            .find(|it| it.is("task"));
        let Some(task) = task else {
            continue;
        };
        step.hints.insert(task.gid.clone());
        let about_itself = resource.is_some_and(|it| it.gid == task.gid);
        match event.action.as_deref() {
            Some("deleted") if about_itself => drop(step.deleted.insert(task.gid.clone())),
            Some("undeleted") if about_itself => drop(step.deleted.remove(&task.gid)),
            _ => {}
        }
    }
}
