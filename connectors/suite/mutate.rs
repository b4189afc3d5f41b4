//! Spoiled copies of a raw record, for a mapping that must survive them all.

use std::panic::{AssertUnwindSafe, catch_unwind};

use serde_json::{Value, json};

use crate::contract::{Connector, Raw};

/// Every field removed and retyped, one at a time, and the text cut at every few characters.
pub fn mutants(body: &str) -> Vec<String> {
    let mut mutants: Vec<String> = [
        "", " ", "null", "[]", "{}", "\"\"", "0", "{\"id\":", "\u{0}",
    ]
    .map(str::to_owned)
    .into();
    mutants.push("[".repeat(10_000));
    let stride = (body.len() / 200).max(1);
    let cuts = (0..body.len())
        .step_by(stride)
        .filter(|at| body.is_char_boundary(*at));
    mutants.extend(cuts.map(|at| body[..at].to_owned()));
    let Ok(document) = serde_json::from_str::<Value>(body) else {
        return mutants;
    };
    let mut paths = Vec::new();
    collect_paths(&document, String::new(), &mut paths);
    for path in paths {
        mutants.extend(without(&document, &path).map(|it| it.to_string()));
        for value in replacements() {
            let mut mutant = document.clone();
            if let Some(place) = mutant.pointer_mut(&path) {
                *place = value;
                mutants.push(mutant.to_string());
            }
        }
    }
    mutants
}

/// Normalises a record and all its mutants with two instances.
pub(super) fn normalise_all(one: &dyn Connector, other: &dyn Connector, raw: &Raw) {
    if let Err(reject) = one.normalise(raw) {
        panic!("{} is rejected: {reject}: {}", raw.id, raw.body);
    }
    for body in std::iter::once(raw.body.clone()).chain(mutants(&raw.body)) {
        let raw = Raw {
            body,
            ..raw.clone()
        };
        let attempt = || {
            (
                one.normalise(&raw),
                one.normalise(&raw),
                other.normalise(&raw),
            )
        };
        let Ok((first, again, elsewhere)) = catch_unwind(AssertUnwindSafe(attempt)) else {
            panic!("normalise panics on {}", excerpt(&raw.body));
        };
        assert!(
            first == again && first == elsewhere,
            "normalise is not pure on {}",
            excerpt(&raw.body)
        );
    }
}

fn excerpt(body: &str) -> String {
    body.chars().take(2000).collect()
}

fn replacements() -> [Value; 12] {
    [
        Value::Null,
        json!(true),
        json!(-1),
        json!(1.5),
        json!(i64::MIN),
        json!(u64::MAX),
        json!(""),
        json!("\u{0}\u{202e}𝄞"),
        json!("9999-99-99T99:99:99Z"),
        json!("-262144-01-01T00:00:00Z"),
        json!([]),
        json!({"a": [null]}),
    ]
}

fn collect_paths(value: &Value, path: String, paths: &mut Vec<String>) {
    let children: Vec<(String, &Value)> = match value {
        Value::Object(fields) => fields
            .iter()
            .map(|(key, value)| (key.replace('~', "~0").replace('/', "~1"), value))
            .collect(),
        // The first elements of a list stand for the others.
        Value::Array(items) => items
            .iter()
            .take(2)
            .enumerate()
            .map(|(at, value)| (at.to_string(), value))
            .collect(),
        _ => Vec::new(),
    };
    for (key, child) in children {
        collect_paths(child, format!("{path}/{key}"), paths);
    }
    paths.push(path);
}

fn without(document: &Value, path: &str) -> Option<Value> {
    let (parent, key) = path.rsplit_once('/')?;
    let key = key.replace("~1", "/").replace("~0", "~");
    let mut mutant = document.clone();
    match mutant.pointer_mut(parent)? {
        Value::Object(fields) => drop(fields.remove(&key)),
        Value::Array(items) => drop(items.remove(key.parse().ok()?)),
        _ => return None,
    }
    Some(mutant)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_field_is_removed_and_retyped() {
        let body = json!({"a": {"b/c": 1}, "d": [2, 3]}).to_string();
        let mutants = mutants(&body);
        for wanted in [
            json!({"a": {}, "d": [2, 3]}),
            json!({"d": [2, 3]}),
            json!({"a": {"b/c": 1}, "d": [3]}),
            json!({"a": {"b/c": ""}, "d": [2, 3]}),
            json!({"a": {"b/c": 1}, "d": null}),
        ] {
            assert!(mutants.contains(&wanted.to_string()), "{wanted} is missing");
        }
    }
}
