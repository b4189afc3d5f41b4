//! Two clients in one ledger, and words that give them away.
//!
//! Every text of the client that will be erased has [`LOOSE`] in it where it should go at once,
//! and [`BOUND`] where a sealed statement keeps it. Texts are long enough to fill pages.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use chrono::{DateTime, NaiveDate, TimeDelta, Utc};
use serde_json::{Value, json};
use stundenbuch::config::Config;
use stundenbuch::erase::{Plan, plan};
use stundenbuch::finding::{Finding, Kind, Severity};
use stundenbuch::ledger::{Event, hex, sha256};
use stundenbuch::run::intake::take_in;
use stundenbuch::run::review;
use stundenbuch::statements;
use stundenbuch::store::{Error, NewParcel, Store};
use stundenbuch::work::RecordKey;
use stundenbuch_connectors::contract::{Absent, Cursor, Identified, Raw};
use stundenbuch_connectors::error::Reject;
use stundenbuch_connectors::record::{
    Activity, ExternalId, File, Named, Person, PersonRef, Project, Record, Stream, Task, TaskState,
    TimeEntry, Worked,
};
use tempfile::TempDir;

/// In every text of the erased client that should go at once.
pub(super) const LOOSE: &str = "kanarie";
/// In every text of it that a sealed statement keeps.
pub(super) const BOUND: &str = "bleibtnoch";
/// In every text of the other client.
pub(super) const OTHER: &str = "birkenzeisig";

/// The card of the erased client.
const CARD: &str = "kanarie-card";

const CONFIG: &str = r#"
[issuer]
name = "Mara Lindgrün"
address = ["Gartenweg 3", "50667 Köln"]
tax_number = "215/5081/0815"

[ledger]
path = "state/ledger.db"

[connections.drive]
connector = "folder"
path = "drive"

[clients.ahorn]
name = "bleibtnoch Ahorn GmbH"
address = ["bleibtnoch Marktplatz 1"]

[clients.ahorn.sources]
clients = ["kanarie Kunde"]
projects = ["bleibtnoch Projekt", "kanarie Projekt"]
boards = ["kanarie Brett"]
folders = ["drive:kanarie Ordner"]

[[clients.ahorn.contracts]]
from = 2026-01-01
rate = "59.00"

[clients.birke]
name = "birkenzeisig Birke GmbH"
address = ["birkenzeisig Hof"]

[clients.birke.sources]
projects = ["birkenzeisig Projekt"]
boards = ["birkenzeisig Brett"]
folders = ["drive:birkenzeisig Ordner"]

[[clients.birke.contracts]]
from = 2026-01-01
rate = "61.00"
"#;

/// A directory with a configuration and, in one of its own, a ledger.
pub(super) struct Town {
    pub(super) dir: TempDir,
    pub(super) config: Config,
    pub(super) store: Store,
}

pub(super) fn at(text: &str) -> DateTime<Utc> {
    text.parse().unwrap()
}

pub(super) fn now() -> DateTime<Utc> {
    at("2026-11-03T02:15:00Z")
}

pub(super) fn today() -> NaiveDate {
    now().date_naive()
}

/// The first day on which nothing is kept any more.
pub(super) fn free() -> NaiveDate {
    NaiveDate::from_ymd_opt(2035, 1, 1).unwrap()
}

/// A text that fills more than a page, all of it telling.
fn long(word: &str) -> String {
    format!("{word} ").repeat(900)
}

impl Town {
    /// Only the configuration and an empty ledger.
    pub(super) fn empty() -> Self {
        let dir = tempfile::tempdir().unwrap();
        for name in ["state", "drive"] {
            std::fs::create_dir(dir.path().join(name)).unwrap();
        }
        let file = dir.path().join("stundenbuch.toml");
        std::fs::write(&file, CONFIG).unwrap();
        let config = Config::load(Some(&file), &BTreeMap::default()).unwrap();
        let store = Store::open(&config.ledger, now()).unwrap();
        Self { dir, config, store }
    }

    /// Everything that there can be of both clients, with October sealed.
    pub(super) fn full() -> Self {
        let mut town = Self::empty();
        town.take_ahorn();
        town.take_birke();
        town.remember();
        town.decide();
        let Self { store, config, .. } = &mut town;
        review::review(store, config, now()).unwrap();
        // What a person or a later night changes keeps no memory of before.
        let card = key("trello", Stream::Tasks, CARD);
        let work = store
            .work_of(&key("toggl", Stream::Time, "102"))
            .unwrap()
            .unwrap();
        for task in [None, Some(&card), None] {
            store
                .write(|writer| writer.set_match(now(), work, task, "kanarie evidence"))
                .unwrap();
        }
        town.seal("ahorn");
        town.seal("birke");
        town.deliver("2026-0001", BOUND);
        town
    }

