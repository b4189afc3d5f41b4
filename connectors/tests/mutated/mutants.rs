//! Spoiled copies of a JSON document, as bytes: a document that is no JSON any more is one of
//! the things that must be tried.

use serde_json::Value;

/// One spoiled copy.
#[derive(Clone, Debug)]
pub(crate) struct Mutant {
    /// What was done; the same word for the same deed, for counting.
    pub(crate) kind: &'static str,
    /// Where, as a JSON pointer; empty for the document as a whole.
    pub(crate) path: String,
    pub(crate) bytes: Vec<u8>,
}

/// What takes the place of a value.
const REPLACEMENTS: [(&str, &str); 19] = [
    ("null", "null"),
    ("a number", "7"),
    ("a negative number", "-1"),
    ("a fraction", "1.5"),
    ("a number above 2^53", "9007199254740993"),
    ("a number above 64 bits", "99999999999999999999"),
    ("a number above all", "1e999"),
    ("a bare NaN", "NaN"),
    ("a flag", "true"),
    ("a text", "\"x\""),
    ("an empty text", "\"\""),
    ("NaN as text", "\"NaN\""),
    ("a far instant", "\"9999-12-31T23:59:59Z\""),
    ("a NUL", "\"\\u0000\""),
    ("half a character", "\"\\ud83d\""),
    ("a list", "[1]"),
    ("an empty list", "[]"),
    ("an object", "{\"x\":[null]}"),
    // Stands for itself in the table; written out where it is used.
    (DEEP, ""),
];

/// Ten thousand lists, one in another.
pub(crate) const DEEP: &str = "depth 10,000";

/// No JSON, wherever it stands.
pub(crate) const NO_JSON: &str = "a bare NaN";

/// Every field of a document removed, renamed, doubled and replaced, one at a time.
pub(crate) fn fields(document: &Value) -> Vec<Mutant> {
    let mut paths = Vec::new();
    collect_paths(document, String::new(), &mut paths);
    let mut mutants = Vec::new();
    for path in paths {
        let mut mutate = |kind, change: Change<'_>| {
            let mut text = String::new();
            write(document, "", &path, change, &mut text);
            mutants.push(Mutant {
                kind,
                path: path.clone(),
                bytes: text.into_bytes(),
            });
        };
        let deep = format!("{}{}", "[".repeat(10_000), "]".repeat(10_000));
        for (kind, text) in REPLACEMENTS {
            let text = if kind == DEEP { &deep } else { text };
            mutate(kind, Change::Replaced(text));
        }
        let parent = path.rsplit_once('/').map(|(parent, _)| parent);
        if parent.is_some() {
            mutate("removed", Change::Removed);
        }
        if parent.is_some_and(|it| document.pointer(it).is_some_and(Value::is_object)) {
            mutate("renamed", Change::Renamed);
            mutate("doubled, the other first", Change::Doubled { first: true });
            mutate("doubled, the other last", Change::Doubled { first: false });
        }
    }
    mutants
}

/// A text cut at every byte, and spoiled as a whole.
pub(crate) fn wholes(text: &str) -> Vec<Mutant> {
    let whole = |kind, bytes: &[u8]| Mutant {
        kind,
        path: String::new(),
        bytes: bytes.to_vec(),
    };
    let mut mutants: Vec<Mutant> = (0..text.trim_end().len())
        .map(|end| whole("cut", &text.as_bytes()[..end]))
        .collect();
    for (kind, bytes) in [
        ("blank", &b" "[..]),
        ("null", b"null"),
        ("an empty list", b"[]"),
        ("an empty object", b"{}"),
        ("an empty text", b"\"\""),
        ("a number", b"0"),
        ("NUL bytes", &[0; 64]),
        ("UTF-16", &[0xff, 0xfe, b'[', 0, b']', 0]),
    ] {
        mutants.push(whole(kind, bytes));
    }
    let marked = [b"\xef\xbb\xbf", text.as_bytes()].concat();
    mutants.push(whole("a byte order mark", &marked));
    mutants.push(whole("something behind", &[text.as_bytes(), b"]"].concat()));
    let deep = "[".repeat(10_000);
    mutants.push(whole(DEEP, deep.as_bytes()));
    // A byte that no UTF-8 has, in the place of each quotation mark in turn, and behind it.
    let quotes = text.bytes().enumerate().filter(|(_, byte)| *byte == b'"');
    for (at, _) in quotes {
        for place in [at, at + 1] {
            let mut bytes = text.as_bytes().to_vec();
            bytes[place] = 0xff;
            mutants.push(whole("no UTF-8", &bytes));
        }
    }
    mutants
}

