//! A file that is no TOML: line, column and the line itself, as far as it can be shown.
//!
//! The line may be `token = "…` with the quotation mark missing, or the middle of a text that
//! was never closed. What is shown is therefore not what looks harmless but only what is known
//! to be: a header of a known section, or a known key whose value is no secret.

use stundenbuch_connectors::Entry;
use stundenbuch_connectors::kind::{Setting, ValueKind};

use super::file::LineStarts;
use super::mistake::{Mistake, Place};

/// The tables at the top.
pub(super) const SECTIONS: &[&str] = &[
    "backup",
    "checks",
    "clients",
    "connections",
    "daemon",
    "imports",
    "issuer",
    "ledger",
    "people",
    "retention",
    "statements",
];

/// Every key besides the settings of connectors; a test compares it with what is read.
pub(super) const KEYS: &[&str] = &[
    "address",
    "anchors",
    "boards",
    "clients",
    "comment",
    "connection",
    "connector",
    "contracts",
    "credential",
    "currency",
    "dates",
    "deliver",
    "directory",
    "email",
    "env",
    "field",
    "file",
    "files",
    "folder",
    "folders",
    "format",
    "formats",
    "from",
    "group_by",
    "ignore_billable_flag",
    "keep",
    "key",
    "known_as",
    "language",
    "listen",
    "long_entry",
    "long_timer",
    "mode",
    "model",
    "name",
    "nightly_at",
    "number",
    "overlap",
    "path",
    "per",
    "person",
    "phone",
    "project",
    "projects",
    "rate",
    "rates",
    "reference",
    "rounding",
    "sources",
    "step",
    "tax_number",
    "templates",
    "time_zone",
    "title",
    "until",
    "vat",
    "vat_id",
    "website",
    "write_back",
    "years",
];

/// The most of a line that is shown, in characters.
const SHOWN: usize = 100;

/// Tells a syntax error.
pub(super) fn mistake(
    order: usize,
    name: &str,
    text: &str,
    error: &toml_edit::TomlError,
    registry: &[Entry],
) -> Mistake {
    let byte = error.span().map_or(0, |span| span.start);
    // The parser may point behind the last line break; the line before it is meant.
    let byte = byte.min(text.trim_end().len());
    let (line, column) = LineStarts::new(text).position(text, byte);
    let mut what = format!("this is no TOML: {}", error.message());
    if let Some(shown) = harmless(text.lines().nth(line - 1).unwrap_or(""), registry) {
        what.push_str("\n  ");
        what.push_str(&shown);
        // A tab is as wide in the line of the mark as in the line above it.
        let before = shown.chars().take(column - 1);
        let blanks = before.map(|char| if char == '\t' { '\t' } else { ' ' });
        what.push_str("\n  ");
        what.extend(blanks);
        what.push('^');
    }
    Mistake {
        place: Place::File {
            order,
            line,
            column,
            name: name.to_owned(),
        },
        key: String::new(),
        what,
        fix: None,
    }
}

/// The line, or its beginning, where it is known to hold no secret.
fn harmless(line: &str, registry: &[Entry]) -> Option<String> {
    if let Some(header) = line.trim_start().strip_prefix('[') {
        let mut words = header.trim_start_matches(['[', ' ']).split(['.', ']', ' ']);
        let known = words.next().is_some_and(|first| SECTIONS.contains(&first));
        let bare = |char: char| char.is_ascii_alphanumeric() || "[]._- \"\r".contains(char);
        return (known && header.chars().all(bare)).then(|| shorten(line));
    }
    let (key, rest) = line.split_once('=')?;
    let last = key.rsplit('.').next().unwrap_or(key).trim();
    let known = KEYS.contains(&last) || settings(registry).any(|setting| setting.key == last);
    let mut words = rest.split(|char: char| !char.is_alphanumeric() && !"_-".contains(char));
    if !known {
        None
    } else if is_secret(last, registry) || words.any(|word| is_secret(word, registry)) {
        Some(format!("{key}= …"))
    } else {
        Some(shorten(line))
    }
}

/// Whether what follows this key may be a secret. A reference to one counts: whoever mistakes
/// the notation writes the secret itself there.
fn is_secret(key: &str, registry: &[Entry]) -> bool {
    let declared = |setting: &Setting| setting.value == ValueKind::Secret && setting.key == key;
    ["credential", "env", "file"].contains(&key) || settings(registry).any(declared)
}

fn shorten(line: &str) -> String {
    line.trim_end().chars().take(SHOWN).collect()
}

fn settings(registry: &[Entry]) -> impl Iterator<Item = &'static Setting> {
    let kinds = registry.iter().map(|entry| entry.kind);
    kinds.flat_map(|kind| kind.settings.iter())
}
