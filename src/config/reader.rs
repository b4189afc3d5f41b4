//! A cursor over the merged configuration that knows its path and never stops at a mistake.
//!
//! A [`Table`] is asked for its keys one by one and told when that was all; what was not asked
//! for is unknown. Whatever is wrong is noted in the [`Book`] and read as absent, so that the
//! rest is still checked and every mistake is told at once.

use std::cell::RefCell;
use std::collections::BTreeMap;
#[cfg(test)]
use std::collections::BTreeSet;

use config::{Map, Value, ValueKind};

use super::key_path::KeyPath;
use super::layers::Layers;
use super::mistake::{ConfigErrors, Mistake, Place};
use super::suggest;
use super::syntax::KEYS;

/// The mistakes found so far.
#[derive(Debug)]
pub(super) struct Book<'a> {
    layers: &'a Layers,
    mistakes: RefCell<Vec<Mistake>>,
    /// The places that documents name, by the paths of their keys.
    cited: RefCell<BTreeMap<String, String>>,
    /// Every key that was asked for, to compare with the documented ones.
    #[cfg(test)]
    pub(super) asked: RefCell<BTreeSet<String>>,
}

impl<'a> Book<'a> {
    pub(super) fn new(layers: &'a Layers) -> Self {
        Self {
            layers,
            mistakes: RefCell::new(layers.mistakes.clone()),
            cited: RefCell::default(),
            #[cfg(test)]
            asked: RefCell::default(),
        }
    }

    pub(super) fn root(&'a self) -> Table<'a> {
        Table {
            book: self,
            path: KeyPath::default(),
            origin: None,
            values: &self.layers.root,
            asked: RefCell::default(),
        }
    }

    pub(super) fn note(&self, mistake: Mistake) {
        self.mistakes.borrow_mut().push(mistake);
    }

    /// Notes a mistake at a place that was found before.
    pub(super) fn note_at(&self, spot: &Spot, what: impl Into<String>, fix: Option<String>) {
        self.note(Mistake {
            place: spot.place.clone(),
            key: spot.key.clone(),
            what: what.into(),
            fix,
        });
    }

    /// The line of a rule for documents, which are to say the same when the configuration is read
    /// from the ledger's record: so the record keeps what was asked for here.
    pub(super) fn cite(&self, spot: &Spot) -> String {
        let line = spot.line_of_file();
        let mut cited = self.cited.borrow_mut();
        cited.insert(spot.key.clone(), line.clone());
        line
    }

    /// What was cited.
    pub(super) fn take_cited(&self) -> BTreeMap<String, String> {
        self.cited.take()
    }

    /// The value, if nothing at all was wrong.
    pub(super) fn close<T>(self, value: T) -> Result<T, ConfigErrors> {
        let mut mistakes = self.mistakes.into_inner();
        if mistakes.is_empty() {
            return Ok(value);
        }
        mistakes.sort();
        mistakes.dedup();
        Err(ConfigErrors::Mistakes(mistakes))
    }
}

/// The place of a key, kept for checks that compare several.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Spot {
    pub(super) place: Place,
    pub(super) key: String,
}

impl Spot {
    /// `stundenbuch.toml:41`.
    pub(super) fn line(&self) -> String {
        self.place.without_column()
    }

    /// The same without its directory: a rule's origin goes into documents, which should not tell
    /// where the file lies, nor change with the directory that the program was called in.
    fn line_of_file(&self) -> String {
        let line = self.line();
        line.rsplit('/').next().unwrap_or(&line).to_owned()
    }
}

/// A table that is being read.
#[derive(Debug)]
pub(super) struct Table<'a> {
    pub(super) book: &'a Book<'a>,
    path: KeyPath,
    origin: Option<&'a str>,
    values: &'a Map<String, Value>,
    asked: RefCell<Vec<String>>,
}

