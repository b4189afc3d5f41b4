//! What the fake Trello answers, and what it refuses.

use std::collections::{BTreeMap, VecDeque};

use axum::body::{Body, Bytes};
use axum::extract::{Query, State as Shared};
use axum::http::{HeaderMap, Method, Response, Uri};
use chrono::{DateTime, TimeDelta, Utc};
use serde_json::{Map, Value, json};
use stundenbuch_connectors::clock::Clock as _;

use super::{Board, KEY, ME, TOKEN, Trello, World, iso};

pub(super) type Answer = Result<Value, (u16, String)>;
pub(super) type Asked = BTreeMap<String, String>;

pub(super) async fn answer(
    Shared(trello): Shared<Trello>,
    method: Method,
    uri: Uri,
    headers: HeaderMap,
    body: Bytes,
) -> Response<Body> {
    let asked = Query::<Asked>::try_from_uri(&uri).map_or_else(|_| Asked::new(), |it| it.0);
    let answer = match trello.admitted(uri.path(), &asked, &headers) {
        Err(refusal) => Err(refusal),
        Ok(()) if method == Method::GET => trello.respond(uri.path(), &asked),
        Ok(()) => trello.write(&method, uri.path(), &asked, &body),
    };
    let (status, kind, body) = match answer {
        Ok(value) => (200, "application/json; charset=utf-8", value.to_string()),
        Err((429, body)) => (429, "application/json; charset=utf-8", body),
        Err((status, body)) => (status, "text/plain; charset=utf-8", body),
    };
    Response::builder()
        .status(status)
        .header("content-type", kind)
        .body(Body::from(body))
        .unwrap()
}

impl Trello {
    fn admitted(
        &self,
        path: &str,
        asked: &Asked,
        headers: &HeaderMap,
    ) -> Result<(), (u16, String)> {
        let now = self.clock.now();
        let mut world = self.world();
        world.admit(path, now)?;
        if let Some(text) = world.revoked {
            return Err((401, text.to_owned()));
        }
        let expected = format!(r#"OAuth oauth_consumer_key="{KEY}", oauth_token="{TOKEN}""#);
        let given = headers.get("authorization").and_then(|it| it.to_str().ok());
        if given != Some(&expected) || asked.contains_key("key") || asked.contains_key("token") {
            return Err((401, "invalid token".to_owned()));
        }
        Ok(())
    }

    fn respond(&self, path: &str, asked: &Asked) -> Answer {
        let world = self.world();
        let parts: Vec<&str> = path.trim_matches('/').split('/').collect();
        match parts.as_slice() {
            ["1", "members", "me", "tokens"] => Ok(world.tokens()),
            ["1", "members", "me"] if !asked.contains_key("boards") => Ok(chosen(
                &json!({"id": ME, "username": "ada"}),
                param(asked, "fields")?,
            )),
            ["1", "members", "me"] => {
                let boards = world.listed("all", "name,closed,shortLink");
                Ok(
                    json!({"id": ME, "username": "ada", "fullName": "Ada Beispiel",
                    "boards": boards}),
                )
            }
            ["1", "members", "me", "boards"] => {
                Ok(world.listed(param(asked, "filter")?, param(asked, "fields")?))
            }
            ["1", "boards", id] => world.board(id)?.nested(id, asked),
            ["1", "boards", id, "cards", "all"] => world.board(id)?.card_page(asked),
            ["1", "boards", id, "actions"] => world.board(id)?.log_page(asked, ""),
            ["1", "boards", id, "customFields"] => world.fields(id),
            ["1", "cards", id] => world.card(id, asked),
            ["1", "cards", id, "actions"] => match world.holder_of(id) {
                Some(board) => board.log_of(id, asked),
                None => Err((404, "The requested resource was not found.".to_owned())),
            },
            _ => Err((404, format!("Cannot GET {path}"))),
        }
    }
}

impl World {
    /// The vendor's limits: 100 requests in 10 s for a token, 100 in 900 s for `/members/…`
    /// itself, and everything refused after more than 200 refusals in 10 s.
    fn admit(&mut self, path: &str, now: DateTime<Utc>) -> Result<(), (u16, String)> {
        let member = path.trim_matches('/').split('/').count() == 3 && path.contains("/members/");
        let full = |window: &mut VecDeque<DateTime<Utc>>, most: usize, seconds: i64| {
            window.retain(|at| *at > now - TimeDelta::seconds(seconds));
            window.len() >= most
        };
        let banned = full(&mut self.refusals, 201, 10);
        let token = full(&mut self.token, 100, 10);
        let members = member && full(&mut self.members, 100, 900);
        if banned || token || members {
            self.refusals.push_back(now);
            self.refused += 1;
            let error = if members {
                "RATE_LIMIT_EXCEEDED"
            } else {
                "API_TOKEN_LIMIT_EXCEEDED"
            };
            let body = json!({"error": error, "message": "Rate limit exceeded"});
            return Err((429, body.to_string()));
        }
        self.token.push_back(now);
        if member {
            self.members.push_back(now);
        }
        Ok(())
    }

