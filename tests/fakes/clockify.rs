//! A fake Clockify: API v1, as far as the connector speaks to it.
//!
//! It enforces what the real one does: the key, the 30 requests an hour of a new workspace on the
//! Free plan, page sizes with their `Last-Page`, and `400` with the code 501 for what is not
//! there. Like the real one it takes the digits of `start` and `end` for a wall clock in the
//! account's zone. Its clock is the test's.

mod world;

use std::sync::{Arc, Mutex};

use axum::Router;
use axum::body::Body;
use axum::extract::{Query, Request};
use axum::response::Response;
use chrono::{DateTime, TimeDelta, Utc};
use serde_json::{Value, json};
use stundenbuch_connectors::clock::{Clock as _, ManualClock};

#[allow(
    unused_imports,
    reason = "each test file uses its own part of the fakes"
)]
pub use self::world::{Entry, KEY, ME, OTHER, PROJECT, STUDIO, World};
use super::Server;

/// A running fake, and the hand that moves its world.
#[derive(Debug)]
pub struct Clockify {
    pub server: Server,
    pub clock: ManualClock,
    world: Arc<Mutex<World>>,
}

/// A request, taken apart.
struct Asked {
    path: Vec<String>,
    query: Vec<(String, String)>,
    key: Option<String>,
}

impl Asked {
    fn query(&self, name: &str) -> Option<&str> {
        let found = self.query.iter().find(|(key, _)| key == name);
        found.map(|(_, value)| value.as_str())
    }

    fn number(&self, name: &str, otherwise: usize) -> usize {
        let asked = self.query(name).and_then(|text| text.parse().ok());
        asked.unwrap_or(otherwise)
    }
}

impl Clockify {
    /// A fake with one workspace, two people, two projects and no entries.
    pub async fn start(clock: ManualClock) -> Self {
        let world = Arc::new(Mutex::new(World::new()));
        let (shared, time) = (Arc::clone(&world), clock.clone());
        let router = Router::new().fallback(move |request: Request| {
            let asked = take_apart(&request);
            let mut world = shared.lock().unwrap();
            let answer = answer(&mut world, &asked, time.now());
            async move { answer }
        });
        let server = Server::start(router).await;
        server.keep_time(clock.clone());
        Self {
            server,
            clock,
            world,
        }
    }

    /// The address to configure.
    pub fn api_url(&self) -> String {
        format!("{}/api/v1", self.server.base())
    }

    /// Looks at the world, or changes it.
    pub fn with<R>(&self, look: impl FnOnce(&mut World) -> R) -> R {
        look(&mut self.world.lock().unwrap())
    }
}

fn take_apart(request: &Request) -> Asked {
    let uri = request.uri();
    let query = Query::<Vec<(String, String)>>::try_from_uri(uri);
    let key = request.headers().get("x-api-key");
    let path = uri.path().strip_prefix("/api/v1/").unwrap_or_default();
    Asked {
        path: path.split('/').map(str::to_owned).collect(),
        query: query.map(|query| query.0).unwrap_or_default(),
        key: key.and_then(|it| it.to_str().ok().map(str::to_owned)),
    }
}

fn answer(world: &mut World, asked: &Asked, now: DateTime<Utc>) -> Response {
    if !world.admit(now) {
        return failure(429, 429, "Too many requests");
    }
    if asked.key.as_deref() != Some(KEY) {
        return failure(401, 4003, "Api key does not exist");
    }
    let path: Vec<&str> = asked.path.iter().map(String::as_str).collect();
    match path[..] {
        ["user"] => ok(&world::user(ME), &[]),
        ["workspaces"] => ok(&world.workspaces(), &[]),
        ["workspaces", workspace, ..] if !world.is_member(workspace) => {
            failure(403, 501, "Access Denied")
        }
        ["workspaces", workspace, "projects"] => list(world, asked, world.projects(workspace)),
        ["workspaces", _, "users"] if !world.admin => failure(403, 403, "Access Denied"),
        ["workspaces", _, "users"] => list(world, asked, vec![world::user(ME), world::user(OTHER)]),
        ["workspaces", _, "user", user, "time-entries"] if user != ME && !world.admin => {
            failure(403, 403, "Access Denied")
        }
        ["workspaces", workspace, "user", user, "time-entries"] => {
            let rows = entries(world, asked, workspace, user);
            list(world, asked, rows)
        }
        ["workspaces", workspace, "time-entries", id] => {
            match world.entries.get(id).filter(|it| it.workspace == workspace) {
                Some(entry) => ok(&world.row(id, entry, false), &[]),
                None => failure(400, 501, "Time entry doesn't belong to Workspace"),
            }
        }
        _ => failure(404, 3000, "No static resource"),
    }
}

/// A person's entries, the newest first.
fn entries(world: &World, asked: &Asked, workspace: &str, user: &str) -> Vec<Value> {
    let bound = |name| {
        let text: Option<DateTime<Utc>> = asked.query(name).map(|text| text.parse().unwrap());
        text.map(|instant| instant - TimeDelta::hours(world.zone_hours))
    };
    let (start, end) = (bound("start"), bound("end"));
    let hydrated = asked.query("hydrated") == Some("true");
    let within = |entry: &Entry| {
        let until = if world.end_is_about_ends {
            entry.end.unwrap_or(entry.start)
        } else {
            entry.start
        };
        start.is_none_or(|start| entry.start >= start) && end.is_none_or(|end| until <= end)
    };
    let mut found: Vec<(&String, &Entry)> = world
        .entries
        .iter()
        .filter(|(_, it)| it.workspace == workspace && it.user == user && within(it))
        .collect();
    found.sort_by(|one, other| (other.1.start, other.0).cmp(&(one.1.start, one.0)));
    let rows = found.into_iter();
    rows.map(|(id, entry)| world.row(id, entry, hydrated))
        .collect()
}

/// A page of rows, with the mark of the last one.
fn list(world: &World, asked: &Asked, rows: Vec<Value>) -> Response {
    let size = asked.number("page-size", 50).min(world.page_max);
    let from = (asked.number("page", 1) - 1) * size;
    let last = from + size >= rows.len();
    let rows: Vec<Value> = rows.into_iter().skip(from).take(size).collect();
    let mark = if last { "true" } else { "false" };
    let header = [("last-page", mark)];
    ok(&json!(rows), if world.says_last { &header } else { &[] })
}

fn ok(body: &Value, headers: &[(&str, &str)]) -> Response {
    respond(200, body, headers)
}

fn failure(status: u16, code: i64, message: &str) -> Response {
    respond(status, &json!({"message": message, "code": code}), &[])
}

fn respond(status: u16, body: &Value, headers: &[(&str, &str)]) -> Response {
    let mut response = Response::builder()
        .status(status)
        .header("content-type", "application/json");
    for (name, value) in headers {
        response = response.header(*name, *value);
    }
    response.body(Body::from(body.to_string())).unwrap()
}
