//! A big drive: how many requests it costs, how large the cursor is, and that no quota refuses.

use stundenbuch_connectors::suite;

use super::*;

/// 2,000 files in 200 folders, ten by ten below twenty.
fn fill(bench: &Bench) -> (Vec<String>, Vec<String>) {
    let (mut folders, mut files) = (Vec::new(), Vec::new());
    for client in 0..20 {
        let outer = bench
            .drive
            .add_folder(&bench.root, &format!("Kunde {client:02}"));
        for month in 1..=9 {
            folders.push(bench.drive.add_folder(&outer, &format!("2026-{month:02}")));
        }
        folders.push(outer);
    }
    for folder in &folders {
        for number in 0..10 {
            files.push(
                bench
                    .drive
                    .add_file(folder, &format!("Beleg {number}.pdf"), "x"),
            );
        }
    }
    (folders, files)
}

#[tokio::test]
async fn requests_stay_few() {
    let bench = Bench::start().await;
    let (folders, files) = fill(&bench);
    assert_eq!((folders.len(), files.len()), (200, 2_000));
    let mut ledger = pulled(&bench).await;
    let first = bench.sent();
    let size = ledger.cursor.as_str().unwrap().len();

    bench.next_night();
    let before = ledger.clone();
    ledger.pull(&*bench.connector()).await.unwrap();
    let quiet = bench.sent();
    assert_eq!(ledger.current, before.current);

    bench.next_night();
    for file in files.iter().step_by(100) {
        bench.drive.edit(file, "geändert");
    }
    ledger.pull(&*bench.connector()).await.unwrap();
    let changed = bench.sent();
    assert_eq!(ledger.revisions, before.revisions + 20);

    bench.next_night();
    ledger.compare(&*bench.connector()).await.unwrap();
    let compared = bench.sent();
    assert_eq!(ledger.revisions, before.revisions + 20);

    let count = |count: usize| u64::try_from(count).unwrap();
    suite::requests_table(
        "gdrive",
        "2,000 files in 200 folders",
        &[
            ("first pull", count(first)),
            ("quiet night", count(quiet)),
            ("1 % changed", count(changed)),
            ("comparison", count(compared)),
            ("bytes of cursor", count(size)),
        ],
    );
    assert_eq!((first, quiet, changed, compared), (8, 1, 1, 7));
    assert!(size < 28_000, "a cursor of {size} bytes");
    assert_eq!(bench.drive.refused(), 0);
}

/// What a delivery costs, into a folder that is there.
#[tokio::test]
async fn a_delivery_costs_few_requests() {
    let bench = Bench::start().await;
    bench
        .deliver("1", &outgoing("Nord/a.pdf", b"a", None))
        .await
        .unwrap();
    let mut costs = Vec::new();
    for (key, content, replaces) in [
        ("2", &b"b"[..], None),
        ("2", b"b", None),
        ("3", b"c", Some(&b"b"[..])),
    ] {
        bench.server.forget_requests();
        let file = outgoing("Nord/b.pdf", content, replaces);
        bench.deliver(key, &file).await.unwrap();
        costs.push(bench.sent());
    }
    assert_eq!(costs, [8, 4, 6], "new, there already, a new version");
}

/// A thousand changes and more come in pages, and each goes on where the last one ended.
#[tokio::test]
async fn a_long_feed_is_read_to_its_end_and_no_quota_refuses() {
    let bench = Bench::shared().await;
    let mut ledger = pulled(&bench).await;
    bench.next_night();
    for number in 0..2_500 {
        bench.drive.add_file(&bench.root, &number.to_string(), "x");
    }
    let mut absent = Vec::new();
    loop {
        // Each page by another process; the first attempt at it is lost.
        bench
            .connector()
            .pull(&ledger.cursor, &Pull::Changes)
            .await
            .unwrap();
        let connector = bench.connector();
        if !ledger
            .page(&*connector, &Pull::Changes, &mut absent)
            .await
            .unwrap()
        {
            break;
        }
    }
    assert_eq!(ledger.ids().len(), 2_500);
    assert_eq!(ledger.revisions, 2_500);
    assert_eq!(bench.sent(), 6);
    let connector = bench.connector();
    for _ in 0..600 {
        ledger.pull(&*connector).await.unwrap();
    }
    assert_eq!((bench.sent(), bench.drive.refused()), (606, 0));
}
