//! `stundenbuch auth` as a person runs it.

use std::io::Write as _;
use std::os::unix::fs::PermissionsExt as _;
use std::process::{Command, Stdio};

use serde_json::Value;
use stundenbuch_connectors::clock::ManualClock;

use super::*;
use crate::fakes::toggl::{self, Toggl};

/// What the program said.
#[derive(Debug)]
pub(super) struct Ran {
    pub(super) code: i32,
    pub(super) out: String,
    pub(super) err: String,
}

pub(super) fn program(home: &Path, args: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_stundenbuch"));
    command
        .args(args)
        .current_dir(home)
        .env_clear()
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped());
    command
}

/// Runs the program with these lines on its standard input.
pub(super) fn run(home: &Path, args: &[&str], typed: &str) -> Ran {
    let mut child = program(home, args).spawn().unwrap();
    // The program may have ended without reading it.
    let _ = child.stdin.take().unwrap().write_all(typed.as_bytes());
    let output = child.wait_with_output().unwrap();
    Ran {
        code: output.status.code().unwrap(),
        out: String::from_utf8(output.stdout).unwrap(),
        err: String::from_utf8(output.stderr).unwrap(),
    }
}

/// A home with a Toggl whose token is stored nowhere.
async fn with_toggl() -> (Home, Toggl) {
    let toggl = Toggl::start(ManualClock::at("2026-11-22T05:00:00Z".parse().unwrap())).await;
    let home = Home::new();
    let more = format!(
        "{CONFIG}\n[connections.toggl]\nconnector = \"toggl\"\n\
         token = {{ credential = \"toggl-token\" }}\napi_url = \"{}\"\nreports_url = \"{}\"\n\
         \n[connections.fixed]\nconnector = \"toggl\"\ntoken = {{ env = \"SOMEWHERE\" }}\n",
        toggl.api_url(),
        toggl.reports_url()
    );
    std::fs::write(home.file(), more).unwrap();
    (home, toggl)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_token_is_tried_before_it_is_stored() {
    let (home, _toggl) = with_toggl().await;
    let place = home.path().join("credentials/toggl-token");
    let wrong = run(home.path(), &["auth", "toggl"], "0123456789-wrong\n");
    assert_eq!(wrong.code, 4, "{wrong:?}");
    assert!(wrong.err.contains("Nothing was stored"), "{wrong:?}");
    assert!(
        !format!("{wrong:?}").contains("0123456789-wrong"),
        "{wrong:?}"
    );
    assert!(!place.exists());

    let dry = run(home.path(), &["auth", "toggl", "--dry-run"], "");
    assert_eq!(dry.code, 0, "{dry:?}");
    assert!(dry.err.contains("Nothing was asked or stored"), "{dry:?}");

    let typed = format!("{}\n", toggl::TOKEN);
    let right = run(home.path(), &["auth", "toggl", "--json"], &typed);
    assert_eq!(right.code, 0, "{right:?}");
    let answer: Value = serde_json::from_str(&right.out).unwrap();
    assert_eq!(answer["connection"], "toggl");
    assert!(answer["account"].is_string(), "{answer}");
    assert!(!format!("{right:?}").contains(toggl::TOKEN));
    let mode = std::fs::metadata(&place).unwrap().permissions().mode();
    assert_eq!(mode & 0o777, 0o600);
    let checked = run(home.path(), &["check", "toggl"], "");
    assert_eq!(checked.code, 0, "{checked:?}");

    // A wrong one does not take the place of the right one.
    let wrong = run(home.path(), &["auth", "toggl"], "0123456789-wrong\n");
    assert_eq!(wrong.code, 4, "{wrong:?}");
    let stored = std::fs::read_to_string(&place).unwrap();
    assert_eq!(stored.trim(), toggl::TOKEN);

    let removed = run(home.path(), &["auth", "toggl", "--remove"], "");
    assert_eq!(removed.code, 0, "{removed:?}");
    assert!(!place.exists());
    let again = run(home.path(), &["auth", "toggl", "--remove"], "");
    assert!(again.err.contains("nothing to remove"), "{again:?}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_service_that_is_away_says_nothing_of_a_token() {
    let (home, toggl) = with_toggl().await;
    toggl.server.fail(crate::fakes::Fault {
        path: "/",
        times: u32::MAX,
        kind: crate::fakes::FaultKind::status(404),
    });
    let typed = format!("{}\n", toggl::TOKEN);
    let ran = run(home.path(), &["auth", "toggl"], &typed);
    assert_eq!(ran.code, 3, "{ran:?}");
    assert!(!home.path().join("credentials/toggl-token").exists());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_cannot_be_stored_is_said_before_anything_is_asked() {
    let (home, _toggl) = with_toggl().await;
    for (args, part) in [
        (["auth", "fixed"], "comes from the variable SOMEWHERE"),
        (["auth", "drive"], "needs no login"),
        (["auth", "nobody"], "there are: drive, fixed, toggl"),
    ] {
        let ran = run(home.path(), &args, "");
        assert_eq!(ran.code, 2, "{ran:?}");
        assert!(ran.err.contains(part), "{ran:?}");
    }
    let empty = run(home.path(), &["auth", "toggl"], "");
    assert_eq!(empty.code, 2, "{empty:?}");
    assert!(empty.err.contains("standard input ended"), "{empty:?}");
    let handed = home.path().join("handed");
    std::fs::create_dir(&handed).unwrap();
    std::fs::write(handed.join("toggl-token"), toggl::TOKEN).unwrap();
    let mut command = program(home.path(), &["auth", "toggl"]);
    let output = command
        .env("CREDENTIALS_DIRECTORY", &handed)
        .output()
        .unwrap();
    assert_eq!(output.status.code(), Some(2));
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(said.contains("systemd hands in"), "{said}");
}
