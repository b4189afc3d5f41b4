//! The raw records: what was received, with the names that it refers to by id.
//!
//! A card names its list, board, members, labels and fields by id only. The mapping must work
//! from the raw record alone, so each card is kept in an envelope together with the names it
//! needs, and no other: a new label on the board changes only the cards that wear it.

use std::collections::BTreeMap;

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use super::wire::{Board, Field, Label, List, Member, UNREADABLE};
use crate::contract::Raw;
use crate::record::{ExternalId, Stream};

/// What stands for the scope of people and boards, which are listed for the whole account.
const ACCOUNT: &str = "account";

/// Fields of a card that change by themselves, belong to the reader of the board, or let anyone
/// write to the card (`email`). They come with exports; the nested request does not ask for them.
const LEFT_OUT: &[&str] = &[
    "badges",
    "checkItemStates",
    "cover",
    "email",
    "idMembersVoted",
    "limits",
    "nodeId",
    "pluginData",
    "stickers",
    "subscribed",
];

/// A card as it is kept.
#[derive(Debug, Serialize, Deserialize)]
pub(super) struct Kept {
    pub(super) board: Place,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) list: Option<Place>,
    /// As received, less [`LEFT_OUT`].
    pub(super) card: Value,
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub(super) members: BTreeMap<String, String>,
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub(super) labels: BTreeMap<String, String>,
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub(super) fields: BTreeMap<String, FieldNames>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub(super) checklists: Vec<Value>,
    /// When the log says that it was done, for cards that do not say so themselves.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) done_at: Option<DateTime<Utc>>,
}

/// The board or the list that a card lies in.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(super) struct Place {
    pub(super) id: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) name: Option<String>,
    #[serde(default)]
    pub(super) closed: bool,
    /// Whether cards that lie here are done; part of the envelope, because it depends on the
    /// connection's `done_lists` and the mapping must not.
    #[serde(default, skip_serializing_if = "is_false")]
    pub(super) done: bool,
}

/// The names within a custom field.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(super) struct FieldNames {
    pub(super) name: String,
    /// The texts of a drop-down's options by their ids.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub(super) options: BTreeMap<String, String>,
}

/// A board as it is kept.
#[derive(Debug, Serialize, Deserialize)]
pub(super) struct Project {
    pub(super) board: Place,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) short_link: Option<String>,
    /// How many actions an export held that may have left out older ones.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) log_cut: Option<usize>,
}

/// What gives the names on one board.
pub(crate) struct Names {
    board: Place,
    short_link: Option<String>,
    lists: BTreeMap<String, Place>,
    members: BTreeMap<String, Member>,
    labels: BTreeMap<String, Label>,
    fields: BTreeMap<String, Field>,
    checklists: BTreeMap<String, Vec<Value>>,
}

impl Names {
    /// Takes the names out of a board; `done` tells by its name whether a list holds done cards.
    pub(crate) fn of(board: &mut Board, done: &dyn Fn(&str) -> bool) -> Self {
        let place = |list: List| Place {
            done: list.name.as_deref().is_some_and(done),
            id: list.id,
            name: list.name,
            closed: list.closed == Some(true),
        };
        let lists = board.lists.take().unwrap_or_default();
        Self {
            board: Place {
                id: board.id.clone(),
                name: board.name.clone(),
                closed: board.closed == Some(true),
                done: false,
            },
            short_link: board.short_link.clone(),
            lists: by_id(lists.into_iter().map(place), |list| &list.id),
            members: by_id(board.members.take().into_iter().flatten(), |it| &it.id),
            labels: by_id(board.labels.take().into_iter().flatten(), |it| &it.id),
            fields: by_id(board.custom_fields.take().into_iter().flatten(), |it| {
                &it.id
            }),
            checklists: by_card(board.checklists.take().unwrap_or_default().0),
        }
    }

    /// Whether the cards of that list are done.
    pub(crate) fn is_done(&self, list: &str) -> bool {
        self.lists.get(list).is_some_and(|list| list.done)
    }

    /// The board itself; `log_cut` for an export whose log may begin before what it holds.
    pub(crate) fn project(&self, log_cut: Option<usize>) -> Raw {
        let body = Project {
            board: self.board.clone(),
            short_link: self.short_link.clone(),
            log_cut,
        };
        raw(Stream::Projects, &self.board.id, ACCOUNT, &body)
    }

