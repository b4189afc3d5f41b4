//! Clocks, wrong tokens, other people's 404, and rows that cannot be read.

use chrono::TimeDelta;
use stundenbuch_connectors::contract::{Absent, Cursor, Presence, Pull};
use stundenbuch_connectors::error::Kind;
use stundenbuch_connectors::kind::Value;
use stundenbuch_connectors::record::{ExternalId, Stream};
use stundenbuch_connectors::secret::Secret;

use super::Desk;
use crate::fakes::kimai::{OTHER, Sheet, TOKEN};
use crate::fakes::{Fault, FaultKind};
use crate::ledger::monday;

#[tokio::test]
async fn clocks_that_disagree_hide_no_change() {
    // How far Kimai's clock is ahead of ours, and then of ours again.
    for (ahead, later) in [(0, 0), (-30, 0), (30, 0), (0, -30), (0, 30), (400, 0)] {
        let mut desk = Desk::new().await;
        let hours = TimeDelta::hours;
        desk.fake.with(|world| world.clock_ahead = hours(ahead));
        let old = Sheet::of(monday() - TimeDelta::days(50), 60);
        let ids = [desk.fake.add(old.clone()), desk.fake.add(old)];
        desk.ledger.pull(&Pull::Changes).await;
        for id in ids {
            desk.ledger.pass(hours(9));
            desk.fake.edit(id, |sheet| sheet.billable = false);
            // Ours is put right, or wrong, and theirs goes on.
            desk.ledger.pass(hours(later));
            desk.fake.with(|world| world.clock_ahead -= hours(later));
            desk.ledger.pull(&Pull::Changes).await;
            let entry = desk.ledger.entry(&id.to_string());
            assert_eq!(
                entry.billable,
                Some(false),
                "ahead {ahead} h, then {later} h"
            );
        }
        desk.must_be_true();
    }
}

#[tokio::test]
async fn changes_between_two_pages_come_the_next_time() {
    let mut desk = Desk::new().await;
    desk.fake.with(|world| world.page_max = 100);
    let ids = desk.fill(300);
    desk.ledger.pull(&Pull::Changes).await;
    desk.ledger.pass(TimeDelta::days(60));
    for id in &ids {
        desk.fake.edit(*id, |sheet| sheet.billable = false);
    }
    // The first page of the changes, and then one of its rows again.
    let connector = desk.ledger.connector();
    let page = connector.pull(&desk.ledger.cursor, &Pull::Changes).await;
    desk.ledger.cursor = page.unwrap().next;
    desk.ledger.pass(TimeDelta::minutes(1));
    desk.fake.edit(ids[3], |sheet| {
        sheet.description = Some("zuletzt".to_owned());
    });
    desk.ledger.pull(&Pull::Changes).await;
    desk.ledger.quiet_night().await;
    let entry = desk.ledger.entry(&ids[3].to_string());
    assert_eq!(entry.description, "zuletzt");
    desk.must_be_true();
}

#[tokio::test]
async fn a_wrong_token_is_told_with_the_place_of_the_right_one() {
    let mut desk = Desk::new().await;
    let wrong = "ffffffffffffffffffffffffffffffff";
    desk.ledger.set("token", Value::Secret(Secret::new(wrong)));
    let error = desk.ledger.connector().check().await.unwrap_err();
    assert_eq!(error.kind(), Kind::Auth);
    assert!(error.advice().unwrap().contains("API access"));
    assert!(!format!("{error} {error:?}").contains(wrong));
    assert_eq!(desk.fake.server.requests().len(), 1, "it was asked again");
}

#[tokio::test]
async fn check_names_the_account_and_the_version() {
    let mut desk = Desk::new().await;
    for suffix in ["", "/", "/api", "/api/"] {
        let url = format!("{}{suffix}", desk.fake.server.base());
        desk.ledger.set("url", Value::Url(url));
        let identity = desk.ledger.connector().check().await.unwrap();
        assert_eq!(identity.account, "Mara Lindgrün <mara@lindgruen.example>");
        assert_eq!(
            identity.details,
            ["Kimai 2.40.0", "time zone Europe/Berlin"]
        );
        assert!(!format!("{identity:?}").contains(TOKEN));
    }
}