/// What is done to the value at a path.
#[derive(Clone, Copy)]
enum Change<'a> {
    Replaced(&'a str),
    Removed,
    Renamed,
    /// Its key stands twice, once with another value.
    Doubled {
        first: bool,
    },
}

fn collect_paths(value: &Value, path: String, paths: &mut Vec<String>) {
    match value {
        Value::Object(fields) => {
            for (key, value) in fields {
                collect_paths(value, format!("{path}/{}", escaped(key)), paths);
            }
        }
        Value::Array(items) => {
            for (at, value) in items.iter().enumerate() {
                collect_paths(value, format!("{path}/{at}"), paths);
            }
        }
        _ => {}
    }
    paths.push(path);
}

/// A key as pointers write it (RFC 6901, section 3).
fn escaped(key: &str) -> String {
    key.replace('~', "~0").replace('/', "~1")
}

/// Writes a document with a change at one place.
fn write(value: &Value, here: &str, target: &str, change: Change<'_>, out: &mut String) {
    if let Change::Replaced(text) = change
        && here == target
    {
        out.push_str(text);
        return;
    }
    match value {
        // What cannot hold the target is written as it is.
        _ if !target.starts_with(here) => out.push_str(&value.to_string()),
        Value::Object(fields) => {
            let mut written = Vec::new();
            for (key, value) in fields {
                let path = format!("{here}/{}", escaped(key));
                let mut text = String::new();
                write(value, &path, target, change, &mut text);
                let key = Value::from(key.as_str());
                match change {
                    Change::Removed if path == target => {}
                    Change::Renamed if path == target => {
                        written.push(format!("\"x_{}:{text}", &key.to_string()[1..]));
                    }
                    Change::Doubled { first } if path == target => {
                        let mut pair = [format!("{key}:\"x\""), format!("{key}:{text}")];
                        if !first {
                            pair.reverse();
                        }
                        written.extend(pair);
                    }
                    _ => written.push(format!("{key}:{text}")),
                }
            }
            out.push('{');
            out.push_str(&written.join(","));
            out.push('}');
        }
        Value::Array(items) => {
            let mut written = Vec::new();
            for (at, value) in items.iter().enumerate() {
                let path = format!("{here}/{at}");
                if path == target && matches!(change, Change::Removed) {
                    continue;
                }
                let mut text = String::new();
                write(value, &path, target, change, &mut text);
                written.push(text);
            }
            out.push('[');
            out.push_str(&written.join(","));
            out.push(']');
        }
        _ => out.push_str(&value.to_string()),
    }
}

#[test]
fn every_field_is_spoiled_in_every_way() {
    let document = serde_json::json!({"a": {"b/c": 1}, "d": [2, 3]});
    let mutants = fields(&document);
    let texts: Vec<&str> = mutants
        .iter()
        .map(|mutant| std::str::from_utf8(&mutant.bytes).unwrap())
        .collect();
    for wanted in [
        r#"{"a":{},"d":[2,3]}"#,
        r#"{"d":[2,3]}"#,
        r#"{"a":{"b/c":1},"d":[3]}"#,
        r#"{"a":{"x_b/c":1},"d":[2,3]}"#,
        r#"{"a":{"b/c":"x","b/c":1},"d":[2,3]}"#,
        r#"{"a":{"b/c":1,"b/c":"x"},"d":[2,3]}"#,
        r#"{"a":{"b/c":1},"d":[NaN,3]}"#,
        r#"{"a":{"b/c":"\ud83d"},"d":[2,3]}"#,
        "null",
    ] {
        assert!(texts.contains(&wanted), "{wanted} is missing");
    }
    // Six places: 19 replacements each, 5 removed, 3 with a key renamed and doubled twice.
    assert_eq!(mutants.len(), 6 * 19 + 5 + 3 * 3);
    assert_eq!(
        wholes("[\"ab\"]")
            .iter()
            .filter(|it| it.kind == "cut")
            .count(),
        6
    );
}
