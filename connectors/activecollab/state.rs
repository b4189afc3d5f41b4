//! What the cursor holds: how far each project was read, and which are still to be read.

use std::collections::{BTreeMap, BTreeSet, VecDeque};

use chrono::{DateTime, NaiveDate, NaiveTime, Utc};
use serde::{Deserialize, Serialize};

use crate::contract::Sweep;
use crate::record::{ExternalId, Stream};

/// The state behind a cursor.
#[derive(Clone, Debug, Default, Deserialize, Serialize)]
#[serde(default)]
pub(super) struct State {
    pub(super) projects: BTreeMap<i64, Mark>,
    /// The kinds of lists that ignore pages, as far as that was found out.
    pub(super) unpaged: BTreeSet<String>,
    /// The lists that only give names and that this user may not read; found out by the first
    /// pull and by comparisons.
    pub(super) without: BTreeSet<String>,
    /// What this pull has still to do.
    pub(super) plan: Option<Plan>,
}

/// How far one project was read.
#[derive(Clone, Debug, Default, Deserialize, Serialize)]
#[serde(default)]
pub(super) struct Mark {
    pub(super) name: String,
    pub(super) archived: bool,
    /// When it was last read whole, and not only the last weeks.
    pub(super) full_at: DateTime<Utc>,
    /// The open tasks; one that is open no more is asked for.
    pub(super) open: BTreeSet<i64>,
    /// The highest number of a task that was seen. Numbers only grow.
    pub(super) newest: i64,
    /// What the tasks are called on which time was tracked.
    pub(super) titles: BTreeMap<i64, String>,
    pub(super) had: Had,
    /// The last day with time. Where it is behind the last weeks, these are rightly empty.
    pub(super) last_day: Option<NaiveDate>,
}

/// How much there was, so that a list that is suddenly empty is not believed.
#[derive(Clone, Copy, Debug, Default, Deserialize, Serialize)]
#[serde(default)]
pub(super) struct Had {
    pub(super) tasks: usize,
    pub(super) time: usize,
    pub(super) expenses: usize,
}

/// What a pull does.
#[derive(Clone, Debug, Deserialize, Serialize)]
pub(super) struct Plan {
    /// Whether every project is read whole.
    pub(super) compare: bool,
    pub(super) made_at: DateTime<Utc>,
    pub(super) queue: VecDeque<Due>,
    /// What was listed so far. Absences are told only when all projects were read: a task that
    /// was moved is missing in one and comes with another.
    #[serde(default)]
    pub(super) found: Vec<Found>,
}

/// A project to read.
#[derive(Clone, Debug, Deserialize, Serialize)]
pub(super) struct Due {
    pub(super) id: i64,
    pub(super) name: String,
    #[serde(default)]
    pub(super) company: Option<i64>,
    #[serde(default)]
    pub(super) archived: bool,
    #[serde(default)]
    pub(super) full: bool,
}

/// A list that was read to its end.
#[derive(Clone, Debug, Deserialize, Serialize)]
pub(super) struct Found {
    pub(super) project: i64,
    pub(super) stream: Stream,
    /// The first and the last day, for a list of a span.
    #[serde(default)]
    pub(super) days: Option<(NaiveDate, NaiveDate)>,
    pub(super) ids: BTreeSet<i64>,
}

impl Found {
    pub(super) fn sweep(self) -> Sweep {
        let midnight = |day: NaiveDate| day.and_time(NaiveTime::MIN).and_utc();
        Sweep {
            stream: self.stream,
            scope: self.project.to_string(),
            from: self.days.map(|days| midnight(days.0)),
            until: self.days.and_then(|days| days.1.succ_opt()).map(midnight),
            present: self.ids.into_iter().map(external).collect(),
        }
    }
}

/// The identifier as the ledger has it.
pub(super) fn external(id: i64) -> ExternalId {
    ExternalId::new(id.to_string())
}
