//! What is remembered of a quota between requests, and between runs.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::Mutex;

use chrono::{DateTime, TimeDelta, Utc};

use crate::error::Result;
use crate::kind::Bucket;

/// The state of one quota of one connection.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct BudgetState {
    /// When the current window began: with its first request.
    pub window_start: Option<DateTime<Utc>>,
    /// Requests sent in it.
    pub used: u32,
    /// What the service itself last said to be left, and until when that holds.
    pub told: Option<(i64, DateTime<Utc>)>,
    /// No request before this instant.
    pub parked_until: Option<DateTime<Utc>>,
}

impl BudgetState {
    /// The requests that may be sent now, without waiting and without touching the reserve.
    pub fn left(&self, bucket: &Bucket, now: DateTime<Utc>) -> u32 {
        if self.parked_until.is_some_and(|until| until > now) {
            return 0;
        }
        let length = TimeDelta::from_std(bucket.per).unwrap_or(TimeDelta::MAX);
        let begun = self.window_start.is_some_and(|start| now - start < length);
        let used = if begun { self.used } else { 0 };
        let ours = bucket.requests.saturating_sub(bucket.reserve);
        let told = self.told.filter(|(_, until)| *until > now);
        let told = told.map_or(u32::MAX, |(left, _)| {
            u32::try_from(left - i64::from(bucket.reserve)).unwrap_or(0)
        });
        ours.saturating_sub(used).min(told)
    }
}

/// Keeps quotas over restarts: a program that is started again must not spend an hour's quota
/// twice.
pub trait BudgetStore: Send + Sync + fmt::Debug {
    /// The state last saved under this name; the default where there is none.
    fn load(&self, connection: &str, bucket: &str) -> Result<BudgetState>;

    /// Saves before the request is sent, so that a crash counts one too many, not one too few.
    fn save(&self, connection: &str, bucket: &str, state: &BudgetState) -> Result<()>;
}

/// Quotas for a process that will not be started again: tests, and `check` without a ledger.
#[derive(Debug, Default)]
pub struct MemoryBudgets {
    states: Mutex<BTreeMap<(String, String), BudgetState>>,
}

impl BudgetStore for MemoryBudgets {
    fn load(&self, connection: &str, bucket: &str) -> Result<BudgetState> {
        let states = self.states.lock().expect("no panic while budgets are held");
        Ok(states
            .get(&(connection.to_owned(), bucket.to_owned()))
            .cloned()
            .unwrap_or_default())
    }

    fn save(&self, connection: &str, bucket: &str, state: &BudgetState) -> Result<()> {
        let mut states = self.states.lock().expect("no panic while budgets are held");
        states.insert((connection.to_owned(), bucket.to_owned()), state.clone());
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    const HOURLY: Bucket = Bucket {
        name: "user",
        requests: 30,
        per: Duration::from_hours(1),
        reserve: 10,
        spacing: Duration::ZERO,
    };

    #[test]
    fn what_is_left_leaves_the_reserve_alone() {
        let now: DateTime<Utc> = "2026-11-03T02:15:00Z".parse().unwrap();
        let minutes = TimeDelta::minutes;
        let fresh = BudgetState::default();
        assert_eq!(fresh.left(&HOURLY, now), 20);
        let begun = BudgetState {
            window_start: Some(now - minutes(5)),
            used: 3,
            ..BudgetState::default()
        };
        assert_eq!(begun.left(&HOURLY, now), 17);
        assert_eq!(begun.left(&HOURLY, now + minutes(55)), 20);
        let told = BudgetState {
            told: Some((12, now + minutes(1))),
            ..begun.clone()
        };
        assert_eq!(told.left(&HOURLY, now), 2);
        let little = BudgetState {
            told: Some((4, now + minutes(1))),
            ..begun.clone()
        };
        assert_eq!(little.left(&HOURLY, now), 0);
        let parked = BudgetState {
            parked_until: Some(now + minutes(1)),
            ..begun
        };
        assert_eq!(parked.left(&HOURLY, now), 0);
    }
}
