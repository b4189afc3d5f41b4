//! One line of a month's file: an interval as Timewarrior writes it.
//!
//! ```text
//! inc 20261120T080000Z - 20261120T093000Z # "Große Sache" kunde # "with an annotation"
//! ```
//!
//! The times are UTC; without an end the interval is open. Tags stand in Timewarrior's own order,
//! in quotes where they need them, and `\"` is a quote within quotes; no other character is
//! escaped (Timewarrior, `Interval::serialize` and `IntervalFactory::fromSerialization`, read
//! 2026-11). The annotation stands behind a second `#`, also where there are no tags.

use chrono::{DateTime, NaiveDateTime, Utc};

use crate::error::Reject;

/// An interval.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Interval {
    pub(super) start: DateTime<Utc>,
    /// `None` while it is open.
    pub(super) end: Option<DateTime<Utc>>,
    pub(super) tags: Vec<String>,
    pub(super) annotation: String,
}

/// A word of a line. In quotes, `#` and `-` are words like any other.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Word {
    text: String,
    quoted: bool,
}

impl Word {
    fn is_mark(&self, mark: &str) -> bool {
        !self.quoted && self.text == mark
    }
}

/// Reads a line.
pub(super) fn read(line: &str) -> Result<Interval, Reject> {
    let words = words(line)?;
    let mut words = words.into_iter().peekable();
    if !words.next().is_some_and(|word| word.is_mark("inc")) {
        return Err(Reject::new("does not begin with `inc`"));
    }
    let start = words
        .next_if(|word| !word.is_mark("#"))
        .ok_or_else(|| Reject::field("start", "is missing"))?;
    let start = instant("start", &start.text)?;
    let mut end = None;
    if words.next_if(|word| word.is_mark("-")).is_some() {
        let word = words.next().filter(|word| !word.is_mark("#"));
        let word = word.ok_or_else(|| Reject::field("end", "is missing"))?;
        end = Some(instant("end", &word.text)?);
    }
    let mut tags = Vec::new();
    let mut annotation = String::new();
    if let Some(word) = words.next() {
        if !word.is_mark("#") {
            return Err(Reject::new("goes on without `#` behind its times"));
        }
        while let Some(tag) = words.next_if(|word| !word.is_mark("#")) {
            tags.push(tag.text);
        }
        // What is behind the second `#` is the annotation, whole; older versions did not quote it.
        words.next();
        let rest: Vec<String> = words.map(|word| word.text).collect();
        annotation = rest.join(" ");
    }
    Ok(Interval {
        start,
        end,
        tags,
        annotation,
    })
}

/// The start as the line writes it, where it is one: enough to call an unreadable line by a name.
pub(super) fn start_of(line: &str) -> Option<&str> {
    let start = line.strip_prefix("inc ")?.split(' ').next()?;
    instant("start", start).ok().map(|_| start)
}

fn instant(field: &'static str, text: &str) -> Result<DateTime<Utc>, Reject> {
    // Sixteen characters, as Timewarrior itself insists: a year of five digits is none.
    let read = (text.len() == 16)
        .then(|| NaiveDateTime::parse_from_str(text, "%Y%m%dT%H%M%SZ").ok())
        .flatten();
    let shown: String = text.chars().take(40).collect();
    read.map(|naive| naive.and_utc())
        .ok_or_else(|| Reject::field(field, format!("`{shown}` is no instant")))
}

fn words(line: &str) -> Result<Vec<Word>, Reject> {
    let mut words = Vec::new();
    let mut rest = line.trim_start_matches(is_space);
    while !rest.is_empty() {
        let (word, behind) = if let Some(inside) = rest.strip_prefix('"') {
            quoted(inside)?
        } else {
            let end = rest.find(is_space).unwrap_or(rest.len());
            let text = rest[..end].to_owned();
            (
                Word {
                    text,
                    quoted: false,
                },
                &rest[end..],
            )
        };
        words.push(word);
        rest = behind.trim_start_matches(is_space);
    }
    Ok(words)
}

