//! A Trello with boards that tests change like people do, and limits that it enforces.
//!
//! It answers only what the vendor describes: fields that were asked for, actions newest first
//! and at most a thousand, `deleteCard` instead of a deleted card's other actions. Credentials
//! count in the header only; in an address they are refused.

mod api;
mod write;

use std::collections::{BTreeMap, VecDeque};
use std::sync::{Arc, Mutex, MutexGuard};

use axum::Router;
use chrono::{DateTime, SecondsFormat, Utc};
use serde_json::{Value, json};
use stundenbuch_connectors::clock::{Clock as _, ManualClock};

pub const KEY: &str = "0123456789abcdef0123456789abcdef";
pub const TOKEN: &str = "ATTA0f1e2d3c4b5a69788796a5b4c3d2e1f00f1e2d3c4b5a69788796a5b4c3d2e1f0";
const ME: &str = "5a0000000000000000000001";
/// Somebody else on the boards.
const OTHER: &str = "5a0000000000000000000002";

/// The service; clones are the same service.
#[derive(Clone, Debug)]
pub struct Trello {
    clock: ManualClock,
    world: Arc<Mutex<World>>,
}

#[derive(Debug, Default)]
struct World {
    boards: BTreeMap<String, Board>,
    made: u64,
    revoked: Option<&'static str>,
    /// Cards that exist and that no board lists.
    hidden: Vec<Value>,
    /// The instants of the last requests and refusals.
    token: VecDeque<DateTime<Utc>>,
    members: VecDeque<DateTime<Utc>>,
    refusals: VecDeque<DateTime<Utc>>,
    refused: u32,
    /// The token has the scope `read` alone.
    read_only: bool,
    /// The plan has no custom fields.
    no_fields: bool,
}

#[derive(Debug, Default)]
struct Board {
    name: String,
    short: String,
    closed: bool,
    /// The member was taken off the board.
    lost: bool,
    active: Option<DateTime<Utc>>,
    lists: Vec<Value>,
    cards: Vec<Value>,
    labels: Vec<Value>,
    fields: Vec<Value>,
    checklists: Vec<Value>,
    /// Oldest first.
    actions: Vec<Value>,
    numbered: u64,
    /// More cards than these in one answer are too many.
    cards_at_once: Option<usize>,
}

impl Trello {
    pub fn new(clock: ManualClock) -> Self {
        Self {
            clock,
            world: Arc::default(),
        }
    }

    /// The API under `/1`, as at the vendor.
    pub fn router(&self) -> Router {
        Router::new().fallback(api::answer).with_state(self.clone())
    }

    /// How many requests were refused with 429.
    pub fn refused(&self) -> u32 {
        self.world().refused
    }

    /// Every request is answered 401 with this text; `None` accepts the token again.
    pub fn revoke(&self, text: Option<&'static str>) {
        self.world().revoked = text;
    }

    pub fn add_board(&self, name: &str) -> String {
        let (id, now) = (self.make_id(), self.clock.now());
        let board = Board {
            name: name.to_owned(),
            short: short(&id),
            active: Some(now),
            ..Board::default()
        };
        self.world().boards.insert(id.clone(), board);
        id
    }

    pub fn add_list(&self, board: &str, name: &str) -> String {
        let id = self.make_id();
        let list = json!({"id": id, "name": name, "closed": false, "idBoard": board});
        self.on(board, |board| board.lists.push(list));
        id
    }

    pub fn add_label(&self, board: &str, name: &str, color: &str) -> String {
        let id = self.make_id();
        let label = json!({"id": id, "idBoard": board, "name": name, "color": color});
        self.on(board, |board| board.labels.push(label));
        id
    }

    pub fn add_field(&self, board: &str, name: &str, options: Value) -> String {
        let id = self.make_id();
        let field = json!({"id": id, "idModel": board, "name": name, "options": options});
        self.on(board, |board| board.fields.push(field));
        id
    }

    pub fn add_checklist(&self, card: &str, name: &str) {
        let (id, board) = (self.make_id(), self.board_of(card));
        let list = json!({"id": id, "name": name, "idCard": card, "checkItems": []});
        self.on(&board, |board| board.checklists.push(list));
    }

