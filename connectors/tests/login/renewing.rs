//! Renewing: in time, once, stored before it is used; lost answers, races, refusals.

use stundenbuch_connectors::error::{Kind, Retry};
use tokio::task::JoinSet;

use super::fakes::logins::Rotation;
use super::*;

#[tokio::test]
async fn a_token_is_used_until_shortly_before_its_end() {
    let world = World::start().await;
    world.log_in().await;
    let http = world.http();
    for _ in 0..3 {
        me(&http).await.unwrap();
    }
    world.clock.advance(Duration::from_secs(3600 - 121));
    me(&http).await.unwrap();
    assert_eq!(world.renewals(), 0);
    world.clock.advance(Duration::from_secs(1));
    me(&http).await.unwrap();
    me(&http).await.unwrap();
    assert_eq!(world.renewals(), 1);
    assert_eq!(
        http.requests(),
        6,
        "renewals are no requests of the connection"
    );
}

#[tokio::test]
async fn a_new_refresh_token_is_stored_with_the_one_before_it() {
    let world = World::start().await;
    let first = world.log_in().await.refresh.unwrap();
    world.clock.advance(Duration::from_hours(1));
    me(&world.http()).await.unwrap();
    let stored = world.stored();
    let second = stored.refresh.unwrap();
    assert_ne!(first.expose(), second.expose());
    assert_eq!(stored.previous.unwrap().expose(), first.expose());
    assert!(world.provider.is_alive(second.expose()));
    // Another process goes on with what was stored, and asks for nothing.
    me(&world.http()).await.unwrap();
    assert_eq!(world.renewals(), 1);
}

#[tokio::test]
async fn without_a_new_refresh_token_the_old_one_stays() {
    let world = World::start().await;
    world.provider.with(|it| it.rotation = Rotation::Never);
    let first = world.log_in().await.refresh.unwrap();
    for _ in 0..3 {
        world.clock.advance(Duration::from_hours(1));
        me(&world.http()).await.unwrap();
        assert_eq!(world.stored().refresh.unwrap().expose(), first.expose());
        assert!(world.stored().previous.is_none());
    }
    assert_eq!(world.renewals(), 3);
}

#[tokio::test]
async fn a_refused_token_is_renewed_at_once_and_only_once() {
    let world = World::start().await;
    world.log_in().await;
    let http = world.http();
    me(&http).await.unwrap();
    world.provider.end_access();
    me(&http).await.unwrap();
    assert_eq!(world.renewals(), 1);
    world.fail("/api", u32::MAX, FaultKind::status(401));
    let error = me(&http).await.unwrap_err();
    assert_eq!((error.kind(), world.renewals()), (Kind::Auth, 2), "{error}");
    is_discreet(&format!("{error} {error:?} {http:?}"));
}

#[tokio::test]
async fn many_tasks_renew_once() {
    let world = World::start().await;
    world.log_in().await;
    world.clock.advance(Duration::from_hours(2));
    let http = world.http();
    let mut tasks = JoinSet::new();
    for _ in 0..20 {
        let http = http.clone();
        tasks.spawn(async move { me(&http).await });
    }
    for outcome in tasks.join_all().await {
        outcome.unwrap();
    }
    assert_eq!(world.renewals(), 1);
}

#[tokio::test]
async fn connections_of_several_processes_renew_once() {
    let world = World::start().await;
    world.log_in().await;
    for round in 1..=3 {
        world.clock.advance(Duration::from_hours(2));
        let mut tasks = JoinSet::new();
        for _ in 0..8 {
            let http = world.http();
            tasks.spawn(async move { me(&http).await });
        }
        for outcome in tasks.join_all().await {
            outcome.unwrap();
        }
        assert_eq!(world.renewals(), round);
    }
    assert_eq!(world.provider.with(|it| it.reused), 0);
}

#[tokio::test]
async fn a_service_that_knows_one_access_token_does_not_set_processes_against_each_other() {
    let world = World::start().await;
    world.provider.with(|it| it.one_access = true);
    world.log_in().await;
    let (one, other) = (world.http(), world.http());
    me(&one).await.unwrap();
    me(&other).await.unwrap();
    world.clock.advance(Duration::from_hours(1));
    me(&one).await.unwrap();
    // The other one finds what the first has stored.
    me(&other).await.unwrap();
    world.provider.end_access();
    me(&other).await.unwrap();
    // Its own is refused; the stored one is newer and good.
    me(&one).await.unwrap();
    assert_eq!(world.renewals(), 2);
}