    pub(super) fn ledger(&self) -> PathBuf {
        self.config.ledger.clone()
    }

    /// One record as a page brings it.
    pub(super) fn take(&mut self, connection: &str, scope: &str, id: &str, record: Record) {
        let raw = Raw {
            stream: record.stream(),
            id: ExternalId::new(id),
            body: json!({"id": id, "received": record}).to_string(),
            scope: scope.to_owned(),
        };
        let read = Ok(vec![Identified {
            id: ExternalId::new(id),
            record,
        }]);
        self.take_raw(connection, &raw, read);
    }

    fn take_raw(&mut self, connection: &str, raw: &Raw, read: Result<Vec<Identified>, Reject>) {
        let taken = self.store.write(|writer| {
            let mut counts = stundenbuch::run::intake::Counts::default();
            take_in(writer, now(), connection, raw, read, &mut counts)
        });
        taken.unwrap();
    }

    /// What the tools say of the client that will be erased.
    fn take_ahorn(&mut self) {
        let billed = entry(3, "bleibtnoch Projekt", &long(BOUND));
        let mut first = billed.clone();
        first.description = long(LOOSE);
        // A superseded state of what is billed, the state itself, and the same from a file.
        self.take("toggl", "1", "101", Record::TimeEntry(first));
        self.take("toggl", "1", "101", Record::TimeEntry(billed.clone()));
        self.take(
            "file:toggl-csv",
            "csv",
            "kanarie-row",
            Record::TimeEntry(billed),
        );
        let mut free = entry(9, "kanarie Projekt", &long(LOOSE));
        free.billable = Some(false);
        free.client = Named::by_name("kanarie Kunde");
        free.task = Named::by_name("kanarie Aufgabe");
        free.tags = vec!["kanarie Schlagwort".into()];
        free.person = Some(person("kanarie Person"));
        self.take("toggl", "1", "102", Record::TimeEntry(free.clone()));
        free.client = None;
        free.project = None;
        free.description = "kanarie ohne Projekt".into();
        self.take("toggl", "1", "102", Record::TimeEntry(free));
        // What became the other client's, and was this one's before.
        let moved = entry(12, "kanarie Projekt", "kanarie zuerst");
        self.take("toggl", "1", "103", Record::TimeEntry(moved));
        let moved = entry(12, "birkenzeisig Projekt", "birkenzeisig jetzt");
        self.take("toggl", "1", "103", Record::TimeEntry(moved));
        self.take_ahorns_things();
    }

    /// Its board, its contact, its files, and what nobody could read.
    fn take_ahorns_things(&mut self) {
        self.take(
            "trello",
            "b1",
            CARD,
            Record::Task(task("kanarie Brett", LOOSE)),
        );
        self.take(
            "trello",
            "b1",
            "a1",
            Record::Activity(activity(CARD, LOOSE)),
        );
        self.take(
            "trello",
            "b1",
            "a2",
            Record::Activity(activity("gone", LOOSE)),
        );
        self.take(
            "trello",
            "account",
            "b1",
            Record::Project(project("kanarie Brett")),
        );
        self.take(
            "trello",
            "account",
            "m1",
            Record::Person(contact("kanarie Kontakt")),
        );
        for path in ["kanarie Ordner/kanarie.txt", "kanarie Ordner/weg.txt"] {
            self.take("drive", ".", path, Record::File(file(path)));
        }
        self.delete(
            "drive",
            Stream::Files,
            "kanarie Ordner/weg.txt",
            "kanarie proof",
        );
        let raw = Raw {
            stream: Stream::Tasks,
            id: ExternalId::new("kanarie-unread"),
            body: json!({"name": long(LOOSE)}).to_string(),
            scope: "b1".into(),
        };
        self.take_raw("trello", &raw, Err(Reject::new("a kanarie in the mine")));
    }

    fn take_birke(&mut self) {
        let one = entry(4, "birkenzeisig Projekt", &long(OTHER));
        self.take("toggl", "1", "201", Record::TimeEntry(one));
        self.take(
            "trello",
            "b2",
            "c2",
            Record::Task(task("birkenzeisig Brett", OTHER)),
        );
        self.take(
            "trello",
            "b2",
            "a3",
            Record::Activity(activity("c2", OTHER)),
        );
        self.take(
            "trello",
            "account",
            "b2",
            Record::Project(project("birkenzeisig Brett")),
        );
        self.take(
            "trello",
            "account",
            "m2",
            Record::Person(contact("birkenzeisig Helfer")),
        );
        let path = "birkenzeisig Ordner/birkenzeisig.txt";
        self.take("drive", ".", path, Record::File(file(path)));
    }

