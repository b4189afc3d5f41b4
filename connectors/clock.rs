//! The only place that asks for the time, and the only one that waits.

use std::fmt;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use async_trait::async_trait;
use chrono::{DateTime, TimeDelta, Utc};

/// Where the time comes from; handed in, so that tests can turn it.
#[async_trait]
pub trait Clock: Send + Sync + fmt::Debug {
    /// The instant, UTC.
    fn now(&self) -> DateTime<Utc>;

    /// Returns once `duration` has passed.
    async fn sleep(&self, duration: Duration);

    /// How long to really wait for a socket that may stay silent for `wanted`. The machine's
    /// clock gives all of it; one of tests may give less, because silence does not turn it.
    fn patience(&self, wanted: Duration) -> Duration {
        wanted
    }
}

/// The machine's clock.
#[derive(Clone, Copy, Debug, Default)]
pub struct SystemClock;

#[async_trait]
impl Clock for SystemClock {
    #[expect(clippy::disallowed_methods, reason = "this is the one place")]
    fn now(&self) -> DateTime<Utc> {
        Utc::now()
    }

    #[expect(clippy::disallowed_methods, reason = "this is the one place")]
    async fn sleep(&self, duration: Duration) {
        tokio::time::sleep(duration).await;
    }
}

/// A clock that stands until it is turned. Sleeping on it turns it, so a test that waits an hour
/// takes no time.
#[derive(Clone, Debug)]
pub struct ManualClock {
    now: Arc<Mutex<DateTime<Utc>>>,
    /// The most that is really waited for a socket.
    patience: Arc<Mutex<Duration>>,
}

impl ManualClock {
    pub fn at(now: DateTime<Utc>) -> Self {
        Self {
            now: Arc::new(Mutex::new(now)),
            patience: Arc::new(Mutex::new(Duration::MAX)),
        }
    }

    /// Lets nobody wait longer than this, in real time, for a socket that stays silent.
    pub fn lose_patience_after(&self, most: Duration) {
        *self.patience.lock().expect("no panic while it is held") = most;
    }

    /// Turns the clock to an instant, forwards or back.
    pub fn set(&self, now: DateTime<Utc>) {
        *self.now.lock().expect("no panic while the clock is held") = now;
    }

    /// Turns the clock forwards.
    pub fn advance(&self, by: Duration) {
        let mut now = self.now.lock().expect("no panic while the clock is held");
        *now += TimeDelta::from_std(by).expect("a test waits less than an age");
    }
}

#[async_trait]
impl Clock for ManualClock {
    fn now(&self) -> DateTime<Utc> {
        *self.now.lock().expect("no panic while the clock is held")
    }

    async fn sleep(&self, duration: Duration) {
        self.advance(duration);
        tokio::task::yield_now().await;
    }

    fn patience(&self, wanted: Duration) -> Duration {
        wanted.min(*self.patience.lock().expect("no panic while it is held"))
    }
}
