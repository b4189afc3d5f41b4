//! The Asana connector against an Asana that behaves, and one that does not.

#![allow(
    clippy::unwrap_used,
    clippy::print_stdout,
    reason = "a test file, though not each function is a test"
)]

#[path = "../../../tests/fakes/mod.rs"]
mod fakes;

mod conformance;
mod deletion;
mod delivery;
mod described;
mod examples;
mod faults;
mod ledger;
mod requests;
mod tasks;
mod time;

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;

use chrono::{DateTime, Utc};
use serde_json::{Value as Json, json};
use stundenbuch_connectors::budget::MemoryBudgets;
use stundenbuch_connectors::clock::{Clock as _, ManualClock};
use stundenbuch_connectors::contract::{Absent, Cursor, Presence, Pull};
use stundenbuch_connectors::error::Kind as ErrorKind;
use stundenbuch_connectors::kind::{Settings, Value};
use stundenbuch_connectors::record::{ExternalId, Record, Stream, TaskState, Worked};
use stundenbuch_connectors::secret::Secret;
use stundenbuch_connectors::suite::{self, Trouble};
use stundenbuch_connectors::{Connector, Error, Platform};

use fakes::asana::{Asana, OTHER, Plan, TOKEN, WORKSPACE};
use fakes::{Fault, FaultKind, Server};
use ledger::Ledger;

struct Bench {
    clock: ManualClock,
    asana: Asana,
    server: Server,
    /// Kept over restarts, as in the ledger.
    budgets: Arc<MemoryBudgets>,
}

impl Bench {
    async fn start() -> Self {
        let clock = ManualClock::at(at("2026-11-16T08:00:00Z"));
        let asana = Asana::new(clock.clone());
        let server = Server::start(asana.router()).await;
        Self {
            clock,
            asana,
            server,
            budgets: Arc::default(),
        }
    }

    fn connector(&self) -> Box<dyn Connector> {
        self.configured(&[]).unwrap()
    }

    fn configured(&self, more: &[(&str, Value)]) -> Result<Box<dyn Connector>, Error> {
        let entry = stundenbuch_connectors::find("asana").unwrap();
        (entry.build)("asana-test", &self.settings(more), &self.platform())
    }

    fn settings(&self, more: &[(&str, Value)]) -> Settings {
        let entry = stundenbuch_connectors::find("asana").unwrap();
        let mut settings = Settings::default();
        let usual = [
            ("token", Value::Secret(Secret::new(TOKEN))),
            (
                "api_url",
                Value::Url(format!("{}/api/1.0", self.server.base())),
            ),
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
            budgets: Arc::clone(&self.budgets) as _,
            logins: Arc::new(stundenbuch_connectors::login::Memory::default()),
        }
    }

    /// A day later.
    fn next_night(&self) {
        self.clock.advance(Duration::from_hours(24));
        self.server.forget_requests();
    }

    fn sent(&self) -> u64 {
        self.server.requests().len() as u64
    }

    /// Arms a trouble as the suite names them.
    fn break_with(&self, trouble: Trouble, skip: u32) {
        if trouble == Trouble::Stalled {
            self.clock.lose_patience_after(Duration::from_millis(20));
        }
        let (path, times, kind) = ("/", u32::MAX, FaultKind::of(trouble));
        self.server.fail_after(skip, Fault { path, times, kind });
    }

    fn heal(&self) {
        self.server.heal();
        self.clock.lose_patience_after(Duration::MAX);
    }
}

fn at(text: &str) -> DateTime<Utc> {
    text.parse().unwrap()
}

fn texts(words: &[&str]) -> Value {
    Value::Texts(words.iter().map(ToString::to_string).collect())
}

/// So many tasks in a project.
fn add_tasks(asana: &Asana, project: &str, count: usize) -> Vec<String> {
    let add = |number| asana.add_task(project, None, &format!("Aufgabe {number}"));
    (0..count).map(add).collect()
}

/// Lets tasks lie there for long, so that nobody asks for their stories.
fn leave_alone(asana: &Asana, tasks: &[String]) {
    for task in tasks {
        asana.age(task, at("2026-05-01T09:00:00Z"));
    }
}

/// A comparison of everything since that instant.
fn compare(from: &str) -> Pull {
    Pull::Compare {
        from: at(from),
        until: None,
    }
}
