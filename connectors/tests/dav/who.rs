//! Who changed a file, by the log of activities.

use stundenbuch_connectors::record::PersonRef;

use super::*;

fn by(ledger: &Ledger, id: u64) -> Option<String> {
    let person: Option<&PersonRef> = ledger.file(id).modified_by.as_ref();
    person.map(|it| it.id.as_ref().unwrap().to_string())
}

#[tokio::test]
async fn the_log_says_who_made_a_version() {
    let bench = Bench::start().await;
    let file = bench.cloud.write("bert", "Kunde/Plan.pdf", "x");
    let silent = bench.cloud.write("bert", "Kunde/Ohne.pdf", "x");
    let mut ledger = Ledger::default();
    bench.tick();
    ledger.pull(&*bench.connector()).await.unwrap();
    assert_eq!(by(&ledger, file).as_deref(), Some("bert"));
    bench.next_night();
    bench.cloud.write("cora", "Kunde/Plan.pdf", "xy");
    bench.cloud.change_behind("Kunde/Ohne.pdf", "xyz");
    bench.tick();
    ledger.pull(&*bench.connector()).await.unwrap();
    assert_eq!(by(&ledger, file).as_deref(), Some("cora"));
    assert_eq!(
        by(&ledger, silent),
        None,
        "nothing in the log is about this version"
    );
    // An unchanged file keeps its author, whatever else changes.
    bench.next_night();
    bench.cloud.write("dirk", "Kunde/Neu.pdf", "x");
    bench.tick();
    ledger.pull_as(&*bench.connector(), &WEEKLY).await.unwrap();
    assert_eq!(
        (by(&ledger, file).as_deref(), ledger.revisions),
        (Some("cora"), 1)
    );
}

#[tokio::test]
async fn an_edit_while_we_read_is_not_put_on_the_one_before() {
    let bench = Bench::start().await;
    let file = bench.cloud.write("bert", "Plan.pdf", "x");
    let mut ledger = Ledger::default();
    bench.tick();
    // Between the listing and the log.
    bench.cloud.before("GET", |cloud| {
        cloud.tick();
        cloud.write("cora", "Plan.pdf", "xy");
    });
    ledger.pull(&*bench.connector()).await.unwrap();
    assert_eq!(
        (ledger.file(file).size, by(&ledger, file).as_deref()),
        (Some(1), Some("bert"))
    );
    bench.next_night();
    ledger.pull(&*bench.connector()).await.unwrap();
    assert_eq!(
        (ledger.file(file).size, by(&ledger, file).as_deref()),
        (Some(2), Some("cora"))
    );
}

#[tokio::test]
async fn a_long_log_is_read_in_pages_and_only_from_where_it_was_left() {
    let bench = Bench::start().await;
    bench.cloud.write("bert", "Plan.pdf", "x");
    let mut ledger = Ledger::default();
    bench.tick();
    ledger.pull(&*bench.connector()).await.unwrap();
    for _ in 0..450 {
        bench.cloud.act("file_downloaded", "bert", 7);
    }
    bench.next_night();
    let file = bench.cloud.write("cora", "Neu.pdf", "x");
    bench.tick();
    ledger.pull(&*bench.connector()).await.unwrap();
    assert_eq!(by(&ledger, file).as_deref(), Some("cora"));
    let gets = |bench: &Bench| bench.methods().iter().filter(|it| *it == "GET").count();
    assert_eq!(gets(&bench), 3);
    bench.next_night();
    bench.cloud.write("cora", "Neu.pdf", "xy");
    ledger.pull(&*bench.connector()).await.unwrap();
    assert_eq!(gets(&bench), 1);
}

#[tokio::test]
async fn without_the_app_files_come_all_the_same() {
    let bench = Bench::start().await;
    bench.cloud.without("activity");
    let file = bench.cloud.write("bert", "Plan.pdf", "x");
    let (connector, mut ledger) = (bench.connector(), Ledger::default());
    ledger.pull(&*connector).await.unwrap();
    assert!(ledger.has(file) && by(&ledger, file).is_none());
    assert!(ledger.notices.contains("nextcloud-activity-away"));
    bench.next_night();
    bench.cloud.write("bert", "Plan.pdf", "xy");
    ledger.pull(&*connector).await.unwrap();
    assert!(
        !bench.methods().contains(&"GET".to_owned()),
        "it is not asked again"
    );
}
