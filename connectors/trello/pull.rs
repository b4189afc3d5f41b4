//! Pulls: one list of the boards, then one page for each board that changed.

use std::collections::{BTreeMap, VecDeque};

use chrono::{DateTime, TimeDelta, Utc};
use serde_json::Value;

use super::board::{self, Reading};
use super::envelope::Names;
use super::records::{activities, tasks};
use super::select::{means, select};
use super::state::{Due, Log, Mark, Plan, State};
use super::wire::Listed;
use super::{TOKEN, Trello};
use crate::contract::{Cursor, Gone, Notice, Page, Pull, Sweep};
use crate::error::{Error, Kind, Result};
use crate::http::Request;
use crate::record::{ExternalId, Stream};

/// A list of boards that is older than this is asked for again when a pull goes on.
const PLAN_AGE: TimeDelta = TimeDelta::hours(1);

pub(super) async fn pull(trello: &Trello, cursor: &Cursor, mode: &Pull) -> Result<Page> {
    let mut state: State = cursor.decode()?;
    let mut page = Page::default();
    let compare = matches!(mode, Pull::Compare { .. });
    let now = trello.clock.now();
    let mut plan = match state.plan.take() {
        Some(plan) if goes_on(&plan, compare, now) => plan,
        _ => make_plan(trello, &state, compare, &mut page.notices).await?,
    };
    if let Some(due) = plan.queue.pop_front() {
        read_board(trello, due, &mut state, &mut page).await?;
    }
    page.more = !plan.queue.is_empty();
    state.plan = page.more.then_some(plan);
    page.next = Cursor::encode(&state);
    Ok(page)
}

/// Whether an earlier plan still serves: not for a comparison that it was not made for, and not
/// on another day, when other boards have changed.
fn goes_on(plan: &Plan, compare: bool, now: DateTime<Utc>) -> bool {
    let age = now - plan.listed_at;
    (plan.compare || !compare) && age >= TimeDelta::zero() && age < PLAN_AGE
}

/// Asks which boards there are and changed: the one request of a quiet night.
async fn make_plan(
    trello: &Trello,
    state: &State,
    compare: bool,
    notices: &mut Vec<Notice>,
) -> Result<Plan> {
    let now = trello.clock.now();
    // `all` and not `open`, so that a closed board differs from one that we lost.
    let request = Request::get(TOKEN, "/members/me/boards")
        .query("filter", "all")
        .query("fields", "name,closed,dateLastActivity,shortLink");
    let listed: Vec<Listed> = board::ask(&trello.http, request).await?.json()?;
    let known = |word: &str| {
        let mut boards = state.boards.iter();
        boards.any(|(id, mark)| means(word, id, mark))
    };
    let mut selected = select(&trello.boards, &listed, &known)?;
    // A board that was open when it was last read is read once more after it was closed.
    selected.extend(listed.iter().filter(|board| {
        let followed = state.boards.get(&board.id).is_some_and(|mark| !mark.closed);
        trello.boards.is_empty() && board.is_closed() && followed
    }));
    missing(trello, state, &listed, notices);
    if selected.is_empty() && state.boards.is_empty() {
        notices.push(Notice {
            code: "no-boards",
            text: "the member of this Trello token has no open boards; nothing is read".to_owned(),
        });
    }
    let due = selected.into_iter().filter(|board| {
        let mark = state.boards.get(&board.id);
        mark.is_none_or(|mark| compare || is_due(trello, mark, board, now))
    });
    Ok(Plan {
        compare,
        listed_at: now,
        queue: due.map(Due::of).collect::<VecDeque<_>>(),
    })
}

/// Whether a board that was read before is read again: it changed, or it is time. A clock that
/// was turned back makes it time.
fn is_due(trello: &Trello, mark: &Mark, board: &Listed, now: DateTime<Utc>) -> bool {
    let changed = mark.activity != board.date_last_activity || mark.closed != board.is_closed();
    let age = now - mark.read_at;
    let due = age >= trello.full_every || age < TimeDelta::zero();
    changed || (due && !board.is_closed())
}

/// Tells which followed boards are closed or no longer listed. What was read of them stays.
fn missing(trello: &Trello, state: &State, listed: &[Listed], notices: &mut Vec<Notice>) {
    let mut closed = Vec::new();
    let mut lost = Vec::new();
    for (id, mark) in &state.boards {
        let wanted = |word: &String| means(word, id, mark);
        if !trello.boards.is_empty() && !trello.boards.iter().any(wanted) {
            continue;
        }
        match listed.iter().find(|board| board.id == *id) {
            None => lost.push(mark.name.as_str()),
            Some(board) if board.is_closed() => closed.push(board.title()),
            Some(_) => {}
        }
    }
    let mut tell = |code, boards: Vec<&str>, what: &str| {
        if !boards.is_empty() {
            let text = format!(
                "{what}: {}; what was read stays as it is",
                boards.join(", ")
            );
            notices.push(Notice { code, text });
        }
    };
    tell("board-closed", closed, "closed Trello boards");
    tell(
        "board-lost",
        lost,
        "Trello boards that the token no longer sees",
    );
}

