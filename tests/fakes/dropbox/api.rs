//! What the fake Dropbox answers, and what it refuses.

use axum::body::{Body, to_bytes};
use axum::extract::{Request, State as Shared};
use axum::http::{HeaderMap, Response};
use chrono::{DateTime, TimeDelta, Utc};
use serde_json::{Value, json};
use stundenbuch_connectors::clock::Clock as _;

use super::files::deleted;
use super::{
    Change, Dropbox, Kind, Login, ME, Place, TOKEN, World, content_hash, not_found, refusal,
};

type Answer = Result<Value, (u16, Value)>;

/// More requests in five minutes than these are too many.
const MOST: usize = 400;

/// Within one folder, writes need some time.
const WRITE_TIME: TimeDelta = TimeDelta::milliseconds(100);

pub(super) async fn answer(Shared(dropbox): Shared<Dropbox>, request: Request) -> Response<Body> {
    let (parts, body) = request.into_parts();
    let bytes = to_bytes(body, usize::MAX).await.unwrap().to_vec();
    let path = parts.uri.path();
    if let Some(route) = path.strip_prefix("/content/2") {
        return content(&dropbox, route, &parts.headers, &bytes);
    }
    let route = path.strip_prefix("/2").unwrap_or_default();
    // Bad requests are told in plain text.
    let Ok(arg) = serde_json::from_slice::<Value>(&bytes) else {
        return plain(
            400,
            "Error in call to API function: could not decode input as JSON",
        );
    };
    let now = dropbox.clock.now();
    let mut world = dropbox.world();
    let said = world.admit(&parts.headers, now).and_then(|()| {
        let prefix = world.prefix(&parts.headers)?;
        world.rpc(route, &arg, &prefix)
    });
    json_answer(said)
}

fn json_answer(said: Answer) -> Response<Body> {
    let (status, body) = match said {
        Ok(body) => (200, body),
        Err((status, body)) => (status, body),
    };
    let builder = Response::builder()
        .status(status)
        .header("content-type", "application/json");
    let wait = body["error"]["retry_after"].as_u64();
    let builder = match wait {
        Some(seconds) => builder.header("retry-after", seconds.to_string()),
        None => builder,
    };
    builder.body(Body::from(body.to_string())).unwrap()
}

fn plain(status: u16, text: &str) -> Response<Body> {
    let builder = Response::builder()
        .status(status)
        .header("content-type", "text/plain");
    builder.body(Body::from(text.to_owned())).unwrap()
}

/// Uploads and downloads: arguments in a header, in plain ASCII.
fn content(dropbox: &Dropbox, route: &str, headers: &HeaderMap, bytes: &[u8]) -> Response<Body> {
    let given = headers
        .get("dropbox-api-arg")
        .map(|it| it.as_bytes().to_vec());
    let given = given.filter(|it| it.iter().all(|byte| (0x20..0x7f).contains(byte)));
    let Some(arg) = given.and_then(|it| serde_json::from_slice::<Value>(&it).ok()) else {
        return plain(
            400,
            "Error in call to API function: HTTP header \"Dropbox-API-Arg\"",
        );
    };
    let now = dropbox.clock.now();
    let mut world = dropbox.world();
    let admitted = world
        .admit(headers, now)
        .and_then(|()| world.prefix(headers));
    let prefix = match admitted {
        Ok(prefix) => prefix,
        Err(error) => return json_answer(Err(error)),
    };
    match route {
        "/files/upload" => json_answer(world.upload(&arg, bytes, &prefix, now)),
        "/files/download" => match world.download(&arg, &prefix) {
            Ok((entry, bytes)) => Response::builder()
                .header("content-type", "application/octet-stream")
                .header("dropbox-api-result", ascii(&entry))
                .body(Body::from(bytes))
                .unwrap(),
            Err(error) => json_answer(Err(error)),
        },
        _ => plain(404, "unknown route"),
    }
}

fn ascii(value: &Value) -> String {
    let text = value.to_string();
    let mut out = String::new();
    for unit in text.encode_utf16() {
        match u8::try_from(unit) {
            Ok(byte) if (0x20..0x7f).contains(&byte) => out.push(char::from(byte)),
            _ => out += &format!("\\u{unit:04x}"),
        }
    }
    out
}

