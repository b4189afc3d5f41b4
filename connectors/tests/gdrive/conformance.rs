//! The conformance suite over the fake Drive: one's own drive and a shared one, and every way in
//! which a file can go.

use std::sync::atomic::{AtomicU32, Ordering};

use chrono::TimeDelta;
use stundenbuch_connectors::suite::{self, Subject, Trouble};

use super::*;

/// How a person lets a file go.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Going {
    Trashed,
    DeletedForGood,
    MovedAway,
    NoLongerShared,
}

struct World {
    bench: Bench,
    going: Going,
    /// One in another, so that a pull has several pages.
    folders: Vec<String>,
    elsewhere: String,
    made: AtomicU32,
}

impl World {
    fn of(bench: Bench, going: Going) -> Self {
        bench.drive.behave(|ways| ways.files_at_once = 7);
        bench.clock.lose_patience_after(Duration::from_millis(80));
        let drive = &bench.drive;
        let elsewhere = drive.add_folder("", "Privat");
        let mut folders = vec![bench.root.clone()];
        for depth in 0..3 {
            let folder = drive.add_folder(&folders[depth], &format!("Ebene {depth}"));
            folders.push(folder);
        }
        Self {
            bench,
            going,
            folders,
            elsewhere,
            made: AtomicU32::new(0),
        }
    }

    fn tick(&self) -> u32 {
        self.bench.clock.advance(Duration::from_mins(1));
        self.made.fetch_add(1, Ordering::Relaxed)
    }
}

impl Subject for World {
    fn stream(&self) -> Stream {
        Stream::Files
    }

    fn connector(&self) -> Box<dyn Connector> {
        self.bench.connector()
    }

    fn add(&self, count: usize) -> Vec<ExternalId> {
        let one = |at: usize| {
            let name = format!("Datei {}.txt", self.tick());
            let folder = &self.folders[at % self.folders.len()];
            ExternalId::new(self.bench.drive.add_file(folder, &name, "x"))
        };
        (0..count).map(one).collect()
    }

    fn add_titled(&self, text: &str) -> Option<ExternalId> {
        self.tick();
        // A slash in a name is shown as another sign, see the header of the connector.
        let plain = !text.contains('/');
        let id = self.bench.drive.add_file(&self.folders[1], text, "x");
        plain.then(|| ExternalId::new(id))
    }

    fn edit(&self, id: &ExternalId) {
        let content = format!("Stand {}", self.tick());
        self.bench.drive.edit(id.as_str(), &content);
    }

    fn delete(&self, id: &ExternalId) {
        self.tick();
        match self.going {
            Going::Trashed => self.bench.drive.trash(id.as_str(), true),
            Going::DeletedForGood => self.bench.drive.delete_for_good(id.as_str()),
            Going::MovedAway => self.bench.drive.move_to(id.as_str(), &self.elsewhere),
            Going::NoLongerShared => self.bench.drive.hide(id.as_str(), true),
        }
    }

    fn truth(&self) -> BTreeSet<ExternalId> {
        let files = self.bench.drive.files_below(&self.bench.root);
        files.into_iter().map(ExternalId::new).collect()
    }

    fn break_with(&self, trouble: Trouble, skip: u32) -> bool {
        let kind = FaultKind::of(trouble);
        let (path, times) = ("/", u32::MAX);
        self.bench
            .server
            .fail_after(skip, Fault { path, times, kind });
        true
    }

    fn heal(&self) {
        self.bench.server.heal();
        // What Drive has asked us to wait for is over by then.
        self.bench.clock.advance(Duration::from_hours(2));
    }

    fn canary(&self) -> Option<String> {
        Some(TOKEN.to_owned())
    }

    fn quiet_requests(&self) -> u64 {
        1
    }

    fn delivered(&self) -> Option<BTreeMap<String, Vec<u8>>> {
        Some(self.bench.drive.contents(&self.bench.root))
    }

    fn requests_seen(&self) -> Option<u64> {
        Some(self.bench.sent() as u64)
    }
}

#[tokio::test]
async fn a_folder_in_ones_own_drive_conforms() {
    suite::all(|| async { World::of(Bench::start().await, Going::Trashed) }).await;
}

#[tokio::test]
async fn a_shared_drive_conforms() {
    suite::all(|| async { World::of(Bench::shared().await, Going::DeletedForGood) }).await;
}

#[tokio::test]
async fn every_way_of_going_is_seen() {
    for shared in [false, true] {
        let bench = || async {
            if shared {
                Bench::within_shared().await
            } else {
                Bench::start().await
            }
        };
        for going in [
            Going::MovedAway,
            Going::NoLongerShared,
            Going::DeletedForGood,
        ] {
            suite::deletions_are_seen(&World::of(bench().await, going)).await;
        }
    }
}

/// With searches that know of nothing new for two days, every delivery is still there once.
#[tokio::test]
async fn deliveries_bear_searches_that_lag_behind() {
    let late = |bench: Bench| {
        bench.drive.behave(|ways| ways.lag = TimeDelta::days(2));
        World::of(bench, Going::Trashed)
    };
    let own = || async { late(Bench::start().await) };
    let within = || async { late(Bench::within_shared().await) };
    suite::delivers_once(&own().await).await;
    suite::delivers_once_though_answers_are_lost(&own).await;
    suite::delivers_once_though_answers_are_lost(&within).await;
}

#[tokio::test]
async fn settings_are_declared() {
    let bench = Bench::start().await;
    let url = |text: &str| Value::Url(text.to_owned());
    let key = include_str!("../../gdrive/fixtures/service-account.json");
    let more = [
        ("client_secret", Value::Secret(Secret::new("GOCSPX-canary"))),
        ("key", Value::Secret(Secret::new(key))),
        ("user", text("erika@example.com")),
        ("auth_url", url("http://127.0.0.1:1/auth")),
        ("token_url", url("http://127.0.0.1:1/token")),
    ];
    suite::settings_are_declared(entry(), &bench.settings(&more), &bench.platform());
}
