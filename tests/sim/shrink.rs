//! A failing history becomes the smallest that still fails: steps are left out as long as the
//! same promise is broken without them.

use tokio::runtime::Handle;

use super::checker::Violation;
use super::plan::{History, Step};
use super::tally::Tally;
use super::trial::trial;

/// So many shorter histories are tried at most.
const TRIES: u32 = 100;

/// A history that fails, and how.
#[derive(Debug)]
pub(crate) struct Failing {
    pub(crate) history: History,
    pub(crate) violation: Violation,
    /// Steps of the history that the seed gave.
    pub(crate) steps: usize,
}

/// Leaves out halves, then quarters, and in the end single steps.
pub(crate) fn shrink(history: &History, violation: Violation, fakes: &Handle) -> Failing {
    let mut least = Failing {
        history: history.clone(),
        violation,
        steps: history.steps.len(),
    };
    let mut left = TRIES;
    let mut size = least.history.steps.len().div_ceil(2);
    while size > 0 && left > 0 {
        let mut from = 0;
        let mut shorter = false;
        while from < least.history.steps.len() && left > 0 {
            left -= 1;
            let mut candidate = least.history.clone();
            let until = (from + size).min(candidate.steps.len());
            candidate.steps.drain(from..until);
            match trial(&candidate, fakes, &mut Tally::default()) {
                Err(found) if found.promise == least.violation.promise => {
                    (least.history, least.violation) = (candidate, found);
                    shorter = true;
                }
                _ => from += size,
            }
        }
        if size == 1 && !shorter {
            break;
        }
        size = if size == 1 { 1 } else { size.div_ceil(2) };
    }
    least
}

impl std::fmt::Display for Failing {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let (history, violation) = (&self.history, &self.violation);
        let seed = history.seed;
        writeln!(f, "{} is broken: {}", violation.promise, violation.text)?;
        writeln!(
            f,
            "seed {seed}; run it alone with STUNDENBUCH_SIM_SEED={seed}"
        )?;
        writeln!(f, "{:#?}", history.setup)?;
        let all = self.steps;
        writeln!(
            f,
            "The smallest history found, {} of {all} steps:",
            history.steps.len()
        )?;
        for (nth, step) in (1..).zip(&history.steps) {
            let mark = match step {
                Step::Night { .. } => "─",
                step if step.is_trouble() => "!",
                _ => " ",
            };
            writeln!(f, "{nth:>4} {mark} {step:?}")?;
        }
        writeln!(f, "and then quiet nights in which nothing goes wrong.")
    }
}
