//! `config/example.toml` is right, complete, and says nothing that is not read.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use stundenbuch_connectors as connectors;

use super::super::layers::Layers;
use super::super::reader::Book;
use super::super::{Config, read, syntax};
use super::Place;

fn example() -> String {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("config/example.toml");
    std::fs::read_to_string(path).unwrap()
}

/// The example with every key that is commented out. A sentence is no key: what is taken is
/// `# word = …` only.
pub(super) fn everything() -> String {
    let whole: Vec<String> = example().lines().map(uncommented).collect();
    whole.join("\n")
}

fn uncommented(line: &str) -> String {
    let Some(rest) = line.strip_prefix("# ") else {
        return line.to_owned();
    };
    if rest.starts_with("[connections.") && rest.ends_with(']') {
        return rest.to_owned();
    }
    let word = rest.split(" = ").next().unwrap_or("");
    let is_key = rest.contains(" = ")
        && word
            .bytes()
            .all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'_');
    if is_key {
        rest.to_owned()
    } else {
        line.to_owned()
    }
}

fn load(text: &str) -> (Config, BTreeSet<String>) {
    let registry = connectors::ALL;
    let place = Place::new(&[("stundenbuch.toml", text)]);
    let layers = Layers::read(&place.main(), &BTreeMap::new(), registry).unwrap();
    let book = Book::new(&layers);
    let config = read(book.root(), &layers.main, registry);
    let asked = book.asked.borrow().clone();
    let errors = book.close(());
    assert_eq!(errors, Ok(()), "{}", errors.clone().unwrap_err());
    (config, asked)
}

#[test]
fn the_example_is_read_as_it_is_and_with_everything_switched_on() {
    let (config, _) = load(&example());
    assert_eq!((config.clients.len(), config.connections.len()), (1, 3));
    let (config, _) = load(&everything());
    assert!(config.listen.is_some() && config.templates.is_some());
    assert_eq!(config.clients[0].sources.folders.len(), 1);
    assert_eq!(config.connections.len(), connectors::ALL.len());
}

/// What is shown behind `#` as the default is the default.
#[test]
fn commented_defaults_are_the_defaults() {
    let (short, _) = load(&example());
    let (long, _) = load(&everything());
    assert_eq!(short.nightly_at, long.nightly_at);
    assert_eq!(short.time_zone, long.time_zone);
    assert_eq!(
        (short.checks, &short.statements),
        (long.checks, &long.statements)
    );
    let (one, two) = (&short.clients[0], &long.clients[0]);
    assert_eq!((one.language, one.time_zone), (two.language, two.time_zone));
    assert_eq!(one.deliver, two.deliver);
    assert_eq!(short.imports[0].dates, long.imports[0].dates);
    let (one, two) = (&one.contracts[0], &two.contracts[0]);
    assert_eq!((one.rounding, one.group_by), (two.rounding, two.group_by));
    assert_eq!(one.currency, two.currency);
    assert_eq!(one.ignore_billable_flag, two.ignore_billable_flag);
    let setting = |config: &Config, name, key| {
        let connection = config.connection(name).unwrap();
        connection.settings.get(key).cloned()
    };
    for (name, key) in [
        ("toggl", "api_url"),
        ("toggl", "reports_url"),
        ("toggl", "team"),
        ("trello", "api_url"),
        ("trello", "full_every_days"),
    ] {
        let (short, long) = (setting(&short, name, key), setting(&long, name, key));
        assert_eq!(short, long, "{name} {key}");
    }
}

#[test]
fn every_key_that_is_read_stands_in_the_example() {
    let everything = everything();
    let (_, asked) = load(&everything);
    let absent: Vec<&String> = asked
        .iter()
        .filter(|path| {
            let key = path.rsplit('.').next().unwrap();
            let key = key.trim_end_matches(']').split('[').next().unwrap();
            !everything.lines().any(|line| {
                line.starts_with(&format!("{key} = "))
                    || line.contains(&format!("{{ {key} ="))
                    || line.contains(&format!(", {key} ="))
                    || line.starts_with('[') && line.contains(key)
            })
        })
        .collect();
    assert!(absent.is_empty(), "not in config/example.toml: {absent:?}");
    let settings = connectors::ALL.iter().flat_map(|entry| {
        entry
            .kind
            .settings
            .iter()
            .map(|setting| (entry.kind.name, setting.key))
    });
    for (connector, key) in settings {
        let table = everything
            .split(&format!("connector = \"{connector}\""))
            .nth(1);
        let table = table
            .and_then(|rest| rest.split("\n[").next())
            .unwrap_or("");
        let there = table
            .lines()
            .any(|line| line.starts_with(&format!("{key} = ")));
        assert!(
            there,
            "`{key}` of `{connector}` is not in config/example.toml"
        );
    }
}

/// The list of words that a syntax error may show is the list of keys that are read.
#[test]
fn the_list_of_known_keys_is_complete() {
    let (config, asked) = load(&everything());
    let settings: BTreeSet<String> = config
        .connections
        .iter()
        .flat_map(|connection| {
            let keys = connection
                .entry
                .kind
                .settings
                .iter()
                .map(|setting| setting.key);
            let paths = keys.map(|key| format!("connections.{}.{key}", connection.name));
            paths.collect::<Vec<_>>()
        })
        .collect();
    let mut keys = BTreeSet::new();
    let mut sections = BTreeSet::new();
    for path in &asked {
        let mut parts = path.split('.');
        let (first, last) = (parts.next().unwrap(), path.rsplit('.').next().unwrap());
        if !first.contains('[') {
            sections.insert(first);
        }
        // Names of connections, clients and people are asked for like keys.
        let named = ["connections", "clients", "people"].contains(&first);
        let is_name = named && path.split('.').count() == 2;
        if path.contains('.') && !is_name && !settings.contains(path) {
            keys.insert(last);
        }
    }
    assert_eq!(sections, syntax::SECTIONS.iter().copied().collect());
    assert_eq!(keys, syntax::KEYS.iter().copied().collect());
}
