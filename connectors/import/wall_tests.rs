//! Both clock-change nights of Europe/Berlin in 2026, minute by minute where it matters.

use super::*;
use chrono_tz::Europe::Berlin;

fn wall(text: &str) -> Moment {
    Moment::Wall(NaiveDateTime::parse_from_str(text, "%Y-%m-%d %H:%M").unwrap())
}

fn utc(text: &str) -> DateTime<Utc> {
    format!("{text}:00Z").parse().unwrap()
}

fn claim(seconds: i64) -> Claim {
    Claim {
        written: Written {
            seconds,
            step: 1,
            wraps: false,
        },
        slack: 1,
    }
}

/// In October the clock goes from 03:00 back to 02:00.
fn october(start: &str, stop: &str, minutes: Option<i64>) -> Result<Span, Contradiction> {
    span(
        wall(&format!("2026-10-25 {start}")),
        wall(&format!("2026-10-25 {stop}")),
        minutes.map(|minutes| claim(minutes * 60)),
        Berlin,
    )
}

/// In March the clock goes from 02:00 on to 03:00.
fn march(start: &str, stop: &str, minutes: Option<i64>) -> Result<Span, Contradiction> {
    span(
        wall(&format!("2026-03-29 {start}")),
        wall(&format!("2026-03-29 {stop}")),
        minutes.map(|minutes| claim(minutes * 60)),
        Berlin,
    )
}

#[track_caller]
fn is(found: &Result<Span, Contradiction>, start: &str, stop: &str, doubts: &[Doubt]) {
    let expected = Span {
        start: utc(start),
        stop: utc(stop),
        doubts: doubts.to_vec(),
    };
    assert_eq!(found, &Ok(expected));
}

#[test]
fn hours_outside_the_change_are_certain() {
    let whole = ("2026-10-24T23:30", "2026-10-25T02:30");
    is(&october("01:30", "03:30", None), whole.0, whole.1, &[]);
    is(&october("01:30", "03:30", Some(180)), whole.0, whole.1, &[]);
}

#[test]
fn the_duration_picks_the_hour_that_came_twice() {
    let (start, first, second) = ("2026-10-24T23:30", "2026-10-25T00:30", "2026-10-25T01:30");
    is(&october("01:30", "02:30", Some(60)), start, first, &[]);
    is(&october("01:30", "02:30", Some(120)), start, second, &[]);
    let doubt = [Doubt::AmbiguousHour];
    is(&october("01:30", "02:30", None), start, first, &doubt);

    let stop = "2026-10-25T02:15";
    is(&october("02:30", "03:15", Some(45)), second, stop, &[]);
    is(&october("02:30", "03:15", Some(105)), first, stop, &[]);
    is(&october("02:30", "03:15", None), first, stop, &doubt);
}

#[test]
fn a_span_within_the_hour_that_came_twice() {
    let (first, second) = ("2026-10-25T00:15", "2026-10-25T01:15");
    let doubt = [Doubt::AmbiguousHour];
    // Half an hour fits into either pass; nothing can tell which.
    let stop = "2026-10-25T00:45";
    is(&october("02:15", "02:45", Some(30)), first, stop, &doubt);
    is(&october("02:15", "02:45", None), first, stop, &doubt);
    // An hour and a half runs from the first pass into the second.
    is(
        &october("02:15", "02:45", Some(90)),
        first,
        "2026-10-25T01:45",
        &[],
    );
    // On the wall it goes backwards, in time it does not.
    is(
        &october("02:45", "02:15", Some(30)),
        "2026-10-25T00:45",
        second,
        &[],
    );
    is(
        &october("02:45", "02:15", None),
        "2026-10-25T00:45",
        second,
        &doubt,
    );
}

