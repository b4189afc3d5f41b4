//! What there is in the fake Toggl, and the quotas on looking at it.

use std::collections::BTreeMap;

use chrono::{DateTime, TimeDelta, Utc};
use chrono_tz::Tz;

/// The owner's API token; occurs nowhere else.
pub const TOKEN: &str = "0123456789abcdef0123456789abcdef";
/// `base64("<token>:api_token")`, worked out elsewhere.
pub(super) const AUTHORIZATION: &str =
    "Basic MDEyMzQ1Njc4OWFiY2RlZjAxMjM0NTY3ODlhYmNkZWY6YXBpX3Rva2Vu";

pub const WORKSPACE: i64 = 2_000_001;
/// Whose token it is.
pub const OWNER: i64 = 1_000_001;
/// Somebody else in the workspace.
pub const OTHER: i64 = 1_000_002;

/// Whether a workspace gives reports.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Access {
    Open,
    NotInPlan,
    Forbidden,
}

/// A time entry as the service keeps it.
#[derive(Clone, Debug)]
pub struct Entry {
    pub workspace: i64,
    pub user: i64,
    pub project: Option<i64>,
    pub billable: bool,
    pub start: DateTime<Utc>,
    /// `None` while the timer runs.
    pub stop: Option<DateTime<Utc>>,
    pub description: Option<String>,
    pub tags: Vec<i64>,
    /// When it was last written; set to now by [`super::Toggl::add`] when not given.
    pub at: Option<DateTime<Utc>>,
    pub deleted: Option<DateTime<Utc>>,
}

impl Entry {
    /// So many minutes of work on the first project, from an instant on.
    pub fn of(start: DateTime<Utc>, minutes: i64) -> Self {
        Self {
            workspace: WORKSPACE,
            user: OWNER,
            project: Some(3_000_001),
            billable: true,
            start,
            stop: Some(start + TimeDelta::minutes(minutes)),
            description: Some("Startseite".to_owned()),
            tags: Vec::new(),
            at: None,
            deleted: None,
        }
    }

    /// A timer that runs.
    pub fn running(start: DateTime<Utc>) -> Self {
        Self {
            stop: None,
            ..Self::of(start, 0)
        }
    }
}

#[derive(Clone, Debug)]
pub struct Project {
    pub name: String,
    pub workspace: i64,
    pub client: Option<i64>,
    pub active: bool,
    /// Whether the bootstrap shows it; an archived or foreign one may be missing there.
    pub listed: bool,
}

/// Requests of one hour, which begins with the first of them.
#[derive(Clone, Debug)]
pub struct Quota {
    pub limit: i64,
    pub used: i64,
    pub since: Option<DateTime<Utc>>,
}

impl Quota {
    fn new() -> Self {
        Self {
            limit: 30,
            used: 0,
            since: None,
        }
    }

    /// Counts a request. Returns what is left, in requests and seconds.
    pub(super) fn count(&mut self, now: DateTime<Utc>) -> (i64, i64) {
        let hour = TimeDelta::hours(1);
        let begun = self.since.filter(|since| now - *since < hour);
        if begun.is_none() {
            self.used = 0;
        }
        let since = begun.unwrap_or(now);
        self.since = Some(since);
        self.used += 1;
        (self.limit - self.used, (since + hour - now).num_seconds())
    }
}

/// Everything.
#[derive(Clone, Debug)]
pub struct World {
    pub zone: Tz,
    pub people: BTreeMap<i64, (String, String)>,
    pub workspaces: BTreeMap<i64, String>,
    pub clients: BTreeMap<i64, String>,
    pub projects: BTreeMap<i64, Project>,
    pub tags: BTreeMap<i64, String>,
    pub entries: BTreeMap<i64, Entry>,
    pub reports: Access,
    /// What reports show instead of these entries, being behind; `None` for nothing yet.
    pub lag: BTreeMap<i64, Option<Entry>>,
    /// The most rows that a report takes in a page; more is an error.
    pub page_max: usize,
    /// How far back Track is willing to look.
    pub reach: TimeDelta,
    /// Minutes to round to where a report does not say; the user's preference.
    pub rounding: i64,
    pub user: Quota,
    pub org: Quota,
    pub refused: u32,
    /// By how much the test's clock, which is also the connector's, is ahead of the service's.
    pub clock_ahead: TimeDelta,
    /// How full the bucket is that lets one request a second out.
    pub(super) level: (i64, Option<DateTime<Utc>>),
    last_id: i64,
}

impl Default for World {
    fn default() -> Self {
        let named = |pairs: &[(i64, &str)]| {
            let pairs = pairs.iter().map(|(id, name)| (*id, (*name).to_owned()));
            pairs.collect::<BTreeMap<_, _>>()
        };
        let person = |name: &str, email: &str| (name.to_owned(), email.to_owned());
        let project = |name: &str, client| Project {
            name: name.to_owned(),
            workspace: WORKSPACE,
            client,
            active: true,
            listed: true,
        };
        Self {
            zone: chrono_tz::Europe::Berlin,
            people: BTreeMap::from([
                (OWNER, person("Mara Lindgrün", "mara@lindgruen.example")),
                (OTHER, person("Timo Aster", "timo@lindgruen.example")),
            ]),
            workspaces: named(&[(WORKSPACE, "Studio Lindgrün")]),
            clients: named(&[(4_000_001, "Bäckerei Ahorn")]),
            projects: BTreeMap::from([
                (3_000_001, project("Relaunch", Some(4_000_001))),
                (3_000_002, project("Intern", None)),
            ]),
            tags: named(&[(5_000_001, "vor Ort"), (5_000_002, "Abstimmung")]),
            entries: BTreeMap::new(),
            reports: Access::Open,
            lag: BTreeMap::new(),
            page_max: 1000,
            reach: TimeDelta::days(90),
            rounding: 15,
            user: Quota::new(),
            org: Quota::new(),
            refused: 0,
            clock_ahead: TimeDelta::zero(),
            level: (0, None),
            last_id: 3_730_000_000,
        }
    }
}

impl World {
    pub(super) fn add(&mut self, mut entry: Entry, now: DateTime<Utc>) -> i64 {
        self.last_id += 1;
        entry.at.get_or_insert(now);
        self.entries.insert(self.last_id, entry);
        self.last_id
    }

    /// Seconds of everybody's finished, undeleted work.
    pub fn worked_seconds(&self) -> i64 {
        let finished = self.entries.values().filter(|it| it.deleted.is_none());
        finished
            .filter_map(|entry| Some(entry.stop?.timestamp() - entry.start.timestamp()))
            .sum()
    }
}
