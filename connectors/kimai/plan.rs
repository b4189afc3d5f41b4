//! Which steps a pull takes.
//!
//! Kimai tells what was changed, and nothing of what was deleted. So each night asks for the
//! changes and looks at everything that started lately; a comparison looks further back.

use std::collections::VecDeque;

use chrono::{DateTime, NaiveDate, TimeDelta, Utc};

use super::state::{Changes, State, Step};
use crate::contract::Pull;
use crate::window::{compared_from, history_start, missing};

/// What started within so many days is looked at each night: the open month, and some of the one
/// before it. It fits into one page where fewer than five hundred entries did.
const LATELY: TimeDelta = TimeDelta::days(35);

/// So much is asked for at once, so that what is remembered of a listing stays small.
pub(super) const AT_ONCE: TimeDelta = TimeDelta::days(92);

/// The changes are asked for again from so much earlier: the clock of the answer is that of
/// whatever server stands in front, and need not be the one that dates the changes.
const OVERLAP: TimeDelta = TimeDelta::hours(24);

/// What the plan depends on besides the state.
#[derive(Clone, Debug, Default)]
pub(super) struct Wishes {
    /// How far back the first pull goes.
    pub(super) history_from: Option<NaiveDate>,
    /// Other people's entries too.
    pub(super) team: bool,
}

/// Begins a pull, or fits one that was interrupted to what is wanted now.
pub(super) fn begin(state: &mut State, mode: &Pull, wishes: &Wishes, now: DateTime<Utc>) {
    if state.todo.is_empty() {
        state.todo = new_pull(state, mode, wishes, now);
        state.compare = compared_from(mode);
    } else if let Some((wanted, until)) = missing(state.compare, mode) {
        let from = reach(state, wanted, now);
        state.todo.push_back(Step::Span { from, until });
        state.compare = Some(wanted);
    }
}

fn new_pull(state: &mut State, mode: &Pull, wishes: &Wishes, now: DateTime<Utc>) -> VecDeque<Step> {
    let first = state.me.is_none();
    if first {
        state.earliest = Some(history_start(wishes.history_from, now));
    }
    let mut steps = VecDeque::new();
    if first || *mode != Pull::Changes {
        steps.extend([Step::Account, Step::Projects]);
        if wishes.team {
            steps.push_back(Step::People);
        }
    }
    // A first pull lists everything, and its changes begin with its first answer.
    if let Some(watermark) = state.watermark.filter(|_| !first) {
        steps.push_back(Step::Changes(Changes {
            since: watermark - OVERLAP,
            page: 1,
            answered: None,
        }));
    }
    let lately = match state.earliest {
        Some(earliest) if first => earliest,
        _ => state.running.unwrap_or(now).min(now - LATELY),
    };
    let (from, until) = match mode {
        Pull::Compare { from, until: None } => (reach(state, *from, now).min(lately), None),
        // One month of long ago; of a first pull, it is a part.
        Pull::Compare { from, until } if !first => (reach(state, *from, now), *until),
        Pull::Changes | Pull::Compare { .. } => (lately, None),
    };
    if until.is_none_or(|until| from < until) {
        steps.push_back(Step::Span { from, until });
    }
    steps
}

/// A comparison goes no further back than anything was ever looked for.
fn reach(state: &State, from: DateTime<Utc>, now: DateTime<Utc>) -> DateTime<Utc> {
    from.max(state.earliest.unwrap_or(now))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(text: &str) -> DateTime<Utc> {
        text.parse().unwrap()
    }

    fn known(now: DateTime<Utc>) -> State {
        State {
            me: Some(1),
            earliest: Some(now - TimeDelta::days(400)),
            watermark: Some(now - TimeDelta::days(1)),
            ..State::default()
        }
    }

    #[test]
    fn a_night_asks_for_changes_and_looks_at_what_is_recent() {
        let now = at("2026-11-16T01:00:00Z");
        let mut state = known(now);
        let wishes = Wishes::default();
        let steps = new_pull(&mut state, &Pull::Changes, &wishes, now);
        let changes = Step::Changes(Changes {
            since: now - TimeDelta::days(2),
            page: 1,
            answered: None,
        });
        let span = |from| Step::Span { from, until: None };
        assert_eq!(steps, [changes.clone(), span(now - LATELY)]);
        // A timer that was forgotten is reached, however long ago it was started.
        let forgotten = now - TimeDelta::days(300);
        state.running = Some(forgotten);
        let steps = new_pull(&mut state, &Pull::Changes, &wishes, now);
        assert_eq!(steps, [changes, span(forgotten)]);
    }

    #[test]
    fn one_month_of_long_ago_is_compared_alone() {
        let now = at("2026-11-16T01:00:00Z");
        let (from, until) = (at("2026-03-31T22:00:00Z"), at("2026-04-30T22:00:00Z"));
        let until = Some(until);
        let mut state = known(now);
        let mode = Pull::Compare { from, until };
        begin(&mut state, &mode, &Wishes::default(), now);
        assert_eq!(state.todo.back(), Some(&Step::Span { from, until }));
        assert_eq!(state.compare, None, "the last weeks were not compared");
    }
}
