//! A house of other tools: time in Clockify, tasks in Asana, documents in a Nextcloud. Whole nights
//! of the program over a configuration file, as a user has one.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use chrono::{DateTime, Utc};
use stundenbuch::config::Config;
use stundenbuch::finding::Kind;
use stundenbuch::run::nightly::{self, Plan};
use stundenbuch::run::report::{Exit, Report};
use stundenbuch::run::sources::Environment;
use stundenbuch::statements;
use stundenbuch::store::Store;
use stundenbuch_connectors::clock::{Clock as _, ManualClock};

use crate::fakes::asana::{self, Asana};
use crate::fakes::clockify::{self, Clockify, Entry};
use crate::fakes::nextcloud::{self, Nextcloud};
use crate::fakes::{Fault, FaultKind, Server};

/// 03:15 in Berlin.
const FIRST: &str = "2026-11-03T02:15:00Z";

struct House {
    dir: tempfile::TempDir,
    clock: ManualClock,
    time: Clockify,
    board: Asana,
    board_server: Server,
    cloud: Nextcloud,
    cloud_server: Server,
    config: Config,
    environment: Environment,
    store: Store,
}

impl House {
    async fn new() -> Self {
        let clock = ManualClock::at(at(FIRST));
        let time = Clockify::start(clock.clone()).await;
        let board = Asana::new(clock.clone());
        let board_server = Server::start(board.router()).await;
        let cloud = Nextcloud::new(clock.clone());
        let cloud_server = Server::start(cloud.router()).await;
        cloud.folder("Kunden/Nord");
        let dir = tempfile::tempdir().unwrap();
        let file = dir.path().join("stundenbuch.toml");
        let text = toml(&time, &board_server, &cloud_server);
        std::fs::write(&file, text).unwrap();
        let secrets = [
            ("CLOCKIFY", clockify::KEY),
            ("ASANA", asana::TOKEN),
            ("CLOUD", nextcloud::PASSWORD),
        ];
        let secrets = secrets.map(|(name, value)| (name.to_owned(), value.to_owned()));
        let environment = Environment {
            variables: BTreeMap::from(secrets),
        };
        let config = Config::load(Some(&file), &environment.variables).unwrap();
        let store = Store::open(&config.ledger, at(FIRST)).unwrap();
        Self {
            dir,
            clock,
            time,
            board,
            board_server,
            cloud,
            cloud_server,
            config,
            environment,
            store,
        }
    }

    /// A day later, the next night.
    async fn night(&mut self) -> Report {
        self.clock.advance(Duration::from_hours(24));
        self.board_server.forget_requests();
        self.cloud_server.forget_requests();
        let plan = Plan {
            trigger: "schedule".into(),
            ..Plan::default()
        };
        let clock = Arc::new(self.clock.clone());
        let (store, config) = (&mut self.store, &self.config);
        let report = nightly::run(store, config, &self.environment, clock, &plan).await;
        report.unwrap()
    }

    /// Time on a task, on a day in October.
    fn work(&self, task: &str, start: &str, minutes: i64) {
        let mut entry = Entry::of(at(start), minutes);
        task.clone_into(&mut entry.description);
        self.time.with(|world| world.add(entry));
    }

    fn seal(&mut self) -> String {
        let client = self.config.client("nord").unwrap();
        let period = "2026-10".parse().unwrap();
        let now = self.clock.now();
        let sealed = statements::seal(&mut self.store, &self.config, client, period, now);
        sealed.unwrap().number.unwrap()
    }

    fn comments(&self, task: &str) -> Vec<String> {
        let stories = self.board.stories(task).into_iter();
        let comments = stories.filter(|it| it["resource_subtype"] == "comment_added");
        comments
            .map(|it| it["text"].as_str().unwrap_or_default().to_owned())
            .collect()
    }
}

fn at(text: &str) -> DateTime<Utc> {
    text.parse().unwrap()
}

