//! Work that was left out when its days were sealed is told once it could be billed.

use std::collections::BTreeMap;
use std::path::Path;

use chrono::{DateTime, Utc};
use stundenbuch::config::Config;
use stundenbuch::daemon::{Health, Status};
use stundenbuch::finding::Kind;
use stundenbuch::run::import::{Keep, import, recognise_head};
use stundenbuch::run::review::review;
use stundenbuch::statements;
use stundenbuch::store::{Anchors, Store};
use stundenbuch_connectors::import::{DateOrder, Options};

const HEAD: &str = r#"
[issuer]
name = "Anna Beispiel"
[ledger]
path = "ledger.db"
[clients.acme]
name = "Acme GmbH"
sources.clients = ["Acme"]
[[clients.acme.contracts]]
key = "web"
from = 2026-01-01
rate = "60.00"
projects = ["Web"]
"#;

const SHOP: &str = r#"
[[clients.acme.contracts]]
key = "shop"
from = 2026-01-01
rate = "80.00"
projects = ["Shop"]
"#;

const EXPORT: &str = "\
User,Email,Client,Project,Task,Description,Billable,Start date,Start time,End date,End time,Duration,Tags
Anna,anna@example.org,Acme,Web,,Texts,Yes,2026-10-05,09:00:00,2026-10-05,10:00:00,01:00:00,
Anna,anna@example.org,Acme,Shop,,Basket,Yes,2026-10-06,09:00:00,2026-10-06,11:00:00,02:00:00,
";

fn at(day: &str) -> DateTime<Utc> {
    format!("{day}T04:00:00Z").parse().unwrap()
}

fn config(dir: &Path, text: &str) -> Config {
    let file = dir.join("stundenbuch.toml");
    std::fs::write(&file, text).unwrap();
    Config::load(Some(&file), &BTreeMap::new()).unwrap()
}

fn kinds(store: &Store) -> Vec<Kind> {
    store
        .findings(false)
        .unwrap()
        .iter()
        .map(|stored| stored.finding.kind)
        .collect()
}

#[test]
fn left_out_at_first_and_billed_in_the_end() {
    let dir = tempfile::tempdir().unwrap();
    let first = config(dir.path(), HEAD);
    let mut store = Store::open(&first.ledger, at("2026-11-01")).unwrap();
    let path = Path::new("toggl.csv");
    let format = recognise_head(path, EXPORT.as_bytes()).unwrap();
    let options = Options {
        time_zone: first.time_zone,
        dates: DateOrder::Detect,
    };
    let mut input = EXPORT.as_bytes();
    import(
        &mut store,
        at("2026-11-01"),
        path,
        &mut input,
        format,
        &options,
        Keep::Yes,
    )
    .unwrap();
    review(&mut store, &first, at("2026-11-01")).unwrap();
    assert!(kinds(&store).contains(&Kind::NoContract));

    let october = "2026-10".parse().unwrap();
    let acme = |config: &Config| config.client("acme").unwrap().clone();
    let sealed =
        statements::seal(&mut store, &first, &acme(&first), october, at("2026-11-02")).unwrap();
    assert_eq!(sealed.totals.net.to_string(), "60.00");
    review(&mut store, &first, at("2026-11-02")).unwrap();
    assert!(
        !kinds(&store).contains(&Kind::LateEntry),
        "it is told as being without a contract"
    );

    // The contract is entered at last: no row of the ledger changes, and yet it is told.
    let second = config(dir.path(), &format!("{HEAD}{SHOP}"));
    review(&mut store, &second, at("2026-11-20")).unwrap();
    assert!(kinds(&store).contains(&Kind::LateEntry));
    assert!(!kinds(&store).contains(&Kind::NoContract));
    let late = statements::seal(
        &mut store,
        &second,
        &acme(&second),
        october,
        at("2026-11-20"),
    )
    .unwrap();
    assert_eq!(late.totals.net.to_string(), "160.00");
    review(&mut store, &second, at("2026-11-20")).unwrap();
    assert!(!kinds(&store).contains(&Kind::LateEntry));
    assert_eq!(late.number.as_deref(), Some("2026-0002"));
}

#[test]
fn a_run_that_was_interrupted_is_no_good_health() {
    let dir = tempfile::tempdir().unwrap();
    let config = config(dir.path(), HEAD);
    let mut store = Store::open(&config.ledger, at("2026-11-01")).unwrap();
    let run = store
        .write(|writer| writer.begin_run(at("2026-11-01"), "schedule"))
        .unwrap();
    let status = Status::read(&Anchors::new(&config.ledger, None)).unwrap();
    assert!(matches!(status.health(), Health::Degraded(why) if why.contains("interrupted")));
    let lock = stundenbuch::store::Lock::take(&config.ledger, "a run").unwrap();
    assert_eq!(
        Status::read(&Anchors::new(&config.ledger, None))
            .unwrap()
            .health(),
        Health::Ok,
        "it is under way"
    );
    drop(lock);
    store
        .write(|writer| writer.end_run(at("2026-11-01"), run, "{}"))
        .unwrap();
    assert_eq!(
        Status::read(&Anchors::new(&config.ledger, None))
            .unwrap()
            .health(),
        Health::Ok
    );
    // A failure of one connection stays told, whatever later runs say of the others.
    store
        .write(|writer| writer.pull_failed("trello", at("2026-11-01"), "expired token"))
        .unwrap();
    let status = Status::read(&Anchors::new(&config.ledger, None)).unwrap();
    assert!(matches!(status.health(), Health::Degraded(why) if why.contains("expired token")));
}
