//! The catalog: which streams the program has, and the marks that select the ones that are mapped.
//!
//! There are two ways to mark and programs know one of them: `metadata` with breadcrumbs, and
//! `selected` within the schema, which older ones call properties (Singer, "Discovery mode" and
//! "Sync mode", read 2026-11). Both are written. Only the columns that are mapped are selected:
//! what is not read need not leave the tool.

use serde_json::{Map, Value, json};

use super::shape::Mapped;
use super::words::did_you_mean;
use crate::error::{Error, Kind, Result};

/// A catalog as the program printed it.
#[derive(Debug)]
pub(super) struct Catalog(Value);

impl Catalog {
    pub(super) fn parse(text: &str) -> Result<Self> {
        let wrong = |why: String| {
            Error::new(Kind::Protocol, "what the program discovers is no catalog")
                .with("error", why)
                .hint(
                    "where the program cannot discover, set select = \"none\", or name a file in \
                     `catalog`",
                )
        };
        let value: Value = serde_json::from_str(text).map_err(|error| wrong(error.to_string()))?;
        if !value.get("streams").is_some_and(Value::is_array) {
            return Err(wrong("it has no list `streams`".to_owned()));
        }
        Ok(Self(value))
    }

    /// The streams' names.
    pub(super) fn names(&self) -> Vec<&str> {
        let streams = self.0["streams"].as_array().into_iter().flatten();
        streams.filter_map(|stream| names(stream).next()).collect()
    }

    /// Marks the streams that are read, and all others as not to be read.
    pub(super) fn select(mut self, mapped: &[&Mapped]) -> Result<String> {
        self.must_have(mapped)?;
        let streams = self.0["streams"].as_array_mut().into_iter().flatten();
        for stream in streams {
            let reads = mapped
                .iter()
                .find(|mapped| names(stream).any(|name| name == mapped.name));
            mark(stream, reads.copied());
        }
        Ok(self.0.to_string())
    }

    fn must_have(&self, mapped: &[&Mapped]) -> Result<()> {
        let streams = self.0["streams"].as_array().into_iter().flatten();
        let mut known: Vec<&str> = streams.flat_map(names).collect();
        known.sort_unstable();
        known.dedup();
        let missing: Vec<String> = mapped
            .iter()
            .filter(|mapped| !known.contains(&mapped.name.as_str()))
            .map(|mapped| {
                let near = did_you_mean(&mapped.name, known.iter().copied());
                format!(
                    "`{}` ({})",
                    mapped.name,
                    near.unwrap_or("it has none".to_owned())
                )
            })
            .collect();
        if missing.is_empty() {
            return Ok(());
        }
        Err(Error::new(
            Kind::Settings,
            format!("the program has no stream {}", missing.join(", no stream ")),
        )
        .hint("name the tables below `streams` as the program names its streams"))
    }
}

/// The names by which a stream may be called.
fn names(stream: &Value) -> impl Iterator<Item = &str> {
    ["tap_stream_id", "stream"]
        .into_iter()
        .filter_map(|key| stream.get(key)?.as_str())
}

fn mark(stream: &mut Value, reads: Option<&Mapped>) {
    let selected = reads.is_some();
    let Value::Object(stream) = stream else {
        return;
    };
    if let Some(Value::Object(schema)) = stream.get_mut("schema") {
        schema.insert("selected".to_owned(), selected.into());
        if let Some(Value::Object(columns)) = schema.get_mut("properties") {
            for (name, column) in columns {
                if let Value::Object(column) = column {
                    column.insert("selected".to_owned(), is_read(reads, name).into());
                }
            }
        }
    }
    let replication = reads.and_then(|mapped| match (&mapped.replication_key, mapped.full) {
        (Some(key), _) => Some(("INCREMENTAL", Some(key.clone()))),
        (None, true) => Some(("FULL_TABLE", None)),
        (None, false) => None,
    });
    if let Some((method, key)) = &replication {
        stream.insert("replication_method".to_owned(), (*method).into());
        if let Some(key) = key {
            stream.insert("replication_key".to_owned(), key.as_str().into());
        }
    }
    let list = stream.entry("metadata").or_insert_with(|| json!([]));
    let Value::Array(list) = list else { return };
    let mut found = false;
    for entry in list.iter_mut() {
        let column = match entry["breadcrumb"].as_array().map(Vec::as_slice) {
            Some([]) => None,
            Some([_, column, ..]) => column.as_str().map(str::to_owned),
            _ => continue,
        };
        let Some(Value::Object(marks)) = entry.get_mut("metadata") else {
            continue;
        };
        if let Some(column) = column {
            let read =
                is_read(reads, &column) || marks.get("inclusion") == Some(&"automatic".into());
            marks.insert("selected".to_owned(), read.into());
        } else {
            found = true;
            mark_stream(marks, selected, replication.as_ref());
        }
    }
    if !found {
        let mut marks = Map::new();
        mark_stream(&mut marks, selected, replication.as_ref());
        list.push(json!({"breadcrumb": [], "metadata": marks}));
    }
}

fn mark_stream(
    marks: &mut Map<String, Value>,
    selected: bool,
    replication: Option<&(&'static str, Option<String>)>,
) {
    marks.insert("selected".to_owned(), selected.into());
    if let Some((method, key)) = replication {
        marks.insert("replication-method".to_owned(), (*method).into());
        if let Some(key) = key {
            marks.insert("replication-key".to_owned(), key.as_str().into());
        }
    }
}

/// Whether the mapping reads this column or something within it.
fn is_read(reads: Option<&Mapped>, column: &str) -> bool {
    reads.is_some_and(|mapped| {
        column == "_sdc_deleted_at"
            || mapped.columns().any(|path| {
                path.strip_prefix(column)
                    .is_some_and(|rest| rest.is_empty() || rest.starts_with('.'))
            })
    })
}
