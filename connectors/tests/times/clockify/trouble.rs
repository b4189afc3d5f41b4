//! Quotas, wrong keys, workspaces that were left, and rows that cannot be read.

use chrono::{NaiveDate, TimeDelta};
use stundenbuch_connectors::clock::Clock as _;
use stundenbuch_connectors::contract::{Absent, Cursor, Presence, Pull};
use stundenbuch_connectors::error::Kind;
use stundenbuch_connectors::kind::Value;
use stundenbuch_connectors::record::{ExternalId, Stream};
use stundenbuch_connectors::secret::Secret;

use super::Desk;
use crate::fakes::clockify::{Entry, KEY, ME, OTHER, STUDIO};
use crate::fakes::{Fault, FaultKind};
use crate::ledger::{at, compare};

#[tokio::test]
async fn years_of_a_team_come_in_the_hours_that_the_quota_takes() {
    let mut desk = Desk::new().await;
    desk.ledger.set("team", Value::Flag(true));
    let from = NaiveDate::from_ymd_opt(2017, 1, 1).unwrap();
    desk.ledger.set("history_from", Value::Date(from));
    for month in 0..100 {
        let start = at("2017-01-31T22:59:59Z") + TimeDelta::days(31 * month);
        for user in [ME, OTHER] {
            desk.add(Entry {
                user: user.to_owned(),
                ..Entry::of(start, 60)
            });
        }
    }
    // Two people and twenty half-years, twenty requests an hour.
    let hours = desk.ledger.pull_patiently(&Pull::Changes).await;
    assert_eq!(hours, 2);
    assert_eq!(desk.ledger.revisions, 200);
    desk.must_be_true();
}

#[tokio::test]
async fn a_quota_that_others_used_up_is_waited_for() {
    let mut desk = Desk::new().await;
    desk.fill(3);
    desk.ledger.pull(&Pull::Changes).await;
    desk.ledger.pass(TimeDelta::days(1));
    desk.fake.with(|world| world.quota = Some(0));
    let error = desk.ledger.try_pull(&Pull::Changes).await.unwrap_err();
    assert_eq!(error.kind(), Kind::RateLimited, "{error}");
    // A restart asks no sooner.
    let sent = desk.fake.server.requests().len();
    desk.ledger.pass(TimeDelta::minutes(50));
    desk.ledger.try_pull(&Pull::Changes).await.unwrap_err();
    assert_eq!(desk.fake.server.requests().len(), sent);
    desk.fake.with(|world| world.quota = Some(30));
    desk.ledger.pass(TimeDelta::minutes(11));
    assert_eq!(desk.ledger.pull(&Pull::Changes).await, 1);
}

#[tokio::test]
async fn a_wrong_key_is_told_with_the_place_of_the_right_one() {
    let mut desk = Desk::new().await;
    let wrong = "d3Jvbmcga2V5IHdyb25nIGtleSB3cm9uZyBrZXk";
    desk.ledger
        .set("api_key", Value::Secret(Secret::new(wrong)));
    let error = desk.ledger.connector().check().await.unwrap_err();
    assert_eq!(error.kind(), Kind::Auth);
    assert!(error.advice().unwrap().contains("Preferences"));
    assert!(!format!("{error} {error:?}").contains(wrong));
    assert_eq!(desk.fake.server.requests().len(), 1, "it was asked again");
}

#[tokio::test]
async fn check_names_the_account_and_its_workspaces() {
    let desk = Desk::new().await;
    let identity = desk.ledger.connector().check().await.unwrap();
    assert_eq!(identity.account, "Mara Lindgrün <mara@lindgruen.example>");
    let studio = format!("workspace Studio Lindgrün ({STUDIO})");
    let mut details = identity.details.iter();
    assert!(details.any(|it| it.contains(&studio)), "{identity:?}");
    assert!(!format!("{identity:?}").contains(KEY));
}

/// Clockify says of every entry of a workspace that was left that it is not there.
#[tokio::test]
async fn who_left_a_workspace_has_deleted_nothing() {
    let mut desk = Desk::new().await;
    let ids = desk.fill(5);
    desk.ledger.pull(&Pull::Changes).await;
    desk.fake.with(|world| {
        world.left.insert(STUDIO.to_owned());
        world
            .workspaces
            .insert("other".to_owned(), "Verein".to_owned());
    });
    desk.ledger.pass(TimeDelta::days(1));
    let error = desk.ledger.try_pull(&Pull::Changes).await.unwrap_err();
    assert_eq!(error.kind(), Kind::Forbidden, "{error}");
    let absent = Absent {
        stream: Stream::Time,
        id: ExternalId::new(&ids[0]),
        scope: format!("{STUDIO}/{ME}"),
    };
    let answers = desk.ledger.connector().confirm(&[absent]).await.unwrap();
    assert_eq!(answers, [], "it cannot be told");
    // A comparison reads what is left.
    desk.ledger.cursor = Cursor::start();
    let mode = compare(&desk.ledger.clock, 60);
    desk.ledger.pull(&mode).await;
    assert_eq!(desk.ledger.gone, []);
    assert_eq!(desk.ledger.entries.len(), 5);
}

