//! What the fake Box answers, and what it refuses.

use std::collections::BTreeMap;

use axum::body::{Body, to_bytes};
use axum::extract::{Query, Request, State as Shared};
use axum::http::{HeaderMap, Method, Response};
use chrono::{DateTime, TimeDelta, Utc};
use serde_json::{Value, json};
use stundenbuch_connectors::clock::Clock as _;

use super::{Boxed, Refused, TOKEN, World, refusal};

type Asked = BTreeMap<String, String>;

/// 1,000 requests a minute for a user.
const MOST: usize = 1000;

pub(super) async fn answer(Shared(service): Shared<Boxed>, request: Request) -> Response<Body> {
    let (parts, body) = request.into_parts();
    let bytes = to_bytes(body, usize::MAX).await.unwrap().to_vec();
    let asked = Query::<Asked>::try_from_uri(&parts.uri).map_or_else(|_| Asked::new(), |it| it.0);
    let now = service.clock.now();
    let mut world = service.world();
    let (method, path) = (&parts.method, parts.uri.path());
    if let Err(refused) = world.admit(&parts.headers, now) {
        return written(Err(refused));
    }
    if let Some(path) = path.strip_prefix("/upload") {
        return written(world.upload(path, &parts.headers, &bytes, now));
    }
    let path = path.strip_prefix("/2.0").unwrap_or_default();
    if let Some(id) = path
        .strip_prefix("/files/")
        .and_then(|it| it.strip_suffix("/content"))
    {
        return world.download(id);
    }
    written(match *method {
        Method::GET => world.get(path, &asked, now).map(|it| (200, it)),
        Method::POST if path == "/folders" => world.post_folder(&bytes, &asked, now),
        _ => Err(refusal(405, "method_not_allowed")),
    })
}

pub(super) fn written(said: Result<(u16, Value), Refused>) -> Response<Body> {
    let (status, body) = said.unwrap_or_else(|refused| refused);
    let builder = Response::builder()
        .status(status)
        .header("content-type", "application/json");
    let builder = if status == 429 {
        builder.header("retry-after", "60")
    } else {
        builder
    };
    builder.body(Body::from(body.to_string())).unwrap()
}

impl World {
    fn admit(&mut self, headers: &HeaderMap, now: DateTime<Utc>) -> Result<(), Refused> {
        self.asked.retain(|at| *at > now - TimeDelta::minutes(1));
        if self.asked.len() >= MOST {
            self.refused += 1;
            return Err(refusal(429, "rate_limit_exceeded"));
        }
        self.asked.push_back(now);
        let given = headers.get("authorization").and_then(|it| it.to_str().ok());
        if given == Some(&format!("Bearer {TOKEN}")) {
            return Ok(());
        }
        Err(refusal(401, "unauthorized"))
    }

    pub(super) fn get(
        &mut self,
        path: &str,
        asked: &Asked,
        now: DateTime<Utc>,
    ) -> Result<Value, Refused> {
        let fields = asked.get("fields").map(String::as_str);
        let parts: Vec<&str> = path.trim_matches('/').split('/').collect();
        match parts.as_slice() {
            ["users", "me"] => Ok(json!({"type": "user", "id": "1", "name": "Ada Beispiel",
                "login": "ada@example.org"})),
            ["events"] => self.stream(asked),
            ["folders", id, "items"] => self.list(id, asked),
            ["folders" | "files", id, "trash"] if self.in_trash(id) => {
                let mut item = self.chosen(id, fields);
                item["trashed_at"] = json!(super::iso(now));
                Ok(item)
            }
            [kind @ ("folders" | "files"), id] => {
                self.there(id)?;
                let folder = self.items[*id].bytes.is_none();
                if folder == (*kind == "folders") {
                    return Ok(self.chosen(id, fields));
                }
                Err(refusal(404, "not_found"))
            }
            _ => Err(refusal(404, "not_found")),
        }
    }

    /// Refuses what is not to be seen.
    pub(super) fn there(&self, id: &str) -> Result<(), Refused> {
        if self.visible(id) {
            return Ok(());
        }
        if self.is_trashed(id) && !self.options.vague {
            return Err(refusal(404, "trashed"));
        }
        Err(refusal(404, "not_found"))
    }

    fn stream(&self, asked: &Asked) -> Result<Value, Refused> {
        assert_eq!(asked["stream_type"], "changes");
        let position = asked["stream_position"].as_str();
        let limit: usize = asked["limit"].parse().unwrap();
        assert!(limit <= 500, "{limit} events at once");
        let answer = |events: &[Value], next: usize| {
            // A number or a text, as it happens.
            let next = if next.is_multiple_of(2) {
                json!(next + 1)
            } else {
                json!((next + 1).to_string())
            };
            json!({"chunk_size": events.len(), "next_stream_position": next, "entries": events})
        };
        if position == "now" {
            return Ok(answer(&[], self.events.len()));
        }
        let from: usize = position.parse().unwrap();
        if from < self.oldest {
            return Err(refusal(400, "bad_request"));
        }
        let from = from - 1;
        let to = self.events.len().min(from + limit.min(self.options.chunk));
        let mut events = self.events[from..to].to_vec();
        if self.options.twice {
            events.extend(events.clone());
        }
        if self.options.backwards {
            events.reverse();
        }
        Ok(answer(&events, to))
    }

    fn list(&self, folder: &str, asked: &Asked) -> Result<Value, Refused> {
        self.there(folder)?;
        assert_eq!(asked["usemarker"], "true");
        let limit: usize = asked["limit"].parse().unwrap();
        assert!(limit <= 1000, "{limit} items at once");
        let most = limit.min(self.options.page);
        let after = asked.get("marker").map(String::as_str).unwrap_or_default();
        let after: u64 = after.strip_prefix("m").map_or(0, |it| it.parse().unwrap());
        let inside = self.items.iter().filter(|(id, item)| {
            let listed = item.bytes.is_none() || !self.lag;
            let next = id.parse::<u64>().unwrap() > after;
            item.parent == folder && self.visible(id) && listed && next
        });
        let mut ids: Vec<&String> = inside.map(|(id, _)| id).collect();
        ids.sort_by_key(|id| id.parse::<u64>().unwrap());
        let more = ids.len() > most;
        ids.truncate(most);
        let fields = asked.get("fields").map(String::as_str);
        let entries: Vec<Value> = ids.iter().map(|id| self.chosen(id, fields)).collect();
        // The end is told in two ways.
        let last = if entries.len().is_multiple_of(2) {
            json!("")
        } else {
            Value::Null
        };
        let marker = if more {
            json!(format!("m{}", ids[most - 1]))
        } else {
            last
        };
        Ok(json!({"limit": limit, "next_marker": marker, "entries": entries}))
    }

    fn post_folder(
        &mut self,
        bytes: &[u8],
        asked: &Asked,
        now: DateTime<Utc>,
    ) -> Result<(u16, Value), Refused> {
        let body: Value = serde_json::from_slice(bytes).unwrap();
        let (name, parent) = (
            body["name"].as_str().unwrap(),
            body["parent"]["id"].as_str(),
        );
        let parent = parent.unwrap();
        self.there(parent)?;
        if let Some(id) = self.child(parent, name) {
            let (status, mut body) = refusal(409, "item_name_in_use");
            body["context_info"] = json!({"conflicts": [self.chosen(&id, Some("type"))]});
            return Err((status, body));
        }
        let id = self.make_folder(parent, name, now);
        Ok((
            201,
            self.chosen(&id, asked.get("fields").map(String::as_str)),
        ))
    }
}
