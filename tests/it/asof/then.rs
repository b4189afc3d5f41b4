//! Reports of many nights, made again later: the same bytes.

use chrono::{DateTime, TimeDelta, Utc};
use stundenbuch::config::Config;
use stundenbuch::ledger::{Alias, Event};
use stundenbuch::matching::normal;
use stundenbuch::render::{self, Format};
use stundenbuch::run::{history, review};
use stundenbuch::statements;
use stundenbuch::store::{ParcelState, Store, WorkQuery};
use stundenbuch_connectors::clock::Clock as _;

use super::configured::edit;
use crate::fakes::toggl::Entry;
use crate::night::house::{House, SMALL, nth_entry};

/// Everything that reports show of a store at a moment.
#[derive(Debug, PartialEq, Eq)]
struct Shown {
    head: String,
    statements: Vec<String>,
    previews: Vec<Vec<u8>>,
    left_out: String,
    findings: String,
    matches: String,
    counts: String,
}

fn show(store: &Store, config: &Config) -> Shown {
    let mut previews = Vec::new();
    let mut left_out = String::new();
    for client in &config.clients {
        for month in ["2026-08", "2026-09", "2026-11"] {
            let period = month.parse().unwrap();
            let found = statements::preview(store, config, client, period).unwrap();
            for preview in found.previews {
                for format in [Format::Json, Format::Csv, Format::CsvRaw] {
                    let statement = &preview.draft.statement;
                    previews.push(render::render(statement, format, None).unwrap().bytes);
                }
            }
            left_out += &format!("{:?}", found.findings);
        }
    }
    let works = store.works(&WorkQuery::default()).unwrap();
    let matches = works.iter().map(|work| store.matched(work.id).unwrap());
    let listed = store.statements().unwrap().into_iter().map(|row| {
        let parcels = store.parcels_of(&row.number).unwrap();
        let states: Vec<ParcelState> = parcels.iter().map(|parcel| parcel.state).collect();
        format!("{row:?} {states:?}")
    });
    let mut counts = store.stats().unwrap();
    counts.quarantined = 0;
    Shown {
        head: format!("{:?}", store.head().unwrap()),
        statements: listed.collect(),
        previews,
        left_out,
        findings: format!("{:#?}", store.findings(true).unwrap()),
        matches: format!("{:?}", matches.collect::<Vec<_>>()),
        counts: format!("{counts:?}"),
    }
}

/// What the same looks like from a later day.
fn again(house: &House, at: DateTime<Utc>) -> Shown {
    let mut told = Vec::new();
    let then = house
        .store
        .as_of(at, &mut |row, of| told.push((row, of)))
        .unwrap();
    let last = then.head().unwrap().seq;
    assert_eq!(
        told.last(),
        Some(&(last, last)),
        "progress comes to its end"
    );
    let config = history::recorded(&then, &house.config).unwrap().unwrap();
    show(&then, &config)
}

/// Numbers that look like chance and are the same each time.
struct Dice(u64);

impl Dice {
    fn roll(&mut self, sides: usize) -> usize {
        self.0 = self
            .0
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1);
        usize::try_from(self.0 >> 33).unwrap() % sides
    }
}

/// One thing that people do by day.
fn happen(house: &mut House, dice: &mut Dice, day: i64) {
    let now = house.noon();
    let ids: Vec<i64> = house.toggl.with(|world| {
        let there = world.entries.iter().filter(|(_, it)| it.deleted.is_none());
        there.map(|(id, _)| *id).collect()
    });
    let boards = house.trello.boards();
    let (cards, _) = house.trello.ids(&boards[dice.roll(boards.len())]);
    let id = ids[dice.roll(ids.len())];
    let card = cards[dice.roll(cards.len())].clone();
    match dice.roll(11) {
        0 => house.toggl.edit(id, |entry| {
            entry.stop = entry.stop.map(|stop| stop - TimeDelta::seconds(61));
        }),
        1 => house
            .toggl
            .edit(id, |entry| entry.description = Some("Aufgabe 1-3".into())),
        2 => house
            .toggl
            .edit(id, |entry| entry.project = Some(3_000_002)),
        3 => house.toggl.delete(id),
        4 => {
            house.toggl.add(Entry {
                at: None,
                ..nth_entry(1_000 + day)
            });
        }
        5 => {
            house.toggl.add(Entry::running(now));
        }
        6 => house.trello.rename(&card, &format!("Aufgabe {day}-{day}")),
        7 => house.trello.delete(&card),
        8 => edit(house, |text| {
            let rate = format!("rate = \"{}.00\"", 60 + day);
            let lines = text.lines().map(|line| {
                let is_rate = line.starts_with("rate = ");
                if is_rate {
                    rate.clone()
                } else {
                    line.to_owned()
                }
            });
            lines.collect::<Vec<_>>().join("\n")
        }),
        9 => teach(house, now),
        _ => {
            let client = house.config.client("ahorn").unwrap().clone();
            let day = format!("2026-08-{}", 20 + dice.roll(4));
            let period = format!("{day}..{day}").parse().unwrap();
            // A day without open work has nothing to seal.
            let _ = statements::seal(&mut house.store, &house.config, &client, period, now);
        }
    }
}

