//! One TOML file: its values for the `config` crate, and where each of them stands.

use std::collections::BTreeMap;
use std::ops::Range;

use config::{Map, Value, ValueKind};
use toml_edit::{Document, Item, TableLike};

use super::key_path::{KeyPath, is_bare};

/// A file that was read.
#[derive(Clone, Debug)]
pub(super) struct TomlFile {
    /// As it was given; also the origin of its values.
    pub(super) name: String,
    pub(super) values: Map<String, Value>,
    spots: BTreeMap<KeyPath, Spot>,
    /// Lists of tables, which a later file would replace and not extend.
    pub(super) table_lists: Vec<KeyPath>,
    /// Keys at the top that are no bare words. The `config` crate would read `a.b` and `a[9]`
    /// there as paths, so they are not handed on.
    pub(super) odd_keys: Vec<String>,
}

/// Line and column, both from 1, the column in characters.
pub(super) type Position = (usize, usize);

/// Where a key and its value stand.
#[derive(Clone, Debug)]
struct Spot {
    key: Position,
    value: Position,
    /// A number as it was written: 59.10 must not take the way over a float.
    number: Option<String>,
}

impl TomlFile {
    /// Reads the text of a file; a syntax error keeps its byte range.
    pub(super) fn parse(name: &str, text: &str) -> Result<Self, toml_edit::TomlError> {
        let document = Document::parse(text)?;
        let mut scan = Scan {
            name: name.to_owned(),
            text,
            lines: LineStarts::new(text),
            spots: BTreeMap::new(),
            table_lists: Vec::new(),
        };
        let mut values = scan.table(&KeyPath::default(), document.as_table());
        let mut odd_keys: Vec<String> =
            values.keys().filter(|key| !is_bare(key)).cloned().collect();
        odd_keys.sort_unstable();
        for key in &odd_keys {
            values.remove(key);
        }
        Ok(Self {
            name: scan.name,
            values,
            spots: scan.spots,
            table_lists: scan.table_lists,
            odd_keys,
        })
    }

    pub(super) fn key_position(&self, path: &KeyPath) -> Option<Position> {
        self.spots.get(path).map(|spot| spot.key)
    }

    pub(super) fn value_position(&self, path: &KeyPath) -> Option<Position> {
        self.spots.get(path).map(|spot| spot.value)
    }

    /// A number as it stands in the file, without the underscores between its digits.
    pub(super) fn number_text(&self, path: &KeyPath) -> Option<String> {
        let spot = self.spots.get(path)?;
        Some(spot.number.as_ref()?.replace('_', ""))
    }
}

impl config::Source for TomlFile {
    fn clone_into_box(&self) -> Box<dyn config::Source + Send + Sync> {
        Box::new(self.clone())
    }

    fn collect(&self) -> Result<Map<String, Value>, config::ConfigError> {
        Ok(self.values.clone())
    }
}

/// Walks a document once.
struct Scan<'a> {
    name: String,
    text: &'a str,
    lines: LineStarts,
    spots: BTreeMap<KeyPath, Spot>,
    table_lists: Vec<KeyPath>,
}

impl Scan<'_> {
    fn table(&mut self, path: &KeyPath, table: &dyn TableLike) -> Map<String, Value> {
        let mut values = Map::new();
        for (name, item) in table.iter() {
            let path = path.child(name);
            let key = table.key(name).and_then(toml_edit::Key::span);
            self.spot(&path, key, item.span(), item.is_float());
            if let Some(value) = self.item(&path, item) {
                values.insert(name.to_owned(), value);
            }
        }
        values
    }

    fn item(&mut self, path: &KeyPath, item: &Item) -> Option<Value> {
        match item {
            Item::None => None,
            Item::Value(value) => Some(self.value(path, value)),
            Item::Table(table) => {
                let values = self.table(path, table);
                Some(self.origin(values))
            }
            Item::ArrayOfTables(tables) => {
                self.table_lists.push(path.clone());
                let mut list = Vec::new();
                for (index, table) in tables.iter().enumerate() {
                    let path = path.index(index);
                    self.spot(&path, table.span(), table.span(), false);
                    let values = self.table(&path, table);
                    list.push(self.origin(values));
                }
                Some(self.origin(list))
            }
        }
    }

    fn value(&mut self, path: &KeyPath, value: &toml_edit::Value) -> Value {
        use toml_edit::Value as Toml;
        match value {
            Toml::String(text) => self.origin(text.value().clone()),
            Toml::Integer(number) => self.origin(*number.value()),
            Toml::Float(number) => self.origin(*number.value()),
            Toml::Boolean(flag) => self.origin(*flag.value()),
            // A day or a time of day without quotation marks is as good as one with them.
            Toml::Datetime(time) => self.origin(time.value().to_string()),
            Toml::InlineTable(table) => {
                let values = self.table(path, table);
                self.origin(values)
            }
            Toml::Array(array) => {
                let mut list = Vec::new();
                for (index, element) in array.iter().enumerate() {
                    let path = path.index(index);
                    self.spot(&path, element.span(), element.span(), element.is_float());
                    if element.is_inline_table() && index == 0 {
                        self.table_lists.extend(path.parent());
                    }
                    list.push(self.value(&path, element));
                }
                self.origin(list)
            }
        }
    }

    fn origin(&self, kind: impl Into<ValueKind>) -> Value {
        Value::new(Some(&self.name), kind)
    }

    /// Remembers a place. A table that is only implied by the header of another has no value
    /// of its own, so it stands where its name stands.
    fn spot(
        &mut self,
        path: &KeyPath,
        key: Option<Range<usize>>,
        value: Option<Range<usize>>,
        number: bool,
    ) {
        let Some(first) = key.as_ref().or(value.as_ref()).map(|span| span.start) else {
            return;
        };
        let start = value.as_ref().map_or(first, |span| span.start);
        let number = match value {
            Some(span) if number => self.text.get(span).map(str::to_owned),
            _ => None,
        };
        let spot = Spot {
            key: self.lines.position(self.text, first),
            value: self.lines.position(self.text, start),
            number,
        };
        self.spots.insert(path.clone(), spot);
    }
}

/// Finds the line of a byte.
pub(super) struct LineStarts(Vec<usize>);

impl LineStarts {
    pub(super) fn new(text: &str) -> Self {
        let breaks = text.bytes().enumerate().filter(|(_, byte)| *byte == b'\n');
        Self(
            std::iter::once(0)
                .chain(breaks.map(|(at, _)| at + 1))
                .collect(),
        )
    }

    pub(super) fn position(&self, text: &str, byte: usize) -> Position {
        let byte = byte.min(text.len());
        let line = self.0.partition_point(|start| *start <= byte);
        let start = self.0[line - 1];
        // A range of the parser lies on borders of characters; should it ever not, the column
        // is counted in bytes instead of stopping the program.
        let column = text
            .get(start..byte)
            .map_or(byte - start, |before| before.chars().count());
        (line, column + 1)
    }
}
