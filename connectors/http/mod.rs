//! The only user of HTTP: budget, retry, limits, redirects, redaction.
//!
//! A connector builds a [`Request`] and gets a [`Reply`] that its own `classify` function called
//! good. Everything between is decided here, once, for all services.

mod access;
mod base;
mod classify;
mod gate;
mod message;
mod multipart;
mod redact;
mod redirect;
mod retry;
mod transport;

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use chrono::{DateTime, TimeDelta, Utc};

use self::gate::{Gate, Turn};
use self::redirect::Trail;
use self::retry::Delays;
use self::transport::{Transport, Whom};
use crate::clock::Clock;
use crate::contract::Platform;
use crate::error::{Error, Result, Retry};
use crate::kind::Bucket;
use crate::planted::{Bug, planted};
use crate::secret::Secret;

pub use self::access::Access;
pub use self::base::segment;
pub use self::classify::{classify_standard, retry_after};
pub use self::message::{Body, FormValue, Method, Repeat, Reply, Request};
pub use self::multipart::Part;

/// How a connection talks to its service.
#[derive(Clone, Debug)]
pub struct Options {
    /// The connection's name: keys the budgets and stands in errors.
    pub connection: String,
    /// Scheme, host, port and path prefix, without a slash at the end. Plain `http` is refused
    /// except to loopback.
    pub base: String,
    /// Sent with every request to the base's origin, and never anywhere else.
    pub headers: Vec<(&'static str, Secret)>,
    /// What the headers were made of (a token before it was encoded). Never sent; these, and the
    /// headers' values, are replaced by `…` wherever the service repeats them.
    pub secrets: Vec<Secret>,
    /// Where the `authorization` header comes from, for a credential that is renewed. An answer
    /// 401 renews it once.
    pub access: Option<Arc<dyn Access>>,
    pub buckets: &'static [Bucket],
    /// For one exchange, from connecting to the last byte.
    pub timeout: Duration,
    /// The longest body taken, unpacked, in bytes.
    pub body_max: usize,
    /// The longest wait within a call, for quota and repetitions together; where it does not
    /// suffice, the call ends with `Retry::Later`.
    pub wait_max: Duration,
    pub attempts_max: u32,
    /// The connector's reading of an answer.
    pub classify: fn(&Reply, DateTime<Utc>) -> Verdict,
    /// Where the service tells what is left of its quota: how to read it.
    pub quota: Option<ReadQuota>,
}

impl Options {
    /// The usual limits, which a connector changes where its service differs.
    pub fn new(
        connection: impl Into<String>,
        base: impl Into<String>,
        buckets: &'static [Bucket],
    ) -> Self {
        Self {
            connection: connection.into(),
            base: base.into(),
            headers: Vec::new(),
            secrets: Vec::new(),
            access: None,
            buckets,
            timeout: Duration::from_secs(30),
            body_max: 32 << 20,
            wait_max: Duration::from_mins(2),
            attempts_max: 4,
            classify: classify_standard,
            quota: None,
        }
    }
}

/// Reads from an answer what the service says of its quota, where it does.
pub type ReadQuota = fn(&Reply, DateTime<Utc>) -> Option<Quota>;

/// What a service says of its quota.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Quota {
    /// Requests left.
    pub remaining: i64,
    /// When there will be more.
    pub resets_at: DateTime<Utc>,
}

/// What an answer means.
#[derive(Debug)]
pub enum Verdict {
    /// Hand it to the caller.
    Good,
    /// A passing trouble: try again, not before `after` where the service named an instant.
    Retry {
        after: Option<DateTime<Utc>>,
        error: Error,
    },
    /// The bucket is used up: no request from it before `until`, in this run or the next.
    Park { until: DateTime<Utc>, error: Error },
    /// Trying again changes nothing.
    Fail(Error),
}

/// A connection's way to its service. Cheap to clone; clones share the budget and the count.
#[derive(Clone, Debug)]
pub struct Http {
    inner: Arc<Inner>,
}

#[derive(Debug)]
struct Inner {
    options: Options,
    transport: Transport,
    gate: Gate,
    clock: Arc<dyn Clock>,
    sent: AtomicU64,
}

/// How an attempt ended without an answer.
enum Failure {
    /// Another attempt may end better. `sent`: the service may have acted on this one.
    Passing {
        error: Error,
        sent: bool,
    },
    Final(Error),
}

impl Http {
    /// Refuses a base that is not `https` or loopback.
    pub fn new(options: Options, platform: &Platform) -> Result<Self> {
        let inner = Inner {
            transport: Transport::new(&options)?,
            gate: Gate::new(&options, platform),
            clock: Arc::clone(&platform.clock),
            sent: AtomicU64::new(0),
            options,
        };
        Ok(Self {
            inner: Arc::new(inner),
        })
    }

