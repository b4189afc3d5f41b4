//! From an entry of a board's log to an activity: who did what to a card, and when. Pure.

use serde_json::Value;

use super::comment::is_ours;
use super::value::{instant, needed, readable, text};
use crate::error::Reject;
use crate::record::{Activity, ExternalId, PersonRef};

/// The types to ask for. Trello gives none of the label and custom-field changes in listings
/// ("Action types", excluded types, read 2026-11), so the cards themselves stay authoritative.
pub(super) const TYPES: &str = "createCard,copyCard,convertToCardFromCheckItem,emailCard,\
commentCard,copyCommentCard,updateCard,deleteCard,moveCardToBoard,moveCardFromBoard,\
addAttachmentToCard,updateCheckItemStateOnCard";

/// Maps an action; `None` for one that says nothing about the work, such as a changed position.
pub(super) fn read(action: &Value) -> Result<Option<Activity>, Reject> {
    readable(action)?;
    needed(action, "type")?;
    let Some(what) = phrase(action) else {
        return Ok(None);
    };
    let Some(task) = action["data"]["card"]["id"].as_str() else {
        return Err(Reject::field("data.card.id", "is missing"));
    };
    let Some(at) = instant(action, "date")? else {
        return Err(Reject::field("date", "is missing"));
    };
    Ok(Some(Activity {
        task: ExternalId::new(task),
        at,
        what,
        person: person(action)?,
        text: comment(action)?,
    }))
}

/// A short verb phrase for what was done.
pub(super) fn phrase(action: &Value) -> Option<String> {
    let data = &action["data"];
    let called = |thing: &str| data[thing]["name"].as_str().unwrap_or("?").to_owned();
    let phrase = match action["type"].as_str()? {
        "createCard" => "created".to_owned(),
        "copyCard" => "created as a copy".to_owned(),
        "convertToCardFromCheckItem" => "created from a check item".to_owned(),
        "emailCard" => "created by mail".to_owned(),
        // Written by us: a report on work, and no work.
        "commentCard" if is_ours(data["text"].as_str().unwrap_or_default()) => {
            "reported".to_owned()
        }
        "commentCard" => "commented".to_owned(),
        "copyCommentCard" => "copied with a comment".to_owned(),
        "updateCard" => return update(data),
        "deleteCard" => "deleted".to_owned(),
        "moveCardToBoard" => format!("moved here from the board {}", called("boardSource")),
        "moveCardFromBoard" => format!("moved to the board {}", called("boardTarget")),
        "addAttachmentToCard" => format!("attached {}", called("attachment")),
        "updateCheckItemStateOnCard" => match data["checkItem"]["state"].as_str()? {
            "complete" => format!("checked off {}", called("checkItem")),
            _ => format!("unchecked {}", called("checkItem")),
        },
        _ => return None,
    };
    Some(phrase)
}

/// What an `updateCard` changed: the keys of `data.old`.
fn update(data: &Value) -> Option<String> {
    let old = data["old"].as_object()?;
    let mut changes = Vec::new();
    for (key, before) in old {
        let now = &data["card"][key];
        changes.push(match key.as_str() {
            "idList" => match data["listAfter"]["name"].as_str() {
                Some(list) => format!("moved to {list}"),
                None => "moved to another list".to_owned(),
            },
            "closed" if now.as_bool() == Some(true) => "archived".to_owned(),
            "closed" => "taken back from the archive".to_owned(),
            "dueComplete" if now.as_bool() == Some(true) => "marked complete".to_owned(),
            "dueComplete" => "marked not complete".to_owned(),
            "name" => format!("renamed from {}", before.as_str().unwrap_or("?")),
            "desc" => "changed the description".to_owned(),
            "due" => "changed the due date".to_owned(),
            _ => continue,
        });
    }
    // Sorted, because the order of keys in an object means nothing.
    changes.sort_unstable();
    (!changes.is_empty()).then(|| changes.join(", "))
}

fn person(action: &Value) -> Result<Option<PersonRef>, Reject> {
    let creator = &action["memberCreator"];
    let id = match text(creator, "id")? {
        Some(id) => Some(id),
        None => text(action, "idMemberCreator")?,
    };
    let name = match text(creator, "fullName")?.filter(|name| !name.trim().is_empty()) {
        Some(name) => Some(name),
        None => text(creator, "username")?,
    };
    Ok((id.is_some() || name.is_some()).then(|| PersonRef {
        id: id.map(ExternalId::new),
        name: name.map(str::to_owned),
        email: None,
    }))
}

fn comment(action: &Value) -> Result<String, Reject> {
    match needed(action, "type")? {
        "commentCard" | "copyCommentCard" => Ok(text(&action["data"], "text")?
            .unwrap_or_default()
            .to_owned()),
        _ => Ok(String::new()),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn what(kind: &str, data: &Value) -> Option<String> {
        phrase(&json!({"type": kind, "data": data}))
    }

    #[test]
    fn phrases_say_what_was_done() {
        let moved = json!({"old": {"idList": "a"}, "listAfter": {"name": "Erledigt"}});
        assert_eq!(what("updateCard", &moved).unwrap(), "moved to Erledigt");
        let archived = json!({"old": {"closed": false}, "card": {"closed": true}});
        assert_eq!(what("updateCard", &archived).unwrap(), "archived");
        let back = json!({"old": {"closed": true}, "card": {"closed": false}});
        assert_eq!(
            what("updateCard", &back).unwrap(),
            "taken back from the archive"
        );
        let both = json!({"old": {"name": "Alt", "dueComplete": false},
            "card": {"dueComplete": true}});
        assert_eq!(
            what("updateCard", &both).unwrap(),
            "marked complete, renamed from Alt"
        );
        let item = json!({"checkItem": {"name": "Impressum", "state": "complete"}});
        let checked = what("updateCheckItemStateOnCard", &item).unwrap();
        assert_eq!(checked, "checked off Impressum");
    }

    #[test]
    fn positions_and_unknown_types_say_nothing() {
        assert_eq!(what("updateCard", &json!({"old": {"pos": 1.5}})), None);
        assert_eq!(what("updateCard", &json!({})), None);
        assert_eq!(what("addMemberToBoard", &json!({})), None);
        assert_eq!(phrase(&json!({"data": {}})), None);
    }

    #[test]
    fn an_action_without_card_or_date_is_refused() {
        let whole = json!({"type": "commentCard", "date": "2026-03-01T09:00:00.000Z",
            "idMemberCreator": "m", "data": {"text": "Bitte prüfen", "card": {"id": "c"}}});
        let read_back = read(&whole).unwrap().unwrap();
        assert_eq!(read_back.text, "Bitte prüfen");
        assert_eq!(read_back.person.unwrap().id, Some(ExternalId::new("m")));
        for missing in ["date", "data"] {
            let mut broken = whole.clone();
            broken.as_object_mut().unwrap().remove(missing);
            assert!(read(&broken).is_err(), "{missing}");
        }
    }
}
