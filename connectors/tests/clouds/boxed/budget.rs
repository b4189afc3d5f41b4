//! How many requests a pull costs.

use stundenbuch_connectors::suite::requests_table;

use super::Bench;
use crate::document;
use crate::ledger::Ledger;

#[tokio::test]
async fn requests_stay_in_the_budget() {
    let bench = Bench::start().await;
    let mut ids = Vec::new();
    for folder in 0..200 {
        for number in 0..10 {
            let path = format!("Kunde {}/Ordner {folder}/Datei {number}.pdf", folder / 20);
            ids.push(bench.service.write(&path, path.as_bytes()));
        }
    }
    let (connector, mut ledger) = (bench.connector(), Ledger::default());
    ledger.pull(&*connector).await.unwrap();
    assert_eq!(ledger.current.len(), 2000);
    let first = bench.sent();

    bench.next_night();
    let before = ledger.clone();
    ledger.pull(&*connector).await.unwrap();
    let quiet = bench.sent();
    assert_eq!(ledger.current, before.current);

    bench.next_night();
    for file in 0..20 {
        bench.service.edit(&ids[file * 100], b"changed");
    }
    ledger.pull(&*connector).await.unwrap();
    let changed = bench.sent();
    assert_eq!(ledger.revisions, before.revisions + 20);
    assert_eq!(bench.service.refused(), 0);
    assert_eq!(connector.requests(), (first + quiet + changed) as u64);
    let counts = [
        ("first pull", first as u64),
        ("quiet night", quiet as u64),
        ("1 % changed", changed as u64),
    ];
    requests_table("box", "2,000 files in 200 folders", &counts);
    // The position, and 211 folders; the events; the events, their end, and 20 folders.
    assert_eq!((first, quiet, changed), (212, 1, 22));
    let cursor = ledger.cursor.as_str().unwrap();
    assert!(cursor.len() < 45_000, "a cursor of {} bytes", cursor.len());
    assert!(!cursor.contains("Kunde"), "no names in a cursor");
}

/// One event for a folder, and no request for each of its files.
#[tokio::test]
async fn a_folder_in_the_trash_costs_three_requests() {
    let bench = Bench::start().await;
    for number in 0..50 {
        bench
            .service
            .write(&format!("Alt/Unter/{number}.txt"), b"x");
    }
    let kept = bench.service.write("Neu/a.txt", b"x");
    let mut ledger = Ledger::default();
    ledger.pull(&*bench.connector()).await.unwrap();
    bench.next_night();
    bench.service.trash(&bench.service.folder("Alt"));
    ledger.pull(&*bench.connector()).await.unwrap();
    assert_eq!(ledger.ids(), [kept].into());
    assert_eq!(ledger.deleted.len(), 50);
    assert!(
        ledger
            .deleted
            .values()
            .all(|proof| proof.contains("in the trash"))
    );
    assert_eq!(bench.sent(), 3, "the events, their end, the folder");
}

#[tokio::test]
async fn a_month_of_deliveries_and_a_big_account_are_never_refused() {
    let bench = Bench::start().await;
    for number in 0..1500 {
        bench.service.write(&format!("Ordner {number}/a.txt"), b"x");
    }
    let (connector, mut ledger) = (bench.connector(), Ledger::default());
    ledger.pull(&*connector).await.unwrap();
    assert_eq!(ledger.current.len(), 1500);
    for number in 0..50 {
        connector
            .deliver(&document(&format!("2026-11/{number}.pdf"), b"%PDF", None))
            .await
            .unwrap();
    }
    assert_eq!(bench.service.refused(), 0);
    assert_eq!(connector.requests(), bench.sent() as u64);
}
