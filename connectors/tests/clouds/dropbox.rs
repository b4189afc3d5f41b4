//! Dropbox.

mod budget;
mod changes;
mod conformance;
mod delivery;
mod described;

use std::time::Duration;

use stundenbuch_connectors::clock::ManualClock;
use stundenbuch_connectors::kind::{Settings, Value};
use stundenbuch_connectors::{Connector, Entry, Error, Platform, find};

use crate::fakes::Server;
use crate::fakes::dropbox::{Dropbox, TOKEN};
use crate::{NAME, at, logged_in};

struct Bench {
    clock: ManualClock,
    dropbox: Dropbox,
    server: Server,
}

impl Bench {
    async fn start() -> Self {
        let clock = ManualClock::at(at("2026-11-02T08:00:00Z"));
        let dropbox = Dropbox::new(clock.clone());
        let server = Server::start(dropbox.router()).await;
        Self {
            clock,
            dropbox,
            server,
        }
    }

    fn entry() -> &'static Entry {
        find("dropbox").unwrap()
    }

    /// Everything is read.
    fn connector(&self) -> Box<dyn Connector> {
        self.build(&self.settings(None)).unwrap()
    }

    fn on(&self, folder: &str) -> Box<dyn Connector> {
        self.build(&self.settings(Some(folder))).unwrap()
    }

    fn build(&self, settings: &Settings) -> Result<Box<dyn Connector>, Error> {
        (Self::entry().build)(NAME, settings, &self.platform())
    }

    fn settings(&self, folder: Option<&str>) -> Settings {
        let mut settings = Settings::default();
        let base = self.server.base();
        let url = |path: &str| Value::Url(format!("{base}{path}"));
        let mut usual = vec![
            ("client_id", Value::Text("app-key".to_owned())),
            ("api_url", url("/2")),
            ("content_url", url("/content/2")),
        ];
        usual.extend(folder.map(|folder| ("folder", Value::Text(folder.to_owned()))));
        for (key, value) in usual {
            settings.set(Self::entry().kind.setting(key).unwrap(), value);
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
        self.server.requests().len()
    }
}
