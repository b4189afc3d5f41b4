//! What a pull consists of: the steps of a night, and of a comparison.

use std::collections::VecDeque;

use chrono::{DateTime, Datelike, Days, Months, NaiveDate, TimeDelta, Utc};

use super::Asana;
use super::state::{Span, State, Step, Stories, Window};
use crate::contract::Pull;

/// A project of so many tasks is listed whole every night: it is the same one request, and shows
/// what moved and what is gone.
pub(super) const SMALL: usize = 100;

/// Steps that were laid out longer ago are laid out anew: since then other things have changed.
const PLAN_AGE: TimeDelta = TimeDelta::hours(1);

/// A first pull reads stories and time entries from the beginning of the month before.
pub(super) fn history_from(wish: Option<NaiveDate>, now: DateTime<Utc>) -> NaiveDate {
    wish.unwrap_or_else(|| month_before(now))
}

/// The first day of the month before: what is still being written, and what is being billed.
fn month_before(now: DateTime<Utc>) -> NaiveDate {
    let first = now.date_naive().with_day(1).unwrap_or_default();
    first.checked_sub_months(Months::new(1)).unwrap_or(first)
}

/// Whether something that was last done then is to be done again. A clock that was turned back
/// makes it time.
pub(super) fn is_due(last: Option<DateTime<Utc>>, now: DateTime<Utc>, every: TimeDelta) -> bool {
    last.is_none_or(|last| now - last >= every || now < last)
}

impl Asana {
    /// Lays out a new pull, unless an unfinished one still serves.
    pub(super) fn begin(&self, state: &mut State, mode: &Pull, now: DateTime<Utc>) {
        let compare = match mode {
            Pull::Changes => None,
            Pull::Compare { from, until } => Some(Span {
                from: *from,
                until: *until,
            }),
        };
        let age = state.planned.map(|planned| now - planned);
        let fresh = age.is_some_and(|age| age >= TimeDelta::zero() && age < PLAN_AGE);
        let serves = compare.is_none() || same_days(state.compare, compare);
        if !state.todo.is_empty() && fresh && serves {
            return;
        }
        let owed: Vec<Step> = state.todo.drain(..).filter(Step::is_owed).collect();
        state.planned = Some(now);
        state.compare = compare;
        state.todo = self.steps(state, now);
        // Stories that earlier pulls were refused come behind everything else.
        if !state.owed.is_empty() {
            state.todo.push_back(Step::Stories(Stories {
                tasks: state.owed.keys().cloned().collect(),
                sweep: true,
            }));
        }
        state.todo.extend(owed);
    }

    fn steps(&self, state: &State, now: DateTime<Utc>) -> VecDeque<Step> {
        let mut steps = VecDeque::new();
        let past = state.compare.is_some_and(|span| span.until.is_some());
        if is_due(state.catalogued, now, self.wishes.full_every) {
            steps.push_back(Step::Catalogue);
        } else if self.wishes.projects.is_empty() && !past {
            steps.push_back(Step::Projects);
        }
        // A month long past is compared for its time; tasks have no month.
        if !past {
            steps.push_back(Step::EachProject);
        }
        if self.wishes.time {
            steps.push_back(Step::EachWindow);
        }
        steps
    }

    /// What a step stands for; `None` for one that is a page by itself.
    pub(super) fn expand(
        &self,
        step: &Step,
        state: &mut State,
        now: DateTime<Utc>,
    ) -> Option<Vec<Step>> {
        match step {
            Step::EachProject => Some(self.each_project(state, now)),
            Step::EachWindow => Some(self.each_window(state, now)),
            _ => None,
        }
    }