#[tokio::test]
async fn trouble_of_the_login_service_is_no_expired_login() {
    let troubles = [
        FaultKind::status(500),
        FaultKind::status(503),
        FaultKind::status_with(429, "retry-after", 3600),
        FaultKind::Html,
        FaultKind::EmptyOk,
        FaultKind::Garbage,
        FaultKind::status(404),
        FaultKind::Stall,
        FaultKind::Status {
            code: 400,
            headers: Vec::new(),
            body: r#"{"error":"temporarily_unavailable"}"#.to_owned(),
        },
        FaultKind::Status {
            code: 403,
            headers: vec![("content-type", "text/html".to_owned())],
            body: "<html>blocked</html>".to_owned(),
        },
    ];
    for trouble in troubles {
        let world = World::start().await;
        world.log_in().await;
        world.clock.advance(Duration::from_hours(1));
        world.fail("/token", u32::MAX, trouble.clone());
        let http = world.http();
        let error = me(&http).await.unwrap_err();
        assert!(!error.needs_person(), "{trouble:?}: {error}");
        is_discreet(&format!("{error} {error:?}"));
        world.server.heal();
        world.clock.advance(Duration::from_hours(2));
        me(&http).await.unwrap();
        me(&world.http()).await.unwrap();
    }
}

#[tokio::test]
async fn a_service_that_asks_for_patience_gets_it() {
    let world = World::start().await;
    world.log_in().await;
    world.clock.advance(Duration::from_hours(1));
    world.fail(
        "/token",
        1,
        FaultKind::status_with(429, "retry-after", 3600),
    );
    let error = me(&world.http()).await.unwrap_err();
    let until = world.clock.now() + Duration::from_secs(3590);
    let Retry::Later { after: Some(after) } = error.retry_advice() else {
        panic!("{error:?}");
    };
    assert!(*after > until, "{after}");
    let asked = world.server.requests().len();
    me(&world.http()).await.unwrap_err();
    assert_eq!(
        world.server.requests().len(),
        asked,
        "not before that instant"
    );
}

/// The answer with the new tokens is lost. A service that gives a grace, or that never took the
/// old token back, is asked again at once, and nothing is lost.
#[tokio::test]
async fn a_lost_answer_loses_no_login_that_can_be_kept() {
    for (rotation, fault) in [
        (Rotation::Never, FaultKind::LostAnswer),
        (Rotation::Always { grace: 60 }, FaultKind::LostAnswer),
        (Rotation::Always { grace: 60 }, FaultKind::Reset),
        (
            Rotation::Always { grace: 60 },
            FaultKind::CutBody { keep: 9 },
        ),
    ] {
        let world = World::start().await;
        world.provider.with(|it| it.rotation = rotation);
        world.log_in().await;
        world.clock.advance(Duration::from_hours(1));
        world.fail("/token", 1, fault.clone());
        me(&world.http())
            .await
            .unwrap_or_else(|error| panic!("{rotation:?}, {fault:?}: {error}"));
        world.clock.advance(Duration::from_hours(1));
        me(&world.http()).await.unwrap();
    }
}

/// Without any grace no client could go on. Then a person is asked, once, and nothing else.
#[tokio::test]
async fn a_login_that_is_over_is_told_and_not_asked_for_again() {
    let world = World::start().await;
    world.log_in().await;
    world.clock.advance(Duration::from_hours(1));
    world.provider.withdraw();
    let http = world.http();
    for _ in 0..3 {
        let error = me(&http).await.unwrap_err();
        assert_eq!(error.kind(), Kind::Auth, "{error}");
        assert!(
            error.to_string().contains("expired or was withdrawn"),
            "{error}"
        );
        is_discreet(&format!("{error} {error:?}"));
    }
    assert_eq!(world.renewals(), 1);
    // Somebody logs in: the same connection goes on.
    world.log_in().await;
    me(&http).await.unwrap();
}

/// The service forgot that it gave us the newest refresh token, as after a restored backup.
#[tokio::test]
async fn the_refresh_token_before_the_last_is_tried_once() {
    let world = World::start().await;
    world
        .provider
        .with(|it| it.rotation = Rotation::Always { grace: 86_400 });
    world.log_in().await;
    world.clock.advance(Duration::from_hours(1));
    me(&world.http()).await.unwrap();
    let mut stored = world.stored();
    stored.refresh = Some(Secret::new("a-token-that-the-service-never-knew"));
    stored.expires_at = Some(world.clock.now());
    world.logins.save(NAME, &Stored::Tokens(stored)).unwrap();
    me(&world.http()).await.unwrap();
    assert_eq!(world.renewals(), 3);
}

