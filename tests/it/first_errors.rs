//! What a new user meets first goes wrong. Each text says what, where, and what to do; its words
//! are part of the program, so they stand here in full.

use std::fs;
use std::net::TcpListener;
use std::path::Path;
use std::process::Command;

use stundenbuch::store::Lock;
use tempfile::TempDir;

use crate::fakes::toggl::{TOKEN, Toggl};
use crate::fakes::{Fault, FaultKind};
use stundenbuch_connectors::clock::ManualClock;

const CONFIG: &str = r#"[issuer]
name = "Mara Lindgrün"
address = ["Gartenweg 3", "50667 Köln"]
tax_number = "215/5081/0815"

[ledger]
path = "ledger.db"

[clients.ahorn]
name = "Bäckerei Ahorn"
address = ["Marktplatz 1"]

[clients.ahorn.sources]
projects = ["Relaunch"]

[[clients.ahorn.contracts]]
from = 2026-01-01
rate = "59.00"
"#;

const TOGGL: &str = r#"
[connections.toggl]
connector = "toggl"
token = { env = "TOGGL_TOKEN" }
"#;

const DRIVE: &str = r#"
[connections.drive]
connector = "folder"
path = "Nextcloud"
"#;

/// A directory with a configuration.
fn home(parts: &[&str]) -> TempDir {
    let dir = tempfile::tempdir().unwrap();
    fs::write(dir.path().join("stundenbuch.toml"), parts.concat()).unwrap();
    dir
}

/// Runs the program in a directory: its exit code and what it says on stderr.
fn run(dir: &Path, variables: &[(&str, &str)], args: &[&str]) -> (i32, String) {
    let output = Command::new(env!("CARGO_BIN_EXE_stundenbuch"))
        .args(args)
        .current_dir(dir)
        .env_clear()
        .envs(variables.iter().copied())
        .output()
        .unwrap();
    let said = String::from_utf8(output.stderr).unwrap();
    (output.status.code().unwrap(), said)
}

#[track_caller]
fn says((code, said): &(i32, String), expected: i32, text: &str) {
    assert_eq!(said, text);
    assert_eq!(*code, expected);
}

#[test]
fn no_configuration() {
    let dir = tempfile::tempdir().unwrap();
    if Path::new("/etc/stundenbuch/stundenbuch.toml").exists() {
        eprintln!("SKIPPED: this machine has a configuration of its own");
        return;
    }
    says(
        &run(dir.path(), &[], &["status"]),
        2,
        "error: no configuration was found\n  \
         looked for ./stundenbuch.toml\n  \
         looked for /etc/stundenbuch/stundenbuch.toml\n\n\
         hint: `stundenbuch init` writes one, and `stundenbuch demo` shows everything without\n",
    );
}

#[test]
fn a_misspelt_key() {
    let dir = home(&[&CONFIG.replace("tax_number", "tax_numer")]);
    says(
        &run(dir.path(), &[], &["check"]),
        2,
        "error: the configuration has 1 mistake\n  \
         stundenbuch.toml:4:1  issuer.tax_numer\n    \
         unknown key; did you mean `tax_number`?\n\n\
         hint: config/example.toml explains every key; run `stundenbuch check` after the change\n",
    );
}

