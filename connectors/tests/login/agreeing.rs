//! The code grant: proof key and state, pasted answers, wrong ones.

use stundenbuch_connectors::error::Kind;
use stundenbuch_connectors::login::NoCode;

use super::*;

const REDIRECT: &str = "http://127.0.0.1:53682/callback";

fn begin(world: &World, redirect: Option<&str>) -> (OAuth, Consent) {
    let service = world.service();
    let consent = Consent::begin(NAME, &service, redirect).unwrap();
    (service, consent)
}

#[tokio::test]
async fn the_page_asks_for_what_was_declared() {
    let world = World::start().await;
    let (_, consent) = begin(&world, Some(REDIRECT));
    for part in [
        "/authorize?",
        "response_type=code",
        "scope=files.read+offline",
        "access_type=offline",
        "code_challenge_method=S256",
        "redirect_uri=http%3A%2F%2F127.0.0.1%3A53682%2Fcallback",
    ] {
        assert!(consent.page.contains(part), "{part}: {}", consent.page);
    }
    let (_, other) = begin(&world, Some(REDIRECT));
    assert_ne!(
        consent.page, other.page,
        "state and proof key are new each time"
    );
    assert!(!format!("{consent:?}").contains("state"), "{consent:?}");
}

#[tokio::test]
async fn a_login_gives_tokens_by_each_form_of_the_answer() {
    let world = World::start().await;
    let whole = |address: String| address;
    let query = |address: String| address.split_once('?').unwrap().1.to_owned();
    let padded = |address: String| format!("  {address}#\n");
    for form in [whole, query, padded] {
        let (service, consent) = begin(&world, Some(REDIRECT));
        let answer = form(world.provider.agree(&consent.page));
        let code = consent.code(&answer, &service).unwrap();
        let finished = consent.finish(NAME, &service, &world.platform, &code);
        let tokens = finished.await.unwrap();
        assert!(tokens.refresh.is_some());
        let ends = world.clock.now() + Duration::from_hours(1);
        assert_eq!(tokens.expires_at, Some(ends));
    }
}

#[tokio::test]
async fn a_code_that_is_shown_is_pasted() {
    let world = World::start().await;
    let (service, consent) = begin(&world, None);
    let shown = world.provider.agree(&consent.page);
    let code = consent.code(&format!(" {shown}\n"), &service).unwrap();
    let finished = consent.finish(NAME, &service, &world.platform, &code);
    finished.await.unwrap();
}

#[tokio::test]
async fn an_answer_to_another_login_is_not_taken() {
    let world = World::start().await;
    let (service, consent) = begin(&world, Some(REDIRECT));
    let (_, foreign) = begin(&world, Some(REDIRECT));
    let answer = world.provider.agree(&foreign.page);
    let no_code = consent.code(&answer, &service).unwrap_err();
    assert!(matches!(no_code, NoCode::OfAnother), "{no_code:?}");
    // A code alone has no state, so it is not taken where there is a redirect address.
    for answer in ["?code=abc", "abc", "", "?state=", "http://127.0.0.1/?x=%ff"] {
        let no_code = consent.code(answer, &service).unwrap_err();
        assert!(
            matches!(no_code, NoCode::Unreadable | NoCode::OfAnother),
            "{answer}: {no_code:?}"
        );
    }
}

#[tokio::test]
async fn a_refusal_is_told_in_words() {
    let world = World::start().await;
    let (service, consent) = begin(&world, Some(REDIRECT));
    let answer = Provider::refuse(&consent.page);
    let error = Error::from(consent.code(&answer, &service).unwrap_err());
    assert_eq!(error.kind(), Kind::Auth);
    assert!(error.to_string().contains("Not today"), "{error}");
}

#[tokio::test]
async fn a_wrong_code_and_one_used_twice_are_told() {
    let world = World::start().await;
    let (service, consent) = begin(&world, Some(REDIRECT));
    let code = Secret::new("wrong");
    let finished = consent.finish(NAME, &service, &world.platform, &code);
    let error = finished.await.unwrap_err();
    assert!(error.advice().unwrap().contains("begin again"), "{error}");

    let (service, consent) = begin(&world, Some(REDIRECT));
    let (_, again) = begin(&world, Some(REDIRECT));
    let answer = world.provider.agree(&consent.page);
    let code = consent.code(&answer, &service).unwrap();
    // The proof key of another login does not fit.
    let stolen = again.finish(NAME, &service, &world.platform, &code);
    let error = stolen.await.unwrap_err();
    assert!(error.to_string().contains("Wrong proof key"), "{error}");
    is_discreet(&format!("{error:?}"));
}

#[tokio::test]
async fn a_secret_is_shown_as_the_service_wants_it() {
    for (auth, header) in [(ClientAuth::Form, false), (ClientAuth::Header, true)] {
        let world = World::start().await;
        world.provider.with(|it| it.secret = true);
        let mut service = world.service();
        service.client_secret = Some(Secret::new(CLIENT_SECRET));
        service.client_auth = auth;
        let consent = Consent::begin(NAME, &service, Some(REDIRECT)).unwrap();
        let answer = world.provider.agree(&consent.page);
        let code = consent.code(&answer, &service).unwrap();
        let finished = consent.finish(NAME, &service, &world.platform, &code);
        finished.await.unwrap();
        let sent = world.server.requests().pop().unwrap();
        assert_eq!(sent.header("authorization").is_some(), header);
        let in_body = String::from_utf8_lossy(&sent.body).contains(CLIENT_SECRET);
        assert_eq!(in_body, !header);
    }
}

#[tokio::test]
async fn a_service_without_proof_keys_gets_none() {
    let world = World::start().await;
    world.provider.with(|it| it.proof = false);
    let mut service = world.service();
    service.pkce = false;
    let consent = Consent::begin(NAME, &service, Some(REDIRECT)).unwrap();
    let answer = world.provider.agree(&consent.page);
    let code = consent.code(&answer, &service).unwrap();
    let finished = consent.finish(NAME, &service, &world.platform, &code);
    finished.await.unwrap();
}

#[tokio::test]
async fn nothing_is_sent_in_the_clear() {
    let world = World::start().await;
    let mut service = world.service();
    service.token_url = "http://login.example.com/token".to_owned();
    let consent = Consent::begin(NAME, &service, Some(REDIRECT)).unwrap();
    let code = Secret::new("code");
    let error = consent.finish(NAME, &service, &world.platform, &code).await;
    assert_eq!(error.unwrap_err().kind(), Kind::Settings);
}
