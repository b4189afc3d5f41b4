//! Credentials that are renewed: one renewal for a refusal, and none of them ever seen.

use std::sync::Mutex;

use async_trait::async_trait;
use axum::http::HeaderMap;
use axum::response::IntoResponse;
use stundenbuch_connectors::error::Kind;
use stundenbuch_connectors::http::Access;

use super::*;

/// The end of every access token; never to be seen.
const ACCESS: &str = "access-5e1f0a77";

/// Gives `Bearer token-<n>`, a new one for each refusal.
#[derive(Debug, Default)]
struct Counter(Mutex<u32>);

#[async_trait]
impl Access for Counter {
    async fn header(&self, refused: Option<&Secret>) -> Result<Secret, Error> {
        let mut number = self.0.lock().unwrap();
        let current = |number: u32| Secret::new(&format!("Bearer token-{number}-{ACCESS}"));
        if refused.is_some_and(|it| it.expose() == current(*number).expose()) {
            *number += 1;
        }
        Ok(current(*number))
    }
}

/// A service that accepts the token of this number, and repeats what it got.
async fn world(good: u32) -> World {
    let answer = move |headers: HeaderMap| async move {
        let token = headers.get("authorization").unwrap().to_str().unwrap();
        let code = if token.contains(&format!("token-{good}-")) {
            200
        } else {
            401
        };
        (status(code), format!("you sent {token}")).into_response()
    };
    World {
        server: Server::start(Router::new().fallback(get(answer).put(answer))).await,
        ..World::start().await
    }
}

#[tokio::test]
async fn a_refused_token_is_renewed_once_and_hidden() {
    let world = world(1).await;
    let access = Arc::new(Counter::default());
    let http = world.http(|options| options.access = Some(access.clone()));
    let reply = http.send(Request::get("api", "/a")).await.unwrap();
    assert_eq!(String::from_utf8_lossy(&reply.body), "you sent …");
    assert_eq!(world.served(), 2);
    // What must go out once goes out once more: a 401 did nothing.
    *access.0.lock().unwrap() = 0;
    let put = Request::new(stundenbuch_connectors::http::Method::Put, "api", "/a");
    http.send(put.once()).await.unwrap();
    assert_eq!(world.served(), 4);
}

#[tokio::test]
async fn a_second_refusal_is_an_answer() {
    let world = world(7).await;
    let access = Arc::new(Counter::default());
    let http = world.http(|options| options.access = Some(access));
    let error = http.send(Request::get("api", "/a")).await.unwrap_err();
    assert_eq!((error.kind(), world.served()), (Kind::Auth, 2), "{error}");
    assert!(!error.to_string().contains(ACCESS), "{error}");
}
