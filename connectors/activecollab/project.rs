//! Reads one project: its tasks, its time, its expenses.
//!
//! ActiveCollab lists nothing by when it changed. So open tasks and the time of the last weeks are
//! listed every night, and everything is once in `full_every_days` days and when it is compared.

use std::collections::{BTreeMap, BTreeSet};

use chrono::{Months, NaiveDate, TimeDelta};
use serde_json::value::RawValue;

use super::ActiveCollab;
use super::api::Wanted;
use super::catalogue::{Catalogue, names, object, related_tasks};
use super::envelope::{self, KeptTask, KeptTracked, Place};
use super::normalise::day;
use super::pull::{client, nameless_rows};
use super::shape::{self, identifier};
use super::state::{Due, Found, Mark, State};
use super::wire::{Bin, Task, Tracked};
use crate::contract::{Notice, Page, Raw};
use crate::error::{Error, Kind, Result};
use crate::record::Stream;

/// Time is read again every night from so many days back, and so many ahead: people enter leave
/// before they take it.
const BACK: TimeDelta = TimeDelta::days(62);
const AHEAD: TimeDelta = TimeDelta::days(31);

/// Up to so many tasks are asked for one by one; for more, the list of completed tasks is read.
const ONE_BY_ONE: usize = 10;

/// So many titles are asked for at most in one night.
const TITLES_MAX: usize = 50;

/// One project while it is read.
struct Reading<'a> {
    it: &'a ActiveCollab,
    due: &'a Due,
    names: &'a Catalogue,
    place: Place,
    unpaged: &'a mut BTreeSet<String>,
    /// The tasks on which something was tracked.
    named: BTreeSet<i64>,
    found: Vec<Found>,
    notices: Vec<Notice>,
    raw: Vec<Raw>,
}

/// Reads a project into a page, and notes in the state how far. One that cannot be read is told,
/// and the others need not wait for it.
pub(super) async fn read(
    it: &ActiveCollab,
    due: &Due,
    names: &Catalogue,
    state: &mut State,
    found: &mut Vec<Found>,
    page: &mut Page,
) -> Result<()> {
    let mut mark = state.projects.get(&due.id).cloned().unwrap_or_default();
    let mut reading = Reading {
        it,
        due,
        names,
        place: Place {
            id: due.id,
            name: due.name.clone(),
            client: client(due.company, names),
            archived: due.archived,
        },
        unpaged: &mut state.unpaged,
        named: BTreeSet::new(),
        found: Vec::new(),
        notices: Vec::new(),
        raw: Vec::new(),
    };
    match reading.everything(&mut mark).await {
        Ok(()) => {}
        Err(error) if matches!(error.kind(), Kind::Forbidden | Kind::NotFound) => {
            page.notices.push(not_readable(due, &error));
            return Ok(());
        }
        Err(error) => return Err(error),
    }
    page.raw.append(&mut reading.raw);
    page.notices.append(&mut reading.notices);
    found.append(&mut reading.found);
    mark.name.clone_from(&due.name);
    mark.archived = due.archived;
    if due.full {
        mark.full_at = it.clock.now();
    }
    state.projects.insert(due.id, mark);
    Ok(())
}

