//! `match`: work that waits for a task, and what a person teaches.

use std::collections::BTreeSet;

use chrono::TimeDelta;
use serde_json::json;

use super::out::{Align, Table, one_line};
use super::{App, args};
use crate::billing::attribute;
use crate::config::Config;
use crate::error_text::Advised;
use crate::ledger::{Alias, Event};
use crate::matching::{Aliases, Catalogue, Match, normal};
use crate::run::report::Exit;
use crate::run::review;
use crate::store::Store;
use crate::time::clock_text;
use crate::work::{RecordKey, Work, WorkId};

/// Work older than this is not listed.
const LISTED: TimeDelta = TimeDelta::days(100);

pub(super) fn run(app: &App, args: &args::Match) -> anyhow::Result<Exit> {
    let config = app.config()?;
    match (&args.work, &args.task) {
        (None, _) => list(app, &config),
        (Some(work), Some(task)) => teach(app, &config, work, Some(task)),
        (Some(work), None) if args.forget => teach(app, &config, work, None),
        (Some(work), None) => {
            let hint = format!(
                "write `stundenbuch match {work} TASK`, or `stundenbuch match {work} --forget`"
            );
            Err(Advised::new(format!("match {work}: to which task?"), hint).into())
        }
    }
}

fn list(app: &App, config: &Config) -> anyhow::Result<Exit> {
    let store = app.open_read_only(config)?;
    let mut table = Table::new(&[
        ("work", Align::Left),
        ("day", Align::Left),
        ("time", Align::Right),
        ("client", Align::Left),
        ("why", Align::Left),
        ("text", Align::Left),
    ]);
    let mut rows = Vec::new();
    for id in store.unmatched_since(app.clock.now() - LISTED)? {
        let Some(work) = store.work(id)?.filter(|work| !work.deleted) else {
            continue;
        };
        // Who has no boards has no tasks to wait for.
        let attributed = attribute(&work.entry, &config.clients);
        let boards = attributed.client().and_then(|key| config.client(key));
        if boards.is_some_and(|client| client.sources.boards.is_empty()) {
            continue;
        }
        let evidence = store
            .matched(id)?
            .map(|(_, evidence)| evidence)
            .unwrap_or_default();
        let client = attribute(&work.entry, &config.clients)
            .client()
            .map(str::to_owned);
        let zone = client
            .as_deref()
            .and_then(|key| config.client(key))
            .map_or(config.time_zone, |client| client.time_zone);
        let day = crate::billing::entry_day(&work.entry, zone);
        let seconds = work.entry.worked.seconds().unwrap_or(0);
        table.row(vec![
            id.to_string(),
            day.to_string(),
            clock_text(seconds),
            client.clone().unwrap_or_default(),
            evidence.clone(),
            one_line(&work.entry.description, 60),
        ]);
        rows.push(json!({
            "work": id.to_string(), "day": day, "seconds": seconds, "client": client,
            "why": evidence, "text": work.entry.description,
        }));
    }
    if app.out.json {
        app.out.value(&rows)?;
    } else if table.is_empty() {
        app.out.say("Every piece of work has its task.");
    } else {
        for line in table.lines() {
            app.out.line(&line)?;
        }
    }
    Ok(Exit::Fine)
}

fn teach(app: &App, config: &Config, work: &str, task: Option<&str>) -> anyhow::Result<Exit> {
    let (mut store, _lock) = app.open(config, "match")?;
    let work = find_work(&store, work)?;
    let task = task
        .map(|task| find_task(&store, config, &work, task))
        .transpose()?;
    let client = attribute(&work.entry, &config.clients)
        .client()
        .unwrap_or("")
        .to_owned();
    let text = normal(&work.entry.description);
    if text.is_empty() {
        let hint = "write a text in the time tracker; it is pulled with the next run";
        return Err(Advised::new(format!("teach from {}: it has no text", work.id), hint).into());
    }
    let now = app.clock.now();
    let event = Event::Alias(Alias {
        text: text.clone(),
        task: task.clone(),
    });
    store.write(|writer| writer.append(now, &client, &event))?;
    review::review_with(&mut store, config, now, &BTreeSet::from([work.id]))?;
    app.out.say(&match task {
        Some(task) => format!("From now on \"{text}\" is {task}."),
        None => format!("What was taught for \"{text}\" is forgotten."),
    });
    Ok(Exit::Fine)
}

/// The work of a name such as `w1042`.
pub(super) fn find_work(store: &Store, text: &str) -> anyhow::Result<Work> {
    let work = WorkId::parse(text)
        .map(|id| store.work(id))
        .transpose()?
        .flatten();
    work.ok_or_else(|| {
        let hint = "findings and `stundenbuch match` name works: w1042";
        Advised::new(format!("find the work `{text}`: there is none"), hint).into()
    })
}

/// A task by its key, or by whatever would link to it from a text.
fn find_task(store: &Store, config: &Config, work: &Work, text: &str) -> anyhow::Result<RecordKey> {
    if let Ok(key) = store.parse_key(text)
        && store.task(&key)?.is_some()
    {
        return Ok(key);
    }
    let catalogue = Catalogue::new(store.tasks()?, &config.clients);
    let mut entry = work.entry.clone();
    text.clone_into(&mut entry.description);
    entry.task = None;
    entry.tags.clear();
    let client = attribute(&work.entry, &config.clients);
    match catalogue.find(&entry, client.client(), &Aliases::default()) {
        Match::Task { key, .. } => Ok(key),
        Match::Ambiguous { keys } => {
            let keys: Vec<_> = keys.iter().map(ToString::to_string).collect();
            let hint = format!("name one of them: {}", keys.join(", "));
            Err(Advised::new(format!("find the task `{text}`: there are several"), hint).into())
        }
        Match::Unknown { .. } | Match::None => {
            let hint = "give its address, its short id, its exact title or its record key";
            Err(Advised::new(format!("find the task `{text}`: there is none"), hint).into())
        }
    }
}
