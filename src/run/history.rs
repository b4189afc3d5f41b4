//! The history of the configuration: what changed in it becomes rows of the journal.
//!
//! With them a report can be made by the rules of then, and an auditor sees when which rule
//! began to hold.

use std::collections::BTreeMap;

use chrono::{DateTime, Utc};

use crate::config::{Config, Part, TEMPLATE_PART, Templates};
use crate::ledger::{Configured, Event};
use crate::store::{PROGRAM, Result, Store};

/// The part that also tells when another version of the program took over.
const VERSIONED: &str = "general";

/// Appends a row for each part that differs from what the journal has of it; how many.
pub fn record(store: &mut Store, config: &Config, now: DateTime<Utc>) -> Result<usize> {
    let rows = differing(store, config, Versions::Count)?;
    if rows.is_empty() {
        return Ok(0);
    }
    let count = rows.len();
    store.write(|writer| {
        for (part, row) in rows {
            writer.append(now, &part, &Event::Configured(row))?;
        }
        Ok(count)
    })
}

/// The parts that differ from what the journal has of them, by name.
pub fn unrecorded(store: &Store, config: &Config) -> Result<Vec<String>> {
    let rows = differing(store, config, Versions::Ignore)?;
    Ok(rows.into_iter().map(|(part, _)| part).collect())
}

/// Whether another version of the program makes a difference.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Versions {
    Count,
    Ignore,
}

/// The rows that the journal lacks.
fn differing(
    store: &Store,
    config: &Config,
    versions: Versions,
) -> Result<Vec<(String, Configured)>> {
    // Only a configuration that was read from files has parts.
    if config.parts.is_empty() {
        return Ok(Vec::new());
    }
    let known = store.configured()?;
    let parts = parts(store, config)?;
    // A layout that is named and cannot be read now is neither new nor gone.
    let unread = config.templates.is_some();
    let is_gone = |name: &&String| {
        let there = parts.iter().any(|part| part.name == **name);
        let hidden = unread && *name == TEMPLATE_PART;
        !(there || hidden)
    };
    let row = |settings, places| Configured {
        program: PROGRAM.to_owned(),
        settings,
        places,
    };
    let gone = known.keys().filter(is_gone).cloned();
    let gone: Vec<_> = gone
        .map(|name| (name, row(None, BTreeMap::new())))
        .collect();
    let changed = parts.into_iter().filter(|part| {
        !known.get(&part.name).is_some_and(|known| {
            let other = part.name == VERSIONED && known.program != PROGRAM;
            known.settings.as_ref() == Some(&part.settings)
                && known.places == part.places
                && !(other && versions == Versions::Count)
        })
    });
    let mut rows: Vec<_> = changed
        .map(|part| (part.name, row(Some(part.settings), part.places)))
        .collect();
    rows.extend(gone);
    Ok(rows)
}

/// The configuration as the journal has it; `None` when it has none. The errors are those of
/// [`Config::from_parts`].
pub fn recorded(store: &Store, now: &Config) -> anyhow::Result<Option<Config>> {
    let parts: Vec<Part> = store
        .configured()?
        .into_iter()
        .filter_map(|(name, configured)| {
            Some(Part {
                name,
                settings: configured.settings?,
                places: configured.places,
            })
        })
        .collect();
    if !parts.iter().any(|part| part.name == VERSIONED) {
        return Ok(None);
    }
    Ok(Some(Config::from_parts(&now.file, parts)?))
}

/// The parts of a configuration, and its layout as far as it can be read. A client that was erased
/// has none, though it still stands in the file.
fn parts(store: &Store, config: &Config) -> Result<Vec<Part>> {
    let mut parts = Vec::new();
    for part in &config.parts {
        let client = part.name.strip_prefix("client/");
        let erased = client.map(|key| store.client_is_erased(key)).transpose()?;
        if erased != Some(true) {
            parts.push(part.clone());
        }
    }
    if let Some(Templates::Directory(directory)) = &config.templates
        && let Ok(text) = std::fs::read_to_string(directory.join("report.typ"))
    {
        parts.push(Part::template(&text));
    }
    Ok(parts)
}
