//! What Trello sends: a board with its cards, as the nested request and the export have it.
//!
//! Cards and actions stay untyped, because they are kept as received and read again whenever the
//! mapping changes; what only gives them names is typed, and an element that cannot be read is
//! passed over: the record then lacks a name, and nothing else.

use std::collections::BTreeMap;

use serde::de::DeserializeOwned;
use serde::{Deserialize, Deserializer, Serialize};
use serde_json::Value;
use serde_json::json;
use serde_json::value::RawValue;

use crate::culprit::{blame, culprit};

/// The key under which an element that cannot be read has the reason, instead of its content.
pub(super) const UNREADABLE: &str = "unreadable";

/// A list whose elements are read one by one. What cannot be read (half of a character in a
/// title that was cut, a number without an end) is replaced by its identifier and the reason, so
/// that one card does not stop a board.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(from = "Vec<Box<RawValue>>")]
pub(crate) struct Elements(pub(crate) Vec<Value>);

impl From<Vec<Box<RawValue>>> for Elements {
    fn from(received: Vec<Box<RawValue>>) -> Self {
        let element = |text: &str| {
            serde_json::from_str(text).unwrap_or_else(|error| {
                // A list would be read as well, its first text as the identifier.
                let object = Some(text).filter(|text| text.starts_with('{'));
                let only: Option<OnlyId> = object.and_then(|it| serde_json::from_str(it).ok());
                let unread = |_: &str, it: &RawValue| Value::deserialize(it).is_err();
                let reason = blame(culprit(text, unread), &error);
                json!({"id": only.map(|only| only.id), UNREADABLE: reason})
            })
        };
        Self(received.iter().map(|it| element(it.get())).collect())
    }
}

/// The least of an element.
#[derive(Debug, Deserialize)]
struct OnlyId {
    id: String,
}

/// A line of `GET /members/me/boards`.
#[derive(Clone, Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Listed {
    pub(crate) id: String,
    #[serde(default)]
    pub(crate) name: Option<String>,
    #[serde(default)]
    pub(crate) closed: Option<bool>,
    #[serde(default)]
    pub(crate) short_link: Option<String>,
    /// Kept as text: it is compared, never calculated with.
    #[serde(default)]
    pub(crate) date_last_activity: Option<String>,
}

impl Listed {
    pub(crate) fn is_closed(&self) -> bool {
        self.closed == Some(true)
    }

    /// The name for people.
    pub(crate) fn title(&self) -> &str {
        self.name.as_deref().unwrap_or(&self.id)
    }
}

/// The member whose token it is.
#[derive(Clone, Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Me {
    pub(crate) id: String,
    #[serde(default)]
    pub(crate) username: Option<String>,
    #[serde(default)]
    pub(crate) full_name: Option<String>,
    pub(crate) boards: Vec<Listed>,
}

/// One of the member's tokens.
#[derive(Clone, Debug, Deserialize)]
pub(super) struct Token {
    #[serde(default)]
    permissions: Vec<Permission>,
}

/// What a token may do with one kind of thing.
#[derive(Clone, Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Permission {
    #[serde(default)]
    model_type: Option<String>,
    #[serde(default)]
    write: Option<bool>,
}

impl Token {
    /// Whether it may write on boards.
    pub(super) fn may_write(&self) -> bool {
        let mut permissions = self.permissions.iter();
        permissions.any(|it| it.model_type.as_deref() == Some("Board") && it.write == Some(true))
    }
}

/// A board with what was asked for. Exports of 2015 lack `customFields` and more.
#[derive(Clone, Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Board {
    pub(crate) id: String,
    #[serde(default)]
    pub(crate) name: Option<String>,
    #[serde(default)]
    pub(crate) closed: Option<bool>,
    #[serde(default)]
    pub(crate) short_link: Option<String>,
    #[serde(default)]
    pub(crate) cards: Option<Elements>,
    #[serde(default)]
    pub(crate) actions: Option<Elements>,
    #[serde(default, deserialize_with = "readable")]
    pub(crate) lists: Option<Vec<List>>,
    #[serde(default, deserialize_with = "readable")]
    pub(crate) members: Option<Vec<Member>>,
    #[serde(default, deserialize_with = "readable")]
    pub(crate) labels: Option<Vec<Label>>,
    #[serde(default, deserialize_with = "readable")]
    pub(crate) custom_fields: Option<Vec<Field>>,
    #[serde(default)]
    pub(crate) checklists: Option<Elements>,
}

