//! What the fake ActiveCollab answers, and what it refuses.

use std::collections::BTreeMap;

use axum::body::{Body, to_bytes};
use axum::extract::{Query, Request, State as Shared};
use axum::http::{HeaderMap, Method, Response};
use chrono::{DateTime, NaiveDate, TimeDelta, Utc};
use serde_json::{Value, json};
use stundenbuch_connectors::clock::Clock as _;

use super::{ActiveCollab, INTENT, PASSWORD, Project, TOKEN, USER, World, midnight};

/// So many requests in a second are more than a small machine bears.
const A_SECOND: usize = 5;

type Asked = BTreeMap<String, String>;

/// A good answer: its body, and how long the list in it is as a whole.
type Good = (Value, Option<usize>);
type Answer = Result<Good, (u16, Value)>;

pub(super) async fn answer(Shared(fake): Shared<ActiveCollab>, request: Request) -> Response<Body> {
    let (parts, body) = request.into_parts();
    let body = to_bytes(body, 1 << 20).await.unwrap();
    let body: Value = serde_json::from_slice(&body).unwrap_or_default();
    let asked = Query::<Asked>::try_from_uri(&parts.uri).map_or_else(|_| Asked::new(), |it| it.0);
    let path = parts.uri.path().trim_matches('/').to_owned();
    let now = fake.clock.now();
    let (status, headers, value) = fake.with(|world| {
        if let Err((status, value)) = world.admit(now) {
            return (status, vec![("retry-after", "1".to_owned())], value);
        }
        match world.respond(&parts.method, &path, &asked, &parts.headers, &body) {
            Ok((value, total)) => {
                let headers = world.announce(total, &asked);
                if total.is_some_and(|total| total > world.page)
                    && let Some(meanwhile) = world.meanwhile.take()
                {
                    meanwhile(world);
                }
                (200, headers, value)
            }
            Err((status, value)) => (status, Vec::new(), value),
        }
    });
    let mut response = Response::builder()
        .status(status)
        .header("content-type", "application/json; charset=utf-8");
    for (name, value) in headers {
        response = response.header(name, value);
    }
    response.body(Body::from(value.to_string())).unwrap()
}

fn fails(status: u16, class: &str, message: &str) -> Answer {
    Err((
        status,
        json!({"type": class, "message": message, "code": 0}),
    ))
}

fn not_found() -> Answer {
    fails(404, "Angie\\Http\\Response\\NotFoundError", "Not found")
}

impl World {
    fn admit(&mut self, now: DateTime<Utc>) -> Result<(), (u16, Value)> {
        self.window.retain(|at| *at > now - TimeDelta::seconds(1));
        if self.window.len() >= A_SECOND {
            self.refused += 1;
            return Err((429, json!({"type": "TooMany", "message": "slow down"})));
        }
        self.window.push_back(now);
        Ok(())
    }

    fn announce(&self, total: Option<usize>, asked: &Asked) -> Vec<(&'static str, String)> {
        let Some(total) = total.filter(|_| self.announces) else {
            return Vec::new();
        };
        vec![
            (
                "x-angie-paginationcurrentpage",
                asked.get("page").cloned().unwrap_or_else(|| "1".to_owned()),
            ),
            ("x-angie-paginationitemsperpage", self.page.to_string()),
            ("x-angie-paginationtotalitems", total.to_string()),
        ]
    }

    fn respond(
        &mut self,
        method: &Method,
        path: &str,
        asked: &Asked,
        headers: &HeaderMap,
        body: &Value,
    ) -> Answer {
        if method == Method::POST {
            return Ok(self.log_in(path, body));
        }
        let token = headers
            .get("x-angie-authapitoken")
            .and_then(|it| it.to_str().ok());
        if token != Some(TOKEN) || self.revoked {
            return fails(401, "Angie\\Authentication\\InvalidToken", "Invalid token");
        }
        if method != Method::GET {
            return fails(405, "NotAllowed", "this fake is only read");
        }
        if self.forbidden.iter().any(|part| path.contains(part)) {
            return fails(403, "Angie\\Http\\Response\\ForbiddenError", "Forbidden");
        }
        let Some(path) = path.strip_prefix("api/v1/") else {
            return not_found();
        };
        let parts: Vec<&str> = path.split('/').collect();
        match parts.as_slice() {
            ["info"] => Ok((
                json!({"application": "ActiveCollab", "version": self.version}),
                None,
            )),
            ["users"] => Ok(self.bare(&self.users, asked)),
            ["companies"] => Ok(self.bare(&self.companies, asked)),
            ["job-types"] => Ok(self.bare(&self.job_types, asked)),
            ["expense-categories"] => Ok(self.bare(&self.categories, asked)),
            ["projects"] => Ok(self.bare(&self.listed(false), asked)),
            ["projects", "archive"] => Ok(self.bare(&self.listed(true), asked)),
            ["projects", id, rest @ ..] => {
                let project = id.parse().ok().and_then(|id: i64| self.projects.get(&id));
                match project.filter(|project| !project.hidden) {
                    Some(project) => self.in_project(project, rest, asked),
                    None => not_found(),
                }
            }
            _ => not_found(),
        }
    }