#[tokio::test]
async fn nobody_has_logged_in_yet() {
    let world = World::start().await;
    let error = me(&world.http()).await.unwrap_err();
    assert_eq!(error.kind(), Kind::Auth);
    assert!(world.server.requests().is_empty(), "nothing was asked");
}

/// A store whose disk is full now and then.
#[derive(Debug)]
struct Full {
    inner: Memory,
    /// So many attempts to save fail.
    times: std::sync::Mutex<u32>,
    prepared: bool,
}

impl Logins for Full {
    fn load(&self, connection: &str) -> Result<Option<Stored>, Error> {
        self.inner.load(connection)
    }

    fn save(&self, connection: &str, login: &Stored) -> Result<(), Error> {
        let mut times = self.times.lock().unwrap();
        if *times > 0 {
            *times -= 1;
            return Err(Error::new(Kind::Unavailable, "the disk is full"));
        }
        self.inner.save(connection, login)
    }

    fn prepare(&self, _: &str) -> Result<(), Error> {
        if self.prepared {
            return Ok(());
        }
        Err(Error::new(Kind::Unavailable, "the disk is full"))
    }

    fn remove(&self, connection: &str) -> Result<(), Error> {
        self.inner.remove(connection)
    }

    fn try_lock(&self, connection: &str) -> Result<Option<Box<dyn Send + Sync>>, Error> {
        self.inner.try_lock(connection)
    }
}

#[tokio::test]
async fn a_full_disk_is_found_before_the_service_is_asked() {
    let mut world = World::start().await;
    world.log_in().await;
    world.clock.advance(Duration::from_hours(1));
    world.platform.logins = Arc::new(Full {
        inner: world.logins.clone(),
        times: 0.into(),
        prepared: false,
    });
    let error = me(&world.http()).await.unwrap_err();
    assert!(!error.needs_person(), "{error}");
    assert_eq!(world.renewals(), 0, "the refresh token was not spent");
}

#[tokio::test]
async fn what_cannot_be_stored_at_once_is_stored_a_little_later() {
    let mut world = World::start().await;
    world.log_in().await;
    world.clock.advance(Duration::from_hours(1));
    world.platform.logins = Arc::new(Full {
        inner: world.logins.clone(),
        times: 3.into(),
        prepared: true,
    });
    me(&world.http()).await.unwrap();
    assert!(
        world
            .provider
            .is_alive(world.stored().refresh.unwrap().expose())
    );
}

#[tokio::test]
async fn what_is_not_stored_is_not_used() {
    let mut world = World::start().await;
    world.log_in().await;
    world.clock.advance(Duration::from_hours(1));
    world.platform.logins = Arc::new(Full {
        inner: world.logins.clone(),
        times: u32::MAX.into(),
        prepared: true,
    });
    let asked = |world: &World| {
        let requests = world.server.requests();
        requests.iter().filter(|it| it.path == "/api/me").count()
    };
    me(&world.http()).await.unwrap_err();
    assert_eq!(asked(&world), 0);
}

#[tokio::test]
async fn a_clock_that_is_turned_back_or_forth_costs_a_renewal_at_most() {
    let world = World::start().await;
    world.log_in().await;
    let begin = world.clock.now();
    let http = world.http();
    // Far ahead: everything looks expired here. The service has the right time, so its tokens
    // last; ours are taken to live from then on.
    world.clock.set(begin + Duration::from_hours(24 * 400));
    me(&http).await.unwrap();
    assert_eq!(world.renewals(), 1);
    // Back again: what we hold seems to live for a year. The service knows better, and says so.
    world.clock.set(begin + Duration::from_hours(2));
    world.provider.end_access();
    me(&http).await.unwrap();
    assert_eq!(world.renewals(), 2);
}

#[tokio::test]
async fn a_life_shorter_than_our_margin_is_no_renewal_a_request() {
    let world = World::start().await;
    world.provider.with(|it| it.life = 60);
    world.log_in().await;
    let http = world.http();
    for _ in 0..5 {
        me(&http).await.unwrap();
    }
    assert_eq!(world.renewals(), 0);
    world.clock.advance(Duration::from_secs(31));
    me(&http).await.unwrap();
    assert_eq!(world.renewals(), 1);
}

#[tokio::test]
async fn a_wrong_client_secret_is_told_as_such() {
    let world = World::start().await;
    world.log_in().await;
    world.provider.with(|it| it.secret = true);
    world.clock.advance(Duration::from_hours(1));
    let error = me(&world.http()).await.unwrap_err();
    assert!(error.needs_person());
    assert!(error.to_string().contains("client id"), "{error}");
}
