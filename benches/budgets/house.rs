//! A directory with a configuration, a time sheet and a ledger, for the measurements to share.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::path::{Path, PathBuf};

use chrono::{DateTime, Utc};
use stundenbuch::config::Config;
use stundenbuch::run::import::{Keep, import_file};
use stundenbuch::run::review;
use stundenbuch::store::{Error, Store};
use stundenbuch::work::RecordKey;
use stundenbuch_connectors::contract::Raw;
use stundenbuch_connectors::import::toggl_csv::TogglCsv;
use stundenbuch_connectors::import::{DateOrder, Options};
use stundenbuch_connectors::record::{ExternalId, Named, Record, Stream, Task, TaskState};

use crate::sheet::{self, CARDS_EACH, CLIENTS, PROJECTS_EACH, Sheet};
use crate::table::{seconds, timed};

/// One ledger and what belongs to it.
#[derive(Debug)]
pub(crate) struct House {
    pub(crate) dir: PathBuf,
    pub(crate) sheet: Sheet,
    pub(crate) config: Config,
}

impl House {
    /// A house for so many entries of five years, by so many people.
    pub(crate) fn new(dir: &Path, entries: u32, people: u32) -> Self {
        Self::with(dir, Sheet::over_five_years(entries, people))
    }

    pub(crate) fn with(dir: &Path, sheet: Sheet) -> Self {
        std::fs::create_dir_all(dir).unwrap();
        let file = dir.join("stundenbuch.toml");
        std::fs::write(&file, configuration(sheet.people)).unwrap();
        let config =
            Config::load(Some(&file), &BTreeMap::new()).unwrap_or_else(|errors| panic!("{errors}"));
        Self {
            dir: dir.to_owned(),
            sheet,
            config,
        }
    }

    pub(crate) fn csv(&self) -> PathBuf {
        let path = self.dir.join("hours.csv");
        if !path.exists() {
            self.sheet.write(&path);
        }
        path
    }

    /// The ledger with everything imported, and nothing reviewed yet.
    pub(crate) fn imported(&self) -> PathBuf {
        let path = self.dir.join("imported.db");
        if !path.exists() {
            let csv = self.csv();
            build(&path, |path| {
                let mut store = Store::open(path, now()).unwrap();
                append_cards(&mut store);
                import(&mut store, &csv);
            });
        }
        path
    }

    /// The same after its first review: what the program has after a full sync.
    pub(crate) fn reviewed(&self) -> PathBuf {
        let path = self.dir.join("ledger.db");
        if !path.exists() {
            let imported = self.imported();
            build(&path, |path| {
                copy(&imported, path);
                let mut store = Store::open(path, now()).unwrap();
                let (took, new) = timed(|| review::review(&mut store, &self.config, now()));
                let new = new.unwrap();
                eprintln!("  the first review: {}, {new} findings", seconds(took));
            });
        }
        path
    }

    /// A copy of the reviewed ledger, to be changed.
    pub(crate) fn scratch(&self) -> PathBuf {
        let path = self.dir.join("scratch.db");
        copy(&self.reviewed(), &path);
        path
    }
}

/// Makes a file whole or not at all, so that an interrupted measurement leaves no half of one.
fn build(path: &Path, make: impl FnOnce(&Path)) {
    let unfinished = path.with_extension("unfinished");
    remove(&unfinished);
    make(&unfinished);
    std::fs::rename(&unfinished, path).unwrap();
}

/// Copies a ledger that nobody has open; its last connection has emptied the log beside it.
fn copy(from: &Path, to: &Path) {
    remove(to);
    std::fs::copy(from, to).unwrap();
}

/// Removes a ledger with the files that SQLite and the program keep beside it.
pub(crate) fn remove(path: &Path) {
    for end in ["", "-wal", "-shm", ".lock"] {
        let mut name = path.as_os_str().to_owned();
        name.push(end);
        let _ = std::fs::remove_file(PathBuf::from(name));
    }
}

/// When the measurements take place, as far as the program is told.
pub(crate) fn now() -> DateTime<Utc> {
    "2026-11-22T02:15:00Z".parse().unwrap()
}

/// Imports a time sheet; how many entries were new or changed.
pub(crate) fn import(store: &mut Store, csv: &Path) -> u64 {
    let options = Options {
        time_zone: chrono_tz::Europe::Berlin,
        dates: DateOrder::Detect,
    };
    let counts = import_file(store, now(), csv, &TogglCsv, &options, Keep::Yes)
        .unwrap_or_else(|error| panic!("{error}: {:?}", error.details()));
    counts.new + counts.changed
}

/// Puts each client's board into the ledger, as if it had been pulled.
pub(crate) fn append_cards(store: &mut Store) {
    let append = |writer: &mut stundenbuch::store::Writer<'_>| -> Result<(), Error> {
        for client in 0..CLIENTS {
            for card in 0..CARDS_EACH {
                let id = ExternalId::new(format!("{:024x}", client * 1_000 + card + 1));
                let key = RecordKey {
                    connection: "trello".into(),
                    stream: Stream::Tasks,
                    id: id.clone(),
                };
                let record = Record::Task(task(client, card));
                let raw = Raw {
                    stream: Stream::Tasks,
                    id,
                    body: serde_json::to_string(&record).unwrap(),
                    scope: board_name(client),
                };
                writer.append_record(now(), &key, record, &raw)?;
            }
        }
        Ok(())
    };
    store.write(append).unwrap();
}

fn task(client: u32, card: u32) -> Task {
    Task {
        title: sheet::card_title(client, card),
        notes: "Was zu tun ist, steht in der Ablage.".into(),
        project: Named::by_name(&board_name(client)),
        section: Named::by_name("In Arbeit"),
        state: TaskState::Open,
        archived: false,
        short_id: Some(format!("Ab{:06}", client * 1_000 + card)),
        url: None,
        assignees: Vec::new(),
        labels: Vec::new(),
        created: None,
        done_at: None,
        due: None,
        tracked_seconds: None,
        fields: BTreeMap::new(),
    }
}

fn board_name(client: u32) -> String {
    format!("Tafel {client:02}")
}

/// The key of a client in the configuration.
pub(crate) fn client_key(client: u32) -> String {
    format!("kunde{client:02}")
}

/// All clients with their projects, rates and boards, and no connection.
fn configuration(people: u32) -> String {
    let mut text = String::from(
        "[issuer]\nname = \"Studio Beispiel\"\naddress = [\"Gartenweg 3\", \"50667 Köln\"]\n\
         tax_number = \"215/5081/0815\"\n\n[ledger]\npath = \"scratch.db\"\n",
    );
    for person in 0..people {
        write!(
            text,
            "\n[people.p{person}]\nname = \"Person {person}\"\n\
             known_as = [\"person{person}@studio.example\"]\n",
        )
        .unwrap();
    }
    for client in 0..CLIENTS {
        let projects: Vec<String> = (0..PROJECTS_EACH)
            .map(|project| format!("{:?}", sheet::project_name(client, project)))
            .collect();
        write!(
            text,
            "\n[clients.{key}]\nname = {name:?}\naddress = [\"Marktplatz 1\", \"50667 Köln\"]\n\
             [clients.{key}.sources]\nclients = [{name:?}]\nprojects = [{}]\nboards = [{:?}]\n\
             [[clients.{key}.contracts]]\nfrom = 2021-01-01\nrate = \"59.00\"\nvat = 19\n",
            projects.join(", "),
            board_name(client),
            key = client_key(client),
            name = sheet::client_name(client),
        )
        .unwrap();
    }
    text
}
