//! Which field keeps a received object from being read: a reader of JSON tells where in a text it
//! stopped, and people know fields by their names.

use std::collections::BTreeMap;
use std::fmt;

use serde::de::{DeserializeOwned, MapAccess, Visitor};
use serde::{Deserialize, Deserializer};
use serde_json::value::RawValue;

use crate::error::Reject;

/// Reads an object; of one that cannot be read, the field that is to blame is named. A list is
/// refused: it would be read field by field.
pub(crate) fn read_object<T: DeserializeOwned>(text: &str) -> Result<T, Reject> {
    if !text.trim_start().starts_with('{') {
        return Err(Reject::new("is no object"));
    }
    serde_json::from_str(text).map_err(|error| {
        let culprit = culprit(text, |name, value| {
            let alone = serde_json::to_string(&BTreeMap::from([(name, value)]));
            let alone = alone.expect("it was JSON before");
            // That others are missing now says nothing of this one.
            serde_json::from_str::<T>(&alone)
                .is_err_and(|error| !error.to_string().starts_with("missing field"))
        });
        Reject::new(blame(culprit, &error))
    })
}

/// The name of the first field, in the order received, of which `fails` says that it cannot be
/// read; `None` where there is none, or where the text is no object.
pub(crate) fn culprit(text: &str, fails: impl Fn(&str, &RawValue) -> bool) -> Option<String> {
    let Fields(fields) = serde_json::from_str(text).ok()?;
    let mut fields = fields.into_iter();
    let found = fields.find(|(name, value)| fails(name, value));
    found.map(|(name, _)| name)
}

/// What was wrong, with the name of the field where there is one.
pub(crate) fn blame(culprit: Option<String>, error: &serde_json::Error) -> String {
    match culprit {
        Some(field) => format!("`{field}` cannot be read: {error}"),
        None => format!("cannot be read: {error}"),
    }
}

/// Every field of an object, those included that stand twice.
struct Fields(Vec<(String, Box<RawValue>)>);

impl<'de> Deserialize<'de> for Fields {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        struct All;

        impl<'de> Visitor<'de> for All {
            type Value = Fields;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("an object")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Fields, A::Error> {
                let mut fields = Vec::new();
                while let Some(field) = map.next_entry()? {
                    fields.push(field);
                }
                Ok(Fields(fields))
            }
        }

        from.deserialize_map(All)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_field_that_fails_is_named_also_where_it_stands_twice() {
        let short = |text| culprit(text, |_, value| value.get().len() > 2);
        assert_eq!(
            short(r#"{"a": 1, "b": 222, "c": 333}"#).as_deref(),
            Some("b")
        );
        assert_eq!(short(r#"{"a": 111, "a": 1}"#).as_deref(), Some("a"));
        assert_eq!(short(r#"{"a": 1}"#), None);
        assert_eq!(short("[111]"), None);
        assert_eq!(short(r#"{"a": 111"#), None);
    }
}
