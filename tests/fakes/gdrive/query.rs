//! The language of searches (`q`), as far as it is described and used: terms, `and`, `or`,
//! brackets; and `fields`, which chooses what an answer holds.

use serde_json::{Map, Value};

/// What a search asks for.
#[derive(Debug)]
pub(super) enum Term {
    In(String),
    Trashed(bool),
    Is(String, String),
    Has(String, String),
    And(Box<Term>, Box<Term>),
    Or(Box<Term>, Box<Term>),
}

#[derive(Clone, Debug, PartialEq)]
enum Sign {
    Word(String),
    Text(String),
    Mark(char),
}

/// Reads a search; `None` where it is none.
pub(super) fn parse(text: &str) -> Option<Term> {
    let mut signs = signs(text)?;
    signs.reverse();
    let term = any(&mut signs)?;
    signs.is_empty().then_some(term)
}

fn any(signs: &mut Vec<Sign>) -> Option<Term> {
    let mut term = all(signs)?;
    while signs.last() == Some(&Sign::Word("or".to_owned())) {
        signs.pop();
        term = Term::Or(Box::new(term), Box::new(all(signs)?));
    }
    Some(term)
}

fn all(signs: &mut Vec<Sign>) -> Option<Term> {
    let mut term = one(signs)?;
    while signs.last() == Some(&Sign::Word("and".to_owned())) {
        signs.pop();
        term = Term::And(Box::new(term), Box::new(one(signs)?));
    }
    Some(term)
}

fn one(signs: &mut Vec<Sign>) -> Option<Term> {
    let word = |word: &str| Sign::Word(word.to_owned());
    match signs.pop()? {
        Sign::Mark('(') => {
            let term = any(signs)?;
            (signs.pop()? == Sign::Mark(')')).then_some(term)
        }
        Sign::Text(id) => {
            let parents = signs.pop()? == word("in") && signs.pop()? == word("parents");
            parents.then_some(Term::In(id))
        }
        Sign::Word(name) if name == "appProperties" => {
            (signs.pop()? == word("has") && signs.pop()? == Sign::Mark('{')).then_some(())?;
            let key = named(signs, "key")?;
            (signs.pop()? == word("and")).then_some(())?;
            let value = named(signs, "value")?;
            (signs.pop()? == Sign::Mark('}')).then_some(Term::Has(key, value))
        }
        Sign::Word(name) => {
            (signs.pop()? == Sign::Mark('=')).then_some(())?;
            match (name.as_str(), signs.pop()?) {
                ("trashed", Sign::Word(flag)) => Some(Term::Trashed(flag == "true")),
                ("name" | "mimeType", Sign::Text(text)) => Some(Term::Is(name, text)),
                _ => None,
            }
        }
        Sign::Mark(_) => None,
    }
}

fn named(signs: &mut Vec<Sign>, name: &str) -> Option<String> {
    let right = signs.pop()? == Sign::Word(name.to_owned()) && signs.pop()? == Sign::Mark('=');
    match signs.pop()? {
        Sign::Text(text) if right => Some(text),
        _ => None,
    }
}

fn signs(text: &str) -> Option<Vec<Sign>> {
    let mut signs = Vec::new();
    let mut rest = text.chars().peekable();
    while let Some(sign) = rest.next() {
        match sign {
            ' ' => {}
            '(' | ')' | '{' | '}' | '=' => signs.push(Sign::Mark(sign)),
            '\'' => {
                let mut text = String::new();
                loop {
                    match rest.next()? {
                        '\\' => text.push(rest.next()?),
                        '\'' => break,
                        other => text.push(other),
                    }
                }
                signs.push(Sign::Text(text));
            }
            _ => {
                let mut word = sign.to_string();
                while let Some(next) = rest.next_if(char::is_ascii_alphanumeric) {
                    word.push(next);
                }
                signs.push(Sign::Word(word));
            }
        }
    }
    Some(signs)
}

impl Term {
    /// The folders that are asked about.
    pub(super) fn folders(&self) -> Vec<&str> {
        match self {
            Self::In(id) => vec![id],
            Self::And(one, other) | Self::Or(one, other) => {
                let mut folders = one.folders();
                folders.extend(other.folders());
                folders
            }
            _ => Vec::new(),
        }
    }

    /// Whether a file, with all its fields, is one of those asked for.
    pub(super) fn covers(&self, file: &Value) -> bool {
        match self {
            Self::In(id) => file["parents"][0] == id.as_str(),
            Self::Trashed(flag) => file["trashed"] == *flag,
            Self::Is(field, text) => file[field] == text.as_str(),
            Self::Has(key, value) => file["appProperties"][key] == value.as_str(),
            Self::And(one, other) => one.covers(file) && other.covers(file),
            Self::Or(one, other) => one.covers(file) || other.covers(file),
        }
    }
}

/// Keeps the fields that `mask` names: `a,b(c,d)`.
pub(super) fn masked(value: &Value, mask: &str) -> Value {
    match value {
        Value::Array(items) => items.iter().map(|item| masked(item, mask)).collect(),
        Value::Object(fields) => {
            let mut kept = Map::new();
            for (name, inner) in split(mask) {
                let Some(value) = fields.get(name) else {
                    continue;
                };
                let value = match inner {
                    Some(inner) => masked(value, inner),
                    None => value.clone(),
                };
                kept.insert(name.to_owned(), value);
            }
            Value::Object(kept)
        }
        other => other.clone(),
    }
}

/// The names in a mask, each with the mask in its brackets.
fn split(mask: &str) -> Vec<(&str, Option<&str>)> {
    let (mut depth, mut start, mut parts) = (0, 0, Vec::new());
    for (at, byte) in mask.bytes().chain([b',']).enumerate() {
        match byte {
            b'(' => depth += 1,
            b')' => depth -= 1,
            b',' if depth == 0 => {
                parts.push(mask[start..at].trim());
                start = at + 1;
            }
            _ => {}
        }
    }
    let part = |part: &'_ str| match part.find('(') {
        Some(at) => (at, part.len() - 1),
        None => (part.len(), part.len()),
    };
    let cut = parts.into_iter().map(|text| {
        let (at, end) = part(text);
        (&text[..at], (at < end).then(|| &text[at + 1..end]))
    });
    cut.collect()
}

#[test]
fn a_mask_and_a_search_are_read() {
    let file = serde_json::json!({"a": 1, "b": [{"c": 2, "d": 3}], "e": 4});
    let kept = serde_json::json!({"a": 1, "b": [{"c": 2}]});
    assert_eq!(masked(&file, "a,b(c)"), kept);
    let term =
        parse(r"('x' in parents or 'y' in parents) and name = 'O\'N \\' and trashed = false");
    let term = term.unwrap();
    assert_eq!(term.folders(), ["x", "y"]);
    let file = serde_json::json!({"parents": ["y"], "name": "O'N \\", "trashed": false});
    assert!(term.covers(&file));
    assert!(parse("name contains 'x'").is_none() && parse("'x' in").is_none());
}
