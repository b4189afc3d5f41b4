//! What a connection remembers between pages: the content of its cursor.
//!
//! A pull is a queue of steps, one page each, and the queue lies in the cursor. Stopped between
//! any two pages, the next pull takes the next step; nothing is held anywhere else.

use std::collections::{BTreeMap, BTreeSet, VecDeque};

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

use super::catalogue::Catalogue;

/// Where a connection stands.
#[derive(Clone, Debug, Default, Deserialize, Serialize)]
#[serde(default)]
pub(super) struct State {
    /// `None` before the first answer.
    pub(super) catalogue: Option<Catalogue>,
    /// The latest `at` that the change feed showed; at first, when the service answered the
    /// bootstrap. Never our clock: an entry that was written while ours was ahead would be
    /// skipped for good.
    pub(super) watermark: Option<DateTime<Utc>>,
    /// When the feed was last read to its end, by the service's own clock.
    pub(super) asked: Option<DateTime<Utc>>,
    /// The earliest start that was ever read or looked for; nothing before it can be missing.
    pub(super) earliest: Option<DateTime<Utc>>,
    /// The timers that ran when they were last seen, with their start. Reports do not show
    /// them, so their absence there means nothing.
    pub(super) running: BTreeMap<i64, DateTime<Utc>>,
    /// For each workspace, the latest `at` in the reports on the whole team.
    pub(super) team: BTreeMap<i64, DateTime<Utc>>,
    /// Workspaces whose reports were refused since the last bootstrap.
    pub(super) denied: BTreeSet<i64>,
    /// The rows of a report to ask for; `None` until a server refuses the usual number.
    pub(super) page_size: Option<u32>,
    /// The steps left in this pull. Empty between pulls.
    pub(super) todo: VecDeque<Step>,
    /// How far back this pull compares; `None` when it only looks for changes.
    pub(super) compare: Option<DateTime<Utc>>,
    /// The catalogue is from this pull, so a name that it lacks is not to be had.
    pub(super) fresh: bool,
}

/// A part of a pull.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, Serialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum Step {
    /// People, projects, clients, tags, workspaces, in one request.
    Bootstrap,
    /// Becomes reports month by month, from as far back as the settings say.
    History {
        until: Option<DateTime<Utc>>,
    },
    /// Becomes reports month by month that are compared with the ledger.
    Compare {
        from: DateTime<Utc>,
        until: Option<DateTime<Utc>>,
    },
    /// Becomes one look at what others changed, for each workspace.
    Team,
    Report(Report),
    Changed(Changed),
    Track(Track),
    /// The change feed of the token's owner.
    Since,
}

/// One workspace's report over a span of starts, or the rest of it.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, Serialize)]
pub(super) struct Report {
    pub(super) workspace: i64,
    pub(super) from: DateTime<Utc>,
    pub(super) until: DateTime<Utc>,
    /// Whether what the report does not name is to be called absent.
    pub(super) sweep: bool,
    #[serde(default)]
    pub(super) next: Option<Next>,
    /// What was read so far, for the sweep: our own entries, and other people's.
    #[serde(default)]
    pub(super) own: Vec<i64>,
    #[serde(default)]
    pub(super) others: Vec<i64>,
    #[serde(default)]
    pub(super) pages: u32,
}

/// One workspace's entries of other people, the last changed first, or the rest of them.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, Serialize)]
pub(super) struct Changed {
    pub(super) workspace: i64,
    #[serde(default)]
    pub(super) next: Option<Next>,
    #[serde(default)]
    pub(super) newest: Option<DateTime<Utc>>,
    #[serde(default)]
    pub(super) pages: u32,
}

/// Own entries by their start, from Track.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, Serialize)]
pub(super) struct Track {
    pub(super) from: DateTime<Utc>,
    pub(super) until: DateTime<Utc>,
    pub(super) sweep: bool,
    /// Only entries of these are meant; the listing itself is over all of them.
    pub(super) workspaces: BTreeSet<i64>,
}

/// Where a report goes on, as its answer's headers say.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, Serialize)]
pub(super) struct Next {
    pub(super) row: i64,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) id: Option<i64>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) timestamp: Option<i64>,
}

impl State {
    /// Notes the start of an entry that was read. One from before there was a Toggl is a slip of
    /// the keyboard, and no reason to compare centuries.
    pub(super) fn saw(&mut self, start: DateTime<Utc>) {
        let start = start.max(super::plan::beginning());
        self.earliest = Some(self.earliest.map_or(start, |earliest| earliest.min(start)));
    }
}

impl Report {
    pub(super) fn new(workspace: i64, span: (DateTime<Utc>, DateTime<Utc>), sweep: bool) -> Self {
        Self {
            workspace,
            from: span.0,
            until: span.1,
            sweep,
            next: None,
            own: Vec::new(),
            others: Vec::new(),
            pages: 0,
        }
    }
}

impl Changed {
    pub(super) fn new(workspace: i64) -> Self {
        Self {
            workspace,
            next: None,
            newest: None,
            pages: 0,
        }
    }
}
