//! Tasks: the lists of projects, the subtasks below them, and single ones that a list lacks.

use std::collections::{BTreeMap, BTreeSet};

use chrono::{DateTime, NaiveTime, SecondsFormat, TimeDelta, Utc};
use serde_json::value::RawValue;

use super::api::{Listing, TASK, path};
use super::catalogue::{is_refusal, left_out};
use super::pull::AT_ONCE;
use super::state::{Followed, Look, State, Step, Stories, Subtasks, Tasks};
use super::wire::Head;
use super::{Asana, envelope, plan};
use crate::contract::{Gone, Notice, Page, Raw, Sweep};
use crate::error::{Error, Kind, Result};
use crate::record::{ExternalId, Stream};

/// Asked again on top of the mark: what was written while the list was made may be later in the
/// list than its own instant says.
const OVERLAP: TimeDelta = TimeDelta::minutes(5);

/// More tasks than these are not asked for one by one: so many at once are no daily work, and
/// the core holds their absence for a person.
const MISSING_MAX: usize = 50;

impl Asana {
    /// Reads the list of a project's tasks: all, or those that were modified.
    pub(super) async fn tasks(
        &self,
        state: &mut State,
        step: Tasks,
        now: DateTime<Utc>,
    ) -> Result<Page> {
        let Some(before) = state.projects.get(&step.project).cloned() else {
            return Ok(Page::default());
        };
        let mut filter = vec![("project", step.project.clone())];
        // Without a mark everything is new.
        let whole = step.whole || before.since.is_none();
        if let Some(since) = before.since.filter(|_| !whole) {
            let since = since.to_rfc3339_opts(SecondsFormat::Millis, true);
            filter.push(("modified_since", since));
        }
        let listing = match self.api.list("/tasks", TASK, &filter).await {
            Ok(listing) => listing,
            Err(error) if is_refusal(&error) => return Ok(not_readable(&before, &error)),
            Err(error) => return Err(error),
        };
        let mut page = Page::default();
        page.notices.extend(left_out(&listing, "tasks"));
        let rows = listing.rows.iter();
        page.raw
            .extend(rows.map(|(head, row)| envelope::task(state, &step.project, head, row)));
        let threshold = self.threshold(state, &before, now);
        let again = state.compare.is_some();
        let changed = changed(&before, &step.hints, threshold, again, &listing);
        let mut steps = fan_out(&step, &before, &changed, &listing, self.reads(&before, now));
        let look = look(&step, &before, &listing, whole);
        follow_up(look, &mut steps, &mut page);
        for step in steps.into_iter().rev() {
            state.todo.push_front(step);
        }
        if let Some(followed) = state.projects.get_mut(&step.project) {
            mark(followed, &listing, whole, now);
            if step.deep {
                followed.deep_at = Some(now);
            }
        }
        Ok(page)
    }

    /// Stories are read of tasks that were modified since this instant.
    fn threshold(&self, state: &State, before: &Followed, now: DateTime<Utc>) -> DateTime<Utc> {
        let first = plan::history_from(self.wishes.history_from, now);
        let mark = before
            .since
            .unwrap_or(first.and_time(NaiveTime::MIN).and_utc());
        // An edited comment does not count as modifying its task.
        state.compare.map_or(mark, |span| span.from.min(mark))
    }

    /// Stories of subtasks are read from here on: their parents do not tell of changes, so it is
    /// the last reading in depth that counts.
    fn reads(&self, before: &Followed, now: DateTime<Utc>) -> DateTime<Utc> {
        let first = plan::history_from(self.wishes.history_from, now);
        let first = first.and_time(NaiveTime::MIN).and_utc();
        before.deep_at.map_or(first, |at| at - OVERLAP)
    }

    /// Asks for tasks one by one. One that answers says itself where it lies now; one that does
    /// not is missing from the list that is handed on as complete.
    pub(super) async fn look(&self, state: &mut State, mut step: Look) -> Result<Page> {
        let mut page = Page::default();
        let rest = step.tasks.split_off(step.tasks.len().min(AT_ONCE));
        let mut found = Vec::new();
        for gid in std::mem::replace(&mut step.tasks, rest) {
            match self.api.one(&path("tasks", &gid, ""), TASK).await {
                Ok((head, row)) if head.gid == gid => {
                    page.raw
                        .push(envelope::moved(state, &step.project, &head, &row));
                    if head.projects.contains(&step.project) {
                        step.listed.iter_mut().for_each(|it| it.push(gid.clone()));
                    }
                    if step.hints.contains(&gid) {
                        found.push(gid);
                    }
                }
                // Another task under this address is no answer; the next list asks again.
                Ok(_) => step.listed.iter_mut().for_each(|it| it.push(gid.clone())),
                Err(error) if error.kind() == Kind::NotFound => {
                    if step.deleted.contains(&gid) {
                        page.gone.push(gone(&gid, &error));
                    }
                }
                Err(error) if is_refusal(&error) => {
                    // It is there, and not for us: nothing of it is deleted.
                    step.listed.iter_mut().for_each(|it| it.push(gid.clone()));
                    if let Some(followed) = state.projects.get_mut(&step.project) {
                        followed.hidden.insert(gid.clone());
                    }
                    page.notices.push(Notice {
                        code: "asana-task-hidden",
                        text: format!("Asana no longer shows the task {gid}: {error}"),
                    });
                }
                Err(error) => return Err(error),
            }
        }
        if !step.tasks.is_empty() {
            state.todo.push_front(Step::Look(step));
        } else if let Some(listed) = step.listed.take() {
            page.swept.push(sweep(&step.project, listed));
        }
        if !found.is_empty() {
            let stories = Stories {
                tasks: found,
                sweep: true,
            };
            state.todo.push_back(Step::Stories(stories));
        }
        Ok(page)
    }

