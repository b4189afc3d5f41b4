//! Spans of starts, for services that list entries by when they started and tell of no changes.

use chrono::{DateTime, NaiveDate, NaiveTime, TimeDelta, Utc};

use crate::contract::Pull;

/// From, and until but not with; `None` for what lies ahead, too.
pub(crate) type Span = (DateTime<Utc>, Option<DateTime<Utc>>);

/// More than any zone is away from UTC: a service that reads instants as wall clocks is asked for
/// so much more on both sides.
pub(crate) const ANY_ZONE: TimeDelta = TimeDelta::days(1);

/// A first pull goes back so far where nothing else is said.
const HISTORY: TimeDelta = TimeDelta::days(92);

/// Days begin so much earlier than in UTC where they begin first.
const FIRST_ZONE: TimeDelta = TimeDelta::hours(14);

/// Where a first pull begins.
pub(crate) fn history_start(day: Option<NaiveDate>, now: DateTime<Utc>) -> DateTime<Utc> {
    let start = |day: NaiveDate| day.and_time(NaiveTime::MIN).and_utc() - FIRST_ZONE;
    day.map_or(now - HISTORY, |day| start(day).min(now))
}

/// The parts of a span, each not much longer than `most`, the newest first: what is billed next is
/// read first. What lies ahead belongs to the newest.
pub(crate) fn parts((from, until): Span, most: TimeDelta, now: DateTime<Utc>) -> Vec<Span> {
    let mut parts = Vec::new();
    let mut end = until;
    loop {
        let edge = end.unwrap_or(now);
        // A sliver at the end is not worth a request of its own.
        let start = Some(edge - most).filter(|start| *start - from > most / 8);
        let start = start.unwrap_or(from);
        parts.push((start, end));
        if start <= from {
            return parts;
        }
        end = Some(start);
    }
}

/// How far back a comparison up to now goes. One of a span of its own can wait until nothing else
/// is under way.
pub(crate) fn compared_from(mode: &Pull) -> Option<DateTime<Utc>> {
    match mode {
        Pull::Compare { from, until: None } => Some(*from),
        Pull::Changes | Pull::Compare { .. } => None,
    }
}

/// What has to be added to a pull that is under way, and compares what it compares, so that it
/// goes as far back as is wanted now; starting over each night might never end.
pub(crate) fn missing(under_way: Option<DateTime<Utc>>, mode: &Pull) -> Option<Span> {
    let wanted = compared_from(mode)?;
    let farther = under_way.is_none_or(|under_way| under_way > wanted);
    farther.then_some((wanted, under_way))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(text: &str) -> DateTime<Utc> {
        text.parse().unwrap()
    }

    #[test]
    fn parts_join_and_the_newest_is_open() {
        let most = TimeDelta::days(184);
        let now = at("2026-11-16T08:00:00Z");
        let from = at("2024-01-01T00:00:00Z");
        let spans = parts((from, None), most, now);
        assert_eq!(spans[0].1, None);
        assert_eq!(spans.last().unwrap().0, from);
        assert!(spans.windows(2).all(|pair| Some(pair[0].0) == pair[1].1));
        assert_eq!(spans.len(), 6);
        // Where our clock is behind, the span is one and open all the same.
        assert_eq!(parts((now, None), most, from), [(now, None)]);
        assert_eq!(parts((from, Some(now)), most, now).len(), 6);
        let little_more = now - most - TimeDelta::days(1);
        assert_eq!(parts((little_more, None), most, now), [(little_more, None)]);
    }

    #[test]
    fn a_day_begins_where_it_begins_first() {
        let now = at("2026-11-16T08:00:00Z");
        let day = |text: &str| Some(text.parse().unwrap());
        let start = at("2026-10-31T10:00:00Z");
        assert_eq!(history_start(day("2026-11-01"), now), start);
        assert_eq!(history_start(day("2027-01-01"), now), now);
        assert_eq!(history_start(None, now), at("2026-08-16T08:00:00Z"));
    }

    #[test]
    fn a_comparison_under_way_is_widened_and_not_begun_anew() {
        let (october, september) = (at("2026-10-01T00:00:00Z"), at("2026-09-01T00:00:00Z"));
        let since = |from| Pull::Compare { from, until: None };
        for mode in [
            Pull::Changes,
            since(october),
            since(at("2026-11-01T00:00:00Z")),
        ] {
            assert_eq!(missing(Some(october), &mode), None);
        }
        assert_eq!(
            missing(Some(october), &since(september)),
            Some((september, Some(october)))
        );
        assert_eq!(missing(None, &since(october)), Some((october, None)));
        let alone = Pull::Compare {
            from: september,
            until: Some(october),
        };
        assert_eq!((missing(None, &alone), compared_from(&alone)), (None, None));
    }
}