    pub fn add_card(&self, list: &str, name: &str) -> String {
        let (id, board) = (self.make_id(), self.board_of_list(list));
        let number = self.on(&board, |board| {
            board.numbered += 1;
            board.numbered
        });
        let card = json!({
            "id": id, "name": name, "desc": "", "closed": false, "due": null,
            "dueComplete": false, "dateCompleted": null, "start": null, "idBoard": board,
            "idList": list, "idMembers": [], "idLabels": [], "idShort": number,
            "shortLink": short(&id), "shortUrl": format!("https://trello.com/c/{}", short(&id)),
            "pos": number * 65536, "isTemplate": false, "cardRole": null, "attachments": [],
            "customFieldItems": [], "badges": {"votes": 0, "viewingMemberVoted": false},
            "email": "board+secret@boards.trello.example",
        });
        self.on(&board, |board| board.cards.push(card));
        let list = self.list_name(list);
        self.log(&id, "createCard", json!({"list": list}));
        id
    }

    pub fn rename(&self, card: &str, name: &str) {
        let old = self.set(card, "name", json!(name));
        self.log(card, "updateCard", json!({"old": {"name": old}}));
    }

    pub fn archive(&self, card: &str, closed: bool) {
        let old = self.set(card, "closed", json!(closed));
        self.log(
            card,
            "updateCard",
            json!({"old": {"closed": old}, "card": {"closed": closed}}),
        );
    }

    /// Ticks the card; a Trello of before 2026 does not tell when.
    pub fn complete(&self, card: &str, dated: bool) {
        let old = self.set(card, "dueComplete", json!(true));
        if dated {
            self.set(card, "dateCompleted", json!(iso(self.clock.now())));
        }
        let data = json!({"old": {"dueComplete": old}, "card": {"dueComplete": true}});
        self.log(card, "updateCard", data);
    }

    pub fn move_to(&self, card: &str, list: &str) {
        let before = self.set(card, "idList", json!(list));
        let (after, id) = (self.list_name(list), before.as_str().unwrap().to_owned());
        let data = json!({"old": {"idList": before}, "card": {"idList": list},
            "listBefore": self.list_name(&id), "listAfter": after});
        self.log(card, "updateCard", data);
    }

    pub fn move_to_board(&self, card: &str, list: &str) {
        let (from, to) = (self.board_of(card), self.board_of_list(list));
        let named = |id: &str| json!({"id": id, "name": self.world().boards[id].name});
        let (source, target) = (named(&from), named(&to));
        self.log(card, "moveCardFromBoard", json!({"boardTarget": target}));
        let mut moved = self.on(&from, |board| {
            let at = board.cards.iter().position(|it| it["id"] == card).unwrap();
            board.cards.remove(at)
        });
        moved["idBoard"] = json!(to);
        moved["idList"] = json!(list);
        self.on(&to, |board| board.cards.push(moved));
        let list = self.list_name(list);
        self.log(
            card,
            "moveCardToBoard",
            json!({"boardSource": source, "list": list}),
        );
    }

    /// Renames without an entry in the log, as other tools' changes may be.
    pub fn rename_silently(&self, card: &str, name: &str) {
        self.set(card, "name", json!(name));
        self.touch(&self.board_of(card));
    }

    /// Comments, and gives the comment's id.
    pub fn comment(&self, card: &str, text: &str) -> String {
        self.log(card, "commentCard", json!({"text": text}))
    }

    /// Somebody else comments.
    pub fn comment_of_another(&self, card: &str, text: &str) -> String {
        let (id, board) = (self.comment(card, text), self.board_of(card));
        self.on(&board, |board| {
            let action = board.actions.iter_mut().find(|it| it["id"] == id).unwrap();
            action["idMemberCreator"] = json!(OTHER);
            action["memberCreator"] = json!({"id": OTHER, "fullName": "Bo Muster"});
        });
        id
    }