    /// The people on the board; the same from every board that they are on.
    pub(crate) fn people(&self) -> impl Iterator<Item = Raw> + '_ {
        self.members
            .values()
            .map(|member| raw(Stream::People, &member.id, ACCOUNT, member))
    }

    /// One card in its envelope.
    pub(crate) fn card(&self, id: &str, card: &Value, done_at: Option<DateTime<Utc>>) -> Raw {
        let ids = |field: &str| ids(card, field);
        let body = Kept {
            board: self.board.clone(),
            list: card["idList"].as_str().map(|list| self.list(list)),
            card: without(card, LEFT_OUT),
            members: named(ids("idMembers"), |id| self.members.get(id)?.title()),
            labels: named(ids("idLabels"), |id| self.labels.get(id)?.title()),
            fields: self.fields_of(card),
            checklists: self.checklists.get(id).cloned().unwrap_or_default(),
            done_at,
        };
        raw(Stream::Tasks, id, &self.board.id, &body)
    }

    /// One entry of the board's log.
    pub(crate) fn action(&self, id: &str, action: &Value) -> Raw {
        raw(
            Stream::Activity,
            id,
            &self.board.id,
            &trimmed_action(action),
        )
    }

    fn list(&self, id: &str) -> Place {
        self.lists.get(id).cloned().unwrap_or_else(|| Place {
            id: id.to_owned(),
            name: None,
            closed: false,
            done: false,
        })
    }

    fn fields_of(&self, card: &Value) -> BTreeMap<String, FieldNames> {
        let items = card["customFieldItems"].as_array().into_iter().flatten();
        let used = items.filter_map(|item| item["idCustomField"].as_str());
        used.filter_map(|id| {
            let field = self.fields.get(id)?;
            let options = field.options.iter().flatten();
            let names = FieldNames {
                name: field.name.clone()?,
                options: options
                    .filter_map(|option| Some((option.id.clone(), option.text()?.to_owned())))
                    .collect(),
            };
            Some((id.to_owned(), names))
        })
        .collect()
    }
}

fn raw(stream: Stream, id: &str, scope: &str, body: &impl Serialize) -> Raw {
    Raw {
        stream,
        id: ExternalId::new(id),
        body: serde_json::to_string(body).expect("an envelope is plain data with text keys"),
        scope: scope.to_owned(),
    }
}

fn by_id<T>(items: impl Iterator<Item = T>, id: impl Fn(&T) -> &String) -> BTreeMap<String, T> {
    items.map(|item| (id(&item).clone(), item)).collect()
}

fn by_card(checklists: Vec<Value>) -> BTreeMap<String, Vec<Value>> {
    let mut by_card: BTreeMap<String, Vec<Value>> = BTreeMap::new();
    for checklist in checklists {
        if let Some(card) = checklist["idCard"].as_str().map(str::to_owned) {
            by_card.entry(card).or_default().push(checklist);
        }
    }
    by_card
}

fn ids<'a>(card: &'a Value, field: &str) -> Vec<&'a str> {
    let items = card[field].as_array().into_iter().flatten();
    items.filter_map(Value::as_str).collect()
}

fn named<'a>(ids: Vec<&str>, name: impl Fn(&str) -> Option<&'a str>) -> BTreeMap<String, String> {
    ids.into_iter()
        .filter_map(|id| Some((id.to_owned(), name(id)?.to_owned())))
        .collect()
}

fn without(object: &Value, left_out: &[&str]) -> Value {
    let Value::Object(fields) = object else {
        return object.clone();
    };
    let kept = fields
        .iter()
        .filter(|(key, _)| !left_out.contains(&key.as_str()));
    Value::Object(
        kept.map(|(key, value)| (key.clone(), value.clone()))
            .collect(),
    )
}

/// An action with its author's names instead of the author's whole profile, which has pictures
/// and settings that change.
fn trimmed_action(action: &Value) -> Value {
    let mut kept = Map::new();
    for key in ["id", "type", "date", "idMemberCreator", "data", UNREADABLE] {
        if let Some(value) = action.get(key) {
            kept.insert(key.to_owned(), value.clone());
        }
    }
    if let Some(creator) = action.get("memberCreator").and_then(Value::as_object) {
        let names = ["id", "fullName", "username"]
            .into_iter()
            .filter_map(|key| Some((key.to_owned(), creator.get(key)?.clone())));
        kept.insert("memberCreator".to_owned(), Value::Object(names.collect()));
    }
    Value::Object(kept)
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde hands a reference")]
fn is_false(flag: &bool) -> bool {
    !flag
}
