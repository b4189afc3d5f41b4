//! The connectors `nextcloud` and `webdav`, against a Nextcloud that behaves and one that does
//! not, and against servers as they are installed.

#![allow(
    clippy::unwrap_used,
    clippy::print_stderr,
    reason = "a test file, though not each function is a test"
)]

#[path = "../../../tests/fakes/mod.rs"]
mod fakes;

mod conformance;
mod delivery;
mod ledger;
mod nights;
mod requests;
mod servers;
mod trouble;
mod who;

use std::sync::Arc;
use std::time::Duration;

use chrono::DateTime;
use sha2::{Digest as _, Sha256};
use stundenbuch_connectors::budget::MemoryBudgets;
use stundenbuch_connectors::clock::ManualClock;
use stundenbuch_connectors::contract::{Item, Outgoing, OutgoingFile, Pull};
use stundenbuch_connectors::kind::{Settings, Value};
use stundenbuch_connectors::login::Memory;
use stundenbuch_connectors::secret::Secret;
use stundenbuch_connectors::{Connector, Error, Platform};

use fakes::Server;
use fakes::nextcloud::{Nextcloud, PASSWORD, USER};
use ledger::Ledger;

/// The full comparison of about once a week.
const WEEKLY: Pull = Pull::Compare {
    from: DateTime::UNIX_EPOCH,
    until: None,
};

/// A Nextcloud, and connections to it.
struct Bench {
    clock: ManualClock,
    cloud: Nextcloud,
    server: Server,
    logins: Memory,
}

impl Bench {
    async fn start() -> Self {
        let clock = ManualClock::at("2026-11-02T08:00:00Z".parse().unwrap());
        let cloud = Nextcloud::new(clock.clone());
        let server = Server::start(cloud.router()).await;
        let logins = Memory::default();
        Self {
            clock,
            cloud,
            server,
            logins,
        }
    }

    /// A connection to everything that the user has.
    fn connector(&self) -> Box<dyn Connector> {
        self.configured("nextcloud", &self.usual()).unwrap()
    }

    fn usual(&self) -> Vec<(&'static str, Value)> {
        vec![
            ("url", Value::Url(self.server.base().to_owned())),
            ("user", Value::Text(USER.to_owned())),
            ("password", Value::Secret(Secret::new(PASSWORD))),
            ("activity", Value::Flag(true)),
        ]
    }

    fn with_folder(&self, folder: &str) -> Box<dyn Connector> {
        let mut settings = self.usual();
        settings.push(("folder", Value::Text(folder.to_owned())));
        self.configured("nextcloud", &settings).unwrap()
    }

    /// The same files by plain WebDAV.
    fn plain(&self) -> Box<dyn Connector> {
        let url = format!("{}/remote.php/dav/files/{USER}", self.server.base());
        let settings = [
            ("url", Value::Url(url)),
            ("user", Value::Text(USER.to_owned())),
            ("password", Value::Secret(Secret::new(PASSWORD))),
        ];
        self.configured("webdav", &settings).unwrap()
    }

    fn configured(
        &self,
        name: &str,
        values: &[(&'static str, Value)],
    ) -> Result<Box<dyn Connector>, Error> {
        let entry = stundenbuch_connectors::find(name).unwrap();
        (entry.build)("drive", &settings(name, values), &self.platform())
    }

    fn platform(&self) -> Platform {
        Platform {
            clock: Arc::new(self.clock.clone()),
            budgets: Arc::new(MemoryBudgets::default()),
            logins: Arc::new(self.logins.clone()),
        }
    }

    fn tick(&self) {
        self.clock.advance(Duration::from_mins(1));
    }

    /// A day later.
    fn next_night(&self) {
        self.clock.advance(Duration::from_hours(24));
        self.server.forget_requests();
    }

    fn sent(&self) -> u64 {
        self.server.requests().len() as u64
    }

    /// The methods of the requests since the last night.
    fn methods(&self) -> Vec<String> {
        let requests = self.server.requests();
        requests.into_iter().map(|it| it.method).collect()
    }
}

fn settings(name: &str, values: &[(&'static str, Value)]) -> Settings {
    let entry = stundenbuch_connectors::find(name).unwrap();
    let mut settings = Settings::default();
    for (key, value) in values {
        settings.set(entry.kind.setting(key).unwrap(), value.clone());
    }
    settings
}

/// A delivery; the same content gives the same key.
fn outgoing(path: &str, content: &[u8], replaces: Option<&[u8]>) -> Outgoing {
    let sha256 = hash(content);
    Outgoing {
        key: format!("{path} {sha256}"),
        item: Item::File(OutgoingFile {
            path: path.to_owned(),
            bytes: content.into(),
            sha256,
            replaces: replaces.map(hash),
        }),
    }
}

fn hash(bytes: &[u8]) -> String {
    use std::fmt::Write as _;
    Sha256::digest(bytes)
        .iter()
        .fold(String::new(), |mut text, byte| {
            write!(text, "{byte:02x}").unwrap();
            text
        })
}
