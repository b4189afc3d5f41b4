//! How many requests a pull costs.

use stundenbuch_connectors::clock::Clock as _;
use stundenbuch_connectors::suite::requests_table;

use super::Bench;
use crate::fakes::dropbox::Dropbox;
use crate::ledger::Ledger;

/// 2,000 files in 200 folders, of which a tenth is shared with others.
fn fill(dropbox: &Dropbox) {
    for folder in 0..200 {
        for number in 0..10 {
            let path = format!("/Kunde {}/Ordner {folder}/Datei {number}.pdf", folder / 20);
            dropbox.write_as(&path, path.as_bytes(), Some("dbid:other"));
        }
    }
    dropbox.share("/Kunde 0", "84528192421");
    dropbox.add_account("dbid:other", "Otto Muster");
}

#[tokio::test]
async fn requests_stay_in_the_budget() {
    let bench = Bench::start().await;
    fill(&bench.dropbox);
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
    for folder in 0..20 {
        let path = format!("/Kunde {}/Ordner {}/Datei 3.pdf", folder / 2, folder * 10);
        bench.dropbox.write(&path, b"changed");
    }
    ledger.pull(&*connector).await.unwrap();
    let changed = bench.sent();
    assert_eq!(ledger.revisions, before.revisions + 20);
    assert_eq!(bench.dropbox.refused(), 0);
    let counts = [
        ("first pull", first as u64),
        ("quiet night", quiet as u64),
        ("1 % changed", changed as u64),
    ];
    requests_table("dropbox", "2,000 files in 200 folders", &counts);
    // The account, two listings of 2,200 entries, the names; the changes; those and the proof.
    assert_eq!((first, quiet, changed), (4, 1, 3));
}

#[tokio::test]
async fn a_deletion_costs_one_listing_and_one_look() {
    let bench = Bench::start().await;
    for number in 0..100 {
        bench.dropbox.write(&format!("/Ordner/{number}.txt"), b"x");
    }
    let (connector, mut ledger) = (bench.connector(), Ledger::default());
    ledger.pull(&*connector).await.unwrap();
    bench.next_night();
    bench.dropbox.delete("/Ordner/7.txt");
    ledger.pull(&*connector).await.unwrap();
    // The changes, the listing, the file, and whether its folder can be listed.
    assert_eq!((bench.sent(), ledger.current.len()), (4, 99));
    bench.next_night();
    ledger.pull(&*connector).await.unwrap();
    assert_eq!(bench.sent(), 1);
}

/// Failure 11: writes that come too fast are refused, and waited for.
#[tokio::test]
async fn a_month_of_deliveries_and_a_big_account_are_never_refused() {
    let bench = Bench::start().await;
    for number in 0..300 {
        bench.dropbox.write(&format!("/Ordner/{number}.txt"), b"x");
    }
    bench.dropbox.page(1);
    let (connector, mut ledger) = (bench.connector(), Ledger::default());
    let from = bench.clock.now();
    ledger.pull(&*connector).await.unwrap();
    assert_eq!(ledger.current.len(), 300);
    for number in 0..60 {
        let item = crate::document(&format!("2026-11/{number}.pdf"), b"%PDF", None);
        connector.deliver(&item).await.unwrap();
    }
    assert_eq!(bench.dropbox.refused(), 0);
    assert_eq!(connector.requests(), bench.sent() as u64);
    let minutes = (bench.clock.now() - from).num_minutes();
    assert!(minutes >= 5, "422 requests within {minutes} minutes");
}
