//! The Toggl connector against a stateful fake that enforces Toggl's quotas.

#![allow(
    clippy::unwrap_used,
    clippy::print_stdout,
    reason = "a test file, though not each function is a test"
)]

#[path = "toggl/conformance.rs"]
mod conformance;
#[path = "../../tests/fakes/mod.rs"]
mod fakes;
#[path = "toggl/ledger.rs"]
mod ledger;
#[path = "toggl/recorded.rs"]
mod recorded;
#[path = "toggl/trouble.rs"]
mod trouble;

use std::time::Duration;

use chrono::{NaiveDate, TimeDelta};
use stundenbuch_connectors::clock::Clock as _;
use stundenbuch_connectors::contract::{Cursor, Pull};
use stundenbuch_connectors::error::Kind;
use stundenbuch_connectors::kind::Value;
use stundenbuch_connectors::record::Worked;
use stundenbuch_connectors::suite;

use fakes::toggl::{Access, Entry, OTHER};
use ledger::{Desk, at, id, monday};

/// So many entries, one every two hours, the last of them shortly before now, none of them
/// written in the last two days.
fn fill(desk: &Desk, count: i64) -> Vec<i64> {
    let now = desk.fake.clock.now();
    let entry = |number: i64| {
        let start = now - TimeDelta::hours(50 + 2 * number) + TimeDelta::seconds(number % 60);
        let mut entry = Entry::of(start, 7 + number % 90);
        entry.at = Some(start + TimeDelta::hours(2) - TimeDelta::microseconds(1));
        entry
    };
    (0..count)
        .map(|number| desk.fake.add(entry(number)))
        .collect()
}

fn compare(desk: &Desk, days: i64) -> Pull {
    Pull::Compare {
        from: desk.fake.clock.now() - TimeDelta::days(days),
        until: None,
    }
}

#[tokio::test]
async fn a_first_pull_of_a_thousand_entries_takes_six_requests() {
    let mut desk = Desk::new().await;
    let ids = fill(&desk, 999);
    desk.fake
        .add(Entry::running(monday() - TimeDelta::hours(60)));
    let requests = desk.pull(&Pull::Changes).await;
    // The names, four months of reports, the feed.
    assert_eq!(requests, 6);
    assert_eq!(desk.revisions, 1000);
    assert_eq!(desk.seen, 1000, "months overlap");
    desk.must_be_true();
    assert_eq!(desk.projects.len(), 2);
    assert_eq!(desk.people.len(), 1);

    assert_eq!(desk.quiet_night().await, 1);
    for id in &ids[..10] {
        desk.fake.clock.advance(Duration::from_secs(7));
        desk.fake
            .edit(*id, |entry| entry.description = Some("neu".to_owned()));
    }
    assert_eq!(desk.quiet_night().await, 1);
    assert_eq!(desk.revisions, 1010);
    desk.must_be_true();
    suite::requests_table(
        "toggl",
        "1,000 entries",
        &[("first", 6), ("quiet", 1), ("1 % changed", 1)],
    );
}

#[tokio::test]
async fn a_quiet_night_takes_one_request_and_adds_nothing() {
    let mut desk = Desk::new().await;
    fill(&desk, 40);
    desk.fake.add(Entry::of(monday() - TimeDelta::hours(3), 45));
    desk.pull(&Pull::Changes).await;
    let revisions = desk.revisions;
    for _ in 0..7 {
        assert_eq!(desk.quiet_night().await, 1);
    }
    assert_eq!(desk.revisions, revisions);
    desk.must_be_true();
}

#[tokio::test]
async fn a_hundred_quiet_days_need_no_back_fill() {
    let mut desk = Desk::new().await;
    fill(&desk, 3);
    desk.pull(&Pull::Changes).await;
    for _ in 0..100 {
        assert_eq!(desk.quiet_night().await, 1);
    }
    let late = desk.fake.add(Entry::of(desk.fake.clock.now(), 10));
    assert_eq!(desk.quiet_night().await, 1);
    assert!(desk.entries.contains_key(&id(late)));
    desk.must_be_true();
}

