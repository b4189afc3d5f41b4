//! Cursors without names. A cursor belongs to its connector and holds what that needs; some hold
//! the names of projects and boards. It is JSON, and a name in it is a text of its own.

use std::collections::BTreeSet;

use serde_json::Value;

use crate::ledger::{hex, sha256};
use crate::matching::normal;

/// A cursor in which every text with one of these hashes is empty.
pub fn without_names(cursor: &str, hashes: &[String]) -> String {
    if hashes.is_empty() {
        return cursor.to_owned();
    }
    let hashes: BTreeSet<&str> = hashes.iter().map(String::as_str).collect();
    let Ok(mut value) = serde_json::from_str(cursor) else {
        return cursor.to_owned();
    };
    if empty(&mut value, &hashes) {
        value.to_string()
    } else {
        // The very bytes, where nothing was to be done.
        cursor.to_owned()
    }
}

/// How a name is remembered as one that does not come back: as names are compared, hashed.
pub(super) fn name_hash(name: &str) -> String {
    hex(&sha256(normal(name).as_bytes()))
}

fn empty(value: &mut Value, hashes: &BTreeSet<&str>) -> bool {
    match value {
        Value::String(text) => {
            let named = !text.is_empty() && hashes.contains(name_hash(text).as_str());
            if named {
                text.clear();
            }
            named
        }
        Value::Array(list) => list
            .iter_mut()
            .fold(false, |any, item| empty(item, hashes) | any),
        Value::Object(fields) => fields
            .values_mut()
            .fold(false, |any, item| empty(item, hashes) | any),
        Value::Null | Value::Bool(_) | Value::Number(_) => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_goes_wherever_it_stands_and_everything_else_stays() {
        let cursor = r#"{"a":[{"name":"Bäckerei Ahorn","n":18446744073709551615}],"b":"Ahorn 2"}"#;
        let hashes = [name_hash("BÄCKEREI  ahorn")];
        let without = without_names(cursor, &hashes);
        assert_eq!(
            without,
            r#"{"a":[{"name":"","n":18446744073709551615}],"b":"Ahorn 2"}"#
        );
        assert_eq!(without_names("{ \"b\": 1.50 }", &hashes), "{ \"b\": 1.50 }");
        assert_eq!(without_names("no JSON", &hashes), "no JSON");
    }
}
