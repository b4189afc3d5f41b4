//! The conformance suite over a tap that lists everything, and over one that lists what is new.

use std::collections::BTreeSet;

use serde_json::{Value as Json, json};
use stundenbuch_connectors::contract::{Connector, Cursor};
use stundenbuch_connectors::kind::Value;
use stundenbuch_connectors::record::{ExternalId, Stream};
use stundenbuch_connectors::secret::Secret;
use stundenbuch_connectors::suite::{self, Subject, Trouble};

use crate::world::{
    self, CANARY, World, add_row, build, pull_well, python, row, rows, table, texts,
};

/// A tap's world, seen through the mapping of one kind of record.
struct Tool {
    world: World,
    stream: Stream,
    full: bool,
}

impl Tool {
    fn new(python: &'static std::path::Path, stream: Stream, full: bool) -> Self {
        Self {
            world: World::new(python, full),
            stream,
            full,
        }
    }

    fn streams(&self) -> Json {
        let columns = match self.stream {
            Stream::Time => json!({"date": "day", "duration": "hours", "description": "title"}),
            Stream::Tasks => json!({"title": "title", "due": "day"}),
            Stream::Files => json!({"path": "title", "modified": "day"}),
            Stream::Expenses => json!({"date": "day", "amount": "hours", "description": "title"}),
            _ => json!({"name": "title"}),
        };
        let replication = if self.full { "full" } else { "incremental" };
        json!({"things": {
            "record": self.stream.as_str(),
            "replication": replication,
            "columns": columns,
        }})
    }
}

impl Subject for Tool {
    fn stream(&self) -> Stream {
        self.stream
    }

    fn connector(&self) -> Box<dyn Connector> {
        let mut values = self.world.values(self.streams(), "none");
        if self.world.now.lock().unwrap()["trouble"] == "Stalled" {
            values.push(("silent_seconds_max", Value::Count(1)));
        }
        build(&values).unwrap()
    }

    fn add(&self, count: usize) -> Vec<ExternalId> {
        self.world.change(|world| {
            let add = |_| {
                world["clock"] = (world["clock"].as_u64().unwrap() + 1).into();
                ExternalId::new(add_row(world, "Aufmaß"))
            };
            (0..count).map(add).collect()
        })
    }

    fn add_titled(&self, title: &str) -> Option<ExternalId> {
        let id = self.world.change(|world| add_row(world, title));
        Some(ExternalId::new(id))
    }

    fn edit(&self, id: &ExternalId) {
        self.world.change(|world| {
            let clock = world["clock"].clone();
            let row = row(world, id.as_str());
            row["title"] = format!("{}!", row["title"].as_str().unwrap()).into();
            row["at"] = clock;
        });
    }

    fn delete(&self, id: &ExternalId) {
        self.world.change(|world| {
            let clock = world["clock"].clone();
            let row = row(world, id.as_str());
            row["_sdc_deleted_at"] = "2026-03-05T10:00:00Z".into();
            row["at"] = clock;
        });
    }

    fn truth(&self) -> BTreeSet<ExternalId> {
        let mut now = self.world.now.lock().unwrap().clone();
        let there = rows(&mut now)
            .iter()
            .filter(|row| row["_sdc_deleted_at"].is_null());
        there
            .map(|row| ExternalId::new(row["id"].to_string()))
            .collect()
    }

    fn break_with(&self, trouble: Trouble, skip: u32) -> bool {
        match trouble {
            // A program that stops early and says that all is well cannot be seen through.
            Trouble::Empty if skip > 0 => return false,
            // Nothing is asked by a call whose answer could be lost.
            Trouble::Lost => return false,
            _ => {}
        }
        self.world.change(|world| {
            world["trouble"] = format!("{trouble:?}").into();
            world["skip"] = skip.into();
        });
        true
    }

    fn heal(&self) {
        self.world.change(|world| world["trouble"] = Json::Null);
    }

    fn canary(&self) -> Option<String> {
        Some(CANARY.to_owned())
    }

    fn quiet_requests(&self) -> u64 {
        0
    }

    fn many(&self) -> usize {
        230
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_tap_that_lists_everything_conforms() {
    if let Some(python) = python() {
        suite::all(|| async { Tool::new(python, Stream::Time, true) }).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_tap_that_lists_what_is_new_conforms() {
    if let Some(python) = python() {
        suite::all(|| async { Tool::new(python, Stream::Tasks, false) }).await;
    }
}

/// The troubles are the program's and not the stream's, so the other streams are spared them.
#[tokio::test(flavor = "multi_thread")]
async fn every_kind_of_record_conforms() {
    let Some(python) = python() else { return };
    let streams = [
        Stream::Files,
        Stream::People,
        Stream::Projects,
        Stream::Expenses,
    ];
    for stream in streams {
        let tool = || Tool::new(python, stream, true);
        suite::checks_and_hides_its_secret(&tool()).await;
        suite::pages_join(&tool()).await;
        suite::a_second_pull_is_quiet(&tool()).await;
        suite::edits_are_seen(&tool()).await;
        suite::deletions_are_seen(&tool()).await;
        suite::normalises_purely(&tool()).await;
        suite::texts_are_kept(&tool()).await;
    }
}

#[test]
fn settings_are_declared() {
    let secret = || Value::Secret(Secret::new(CANARY));
    let settings = world::settings(&[
        ("command", texts(&["/opt/tap/bin/tap"])),
        ("config", table(json!({"key": "{credential}"}))),
        ("environment", table(json!({"KEY": "{credential_2}"}))),
        ("credential", secret()),
        ("credential_2", secret()),
        ("credential_3", secret()),
        ("streams", table(world::zeiten())),
        ("time_zone", Value::Text("UTC".to_owned())),
        ("select", Value::Text("properties".to_owned())),
        ("catalog", Value::Path("/etc/catalog.json".into())),
        ("directory", Value::Path("/tmp".into())),
        ("seconds_max", Value::Count(10)),
        ("silent_seconds_max", Value::Count(10)),
        ("output_mib_max", Value::Count(10)),
        ("records_max", Value::Count(10)),
    ]);
    suite::settings_are_declared(world::entry(), &settings, &world::platform());
}

/// What a night costs: starts of the program, for its requests are its own.
#[tokio::test(flavor = "multi_thread")]
async fn a_night_is_one_run_and_one_look() {
    let Some(python) = python() else { return };
    let tool = Tool::new(python, Stream::Time, false);
    tool.world.change(|world| {
        for _ in 0..1000 {
            add_row(world, "Aufmaß");
        }
    });
    let connector = build(&tool.world.values(tool.streams(), "catalog")).unwrap();
    let mut counts = Vec::new();
    let mut cursor = Cursor::start();
    for (night, changed) in [("first pull", 0), ("quiet night", 0), ("1 % changed", 10)] {
        for id in 1..=changed {
            tool.edit(&ExternalId::new(id.to_string()));
        }
        let before = tool.world.starts();
        cursor = pull_well(&*connector, &cursor).await.1;
        counts.push((night, tool.world.starts() - before));
    }
    suite::requests_table("exec", "1,000 entries; starts of the program", &counts);
    assert_eq!(
        counts,
        [("first pull", 2), ("quiet night", 2), ("1 % changed", 2)]
    );
}
