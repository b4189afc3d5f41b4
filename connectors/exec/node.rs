//! A JSON value whose numbers are still the digits that were written.

use std::collections::BTreeMap;

use serde_json::value::RawValue;

use crate::error::Reject;

/// One value, opened by one level: what lies below is opened when it is asked for.
#[derive(Clone, Debug)]
pub(super) enum Node<'a> {
    Null,
    Flag(bool),
    Number(&'a str),
    Text(String),
    List(Vec<&'a RawValue>),
    Table(BTreeMap<String, &'a RawValue>),
}

impl<'a> Node<'a> {
    pub(super) fn of(raw: &'a RawValue) -> Result<Self, Reject> {
        let text = raw.get();
        let wrong = |error: serde_json::Error| Reject::new(error.to_string());
        Ok(match text.as_bytes().first() {
            Some(b'{') => Self::Table(serde_json::from_str(text).map_err(wrong)?),
            Some(b'[') => Self::List(serde_json::from_str(text).map_err(wrong)?),
            Some(b'"') => Self::Text(serde_json::from_str(text).map_err(wrong)?),
            Some(b't') => Self::Flag(true),
            Some(b'f') => Self::Flag(false),
            Some(b'n') | None => Self::Null,
            Some(_) => Self::Number(text),
        })
    }

    /// What lies at a path of names with dots between them, such as `user.name` or `users.0.name`.
    /// A name that has dots itself is found as well. `None` where nothing is.
    pub(super) fn at(&self, path: &str) -> Result<Option<Self>, Reject> {
        let child = |key: &str| match self {
            Self::Table(fields) => fields.get(key).copied(),
            Self::List(items) => key
                .parse()
                .ok()
                .and_then(|at: usize| items.get(at).copied()),
            _ => None,
        };
        if let Some(raw) = child(path) {
            return Self::of(raw).map(Some);
        }
        for (at, _) in path.match_indices('.') {
            if let Some(raw) = child(&path[..at]) {
                return Self::of(raw)?.at(&path[at + 1..]);
            }
        }
        Ok(None)
    }

    /// The same for all things of a list: `tags.name` of each tag.
    pub(super) fn all(&self, path: &str) -> Result<Vec<Self>, Reject> {
        if let Some(found) = self.at(path)? {
            return match found {
                Self::List(items) => items.into_iter().map(Self::of).collect(),
                found => Ok(vec![found]),
            };
        }
        for (at, _) in path.match_indices('.') {
            if let Some(Self::List(items)) = self.at(&path[..at])? {
                let mut all = Vec::new();
                for item in items {
                    all.extend(Self::of(item)?.all(&path[at + 1..])?);
                }
                return Ok(all);
            }
        }
        Ok(Vec::new())
    }

    /// A single value as text; a number has its digits, `null` and nothing are `None`.
    pub(super) fn text(self) -> Result<Option<String>, &'static str> {
        Ok(match self {
            Self::Null => None,
            Self::Flag(flag) => Some(flag.to_string()),
            Self::Number(digits) => Some(digits.to_owned()),
            Self::Text(text) => Some(text),
            Self::List(_) => return Err("is a list; name one of its values, as in `x.0`"),
            Self::Table(_) => return Err("is a table; name one of its values, as in `x.name`"),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_lead_to_values_as_they_were_written() {
        let text = r#"{"user": {"name": "Anna", "id": 7.0}, "a.b": 1, "n": 1.10,
            "tags": [{"name": "x"}, {"name": "y"}, {}], "plain": ["p", "q"], "no": null}"#;
        let raw: &RawValue = serde_json::from_str(text).unwrap();
        let node = Node::of(raw).unwrap();
        let text = |path: &str| node.at(path).unwrap().map(Node::text);
        let some = |text: &str| Some(Ok(Some(text.to_owned())));
        assert_eq!(text("user.name"), some("Anna"));
        assert_eq!(text("user.id"), some("7.0"));
        assert_eq!(text("a.b"), some("1"));
        assert_eq!(text("n"), some("1.10"));
        assert_eq!(text("tags.1.name"), some("y"));
        assert_eq!(text("no"), Some(Ok(None)));
        assert_eq!(text("user.x"), None);
        assert_eq!(text("plain.9"), None);
        assert!(text("user").unwrap().is_err() && text("plain").unwrap().is_err());
        let all = |path: &str| -> Vec<String> {
            let nodes = node.all(path).unwrap().into_iter();
            nodes.filter_map(|node| node.text().unwrap()).collect()
        };
        assert_eq!(all("tags.name"), ["x", "y"]);
        assert_eq!(all("plain"), ["p", "q"]);
        assert_eq!(all("user.name"), ["Anna"]);
        assert!(all("nothing.name").is_empty());
    }
}