    fn delete(&mut self, connection: &str, stream: Stream, id: &str, proof: &str) {
        let key = key(connection, stream, id);
        let deleted = self
            .store
            .write(|writer| writer.append_deletion(now(), &key, proof));
        assert!(deleted.unwrap());
    }

    /// What the running program remembers.
    fn remember(&mut self) {
        let cursor = json!({
            "projects": {"1": {"name": "bleibtnoch Projekt", "client": {"name": "kanarie Kunde"}},
                         "2": {"name": "birkenzeisig Projekt"}},
            "tasks": {"7": "kanarie Aufgabe"}, "tags": {"8": "kanarie Schlagwort"},
        });
        let absent = Absent {
            stream: Stream::Files,
            id: ExternalId::new("kanarie Ordner/kanarie.txt"),
            scope: ".".into(),
        };
        let mut sick = Finding {
            kind: Kind::SourceNotice,
            severity: Severity::Note,
            subject: "trello".into(),
            other: None,
            client: None,
            sentence: "`trello` says: closed boards: kanarie Brett".into(),
            action: "Nothing.".into(),
        };
        let written = self.store.write(|writer| {
            writer.set_cursor("toggl", &Cursor::stored(Some(cursor.to_string())))?;
            writer.pulled("toggl", now(), false)?;
            writer.pull_failed("trello", now(), "the board kanarie Brett is gone")?;
            writer.note_absent("drive", &[absent], false)?;
            writer.open_finding(now(), &sick)?;
            sick.sentence.push_str(", kanarie Brett 2");
            writer.open_finding(now() + TimeDelta::hours(1), &sick)?;
            let run = writer.begin_run(now(), "command")?;
            writer.end_run(now(), run, &json!({"notices": [long(LOOSE)]}).to_string())?;
            writer.set_imported("drive", "kanarie Ordner/liste.csv", "1")?;
            writer.set_imported("drive", "birkenzeisig Ordner/liste.csv", "1")
        });
        written.unwrap();
    }

    /// What people and the program decided.
    fn decide(&mut self) {
        let task = |id: &str| json!({"connection": "trello", "stream": "tasks", "id": id});
        let rows = [
            (
                "ahorn",
                "alias",
                json!({"text": "kanarie text", "task": task(CARD)}),
            ),
            (
                "",
                "alias",
                json!({"text": "kanarie namenlos", "task": task(CARD)}),
            ),
            (
                "birke",
                "alias",
                json!({"text": "birkenzeisig text", "task": task("c2")}),
            ),
            (
                "client/ahorn",
                "configured",
                json!({"program": "x", "settings": {"name": LOOSE}}),
            ),
            (
                "client/birke",
                "configured",
                json!({"program": "x", "settings": {"name": OTHER}}),
            ),
        ];
        for (subject, kind, payload) in rows {
            self.append(subject, kind, &payload);
        }
    }

    pub(super) fn append(&mut self, subject: &str, kind: &str, payload: &Value) {
        let event = Event::read(kind, &payload.to_string()).unwrap();
        let appended = self
            .store
            .write(|writer| writer.append(now(), subject, &event));
        appended.unwrap();
    }

    pub(super) fn seal(&mut self, client: &str) {
        let client = self.config.client(client).unwrap();
        let october = "2026-10".parse().unwrap();
        statements::seal(&mut self.store, &self.config, client, october, now()).unwrap();
    }

    /// A document of a statement, delivered, with its finding.
    fn deliver(&mut self, number: &str, word: &str) {
        let path = format!("{word} Ordner/{number}.csv");
        let key = format!("{number}/drive/{path}");
        let bytes = long(LOOSE);
        let beside = Finding {
            kind: Kind::DeliveredBeside,
            severity: Severity::Check,
            subject: key.clone(),
            other: None,
            client: None,
            sentence: format!("{LOOSE} lies beside {path}."),
            action: "Look.".into(),
        };
        let delivered = json!({
            "connection": "drive", "sha256": hex(&sha256(bytes.as_bytes())),
            "location": path, "outcome": "beside",
        });
        let event = Event::read("delivered", &delivered.to_string()).unwrap();
        let written = self.store.write(|writer| {
            let parcel = NewParcel {
                key: &key,
                connection: "drive",
                statement: number,
                path: &path,
                sha256: &hex(&sha256(bytes.as_bytes())),
                bytes: bytes.as_bytes(),
            };
            writer.enqueue(now(), &parcel)?;
            writer.parcel_delivered(now(), 1, &path, "beside")?;
            writer.open_finding(now(), &beside)?;
            writer.append(now(), &key, &event)
        });
        written.unwrap();
    }