    fn listed(&self, filter: &str, fields: &str) -> Value {
        let boards = self.boards.iter().filter(|(_, board)| {
            !board.lost && (filter == "all" || (filter == "open" && !board.closed))
        });
        boards
            .map(|(id, board)| chosen(&board.facts(id), fields))
            .collect()
    }

    fn board(&self, id: &str) -> Result<&Board, (u16, String)> {
        match self.boards.get(id) {
            Some(board) if board.lost => Err((401, "unauthorized permission requested".to_owned())),
            Some(board) => Ok(board),
            None => Err((404, "The requested resource was not found.".to_owned())),
        }
    }

    fn card(&self, id: &str, asked: &Asked) -> Answer {
        let boards = self.boards.values().filter(|board| !board.lost);
        let card = boards
            .flat_map(|board| &board.cards)
            .chain(&self.hidden)
            .find(|card| card["id"] == id);
        match card {
            Some(card) => {
                let mut fields = param(asked, "fields")?.to_owned();
                if asked.get("customFieldItems").is_some_and(|it| it == "true") {
                    fields.push_str(",customFieldItems");
                }
                Ok(chosen(card, &fields))
            }
            None => Err((404, "The requested resource was not found.".to_owned())),
        }
    }
}

impl Board {
    fn facts(&self, id: &str) -> Value {
        json!({"id": id, "name": self.name, "closed": self.closed, "shortLink": self.short,
            "dateLastActivity": self.active.map(iso), "url": format!("https://trello.com/b/{}",
            self.short), "prefs": {"permissionLevel": "org"}})
    }

    fn nested(&self, id: &str, asked: &Asked) -> Answer {
        let mut board = chosen(&self.facts(id), param(asked, "fields")?);
        let has = |key: &str| asked.contains_key(key);
        let all = |key: &str| asked.get(key).is_some_and(|it| it == "all" || it == "true");
        let pick = |items: &[Value], fields: &str| -> Answer {
            let fields = param(asked, fields)?;
            Ok(items.iter().map(|item| chosen(item, fields)).collect())
        };
        if all("lists") {
            board["lists"] = pick(&self.lists, "list_fields")?;
        }
        if all("labels") {
            board["labels"] = pick(&self.labels, "label_fields")?;
        }
        if all("members") {
            let me = json!({"id": ME, "fullName": "Ada Beispiel", "username": "ada",
                "avatarHash": null});
            board["members"] = pick(&[me], "member_fields")?;
        }
        if all("customFields") {
            board["customFields"] = json!(self.fields);
        }
        if all("checklists") {
            board["checklists"] = json!(self.checklists);
        }
        if all("cards") {
            self.within(self.cards.len())?;
            board["cards"] = Self::cards(self.cards.iter(), asked, "card_")?;
        }
        if has("actions") {
            board["actions"] = self.log_page(asked, "actions_")?;
        }
        Ok(board)
    }

