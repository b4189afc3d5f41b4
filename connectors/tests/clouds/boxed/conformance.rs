//! The conformance suite over the fake Box.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use stundenbuch_connectors::Connector;
use stundenbuch_connectors::kind::Value;
use stundenbuch_connectors::login::{ClientAuth, Grant, Login};
use stundenbuch_connectors::record::{ExternalId, Stream};
use stundenbuch_connectors::suite::{self, Subject, Trouble};

use super::Bench;
use crate::fakes::boxed::TOKEN;
use crate::fakes::{Fault, FaultKind};

/// A Box of which one folder is read.
struct World {
    bench: Bench,
    root: String,
    made: AtomicUsize,
}

const FOLDER: &str = "Kunden/Nord";

impl World {
    async fn start() -> Self {
        let bench = Bench::start().await;
        let root = bench.service.folder(FOLDER);
        bench.service.write("Privat/Steuer.pdf", b"not read");
        bench.service.options(|it| (it.page, it.chunk) = (4, 3));
        Self {
            bench,
            root,
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
        self.bench.on(&self.root)
    }

    fn add(&self, count: usize) -> Vec<ExternalId> {
        let one = |_| {
            let number = self.number();
            let path = format!("{FOLDER}/Ordner {}/Datei {number}.txt", number % 3);
            ExternalId::new(self.bench.service.write(&path, path.as_bytes()))
        };
        (0..count).map(one).collect()
    }

    fn edit(&self, id: &ExternalId) {
        let number = self.number();
        self.bench
            .service
            .edit(id.as_str(), format!("Fassung {number}").as_bytes());
    }

    fn add_titled(&self, text: &str) -> Option<ExternalId> {
        if text.contains('/') {
            return None;
        }
        Some(ExternalId::new(
            self.bench.service.write(&format!("{FOLDER}/{text}"), b"x"),
        ))
    }

    fn delete(&self, id: &ExternalId) {
        self.number();
        self.bench.service.trash(id.as_str());
    }

    fn truth(&self) -> BTreeSet<ExternalId> {
        let inside = self.delivered().unwrap();
        let service = &self.bench.service;
        let all = service.ids().into_iter();
        let ids: BTreeSet<_> = all
            .filter(|id| service.path(id).starts_with(&format!("{FOLDER}/")))
            .map(ExternalId::new)
            .collect();
        assert_eq!(ids.len(), inside.len());
        ids
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
        let files = self.bench.service.files().into_iter();
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
    let url = |path: &str| Value::Url(format!("{}{path}", bench.server.base()));
    let text = |it: &str| Value::Text(it.to_owned());
    let more = [
        ("redirect_url", text("http://127.0.0.1:53682/callback")),
        ("authorize_url", url("/api/oauth2/authorize")),
        ("token_url", url("/oauth2/token")),
        ("enterprise_id", text("123456")),
        ("user_id", text("7")),
    ];
    // Both at once exclude each other, and both are read.
    let both = bench.settings("0", &more);
    assert!(
        bench
            .build(&both)
            .unwrap_err()
            .advice()
            .unwrap()
            .contains("leave one")
    );
    let read = both.read_keys();
    let declared: BTreeSet<String> = Bench::entry()
        .kind
        .settings
        .iter()
        .map(|it| it.key.to_owned())
        .collect();
    let late: BTreeSet<_> = [
        "authorize_url",
        "token_url",
        "redirect_url",
        "api_url",
        "upload_url",
        "folder",
    ]
    .map(str::to_owned)
    .into();
    let one = bench.settings("0", &more[..4]);
    bench.build(&one).unwrap();
    let all: BTreeSet<String> = read.union(&one.read_keys()).cloned().collect();
    assert_eq!(all, declared);
    assert!(late.is_subset(&one.read_keys()));
}

#[tokio::test]
async fn a_login_is_described_and_client_credentials_need_none() {
    let bench = Bench::start().await;
    let Some(Login::OAuth(oauth)) = bench.connector().login() else {
        panic!("no login");
    };
    assert!(!oauth.pkce && oauth.client_auth == ClientAuth::Form);
    assert!(matches!(oauth.grant, Grant::Login { shown_code: false }));
    let text = Value::Text("123456".to_owned());
    let settings = bench.settings("0", &[("enterprise_id", text)]);
    assert!(bench.build(&settings).unwrap().login().is_none());
    let shown = format!("{:?} {oauth:?}", bench.connector());
    assert!(!shown.contains(super::SECRET), "{shown}");
    for folder in ["", "Kunden", "0/1", "-1"] {
        assert!(
            bench.build(&bench.settings(folder, &[])).is_err(),
            "{folder}"
        );
    }
}
