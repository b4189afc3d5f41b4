//! The HTTP layer against a fake server with faults.

#![allow(
    clippy::unwrap_used,
    reason = "a test file, though not each function is a test"
)]

#[path = "../../../tests/fakes/mod.rs"]
mod fakes;

mod access;
mod budget;
mod effects;
mod hygiene;
mod limits;
mod log;
mod redirects;
mod retries;
mod tls;
mod way;

use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::extract::Path;
use axum::routing::{get, post};
use chrono::{DateTime, Utc};
use stundenbuch_connectors::budget::{BudgetStore, MemoryBudgets};
use stundenbuch_connectors::clock::{Clock as _, ManualClock};
use stundenbuch_connectors::http::{Http, Options, Reply, Request};
use stundenbuch_connectors::kind::Bucket;
use stundenbuch_connectors::secret::Secret;
use stundenbuch_connectors::{Error, Platform};

use fakes::{Fault, FaultKind, Server};

/// The token that no message, log or foreign host may see.
const CANARY: &str = "canary-7f3a9b2c4d";

/// Four of five requests in a minute are ours, and a second lies between two.
static BUCKETS: [Bucket; 2] = [
    Bucket {
        name: "small",
        requests: 5,
        per: Duration::from_mins(1),
        reserve: 1,
        spacing: Duration::ZERO,
    },
    Bucket {
        name: "api",
        requests: 1000,
        per: Duration::from_mins(1),
        reserve: 0,
        spacing: Duration::from_secs(1),
    },
];

/// A fake service, a clock and a store of budgets that outlives the client.
struct World {
    server: Server,
    clock: ManualClock,
    budgets: Arc<MemoryBudgets>,
}

impl World {
    async fn start() -> Self {
        log::install();
        let router = Router::new()
            .route("/ok", get(|| async { "{\"a\":1}" }))
            .route("/report", post(|body: String| async move { body }))
            .route(
                "/long",
                get(|| async { format!("\"{}\"", "x".repeat(1 << 16)) }),
            )
            .route(
                "/status/{code}",
                get(|Path(code): Path<u16>| async move { status(code) }),
            );
        Self {
            server: Server::start(router).await,
            clock: ManualClock::at(instant("2026-11-22T05:00:00Z")),
            budgets: Arc::new(MemoryBudgets::default()),
        }
    }

    fn options(&self) -> Options {
        let mut options = Options::new("anna", self.server.base(), &BUCKETS);
        options.headers = vec![("x-api-token", Secret::new(CANARY))];
        options
    }

    fn platform(&self) -> Platform {
        Platform {
            clock: Arc::new(self.clock.clone()),
            budgets: Arc::clone(&self.budgets) as Arc<dyn BudgetStore>,
            logins: Arc::new(stundenbuch_connectors::login::Memory::default()),
        }
    }

    fn http(&self, change: impl FnOnce(&mut Options)) -> Http {
        let mut options = self.options();
        change(&mut options);
        Http::new(options, &self.platform()).unwrap()
    }

    fn fail(&self, times: u32, kind: FaultKind) {
        self.server.fail(Fault {
            path: "/",
            times,
            kind,
        });
    }

    fn served(&self) -> usize {
        self.server.requests().len()
    }

    /// Seconds since the world began.
    fn elapsed(&self) -> i64 {
        (self.clock.now() - instant("2026-11-22T05:00:00Z")).num_seconds()
    }
}

async fn get_ok(http: &Http) -> Result<Reply, Error> {
    http.send(Request::get("api", "/ok")).await
}

fn status(code: u16) -> axum::http::StatusCode {
    axum::http::StatusCode::from_u16(code).unwrap()
}

fn instant(text: &str) -> DateTime<Utc> {
    text.parse().unwrap()
}

fn reply(status: u16, headers: &[(&str, &str)], body: &str) -> Reply {
    let headers = headers
        .iter()
        .map(|(key, value)| ((*key).to_owned(), (*value).to_owned()));
    Reply {
        status,
        headers: headers.collect(),
        body: body.as_bytes().to_vec(),
    }
}
