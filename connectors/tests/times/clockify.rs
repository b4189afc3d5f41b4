//! The Clockify connector against a stateful fake that enforces Clockify's quota.

mod conformance;
mod trouble;

use chrono::{NaiveDate, TimeDelta};
use stundenbuch_connectors::clock::{Clock as _, ManualClock};
use stundenbuch_connectors::contract::Pull;
use stundenbuch_connectors::kind::Value;
use stundenbuch_connectors::record::ExternalId;
use stundenbuch_connectors::secret::Secret;
use stundenbuch_connectors::suite;

use crate::fakes::clockify::{Clockify, Entry, KEY, OTHER};
use crate::ledger::{Ledger, at, compare, monday};

/// A fake and the ledger that is filled from it.
pub(crate) struct Desk {
    pub(crate) fake: Clockify,
    pub(crate) ledger: Ledger,
}

impl Desk {
    pub(crate) async fn new() -> Self {
        let clock = ManualClock::at(monday());
        let fake = Clockify::start(clock.clone()).await;
        let mut ledger = Ledger::new("clockify", &clock);
        ledger.set("api_key", Value::Secret(Secret::new(KEY)));
        ledger.set("api_url", Value::Url(fake.api_url()));
        Self { fake, ledger }
    }

    /// Entries every two hours, the last of them shortly before now.
    pub(crate) fn fill(&self, count: i64) -> Vec<String> {
        let now = self.fake.clock.now();
        let entry = |number: i64| {
            let start = now - TimeDelta::hours(3 + 2 * number) + TimeDelta::seconds(number % 60);
            Entry::of(start, 7 + number % 90)
        };
        (0..count).map(|number| self.add(entry(number))).collect()
    }

    pub(crate) fn add(&self, entry: Entry) -> String {
        self.fake.with(|world| world.add(entry))
    }

    pub(crate) fn delete(&self, id: &str) {
        self.fake.with(|world| world.entries.remove(id).unwrap());
    }

