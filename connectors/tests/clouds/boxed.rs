//! Box.

mod budget;
mod changes;
mod conformance;
mod delivery;
mod described;

use std::time::Duration;

use stundenbuch_connectors::clock::ManualClock;
use stundenbuch_connectors::kind::{Settings, Value};
use stundenbuch_connectors::secret::Secret;
use stundenbuch_connectors::{Connector, Entry, Error, Platform, find};

use crate::fakes::Server;
use crate::fakes::boxed::{Boxed, TOKEN};
use crate::{NAME, at, logged_in};

/// The app's secret; stands nowhere else.
const SECRET: &str = "FakeBoxClientSecretThatStandsNowhereElse";

struct Bench {
    clock: ManualClock,
    service: Boxed,
    server: Server,
    /// The other host, which downloads come from.
    abroad: Server,
}

impl Bench {
    async fn start() -> Self {
        let clock = ManualClock::at(at("2026-11-02T08:00:00Z"));
        let service = Boxed::new(clock.clone());
        let server = Server::start(service.router()).await;
        let abroad = Server::start(service.downloads()).await;
        service.download_from(abroad.base());
        Self {
            clock,
            service,
            server,
            abroad,
        }
    }

    fn entry() -> &'static Entry {
        find("box").unwrap()
    }

    /// Everything is read.
    fn connector(&self) -> Box<dyn Connector> {
        self.on("0")
    }

    fn on(&self, folder: &str) -> Box<dyn Connector> {
        self.build(&self.settings(folder, &[])).unwrap()
    }

    fn build(&self, settings: &Settings) -> Result<Box<dyn Connector>, Error> {
        (Self::entry().build)(NAME, settings, &self.platform())
    }

    fn settings(&self, folder: &str, more: &[(&str, Value)]) -> Settings {
        let mut settings = Settings::default();
        let url = |path: &str| Value::Url(format!("{}{path}", self.server.base()));
        let usual = [
            ("client_id", Value::Text("app".to_owned())),
            ("client_secret", Value::Secret(Secret::new(SECRET))),
            ("folder", Value::Text(folder.to_owned())),
            ("api_url", url("/2.0")),
            ("upload_url", url("/upload")),
        ];
        for (key, value) in usual.iter().chain(more) {
            settings.set(Self::entry().kind.setting(key).unwrap(), value.clone());
        }
        settings
    }

    fn platform(&self) -> Platform {
        logged_in(&self.clock, TOKEN)
    }

    /// A day later.
    fn next_night(&self) {
        self.clock.advance(Duration::from_hours(24));
        self.server.forget_requests();
    }

    fn sent(&self) -> usize {
        self.server.requests().len() + self.abroad.requests().len()
    }
}
