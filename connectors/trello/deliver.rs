//! What is written on cards: comments and number fields. Nothing else, and nothing that was not
//! asked for.

use super::classify::{WRITE_TOKEN, is_too_big, too_big};
use super::{Trello, comment, field, is_object_id};
use crate::contract::{Item, Outgoing, Receipt};
use crate::error::{Error, Kind, Result, Retry};
use crate::http::{Http, Reply, Request};
use crate::record::ExternalId;

pub(super) async fn deliver(it: &Trello, outgoing: &Outgoing) -> Result<Receipt> {
    match &outgoing.item {
        Item::Comment(comment) => comment::deliver(it, comment).await,
        Item::Field(field) => field::deliver(it, field).await,
        Item::File(_) => Err(Error::new(
            Kind::Unsupported,
            "Trello takes comments and fields, and no files",
        )
        .hint("deliver the files to a drive")),
    }
}

/// Sends a request that changes something. A time-out is no answer: it may have taken effect.
pub(super) async fn act(http: &Http, request: Request) -> Result<Reply> {
    let reply = http.send(request).await.map_err(explained)?;
    if is_too_big(&reply) {
        return Err(too_big(&reply).retry(Retry::Unknown));
    }
    Ok(reply)
}

/// Where a card is, if this can be one.
pub(super) fn card_path(card: &ExternalId) -> Result<String> {
    if !is_object_id(card.as_str()) {
        return Err(
            Error::new(Kind::Rejected, "this is no identifier of a Trello card").with("card", card),
        );
    }
    Ok(format!("/cards/{card}"))
}

/// Says what a person can do about a refusal.
pub(super) fn explained(error: Error) -> Error {
    match error.kind() {
        Kind::Forbidden => error.hint(WRITE_TOKEN),
        Kind::NotFound => error.hint("the card was deleted, or the token no longer sees its board"),
        _ => error,
    }
}
