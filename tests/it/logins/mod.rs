//! Stored logins: sealed, renewed by several processes, killed at any write, and what a night
//! does when one has ended.

mod child;
mod command;
mod killed;
mod night;
mod person;
mod provider;
mod vault;

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use chrono::{DateTime, Utc};
use stundenbuch::config::Config;
use stundenbuch::logins::Vault;
use stundenbuch::run::sources::Environment;
use stundenbuch_connectors::Platform;
use stundenbuch_connectors::budget::MemoryBudgets;
use stundenbuch_connectors::clock::Clock;
use stundenbuch_connectors::http::{Http, Options};
use stundenbuch_connectors::kind::Bucket;
use stundenbuch_connectors::login::{
    self, ClientAuth, Consent, Grant, Logins as _, OAuth, Redirect, Stored, Tokens,
};
use tempfile::TempDir;

use crate::fakes::Server;
use crate::fakes::logins::{CLIENT, Provider};

/// The connection whose login is looked at.
const NAME: &str = "clocked";

static API: [Bucket; 1] = [Bucket {
    name: "api",
    requests: 100_000,
    per: Duration::from_mins(1),
    reserve: 0,
    spacing: Duration::ZERO,
}];

/// A directory with a configuration and a key.
struct Home {
    dir: TempDir,
}

impl Home {
    fn new() -> Self {
        let home = Self {
            dir: tempfile::tempdir().unwrap(),
        };
        std::fs::write(home.file(), CONFIG).unwrap();
        let made = Vault::with_key(&home.config(), &Environment::default());
        assert_eq!(made.unwrap().1, Some(home.key()));
        home
    }

    fn path(&self) -> &Path {
        self.dir.path()
    }

    fn file(&self) -> PathBuf {
        self.path().join("stundenbuch.toml")
    }

    fn key(&self) -> PathBuf {
        self.path().join("credentials/login-key")
    }

    fn config(&self) -> Config {
        config(self.path())
    }

    fn vault(&self) -> Vault {
        Vault::of(&self.config(), &Environment::default())
    }

    /// The file of the connection's login.
    fn login(&self) -> PathBuf {
        self.path().join("var/ledger.db.logins").join(NAME)
    }

    fn tokens(&self) -> Tokens {
        match self.vault().load(NAME).unwrap() {
            Some(Stored::Tokens(tokens)) => tokens,
            other => panic!("{other:?}"),
        }
    }

    /// Stores a login whose access token has ended.
    async fn log_in(&self, provider: &Provider, base: &str, clock: Arc<dyn Clock>) {
        let platform = platform(self.path(), clock);
        let tokens = log_in(provider, base, &platform).await;
        let ended = Tokens {
            expires_at: Some(DateTime::UNIX_EPOCH),
            ..tokens
        };
        let stored = Stored::Tokens(ended);
        platform.logins.save(NAME, &stored).unwrap();
    }
}

const CONFIG: &str = r#"[issuer]
name = "Mara Lindgrün"
address = ["Gartenweg 3", "50667 Köln"]
tax_number = "215/5081/0815"

[ledger]
path = "var/ledger.db"

[connections.drive]
connector = "folder"
path = "drive"
"#;

fn config(home: &Path) -> Config {
    Config::load(Some(&home.join("stundenbuch.toml")), &BTreeMap::new()).unwrap()
}

fn platform(home: &Path, clock: Arc<dyn Clock>) -> Platform {
    let budgets = Arc::new(MemoryBudgets::default());
    let environment = Environment::default();
    stundenbuch::run::sources::platform(&config(home), &environment, clock, budgets)
}

/// A service at this address.
fn service(base: &str) -> OAuth {
    OAuth {
        authorize_url: format!("{base}/authorize"),
        token_url: format!("{base}/token"),
        device_url: Some(format!("{base}/device")),
        client_id: CLIENT.to_owned(),
        client_secret: None,
        client_auth: ClientAuth::Form,
        scopes: vec!["read".to_owned()],
        pkce: true,
        authorize_extra: &[],
        redirect: Redirect::AnyPort,
        grant: Grant::Login { shown_code: false },
    }
}

/// A person logs in.
async fn log_in(provider: &Provider, base: &str, platform: &Platform) -> Tokens {
    let service = service(base);
    let consent = Consent::begin(NAME, &service, Some("http://127.0.0.1:1/")).unwrap();
    let answer = provider.agree(&consent.page);
    let code = consent.code(&answer, &service).unwrap();
    let finished = consent.finish(NAME, &service, platform, &code);
    finished.await.unwrap()
}

/// The way of a connection that has logged in at this address.
fn http(base: &str, platform: &Platform) -> Http {
    let mut options = Options::new(NAME, base, &API);
    options.access = Some(login::oauth(NAME, service(base), platform).unwrap());
    Http::new(options, platform).unwrap()
}

/// The fake service on a clock that stands.
async fn started() -> (Provider, Server) {
    let now: DateTime<Utc> = "2026-11-22T05:00:00Z".parse().unwrap();
    let provider = Provider::new(stundenbuch_connectors::clock::ManualClock::at(now));
    let server = Server::start(provider.router()).await;
    (provider, server)
}

/// Every byte of every file below a directory.
fn bytes_below(directory: &Path) -> Vec<u8> {
    let mut bytes = Vec::new();
    for entry in std::fs::read_dir(directory).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            bytes.extend(bytes_below(&path));
        } else {
            bytes.extend(std::fs::read(&path).unwrap());
        }
    }
    bytes
}

fn holds(bytes: &[u8], word: &str) -> bool {
    bytes
        .windows(word.len())
        .any(|window| window == word.as_bytes())
}
