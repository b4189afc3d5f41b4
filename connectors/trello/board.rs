//! Reads one board whole: in one nested request, or in parts where Trello finds that too much.

use std::collections::BTreeSet;

use chrono::{DateTime, SecondsFormat, TimeDelta, Utc};
use serde_json::Value;

use super::classify::{is_too_big, too_big};
use super::wire::{Board, Elements};
use super::{TOKEN, activity};
use crate::error::{Error, Kind, Result};
use crate::http::{Http, Reply, Request};

/// The most actions, and the most cards, that Trello gives at once.
pub(super) const AT_ONCE: usize = 1000;

/// The first size to try where a board is too big, and the last.
const PAGE_FIRST: usize = 500;
const PAGE_LAST: usize = 30;

/// So many requests for one board's log at most; 50,000 actions are years of a busy board.
const LOG_PAGES: usize = 50;

/// The log is read again from so long before the newest action known: actions that are written
/// at the same time need not appear in their order.
const OVERLAP: TimeDelta = TimeDelta::minutes(10);

/// So often a request is sent that times out though it is small.
const ASKED_AT_MOST: usize = 3;

const BOARD_FIELDS: &str = "name,closed,dateLastActivity,shortLink";
const CARD_FIELDS: &str = "name,desc,closed,due,dueComplete,dateCompleted,start,idBoard,idList,\
idMembers,idLabels,idShort,shortLink,shortUrl,dateLastActivity,pos,isTemplate,cardRole,\
mirrorSourceId";
const ATTACHMENT_FIELDS: &str = "name,url,bytes,mimeType,date,isUpload,idMember";

/// A board as it was read.
#[derive(Debug)]
pub(super) struct Reading {
    pub(super) board: Board,
    /// All of them, archived ones included.
    pub(super) cards: Vec<Value>,
    /// Newest first, none twice.
    pub(super) actions: Vec<Value>,
    /// Whether the log goes on before what was read.
    pub(super) log_cut: bool,
    /// The size of the pages in which it had to be read.
    pub(super) page: Option<usize>,
}

/// Reads a board with the actions since the newest known.
pub(super) async fn read(
    http: &Http,
    id: &str,
    known_until: Option<DateTime<Utc>>,
    page: Option<usize>,
) -> Result<Reading> {
    let since = known_until.map(|until| iso(until - OVERLAP));
    if page.is_none() {
        let reply = http.send(nested(id, since.as_deref())).await?;
        if !is_too_big(&reply) {
            return whole(http, id, reply.json()?, since.as_deref()).await;
        }
    }
    in_parts(http, id, since.as_deref(), page.unwrap_or(PAGE_FIRST)).await
}

/// What a nested answer has, and the ends of what Trello may have cut at its limits.
async fn whole(http: &Http, id: &str, mut board: Board, since: Option<&str>) -> Result<Reading> {
    let missing = |what| Err(unlike(id, format!("the answer has no {what}")));
    if board.id != id {
        return Err(unlike(id, format!("the answer is the board {}", board.id)));
    }
    if board.lists.is_none() {
        return missing("lists");
    }
    let (Some(Elements(mut cards)), Some(Elements(mut actions))) =
        (board.cards.take(), board.actions.take())
    else {
        return missing("cards or no actions");
    };
    if cards.len() >= AT_ONCE {
        more_cards(http, id, &mut cards, AT_ONCE).await?;
    }
    let log_cut = more_actions(http, id, since, &mut actions).await?;
    Ok(Reading {
        board,
        cards,
        actions,
        log_cut,
        page: None,
    })
}

/// The board, then its cards in pages, then its log.
async fn in_parts(http: &Http, id: &str, since: Option<&str>, page: usize) -> Result<Reading> {
    let reply = ask(http, named(Request::get(TOKEN, board_path(id)))).await?;
    let board: Board = reply.json()?;
    if board.id != id || board.lists.is_none() {
        return Err(unlike(id, "the answer is another board, or has no lists"));
    }
    let mut cards = Vec::new();
    let page = more_cards(http, id, &mut cards, page).await?;
    let first = ask(http, log_page(id, since, None)).await?;
    let Elements(mut actions) = first.json()?;
    let log_cut = more_actions(http, id, since, &mut actions).await?;
    Ok(Reading {
        board,
        cards,
        actions,
        log_cut,
        page: Some(page),
    })
}

