//! Ordinary nights: the first one, one without changes, one with a few.

use chrono::TimeDelta;
use stundenbuch::run::report::Exit;
use stundenbuch_connectors::record::Stream;

use crate::fakes::toggl::Entry;

use super::house::{House, Size, count, nth_entry, of};

/// A freelancer's year: five clients, a thousand entries.
const LIFELIKE: Size = Size {
    boards: 5,
    cards: 100,
    entries: 1_000,
};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn nights_are_complete_and_cost_what_is_promised() {
    let mut house = House::new(LIFELIKE).await;
    let report = house.night().await;
    assert!(report.exit() <= Exit::Findings, "{report:#?}");
    let (toggl, trello) = house.requests();
    assert!(toggl <= 8, "{toggl} requests to Toggl");
    assert!(trello <= 12, "{trello} requests to Trello");
    assert_eq!(of(&report, "toggl").requests, toggl as u64);
    assert_eq!(of(&report, "trello").requests, trello as u64);
    house.assert_true();
    let state = house.state();
    assert_eq!(count(&state, "toggl", Stream::Time), 1_000);
    assert_eq!(count(&state, "trello", Stream::Tasks), 500);

    quiet(&mut house).await;

    let changed = change(&house);
    let before = house.rows();
    let report = house.night().await;
    assert_eq!(house.deleted(), changed.deleted);
    assert_eq!(of(&report, "toggl").counts.deleted, 3);
    assert_eq!(of(&report, "toggl").counts.changed, 2);
    assert_eq!(of(&report, "toggl").counts.new, 1);
    assert_eq!(of(&report, "trello").counts.deleted, 3);
    house.assert_true();
    assert!(house.rows() - before < 40, "only what changed was written");

    quiet(&mut house).await;
    assert_eq!(house.refused(), 0, "no request was one too many");
    let verified = house.store.verify().unwrap();
    assert_eq!(verified.damage, None);
}

/// A night in which nothing happened: one request to each, no row, no finding.
async fn quiet(house: &mut House) {
    let (rows, state) = (house.rows(), house.state());
    let findings = house.store.findings(true).unwrap();
    let report = house.night().await;
    assert_eq!(house.requests(), (1, 1));
    assert_eq!(report.findings_new, 0);
    assert_eq!(house.rows(), rows, "a quiet night writes no row");
    assert_eq!(house.state(), state);
    assert_eq!(house.store.findings(true).unwrap(), findings);
}

struct Changes {
    deleted: Vec<String>,
}

/// Three cards and three entries are deleted, others renamed, moved, edited; one entry is new.
fn change(house: &House) -> Changes {
    house.noon();
    let boards = house.trello.boards();
    let (cards, _) = house.trello.ids(&boards[0]);
    let (others, _) = house.trello.ids(&boards[3]);
    let mut deleted = Vec::new();
    for card in [&cards[0], &cards[57], &others[99]] {
        house.trello.delete(card);
        deleted.push(format!("trello/tasks/{card}"));
    }
    house.trello.rename(&cards[1], "Aufgabe umbenannt");
    house.trello.archive(&cards[2], true);
    let done = house.trello.lists(&boards[0])[1].clone();
    house.trello.move_to(&cards[3], &done);
    let ids: Vec<i64> = house
        .toggl
        .with(|world| world.entries.keys().copied().collect());
    for id in [ids[0], ids[500], ids[999]] {
        house.toggl.delete(id);
        deleted.push(format!("toggl/time/{id}"));
    }
    house.toggl.edit(ids[7], |entry| {
        entry.stop = entry.stop.map(|stop| stop - TimeDelta::seconds(61));
    });
    house.toggl.edit(ids[700], |entry| {
        entry.project = Some(3_000_002);
        entry.start += TimeDelta::days(1);
        entry.stop = entry.stop.map(|stop| stop + TimeDelta::days(1));
    });
    house.toggl.add(Entry {
        at: None,
        ..nth_entry(1_040)
    });
    deleted.sort();
    Changes { deleted }
}
