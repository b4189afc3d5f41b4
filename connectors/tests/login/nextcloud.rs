//! Nextcloud's login flow: what comes once is returned at once.

use stundenbuch_connectors::error::Kind;

use super::*;

/// Logs in; the person grants access after so many questions of ours.
async fn flow(world: &World, after: Option<u32>) -> Result<Stored, Error> {
    let page = Arc::new(std::sync::Mutex::new(String::new()));
    let tell = Arc::clone(&page);
    let mut show = move |address: &str| address.clone_into(&mut tell.lock().unwrap());
    let server = format!("{}/", world.server.base());
    let person = async {
        if let Some(after) = after {
            let asked = world.server.alarm(after + 1);
            asked.notified().await;
            world.provider.grant(&page.lock().unwrap());
        }
        std::future::pending::<()>().await;
    };
    tokio::select! {
        stored = login::nextcloud(NAME, &server, &world.platform, &mut show) => stored,
        () = person => unreachable!(),
    }
}

#[tokio::test]
async fn a_person_grants_access() {
    let world = World::start().await;
    let stored = flow(&world, Some(2)).await.unwrap();
    world.logins.save(NAME, &stored).unwrap();
    let basic = login::basic(NAME, &world.platform).unwrap().unwrap();
    assert_eq!(basic.user, fakes::logins::USER);
    assert!(basic.password.expose().contains(CANARY));
    assert_eq!(basic.facts["server"], world.server.base());
    is_discreet(&format!("{basic:?}"));
    let first = &world.server.requests()[0];
    assert_eq!(first.header("user-agent"), Some("Stundenbuch (box)"));
}

#[tokio::test]
async fn nobody_grants_access() {
    let world = World::start().await;
    let begin = world.clock.now();
    let error = flow(&world, None).await.unwrap_err();
    assert!(error.to_string().contains("nobody agreed"), "{error}");
    is_discreet(&format!("{error:?}"));
    let waited = (world.clock.now() - begin).num_minutes();
    assert!((20..22).contains(&waited), "{waited}");
}

#[tokio::test]
async fn a_server_in_trouble_is_asked_again() {
    let world = World::start().await;
    world.fail("/poll", 3, FaultKind::status(503));
    flow(&world, Some(1)).await.unwrap();
}

#[tokio::test]
async fn a_server_that_is_no_nextcloud_says_so() {
    let world = World::start().await;
    world.fail("/index.php", u32::MAX, FaultKind::status(404));
    let error = flow(&world, None).await.unwrap_err();
    assert_eq!(error.kind(), Kind::Protocol);
    assert!(
        error.advice().unwrap().contains("server's address"),
        "{error:?}"
    );
}
