//! Wrong configurations, one mistake or two each, in `wrong.txt`, and one with eight.

use super::{Place, errors};

/// Each case: `## name`, the configuration, `--`, what is said of it.
const CASES: &str = include_str!("wrong.txt");

#[test]
fn every_mistake_is_told_with_its_place_and_the_way_out() {
    let mut wanted = String::new();
    let mut said = String::new();
    let cases: Vec<&str> = CASES.split("## ").skip(1).collect();
    for case in &cases {
        let (name, rest) = case.split_once('\n').unwrap();
        let (text, expected) = rest.split_once("--\n").unwrap();
        let printed = errors(text);
        let (_, mistakes) = printed.split_once('\n').unwrap();
        let (mistakes, _) = mistakes.rsplit_once("\n\nhint: ").unwrap();
        wanted.push_str(&format!("## {name}\n{text}--\n{}\n\n", expected.trim_end()));
        said.push_str(&format!("## {name}\n{text}--\n{mistakes}\n\n"));
    }
    assert!(cases.len() >= 40, "{} cases", cases.len());
    assert!(
        said == wanted,
        "different from wrong.txt is:\n{}",
        difference(&wanted, &said)
    );
}

/// Only the lines that differ, with the names of their cases.
fn difference(wanted: &str, said: &str) -> String {
    let cases = wanted.split("## ").zip(said.split("## "));
    let different = cases.filter(|(wanted, said)| wanted != said);
    different.map(|(_, said)| format!("## {said}")).collect()
}

#[test]
fn eight_mistakes_are_told_at_once() {
    let text = r#"[daemon]
time_zone = "Europe/Berln"
nightly_at = "24:30"
listn = "127.0.0.1:80"

[connections.toggl]
conector = "toggl"

[clients.mueller]
nam = "Müller GmbH"
language = "deutsch"

[[clients.mueller.contracts]]
from = 2026-01-01
until = 2025-12-31
rate = "59,00"
"#;
    let expected = r#"error: the configuration has 8 mistakes
  stundenbuch.toml:2:13  daemon.time_zone
    `Europe/Berln` is no time zone
    did you mean `Europe/Berlin`?
  stundenbuch.toml:3:14  daemon.nightly_at
    `24:30` is no time of day
    write hours and minutes: "03:15"
  stundenbuch.toml:4:1  daemon.listn
    unknown key; did you mean `listen`?
  stundenbuch.toml:7:1  connections.toggl.conector
    unknown key; did you mean `connector`?
  stundenbuch.toml:10:1  clients.mueller.nam
    unknown key; did you mean `name`?
  stundenbuch.toml:11:12  clients.mueller.language
    `deutsch` is not known here
    known here: `de`, `en`
  stundenbuch.toml:15:9  clients.mueller.contracts[0].until
    ends on 2025-12-31, before it begins on 2026-01-01
    `until` is the last day that counts
  stundenbuch.toml:16:8  clients.mueller.contracts[0].rate
    `59,00` is no amount of money
    write "59.00"

hint: config/example.toml explains every key; run `stundenbuch check` after the change"#;
    assert_eq!(errors(text), expected);
}

#[test]
fn an_empty_configuration_says_what_it_needs() {
    let place = Place::new(&[("stundenbuch.toml", "")]);
    let expected = r#"error: the configuration has 2 mistakes
  stundenbuch.toml  issuer
    missing key
    write a table [issuer] with your name
  stundenbuch.toml  ledger
    missing key
    write a table [ledger] with path = "stundenbuch.db"

hint: config/example.toml explains every key; run `stundenbuch check` after the change"#;
    assert_eq!(place.errors(&[]), expected);
}

#[test]
fn syntax_errors_of_all_files_are_told_with_their_lines() {
    let place = Place::new(&[
        ("stundenbuch.toml", "[issuer]\nname = \"Müller\n"),
        ("conf.d/a.toml", "[ledger\npath = \"x\"\n"),
        ("conf.d/b.toml", "[daemon]\n\ttime_zone = Europe/Berlin\n"),
    ]);
    let expected = r#"error: the configuration has 3 mistakes
  stundenbuch.toml:2:15
    this is no TOML: invalid basic string, expected `"`
      name = "Müller
                    ^
  conf.d/a.toml:1:8
    this is no TOML: unclosed table, expected `]`
      [ledger
             ^
  conf.d/b.toml:2:14
    this is no TOML: string values must be quoted, expected literal string
      	time_zone = Europe/Berlin
      	            ^

hint: config/example.toml explains every key; run `stundenbuch check` after the change"#;
    assert_eq!(place.errors(&[]), expected);
}

#[test]
fn a_file_in_another_encoding_is_told_with_its_line() {
    let place = Place::new(&[]);
    std::fs::write(place.main(), b"[issuer]\nname = \"M\xfcller\"\n").unwrap();
    let expected = r#"error: the configuration has 1 mistake
  stundenbuch.toml:2:1
    this line is not UTF-8
    save the file as UTF-8; umlauts are then read as they are

hint: config/example.toml explains every key; run `stundenbuch check` after the change"#;
    assert_eq!(place.errors(&[]), expected);
}
