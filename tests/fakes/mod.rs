//! Fake services on 127.0.0.1, with faults on request.
//!
//! A fake is an axum router that behaves like the service. In front of it stands a small HTTP
//! server of our own, because the faults worth testing (an answer cut short, one byte a second,
//! an answer that is lost after the work was done) are those that a correct server cannot be
//! made to commit. Every request is logged, whether it met a fault or not.

#![allow(
    dead_code,
    unreachable_pub,
    clippy::unwrap_used,
    clippy::needless_pass_by_value,
    reason = "a helper of tests, of which each file uses its own part"
)]

pub mod activecollab;
pub mod asana;
pub mod boxed;
pub mod clockify;
pub mod dropbox;
pub mod gdrive;
pub mod kimai;
pub mod logins;
pub mod nextcloud;
pub mod proxy;
pub mod tls;
pub mod toggl;
pub mod trello;
mod wire;

use std::sync::{Arc, Mutex};

use axum::Router;
use chrono::{DateTime, Utc};
use stundenbuch_connectors::clock::{Clock as _, ManualClock};
use stundenbuch_connectors::suite::Trouble;
use tokio::net::TcpListener;
use tokio::sync::Notify;
use tokio::task::{JoinHandle, JoinSet};

/// A running fake; it stops when it is dropped.
#[derive(Debug)]
pub struct Server {
    base: String,
    state: Arc<State>,
    task: JoinHandle<()>,
}

/// What to do to the next requests whose path contains `path`.
#[derive(Clone, Debug)]
pub struct Fault {
    pub path: &'static str,
    pub times: u32,
    pub kind: FaultKind,
}

/// One way of failing.
#[derive(Clone, Debug)]
pub enum FaultKind {
    /// Answers so, and does not ask the fake.
    Status {
        code: u16,
        headers: Vec<(&'static str, String)>,
        body: String,
    },
    /// The fake's true answer, of which `keep` bytes arrive, under a `Content-Length` of all.
    CutBody { keep: usize },
    /// `200` without a body.
    EmptyOk,
    /// `200` with a login page.
    Html,
    /// `200` with bytes that are neither text nor JSON.
    Garbage,
    /// The connection is reset in the middle of the true answer's body.
    Reset,
    /// The request is taken and never answered.
    Stall,
    /// The true answer, one byte a second.
    Drip,
    /// `200` and a body that does not end.
    Huge,
    /// `200` and 128 MiB of blanks, packed to a thousandth of that.
    GzipBomb,
    /// The fake does the work, and its answer does not arrive.
    LostAnswer,
}

impl FaultKind {
    /// A trouble of the conformance suite, as most services have it.
    pub fn of(trouble: Trouble) -> Self {
        match trouble {
            Trouble::Away => Self::status(500),
            Trouble::Refused => Self::status(401),
            Trouble::Forbidden => Self::status(403),
            Trouble::Missing => Self::status(404),
            Trouble::Payment => Self::status(402),
            Trouble::TooMany => Self::status_with(429, "retry-after", 3600),
            Trouble::Cut => Self::CutBody { keep: 20 },
            Trouble::Empty => Self::EmptyOk,
            Trouble::Garbage => Self::Garbage,
            Trouble::Html => Self::Html,
            Trouble::Stalled => Self::Stall,
            Trouble::Lost => Self::LostAnswer,
        }
    }

    /// A status with an empty JSON object.
    pub fn status(code: u16) -> Self {
        Self::Status {
            code,
            headers: Vec::new(),
            body: "{}".to_owned(),
        }
    }

    /// The same with one header.
    pub fn status_with(code: u16, name: &'static str, value: impl ToString) -> Self {
        Self::Status {
            code,
            headers: vec![(name, value.to_string())],
            body: "{}".to_owned(),
        }
    }
}

/// One request as it came in.
#[derive(Clone, Debug)]
pub struct Logged {
    pub method: String,
    /// As sent, without the query.
    pub path: String,
    /// Decoded, in the order sent.
    pub query: Vec<(String, String)>,
    /// Names in lower case.
    pub headers: Vec<(String, String)>,
    pub body: Vec<u8>,
    /// When it came, where the server has a clock.
    pub at: Option<DateTime<Utc>>,
    /// The fault that it met.
    pub fault: Option<FaultKind>,
}

impl Logged {
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers
            .iter()
            .find(|(key, _)| key == name)
            .map(|(_, value)| value.as_str())
    }

