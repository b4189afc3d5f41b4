//! Another process: this binary again, doing one thing with a stored login.

use std::process::{Command, Stdio};

use stundenbuch_connectors::clock::SystemClock;
use stundenbuch_connectors::http::Request;

use super::*;

const HOME: &str = "STUNDENBUCH_TEST_HOME";
const BASE: &str = "STUNDENBUCH_TEST_BASE";

/// A process that makes one request with the login of a home.
pub(super) fn command(home: &Path, base: &str) -> Command {
    let mut command = Command::new(std::env::current_exe().unwrap());
    command
        .args([
            "logins::child::asks_once",
            "--exact",
            "--ignored",
            "--nocapture",
        ])
        .args(["--test-threads", "1"])
        .env_clear()
        .env(HOME, home)
        .env(BASE, base);
    command
}

#[test]
#[ignore = "run by others, as a process of its own"]
fn asks_once() {
    let (Ok(home), Ok(base)) = (std::env::var(HOME), std::env::var(BASE)) else {
        return;
    };
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .unwrap();
    let platform = platform(Path::new(&home), Arc::new(SystemClock));
    let http = http(&base, &platform);
    let asked = runtime.block_on(http.send(Request::get("api", "/api/me")));
    asked.unwrap();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn processes_that_renew_at_once_renew_once() {
    let (provider, server) = started().await;
    for round in 1..=3 {
        let home = Home::new();
        let clock = Arc::new(SystemClock);
        home.log_in(&provider, server.base(), clock).await;
        let children: Vec<_> = (0..6)
            .map(|_| {
                let mut command = command(home.path(), server.base());
                command.stdout(Stdio::null()).stderr(Stdio::piped());
                command.spawn().unwrap()
            })
            .collect();
        for child in children {
            let ended = tokio::task::spawn_blocking(|| child.wait_with_output());
            let ended = ended.await.unwrap().unwrap();
            assert!(
                ended.status.success(),
                "{}",
                String::from_utf8_lossy(&ended.stderr)
            );
        }
        let renewals = |world: &mut crate::fakes::logins::World| {
            let grants = world.grants.iter();
            (
                grants.filter(|it| *it == "refresh_token").count(),
                world.reused,
            )
        };
        assert_eq!(provider.with(renewals), (round, 0));
        assert!(provider.is_alive(home.tokens().refresh.unwrap().expose()));
    }
}