impl World {
    fn admit(&mut self, headers: &HeaderMap, now: DateTime<Utc>) -> Result<(), (u16, Value)> {
        self.asked.retain(|at| *at > now - TimeDelta::minutes(5));
        if self.asked.len() >= MOST {
            self.refused += 1;
            let error = json!({"reason": {".tag": "too_many_requests"}, "retry_after": 60});
            return Err((
                429,
                json!({"error_summary": "too_many_requests/.", "error": error}),
            ));
        }
        self.asked.push_back(now);
        let given = headers.get("authorization").and_then(|it| it.to_str().ok());
        let tag = match self.login {
            Login::Expired => "expired_access_token",
            Login::Good if given == Some(&format!("Bearer {TOKEN}")) => return Ok(()),
            Login::Good => "invalid_access_token",
        };
        let summary = format!("{tag}/..");
        Err((
            401,
            json!({"error_summary": summary, "error": {".tag": tag}}),
        ))
    }

    /// The part of paths that is not to be seen: of a team's space, a member sees its own folder
    /// alone until it names the root.
    fn prefix(&self, headers: &HeaderMap) -> Result<String, (u16, Value)> {
        let root = headers
            .get("dropbox-api-path-root")
            .and_then(|it| it.to_str().ok());
        let root: Option<Value> = root.map(|it| serde_json::from_str(it).unwrap());
        let given = root.as_ref().map(|it| {
            assert_eq!(it[".tag"], "root");
            it["root"].as_str().unwrap()
        });
        let now = self.team.as_ref().map_or("1", |team| team.root.as_str());
        match (given, &self.team) {
            (Some(id), _) if id != now => {
                let error = json!({".tag": "invalid_root", "invalid_root": self.root_info()});
                let summary = "invalid_root/...";
                Err((422, json!({"error_summary": summary, "error": error})))
            }
            (None, Some(team)) => Ok(team.path.clone()),
            _ => Ok(String::new()),
        }
    }

    fn root_info(&self) -> Value {
        match &self.team {
            Some(team) => json!({".tag": "team", "root_namespace_id": team.root,
                "home_namespace_id": team.home, "home_path": team.path}),
            None => json!({".tag": "user", "root_namespace_id": "1", "home_namespace_id": "1"}),
        }
    }

    pub(super) fn rpc(&mut self, route: &str, arg: &Value, prefix: &str) -> Answer {
        match route {
            "/users/get_current_account" if arg.is_null() => Ok(self.account()),
            "/users/get_account_batch" => self.accounts(arg),
            "/files/get_metadata" => {
                let id = self
                    .locate(arg["path"].as_str().unwrap(), prefix)
                    .ok_or_else(not_found)?;
                Ok(self.metadata(&id, prefix))
            }
            "/files/list_folder" => self.list(arg, prefix),
            "/files/list_folder/continue" => self.go_on(arg["cursor"].as_str().unwrap(), prefix),
            _ => Err((400, json!("unknown route"))),
        }
    }

    fn account(&self) -> Value {
        let name = &self.accounts[ME];
        json!({"account_id": ME, "name": {"given_name": "Ada", "surname": "Beispiel",
            "familiar_name": "Ada", "display_name": name, "abbreviated_name": "AB"},
            "email": "ada@example.org", "email_verified": true, "disabled": false,
            "locale": "de", "referral_link": "https://db.tt/x", "is_paired": false,
            "account_type": {".tag": "basic"}, "root_info": self.root_info()})
    }

    fn accounts(&self, arg: &Value) -> Answer {
        if let Some(scope) = self.without_scope {
            let error = json!({".tag": "missing_scope", "required_scope": scope});
            return Err((
                401,
                json!({"error_summary": "missing_scope/..", "error": error}),
            ));
        }
        let ids = arg["account_ids"].as_array().unwrap();
        assert!(
            !ids.is_empty() && ids.len() <= 300,
            "{} accounts at once",
            ids.len()
        );
        let one = |id: &Value| {
            let id = id.as_str().unwrap();
            let name = self.accounts.get(id).ok_or_else(|| {
                refusal(
                    "no_account",
                    json!({".tag": "no_account", "no_account": id}),
                )
            })?;
            Ok(
                json!({"account_id": id, "name": {"given_name": "", "surname": "",
                "familiar_name": "", "display_name": name, "abbreviated_name": ""},
                "email": "x@example.org", "email_verified": false, "disabled": false,
                "is_teammate": false}),
            )
        };
        ids.iter().map(one).collect()
    }

