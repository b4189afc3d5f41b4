//! What does not add up: one work or task at a time, beside what it should fit to. Pure; the
//! instant of the run is handed in.
//!
//! Each cause is told once, by the most telling finding: a work without a client is not told to
//! be without a task, too.

mod duration;
mod pairs;
mod tasks;
mod terms;
pub(crate) mod words;

use chrono::{DateTime, Utc};
use stundenbuch_connectors::record::Worked;

use crate::billing::{Attribution, ContractAt};
use crate::config::Config;
use crate::finding::Finding;
use crate::matching::Match;
use crate::work::{TaskItem, Work};

pub use tasks::reconcile_task;
use words::About;

/// One piece of work, with everything that it is compared with.
#[derive(Clone, Debug)]
pub struct WorkView<'a> {
    pub work: &'a Work,
    pub client: &'a Attribution,
    pub matched: &'a Match,
    /// The task of a single match, where the catalogue has it.
    pub task: Option<&'a TaskItem>,
    /// When the task was put away: the activity's instant, else when it was first seen so. None
    /// when it is not, or when nobody knows; then nothing is said about it.
    pub task_archived_at: Option<DateTime<Utc>>,
    /// Other works near in time, of whatever source. Each pair is told by its later member, so
    /// both should be looked at when one changes.
    pub neighbours: &'a [Work],
    pub contract: ContractAt<'a>,
    /// The instant of the run.
    pub now: DateTime<Utc>,
    /// How many of the client's files changed during the work.
    pub files: usize,
}

/// The findings about one piece of work, in a fixed order. A deleted work has none.
pub fn reconcile_work(view: &WorkView<'_>, config: &Config) -> Vec<Finding> {
    if view.work.deleted {
        return Vec::new();
    }
    let client = view.client.client().and_then(|key| config.client(key));
    let about = About {
        work: view.work,
        people: &config.people,
        zone: client.map_or(config.time_zone, |client| client.time_zone),
        client: client.map(|client| client.key.as_str()),
    };
    let mut findings = Vec::new();
    if let Worked::Running { start } = view.work.entry.worked {
        // The person is still at it: whatever is missing may come.
        findings.extend(duration::timer(&about, start, view.now, &config.checks));
        return findings;
    }
    findings.extend(duration::length(&about, &config.checks));
    findings.extend(terms::belonging(&about, view, client));
    if let Some(client) = client {
        findings.extend(tasks::task_of(&about, view, client, &config.clients));
    }
    findings.extend(tasks::description(&about, view));
    findings.extend(pairs::pairs(&about, view.neighbours, &config.checks));
    findings
}

#[cfg(test)]
#[path = "work_tests.rs"]
mod tests;