#[tokio::test]
async fn an_old_kimai_is_asked_with_a_name_and_a_password() {
    let mut desk = Desk::new().await;
    desk.ledger
        .set("legacy_user", Value::Text("mara".to_owned()));
    desk.fill(2);
    desk.ledger.pull(&Pull::Changes).await;
    desk.must_be_true();
    let asked = desk.fake.server.requests().remove(0);
    assert_eq!(asked.header("authorization"), None);
    assert_eq!(asked.header("x-auth-token"), Some(TOKEN));
}

/// A wrong address answers 404, too, and so may a server that stands before Kimai.
#[tokio::test]
async fn only_kimais_own_word_for_it_means_gone() {
    let mut desk = Desk::new().await;
    let ids = desk.fill(3);
    let absent = |id: i64| Absent {
        stream: Stream::Time,
        id: ExternalId::new(id.to_string()),
        scope: "own".to_owned(),
    };
    desk.delete(ids[1]);
    for kind in [
        FaultKind::status(404),
        FaultKind::status(403),
        FaultKind::status(410),
    ] {
        desk.fake.server.fail(Fault {
            path: "/timesheets/",
            times: 1,
            kind,
        });
        let asked = [absent(ids[1])];
        let answers = desk.ledger.connector().confirm(&asked).await.unwrap();
        assert_eq!(answers[0].1, Presence::Unknown, "{answers:?}");
        desk.fake.server.heal();
    }
    let theirs = Sheet {
        user: OTHER,
        ..Sheet::of(monday(), 5)
    };
    let theirs = desk.fake.add(theirs);
    desk.fake.with(|world| world.sees_team = false);
    let asked = [absent(ids[0]), absent(ids[1]), absent(theirs)];
    let answers = desk.ledger.connector().confirm(&asked).await.unwrap();
    assert_eq!(answers[0].1, Presence::Present);
    assert!(matches!(answers[1].1, Presence::Gone(_)), "{answers:?}");
    assert_eq!(answers[2].1, Presence::Unknown);
    // The whole address is wrong.
    let url = format!("{}/elsewhere", desk.fake.server.base());
    desk.ledger.set("url", Value::Url(url));
    let error = desk.ledger.try_pull(&Pull::Changes).await.unwrap_err();
    assert_eq!(error.kind(), Kind::NotFound);
}

#[tokio::test]
async fn a_listing_with_a_nameless_row_or_a_wrong_total_proves_nothing() {
    let mut desk = Desk::new().await;
    let ids = desk.fill(4);
    desk.ledger.pull(&Pull::Changes).await;
    desk.ledger.quiet_night().await;
    let broken = format!(
        r#"[{{"id":"x"}},{{"id":{},"begin":"heute","end":null}}]"#,
        ids[1]
    );
    let (mut codes, mut rejected) = (Vec::new(), Vec::new());
    for (headers, body) in [
        (Vec::new(), broken.as_str()),
        (
            vec![
                ("x-total-count", "4".to_owned()),
                ("x-total-pages", "1".to_owned()),
            ],
            "[]",
        ),
    ] {
        desk.fake.server.fail(Fault {
            path: "/timesheets",
            times: 9,
            kind: FaultKind::Status {
                code: 200,
                headers,
                body: body.to_owned(),
            },
        });
        let connector = desk.ledger.connector();
        loop {
            let page = connector.pull(&desk.ledger.cursor, &Pull::Changes).await;
            let page = page.unwrap();
            assert!(page.swept.is_empty(), "{:?}", page.swept);
            desk.ledger.cursor = page.next;
            codes.extend(page.notices.iter().map(|notice| notice.code));
            let rejects = page.raw.iter().map(|raw| (raw, connector.normalise(raw)));
            rejected.extend(rejects.map(|(raw, read)| (raw.id.clone(), read.unwrap_err())));
            if !page.more {
                break;
            }
        }
        desk.fake.server.heal();
    }
    assert!(codes.contains(&"kimai-rows-unreadable"));
    let (id, reject) = rejected.remove(0);
    assert_eq!(id.as_str(), ids[1].to_string());
    assert_eq!(reject.to_string(), "begin: `heute` is no instant");
    desk.ledger.quiet_night().await;
    desk.must_be_true();
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
