//! The shapes in which ActiveCollab answers: a list, a list under a name, or an object whose keys
//! are identifiers; a single thing under `single`.
//!
//! It is a PHP program, so a list that lost an element may come as an object, and an empty list
//! as `null`. None of that may pass for an empty answer: what has none of the known shapes is an
//! error.

use std::collections::{BTreeMap, BTreeSet};

use serde::Deserialize;
use serde_json::value::RawValue;

use crate::error::{Error, Kind, Result};
use crate::http::Reply;

/// The fields of an answer that is an object, each as received.
type Fields = BTreeMap<String, Box<RawValue>>;

/// An answer to a request for a list.
#[derive(Debug, Default)]
pub(super) struct Listed {
    pub(super) rows: Vec<Box<RawValue>>,
    /// What came beside the list.
    pub(super) beside: Fields,
}

impl Listed {
    /// The identifiers in a list beside the rows; `None` where it does not come, or cannot be
    /// read.
    pub(super) fn ids(&self, field: &str) -> Option<BTreeSet<i64>> {
        let text = self.beside.get(field)?.get();
        if text == "null" {
            return Some(BTreeSet::new());
        }
        if let Ok(ids) = serde_json::from_str(text) {
            return Some(ids);
        }
        let keyed: BTreeMap<String, i64> = serde_json::from_str(text).ok()?;
        Some(keyed.into_values().collect())
    }
}

/// Takes a list out of an answer; `name` is what it is called where it has a name.
pub(super) fn list(reply: &Reply, name: &str) -> Result<Listed> {
    let unlike = |what: &str| unlike(reply, &format!("{what} instead of `{name}`"));
    match first_byte(reply) {
        Some(b'[') => Ok(Listed {
            rows: read(reply)?,
            beside: Fields::new(),
        }),
        Some(b'{') => {
            let mut fields: Fields = read(reply)?;
            let rows = match fields.remove(name) {
                Some(list) => elements(&list).ok_or_else(|| unlike("something that is no list"))?,
                None if are_ids(&fields) => std::mem::take(&mut fields).into_values().collect(),
                None => return Err(unlike("an object")),
            };
            Ok(Listed {
                rows,
                beside: fields,
            })
        }
        _ => Err(unlike("neither a list nor an object")),
    }
}

/// Takes the one thing out of an answer: wrapped in `single`, or bare.
pub(super) fn single(reply: &Reply) -> Result<Box<RawValue>> {
    if first_byte(reply) != Some(b'{') {
        return Err(unlike(reply, "no object"));
    }
    let mut fields: Fields = read(reply)?;
    match fields.remove("single") {
        Some(single) if single.get().starts_with('{') => Ok(single),
        Some(_) => Err(unlike(reply, "no object in `single`")),
        None => read(reply),
    }
}

/// The identifier of a row, if it has one that can be read.
pub(super) fn identifier(row: &RawValue) -> Option<i64> {
    #[derive(Deserialize)]
    struct OnlyId {
        id: i64,
    }
    // A list would be read as well, its first number as the identifier.
    let object = Some(row.get()).filter(|text| text.starts_with('{'));
    let found: Option<OnlyId> = serde_json::from_str(object?).ok();
    found.map(|found| found.id).filter(|id| *id > 0)
}

/// The elements of a list in any of its shapes; `None` where it is none.
pub(super) fn elements(list: &RawValue) -> Option<Vec<Box<RawValue>>> {
    let text = list.get();
    match text.bytes().next()? {
        b'n' => Some(Vec::new()),
        b'[' => serde_json::from_str(text).ok(),
        b'{' => {
            let fields: Fields = serde_json::from_str(text).ok()?;
            are_ids(&fields).then(|| fields.into_values().collect())
        }
        _ => None,
    }
}

