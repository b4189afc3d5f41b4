//! The raw records of a board, for pulls and for exports alike.

use std::collections::BTreeMap;

use serde_json::Value;

use super::activity;
use super::done::DoneLists;
use super::envelope::{Names, Project};
use super::state::Log;
use super::wire::Board;
use crate::contract::{Notice, Raw};
use crate::record::Stream;

/// The most actions that an export holds; the newest are kept (t2md#6, and exports that have
/// exactly these).
const EXPORTED_MAX: usize = 1000;

/// All records of an exported board: it has the same form as the answer to the nested request,
/// so that a pull later finds the same records again.
pub(crate) fn of_export(mut board: Board) -> Vec<Raw> {
    let done = DoneLists::new(&[]);
    let names = Names::of(&mut board, &|list| done.holds(list));
    let actions = board.actions.take().unwrap_or_default().0;
    let mut log = Log::default();
    log.read(&actions);
    let cards = board.cards.take().unwrap_or_default().0;
    let cards: BTreeMap<&str, &Value> = cards
        .iter()
        .filter_map(|card| Some((card["id"].as_str()?, card)))
        .collect();
    let cut = Some(actions.len()).filter(|count| *count >= EXPORTED_MAX);
    let mut records = vec![names.project(cut)];
    records.extend(names.people());
    records.extend(tasks(&names, &cards, &log));
    records.extend(activities(&names, &actions));
    records
}

/// What an exported board does not hold though its file is whole; kept with the board itself.
pub(crate) fn gap(raw: &Raw) -> Option<Notice> {
    if raw.stream != Stream::Projects {
        return None;
    }
    let kept: Project = serde_json::from_str(&raw.body).ok()?;
    let actions = kept.log_cut?;
    Some(Notice {
        code: "trello-export-capped",
        text: format!(
            "the export of the Trello board {} holds {actions} actions, the most that Trello \
             exports: older ones are missing, and with them when older cards were done; a \
             connection to Trello reads them",
            kept.board.name.unwrap_or(kept.board.id)
        ),
    })
}

/// The cards in their envelopes, except those that are no work: templates, separators, links
/// to boards, and mirrors, which are the same work as the card that they show.
pub(super) fn tasks<'a>(
    names: &'a Names,
    cards: &'a BTreeMap<&'a str, &'a Value>,
    log: &'a Log,
) -> impl Iterator<Item = Raw> + 'a {
    let work = cards.iter().filter(|(_, card)| {
        let role = card["cardRole"].as_str();
        let none = matches!(role, Some("separator" | "mirror" | "link" | "board"));
        card["isTemplate"] != Value::Bool(true) && !none
    });
    work.map(|(id, card)| {
        let in_done_list = card["idList"].as_str().is_some_and(|id| names.is_done(id));
        names.card(id, card, log.done_at(id, in_done_list))
    })
}

/// The entries of the log that say something, oldest first; with those that cannot be
/// understood, to be refused with a reason.
pub(super) fn activities<'a>(
    names: &'a Names,
    actions: &'a [Value],
) -> impl Iterator<Item = Raw> + 'a {
    let told = actions.iter().rev();
    told.filter(|action| activity::phrase(action).is_some() || !action["type"].is_string())
        .filter_map(|action| Some(names.action(action["id"].as_str()?, action)))
}