#[test]
fn a_missing_secret() {
    let dir = home(&[CONFIG, TOGGL]);
    says(
        &run(dir.path(), &[], &["check"]),
        4,
        "./stundenbuch.toml is in order.\n\n\
         error: toggl: the environment variable with the credential is not set \
         (variable=TOGGL_TOKEN, connection=toggl, key=token)\n\
         hint: set it for this process, or name a `credential` or a `file` instead\n",
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_wrong_token() {
    let clock = ManualClock::at("2026-11-03T02:15:00Z".parse().unwrap());
    let toggl = Toggl::start(clock).await;
    toggl.server.fail(Fault {
        path: "/",
        times: u32::MAX,
        kind: FaultKind::status(401),
    });
    let url = format!("api_url = \"{}\"\n", toggl.api_url());
    let dir = home(&[CONFIG, TOGGL, &url]);
    let path = dir.path().to_owned();
    let said = tokio::task::spawn_blocking(move || {
        run(&path, &[("TOGGL_TOKEN", TOKEN)], &["check", "toggl"])
    })
    .await
    .unwrap();
    says(
        &said,
        4,
        "./stundenbuch.toml is in order.\n\n\
         error: toggl: Toggl does not accept the API token (status=401, connection=toggl, \
         request=GET /me)\n\
         hint: copy the API token from the end of https://track.toggl.com/profile and store it \
         as the connection's credential\n",
    );
    assert!(!said.1.contains(TOKEN));
}

#[test]
fn a_folder_that_is_not_there() {
    let dir = home(&[CONFIG, DRIVE]);
    says(
        &run(dir.path(), &[], &["check"]),
        3,
        "./stundenbuch.toml is in order.\n\n\
         error: drive: the folder is not there: nothing lies at the path (path=./Nextcloud)\n\
         hint: correct `path`, or mount the share that belongs there\n",
    );
}

#[test]
fn a_port_that_is_taken() {
    let other = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = other.local_addr().unwrap();
    let daemon = format!("\n[daemon]\nlisten = \"{address}\"\n");
    let dir = home(&[CONFIG, &daemon]);
    let (code, said) = run(dir.path(), &[], &["run"]);
    says(
        &(code, said.replace(&address.to_string(), "ADDRESS")),
        2,
        "error: listen on ADDRESS\n  \
         because Address already in use (os error 98)\n\n\
         hint: another program has this port; name a free one as `daemon.listen`, or remove the \
         key to go without\n",
    );
}

#[test]
fn a_second_instance() {
    let dir = home(&[CONFIG]);
    let _lock = Lock::take(&dir.path().join("ledger.db"), "the daemon").unwrap();
    let (code, said) = run(dir.path(), &[], &["nightly"]);
    let me = format!("process {}", std::process::id());
    says(
        &(code, said.replace(&me, "process 1")),
        2,
        "error: another instance works on ./ledger.db (the daemon, process 1)\n\n\
         hint: wait until it has finished, or stop it: `systemctl stop stundenbuch`\n",
    );
}

#[test]
fn an_unknown_client() {
    let dir = home(&[CONFIG]);
    let text = "error: find the client `mueller`: there is none\n\nhint: there are: ahorn\n";
    for args in [
        ["statement", "preview", "mueller"],
        ["statement", "seal", "mueller"],
        ["findings", "--client", "mueller"],
    ] {
        says(&run(dir.path(), &[], &args), 2, text);
    }
}

#[test]
fn an_unknown_connection() {
    let dir = home(&[CONFIG, DRIVE]);
    says(
        &run(dir.path(), &[], &["pull", "dropbox"]),
        2,
        "error: pull from `dropbox`: there is no such connection\n\nhint: there are: drive\n",
    );
}

#[test]
fn looking_before_anything_was_read() {
    let dir = home(&[CONFIG]);
    says(
        &run(dir.path(), &[], &["status"]),
        2,
        "error: open the ledger ./ledger.db: there is no such file\n\n\
         hint: run `stundenbuch nightly` or `stundenbuch import` first; they create it\n",
    );
    assert!(!dir.path().join("ledger.db").exists());
}

#[test]
fn nothing_to_seal() {
    let dir = home(&[CONFIG]);
    says(
        &run(
            dir.path(),
            &[],
            &["statement", "seal", "ahorn", "--period", "2026-09"],
        ),
        2,
        "error: seal 2026-09 for ahorn\n  \
         because there is nothing to seal for ahorn in 2026-09\n\n\
         hint: `stundenbuch statement list` shows what was sealed already, and \
         `stundenbuch statement preview ahorn --period 2026-09` why work is left out\n",
    );
}

#[test]
fn a_refused_import() {
    let dir = home(&[CONFIG]);
    fs::write(
        dir.path().join("report.csv"),
        "User,Email,Client,Project,Task,Description,Billable,Start date,Start time,End date,\
         End time,Duration,Tags\n\
         Mara,m@example.org,,Relaunch,,Startseite,Yes,2026-10-01,09:00:00,2026-10-01,10:00:00,\
         01:00:00,\n\
         Mara,m@example.org,,Relaunch,,Startseite,Yes,2026-10-02,09:00:00,2026-10-02,10:00:00,\
         02:00:00,\n",
    )
    .unwrap();
    says(
        &run(dir.path(), &[], &["import", "report.csv"]),
        2,
        "error: report.csv was not imported\n  \
         report.csv: row 3, column `Duration`: contradicts start and end, which are 1:00:00 \
         apart\n\n\
         hint: nothing of the file was kept; mend these places and import it again\n",
    );
    let (code, said) = run(dir.path(), &[], &["findings"]);
    assert_eq!(
        (code, said.as_str()),
        (0, "Everything adds up.\n"),
        "not even its good row"
    );
}

#[test]
fn a_foreign_and_a_damaged_ledger() {
    let dir = home(&[CONFIG]);
    let other = rusqlite::Connection::open(dir.path().join("ledger.db")).unwrap();
    other
        .execute_batch("CREATE TABLE song (title TEXT)")
        .unwrap();
    drop(other);
    says(
        &run(dir.path(), &[], &["nightly"]),
        2,
        "error: ./ledger.db is not a ledger of this program\n\n\
         hint: set `ledger.path` in the configuration to another file\n",
    );
    fs::write(dir.path().join("ledger.db"), "not a database at all").unwrap();
    says(
        &run(dir.path(), &[], &["status"]),
        4,
        "error: the ledger is damaged: file is not a database\n\n\
         hint: run `stundenbuch ledger verify`, then `stundenbuch ledger restore` with a \
         backup\n",
    );
}
