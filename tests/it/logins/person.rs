//! `stundenbuch auth` with a person and a browser, for a connection that logs in by OAuth 2.

use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::{TcpListener, TcpStream};
use std::process::{Child, ChildStderr};

use serde_json::Value;

use super::*;
use crate::fakes::logins::CANARY;

/// The connection of these tests.
const DRIVE: &str = "dropbox";

/// A home whose connection logs in at the fake service; the port that its redirect names.
async fn with_dropbox() -> Option<(Home, Provider, Server)> {
    if stundenbuch_connectors::find(DRIVE).is_none() {
        println!("SKIPPED: no connector here logs in by OAuth 2");
        return None;
    }
    let (provider, server) = started().await;
    let free = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = free.local_addr().unwrap().port();
    let (home, base) = (Home::new(), server.base());
    let more = format!(
        "{CONFIG}\n[connections.{DRIVE}]\nconnector = \"dropbox\"\nclient_id = \"{CLIENT}\"\n\
         redirect_url = \"http://127.0.0.1:{port}/callback\"\n\
         authorize_url = \"{base}/authorize\"\ntoken_url = \"{base}/token\"\n\
         api_url = \"{base}/2\"\ncontent_url = \"{base}/2\"\n"
    );
    std::fs::write(home.file(), more).unwrap();
    Some((home, provider, server))
}

/// The command under way, and what it has said.
struct Running {
    child: Child,
    err: BufReader<ChildStderr>,
    said: String,
}

impl Running {
    /// Starts it and reads until it shows the page.
    fn start(home: &Home, args: &[&str]) -> (Self, String) {
        let mut child = command::program(home.path(), args).spawn().unwrap();
        let err = BufReader::new(child.stderr.take().unwrap());
        let said = String::new();
        let mut running = Self { child, err, said };
        loop {
            let mut line = String::new();
            let read = running.err.read_line(&mut line).unwrap();
            running.said += &line;
            assert!(read > 0, "it ended: {}", running.said);
            if line.contains("/authorize?") {
                return (running, line.trim().to_owned());
            }
        }
    }

    fn types(&mut self, line: &str) {
        let stdin = self.child.stdin.as_mut().unwrap();
        writeln!(stdin, "{line}").unwrap();
    }

    /// Waits for the end: its code, and everything it said.
    fn end(mut self) -> (i32, String, String) {
        drop(self.child.stdin.take());
        self.err.read_to_string(&mut self.said).unwrap();
        let output = self.child.wait_with_output().unwrap();
        let out = String::from_utf8(output.stdout).unwrap();
        (output.status.code().unwrap(), out, self.said)
    }
}

/// A browser opens an address of this machine.
fn open(address: &str) -> String {
    let rest = address.strip_prefix("http://").unwrap();
    let (host, path) = rest.split_once('/').unwrap();
    let mut stream = TcpStream::connect(host).unwrap();
    write!(
        stream,
        "GET /{path} HTTP/1.1\r\nhost: {host}\r\nconnection: close\r\n\r\n"
    )
    .unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).unwrap();
    answer
}

fn stored(home: &Home) -> Option<Stored> {
    home.vault().load(DRIVE).unwrap()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_browser_brings_the_code() {
    let Some((home, provider, _server)) = with_dropbox().await else {
        return;
    };
    tokio::task::block_in_place(|| {
        let before = command::run(home.path(), &["check", DRIVE], "");
        assert_eq!(before.code, 4, "{before:?}");
        assert!(
            before.err.contains("run `stundenbuch auth dropbox`"),
            "{before:?}"
        );

        let (running, page) = Running::start(&home, &["auth", DRIVE, "--json"]);
        let answer = provider.agree(&page);
        let foreign = answer.replace("state=", "state=x");
        assert!(open(&foreign).contains("Not the login that was begun"));
        assert!(stored(&home).is_none());
        assert!(open(&answer).contains("Almost done"));
        let (_, out, said) = running.end();
        assert!(stored(&home).is_some(), "{said}");
        let answer: Value = serde_json::from_str(&out).unwrap();
        let place = answer["stored"][0].as_str().unwrap();
        assert!(place.ends_with("var/ledger.db.logins/dropbox"), "{answer}");
        assert!(!format!("{out}{said}").contains(CANARY), "{said}");
        let below = bytes_below(home.path());
        assert!(!holds(&below, CANARY), "nothing lies there in the clear");
    });
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_refusal_in_the_browser_is_told() {
    let Some((home, _provider, _server)) = with_dropbox().await else {
        return;
    };
    tokio::task::block_in_place(|| {
        let (running, page) = Running::start(&home, &["auth", DRIVE]);
        assert!(open(&Provider::refuse(&page)).contains("Not logged in"));
        let (code, _, said) = running.end();
        assert_eq!(code, 4, "{said}");
        assert!(said.contains("Not today"), "{said}");
        assert!(stored(&home).is_none());
    });
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_code_is_pasted_where_there_is_no_browser() {
    let Some((home, provider, _server)) = with_dropbox().await else {
        return;
    };
    tokio::task::block_in_place(|| {
        let (mut running, page) = Running::start(&home, &["auth", DRIVE, "--paste"]);
        running.types("this is no code");
        running.types(&provider.agree(&page));
        let (_, _, said) = running.end();
        assert!(said.contains("Once more"), "{said}");
        assert!(stored(&home).is_some(), "{said}");

        let dry = command::run(home.path(), &["auth", DRIVE, "--remove", "--dry-run"], "");
        assert!(
            dry.err.contains("Would remove") && stored(&home).is_some(),
            "{dry:?}"
        );
        let removed = command::run(home.path(), &["auth", DRIVE, "--remove"], "");
        assert_eq!(removed.code, 0, "{removed:?}");
        assert!(stored(&home).is_none());
    });
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn status_names_a_missing_login() {
    let Some((home, _provider, _server)) = with_dropbox().await else {
        return;
    };
    tokio::task::block_in_place(|| {
        drop(stundenbuch::store::Store::open(&home.config().ledger, DateTime::UNIX_EPOCH).unwrap());
        let status = command::run(home.path(), &["status"], "");
        assert_eq!(status.code, 4, "{status:?}");
        let line = "ACT   `dropbox`: nobody has logged in yet; run `stundenbuch auth dropbox`.";
        assert!(status.out.contains(line), "{status:?}");
    });
}
