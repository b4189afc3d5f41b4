//! A house to spend nights in: both fake services, a configuration, a ledger, one clock.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};
use std::sync::Arc;

use chrono::{DateTime, Duration, TimeDelta, Utc};
use stundenbuch::config::Config;
use stundenbuch::finding::{Finding, Kind};
use stundenbuch::ledger::Event;
use stundenbuch::run::nightly::{self, Plan};
use stundenbuch::run::report::{Report, SourceReport};
use stundenbuch::run::sources::Environment;
use stundenbuch::store::{Store, WorkQuery};
use stundenbuch_connectors::clock::ManualClock;
use stundenbuch_connectors::record::{ExternalId, Stream};
use tempfile::TempDir;

use crate::fakes::Server;
use crate::fakes::toggl::{self, Entry, Toggl};
use crate::fakes::trello::{self, Trello};

/// The first night: 03:15 in Berlin.
const FIRST: &str = "2026-11-03T02:15:00Z";
/// The first day of the history that is read.
pub(crate) const HISTORY: &str = "2026-08-20T06:00:00Z";

/// Both services, the program's files, and the clock that all of them share.
#[derive(Debug)]
pub(crate) struct House {
    pub(crate) dir: TempDir,
    pub(crate) clock: ManualClock,
    pub(crate) toggl: Toggl,
    pub(crate) trello: Trello,
    pub(crate) boards_server: Server,
    pub(crate) config: Config,
    pub(crate) environment: Environment,
    pub(crate) store: Store,
    nights: i64,
}

/// What the services hold at first; the same numbers give the same identifiers.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Size {
    pub(crate) boards: usize,
    pub(crate) cards: usize,
    pub(crate) entries: i64,
}

/// Enough of everything to see a fault's effect.
pub(crate) const SMALL: Size = Size {
    boards: 2,
    cards: 12,
    entries: 30,
};

/// The current state of a ledger: of each record, its content and whether it is deleted; and of
/// each finding that is open, its kind and subject. No row numbers, no instants of reading.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct State {
    pub(crate) records: BTreeMap<String, (String, bool)>,
    pub(crate) works: Vec<(String, String, bool, Option<String>)>,
}

impl House {
    pub(crate) async fn new(size: Size) -> Self {
        let clock = ManualClock::at(FIRST.parse().unwrap());
        let toggl = Toggl::start(clock.clone()).await;
        let trello = Trello::new(clock.clone());
        let boards_server = Server::start(trello.router()).await;
        for number in 0..size.boards {
            let board = trello.add_board(&format!("Kunde {number}"));
            let list = trello.add_list(&board, "In Arbeit");
            trello.add_list(&board, "Fertig");
            for card in 0..size.cards {
                trello.add_card(&list, &format!("Aufgabe {number}-{card}"));
            }
        }
        for number in 0..size.entries {
            toggl.add(nth_entry(number));
        }
        let dir = tempfile::tempdir().unwrap();
        std::fs::create_dir(dir.path().join("drive")).unwrap();
        let file = dir.path().join("stundenbuch.toml");
        std::fs::write(&file, toml(&toggl, &boards_server)).unwrap();
        let environment = Environment {
            variables: BTreeMap::from(
                [
                    ("TOGGL_TOKEN", toggl::TOKEN),
                    ("TRELLO_KEY", trello::KEY),
                    ("TRELLO_TOKEN", trello::TOKEN),
                ]
                .map(|(name, value)| (name.to_owned(), value.to_owned())),
            ),
        };
        let config = Config::load(Some(&file), &environment.variables).unwrap();
        let store = Store::open(&config.ledger, FIRST.parse().unwrap()).unwrap();
        Self {
            dir,
            clock,
            toggl,
            trello,
            boards_server,
            config,
            environment,
            store,
            nights: 0,
        }
    }

    /// The configuration file.
    pub(crate) fn file(&self) -> PathBuf {
        self.config.file.clone()
    }

    /// Where documents are delivered to.
    pub(crate) fn drive(&self) -> PathBuf {
        self.dir.path().join("drive")
    }

    /// Turns the clock to noon of the day before the next night, for people to do something.
    pub(crate) fn noon(&self) -> DateTime<Utc> {
        let noon = night(self.nights) - TimeDelta::hours(14);
        self.clock.set(noon);
        noon
    }

    /// Runs the next night, whole.
    pub(crate) async fn night(&mut self) -> Report {
        self.pass(&Plan {
            trigger: "schedule".into(),
            ..Plan::default()
        })
        .await
    }

