//! Tables that a connector reads itself: handed on as they were written, and told at their places.

use std::collections::BTreeMap;

use serde_json::json;

use super::super::{Config, ConfigErrors, PlainValue, SettingValue, load_with};
use super::{NEEDED, Place};

fn load(text: &str) -> Result<Config, ConfigErrors> {
    let whole = format!("{text}{NEEDED}");
    let place = Place::new(&[("stundenbuch.toml", &whole)]);
    load_with(&place.main(), &BTreeMap::new(), stundenbuch_connectors::ALL)
}

const GOOD: &str = r#"
[connections.harvest]
connector = "exec"
command = ["/opt/tap-harvest/bin/tap-harvest"]
credential = { credential = "harvest" }
config = { account = "7", start = 2026-01-01, rate = 0.10, pages = [1, "x"], key = "{credential}" }
environment.PATH = "/usr/bin:/bin"
environment.LANG = "C.UTF-8"

[connections.harvest.streams."Time.Entries"]
record = "time"
key = ["id"]
columns.date = "spentDate"
columns.duration = "hours"
"#;

fn table(config: &Config, key: &str) -> serde_json::Value {
    let connection = &config.connections[0];
    match &connection.settings[key] {
        SettingValue::Plain(PlainValue::Table(table)) => serde_json::Value::Object(table.clone()),
        other => panic!("{key} is {other:?}"),
    }
}

#[test]
fn a_table_comes_as_it_was_written() {
    let config = load(GOOD).unwrap();
    assert_eq!(
        table(&config, "config"),
        json!({"account": "7", "start": "2026-01-01", "rate": 0.1, "pages": [1, "x"],
            "key": "{credential}"})
    );
    assert_eq!(
        table(&config, "environment"),
        json!({"LANG": "C.UTF-8", "PATH": "/usr/bin:/bin"})
    );
    assert_eq!(
        table(&config, "streams"),
        json!({"Time.Entries": {"record": "time", "key": ["id"],
            "columns": {"date": "spentDate", "duration": "hours"}}})
    );
}

/// The ledger keeps the configuration and reads it again.
#[test]
fn a_table_comes_back_from_the_record() {
    let config = load(GOOD).unwrap();
    let again = Config::from_parts(&config.file, config.parts.clone()).unwrap();
    for key in ["environment", "streams"] {
        assert_eq!(table(&config, key), table(&again, key));
    }
}

#[test]
fn what_a_connector_says_of_its_table_is_told_at_its_place() {
    let text = r#"[connections.harvest]
connector = "exec"
command = ["/opt/tap"]
config = { api_key = "abc123def" }
[connections.harvest.streams.zeiten]
record = "time"
[connections.harvest.streams.zeiten.columns]
strat = "x"
date = "d"
duration = "h"
[connections.harvest.streams.leute]
record = "poeple"
columns = { name = "n" }
"#;
    let errors = load(text).unwrap_err();
    let said = crate::error_text::of(&anyhow::Error::new(errors));
    for (line, key, what) in [
        (
            4,
            "config.api_key",
            "a secret does not belong into the configuration",
        ),
        (8, "streams.zeiten.columns.strat", "did you mean `start`?"),
        (12, "streams.leute.record", "did you mean `people`?"),
    ] {
        let place = format!("stundenbuch.toml:{line}:");
        let at = said
            .lines()
            .position(|text| text.contains(&place) && text.contains(key));
        let at = at.unwrap_or_else(|| panic!("nothing at line {line}: {said}"));
        let about: Vec<&str> = said.lines().skip(at).take(3).collect();
        assert!(about.join(" ").contains(what), "{what}: {said}");
    }
    assert!(!said.contains("abc123def"), "{said}");
    assert!(said.contains("3 mistakes"), "{said}");

    let missing =
        load("[connections.a]\nconnector = \"exec\"\ncommand = [\"/opt/tap\"]\nstreams = 3\n");
    let said = crate::error_text::of(&anyhow::Error::new(missing.unwrap_err()));
    assert!(said.contains("expected a table"), "{said}");
}