fn toml(time: &Clockify, board: &Server, cloud: &Server) -> String {
    format!(
        r#"[issuer]
name = "Mara Lindgrün"
[ledger]
path = "ledger.db"
[connections.time]
connector = "clockify"
api_key = {{ env = "CLOCKIFY" }}
history_from = 2026-10-01
api_url = "{}"
[connections.board]
connector = "asana"
token = {{ env = "ASANA" }}
api_url = "{}/api/1.0"
history_from = 2026-10-01
[connections.cloud]
connector = "nextcloud"
url = "{}"
user = "{}"
password = {{ env = "CLOUD" }}
[clients.nord]
name = "Nordlicht GmbH"
[clients.nord.sources]
projects = ["{}"]
boards = ["Website"]
folders = ["cloud:Kunden/Nord"]
[[clients.nord.contracts]]
from = 2026-01-01
rate = "60.00"
vat = 19
[[clients.nord.deliver]]
connection = "cloud"
folder = "Kunden/Nord/Stundenzettel"
formats = ["pdf", "json"]
[[clients.nord.write_back]]
connection = "board"
field = "Stunden"
"#,
        time.api_url(),
        board.base(),
        cloud.base(),
        nextcloud::USER,
        time.with(|world| world.projects[clockify::PROJECT].0.clone()),
    )
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_month_in_other_tools_is_pulled_billed_delivered_and_told() {
    let mut house = House::new().await;
    let project = house.board.add_project("Website");
    let field = house.board.add_field("Stunden", "number", Some(2));
    let done = house.board.add_task(&project, None, "Startseite bauen");
    let other = house.board.add_task(&project, None, "Impressum");
    // Across the night in which the clocks are turned back: 01:30 to 03:30 are three hours.
    house.work("Startseite bauen", "2026-10-24T23:30:00Z", 180);
    house.work("Impressum", "2026-10-26T09:00:00Z", 45);
    house
        .cloud
        .write("erika", "Kunden/Nord/Texte.docx", "Hallo");

    let report = house.night().await;
    assert!(report.exit() <= Exit::NeedsPerson, "{report:#?}");
    assert!(
        report.sources.iter().all(|it| it.failure.is_none()),
        "{report:#?}"
    );
    let stats = house.store.stats().unwrap();
    assert_eq!(stats.work_seconds, (180 + 45) * 60);
    let files = house.store.files().unwrap();
    assert_eq!(files.len(), 1);
    let by = files[0]
        .file
        .modified_by
        .as_ref()
        .and_then(|it| it.id.clone());
    assert_eq!(by.map(|id| id.to_string()).as_deref(), Some("erika"));

    let number = house.seal();
    assert!(house.cloud.files("Kunden/Nord/Stundenzettel").is_empty());
    let report = house.night().await;
    assert_eq!(
        report.deliveries.failed,
        Vec::<String>::new(),
        "{report:#?}"
    );
    let there = house.cloud.files("Kunden/Nord/Stundenzettel");
    assert_eq!(there.len(), 2, "{:?}", there.keys());
    for bytes in there.values() {
        assert!(bytes.starts_with(b"%PDF") || bytes.starts_with(b"{"));
    }
    let text = |hours: &str| format!("Oktober 2026: {hours} Std. (Abrechnung {number})");
    assert!(
        house.comments(&done)[0].starts_with(&text("3:00")),
        "{:?}",
        house.comments(&done)
    );
    assert!(house.comments(&other)[0].starts_with(&text("0:45")));
    assert_eq!(house.board.value(&done, &field), serde_json::json!(3));
    assert_eq!(house.board.value(&other, &field), serde_json::json!(0.75));

    // A night later nothing is new: our own files and comments are no news that matters.
    let report = house.night().await;
    assert_eq!(report.deliveries.delivered, Vec::<String>::new());
    assert_eq!(house.store.stats().unwrap().work_seconds, (180 + 45) * 60);
    assert_eq!(house.comments(&done).len(), 1);
    assert_eq!(house.cloud.files("Kunden/Nord/Stundenzettel"), there);
    assert_eq!(house.store.verify().unwrap().damage, None);
    assert!(house.dir.path().join("ledger.db").exists());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_target_that_loses_its_answers_has_each_thing_once() {
    for skip in 0..12 {
        let mut house = House::new().await;
        let project = house.board.add_project("Website");
        let task = house.board.add_task(&project, None, "Startseite bauen");
        house.board.add_field("Stunden", "number", Some(2));
        house.work("Startseite bauen", "2026-10-26T09:00:00Z", 90);
        house.night().await;
        house.seal();
        for server in [&house.cloud_server, &house.board_server] {
            let fault = Fault {
                path: "/",
                times: 2,
                kind: FaultKind::LostAnswer,
            };
            server.fail_after(skip, fault);
        }
        for _ in 0..3 {
            house.night().await;
        }
        let there = house.cloud.files("Kunden/Nord/Stundenzettel");
        assert_eq!(there.len(), 2, "after {skip} requests: {:?}", there.keys());
        assert_eq!(house.comments(&task).len(), 1, "after {skip} requests");
        assert_eq!(
            house.store.parcels_open().unwrap(),
            [],
            "after {skip} requests"
        );
        let beside = house.store.findings(true).unwrap();
        let beside = beside
            .iter()
            .filter(|it| it.finding.kind == Kind::DeliveredBeside);
        assert_eq!(beside.count(), 0, "after {skip} requests");
    }
}