    /// The texts of a card's comments, the oldest first.
    pub fn comments(&self, card: &str) -> Vec<String> {
        let board = self.board_of(card);
        self.on(&board, |board| {
            let of_card = board
                .actions
                .iter()
                .filter(|it| it["type"] == "commentCard" && it["data"]["card"]["id"] == card);
            let texts = of_card.map(|it| it["data"]["text"].as_str().unwrap().to_owned());
            texts.collect()
        })
    }

    /// The id of a card's comment with this text.
    pub fn comment_id(&self, card: &str, text: &str) -> String {
        let board = self.board_of(card);
        self.on(&board, |board| {
            let mut actions = board.actions.iter();
            let found =
                actions.find(|it| it["data"]["text"] == text && it["data"]["card"]["id"] == card);
            found.unwrap()["id"].as_str().unwrap().to_owned()
        })
    }

    /// Whether the token may only read.
    pub fn read_only(&self, only: bool) {
        self.world().read_only = only;
    }

    /// Whether the boards' plan lacks custom fields.
    pub fn without_fields(&self, lacks: bool) {
        self.world().no_fields = lacks;
    }

    /// Gives a board a number field.
    pub fn add_number(&self, board: &str, name: &str) -> String {
        let id = self.add_field(board, name, json!([]));
        self.on(board, |board| {
            let field = board.fields.iter_mut().find(|it| it["id"] == id).unwrap();
            field["type"] = json!("number");
        });
        id
    }

    pub fn edit_comment(&self, board: &str, comment: &str, text: &str) {
        self.on(board, |board| {
            let mut actions = board.actions.iter_mut();
            let action = actions.find(|it| it["id"] == comment).unwrap();
            action["data"]["text"] = json!(text);
        });
        self.touch(board);
    }

    pub fn delete_comment(&self, board: &str, comment: &str) {
        self.on(board, |board| {
            board.actions.retain(|it| it["id"] != comment);
        });
        self.touch(board);
    }

    /// The ids of a board's cards, and of its actions.
    pub fn ids(&self, board: &str) -> (Vec<String>, Vec<String>) {
        let ids = |things: &[Value]| {
            let ids = things
                .iter()
                .map(|it| it["id"].as_str().unwrap().to_owned());
            ids.collect()
        };
        self.on(board, |board| (ids(&board.cards), ids(&board.actions)))
    }

    /// A board's cards as the service keeps them.
    pub fn cards(&self, board: &str) -> Vec<Value> {
        self.on(board, |board| board.cards.clone())
    }

    /// Deletes for good: only the action that says so remains of the card.
    pub fn delete(&self, card: &str) {
        let board = self.board_of(card);
        self.log(card, "deleteCard", json!({}));
        self.on(&board, |board| {
            board.cards.retain(|it| it["id"] != card);
            board
                .actions
                .retain(|it| it["data"]["card"]["id"] != card || it["type"] == "deleteCard");
            for action in &mut board.actions {
                if action["type"] == "deleteCard" {
                    action["data"]["card"]
                        .as_object_mut()
                        .unwrap()
                        .remove("name");
                }
            }
        });
    }

    /// Changes a field without a word in the log, and without activity: as custom fields do.
    pub fn set(&self, card: &str, field: &str, value: Value) -> Value {
        let board = self.board_of(card);
        self.on(&board, |board| {
            let card = board.cards.iter_mut().find(|it| it["id"] == card).unwrap();
            std::mem::replace(&mut card[field], value)
        })
    }

    /// Something happened on the board that no card shows.
    pub fn touch(&self, board: &str) {
        let now = self.clock.now();
        self.on(board, |board| board.active = Some(now));
    }

    pub fn close_list(&self, list: &str) {
        let board = self.board_of_list(list);
        self.on(&board, |board| {
            let list = board.lists.iter_mut().find(|it| it["id"] == list).unwrap();
            list["closed"] = json!(true);
        });
        self.touch(&board);
    }

    pub fn close_board(&self, board: &str) {
        self.on(board, |board| board.closed = true);
        self.touch(board);
    }

