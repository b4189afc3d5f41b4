//! The services still have what was erased here: the nights after do not bring it back.

use rusqlite::Connection;
use stundenbuch::erase::plan;
use stundenbuch::run::nightly::Plan;
use stundenbuch::store::Swept;

use super::town::holding;
use crate::fakes::toggl::Entry;
use crate::night::house::{HISTORY, House, SMALL};
use crate::night::statements::seal;

/// Words of the client at the services: entries and cards, lists and boards, and its name there.
const WORDS: [&str; 4] = ["Aufgabe ", "In Arbeit", "Kunde 1", "Bäckerei Ahorn"];

/// The texts of all rows that are not kept for a statement, and of all that is remembered.
fn texts(house: &House, kept: &[u64]) -> Vec<(String, String)> {
    let db = Connection::open(&house.config.ledger).unwrap();
    let mut texts = Vec::new();
    for (what, sql) in [
        (
            "row",
            "SELECT seq, subject || payload FROM journal WHERE kind <> 'sealed'",
        ),
        ("cursor", "SELECT 0, coalesce(cursor, '') FROM connection"),
        ("finding", "SELECT 0, subject || body FROM finding"),
        ("quarantine", "SELECT 0, reason FROM quarantine"),
        ("report", "SELECT 0, coalesce(report, '') FROM run"),
    ] {
        let mut statement = db.prepare(sql).unwrap();
        let rows = statement
            .query_map([], |row| {
                Ok((row.get::<_, u64>(0)?, row.get::<_, String>(1)?))
            })
            .unwrap();
        for row in rows {
            let (seq, text) = row.unwrap();
            if !kept.contains(&seq) {
                texts.push((format!("{what} {seq}"), text));
            }
        }
    }
    texts
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_nights_after_do_not_bring_it_back() {
    let mut house = House::new(SMALL).await;
    // All of it is the client's.
    house.toggl.with(|world| {
        let entries = world.entries.values_mut();
        entries.for_each(|entry| entry.project = Some(3_000_001));
    });
    house.night().await;
    seal(&mut house, "2026-08-20").unwrap();
    house.night().await;
    let today = "2026-11-05".parse().unwrap();
    let plan = plan(&house.store, &house.config, "ahorn", today).unwrap();
    assert!(plan.open.works > 0, "there is work that was not billed");
    assert_eq!(plan.erasure.statements, Vec::<String>::new());
    let now = house.noon();
    house
        .store
        .write(|writer| writer.erase(now, &plan.erasure))
        .unwrap();
    assert_eq!(house.store.sweep().unwrap(), Swept::Done);
    let rows = house.rows();

    // Everything is still there, and some of it is written again.
    let report = house.night().await;
    let forgotten: u64 = report.sources.iter().map(|it| it.counts.forgotten).sum();
    let edited = house
        .toggl
        .with(|world| *world.entries.keys().next().unwrap());
    house
        .toggl
        .edit(edited, |entry| entry.billable = !entry.billable);
    let card = house.cards()[0].clone();
    house.trello.rename(&card, "Aufgabe, die anders heißt");
    house.trello.delete(&house.cards()[1].clone());
    let compare = Plan {
        compare: true,
        ..Plan::default()
    };
    let compared = house.pass(&compare).await;
    let again: u64 = compared.sources.iter().map(|it| it.counts.forgotten).sum();
    assert!(
        forgotten + again > 20,
        "the services still list it: {forgotten}, {again}"
    );
    for source in &compared.sources {
        assert_eq!(source.held, 0, "{source:?}");
    }
    // The documents of the statement that stays lie on the drive, and are files there.
    for seq in rows + 1..=house.rows() {
        let subject = house.store.row(seq).unwrap().unwrap().subject;
        let document = "drive/files/Berichte/Leistungsnachweis_2026-08-20";
        assert!(subject.starts_with(document), "{subject} is taken again");
    }
    for (place, text) in texts(&house, &plan.stay) {
        for word in WORDS {
            assert!(!text.contains(word), "`{word}` in {place}: {text}");
        }
    }
    assert_eq!(house.store.verify().unwrap().damage, None);
    let rebuilt = house.store.rebuild().unwrap();
    assert_eq!(rebuilt.before, rebuilt.after);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn work_that_is_new_at_the_service_is_taken() {
    let mut house = House::new(SMALL).await;
    house.night().await;
    let today = "2026-11-05".parse().unwrap();
    let plan = plan(&house.store, &house.config, "ahorn", today).unwrap();
    let now = house.noon();
    house
        .store
        .write(|writer| writer.erase(now, &plan.erasure))
        .unwrap();
    let start = HISTORY.parse::<chrono::DateTime<chrono::Utc>>().unwrap();
    house.toggl.add(Entry {
        project: None,
        description: Some("für jemand anderen".to_owned()),
        ..Entry::of(start + chrono::TimeDelta::days(60), 30)
    });
    house.night().await;
    let works = house.worked();
    assert!(!works.is_empty());
    let state = house.dir.path().join("ledger.db");
    assert!(!holding(state.parent().unwrap(), "für jemand anderen").is_empty());
}
