//! Logins against a fake service that rotates, refuses and loses answers.

#![allow(
    clippy::unwrap_used,
    reason = "a test file, though not each function is a test"
)]

#[path = "../../../tests/fakes/mod.rs"]
mod fakes;

mod agreeing;
mod device;
mod machines;
mod nextcloud;
mod renewing;

use std::sync::Arc;
use std::time::Duration;

use chrono::{DateTime, Utc};
use stundenbuch_connectors::budget::MemoryBudgets;
use stundenbuch_connectors::clock::{Clock as _, ManualClock};
use stundenbuch_connectors::http::{Access, Http, Options, Request};
use stundenbuch_connectors::kind::Bucket;
use stundenbuch_connectors::login::{
    self, ClientAuth, Consent, Grant, Logins, Memory, OAuth, Redirect, Stored, Tokens,
};
use stundenbuch_connectors::secret::Secret;
use stundenbuch_connectors::{Error, Platform};

use fakes::logins::{CANARY, CLIENT, CLIENT_SECRET, Provider};
use fakes::{Fault, FaultKind, Server};

static API: [Bucket; 1] = [Bucket {
    name: "api",
    requests: 100_000,
    per: Duration::from_mins(1),
    reserve: 0,
    spacing: Duration::ZERO,
}];

/// The connection's name.
const NAME: &str = "box";

/// A fake service, a clock, and a store of logins that outlives connections.
struct World {
    provider: Provider,
    server: Server,
    clock: ManualClock,
    logins: Memory,
    platform: Platform,
}

impl World {
    async fn start() -> Self {
        let clock = ManualClock::at(instant("2026-11-22T05:00:00Z"));
        clock.lose_patience_after(Duration::from_millis(300));
        let provider = Provider::new(clock.clone());
        let logins = Memory::default();
        Self {
            server: Server::start(provider.router()).await,
            platform: Platform {
                clock: Arc::new(clock.clone()),
                budgets: Arc::new(MemoryBudgets::default()),
                logins: Arc::new(logins.clone()),
            },
            provider,
            clock,
            logins,
        }
    }

    fn service(&self) -> OAuth {
        let at = |path: &str| format!("{}{path}", self.server.base());
        OAuth {
            authorize_url: at("/authorize"),
            token_url: at("/token"),
            device_url: Some(at("/device")),
            client_id: CLIENT.to_owned(),
            client_secret: None,
            client_auth: ClientAuth::Form,
            scopes: vec!["files.read".to_owned(), "offline".to_owned()],
            pkce: true,
            authorize_extra: &[("access_type", "offline")],
            redirect: Redirect::AnyPort,
            grant: Grant::Login { shown_code: false },
        }
    }

    /// A person logs in with a browser.
    async fn log_in(&self) -> Tokens {
        let service = self.service();
        let consent = Consent::begin(NAME, &service, Some("http://127.0.0.1:1/")).unwrap();
        let answer = self.provider.agree(&consent.page);
        let code = consent.code(&answer, &service).unwrap();
        let finished = consent.finish(NAME, &service, &self.platform, &code);
        let tokens = finished.await.unwrap();
        self.logins
            .save(NAME, &Stored::Tokens(tokens.clone()))
            .unwrap();
        tokens
    }

    /// The connection as another process would build it.
    fn access(&self) -> Arc<dyn Access> {
        login::oauth(NAME, self.service(), &self.platform).unwrap()
    }

    fn http(&self) -> Http {
        let mut options = Options::new(NAME, self.server.base(), &API);
        options.access = Some(self.access());
        Http::new(options, &self.platform).unwrap()
    }

    fn stored(&self) -> Tokens {
        match self.logins.load(NAME).unwrap() {
            Some(Stored::Tokens(tokens)) => tokens,
            other => panic!("{other:?}"),
        }
    }

    fn fail(&self, path: &'static str, times: u32, kind: FaultKind) {
        self.server.fail(Fault { path, times, kind });
    }

    /// How often the token address was asked to renew.
    fn renewals(&self) -> usize {
        let asked = |world: &mut fakes::logins::World| {
            let renewals = world.grants.iter().filter(|it| *it == "refresh_token");
            renewals.count()
        };
        self.provider.with(asked)
    }
}

/// One request to the service, and whether it was good.
async fn me(http: &Http) -> Result<(), Error> {
    http.send(Request::get("api", "/api/me")).await.map(|_| ())
}

fn instant(text: &str) -> DateTime<Utc> {
    text.parse().unwrap()
}

/// Whether a text holds anything that must not be seen.
#[track_caller]
fn is_discreet(text: &str) {
    assert!(!text.contains(CANARY), "{text}");
    assert!(!text.contains(CLIENT_SECRET), "{text}");
}
