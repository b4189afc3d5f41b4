//! The daemon as a process: one run when it is due, health while it waits, a clean stop, and
//! nothing lost when it is killed.

use std::fs;
use std::io::{Read as _, Write as _};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use chrono::Utc;
use rusqlite::Connection;
use rustix::process::{Pid, Signal, kill_process};
use stundenbuch::store::Store;
use stundenbuch_connectors::clock::ManualClock;
use tempfile::TempDir;

use crate::fakes::trello::{KEY, TOKEN, Trello};
use crate::fakes::{Fault, FaultKind, Server};

/// A board at a fake service, and a home for the daemon that reads it.
struct Home {
    dir: TempDir,
    server: Server,
    address: SocketAddr,
}

/// A running program; killed when a test fails.
struct Daemon(Child);

impl Drop for Daemon {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

impl Home {
    async fn new() -> Self {
        let clock = ManualClock::at(now());
        let trello = Trello::new(clock);
        let board = trello.add_board("Kunde");
        let list = trello.add_list(&board, "In Arbeit");
        for card in 0..20 {
            trello.add_card(&list, &format!("Aufgabe {card}"));
        }
        let server = Server::start(trello.router()).await;
        let free = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = free.local_addr().unwrap();
        let dir = tempfile::tempdir().unwrap();
        let text = format!(
            r#"[issuer]
name = "Mara"
address = ["Gartenweg 3"]
tax_number = "215/5081/0815"
[ledger]
path = "ledger.db"
[daemon]
listen = "{address}"
[connections.trello]
connector = "trello"
key = {{ env = "TRELLO_KEY" }}
token = {{ env = "TRELLO_TOKEN" }}
api_url = "{}/1"
"#,
            server.base()
        );
        fs::write(dir.path().join("stundenbuch.toml"), text).unwrap();
        Self {
            dir,
            server,
            address,
        }
    }

    fn command(&self, what: &str) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_stundenbuch"));
        command
            .arg(what)
            .current_dir(self.dir.path())
            .env_clear()
            .envs([("TRELLO_KEY", KEY), ("TRELLO_TOKEN", TOKEN)])
            .stdout(Stdio::null())
            .stderr(Stdio::piped());
        command
    }

    fn daemon(&self) -> Daemon {
        Daemon(self.command("run").spawn().unwrap())
    }

    fn ledger(&self) -> PathBuf {
        self.dir.path().join("ledger.db")
    }

    /// Runs that began, and those that reached their end.
    fn runs(&self) -> (u64, u64) {
        let hand = Connection::open(self.ledger()).unwrap();
        let sql = "SELECT count(*), count(finished_at) FROM run";
        hand.query_row(sql, [], |row| Ok((row.get(0)?, row.get(1)?)))
            .unwrap()
    }

    fn get(&self, path: &str) -> Option<String> {
        let mut stream = TcpStream::connect(self.address).ok()?;
        stream.set_read_timeout(Some(Duration::from_secs(5))).ok()?;
        write!(
            stream,
            "GET {path} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n"
        )
        .ok()?;
        let mut answer = String::new();
        stream.read_to_string(&mut answer).ok()?;
        Some(answer)
    }
}

#[expect(
    clippy::disallowed_methods,
    reason = "another process has the machine's clock"
)]
fn now() -> chrono::DateTime<Utc> {
    Utc::now()
}

/// Waits for another process, so many seconds at most.
#[expect(clippy::disallowed_methods, reason = "another process takes real time")]
fn until(what: &str, seconds: u64, mut holds: impl FnMut() -> bool) {
    let begun = Instant::now();
    while !holds() {
        assert!(
            begun.elapsed() < Duration::from_secs(seconds),
            "waited for {what}"
        );
        std::thread::sleep(Duration::from_millis(50));
    }
}

/// Sends a signal and waits for the end, five seconds at most; the exit code, if it has one.
fn stop(daemon: &mut Daemon, signal: Signal) -> Option<i32> {
    let id = i32::try_from(daemon.0.id()).unwrap();
    kill_process(Pid::from_raw(id).unwrap(), signal).unwrap();
    let mut code = None;
    until("the end", 5, || {
        let ended = daemon.0.try_wait().unwrap();
        code = ended.and_then(|status| status.code());
        ended.is_some()
    });
    code
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn one_run_when_due_then_waiting_and_a_clean_stop() {
    let home = Home::new().await;
    tokio::task::spawn_blocking(move || {
        let mut daemon = home.daemon();
        until("the first run", 20, || {
            home.get("/status")
                .is_some_and(|it| it.contains("\"finished_at\""))
        });
        assert_eq!(home.runs(), (1, 1));
        let health = home.get("/health").unwrap();
        assert!(health.starts_with("HTTP/1.1 200"), "{health}");
        assert!(health.ends_with("ok\n"), "{health}");
        let status = home.get("/status").unwrap();
        assert!(status.contains("\"tasks\":20"), "{status}");
        let page = home.get("/").unwrap();
        assert!(
            page.contains("default-src 'none'") && page.contains("<html"),
            "{page}"
        );
        assert!(home.get("/nothing").unwrap().starts_with("HTTP/1.1 404"));
        for secret in [KEY, TOKEN] {
            assert!(!status.contains(secret) && !page.contains(secret));
        }

        let second = home.command("run").output().unwrap();
        let said = String::from_utf8(second.stderr).unwrap();
        assert_eq!(second.status.code(), Some(2), "{said}");
        let holder = format!("(the daemon, process {})", daemon.0.id());
        assert!(said.contains(&holder), "{said}");

        assert_eq!(stop(&mut daemon, Signal::TERM), Some(0));
        drop(daemon);

        // Started again the same day, it has nothing to do.
        let asked = home.server.requests().len();
        let mut daemon = home.daemon();
        until("health", 20, || home.get("/health").is_some());
        assert_eq!(stop(&mut daemon, Signal::INT), Some(0));
        assert_eq!(home.runs(), (1, 1));
        assert_eq!(home.server.requests().len(), asked);
    })
    .await
    .unwrap();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn stopped_in_the_middle_of_a_run() {
    let home = Home::new().await;
    stall(&home);
    tokio::task::spawn_blocking(move || {
        let mut daemon = home.daemon();
        until("two requests", 20, || home.server.requests().len() >= 2);
        assert_eq!(stop(&mut daemon, Signal::TERM), Some(0));
        whole_and_goes_on(&home);
    })
    .await
    .unwrap();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn killed_in_the_middle_of_a_run() {
    let home = Home::new().await;
    stall(&home);
    tokio::task::spawn_blocking(move || {
        let mut daemon = home.daemon();
        until("two requests", 20, || home.server.requests().len() >= 2);
        assert_eq!(stop(&mut daemon, Signal::KILL), None);
        whole_and_goes_on(&home);
    })
    .await
    .unwrap();
}

/// The second request is never answered.
fn stall(home: &Home) {
    let fault = Fault {
        path: "/",
        times: u32::MAX,
        kind: FaultKind::Stall,
    };
    home.server.fail_after(1, fault);
}

/// The ledger verifies, its lock is free, and the next run reads everything.
fn whole_and_goes_on(home: &Home) {
    let store = Store::open_read_only(&home.ledger()).unwrap();
    assert_eq!(store.verify().unwrap().damage, None);
    drop(store);
    home.server.heal();
    let output = home.command("nightly").output().unwrap();
    let said = String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.code(), Some(0), "{said}");
    let store = Store::open_read_only(&home.ledger()).unwrap();
    assert_eq!(store.stats().unwrap().tasks, 20);
    assert_eq!(store.verify().unwrap().damage, None);
}
