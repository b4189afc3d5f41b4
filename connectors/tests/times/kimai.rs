//! The Kimai connector against a stateful fake.

mod conformance;
mod trouble;

use chrono::{NaiveDate, TimeDelta};
use stundenbuch_connectors::clock::{Clock as _, ManualClock};
use stundenbuch_connectors::contract::Pull;
use stundenbuch_connectors::kind::Value;
use stundenbuch_connectors::record::{ExternalId, Worked};
use stundenbuch_connectors::secret::Secret;
use stundenbuch_connectors::suite;

use crate::fakes::kimai::{Kimai, OTHER, Sheet, TOKEN};
use crate::ledger::{Ledger, at, compare, monday};

/// A fake and the ledger that is filled from it.
pub(crate) struct Desk {
    pub(crate) fake: Kimai,
    pub(crate) ledger: Ledger,
}

impl Desk {
    pub(crate) async fn new() -> Self {
        let clock = ManualClock::at(monday());
        let fake = Kimai::start(clock.clone()).await;
        let mut ledger = Ledger::new("kimai", &clock);
        ledger.set("token", Value::Secret(Secret::new(TOKEN)));
        ledger.set("url", Value::Url(fake.server.base().to_owned()));
        Self { fake, ledger }
    }

    /// Entries every two hours, the last of them shortly before now, none of them touched lately.
    pub(crate) fn fill(&self, count: i64) -> Vec<i64> {
        let now = self.fake.clock.now();
        let sheet = |number: i64| {
            let begin = now - TimeDelta::hours(3 + 2 * number) + TimeDelta::seconds(number % 60);
            Sheet::of(begin, 7 + number % 90)
        };
        let add = |number| {
            let long_ago = now - TimeDelta::days(100);
            self.fake.with(|world| world.add(sheet(number), long_ago))
        };
        (0..count).map(add).collect()
    }

    pub(crate) fn delete(&self, id: i64) {
        self.fake.with(|world| world.sheets.remove(&id).unwrap());
    }

    /// The ledger says exactly what the fake holds.
    #[track_caller]
    pub(crate) fn must_be_true(&self) {
        self.fake.with(|world| {
            let truth: Vec<String> = world.sheets.keys().map(i64::to_string).collect();
            assert_eq!(self.ledger.ids(), truth);
            assert_eq!(self.ledger.seconds(), world.worked_seconds());
        });
        assert_eq!(self.ledger.rejected, []);
    }
}

#[tokio::test]
async fn the_table_of_requests() {
    let mut desk = Desk::new().await;
    let ids = desk.fill(1_000);
    let first = desk.ledger.pull(&Pull::Changes).await;
    desk.must_be_true();
    assert_eq!(desk.ledger.revisions, 1_000);
    assert_eq!(desk.ledger.projects.len(), 2);
    let quiet = desk.ledger.quiet_night().await;
    assert_eq!(desk.ledger.revisions, 1_000);
    for id in ids.iter().step_by(100) {
        desk.fake.edit(*id, |sheet| sheet.billable = false);
    }
    let changed = desk.ledger.quiet_night().await;
    assert_eq!(desk.ledger.revisions, 1_010);
    desk.must_be_true();
    let counts = [("first", first), ("quiet", quiet), ("1 % changed", changed)];
    suite::requests_table("kimai", "1,000 entries", &counts);
    // The owner, the projects, two pages of five hundred entries.
    assert_eq!((first, quiet, changed), (4, 2, 2));
}

#[tokio::test]
async fn deletions_of_the_last_weeks_are_seen_at_night_and_older_ones_by_a_comparison() {
    let mut desk = Desk::new().await;
    let ids = desk.fill(900);
    desk.ledger.pull(&Pull::Changes).await;
    desk.delete(ids[3]);
    desk.delete(ids[880]);
    assert_eq!(desk.ledger.quiet_night().await, 3);
    assert_eq!(desk.ledger.gone, [ExternalId::new(ids[3].to_string())]);
    let mode = compare(&desk.ledger.clock, 90);
    desk.ledger.pull(&mode).await;
    assert_eq!(desk.ledger.gone.len(), 2);
    desk.must_be_true();
}

