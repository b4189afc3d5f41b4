//! The listener on this machine to which the browser brings the service's answer.

use std::net::{Ipv4Addr, SocketAddr};
use std::sync::{Arc, Mutex};

use axum::Router;
use axum::extract::{RawQuery, State};
use axum::http::StatusCode;
use axum::response::{Html, IntoResponse, Response};
use axum::routing::get;
use stundenbuch_connectors::Error;
use stundenbuch_connectors::login::{Consent, NoCode, OAuth, Redirect};
use stundenbuch_connectors::secret::Secret;
use tokio::net::TcpListener;
use tokio::sync::oneshot;

use crate::error_text::Advised;

/// Where a browser goes that cannot reach this machine; nobody has to listen there.
const ELSEWHERE: &str = "http://127.0.0.1:53682/";

/// A listener that has begun.
#[derive(Debug)]
pub(super) struct Listener {
    socket: TcpListener,
    path: String,
    /// Where the service is to send the browser.
    pub(super) address: String,
}

/// How a login at the listener ended: a code, or the refusal.
type Ended = Result<Secret, Error>;

struct Waiting {
    consent: Arc<Consent>,
    service: OAuth,
    /// Taken by the first answer that belongs to this login.
    ended: Mutex<Option<oneshot::Sender<Ended>>>,
}

/// The address to name when the answer will be pasted.
pub(super) fn elsewhere(redirect: &Redirect) -> String {
    match redirect {
        Redirect::AnyPort => ELSEWHERE.to_owned(),
        Redirect::Fixed(address) => address.clone(),
    }
}

impl Listener {
    /// Listens where the service will send the browser: on this machine alone.
    pub(super) async fn begin(redirect: &Redirect) -> anyhow::Result<Self> {
        let (port, path, fixed) = match redirect {
            Redirect::AnyPort => (0, "/".to_owned(), None),
            Redirect::Fixed(address) => {
                let (port, path) = parts(address)?;
                (port, path, Some(address.clone()))
            }
        };
        let at = SocketAddr::from((Ipv4Addr::LOCALHOST, port));
        let socket = TcpListener::bind(at).await.map_err(|error| {
            let what = format!("listen on {at} for the browser: {error}");
            Advised::new(
                what,
                "end the program that listens there, or log in with `--paste`",
            )
        })?;
        let port = socket.local_addr()?.port();
        Ok(Self {
            address: fixed.unwrap_or_else(|| format!("http://127.0.0.1:{port}{path}")),
            socket,
            path,
        })
    }

    /// Serves until the answer to this login comes.
    pub(super) fn wait(self, consent: Arc<Consent>, service: OAuth) -> oneshot::Receiver<Ended> {
        let (sender, receiver) = oneshot::channel();
        let waiting = Arc::new(Waiting {
            consent,
            service,
            ended: Mutex::new(Some(sender)),
        });
        let routes = Router::new()
            .route(&self.path, get(answered))
            .with_state(waiting);
        tokio::spawn(async move { axum::serve(self.socket, routes).await });
        receiver
    }
}

/// The port and the path of a redirect address on this machine.
fn parts(address: &str) -> Result<(u16, String), Advised> {
    let wrong = || {
        let what = format!("log in: nobody can listen at the redirect address {address}");
        let hint = "register an address like http://127.0.0.1:53682/ at the service, \
                    or log in with `--paste`";
        Advised::new(what, hint)
    };
    let rest = address.strip_prefix("http://").ok_or_else(wrong)?;
    let (authority, path) = rest.split_once('/').unwrap_or((rest, ""));
    let (host, port) = authority.split_once(':').ok_or_else(wrong)?;
    if !matches!(host, "127.0.0.1" | "localhost") {
        return Err(wrong());
    }
    Ok((port.parse().map_err(|_| wrong())?, format!("/{path}")))
}

/// The one page of the listener. What does not belong to this login changes nothing.
async fn answered(State(waiting): State<Arc<Waiting>>, RawQuery(query): RawQuery) -> Response {
    let query = format!("?{}", query.unwrap_or_default());
    let (ended, status, title, text) = match waiting.consent.code(&query, &waiting.service) {
        Ok(code) => (
            Some(Ok(code)),
            StatusCode::OK,
            "Almost done",
            "Go back to the terminal: it says whether the login works. This window can be closed."
                .to_owned(),
        ),
        Err(NoCode::Refused(error)) => {
            let text = format!("{error}. Go back to the terminal.");
            let (status, title) = (StatusCode::BAD_REQUEST, "Not logged in");
            (Some(Err(*error)), status, title, text)
        }
        Err(NoCode::Unreadable | NoCode::OfAnother) => (
            None,
            StatusCode::BAD_REQUEST,
            "Not the login that was begun",
            "This address does not belong to the login that waits in the terminal. Open the \
             address that it shows."
                .to_owned(),
        ),
    };
    if let Some(ended) = ended {
        let sender = waiting.ended.lock().ok().and_then(|mut it| it.take());
        if let Some(sender) = sender {
            // The command was stopped: then nobody wants to know.
            let _ = sender.send(ended);
        }
    }
    (status, Html(page(title, &text))).into_response()
}

fn page(title: &str, text: &str) -> String {
    let text = text
        .replace('&', "&amp;")
        .replace('<', "&lt;")
        .replace('>', "&gt;");
    format!(
        "<!doctype html><html lang=\"en\"><head><meta charset=\"utf-8\">\
         <meta name=\"referrer\" content=\"no-referrer\"><title>Stundenbuch: {title}</title>\
         <style>body{{font:16px/1.5 system-ui,sans-serif;max-width:34rem;margin:4rem auto;\
         padding:0 1rem}}</style></head><body><h1>{title}</h1><p>{text}</p></body></html>\n"
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_fixed_address_is_taken_apart() {
        let found = parts("http://127.0.0.1:53682/callback").unwrap();
        assert_eq!(found, (53682, "/callback".to_owned()));
        let found = parts("http://localhost:8080").unwrap();
        assert_eq!(found, (8080, "/".to_owned()));
        for wrong in [
            "https://127.0.0.1:1/",
            "http://example.com:1/",
            "http://127.0.0.1/",
        ] {
            assert!(parts(wrong).is_err(), "{wrong}");
        }
    }

    #[test]
    fn a_service_cannot_write_into_the_page() {
        assert!(!page("x", "<script>").contains("<script>"));
    }
}
