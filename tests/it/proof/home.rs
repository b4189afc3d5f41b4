//! A client, four months of work and a drive; everything is done by the program itself.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};

use rusqlite::Connection;
use stundenbuch::ledger::Heads;
use stundenbuch::store::Store;

const CONFIG: &str = r#"
[issuer]
name = "Mara Lindgrün"
address = ["Gartenweg 3", "50667 Köln"]
tax_number = "215/5081/0815"

[ledger]
path = "ledger.db"
# ANCHORS

[statements]
number = "R {0000}"

[connections.drive]
connector = "folder"
path = "drive"

[clients.ahorn]
name = "Bäckerei Ahorn"
address = ["Marktplatz 1"]

[clients.ahorn.sources]
clients = ["Ahorn"]

[[clients.ahorn.contracts]]
from = 2026-01-01
rate = "59.00"

[[clients.ahorn.deliver]]
connection = "drive"
formats = ["csv"]
"#;

const HEADER: &str = "User,Email,Client,Project,Task,Description,Billable,Start date,Start time,\
                      End date,End time,Duration,Tags\n";

/// An hour a month, and one more each month.
fn csv() -> String {
    (1..=4).fold(HEADER.to_owned(), |csv, month| {
        csv + &format!(
            "Mara,m@lind.example,Ahorn,Web,,Monat {month},Yes,2026-0{month}-12,08:00:00,\
             2026-0{month}-12,{:02}:00:00,0{month}:00:00,\n",
            8 + month
        )
    })
}

pub(super) struct Home {
    pub(super) dir: tempfile::TempDir,
}

/// What a command came to. Places of this run are `DIR`, its instants `NOW`.
#[derive(Debug)]
pub(super) struct Said {
    pub(super) code: i32,
    pub(super) out: String,
    pub(super) err: String,
}

impl Home {
    pub(super) fn new() -> Self {
        Self::with("", "")
    }

    /// With keys in `[ledger]` and with sections behind everything else.
    pub(super) fn with(anchors: &str, sections: &str) -> Self {
        let home = Self {
            dir: tempfile::tempdir().unwrap(),
        };
        home.configure(anchors, sections);
        fs::write(home.path("work.csv"), csv()).unwrap();
        fs::create_dir(home.path("drive")).unwrap();
        home.must(&["import", "work.csv"], 0);
        home
    }

    pub(super) fn configure(&self, anchors: &str, sections: &str) {
        let text = CONFIG.replace("# ANCHORS", anchors) + sections;
        fs::write(self.path("stundenbuch.toml"), text).unwrap();
    }

    pub(super) fn path(&self, name: &str) -> PathBuf {
        self.dir.path().join(name)
    }

    pub(super) fn ledger(&self) -> PathBuf {
        self.path("ledger.db")
    }

    pub(super) fn heads(&self) -> Heads {
        Heads::read(&fs::read(self.path("ledger.db.heads")).unwrap())
    }

    /// The number of the last row.
    pub(super) fn rows(&self) -> u64 {
        Store::open_read_only(&self.ledger())
            .unwrap()
            .head()
            .unwrap()
            .seq
    }

    pub(super) fn numbers(&self) -> Vec<String> {
        let store = Store::open_read_only(&self.ledger()).unwrap();
        let all = store.statements().unwrap().into_iter();
        all.map(|it| it.number).collect()
    }

    pub(super) fn command(&self, args: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_stundenbuch"));
        command
            .args(args)
            .current_dir(self.dir.path())
            .env_clear()
            .stdin(Stdio::null());
        command
    }

    pub(super) fn run(&self, args: &[&str]) -> Said {
        self.said(&self.command(args).output().unwrap())
    }

    pub(super) fn said(&self, output: &Output) -> Said {
        let text = |bytes: &[u8]| {
            let text = String::from_utf8(bytes.to_vec()).unwrap();
            timeless(&text.replace(self.dir.path().to_str().unwrap(), "DIR"))
        };
        Said {
            code: output.status.code().unwrap(),
            out: text(&output.stdout),
            err: text(&output.stderr),
        }
    }

    #[track_caller]
    pub(super) fn must(&self, args: &[&str], code: i32) -> Said {
        let said = self.run(args);
        assert_eq!(said.code, code, "{args:?}: {said:?}");
        said
    }

    /// Seals a month's statement.
    #[track_caller]
    pub(super) fn seal(&self, month: u32) {
        let period = format!("2026-0{month}");
        self.must(&["statement", "seal", "ahorn", "--period", &period], 0);
    }

    /// Puts another file in the ledger's place, as somebody would who does not know better.
    pub(super) fn put_back(&self, copy: &Path) {
        for end in ["-wal", "-shm"] {
            let _ = fs::remove_file(self.path(&format!("ledger.db{end}")));
        }
        fs::copy(copy, self.ledger()).unwrap();
    }

    /// Changes the file as somebody with a shell would, triggers or not.
    pub(super) fn sql(&self, sql: &str) {
        let db = Connection::open(self.ledger()).unwrap();
        db.execute_batch(
            "DROP TRIGGER IF EXISTS journal_no_update; DROP TRIGGER IF EXISTS journal_no_delete;
             PRAGMA foreign_keys = OFF;",
        )
        .unwrap();
        db.execute_batch(sql).unwrap();
    }

    /// The names in the directory that begin with the ledger's.
    pub(super) fn files(&self) -> Vec<String> {
        let mut names: Vec<String> = fs::read_dir(self.dir.path())
            .unwrap()
            .map(|it| it.unwrap().file_name().into_string().unwrap())
            .filter(|name| name.starts_with("ledger.db"))
            .map(|name| timeless(&name))
            .collect();
        names.sort();
        names
    }
}

/// Instants of this run by a word.
fn timeless(text: &str) -> String {
    let mut text = text.to_owned();
    while let Some(at) = text.find(" UTC") {
        let begin = at - "2026-11-22 09:10".len();
        text.replace_range(begin..at + " UTC".len(), "NOW");
    }
    for word in ["replaced-2", "ledger-2"] {
        while let Some(at) = text.find(word) {
            let begin = at + word.len() - 1;
            text.replace_range(begin..begin + "20261122T091000Z".len(), "NOW");
        }
    }
    text
}