#[tokio::test]
async fn only_clockifys_own_word_for_it_means_gone() {
    let desk = Desk::new().await;
    // An identifier that holds the code, and an address that does not exist.
    let id = "64d000000000000000000501";
    let absent = || Absent {
        stream: Stream::Time,
        id: ExternalId::new(id),
        scope: format!("{STUDIO}/{ME}"),
    };
    for (kind, gone) in [
        (FaultKind::status(404), false),
        (FaultKind::status(400), false),
        (FaultKind::status(403), false),
    ] {
        desk.fake.server.fail(Fault {
            path: id,
            times: 1,
            kind,
        });
        let answers = desk.ledger.connector().confirm(&[absent()]).await.unwrap();
        let is_gone = matches!(answers[0].1, Presence::Gone(_));
        assert_eq!(is_gone, gone, "{answers:?}");
        desk.fake.server.heal();
    }
    let answers = desk.ledger.connector().confirm(&[absent()]).await.unwrap();
    assert!(matches!(answers[0].1, Presence::Gone(_)), "{answers:?}");
}

/// A row without an identifier may be the one that seems to be missing.
#[tokio::test]
async fn a_listing_with_a_nameless_row_proves_nothing() {
    let mut desk = Desk::new().await;
    let ids = desk.fill(4);
    desk.ledger.pull(&Pull::Changes).await;
    desk.ledger.pass(TimeDelta::hours(2));
    let row = format!(
        r#"[{{"id":7}},{{"id":"{}","userId":"{ME}","timeInterval":{{}}}}]"#,
        ids[1]
    );
    desk.fake.server.fail(Fault {
        path: "/time-entries",
        times: 1,
        kind: FaultKind::Status {
            code: 200,
            headers: Vec::new(),
            body: row,
        },
    });
    let connector = desk.ledger.connector();
    let page = connector.pull(&desk.ledger.cursor, &Pull::Changes).await;
    let page = page.unwrap();
    assert!(page.swept.is_empty(), "{:?}", page.swept);
    assert_eq!(page.notices[0].code, "clockify-rows-unreadable");
    let reject = connector.normalise(&page.raw[0]).unwrap_err();
    let (id, reason) = (&page.raw[0].id, reject.to_string());
    assert_eq!(
        (id.as_str(), reason.as_str()),
        (ids[1].as_str(), "timeInterval: `start` is missing")
    );
    desk.ledger.quiet_night().await;
    desk.must_be_true();
}

#[tokio::test]
async fn a_clock_that_jumps_changes_nothing() {
    for jump in [-400, -1, 1, 400] {
        let mut desk = Desk::new().await;
        let ids = desk.fill(20);
        desk.ledger.pull(&Pull::Changes).await;
        let true_now = desk.fake.clock.now() + TimeDelta::days(1);
        desk.add(Entry::of(true_now, 5));
        desk.delete(&ids[4]);
        // Only our clock jumps; what the service holds keeps the true time.
        desk.fake.clock.set(true_now + TimeDelta::days(jump));
        desk.ledger.pull(&Pull::Changes).await;
        desk.fake.clock.set(true_now + TimeDelta::hours(6));
        desk.delete(&ids[5]);
        desk.fake.with(|world| world.quota = None);
        desk.ledger.pull(&Pull::Changes).await;
        assert_eq!(desk.ledger.gone.len(), 2, "after {jump} days");
        desk.must_be_true();
    }
}

#[tokio::test]
async fn an_unreadable_cursor_is_an_error_and_not_a_beginning() {
    let mut desk = Desk::new().await;
    for text in ["", "{", "7", r#"{"todo":[{"dance":{}}]}"#] {
        desk.ledger.cursor = Cursor::stored(Some(text.to_owned()));
        let error = desk.ledger.try_pull(&Pull::Changes).await.unwrap_err();
        assert_eq!(error.kind(), Kind::Protocol, "{text}");
    }
}