/// What stands between words. Timewarrior goes by bytes, so a space that is none in ASCII, such as
/// the one that does not break, is a letter of a tag and needs no quotes (Timewarrior 1.4.3, tried
/// 2026-11).
fn is_space(letter: char) -> bool {
    letter.is_ascii_whitespace() || letter == '\x0b'
}

/// A word in quotes, from behind the first of them, and what follows it.
fn quoted(inside: &str) -> Result<(Word, &str), Reject> {
    let mut text = String::new();
    let mut characters = inside.char_indices().peekable();
    while let Some((at, character)) = characters.next() {
        match character {
            '"' => return Ok((Word { text, quoted: true }, &inside[at + 1..])),
            '\\' if characters.next_if(|(_, next)| *next == '"').is_some() => text.push('"'),
            other => text.push(other),
        }
    }
    Err(Reject::new("a quote is not closed"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(text: &str) -> DateTime<Utc> {
        text.parse().unwrap()
    }

    #[test]
    fn a_line_as_timewarrior_writes_it() {
        let line = concat!(
            r#"inc 20261120T080000Z - 20261120T093000Z # "Große Sache" kunde "#,
            r##"# "Say \"hi\" \ now""##
        );
        let expected = Interval {
            start: at("2026-11-20T08:00:00Z"),
            end: Some(at("2026-11-20T09:30:00Z")),
            tags: vec!["Große Sache".to_owned(), "kunde".to_owned()],
            annotation: "Say \"hi\" \\ now".to_owned(),
        };
        assert_eq!(read(line).unwrap(), expected);
    }

    #[test]
    fn an_open_interval_has_no_end() {
        for line in ["inc 20261121T070000Z", "inc 20261121T070000Z # run"] {
            assert_eq!(read(line).unwrap().end, None, "{line}");
        }
        // A line that was cut within its end is not an open interval.
        for line in [
            "inc 20261121T070000Z -",
            "inc 20261121T070000Z - # run",
            "inc 20261121T070000Z - 20261121T08",
            "inc 20261121T070000Z 20261121T080000Z",
        ] {
            assert!(read(line).is_err(), "{line}");
        }
    }

    #[test]
    fn an_annotation_stands_alone_or_without_quotes() {
        for line in [
            "inc 20261120T110000Z - 20261120T120000Z # # \"mit # darin\"",
            "inc 20261120T110000Z - 20261120T120000Z # # mit # darin",
        ] {
            let interval = read(line).unwrap();
            assert!(interval.tags.is_empty(), "{line}");
            assert_eq!(interval.annotation, "mit # darin", "{line}");
        }
    }

    #[test]
    fn marks_in_quotes_are_tags() {
        let line = "inc 20261120T110000Z - 20261120T120000Z # \"#\" \"-\" #hash it's a\\b \"\\\"\"";
        let tags = read(line).unwrap().tags;
        assert_eq!(tags, ["#", "-", "#hash", "it's", "a\\b", "\""]);
    }

    /// As Timewarrior 1.4.3 wrote it.
    #[test]
    fn a_space_that_does_not_break_is_within_a_tag() {
        let line = "inc 20261120T080000Z - 20261120T090000Z # kunde:Ahorn\u{a0}GmbH \"zwei worte\"";
        let tags = read(line).unwrap().tags;
        assert_eq!(tags, ["kunde:Ahorn\u{a0}GmbH", "zwei worte"]);
    }

    #[test]
    fn what_is_no_interval_is_refused_with_its_field() {
        for (line, field) in [
            ("", None),
            ("exc day on 2026-11-20", None),
            ("\"inc\" 20261120T110000Z", None),
            ("inc", Some("start")),
            ("inc # kunde", Some("start")),
            ("inc 20261320T110000Z", Some("start")),
            ("inc 2026-11-20T11:00Z", Some("start")),
            ("inc 20261120T110000Z - morgen", Some("end")),
            ("inc 20261120T110000Z # \"offen", None),
        ] {
            assert_eq!(read(line).unwrap_err().field, field, "{line}");
        }
        assert_eq!(
            start_of("inc 20261120T110000Z - x"),
            Some("20261120T110000Z")
        );
        assert_eq!(start_of("inc gestern"), None);
    }
}
