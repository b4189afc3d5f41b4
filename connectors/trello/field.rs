//! A number in a custom field of a card: written where the field is empty or holds what we put
//! there, and left alone where a person wrote something else.

use serde::Deserialize;
use serde_json::{Value, json};

use super::comment::again;
use super::deliver::{act, card_path, explained};
use super::wire::Elements;
use super::{TOKEN, Trello, board, is_object_id};
use crate::contract::{Outcome, OutgoingField, Receipt};
use crate::error::{Error, Kind, Result};
use crate::http::{Method, Request};

const PLAN: &str = "custom fields need Trello Standard or higher; add a field of the type number \
    to the board: card, Custom Fields";

/// A card with its fields.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Card {
    id: String,
    id_board: Option<String>,
    #[serde(default)]
    short_link: Option<String>,
    #[serde(default)]
    custom_field_items: Vec<Value>,
}

pub(super) async fn deliver(it: &Trello, wanted: &OutgoingField) -> Result<Receipt> {
    let number = Number::read(&wanted.value).ok_or_else(|| {
        Error::new(Kind::Rejected, "this is no number for a field").with("value", &wanted.value)
    })?;
    let card = card(it, wanted).await?;
    let field = field_of(it, &card, &wanted.field).await?;
    let receipt = |outcome| Receipt {
        outcome,
        location: format!(
            "https://trello.com/c/{}, {}",
            card.short_link.as_deref().unwrap_or(&card.id),
            wanted.field
        ),
    };
    let there = value_of(&card, &field);
    let put = match &there {
        None => Outcome::Created,
        Some(there) if Number::read(there) == Some(number.clone()) => {
            return Ok(receipt(Outcome::AlreadyThere));
        }
        Some(there) if is_our_own(there, wanted) => Outcome::Replaced,
        Some(_) => return Ok(receipt(Outcome::Kept)),
    };
    let path = format!("{}/customField/{field}/item", card_path(&wanted.task)?);
    // Sent once: a person may write something before a second attempt, which looks first.
    let request = Request::new(Method::Put, TOKEN, path)
        .json(json!({"value": {"number": number.text()}}))
        .once();
    match act(&it.http, request).await {
        Ok(_) => Ok(receipt(put)),
        Err(error) if error.kind() == Kind::NotInPlan => Err(error.hint(PLAN)),
        Err(error) => Err(again(error)),
    }
}

async fn card(it: &Trello, wanted: &OutgoingField) -> Result<Card> {
    let request = Request::get(TOKEN, card_path(&wanted.task)?)
        .query("fields", "idBoard,shortLink")
        .query("customFieldItems", "true");
    let card: Card = board::ask(&it.http, request)
        .await
        .map_err(explained)?
        .json()?;
    if card.id != wanted.task.as_str() {
        return Err(
            Error::new(Kind::Protocol, "Trello answers with another card")
                .with("card", &wanted.task),
        );
    }
    Ok(card)
}

/// The identifier of the board's number field of that name.
async fn field_of(it: &Trello, card: &Card, name: &str) -> Result<String> {
    let board = card.id_board.as_deref().filter(|id| is_object_id(id));
    let board = board.ok_or_else(|| Error::new(Kind::Protocol, "the card names no board"))?;
    let request = Request::get(TOKEN, format!("/boards/{board}/customFields"));
    let reply = match board::ask(&it.http, request).await {
        Ok(reply) => reply,
        Err(error) if matches!(error.kind(), Kind::Forbidden | Kind::NotInPlan) => {
            return Err(error.hint(PLAN));
        }
        Err(error) => return Err(error),
    };
    let Elements(fields) = reply.json()?;
    let same = |field: &&Value| {
        let title = field["name"].as_str().unwrap_or_default();
        title.trim().to_lowercase() == name.trim().to_lowercase()
    };
    let named: Vec<&Value> = fields.iter().filter(same).collect();
    let numbers: Vec<&str> = named
        .iter()
        .filter(|field| field["type"] == "number")
        .filter_map(|field| field["id"].as_str().filter(|id| is_object_id(id)))
        .collect();
    match numbers.as_slice() {
        [field] => Ok((*field).to_owned()),
        [] if named.is_empty() => Err(wrong(name, "has no custom field of that name").hint(PLAN)),
        [] => Err(wrong(name, "has a field of that name that is no number")
            .hint("make the field anew, of the type number")),
        [..] => Err(wrong(name, "has several number fields of that name")
            .hint("rename all but one of them")),
    }
}

fn wrong(name: &str, what: &str) -> Error {
    Error::new(Kind::Settings, format!("the card's board {what}")).with("field", name)
}

/// What the card has in that field; an empty text is nothing.
fn value_of(card: &Card, field: &str) -> Option<String> {
    let mut items = card.custom_field_items.iter();
    let item = items.find(|item| item["idCustomField"] == field)?;
    let value = match &item["value"]["number"] {
        Value::String(text) => text.trim().to_owned(),
        Value::Null => return None,
        other => other.to_string(),
    };
    Some(value).filter(|value| !value.is_empty())
}

fn is_our_own(there: &str, wanted: &OutgoingField) -> bool {
    let before = wanted.replaces.as_deref().and_then(Number::read);
    before.is_some() && before == Number::read(there)
}

/// A decimal number by its digits, so that `12.50` and `12.5` are one.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Number {
    negative: bool,
    whole: String,
    fraction: String,
}

impl Number {
    fn read(text: &str) -> Option<Self> {
        let text = text.trim();
        let (negative, digits) = match text.strip_prefix('-') {
            Some(rest) => (true, rest),
            None => (false, text),
        };
        let (whole, fraction) = digits.split_once('.').unwrap_or((digits, "0"));
        let plain = |part: &str| !part.is_empty() && part.bytes().all(|it| it.is_ascii_digit());
        if !plain(whole) || !plain(fraction) {
            return None;
        }
        let whole = whole.trim_start_matches('0').to_owned();
        let fraction = fraction.trim_end_matches('0').to_owned();
        Some(Self {
            negative: negative && !(whole.is_empty() && fraction.is_empty()),
            whole,
            fraction,
        })
    }

    fn text(&self) -> String {
        let sign = if self.negative { "-" } else { "" };
        let whole = if self.whole.is_empty() {
            "0"
        } else {
            &self.whole
        };
        let point = if self.fraction.is_empty() { "" } else { "." };
        format!("{sign}{whole}{point}{}", self.fraction)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_compared_by_what_they_are() {
        for (one, other, text) in [
            ("12.50", "12.5", "12.5"),
            ("012", "12.00", "12"),
            ("-0.0", "0", "0"),
            ("-1.250", "-1.25", "-1.25"),
            ("0.1", "00.10", "0.1"),
        ] {
            assert_eq!(Number::read(one), Number::read(other));
            assert_eq!(Number::read(one).unwrap().text(), text);
        }
        for wrong in ["", "x", "1,5", ".5", "1.", "1e3", "--1", "NaN"] {
            assert_eq!(Number::read(wrong), None, "{wrong}");
        }
    }
}
