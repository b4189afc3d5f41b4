//! The Kimai connector as a subject of the conformance tests.

use std::collections::BTreeSet;
use std::sync::Arc;

use chrono::{NaiveDate, TimeDelta};
use stundenbuch_connectors::clock::Clock as _;
use stundenbuch_connectors::kind::Value;
use stundenbuch_connectors::record::{ExternalId, Stream};
use stundenbuch_connectors::suite::{self, Subject, Trouble};
use stundenbuch_connectors::{Connector, Platform, find};

use super::Desk;
use crate::fakes::kimai::{Sheet, TOKEN};
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

fn external(number: i64) -> ExternalId {
    ExternalId::new(number.to_string())
}

fn number(id: &ExternalId) -> i64 {
    id.as_str().parse().unwrap()
}

impl Subject for World {
    fn stream(&self) -> Stream {
        Stream::Time
    }

    fn connector(&self) -> Box<dyn Connector> {
        self.desk.ledger.pass(TimeDelta::minutes(1));
        let platform = Platform {
            clock: Arc::new(self.desk.fake.clock.clone()),
            ..ledger::platform()
        };
        let settings = &self.desk.ledger.settings;
        (find("kimai").unwrap().build)("kimai", settings, &platform).unwrap()
    }

    fn add(&self, count: usize) -> Vec<ExternalId> {
        let add = |number: usize| {
            self.desk.ledger.pass(TimeDelta::seconds(7));
            let ago = TimeDelta::hours(3 * i64::try_from(number).unwrap());
            external(
                self.desk
                    .fake
                    .add(Sheet::of(self.desk.fake.clock.now() - ago, 20)),
            )
        };
        (1..=count).map(add).collect()
    }

    fn add_titled(&self, text: &str) -> Option<ExternalId> {
        let sheet = Sheet {
            description: Some(text.to_owned()),
            ..Sheet::of(self.desk.fake.clock.now(), 5)
        };
        Some(external(self.desk.fake.add(sheet)))
    }

    fn edit(&self, id: &ExternalId) {
        self.desk.ledger.pass(TimeDelta::seconds(7));
        self.desk.fake.edit(number(id), |sheet| {
            let text = sheet.description.take().unwrap_or_default();
            sheet.description = Some(format!("{text}!"));
        });
    }

    fn delete(&self, id: &ExternalId) {
        self.desk.delete(number(id));
    }

    fn truth(&self) -> BTreeSet<ExternalId> {
        self.desk
            .fake
            .with(|world| world.sheets.keys().copied().map(external).collect())
    }

    fn break_with(&self, trouble: Trouble, skip: u32) -> bool {
        trouble::begin(&self.desk.fake.server, &self.desk.fake.clock, trouble, skip)
    }

    fn heal(&self) {
        trouble::end(&self.desk.fake.server, &self.desk.fake.clock);
    }

    fn canary(&self) -> Option<String> {
        Some(TOKEN.to_owned())
    }

    fn quiet_requests(&self) -> u64 {
        2
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
    desk.ledger
        .set("legacy_user", Value::Text("mara".to_owned()));
    desk.ledger.set("team", Value::Flag(true));
    let entry = find("kimai").unwrap();
    suite::settings_are_declared(entry, &desk.ledger.settings, &ledger::platform());
}