/// A column of a board.
#[derive(Clone, Debug, Deserialize)]
pub(crate) struct List {
    pub(crate) id: String,
    #[serde(default)]
    pub(crate) name: Option<String>,
    #[serde(default)]
    pub(crate) closed: Option<bool>,
}

/// A person, without the address: tokens of scope `read` are not told it.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Member {
    pub(crate) id: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) full_name: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) username: Option<String>,
}

impl Member {
    /// The full name, or the user name of somebody who gave none.
    pub(crate) fn title(&self) -> Option<&str> {
        [&self.full_name, &self.username]
            .into_iter()
            .flatten()
            .map(|name| name.trim())
            .find(|name| !name.is_empty())
    }
}

/// A label; many boards use colours without names.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct Label {
    pub(crate) id: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) name: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) color: Option<String>,
}

impl Label {
    /// The name, or the colour of an unnamed label.
    pub(crate) fn title(&self) -> Option<&str> {
        [&self.name, &self.color]
            .into_iter()
            .flatten()
            .map(|name| name.trim())
            .find(|name| !name.is_empty())
    }
}

/// The definition of a custom field.
#[derive(Clone, Debug, Deserialize)]
pub(crate) struct Field {
    pub(crate) id: String,
    #[serde(default)]
    pub(crate) name: Option<String>,
    #[serde(default, deserialize_with = "readable")]
    pub(crate) options: Option<Vec<FieldOption>>,
}

/// One choice of a drop-down field: `{"id": …, "value": {"text": …}}`.
#[derive(Clone, Debug, Deserialize)]
pub(crate) struct FieldOption {
    pub(crate) id: String,
    #[serde(default)]
    pub(crate) value: Option<BTreeMap<String, Value>>,
}

impl FieldOption {
    pub(crate) fn text(&self) -> Option<&str> {
        self.value.as_ref()?.get("text")?.as_str()
    }
}

/// The elements that can be read; `None` where there is no list at all.
fn readable<'de, D, T>(deserializer: D) -> Result<Option<Vec<T>>, D::Error>
where
    D: Deserializer<'de>,
    T: DeserializeOwned,
{
    let items = Option::<Vec<Box<RawValue>>>::deserialize(deserializer)?;
    Ok(items.map(|items| {
        let readable = items.iter().map(|item| serde_json::from_str(item.get()));
        readable.filter_map(Result::ok).collect()
    }))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_broken_name_giver_costs_a_name_and_no_board() {
        let board: Board = serde_json::from_value(json!({
            "id": "b", "cards": [{"id": "c"}],
            "lists": [{"id": "l1", "name": "To do"}, {"name": "no id"}, 7],
            "labels": null,
        }))
        .unwrap();
        assert_eq!(board.lists.unwrap().len(), 1);
        assert!(board.labels.is_none());
        assert!(board.actions.is_none());
        assert_eq!(board.cards.unwrap().0.len(), 1);
    }

    #[test]
    fn half_a_character_costs_one_card_and_no_board() {
        let text = r#"{"id": "b", "cards": [{"id": "c1", "name": "\ud83d"}, {"id": "c2"},
            {"id": "c3", "pos": 1e999}, {"name": "\udc00"}],
            "labels": [{"id": "l", "name": "\ud83d"}]}"#;
        let board: Board = serde_json::from_str(text).unwrap();
        let cards = board.cards.unwrap().0;
        assert_eq!(cards[1], json!({"id": "c2"}));
        for (at, id) in [(0, json!("c1")), (2, json!("c3")), (3, json!(null))] {
            assert_eq!(cards[at]["id"], id);
            assert!(cards[at][UNREADABLE].is_string(), "{:?}", cards[at]);
        }
        assert_eq!(board.labels.unwrap().len(), 0);
    }

    #[test]
    fn an_unnamed_label_is_its_colour() {
        let label = |name: &str| Label {
            id: String::new(),
            name: Some(name.to_owned()),
            color: Some("sky".to_owned()),
        };
        assert_eq!(label(" ").title(), Some("sky"));
        assert_eq!(label("Kulanz").title(), Some("Kulanz"));
    }
}
