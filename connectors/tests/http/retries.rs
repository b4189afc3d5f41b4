//! What is tried again, how often, and never too early.

use proptest::prelude::*;
use stundenbuch_connectors::error::{Kind, Retry};
use stundenbuch_connectors::http::{Verdict, classify_standard, retry_after};

use super::*;

#[tokio::test]
async fn passing_faults_are_waited_out() {
    for kind in [
        FaultKind::status(500),
        FaultKind::status(503),
        FaultKind::status(408),
        FaultKind::status(429),
        FaultKind::CutBody { keep: 3 },
        FaultKind::Reset,
        FaultKind::LostAnswer,
    ] {
        let world = World::start().await;
        let http = world.http(|_| ());
        world.fail(2, kind.clone());
        let reply = get_ok(&http)
            .await
            .unwrap_or_else(|error| panic!("{kind:?}: {error}"));
        assert_eq!(reply.body, b"{\"a\":1}", "{kind:?}");
        assert_eq!(http.requests(), 3, "{kind:?}");
        assert_eq!(
            world.served(),
            3,
            "{kind:?}: requests are repeated behind the count"
        );
    }
}

#[tokio::test]
async fn lasting_faults_end_after_the_agreed_attempts() {
    for (kind, wanted) in [
        (FaultKind::status(500), Kind::Unavailable),
        (FaultKind::status(429), Kind::RateLimited),
        (FaultKind::CutBody { keep: 0 }, Kind::Unavailable),
        (FaultKind::Reset, Kind::Unavailable),
    ] {
        let world = World::start().await;
        let http = world.http(|options| options.attempts_max = 3);
        world.fail(u32::MAX, kind.clone());
        let error = get_ok(&http).await.unwrap_err();
        assert_eq!(
            (error.kind(), http.requests()),
            (wanted, 3),
            "{kind:?}: {error}"
        );
        assert!(
            matches!(error.retry_advice(), Retry::Later { .. }),
            "{kind:?}"
        );
        let text = error.to_string();
        assert!(
            text.contains("connection=anna") && text.contains("request=GET /ok"),
            "{text}"
        );
    }
}

#[tokio::test]
async fn all_waits_of_a_call_together_stay_within_its_patience() {
    let world = World::start().await;
    let http = world.http(|options| {
        options.attempts_max = 100;
        options.wait_max = Duration::from_secs(20);
    });
    world.fail(u32::MAX, FaultKind::status_with(503, "retry-after", 7));
    get_ok(&http).await.unwrap_err();
    // Twice seven seconds are waited, and a third time would be too long.
    assert_eq!((http.requests(), world.elapsed()), (3, 14));
}

#[tokio::test]
async fn answers_that_will_not_change_are_not_asked_for_again() {
    for (code, wanted) in [
        (400, Kind::Rejected),
        (401, Kind::Auth),
        (402, Kind::NotInPlan),
        (403, Kind::Forbidden),
        (404, Kind::NotFound),
        (410, Kind::NotFound),
        (422, Kind::Rejected),
    ] {
        let world = World::start().await;
        let http = world.http(|_| ());
        let error = http
            .send(Request::get("api", format!("/status/{code}")))
            .await
            .unwrap_err();
        assert_eq!(
            (error.kind(), world.served()),
            (wanted, 1),
            "{code}: {error}"
        );
        assert_eq!(error.retry_advice(), &Retry::Never, "{code}");
    }
    let world = World::start().await;
    world.fail(1, FaultKind::Html);
    let error = get_ok(&world.http(|_| ())).await.unwrap_err();
    assert_eq!((error.kind(), world.served()), (Kind::Protocol, 1));
    assert!(error.to_string().contains("login or proxy page"), "{error}");
}

#[tokio::test]
async fn a_service_that_is_not_there_is_unavailable() {
    let world = World::start().await;
    let closed = std::net::TcpListener::bind("127.0.0.1:0")
        .unwrap()
        .local_addr()
        .unwrap();
    let http = world.http(|options| options.base = format!("http://{closed}"));
    let error = get_ok(&http).await.unwrap_err();
    assert_eq!((error.kind(), http.requests()), (Kind::Unavailable, 4));
    assert!(error.to_string().contains("cannot connect"), "{error}");
}

#[tokio::test]
async fn no_request_goes_out_before_retry_after() {
    for (value, seconds) in [
        ("7", 7),
        ("Sun, 22 Nov 2026 05:00:40 GMT", 40),
        ("2026-11-22T06:01:00+01:00", 60),
        ("-5", 3600),
        ("1000000000", 3600),
        ("soon", 3600),
    ] {
        let world = World::start().await;
        let http = world.http(|options| options.wait_max = Duration::from_hours(2));
        world.fail(1, FaultKind::status_with(503, "retry-after", value));
        get_ok(&http).await.unwrap();
        let elapsed = world.elapsed();
        assert!(
            (seconds..seconds + 3).contains(&elapsed),
            "{value}: came back after {elapsed} s"
        );
    }
}