    /// Reads what lies below some tasks.
    pub(super) async fn subtasks(&self, state: &mut State, mut step: Subtasks) -> Result<Page> {
        let mut page = Page::default();
        let rest = step.parents.split_off(step.parents.len().min(AT_ONCE));
        let mut modified = Vec::new();
        for parent in std::mem::replace(&mut step.parents, rest) {
            let path = path("tasks", &parent, "/subtasks");
            let listing = match self.api.list(&path, TASK, &[]).await {
                Ok(listing) => listing,
                // Deleted, it has none. Each is asked for before it counts as gone, too.
                Err(error) if error.kind() == Kind::NotFound => Listing::default(),
                Err(error) if is_refusal(&error) => continue,
                Err(error) => return Err(error),
            };
            page.notices.extend(left_out(&listing, "subtasks"));
            for (head, row) in &listing.rows {
                page.raw
                    .push(subtask(state, &step.project, &parent, head, row));
                if head.modified_at.is_none_or(|at| at >= step.since) {
                    modified.push(head.gid.clone());
                }
            }
            step.done.insert(parent.clone());
            step.parents.extend(below(state, &step, &parent, &listing));
            if listing.unreadable == 0 {
                let listed = listing.gids().map(str::to_owned).collect();
                page.swept
                    .push(sweep(&format!("{}/{parent}", step.project), listed));
            }
        }
        if !modified.is_empty() {
            state.todo.push_back(Step::Stories(Stories {
                tasks: modified,
                sweep: true,
            }));
        }
        if !step.parents.is_empty() {
            state.todo.push_front(Step::Subtasks(step));
        }
        Ok(page)
    }
}

/// The subtasks that have, or had, subtasks themselves, and were not asked for them yet. Notes
/// on the way who has some.
fn below(state: &mut State, step: &Subtasks, parent: &str, listing: &Listing) -> Vec<String> {
    let Some(followed) = state.projects.get_mut(&step.project) else {
        return Vec::new();
    };
    if listing.rows.is_empty() && listing.unreadable == 0 {
        followed.parents.remove(parent);
    } else {
        followed.parents.insert(parent.to_owned());
    }
    let deeper = listing.rows.iter().filter(|(head, _)| {
        let asked = step.done.contains(&head.gid) || step.parents.contains(&head.gid);
        !asked && (head.subtasks > 0 || followed.parents.contains(&head.gid))
    });
    deeper.map(|(head, _)| head.gid.clone()).collect()
}

/// Missing tasks are asked for first; where none is missing, the list is proof at once.
fn follow_up(look: Look, steps: &mut Vec<Step>, page: &mut Page) {
    if look.tasks.is_empty() {
        let project = &look.project;
        page.swept
            .extend(look.listed.map(|listed| sweep(project, listed)));
    } else {
        steps.insert(0, Step::Look(look));
    }
}

/// A subtask belongs to the task that lists it, also where that is not said of it.
fn subtask(state: &State, project: &str, parent: &str, head: &Head, row: &RawValue) -> Raw {
    let mut head = head.clone();
    head.parent.get_or_insert_with(|| parent.to_owned());
    envelope::task(state, project, &head, row)
}

/// The tasks of a list whose stories are to be read: modified since, or pointed at by events.
fn changed(
    before: &Followed,
    hints: &BTreeSet<String>,
    threshold: DateTime<Utc>,
    again: bool,
    listing: &Listing,
) -> Vec<String> {
    let changed = listing.rows.iter().filter(|(head, _)| {
        let at = head.modified_at;
        let seen = !again && at.is_some() && before.recent.get(&head.gid).copied() == at;
        hints.contains(&head.gid) || (at.is_none_or(|at| at >= threshold) && !seen)
    });
    changed.map(|(head, _)| head.gid.clone()).collect()
}

