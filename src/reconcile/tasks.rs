//! Time without a task, tasks without time, and time on tasks that were over.

use chrono::{DateTime, Utc};
use stundenbuch_connectors::record::{TaskState, Worked};

use super::WorkView;
use super::words::{About, listed, quoted};
use crate::billing::{Attribution, task_client};
use crate::config::{Client, Config};
use crate::finding::{Finding, Kind, Severity};
use crate::matching::Match;
use crate::time::{local_day, local_time};
use crate::work::TaskItem;

/// What does not fit between a work and its task. Clients without boards have no tasks to miss.
pub(super) fn task_of(
    about: &About<'_>,
    view: &WorkView<'_>,
    client: &Client,
    clients: &[Client],
) -> Option<Finding> {
    match view.matched {
        Match::Task { .. } => {
            let item = view.task?;
            foreign(about, item, client, clients)
                .or_else(|| over(about, item, view.task_archived_at))
        }
        Match::Ambiguous { keys } => {
            let keys: Vec<String> = keys.iter().map(ToString::to_string).collect();
            Some(ambiguous(about, &keys))
        }
        Match::Unknown { link } => Some(about.finding(
            Kind::EntryWithoutTask,
            Severity::Check,
            format!(
                "{} links to {link}, which no connection shows.",
                about.entry()
            ),
            format!(
                "Give the connection access to that board, or correct the link in {}.",
                about.source()
            ),
        )),
        Match::None if client.sources.boards.is_empty() => None,
        Match::None => Some(without_task(about, view.files)),
    }
}

fn without_task(about: &About<'_>, files: usize) -> Finding {
    let files = match files {
        0 => String::new(),
        1 => " One of the client's files changed meanwhile.".to_owned(),
        many => format!(" {many} of the client's files changed meanwhile."),
    };
    about.finding(
        Kind::EntryWithoutTask,
        Severity::Check,
        format!(
            "{} belongs to no task on the client's boards.{files}",
            about.entry()
        ),
        format!(
            "Run `stundenbuch match {} TASK`, or put the task's link into the entry in {}.",
            about.work.id,
            about.source()
        ),
    )
}

fn ambiguous(about: &About<'_>, keys: &[String]) -> Finding {
    let first = keys.first().map_or("TASK", String::as_str);
    about.finding(
        Kind::AmbiguousTask,
        Severity::Check,
        format!(
            "{} fits {} tasks: {}.",
            about.entry(),
            keys.len(),
            listed(keys)
        ),
        format!(
            "Choose one: `stundenbuch match {} {first}`, or put its link into the entry in {}.",
            about.work.id,
            about.source()
        ),
    )
}

/// The task lies on another client's board: one of the two is wrong, and with it the invoice.
fn foreign(
    about: &About<'_>,
    item: &TaskItem,
    client: &Client,
    clients: &[Client],
) -> Option<Finding> {
    let Attribution::Client(owner) = task_client(&item.task, clients) else {
        return None;
    };
    (owner != client.key).then(|| {
        about.finding(
            Kind::ContractClash,
            Severity::Act,
            format!(
                "{} is billed to client `{}`, and its task {} is on a board of client `{owner}`.",
                about.entry(),
                client.key,
                quoted(&item.task.title)
            ),
            format!(
                "Correct the entry's project or its link in {}.",
                about.source()
            ),
        )
    })
}

/// Only where it is certain that the task was over before the work began.
fn over(about: &About<'_>, item: &TaskItem, archived_at: Option<DateTime<Utc>>) -> Option<Finding> {
    let done_at = item
        .task
        .done_at
        .filter(|_| item.task.state == TaskState::Done);
    let before = |at: &DateTime<Utc>| match about.work.entry.worked {
        Worked::Running { start } | Worked::Span { start, .. } => *at < start,
        Worked::Day { date, .. } => local_day(*at, about.zone) < date,
    };
    let archived = archived_at.filter(before).map(|at| (at, "archived"));
    let done = done_at.filter(before).map(|at| (at, "done"));
    let (at, state) = done.into_iter().chain(archived).min()?;
    Some(about.finding(
        Kind::TimeOnArchivedTask,
        Severity::Check,
        format!(
            "{} was tracked on the task {}, which had been {state} since {}.",
            about.entry(),
            quoted(&item.task.title),
            local_time(at, about.zone).format("%Y-%m-%d %H:%M")
        ),
        format!(
            "Open the task again if the work went on, or correct the entry's task in {}.",
            about.source()
        ),
    ))
}

/// The client reads the description, or at least the title of the task.
pub(super) fn description(about: &About<'_>, view: &WorkView<'_>) -> Option<Finding> {
    let described = !view.work.entry.description.trim().is_empty();
    (!described && !matches!(view.matched, Match::Task { .. })).then(|| {
        about.finding(
            Kind::NoDescription,
            Severity::Check,
            format!(
                "{} says nothing about what was done.",
                about.entry().trim_end_matches(',')
            ),
            format!(
                "Describe it in {}: the client reads it in the report.",
                about.source()
            ),
        )
    })
}

/// The findings about one task: done for a client, and nobody tracked time on it.
///
/// Tasks that were done before the client's first contract began are old history and not told.
pub fn reconcile_task(
    item: &TaskItem,
    has_time: bool,
    client: &Attribution,
    config: &Config,
) -> Vec<Finding> {
    let Some(client) = client.client().and_then(|key| config.client(key)) else {
        return Vec::new();
    };
    let task = &item.task;
    if item.deleted || has_time || task.state != TaskState::Done {
        return Vec::new();
    }
    let first = client.contracts.iter().map(|contract| contract.from).min();
    let day = task.done_at.map(|at| local_day(at, client.time_zone));
    if first.is_none_or(|first| day.is_some_and(|day| day < first)) {
        return Vec::new();
    }
    let done = day.map_or_else(String::new, |day| format!(" on {day}"));
    let board = task
        .project
        .as_ref()
        .and_then(|board| board.name.as_deref());
    let board = board.map_or_else(String::new, |name| {
        format!(" on the board {}", quoted(name))
    });
    vec![Finding {
        kind: Kind::TaskDoneWithoutTime,
        severity: Severity::Check,
        subject: item.key.to_string(),
        other: None,
        client: Some(client.key.clone()),
        sentence: format!(
            "The task {}{board} was done{done}, and no time was tracked on it.",
            quoted(&task.title)
        ),
        action: format!(
            "Track the time that is missing, or tell which entry it was: \
             `stundenbuch match WORK {}`.",
            item.key
        ),
    }]
}