#[test]
fn the_hour_that_never_was_is_shifted() {
    let doubt = [Doubt::MissingHour];
    // 02:30 by the winter clock is 03:30 by the summer clock.
    is(
        &march("01:30", "02:30", None),
        "2026-03-29T00:30",
        "2026-03-29T01:30",
        &doubt,
    );
    is(
        &march("01:30", "02:30", Some(60)),
        "2026-03-29T00:30",
        "2026-03-29T01:30",
        &doubt,
    );
    is(
        &march("02:15", "02:45", Some(30)),
        "2026-03-29T01:15",
        "2026-03-29T01:45",
        &doubt,
    );
    // Somebody's watch was on summer time already: 02:30 to 03:30 was an hour.
    is(
        &march("02:30", "03:30", Some(60)),
        "2026-03-29T00:30",
        "2026-03-29T01:30",
        &doubt,
    );
    is(
        &march("01:30", "03:30", Some(60)),
        "2026-03-29T00:30",
        "2026-03-29T01:30",
        &[],
    );
}

#[test]
fn a_duration_taken_from_the_wall_is_explained_by_the_change() {
    let doubt = [Doubt::DurationByWallClock];
    is(
        &october("01:30", "03:30", Some(120)),
        "2026-10-24T23:30",
        "2026-10-25T02:30",
        &doubt,
    );
    is(
        &march("01:30", "03:30", Some(120)),
        "2026-03-29T00:30",
        "2026-03-29T01:30",
        &doubt,
    );
}

#[test]
fn any_other_duration_is_a_contradiction() {
    let apart = |minutes: i64| {
        Err(Contradiction {
            seconds: minutes * 60,
        })
    };
    assert_eq!(october("01:30", "03:30", Some(240)), apart(180));
    assert_eq!(october("02:15", "02:45", Some(31)), apart(30));
    assert_eq!(march("01:30", "03:30", Some(90)), apart(60));
    let day = |claimed| {
        let (start, stop) = (wall("2026-06-01 09:00"), wall("2026-06-01 10:00"));
        span(start, stop, Some(claim(claimed)), Berlin)
    };
    assert!(day(3600).is_ok() && day(3599).is_ok());
    assert!(day(3598).is_err() && day(0).is_err() && day(7200).is_err());
}

#[test]
fn a_duration_on_a_twelve_hour_clock_loses_whole_days() {
    let mut claim = claim(3600);
    claim.written.wraps = true;
    let day = |stop| span(wall("2026-06-01 09:00"), wall(stop), Some(claim), Berlin);
    assert_eq!(day("2026-06-02 10:00").unwrap().seconds(), 25 * 3600);
    assert!(day("2026-06-02 11:00").is_err());
}

#[test]
fn the_whole_nights_move_only_forwards() {
    // Every minute of both nights, read alone, gives an instant whose wall time it is, or that
    // time shifted by the gap.
    for day in ["2026-03-29", "2026-10-25"] {
        let midnight: NaiveDateTime = format!("{day}T00:00:00").parse().unwrap();
        for minute in 0..360 {
            let wall = midnight + TimeDelta::minutes(minute);
            let (at, doubt) = instant(Moment::Wall(wall), Berlin);
            let shown = at.with_timezone(&Berlin).naive_local();
            let in_change = (120..180).contains(&minute);
            assert_eq!(doubt.is_some(), in_change, "{wall}");
            let shift = if doubt == Some(Doubt::MissingHour) {
                60
            } else {
                0
            };
            assert_eq!(shown, wall + TimeDelta::minutes(shift), "{wall}");
        }
    }
}

#[test]
fn a_gap_of_half_an_hour_and_a_gap_of_a_day() {
    // Lord Howe Island moves by half an hour; Samoa left out 2011-12-30 altogether.
    let (at, doubt) = instant(wall("2026-10-04 02:15"), chrono_tz::Australia::Lord_Howe);
    assert_eq!(
        (at, doubt),
        (utc("2026-10-03T15:45"), Some(Doubt::MissingHour))
    );
    let (at, _) = instant(wall("2011-12-30 12:00"), chrono_tz::Pacific::Apia);
    assert_eq!(at, utc("2011-12-30T22:00"));
}
