//! Which steps a pull takes, and in which order.
//!
//! The change feed is always last. A report may be a little behind it, and what was read last
//! is what the ledger holds: the other way round, a late report would undo an edit, or bring
//! back a deleted entry, until the next night.

use std::collections::{BTreeSet, VecDeque};

use chrono::{DateTime, Months, NaiveDate, NaiveTime, TimeDelta, Utc};
use chrono_tz::Tz;

use super::span::{midnight, months};
use super::state::{Changed, Report, State, Step, Track};
use crate::contract::{Notice, Pull};

/// Track answers for about three months (facts of 2026-11; the exact day moves with plan and
/// time). Within this many days we rely on it.
pub(super) const REACH: TimeDelta = TimeDelta::days(85);

/// The feed is asked again for this much: an `at` may become visible late.
pub(super) const OVERLAP: TimeDelta = TimeDelta::hours(48);

/// People enter leave and meetings ahead of time; back-fill reads so far into the future.
pub(super) const AHEAD: TimeDelta = TimeDelta::days(31);

/// What the plan depends on besides the state.
#[derive(Clone, Debug, Default)]
pub(super) struct Wishes {
    /// How far back the first pull goes; three months where it is not said.
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
        state.compare = compare_from(mode);
        return;
    }
    // A span of its own can wait until nothing else is under way.
    let Some(from) = compare_from(mode) else {
        return;
    };
    match state.compare {
        // What is under way reaches far enough; starting over each night might never end.
        Some(under_way) if under_way <= from => {}
        under_way => {
            insert_compare(&mut state.todo, from, under_way);
            state.compare = Some(from);
        }
    }
}

/// How far back a comparison up to now goes.
fn compare_from(mode: &Pull) -> Option<DateTime<Utc>> {
    match mode {
        Pull::Changes | Pull::Compare { until: Some(_), .. } => None,
        Pull::Compare { from, until: None } => Some(*from),
    }
}

fn insert_compare(todo: &mut VecDeque<Step>, from: DateTime<Utc>, until: Option<DateTime<Utc>>) {
    let before_feed = todo
        .iter()
        .position(|step| *step == Step::Since)
        .unwrap_or(todo.len());
    todo.insert(before_feed, Step::Compare { from, until });
    if !todo.contains(&Step::Since) {
        todo.push_back(Step::Since);
    }
}

fn new_pull(state: &State, mode: &Pull, wishes: &Wishes, now: DateTime<Utc>) -> VecDeque<Step> {
    let first = state.catalogue.is_none();
    let compare = compare_from(mode);
    let mut steps = VecDeque::new();
    if first || *mode != Pull::Changes {
        steps.push_back(Step::Bootstrap);
    }
    if let Pull::Compare { from, until } = *mode {
        steps.push_back(Step::Compare { from, until });
    }
    if first {
        steps.push_back(Step::History { until: compare });
    } else if let Some(from) = gap(state, now) {
        steps.push_back(Step::Compare {
            from,
            until: compare,
        });
    } else if wishes.team {
        steps.push_back(Step::Team);
    }
    steps.push_back(Step::Since);
    steps
}

/// Where the silence began, when it was longer than the feed reaches back. A month earlier, in
/// fact: entries of the last weeks are the ones that are still corrected.
fn gap(state: &State, now: DateTime<Utc>) -> Option<DateTime<Utc>> {
    let asked = state.asked?;
    (now - asked > REACH).then(|| gap_start(asked))
}

pub(super) fn gap_start(asked: DateTime<Utc>) -> DateTime<Utc> {
    asked - OVERLAP - TimeDelta::days(31)
}

/// The instant to ask the feed from.
pub(super) fn since(state: &State, now: DateTime<Utc>) -> DateTime<Utc> {
    let floor = now - REACH;
    // In the first pull the reports have just told everything up to the bootstrap.
    let overlap = state.asked.map_or(TimeDelta::zero(), |_| OVERLAP);
    state
        .watermark
        .map_or(floor, |mark| (mark - overlap).max(floor))
}

/// Turns a step that costs nothing into those that do. `None` for a step to be taken as it is.
pub(super) fn expand(
    step: &Step,
    state: &mut State,
    wishes: &Wishes,
    now: DateTime<Utc>,
) -> Option<Vec<Step>> {
    let catalogue = state.catalogue.as_ref()?;
    let zone = catalogue.zone();
    let (spans, sweep) = match step {
        Step::Compare { from, until } => {
            // What was never read cannot be missing. Before the history was read, the earliest
            // is that of a timer that runs, and says nothing of what was before it.
            let read = !state
                .todo
                .iter()
                .any(|step| matches!(step, Step::History { .. }));
            let earliest = state.earliest.filter(|_| read);
            let earliest = earliest.unwrap_or_else(|| history_start(wishes, zone, now));
            (spans(earliest.max(*from), *until, zone, now), true)
        }
        Step::History { until } => {
            let from = history_start(wishes, zone, now);
            state.saw(from);
            (spans(from, *until, zone, now), false)
        }
        Step::Team => {
            let workspaces = selected(state, wishes).into_iter();
            let looks = workspaces.filter(|workspace| !state.denied.contains(workspace));
            return Some(looks.map(|id| Step::Changed(Changed::new(id))).collect());
        }
        _ => return None,
    };
    let workspaces = selected(state, wishes);
    let steps = spans.iter().flat_map(|span| {
        workspaces
            .iter()
            .map(|workspace| Step::Report(Report::new(*workspace, *span, sweep)))
    });
    Some(steps.collect())
}

