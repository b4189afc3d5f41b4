//! Missing rights, as an ordinary user meets them: who, where, and what to do. Root may do
//! everything, so these run the program as somebody else, and need root for that.

use std::fs;
use std::os::unix::fs::{PermissionsExt as _, chown};
use std::os::unix::process::CommandExt as _;
use std::path::{Path, PathBuf};
use std::process::Command;

use tempfile::TempDir;

/// Nobody, as most systems number it.
const NOBODY: u32 = 65_534;

const CONFIG: &str = r#"[issuer]
name = "Mara Lindgrün"
address = ["Gartenweg 3", "50667 Köln"]
tax_number = "215/5081/0815"

[ledger]
path = "state/ledger.db"

[connections.drive]
connector = "folder"
path = "drive"

[clients.ahorn]
name = "Bäckerei Ahorn"
address = ["Marktplatz 1"]

[clients.ahorn.sources]
projects = ["Relaunch"]

[[clients.ahorn.contracts]]
from = 2026-01-01
rate = "59.00"

[[clients.ahorn.deliver]]
connection = "drive"
formats = ["csv"]
"#;

const TOGGL: &str = "\
User,Email,Client,Project,Task,Description,Billable,Start date,Start time,End date,End time,Duration,Tags
Mara,m@example.org,,Relaunch,,Startseite,Yes,2026-10-01,09:00:00,2026-10-01,10:00:00,01:00:00,
";

/// A home of nobody's, with a ledger in it.
struct Home {
    dir: TempDir,
}

impl Home {
    /// None where this user cannot run the program as another, which is said.
    fn new() -> Option<Self> {
        let home = Self::empty()?;
        fs::create_dir(home.path("state")).unwrap();
        home.give("state");
        assert_eq!(home.run(&["import", "toggl.csv"]).0, 0);
        Some(home)
    }

    fn empty() -> Option<Self> {
        if !rustix::process::geteuid().is_root() {
            println!("SKIPPED: only root can run the program as somebody else");
            return None;
        }
        let dir = tempfile::tempdir().unwrap();
        let home = Self { dir };
        fs::set_permissions(home.dir.path(), fs::Permissions::from_mode(0o755)).unwrap();
        home.write("stundenbuch.toml", CONFIG);
        home.write("toggl.csv", TOGGL);
        fs::create_dir(home.path("drive")).unwrap();
        home.give("drive");
        if home.command(&["--version"]).output().is_err() {
            println!("SKIPPED: another user cannot reach the program");
            return None;
        }
        Some(home)
    }

    fn path(&self, name: &str) -> PathBuf {
        self.dir.path().join(name)
    }

    fn write(&self, name: &str, text: &str) {
        fs::write(self.path(name), text).unwrap();
        self.mode(name, 0o644);
    }

    /// To nobody.
    fn give(&self, name: &str) {
        chown(self.path(name), Some(NOBODY), Some(NOBODY)).unwrap();
    }

    /// To root.
    fn take(&self, name: &str) {
        chown(self.path(name), Some(0), Some(0)).unwrap();
    }

    fn mode(&self, name: &str, mode: u32) {
        fs::set_permissions(self.path(name), fs::Permissions::from_mode(mode)).unwrap();
    }

    fn command(&self, args: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_stundenbuch"));
        command
            .args(args)
            .current_dir(self.dir.path())
            .env_clear()
            .uid(NOBODY)
            .gid(NOBODY);
        command
    }

    /// Runs the program as nobody: its exit code and what it says on stderr.
    fn run(&self, args: &[&str]) -> (i32, String) {
        let output = self.command(args).output().unwrap();
        let said = String::from_utf8(output.stderr).unwrap();
        (output.status.code().unwrap(), said)
    }

    #[track_caller]
    fn says(&self, args: &[&str], code: i32, text: &str) {
        let (found, said) = self.run(args);
        assert_eq!(said, text, "{args:?}");
        assert_eq!(found, code, "{args:?}");
    }

    /// Everything is as before the fault.
    #[track_caller]
    fn is_well(&self) {
        for args in [
            &["import", "toggl.csv"][..],
            &["nightly"],
            &["ledger", "verify"],
        ] {
            let (code, said) = self.run(args);
            assert_eq!(code, 0, "{args:?}: {said}");
        }
    }
}

#[test]
fn a_directory_that_may_not_be_made() {
    let Some(home) = Home::empty() else { return };
    home.says(
        &["nightly"],
        3,
        "error: open the ledger ./state/ledger.db.lock: Permission denied (os error 13)\n\n\
         hint: check that the directory exists and that this user may write there\n",
    );
    assert!(!home.path("state").exists());
}

