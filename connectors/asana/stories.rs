//! Stories: what people said and did, of tasks that changed.

use super::api::{STORY, path};
use super::catalogue::{is_refusal, left_out};
use super::pull::{AT_ONCE, TRIES};
use super::state::{State, Step, Stories};
use super::{Asana, envelope};
use crate::contract::{Page, Sweep};
use crate::error::Result;
use crate::record::{ExternalId, Stream};

impl Asana {
    /// Reads the stories of some tasks, each list whole, so that a deleted comment shows.
    pub(super) async fn stories(&self, state: &mut State, mut step: Stories) -> Result<Page> {
        let mut page = Page::default();
        let rest = step.tasks.split_off(step.tasks.len().min(AT_ONCE));
        for task in std::mem::replace(&mut step.tasks, rest) {
            let listing = match self
                .api
                .list(&path("tasks", &task, "/stories"), STORY, &[])
                .await
            {
                Ok(listing) => listing,
                Err(error) if is_refusal(&error) => {
                    // Deleted meanwhile, or out of sight for now.
                    let tries = state.owed.entry(task.clone()).or_default();
                    *tries += 1;
                    if *tries > TRIES {
                        state.owed.remove(&task);
                    }
                    continue;
                }
                Err(error) => return Err(error),
            };
            state.owed.remove(&task);
            page.notices.extend(left_out(&listing, "stories"));
            for (head, row) in &listing.rows {
                page.raw.push(envelope::story(&task, head, row));
            }
            if step.sweep && listing.unreadable == 0 {
                let present = listing.gids().map(ExternalId::new).collect();
                page.swept.push(Sweep {
                    stream: Stream::Activity,
                    scope: task,
                    from: None,
                    until: None,
                    present,
                });
            }
        }
        if !step.tasks.is_empty() {
            state.todo.push_front(Step::Stories(step));
        }
        Ok(page)
    }
}
