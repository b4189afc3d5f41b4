//! The document as data, and the code as text: what both must say alike.

use std::collections::BTreeSet;

use super::reader::{hex, sha256};

const DOCUMENT: &str = include_str!("../../../docs/ledger.md");
const EVENTS: &str = include_str!("../../../src/ledger/event.rs");
const RECORDS: &str = include_str!("../../../connectors/record.rs");

/// The kinds that the document describes.
pub(super) fn kinds() -> Vec<&'static str> {
    let (_, part) = DOCUMENT.split_once("\n## Kinds of rows\n").unwrap();
    let (part, _) = part.split_once("\n## ").unwrap();
    titles(part)
}

fn titles(part: &'static str) -> Vec<&'static str> {
    let titles = part.lines().filter_map(|line| line.strip_prefix("### `"));
    titles.map(|title| title.trim_end_matches('`')).collect()
}

/// The fields in the table of the section about a kind or a type of record.
pub(super) fn fields(of: &str) -> BTreeSet<&'static str> {
    let (_, part) = DOCUMENT
        .split_once(&format!("\n### `{of}`\n"))
        .unwrap_or_else(|| panic!("the document has no section about `{of}`"));
    let part = part
        .split("\n## ")
        .next()
        .unwrap()
        .split("\n### ")
        .next()
        .unwrap();
    table(part, "| field | type |")
}

/// The first column of the table that begins so.
fn table(part: &'static str, header: &str) -> BTreeSet<&'static str> {
    let (_, rows) = part
        .split_once(header)
        .unwrap_or_else(|| panic!("there is no table {header}"));
    let rows = rows
        .lines()
        .skip(2)
        .take_while(|line| line.starts_with("| `"));
    rows.map(|row| row.trim_start_matches("| `").split('`').next().unwrap())
        .collect()
}

/// The content of the first code block of a language.
pub(super) fn block(language: &str) -> &'static str {
    let (_, rest) = DOCUMENT.split_once(&format!("```{language}\n")).unwrap();
    rest.split_once("```").unwrap().0
}

/// The public fields of a struct, from its source.
fn fields_in(source: &'static str, name: &str) -> BTreeSet<&'static str> {
    let (_, body) = source
        .split_once(&format!("pub struct {name} {{\n"))
        .unwrap_or_else(|| panic!("there is no struct {name}"));
    let body = body.split_once("\n}").unwrap().0;
    let fields = body
        .lines()
        .filter_map(|line| line.strip_prefix("    pub "));
    fields.map(|line| line.split_once(':').unwrap().0).collect()
}

#[test]
fn every_kind_is_in_the_document_and_in_the_code() {
    let (_, code) = EVENTS.split_once("pub fn kind(").unwrap();
    let code = code.split_once("\n    }\n").unwrap().0;
    let in_code: BTreeSet<&str> = code
        .lines()
        .filter_map(|line| line.split_once("=> \"")?.1.split('"').next())
        .collect();
    let in_document: BTreeSet<&str> = kinds().into_iter().collect();
    assert_eq!(in_document, in_code);
}

#[test]
fn every_field_is_in_the_document_and_in_the_code() {
    for (section, name) in [
        ("genesis", "Genesis"),
        ("revision", "Revision"),
        ("deleted", "Deleted"),
        ("same-work", "SameWork"),
        ("alias", "Alias"),
        ("sealed", "Sealed"),
        ("delivered", "Delivered"),
        ("erased", "Erased"),
    ] {
        assert_eq!(fields(section), fields_in(EVENTS, name), "{section}");
    }
    for (section, name) in [
        ("time_entry", "TimeEntry"),
        ("task", "Task"),
        ("activity", "Activity"),
        ("file", "File"),
        ("person", "Person"),
        ("project", "Project"),
    ] {
        assert_eq!(fields(section), fields_in(RECORDS, name), "{section}");
    }
    for (header, source, name) in [
        ("| field of `raw` |", EVENTS, "RawRef"),
        ("| field of `works` |", EVENTS, "SettledWork"),
        ("| field of named |", RECORDS, "Named"),
        ("| field of person |", RECORDS, "PersonRef"),
    ] {
        assert_eq!(table(DOCUMENT, header), fields_in(source, name), "{header}");
    }
}

#[test]
fn every_stream_and_type_of_record_is_in_the_document() {
    use stundenbuch_connectors::record::Stream;
    let (_, part) = DOCUMENT.split_once("\n## Records\n").unwrap();
    let part = part.split_once("\n## ").unwrap().0;
    let types = titles(part);
    assert_eq!(types.len(), Stream::ALL.len(), "{types:?}");
    for stream in Stream::ALL {
        assert!(
            part.contains(&format!("in the stream `{stream}`"))
                || part.contains(&format!("In the stream `{stream}`")),
            "{stream}"
        );
    }
}

#[test]
fn the_example_of_the_hash_is_right() {
    let digits: String = block("hex").split_whitespace().collect();
    let bytes: Vec<u8> = (0..digits.len())
        .step_by(2)
        .map(|at| u8::from_str_radix(&digits[at..at + 2], 16).unwrap())
        .collect();
    assert!(bytes.ends_with(&sha256(b"{}")), "the payload is `{{}}`");
    let hash = hex(&sha256(&bytes));
    assert!(
        DOCUMENT.contains(&format!("the hash is `{hash}`")),
        "it is {hash}"
    );
    let chain = include_str!("../../../src/ledger/chain.rs");
    assert!(chain.contains(&hash), "the program fixes another value");
}
