//! What a program's failure means, by its exit code and its last words.
//!
//! The protocol says no more than that a failure has an exit code that is not 0. Programs built on
//! the usual libraries log the status of the answer that they met, as `401 Client Error`, so their
//! last words tell who has to act. Where they do not, it counts as passing.

use std::os::unix::process::ExitStatusExt;
use std::path::Path;
use std::process::ExitStatus;
use std::time::Duration;

use crate::error::{Error, Kind};

/// The program could not be started at all.
pub(super) fn not_started(program: &Path, error: &std::io::Error) -> Error {
    use std::io::ErrorKind;
    let (kind, hint) = match error.kind() {
        ErrorKind::NotFound => (
            Kind::Settings,
            "install it there; a script also needs the interpreter in its first line",
        ),
        ErrorKind::PermissionDenied => (
            Kind::Settings,
            "make it executable for this user; with systemd it must not lie below /home or /root",
        ),
        _ => (Kind::Unavailable, "start it by hand as this user"),
    };
    Error::new(kind, "the program cannot be started")
        .with("program", program.display())
        .with("error", error)
        .hint(hint)
}

/// The program ended with a failure.
pub(super) fn ended(program: &Path, status: ExitStatus, said: &str) -> Error {
    let (kind, hint) = meaning(said);
    let how = match (status.code(), status.signal()) {
        (Some(code), _) => format!("exit code {code}"),
        (None, Some(signal)) => format!("signal {signal}"),
        (None, None) => "an unknown end".to_owned(),
    };
    let error = Error::new(kind, "the program failed")
        .with("program", program.display())
        .with("ended", how)
        .hint(hint);
    if said.is_empty() {
        error
    } else {
        error.with("said", last_lines(said))
    }
}

pub(super) fn silent(program: &Path, limit: Duration) -> Error {
    Error::new(
        Kind::Unavailable,
        "the program says nothing any more and was ended",
    )
    .with("program", program.display())
    .with("waited_s", limit.as_secs())
    .hint("allow more with `silent_seconds_max`, if it is only slow")
}

pub(super) fn too_long(program: &Path, limit: Duration) -> Error {
    Error::new(Kind::Unavailable, "the program took too long and was ended")
        .with("program", program.display())
        .with("allowed_s", limit.as_secs())
        .hint("what it handed over is kept; allow more with `seconds_max`")
}

pub(super) fn too_much(what: &'static str, most: u64, setting: &str) -> Error {
    Error::new(
        Kind::Settings,
        "the program handed over too much and was ended",
    )
    .with(what, format_args!("more than {most}"))
    .hint(format!(
        "what came up to its last STATE is kept; allow more with `{setting}`"
    ))
}

/// Who has to act, as far as the last words tell.
fn meaning(said: &str) -> (Kind, &'static str) {
    const WORDS: [(Kind, &[&str], &str); 7] = [
        (
            Kind::RateLimited,
            &["429", "too many requests", "rate limit"],
            "nothing has to be done; it is tried again",
        ),
        (
            Kind::Auth,
            &[
                "401",
                "unauthorized",
                "invalid_grant",
                "invalid_token",
                "invalid credentials",
            ],
            "renew the credential and store it",
        ),
        (
            Kind::Forbidden,
            &["403", "forbidden", "permission denied"],
            "give the credential's owner the right to read this",
        ),
        (
            Kind::NotInPlan,
            &["402", "payment required"],
            "see what the account's plan includes",
        ),
        (
            Kind::NotFound,
            &["404 client error", "404 not found"],
            "see that the addresses and ids in `config` are right",
        ),
        (
            Kind::Settings,
            &[
                "required property",
                "config validation failed",
                "config is missing",
                "usage:",
                "unrecognized arguments",
                "modulenotfounderror",
            ],
            "compare the `config` table with the program's own description",
        ),
        (
            Kind::Unavailable,
            &[""],
            "it is tried again; by hand, `check` shows the same",
        ),
    ];
    let said = said.to_lowercase();
    let found = WORDS
        .iter()
        .find(|(_, words, _)| words.iter().any(|word| has_word(&said, word)));
    let (kind, _, hint) = found.expect("the last one fits everything");
    (*kind, hint)
}

/// Whether the word stands there, and a number not within another one.
fn has_word(text: &str, word: &str) -> bool {
    let part_of_one = |letter: Option<char>| letter.is_some_and(|it| it.is_ascii_alphanumeric());
    word.is_empty()
        || text.match_indices(word).any(|(at, found)| {
            let (before, after) = (&text[..at], &text[at + found.len()..]);
            !word.starts_with(|it: char| it.is_ascii_digit())
                || !(part_of_one(before.chars().next_back())
                    || part_of_one(after.chars().next())
                    || before.ends_with(['.', '-', ':']))
        })
}

/// The last lines on one, without what only draws borders.
pub(super) fn last_lines(said: &str) -> String {
    const LINES: usize = 6;
    let lines: Vec<&str> = said
        .lines()
        .map(str::trim)
        .filter(|line| line.contains(char::is_alphanumeric))
        .collect();
    let from = lines.len().saturating_sub(LINES);
    let text = lines[from..].join(" | ");
    text.chars()
        .map(|letter| if letter.is_control() { ' ' } else { letter })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_last_words_tell_who_acts() {
        for (said, kind) in [
            (
                "HTTPError: 401 Client Error: Unauthorized for url",
                Kind::Auth,
            ),
            (
                "requests.exceptions.HTTPError: 403 Client Error",
                Kind::Forbidden,
            ),
            ("429 Client Error: Too Many Requests", Kind::RateLimited),
            (
                "'path' is a required property\nConfig validation failed",
                Kind::Settings,
            ),
            ("usage: tap [-h] -c CONFIG", Kind::Settings),
            ("402 Client Error", Kind::NotInPlan),
            (
                "ConnectionError: name or service not known",
                Kind::Unavailable,
            ),
            (
                "took 401ms at 2026-11-22 12:01:34.403 id 5429",
                Kind::Unavailable,
            ),
            ("", Kind::Unavailable),
        ] {
            let error = ended(Path::new("/tap"), ExitStatus::from_raw(256), said);
            assert_eq!(error.kind(), kind, "{said}");
            assert!(error.to_string().contains("exit code 1"), "{error}");
            assert!(error.advice().is_some());
        }
        let killed = ended(Path::new("/tap"), ExitStatus::from_raw(9), "a\n---\nb\u{7}");
        assert!(
            killed.to_string().contains("signal 9, said=a | b "),
            "{killed}"
        );
    }
}
