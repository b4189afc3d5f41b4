//! The clock-change nights, through a whole file.

use super::*;
use stundenbuch_connectors::import::{doubts, wall::Doubt};
use stundenbuch_connectors::record::Worked;

fn toggl(rows: &[&str]) -> String {
    let mut file = format!("{TOGGL}\n");
    for row in rows {
        file.push_str("Erika,erika@example.com,Muster,Web,,Deploy,Yes,");
        file.push_str(row);
        file.push_str(",\n");
    }
    file
}

/// Seconds, start in UTC, doubts of each row.
fn read_rows(cells: &[&str]) -> Vec<(i64, String, Vec<Doubt>)> {
    let format = format("toggl-csv");
    let raws = accepted(format, toggl(cells).as_bytes(), &berlin(DateOrder::Detect));
    let told = |raw| {
        let Worked::Span { start, stop } = entry(format, raw).worked else {
            panic!("not a span")
        };
        (
            (stop - start).num_seconds(),
            start.format("%dT%H:%M").to_string(),
            doubts(raw),
        )
    };
    raws.iter().map(told).collect()
}

#[test]
fn the_night_in_october() {
    let found = read_rows(&[
        "2026-10-25,01:30:00,2026-10-25,03:30:00,03:00:00",
        "2026-10-25,01:30:00,2026-10-25,02:30:00,02:00:00",
        "2026-10-25,02:15:00,2026-10-25,02:45:00,00:30:00",
        "2026-10-25,02:15:00,2026-10-25,02:45:00,00:30:00",
        "2026-10-25,02:15:00,2026-10-25,02:45:00,01:30:00",
        "2026-10-25,01:30:00,2026-10-25,03:30:00,02:00:00",
    ]);
    let expected = [
        (10_800, "24T23:30", vec![]),
        (7_200, "24T23:30", vec![]),
        (1_800, "25T00:15", vec![Doubt::AmbiguousHour]),
        (1_800, "25T00:15", vec![Doubt::AmbiguousHour]),
        (5_400, "25T00:15", vec![]),
        (10_800, "24T23:30", vec![Doubt::DurationByWallClock]),
    ];
    for (found, (seconds, start, doubts)) in found.into_iter().zip(expected) {
        assert_eq!(found, (seconds, start.to_owned(), doubts));
    }
}

#[test]
fn the_night_in_march() {
    let found = read_rows(&[
        "2026-03-29,01:30:00,2026-03-29,03:30:00,01:00:00",
        "2026-03-29,02:15:00,2026-03-29,02:45:00,00:30:00",
        "2026-03-28,23:00:00,2026-03-29,04:00:00,04:00:00",
    ]);
    assert_eq!(found[0], (3_600, "29T00:30".to_owned(), vec![]));
    assert_eq!(
        found[1],
        (1_800, "29T01:15".to_owned(), vec![Doubt::MissingHour])
    );
    assert_eq!(found[2], (14_400, "28T22:00".to_owned(), vec![]));
}

#[test]
fn a_duration_that_no_clock_explains_is_refused() {
    let file = toggl(&[
        "2026-10-25,01:30:00,2026-10-25,03:30:00,03:00:00",
        "2026-10-25,01:30:00,2026-10-25,03:30:00,04:00:00",
        "2026-06-01,09:00:00,2026-06-01,10:00:00,00:59:58",
    ]);
    let told = refused(
        format("toggl-csv"),
        file.as_bytes(),
        &berlin(DateOrder::Detect),
    );
    assert_eq!(
        told,
        "row 3, column `Duration`: contradicts start and end, which are 3:00:00 apart\n\
         row 4, column `Duration`: contradicts start and end, which are 1:00:00 apart"
    );
}

#[test]
fn another_zone_is_another_instant_of_the_same_entry() {
    let file = toggl(&["2026-06-01,09:00:00,2026-06-01,10:00:00,01:00:00"]);
    let format = format("toggl-csv");
    let here = accepted(format, file.as_bytes(), &berlin(DateOrder::Detect));
    let there = Options {
        time_zone: Tz::America__New_York,
        dates: DateOrder::Detect,
    };
    let there = accepted(format, file.as_bytes(), &there);
    assert_eq!(here[0].id, there[0].id);
    assert_ne!(entry(format, &here[0]), entry(format, &there[0]));
}
