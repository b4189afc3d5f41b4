//! What the cursor holds: how far each board was read, and which are still to be read.

use std::collections::{BTreeMap, BTreeSet, VecDeque};

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::wire::Listed;

/// The state behind a cursor.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub(super) struct State {
    /// By the board's id.
    #[serde(default)]
    pub(super) boards: BTreeMap<String, Mark>,
    /// The boards that this pull has still to read.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) plan: Option<Plan>,
}

/// What the member's list told to read.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(super) struct Plan {
    /// Whether every board is read, changed or not.
    pub(super) compare: bool,
    pub(super) listed_at: DateTime<Utc>,
    pub(super) queue: VecDeque<Due>,
}

/// A board to read.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(super) struct Due {
    pub(super) id: String,
    pub(super) name: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) short_link: Option<String>,
    /// `dateLastActivity` as the list had it, before the board is read: what changes while we
    /// read makes the next list differ again.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) activity: Option<String>,
}

impl Due {
    pub(super) fn of(board: &Listed) -> Self {
        Self {
            id: board.id.clone(),
            name: board.title().to_owned(),
            short_link: board.short_link.clone(),
            activity: board.date_last_activity.clone(),
        }
    }
}

/// How far one board was read.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(super) struct Mark {
    pub(super) name: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) short_link: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) activity: Option<String>,
    pub(super) read_at: DateTime<Utc>,
    pub(super) closed: bool,
    /// How many cards it had.
    pub(super) cards: usize,
    /// The cards to ask for at once, for a board that Trello will not give whole.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) page: Option<usize>,
    #[serde(default, flatten)]
    pub(super) log: Log,
}

/// What the log of a board told, as far as later readings need it: each action is read once.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Log {
    /// The newest action that was read.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) until: Option<DateTime<Utc>>,
    /// When each card came into the list where it is; Unix milliseconds, because there are many.
    /// Kept for all lists, so that a list that is called `Done` only later is right at once.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    entered: BTreeMap<String, i64>,
    /// When the cards that are marked complete were marked.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    ticked: BTreeMap<String, i64>,
    /// Cards that were moved to another board: not here, and not deleted.
    #[serde(default, skip_serializing_if = "BTreeSet::is_empty")]
    pub(super) away: BTreeSet<String>,
}

impl Log {
    /// Takes in actions, in the order of the log: newest first. Reading some of them again
    /// changes nothing, since the newest still has the last word.
    pub(super) fn read(&mut self, actions: &[Value]) {
        for action in actions.iter().rev() {
            let at = action["date"].as_str().map(DateTime::parse_from_rfc3339);
            if let Some(Ok(at)) = at {
                let at = at.to_utc();
                self.until = self.until.max(Some(at));
                self.take(action, at.timestamp_millis());
            }
        }
    }

    fn take(&mut self, action: &Value, at: i64) {
        let data = &action["data"];
        let (Some(kind), Some(card)) = (action["type"].as_str(), data["card"]["id"].as_str())
        else {
            return;
        };
        match kind {
            "updateCard" if data["listAfter"].is_object() => {
                self.entered.insert(card.to_owned(), at);
            }
            "createCard" | "copyCard" | "convertToCardFromCheckItem" | "emailCard" => {
                self.entered.insert(card.to_owned(), at);
            }
            "moveCardToBoard" => {
                self.entered.insert(card.to_owned(), at);
                self.away.remove(card);
            }
            "moveCardFromBoard" => {
                self.away.insert(card.to_owned());
            }
            _ => {}
        }
        if kind == "updateCard" && data["old"]["dueComplete"].is_boolean() {
            if data["card"]["dueComplete"] == Value::Bool(true) {
                self.ticked.insert(card.to_owned(), at);
            } else {
                self.ticked.remove(card);
            }
        }
    }

    /// Forgets what the cards as they are now make worthless.
    pub(super) fn keep(&mut self, cards: &BTreeMap<&str, &Value>) {
        self.entered.retain(|id, _| cards.contains_key(&**id));
        self.ticked.retain(|id, _| {
            cards.get(&**id).is_some_and(|card| {
                card["dueComplete"] == Value::Bool(true) && card["dateCompleted"].is_null()
            })
        });
        self.away.retain(|id| !cards.contains_key(&**id));
    }

    /// When a card was done, as far as the log told: when it came into its list, where that
    /// holds done cards, or when it was marked complete; what came first.
    pub(super) fn done_at(&self, card: &str, in_done_list: bool) -> Option<DateTime<Utc>> {
        let entered = self.entered.get(card).filter(|_| in_done_list);
        let first = entered.into_iter().chain(self.ticked.get(card)).min()?;
        DateTime::from_timestamp_millis(*first)
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn moved(minute: u8, list: &str) -> Value {
        json!({"type": "updateCard", "date": format!("2026-03-02T09:{minute:02}:00.000Z"),
            "data": {"card": {"id": "c"}, "old": {"idList": "x"}, "listAfter": {"id": list}}})
    }

    #[test]
    fn reading_the_overlap_again_changes_nothing() {
        let newest_first = [moved(30, "done"), moved(20, "doing"), moved(10, "done")];
        let mut once = Log::default();
        once.read(&newest_first);
        for overlap in 1..=3 {
            let mut twice = once.clone();
            twice.read(&newest_first[..overlap]);
            assert_eq!(twice, once);
        }
        let done = once.done_at("c", true).unwrap();
        assert_eq!(done.to_rfc3339(), "2026-03-02T09:30:00+00:00");
        assert_eq!(once.done_at("c", false), None);
    }

    #[test]
    fn a_card_that_went_away_and_came_back_is_here() {
        let away = json!({"type": "moveCardFromBoard", "date": "2026-03-02T09:00:00.000Z",
            "data": {"card": {"id": "c"}}});
        let back = json!({"type": "moveCardToBoard", "date": "2026-03-02T10:00:00.000Z",
            "data": {"card": {"id": "c"}}});
        let mut log = Log::default();
        log.read(std::slice::from_ref(&away));
        assert!(log.away.contains("c"));
        log.read(&[back, away]);
        assert!(log.away.is_empty());
    }
}
