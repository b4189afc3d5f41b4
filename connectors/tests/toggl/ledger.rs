//! A desk for the tests: a fake Toggl, connectors to it, and the least ledger that can tell
//! whether a pull told the truth.

use std::collections::BTreeMap;
use std::sync::Arc;

use chrono::{DateTime, TimeDelta, Utc};
use stundenbuch_connectors::budget::MemoryBudgets;
use stundenbuch_connectors::clock::{Clock as _, ManualClock};
use stundenbuch_connectors::contract::{Absent, Cursor, Page, Presence, Pull};
use stundenbuch_connectors::kind::{Settings, Value};
use stundenbuch_connectors::record::{ExternalId, Record, Stream, TimeEntry, Worked};
use stundenbuch_connectors::secret::Secret;
use stundenbuch_connectors::{Connector, Platform, Result, find};

use crate::fakes::toggl::{TOKEN, Toggl};

/// A fake, its clock, and the ledger that is filled from it.
pub(crate) struct Desk {
    pub(crate) fake: Toggl,
    pub(crate) budgets: Arc<MemoryBudgets>,
    pub(crate) settings: Settings,
    pub(crate) cursor: Cursor,
    pub(crate) entries: BTreeMap<ExternalId, (TimeEntry, String)>,
    pub(crate) projects: BTreeMap<ExternalId, String>,
    pub(crate) people: BTreeMap<ExternalId, String>,
    /// Entries that were new or different when they came.
    pub(crate) revisions: usize,
    /// Entries that came, repetitions included.
    pub(crate) seen: usize,
    pub(crate) gone: Vec<ExternalId>,
    pub(crate) notices: Vec<&'static str>,
}

/// A Monday morning in November.
pub(crate) fn monday() -> DateTime<Utc> {
    at("2026-11-16T08:00:00Z")
}

pub(crate) fn at(text: &str) -> DateTime<Utc> {
    text.parse().unwrap()
}

pub(crate) fn id(number: i64) -> ExternalId {
    ExternalId::new(number.to_string())
}

impl Desk {
    pub(crate) async fn new() -> Self {
        Self::at(monday()).await
    }

    pub(crate) async fn at(now: DateTime<Utc>) -> Self {
        let fake = Toggl::start(ManualClock::at(now)).await;
        let mut desk = Self {
            settings: Settings::default(),
            budgets: Arc::default(),
            cursor: Cursor::start(),
            entries: BTreeMap::new(),
            projects: BTreeMap::new(),
            people: BTreeMap::new(),
            revisions: 0,
            seen: 0,
            gone: Vec::new(),
            notices: Vec::new(),
            fake,
        };
        desk.set("token", Value::Secret(Secret::new(TOKEN)));
        desk.set("api_url", Value::Url(desk.fake.api_url()));
        desk.set("reports_url", Value::Url(desk.fake.reports_url()));
        desk
    }

    pub(crate) fn set(&mut self, key: &str, value: Value) {
        let kind = find("toggl").unwrap().kind;
        self.settings.set(kind.setting(key).unwrap(), value);
    }

    /// A fresh connector, as after a restart: the budgets were kept, and it took two seconds.
    pub(crate) fn connector(&self) -> Box<dyn Connector> {
        self.pass(TimeDelta::seconds(2));
        let platform = Platform {
            clock: Arc::new(self.fake.clock.clone()),
            budgets: Arc::clone(&self.budgets) as _,
            logins: Arc::new(stundenbuch_connectors::login::Memory::default()),
        };
        (find("toggl").unwrap().build)("toggl", &self.settings, &platform).unwrap()
    }

    /// Pulls to the end with a restart after every page. Returns the requests that it took.
    pub(crate) async fn pull(&mut self, mode: &Pull) -> usize {
        self.try_pull(mode).await.unwrap()
    }

    pub(crate) async fn try_pull(&mut self, mode: &Pull) -> Result<usize> {
        let before = self.fake.server.requests().len();
        for _ in 0..2000 {
            let connector = self.connector();
            let page = connector.pull(&self.cursor, mode).await?;
            let unfinished = page.more;
            self.take(&*connector, page).await?;
            if !unfinished {
                return Ok(self.fake.server.requests().len() - before);
            }
        }
        panic!("a pull does not end");
    }