#[tokio::test]
async fn the_feed_tells_of_additions_edits_and_three_deletions() {
    let mut desk = Desk::new().await;
    let ids = fill(&desk, 30);
    let running = desk
        .fake
        .add(Entry::running(monday() - TimeDelta::minutes(20)));
    desk.pull(&Pull::Changes).await;
    assert!(matches!(desk.entry(running).worked, Worked::Running { .. }));

    desk.pass(TimeDelta::hours(5));
    for number in [ids[0], ids[12], running] {
        desk.fake.delete(number);
    }
    desk.fake.edit(ids[5], |entry| {
        entry.description = Some("Kasse".to_owned());
        entry.tags = vec![5_000_002, 5_000_001];
    });
    let new = desk.fake.add(Entry::of(desk.fake.clock.now(), 30));
    assert_eq!(desk.quiet_night().await, 1);
    assert_eq!(desk.gone, [id(running), id(ids[0]), id(ids[12])]);
    assert_eq!(desk.entry(ids[5]).description, "Kasse");
    assert_eq!(desk.entry(ids[5]).tags, ["Abstimmung", "vor Ort"]);
    assert!(desk.entries.contains_key(&id(new)));
    desk.must_be_true();
}

#[tokio::test]
async fn both_interfaces_give_the_same_records() {
    let mut desk = Desk::new().await;
    desk.pull(&Pull::Changes).await;
    let ids = fill(&desk, 50);
    for number in &ids {
        desk.fake.edit(*number, |entry| {
            entry.tags = vec![5_000_002, 5_000_001];
            entry.start += TimeDelta::microseconds(731_000);
            entry.project = (number % 3 > 0).then(|| 3_000_000 + number % 3);
            entry.description = (number % 2 == 0).then(|| "Ü".to_owned());
        });
    }
    desk.pull(&Pull::Changes).await;
    assert_eq!(desk.revisions, 50);
    let mode = compare(&desk, 60);
    let requests = desk.pull(&mode).await;
    assert_eq!(desk.revisions, 50, "reports say other things than the feed");
    // The names, three months of reports, the feed.
    assert_eq!(requests, 5);
    assert!(desk.gone.is_empty());
    desk.must_be_true();
}

#[tokio::test]
async fn a_comparison_finds_what_the_feed_does_not_tell() {
    let mut desk = Desk::new().await;
    let ids = fill(&desk, 20);
    desk.fake
        .with(|world| world.entries.get_mut(&ids[1]).unwrap().tags = vec![5_000_001]);
    desk.pull(&Pull::Changes).await;
    assert_eq!(desk.entry(ids[1]).tags, ["vor Ort"]);
    desk.pass(TimeDelta::days(4));
    desk.fake.with(|world| {
        // Toggl, 2018: an entry's `at` stays when its tag is deleted.
        world.entries.get_mut(&ids[1]).unwrap().tags.clear();
        world.tags.remove(&5_000_001);
        world.projects.get_mut(&3_000_001).unwrap().name = "Relaunch 2".to_owned();
        world.entries.remove(&ids[7]);
    });
    let before = desk.revisions;
    assert_eq!(desk.pull(&Pull::Changes).await, 1);
    assert_eq!(desk.revisions, before);

    let mode = compare(&desk, 30);
    desk.pull(&mode).await;
    assert!(desk.entry(ids[1]).tags.is_empty());
    let project = desk.entry(ids[0]).project.clone().unwrap();
    assert_eq!(project.name.as_deref(), Some("Relaunch 2"));
    assert_eq!(desk.gone, [id(ids[7])]);
    desk.must_be_true();
}

#[tokio::test]
async fn what_a_report_does_not_show_yet_is_not_gone() {
    let mut desk = Desk::new().await;
    let ids = fill(&desk, 20);
    let running = desk
        .fake
        .add(Entry::running(monday() - TimeDelta::minutes(5)));
    desk.pull(&Pull::Changes).await;
    desk.pass(TimeDelta::hours(1));
    for hidden in [1, 10] {
        let hidden = ids[..hidden].iter().map(|id| (*id, None)).collect();
        desk.fake.with(|world| world.lag = hidden);
        let mode = compare(&desk, 30);
        desk.pull(&mode).await;
        desk.must_be_true();
        desk.pass(TimeDelta::hours(1));
    }
    assert!(desk.gone.is_empty());
    let asked = desk.fake.server.requests();
    let own_address = format!("/api/v9/me/time_entries/{running}");
    assert!(
        asked.iter().all(|it| it.path != own_address),
        "the timer was swept"
    );

    desk.fake.edit(running, |entry| {
        entry.stop = Some(entry.start + TimeDelta::minutes(80));
    });
    desk.quiet_night().await;
    assert_eq!(desk.entry(running).worked.seconds(), Some(4800));
    desk.must_be_true();
}

