//! The HTTP layer against a fake server with faults.

#[path = "../../tests/fakes/mod.rs"]
mod fakes;

use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::routing::get;
use stundenbuch_connectors::Platform;
use stundenbuch_connectors::budget::MemoryBudgets;
use stundenbuch_connectors::clock::{Clock as _, ManualClock, SystemClock};
use stundenbuch_connectors::http::{Http, Options, Request};
use stundenbuch_connectors::kind::Bucket;

use fakes::{Fault, FaultKind, Server};

static BUCKETS: [Bucket; 1] = [Bucket {
    name: "api",
    requests: 100,
    per: Duration::from_mins(1),
    reserve: 0,
    spacing: Duration::ZERO,
}];

#[tokio::test]
async fn answers_and_repeats() {
    let server = Server::start(Router::new().route("/ok", get(|| async { "{\"a\": 1}" }))).await;
    let clock = ManualClock::at(SystemClock.now());
    let platform = Platform {
        clock: Arc::new(clock),
        budgets: Arc::new(MemoryBudgets::default()),
    };
    let http = Http::new(Options::new("test", server.base(), &BUCKETS), &platform).unwrap();
    for kind in [
        FaultKind::status(503),
        FaultKind::CutBody { keep: 3 },
        FaultKind::LostAnswer,
        FaultKind::Reset,
    ] {
        server.fail(Fault {
            path: "/ok",
            times: 1,
            kind,
        });
        let reply = http
            .send(Request::get("api", "/ok").query("q", "a b"))
            .await
            .unwrap();
        assert_eq!(reply.body, b"{\"a\": 1}");
    }
    assert_eq!(server.requests().len(), 8);
    assert_eq!(http.requests(), 8);
    assert_eq!(server.requests()[0].query("q"), Some("a b"));
}
