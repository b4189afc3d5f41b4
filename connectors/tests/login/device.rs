//! Codes for other devices: waiting at the service's pace, agreed, refused, too late.

use stundenbuch_connectors::error::Kind;
use stundenbuch_connectors::login::DeviceCode;

use super::*;

/// Logs in; the person answers after so many questions of ours.
async fn device(world: &World, answer: Option<bool>, after: u32) -> Result<Tokens, Error> {
    let service = world.service();
    let shown = Arc::new(std::sync::Mutex::new(None));
    let tell = Arc::clone(&shown);
    let mut show = move |code: &DeviceCode| *tell.lock().unwrap() = Some(code.clone());
    let person = async {
        let asked = world.server.alarm(after + 1);
        asked.notified().await;
        let code: DeviceCode = shown.lock().unwrap().clone().unwrap();
        assert!(code.page.ends_with("/activate"), "{code:?}");
        if let Some(agreed) = answer {
            world.provider.answer_device(&code.code, agreed);
        }
        std::future::pending::<()>().await;
    };
    tokio::select! {
        tokens = login::device(NAME, &service, &world.platform, &mut show) => tokens,
        () = person => unreachable!(),
    }
}

#[tokio::test]
async fn somebody_agrees_after_a_while() {
    let world = World::start().await;
    let begin = world.clock.now();
    let tokens = device(&world, Some(true), 4).await.unwrap();
    assert!(tokens.refresh.is_some());
    assert!(
        (world.clock.now() - begin).num_seconds() >= 20,
        "five seconds between two"
    );
    let ends = tokens.expires_at.unwrap() - world.clock.now();
    assert_eq!(ends.num_seconds(), 3600, "from the last question on");
}

#[tokio::test]
async fn somebody_refuses() {
    let world = World::start().await;
    let error = device(&world, Some(false), 1).await.unwrap_err();
    assert!(error.to_string().contains("refused"), "{error}");
}

#[tokio::test]
async fn nobody_answers() {
    let world = World::start().await;
    let begin = world.clock.now();
    let error = device(&world, None, 1).await.unwrap_err();
    assert!(
        error.to_string().contains("nobody agreed in time"),
        "{error}"
    );
    let waited = world.clock.now() - begin;
    assert!((900..930).contains(&waited.num_seconds()), "{waited}");
}

#[tokio::test]
async fn a_service_that_asks_for_slowness_gets_it() {
    let world = World::start().await;
    world.fail(
        "/token",
        2,
        FaultKind::Status {
            code: 400,
            headers: vec![],
            body: r#"{"error":"slow_down"}"#.to_owned(),
        },
    );
    let begin = world.clock.now();
    device(&world, Some(true), 3).await.unwrap();
    // 10 after the first answer, then 15 and 15.
    assert!((world.clock.now() - begin).num_seconds() >= 40);
}

#[tokio::test]
async fn trouble_on_the_way_is_waited_out() {
    for trouble in [FaultKind::status(503), FaultKind::Stall, FaultKind::Html] {
        let world = World::start().await;
        world.fail("/token", 3, trouble.clone());
        let outcome = device(&world, Some(true), 1).await;
        assert!(outcome.is_ok(), "{trouble:?}: {outcome:?}");
    }
}

#[tokio::test]
async fn a_failure_that_stays_is_not_waited_out() {
    let world = World::start().await;
    world.fail("/token", u32::MAX, FaultKind::status(405));
    let error = device(&world, None, 1).await.unwrap_err();
    assert_eq!(error.kind(), Kind::Protocol, "{error}");
    assert!(world.server.requests().len() < 5);
}

#[tokio::test]
async fn a_service_without_codes_says_so() {
    let world = World::start().await;
    let mut service = world.service();
    service.device_url = None;
    let tokens = login::device(NAME, &service, &world.platform, &mut |_| {}).await;
    assert_eq!(tokens.unwrap_err().kind(), Kind::Unsupported);
}