    /// Takes the member off the board: neither it nor its cards are there any more for them.
    pub fn lose_board(&self, board: &str) {
        self.on(board, |board| board.lost = true);
    }

    /// Drops the first cards of a board without a trace: neither an action nor activity.
    pub fn lose_cards(&self, board: &str, count: usize) -> Vec<Value> {
        self.on(board, |board| board.cards.drain(..count).collect())
    }

    /// Puts cards back as they were.
    pub fn find_cards(&self, board: &str, cards: Vec<Value>) {
        self.on(board, |board| drop(board.cards.splice(..0, cards)));
    }

    /// Puts cards where only a request for each of them finds them.
    pub fn hide_cards(&self, cards: Vec<Value>) {
        self.world().hidden.extend(cards);
    }

    /// The ids of all boards.
    pub fn boards(&self) -> Vec<String> {
        self.world().boards.keys().cloned().collect()
    }

    /// The ids of a board's lists.
    pub fn lists(&self, board: &str) -> Vec<String> {
        self.on(board, |board| {
            let lists = board.lists.iter();
            lists
                .map(|it| it["id"].as_str().unwrap().to_owned())
                .collect()
        })
    }

    /// Drops all cards without a trace.
    pub fn empty_board(&self, board: &str) {
        self.on(board, |board| board.cards.clear());
        self.touch(board);
    }

    /// Refuses to give more cards than these at once.
    pub fn limit_cards(&self, board: &str, at_once: usize) {
        self.on(board, |board| board.cards_at_once = Some(at_once));
    }

    fn world(&self) -> MutexGuard<'_, World> {
        self.world.lock().unwrap()
    }

    fn on<T>(&self, board: &str, change: impl FnOnce(&mut Board) -> T) -> T {
        change(
            self.world()
                .boards
                .get_mut(board)
                .expect("a board of the fake"),
        )
    }

    fn make_id(&self) -> String {
        let mut world = self.world();
        world.made += 1;
        format!("{:08x}{:016x}", self.clock.now().timestamp(), world.made)
    }

    fn board_of(&self, card: &str) -> String {
        self.holder(|board| board.cards.iter().any(|it| it["id"] == card))
    }

    fn board_of_list(&self, list: &str) -> String {
        self.holder(|board| board.lists.iter().any(|it| it["id"] == list))
    }

    fn holder(&self, holds: impl Fn(&Board) -> bool) -> String {
        let world = self.world();
        let holder = world.boards.iter().find(|(_, board)| holds(board));
        holder.expect("a board of the fake").0.clone()
    }

    fn list_name(&self, list: &str) -> Value {
        let board = self.board_of_list(list);
        self.on(&board, |board| {
            let list = board.lists.iter().find(|it| it["id"] == list).unwrap();
            json!({"id": list["id"], "name": list["name"]})
        })
    }

    /// Writes an action, and marks card and board as active.
    fn log(&self, card: &str, kind: &str, mut data: Value) -> String {
        let (id, now, board) = (self.make_id(), self.clock.now(), self.board_of(card));
        self.on(&board.clone(), |it| {
            it.active = Some(now);
            let about = it.cards.iter_mut().find(|it| it["id"] == card).unwrap();
            about["dateLastActivity"] = json!(iso(now));
            for key in ["id", "name", "idShort", "shortLink"] {
                data["card"][key] = about[key].clone();
            }
            data["board"] = json!({"id": board, "name": it.name, "shortLink": it.short});
            it.actions.push(json!({
                "id": id, "idMemberCreator": ME, "type": kind, "date": iso(now), "data": data,
                "appCreator": null, "limits": null,
                "memberCreator": {"id": ME, "fullName": "Ada Beispiel", "username": "ada",
                    "avatarUrl": "https://example.org/ada", "initials": "AB"},
            }));
        });
        id
    }
}

/// Eight signs, as different as the identifiers.
fn short(id: &str) -> String {
    id[16..].chars().rev().collect()
}

fn iso(at: DateTime<Utc>) -> String {
    at.to_rfc3339_opts(SecondsFormat::Millis, true)
}
