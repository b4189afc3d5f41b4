//! The tables of a connection, read: every mistake at once, each with its place.

use chrono_tz::Tz;
use serde_json::{Map, Value};

use super::shape::{Mapped, Shape, Target, Times};
use crate::import::dates::DateStyle;
use crate::import::durations::{Decimal, Unit};
use crate::import::layout::Words;
use crate::kind::Fault;

const KEYS: [&str; 15] = [
    "record",
    "key",
    "prefix",
    "replication",
    "replication_key",
    "columns",
    "optional",
    "constants",
    "dates",
    "times",
    "decimal",
    "duration",
    "break",
    "tags_separator",
    "billable",
];
const DONE: &str = "done";

/// What a constant may not stand for: a time that is the same in every record is a mistake.
const NO_CONSTANT: [&str; 14] = [
    "date", "start", "end_date", "end", "duration", "break", "running", "deleted", "created",
    "due", "done_at", "modified", "path", "amount",
];

/// The configuration's check of the table `streams`.
pub(super) fn check_streams(table: &Map<String, Value>) -> Vec<Fault> {
    streams(table, Tz::UTC).err().unwrap_or_default()
}

/// Reads the table `streams`.
pub(super) fn streams(table: &Map<String, Value>, zone: Tz) -> Result<Vec<Mapped>, Vec<Fault>> {
    let mut faults = Vec::new();
    let mut mapped: Vec<Mapped> = Vec::new();
    for (name, value) in table {
        let mut reader = Reader {
            path: vec![name.clone()],
            faults: &mut faults,
        };
        let Some(stream) = reader.stream(name, value, zone) else {
            continue;
        };
        let twin = mapped.iter().find(|other| {
            other.shape.record == stream.shape.record && other.prefix == stream.prefix
        });
        if let Some(twin) = twin {
            let what = format!("gives the same kind of record as `{}`", twin.name);
            let fix = "give one of them a `prefix`, so that their identifiers cannot be the same";
            reader.fault(&[], what, Some(fix.to_owned()));
        }
        mapped.push(stream);
    }
    if table.is_empty() {
        faults.push(Fault {
            path: Vec::new(),
            what: "names no stream".to_owned(),
            fix: Some("write a table `streams.NAME` for each stream that is read".to_owned()),
        });
    }
    if faults.is_empty() {
        Ok(mapped)
    } else {
        Err(faults)
    }
}

struct Reader<'f> {
    path: Vec<String>,
    faults: &'f mut Vec<Fault>,
}