/// Whether the keys of an object stand for the places of a list. None at all do not: PHP writes
/// an empty list as `[]`.
fn are_ids(fields: &Fields) -> bool {
    let number = |key: &String| key.bytes().all(|byte| byte.is_ascii_digit());
    !fields.is_empty() && fields.keys().all(number)
}

fn first_byte(reply: &Reply) -> Option<u8> {
    let mut bytes = reply.body.iter().copied();
    bytes.find(|byte| !byte.is_ascii_whitespace())
}

fn read<T: serde::de::DeserializeOwned>(reply: &Reply) -> Result<T> {
    // Without the body: an answer of a server that is set up badly may repeat the credential.
    serde_json::from_slice(&reply.body)
        .map_err(|error| unlike(reply, &format!("something that cannot be read: {error}")))
}

fn unlike(reply: &Reply, what: &str) -> Error {
    Error::new(
        Kind::Protocol,
        "ActiveCollab's answer is unlike what was asked for",
    )
    .with("what", what)
    .with("bytes", reply.body.len())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn reply(body: &str) -> Reply {
        Reply {
            status: 200,
            headers: Vec::new(),
            body: body.as_bytes().to_vec(),
        }
    }

    fn ids(body: &str) -> Result<Vec<Option<i64>>> {
        let listed = list(&reply(body), "time_records")?;
        Ok(listed.rows.iter().map(|row| identifier(row)).collect())
    }

    #[test]
    fn a_list_comes_in_five_shapes() {
        for body in [
            r#"[{"id":7},{"id":8}]"#,
            r#"{"7":{"id":7},"8":{"id":8}}"#,
            r#" {"time_records":[{"id":7},{"id":8}],"related":{}}"#,
            r#"{"time_records":{"7":{"id":7},"8":{"id":8}}}"#,
        ] {
            assert_eq!(ids(body).unwrap(), [Some(7), Some(8)], "{body}");
        }
        for body in ["[]", r#"{"time_records":null,"related":[]}"#] {
            assert!(ids(body).unwrap().is_empty(), "{body}");
        }
    }

    #[test]
    fn no_other_shape_is_an_empty_list() {
        for body in [
            "",
            "{}",
            "null",
            "7",
            r#"{"time_records":{}}"#,
            r#"{"time_records":{"x":1}}"#,
            r#"{"time_records":"x"}"#,
            r#"{"type":"Error","message":"no"}"#,
            "[1",
        ] {
            assert_eq!(ids(body).unwrap_err().kind(), Kind::Protocol, "{body}");
        }
    }

    #[test]
    fn rows_are_told_by_their_ids() {
        let body = r#"[{"id":7},[8],{"id":"9"},{"id":-1},{"name":"x"},7]"#;
        let nameless = [Some(7), None, None, None, None, None];
        assert_eq!(ids(body).unwrap(), nameless);
    }

    #[test]
    fn one_thing_is_wrapped_or_bare() {
        let of = |body: &str| single(&reply(body)).map(|it| identifier(&it));
        assert_eq!(of(r#"{"single":{"id":7},"comments":[]}"#).unwrap(), Some(7));
        assert_eq!(of(r#"{"id":7}"#).unwrap(), Some(7));
        assert!(of(r#"{"single":null}"#).is_err());
        assert!(of(r#"[{"id":7}]"#).is_err());
    }

    #[test]
    fn ids_beside_a_list_are_read_where_they_come() {
        let beside = |ids: &str| {
            let body = format!(r#"{{"tasks":[],"completed_task_ids":{ids}}}"#);
            list(&reply(&body), "tasks")
                .unwrap()
                .ids("completed_task_ids")
        };
        assert_eq!(beside("[3,1]"), Some([1, 3].into()));
        assert_eq!(beside(r#"{"0":3}"#), Some([3].into()));
        assert_eq!(beside("null"), Some([].into()));
        assert_eq!(beside("\"x\""), None);
        assert_eq!(list(&reply("[]"), "tasks").unwrap().ids("x"), None);
    }
}
