//! Main file, `conf.d`, environment: which wins, and where a mistake is said to stand.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use super::super::{Config, layers};
use super::{NEEDED, Place};

fn place() -> Place {
    Place::new(&[
        ("stundenbuch.toml", NEEDED),
        (
            "conf.d/20.toml",
            "[issuer]\nemail = \"twenty@a.example\"\nphone = \"20\"\n",
        ),
        (
            "conf.d/10.toml",
            "[issuer]\nemail = \"ten@a.example\"\nwebsite = \"w10\"\n",
        ),
        ("conf.d/.hidden.toml", "this is no TOML"),
        ("conf.d/30.toml.bak", "nor is this"),
    ])
}

#[test]
fn later_files_win_key_by_key_and_the_environment_wins_over_all() {
    let issuer = place().load(&[]).unwrap().issuer;
    assert_eq!(issuer.email.as_deref(), Some("twenty@a.example"));
    assert_eq!(issuer.website.as_deref(), Some("w10"));
    let issuer = place()
        .load(&[
            ("STUNDENBUCH__ISSUER__PHONE", "env"),
            ("STUNDENBUCH_OTHER", "x"),
        ])
        .unwrap()
        .issuer;
    assert_eq!(issuer.phone.as_deref(), Some("env"));
}

#[test]
fn the_environment_sets_numbers_flags_and_keys_that_no_file_has() {
    let file = "[connections.t]\nconnector = \"trello\"\nkey.env = \"K\"\ntoken.env = \"T\"\n\
                [connections.o]\nconnector = \"toggl\"\ntoken.env = \"T\"\n\
                [clients.a]\nname = \"A\"\n";
    let place = Place::new(&[("stundenbuch.toml", &format!("{file}{NEEDED}"))]);
    let config = place.load(&[
        ("STUNDENBUCH__CONNECTIONS__T__FULL_EVERY_DAYS", "3"),
        ("STUNDENBUCH__CONNECTIONS__O__TEAM", "true"),
        ("STUNDENBUCH__DAEMON__LISTEN", "127.0.0.1:1"),
    ]);
    let config = config.unwrap();
    let settings = |name| format!("{:?}", config.connection(name).unwrap().settings);
    assert!(settings("t").contains("\"full_every_days\": Plain(Count(3))"));
    assert!(settings("o").contains("\"team\": Plain(Flag(true))"));
    assert!(config.listen.is_some());
}

#[test]
fn a_mistake_in_a_variable_names_the_variable() {
    let variables = [
        ("STUNDENBUCH__DAEMON__TIME_ZONE", "Berlin"),
        ("STUNDENBUCH__DEAMON__LISTEN", "x"),
        ("STUNDENBUCH__ISSUER__ADDRESS", "Weg 1"),
        ("STUNDENBUCH__IMPORTS[4000000000]__FILES", "x"),
        ("STUNDENBUCH__CONNECTIONS__T__TOKEN", "CANARY"),
        ("STUNDENBUCH__CONNECTIONS__T__CONNECTOR", "toggl"),
        ("STUNDENBUCH__CONNECTIONS__U__API_URL", "https://a.example"),
    ];
    let expected = r#"error: the configuration has 6 mistakes
  STUNDENBUCH__CONNECTIONS__T__TOKEN  connections.t.token
    a secret does not belong into the configuration
    unset this variable; in the file write { env = "VARIABLE" } with another one
  STUNDENBUCH__CONNECTIONS__U__API_URL  connections.u.connector
    missing key
    write connector = "toggl", say
  STUNDENBUCH__DAEMON__TIME_ZONE  daemon.time_zone
    `Berlin` is no time zone
    did you mean `Europe/Berlin`?
  STUNDENBUCH__DEAMON__LISTEN  deamon
    unknown key; did you mean `daemon`?
  STUNDENBUCH__IMPORTS[4000000000]__FILES
    this variable names no key
    write it like STUNDENBUCH__LEDGER__PATH
  STUNDENBUCH__ISSUER__ADDRESS  issuer.address
    expected a list of texts, found a text
    a list stands in a file, not in a variable

hint: config/example.toml explains every key; run `stundenbuch check` after the change"#;
    assert_eq!(place().errors(&variables), expected);
}

#[test]
fn a_mistake_names_the_file_whose_value_counts() {
    let place = Place::new(&[
        ("stundenbuch.toml", NEEDED),
        (
            "conf.d/a.toml",
            "\n[daemon]\nnightly_at = \"3\"\n[clients.a]\naddress = [\"x\"]\n",
        ),
        (
            "conf.d/b.toml",
            "# later\ndaemon = { nightly_at = 4 }\nclients.a.nmae = \"A\"\n",
        ),
    ]);
    let expected = r#"error: the configuration has 2 mistakes
  conf.d/b.toml:2:25  daemon.nightly_at
    expected a time of day, found the number 4
    write it like "03:15"
  conf.d/b.toml:3:11  clients.a.nmae
    unknown key; did you mean `name`?

hint: config/example.toml explains every key; run `stundenbuch check` after the change"#;
    assert_eq!(place.errors(&[]), expected);
}

#[test]
fn a_list_of_tables_in_two_files_is_refused_and_not_replaced() {
    let import = "[[imports]]\nconnection = \"d\"\nfiles = \"*.csv\"\n";
    let place = Place::new(&[
        (
            "stundenbuch.toml",
            &format!("{import}[connections.d]\nconnector = \"folder\"\npath = \"d\"\n{NEEDED}"),
        ),
        (
            "conf.d/a.toml",
            "imports = [{ connection = \"d\", files = \"*.json\" }]\n",
        ),
    ]);
    let expected = r#"error: the configuration has 1 mistake
  conf.d/a.toml:1:1  imports
    would replace the list at stundenbuch.toml:1
    write the whole list in one of the two files

hint: config/example.toml explains every key; run `stundenbuch check` after the change"#;
    assert_eq!(place.errors(&[]), expected);
}

#[test]
fn without_any_file_the_places_are_named() {
    let errors = layers::find(None, &["./no.toml", "/no/such.toml"]).unwrap_err();
    let expected = r#"error: no configuration was found
  looked for ./no.toml
  looked for /no/such.toml

hint: `stundenbuch init` writes one, and `stundenbuch demo` shows everything without"#;
    assert_eq!(crate::error_text::of(&anyhow::Error::new(errors)), expected);
    let named = Config::load(Some(Path::new("no/such.toml")), &BTreeMap::new());
    assert_eq!(
        named.unwrap_err().to_string(),
        "no configuration was found\n  looked for no/such.toml"
    );
}

#[test]
fn the_first_place_that_exists_counts() {
    let place = place();
    let there = place.main();
    let text = there.to_str().unwrap();
    let found = layers::find(None, &["/no/such.toml", text, "/no/other.toml"]);
    assert_eq!(found, Ok(PathBuf::from(text)));
}