    /// The ledger says exactly what the fake holds, and nothing was refused.
    #[track_caller]
    pub(crate) fn must_be_true(&self) {
        self.fake.with(|world| {
            let truth: Vec<&str> = world.entries.keys().map(String::as_str).collect();
            assert_eq!(self.ledger.ids(), truth);
            assert_eq!(self.ledger.seconds(), world.worked_seconds());
            assert_eq!(world.refused, 0, "requests were refused");
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
    desk.ledger.pass(TimeDelta::hours(2));
    let quiet = desk.ledger.pull(&Pull::Changes).await;
    assert_eq!(desk.ledger.revisions, 1_000);
    for id in ids.iter().step_by(100) {
        let change = |entry: &mut Entry| entry.billable = false;
        desk.fake.with(|world| world.edit(id, change));
    }
    desk.ledger.pass(TimeDelta::hours(2));
    let changed = desk.ledger.pull(&Pull::Changes).await;
    assert_eq!(desk.ledger.revisions, 1_010);
    desk.must_be_true();
    let counts = [("first", first), ("quiet", quiet), ("1 % changed", changed)];
    suite::requests_table("clockify", "1,000 entries", &counts);
    // The owner, the workspaces, the projects, one page of a thousand entries.
    assert_eq!((first, quiet, changed), (4, 1, 1));
}

#[tokio::test]
async fn a_comparison_finds_deletions_with_one_look_at_each() {
    let mut desk = Desk::new().await;
    let ids = desk.fill(40);
    desk.ledger.pull(&Pull::Changes).await;
    for id in &ids[3..6] {
        desk.delete(id);
    }
    desk.ledger.pass(TimeDelta::days(1));
    // The listing, whether it may be listed, and each of the three.
    assert_eq!(desk.ledger.pull(&Pull::Changes).await, 5);
    assert_eq!(desk.ledger.gone.len(), 3);
    desk.must_be_true();
}

#[tokio::test]
async fn windows_hold_in_every_zone_and_by_either_reading_of_their_end() {
    for zone_hours in [-12, 2, 14] {
        for by_ends in [false, true] {
            let mut desk = Desk::new().await;
            desk.fake.with(|world| {
                world.zone_hours = zone_hours;
                world.end_is_about_ends = by_ends;
            });
            let from = NaiveDate::from_ymd_opt(2026, 1, 1).unwrap();
            desk.ledger.set("history_from", Value::Date(from));
            // Nine hours in every ten, over all borders between listings.
            let mut start = at("2026-01-01T06:00:00Z");
            let mut count = 0;
            while start < monday() - TimeDelta::hours(10) {
                desk.add(Entry::of(start, 9 * 60));
                start += TimeDelta::hours(10);
                count += 1;
            }
            desk.ledger.pull(&Pull::Changes).await;
            desk.must_be_true();
            for mode in [Pull::Changes, compare(&desk.ledger.clock, 500)] {
                desk.ledger.pass(TimeDelta::hours(2));
                desk.ledger.pull(&mode).await;
            }
            assert_eq!(desk.ledger.revisions, count, "in zone {zone_hours}");
            assert_eq!(desk.ledger.gone, []);
            desk.must_be_true();
        }
    }
}

#[tokio::test]
async fn small_pages_with_and_without_the_mark_of_the_last() {
    for says_last in [true, false] {
        let mut desk = Desk::new().await;
        desk.fake.with(|world| {
            world.page_max = if says_last { 100 } else { 5_000 };
            world.says_last = says_last;
            world.quota = None;
        });
        desk.ledger.set("paid", Value::Flag(true));
        let ids = desk.fill(1_005);
        desk.ledger.pull(&Pull::Changes).await;
        desk.must_be_true();
        assert_eq!(desk.ledger.revisions, 1_005);
        desk.delete(&ids[1_001]);
        desk.ledger.pull(&Pull::Changes).await;
        assert_eq!(desk.ledger.gone.len(), 1);
        desk.must_be_true();
    }
}

#[tokio::test]
async fn a_timer_that_was_forgotten_for_months_is_seen_to_stop() {
    let mut desk = Desk::new().await;
    desk.fill(3);
    let forgotten = desk.add(Entry::running(monday() - TimeDelta::hours(20)));
    desk.ledger.pull(&Pull::Changes).await;
    assert_eq!(desk.ledger.entry(&forgotten).worked.seconds(), None);
    for _ in 0..200 {
        // After half a year, what is older is a listing of its own.
        assert!(desk.ledger.quiet_night().await <= 2);
    }
    let stop = desk.fake.clock.now();
    desk.fake
        .with(|world| world.edit(&forgotten, |entry| entry.end = Some(stop)));
    desk.ledger.quiet_night().await;
    desk.must_be_true();
    // And then the nights reach no further back than ever.
    desk.ledger.quiet_night().await;
    let asked = desk.fake.server.requests().last().unwrap().clone();
    let start = at(asked.query("start").unwrap());
    assert!(
        desk.fake.clock.now() - start < TimeDelta::days(94),
        "{start}"
    );
}

#[tokio::test]
async fn a_silence_of_months_is_made_up_for() {
    let mut desk = Desk::new().await;
    let ids = desk.fill(20);
    desk.ledger.pull(&Pull::Changes).await;
    desk.ledger.pass(TimeDelta::days(5));
    desk.add(Entry::of(desk.fake.clock.now(), 25));
    desk.delete(&ids[7]);
    desk.ledger.pass(TimeDelta::days(150));
    desk.ledger.pull(&Pull::Changes).await;
    assert_eq!(desk.ledger.gone.len(), 1);
    desk.must_be_true();
}

#[tokio::test]
async fn what_a_night_does_not_reach_is_seen_by_a_comparison_that_does() {
    let mut desk = Desk::new().await;
    let from = NaiveDate::from_ymd_opt(2026, 1, 1).unwrap();
    desk.ledger.set("history_from", Value::Date(from));
    let old = desk.add(Entry::of(at("2026-03-10T09:00:00Z"), 60));
    let gone = desk.add(Entry::of(at("2026-03-11T09:00:00Z"), 60));
    desk.ledger.pull(&Pull::Changes).await;
    let text = "nachgetragen".to_owned();
    desk.fake
        .with(|world| world.edit(&old, |entry| entry.description = text));
    desk.delete(&gone);
    desk.ledger.quiet_night().await;
    assert_ne!(desk.ledger.entry(&old).description, "nachgetragen");
    let march = Pull::Compare {
        from: at("2026-02-28T23:00:00Z"),
        until: Some(at("2026-03-31T22:00:00Z")),
    };
    desk.ledger.pull(&march).await;
    assert_eq!(desk.ledger.entry(&old).description, "nachgetragen");
    assert_eq!(desk.ledger.gone, [ExternalId::new(gone)]);
    desk.must_be_true();
}

#[tokio::test]
async fn a_team_is_read_where_it_is_wanted_and_shown() {
    let mut desk = Desk::new().await;
    let from = NaiveDate::from_ymd_opt(2026, 1, 1).unwrap();
    desk.ledger.set("history_from", Value::Date(from));
    let theirs = |minutes| Entry {
        user: OTHER.to_owned(),
        ..Entry::of(at("2026-03-10T09:00:00Z"), minutes)
    };
    desk.fill(3);
    let id = desk.add(theirs(30));
    desk.ledger.pull(&Pull::Changes).await;
    assert_eq!(desk.ledger.entries.len(), 3);

    // Wanted later, all of the team's history comes with the next comparison.
    desk.ledger.set("team", Value::Flag(true));
    let mode = compare(&desk.ledger.clock, 5);
    desk.ledger.pull(&mode).await;
    desk.must_be_true();
    let person = desk.ledger.entry(&id).person.clone().unwrap();
    assert_eq!(person.name.as_deref(), Some("Timo Aster"));
    assert_eq!(desk.ledger.people.len(), 2);
    assert_eq!(desk.ledger.quiet_night().await, 2);

    // Who may not see them any more has deleted nothing, and goes on reading what is left.
    desk.fake.with(|world| world.admin = false);
    let own = desk.add(Entry::of(desk.fake.clock.now() - TimeDelta::hours(2), 60));
    desk.ledger.pull(&Pull::Changes).await;
    assert_eq!(desk.ledger.notices, ["clockify-time-not-shown"]);
    assert_eq!(desk.ledger.entry(&own).worked.seconds(), Some(3600));
    let mode = compare(&desk.ledger.clock, 30);
    desk.ledger.pull(&mode).await;
    assert_eq!(desk.ledger.gone, []);
    assert!(desk.ledger.notices.contains(&"clockify-no-team"));
    desk.must_be_true();
}

#[tokio::test]
async fn a_workspace_that_was_left_does_not_hold_up_the_others() {
    let mut desk = Desk::new().await;
    desk.fill(3);
    let verein = "00c777ddd3fcab07cf0000f0";
    desk.fake.with(|world| {
        let name = "Verein".to_owned();
        world.workspaces.insert(verein.to_owned(), name)
    });
    desk.ledger.pull(&Pull::Changes).await;
    desk.fake.with(|world| world.left.insert(verein.to_owned()));
    desk.add(Entry::of(
        desk.fake.clock.now() - TimeDelta::minutes(90),
        60,
    ));
    desk.ledger.pass(TimeDelta::days(1));
    desk.ledger.pull(&Pull::Changes).await;
    assert_eq!(desk.ledger.notices, ["clockify-time-not-shown"]);
    desk.must_be_true();
}

#[tokio::test]
async fn a_new_workspace_brings_its_history() {
    let mut desk = Desk::new().await;
    desk.fill(3);
    desk.ledger.pull(&Pull::Changes).await;
    let verein = "64c777ddd3fcab07cf0000f0";
    desk.fake.with(|world| {
        world
            .workspaces
            .insert(verein.to_owned(), "Verein".to_owned())
    });
    desk.add(Entry {
        workspace: verein.to_owned(),
        project: None,
        ..Entry::of(monday() - TimeDelta::days(80), 30)
    });
    desk.ledger.pass(TimeDelta::days(7));
    let mode = compare(&desk.ledger.clock, 62);
    desk.ledger.pull(&mode).await;
    desk.must_be_true();
    assert_eq!(desk.ledger.quiet_night().await, 2);
}

#[tokio::test]
async fn only_the_wanted_workspaces_are_read() {
    let mut desk = Desk::new().await;
    desk.fill(2);
    let wishes = ["studio LINDGRÜN".to_owned(), "Zirkus".to_owned()];
    desk.ledger.set("workspaces", Value::Texts(wishes.to_vec()));
    desk.ledger.pull(&Pull::Changes).await;
    assert_eq!(desk.ledger.notices, ["workspace-not-visible"]);
    desk.must_be_true();
}

#[tokio::test]
async fn the_night_of_the_clock_change_has_an_hour_more() {
    let mut desk = Desk::new().await;
    // 01:30 summer time to 03:30 winter time in Berlin.
    let id = desk.add(Entry::of(at("2026-10-24T23:30:00Z"), 180));
    desk.ledger.pull(&Pull::Changes).await;
    let worked = desk.ledger.entry(&id).worked.seconds();
    assert_eq!(worked, Some(3 * 3600));
    desk.must_be_true();
}
