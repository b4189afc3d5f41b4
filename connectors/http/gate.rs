//! The gate before every request: quotas, parking and spacing, remembered over restarts.
//!
//! A window begins with its first request, as the services count. The state is saved before the
//! request goes out, so that a crash counts one request too many and never one too few. What a
//! service says of its own quota can only make us wait longer, not ask more often.

use std::sync::Arc;
use std::time::Duration;

use chrono::{DateTime, TimeDelta, Utc};
use tokio::sync::{Mutex, MutexGuard};

use super::{Options, Quota};
use crate::budget::{BudgetState, BudgetStore};
use crate::clock::Clock;
use crate::contract::Platform;
use crate::error::{Error, Kind, Result, Retry};
use crate::kind::Bucket;

/// The longest time for which a service can keep us away.
const PARK_MAX: TimeDelta = TimeDelta::days(1);

/// A stored instant further ahead than this cannot be one that we stored: the clock has been
/// turned back by years, or the file is damaged. It is ignored, for else the connection would
/// stand still with nobody knowing why. An hour more than [`PARK_MAX`] bears a small turn back.
const BELIEVED: TimeDelta = TimeDelta::hours(25);

/// The gates of one connection, one for each bucket.
#[derive(Debug)]
pub(super) struct Gate {
    connection: String,
    store: Arc<dyn BudgetStore>,
    clock: Arc<dyn Clock>,
    patience: Duration,
    lanes: Vec<Lane>,
}

#[derive(Debug)]
struct Lane {
    bucket: &'static Bucket,
    /// When the last request went out. Held by the call in progress: the requests of a bucket go
    /// one after another.
    last: Mutex<Option<DateTime<Utc>>>,
}

/// The right of one call to send, as soon as the gate opens.
pub(super) struct Turn<'a> {
    gate: &'a Gate,
    bucket: &'static Bucket,
    last: MutexGuard<'a, Option<DateTime<Utc>>>,
    /// What is left of the longest wait within a call.
    left: Duration,
}

impl Gate {
    pub(super) fn new(options: &Options, platform: &Platform) -> Self {
        let lane = |bucket| Lane {
            bucket,
            last: Mutex::new(None),
        };
        Self {
            connection: options.connection.clone(),
            store: Arc::clone(&platform.budgets),
            clock: Arc::clone(&platform.clock),
            patience: options.wait_max,
            lanes: options.buckets.iter().map(lane).collect(),
        }
    }

    /// Waits until no other call uses the bucket.
    pub(super) async fn turn(&self, bucket: &str) -> Result<Turn<'_>> {
        let Some(lane) = self.lanes.iter().find(|lane| lane.bucket.name == bucket) else {
            return Err(Error::new(
                Kind::Unsupported,
                "the connector uses a request budget that it does not declare",
            )
            .with("bucket", bucket));
        };
        Ok(Turn {
            gate: self,
            bucket: lane.bucket,
            last: lane.last.lock().await,
            left: self.patience,
        })
    }
}

