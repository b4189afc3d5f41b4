//! The files of the program in a history's world: its directory and its configuration.

use std::collections::BTreeMap;
use std::path::Path;

use stundenbuch::config::Config;
use stundenbuch::run::sources::Environment;
use tempfile::TempDir;

use super::plan::{Per, Setup, Terms};
use super::world::World;
use crate::fakes::{toggl, trello};

/// Where documents go on the drive.
pub(crate) const FOLDER: &str = "Berichte";
/// The keys of both clients.
pub(crate) const CLIENTS: [&str; 2] = ["ahorn", "birke"];

/// A directory of its own, in memory where there is such a place: thousands of histories would
/// otherwise wait for the disk most of the time.
pub(crate) fn directory() -> TempDir {
    let memory = Path::new("/dev/shm");
    if memory.is_dir() {
        TempDir::with_prefix_in("stundenbuch-sim-", memory).unwrap()
    } else {
        tempfile::tempdir().unwrap()
    }
}

/// Writes the configuration, and reads it as the program does.
pub(crate) fn configure(setup: &Setup, world: &World) -> (Config, Environment) {
    let file = world.dir.path().join("stundenbuch.toml");
    std::fs::write(&file, text(setup, world)).unwrap();
    let variables = [
        ("TOGGL_TOKEN", toggl::TOKEN),
        ("TRELLO_KEY", trello::KEY),
        ("TRELLO_TOKEN", trello::TOKEN),
    ];
    let variables: BTreeMap<_, _> = variables
        .map(|(name, value)| (name.to_owned(), value.to_owned()))
        .into();
    let config = Config::load(Some(&file), &variables).unwrap();
    (config, Environment { variables })
}

fn text(setup: &Setup, world: &World) -> String {
    let history = super::calendar::day_text(setup.base - 40);
    let mut text = format!(
        r#"[issuer]
name = "Mara Lindgrün"
tax_number = "215/5081/0815"

[ledger]
path = "ledger.db"

[connections.toggl]
connector = "toggl"
token = {{ env = "TOGGL_TOKEN" }}
history_from = {history}
api_url = "{}"
reports_url = "{}"

[connections.trello]
connector = "trello"
key = {{ env = "TRELLO_KEY" }}
token = {{ env = "TRELLO_TOKEN" }}
api_url = "{}/1"

[connections.drive]
connector = "folder"
path = "drive"
"#,
        world.toggl.api_url(),
        world.toggl.reports_url(),
        world.boards.base(),
    );
    let names = ["Bäckerei Ahorn", "Café Birke"];
    for (nth, terms) in setup.terms.iter().enumerate() {
        text += &client(CLIENTS[nth], names[nth], &format!("Kunde {nth}"), terms);
    }
    text
}

fn client(key: &str, name: &str, board: &str, terms: &Terms) -> String {
    let vat = terms
        .vat
        .map_or(String::new(), |vat| format!("vat = {vat}\n"));
    let step = match terms.step {
        0 => "exact".to_owned(),
        minutes => format!("{minutes}m"),
    };
    let mode = if terms.up { "up" } else { "nearest" };
    let per = match terms.per {
        Per::Entry => "entry",
        Per::Day => "day",
        Per::Line => "line",
    };
    format!(
        r#"
[clients.{key}]
name = "{name}"
sources = {{ clients = ["{name}"], boards = ["{board}"] }}

[[clients.{key}.contracts]]
from = 2020-01-01
rate = "{}"
{vat}group_by = "{}"
rounding = {{ step = "{step}", mode = "{mode}", per = "{per}" }}

[[clients.{key}.deliver]]
connection = "drive"
folder = "{FOLDER}"
formats = ["csv", "json"]
"#,
        terms.rate, terms.group
    )
}
