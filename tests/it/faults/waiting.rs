//! The daemon on a full disk: it stays, its health says why it waits, and it goes on by itself
//! when there is space again.

use std::fs::File;
use std::io::{Read as _, Write as _};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::Arc;
use std::time::Duration;

use stundenbuch::daemon;
use stundenbuch::store::Store;

use super::made::LITTLE;
use super::mount::Mount;
use super::process::until;
use crate::night::house::House;

/// What the daemon answers; empty while it does not.
fn get(address: SocketAddr, path: &str) -> String {
    let ask = || -> std::io::Result<String> {
        let mut stream = TcpStream::connect(address)?;
        stream.set_read_timeout(Some(Duration::from_secs(5)))?;
        write!(
            stream,
            "GET {path} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n"
        )?;
        let mut answer = String::new();
        stream.read_to_string(&mut answer)?;
        Ok(answer)
    };
    ask().unwrap_or_default()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_daemon_on_a_full_disk_waits_for_space() {
    let mut house = House::new(LITTLE).await;
    let Some(mount) = Mount::new("size=64m") else {
        return;
    };
    house.config.ledger = mount.path().join("ledger.db");
    let free = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = free.local_addr().unwrap();
    house.config.listen = Some(address);
    drop(free);
    let clock = Arc::new(house.clock.clone());
    drop(
        Store::open(
            &house.config.ledger,
            "2026-11-03T02:00:00Z".parse().unwrap(),
        )
        .unwrap(),
    );
    mount.change("size=300k");
    let mut filled = File::create(mount.path().join("full")).unwrap();
    while filled.write_all(&[0; 4_096]).is_ok() {}

    let (config, environment) = (house.config.clone(), house.environment.clone());
    let running = tokio::spawn(async move { daemon::run(&config, &environment, clock).await });
    until("bad health", || {
        get(address, "/health").starts_with("HTTP/1.1 503")
    })
    .await;
    until("the reason", || {
        get(address, "/health").ends_with("the disk that holds the ledger is full\n")
    })
    .await;
    assert!(!running.is_finished(), "it waits");
    mount.change("size=64m");
    until("a whole run", || {
        get(address, "/status").contains("\"finished_at\"")
    })
    .await;
    until("good health", || {
        get(address, "/health").starts_with("HTTP/1.1 200")
    })
    .await;
    assert!(!running.is_finished());
    running.abort();
    let _ = running.await;
    house.store = Store::open(
        &house.config.ledger,
        "2026-11-03T02:00:00Z".parse().unwrap(),
    )
    .unwrap();
    house.assert_true();
    assert_eq!(house.store.verify().unwrap().damage, None);
}
