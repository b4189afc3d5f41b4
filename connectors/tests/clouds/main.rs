//! The connectors `dropbox` and `box` against services that behave, and that do not.

#![allow(
    clippy::unwrap_used,
    reason = "a test file, though not each function is a test"
)]

#[path = "../../../tests/fakes/mod.rs"]
mod fakes;

mod boxed;
mod described;
mod dropbox;
mod ledger;

use std::sync::Arc;

use chrono::{DateTime, Utc};
use sha2::{Digest, Sha256};
use stundenbuch_connectors::Platform;
use stundenbuch_connectors::budget::MemoryBudgets;
use stundenbuch_connectors::clock::ManualClock;
use stundenbuch_connectors::contract::{Item, Outgoing, OutgoingFile};
use stundenbuch_connectors::login::{Logins as _, Memory, Stored, Tokens};
use stundenbuch_connectors::secret::Secret;

/// The connection's name.
const NAME: &str = "drive";

fn at(text: &str) -> DateTime<Utc> {
    text.parse().unwrap()
}

/// A platform where somebody has logged in and got this token.
fn logged_in(clock: &ManualClock, token: &str) -> Platform {
    let logins = Memory::default();
    let tokens = Tokens {
        access: Secret::new(token),
        expires_at: None,
        refresh: None,
        previous: None,
    };
    logins.save(NAME, &Stored::Tokens(tokens)).unwrap();
    Platform {
        clock: Arc::new(clock.clone()),
        budgets: Arc::new(MemoryBudgets::default()),
        logins: Arc::new(logins),
    }
}

/// A file to deliver; `earlier` is what we delivered there before.
fn document(path: &str, bytes: &[u8], earlier: Option<&[u8]>) -> Outgoing {
    Outgoing {
        key: format!("{path} {}", sha256(bytes)),
        item: Item::File(OutgoingFile {
            path: path.to_owned(),
            bytes: bytes.into(),
            sha256: sha256(bytes),
            replaces: earlier.map(sha256),
        }),
    }
}

fn sha256(bytes: &[u8]) -> String {
    fakes::hex(&Sha256::digest(bytes))
}
