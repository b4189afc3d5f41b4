//! Spans of time, cut the way that reports and invoices are: at local month borders.

use chrono::{DateTime, Datelike, Days, NaiveDate, NaiveTime, TimeDelta, TimeZone, Utc};
use chrono_tz::Tz;

/// From, and until but not with.
pub(super) type Span = (DateTime<Utc>, DateTime<Utc>);

/// Cuts a span at the beginnings of months in the profile's zone, the newest part first: what
/// is billed next is read first.
pub(super) fn months(from: DateTime<Utc>, until: DateTime<Utc>, zone: Tz) -> Vec<Span> {
    let mut spans = Vec::new();
    let mut end = until;
    while end > from {
        let last_moment = (end - TimeDelta::seconds(1)).with_timezone(&zone);
        let first_day = last_moment.date_naive().with_day(1);
        let start = first_day.map_or(from, |day| midnight(day, zone)).max(from);
        // A zone whose first of the month has no midnight must not stop the walk.
        let start = if start < end { start } else { from };
        spans.push((start, end));
        end = start;
    }
    spans
}

/// The first instant of a day in a zone; an hour later where a clock change takes midnight.
pub(super) fn midnight(day: NaiveDate, zone: Tz) -> DateTime<Utc> {
    let wall = day.and_time(NaiveTime::MIN);
    let found = zone.from_local_datetime(&wall).earliest().or_else(|| {
        zone.from_local_datetime(&(wall + TimeDelta::hours(1)))
            .earliest()
    });
    found.map_or_else(|| wall.and_utc(), |instant| instant.with_timezone(&Utc))
}

/// The days to name in a report so that it holds a span whole. A day more on both sides: whose
/// zone a report counts its days in is then of no consequence.
pub(super) fn days((from, until): Span) -> (NaiveDate, NaiveDate) {
    let first = from.date_naive();
    let last = until.date_naive();
    (
        first.checked_sub_days(Days::new(1)).unwrap_or(first),
        last.checked_add_days(Days::new(1)).unwrap_or(last),
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    const BERLIN: Tz = chrono_tz::Europe::Berlin;

    fn at(text: &str) -> DateTime<Utc> {
        text.parse().unwrap()
    }

    #[test]
    fn months_join_at_local_midnights_newest_first() {
        let spans = months(
            at("2026-09-10T00:00:00Z"),
            at("2026-11-02T08:00:00Z"),
            BERLIN,
        );
        let texts: Vec<_> = spans
            .iter()
            .map(|(from, until)| (from.to_string(), until.to_string()))
            .collect();
        let expected = [
            ("2026-10-31 23:00:00 UTC", "2026-11-02 08:00:00 UTC"),
            ("2026-09-30 22:00:00 UTC", "2026-10-31 23:00:00 UTC"),
            ("2026-09-10 00:00:00 UTC", "2026-09-30 22:00:00 UTC"),
        ];
        let expected = expected.map(|(from, until)| (from.to_owned(), until.to_owned()));
        assert_eq!(texts, expected);
        let now = at("2026-10-31T23:00:00Z");
        assert!(months(now, now, BERLIN).is_empty());
        assert_eq!(months(now - TimeDelta::seconds(1), now, BERLIN).len(), 1);
    }

    #[test]
    fn months_cover_every_zone_without_gap() {
        let (from, until) = (at("2006-01-01T00:00:00Z"), at("2026-11-02T08:00:00Z"));
        for zone in chrono_tz::TZ_VARIANTS {
            let spans = months(from, until, zone);
            assert_eq!(spans.first().unwrap().1, until, "{zone}");
            assert_eq!(spans.last().unwrap().0, from, "{zone}");
            assert!(
                spans.windows(2).all(|pair| pair[0].0 == pair[1].1),
                "{zone}"
            );
            assert!(spans.iter().all(|(from, until)| from < until), "{zone}");
            assert!(
                (251..=252).contains(&spans.len()),
                "{zone}: {}",
                spans.len()
            );
        }
    }
}
