//! `trello-board`: a Trello board exported as JSON (board menu, "Print, export and share").
//!
//! An export has the form of the nested answer of Trello's API, with the same identifiers, so
//! that a connection made later finds the same records. It holds the newest 1000 actions, and
//! exports of 2015 lack what came later: custom fields, `dueComplete`, `start`.

use std::io::Read;

use serde_json::Value;

use super::{Format, Options, Problem, ReadError, Refusal, SinkError};
use crate::contract::{Identified, Raw};
use crate::error::Reject;
use crate::trello;

/// The format `trello-board`.
#[derive(Clone, Copy, Debug)]
pub struct TrelloBoard;

/// Marks of a board in the beginning of an export; several must show, since other tools' files
/// have one or another of them.
const MARKS: [&str; 5] = [
    "\"idOrganization\"",
    "\"descData\"",
    "https://trello.com/b/",
    "\"labelNames\"",
    "\"dateLastActivity\"",
];

impl Format for TrelloBoard {
    fn name(&self) -> &'static str {
        "trello-board"
    }

    fn title(&self) -> &'static str {
        "Trello board, exported as JSON"
    }

    fn recognises(&self, _file_name: &str, head: &[u8]) -> bool {
        let head = String::from_utf8_lossy(head);
        let marks = MARKS.iter().filter(|mark| head.contains(**mark));
        text(&head).starts_with('{') && marks.count() >= 2
    }

    fn read(
        &self,
        input: &mut dyn Read,
        _options: &Options,
        each: &mut dyn FnMut(Raw) -> Result<(), SinkError>,
    ) -> Result<(), ReadError> {
        let board = parse(input).map_err(refused)?;
        let records = trello::of_export(board);
        let mut refusal = Refusal::default();
        for record in &records {
            if let Err(reject) = trello::normalise(record) {
                refusal.push(unclear(record, &reject));
            }
        }
        if !refusal.problems.is_empty() {
            return Err(ReadError::Refused(refusal));
        }
        for record in records {
            each(record).map_err(ReadError::Sink)?;
        }
        Ok(())
    }

    fn normalise(&self, raw: &Raw) -> Result<Vec<Identified>, Reject> {
        trello::normalise(raw)
    }
}

/// Reads the document and sees that it is a whole board.
fn parse(input: &mut dyn Read) -> Result<trello::Board, Refusal> {
    let mut bytes = Vec::new();
    input
        .read_to_end(&mut bytes)
        .map_err(|error| one(None, None, format!("cannot be read: {error}")))?;
    let whole = String::from_utf8(bytes)
        .map_err(|error| one(None, None, format!("is not UTF-8: {error}")))?;
    let document: Value = serde_json::from_str(text(&whole)).map_err(|error| {
        let line = u64::try_from(error.line()).unwrap_or_default();
        one(Some(line), None, format!("is not JSON: {error}"))
    })?;
    if let Some(reason) = other_than_board(&document) {
        return Err(one(None, None, reason));
    }
    let mut refusal = Refusal::default();
    for list in ["cards", "actions"] {
        without_ids(&document, list, &mut refusal);
    }
    if !refusal.problems.is_empty() {
        return Err(refusal);
    }
    serde_json::from_value(document)
        .map_err(|error| one(None, None, format!("is not a Trello board: {error}")))
}

/// Some editors and downloads put a byte order mark before the document.
fn text(whole: &str) -> &str {
    whole.trim_start_matches('\u{feff}').trim_start()
}

/// Why a document is no whole board. Parts of one are refused: a card alone names neither its
/// list nor its people, and would overwrite better knowledge of itself.
fn other_than_board(document: &Value) -> Option<&'static str> {
    let Some(board) = document.as_object() else {
        return Some(
            "is a list, such as the API gives of cards or actions; export the whole board: board \
             menu, `Print, export and share`, `Export as JSON`",
        );
    };
    if board.contains_key("idCard") || board.contains_key("idList") {
        return Some("is a part of a board; export the whole board as JSON");
    }
    if !board
        .get("id")
        .and_then(Value::as_str)
        .is_some_and(trello::is_object_id)
    {
        return Some("has no `id` of a Trello board");
    }
    if !board.get("cards").is_some_and(Value::is_array)
        || !board.get("lists").is_some_and(Value::is_array)
    {
        return Some("has no `cards` or no `lists`; export the whole board as JSON");
    }
    None
}

fn without_ids(document: &Value, list: &str, refusal: &mut Refusal) {
    let items = document[list].as_array().into_iter().flatten();
    for (place, item) in items.enumerate() {
        if item["id"].as_str().is_none_or(str::is_empty) {
            refusal.push(Problem {
                row: None,
                column: Some(format!("{list}[{place}].id")),
                reason: "is missing".to_owned(),
            });
        }
    }
}

fn unclear(record: &Raw, reject: &Reject) -> Problem {
    let field = reject.field.map(|field| format!(".{field}"));
    Problem {
        row: None,
        column: Some(format!(
            "{} {}{}",
            record.stream,
            record.id,
            field.unwrap_or_default()
        )),
        reason: reject.reason.clone(),
    }
}

fn one(row: Option<u64>, column: Option<String>, reason: impl Into<String>) -> Refusal {
    Refusal {
        problems: vec![Problem {
            row,
            column,
            reason: reason.into(),
        }],
        more: 0,
    }
}

fn refused(refusal: Refusal) -> ReadError {
    ReadError::Refused(refusal)
}

#[cfg(test)]
#[path = "trello_board_tests.rs"]
mod tests;