#[tokio::test]
async fn a_retry_after_beyond_patience_ends_the_call_and_binds_the_next() {
    let world = World::start().await;
    let http = world.http(|options| options.wait_max = Duration::from_secs(5));
    world.fail(1, FaultKind::status_with(429, "retry-after", 600));
    let error = get_ok(&http).await.unwrap_err();
    let after = Some(instant("2026-11-22T05:10:00Z"));
    assert_eq!(error.retry_advice(), &Retry::Later { after });
    let again = world.http(|options| options.wait_max = Duration::from_secs(5));
    for http in [&http, &again] {
        let error = get_ok(http).await.unwrap_err();
        assert_eq!(error.kind(), Kind::RateLimited);
        assert_eq!(error.retry_advice(), &Retry::Later { after });
    }
    assert_eq!(world.served(), 1);
    assert!(
        world.elapsed() <= 2,
        "no use in waiting a part of it: {} s",
        world.elapsed()
    );
    world.clock.set(instant("2026-11-22T05:10:00Z"));
    get_ok(&again).await.unwrap();
    // The service's own words come back, not that our gate is shut.
    world.fail(1, FaultKind::status_with(503, "retry-after", 600));
    assert_eq!(get_ok(&again).await.unwrap_err().kind(), Kind::Unavailable);
}

#[tokio::test]
async fn a_429_without_a_date_costs_ten_seconds() {
    let world = World::start().await;
    world.fail(1, FaultKind::status(429));
    get_ok(&world.http(|_| ())).await.unwrap();
    assert!(
        world.elapsed() >= 10,
        "came back after {} s",
        world.elapsed()
    );
}

#[test]
fn retry_after_is_read_in_all_its_forms() {
    let now = instant("1994-11-06T08:49:00Z");
    let read = |value: &str| {
        let after = retry_after(&reply(503, &[("retry-after", value)], ""), now).unwrap();
        (after - now).num_seconds()
    };
    for (value, seconds) in [
        ("0", 0),
        (" 12 ", 12),
        ("1.5", 2),
        ("86400", 86_400),
        ("86401", 3600),
        ("-1", 3600),
        ("99999999999999999999999", 3600),
        ("Sun, 06 Nov 1994 08:49:37 GMT", 37),
        ("Sunday, 06-Nov-94 08:49:37 GMT", 37),
        ("Sun Nov  6 08:49:37 1994", 37),
        ("1994-11-06T08:49:37Z", 37),
        ("1994-11-06T09:49:37.250+01:00", 37),
        ("1994-11-06T08:49:37", 37),
        // An instant that has passed asks for nothing more.
        ("Sun, 06 Nov 1994 08:00:00 GMT", 0),
        ("1994-11-08T08:49:37Z", 3600),
        ("", 3600),
        ("NaN", 3600),
        (".5", 3600),
    ] {
        assert_eq!(read(value), seconds, "{value:?}");
    }
    assert_eq!(retry_after(&reply(503, &[], ""), now), None);
}

proptest! {
    #[test]
    fn retry_after_never_panics_and_stays_within_a_day(
        value in "\\PC{0,40}",
        at in 0..4_000_000_000_i64,
    ) {
        let now = DateTime::from_timestamp(at, 0).unwrap();
        let after = retry_after(&reply(429, &[("retry-after", &value)], ""), now).unwrap();
        prop_assert!(after >= now && after <= now + chrono::TimeDelta::days(1));
    }
}

#[test]
fn a_page_in_the_place_of_json_is_recognised() {
    let now = instant("2026-11-22T05:00:00Z");
    let verdict =
        |headers: &[(&str, &str)], body: &str| classify_standard(&reply(200, headers, body), now);
    for (headers, body) in [
        (
            &[("content-type", "text/html; charset=utf-8")][..],
            "anything",
        ),
        (
            &[("content-type", "application/json")][..],
            "\u{feff}\r\n <!DocType HTML><p>",
        ),
        (&[][..], "<html lang=de>"),
    ] {
        assert!(matches!(verdict(headers, body), Verdict::Fail(_)), "{body}");
    }
    let json = "{\"notes\":\"<html>\"}";
    assert!(matches!(
        verdict(&[("content-type", "application/json")], json),
        Verdict::Good
    ));
}
