//! The ActiveCollab connector against an instance that behaves, and several that do not.

#![allow(
    clippy::unwrap_used,
    reason = "a test file, though not each function is a test"
)]

#[path = "../../../tests/fakes/mod.rs"]
mod fakes;

mod budget;
mod conformance;
mod deletion;
mod dialects;
mod login;
mod records;

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::Duration;

use chrono::{DateTime, NaiveDate, TimeDelta, Utc};
use serde_json::json;
use stundenbuch_connectors::budget::MemoryBudgets;
use stundenbuch_connectors::clock::{Clock as _, ManualClock};
use stundenbuch_connectors::contract::{Absent, Cursor, Presence, Pull, Sweep};
use stundenbuch_connectors::error::Kind as ErrorKind;
use stundenbuch_connectors::kind::{Settings, Value};
use stundenbuch_connectors::login::Memory;
use stundenbuch_connectors::record::{
    Expense, ExternalId, Record, Stream, Task, TaskState, TimeEntry, Worked,
};
use stundenbuch_connectors::secret::Secret;
use stundenbuch_connectors::{Connector, Error, Platform, find};

use fakes::activecollab::{ActiveCollab, PASSWORD, TOKEN, USER};
use fakes::{FaultKind, Server};

struct Bench {
    fake: ActiveCollab,
    server: Server,
}

impl Bench {
    async fn start() -> Self {
        let clock = ManualClock::at("2026-03-02T08:00:00Z".parse().unwrap());
        let fake = ActiveCollab::new(clock);
        let server = Server::start(fake.router()).await;
        Self { fake, server }
    }

    fn connector(&self) -> Box<dyn Connector> {
        self.configured(&[("token", secret(TOKEN))]).unwrap()
    }

    fn configured(&self, more: &[(&str, Value)]) -> Result<Box<dyn Connector>, Error> {
        // A second later, so that what another connector asked does not count.
        self.fake.clock.advance(Duration::from_secs(1));
        let entry = find("activecollab").unwrap();
        (entry.build)("ac-test", &self.settings(more), &self.platform())
    }

    fn settings(&self, more: &[(&str, Value)]) -> Settings {
        let kind = find("activecollab").unwrap().kind;
        let mut settings = Settings::default();
        let usual = [
            ("url", Value::Url(self.server.base().to_owned())),
            ("expenses", Value::Flag(true)),
        ];
        for (key, value) in usual.iter().chain(more) {
            settings.set(kind.setting(key).unwrap(), value.clone());
        }
        settings
    }

    fn platform(&self) -> Platform {
        Platform {
            clock: Arc::new(self.fake.clock.clone()),
            budgets: Arc::new(MemoryBudgets::default()),
            logins: Arc::new(Memory::default()),
        }
    }

    /// A day later.
    fn next_night(&self) {
        self.fake.clock.advance(Duration::from_hours(24));
        self.server.forget_requests();
    }

    fn sent(&self) -> usize {
        self.server.requests().len()
    }

    /// So many days before today.
    fn day(&self, before: i64) -> NaiveDate {
        self.fake.clock.now().date_naive() - TimeDelta::days(before)
    }
}

fn secret(text: &str) -> Value {
    Value::Secret(Secret::new(text))
}

/// What a ledger keeps, as simple as can be.
#[derive(Clone, Debug, Default, PartialEq)]
struct Ledger {
    cursor: Cursor,
    current: BTreeMap<(Stream, ExternalId), (String, Record)>,
    deleted: BTreeMap<ExternalId, String>,
    rejected: Vec<String>,
    revisions: usize,
    notices: BTreeSet<&'static str>,
}

impl Ledger {
    async fn pull(&mut self, connector: &dyn Connector) -> Result<(), Error> {
        self.pull_as(connector, &Pull::Changes).await
    }

    async fn pull_as(&mut self, connector: &dyn Connector, mode: &Pull) -> Result<(), Error> {
        self.notices.clear();
        while self.page(connector, mode).await? {}
        Ok(())
    }

    /// One page with its cursor, as one transaction; tells whether there are more.
    async fn page(&mut self, connector: &dyn Connector, mode: &Pull) -> Result<bool, Error> {
        let page = connector.pull(&self.cursor, mode).await?;
        for raw in &page.raw {
            let records = match connector.normalise(raw) {
                Ok(records) => records,
                Err(reject) => {
                    self.rejected.push(format!("{}: {reject}", raw.id));
                    continue;
                }
            };
            for found in records {
                let now = (raw.scope.clone(), found.record);
                self.deleted.remove(&found.id);
                let before = self.current.insert((raw.stream, found.id), now.clone());
                self.revisions += usize::from(before.map(|it| it.1) != Some(now.1));
            }
        }
        for sweep in &page.swept {
            let absent = self.absent(sweep);
            for (id, presence) in connector.confirm(&absent).await? {
                if let Presence::Gone(proof) = presence {
                    self.current.remove(&(sweep.stream, id.clone()));
                    self.deleted.insert(id, proof);
                }
            }
        }
        self.notices.extend(page.notices.iter().map(|it| it.code));
        self.cursor = page.next;
        Ok(page.more)
    }

    fn absent(&self, sweep: &Sweep) -> Vec<Absent> {
        let meant = |record: &Record| match record {
            Record::TimeEntry(entry) => {
                let at = day_of(entry).and_hms_opt(0, 0, 0).unwrap().and_utc();
                sweep.from.is_none_or(|from| at >= from) && sweep.until.is_none_or(|it| at < it)
            }
            _ => true,
        };
        let absent = self
            .current
            .iter()
            .filter(|((stream, id), (scope, record))| {
                *stream == sweep.stream
                    && *scope == sweep.scope
                    && meant(record)
                    && !sweep.present.contains(id)
            });
        absent
            .map(|((stream, id), (scope, _))| Absent {
                stream: *stream,
                id: id.clone(),
                scope: scope.clone(),
            })
            .collect()
    }

    fn count(&self, stream: Stream) -> usize {
        self.current.keys().filter(|key| key.0 == stream).count()
    }

    fn find(&self, stream: Stream, id: i64) -> Option<&Record> {
        let key = (stream, ExternalId::new(id.to_string()));
        self.current.get(&key).map(|it| &it.1)
    }

    fn time(&self, id: i64) -> &TimeEntry {
        match self.find(Stream::Time, id) {
            Some(Record::TimeEntry(entry)) => entry,
            other => panic!("{id}: {other:?}"),
        }
    }

    fn task(&self, id: i64) -> &Task {
        match self.find(Stream::Tasks, id) {
            Some(Record::Task(task)) => task,
            other => panic!("{id}: {other:?}"),
        }
    }

    fn expense(&self, id: i64) -> &Expense {
        match self.find(Stream::Expenses, id) {
            Some(Record::Expense(expense)) => expense,
            other => panic!("{id}: {other:?}"),
        }
    }
}

fn day_of(entry: &TimeEntry) -> NaiveDate {
    match entry.worked {
        Worked::Day { date, .. } => date,
        ref other => panic!("{other:?}"),
    }
}

/// The comparison that a person asks for.
fn compare() -> Pull {
    Pull::Compare {
        from: DateTime::<Utc>::UNIX_EPOCH,
        until: None,
    }
}