impl<'a> Table<'a> {
    /// The value of a key, where it is given.
    pub(super) fn get(&self, key: &str) -> Option<Field<'a>> {
        self.asked.borrow_mut().push(key.to_owned());
        self.values.get(key).map(|value| Field {
            book: self.book,
            path: self.path.child(key),
            value,
        })
    }

    /// The value of a key that must be given; `example` is what to write.
    pub(super) fn need(&self, key: &str, example: &str) -> Option<Field<'a>> {
        let field = self.get(key);
        if field.is_none() && !self.note_misspelt(key) {
            // Under the table's own place, for the key itself stands nowhere.
            self.book.note(Mistake {
                place: self.spot().place,
                key: self.path.child(key).to_string(),
                what: "missing key".to_owned(),
                fix: Some(format!("write {example}")),
            });
        }
        field
    }

    /// Notes a key that is probably the wanted one in another spelling, so that it is not told
    /// a second time as missing.
    fn note_misspelt(&self, wanted: &str) -> bool {
        let unknown = self
            .values
            .keys()
            .map(String::as_str)
            .filter(|key| !KEYS.contains(key));
        let near = unknown.filter(|key| suggest::nearest(key, [wanted]).is_some());
        let Some(key) = near.min() else {
            return false;
        };
        self.note_unknown(key, [wanted]);
        self.asked.borrow_mut().push(key.to_owned());
        true
    }

    fn note_unknown<'k>(&self, key: &str, known: impl IntoIterator<Item = &'k str> + Clone) {
        let (what, fix) = match suggest::nearest(key, known.clone()) {
            Some(near) => (format!("unknown key; did you mean `{near}`?"), None),
            None => ("unknown key".to_owned(), suggest::help(key, known)),
        };
        let path = self.path.child(key);
        let origin = self.values.get(key).and_then(Value::origin);
        self.book.note(Mistake {
            place: self.book.layers.key_place(&path, origin),
            key: path.to_string(),
            what,
            fix,
        });
    }

    /// A table within this one.
    pub(super) fn table(&self, key: &str) -> Option<Table<'a>> {
        self.get(key)?.table()
    }

    /// Everything in a table whose keys are names, in the order of the names. Refuses names
    /// that could not stand in `connection:path`, in a file name or in a variable.
    pub(super) fn named(&self, key: &str) -> Vec<(String, Field<'a>)> {
        let Some(table) = self.table(key) else {
            return Vec::new();
        };
        let mut names: Vec<&String> = table.values.keys().collect();
        names.sort_unstable();
        let fields = names.into_iter().filter_map(|name| {
            let field = table.get(name)?;
            if !is_name(name) {
                field.wrong_key(
                    "a name here has lower-case letters, digits, `-` and `_` only",
                    Some(format!("write {}, say", plain_name(name))),
                );
            }
            Some((name.clone(), field))
        });
        fields.collect()
    }

    /// The names in a table, good or not; not a reading of it.
    pub(super) fn keys_of(&self, key: &str) -> Vec<String> {
        match self.values.get(key).map(|value| &value.kind) {
            Some(ValueKind::Table(table)) => table.keys().cloned().collect(),
            _ => Vec::new(),
        }
    }

    /// The tables of a list.
    pub(super) fn tables(&self, key: &str) -> Vec<Table<'a>> {
        let fields = self
            .get(key)
            .and_then(|field| field.list("a list of tables"));
        let fields = fields.unwrap_or_default().into_iter();
        fields.filter_map(|field| field.table()).collect()
    }

    pub(super) fn spot(&self) -> Spot {
        Spot {
            place: self.book.layers.key_place(&self.path, self.origin),
            key: self.path.to_string(),
        }
    }

    /// Says that this was all; every other key is unknown.
    pub(super) fn close(self) {
        let asked = self.asked.borrow();
        #[cfg(test)]
        for key in asked.iter() {
            let path = self.path.child(key).to_string();
            self.book.asked.borrow_mut().insert(path);
        }
        for key in self.values.keys().filter(|key| !asked.contains(key)) {
            self.note_unknown(key, asked.iter().map(String::as_str));
        }
    }
}

/// A value that is being read. Every reading of a wrong kind notes a mistake and gives nothing.
#[derive(Debug)]
pub(super) struct Field<'a> {
    pub(super) book: &'a Book<'a>,
    path: KeyPath,
    value: &'a Value,
}

