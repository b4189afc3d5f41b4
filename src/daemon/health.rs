//! Health and status over HTTP, on loopback, for monitoring and for people.

use std::net::SocketAddr;
use std::sync::Arc;

use axum::Router;
use axum::extract::State;
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use tokio::net::TcpListener;

use super::status::{Health, Status};
use crate::store::Anchors;

/// Takes the port, or says who may have it.
pub(super) async fn bind(address: SocketAddr) -> anyhow::Result<TcpListener> {
    TcpListener::bind(address).await.map_err(|error| {
        let hint = "another program has this port; name a free one as `daemon.listen`, or remove \
                    the key to go without";
        anyhow::Error::from(error).context(crate::error_text::Advised::new(
            format!("listen on {address}"),
            hint,
        ))
    })
}

/// Answers until the task is dropped.
pub(super) async fn serve(listener: TcpListener, anchors: Anchors) -> std::io::Result<()> {
    let router = Router::new()
        .route("/", get(page))
        .route("/health", get(health))
        .route("/status", get(status))
        .with_state(Arc::new(anchors));
    axum::serve(listener, router).await
}

/// `200 ok` while runs succeed, `503` with the reason in words otherwise.
async fn health(State(anchors): State<Arc<Anchors>>) -> Response {
    match read(&anchors).await {
        Ok(status) => match status.health() {
            Health::Ok => (StatusCode::OK, "ok\n".to_owned()).into_response(),
            Health::Degraded(reason) => {
                (StatusCode::SERVICE_UNAVAILABLE, format!("{reason}\n")).into_response()
            }
        },
        Err(error) => (StatusCode::SERVICE_UNAVAILABLE, format!("{error}\n")).into_response(),
    }
}

async fn status(State(anchors): State<Arc<Anchors>>) -> Response {
    match read(&anchors).await {
        Ok(status) => axum::Json(status).into_response(),
        Err(error) => (StatusCode::SERVICE_UNAVAILABLE, format!("{error}\n")).into_response(),
    }
}

/// The status for a browser: plain, without script.
async fn page(State(anchors): State<Arc<Anchors>>) -> Response {
    match read(&anchors).await {
        Ok(status) => {
            let policy = "default-src 'none'; style-src 'unsafe-inline'";
            let headers = [
                (header::CONTENT_TYPE, "text/html; charset=utf-8"),
                (header::CONTENT_SECURITY_POLICY, policy),
                (header::CACHE_CONTROL, "no-store"),
            ];
            (headers, super::page::html(&status)).into_response()
        }
        Err(error) => (StatusCode::SERVICE_UNAVAILABLE, format!("{error}\n")).into_response(),
    }
}

async fn read(anchors: &Arc<Anchors>) -> anyhow::Result<Status> {
    let anchors = Arc::clone(anchors);
    tokio::task::spawn_blocking(move || Ok(Status::read(&anchors)?)).await?
}
