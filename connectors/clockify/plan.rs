//! Which steps a pull takes.
//!
//! Clockify lists no changes, only entries by their start. So each night looks at everything that
//! started lately, which is one request for most people, and a comparison looks further back.

use std::collections::VecDeque;

use chrono::{DateTime, NaiveDate, TimeDelta, Utc};

use super::state::{Listing, State, Step};
use crate::contract::Pull;
use crate::window::{Span, compared_from, history_start, missing, parts};

/// What started within so many days is looked at each night: a quarter, since a bill for it may
/// still be open. It fits into one page where fewer than a thousand entries did.
pub(super) const LATELY: TimeDelta = TimeDelta::days(92);

/// So much is asked for at once, so that what is remembered of a listing stays small.
const AT_ONCE: TimeDelta = TimeDelta::days(184);

/// What the plan depends on besides the state.
#[derive(Clone, Debug, Default)]
pub(super) struct Wishes {
    /// How far back the first pull goes.
    pub(super) history_from: Option<NaiveDate>,
    /// The workspaces wanted, by id or name; empty for all.
    pub(super) workspaces: Vec<String>,
    /// Other people's entries too.
    pub(super) team: bool,
}

/// Begins a pull, or fits one that was interrupted to what is wanted now.
pub(super) fn begin(state: &mut State, mode: &Pull, wishes: &Wishes, now: DateTime<Utc>) {
    if state.todo.is_empty() {
        state.todo = new_pull(state, mode, wishes, now);
        state.compare = compared_from(mode);
    } else if let Some((wanted, until)) = missing(state.compare, mode) {
        let from = reach(state, wanted, wishes, now);
        state.todo.push_back(Step::Span { from, until });
        state.compare = Some(wanted);
    }
}

fn new_pull(state: &mut State, mode: &Pull, wishes: &Wishes, now: DateTime<Utc>) -> VecDeque<Step> {
    let first = state.me.is_none();
    let mut steps = VecDeque::new();
    if first || *mode != Pull::Changes {
        steps.push_back(Step::Account);
    }
    let lately = if first {
        history_start(wishes.history_from, now)
    } else {
        lately(state, now)
    };
    if first {
        state.earliest = Some(lately);
    }
    let (from, until) = match mode {
        Pull::Changes => (lately, None),
        Pull::Compare { from, until: None } => (reach(state, *from, wishes, now).min(lately), None),
        // One month of long ago; of a first pull, it is a part.
        Pull::Compare { .. } if first => (lately, None),
        Pull::Compare { from, until } => (reach(state, *from, wishes, now), *until),
    };
    if until.is_none_or(|until| from < until) {
        steps.push_back(Step::Span { from, until });
    }
    steps
}

/// A comparison goes no further back than anything was ever looked for.
fn reach(state: &State, from: DateTime<Utc>, wishes: &Wishes, now: DateTime<Utc>) -> DateTime<Utc> {
    let earliest = state.earliest;
    from.max(earliest.unwrap_or_else(|| history_start(wishes.history_from, now)))
}

/// How far back a night looks: to all timers that ran, and after a silence of months to what was
/// recent when it began.
fn lately(state: &State, now: DateTime<Utc>) -> DateTime<Utc> {
    let running = state.running.values().copied();
    let silence = state.asked.map(|asked| asked - TimeDelta::days(31));
    running.chain(silence).fold(now - LATELY, DateTime::min)
}

/// The listings that a span becomes: of every person who is read, the newest first.
pub(super) fn listings(state: &mut State, span: Span, now: DateTime<Utc>) -> Vec<Step> {
    if span.1.is_none() {
        state.asked = Some(now);
    }
    let mut steps = Vec::new();
    for part in parts(span, AT_ONCE, now) {
        for (workspace, known) in &state.workspaces {
            let me = state.me.iter();
            let mut people: Vec<&str> = Vec::new();
            for person in me.chain(&known.people) {
                if !people.contains(&person.id.as_str()) {
                    people.push(&person.id);
                }
            }
            let listing = |user| Step::Listing(Listing::new(workspace, user, part));
            steps.extend(people.into_iter().map(listing));
        }
    }
    steps
}

/// Whether a workspace goes by that id or name.
pub(super) fn is_called(wish: &str, id: &str, name: &str) -> bool {
    let wish = wish.trim();
    wish == id || wish.to_lowercase() == name.trim().to_lowercase()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(text: &str) -> DateTime<Utc> {
        text.parse().unwrap()
    }

    fn known(now: DateTime<Utc>) -> State {
        State {
            me: Some(super::super::state::Person::default()),
            earliest: Some(now - TimeDelta::days(400)),
            asked: Some(now - TimeDelta::days(1)),
            ..State::default()
        }
    }

    #[test]
    fn a_night_reaches_back_to_running_timers_and_over_a_silence() {
        let now = at("2026-11-16T01:00:00Z");
        let mut state = known(now);
        assert_eq!(lately(&state, now), now - LATELY);
        state.asked = Some(now - TimeDelta::days(100));
        assert_eq!(lately(&state, now), now - TimeDelta::days(131));
        let forgotten = now - TimeDelta::days(300);
        state.running.insert("w/u".to_owned(), forgotten);
        assert_eq!(lately(&state, now), forgotten);
    }

    #[test]
    fn a_comparison_goes_no_further_back_than_anything_was_looked_for() {
        let now = at("2026-11-16T01:00:00Z");
        let wishes = Wishes::default();
        let mut state = known(now);
        let since = |days| Pull::Compare {
            from: now - TimeDelta::days(days),
            until: None,
        };
        begin(&mut state, &since(62), &wishes, now);
        begin(&mut state, &since(9_999), &wishes, now);
        let wider = Step::Span {
            from: now - TimeDelta::days(400),
            until: Some(now - TimeDelta::days(62)),
        };
        assert_eq!(state.todo.back(), Some(&wider));
    }

    #[test]
    fn one_month_of_long_ago_is_compared_alone() {
        let now = at("2026-11-16T01:00:00Z");
        let (from, until) = (at("2026-03-31T22:00:00Z"), at("2026-04-30T22:00:00Z"));
        let mode = Pull::Compare {
            from,
            until: Some(until),
        };
        let mut state = known(now);
        begin(&mut state, &mode, &Wishes::default(), now);
        let span = Step::Span {
            from,
            until: Some(until),
        };
        assert_eq!(state.todo, [Step::Account, span]);
        assert_eq!(state.compare, None, "the last weeks were not compared");
    }
}
