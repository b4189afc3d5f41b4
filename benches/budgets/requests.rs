//! Requests, counted by services that refuse what is one too many.

use std::collections::BTreeMap;
use std::sync::Arc;

use chrono::{DateTime, TimeDelta, Utc};
use stundenbuch::config::Config;
use stundenbuch::run::nightly::{self, Plan};
use stundenbuch::run::sources::Environment;
use stundenbuch::store::Store;
use stundenbuch_connectors::clock::ManualClock;

use crate::Options;
use crate::fakes::Server;
use crate::fakes::toggl::{self, Entry, Toggl};
use crate::fakes::trello::{self, Trello};
use crate::table::Table;

const BOARDS: u32 = 5;
const CARDS_EACH: u32 = 100;
const ENTRIES: i64 = 1_000;
const FIRST_NIGHT: &str = "2026-11-03T02:15:00Z";

pub(crate) fn measure(_: &Options, table: &mut Table) {
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(2)
        .enable_all()
        .build()
        .unwrap();
    runtime.block_on(nights(table));
}

async fn nights(table: &mut Table) {
    let first: DateTime<Utc> = FIRST_NIGHT.parse().unwrap();
    let clock = ManualClock::at(first);
    let toggl = Toggl::start(clock.clone()).await;
    let trello = Trello::new(clock.clone());
    let boards = Server::start(trello.router()).await;
    fill(&toggl, &trello, first);

    let dir = tempfile::tempdir().unwrap();
    let file = dir.path().join("stundenbuch.toml");
    std::fs::write(&file, configuration(&toggl, &boards)).unwrap();
    let variables = [
        ("TOGGL_TOKEN", toggl::TOKEN),
        ("TRELLO_KEY", trello::KEY),
        ("TRELLO_TOKEN", trello::TOKEN),
    ];
    let environment = Environment {
        variables: variables
            .map(|(name, value)| (name.to_owned(), value.to_owned()))
            .into(),
    };
    let config = Config::load(Some(&file), &BTreeMap::new()).unwrap();
    let mut store = Store::open(&config.ledger, first).unwrap();
    let plan = Plan {
        trigger: "bench".into(),
        ..Plan::default()
    };

    let mut counts = Vec::new();
    for night in 0..2 {
        let pass_clock = Arc::new(clock.clone());
        clock.set(first + TimeDelta::days(night));
        toggl.server.forget_requests();
        boards.forget_requests();
        nightly::run(&mut store, &config, &environment, pass_clock, &plan)
            .await
            .unwrap();
        counts.push((toggl.server.requests().len(), boards.requests().len()));
    }
    let stats = store.stats().unwrap();
    assert_eq!((stats.works, stats.tasks), (1_000, 500), "all is there");

    let (of_toggl, of_trello) = counts[0];
    table.judge(
        "requests: first pull of 5 boards, 500 cards",
        of_trello.to_string(),
        "≤ 12",
        of_trello <= 12,
    );
    table.tell(
        "requests: first pull of 1,000 entries",
        of_toggl.to_string(),
    );
    let (of_toggl, of_trello) = counts[1];
    table.judge(
        "requests: quiet night, Toggl + Trello",
        format!("{of_toggl} + {of_trello}"),
        "1 + 1",
        (of_toggl, of_trello) == (1, 1),
    );
    let refused = toggl.refused() + trello.refused();
    table.judge("requests: refused", refused.to_string(), "0", refused == 0);
}

fn fill(toggl: &Toggl, trello: &Trello, first: DateTime<Utc>) {
    for number in 0..BOARDS {
        let board = trello.add_board(&format!("Kunde {number}"));
        let list = trello.add_list(&board, "In Arbeit");
        for card in 0..CARDS_EACH {
            trello.add_card(&list, &format!("Aufgabe {number}-{card}"));
        }
    }
    for number in 0..ENTRIES {
        // Fourteen a day, back from the night.
        let start = first - TimeDelta::days(1 + number / 14) + TimeDelta::hours(number % 14);
        toggl.add(Entry {
            at: Some(start + TimeDelta::minutes(50)),
            description: Some(format!("Aufgabe {}-{}", number % 5, number % 100)),
            ..Entry::of(start, 50)
        });
    }
}

fn configuration(toggl: &Toggl, boards: &Server) -> String {
    format!(
        r#"[issuer]
name = "Studio Beispiel"
address = ["Gartenweg 3", "50667 Köln"]
tax_number = "215/5081/0815"

[ledger]
path = "ledger.db"

[connections.toggl]
connector = "toggl"
token = {{ env = "TOGGL_TOKEN" }}
history_from = 2026-08-01
api_url = "{}"
reports_url = "{}"

[connections.trello]
connector = "trello"
key = {{ env = "TRELLO_KEY" }}
token = {{ env = "TRELLO_TOKEN" }}
api_url = "{}/1"

[clients.ahorn]
name = "Bäckerei Ahorn GmbH"
address = ["Marktplatz 1", "50667 Köln"]
[clients.ahorn.sources]
clients = ["Bäckerei Ahorn"]
boards = ["Kunde 0", "Kunde 1"]
[[clients.ahorn.contracts]]
from = 2026-01-01
rate = "59.00"
vat = 19
"#,
        toggl.api_url(),
        toggl.reports_url(),
        boards.base(),
    )
}
