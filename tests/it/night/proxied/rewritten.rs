//! Nights in which a part of an answer cannot be understood: that part is put aside and told
//! once, everything else comes, and when the service speaks clearly again all is as it should be.

use std::collections::BTreeSet;

use serde_json::{Value, json};
use stundenbuch_connectors::contract::Cursor;

use super::super::house::of;
use super::*;

/// The entries, cards or actions of an answer; of a list of boards, nothing.
fn items(document: &mut Value) -> Option<&mut Vec<Value>> {
    let is_board = |item: &Value| item.get("shortLink").is_some() && item.get("idList").is_none();
    match document {
        Value::Array(items) if items.first().is_some_and(is_board) => None,
        Value::Array(items) => Some(items),
        Value::Object(_) => document.get_mut("cards")?.as_array_mut(),
        _ => None,
    }
}

fn first(document: &mut Value) -> Option<&mut Value> {
    items(document)?.first_mut()
}

/// What somebody does to an answer, and its name.
type Spoiling = (&'static str, fn(&mut Value));

/// Something is wrong with the first entry or card of every answer.
const OF_ONE: [Spoiling; 4] = [
    ("the start is a number", |answer| {
        if let Some(first) = first(answer).filter(|it| it.get("start").is_some()) {
            first["start"] = json!(7);
        }
    }),
    ("the title is a list", |answer| {
        if let Some(first) = first(answer).filter(|it| it.get("idList").is_some()) {
            first["name"] = json!([null]);
        }
    }),
    ("the row of a report has no time", |answer| {
        let time = first(answer).and_then(|it| it.pointer_mut("/time_entries/0"));
        if let Some(time) = time {
            time["stop"] = json!({"x": 1});
        }
    }),
    ("the end is gone", |answer| {
        if let Some(first) = first(answer).and_then(Value::as_object_mut) {
            first.remove("stop");
        }
    }),
];

/// So many nights see the record as it cannot be read.
const UNCLEAR: u32 = 2;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_record_that_cannot_be_read_is_told_once_and_the_others_come() {
    let expected = without_faults().await;
    for (what, rewrite) in OF_ONE {
        let mut house = House::new(SMALL).await;
        let ways = Ways::to(&mut house).await;
        for number in 0..NIGHTS {
            begin(&house, number);
            for who in BOTH {
                if number < UNCLEAR {
                    ways.of(who).fail_after(0, Fault::Rewrites(rewrite));
                } else {
                    ways.of(who).heal();
                }
            }
            let report = house.night().await;
            hides(what, &format!("{report:?}"));
            let mut sources = report.sources.iter();
            assert!(
                sources.all(|source| source.failure.is_none()),
                "{what}: {report:#?}"
            );
            assert_nothing_invented(&house, what);
            let told = house.findings(Kind::UnreadableRecord).len();
            let held = house.store.quarantined().unwrap();
            assert_eq!(held.len(), told, "{what}, night {number}");
            // Each of these is met in the first two nights, at the latest.
            assert!(told > 0 || number != UNCLEAR - 1, "{what}: nothing is told");
            assert_others_came(
                &house,
                &held.iter().map(|it| it.raw.id.to_string()).collect(),
            );
        }
        assert_once_each(&house, what);
        assert_mended(&mut house, what).await;
        house
            .state()
            .present()
            .assert_same(&expected.present(), what);
    }
}

/// Whatever is not put aside is as at the services.
fn assert_others_came(house: &House, held: &BTreeSet<String>) {
    let mut truth = house.truth();
    truth.retain(|id, _| !held.contains(id.as_str()));
    let mut worked = house.worked();
    // A record that was read before stays as it was, until it can be read again.
    worked.retain(|id, _| !held.contains(id.as_str()));
    assert_eq!(worked, truth);
    let is_clear = |id: &String| !held.contains(id);
    let mut cards: Vec<String> = house.cards().into_iter().filter(is_clear).collect();
    cards.sort();
    let tasks: Vec<String> = house.tasks().into_iter().filter(is_clear).collect();
    assert_eq!(tasks, cards);
}

/// However many nights a record was put aside, it was told once.
fn assert_once_each(house: &House, what: &str) {
    let all = house.store.findings(true).unwrap();
    let mut told: Vec<&str> = all
        .iter()
        .filter(|stored| stored.finding.kind == Kind::UnreadableRecord)
        .map(|stored| stored.finding.subject.as_str())
        .collect();
    let count = told.len();
    told.sort_unstable();
    told.dedup();
    assert_eq!(told.len(), count, "{what}: told twice: {told:?}");
}

/// A comparison brings cards again. An entry of long ago, that neither it nor the feed brings, is
/// mended at its source, as the finding says: there somebody writes it anew.
async fn assert_mended(house: &mut House, what: &str) {
    house.noon();
    let held = house.store.quarantined().unwrap();
    for held in held.iter().filter(|held| held.connection == "toggl") {
        let entry = held.raw.id.as_str().parse().unwrap();
        house.toggl.edit(entry, |_| ());
    }
    let plan = stundenbuch::run::nightly::Plan {
        trigger: "command".into(),
        compare: true,
        ..stundenbuch::run::nightly::Plan::default()
    };
    house.pass(&plan).await;
    assert_eq!(house.findings(Kind::UnreadableRecord), [], "{what}");
    assert_eq!(house.store.quarantined().unwrap(), [], "{what}");
    assert_eq!(house.store.verify().unwrap().damage, None, "{what}");
    house.assert_true();
}

/// Something is wrong with every answer as a whole.
const OF_ALL: [Spoiling; 4] = [
    ("an object around it", |answer| {
        *answer = json!({"data": answer.take()});
    }),
    ("a list around it", |answer| {
        *answer = json!([[answer.take()]]);
    }),
    ("a text", |answer| *answer = json!(answer.to_string())),
    ("a number", |answer| *answer = json!(0)),
];

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_answer_that_cannot_be_read_moves_nothing() {
    let expected = without_faults().await;
    for (what, rewrite) in OF_ALL {
        for who in BOTH {
            let case = format!("{who:?}: {what}");
            let mut house = House::new(SMALL).await;
            let ways = Ways::to(&mut house).await;
            for number in 0..NIGHTS {
                begin(&house, number);
                if number != 1 {
                    ways.of(who).heal();
                    house.night().await;
                    continue;
                }
                ways.of(who).fail_after(0, Fault::Rewrites(rewrite));
                let before = stands(&house, who);
                let report = house.night().await;
                assert!(
                    of(&report, who.name()).failure.is_some(),
                    "{case}: {report:#?}"
                );
                assert_failed(&house, who, &report, Exit::ForNow, &case);
                assert_eq!(stands(&house, who), before, "{case}: a part was written");
            }
            assert_healed(&house, &expected, 1, &case);
        }
    }
}

type Records = Vec<(String, (String, bool))>;

/// What the ledger has of a connection: its cursor, and its records.
fn stands(house: &House, who: Who) -> (Cursor, Records) {
    let cursor = house.store.connection(who.name()).unwrap().cursor;
    let records = house.state().records.into_iter();
    let own = records.filter(|(key, _)| key.starts_with(&format!("{}/", who.name())));
    (cursor, own.collect())
}