    /// The days of which time entries are read now.
    fn each_window(&self, state: &mut State, now: DateTime<Utc>) -> Vec<Step> {
        let recent = month_before(now);
        let history = history_from(self.wishes.history_from, now);
        let (from, until, sweep) = match (state.time.from, state.compare) {
            (None, _) => (history, None, false),
            (Some(first), _) if history < first => (history, None, true),
            (Some(_), None) => (recent, None, true),
            (Some(first), Some(span)) => {
                let until = span.until.map(|until| until.date_naive());
                (span.from.date_naive().max(first), until, true)
            }
        };
        let spans = months(from, until, recent);
        // Where the plan had none, it is asked again once a week.
        let asked = state.workspaces.keys().filter(|workspace| {
            let off = state.time.off.get(*workspace).copied();
            off.is_none() || state.compare.is_some() || is_due(off, now, self.wishes.full_every)
        });
        let windows = asked.flat_map(|workspace| {
            spans.iter().map(|(from, until)| {
                Step::Window(Window {
                    workspace: workspace.clone(),
                    from: *from,
                    until: *until,
                    sweep,
                })
            })
        });
        windows.collect()
    }
}

/// Whether an unfinished comparison is the one that is asked for: it begins within the same day.
fn same_days(left: Option<Span>, right: Option<Span>) -> bool {
    match (left, right) {
        (Some(left), Some(right)) => {
            let near = |left: DateTime<Utc>, right: DateTime<Utc>| {
                (left - right).abs() < TimeDelta::days(1)
            };
            near(left.from, right.from)
                && match (left.until, right.until) {
                    (Some(left), Some(right)) => near(left, right),
                    (None, None) => true,
                    _ => false,
                }
        }
        _ => false,
    }
}

/// Cuts days into months: Asana fails over too long a time at once (tap-asana reads single days).
/// What is recent stays in one piece, which is one request where there is little.
fn months(
    from: NaiveDate,
    until: Option<NaiveDate>,
    recent: NaiveDate,
) -> Vec<(NaiveDate, Option<NaiveDate>)> {
    let mut spans = Vec::new();
    let mut start = from;
    while start < recent && until.is_none_or(|until| start <= until) {
        let first = start.with_day(1).unwrap_or(start);
        let Some(next) = first.checked_add_months(Months::new(1)) else {
            break;
        };
        let last = next.checked_sub_days(Days::new(1)).unwrap_or(next);
        spans.push((start, Some(until.map_or(last, |until| until.min(last)))));
        start = next;
    }
    if until.is_none_or(|until| start <= until) {
        spans.push((start, until));
    }
    spans
}

#[cfg(test)]
mod tests {
    use super::*;

    fn day(text: &str) -> NaiveDate {
        text.parse().unwrap()
    }

    #[test]
    fn history_is_cut_into_months_without_gap_or_overlap() {
        let spans = months(day("2026-07-20"), None, day("2026-10-01"));
        let text = format!("{spans:?}");
        assert_eq!(
            text,
            "[(2026-07-20, Some(2026-07-31)), (2026-08-01, Some(2026-08-31)), \
             (2026-09-01, Some(2026-09-30)), (2026-10-01, None)]"
        );
        let past = months(
            day("2026-02-28"),
            Some(day("2026-04-01")),
            day("2026-10-01"),
        );
        assert_eq!(past.len(), 3);
        assert_eq!(past[2], (day("2026-04-01"), Some(day("2026-04-01"))));
        assert_eq!(
            months(day("2026-10-01"), None, day("2026-10-01")),
            [(day("2026-10-01"), None)]
        );
    }

    #[test]
    fn the_month_before_january_is_december() {
        let now: DateTime<Utc> = "2027-01-31T03:00:00Z".parse().unwrap();
        assert_eq!(month_before(now), day("2026-12-01"));
    }

    #[test]
    fn a_clock_that_was_turned_back_makes_it_time() {
        let now: DateTime<Utc> = "2026-11-16T03:00:00Z".parse().unwrap();
        let week = TimeDelta::days(7);
        let due = |days: i64| is_due(Some(now - TimeDelta::days(days)), now, week);
        assert!(!due(6) && due(7) && due(-1) && is_due(None, now, week));
    }
}