    fn cards<'a>(cards: impl Iterator<Item = &'a Value>, asked: &Asked, prefix: &str) -> Answer {
        let mut fields = param(asked, &format!("{prefix}fields"))?.to_owned();
        for extra in ["customFieldItems", "attachments"] {
            if asked
                .get(&format!("{prefix}{extra}"))
                .is_some_and(|it| it == "true")
            {
                fields = format!("{fields},{extra}");
            }
        }
        Ok(cards.map(|card| chosen(card, &fields)).collect())
    }

    fn within(&self, cards: usize) -> Result<(), (u16, String)> {
        match self.cards_at_once {
            Some(most) if cards > most => Err((403, "Too many checklists".to_owned())),
            _ => Ok(()),
        }
    }

    /// Newest first by creation, behind `before`.
    fn card_page(&self, asked: &Asked) -> Answer {
        let limit = limit(asked, "limit")?;
        let mut cards: Vec<&Value> = self.cards.iter().collect();
        cards.sort_by_key(|card| std::cmp::Reverse(card["id"].as_str()));
        let before = asked.get("before");
        cards.retain(|card| before.is_none_or(|id| card["id"].as_str() < Some(id)));
        cards.truncate(limit);
        self.within(limit)?;
        Self::cards(cards.into_iter(), asked, "")
    }

    /// The log of one card, in pages like that of the board.
    fn log_of(&self, card: &str, asked: &Asked) -> Answer {
        let all = self.log_page(asked, "")?;
        let of_card = |action: &&Value| action["data"]["card"]["id"] == card;
        Ok(all
            .as_array()
            .unwrap()
            .iter()
            .filter(of_card)
            .cloned()
            .collect())
    }

    fn log_page(&self, asked: &Asked, prefix: &str) -> Answer {
        let named = |name: &str| format!("{prefix}{name}");
        let filter = asked.get(if prefix.is_empty() {
            "filter"
        } else {
            "actions"
        });
        let kinds: Vec<&str> = filter.map_or(Vec::new(), |it| it.split(',').collect());
        let since = asked.get(&named("since"));
        let before = asked.get(&named("before"));
        let actions = self.actions.iter().rev().filter(|action| {
            kinds.contains(&action["type"].as_str().unwrap())
                && since.is_none_or(|since| later(action, since))
                && before.is_none_or(|id| action["id"].as_str() < Some(id))
        });
        Ok(actions
            .take(limit(asked, &named("limit"))?)
            .cloned()
            .collect())
    }
}

/// Whether an action is later than an instant or an identifier.
fn later(action: &Value, since: &str) -> bool {
    let key = if since.contains('T') { "date" } else { "id" };
    action[key].as_str() > Some(since)
}

fn limit(asked: &Asked, name: &str) -> Result<usize, (u16, String)> {
    match asked.get(name).map(|it| it.parse::<usize>()) {
        None => Ok(50),
        Some(Ok(limit)) if limit <= 1000 => Ok(limit),
        _ => Err((400, "invalid value for limit".to_owned())),
    }
}

/// What the connector must ask for: relying on a default would be a guess.
fn param<'a>(asked: &'a Asked, name: &str) -> Result<&'a str, (u16, String)> {
    let missing = || (400, format!("this fake wants `{name}`"));
    asked.get(name).map(String::as_str).ok_or_else(missing)
}

/// The fields that were asked for, and the id.
fn chosen(thing: &Value, fields: &str) -> Value {
    let mut kept = Map::new();
    for field in std::iter::once("id").chain(fields.split(',')) {
        if let Some(value) = thing.get(field) {
            kept.insert(field.to_owned(), value.clone());
        }
    }
    Value::Object(kept)
}