    /// Runs a pass at the hour of the next night.
    pub(crate) async fn pass(&mut self, plan: &Plan) -> Report {
        self.clock.set(night(self.nights));
        self.nights += 1;
        self.toggl.server.forget_requests();
        self.boards_server.forget_requests();
        let clock = Arc::new(self.clock.clone());
        nightly::run(
            &mut self.store,
            &self.config,
            &self.environment,
            clock,
            plan,
        )
        .await
        .unwrap()
    }

    /// Requests of the last pass as the services counted them: to Toggl, and to Trello.
    pub(crate) fn requests(&self) -> (usize, usize) {
        (
            self.toggl.server.requests().len(),
            self.boards_server.requests().len(),
        )
    }

    /// Requests that the services ever refused for being too many.
    pub(crate) fn refused(&self) -> u32 {
        self.toggl.refused() + self.trello.refused()
    }

    pub(crate) fn rows(&self) -> u64 {
        self.store.head().unwrap().seq
    }

    /// Open findings of a kind.
    pub(crate) fn findings(&self, kind: Kind) -> Vec<Finding> {
        let open = self.store.findings(false).unwrap().into_iter();
        open.map(|stored| stored.finding)
            .filter(|finding| finding.kind == kind)
            .collect()
    }

    /// How often a finding of a kind was opened, closed ones included.
    pub(crate) fn ever(&self, kind: Kind) -> usize {
        let all = self.store.findings(true).unwrap();
        all.iter()
            .filter(|stored| stored.finding.kind == kind)
            .count()
    }

    pub(crate) fn state(&self) -> State {
        state(&self.store)
    }

    /// The keys of all records that are deleted now.
    pub(crate) fn deleted(&self) -> Vec<String> {
        let records = self.state().records.into_iter();
        records
            .filter(|(_, (_, deleted))| *deleted)
            .map(|(key, _)| key)
            .collect()
    }

    /// What the ledger must hold of the entries, worked out from the fake's world alone.
    pub(crate) fn truth(&self) -> BTreeMap<ExternalId, i64> {
        self.toggl.with(|world| {
            let there = world.entries.iter().filter(|(_, it)| it.deleted.is_none());
            there
                .filter_map(|(id, it)| {
                    let seconds = it.stop?.timestamp() - it.start.timestamp();
                    Some((ExternalId::new(id.to_string()), seconds))
                })
                .collect()
        })
    }

    /// The ledger's works that are not deleted, with their seconds.
    pub(crate) fn worked(&self) -> BTreeMap<ExternalId, i64> {
        let works = self.store.works(&WorkQuery::default()).unwrap();
        let there = works.into_iter().filter(|work| !work.deleted);
        there
            .filter_map(|work| Some((work.key.id.clone(), work.entry.worked.seconds()?)))
            .collect()
    }

    /// The cards of every board at the service.
    pub(crate) fn cards(&self) -> Vec<String> {
        let boards = self.trello.boards();
        boards
            .iter()
            .flat_map(|board| self.trello.ids(board).0)
            .collect()
    }

    /// The ledger's tasks that are not deleted.
    pub(crate) fn tasks(&self) -> Vec<String> {
        let tasks = self.store.tasks().unwrap();
        let there = tasks.into_iter().filter(|task| !task.deleted);
        let mut ids: Vec<String> = there.map(|task| task.key.id.to_string()).collect();
        ids.sort();
        ids
    }

    /// The ledger holds what the services hold, no more and no less.
    pub(crate) fn assert_true(&self) {
        assert_eq!(self.worked(), self.truth());
        let stats = self.store.stats().unwrap();
        let seconds = self.toggl.with(|world| world.worked_seconds());
        assert_eq!(stats.work_seconds, seconds);
        let mut cards = self.cards();
        cards.sort();
        assert_eq!(self.tasks(), cards);
    }
}

