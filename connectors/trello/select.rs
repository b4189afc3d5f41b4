//! Which boards to read: those that `boards` names, or all open ones.

use super::state::Mark;
use super::wire::Listed;
use crate::error::{Error, Kind, Result};

/// So many boards are named in an error; somebody with more knows where to look.
const NAMED_MAX: usize = 20;

/// The boards out of the member's list that the setting means.
///
/// A name that no board of the list answers to is an error that says what there is, except for
/// a board that was read before: it is missing now, which `known` boards are told as a notice.
pub(super) fn select<'a>(
    wanted: &[String],
    listed: &'a [Listed],
    known: &dyn Fn(&str) -> bool,
) -> Result<Vec<&'a Listed>> {
    if wanted.is_empty() {
        return Ok(listed.iter().filter(|board| !board.is_closed()).collect());
    }
    let mut selected: Vec<&Listed> = Vec::new();
    for word in wanted {
        match find(word, listed)? {
            Some(board) if selected.iter().any(|other| other.id == board.id) => {}
            Some(board) => selected.push(board),
            None if known(word) => {}
            None => return Err(unknown(word, listed)),
        }
    }
    Ok(selected)
}

/// Whether a word of the setting means a board that was read before.
pub(super) fn means(word: &str, id: &str, mark: &Mark) -> bool {
    let handle = handle(word);
    handle == id || Some(handle) == mark.short_link.as_deref() || same(word, &mark.name)
}

/// By id or short link; else by name, an open board before a closed one of the same name.
fn find<'a>(word: &str, listed: &'a [Listed]) -> Result<Option<&'a Listed>> {
    let handle = handle(word);
    let exact = listed
        .iter()
        .find(|board| board.id == handle || board.short_link.as_deref() == Some(handle));
    if exact.is_some() {
        return Ok(exact);
    }
    let named = |closed: bool| {
        let boards = listed
            .iter()
            .filter(move |board| board.is_closed() == closed);
        boards
            .filter(|board| same(word, board.title()))
            .collect::<Vec<_>>()
    };
    let boards = Some(named(false)).filter(|open| !open.is_empty());
    match boards.unwrap_or_else(|| named(true)).as_slice() {
        [] => Ok(None),
        [board] => Ok(Some(board)),
        [..] => Err(Error::new(
            Kind::Settings,
            format!("several boards are called `{word}`"),
        )
        .hint("name it by its short link in `boards`: the 8 characters behind trello.com/b/")),
    }
}

/// The short link out of a board's address; any other word as it is.
fn handle(word: &str) -> &str {
    let word = word.trim();
    match word.split_once("trello.com/b/") {
        Some((_, rest)) => rest.split('/').next().unwrap_or(rest),
        None => word,
    }
}

fn same(left: &str, right: &str) -> bool {
    left.trim().to_lowercase() == right.trim().to_lowercase()
}

fn unknown(word: &str, listed: &[Listed]) -> Error {
    let error = Error::new(
        Kind::Settings,
        format!("`boards` names `{word}`, and the token sees no such board"),
    );
    if listed.is_empty() {
        return error.hint("the member of this token has no boards; use another token");
    }
    let names: Vec<&str> = listed.iter().map(Listed::title).collect();
    let there = match names.split_at_checked(NAMED_MAX) {
        Some((first, rest)) if !rest.is_empty() => {
            format!("{} and {} more", first.join(", "), rest.len())
        }
        _ => names.join(", "),
    };
    error.hint(match nearest(word, &names) {
        Some(name) => format!("did you mean `{name}`? there are: {there}"),
        None => format!("there are: {there}"),
    })
}

fn nearest<'a>(word: &str, names: &[&'a str]) -> Option<&'a str> {
    let likeness = |name: &str| strsim::jaro_winkler(&word.to_lowercase(), &name.to_lowercase());
    names
        .iter()
        .map(|name| (likeness(name), *name))
        .filter(|(likeness, _)| *likeness > 0.8)
        .max_by(|(left, _), (right, _)| left.total_cmp(right))
        .map(|(_, name)| name)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn board(id: &str, name: &str, short: &str, closed: bool) -> Listed {
        Listed {
            id: id.to_owned(),
            name: Some(name.to_owned()),
            closed: Some(closed),
            short_link: Some(short.to_owned()),
            date_last_activity: None,
        }
    }

    fn there() -> Vec<Listed> {
        vec![
            board("1", "Website", "aaaaaaaa", false),
            board("2", "Küche Nord", "bbbbbbbb", false),
            board("3", "Küche Nord", "cccccccc", true),
            board("4", "Doppelt", "dddddddd", false),
            board("5", "doppelt", "eeeeeeee", false),
        ]
    }

    fn selected(wanted: &[&str]) -> Result<Vec<String>> {
        let wanted: Vec<String> = wanted.iter().map(ToString::to_string).collect();
        let boards = there();
        let boards = select(&wanted, &boards, &|_| false)?;
        Ok(boards.iter().map(|board| board.id.clone()).collect())
    }

    #[test]
    fn boards_are_named_in_four_ways() {
        assert_eq!(selected(&[]).unwrap(), ["1", "2", "4", "5"]);
        let by_link = "https://trello.com/b/dddddddd/doppelt";
        let four = selected(&["website", "3", by_link, "KÜCHE nord", "1"]).unwrap();
        assert_eq!(four, ["1", "3", "4", "2"]);
    }

    #[test]
    fn an_unknown_board_is_an_error_that_lists_what_there_is() {
        let error = selected(&["Websit"]).unwrap_err();
        assert_eq!(error.kind(), Kind::Settings);
        let advice = error.advice().unwrap();
        assert!(advice.starts_with("did you mean `Website`?"), "{advice}");
        assert!(advice.contains("Küche Nord"), "{advice}");
        let error = selected(&["doppelt"]).unwrap_err();
        assert!(error.advice().unwrap().contains("short link"));
    }

    #[test]
    fn a_board_that_was_read_before_may_be_missing() {
        let boards = there();
        let wanted = ["Weg".to_owned(), "Website".to_owned()];
        let boards = select(&wanted, &boards, &|word| word == "Weg").unwrap();
        assert_eq!(boards.len(), 1);
    }
}