    /// Sends, waits, tries again and returns an answer that `classify` called good.
    pub async fn send(&self, request: Request) -> Result<Reply> {
        let inner = &*self.inner;
        inner.call(&request).await.map_err(|error| {
            let error = error.with("connection", &inner.options.connection).with(
                "request",
                format_args!("{} {}", request.method.as_str(), request.path),
            );
            inner.transport.redact(error)
        })
    }

    /// The requests sent so far, repetitions and redirections included.
    pub fn requests(&self) -> u64 {
        self.inner.sent.load(Ordering::Relaxed)
    }
}

impl Inner {
    async fn call(&self, request: &Request) -> Result<Reply> {
        let mut turn = self.gate.turn(request.bucket).await?;
        let mut delays = Delays::new();
        let mut attempt = 1;
        let mut login = Login::new(&self.options);
        loop {
            let header = login.header().await?;
            let (after, error) = match self.attempt(request, header.as_ref(), &mut turn).await {
                Err(Failure::Final(error)) => return Err(error),
                Err(Failure::Passing { error, sent }) if sent && once(request) => {
                    return Err(error.retry(Retry::Unknown));
                }
                Err(Failure::Passing { error, .. }) => (None, error),
                Ok(reply) if login.renew(&reply, header) => continue,
                Ok(reply) => match (self.options.classify)(&reply, self.clock.now()) {
                    Verdict::Good => return Ok(reply),
                    Verdict::Fail(error) => return Err(error),
                    Verdict::Park { until, error } => {
                        turn.park(until)?;
                        return Err(error.retry(Retry::Later { after: Some(until) }));
                    }
                    Verdict::Retry { error, .. } if planted(Bug::RetryAfterIgnored) => {
                        (None, error)
                    }
                    // Only "too many requests" proves that nothing was done.
                    Verdict::Retry { error, .. } if once(request) && reply.status != 429 => {
                        return Err(error.retry(Retry::Unknown));
                    }
                    Verdict::Retry { after, error } => (after, error),
                },
            };
            if let Some(after) = after {
                // Whoever asks next, and be it another process, waits as well.
                turn.park(after)?;
            }
            let asked = after.map_or(TimeDelta::zero(), |after| after - self.clock.now());
            let wait = delays.next().max(asked.to_std().unwrap_or_default());
            if attempt >= self.options.attempts_max || !turn.wait(wait).await {
                return Err(error
                    .retry(Retry::Later { after })
                    .with("attempts", attempt));
            }
            attempt += 1;
        }
    }

    /// One attempt, with its redirections.
    async fn attempt(
        &self,
        request: &Request,
        authorization: Option<&Secret>,
        turn: &mut Turn<'_>,
    ) -> Result<Reply, Failure> {
        let mut trail = Trail::begin(request, self.transport.address(request)?);
        let limit = self.clock.patience(self.options.timeout);
        if let Some(secret) = authorization {
            self.transport.learn(secret);
        }
        loop {
            turn.admit().await?;
            self.sent.fetch_add(1, Ordering::Relaxed);
            let whom = if trail.at_home() {
                Whom::Service(authorization)
            } else {
                Whom::Stranger
            };
            let reply = self
                .transport
                .exchange(request, trail.url(), whom, limit)
                .await?;
            tracing::debug!(
                connection = self.options.connection,
                method = request.method.as_str(),
                path = self.transport.hide(&request.path),
                status = reply.status,
                bytes = reply.body.len(),
                "request"
            );
            if let Some(read) = self.options.quota.filter(|_| trail.at_home())
                && let Some(quota) = read(&reply, self.clock.now())
            {
                turn.told(quota)?;
            }
            if !trail.follow(&reply)? {
                return Ok(self.transport.clean(reply));
            }
        }
    }
}

fn once(request: &Request) -> bool {
    request.repeat == Repeat::Never
}

/// The renewed credential of one call, where the connection has one.
struct Login<'a> {
    access: Option<&'a dyn Access>,
    refused: Option<Secret>,
}

impl<'a> Login<'a> {
    fn new(options: &'a Options) -> Self {
        Self {
            access: options.access.as_deref(),
            refused: None,
        }
    }

    async fn header(&self) -> Result<Option<Secret>> {
        match self.access {
            None => Ok(None),
            Some(access) => access.header(self.refused.as_ref()).await.map(Some),
        }
    }

    /// Whether this answer asks for another credential, and none was made for this call yet.
    fn renew(&mut self, reply: &Reply, header: Option<Secret>) -> bool {
        let renew = reply.status == 401 && self.refused.is_none() && header.is_some();
        if renew {
            self.refused = header;
        }
        renew
    }
}
