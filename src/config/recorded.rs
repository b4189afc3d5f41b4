//! The configuration as the ledger records it: one canonical JSON value a part, and the way back.
//!
//! A part is what changes together and what a person asks about: a client, a connection, and
//! `general` for the rest. Its settings are the merged layers before any default is filled in,
//! with sorted keys, so that the same configuration is the same text whatever file it stands in.
//! There is no secret in it because there is none in a configuration that could be read: a
//! credential stands there by its name.

use std::collections::BTreeMap;
use std::path::Path;

use config::{Map, Value, ValueKind};
use serde_json::Value as Json;
use stundenbuch_connectors as connectors;

use super::key_path::KeyPath;
use super::layers::{Layers, RECORD};
use super::model::{Config, Templates};
use super::reader::Book;
use super::{ConfigErrors, read};

/// Everything that is neither a client nor a connection.
const GENERAL: &str = "general";
const CLIENT: &str = "client/";
const CONNECTION: &str = "connection/";
/// The user's own layout, whose text documents depend on.
pub const TEMPLATE_PART: &str = "template";
/// The one setting of that part.
const TEMPLATE_FILE: &str = "report.typ";

/// A part of the configuration as it is recorded.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Part {
    /// `general`, `client/ahorn`, `connection/toggl`, `template`.
    pub name: String,
    /// As it stands in the files, without defaults; secrets by name only.
    pub settings: Json,
    /// Where rules stand that documents name, by the path of their key: `stundenbuch.toml:41`.
    pub places: BTreeMap<String, String>,
}

impl Part {
    /// The layout as a part of the configuration.
    pub fn template(text: &str) -> Self {
        Self {
            name: TEMPLATE_PART.to_owned(),
            settings: serde_json::json!({ TEMPLATE_FILE: text }),
            places: BTreeMap::new(),
        }
    }
}

impl Config {
    /// The configuration that was recorded in these parts, read by the rules of this program.
    /// `file` is the main file of now: relative paths begin at its directory. Nothing is opened,
    /// so what the configuration names need not exist any more.
    ///
    /// # Errors
    /// What this version of the program does not accept any more, such as a connector that it
    /// does not know.
    pub fn from_parts(file: &Path, parts: Vec<Part>) -> Result<Self, ConfigErrors> {
        let mut root = Map::new();
        let mut places = BTreeMap::new();
        let mut template = None;
        for part in &parts {
            places.extend(part.places.clone());
            if let Some(key) = part.name.strip_prefix(CLIENT) {
                insert(&mut root, "clients", key, &part.settings);
            } else if let Some(key) = part.name.strip_prefix(CONNECTION) {
                insert(&mut root, "connections", key, &part.settings);
            } else if part.name == TEMPLATE_PART {
                let text = part.settings[TEMPLATE_FILE].as_str();
                template = text.map(|text| Templates::Recorded(text.to_owned()));
            } else if let Json::Object(sections) = &part.settings {
                root.extend(
                    sections
                        .iter()
                        .map(|(key, json)| (key.clone(), value(json))),
                );
            }
        }
        let layers = Layers::recorded(file, root, places);
        let book = Book::new(&layers);
        let config = read(book.root(), &layers.main, connectors::ALL);
        let mut config = book.close(config)?;
        config.templates = config.templates.map(|now| template.unwrap_or(now));
        config.parts = parts;
        Ok(config)
    }
}

/// The parts of a configuration in which nothing was wrong, by name.
pub(super) fn parts(layers: &Layers, cited: &BTreeMap<String, String>) -> Vec<Part> {
    let mut general = serde_json::Map::new();
    let mut parts = Vec::new();
    let mut sections: Vec<(&String, &Value)> = layers.root.iter().collect();
    sections.sort_unstable_by_key(|(name, _)| *name);
    for (name, section) in sections {
        let path = KeyPath::default().child(name);
        let prefix = match name.as_str() {
            "clients" => CLIENT,
            "connections" => CONNECTION,
            _ => {
                general.insert(name.clone(), json(layers, &path, section));
                continue;
            }
        };
        let Json::Object(members) = json(layers, &path, section) else {
            continue;
        };
        for (key, settings) in members {
            let within = format!("{}.", path.child(&key));
            let cited = cited.iter().filter(|(at, _)| at.starts_with(&within));
            parts.push(Part {
                name: format!("{prefix}{key}"),
                settings,
                places: cited.map(|(at, line)| (at.clone(), line.clone())).collect(),
            });
        }
    }
    parts.push(Part {
        name: GENERAL.to_owned(),
        settings: Json::Object(general),
        places: BTreeMap::new(),
    });
    parts.sort_unstable_by(|a, b| a.name.cmp(&b.name));
    parts
}

/// A value with sorted keys. A number with a fraction keeps the digits of its file, as a text:
/// 59.10 must not take the way over a float.
fn json(layers: &Layers, path: &KeyPath, value: &Value) -> Json {
    match &value.kind {
        ValueKind::Nil => Json::Null,
        ValueKind::Boolean(flag) => Json::Bool(*flag),
        ValueKind::I64(number) => Json::from(*number),
        ValueKind::String(text) => Json::from(text.as_str()),
        ValueKind::I128(_) | ValueKind::U64(_) | ValueKind::U128(_) | ValueKind::Float(_) => {
            let digits = layers.number_text(path, value.origin());
            Json::from(digits.unwrap_or_else(|| value.to_string()))
        }
        ValueKind::Table(table) => {
            let mut keys: Vec<&String> = table.keys().collect();
            keys.sort_unstable();
            let members = keys
                .into_iter()
                .map(|key| (key.clone(), json(layers, &path.child(key), &table[key])));
            Json::Object(members.collect())
        }
        ValueKind::Array(list) => {
            let elements = list.iter().enumerate();
            elements
                .map(|(index, element)| json(layers, &path.index(index), element))
                .collect()
        }
    }
}

/// The way back.
fn value(json: &Json) -> Value {
    let kind = match json {
        Json::Null => ValueKind::Nil,
        Json::Bool(flag) => ValueKind::Boolean(*flag),
        Json::Number(number) => match number.as_i64() {
            Some(number) => ValueKind::I64(number),
            None => ValueKind::String(number.to_string()),
        },
        Json::String(text) => ValueKind::String(text.clone()),
        Json::Array(list) => ValueKind::Array(list.iter().map(value).collect()),
        Json::Object(table) => {
            let members = table.iter().map(|(key, json)| (key.clone(), value(json)));
            ValueKind::Table(members.collect())
        }
    };
    Value::new(Some(&RECORD.to_owned()), kind)
}

/// Puts one member into a section that may not be there yet.
fn insert(root: &mut Map<String, Value>, section: &str, key: &str, settings: &Json) {
    let section = root
        .entry(section.to_owned())
        .or_insert_with(|| Value::new(Some(&RECORD.to_owned()), ValueKind::Table(Map::new())));
    if let ValueKind::Table(table) = &mut section.kind {
        table.insert(key.to_owned(), value(settings));
    }
}
