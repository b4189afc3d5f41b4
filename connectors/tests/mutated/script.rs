//! A service that answers each path with the bytes that the test put there.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};

use axum::Router;
use axum::body::Body;
use axum::extract::Request;
use axum::response::Response;
use stundenbuch_connectors::budget::{BudgetState, BudgetStore};
use stundenbuch_connectors::clock::ManualClock;
use stundenbuch_connectors::{Error, Platform};

use crate::fakes::Server;

/// The answers by path; one that asks for everything at once (`cards=all`) has `?nested` behind
/// its path.
#[derive(Clone, Debug, Default)]
pub(crate) struct Script(Arc<Mutex<Answers>>);

/// Status and body by path.
type Answers = BTreeMap<String, (u16, Vec<u8>)>;

impl Script {
    pub(crate) async fn serve(&self) -> Server {
        let script = self.clone();
        let answer = move |request: Request| {
            let script = script.clone();
            async move { script.answer(&request) }
        };
        Server::start(Router::new().fallback(answer)).await
    }

    /// Answers a path so from now on.
    pub(crate) fn put(&self, path: &str, status: u16, body: &[u8]) {
        let mut answers = self.0.lock().unwrap();
        answers.insert(path.to_owned(), (status, body.to_vec()));
    }

    fn answer(&self, request: &Request) -> Response {
        let nested = request
            .uri()
            .query()
            .is_some_and(|it| it.contains("cards=all"));
        let path = request.uri().path();
        let key = if nested {
            format!("{path}?nested")
        } else {
            path.to_owned()
        };
        let answers = self.0.lock().unwrap();
        let (status, body) = answers.get(&key).cloned().unwrap_or((404, Vec::new()));
        Response::builder()
            .status(status)
            .header("content-type", "application/json")
            .body(Body::from(body))
            .unwrap()
    }
}

/// Budgets that forget at once: here no quota is tested, and thousands of requests are sent.
#[derive(Debug)]
struct Forgetful;

impl BudgetStore for Forgetful {
    fn load(&self, _: &str, _: &str) -> Result<BudgetState, Error> {
        Ok(BudgetState::default())
    }

    fn save(&self, _: &str, _: &str, _: &BudgetState) -> Result<(), Error> {
        Ok(())
    }
}

pub(crate) fn platform(clock: &ManualClock) -> Platform {
    Platform {
        clock: Arc::new(clock.clone()),
        budgets: Arc::new(Forgetful),
        logins: Arc::new(stundenbuch_connectors::login::Memory::default()),
    }
}