    /// The thing at a path or id, where it is to be seen.
    fn locate(&self, path: &str, prefix: &str) -> Option<String> {
        let id = match path.strip_prefix("ns:") {
            Some(number) => self.nodes.iter().find_map(|(id, node)| match &node.kind {
                Kind::Folder {
                    shared: Some(it), ..
                } if it == number => Some(id.clone()),
                _ => None,
            })?,
            None if path.starts_with("id:") => path.to_owned(),
            None => self.find(&format!("{prefix}{path}"))?,
        };
        let inside = |id: &str| self.path(id).starts_with(&format!("{prefix}/"));
        (self.visible(&id) && inside(&id)).then_some(id)
    }

    fn list(&mut self, arg: &Value, prefix: &str) -> Answer {
        let path = arg["path"].as_str().unwrap();
        assert_ne!(path, "/", "the top is an empty text");
        let limit = arg["limit"].as_u64().unwrap_or(2000);
        assert!((1..=2000).contains(&limit), "limit {limit}");
        let root = match path {
            "" if prefix.is_empty() => None,
            "" => self.find(prefix),
            path => Some(self.locate(path, prefix).ok_or_else(not_found)?),
        };
        if root
            .as_ref()
            .is_some_and(|id| matches!(self.nodes[id].kind, Kind::File { .. }))
        {
            let error = json!({".tag": "path", "path": {".tag": "not_folder"}});
            return Err(refusal("path/not_folder", error));
        }
        let recursive = arg["recursive"] == true;
        let mut pending = if recursive {
            self.below(root.as_deref())
        } else {
            self.children(root.as_deref())
        };
        pending.retain(|id| self.visible(id) && self.path(id).len() > prefix.len());
        let place = Place {
            root,
            space: prefix.is_empty(),
            recursive,
            pending,
            read: self.journal.len(),
        };
        Ok(self.give(place, prefix, usize::try_from(limit).unwrap()))
    }

    fn go_on(&mut self, cursor: &str, prefix: &str) -> Answer {
        let Some(place) = self.cursors.get(cursor).cloned() else {
            return Err(refusal("reset", json!({".tag": "reset"})));
        };
        assert_eq!(place.space, prefix.is_empty(), "a cursor of another root");
        if place.root.as_ref().is_some_and(|root| !self.visible(root)) {
            return Err(not_found());
        }
        Ok(self.give(place, prefix, 2000))
    }

    /// The next entries of a place, and a cursor behind them.
    fn give(&mut self, mut place: Place, prefix: &str, limit: usize) -> Value {
        let most = self.page.min(limit);
        let mut entries = Vec::new();
        let hollow = self.hollow > 0;
        if hollow {
            self.hollow -= 1;
        } else {
            let rest = place.pending.split_off(most.min(place.pending.len()));
            let given = std::mem::replace(&mut place.pending, rest);
            let there = given.iter().filter(|id| self.visible(id));
            entries.extend(there.map(|id| self.metadata(id, prefix)));
            while entries.len() < most && place.read < self.journal.len() {
                let change = self.journal[place.read].clone();
                place.read += 1;
                entries.extend(self.told(&change, &place, prefix));
            }
        }
        let more = hollow || !place.pending.is_empty() || place.read < self.journal.len();
        self.made += 1;
        let cursor = format!("AAFakeCursor-{}", self.made);
        self.cursors.insert(cursor.clone(), place);
        json!({"entries": entries, "cursor": cursor, "has_more": more})
    }

