//! The conformance suite over the fake Dropbox.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use stundenbuch_connectors::Connector;
use stundenbuch_connectors::kind::Value;
use stundenbuch_connectors::record::{ExternalId, Stream};
use stundenbuch_connectors::secret::Secret;
use stundenbuch_connectors::suite::{self, Subject, Trouble};

use super::Bench;
use crate::fakes::dropbox::TOKEN;
use crate::fakes::{Fault, FaultKind};

/// A Dropbox of which one folder is read, with some of it shared.
struct World {
    bench: Bench,
    made: AtomicUsize,
}

const FOLDER: &str = "/Kunden/Nord";

impl World {
    async fn start() -> Self {
        let bench = Bench::start().await;
        bench.dropbox.folder(FOLDER);
        bench.dropbox.write("/Privat/Steuer.pdf", b"not read");
        bench.dropbox.page(10);
        Self {
            bench,
            made: AtomicUsize::new(0),
        }
    }

    fn number(&self) -> usize {
        self.bench.clock.advance(Duration::from_mins(1));
        self.made.fetch_add(1, Ordering::Relaxed)
    }
}

impl Subject for World {
    fn stream(&self) -> Stream {
        Stream::Files
    }

    fn connector(&self) -> Box<dyn Connector> {
        self.bench.on(FOLDER)
    }

    fn add(&self, count: usize) -> Vec<ExternalId> {
        let one = |_| {
            let number = self.number();
            let path = format!("{FOLDER}/Ordner {}/Datei {number}.txt", number % 3);
            ExternalId::new(self.bench.dropbox.write(&path, path.as_bytes()))
        };
        (0..count).map(one).collect()
    }

    fn edit(&self, id: &ExternalId) {
        let number = self.number();
        let path = self.bench.dropbox.path(id.as_str());
        self.bench
            .dropbox
            .write(&path, format!("Fassung {number}").as_bytes());
    }

    fn add_titled(&self, text: &str) -> Option<ExternalId> {
        if text.contains(['/', '\\']) {
            return None;
        }
        let path = format!("{FOLDER}/{text}");
        Some(ExternalId::new(self.bench.dropbox.write(&path, b"x")))
    }

    fn delete(&self, id: &ExternalId) {
        self.number();
        self.bench
            .dropbox
            .delete(&self.bench.dropbox.path(id.as_str()));
    }

    fn truth(&self) -> BTreeSet<ExternalId> {
        let dropbox = &self.bench.dropbox;
        let below = format!("{FOLDER}/");
        let ids = dropbox.ids().into_iter();
        ids.filter(|id| dropbox.path(id).starts_with(&below))
            .map(ExternalId::new)
            .collect()
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
        Some(TOKEN.to_owned())
    }

    fn quiet_requests(&self) -> u64 {
        1
    }

    fn delivered(&self) -> Option<BTreeMap<String, Vec<u8>>> {
        let below = format!("{FOLDER}/");
        let files = self.bench.dropbox.files().into_iter();
        let inside =
            files.filter_map(|(path, it)| Some((path.strip_prefix(&below)?.to_owned(), it)));
        Some(inside.collect())
    }

    fn requests_seen(&self) -> Option<u64> {
        Some(self.bench.sent() as u64)
    }
}

#[tokio::test]
async fn files_conform() {
    suite::all(World::start).await;
}

#[tokio::test]
async fn settings_are_declared() {
    let bench = Bench::start().await;
    let entry = Bench::entry();
    let mut settings = bench.settings(Some("/Kunden"));
    let url = |path: &str| Value::Url(format!("{}{path}", bench.server.base()));
    for (key, value) in [
        ("client_secret", Value::Secret(Secret::new("app-secret"))),
        (
            "redirect_url",
            Value::Text("http://127.0.0.1:53682/callback".to_owned()),
        ),
        ("authorize_url", url("/oauth2/authorize")),
        ("token_url", url("/oauth2/token")),
    ] {
        settings.set(entry.kind.setting(key).unwrap(), value);
    }
    suite::settings_are_declared(entry, &settings, &bench.platform());
}
