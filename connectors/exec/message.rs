//! One line of the Singer protocol (Singer, "Specification v0.3.0", read 2026-11).
//!
//! `BATCH` is an addition of Meltano's SDK and names files instead of records; it is known here
//! to be refused by its name (Meltano, "Batch messages", read 2026-11).

use serde::Deserialize;
use serde_json::value::RawValue;

use crate::error::{Error, Kind, Result};

/// What a program says in one line.
#[derive(Debug)]
pub(super) enum Message<'a> {
    /// What the records of a stream look like, and which columns name one.
    Schema {
        stream: String,
        schema: Option<&'a RawValue>,
        key: Vec<String>,
    },
    Record {
        stream: String,
        record: &'a RawValue,
        version: Option<i64>,
    },
    /// Where to go on, once everything before it is kept.
    State(&'a RawValue),
    /// Only the records of this version are still there.
    Activate { stream: String, version: i64 },
}

#[derive(Deserialize)]
struct Line<'a> {
    r#type: String,
    stream: Option<String>,
    #[serde(borrow)]
    record: Option<&'a RawValue>,
    #[serde(borrow)]
    schema: Option<&'a RawValue>,
    key_properties: Option<Vec<String>>,
    #[serde(borrow)]
    value: Option<&'a RawValue>,
    version: Option<i64>,
}

/// Reads a line; `None` for a blank one.
pub(super) fn parse(line: &str) -> Result<Option<Message<'_>>> {
    let line = line.trim();
    if line.is_empty() {
        return Ok(None);
    }
    // A struct can be read from a list, too, and would take its first element for the type.
    if !line.starts_with('{') {
        return Err(no_message(line, "it is no JSON object"));
    }
    let read: Line<'_> =
        serde_json::from_str(line).map_err(|error| no_message(line, &error.to_string()))?;
    let missing = |what: &str| no_message(line, &format!("`{what}` is missing"));
    let stream = || read.stream.clone().ok_or_else(|| missing("stream"));
    let message = match read.r#type.as_str() {
        "SCHEMA" => Message::Schema {
            stream: stream()?,
            schema: read.schema,
            key: read.key_properties.unwrap_or_default(),
        },
        "RECORD" => Message::Record {
            stream: stream()?,
            record: read.record.ok_or_else(|| missing("record"))?,
            version: read.version,
        },
        "STATE" => Message::State(read.value.unwrap_or(RawValue::NULL)),
        "ACTIVATE_VERSION" => Message::Activate {
            stream: stream()?,
            version: read.version.ok_or_else(|| missing("version"))?,
        },
        "BATCH" => {
            return Err(Error::new(
                Kind::Unsupported,
                "the program hands its records over in files (BATCH), which are not read",
            )
            .hint("leave `batch_config` out of the `config` table, so that it prints them"));
        }
        other => return Err(no_message(line, &format!("its type is `{other}`"))),
    };
    Ok(Some(message))
}

/// A line that is not of the protocol, told by its beginning.
fn no_message(line: &str, why: &str) -> Error {
    Error::new(
        Kind::Protocol,
        "the program printed a line that is no message of the Singer protocol",
    )
    .with("line", crate::import::shortened(line))
    .with("error", why)
    .hint("run the program by hand; whatever is not a message belongs on its standard error")
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn the_messages_of_the_specification_are_read() {
        let read = |line| parse(line).unwrap().unwrap();
        assert!(matches!(
            read(r#"{"type":"SCHEMA","stream":"s","schema":{},"key_properties":["id"],"x":1}"#),
            Message::Schema { stream, key, .. } if stream == "s" && key == ["id"]
        ));
        assert!(matches!(
            read(r#" {"type":"RECORD","stream":"s","record":{"n":1.10},
                "time_extracted":"2026-03-01T00:00:00Z"} "#),
            Message::Record { record, version: None, .. } if record.get() == r#"{"n":1.10}"#
        ));
        for (line, state) in [
            (r#"{"type":"STATE","value":{"a": 1}}"#, r#"{"a": 1}"#),
            (r#"{"type":"STATE","value":null}"#, "null"),
            (r#"{"type":"STATE"}"#, "null"),
        ] {
            assert!(matches!(read(line), Message::State(value) if value.get() == state));
        }
        assert!(matches!(
            read(r#"{"type":"ACTIVATE_VERSION","stream":"s","version":7}"#),
            Message::Activate { version: 7, .. }
        ));
        assert!(parse("  ").unwrap().is_none());
    }

    #[test]
    fn what_is_no_message_is_told_by_its_beginning() {
        for line in [
            "Starting sync",
            "[\"RECORD\",\"s\"]",
            "{}",
            "{\"type\":\"RECORD\",\"stream\":\"s\"}",
            "{\"type\":\"RECORD\",\"stream\":\"s\",\"record\":{}",
            "{\"type\":\"ACTIVATE_VERSION\",\"stream\":\"s\"}",
            "{\"type\":\"HELLO\"}",
        ] {
            let error = parse(line).unwrap_err();
            assert_eq!(error.kind(), Kind::Protocol, "{line}");
            assert!(error.to_string().contains("no message"), "{error}");
        }
        let batch = r#"{"type":"BATCH","stream":"s","manifest":["file:///x"]}"#;
        assert_eq!(parse(batch).unwrap_err().kind(), Kind::Unsupported);
    }

    proptest! {
        #[test]
        fn no_line_panics(line in ".*") {
            let _ = parse(&line);
            let _ = parse(&format!("{{{line}}}"));
        }

        #[test]
        fn a_message_cut_anywhere_is_refused(cut in 1_usize..65) {
            let line = r#"{"type":"RECORD","stream":"s","record":{"id":1},"version":1234567890}"#;
            prop_assert!(parse(&line[..cut]).is_err());
        }
    }
}
