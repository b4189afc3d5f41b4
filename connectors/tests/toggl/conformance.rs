//! The Toggl connector as a subject of the conformance tests.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;

use chrono::{NaiveDate, TimeDelta};
use stundenbuch_connectors::budget::MemoryBudgets;
use stundenbuch_connectors::clock::Clock as _;
use stundenbuch_connectors::kind::Value;
use stundenbuch_connectors::record::{ExternalId, Stream};
use stundenbuch_connectors::suite::{self, Subject, Trouble};
use stundenbuch_connectors::{Connector, Platform, find};

use crate::fakes::toggl::{Entry, TOKEN};
use crate::fakes::{Fault, FaultKind};
use crate::ledger::Desk;

struct World {
    desk: Desk,
}

impl World {
    async fn new() -> Self {
        let desk = Desk::new().await;
        // Small pages, so that few entries make many.
        desk.fake.with(|world| world.page_max = 200);
        Self { desk }
    }
}

fn number(id: &ExternalId) -> i64 {
    id.as_str().parse().unwrap()
}

impl Subject for World {
    fn stream(&self) -> Stream {
        Stream::Time
    }

    fn connector(&self) -> Box<dyn Connector> {
        // An hour later, so that the fake's quotas are new like the connector's budgets.
        self.desk.pass(TimeDelta::hours(1));
        let platform = Platform {
            clock: Arc::new(self.desk.fake.clock.clone()),
            budgets: Arc::new(MemoryBudgets::default()),
            logins: Arc::new(stundenbuch_connectors::login::Memory::default()),
        };
        (find("toggl").unwrap().build)("toggl", &self.desk.settings, &platform).unwrap()
    }

    fn add(&self, count: usize) -> Vec<ExternalId> {
        let fake = &self.desk.fake;
        let add = |minutes: usize| {
            fake.clock.advance(Duration::from_secs(7));
            let start = fake.clock.now() - TimeDelta::hours(3 * i64::try_from(minutes).unwrap());
            let id = fake.add(Entry::of(start, 20));
            ExternalId::new(id.to_string())
        };
        (1..=count).map(add).collect()
    }

    fn add_titled(&self, text: &str) -> Option<ExternalId> {
        let fake = &self.desk.fake;
        fake.clock.advance(Duration::from_secs(7));
        let mut entry = Entry::of(fake.clock.now() - TimeDelta::hours(1), 20);
        entry.description = Some(text.to_owned());
        Some(ExternalId::new(fake.add(entry).to_string()))
    }

    fn edit(&self, id: &ExternalId) {
        self.desk.fake.clock.advance(Duration::from_secs(7));
        self.desk.fake.edit(number(id), |entry| {
            let text = entry.description.take().unwrap_or_default();
            entry.description = Some(format!("{text}!"));
        });
    }

    fn delete(&self, id: &ExternalId) {
        self.desk.fake.clock.advance(Duration::from_secs(7));
        self.desk.fake.delete(number(id));
    }

    fn truth(&self) -> BTreeSet<ExternalId> {
        self.desk.fake.with(|world| {
            let there = world.entries.iter().filter(|(_, it)| it.deleted.is_none());
            there
                .map(|(id, _)| ExternalId::new(id.to_string()))
                .collect()
        })
    }

    fn break_with(&self, trouble: Trouble, skip: u32) -> bool {
        if trouble == Trouble::Stalled {
            let most = Duration::from_millis(20);
            self.desk.fake.clock.lose_patience_after(most);
        }
        let fault = Fault {
            path: "/",
            times: u32::MAX,
            kind: FaultKind::of(trouble),
        };
        self.desk.fake.server.fail_after(skip, fault);
        true
    }

    fn heal(&self) {
        self.desk.fake.server.heal();
        self.desk.fake.clock.lose_patience_after(Duration::MAX);
    }

    fn canary(&self) -> Option<String> {
        Some(TOKEN.to_owned())
    }

    fn quiet_requests(&self) -> u64 {
        1
    }

    fn requests_seen(&self) -> Option<u64> {
        Some(self.desk.fake.server.requests().len() as u64)
    }
}

#[tokio::test]
async fn conforms() {
    suite::all(World::new).await;
}

#[tokio::test]
async fn declares_what_it_reads() {
    let mut desk = Desk::new().await;
    desk.set(
        "history_from",
        Value::Date(NaiveDate::from_ymd_opt(2026, 1, 1).unwrap()),
    );
    desk.set("workspaces", Value::Texts(Vec::new()));
    desk.set("team", Value::Flag(true));
    let platform = Platform {
        clock: Arc::new(desk.fake.clock.clone()),
        budgets: Arc::new(MemoryBudgets::default()),
        logins: Arc::new(stundenbuch_connectors::login::Memory::default()),
    };
    suite::settings_are_declared(find("toggl").unwrap(), &desk.settings, &platform);
}
