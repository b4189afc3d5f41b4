//! The conformance suite over the fake Nextcloud, for both connectors.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::atomic::{AtomicUsize, Ordering};

use stundenbuch_connectors::record::{ExternalId, Stream};
use stundenbuch_connectors::suite::{self, Subject, Trouble};

use super::*;
use fakes::{Fault, FaultKind};

/// More than one page has.
const FOLDERS: usize = 55;

/// The same world, seen by number or by path.
struct World {
    bench: Bench,
    plain: bool,
    made: AtomicUsize,
}

impl World {
    async fn start(plain: bool) -> Self {
        Self {
            bench: Bench::start().await,
            plain,
            made: AtomicUsize::new(0),
        }
    }

    fn write(&self, path: &str, content: &str) -> ExternalId {
        let id = self.bench.cloud.write(USER, path, content);
        ExternalId::new(if self.plain {
            path.to_owned()
        } else {
            id.to_string()
        })
    }

    fn number(&self, id: &ExternalId) -> u64 {
        if self.plain {
            return self.bench.cloud.find(id.as_str()).unwrap();
        }
        id.as_str().parse().unwrap()
    }

    fn path(&self, id: &ExternalId) -> String {
        let number = self.number(id);
        let files = self.bench.cloud.files("");
        let mut paths = files.into_keys();
        paths
            .find(|path| self.bench.cloud.find(path) == Some(number))
            .unwrap()
    }
}

impl Subject for World {
    fn stream(&self) -> Stream {
        Stream::Files
    }

    fn connector(&self) -> Box<dyn Connector> {
        if self.plain {
            return self.bench.plain();
        }
        self.bench.connector()
    }

    fn add(&self, count: usize) -> Vec<ExternalId> {
        self.bench.tick();
        let add = |_| {
            let number = self.made.fetch_add(1, Ordering::Relaxed);
            self.write(
                &format!("Ordner {}/Datei {number}.txt", number % FOLDERS),
                "x",
            )
        };
        (0..count).map(add).collect()
    }

    fn add_titled(&self, text: &str) -> Option<ExternalId> {
        (!text.contains('/')).then(|| self.write(text, "x"))
    }

    fn edit(&self, id: &ExternalId) {
        self.bench.tick();
        let path = self.path(id);
        let content = self.bench.cloud.files("")[&path].clone();
        let content = String::from_utf8(content).unwrap() + "!";
        self.bench.cloud.write("bert", &path, &content);
    }

    fn delete(&self, id: &ExternalId) {
        self.bench.tick();
        self.bench.cloud.delete(self.number(id));
    }

    fn truth(&self) -> BTreeSet<ExternalId> {
        let cloud = &self.bench.cloud;
        if self.plain {
            return cloud.files("").into_keys().map(ExternalId::new).collect();
        }
        let ids = cloud.ids().into_iter();
        ids.map(|id| ExternalId::new(id.to_string())).collect()
    }

    fn break_with(&self, trouble: Trouble, skip: u32) -> bool {
        if trouble == Trouble::Stalled {
            self.bench
                .clock
                .lose_patience_after(Duration::from_millis(20));
        }
        let (path, times, kind) = ("/", u32::MAX, FaultKind::of(trouble));
        self.bench
            .server
            .fail_after(skip, Fault { path, times, kind });
        true
    }

    fn heal(&self) {
        self.bench.server.heal();
        self.bench.clock.lose_patience_after(Duration::MAX);
    }

    fn canary(&self) -> Option<String> {
        Some(PASSWORD.to_owned())
    }

    fn quiet_requests(&self) -> u64 {
        if self.plain {
            // One a folder, and one for the folder of them all.
            return 1 + self.made.load(Ordering::Relaxed).min(FOLDERS) as u64;
        }
        1
    }

    fn many(&self) -> usize {
        60
    }

    fn requests_seen(&self) -> Option<u64> {
        Some(self.bench.sent())
    }

    fn delivered(&self) -> Option<BTreeMap<String, Vec<u8>>> {
        Some(self.bench.cloud.files(""))
    }
}

#[tokio::test]
async fn nextcloud_conforms() {
    suite::all(|| World::start(false)).await;
}

#[tokio::test]
async fn webdav_conforms() {
    suite::all(|| World::start(true)).await;
}

#[tokio::test]
async fn settings_are_declared() {
    let bench = Bench::start().await;
    let words = || Value::Texts(vec!["alt*".to_owned()]);
    let mut all = bench.usual();
    all.extend([
        ("folder", Value::Text("Kunde".to_owned())),
        ("ignore", words()),
    ]);
    let entry = stundenbuch_connectors::find("nextcloud").unwrap();
    suite::settings_are_declared(entry, &settings("nextcloud", &all), &bench.platform());
    let mut all = bench.usual();
    all.retain(|(key, _)| *key != "activity");
    all.push(("ignore", words()));
    let entry = stundenbuch_connectors::find("webdav").unwrap();
    suite::settings_are_declared(entry, &settings("webdav", &all), &bench.platform());
}
