//! The least ledger that can tell whether a pull told the truth.

use std::collections::BTreeMap;
use std::sync::Arc;

use chrono::{DateTime, NaiveTime, TimeDelta, Utc};
use stundenbuch_connectors::budget::MemoryBudgets;
use stundenbuch_connectors::clock::{Clock as _, ManualClock};
use stundenbuch_connectors::contract::{Absent, Cursor, Page, Presence, Pull, Sweep};
use stundenbuch_connectors::kind::{Settings, Value};
use stundenbuch_connectors::record::{ExternalId, Record, Stream, TimeEntry, Worked};
use stundenbuch_connectors::{Connector, Entry, Platform, Result, find};

/// One connection, and what is known of it.
pub(crate) struct Ledger {
    entry: &'static Entry,
    pub(crate) clock: ManualClock,
    pub(crate) settings: Settings,
    budgets: Arc<MemoryBudgets>,
    pub(crate) cursor: Cursor,
    pub(crate) entries: BTreeMap<ExternalId, (TimeEntry, String)>,
    pub(crate) projects: BTreeMap<ExternalId, String>,
    pub(crate) people: BTreeMap<ExternalId, String>,
    /// Entries that were new or different when they came.
    pub(crate) revisions: usize,
    pub(crate) gone: Vec<ExternalId>,
    pub(crate) notices: Vec<&'static str>,
    /// What was put aside, with its reason.
    pub(crate) rejected: Vec<(ExternalId, String)>,
}

/// A Monday morning in November.
pub(crate) fn monday() -> DateTime<Utc> {
    at("2026-11-16T08:00:00Z")
}

pub(crate) fn at(text: &str) -> DateTime<Utc> {
    text.parse().unwrap()
}

/// A comparison of so many days.
pub(crate) fn compare(clock: &ManualClock, days: i64) -> Pull {
    Pull::Compare {
        from: clock.now() - TimeDelta::days(days),
        until: None,
    }
}

impl Ledger {
    pub(crate) fn new(connector: &str, clock: &ManualClock) -> Self {
        Self {
            entry: find(connector).unwrap(),
            clock: clock.clone(),
            settings: Settings::default(),
            budgets: Arc::default(),
            cursor: Cursor::start(),
            entries: BTreeMap::new(),
            projects: BTreeMap::new(),
            people: BTreeMap::new(),
            revisions: 0,
            gone: Vec::new(),
            notices: Vec::new(),
            rejected: Vec::new(),
        }
    }

    pub(crate) fn set(&mut self, key: &str, value: Value) {
        let setting = self.entry.kind.setting(key).expect("a declared setting");
        self.settings.set(setting, value);
    }

    pub(crate) fn platform(&self) -> Platform {
        Platform {
            clock: Arc::new(self.clock.clone()),
            budgets: Arc::clone(&self.budgets) as _,
            ..platform()
        }
    }

    /// A fresh connector, as after a restart: the budgets were kept, and it took two seconds.
    pub(crate) fn connector(&self) -> Box<dyn Connector> {
        self.pass(TimeDelta::seconds(2));
        let name = self.entry.kind.name;
        (self.entry.build)(name, &self.settings, &self.platform()).unwrap()
    }

    pub(crate) fn pass(&self, time: TimeDelta) {
        self.clock.set(self.clock.now() + time);
    }

    /// Pulls to the end with a restart after every page. Returns the requests that it took.
    pub(crate) async fn pull(&mut self, mode: &Pull) -> u64 {
        self.try_pull(mode).await.unwrap()
    }

    pub(crate) async fn try_pull(&mut self, mode: &Pull) -> Result<u64> {
        let mut requests = 0;
        for _ in 0..2000 {
            let connector = self.connector();
            let page = connector.pull(&self.cursor, mode).await?;
            let more = page.more;
            self.take(&*connector, page).await?;
            requests += connector.requests();
            if !more {
                return Ok(requests);
            }
        }
        panic!("a pull does not end");
    }

