//! Quotas, wrong tokens and broken answers.

use std::time::Duration;

use chrono::TimeDelta;
use stundenbuch_connectors::clock::Clock as _;
use stundenbuch_connectors::contract::{Cursor, Pull};
use stundenbuch_connectors::error::{Kind, Retry};
use stundenbuch_connectors::kind::Value;
use stundenbuch_connectors::secret::Secret;

use crate::fakes::toggl::{Entry, TOKEN};
use crate::fakes::{Fault, FaultKind};
use crate::ledger::{Desk, monday};

#[tokio::test]
async fn a_used_up_quota_is_waited_for_and_never_asked_into() {
    let mut desk = Desk::new().await;
    crate::fill(&desk, 5);
    desk.pull(&Pull::Changes).await;
    desk.pass(TimeDelta::days(1));
    // The owner's other apps have just used up the hour.
    let now = desk.fake.clock.now();
    desk.fake.with(|world| {
        world.user.since = Some(now - TimeDelta::minutes(20));
        world.user.used = 30;
    });
    let error = desk.try_pull(&Pull::Changes).await.unwrap_err();
    assert_eq!(error.kind(), Kind::RateLimited);
    let until = now + TimeDelta::minutes(40);
    let Retry::Later { after: Some(after) } = *error.retry_advice() else {
        panic!("no instant to wait for: {error:?}");
    };
    assert!((after - until).abs() <= TimeDelta::seconds(5), "{after}");
    // After a restart, the quota is still known to be used up.
    let sent = desk.fake.server.requests().len();
    for _ in 0..3 {
        desk.fake.clock.advance(Duration::from_mins(9));
        let error = desk.try_pull(&Pull::Changes).await.unwrap_err();
        assert_eq!(error.kind(), Kind::RateLimited);
    }
    assert_eq!(desk.fake.server.requests().len(), sent);
    assert_eq!(desk.fake.refused(), 1);
    desk.fake.clock.set(after + TimeDelta::seconds(1));
    assert_eq!(desk.pull(&Pull::Changes).await, 1);
}

#[tokio::test]
async fn the_last_requests_are_left_to_the_users_own_apps() {
    let mut desk = Desk::new().await;
    crate::fill(&desk, 5);
    desk.pull(&Pull::Changes).await;
    desk.pass(TimeDelta::days(1));
    let now = desk.fake.clock.now();
    desk.fake.with(|world| {
        world.user.since = Some(now);
        world.user.used = 24;
    });
    assert_eq!(desk.pull(&Pull::Changes).await, 1);
    let error = desk.try_pull(&Pull::Changes).await.unwrap_err();
    assert_eq!(error.kind(), Kind::RateLimited, "{error}");
    assert_eq!(desk.fake.with(|world| world.user.used), 25);
    assert_eq!(desk.fake.refused(), 0);
}

#[tokio::test]
async fn a_wrong_token_is_told_with_the_place_of_the_right_one() {
    let mut desk = Desk::new().await;
    let wrong = "ffffffffffffffffffffffffffffffff";
    desk.set("token", Value::Secret(Secret::new(wrong)));
    let connector = desk.connector();
    for error in [
        connector.check().await.unwrap_err(),
        desk.try_pull(&Pull::Changes).await.unwrap_err(),
    ] {
        assert_eq!(error.kind(), Kind::Auth);
        assert!(error.advice().unwrap().contains("track.toggl.com/profile"));
        assert!(!format!("{error} {error:?}").contains(wrong));
    }
    assert_eq!(
        desk.fake.server.requests().len(),
        2,
        "an answer like this was asked for again"
    );
    assert!(!format!("{connector:?}").contains(wrong));
}

#[tokio::test]
async fn check_names_the_account_and_its_workspaces() {
    let desk = Desk::new().await;
    let identity = desk.connector().check().await.unwrap();
    assert_eq!(identity.account, "Mara Lindgrün <mara@lindgruen.example>");
    assert!(
        identity
            .details
            .iter()
            .any(|it| it.contains("Studio Lindgrün (2000001)"))
    );
    assert!(!format!("{identity:?}").contains(TOKEN));
}

/// Every fault at every request of a first pull, a night and a comparison: the pull fails or
/// gets over it, nothing is called gone, and afterwards everything is as without the fault.
#[tokio::test]
async fn faults_delete_nothing() {
    let faults = [
        FaultKind::status(500),
        FaultKind::status(401),
        FaultKind::CutBody { keep: 30 },
        FaultKind::EmptyOk,
        FaultKind::Html,
        FaultKind::LostAnswer,
    ];
    for kind in faults {
        for first in [true, false] {
            for skip in 0..5 {
                let mut desk = Desk::new().await;
                let ids = crate::fill(&desk, 30);
                if !first {
                    desk.pull(&Pull::Changes).await;
                    desk.pass(TimeDelta::days(1));
                    desk.fake.delete(ids[2]);
                }
                let fault = Fault {
                    path: "/",
                    times: 100,
                    kind: kind.clone(),
                };
                desk.fake.server.fail_after(skip, fault);
                let mode = crate::compare(&desk, 40);
                let mode = if first { Pull::Changes } else { mode };
                let failed = desk.try_pull(&mode).await.is_err();
                assert!(
                    failed,
                    "{kind:?} after {skip} requests is taken for an answer"
                );
                let lost = desk
                    .gone
                    .iter()
                    .filter(|it| it.as_str() != ids[2].to_string());
                assert_eq!(lost.count(), 0, "{kind:?} after {skip} requests");
                desk.fake.server.heal();
                desk.pass(TimeDelta::hours(1));
                desk.pull(&mode).await;
                desk.must_be_true();
            }
        }
    }
}

#[tokio::test]
async fn an_unreadable_cursor_is_an_error_and_not_a_beginning() {
    let mut desk = Desk::new().await;
    for text in ["", "{", "7", r#"{"todo":[{"dance":{}}]}"#] {
        desk.cursor = Cursor::stored(Some(text.to_owned()));
        let error = desk.try_pull(&Pull::Changes).await.unwrap_err();
        assert_eq!(error.kind(), Kind::Protocol, "{text}");
    }
}

#[tokio::test]
async fn an_entry_from_the_future_does_not_silence_the_feed() {
    let mut desk = Desk::new().await;
    crate::fill(&desk, 2);
    desk.pull(&Pull::Changes).await;
    desk.pass(TimeDelta::hours(1));
    let mut entry = Entry::of(monday(), 5);
    entry.at = Some(monday() + TimeDelta::days(4000));
    desk.fake.add(entry);
    desk.quiet_night().await;
    desk.fake.add(Entry::of(monday(), 6));
    desk.quiet_night().await;
    desk.must_be_true();
}
