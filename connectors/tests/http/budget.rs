//! Quotas: never exceeded, not even over restarts and turned clocks.

use stundenbuch_connectors::budget::BudgetState;
use stundenbuch_connectors::error::{Kind, Retry};
use stundenbuch_connectors::http::{Quota, Verdict};

use super::*;

async fn small(http: &Http) -> Result<Reply, Error> {
    http.send(Request::get("small", "/ok")).await
}

fn impatient(options: &mut Options) {
    options.wait_max = Duration::ZERO;
}

fn until(error: &Error) -> Option<DateTime<Utc>> {
    match error.retry_advice() {
        Retry::Later { after } => *after,
        other => panic!("{other:?}"),
    }
}

#[tokio::test]
async fn a_window_begins_with_its_first_request_and_leaves_the_reserve() {
    let world = World::start().await;
    let http = world.http(impatient);
    for at in [10, 20, 30, 40] {
        world
            .clock
            .set(instant("2026-11-22T05:00:00Z") + chrono::TimeDelta::seconds(at));
        small(&http).await.unwrap();
    }
    let error = small(&http).await.unwrap_err();
    assert_eq!(error.kind(), Kind::RateLimited);
    assert_eq!(until(&error), Some(instant("2026-11-22T05:01:10Z")));
    assert_eq!((http.requests(), world.served()), (4, 4));
    world.clock.set(instant("2026-11-22T05:01:10Z"));
    small(&http).await.unwrap();
    // The other bucket has a quota of its own.
    get_ok(&http).await.unwrap();
}

#[tokio::test]
async fn a_short_wait_is_waited_and_a_long_one_is_not() {
    let world = World::start().await;
    let http = world.http(|options| options.wait_max = Duration::from_mins(1));
    for _ in 0..9 {
        small(&http).await.unwrap();
    }
    assert_eq!(world.elapsed(), 120, "nine requests at four a minute");
    let http = world.http(|options| options.wait_max = Duration::from_secs(59));
    for _ in 0..3 {
        small(&http).await.unwrap();
    }
    small(&http).await.unwrap_err();
}

#[tokio::test]
async fn a_restart_does_not_spend_the_quota_twice() {
    let world = World::start().await;
    for _ in 0..4 {
        small(&world.http(impatient)).await.unwrap();
    }
    small(&world.http(impatient)).await.unwrap_err();
    let other = world.http(|options| {
        impatient(options);
        options.connection = "ben".to_owned();
    });
    small(&other).await.unwrap();
    assert_eq!(world.served(), 5);
}

#[tokio::test]
async fn a_restart_keeps_the_distance() {
    let world = World::start().await;
    for _ in 0..5 {
        get_ok(&world.http(|_| ())).await.unwrap();
    }
    assert_eq!(world.elapsed(), 4, "five processes, a second apart");
    // Nobody has asked in this window.
    world.clock.advance(Duration::from_hours(1));
    get_ok(&world.http(|_| ())).await.unwrap();
    assert_eq!(world.elapsed(), 3604);
}

#[tokio::test]
async fn every_attempt_and_redirection_is_counted() {
    let world = World::start().await;
    let http = world.http(|options| options.wait_max = Duration::from_secs(30));
    world.fail(3, FaultKind::status(500));
    small(&http).await.unwrap();
    assert_eq!(world.budgets.load("anna", "small").unwrap().used, 4);
    world.fail(u32::MAX, FaultKind::status_with(302, "location", "/ok"));
    world.clock.advance(Duration::from_hours(1));
    small(&http).await.unwrap_err();
    assert_eq!(world.budgets.load("anna", "small").unwrap().used, 4);
    assert_eq!(http.requests(), 8);
}

#[tokio::test]
async fn requests_of_a_bucket_go_one_after_another_and_keep_their_distance() {
    let world = World::start().await;
    let http = world.http(|_| ());
    let calls: Vec<_> = (0..5)
        .map(|_| {
            let http = http.clone();
            tokio::spawn(async move { get_ok(&http).await })
        })
        .collect();
    for call in calls {
        call.await.unwrap().unwrap();
    }
    assert_eq!(world.elapsed(), 4, "five requests, a second apart");
    assert_eq!(http.requests(), 5);
}

#[tokio::test]
async fn requests_of_a_bucket_never_overlap() {
    use std::sync::atomic::{AtomicI32, Ordering};
    let (inside, most) = (Arc::new(AtomicI32::new(0)), Arc::new(AtomicI32::new(0)));
    let seen = Arc::clone(&most);
    let answer = move || {
        let (inside, most) = (Arc::clone(&inside), Arc::clone(&most));
        async move {
            most.fetch_max(inside.fetch_add(1, Ordering::SeqCst) + 1, Ordering::SeqCst);
            for _ in 0..1000 {
                tokio::task::yield_now().await;
            }
            inside.fetch_sub(1, Ordering::SeqCst);
        }
    };
    let router = Router::new().route("/ok", get(answer));
    let world = World {
        server: Server::start(router).await,
        ..World::start().await
    };
    let http = world.http(|_| ());
    let (one, two, three) = tokio::join!(get_ok(&http), get_ok(&http), small(&http));
    one.and(two).and(three).unwrap();
    let most = seen.load(Ordering::SeqCst);
    assert!(most <= 2, "{most} at once, in two buckets");
}

