//! Redirections: followed by hand, and never with our headers to somebody else.

use axum::http::HeaderMap;
use axum::response::{IntoResponse, Redirect, Response};
use stundenbuch_connectors::error::Kind;

use super::*;

fn to(code: u16, target: String) -> Router {
    let answer = move || {
        let target = target.clone();
        async move { redirect(code, &target) }
    };
    let echo = |headers: HeaderMap| async move { format!("{:?}", headers.get("x-api-token")) };
    Router::new()
        .route("/api/go", get(answer.clone()).post(answer))
        .route("/api/echo", get(echo))
        .route("/circle", get(|| async { Redirect::to("/circle") }))
}

fn redirect(code: u16, target: &str) -> Response {
    (status(code), [("location", target.to_owned())]).into_response()
}

async fn world(code: u16, target: &str) -> World {
    World {
        server: Server::start(to(code, target.to_owned())).await,
        ..World::start().await
    }
}

#[tokio::test]
async fn at_home_the_headers_go_along() {
    for code in [301, 302, 303, 307, 308] {
        for target in ["/api/echo", "echo", "./echo?x=1"] {
            let world = world(code, target).await;
            let http = world.http(|_| ());
            let reply = http.send(Request::get("api", "/api/go")).await.unwrap();
            assert_eq!((reply.status, http.requests()), (200, 2));
            assert_eq!(
                world.server.requests()[1].header("x-api-token"),
                Some(CANARY)
            );
        }
    }
}

#[tokio::test]
async fn abroad_nobody_sees_a_header_of_ours_nor_where_we_came_from() {
    let abroad = World::start().await;
    let target = format!("{}/ok?signed=1", abroad.server.base());
    let world = world(302, &target).await;
    let http = world.http(|options| {
        options
            .headers
            .push(("authorization", Secret::new(&format!("Bearer {CANARY}"))));
        options.headers.push(("cookie", Secret::new(CANARY)));
    });
    let request = Request::get("api", "/api/go").query("token", CANARY);
    let refused = http.send(request.clone()).await.unwrap_err();
    assert_eq!(
        refused.kind(),
        Kind::Protocol,
        "an API that leads elsewhere: {refused}"
    );
    assert!(
        abroad.server.requests().is_empty(),
        "not asked for from abroad"
    );
    http.send(request.from_abroad()).await.unwrap();
    let seen = abroad.server.requests();
    assert_eq!(seen.len(), 1);
    for name in ["x-api-token", "authorization", "cookie", "referer"] {
        assert_eq!(seen[0].header(name), None, "{name}");
    }
    assert!(!format!("{seen:?}").contains("canary"), "{seen:?}");
    assert!(world.server.requests()[0].header("referer").is_none());
    assert_eq!(
        world.budgets.load("anna", "api").unwrap().used,
        3,
        "each hop is a request"
    );
}

#[tokio::test]
async fn what_comes_back_from_abroad_has_lost_its_rights() {
    let abroad = World::start().await;
    let target = format!("{}/there", abroad.server.base());
    let world = world(302, &target).await;
    let back = format!("{}/api/echo", world.server.base());
    let kind = FaultKind::status_with(302, "location", back);
    abroad.server.fail(Fault {
        path: "/there",
        times: 1,
        kind,
    });
    let reply = world
        .http(|_| ())
        .send(Request::get("api", "/api/go").from_abroad())
        .await
        .unwrap();
    assert_eq!(reply.body, b"None", "the service sees a header of ours");
    assert_eq!(world.server.requests()[1].header("x-api-token"), None);
    assert_eq!(
        world.server.requests()[0].header("x-api-token"),
        Some(CANARY)
    );
}

#[tokio::test]
async fn another_port_scheme_or_host_is_abroad_and_plain_http_is_refused() {
    for target in [
        "http://example.com/x",
        "//example.com/x",
        "ftp://127.0.0.1/x",
        "file:///etc/passwd",
        "javascript:alert(1)",
        "http://[::bad",
    ] {
        let world = world(302, target).await;
        let http = world.http(|_| ());
        let error = http.send(Request::get("api", "/api/go")).await.unwrap_err();
        assert_eq!(
            (error.kind(), http.requests()),
            (Kind::Protocol, 1),
            "{target}: {error}"
        );
    }
}

#[tokio::test]
async fn circles_end_and_posts_do_not_travel() {
    let world = world(307, "/api/echo").await;
    let http = world.http(|_| ());
    let error = http.send(Request::get("api", "/circle")).await.unwrap_err();
    assert_eq!(
        (error.kind(), http.requests()),
        (Kind::Protocol, 4),
        "{error}"
    );
    let request = Request::post_read("api", "/api/go", serde_json::json!({"a": CANARY}));
    let error = http.send(request).await.unwrap_err();
    assert_eq!(
        (error.kind(), world.served()),
        (Kind::Protocol, 5),
        "{error}"
    );
}