#[test]
fn a_directory_that_belongs_to_another() {
    let Some(home) = Home::new() else { return };
    home.take("state");
    home.mode("state", 0o700);
    for (args, file) in [
        (&["nightly"][..], "ledger.db.lock"),
        (&["import", "toggl.csv"], "ledger.db.lock"),
        (&["status"], "ledger.db"),
        (&["ledger", "verify"], "ledger.db"),
    ] {
        home.says(
            args,
            3,
            &format!(
                "error: open the ledger ./state/{file}: Permission denied (os error 13)\n\n\
                 hint: check that the directory exists and that this user may write there\n"
            ),
        );
    }
    home.give("state");
    home.is_well();
}

/// SQLite keeps two files beside the ledger while it is open.
#[test]
fn a_directory_that_may_not_be_written() {
    let Some(home) = Home::new() else { return };
    home.mode("state", 0o555);
    for args in [&["nightly"][..], &["import", "toggl.csv"]] {
        home.says(
            args,
            3,
            "error: open the ledger ./state: Permission denied (os error 13)\n\n\
             hint: check that the directory exists and that this user may write there\n",
        );
    }
    home.says(
        &["status"],
        3,
        "error: the ledger cannot be written: it is read-only\n  \
         the ledger is ./state/ledger.db\n\n\
         hint: make the file, its directory and the files beside it (`-wal`, `-shm`) writable \
         for this user; a disk that fails may have become read-only by itself\n",
    );
    home.mode("state", 0o700);
    home.is_well();
}

#[test]
fn a_ledger_that_may_not_be_written() {
    let Some(home) = Home::new() else { return };
    home.mode("state/ledger.db", 0o400);
    home.says(
        &["nightly"],
        3,
        "error: open the ledger ./state/ledger.db: Permission denied (os error 13)\n\n\
         hint: check that the directory exists and that this user may write there\n",
    );
    home.mode("state/ledger.db", 0o600);
    home.is_well();
}

/// What a command that ran as root leaves behind.
#[test]
fn files_that_root_made() {
    let Some(home) = Home::new() else { return };
    home.take("state/ledger.db.lock");
    home.says(
        &["nightly"],
        3,
        "error: open the ledger ./state/ledger.db.lock: Permission denied (os error 13)\n\n\
         hint: check that the directory exists and that this user may write there\n",
    );
    home.give("state/ledger.db.lock");
    home.take("state/ledger.db");
    home.says(
        &["nightly"],
        3,
        "error: open the ledger ./state/ledger.db: Permission denied (os error 13)\n\n\
         hint: check that the directory exists and that this user may write there\n",
    );
    home.give("state/ledger.db");
    home.is_well();
}

#[test]
fn a_directory_and_a_file_in_each_others_place() {
    let Some(home) = Home::empty() else { return };
    fs::create_dir_all(home.path("state/ledger.db")).unwrap();
    home.give("state");
    home.says(
        &["nightly"],
        3,
        "error: open the ledger ./state/ledger.db: it is a directory\n\n\
         hint: set `ledger.path` in the configuration to a file\n",
    );
    fs::remove_file(home.path("state/ledger.db.lock")).unwrap();
    fs::remove_dir_all(home.path("state")).unwrap();
    fs::write(home.path("state"), "").unwrap();
    for args in [&["nightly"][..], &["status"]] {
        let (code, said) = home.run(args);
        assert_eq!(code, 3, "{said}");
        assert!(said.contains("open the ledger ./state/ledger.db"), "{said}");
        assert!(said.contains("(os error"), "{said}");
    }
}

#[test]
fn a_configuration_that_may_not_be_read() {
    let Some(home) = Home::new() else { return };
    home.mode("stundenbuch.toml", 0o600);
    let (code, said) = home.run(&["nightly"]);
    assert_eq!(code, 2, "{said}");
    assert!(said.contains("stundenbuch.toml"), "{said}");
    assert!(said.contains("ermission denied"), "{said}");
    assert!(said.contains("\nhint: "), "{said}");
    home.mode("stundenbuch.toml", 0o644);
    home.is_well();
}

/// The document waits until a person has mended it, and is there once.
#[test]
fn a_target_that_may_not_be_written() {
    let Some(home) = Home::new() else { return };
    assert_eq!(home.run(&["nightly"]).0, 0);
    let seal = ["statement", "seal", "ahorn", "--period", "2026-10"];
    let (code, said) = home.run(&seal);
    assert_eq!(code, 0, "{said}");
    home.mode("drive", 0o555);
    let (code, said) = home.run(&["deliver"]);
    assert_eq!(code, 4, "{said}");
    assert!(
        said.starts_with("failed drive:") && said.contains("permission denied (path="),
        "{said}"
    );
    assert_eq!(home.run(&["findings"]).0, 1);
    home.mode("drive", 0o755);
    assert_eq!(home.run(&["deliver", "--retry"]).0, 0);
    assert_eq!(documents(&home.path("drive")), 1);
    home.is_well();
    assert_eq!(documents(&home.path("drive")), 1);
}

fn documents(folder: &Path) -> usize {
    fs::read_dir(folder).unwrap().count()
}
