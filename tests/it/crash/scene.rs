//! One case: a directory with everything that the program has, its services, and the program.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use tempfile::TempDir;

use super::services::Services;
use super::stopper::{self, Answer, Call, Ended, Stop};
use crate::fakes::{toggl, trello};

/// The program's directory and its services. What the program says is kept outside.
#[derive(Debug)]
pub(super) struct Scene {
    dir: TempDir,
    pub(super) services: Services,
}

/// How a run of the program ended.
#[derive(Debug)]
pub(super) struct Ran {
    pub(super) ended: Ended,
    pub(super) words: String,
}

impl Ran {
    /// It did what it was asked to; findings are no failure.
    pub(super) fn is_fine(&self) -> bool {
        matches!(self.ended, Ended::Exit(0 | 1))
    }
}

impl Scene {
    /// What lies in `base`, or a fresh start, and a configuration that names these services.
    pub(super) fn new(base: Option<&Path>, services: Services) -> Self {
        let dir = tempfile::tempdir().unwrap();
        let home = dir.path().join("home");
        match base {
            Some(base) => copy(base, &home),
            None => fs::create_dir_all(home.join("drive")).unwrap(),
        }
        fs::write(home.join("stundenbuch.toml"), toml(&services)).unwrap();
        fs::write(home.join("hours.csv"), hours(&services)).unwrap();
        Self { dir, services }
    }

    /// The directory in which the program runs.
    pub(super) fn home(&self) -> PathBuf {
        self.dir.path().join("home")
    }

    /// Runs the program to its end.
    pub(super) fn run(&self, args: &[&str]) -> Ran {
        run_in(&self.home(), args)
    }

    /// Whether a call lets people hear something.
    pub(super) fn hears(&self, call: &Call) -> bool {
        call.goes_to(&self.words())
    }

    fn words(&self) -> PathBuf {
        self.dir.path().join("words")
    }

    /// Runs the program and has `gate` decide at each call that writes.
    pub(super) fn run_stopped(
        &self,
        args: &[&str],
        gate: &mut dyn FnMut(Stop<'_>) -> Answer,
    ) -> Ran {
        let words = self.words();
        let ended = stopper::run(&program(&self.home(), args), &words, gate);
        Ran {
            ended,
            words: fs::read_to_string(&words).unwrap_or_default(),
        }
    }
}

/// The ledger of a home.
pub(super) fn ledger(home: &Path) -> PathBuf {
    home.join("var/ledger.db")
}

/// Runs the program in a home to its end.
pub(super) fn run_in(home: &Path, args: &[&str]) -> Ran {
    let output = program(home, args).output().unwrap();
    let words = [output.stdout, output.stderr].concat();
    Ran {
        ended: output.status.code().map_or(Ended::Signal(0), Ended::Exit),
        words: String::from_utf8_lossy(&words).into_owned(),
    }
}

fn program(home: &Path, args: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_stundenbuch"));
    command.args(args).current_dir(home).env_clear().envs([
        ("TOGGL_TOKEN", toggl::TOKEN),
        ("TRELLO_KEY", trello::KEY),
        ("TRELLO_TOKEN", trello::TOKEN),
    ]);
    command
}

/// Copies a directory with everything in it.
pub(super) fn copy(from: &Path, to: &Path) {
    fs::create_dir_all(to).unwrap();
    for entry in fs::read_dir(from).unwrap() {
        let entry = entry.unwrap();
        let target = to.join(entry.file_name());
        if entry.file_type().unwrap().is_dir() {
            copy(&entry.path(), &target);
        } else {
            fs::copy(entry.path(), target).unwrap();
        }
    }
}

/// An export of work that no service has: evenings of the first days.
fn hours(services: &Services) -> String {
    let begin = services
        .toggl
        .with(|world| world.entries.values().map(|it| it.start).min());
    let begin = begin.expect("there are entries").date_naive();
    let mut text = String::from(
        "User,Email,Client,Project,Task,Description,Billable,Start date,Start time,End date,\
         End time,Duration,Tags\n",
    );
    for (number, day) in begin.iter_days().take(10).enumerate() {
        text += &format!(
            "Mara Lindgrün,mara@lindgruen.example,Bäckerei Ahorn,Relaunch,,Abend {number},Yes,\
             {day},19:00:00,{day},20:10:00,01:10:00,\n"
        );
    }
    text
}

fn toml(services: &Services) -> String {
    format!(
        r#"[issuer]
name = "Mara Lindgrün"
address = ["Gartenweg 3", "50667 Köln"]
tax_number = "215/5081/0815"

[ledger]
path = "var/ledger.db"

[connections.toggl]
connector = "toggl"
token = {{ env = "TOGGL_TOKEN" }}
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

[clients.ahorn]
name = "Bäckerei Ahorn GmbH"
address = ["Marktplatz 1", "50667 Köln"]

[clients.ahorn.sources]
clients = ["Bäckerei Ahorn"]
boards = ["Kunde 0", "Kunde 1"]

[[clients.ahorn.contracts]]
from = 2020-01-01
rate = "59.00"
vat = 19
group_by = "task"

[[clients.ahorn.deliver]]
connection = "drive"
folder = "Berichte/Ahorn"
formats = ["csv", "json"]
"#,
        services.toggl.api_url(),
        services.toggl.reports_url(),
        services.boards.base(),
    )
}