    fn told(&self, change: &Change, place: &Place, prefix: &str) -> Option<Value> {
        let root = place
            .root
            .as_ref()
            .map(|id| self.path(id))
            .unwrap_or_default();
        let inside = |path: &str| {
            let (path, root) = (path.to_lowercase(), root.to_lowercase());
            let rest = path.strip_prefix(&root);
            rest.is_some_and(|rest| rest.starts_with('/'))
                && (place.recursive || rest.is_some_and(|rest| !rest[1..].contains('/')))
        };
        match change {
            Change::Upsert(id) => {
                let there = self.visible(id) && inside(&self.path(id));
                there.then(|| self.metadata(id, prefix))
            }
            Change::Deleted(path) => inside(path).then(|| deleted(path, prefix)),
        }
    }

    fn download(&self, arg: &Value, prefix: &str) -> Result<(Value, Vec<u8>), (u16, Value)> {
        let path = arg["path"].as_str().unwrap();
        let rev = path.strip_prefix("rev:");
        let mut nodes = self.nodes.iter();
        let found = nodes.find_map(|(id, node)| match &node.kind {
            Kind::File {
                rev: own, bytes, ..
            } if Some(own.as_str()) == rev || (rev.is_none() && id == path) => {
                Some((id.clone(), bytes.clone()))
            }
            _ => None,
        });
        if let Some((id, bytes)) = found {
            return Ok((self.metadata(&id, prefix), bytes));
        }
        // An earlier revision of some file.
        let bytes = rev
            .and_then(|rev| self.revisions.get(rev))
            .ok_or_else(not_found)?;
        Ok((json!({"content_hash": content_hash(bytes)}), bytes.clone()))
    }

    fn upload(&mut self, arg: &Value, bytes: &[u8], prefix: &str, now: DateTime<Utc>) -> Answer {
        let soon = self.written.is_some_and(|at| now - at < WRITE_TIME);
        if self.busy > 0 || soon {
            self.busy = self.busy.saturating_sub(1);
            if let Some((path, bytes)) = self.meanwhile.take() {
                self.write(&path, &bytes, None, now);
            }
            self.refused += u32::from(soon);
            let error = json!({"reason": {".tag": "too_many_write_operations"}, "retry_after": 1});
            let summary = "too_many_write_operations/.";
            return Err((429, json!({"error_summary": summary, "error": error})));
        }
        self.written = Some(now);
        if arg["content_hash"]
            .as_str()
            .is_some_and(|hash| hash != content_hash(bytes))
        {
            let error = json!({".tag": "content_hash_mismatch"});
            return Err(refusal("content_hash_mismatch", error));
        }
        assert_eq!(arg["autorename"], false, "a name that we do not choose");
        let path = format!("{prefix}{}", arg["path"].as_str().unwrap());
        let conflict = |what: &str| {
            let reason = json!({".tag": "conflict", "conflict": {".tag": what}});
            let error = json!({".tag": "path", "reason": reason, "upload_session_id": "AAAA"});
            Err(refusal(&format!("path/conflict/{what}"), error))
        };
        let mut above = path.as_str();
        while let Some((parent, _)) = above.rsplit_once('/').filter(|it| !it.0.is_empty()) {
            let file = |id: &String| matches!(self.nodes[id].kind, Kind::File { .. });
            if self.find(parent).as_ref().is_some_and(file) {
                return conflict("file_ancestor");
            }
            above = parent;
        }
        let strict = arg["strict_conflict"] == true;
        let wanted = arg["mode"]["update"].as_str();
        if let Some(id) = self.find(&path) {
            let Kind::File {
                rev, bytes: old, ..
            } = &self.nodes[&id].kind
            else {
                return conflict("folder");
            };
            if old == bytes && !strict {
                return Ok(untagged(self.metadata(&id, prefix)));
            }
            if wanted != Some(rev) {
                return conflict("file");
            }
        } else if wanted.is_some() && strict {
            return conflict("file");
        }
        let id = self.write(&path, bytes, Some(ME), now);
        Ok(untagged(self.metadata(&id, prefix)))
    }
}

/// `upload` answers with `FileMetadata`, which is no union and has no tag.
fn untagged(mut entry: Value) -> Value {
    entry.as_object_mut().unwrap().remove(".tag");
    entry
}
