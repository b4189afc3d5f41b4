//! Durations that cannot be, or that nobody meant.

use chrono::{DateTime, Utc};

use super::words::{About, hours};
use crate::billing::{entry_day, negative, over_one_day};
use crate::config::Checks;
use crate::finding::{Finding, Kind, Severity};
use crate::matching::person_name;

const DAY: i64 = 86_400;

/// What is wrong with the length of a finished entry.
pub(super) fn length(about: &About<'_>, checks: &Checks) -> Option<Finding> {
    let seconds = about.work.entry.worked.seconds()?;
    if seconds < 0 {
        return Some(negative(about, seconds));
    }
    if seconds > DAY {
        return Some(over_one_day(about, seconds));
    }
    if seconds == 0 {
        return Some(about.finding(
            Kind::ZeroDuration,
            Severity::Note,
            format!("{} has no duration.", about.entry()),
            format!("Correct it in {}, or delete it there.", about.source()),
        ));
    }
    (seconds > checks.long_entry_seconds).then(|| {
        about.finding(
            Kind::LongEntry,
            Severity::Check,
            format!(
                "{} has {}, more than {}.",
                about.entry(),
                hours(seconds),
                hours(checks.long_entry_seconds)
            ),
            format!(
                "If a timer was forgotten, correct its end in {}; else leave it.",
                about.source()
            ),
        )
    })
}

/// A timer that nobody stopped.
pub(super) fn timer(
    about: &About<'_>,
    start: DateTime<Utc>,
    now: DateTime<Utc>,
    checks: &Checks,
) -> Option<Finding> {
    let running = now.timestamp() - start.timestamp();
    (running > checks.long_timer_seconds).then(|| {
        let who = person_name(&about.work.entry, about.people)
            .map_or_else(String::new, |who| format!(" of {who}"));
        about.finding(
            Kind::LongTimer,
            Severity::Act,
            format!(
                "A timer{who} has been running {} on {}, for {} by now.",
                about.part(),
                entry_day(&about.work.entry, about.zone),
                hours(running / 60 * 60)
            ),
            format!(
                "Stop it in {} and correct its end; nothing of it is billed while it runs.",
                about.source()
            ),
        )
    })
}
