//! Connectors of Stundenbuch.
//!
//! This package knows services; it does not know the ledger, the configuration file or a
//! contract, and cannot: the application depends on it and never the other way round.
//! `README.md` beside this file is the guide for the author of a new connector.

mod basic_auth;
pub mod budget;
pub mod clock;
pub mod contract;
mod culprit;
mod dav;
mod drive;
pub mod error;
pub mod http;
pub mod import;
pub mod kind;
pub mod login;
pub mod planted;
pub mod record;
mod rows;
pub mod secret;
#[cfg(any(test, feature = "suite"))]
pub mod suite;
mod window;

pub mod activecollab;
pub mod asana;
pub mod r#box;
pub mod clockify;
pub mod dropbox;
pub mod exec;
pub mod folder;
pub mod gdrive;
pub mod kimai;
pub mod nextcloud;
pub mod timewarrior;
pub mod toggl;
pub mod trello;
pub mod webdav;

pub use contract::{Connector, Platform};
pub use error::{Error, Reject, Result};
pub use kind::Kind;

use kind::Settings;

/// How a connector enters the program.
#[derive(Clone, Copy, Debug)]
pub struct Entry {
    pub kind: &'static Kind,
    /// Builds one connection from checked settings; its name keys the request budgets.
    pub build:
        fn(name: &str, settings: &Settings, platform: &Platform) -> Result<Box<dyn Connector>>,
}

/// The list: one line a connector.
pub const ALL: &[Entry] = &[
    toggl::ENTRY,
    clockify::ENTRY,
    kimai::ENTRY,
    timewarrior::ENTRY,
    trello::ENTRY,
    asana::ENTRY,
    activecollab::ENTRY,
    nextcloud::ENTRY,
    webdav::ENTRY,
    gdrive::ENTRY,
    dropbox::ENTRY,
    r#box::ENTRY,
    folder::ENTRY,
    exec::ENTRY,
];

/// The connector of that name.
pub fn find(name: &str) -> Option<&'static Entry> {
    ALL.iter().find(|entry| entry.kind.name == name)
}