    /// Pulls on, hour by hour, until the quota sufficed. Returns the hours.
    pub(crate) async fn pull_patiently(&mut self, mode: &Pull) -> u32 {
        use stundenbuch_connectors::error::{Kind, Retry};
        for hour in 0..100 {
            let Err(error) = self.try_pull(mode).await else {
                return hour;
            };
            assert_eq!(error.kind(), Kind::RateLimited, "{error}");
            let Retry::Later { after: Some(after) } = error.retry_advice() else {
                panic!("no instant to wait for: {error:?}");
            };
            assert!(*after > self.clock.now(), "{error:?}");
            self.clock.set(*after);
        }
        panic!("a pull does not end in a hundred hours");
    }

    /// A day later, without anything having happened.
    pub(crate) async fn quiet_night(&mut self) -> u64 {
        self.pass(TimeDelta::days(1));
        self.pull(&Pull::Changes).await
    }

    async fn take(&mut self, connector: &dyn Connector, page: Page) -> Result<()> {
        self.cursor = Cursor::stored(page.next.as_str().map(str::to_owned));
        self.notices.extend(page.notices.iter().map(|it| it.code));
        for raw in &page.raw {
            let read = match connector.normalise(raw) {
                Ok(read) => read,
                Err(reject) => {
                    self.rejected.push((raw.id.clone(), reject.to_string()));
                    continue;
                }
            };
            for found in read {
                match found.record {
                    Record::TimeEntry(entry) => {
                        let kept = (entry, raw.scope.clone());
                        self.revisions += usize::from(self.entries.get(&found.id) != Some(&kept));
                        self.entries.insert(found.id, kept);
                    }
                    Record::Project(project) => drop(self.projects.insert(found.id, project.name)),
                    Record::Person(person) => drop(self.people.insert(found.id, person.name)),
                    other => panic!("unexpected {other:?}"),
                }
            }
        }
        assert!(page.gone.is_empty(), "there are no tombstones");
        let absent: Vec<Absent> = page.swept.iter().flat_map(|it| self.absent(it)).collect();
        if !absent.is_empty() {
            for (id, presence) in connector.confirm(&absent).await? {
                if matches!(presence, Presence::Gone(_)) && self.entries.remove(&id).is_some() {
                    self.gone.push(id);
                }
            }
        }
        Ok(())
    }

    fn absent(&self, sweep: &Sweep) -> Vec<Absent> {
        let within = |entry: &TimeEntry| {
            let start = start_of(entry);
            sweep.from.is_none_or(|from| start >= from)
                && sweep.until.is_none_or(|until| start < until)
        };
        let entries = self.entries.iter();
        let absent = entries.filter(|(id, (entry, scope))| {
            *scope == sweep.scope && within(entry) && !sweep.present.contains(id)
        });
        let absent = absent.map(|(id, (_, scope))| Absent {
            stream: Stream::Time,
            id: id.clone(),
            scope: scope.clone(),
        });
        absent.collect()
    }

    pub(crate) fn entry(&self, id: &str) -> &TimeEntry {
        &self.entries[&ExternalId::new(id)].0
    }

    pub(crate) fn seconds(&self) -> i64 {
        let entries = self.entries.values();
        entries
            .filter_map(|(entry, _)| entry.worked.seconds())
            .sum()
    }

    pub(crate) fn ids(&self) -> Vec<&str> {
        self.entries.keys().map(ExternalId::as_str).collect()
    }
}

fn start_of(entry: &TimeEntry) -> DateTime<Utc> {
    match entry.worked {
        Worked::Running { start } | Worked::Span { start, .. } => start,
        Worked::Day { date, .. } => date.and_time(NaiveTime::MIN).and_utc(),
    }
}

/// A platform of its own, whose clock need not be waited for.
pub(crate) fn platform() -> Platform {
    Platform {
        clock: Arc::new(ManualClock::at(monday())),
        budgets: Arc::new(MemoryBudgets::default()),
        logins: Arc::new(stundenbuch_connectors::login::Memory::default()),
    }
}