#[tokio::test]
async fn a_report_that_is_behind_undoes_nothing() {
    let mut desk = Desk::new().await;
    let ids = fill(&desk, 20);
    desk.pull(&Pull::Changes).await;
    desk.pass(TimeDelta::hours(1));
    let behind = desk.fake.with(|world| world.entries.clone());
    desk.fake
        .with(|world| world.lag = behind.into_iter().map(|(id, it)| (id, Some(it))).collect());
    desk.fake
        .edit(ids[3], |entry| entry.description = Some("Kasse".to_owned()));
    desk.fake.delete(ids[4]);
    let mode = compare(&desk, 30);
    desk.pull(&mode).await;
    assert_eq!(desk.entry(ids[3]).description, "Kasse");
    assert_eq!(desk.gone, [id(ids[4])]);
    desk.must_be_true();
}

#[tokio::test]
async fn a_change_that_shows_late_is_still_seen() {
    let mut desk = Desk::new().await;
    fill(&desk, 20);
    desk.pull(&Pull::Changes).await;
    desk.pass(TimeDelta::days(5));
    desk.fake.add(Entry::of(desk.fake.clock.now(), 5));
    desk.pull(&Pull::Changes).await;
    let mut late = Entry::of(desk.fake.clock.now() - TimeDelta::hours(50), 15);
    late.at = Some(desk.fake.clock.now() - TimeDelta::hours(47));
    desk.fake.add(late);
    assert_eq!(desk.quiet_night().await, 1);
    desk.must_be_true();
}

#[tokio::test]
async fn a_first_pull_may_compare_at_once() {
    let mut desk = Desk::new().await;
    fill(&desk, 300);
    let mode = Pull::Compare {
        from: chrono::DateTime::UNIX_EPOCH,
        until: None,
    };
    assert_eq!(desk.pull(&mode).await, 6);
    assert_eq!(desk.revisions, 300);
    desk.must_be_true();
}

#[tokio::test]
async fn a_cut_feed_is_made_up_for_by_listings() {
    let mut desk = Desk::new().await;
    let ids = fill(&desk, 950);
    desk.pull(&Pull::Changes).await;
    desk.pass(TimeDelta::hours(2));
    let more = desk.fake.clock.now() - TimeDelta::days(80);
    for number in 0..200 {
        let start = more + TimeDelta::minutes(13 * number);
        desk.fake.add(Entry::of(start, 11));
    }
    for number in &ids {
        desk.fake.edit(*number, |entry| entry.billable = false);
    }
    desk.fake.delete(ids[949]);
    let requests = desk.pull(&Pull::Changes).await;
    assert!(
        desk.entries
            .values()
            .filter(|(it, _)| it.billable == Some(false))
            .count()
            == 949
    );
    assert_eq!(desk.gone, [id(ids[949])]);
    desk.must_be_true();
    // The feed, the whole, its two halves, and a look at the deleted one.
    assert!(requests <= 5, "{requests} requests");
}

#[tokio::test]
async fn without_reports_own_entries_still_come() {
    for refusal in [Access::NotInPlan, Access::Forbidden] {
        let mut desk = Desk::new().await;
        desk.fake.with(|world| world.reports = refusal);
        let ids = fill(&desk, 900);
        let requests = desk.pull(&Pull::Changes).await;
        assert_eq!(requests, 4, "names, one refusal, one listing, feed");
        assert!(desk.notices.contains(&"toggl-no-reports"));
        desk.must_be_true();
        desk.pass(TimeDelta::days(3));
        desk.fake.with(|world| world.entries.remove(&ids[3]));
        let mode = compare(&desk, 30);
        let requests = desk.pull(&mode).await;
        assert_eq!(requests, 5, "the same, and a look at the missing one");
        assert_eq!(desk.gone, [id(ids[3])]);
        desk.must_be_true();
        assert_eq!(desk.revisions, 900);
    }
}

#[tokio::test]
async fn years_of_history_come_in_the_hours_that_the_quota_takes() {
    let mut desk = Desk::new().await;
    let from = NaiveDate::from_ymd_opt(2023, 1, 1).unwrap();
    desk.set("history_from", Value::Date(from));
    for month in 0..46 {
        let start = at("2023-01-31T22:59:59Z") + TimeDelta::days(30 * month);
        desk.fake.add(Entry::of(start, 60));
    }
    let hours = desk.pull_patiently(&Pull::Changes).await;
    // 47 months of reports, 20 requests an hour.
    assert_eq!(hours, 2);
    assert_eq!(desk.revisions, 46);
    desk.must_be_true();
    assert_eq!(desk.quiet_night().await, 1);
}

