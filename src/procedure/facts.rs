//! What the configuration and the ledger say, gathered once.

use std::collections::BTreeMap;

use chrono::{DateTime, Utc};
use serde_json::Value;

use crate::config::Config;
use crate::ledger::{Configured, Event, Head};
use crate::run::history;
use crate::store::{PROGRAM, Result, StatementRow, Store};

pub(super) struct Facts<'a> {
    pub(super) config: &'a Config,
    /// The moment of which the document speaks.
    pub(super) at: DateTime<Utc>,
    pub(super) head: Head,
    /// The program that writes the document.
    pub(super) program: String,
    /// Each version that wrote to the ledger, and since when.
    pub(super) programs: Vec<(String, DateTime<Utc>)>,
    pub(super) statements: Vec<StatementRow>,
    pub(super) works: u64,
    pub(super) changes: Vec<Change>,
    /// Parts of the configuration that differ from what the ledger has of them.
    pub(super) unrecorded: Vec<String>,
    /// Rows of kinds that are worth telling: restored, erased, and brought forward.
    pub(super) events: Vec<(DateTime<Utc>, u64, String)>,
}

/// A row about the configuration.
pub(super) struct Change {
    pub(super) at: DateTime<Utc>,
    pub(super) row: u64,
    pub(super) part: String,
    /// Which settings differ from the row before about the part: key, old, new.
    pub(super) what: Vec<(String, Option<String>, Option<String>)>,
    /// The first row about the part.
    pub(super) first: bool,
    pub(super) gone: bool,
}

impl<'a> Facts<'a> {
    pub(super) fn of(store: &Store, config: &'a Config) -> Result<Self> {
        let head = store.head()?;
        let last = store.row(head.seq)?.map_or(0, |row| row.at);
        let mut facts = Self {
            config,
            at: DateTime::from_timestamp(last, 0).unwrap_or_default(),
            head,
            program: PROGRAM.to_owned(),
            programs: Vec::new(),
            statements: store.statements()?,
            works: store.stats()?.works,
            changes: Vec::new(),
            unrecorded: history::unrecorded(store, config)?,
            events: Vec::new(),
        };
        let mut known: BTreeMap<String, Value> = BTreeMap::new();
        for kind in ["genesis", "format", "configured", "restored", "erased"] {
            store.rows_of(kind, |row| -> Result<()> {
                let at = DateTime::from_timestamp(row.at, 0).unwrap_or_default();
                match row.event()? {
                    Event::Genesis(genesis) => facts.seen(&genesis.program, at),
                    Event::Format(format) => facts.seen(&format.program, at),
                    Event::Configured(configured) => {
                        facts.seen(&configured.program, at);
                        facts.changed(at, row.seq, &row.subject, &configured, &mut known);
                    }
                    Event::Restored(_) | Event::Erased(_) => {
                        facts.events.push((at, row.seq, row.kind.clone()));
                    }
                    _ => {}
                }
                Ok(())
            })?;
        }
        facts.events.sort();
        Ok(facts)
    }

    fn seen(&mut self, program: &str, at: DateTime<Utc>) {
        if self.programs.iter().all(|(known, _)| known != program) {
            self.programs.push((program.to_owned(), at));
        }
    }

    fn changed(
        &mut self,
        at: DateTime<Utc>,
        row: u64,
        part: &str,
        configured: &Configured,
        known: &mut BTreeMap<String, Value>,
    ) {
        let before = match &configured.settings {
            Some(now) => known.insert(part.to_owned(), now.clone()),
            None => known.remove(part),
        };
        let mut what = Vec::new();
        if let (Some(before), Some(now)) = (&before, &configured.settings) {
            let (before, now) = (flat(before), flat(now));
            let keys: std::collections::BTreeSet<&String> =
                before.keys().chain(now.keys()).collect();
            for key in keys {
                let (old, new) = (before.get(key), now.get(key));
                if old != new {
                    what.push((key.clone(), old.cloned(), new.cloned()));
                }
            }
        }
        self.changes.push(Change {
            at,
            row,
            part: part.to_owned(),
            what,
            first: before.is_none(),
            gone: configured.settings.is_none(),
        });
    }

    /// The name of the configuration's main file.
    pub(super) fn config_name(&self) -> String {
        let name = self.config.file.file_name();
        name.map_or_else(String::new, |name| name.to_string_lossy().into_owned())
    }
}

/// Every value of a JSON tree by its path: `contracts[0].rate`.
fn flat(value: &Value) -> BTreeMap<String, String> {
    let mut all = BTreeMap::new();
    walk("", value, &mut all);
    all
}

fn walk(path: &str, value: &Value, all: &mut BTreeMap<String, String>) {
    match value {
        Value::Object(members) if !members.is_empty() => {
            for (key, value) in members {
                let dot = if path.is_empty() { "" } else { "." };
                walk(&format!("{path}{dot}{key}"), value, all);
            }
        }
        Value::Array(elements) if elements.iter().any(|it| it.is_object() || it.is_array()) => {
            for (index, value) in elements.iter().enumerate() {
                walk(&format!("{path}[{index}]"), value, all);
            }
        }
        Value::Array(elements) => {
            let texts: Vec<String> = elements.iter().map(short).collect();
            all.insert(path.to_owned(), texts.join(", "));
        }
        value => {
            all.insert(path.to_owned(), short(value));
        }
    }
}

/// A value as it is told: a layout has many lines, and that it changed is enough.
fn short(value: &Value) -> String {
    const SHOWN: usize = 120;
    let text = match value {
        Value::String(text) => text.clone(),
        other => other.to_string(),
    };
    if text.chars().count() <= SHOWN && !text.contains('\n') {
        return text;
    }
    let hash = crate::ledger::hex(&crate::ledger::sha256(text.as_bytes()));
    format!("SHA-256 {}…", &hash[..16])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_tree_is_told_by_its_paths() {
        let tree = serde_json::json!({
            "contracts": [{ "rate": "59.00", "projects": ["A", "B"] }], "long": "x\ny",
        });
        let all: Vec<_> = flat(&tree).into_iter().collect();
        assert_eq!(all[0], ("contracts[0].projects".into(), "A, B".into()));
        assert_eq!(all[1], ("contracts[0].rate".into(), "59.00".into()));
        assert!(all[2].1.starts_with("SHA-256 "), "{}", all[2].1);
    }
}