impl<'a> Field<'a> {
    pub(super) fn kind(&self) -> &'a ValueKind {
        &self.value.kind
    }

    pub(super) fn is_empty_list(&self) -> bool {
        matches!(self.kind(), ValueKind::Array(values) if values.is_empty())
    }

    /// Whether a text may stand for a number or a flag here.
    pub(super) fn is_all_text(&self) -> bool {
        Layers::is_all_text(self.value.origin())
    }

    /// A number as it stands in the file.
    pub(super) fn number_text(&self) -> Option<String> {
        self.book
            .layers
            .number_text(&self.path, self.value.origin())
    }

    /// Where the value stands.
    pub(super) fn spot(&self) -> Spot {
        Spot {
            place: self
                .book
                .layers
                .value_place(&self.path, self.value.origin()),
            key: self.path.to_string(),
        }
    }

    /// Notes that the value is wrong.
    pub(super) fn wrong(&self, what: impl Into<String>, fix: impl Into<Option<String>>) {
        self.book.note_at(&self.spot(), what, fix.into());
    }

    /// Notes that the key is wrong.
    pub(super) fn wrong_key(&self, what: impl Into<String>, fix: Option<String>) {
        self.book.note(Mistake {
            place: self.book.layers.key_place(&self.path, self.value.origin()),
            key: self.path.to_string(),
            what: what.into(),
            fix,
        });
    }

    /// Notes a value of the wrong kind.
    pub(super) fn expected(&self, what: &str, example: &str) {
        let found = self.found();
        let fix = (!example.is_empty()).then(|| format!("write it like {example}"));
        self.wrong(format!("expected {what}, found {found}"), fix);
    }

    /// What stands there, in words and without the characters of a text.
    fn found(&self) -> String {
        match self.kind() {
            ValueKind::Nil => "nothing".to_owned(),
            ValueKind::Boolean(flag) => format!("`{flag}`"),
            ValueKind::I64(number) => format!("the number {number}"),
            ValueKind::I128(_) | ValueKind::U64(_) | ValueKind::U128(_) => "a number".to_owned(),
            ValueKind::Float(_) => match self.number_text() {
                Some(text) => format!("the number {text}"),
                None => "a number".to_owned(),
            },
            ValueKind::String(_) => "a text".to_owned(),
            ValueKind::Table(_) => "a table".to_owned(),
            ValueKind::Array(_) => "a list".to_owned(),
        }
    }

    pub(super) fn table(&self) -> Option<Table<'a>> {
        let ValueKind::Table(values) = self.kind() else {
            self.expected("a table", "");
            return None;
        };
        Some(Table {
            book: self.book,
            path: self.path.clone(),
            origin: self.value.origin(),
            values,
            asked: RefCell::default(),
        })
    }

    /// The members of a table whose keys are not ours to know, in the order of their names.
    pub(super) fn members(&self) -> Vec<(&'a str, Field<'a>)> {
        let ValueKind::Table(values) = self.kind() else {
            return Vec::new();
        };
        let mut keys: Vec<&'a String> = values.keys().collect();
        keys.sort_unstable();
        let field = |key: &'a String| Field {
            book: self.book,
            path: self.path.child(key),
            value: &values[key],
        };
        keys.into_iter()
            .map(|key| (key.as_str(), field(key)))
            .collect()
    }

    pub(super) fn list(&self, what: &str) -> Option<Vec<Field<'a>>> {
        let ValueKind::Array(values) = self.kind() else {
            let environment = self.is_all_text();
            let fix = environment.then(|| "a list stands in a file, not in a variable".to_owned());
            self.wrong(format!("expected {what}, found {}", self.found()), fix);
            return None;
        };
        let fields = values.iter().enumerate().map(|(index, value)| Field {
            book: self.book,
            path: self.path.index(index),
            value,
        });
        Some(fields.collect())
    }
}

/// Whether a word can name a connection, a client or a person.
fn is_name(name: &str) -> bool {
    let inner = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit();
    let mut bytes = name.bytes();
    bytes.next().is_some_and(inner) && bytes.all(|byte| inner(byte) || b"-_".contains(&byte))
}

/// A name that is allowed and still recognised.
fn plain_name(name: &str) -> String {
    let mut plain = String::new();
    for char in name.trim().to_lowercase().chars() {
        match char {
            'ä' => plain.push_str("ae"),
            'ö' => plain.push_str("oe"),
            'ü' => plain.push_str("ue"),
            'ß' => plain.push_str("ss"),
            'a'..='z' | '0'..='9' | '_' => plain.push(char),
            _ => plain.push('-'),
        }
    }
    let plain = plain.trim_matches(['-', '_']).to_owned();
    if is_name(&plain) {
        plain
    } else {
        "name-1".to_owned()
    }
}