impl Reading<'_> {
    async fn everything(&mut self, mark: &mut Mark) -> Result<()> {
        self.tasks(mark).await?;
        self.time(mark).await?;
        if self.it.expenses {
            self.expenses(mark).await?;
        }
        // The cursor is no store of titles.
        mark.titles.retain(|id, _| self.named.contains(id));
        Ok(())
    }

    async fn tasks(&mut self, mark: &mut Mark) -> Result<()> {
        let wanted = Wanted::new(self.path("tasks"), "tasks", "tasks");
        let listed = self.it.api.list(&wanted, self.unpaged).await?;
        let completed = listed.ids("completed_task_ids");
        let lists = listed.beside.get("task_lists");
        let lists = lists.and_then(|it| serde_json::from_str::<Vec<_>>(it.get()).ok());
        let lists = names(&lists.unwrap_or_default());
        let mut rows = self.sorted(listed.rows, "tasks")?;
        let open: BTreeSet<i64> = rows.kept.keys().copied().collect();
        let mut whole = completed.is_some();
        let new = match &completed {
            Some(completed) if !self.due.full => became_done(completed, mark),
            _ => BTreeSet::new(),
        };
        if self.due.full || !whole || new.len() > ONE_BY_ONE {
            if let Some(done) = self.archive().await? {
                whole = true;
                rows.nameless += done.nameless;
                rows.kept.extend(done.kept);
            }
        } else {
            for id in new {
                rows.kept.extend(self.task(id).await?.map(|row| (id, row)));
            }
        }
        let mut ids: BTreeSet<i64> = rows.kept.keys().copied().collect();
        ids.extend(completed.iter().flatten());
        for (id, row) in &rows.kept {
            self.raw.push(self.kept_task(*id, row, &lists));
        }
        let known = rows.kept.values().filter_map(|row| object::<Task>(row));
        mark.titles
            .extend(known.filter_map(|task| Some((task.id, task.name?))));
        mark.newest = ids.last().copied().unwrap_or(0).max(mark.newest);
        mark.open = open;
        let whole = whole && rows.nameless == 0;
        mark.had.tasks = self.listed(Stream::Tasks, None, ids, whole, mark.had.tasks);
        Ok(())
    }

    /// The completed tasks; `None` where this ActiveCollab has no list of them.
    async fn archive(&mut self) -> Result<Option<Rows>> {
        let wanted = Wanted::new(self.path("tasks/archive"), "tasks", "tasks-archive");
        match self.it.api.list(&wanted, self.unpaged).await {
            Ok(listed) => Ok(Some(self.sorted(listed.rows, "completed tasks")?)),
            Err(error) if error.kind() == Kind::NotFound => {
                self.notices.push(Notice {
                    code: "activecollab-no-task-archive",
                    text: "this ActiveCollab lists no completed tasks; they are read as they are \
                           completed, and older ones have no title here"
                        .to_owned(),
                });
                Ok(None)
            }
            Err(error) => Err(error),
        }
    }

    /// One task at its own address; `None` where it is not there, or in the trash.
    async fn task(&self, id: i64) -> Result<Option<Box<RawValue>>> {
        let reply = match self.it.api.get(&self.path(&format!("tasks/{id}"))).await {
            Ok(reply) => reply,
            Err(error) if matches!(error.kind(), Kind::Forbidden | Kind::NotFound) => {
                return Ok(None);
            }
            Err(error) => return Err(error),
        };
        let row = shape::single(&reply)?;
        let there = identifier(&row) == Some(id) && !is_trashed(&row);
        Ok(there.then_some(row))
    }

    async fn time(&mut self, mark: &mut Mark) -> Result<()> {
        let today = self.it.clock.now().date_naive();
        let beginning = self.it.history_from;
        let days = match beginning {
            Some(from) if self.due.full => Some((from, today + Months::new(12))),
            None if self.due.full => None,
            _ => Some((
                beginning.map_or(today - BACK, |from| from.max(today - BACK)),
                today + AHEAD,
            )),
        };
        let mut wanted = Wanted::new(self.path("time-records"), "time_records", "time");
        if days.is_some() {
            wanted.path.push_str("/filtered-by-date");
            wanted.kind = "time-by-date";
            wanted.days = days;
        }
        let listed = self.it.api.list(&wanted, self.unpaged).await?;
        let related = related_tasks(listed.beside.get("related").map(|it| &**it));
        mark.titles.extend(related);
        let rows = self.sorted(listed.rows, "time records")?;
        self.know_titles(&rows, mark).await?;
        let (mut invoiced, mut last_day) = (0, None);
        for (id, row) in &rows.kept {
            let read: Option<Tracked> = object(row);
            let status = read.as_ref().and_then(|it| it.billable_status);
            invoiced += usize::from(matches!(status, Some(2 | 3)));
            last_day = last_day.max(
                read.as_ref()
                    .and_then(|it| day(it.record_date.as_ref()).ok()),
            );
            let raw = self.kept_tracked(Stream::Time, *id, row, read.as_ref(), &mark.titles);
            self.raw.push(raw);
        }
        self.tell_invoiced(invoiced);
        let ids: BTreeSet<i64> = rows.kept.into_keys().collect();
        let expected = match days {
            Some((from, _)) if !self.due.full => mark.last_day.is_some_and(|day| day >= from),
            _ => mark.had.time > 0,
        };
        let had = mark.had.time.max(1) * usize::from(expected);
        let count = self.listed(Stream::Time, days, ids, rows.nameless == 0, had);
        if self.due.full {
            mark.had.time = count;
        }
        mark.last_day = last_day.or(mark.last_day);
        Ok(())
    }

    async fn expenses(&mut self, mark: &mut Mark) -> Result<()> {
        let wanted = Wanted::new(self.path("expenses"), "expenses", "expenses");
        let listed = match self.it.api.list(&wanted, self.unpaged).await {
            Ok(listed) => listed,
            Err(error) if matches!(error.kind(), Kind::Forbidden | Kind::NotFound) => {
                self.notices.push(no_expenses(self.due, &error));
                return Ok(());
            }
            Err(error) => return Err(error),
        };
        let rows = self.sorted(listed.rows, "expenses")?;
        self.know_titles(&rows, mark).await?;
        for (id, row) in &rows.kept {
            let read: Option<Tracked> = object(row);
            let titles = &mark.titles;
            let raw = self.kept_tracked(Stream::Expenses, *id, row, read.as_ref(), titles);
            self.raw.push(raw);
        }
        let ids = rows.kept.into_keys().collect();
        let whole = rows.nameless == 0;
        mark.had.expenses = self.listed(Stream::Expenses, None, ids, whole, mark.had.expenses);
        Ok(())
    }

    /// Asks for the names of tasks that no list gave: time may be on a task that was completed
    /// long ago. A name that is not to be had is asked for once.
    async fn know_titles(&mut self, rows: &Rows, mark: &mut Mark) -> Result<()> {
        let records = rows.kept.values().filter_map(|row| object::<Tracked>(row));
        let named: BTreeSet<i64> = records.filter_map(|record| record.task()).collect();
        self.named.extend(&named);
        let strange = named.into_iter().filter(|id| !mark.titles.contains_key(id));
        for id in strange.take(TITLES_MAX).collect::<Vec<_>>() {
            let row = self.task(id).await?;
            let name = row.and_then(|row| object::<Task>(&row)?.name);
            mark.titles.insert(id, name.unwrap_or_default());
        }
        Ok(())
    }

    /// Sorts rows by their identifiers, without those in the trash.
    fn sorted(&mut self, rows: Vec<Box<RawValue>>, what: &str) -> Result<Rows> {
        let (count, mut sorted) = (rows.len(), Rows::default());
        for row in rows {
            match identifier(&row) {
                Some(_) if is_trashed(&row) => {}
                Some(id) => drop(sorted.kept.insert(id, row)),
                None => sorted.nameless += 1,
            }
        }
        if count > 0 && sorted.nameless == count {
            return Err(Error::new(
                Kind::Protocol,
                "none of the rows of ActiveCollab's answer has an identifier",
            )
            .with("list", what)
            .with("project", self.due.id));
        }
        self.notices.extend(nameless_rows(what, sorted.nameless));
        Ok(sorted)
    }

    /// Notes a list for the sweep, where it is one to believe. Returns how many there are.
    fn listed(
        &mut self,
        stream: Stream,
        days: Option<(NaiveDate, NaiveDate)>,
        ids: BTreeSet<i64>,
        whole: bool,
        had: usize,
    ) -> usize {
        let count = ids.len();
        if count == 0 && had > 0 {
            self.notices.push(Notice {
                code: "activecollab-suddenly-empty",
                text: format!(
                    "the ActiveCollab project {} lists no {stream}, and had some; none is taken \
                     for deleted",
                    self.due.name
                ),
            });
        } else if whole {
            self.found.push(Found {
                project: self.due.id,
                stream,
                days,
                ids,
            });
        }
        count.max(had * usize::from(count == 0))
    }

    fn tell_invoiced(&mut self, count: usize) {
        if count > 0 {
            self.notices.push(Notice {
                code: "activecollab-invoiced",
                text: format!(
                    "{count} time records of the ActiveCollab project {} are on invoices there; \
                     they are billable here as well, so bill them in one of the two only",
                    self.due.name
                ),
            });
        }
    }

    fn kept_task(&self, id: i64, row: &RawValue, lists: &BTreeMap<i64, String>) -> Raw {
        let read: Option<Task> = object(row);
        let read = read.as_ref();
        let body = KeptTask {
            project: self.place.clone(),
            task: row.to_owned(),
            assignee: read.and_then(|it| self.names.person(it.assignee_id?)),
            list: read.and_then(|it| lists.get(&it.list_id?).cloned()),
            url: format!("{}/projects/{}/tasks/{id}", self.it.site, self.due.id),
        };
        envelope::in_project(Stream::Tasks, id, self.due.id, &body)
    }

    fn kept_tracked(
        &self,
        stream: Stream,
        id: i64,
        row: &RawValue,
        read: Option<&Tracked>,
        titles: &BTreeMap<i64, String>,
    ) -> Raw {
        let money = stream == Stream::Expenses;
        let sort = read.and_then(|it| {
            if money {
                self.names.category(it.category_id?)
            } else {
                self.names.job(it.job_type_id?)
            }
        });
        let title = read.and_then(|it| titles.get(&it.task()?));
        let body = KeptTracked {
            project: self.place.clone(),
            record: row.to_owned(),
            person: read.and_then(|it| self.names.person(it.user_id?)),
            task: title.filter(|title| !title.is_empty()).cloned(),
            sort,
            currency: money.then(|| self.it.currency.clone()),
        };
        envelope::in_project(stream, id, self.due.id, &body)
    }

    fn path(&self, below: &str) -> String {
        format!("/projects/{}/{below}", self.due.id)
    }
}

/// The rows of a list by their identifiers, and how many have none.
#[derive(Default)]
struct Rows {
    kept: BTreeMap<i64, Box<RawValue>>,
    nameless: usize,
}

/// The completed tasks that were open when they were last seen, or are new.
fn became_done(completed: &BTreeSet<i64>, mark: &Mark) -> BTreeSet<i64> {
    let news = |id: &&i64| mark.open.contains(id) || **id > mark.newest;
    completed.iter().filter(news).copied().collect()
}

/// Whether a row says that it lies in the trash; lists hide such rows, and may not always.
fn is_trashed(row: &RawValue) -> bool {
    object::<Bin>(row).is_some_and(|it| it.is_trashed == Some(true))
}

fn not_readable(due: &Due, error: &Error) -> Notice {
    Notice {
        code: "activecollab-project-not-readable",
        text: format!(
            "the ActiveCollab project {} cannot be read: {error}",
            due.name
        ),
    }
}

fn no_expenses(due: &Due, error: &Error) -> Notice {
    Notice {
        code: "activecollab-no-expenses",
        text: format!(
            "the expenses of the ActiveCollab project {} cannot be read: {error}",
            due.name
        ),
    }
}
