//! Comments of ours on cards: found again by their marker, edited in place, and never over what
//! a person wrote.
//!
//! Trello has no keys for repeated requests, and a comment has no version. So every delivery looks
//! first; a comment is written by a request that is sent once, and where its answer was lost the
//! card is looked at again.

use serde::Deserialize;
use serde_json::Value;
use sha2::{Digest, Sha256};

use super::deliver::{act, card_path, explained};
use super::wire::Elements;
use super::{TOKEN, Trello, board, is_object_id};
use crate::contract::{Outcome, OutgoingComment, Receipt};
use crate::error::{Error, Kind, Result, Retry};
use crate::http::{Method, Request};

/// The longest comment, in characters ("Limits" of an export of 2026-02: `maxCommentLength`).
const LONGEST: usize = 16_384;

/// The most actions that Trello gives at once.
const AT_ONCE: usize = 1000;

/// So many pages of comments on one card are looked through.
const PAGES_MAX: usize = 50;

/// The fewest characters between the brackets of a marker.
const MARKER_LEAST: usize = 8;

/// A comment of ours, as it is at Trello.
#[derive(Debug)]
struct Found {
    id: String,
    text: String,
    location: String,
}

/// Who the token belongs to.
#[derive(Debug, Deserialize)]
struct OnlyId {
    id: String,
}

pub(super) async fn deliver(it: &Trello, comment: &OutgoingComment) -> Result<Receipt> {
    let wanted = checked(comment)?;
    if let Some(found) = find(it, comment).await? {
        return settle(it, comment, &wanted, found).await;
    }
    let path = format!("{}/actions/comments", card_path(&comment.task)?);
    let request = Request::new(Method::Post, TOKEN, path)
        .form(vec![("text", wanted.clone().into())])
        .once();
    let sent = act(&it.http, request).await;
    if let Ok(reply) = &sent
        && let Some(found) = reply.json().ok().as_ref().and_then(read)
    {
        return Ok(receipt(Outcome::Created, found));
    }
    match (find(it, comment).await?, sent) {
        (Some(found), _) if found.text == wanted => Ok(receipt(Outcome::Created, found)),
        (_, Err(error)) => Err(again(error)),
        (_, Ok(_)) => Err(again(unseen(comment))),
    }
}

/// What is to be done about a comment that is there.
async fn settle(
    it: &Trello,
    comment: &OutgoingComment,
    wanted: &str,
    found: Found,
) -> Result<Receipt> {
    if found.text == wanted {
        return Ok(receipt(Outcome::AlreadyThere, found));
    }
    if comment.replaces.as_deref() != Some(&*hash(&found.text)) {
        return Ok(receipt(Outcome::Kept, found));
    }
    // Sent once: a person may edit the comment before a second attempt.
    let request = Request::new(Method::Put, TOKEN, format!("/actions/{}", found.id))
        .form(vec![("text", wanted.into())])
        .once();
    let sent = act(&it.http, request).await;
    if sent.is_ok() {
        return Ok(receipt(Outcome::Replaced, found));
    }
    match (find(it, comment).await?, sent) {
        (Some(now), Err(_)) if now.text == wanted => Ok(receipt(Outcome::Replaced, now)),
        (_, Err(error)) => Err(again(error)),
        (_, Ok(_)) => Err(again(unseen(comment))),
    }
}

/// Our comment with this marker, if there is one on the card. A person may have written below the
/// marker, or quoted it: of several, the one that reads most like ours.
async fn find(it: &Trello, comment: &OutgoingComment) -> Result<Option<Found>> {
    let me = it.me.get_or_try_init(|| who(it)).await?;
    let path = format!("{}/actions", card_path(&comment.task)?);
    let (mut ours, mut before): (Vec<Found>, Option<String>) = (Vec::new(), None);
    for _ in 0..PAGES_MAX {
        let mut request = Request::get(TOKEN, &*path)
            .query("filter", "commentCard")
            .query("fields", "data,date,idMemberCreator,type")
            .query("memberCreator", "false")
            .query("limit", AT_ONCE);
        if let Some(before) = &before {
            request = request.query("before", before);
        }
        let reply = board::ask(&it.http, request).await.map_err(explained)?;
        let Elements(page) = reply.json()?;
        let own = page.iter().filter(|it| it["idMemberCreator"] == **me);
        let marked = |found: &Found| found.text.lines().any(|it| it.trim() == comment.marker);
        ours.extend(own.filter_map(read).filter(marked));
        before = page.iter().filter_map(own_id).min();
        if page.len() < AT_ONCE || before.is_none() {
            break;
        }
    }
    let likeness = |found: &Found| {
        let now = found.text == plain(&comment.text);
        let earlier = comment.replaces.as_deref() == Some(&*hash(&found.text));
        (now, earlier, last_line(&found.text) == comment.marker)
    };
    Ok(ours.into_iter().max_by_key(likeness))
}

