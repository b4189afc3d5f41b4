//! A fake Kimai, as far as the connector speaks to it.
//!
//! It answers as Kimai's source says (August 2026): time sheets in the user's own offset, filters
//! by wall clock but for `modified_after`, which is UTC, at most 500 rows a page with the totals in
//! headers, 404 behind the last page, and `user=all` that is passed over without a word where the
//! permission is missing. Its clock is the test's.

mod world;

use std::sync::{Arc, Mutex};

use axum::Router;
use axum::body::Body;
use axum::extract::{Query, Request};
use axum::response::Response;
use chrono::{DateTime, NaiveDateTime, TimeDelta, Utc};
use serde_json::{Value, json};
use stundenbuch_connectors::clock::{Clock as _, ManualClock};

#[allow(
    unused_imports,
    reason = "each test file uses its own part of the fakes"
)]
pub use self::world::{ME, OTHER, Sheet, TOKEN, World};
use super::Server;

/// A running fake, and the hand that moves its world.
#[derive(Debug)]
pub struct Kimai {
    pub server: Server,
    pub clock: ManualClock,
    world: Arc<Mutex<World>>,
}

/// Status and message.
type Refusal = (u16, &'static str);

/// A request, taken apart.
struct Asked {
    path: String,
    query: Vec<(String, String)>,
    token: Option<String>,
    now: DateTime<Utc>,
}

impl Asked {
    fn query(&self, name: &str) -> Option<&str> {
        let found = self.query.iter().find(|(key, _)| key == name);
        found.map(|(_, value)| value.as_str())
    }

    /// Digits of a date and time, as the framework insists on them.
    fn wall(&self, name: &str) -> Result<Option<DateTime<Utc>>, Refusal> {
        let read = |text| NaiveDateTime::parse_from_str(text, "%Y-%m-%dT%H:%M:%S");
        let text = self.query(name).map(read).transpose();
        text.map(|found| found.map(|naive| naive.and_utc()))
            .map_err(|_| (400, "Parameter does not match requirements"))
    }

    fn ok(&self, body: &Value, headers: &[(&str, String)]) -> Response {
        self.respond(200, body, headers)
    }

    fn failure(&self, status: u16, message: &str) -> Response {
        self.respond(status, &json!({"code": status, "message": message}), &[])
    }

    fn respond(&self, status: u16, body: &Value, headers: &[(&str, String)]) -> Response {
        let date = self.now.format("%a, %d %b %Y %H:%M:%S GMT").to_string();
        let mut response = Response::builder()
            .status(status)
            .header("content-type", "application/json")
            .header("date", date);
        for (name, value) in headers {
            response = response.header(*name, value);
        }
        response.body(Body::from(body.to_string())).unwrap()
    }
}

impl Kimai {
    /// A fake with two people, two projects and no time sheets.
    pub async fn start(clock: ManualClock) -> Self {
        let world = Arc::new(Mutex::new(World::new()));
        let (shared, time) = (Arc::clone(&world), clock.clone());
        let router = Router::new().fallback(move |request: Request| {
            let mut world = shared.lock().unwrap();
            let asked = take_apart(&request, time.now() + world.clock_ahead);
            let answer = answer(&mut world, &asked);
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

    /// Looks at the world, or changes it.
    pub fn with<R>(&self, look: impl FnOnce(&mut World) -> R) -> R {
        look(&mut self.world.lock().unwrap())
    }

    /// Adds a time sheet as if it was written now.
    pub fn add(&self, sheet: Sheet) -> i64 {
        let now = self.now();
        self.with(|world| world.add(sheet, now))
    }

    /// Changes a time sheet as its owner would, now.
    pub fn edit(&self, id: i64, change: impl FnOnce(&mut Sheet)) {
        let now = self.now();
        self.with(|world| {
            let sheet = world.sheets.get_mut(&id).expect("a sheet of this world");
            change(sheet);
            sheet.modified = now;
        });
    }

    fn now(&self) -> DateTime<Utc> {
        self.clock.now() + self.with(|world| world.clock_ahead)
    }
}

fn take_apart(request: &Request, now: DateTime<Utc>) -> Asked {
    let uri = request.uri();
    let query = Query::<Vec<(String, String)>>::try_from_uri(uri);
    let header = |name: &str| {
        let value = request.headers().get(name);
        value.and_then(|it| it.to_str().ok().map(str::to_owned))
    };
    let bearer =
        header("authorization").and_then(|it| Some(it.strip_prefix("Bearer ")?.to_owned()));
    let legacy =
        header("x-auth-token").filter(|_| header("x-auth-user").as_deref() == Some("mara"));
    Asked {
        path: uri.path().to_owned(),
        query: query.map(|query| query.0).unwrap_or_default(),
        token: bearer.or(legacy),
        now,
    }
}

fn answer(world: &mut World, asked: &Asked) -> Response {
    if asked.token.as_deref() != Some(TOKEN) {
        return asked.failure(401, "Invalid credentials");
    }
    let path = asked.path.strip_prefix("/api/").unwrap_or_default();
    match path {
        "users/me" => asked.ok(&world::user(ME, true), &[]),
        "version" => asked.ok(&json!({"version": "2.40.0", "versionId": 24000}), &[]),
        "users" if !world.sees_team => asked.failure(403, "Access denied."),
        "users" => asked.ok(
            &json!([world::user(ME, false), world::user(OTHER, false)]),
            &[],
        ),
        "projects" => asked.ok(&world.projects(asked.query("visible") == Some("3")), &[]),
        "timesheets" => match list(world, asked) {
            Ok(page) => page,
            Err((status, message)) => asked.failure(status, message),
        },
        _ => match path.strip_prefix("timesheets/").map(str::parse) {
            Some(Ok(id)) => one(world, asked, id),
            _ => asked.failure(404, "Not Found"),
        },
    }
}

fn one(world: &World, asked: &Asked, id: i64) -> Response {
    match world.sheets.get(&id) {
        Some(sheet) if sheet.user != ME && !world.sees_team => asked.failure(403, "Access denied."),
        Some(sheet) => asked.ok(&world.row(id, sheet, false), &[]),
        None => asked.failure(404, "Not Found"),
    }
}

/// A page of time sheets, in the order of their numbers.
fn list(world: &mut World, asked: &Asked) -> Result<Response, Refusal> {
    let zone = TimeDelta::hours(world.zone_hours);
    let begin = asked.wall("begin")?.map(|wall| wall - zone);
    let end = asked.wall("end")?.map(|wall| wall - zone);
    let modified = asked.wall("modified_after")?;
    let all = asked.query("user") == Some("all") && world.sees_team;
    let full = asked.query("full") == Some("1");
    let number = |name, otherwise: usize| {
        let asked = asked.query(name).and_then(|text| text.parse().ok());
        asked.unwrap_or(otherwise)
    };
    let meant = |sheet: &Sheet| {
        (all || sheet.user == ME)
            && begin.is_none_or(|begin| sheet.begin >= begin)
            && end.is_none_or(|end| sheet.begin <= end)
            && modified.is_none_or(|since| sheet.modified >= since)
    };
    let rows = world.sheets.iter().filter(|(_, sheet)| meant(sheet));
    let rows: Vec<Value> = rows
        .map(|(id, sheet)| world.row(*id, sheet, full))
        .collect();
    let size = number("size", 50).min(world.page_max);
    let (page, total) = (number("page", 1), rows.len());
    let pages = total.div_ceil(size).max(1);
    if page > pages {
        return Err((404, "Not Found"));
    }
    let rows: Vec<Value> = rows
        .into_iter()
        .skip((page - 1) * size)
        .take(size)
        .collect();
    let headers = [
        ("x-page", page.to_string()),
        ("x-per-page", size.to_string()),
        ("x-total-count", total.to_string()),
        ("x-total-pages", pages.to_string()),
    ];
    // What somebody else does between two pages.
    if let Some(id) = world.vanishing.pop() {
        world.sheets.remove(&id);
    }
    let shown = if world.says_totals { &headers[..] } else { &[] };
    Ok(asked.ok(&json!(rows), shown))
}