    pub(super) fn plan(&self, client: &str, today: NaiveDate) -> Plan {
        plan(&self.store, &self.config, client, today).unwrap()
    }

    /// Erases without writing the file anew.
    pub(super) fn erase(&mut self, client: &str, today: NaiveDate) -> Plan {
        let plan = self.plan(client, today);
        let done: Result<u64, Error> = self
            .store
            .write(|writer| writer.erase(now(), &plan.erasure));
        done.unwrap();
        plan
    }

    /// Runs the program on these files. The store must be closed where it writes anew.
    pub(super) fn run(&self, arguments: &[&str]) -> Output {
        Command::new(env!("CARGO_BIN_EXE_stundenbuch"))
            .args(arguments)
            .current_dir(self.dir.path())
            .env_clear()
            .stdin(std::process::Stdio::null())
            .output()
            .unwrap()
    }
}

/// The words on both outputs.
pub(super) fn words(output: &Output) -> String {
    [&output.stdout, &output.stderr]
        .map(|bytes| String::from_utf8_lossy(bytes).into_owned())
        .concat()
}

/// The files under a directory in which a word stands, in any case of its letters.
pub(super) fn holding(directory: &Path, word: &str) -> Vec<PathBuf> {
    let mut found = Vec::new();
    for entry in std::fs::read_dir(directory).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            found.extend(holding(&path, word));
            continue;
        }
        let bytes = std::fs::read(&path).unwrap().to_ascii_lowercase();
        let word = word.to_lowercase();
        if bytes
            .windows(word.len())
            .any(|part| part == word.as_bytes())
        {
            found.push(path);
        }
    }
    found
}

pub(super) fn key(connection: &str, stream: Stream, id: &str) -> RecordKey {
    RecordKey {
        connection: connection.into(),
        stream,
        id: ExternalId::new(id),
    }
}

/// An hour of a day in October.
pub(super) fn entry(day: u32, project: &str, text: &str) -> TimeEntry {
    let start = at("2026-10-01T07:00:00Z") + TimeDelta::days(i64::from(day) - 1);
    TimeEntry {
        worked: Worked::Span {
            start,
            stop: start + TimeDelta::hours(1),
        },
        description: text.to_owned(),
        person: Some(person("Mara Lindgrün")),
        client: None,
        project: Named::by_name(project),
        task: None,
        tags: Vec::new(),
        billable: Some(true),
    }
}

fn person(name: &str) -> PersonRef {
    PersonRef {
        id: None,
        name: Some(name.to_owned()),
        email: None,
    }
}

fn contact(name: &str) -> Person {
    Person {
        name: name.to_owned(),
        email: Some(format!("{name}@example.org").replace(' ', ".")),
    }
}

fn project(name: &str) -> Project {
    Project {
        name: name.to_owned(),
        client: None,
        archived: false,
        url: Some(format!("https://boards.example/{name}")),
    }
}

fn task(board: &str, word: &str) -> Task {
    Task {
        title: format!("{word} Karte"),
        notes: long(word),
        project: Named::by_name(board),
        section: Named::by_name(&format!("{word} Liste")),
        state: TaskState::Open,
        archived: false,
        short_id: Some(format!("{word}-7")),
        url: Some(format!("https://trello.example/c/{word}")),
        assignees: vec![person(&format!("{word} Helfer"))],
        labels: vec![format!("{word} Etikett")],
        created: None,
        done_at: None,
        due: None,
        tracked_seconds: None,
        fields: BTreeMap::from([(format!("{word} Feld"), format!("{word} Wert"))]),
    }
}

fn activity(task: &str, word: &str) -> Activity {
    Activity {
        task: ExternalId::new(task),
        at: now(),
        what: format!("moved to {word}"),
        person: Some(person(&format!("{word} Helfer"))),
        text: long(word),
    }
}

fn file(path: &str) -> File {
    File {
        path: path.to_owned(),
        size: Some(1),
        modified: Some(at("2026-10-03T07:30:00Z")),
        modified_by: None,
        version: None,
    }
}