/// Pages on behind the oldest card of `cards` to the end, with smaller pages where Trello finds
/// them too big. Gives the size that worked.
///
/// The pages go by creation, so a change meanwhile shifts nothing: a card is in one page.
async fn more_cards(
    http: &Http,
    id: &str,
    cards: &mut Vec<Value>,
    mut size: usize,
) -> Result<usize> {
    let mut seen: BTreeSet<String> = cards.iter().filter_map(own_id).collect();
    loop {
        let reply = http.send(card_page(id, size, seen.first())).await?;
        if is_too_big(&reply) {
            if size <= PAGE_LAST {
                return Err(too_big(&reply).with("board", id).with("cards", size));
            }
            size /= 2;
            continue;
        }
        let Elements(page) = reply.json()?;
        let last = page.len() < size;
        let before = seen.len();
        for card in page {
            if own_id(&card).is_none_or(|card| seen.insert(card)) {
                cards.push(card);
            }
        }
        if last {
            return Ok(size);
        }
        if seen.len() == before {
            return Err(unlike(id, "the pages of cards repeat themselves"));
        }
    }
}

/// Pages on behind the oldest of `actions`, as long as pages are full. Tells whether there may
/// be more than was read.
async fn more_actions(
    http: &Http,
    id: &str,
    since: Option<&str>,
    actions: &mut Vec<Value>,
) -> Result<bool> {
    let mut seen: BTreeSet<String> = BTreeSet::new();
    actions.retain(|action| own_id(action).is_none_or(|action| seen.insert(action)));
    let mut full = actions.len() >= AT_ONCE;
    for _ in 1..LOG_PAGES {
        if !full {
            break;
        }
        let reply = ask(http, log_page(id, since, seen.first())).await?;
        let Elements(page) = reply.json()?;
        full = page.len() >= AT_ONCE;
        let before = seen.len();
        for action in page {
            if own_id(&action).is_none_or(|action| seen.insert(action)) {
                actions.push(action);
            }
        }
        if full && seen.len() == before {
            return Err(unlike(id, "the pages of actions repeat themselves"));
        }
    }
    Ok(full)
}

/// Sends a request that cannot be made smaller.
pub(super) async fn ask(http: &Http, request: Request) -> Result<Reply> {
    let mut reply = http.send(request.clone()).await?;
    for _ in 1..ASKED_AT_MOST {
        if !is_too_big(&reply) {
            break;
        }
        // No wait: a time-out took Trello thirty seconds.
        reply = http.send(request.clone()).await?;
    }
    if is_too_big(&reply) {
        return Err(too_big(&reply));
    }
    Ok(reply)
}

fn board_path(id: &str) -> String {
    format!("/boards/{id}")
}

/// Everything at once ("Nested resources", read 2026-11).
fn nested(id: &str, since: Option<&str>) -> Request {
    let request = named(Request::get(TOKEN, board_path(id)))
        .query("cards", "all")
        .query("card_fields", CARD_FIELDS)
        .query("card_customFieldItems", "true")
        .query("card_attachments", "true")
        .query("card_attachment_fields", ATTACHMENT_FIELDS)
        .query("checklists", "all")
        .query("actions", activity::TYPES)
        .query("actions_limit", AT_ONCE);
    match since {
        Some(since) => request.query("actions_since", since),
        None => request,
    }
}

/// A board with what gives the names.
fn named(request: Request) -> Request {
    request
        .query("fields", BOARD_FIELDS)
        .query("lists", "all")
        .query("list_fields", "name,closed")
        .query("members", "all")
        .query("member_fields", "username,fullName")
        .query("labels", "all")
        .query("label_fields", "name,color")
        .query("labels_limit", AT_ONCE)
        .query("customFields", "true")
}

fn card_page(id: &str, size: usize, before: Option<&String>) -> Request {
    let request = Request::get(TOKEN, format!("/boards/{id}/cards/all"))
        .query("fields", CARD_FIELDS)
        .query("customFieldItems", "true")
        .query("attachments", "true")
        .query("attachment_fields", ATTACHMENT_FIELDS)
        .query("limit", size);
    match before {
        Some(before) => request.query("before", before),
        None => request,
    }
}

fn log_page(id: &str, since: Option<&str>, before: Option<&String>) -> Request {
    let mut request = Request::get(TOKEN, format!("/boards/{id}/actions"))
        .query("filter", activity::TYPES)
        .query("limit", AT_ONCE);
    if let Some(since) = since {
        request = request.query("since", since);
    }
    match before {
        Some(before) => request.query("before", before),
        None => request,
    }
}

/// The identifier; those of one board sort by creation, since they begin with the second.
fn own_id(thing: &Value) -> Option<String> {
    thing["id"].as_str().map(str::to_owned)
}

fn iso(at: DateTime<Utc>) -> String {
    at.to_rfc3339_opts(SecondsFormat::Millis, true)
}

fn unlike(id: &str, what: impl Into<String>) -> Error {
    Error::new(
        Kind::Protocol,
        "Trello's board is unlike what was asked for",
    )
    .with("board", id)
    .with("what", what.into())
}