/// Parks like a service that names an hour.
fn park(reply: &Reply, now: DateTime<Utc>) -> Verdict {
    match reply.status {
        402 => Verdict::Park {
            until: now + chrono::TimeDelta::hours(1),
            error: Error::new(Kind::RateLimited, "used up"),
        },
        _ => Verdict::Good,
    }
}

#[tokio::test]
async fn a_park_survives_restarts_and_a_clock_that_is_turned_back() {
    let world = World::start().await;
    let parking = |options: &mut Options| {
        impatient(options);
        options.classify = park;
    };
    world.fail(1, FaultKind::status(402));
    let error = small(&world.http(parking)).await.unwrap_err();
    let end = instant("2026-11-22T06:00:00Z");
    assert_eq!(until(&error), Some(end));
    for now in [
        "2026-11-22T05:59:59Z",
        "2026-11-22T04:00:00Z",
        "2026-11-21T06:00:00Z",
    ] {
        world.clock.set(instant(now));
        let error = small(&world.http(parking)).await.unwrap_err();
        assert_eq!(until(&error), Some(end), "at {now}");
    }
    assert_eq!(world.served(), 1);
    world.clock.set(end);
    small(&world.http(parking)).await.unwrap();
}

#[tokio::test]
async fn a_damaged_state_does_not_stop_a_connection_for_good() {
    let far = instant("2038-01-01T00:00:00Z");
    let damaged = BudgetState {
        window_start: Some(far),
        used: 3,
        told: Some((0, far)),
        parked_until: Some(far),
    };
    let world = World::start().await;
    world.budgets.save("anna", "small", &damaged).unwrap();
    let http = world.http(impatient);
    small(&http).await.unwrap();
    // What was used still counts, in a window that began now.
    let error = small(&http).await.unwrap_err();
    assert_eq!(until(&error), Some(instant("2026-11-22T05:01:00Z")));
}

#[tokio::test]
async fn a_clock_that_is_turned_back_neither_frees_the_quota_nor_shuts_it_for_long() {
    let world = World::start().await;
    let http = world.http(impatient);
    for _ in 0..4 {
        small(&http).await.unwrap();
    }
    world.clock.set(instant("2026-11-20T00:00:00Z"));
    let opens = instant("2026-11-20T00:01:00Z");
    assert_eq!(until(&small(&http).await.unwrap_err()), Some(opens));
    world.clock.advance(Duration::from_secs(59));
    assert_eq!(
        until(&small(&http).await.unwrap_err()),
        Some(opens),
        "the end must not move"
    );
    world.clock.set(opens);
    small(&http).await.unwrap();
}

fn read_quota(reply: &Reply, now: DateTime<Utc>) -> Option<Quota> {
    let number = |name| reply.header(name)?.parse::<i64>().ok();
    Some(Quota {
        remaining: number("x-quota-remaining")?,
        resets_at: now + chrono::TimeDelta::seconds(number("x-quota-resets-in")?),
    })
}

#[tokio::test]
async fn what_the_service_says_to_be_left_is_believed() {
    let answer = || async { [("x-quota-remaining", "1"), ("x-quota-resets-in", "1800")] };
    let server = Server::start(Router::new().route("/ok", get(answer))).await;
    let world = World {
        server,
        ..World::start().await
    };
    let telling = |options: &mut Options| {
        impatient(options);
        options.quota = Some(read_quota);
    };
    small(&world.http(telling)).await.unwrap();
    // One is left, and one is reserved for the user's own apps.
    let error = small(&world.http(telling)).await.unwrap_err();
    assert_eq!(until(&error), Some(instant("2026-11-22T05:30:00Z")));
    world.clock.set(instant("2026-11-22T05:30:00Z"));
    small(&world.http(telling)).await.unwrap();
    assert_eq!(world.served(), 2);
}

#[derive(Debug)]
struct Broken;

impl BudgetStore for Broken {
    fn load(&self, _: &str, _: &str) -> Result<BudgetState, Error> {
        Ok(BudgetState::default())
    }

    fn save(&self, _: &str, _: &str, _: &BudgetState) -> Result<(), Error> {
        Err(Error::new(Kind::Unavailable, "the disk is full"))
    }
}

#[tokio::test]
async fn a_request_that_cannot_be_counted_is_not_sent() {
    let world = World::start().await;
    let platform = Platform {
        budgets: Arc::new(Broken),
        logins: Arc::new(stundenbuch_connectors::login::Memory::default()),
        ..world.platform()
    };
    let http = Http::new(world.options(), &platform).unwrap();
    small(&http).await.unwrap_err();
    let error = http
        .send(Request::get("undeclared", "/ok"))
        .await
        .unwrap_err();
    assert_eq!(error.kind(), Kind::Unsupported);
    assert_eq!((http.requests(), world.served()), (0, 0));
}
