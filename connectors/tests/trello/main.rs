//! The Trello connector against a Trello that behaves, and one that does not.

#![allow(
    clippy::unwrap_used,
    reason = "a test file, though not each function is a test"
)]

#[path = "../../../tests/fakes/mod.rs"]
mod fakes;

mod big;
mod budget;
mod cards;
mod conformance;
mod deletion;
mod faults;

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::Duration;

use chrono::{DateTime, Utc};
use serde_json::json;
use stundenbuch_connectors::budget::MemoryBudgets;
use stundenbuch_connectors::clock::{Clock as _, ManualClock};
use stundenbuch_connectors::contract::{Absent, Cursor, Presence, Pull};
use stundenbuch_connectors::error::Kind as ErrorKind;
use stundenbuch_connectors::kind::{Settings, Value};
use stundenbuch_connectors::record::{ExternalId, Record, Stream, TaskState};
use stundenbuch_connectors::secret::Secret;
use stundenbuch_connectors::{Connector, Error, Platform};

use fakes::trello::{KEY, TOKEN, Trello};
use fakes::{Fault, FaultKind, Server};

struct Bench {
    clock: ManualClock,
    trello: Trello,
    server: Server,
}

impl Bench {
    async fn start() -> Self {
        let clock = ManualClock::at(at("2026-03-02T08:00:00Z"));
        let trello = Trello::new(clock.clone());
        let server = Server::start(trello.router()).await;
        Self {
            clock,
            trello,
            server,
        }
    }

    fn connector(&self) -> Box<dyn Connector> {
        self.configured(&[]).unwrap()
    }

    fn configured(&self, more: &[(&str, Value)]) -> Result<Box<dyn Connector>, Error> {
        let entry = stundenbuch_connectors::find("trello").unwrap();
        (entry.build)("trello-test", &self.settings(more), &self.platform())
    }

    fn settings(&self, more: &[(&str, Value)]) -> Settings {
        let entry = stundenbuch_connectors::find("trello").unwrap();
        let mut settings = Settings::default();
        let usual = [
            ("key", Value::Secret(Secret::new(KEY))),
            ("token", Value::Secret(Secret::new(TOKEN))),
            ("api_url", Value::Url(format!("{}/1", self.server.base()))),
            ("full_every_days", Value::Count(7)),
        ];
        for (key, value) in usual.iter().chain(more) {
            settings.set(entry.kind.setting(key).unwrap(), value.clone());
        }
        settings
    }

    fn platform(&self) -> Platform {
        Platform {
            clock: Arc::new(self.clock.clone()),
            budgets: Arc::new(MemoryBudgets::default()),
            logins: Arc::new(stundenbuch_connectors::login::Memory::default()),
        }
    }

    /// A day later.
    fn next_night(&self) {
        self.clock.advance(Duration::from_hours(24));
        self.server.forget_requests();
    }

    fn sent(&self) -> usize {
        self.server.requests().len()
    }
}

/// What a ledger keeps, as simple as can be: the newest state, and what is deleted.
#[derive(Clone, Debug, Default, PartialEq)]
struct Ledger {
    cursor: Cursor,
    current: BTreeMap<(Stream, ExternalId), (String, Record)>,
    deleted: BTreeMap<ExternalId, String>,
    revisions: usize,
    notices: BTreeSet<&'static str>,
    pages: usize,
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
            for found in connector.normalise(raw).unwrap() {
                let key = (raw.stream, found.id);
                let now = (raw.scope.clone(), found.record);
                self.deleted.remove(&key.1);
                let before = self.current.insert(key, now.clone());
                self.revisions += usize::from(before.map(|it| it.1) != Some(now.1));
            }
        }
        for gone in page.gone {
            if self
                .current
                .remove(&(gone.stream, gone.id.clone()))
                .is_some()
            {
                self.deleted.insert(gone.id, gone.proof);
            }
        }
        for sweep in page.swept {
            let absent: Vec<Absent> = self
                .current
                .iter()
                .filter(|((stream, id), (scope, _))| {
                    *stream == sweep.stream && *scope == sweep.scope && !sweep.present.contains(id)
                })
                .map(|((stream, id), (scope, _))| Absent {
                    stream: *stream,
                    id: id.clone(),
                    scope: scope.clone(),
                })
                .collect();
            for (id, presence) in connector.confirm(&absent).await? {
                if let Presence::Gone(proof) = presence {
                    self.current.remove(&(Stream::Tasks, id.clone()));
                    self.deleted.insert(id, proof);
                }
            }
        }
        self.notices.extend(page.notices.iter().map(|it| it.code));
        self.cursor = page.next;
        self.pages += 1;
        Ok(page.more)
    }

    fn count(&self, stream: Stream) -> usize {
        self.current.keys().filter(|key| key.0 == stream).count()
    }

    fn task(&self, card: &str) -> &stundenbuch_connectors::record::Task {
        match &self.current[&(Stream::Tasks, ExternalId::new(card))].1 {
            Record::Task(task) => task,
            other => panic!("{other:?}"),
        }
    }

    fn has(&self, card: &str) -> bool {
        self.current
            .contains_key(&(Stream::Tasks, ExternalId::new(card)))
    }
}

fn at(text: &str) -> DateTime<Utc> {
    text.parse().unwrap()
}

fn texts(words: &[&str]) -> Value {
    Value::Texts(words.iter().map(ToString::to_string).collect())
}

/// Boards with three lists each and so many cards in the first.
fn boards(trello: &Trello, boards: usize, cards: usize) -> Vec<(String, [String; 3], Vec<String>)> {
    let make = |number: usize| {
        let board = trello.add_board(&format!("Kunde {number}"));
        let lists = ["Zu erledigen", "In Arbeit", "Erledigt"];
        let lists = lists.map(|name| trello.add_list(&board, name));
        let cards = (0..cards).map(|card| trello.add_card(&lists[0], &format!("Karte {card}")));
        let cards = cards.collect();
        (board, lists, cards)
    };
    (0..boards).map(make).collect()
}
