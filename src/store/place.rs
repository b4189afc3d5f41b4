//! Where a parcel goes, as the outbox writes it: a path on a drive, or a place on a board.

use std::fmt;

/// A place at a target. No path on a drive holds a colon (connectors refuse it), so the forms
/// cannot be taken for each other.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Place {
    /// Relative to the connection's root.
    File(String),
    /// The comment with this marker under a card or task.
    Comment { task: String, marker: String },
    /// The custom field of this name on a card or task.
    Field { task: String, name: String },
}

const COMMENT: &str = "comment:";
const FIELD: &str = "field:";

impl Place {
    /// Reads what it prints.
    pub fn parse(text: &str) -> Self {
        let two = |rest: &str| {
            let (task, other) = rest.split_once(':')?;
            let task = task.replace("%3A", ":").replace("%25", "%");
            Some((task, other.to_owned()))
        };
        if let Some((task, marker)) = text.strip_prefix(COMMENT).and_then(two) {
            Self::Comment { task, marker }
        } else if let Some((task, name)) = text.strip_prefix(FIELD).and_then(two) {
            Self::Field { task, name }
        } else {
            Self::File(text.to_owned())
        }
    }
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let escaped = |task: &str| task.replace('%', "%25").replace(':', "%3A");
        match self {
            Self::File(path) => f.write_str(path),
            Self::Comment { task, marker } => write!(f, "{COMMENT}{}:{marker}", escaped(task)),
            Self::Field { task, name } => write!(f, "{FIELD}{}:{name}", escaped(task)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_place_reads_as_it_was_written() {
        let text = str::to_owned;
        for (place, written) in [
            (
                Place::File(text("Kunden/Müller/a.pdf")),
                "Kunden/Müller/a.pdf",
            ),
            (
                Place::Comment {
                    task: text("5f1a"),
                    marker: text("[#2026-10-7f3a9c]"),
                },
                "comment:5f1a:[#2026-10-7f3a9c]",
            ),
            (
                Place::Field {
                    task: text("a:b%3A"),
                    name: text("Std.: gesamt"),
                },
                "field:a%3Ab%253A:Std.: gesamt",
            ),
        ] {
            assert_eq!(place.to_string(), written);
            assert_eq!(Place::parse(written), place);
        }
    }
}