#[tokio::test]
async fn changes_to_entries_of_any_age_are_seen_at_night() {
    let mut desk = Desk::new().await;
    let day = NaiveDate::from_ymd_opt(2025, 1, 1).unwrap();
    desk.ledger.set("history_from", Value::Date(day));
    let begin = at("2025-03-10T09:00:00Z");
    let old = desk.fake.add(Sheet::of(begin, 60));
    desk.ledger.pull(&Pull::Changes).await;
    for round in 1..=3 {
        desk.ledger.pass(TimeDelta::days(20));
        let text = Some(format!("Fassung {round}"));
        desk.fake
            .edit(old, |sheet| sheet.description = text.clone());
        let late = desk.fake.add(Sheet::of(begin + TimeDelta::days(round), 30));
        assert_eq!(desk.ledger.quiet_night().await, 2);
        assert_eq!(
            Some(&desk.ledger.entry(&old.to_string()).description),
            text.as_ref()
        );
        assert_eq!(
            desk.ledger.entry(&late.to_string()).worked.seconds(),
            Some(1_800)
        );
    }
    desk.must_be_true();
}

#[tokio::test]
async fn windows_hold_in_every_zone() {
    for zone_hours in [-12, 1, 14] {
        let mut desk = Desk::new().await;
        desk.fake.with(|world| world.zone_hours = zone_hours);
        let day = NaiveDate::from_ymd_opt(2026, 1, 1).unwrap();
        desk.ledger.set("history_from", Value::Date(day));
        let mut begin = at("2026-01-01T00:30:00Z");
        let mut count = 0;
        while begin < monday() - TimeDelta::hours(10) {
            let sheet = Sheet {
                pause: if count % 3 == 0 { 600 } else { 0 },
                ..Sheet::of(begin, 9 * 60)
            };
            desk.fake.add(sheet);
            begin += TimeDelta::hours(10);
            count += 1;
        }
        desk.ledger.pull(&Pull::Changes).await;
        desk.must_be_true();
        for mode in [Pull::Changes, compare(&desk.ledger.clock, 500)] {
            desk.ledger.pass(TimeDelta::hours(7));
            desk.ledger.pull(&mode).await;
        }
        assert_eq!(desk.ledger.revisions, count, "in zone {zone_hours}");
        assert_eq!(desk.ledger.gone, []);
        desk.must_be_true();
    }
}

#[tokio::test]
async fn an_entry_with_a_break_is_so_many_seconds_on_a_day() {
    let mut desk = Desk::new().await;
    // Half past midnight in Berlin.
    let sheet = Sheet {
        pause: 1_800,
        ..Sheet::of(at("2026-11-10T23:30:00Z"), 8 * 60)
    };
    let id = desk.fake.add(sheet).to_string();
    desk.ledger.pull(&Pull::Changes).await;
    let expected = Worked::Day {
        date: "2026-11-11".parse().unwrap(),
        seconds: 27_000,
    };
    assert_eq!(desk.ledger.entry(&id).worked, expected);
    desk.must_be_true();
    desk.delete(id.parse().unwrap());
    desk.ledger.quiet_night().await;
    desk.must_be_true();
}

#[tokio::test]
async fn pages_end_with_their_totals_or_with_a_404() {
    for (says_totals, count) in [(true, 1_000), (false, 1_000), (false, 1_001)] {
        let mut desk = Desk::new().await;
        desk.fake.with(|world| world.says_totals = says_totals);
        let ids = desk.fill(count);
        desk.ledger.pull(&Pull::Changes).await;
        desk.must_be_true();
        desk.delete(ids[2]);
        desk.ledger.quiet_night().await;
        assert_eq!(desk.ledger.gone.len(), 1);
        desk.must_be_true();
    }
}