impl Turn<'_> {
    /// Waits until a request may go out, and counts it.
    pub(super) async fn admit(&mut self) -> Result<()> {
        self.keep_distance().await?;
        let (now, mut state) = loop {
            let now = self.gate.clock.now();
            let stored = self.load()?;
            let state = settled(stored.clone(), self.bucket, now);
            let Some((opens, why)) = shut(&state, self.bucket).filter(|(at, _)| *at > now) else {
                break (now, state);
            };
            if state != stored {
                self.save(&state)?;
            }
            if !self.wait((opens - now).to_std().unwrap_or_default()).await {
                return Err(Error::new(Kind::RateLimited, why)
                    .with("bucket", self.bucket.name)
                    .with("until", opens.format("%Y-%m-%dT%H:%M:%SZ"))
                    .hint("nothing to do: the next pull after that instant goes on by itself")
                    .retry(Retry::Later { after: Some(opens) }));
            }
        };
        state.window_start.get_or_insert(now);
        state.used = state.used.saturating_add(1);
        if let Some((remaining, _)) = &mut state.told {
            *remaining -= 1;
        }
        self.save(&state)?;
        *self.last = Some(now);
        Ok(())
    }

    /// Waits between two attempts, unless that is longer than a call may wait.
    pub(super) async fn wait(&mut self, wait: Duration) -> bool {
        let Some(left) = self.left.checked_sub(wait) else {
            return false;
        };
        self.left = left;
        self.gate.clock.sleep(wait).await;
        true
    }

    /// Shuts the gate until an instant, for this process and the next.
    pub(super) fn park(&self, until: DateTime<Utc>) -> Result<()> {
        let now = self.gate.clock.now();
        let mut state = self.load()?;
        state.parked_until = Some(until.min(now + PARK_MAX));
        self.save(&state)
    }

    /// Remembers what the service says to be left.
    pub(super) fn told(&self, quota: Quota) -> Result<()> {
        let mut state = self.load()?;
        state.told = Some((quota.remaining, quota.resets_at));
        self.save(&state)
    }

    async fn keep_distance(&self) -> Result<()> {
        let now = self.gate.clock.now();
        let passed = match *self.last {
            // A clock that was turned back says nothing of the distance, so all of it is kept.
            Some(last) => (now - last).to_std().unwrap_or_default(),
            // Nor does a request that another process has counted: it may have been just now.
            None if settled(self.load()?, self.bucket, now).used > 0 => Duration::ZERO,
            None => return Ok(()),
        };
        if let Some(wait) = self
            .bucket
            .spacing
            .checked_sub(passed)
            .filter(|wait| !wait.is_zero())
        {
            self.gate.clock.sleep(wait).await;
        }
        Ok(())
    }

    fn load(&self) -> Result<BudgetState> {
        self.gate
            .store
            .load(&self.gate.connection, self.bucket.name)
    }

    fn save(&self, state: &BudgetState) -> Result<()> {
        self.gate
            .store
            .save(&self.gate.connection, self.bucket.name, state)
    }
}

/// The stored state as it counts now: without what has ended, and without what cannot be.
fn settled(mut state: BudgetState, bucket: &Bucket, now: DateTime<Utc>) -> BudgetState {
    let counts = |instant: DateTime<Utc>| instant > now && instant <= now + BELIEVED;
    state.parked_until = state.parked_until.filter(|until| counts(*until));
    state.told = state.told.filter(|(_, resets_at)| counts(*resets_at));
    // After a turn back, the window is as long as ever from now on, with all that was used.
    state.window_start = state.window_start.map(|start| start.min(now));
    if state
        .window_start
        .is_none_or(|start| now - start >= length(bucket))
    {
        state.window_start = None;
        state.used = 0;
    }
    state
}

/// When the gate opens and why it is shut, where it is.
fn shut(state: &BudgetState, bucket: &Bucket) -> Option<(DateTime<Utc>, &'static str)> {
    // A bucket that reserves everything is a mistake that must not look like a quota.
    let ours = bucket.requests.saturating_sub(bucket.reserve).max(1);
    let parked = state
        .parked_until
        .map(|until| (until, "the service asked us to wait"));
    let told = state
        .told
        .filter(|(remaining, _)| *remaining <= i64::from(bucket.reserve))
        .map(|(_, resets_at)| (resets_at, "the service's quota is used up"));
    let used = state
        .window_start
        .filter(|_| state.used >= ours)
        .map(|start| (start + length(bucket), "the request budget is used up"));
    [parked, told, used]
        .into_iter()
        .flatten()
        .max_by_key(|(opens, _)| *opens)
}

fn length(bucket: &Bucket) -> TimeDelta {
    TimeDelta::from_std(bucket.per).unwrap_or(PARK_MAX)
}