/// What is to be read besides the tasks themselves.
fn fan_out(
    step: &Tasks,
    before: &Followed,
    changed: &[String],
    listing: &Listing,
    since: DateTime<Utc>,
) -> Vec<Step> {
    let changed_too: BTreeSet<&str> = changed.iter().map(String::as_str).collect();
    let mut parents: Vec<String> = Vec::new();
    for (head, _) in &listing.rows {
        let has_some = head.subtasks > 0;
        // One that had some and has none must be asked, too: what it had may be gone.
        let had_some = before.parents.contains(&head.gid);
        let due = step.deep || has_some != had_some || changed_too.contains(head.gid.as_str());
        if (has_some || had_some) && due {
            parents.push(head.gid.clone());
        }
    }
    if step.deep {
        // Parents that are gone, or are subtasks themselves.
        let listed: BTreeSet<&str> = listing.gids().collect();
        let others = before.parents.iter();
        parents.extend(others.filter(|gid| !listed.contains(gid.as_str())).cloned());
    }
    let mut steps = Vec::new();
    if !parents.is_empty() {
        steps.push(Step::Subtasks(Subtasks {
            project: step.project.clone(),
            parents,
            since,
            done: BTreeSet::new(),
        }));
    }
    if !changed.is_empty() {
        steps.push(Step::Stories(Stories {
            tasks: changed.to_vec(),
            sweep: before.since.is_some(),
        }));
    }
    steps
}

/// The tasks to ask for one by one: those that a complete list lacks, and those that events
/// point at and that are not in it.
fn look(step: &Tasks, before: &Followed, listing: &Listing, whole: bool) -> Look {
    let listed: BTreeSet<&str> = listing.gids().collect();
    let proof = whole && listing.unreadable == 0;
    let mut missing: BTreeSet<String> = step.hints.clone();
    if proof {
        missing.extend(before.tasks.iter().cloned());
    }
    missing.retain(|gid| !listed.contains(gid.as_str()));
    let too_many = missing.len() > MISSING_MAX + step.hints.len();
    let asked = if too_many { &step.hints } else { &missing };
    let asked = asked.iter().filter(|gid| !listed.contains(gid.as_str()));
    let hidden = before.hidden.iter().map(String::as_str);
    let present = listed.iter().copied().chain(hidden);
    Look {
        project: step.project.clone(),
        tasks: asked.cloned().collect(),
        hints: step.hints.clone(),
        deleted: step.deleted.clone(),
        listed: proof.then(|| present.map(str::to_owned).collect()),
    }
}

/// Moves the marks of a project behind a list that was read.
fn mark(followed: &mut Followed, listing: &Listing, whole: bool, now: DateTime<Utc>) {
    let latest = listing
        .rows
        .iter()
        .filter_map(|(head, _)| head.modified_at)
        .max();
    // Asana's own clock; never ahead of ours, or what comes until then would not be asked for.
    let answered = listing.answered.or(latest).map(|at| at.min(now));
    if let Some(answered) = answered {
        followed.since = Some(answered - OVERLAP);
    } else if whole {
        // An empty project, and no clock to go by: it is listed whole again.
        followed.since = None;
    }
    let since = followed.since;
    let recent = listing.rows.iter().filter_map(|(head, _)| {
        let at = head
            .modified_at
            .filter(|at| since.is_some_and(|since| *at >= since))?;
        Some((head.gid.clone(), at))
    });
    let recent: BTreeMap<String, DateTime<Utc>> = recent.collect();
    followed
        .recent
        .retain(|_, at| since.is_some_and(|since| *at >= since));
    followed.recent.extend(recent);
    if whole && listing.unreadable == 0 {
        followed.tasks.clear();
    }
    followed.tasks.extend(listing.gids().map(str::to_owned));
    for gid in listing.gids() {
        followed.hidden.remove(gid);
    }
}

/// A complete list of a scope.
pub(super) fn sweep(scope: &str, listed: Vec<String>) -> Sweep {
    Sweep {
        stream: Stream::Tasks,
        scope: scope.to_owned(),
        from: None,
        until: None,
        present: listed.into_iter().map(ExternalId::new).collect(),
    }
}

fn gone(gid: &str, error: &Error) -> Gone {
    Gone {
        stream: Stream::Tasks,
        id: ExternalId::new(gid),
        proof: format!("an event `deleted`, and GET /tasks/{gid} was answered: {error}"),
    }
}

fn not_readable(project: &Followed, error: &Error) -> Page {
    Page {
        notices: vec![Notice {
            code: "asana-project-not-readable",
            text: format!(
                "the Asana project {} cannot be read: {error}; what was read of it stays as it is",
                project.name
            ),
        }],
        ..Page::default()
    }
}
