//! What can be written at the fake Trello: comments, and numbers in custom fields.

use axum::http::Method;
use serde_json::{Value, json};
use stundenbuch_connectors::clock::Clock as _;

use super::api::{Answer, Asked};
use super::{Board, ME, Trello, World, iso};

/// The vendor's limit, in characters.
const COMMENT_MAX: usize = 16_384;

impl Trello {
    pub(super) fn write(&self, method: &Method, path: &str, asked: &Asked, body: &[u8]) -> Answer {
        if self.world().read_only {
            return refuse(401, "unauthorized permission requested");
        }
        let parts: Vec<&str> = path.trim_matches('/').split('/').collect();
        match (method.as_str(), parts.as_slice()) {
            ("POST", ["1", "cards", card, "actions", "comments"]) => {
                let text = comment_text(asked, body)?;
                if self.world().holder_of(card).is_none() {
                    return refuse(404, "The requested resource was not found.");
                }
                let id = self.comment(card, &text);
                let board = self.board_of(card);
                Ok(self.on(&board, |board| board.action(&id).unwrap().clone()))
            }
            ("PUT", ["1", "actions", id]) => {
                let (text, now) = (comment_text(asked, body)?, self.clock.now());
                let mut world = self.world();
                let found = world.boards.values_mut().find_map(|it| {
                    it.active = Some(now);
                    it.actions.iter_mut().find(|it| it["id"] == *id)
                });
                match found {
                    None => refuse(404, "The requested resource was not found."),
                    Some(action) if action["idMemberCreator"] != ME => {
                        refuse(401, "unauthorized permission requested")
                    }
                    Some(action) => {
                        action["data"]["text"] = json!(text);
                        action["data"]["dateLastEdited"] = json!(iso(now));
                        Ok(action.clone())
                    }
                }
            }
            ("PUT", ["1", "cards", card, "customField", field, "item"]) => {
                self.put_number(card, field, body)
            }
            _ => refuse(404, &format!("Cannot {method} {path}")),
        }
    }

    fn put_number(&self, card: &str, field: &str, body: &[u8]) -> Answer {
        let body: Value = serde_json::from_slice(body).unwrap_or_default();
        let number = body["value"]["number"].as_str();
        let Some(number) = number.filter(|it| it.parse::<f64>().is_ok()) else {
            return refuse(400, "Invalid custom field item value.");
        };
        let mut world = self.world();
        if world.no_fields {
            return refuse(403, "board must have the Custom Fields Power-Up enabled");
        }
        let holder = world.boards.values_mut().find_map(|board| {
            let known = board.fields.iter().any(|it| it["id"] == field);
            let mut cards = board.cards.iter_mut();
            cards.find(|it| it["id"] == card).filter(|_| known)
        });
        let Some(card) = holder else {
            return refuse(404, "The requested resource was not found.");
        };
        let item = json!({"id": field, "idCustomField": field, "value": {"number": number}});
        let items = card["customFieldItems"].as_array_mut().unwrap();
        items.retain(|it| it["idCustomField"] != field);
        items.push(item.clone());
        Ok(item)
    }
}

impl World {
    pub(super) fn holder_of(&self, card: &str) -> Option<&Board> {
        let mut boards = self.boards.values().filter(|board| !board.lost);
        boards.find(|board| board.cards.iter().any(|it| it["id"] == card))
    }

    pub(super) fn fields(&self, board: &str) -> Answer {
        if self.no_fields {
            return refuse(403, "board must have the Custom Fields Power-Up enabled");
        }
        match self.boards.get(board) {
            Some(board) => Ok(json!(board.fields)),
            None => refuse(404, "The requested resource was not found."),
        }
    }

    /// The member's tokens, with what they may do.
    pub(super) fn tokens(&self) -> Value {
        let permission = |kind: &str| {
            json!({"idModel": "*", "modelType": kind, "read": true,
                "write": !self.read_only})
        };
        json!([{"id": "5a00000000000000000000f0", "identifier": "Stundenbuch", "idMember": ME,
            "dateExpires": null, "permissions": [permission("Board"), permission("Organization")]}])
    }
}

impl Board {
    fn action(&self, id: &str) -> Option<&Value> {
        self.actions.iter().find(|it| it["id"] == id)
    }
}

fn refuse(status: u16, text: &str) -> Answer {
    Err((status, text.to_owned()))
}

/// The text of a comment: in the body, since addresses have an end.
fn comment_text(asked: &Asked, body: &[u8]) -> Result<String, (u16, String)> {
    if asked.contains_key("text") {
        return Err((414, "this fake wants the text in the body".to_owned()));
    }
    let body = String::from_utf8_lossy(body);
    let text = body.split('&').find_map(|pair| pair.strip_prefix("text="));
    match text.map(decoded) {
        Some(text) if text.trim().is_empty() => Err((400, "invalid value for text".to_owned())),
        Some(text) if text.chars().count() > COMMENT_MAX => {
            Err((400, "invalid value for text".to_owned()))
        }
        Some(text) => Ok(text),
        None => Err((400, "invalid value for text".to_owned())),
    }
}

/// A value of a form, as it was meant.
fn decoded(value: &str) -> String {
    let mut bytes = Vec::new();
    let mut rest = value.bytes();
    while let Some(byte) = rest.next() {
        bytes.push(match byte {
            b'+' => b' ',
            b'%' => {
                let digits = [rest.next(), rest.next()].map(|it| char::from(it.unwrap_or(b'0')));
                let digits: String = digits.iter().collect();
                u8::from_str_radix(&digits, 16).unwrap_or(b'?')
            }
            other => other,
        });
    }
    String::from_utf8_lossy(&bytes).into_owned()
}
