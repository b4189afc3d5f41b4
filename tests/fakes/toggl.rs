//! A fake Toggl: Track API v9 and Reports API v3, as far as the connector speaks to them.
//!
//! It keeps what the real service keeps (deleted entries with their mark, the instant of each
//! change) and enforces what the real one enforces: the token, 30 requests an hour and bucket,
//! about one a second, the three months, the thousand rows, and rounding of reports unless they
//! are asked for without. Its clock is the test's.

mod answers;
mod world;

use std::sync::{Arc, Mutex};

use axum::Router;
use axum::body::{Bytes, to_bytes};
use axum::extract::{Query, Request};
use axum::http::Uri;
use axum::response::Response;
use serde_json::Value;
use stundenbuch_connectors::clock::{Clock as _, ManualClock};

#[allow(
    unused_imports,
    reason = "each test file uses its own part of the fakes"
)]
pub use self::world::{Access, Entry, OTHER, Project, TOKEN, World};
use super::Server;

/// A running fake, and the hand that moves its world.
#[derive(Debug)]
pub struct Toggl {
    pub server: Server,
    pub clock: ManualClock,
    world: Arc<Mutex<World>>,
}

/// A request, taken apart.
pub(super) struct Asked {
    pub(super) method: String,
    pub(super) path: String,
    pub(super) query: Vec<(String, String)>,
    pub(super) authorization: Option<String>,
    pub(super) body: Value,
}

impl Asked {
    pub(super) fn query(&self, name: &str) -> Option<&str> {
        let found = self.query.iter().find(|(key, _)| key == name);
        found.map(|(_, value)| value.as_str())
    }
}

impl Toggl {
    /// A fake with one workspace, two people, two projects and no entries.
    pub async fn start(clock: ManualClock) -> Self {
        let world = Arc::new(Mutex::new(World::default()));
        let (shared, time) = (Arc::clone(&world), clock.clone());
        let router = Router::new().fallback(move |request: Request| {
            let (world, clock) = (Arc::clone(&shared), time.clone());
            async move {
                let asked = take_apart(request).await;
                let now = clock.now();
                let mut world = world.lock().unwrap();
                answers::answer(&mut world, &asked, now)
            }
        });
        Self {
            server: Server::start(router).await,
            clock,
            world,
        }
    }

    /// The address to configure for the Track API.
    pub fn api_url(&self) -> String {
        format!("{}/api/v9", self.server.base())
    }

    pub fn reports_url(&self) -> String {
        format!("{}/reports/api/v3", self.server.base())
    }

    /// Looks at the world, or changes it.
    pub fn with<R>(&self, look: impl FnOnce(&mut World) -> R) -> R {
        look(&mut self.world.lock().unwrap())
    }

    /// Adds an entry as if it was written now.
    pub fn add(&self, entry: Entry) -> i64 {
        let now = self.clock.now();
        self.with(|world| world.add(entry, now))
    }

    /// Changes an entry as its owner would, now.
    pub fn edit(&self, id: i64, change: impl FnOnce(&mut Entry)) {
        let now = self.clock.now();
        self.with(|world| {
            let entry = world.entries.get_mut(&id).expect("an entry of this world");
            change(entry);
            entry.at = Some(now);
        });
    }

    /// Deletes an entry as its owner would, now.
    pub fn delete(&self, id: i64) {
        let now = self.clock.now();
        self.edit(id, |entry| entry.deleted = Some(now));
    }

    /// Requests that were answered 402 or 429.
    pub fn refused(&self) -> u32 {
        self.with(|world| world.refused)
    }
}

async fn take_apart(request: Request) -> Asked {
    let (head, body) = request.into_parts();
    let uri: &Uri = &head.uri;
    let query = Query::<Vec<(String, String)>>::try_from_uri(uri);
    let body: Bytes = to_bytes(body, 1 << 20).await.unwrap_or_default();
    let authorization = head.headers.get("authorization");
    Asked {
        method: head.method.to_string(),
        path: uri.path().to_owned(),
        query: query.map(|query| query.0).unwrap_or_default(),
        authorization: authorization.and_then(|it| it.to_str().ok().map(str::to_owned)),
        body: serde_json::from_slice(&body).unwrap_or(Value::Null),
    }
}

/// The type of every answer.
pub(super) type Answer = Response;