/// The months of a stretch, the newest first. One that ends now reaches into what lies ahead, which
/// comes with the current month and not with a request of its own.
fn spans(
    from: DateTime<Utc>,
    until: Option<DateTime<Utc>>,
    zone: Tz,
    now: DateTime<Utc>,
) -> Vec<(DateTime<Utc>, DateTime<Utc>)> {
    let mut spans = months(from, until.unwrap_or(now), zone);
    if let (None, Some(newest)) = (until, spans.first_mut()) {
        newest.1 = now + AHEAD;
    }
    spans
}

/// The workspaces to read.
pub(super) fn selected(state: &State, wishes: &Wishes) -> BTreeSet<i64> {
    let Some(catalogue) = &state.catalogue else {
        return BTreeSet::new();
    };
    let wanted = |id: &i64, name: &str| {
        wishes.workspaces.is_empty()
            || wishes
                .workspaces
                .iter()
                .any(|wish| is_called(wish, *id, name))
    };
    catalogue
        .workspaces
        .iter()
        .filter(|(id, name)| wanted(id, name))
        .map(|(id, _)| *id)
        .collect()
}

/// Whether a workspace goes by that id or name.
pub(super) fn is_called(wish: &str, id: i64, name: &str) -> bool {
    let wish = wish.trim();
    wish == id.to_string() || wish.to_lowercase() == name.trim().to_lowercase()
}

/// Replaces the reports of a workspace that does not give any by listings of own entries.
/// Those reach back three months at most; what lies before is told.
pub(super) fn without_reports(
    state: &mut State,
    workspace: i64,
    now: DateTime<Utc>,
) -> Vec<Notice> {
    state.denied.insert(workspace);
    let steps = std::mem::take(&mut state.todo);
    let (reports, kept): (Vec<Step>, Vec<Step>) = steps.into_iter().partition(|step| match step {
        Step::Report(report) => report.workspace == workspace,
        Step::Changed(changed) => changed.workspace == workspace,
        _ => false,
    });
    state.todo = kept.into();
    let mut notices = Vec::new();
    for sweep in [false, true] {
        let spans = reports.iter().filter_map(|step| match step {
            Step::Report(report) if report.sweep == sweep => Some((report.from, report.until)),
            _ => None,
        });
        let Some((from, until)) = spans.reduce(|a, b| (a.0.min(b.0), a.1.max(b.1))) else {
            continue;
        };
        let floor = floor(now);
        if from < floor {
            notices.push(history_out_of_reach(floor));
        }
        if until > floor {
            add_track(&mut state.todo, (from.max(floor), until), sweep, workspace);
        }
    }
    notices
}

/// How far back Track is asked, on a whole day: two workspaces then share a listing.
fn floor(now: DateTime<Utc>) -> DateTime<Utc> {
    (now - REACH)
        .date_naive()
        .and_time(NaiveTime::MIN)
        .and_utc()
}

pub(super) fn history_out_of_reach(from: DateTime<Utc>) -> Notice {
    Notice {
        code: "toggl-history-out-of-reach",
        text: format!(
            "without reports, Toggl shows no entries from before {}; import its CSV export \
             for those",
            from.format("%Y-%m-%d")
        ),
    }
}

fn add_track(
    todo: &mut VecDeque<Step>,
    (from, until): (DateTime<Utc>, DateTime<Utc>),
    sweep: bool,
    workspace: i64,
) {
    for step in todo.iter_mut() {
        if let Step::Track(track) = step
            && (track.from, track.until, track.sweep) == (from, until, sweep)
        {
            track.workspaces.insert(workspace);
            return;
        }
    }
    todo.push_front(Step::Track(Track {
        from,
        until,
        sweep,
        workspaces: BTreeSet::from([workspace]),
    }));
}

fn history_start(wishes: &Wishes, zone: Tz, now: DateTime<Utc>) -> DateTime<Utc> {
    let today = now.with_timezone(&zone).date_naive();
    let from = wishes
        .history_from
        .or(today.checked_sub_months(Months::new(3)));
    midnight(from.unwrap_or(today), zone).max(beginning())
}