impl Reader<'_> {
    fn stream(&mut self, name: &str, value: &Value, zone: Tz) -> Option<Mapped> {
        let Value::Object(table) = value else {
            self.fault(&[], "must be a table", None);
            return None;
        };
        for key in table.keys() {
            if key != DONE && !KEYS.contains(&key.as_str()) {
                let fix = did_you_mean(key, KEYS.into_iter().chain([DONE]));
                self.fault(&[key], "is not known", fix);
            }
        }
        let record = self.record(table)?;
        let mut shape = Shape {
            record,
            columns: std::collections::BTreeMap::new(),
            constants: std::collections::BTreeMap::new(),
            zone,
            dates: self.word(table, "dates", &DateStyle::WORDS),
            times: self.word(table, "times", &Times::WORDS),
            decimal: self.word(table, "decimal", &Decimal::WORDS),
            duration: self.word(table, "duration", &Unit::WORDS),
            pause: self.word(table, "break", &Unit::WORDS),
            tags_separator: self.text(table, "tags_separator"),
            billable: self.billable(table),
            done: self.texts(table, &[DONE], DONE).unwrap_or_default(),
        };
        if shape.tags_separator.as_deref() == Some("") {
            self.fault(&["tags_separator"], "must not be empty", None);
        }
        let required = self.columns(table, &mut shape);
        self.constants(table, &mut shape);
        self.can_work(&shape);
        let full = self.word(
            table,
            "replication",
            &[("incremental", false), ("full", true)],
        );
        Some(Mapped {
            name: name.to_owned(),
            key: self.texts(table, &["key"], "key").unwrap_or_default(),
            prefix: self.text(table, "prefix").unwrap_or_default(),
            full,
            replication_key: self.text(table, "replication_key"),
            required,
            shape,
        })
    }

    fn record(&mut self, table: &Map<String, Value>) -> Option<Target> {
        let words = Target::ALL.map(|target| target.stream().as_str());
        let known = words.join("`, `");
        let Some(value) = table.get("record") else {
            let fix = format!("write record = \"time\", say; known are `{known}`");
            self.fault(&[], "does not say what its records are", Some(fix));
            return None;
        };
        let word = value.as_str().unwrap_or_default();
        let found = Target::ALL
            .into_iter()
            .find(|target| target.stream().as_str() == word);
        if found.is_none() {
            let what = format!("`{word}` is no kind of record");
            self.fault(&["record"], what, did_you_mean(word, words));
        }
        found
    }

    /// Reads both tables of columns; gives the fields of the first, which must be there.
    fn columns(&mut self, table: &Map<String, Value>, shape: &mut Shape) -> Vec<String> {
        let mut required = Vec::new();
        for within in ["columns", "optional"] {
            for (field, value) in self.table(table, within) {
                if !self.is_field(shape.record, within, field) {
                    continue;
                }
                let paths = texts(value).filter(|paths| paths.iter().all(|path| !path.is_empty()));
                let Some(paths) = paths else {
                    let what = "must be a column's path, or a list of paths of which the first \
                                with a value is taken";
                    self.fault(&[within, field], what, None);
                    continue;
                };
                if shape.columns.insert(field.clone(), paths).is_some() {
                    let what = "is in `columns` already; remove one of the two";
                    self.fault(&[within, field], what, None);
                }
                if within == "columns" {
                    required.push(field.clone());
                }
            }
        }
        required
    }

    fn constants(&mut self, table: &Map<String, Value>, shape: &mut Shape) {
        for (field, value) in self.table(table, "constants") {
            if !self.is_field(shape.record, "constants", field) {
                continue;
            }
            let text = match value {
                Value::String(text) => text.clone(),
                Value::Bool(flag) => flag.to_string(),
                _ => {
                    self.fault(&["constants", field], "must be a text", None);
                    continue;
                }
            };
            if NO_CONSTANT.contains(&field.as_str()) {
                let what = "cannot be the same in every record";
                self.fault(&["constants", field], what, None);
            }
            shape.constants.insert(field.clone(), text);
        }
    }

    fn is_field(&mut self, record: Target, within: &str, field: &str) -> bool {
        let known = record.fields().contains(&field);
        if !known {
            let fix = did_you_mean(field, record.fields().iter().copied());
            self.fault(
                &[within, field],
                format!("is no field of `{}`", record.stream()),
                fix,
            );
        }
        known
    }

    fn billable(&mut self, table: &Map<String, Value>) -> Words {
        let mut words = Words::default();
        for (key, _) in self.table(table, "billable") {
            if !["yes", "no"].contains(&key.as_str()) {
                self.fault(
                    &["billable", key],
                    "is not known; known are `yes` and `no`",
                    None,
                );
            }
        }
        if let Some(Value::Object(given)) = table.get("billable") {
            for (key, place) in [("yes", &mut words.yes), ("no", &mut words.no)] {
                if let Some(texts) = self.texts(given, &["billable", key], key) {
                    *place = texts;
                }
            }
        }
        if let Some(word) = words.yes.iter().find(|word| words.no.contains(word)) {
            let what = format!("has `{word}` for yes and for no");
            self.fault(&["billable"], what, None);
        }
        words
    }

    /// Whether a record of this shape says what it must.
    fn can_work(&mut self, shape: &Shape) {
        let has = |field| shape.has(field);
        if let Some(needed) = shape.record.needed()
            && !has(needed)
            && !(needed == "name" && (has("first_name") || has("last_name")))
        {
            let fix = format!("write {needed} = \"the column's path\"");
            self.fault(&["columns"], format!("needs `{needed}`"), Some(fix));
        }
        if shape.record == Target::Expenses && !has("date") {
            self.fault(&["columns"], "needs `date`", None);
        }
        if shape.record != Target::Time {
            return;
        }
        let what = if !has("date") && !has("start") {
            "needs `date`, or a `start` that holds date and time"
        } else if has("end") && !has("start") {
            "has `end` without `start`; add `start`"
        } else if !has("end") && !has("duration") {
            "needs `end` or `duration`, to tell how long the work took"
        } else if has("end_date") && !(has("date") && has("end")) {
            "has `end_date`, which needs `date` and `end`"
        } else if has("running") && !has("start") {
            "has `running`, which needs `start`: a timer that runs has begun at some time"
        } else {
            return;
        };
        self.fault(&["columns"], what, None);
    }

    fn table<'t>(
        &mut self,
        table: &'t Map<String, Value>,
        key: &str,
    ) -> impl Iterator<Item = (&'t String, &'t Value)> + use<'t> {
        let found = match table.get(key) {
            None => None,
            Some(Value::Object(found)) => Some(found),
            Some(_) => {
                self.fault(&[key], "must be a table", None);
                None
            }
        };
        found.into_iter().flatten()
    }

    fn text(&mut self, table: &Map<String, Value>, key: &str) -> Option<String> {
        let value = table.get(key)?;
        if !value.is_string() {
            self.fault(&[key], "must be a text in quotation marks", None);
        }
        value.as_str().map(str::to_owned)
    }

    fn texts(
        &mut self,
        table: &Map<String, Value>,
        place: &[&str],
        key: &str,
    ) -> Option<Vec<String>> {
        let read = texts(table.get(key)?);
        if read.is_none() {
            self.fault(place, "must be a text, or a list of texts", None);
        }
        read
    }

    fn word<T: Copy + Default>(
        &mut self,
        table: &Map<String, Value>,
        key: &str,
        words: &[(&'static str, T)],
    ) -> T {
        let Some(text) = self.text(table, key) else {
            return T::default();
        };
        if let Some((_, value)) = words.iter().find(|(word, _)| *word == text) {
            return *value;
        }
        let fix = did_you_mean(&text, words.iter().map(|(word, _)| *word));
        self.fault(&[key], format!("`{text}` is not known"), fix);
        T::default()
    }

    fn fault(&mut self, within: &[&str], what: impl Into<String>, fix: Option<String>) {
        let mut path = self.path.clone();
        path.extend(within.iter().map(|&key| key.to_owned()));
        self.faults.push(Fault {
            path,
            what: what.into(),
            fix,
        });
    }
}

/// A text, or a list of texts.
fn texts(value: &Value) -> Option<Vec<String>> {
    match value {
        Value::String(text) => Some(vec![text.clone()]),
        Value::Array(items) => {
            let texts: Option<Vec<String>> = items
                .iter()
                .map(|item| item.as_str().map(str::to_owned))
                .collect();
            texts.filter(|texts| !texts.is_empty())
        }
        _ => None,
    }
}

/// "did you mean `start`?", or what is known.
pub(super) fn did_you_mean<'k>(
    word: &str,
    known: impl IntoIterator<Item = &'k str>,
) -> Option<String> {
    let known: Vec<&str> = known.into_iter().collect();
    let near = known
        .iter()
        .map(|known| {
            let distance = strsim::damerau_levenshtein(&word.to_lowercase(), &known.to_lowercase());
            (distance, *known)
        })
        .filter(|(distance, _)| *distance <= (word.chars().count() / 3).clamp(1, 3))
        .min();
    match near {
        Some((_, near)) => Some(format!("did you mean `{near}`?")),
        None if known.is_empty() => None,
        None => Some(format!("known here: `{}`", known.join("`, `"))),
    }
}