    pub fn query(&self, name: &str) -> Option<&str> {
        self.query
            .iter()
            .find(|(key, _)| key == name)
            .map(|(_, value)| value.as_str())
    }
}

#[derive(Debug)]
struct State {
    router: Router,
    faults: Mutex<Vec<Armed>>,
    log: Mutex<Vec<Logged>>,
    clock: Mutex<Option<ManualClock>>,
    alarm: Mutex<Option<(u32, Arc<Notify>)>>,
}

#[derive(Debug)]
struct Armed {
    fault: Fault,
    skip: u32,
}

impl Server {
    /// Starts the fake on a free port.
    pub async fn start(router: Router) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
        let address = listener
            .local_addr()
            .expect("a bound socket has an address");
        let state = Arc::new(State {
            router,
            faults: Mutex::default(),
            log: Mutex::default(),
            clock: Mutex::default(),
            alarm: Mutex::default(),
        });
        let task = tokio::spawn(accept(listener, Arc::clone(&state)));
        Self {
            base: format!("http://{address}"),
            state,
            task,
        }
    }

    /// Scheme, host and port, without a slash at the end.
    pub fn base(&self) -> &str {
        &self.base
    }

    /// Arms a fault. Of several that fit a request, the one armed first acts.
    pub fn fail(&self, fault: Fault) {
        self.fail_after(0, fault);
    }

    /// Arms a fault that lets the first `skip` fitting requests pass.
    pub fn fail_after(&self, skip: u32, fault: Fault) {
        self.state
            .faults
            .lock()
            .unwrap()
            .push(Armed { fault, skip });
    }

    /// Disarms all faults.
    pub fn heal(&self) {
        self.state.faults.lock().unwrap().clear();
    }

    /// Gives the log of requests a clock.
    pub fn keep_time(&self, clock: ManualClock) {
        *self.state.clock.lock().unwrap() = Some(clock);
    }

    /// Wakes whoever waits for the result when request number `nth` from now arrives, the next
    /// one being number 0. Another call takes the place of this one.
    pub fn alarm(&self, nth: u32) -> Arc<Notify> {
        let notify = Arc::new(Notify::new());
        *self.state.alarm.lock().unwrap() = Some((nth, Arc::clone(&notify)));
        notify
    }

    /// Every request so far, in order of arrival.
    pub fn requests(&self) -> Vec<Logged> {
        self.state.log.lock().unwrap().clone()
    }

    /// Empties the log of requests.
    pub fn forget_requests(&self) {
        self.state.log.lock().unwrap().clear();
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.task.abort();
    }
}

impl State {
    /// Notes a request, and the fault that it meets.
    fn note(&self, request: &Logged) -> Option<FaultKind> {
        let fault = self.fault_for(&request.path);
        let clock = self.clock.lock().unwrap();
        self.log.lock().unwrap().push(Logged {
            at: clock.as_ref().map(ManualClock::now),
            fault: fault.clone(),
            ..request.clone()
        });
        let mut alarm = self.alarm.lock().unwrap();
        match alarm.take() {
            Some((0, notify)) => notify.notify_one(),
            Some((left, notify)) => *alarm = Some((left - 1, notify)),
            None => {}
        }
        fault
    }

    fn fault_for(&self, path: &str) -> Option<FaultKind> {
        let mut faults = self.faults.lock().unwrap();
        let armed = faults
            .iter_mut()
            .find(|armed| armed.fault.times > 0 && path.contains(armed.fault.path))?;
        if armed.skip > 0 {
            armed.skip -= 1;
            return None;
        }
        armed.fault.times -= 1;
        Some(armed.fault.kind.clone())
    }
}

async fn accept(listener: TcpListener, state: Arc<State>) {
    // The set ends its connections with this task, so nothing outlives the test.
    let mut connections = JoinSet::new();
    while let Ok((stream, _)) = listener.accept().await {
        connections.spawn(wire::serve(stream, Arc::clone(&state)));
        while connections.try_join_next().is_some() {}
    }
}

/// Bytes as text, two lower-case digits each.
pub fn hex(bytes: &[u8]) -> String {
    use std::fmt::Write as _;
    bytes.iter().fold(String::new(), |mut text, byte| {
        write!(text, "{byte:02x}").expect("a string takes it");
        text
    })
}
