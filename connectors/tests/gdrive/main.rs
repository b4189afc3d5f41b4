//! The Google Drive connector against a Drive that behaves, and one that does not.

#![allow(
    clippy::unwrap_used,
    reason = "a test file, though not each function is a test"
)]

#[path = "../../../tests/fakes/mod.rs"]
mod fakes;

mod big;
mod burnt;
mod conformance;
mod deletion;
mod delivery;
mod described;
mod folders;
mod login;

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::Duration;

use stundenbuch_connectors::budget::MemoryBudgets;
use stundenbuch_connectors::clock::ManualClock;
use stundenbuch_connectors::contract::{
    Absent, Cursor, Item, Outgoing, OutgoingFile, Presence, Pull, Receipt,
};
use stundenbuch_connectors::error::Kind as ErrorKind;
use stundenbuch_connectors::kind::{Settings, Value};
use stundenbuch_connectors::login::{Logins as _, Memory};
use stundenbuch_connectors::record::{ExternalId, File, Record, Stream};
use stundenbuch_connectors::secret::Secret;
use stundenbuch_connectors::{Connector, Entry, Error, Platform};

use fakes::gdrive::{Drive, TOKEN};
use fakes::{Fault, FaultKind, Server};

const NAME: &str = "drive-test";

struct Bench {
    clock: ManualClock,
    drive: Drive,
    /// The connection's folder.
    root: String,
    server: Server,
}

impl Bench {
    async fn start() -> Self {
        let clock = ManualClock::at("2026-11-02T08:00:00Z".parse().unwrap());
        let (drive, root) = Drive::new(clock.clone());
        let server = Server::start(drive.router()).await;
        Self {
            clock,
            drive,
            root,
            server,
        }
    }

    /// The same, with the connection's folder at the top of a shared drive.
    async fn shared() -> Self {
        let mut bench = Self::start().await;
        bench.root = bench.drive.add_shared_drive("Projekte");
        bench
    }

    /// The same, with a folder within a shared drive.
    async fn within_shared() -> Self {
        let mut bench = Self::shared().await;
        bench.root = bench.drive.add_folder(&bench.root, "Kunde Nord");
        bench
    }

    fn connector(&self) -> Box<dyn Connector> {
        self.configured(&[]).unwrap()
    }

    fn configured(&self, more: &[(&str, Value)]) -> Result<Box<dyn Connector>, Error> {
        (entry().build)(NAME, &self.settings(more), &self.platform())
    }

    fn settings(&self, more: &[(&str, Value)]) -> Settings {
        let mut settings = Settings::default();
        let usual = [
            ("folder", text(&self.root)),
            ("access", text("write")),
            (
                "client_id",
                text("0-desktop.apps.googleusercontent.example"),
            ),
            ("api_url", Value::Url(self.server.base().to_owned())),
            (
                "token_url",
                Value::Url(format!("{}/token", self.server.base())),
            ),
        ];
        for (key, value) in usual.iter().chain(more) {
            settings.set(entry().kind.setting(key).unwrap(), value.clone());
        }
        settings
    }

    fn platform(&self) -> Platform {
        let logins = Memory::default();
        logins.save(NAME, &fakes::gdrive::login()).unwrap();
        Platform {
            clock: Arc::new(self.clock.clone()),
            budgets: Arc::new(MemoryBudgets::default()),
            logins: Arc::new(logins),
        }
    }

    /// A day later.
    fn next_night(&self) {
        self.clock.advance(Duration::from_hours(24));
        self.server.forget_requests();
    }

    fn sent(&self) -> usize {
        self.server.requests().len()
    }

    fn fail(&self, path: &'static str, kind: FaultKind) {
        let times = u32::MAX;
        self.server.fail(Fault { path, times, kind });
    }

    async fn deliver(&self, key: &str, file: &OutgoingFile) -> Result<Receipt, Error> {
        let outgoing = Outgoing {
            key: key.to_owned(),
            item: Item::File(file.clone()),
        };
        self.connector().deliver(&outgoing).await
    }
}

fn entry() -> &'static Entry {
    stundenbuch_connectors::find("gdrive").unwrap()
}

fn text(text: &str) -> Value {
    Value::Text(text.to_owned())
}

