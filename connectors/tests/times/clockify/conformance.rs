//! The Clockify connector as a subject of the conformance tests.

use std::collections::BTreeSet;
use std::sync::Arc;

use chrono::{NaiveDate, TimeDelta};
use stundenbuch_connectors::clock::Clock as _;
use stundenbuch_connectors::kind::Value;
use stundenbuch_connectors::record::{ExternalId, Stream};
use stundenbuch_connectors::suite::{self, Subject, Trouble};
use stundenbuch_connectors::{Connector, Platform, find};

use super::Desk;
use crate::fakes::clockify::{Entry, KEY};
use crate::{ledger, trouble};

struct World {
    desk: Desk,
}

impl World {
    async fn new() -> Self {
        let desk = Desk::new().await;
        desk.fake.with(|world| world.page_max = 100);
        Self { desk }
    }
}

impl Subject for World {
    fn stream(&self) -> Stream {
        Stream::Time
    }

    fn connector(&self) -> Box<dyn Connector> {
        // An hour later, so that the fake's quota is new like the connector's budgets.
        self.desk.ledger.pass(TimeDelta::hours(1));
        let platform = Platform {
            clock: Arc::new(self.desk.fake.clock.clone()),
            ..ledger::platform()
        };
        let settings = &self.desk.ledger.settings;
        (find("clockify").unwrap().build)("clockify", settings, &platform).unwrap()
    }

    fn add(&self, count: usize) -> Vec<ExternalId> {
        let add = |number: usize| {
            let ago = TimeDelta::hours(3 * i64::try_from(number).unwrap());
            let start = self.desk.fake.clock.now() - ago;
            ExternalId::new(self.desk.add(Entry::of(start, 20)))
        };
        (1..=count).map(add).collect()
    }

    fn add_titled(&self, text: &str) -> Option<ExternalId> {
        let mut entry = Entry::of(self.desk.fake.clock.now(), 5);
        text.clone_into(&mut entry.description);
        Some(ExternalId::new(self.desk.add(entry)))
    }

    fn edit(&self, id: &ExternalId) {
        let change = |entry: &mut Entry| entry.description.push('!');
        self.desk.fake.with(|world| world.edit(id.as_str(), change));
    }

    fn delete(&self, id: &ExternalId) {
        self.desk.delete(id.as_str());
    }

    fn truth(&self) -> BTreeSet<ExternalId> {
        self.desk
            .fake
            .with(|world| world.entries.keys().map(ExternalId::new).collect())
    }

    fn break_with(&self, trouble: Trouble, skip: u32) -> bool {
        trouble::begin(&self.desk.fake.server, &self.desk.fake.clock, trouble, skip)
    }

    fn heal(&self) {
        trouble::end(&self.desk.fake.server, &self.desk.fake.clock);
    }

    fn canary(&self) -> Option<String> {
        Some(KEY.to_owned())
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
    let day = NaiveDate::from_ymd_opt(2026, 1, 1).unwrap();
    desk.ledger.set("history_from", Value::Date(day));
    desk.ledger.set("workspaces", Value::Texts(Vec::new()));
    desk.ledger.set("team", Value::Flag(true));
    desk.ledger.set("paid", Value::Flag(true));
    let entry = find("clockify").unwrap();
    suite::settings_are_declared(entry, &desk.ledger.settings, &ledger::platform());
}