/// Before Toggl itself there were no entries in it: Toggl began in 2006.
pub(super) fn beginning() -> DateTime<Utc> {
    DateTime::from_timestamp(1_136_073_600, 0).expect("an instant in 2006")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::toggl::catalogue::Catalogue;

    fn at(text: &str) -> DateTime<Utc> {
        text.parse().unwrap()
    }

    fn known() -> State {
        let mut catalogue = Catalogue {
            me: 1,
            ..Catalogue::default()
        };
        catalogue.workspaces.insert(10, "Studio".to_owned());
        State {
            catalogue: Some(catalogue),
            watermark: Some(at("2026-11-01T00:00:00Z")),
            asked: Some(at("2026-11-15T01:00:00Z")),
            ..State::default()
        }
    }

    #[test]
    fn the_feed_overlaps_and_stays_within_reach() {
        let state = known();
        let now = at("2026-11-16T01:00:00Z");
        assert_eq!(since(&state, now), at("2026-10-30T00:00:00Z"));
        let later = at("2027-06-01T00:00:00Z");
        assert_eq!(since(&state, later), later - REACH);
    }

    /// A timer that runs is seen before anything else, and nothing of what was before it.
    #[test]
    fn the_first_comparison_is_not_cut_off_at_a_running_timer() {
        let now = at("2026-11-16T01:00:00Z");
        let from = at("2026-10-01T00:00:00Z");
        let compare = Step::Compare { from, until: None };
        let mut state = known();
        state.saw(at("2026-11-14T09:00:00Z"));
        state.todo.push_back(Step::History { until: Some(from) });
        let reads = |state: &mut State| {
            let steps = expand(&compare, state, &Wishes::default(), now).unwrap();
            let reports = steps.into_iter().filter_map(|step| match step {
                Step::Report(report) => Some((report.from, report.until)),
                _ => None,
            });
            let reports: Vec<_> = reports.collect();
            (reports.last().unwrap().0, reports[0].1)
        };
        assert_eq!(reads(&mut state), (from, now + AHEAD));
        // Once all of the history was read, what is before it cannot be missing.
        state.todo.clear();
        assert!(reads(&mut state).0 > from);
    }

    #[test]
    fn a_comparison_under_way_is_widened_and_not_begun_anew() {
        let now = at("2026-11-16T01:00:00Z");
        let (october, september) = (at("2026-10-01T00:00:00Z"), at("2026-09-01T00:00:00Z"));
        let wishes = Wishes::default();
        let since = |from| Pull::Compare { from, until: None };
        let span = Pull::Compare {
            from: september,
            until: Some(october),
        };
        let mut state = known();
        begin(&mut state, &since(october), &wishes, now);
        let plan = state.todo.clone();
        for mode in [Pull::Changes, since(now), span] {
            begin(&mut state, &mode, &wishes, now);
            assert_eq!(state.todo, plan);
        }
        begin(&mut state, &since(september), &wishes, now);
        let until = Some(october);
        let wider = Step::Compare {
            from: september,
            until,
        };
        assert_eq!(state.todo[state.todo.len() - 2], wider);
        assert_eq!(state.todo.back(), Some(&Step::Since));
    }

    #[test]
    fn a_span_is_compared_alone() {
        let now = at("2026-11-16T01:00:00Z");
        let (from, until) = (at("2026-03-31T22:00:00Z"), at("2026-04-30T22:00:00Z"));
        let mut state = known();
        state.earliest = Some(at("2026-01-01T00:00:00Z"));
        let mode = Pull::Compare {
            from,
            until: Some(until),
        };
        let wishes = Wishes::default();
        begin(&mut state, &mode, &wishes, now);
        let step = Step::Compare {
            from,
            until: Some(until),
        };
        assert_eq!(state.todo, [Step::Bootstrap, step.clone(), Step::Since]);
        assert_eq!(state.compare, None, "the last weeks were not compared");
        let looks = expand(&step, &mut state, &wishes, now).unwrap();
        assert!(looks.iter().all(|step| matches!(
            step,
            Step::Report(report) if report.sweep && report.until <= until
        )));
    }

    #[test]
    fn what_track_cannot_reach_is_told() {
        let now = at("2026-11-16T01:00:00Z");
        let mut state = known();
        for (from, until) in [
            ("2026-10-01T00:00:00Z", "2026-11-01T00:00:00Z"),
            ("2026-01-01T00:00:00Z", "2026-10-01T00:00:00Z"),
        ] {
            let report = Report::new(10, (at(from), at(until)), false);
            state.todo.push_back(Step::Report(report));
        }
        let notices = without_reports(&mut state, 10, now);
        assert_eq!(notices.len(), 1);
        let Some(Step::Track(track)) = state.todo.front() else {
            panic!("{:?}", state.todo);
        };
        assert_eq!(track.from, at("2026-08-23T00:00:00Z"));
        assert_eq!(track.until, at("2026-11-01T00:00:00Z"));
        assert_eq!(state.todo.len(), 1);
    }
}
