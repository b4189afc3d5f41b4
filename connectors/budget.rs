//! What is remembered of a quota between requests, and between runs.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::Mutex;

use chrono::{DateTime, Utc};

use crate::error::Result;

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
