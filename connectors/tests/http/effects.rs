//! Requests that change something: what they carry, and how often they go out.

use axum::extract::Request as Received;
use stundenbuch_connectors::error::{Kind, Retry};
use stundenbuch_connectors::http::{FormValue, Method, Part};

use super::*;

async fn world() -> World {
    let echo = |request: Received| async move {
        let method = request.method().to_string();
        let header = |name: &str| {
            let value = request.headers().get(name);
            value.map_or(String::new(), |it| it.to_str().unwrap().to_owned())
        };
        format!("{method} {} {}", header("content-type"), header("if-match"))
    };
    World {
        server: Server::start(Router::new().fallback(echo)).await,
        ..World::start().await
    }
}

fn put() -> Request {
    Request::new(Method::Put, "api", "/x")
}

#[tokio::test]
async fn every_method_header_and_body_arrives_as_it_was_meant() {
    let world = world().await;
    let http = world.http(|_| ());
    let form = vec![
        ("grant_type", "a b&c=ü".into()),
        ("secret", FormValue::Secret(Secret::new("s+/="))),
    ];
    let part = Part {
        headers: &[("Content-Type", "application/pdf")],
        bytes: b"%PDF",
    };
    let parts = Request::new(Method::Post, "api", "/x").multipart("related", &[part]);
    for (request, answer) in [
        (put().header("if-match", "\"7\""), "PUT  \"7\""),
        (
            put().bytes("text/plain", b"abc"[..].into()),
            "PUT text/plain ",
        ),
        (Request::new(Method::Propfind, "api", "/x"), "PROPFIND  "),
        (Request::new(Method::Move, "api", "/x"), "MOVE  "),
        (Request::new(Method::Delete, "api", "/x"), "DELETE  "),
        (
            Request::new(Method::Post, "api", "/x").form(form),
            "POST application/x-www-form-urlencoded ",
        ),
    ] {
        let reply = http.send(request).await.unwrap();
        assert_eq!(String::from_utf8_lossy(&reply.body), answer);
    }
    http.send(parts).await.unwrap();
    let requests = world.server.requests();
    assert_eq!(requests[1].body, b"abc");
    assert_eq!(requests[1].header("content-length"), Some("3"));
    assert_eq!(
        String::from_utf8_lossy(&requests[5].body),
        "grant_type=a+b%26c%3D%C3%BC&secret=s%2B%2F%3D"
    );
    assert!(requests[6].body.starts_with(b"--"), "{:?}", requests[6]);
}

#[tokio::test]
async fn what_must_not_be_sent_twice_is_not() {
    for (kind, sent, retry) in [
        (FaultKind::LostAnswer, 1, Retry::Unknown),
        (FaultKind::CutBody { keep: 1 }, 1, Retry::Unknown),
        (FaultKind::status(500), 1, Retry::Unknown),
        (FaultKind::status(503), 1, Retry::Unknown),
    ] {
        let world = world().await;
        world.fail(9, kind.clone());
        let http = world.http(|_| ());
        let error = http.send(put().once()).await.unwrap_err();
        assert_eq!(error.retry_advice(), &retry, "{kind:?}: {error}");
        assert_eq!(world.served(), sent, "{kind:?}");
        // The same, where a repetition does no harm.
        let error = http.send(put()).await.unwrap_err();
        assert!(
            matches!(error.retry_advice(), Retry::Later { .. }),
            "{error}"
        );
        assert_eq!(world.served(), sent + 4, "{kind:?}");
    }
}

#[tokio::test]
async fn a_refusal_for_haste_did_nothing_and_is_followed_by_another_attempt() {
    let world = world().await;
    world.fail(2, FaultKind::status_with(429, "retry-after", 3));
    world.http(|_| ()).send(put().once()).await.unwrap();
    assert_eq!((world.served(), world.elapsed() >= 6), (3, true));
}

#[tokio::test]
async fn nobody_there_did_nothing_and_is_tried_again() {
    let world = world().await;
    let free = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let nobody = format!("http://{}", free.local_addr().unwrap());
    drop(free);
    let http = world.http(|options| options.base = nobody);
    let error = http.send(put().once()).await.unwrap_err();
    assert_eq!(error.kind(), Kind::Unavailable, "{error}");
    assert!(
        matches!(error.retry_advice(), Retry::Later { .. }),
        "{error}"
    );
    assert_eq!(http.requests(), 4);
}

#[tokio::test]
async fn an_effect_is_not_redirected() {
    let world = world().await;
    world.fail(1, FaultKind::status_with(307, "location", "/y"));
    let error = world.http(|_| ()).send(put()).await.unwrap_err();
    assert_eq!(
        (error.kind(), world.served()),
        (Kind::Protocol, 1),
        "{error}"
    );
}