    /// Pulls on, hour by hour, until the quota sufficed. Returns the hours.
    pub(crate) async fn pull_patiently(&mut self, mode: &Pull) -> u32 {
        for hour in 0..100 {
            match self.try_pull(mode).await {
                Ok(_) => return hour,
                Err(error) => {
                    use stundenbuch_connectors::error::{Kind, Retry};
                    assert_eq!(error.kind(), Kind::RateLimited, "{error}");
                    let Retry::Later { after: Some(after) } = error.retry_advice() else {
                        panic!("no instant to wait for: {error:?}");
                    };
                    assert!(*after > self.fake.clock.now(), "{error:?}");
                    self.fake.clock.set(*after);
                }
            }
        }
        panic!("a pull does not end in a hundred hours");
    }

    /// A day later, in the night, without anything having happened.
    pub(crate) async fn quiet_night(&mut self) -> usize {
        self.pass(TimeDelta::days(1));
        self.pull(&Pull::Changes).await
    }

    pub(crate) fn pass(&self, time: TimeDelta) {
        let clock = &self.fake.clock;
        clock.set(clock.now() + time);
    }

    async fn take(&mut self, connector: &dyn Connector, page: Page) -> Result<()> {
        assert!(
            !format!("{page:?}").contains(TOKEN),
            "a page holds the token"
        );
        self.cursor = Cursor::stored(page.next.as_str().map(str::to_owned));
        self.notices.extend(page.notices.iter().map(|it| it.code));
        for raw in &page.raw {
            for found in connector.normalise(raw).unwrap() {
                match found.record {
                    Record::TimeEntry(entry) => {
                        self.seen += 1;
                        let kept = (entry, raw.scope.clone());
                        if self.entries.get(&found.id) != Some(&kept) {
                            self.revisions += 1;
                        }
                        self.entries.insert(found.id, kept);
                    }
                    Record::Project(project) => {
                        self.projects.insert(found.id, project.name);
                    }
                    Record::Person(person) => {
                        self.people.insert(found.id, person.name);
                    }
                    other => panic!("unexpected {other:?}"),
                }
            }
        }
        for gone in page.gone {
            self.remove(&gone.id);
        }
        let absent: Vec<Absent> = page.swept.iter().flat_map(|it| self.absent(it)).collect();
        if !absent.is_empty() {
            for (id, presence) in connector.confirm(&absent).await? {
                if matches!(presence, Presence::Gone(_)) {
                    self.remove(&id);
                }
            }
        }
        Ok(())
    }

    fn absent(&self, sweep: &stundenbuch_connectors::contract::Sweep) -> Vec<Absent> {
        let within = |entry: &TimeEntry| {
            let start = start_of(entry);
            sweep.from.is_none_or(|from| start >= from)
                && sweep.until.is_none_or(|until| start < until)
        };
        self.entries
            .iter()
            .filter(|(id, (entry, scope))| {
                *scope == sweep.scope && within(entry) && !sweep.present.contains(id)
            })
            .map(|(id, (_, scope))| Absent {
                stream: Stream::Time,
                id: id.clone(),
                scope: scope.clone(),
            })
            .collect()
    }

    fn remove(&mut self, id: &ExternalId) {
        if self.entries.remove(id).is_some() {
            self.gone.push(id.clone());
        }
    }

    pub(crate) fn entry(&self, number: i64) -> &TimeEntry {
        &self.entries[&id(number)].0
    }

    /// The seconds in the ledger.
    pub(crate) fn seconds(&self) -> i64 {
        let entries = self.entries.values();
        entries
            .filter_map(|(entry, _)| entry.worked.seconds())
            .sum()
    }

    /// The ledger says exactly what the fake holds.
    #[track_caller]
    pub(crate) fn must_be_true(&self) {
        let (truth, seconds) = self.fake.with(|world| {
            let there = world.entries.iter().filter(|(_, it)| it.deleted.is_none());
            let truth: Vec<_> = there.map(|(id, _)| *id).collect();
            (truth, world.worked_seconds())
        });
        let mut known: Vec<i64> = self
            .entries
            .keys()
            .map(|id| id.as_str().parse().unwrap())
            .collect();
        known.sort_unstable();
        assert_eq!(known, truth);
        assert_eq!(self.seconds(), seconds);
        assert_eq!(self.fake.refused(), 0, "requests were refused");
    }
}

fn start_of(entry: &TimeEntry) -> DateTime<Utc> {
    match entry.worked {
        Worked::Running { start } | Worked::Span { start, .. } => start,
        Worked::Day { .. } => panic!("Toggl has no days"),
    }
}