fn outgoing(path: &str, content: &[u8], replaces: Option<&[u8]>) -> OutgoingFile {
    OutgoingFile {
        path: path.to_owned(),
        bytes: Arc::from(content),
        sha256: hash(content),
        replaces: replaces.map(hash),
    }
}

fn hash(bytes: &[u8]) -> String {
    use sha2::Digest as _;
    let hash = sha2::Sha256::digest(bytes);
    hash.iter()
        .fold(String::new(), |text, byte| text + &format!("{byte:02x}"))
}

/// What a ledger keeps, as simple as can be: the newest state, and what is deleted. Absences are
/// looked for at the end of a pull, and many at once are held for a person, as in the ledger.
#[derive(Clone, Debug, Default, PartialEq)]
struct Ledger {
    cursor: Cursor,
    current: BTreeMap<String, (String, File)>,
    deleted: BTreeMap<String, String>,
    held: BTreeSet<String>,
    revisions: usize,
    notices: BTreeSet<&'static str>,
}

impl Ledger {
    async fn pull(&mut self, connector: &dyn Connector) -> Result<(), Error> {
        self.pull_as(connector, &Pull::Changes).await
    }

    async fn compare(&mut self, connector: &dyn Connector) -> Result<(), Error> {
        let from = chrono::DateTime::UNIX_EPOCH;
        self.pull_as(connector, &Pull::Compare { from, until: None })
            .await
    }

    async fn pull_as(&mut self, connector: &dyn Connector, mode: &Pull) -> Result<(), Error> {
        self.notices.clear();
        let mut absent = Vec::new();
        while self.page(connector, mode, &mut absent).await? {}
        for (id, presence) in connector.confirm(&absent).await? {
            if let Presence::Gone(proof) = presence {
                self.delete(id.as_str(), proof);
            }
        }
        Ok(())
    }

    /// One page with its cursor, as one transaction; tells whether there are more.
    async fn page(
        &mut self,
        connector: &dyn Connector,
        mode: &Pull,
        absent: &mut Vec<Absent>,
    ) -> Result<bool, Error> {
        let page = connector.pull(&self.cursor, mode).await?;
        for raw in &page.raw {
            for found in connector.normalise(raw).unwrap() {
                let Record::File(file) = found.record else {
                    panic!("a drive holds files");
                };
                let id = found.id.as_str().to_owned();
                self.deleted.remove(&id);
                let before = self.current.insert(id, (raw.scope.clone(), file.clone()));
                self.revisions += usize::from(before.map(|it| it.1) != Some(file));
            }
        }
        for gone in page.gone {
            self.delete(gone.id.as_str(), gone.proof);
        }
        for sweep in page.swept {
            let scope = self
                .current
                .iter()
                .filter(|(_, (scope, _))| *scope == sweep.scope);
            let all = scope.clone().count();
            let missing: Vec<&String> = scope
                .map(|(id, _)| id)
                .filter(|id| !sweep.present.contains(&ExternalId::new(id.as_str())))
                .collect();
            if missing.len() > 10.max(all / 10) {
                self.held.extend(missing.into_iter().cloned());
                continue;
            }
            absent.extend(missing.into_iter().map(|id| Absent {
                stream: Stream::Files,
                id: ExternalId::new(id.as_str()),
                scope: sweep.scope.clone(),
            }));
        }
        self.notices.extend(page.notices.iter().map(|it| it.code));
        self.cursor = page.next;
        Ok(page.more)
    }

    fn delete(&mut self, id: &str, proof: String) {
        if self.current.remove(id).is_some() {
            self.deleted.insert(id.to_owned(), proof);
        }
    }

    fn file(&self, id: &str) -> &File {
        &self.current[id].1
    }

    fn path(&self, id: &str) -> &str {
        &self.file(id).path
    }

    fn ids(&self) -> BTreeSet<String> {
        self.current.keys().cloned().collect()
    }
}

/// A first pull of what is there.
async fn pulled(bench: &Bench) -> Ledger {
    let mut ledger = Ledger::default();
    ledger.pull(&*bench.connector()).await.unwrap();
    assert_eq!(ledger.ids(), bench.drive.files_below(&bench.root));
    ledger
}