/// A row that goes while pages are read moves those behind it to pages that were read.
#[tokio::test]
async fn what_goes_while_pages_are_read_lets_nothing_be_missed() {
    let mut desk = Desk::new().await;
    desk.fake.with(|world| world.page_max = 100);
    let ids = desk.fill(350);
    // Longer ago than the nights reach.
    desk.ledger.pass(TimeDelta::days(50));
    desk.fake.with(|world| world.vanishing = vec![ids[5]]);
    desk.ledger.pull(&Pull::Changes).await;
    let known = |desk: &Desk, id: i64| {
        let id = ExternalId::new(id.to_string());
        desk.ledger.entries.contains_key(&id)
    };
    let there: Vec<i64> = desk
        .fake
        .with(|world| world.sheets.keys().copied().collect());
    assert!(
        there.iter().all(|id| known(&desk, *id)),
        "a row slipped between pages"
    );
    // What was read before it went is in the ledger until it is compared.
    let mode = compare(&desk.ledger.clock, 90);
    desk.ledger.pull(&mode).await;
    desk.must_be_true();
    // One that goes each time is no reason to read for ever, and what is read is no proof.
    desk.fake
        .with(|world| world.vanishing = ids[100..160].to_vec());
    let gone = desk.ledger.gone.len();
    desk.ledger.pull(&mode).await;
    assert_eq!(desk.ledger.gone.len(), gone);
    desk.fake.with(|world| world.vanishing.clear());
    desk.ledger.pull(&mode).await;
    desk.must_be_true();
}

#[tokio::test]
async fn a_timer_that_was_forgotten_for_months_is_seen_to_stop_or_to_go() {
    for deleted in [false, true] {
        let mut desk = Desk::new().await;
        desk.fill(3);
        let forgotten = desk
            .fake
            .add(Sheet::running(monday() - TimeDelta::hours(20)));
        desk.ledger.pull(&Pull::Changes).await;
        let id = forgotten.to_string();
        assert_eq!(desk.ledger.entry(&id).worked.seconds(), None);
        for _ in 0..130 {
            assert!(desk.ledger.quiet_night().await <= 3);
        }
        if deleted {
            desk.delete(forgotten);
        } else {
            let stop = desk.fake.clock.now();
            desk.fake.edit(forgotten, |sheet| sheet.end = Some(stop));
        }
        desk.ledger.quiet_night().await;
        desk.must_be_true();
        // And then the nights reach no further back than ever.
        assert_eq!(desk.ledger.quiet_night().await, 2);
    }
}

#[tokio::test]
async fn a_renamed_project_shows_in_what_is_recent() {
    let mut desk = Desk::new().await;
    let ids = desk.fill(3);
    desk.ledger.pull(&Pull::Changes).await;
    let renamed = ("Relaunch 2".to_owned(), true);
    desk.fake.with(|world| world.projects.insert(11, renamed));
    desk.ledger.quiet_night().await;
    let project = desk.ledger.entry(&ids[0].to_string()).project.clone();
    assert_eq!(project.unwrap().name.as_deref(), Some("Relaunch 2"));
}

#[tokio::test]
async fn a_team_is_read_where_it_is_wanted_and_shown() {
    let mut desk = Desk::new().await;
    let theirs = Sheet {
        user: OTHER,
        ..Sheet::of(monday() - TimeDelta::days(9), 30)
    };
    let own = desk.fill(3);
    let id = desk.fake.add(theirs).to_string();
    desk.ledger.pull(&Pull::Changes).await;
    assert_eq!(desk.ledger.entries.len(), 3);

    desk.ledger.set("team", Value::Flag(true));
    let mode = compare(&desk.ledger.clock, 30);
    desk.ledger.pull(&mode).await;
    desk.must_be_true();
    let person = desk.ledger.entry(&id).person.clone().unwrap();
    assert_eq!(person.name.as_deref(), Some("timo.aster"));
    assert_eq!(desk.ledger.people.len(), 2);

    // Kimai does not say that the permission is gone: it shows one's own entries only. Their
    // deletion is seen, and nobody else's is invented.
    desk.fake.with(|world| world.sees_team = false);
    desk.delete(own[1]);
    let mode = compare(&desk.ledger.clock, 30);
    desk.ledger.pull(&mode).await;
    assert_eq!(desk.ledger.gone, [ExternalId::new(own[1].to_string())]);
    assert!(desk.ledger.notices.contains(&"kimai-people-not-visible"));
    desk.must_be_true();
}