#[tokio::test]
async fn a_silence_of_months_is_filled_from_reports() {
    let mut desk = Desk::new().await;
    let ids = fill(&desk, 20);
    desk.pull(&Pull::Changes).await;
    for day in [10, 60, 110] {
        desk.pass(TimeDelta::days(day) - (desk.fake.clock.now() - monday()));
        desk.fake.add(Entry::of(desk.fake.clock.now(), 25));
        desk.fake.delete(ids[usize::try_from(day / 10).unwrap()]);
    }
    desk.pass(TimeDelta::days(20));
    desk.pull(&Pull::Changes).await;
    assert_eq!(desk.gone.len(), 3);
    desk.must_be_true();
    assert_eq!(desk.quiet_night().await, 1);
}

#[tokio::test]
async fn a_silence_is_noticed_even_by_a_clock_that_stood_still() {
    let mut desk = Desk::new().await;
    let ids = fill(&desk, 20);
    desk.pull(&Pull::Changes).await;
    for (number, days) in [(3, 20), (4, 50), (5, 50)] {
        desk.pass(TimeDelta::days(days));
        desk.fake.add(Entry::of(desk.fake.clock.now(), 25));
        desk.fake.delete(ids[number]);
    }
    desk.pass(TimeDelta::days(1));
    let true_now = desk.fake.clock.now();
    desk.fake.clock.set(monday() + TimeDelta::days(1));
    let ahead = desk.fake.clock.now() - true_now;
    desk.fake.with(|world| world.clock_ahead = ahead);
    desk.pull(&Pull::Changes).await;
    assert_eq!(desk.gone.len(), 3);
    desk.must_be_true();
}

#[tokio::test]
async fn a_clock_that_jumps_changes_nothing() {
    for jump in [-400, -1, 1, 400] {
        let mut desk = Desk::new().await;
        let ids = fill(&desk, 20);
        desk.pull(&Pull::Changes).await;
        let true_now = desk.fake.clock.now() + TimeDelta::days(1);
        desk.fake.clock.set(true_now);
        let late = desk.fake.add(Entry::of(true_now, 5));
        desk.fake.delete(ids[4]);
        // Only our clock jumps; the service's answers keep the true time.
        desk.fake.clock.set(true_now + TimeDelta::days(jump));
        desk.fake
            .with(|world| world.clock_ahead = TimeDelta::days(jump));
        desk.pull(&Pull::Changes).await;
        desk.fake
            .with(|world| world.clock_ahead = TimeDelta::zero());
        desk.fake.clock.set(true_now + TimeDelta::hours(6));
        desk.fake.delete(ids[5]);
        desk.pull(&Pull::Changes).await;
        assert!(desk.entries.contains_key(&id(late)), "after {jump} days");
        assert_eq!(desk.gone.len(), 2, "after {jump} days");
        desk.must_be_true();
        assert_eq!(desk.quiet_night().await, 1);
    }
}

#[tokio::test]
async fn an_unknown_project_is_looked_up_once() {
    let mut desk = Desk::new().await;
    fill(&desk, 3);
    desk.pull(&Pull::Changes).await;
    for (listed, number, cost) in [
        (true, 3_000_010, 2),
        (false, 3_000_011, 2),
        (false, 3_000_011, 1),
    ] {
        desk.fake.with(|world| {
            let mut project = world.projects[&3_000_001].clone();
            project.listed = listed;
            project.name = format!("Neu {number}");
            world.projects.insert(number, project);
        });
        let mut entry = Entry::of(desk.fake.clock.now(), 5);
        entry.project = Some(number);
        let entry = desk.fake.add(entry);
        assert_eq!(desk.quiet_night().await, cost);
        let named = desk.entry(entry).project.clone().unwrap();
        assert_eq!(named.name, Some(format!("Neu {number}")));
        let client = desk.entry(entry).client.clone().unwrap();
        assert_eq!(client.name.as_deref(), Some("Bäckerei Ahorn"));
    }
    desk.must_be_true();
    let before = desk.revisions;
    let mode = compare(&desk, 20);
    desk.pull(&mode).await;
    assert_eq!(desk.revisions, before);
}