async fn who(it: &Trello) -> Result<String> {
    let request = Request::get(super::MEMBERS, "/members/me").query("fields", "id");
    let me: OnlyId = board::ask(&it.http, request).await?.json()?;
    Ok(me.id)
}

fn read(action: &Value) -> Option<Found> {
    let id = own_id(action).filter(|id| is_object_id(id))?;
    let card = &action["data"]["card"];
    let card = card["shortLink"].as_str().or(card["id"].as_str())?;
    Some(Found {
        location: format!("https://trello.com/c/{card}#comment-{id}"),
        text: plain(action["data"]["text"].as_str()?),
        id,
    })
}

fn own_id(action: &Value) -> Option<String> {
    action["id"].as_str().map(str::to_owned)
}

/// The text as it will be, if it can be a comment of ours.
fn checked(comment: &OutgoingComment) -> Result<String> {
    let text = plain(&comment.text);
    let refuse = |what: &str| Err(Error::new(Kind::Rejected, what.to_owned()));
    if comment.marker.trim().is_empty() || last_line(&text) != comment.marker {
        return refuse("the comment does not end with its marker, and could not be found again");
    }
    if text.chars().count() > LONGEST {
        return refuse("the comment is longer than Trello takes");
    }
    Ok(text)
}

/// A text as Trello may give it back: without space around it, lines ended in one way.
fn plain(text: &str) -> String {
    text.replace("\r\n", "\n").trim().to_owned()
}

fn last_line(text: &str) -> &str {
    text.trim_end()
        .lines()
        .next_back()
        .unwrap_or_default()
        .trim()
}

/// Whether the text of a comment ends as those do that this program writes: `[#2026-10-7f3a9c]`
/// alone in the last line. Such a comment is no work of a person.
pub(super) fn is_ours(text: &str) -> bool {
    let inner = last_line(text).strip_prefix("[#");
    let inner = inner.and_then(|rest| rest.strip_suffix(']'));
    inner.is_some_and(|inner| {
        let plain = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'-';
        inner.len() >= MARKER_LEAST && inner.contains('-') && inner.bytes().all(plain)
    })
}

fn hash(text: &str) -> String {
    use std::fmt::Write as _;
    let digest = Sha256::digest(text.as_bytes());
    digest.iter().fold(String::new(), |mut text, byte| {
        write!(text, "{byte:02x}").expect("a string takes it");
        text
    })
}

fn receipt(outcome: Outcome, found: Found) -> Receipt {
    Receipt {
        outcome,
        location: found.location,
    }
}

/// A failure after which the next attempt looks first, so that trying again is safe.
pub(super) fn again(error: Error) -> Error {
    match error.retry_advice() {
        Retry::Unknown => error.retry(Retry::Later { after: None }),
        _ => explained(error),
    }
}

fn unseen(comment: &OutgoingComment) -> Error {
    Error::new(
        Kind::Unavailable,
        "Trello took the comment, and does not show it",
    )
    .with("card", &comment.task)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn our_comments_are_known_by_their_last_line() {
        for ours in [
            "Oktober: 2:30 h\n[#2026-10-7f3a9c]",
            "x\n  [#rep-7f3a9c] \n\n",
        ] {
            assert!(is_ours(ours), "{ours}");
        }
        for theirs in [
            "",
            "What is [#2026-10-7f3a9c]?",
            "[#2026-10-7f3a9c]\nSee there",
            "see issue\n[#42]",
            "[#a b-cdefghi]",
            "[#12345678]",
        ] {
            assert!(!is_ours(theirs), "{theirs}");
        }
    }
}
