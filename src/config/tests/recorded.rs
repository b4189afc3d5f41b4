//! What the ledger records of a configuration is enough to read the same configuration again.

use std::collections::BTreeMap;
use std::path::Path;

use stundenbuch_connectors as connectors;

use super::super::{Config, load_with};
use super::example::everything;
use super::{NEEDED, Place};

/// Every value of a configuration; two that print the same are the same.
fn print(config: &Config) -> String {
    format!("{config:#?}")
}

fn load(place: &Place, variables: &[(&str, &str)]) -> Config {
    let pairs = variables.iter();
    let environment: BTreeMap<String, String> = pairs
        .map(|(name, value)| ((*name).into(), (*value).into()))
        .collect();
    load_with(&place.main(), &environment, connectors::ALL).unwrap()
}

#[test]
fn every_key_comes_back_from_the_record() {
    let config = load(&Place::new(&[("stundenbuch.toml", &everything())]), &[]);
    let again = Config::from_parts(&config.file, config.parts.clone()).unwrap();
    assert_eq!(print(&again), print(&config));
    let names: Vec<&str> = config.parts.iter().map(|part| part.name.as_str()).collect();
    let mut wanted: Vec<String> = config
        .connections
        .iter()
        .map(|it| it.name.clone())
        .collect();
    assert_eq!(wanted.len(), connectors::ALL.len());
    wanted.sort();
    wanted = wanted
        .iter()
        .map(|name| format!("connection/{name}"))
        .collect();
    wanted.insert(0, "client/mueller".to_owned());
    wanted.push("general".to_owned());
    assert_eq!(names, wanted);
}

#[test]
fn layers_and_variables_come_back_as_one() {
    let place = Place::new(&[
        ("stundenbuch.toml", NEEDED),
        (
            "conf.d/10.toml",
            "[connections.t]\nconnector = \"trello\"\nkey.env = \"K\"\ntoken.env = \"T\"\n\
             [clients.a]\nname = \"A\"\n[[clients.a.contracts]]\nfrom = 2026-01-01\n\
             rate = 59.10\nvat = 7.5\n[[clients.a.contracts.rates]]\nproject = \"P\"\n\
             rate = 60\nfrom = 2026-02-01\n",
        ),
    ]);
    let variables = [
        ("STUNDENBUCH__CONNECTIONS__T__FULL_EVERY_DAYS", "3"),
        ("STUNDENBUCH__CONNECTIONS__O__CONNECTOR", "toggl"),
        ("STUNDENBUCH__CONNECTIONS__O__TEAM", "true"),
        ("STUNDENBUCH__CONNECTIONS__O__TOKEN__ENV", "T"),
        ("STUNDENBUCH__ISSUER__PHONE", "0221"),
    ];
    let config = load(&place, &variables);
    let again = Config::from_parts(&config.file, config.parts.clone()).unwrap();
    assert_eq!(print(&again), print(&config));
    // Documents name the line of a rate, so the line is recorded too.
    let client = config.parts.iter().find(|part| part.name == "client/a");
    let places = &client.unwrap().places;
    assert_eq!(places["clients.a.contracts[0].rate"], "10.toml:9");
    assert_eq!(places["clients.a.contracts[0].rates[0]"], "10.toml:11");
}

#[test]
fn the_order_of_files_and_keys_does_not_count() {
    let one = "[clients.b]\nname = \"B\"\nphone = \"1\"\n[clients.a]\nname = \"A\"\n";
    let two = "[clients.a]\nname = \"A\"\n[clients.b]\nphone = \"1\"\nname = \"B\"\n";
    let parts = |text: &str| {
        let whole = format!("{text}{NEEDED}");
        load(&Place::new(&[("stundenbuch.toml", &whole)]), &[]).parts
    };
    assert_eq!(parts(one), parts(two));
    assert_ne!(parts(one), parts(&two.replace("\"1\"", "\"2\"")));
}

#[test]
fn what_is_named_need_not_exist_any_more() {
    let text = "[connections.d]\nconnector = \"folder\"\npath = \"gone\"\n\
                [statements]\ntemplates = \"gone\"\n";
    let place = Place::new(&[("stundenbuch.toml", &format!("{text}{NEEDED}"))]);
    let parts = load(&place, &[]).parts;
    drop(place);
    let config = Config::from_parts(Path::new("/nowhere/else.toml"), parts).unwrap();
    assert_eq!(config.connections.len(), 1);
}

#[test]
fn a_connector_that_is_not_known_is_told() {
    let text = "[connections.d]\nconnector = \"folder\"\npath = \"d\"\n";
    let place = Place::new(&[("stundenbuch.toml", &format!("{text}{NEEDED}"))]);
    let mut parts = load(&place, &[]).parts;
    parts[0].settings["connector"] = "fax".into();
    let errors = Config::from_parts(&place.main(), parts).unwrap_err();
    let text = errors.to_string();
    assert!(
        text.contains("the ledger's record") && text.contains("there is no connector `fax`"),
        "{text}"
    );
}