#[tokio::test]
async fn a_team_is_read_by_reports_and_only_when_wanted() {
    let mut desk = Desk::new().await;
    let own = fill(&desk, 5);
    let start = monday() - TimeDelta::days(9);
    let theirs = |minutes| Entry {
        user: OTHER,
        ..Entry::of(start, minutes)
    };
    let ids: Vec<i64> = (10..15)
        .map(|minutes| desk.fake.add(theirs(minutes)))
        .collect();
    desk.pull(&Pull::Changes).await;
    assert_eq!(desk.entries.len(), 5);

    desk.cursor = Cursor::start();
    desk.set("team", Value::Flag(true));
    desk.pull(&Pull::Changes).await;
    desk.must_be_true();
    assert_eq!(desk.people.len(), 2);
    assert_eq!(
        desk.entry(ids[0]).person.clone().unwrap().name.as_deref(),
        Some("Timo Aster")
    );

    desk.pass(TimeDelta::hours(9));
    desk.fake
        .edit(ids[2], |entry| entry.description = Some("Druck".to_owned()));
    let new = desk.fake.add(theirs(90));
    assert_eq!(desk.quiet_night().await, 2);
    assert_eq!(desk.entry(ids[2]).description, "Druck");
    assert!(desk.entries.contains_key(&id(new)));
    desk.must_be_true();

    desk.fake.delete(ids[4]);
    desk.fake.delete(own[4]);
    let revisions = desk.revisions;
    let mode = compare(&desk, 30);
    desk.pull(&mode).await;
    assert_eq!(desk.gone.len(), 2);
    assert_eq!(desk.revisions, revisions);
    desk.must_be_true();

    // Nobody's entry is lost because it is not wanted, or not shown, any more.
    desk.set("team", Value::Flag(false));
    desk.fake.with(|world| world.reports = Access::Forbidden);
    desk.pass(TimeDelta::hours(2));
    let mode = compare(&desk, 30);
    desk.pull(&mode).await;
    assert_eq!(desk.gone.len(), 2);
}

#[tokio::test]
async fn only_the_wanted_workspaces_are_read() {
    let mut desk = Desk::new().await;
    desk.fake
        .with(|world| world.workspaces.insert(2_000_002, "Verein".to_owned()));
    fill(&desk, 4);
    let other = Entry {
        workspace: 2_000_002,
        project: None,
        ..Entry::of(monday(), 30)
    };
    let other = desk.fake.add(other);
    let wishes = ["studio LINDGRÜN".to_owned(), "Zirkus".to_owned()];
    desk.set("workspaces", Value::Texts(wishes.to_vec()));
    let requests = desk.pull(&Pull::Changes).await;
    assert_eq!(requests, 6);
    assert_eq!(desk.entries.len(), 4);
    assert_eq!(desk.notices, ["workspace-not-visible"]);

    desk.set("workspaces", Value::Texts(vec!["2000002".to_owned()]));
    desk.cursor = Cursor::start();
    desk.entries.clear();
    desk.pull(&Pull::Changes).await;
    assert_eq!(
        desk.entries.keys().cloned().collect::<Vec<_>>(),
        [id(other)]
    );

    desk.set("workspaces", Value::Texts(vec!["Zirkus".to_owned()]));
    desk.cursor = Cursor::start();
    let error = desk.try_pull(&Pull::Changes).await.unwrap_err();
    assert_eq!(error.kind(), Kind::Settings);
    assert!(error.to_string().contains("Verein (2000002)"), "{error}");
}

#[tokio::test]
async fn smaller_pages_are_taken_where_large_ones_are_refused() {
    let mut desk = Desk::new().await;
    desk.fake.with(|world| world.page_max = 200);
    fill(&desk, 900);
    let requests = desk.pull(&Pull::Changes).await;
    desk.must_be_true();
    assert_eq!(desk.revisions, 900, "pages repeat entries");
    assert!(requests <= 12, "{requests} requests");

    // A comparison reads every page before it calls anything absent.
    desk.pass(TimeDelta::hours(1));
    desk.fake.with(|world| {
        for entry in world.entries.values_mut() {
            entry.billable = false;
        }
    });
    let mode = compare(&desk, 90);
    desk.pull(&mode).await;
    let mut entries = desk.entries.values();
    assert!(entries.all(|(entry, _)| entry.billable == Some(false)));
    desk.must_be_true();
}

#[tokio::test]
async fn the_night_of_the_clock_change_has_an_hour_more() {
    let mut desk = Desk::at(at("2026-10-26T08:00:00Z")).await;
    // 01:30 summer time to 03:30 winter time in Berlin.
    let mut entry = Entry::of(at("2026-10-24T23:30:00Z"), 180);
    entry.at = Some(at("2026-10-25T02:30:01Z"));
    let october = desk.fake.add(entry);
    // From the last second of September to the first of October, local time.
    let border = desk.fake.add(Entry::of(at("2026-09-30T21:59:59Z"), 1));
    desk.pull(&Pull::Changes).await;
    let worked = Worked::Span {
        start: at("2026-10-24T23:30:00Z"),
        stop: at("2026-10-25T02:30:00Z"),
    };
    assert_eq!(desk.entry(october).worked, worked);
    assert_eq!(desk.entry(october).worked.seconds(), Some(3 * 3600));
    assert_eq!(desk.entry(border).worked.seconds(), Some(60));
    desk.must_be_true();
}