impl State {
    /// Only what is there: a record that came and went while nobody could look was never seen,
    /// nor was what had been done to it.
    pub(crate) fn present(&self) -> Self {
        let is_there = |key: &str| self.records.get(key).is_some_and(|(_, deleted)| !deleted);
        let there = self.records.iter().filter(|(key, (content, _))| {
            let task = content.split(r#""task":""#).nth(1);
            let task = task.and_then(|rest| rest.split('"').next());
            let of_one_gone = key.contains("/activity/")
                && task.is_some_and(|task| !is_there(&format!("trello/tasks/{task}")));
            is_there(key) && !of_one_gone
        });
        Self {
            records: there.map(|(key, it)| (key.clone(), it.clone())).collect(),
            works: self.works.iter().filter(|it| !it.2).cloned().collect(),
        }
    }

    /// Fails with what differs, and not with everything.
    pub(crate) fn assert_same(&self, expected: &Self, case: &str) {
        let keys = self.records.keys().chain(expected.records.keys());
        for key in keys {
            let (found, wanted) = (self.records.get(key), expected.records.get(key));
            assert_eq!(found, wanted, "{case}: {key}");
        }
        for (found, wanted) in self.works.iter().zip(&expected.works) {
            assert_eq!(found, wanted, "{case}");
        }
        assert_eq!(self.works.len(), expected.works.len(), "{case}");
    }
}

/// One source's part of a report.
pub(crate) fn of<'a>(report: &'a Report, connection: &str) -> &'a SourceReport {
    let mut sources = report.sources.iter();
    sources.find(|it| it.connection == connection).unwrap()
}

/// Works out the current state from the journal's rows, beside the program's own projection,
/// and takes the works from the projection.
pub(crate) fn state(store: &Store) -> State {
    let mut records: BTreeMap<String, (String, bool)> = BTreeMap::new();
    store
        .rows_after(0, |row| -> Result<(), stundenbuch::store::Error> {
            match row.event()? {
                Event::Revision(revision) => {
                    let content = serde_json::to_string(&revision.record).unwrap();
                    let scoped = format!("{} {content}", revision.scope);
                    records.insert(row.subject, (scoped, false));
                }
                Event::Deleted(_) => records.get_mut(&row.subject).unwrap().1 = true,
                _ => {}
            }
            Ok(())
        })
        .unwrap();
    let works = store.works(&WorkQuery::default()).unwrap();
    let mut works: Vec<_> = works
        .into_iter()
        .map(|work| {
            let entry = serde_json::to_string(&work.entry).unwrap();
            (work.key.to_string(), entry, work.deleted, work.statement)
        })
        .collect();
    works.sort();
    State { records, works }
}

/// The instant of a night; the first is number 0.
fn night(number: i64) -> DateTime<Utc> {
    FIRST.parse::<DateTime<Utc>>().unwrap() + Duration::days(number)
}

/// Entry number so-and-so of the history: about thirteen a day, none overlapping, with odd
/// seconds, two projects, some of it not billable.
pub(crate) fn nth_entry(number: i64) -> Entry {
    let begin: DateTime<Utc> = HISTORY.parse().unwrap();
    let start =
        begin + TimeDelta::days(number / 14) + TimeDelta::seconds(number % 14 * 3_000 + number % 7);
    let stop = start + TimeDelta::seconds(600 + (number * 37) % 2_300);
    Entry {
        stop: Some(stop),
        at: Some(stop),
        description: Some(format!("Aufgabe {}-{}", number % 5, number % 100)),
        project: (number % 11 != 0).then_some(3_000_001),
        billable: number % 9 != 0,
        tags: if number % 4 == 0 {
            vec![5_000_001]
        } else {
            Vec::new()
        },
        ..Entry::of(start, 1)
    }
}

fn toml(toggl: &Toggl, boards: &Server) -> String {
    format!(
        r#"[issuer]
name = "Mara Lindgrün"
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

[connections.drive]
connector = "folder"
path = "drive"

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
group_by = "task"

[[clients.ahorn.deliver]]
connection = "drive"
folder = "Berichte"
formats = ["csv", "json"]
"#,
        toggl.api_url(),
        toggl.reports_url(),
        boards.base(),
    )
}

/// All records of a stream in a state.
pub(crate) fn count(state: &State, connection: &str, stream: Stream) -> usize {
    let prefix = format!("{connection}/{stream}/");
    let keys = state.records.keys();
    keys.filter(|key| key.starts_with(&prefix)).count()
}

/// A file's bytes.
pub(crate) fn bytes(path: &Path) -> Vec<u8> {
    std::fs::read(path).unwrap()
}

/// Runs the program itself on a house's files.
pub(crate) async fn stundenbuch(house: &House, args: &[&str]) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_stundenbuch"));
    command
        .args(args)
        .arg("--config")
        .arg(house.file())
        .env_clear()
        .envs(&house.environment.variables);
    let run = tokio::task::spawn_blocking(move || command.output());
    run.await.unwrap().unwrap()
}