    /// The ways to a token. A refused login is a 200, too.
    fn log_in(&mut self, path: &str, body: &Value) -> Good {
        let client = body["client_name"].is_string() && body["client_vendor"].is_string();
        let refused = json!({"is_ok": false, "message": "Invalid credentials"});
        let good = match path {
            "api/v1/issue-token" => {
                client && body["username"] == USER && body["password"] == PASSWORD
            }
            "api/v1/issue-token-intent" => client && body["intent"] == INTENT,
            "cloud/external/login" if body["email"] == USER && body["password"] == PASSWORD => {
                if self.second_factor {
                    return (json!({"intent_id": "2fa-1"}), None);
                }
                let user = json!({"intent": INTENT, "first_name": "Ada"});
                return (json!({"is_ok": 1, "user": user, "accounts": []}), None);
            }
            _ => false,
        };
        if !good {
            return (refused, None);
        }
        self.issued += 1;
        (json!({"is_ok": true, "token": TOKEN}), None)
    }

    fn listed(&self, archived: bool) -> Vec<Value> {
        let projects = self.projects.values();
        let there = projects.filter(|it| it.archived == archived && !it.hidden);
        there.map(|project| project.facts.clone()).collect()
    }

    /// What the token's owner sees: members see their own time only.
    fn visible(&self, things: &BTreeMap<i64, Value>) -> Vec<Value> {
        let owner = self.users.first().is_some_and(|me| me["class"] == "Owner");
        let mine = |it: &&Value| owner || it["user_id"].is_null() || it["user_id"] == 1;
        let kept = things.values().filter(|it| it["is_trashed"] != true);
        kept.filter(mine).cloned().collect()
    }

    fn in_project(&self, project: &Project, rest: &[&str], asked: &Asked) -> Answer {
        let single = |thing: Option<&Value>| match thing {
            Some(thing) if thing["is_trashed"] != true || self.trash_answers => Ok((
                json!({"single": thing, "comments": [], "subtasks": []}),
                None,
            )),
            _ => not_found(),
        };
        let of = |things: &BTreeMap<i64, Value>, id: &str| {
            single(id.parse().ok().and_then(|id: i64| things.get(&id)))
        };
        match rest {
            [] => single(Some(&project.facts)),
            ["tasks"] => Ok(self.open_tasks(project, asked)),
            ["tasks", "archive"] if self.has_archive => {
                let mut done = self.visible(&project.tasks);
                done.retain(|task| task["is_completed"] == true);
                Ok(self.bare(&done, asked))
            }
            ["tasks", id] => of(&project.tasks, id),
            ["time-records"] => {
                let time = self.visible(&project.time);
                Ok(self.named("time_records", time, project, asked))
            }
            ["time-records", "filtered-by-date"] => {
                let (Some(from), Some(to)) = (day(asked, "from"), day(asked, "to")) else {
                    return fails(400, "InvalidProperties", "from and to are days");
                };
                let mut time = self.visible(&project.time);
                time.retain(|it| {
                    (from..=to).contains(&it["record_date"].as_i64().unwrap_or_default())
                });
                Ok(self.named("time_records", time, project, asked))
            }
            ["time-records", id] => of(&project.time, id),
            ["expenses"] => {
                let expenses = self.visible(&project.expenses);
                Ok(self.named("expenses", expenses, project, asked))
            }
            ["expenses", id] => of(&project.expenses, id),
            _ => not_found(),
        }
    }

    fn open_tasks(&self, project: &Project, asked: &Asked) -> Good {
        let tasks = self.visible(&project.tasks);
        let (done, open): (Vec<Value>, Vec<Value>) = tasks
            .into_iter()
            .partition(|task| task["is_completed"] == true);
        let done: Vec<&Value> = done.iter().map(|task| &task["id"]).collect();
        let total = open.len();
        let answer = json!({"tasks": self.shaped(self.cut(open, asked)),
            "completed_task_ids": done, "subtasks": [],
            "task_lists": [{"id": 5, "name": "In Arbeit"}]});
        (answer, Some(total))
    }

    /// A list under a name: `null` when it is empty.
    fn named(&self, name: &str, all: Vec<Value>, project: &Project, asked: &Asked) -> Good {
        let total = all.len();
        let rows = self.cut(all, asked);
        let mut tasks = serde_json::Map::new();
        for row in rows.iter().filter(|row| row["parent_type"] == "Task") {
            let id = row["parent_id"].as_i64().unwrap_or_default();
            if let Some(task) = project.tasks.get(&id).filter(|_| self.relates) {
                tasks.insert(id.to_string(), task.clone());
            }
        }
        let related = if tasks.is_empty() {
            json!([])
        } else {
            json!({"Task": tasks})
        };
        let list = if rows.is_empty() {
            Value::Null
        } else {
            self.shaped(rows)
        };
        (json!({name: list, "related": related}), Some(total))
    }

    fn bare(&self, all: &[Value], asked: &Asked) -> Good {
        let rows = self.cut(all.to_vec(), asked);
        (self.shaped(rows), Some(all.len()))
    }

    fn cut(&self, all: Vec<Value>, asked: &Asked) -> Vec<Value> {
        if !self.pages {
            return all;
        }
        let page: usize = asked.get("page").map_or(1, |it| it.parse().unwrap_or(1));
        let skipped = (page - 1) * self.page;
        all.into_iter().skip(skipped).take(self.page).collect()
    }

    fn shaped(&self, rows: Vec<Value>) -> Value {
        if !self.keyed || rows.is_empty() {
            return Value::Array(rows);
        }
        let keyed = rows.into_iter().map(|row| (row["id"].to_string(), row));
        Value::Object(keyed.collect())
    }
}

fn day(asked: &Asked, name: &str) -> Option<i64> {
    let day: NaiveDate = asked.get(name)?.parse().ok()?;
    Some(midnight(day))
}
