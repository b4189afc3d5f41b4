//! What goes wrong on the way to the service: each fault is an error or the true answer, never
//! half of one, and the client goes on when it is over.

use stundenbuch_connectors::error::Kind;

use super::fakes::proxy::{Fault, Proxy};
use super::fakes::tls::{Authority, Face, Impostor};
use super::*;

/// The faults, and the words of which the error must have some.
fn faults() -> Vec<(Fault, &'static str)> {
    let late = "did not answer in time";
    let broke = "the connection broke before the answer came";
    let off = "the answer broke off";
    vec![
        (Fault::Silence, late),
        (Fault::StallsInHead, late),
        (Fault::StallsInBody, late),
        (Fault::Drips, late),
        (Fault::LongLength, late),
        (Fault::InterimForever, late),
        (Fault::EndsInHead, broke),
        (Fault::ResetsInHead, broke),
        (Fault::TwoLengths, broke),
        (Fault::ManyHeaders, broke),
        (Fault::LongHeader, broke),
        (Fault::NotHttp, broke),
        (Fault::EndsInBody, off),
        (Fault::ResetsInBody, off),
        (Fault::ChunkNoise, off),
        (Fault::ChunkHuge, off),
        (Fault::ChunksEnd, off),
        (Fault::GzipCut, off),
        (Fault::GzipLie, off),
        // Here the way says that all of it came: that it is half shows by reading it.
        (Fault::ShortLength, "is not the JSON"),
        (Fault::EndsUnannounced, "is not the JSON"),
    ]
}

async fn ask(http: &Http) -> Result<serde_json::Value, Error> {
    get_ok(http).await?.json()
}

fn impatient(options: &mut Options, base: &str) {
    base.clone_into(&mut options.base);
    options.attempts_max = 2;
    options.timeout = Duration::from_millis(250);
}

#[tokio::test]
async fn a_fault_of_the_way_is_an_error_and_over_when_it_is_over() {
    for (fault, words) in faults() {
        let world = World::start().await;
        let proxy = Proxy::before(world.server.base()).await;
        let http = world.http(|options| impatient(options, proxy.base()));
        assert_eq!(ask(&http).await.unwrap()["a"], 1);
        proxy.fail_after(0, fault.clone());
        let error = ask(&http).await.unwrap_err();
        let text = format!("{error} {error:?}");
        let wanted = match words {
            "is not the JSON" => Kind::Protocol,
            _ => Kind::Unavailable,
        };
        assert_eq!(error.kind(), wanted, "{fault:?}: {error}");
        assert!(text.contains(words), "{fault:?}: {text}");
        assert!(!text.contains("canary"), "{fault:?}: {text}");
        assert!(text.len() < 4_000, "{fault:?}: {text}");
        assert!(proxy.spoiled() > 0, "{fault:?} was not met");
        proxy.heal();
        let healed = ask(&http).await;
        let healed = healed.unwrap_or_else(|error| panic!("{fault:?}, healed: {error}"));
        assert_eq!(healed["a"], 1, "{fault:?}");
    }
}

#[tokio::test]
async fn what_a_server_may_do_is_no_fault_and_costs_no_second_request() {
    for fault in [Fault::Interim, Fault::Stray, Fault::ClosesIdle] {
        let world = World::start().await;
        let proxy = Proxy::before(world.server.base()).await;
        let http = world.http(|options| impatient(options, proxy.base()));
        proxy.fail_after(0, fault.clone());
        for request in 1..=4 {
            let answer = ask(&http).await;
            let answer = answer.unwrap_or_else(|error| panic!("{fault:?}, {request}: {error}"));
            assert_eq!(answer["a"], 1, "{fault:?}");
        }
        assert_eq!((http.requests(), world.served()), (4, 4), "{fault:?}");
    }
}

#[tokio::test]
async fn a_redirection_that_goes_in_circles_or_abroad_over_the_proxy_shows_nothing() {
    let abroad = World::start().await;
    for (to, requests) in [("/ok".to_owned(), 4), (abroad.server.base().to_owned(), 8)] {
        let world = World::start().await;
        let proxy = Proxy::before(world.server.base()).await;
        let http = world.http(|options| impatient(options, proxy.base()));
        proxy.fail_after(0, Fault::Redirects(to.clone()));
        let request = Request::get("api", "/ok").from_abroad();
        let error = http.send(request).await.unwrap_err();
        assert!(http.requests() <= requests, "{to}: {error}");
        assert!(!format!("{error} {error:?}").contains("canary"), "{error}");
    }
    let seen = abroad.server.requests();
    assert!(!seen.is_empty(), "nobody went abroad");
    assert!(!format!("{seen:?}").contains("canary"), "{seen:?}");
}

#[tokio::test]
async fn a_name_that_does_not_exist_is_told_and_waited_out() {
    let world = World::start().await;
    let http = world.http(|options| {
        options.base = "https://stundenbuch.invalid".to_owned();
        options.attempts_max = 2;
        options.timeout = Duration::from_secs(5);
    });
    let error = get_ok(&http).await.unwrap_err();
    assert_eq!((error.kind(), http.requests()), (Kind::Unavailable, 2));
    let text = error.to_string();
    assert!(text.contains("host=stundenbuch.invalid"), "{text}");
    assert!(error.advice().is_some(), "{text}");
}

#[tokio::test]
async fn a_server_that_cannot_prove_itself_hears_nothing() {
    let authority = Authority::new();
    for face in [
        Face::Good,
        Face::Expired,
        Face::NotYet,
        Face::OtherHost,
        Face::SelfSigned,
        Face::OldVersion,
        Face::HangsUp,
        Face::Plain,
    ] {
        // Nobody here trusts the authority, so that even its good server is a stranger.
        let impostor = Impostor::start(face, &authority, None).await;
        let world = World::start().await;
        let http = world.http(|options| {
            impatient(options, &impostor.base());
            options.timeout = Duration::from_secs(5);
        });
        let error = get_ok(&http).await.unwrap_err();
        assert_eq!(error.kind(), Kind::Unavailable, "{face:?}: {error}");
        assert_eq!(http.requests(), 2, "{face:?}: {error}");
        let heard = String::from_utf8_lossy(&impostor.heard()).into_owned();
        assert!(!heard.contains("canary"), "{face:?}");
        assert!(!heard.contains("/ok"), "{face:?}");
    }
}