async fn read_board(trello: &Trello, due: Due, state: &mut State, page: &mut Page) -> Result<()> {
    let mark = state.boards.get(&due.id);
    let until = mark.and_then(|mark| mark.log.until);
    let size = mark.and_then(|mark| mark.page);
    let reading = match board::read(&trello.http, &due.id, until, size).await {
        Ok(reading) => reading,
        Err(error) if matches!(error.kind(), Kind::NotFound | Kind::Forbidden) => {
            // The others need not wait for it. Its mark stays, so it is tried every night.
            page.notices.push(not_readable(&due, &error));
            return Ok(());
        }
        Err(error) => return Err(error),
    };
    if !reading.cards.is_empty() && reading.cards.iter().all(|card| !card["id"].is_string()) {
        return Err(Error::new(
            Kind::Protocol,
            "none of the cards in Trello's answer has an id",
        )
        .with("board", due.id));
    }
    if reading.log_cut {
        page.notices.push(Notice {
            code: "log-cut",
            text: format!(
                "the log of the Trello board {} is too long to read whole; \
                its oldest activities are missing",
                due.name
            ),
        });
    }
    let nameless = reading.actions.iter().filter(|it| !it["id"].is_string());
    let nameless = nameless.count();
    if nameless > 0 {
        page.notices.push(Notice {
            code: "actions-unclear",
            text: format!(
                "the log of the Trello board {} has {nameless} entries without an id; \
                they were left out",
                due.name
            ),
        });
    }
    let mark = fill(trello, due, reading, mark, page);
    state.boards.insert(mark.0, mark.1);
    Ok(())
}

fn not_readable(due: &Due, error: &Error) -> Notice {
    Notice {
        code: "board-not-readable",
        text: format!("the Trello board {} cannot be read: {error}", due.name),
    }
}

/// Puts a board's records on the page, and gives its new mark.
fn fill(
    trello: &Trello,
    due: Due,
    mut reading: Reading,
    mark: Option<&Mark>,
    page: &mut Page,
) -> (String, Mark) {
    let names = Names::of(&mut reading.board, &|list| trello.done.holds(list));
    let mut log = mark.map(|mark| mark.log.clone()).unwrap_or_default();
    log.read(&reading.actions);
    // An action dated ahead of all clocks would hide those that are still to come.
    log.until = log.until.map(|until| until.min(trello.clock.now()));
    let cards: BTreeMap<&str, &Value> = reading
        .cards
        .iter()
        .filter_map(|card| Some((card["id"].as_str()?, card)))
        .collect();
    log.keep(&cards);
    page.raw.push(names.project(None));
    page.raw.extend(names.people());
    page.raw.extend(tasks(&names, &cards, &log));
    page.raw.extend(activities(&names, &reading.actions));
    page.gone.extend(deleted(&reading.actions, &cards));
    let had_cards = mark.is_some_and(|mark| mark.cards > 0);
    if cards.len() < reading.cards.len() {
        let text = format!(
            "the Trello board {} lists cards without an id or twice; \
            no card of it is taken for deleted",
            due.name
        );
        page.notices.push(Notice {
            code: "cards-unclear",
            text,
        });
    } else if cards.is_empty() && had_cards {
        let text = format!(
            "the Trello board {} lists no cards, and had some; \
            none is taken for deleted without a word of the log",
            due.name
        );
        page.notices.push(Notice {
            code: "board-empty",
            text,
        });
    } else {
        page.swept.push(sweep(&due.id, &cards, &log));
    }
    let mark = Mark {
        name: reading.board.name.unwrap_or(due.name),
        short_link: reading.board.short_link.or(due.short_link),
        activity: due.activity,
        read_at: trello.clock.now(),
        closed: reading.board.closed == Some(true),
        cards: cards.len(),
        page: reading.page,
        log,
    };
    (due.id, mark)
}

/// The cards that the log calls deleted and that are not there: two witnesses.
fn deleted(actions: &[Value], cards: &BTreeMap<&str, &Value>) -> Vec<Gone> {
    let deletions = actions
        .iter()
        .rev()
        .filter(|action| action["type"] == "deleteCard");
    let gone = deletions.filter_map(|action| {
        let card = action["data"]["card"]["id"].as_str()?;
        (!cards.contains_key(card)).then(|| Gone {
            stream: Stream::Tasks,
            id: ExternalId::new(card),
            proof: format!(
                "deleteCard {} at {}, and not in the complete list of the board's cards",
                action["id"].as_str().unwrap_or("without id"),
                action["date"].as_str().unwrap_or("an unknown time"),
            ),
        })
    });
    gone.collect()
}

/// The complete list of the board's cards. Those moved to another board are not absent: that
/// board tells of them, and if it is not read, nothing does.
fn sweep(board: &str, cards: &BTreeMap<&str, &Value>, log: &Log) -> Sweep {
    let here = cards.keys().copied();
    let away = log.away.iter().map(String::as_str);
    Sweep {
        stream: Stream::Tasks,
        scope: board.to_owned(),
        from: None,
        until: None,
        present: here.chain(away).map(ExternalId::new).collect(),
    }
}