/// A person says which task a text means.
fn teach(house: &mut House, now: DateTime<Utc>) {
    let works = house.store.works(&WorkQuery::default()).unwrap();
    let tasks = house.store.tasks().unwrap();
    let unsure = works.iter().find(|work| {
        let matched = house.store.matched(work.id).unwrap();
        !work.deleted && matched.is_none_or(|(task, _)| task.is_none())
    });
    let (Some(work), Some(task)) = (unsure, tasks.first()) else {
        return;
    };
    let event = Event::Alias(Alias {
        text: normal(&work.entry.description),
        task: Some(task.key.clone()),
    });
    let also = std::collections::BTreeSet::from([work.id]);
    house
        .store
        .write(|writer| writer.append(now, "ahorn", &event))
        .unwrap();
    review::review_with(&mut house.store, &house.config, now, &also).unwrap();
}

/// Several histories of nights; what was shown after each night, and after each thing that a
/// person did, is shown again at the end.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_was_shown_on_any_day_is_shown_again_to_the_byte() {
    for seed in [1, 7] {
        let mut house = House::new(SMALL).await;
        let mut dice = Dice(seed);
        let mut shown = Vec::new();
        for day in 0..14 {
            house.night().await;
            shown.push((house.clock.now(), show(&house.store, &house.config)));
            happen(&mut house, &mut dice, day);
            if dice.roll(2) == 0 {
                history::record(&mut house.store, &house.config, house.clock.now()).unwrap();
                shown.push((house.clock.now(), show(&house.store, &house.config)));
            }
        }
        let distinct: std::collections::BTreeSet<&str> = shown
            .iter()
            .map(|(_, shown)| shown.matches.as_str())
            .collect();
        assert!(distinct.len() > 2, "the history has no change of matches");
        let hash = house.store.projection_hash().unwrap();
        let head = house.store.head().unwrap();
        for (at, then) in shown.iter().chain(&shown) {
            let found = again(&house, *at);
            assert!(
                found == *then,
                "seed {seed}, {at}:\n{}",
                differ(then, &found)
            );
        }
        assert_eq!(house.store.head().unwrap(), head, "looking writes nothing");
        assert_eq!(house.store.projection_hash().unwrap(), hash);
    }
}

/// The first part in which two reports differ.
fn differ(wanted: &Shown, found: &Shown) -> String {
    let text = |shown: &Shown| {
        let previews: Vec<_> = shown
            .previews
            .iter()
            .map(|bytes| String::from_utf8_lossy(bytes).into_owned())
            .collect();
        format!(
            "{}\n{:#?}\n{}\n{}\n{}\n{}\n{}",
            shown.head,
            shown.statements,
            shown.counts,
            shown.left_out,
            shown.matches.replace("), ", "),\n"),
            shown.findings,
            previews.join("\n")
        )
    };
    let (wanted, found) = (text(wanted), text(found));
    let pairs = wanted.lines().zip(found.lines());
    let first = pairs.enumerate().find(|(_, (one, two))| one != two);
    format!("first difference: {first:?}")
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_source_that_failed_then_failed_then() {
    let mut house = House::new(SMALL).await;
    house.night().await;
    let fine = (house.clock.now(), show(&house.store, &house.config));
    house.trello.revoke(Some("token revoked"));
    house.night().await;
    let failed = (house.clock.now(), show(&house.store, &house.config));
    house.trello.revoke(None);
    house.night().await;
    assert_ne!(fine.1.findings, failed.1.findings);
    for (at, then) in [fine, failed] {
        assert_eq!(again(&house, at), then);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn rows_behind_a_later_one_are_not_known_yet() {
    let mut house = House::new(SMALL).await;
    house.night().await;
    let (at, rows) = (house.clock.now(), house.rows());
    let alias = |text: &str| {
        Event::Alias(Alias {
            text: text.into(),
            task: None,
        })
    };
    house
        .store
        .write(|writer| -> stundenbuch::store::Result<()> {
            writer.append(at + TimeDelta::seconds(1), "ahorn", &alias("later"))?;
            // The clock was set back by an hour.
            writer.append(at - TimeDelta::hours(1), "ahorn", &alias("earlier"))?;
            Ok(())
        })
        .unwrap();
    let last = |at| house.store.last_row_by(at).unwrap();
    assert_eq!(last(at), rows);
    assert_eq!(last(at + TimeDelta::seconds(1)), rows + 2);
    assert_eq!(last("2020-01-01T00:00:00Z".parse().unwrap()), 0);
}
