//! One page of a pull: takes the next step of the queue and does it.

use chrono::{DateTime, Utc};

use super::Asana;
use super::state::{State, Step};
use crate::contract::{Cursor, Page, Pull};
use crate::error::Result;

/// So many tasks are asked about one by one before what came is handed on.
pub(super) const AT_ONCE: usize = 25;

/// So often stories that were refused are asked for again, once a pull.
pub(super) const TRIES: u8 = 3;

impl Asana {
    pub(super) async fn next_page(&self, cursor: &Cursor, mode: &Pull) -> Result<Page> {
        let now = self.clock.now();
        let mut state: State = cursor.decode()?;
        self.begin(&mut state, mode, now);
        let mut page = match self.next_step(&mut state, now) {
            Some(step) => self.take_step(&mut state, step, now).await?,
            None => Page::default(),
        };
        // A step that turns out to hold nothing is no page.
        while let Some(step) = state.todo.front() {
            match self.expand(&step.clone(), &mut state, now) {
                Some(steps) => replace_first(&mut state, steps),
                None => break,
            }
        }
        page.more = !state.todo.is_empty();
        if !page.more {
            state.compare = None;
            state.planned = None;
        }
        page.next = Cursor::encode(&state);
        Ok(page)
    }

    fn next_step(&self, state: &mut State, now: DateTime<Utc>) -> Option<Step> {
        loop {
            let step = state.todo.front()?.clone();
            match self.expand(&step, state, now) {
                Some(steps) => replace_first(state, steps),
                None => return state.todo.pop_front(),
            }
        }
    }

    async fn take_step(&self, state: &mut State, step: Step, now: DateTime<Utc>) -> Result<Page> {
        match step {
            Step::Catalogue => self.catalogue(state, now).await,
            Step::Projects => {
                let mut page = Page::default();
                self.projects(state, &mut page).await?;
                Ok(page)
            }
            Step::Events { project } => self.events(state, &project).await,
            Step::Tasks(tasks) => self.tasks(state, tasks, now).await,
            Step::Look(look) => self.look(state, look).await,
            Step::Subtasks(subtasks) => self.subtasks(state, subtasks).await,
            Step::Stories(stories) => self.stories(state, stories).await,
            Step::Window(window) => self.window(state, window, now).await,
            // `next_step` takes none of these; they became some of the others.
            Step::EachProject | Step::EachWindow => Ok(Page::default()),
        }
    }
}

fn replace_first(state: &mut State, steps: Vec<Step>) {
    state.todo.pop_front();
    // What an earlier plan still owes is not done twice: where a step fails for days, each new
    // plan would add another one like it.
    state.todo.retain(|step| !steps.contains(step));
    for step in steps.into_iter().rev() {
        state.todo.push_front(step);
    }
}
