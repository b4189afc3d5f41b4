//! How long to wait between attempts: the only file that knows the `backoff` crate.
//!
//! Nothing but the sequence of intervals is taken from it. The loop, the limits and the sleep
//! are ours, because they must honour `Retry-After`, the quota and a clock that tests can turn.

use std::time::Duration;

use backoff::backoff::Backoff as _;
use backoff::{ExponentialBackoff, ExponentialBackoffBuilder};

/// About 1, 2, 4, … seconds, at most a minute, each by up to a half longer or shorter so that
/// many clients do not come back at the same instant.
pub(super) struct Delays(ExponentialBackoff);

impl Delays {
    pub(super) const LONGEST: Duration = Duration::from_mins(1);

    pub(super) fn new() -> Self {
        let delays = ExponentialBackoffBuilder::new()
            .with_initial_interval(Duration::from_secs(1))
            .with_randomization_factor(0.5)
            .with_multiplier(2.0)
            .with_max_interval(Self::LONGEST)
            // The crate would measure elapsed time with a clock of its own.
            .with_max_elapsed_time(None)
            .build();
        Self(delays)
    }

    /// The wait before the next attempt.
    pub(super) fn next(&mut self) -> Duration {
        self.0.next_backoff().unwrap_or(Self::LONGEST)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn grows_from_a_second_to_a_minute_within_the_jitter() {
        let mut delays = Delays::new();
        let waits: Vec<Duration> = (0..20).map(|_| delays.next()).collect();
        for (index, wait) in waits.iter().enumerate() {
            let middle = Duration::from_secs(1 << index.min(6)).min(Delays::LONGEST);
            let nearly = |bound: Duration| bound.abs_diff(*wait) < Duration::from_millis(1);
            assert!(
                *wait >= middle / 2 || nearly(middle / 2),
                "{index}: {waits:?}"
            );
            assert!(
                *wait <= middle * 3 / 2 || nearly(middle * 3 / 2),
                "{index}: {waits:?}"
            );
        }
    }
}
