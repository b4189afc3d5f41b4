//! Real exports: the seconds that are read are those that the file's own duration column adds
//! up to, by a parser that shares nothing with the one under test.

use std::collections::BTreeSet;

use super::*;
use stundenbuch_connectors::import::detect;

/// `02:00:00 AM`, `00:25:20` or `0,01` hours, as seconds.
fn plain_seconds(text: &str) -> i64 {
    let (text, half) = match text.split_once(' ') {
        Some((text, "AM")) => (text, Some(0)),
        Some((text, "PM")) => (text, Some(12)),
        _ => (text, None),
    };
    if let Some((hours, hundredths)) = text.split_once([',', '.']) {
        let scale = [1, 10, 100][hundredths.len()];
        let hours: i64 = hours.parse().unwrap();
        return hours * 3600 + hundredths.parse::<i64>().unwrap() * 3600 / scale;
    }
    let mut parts = text.split(':').map(|part| part.parse::<i64>().unwrap());
    let hours = parts.next().unwrap();
    let hours = half.map_or(hours, |half| hours % 12 + half);
    hours * 3600 + parts.next().unwrap() * 60 + parts.next().unwrap()
}

fn column_sum(file: &[u8], column: &str) -> (usize, i64) {
    let mut reader = csv::Reader::from_reader(file);
    let at = reader
        .headers()
        .unwrap()
        .iter()
        .position(|name| name == column)
        .unwrap();
    let rows: Vec<csv::StringRecord> = reader.records().map(Result::unwrap).collect();
    let sum = rows.iter().map(|row| plain_seconds(&row[at])).sum();
    (rows.len(), sum)
}

fn check(path: &str, format_name: &str, dates: DateOrder, column: &str, expected: (usize, i64)) {
    let Some(file) = shared(path) else { return };
    let format = detect("export.csv", &file).expect("a real export is recognised");
    assert_eq!(format.name(), format_name);
    assert_eq!(
        column_sum(&file, column),
        expected,
        "the sample has changed"
    );

    let raws = accepted(format, &file, &berlin(dates));
    let entries = entries(format, &raws);
    assert_eq!((raws.len(), seconds(&entries)), expected, "{path}");

    let ids: BTreeSet<_> = raws.iter().map(|raw| raw.id.clone()).collect();
    assert_eq!(
        ids.len(),
        raws.len(),
        "every row has an identity of its own"
    );
    assert!(ids.iter().all(|id| id.as_str().len() == 32));
    assert_eq!(
        accepted(format, &file, &berlin(dates)),
        raws,
        "a second reading is the same"
    );
}

#[test]
fn toggl_of_2017_with_durations_a_second_short() {
    let path = "toggl/toggl_dashboard_2017_month_217rows_redacted.csv";
    check(
        path,
        "toggl-csv",
        DateOrder::Detect,
        "Duration",
        (217, 672_994),
    );
}

#[test]
fn toggl_of_2022_on_a_twelve_hour_clock() {
    let path = "toggl/tuttle_12h_times_no_amount.csv";
    check(
        path,
        "toggl-csv",
        DateOrder::Detect,
        "Duration",
        (29, 152_400),
    );
}

#[test]
fn clockify_with_american_dates() {
    for path in [
        "clockify/solidtime_clockify_1.csv",
        "clockify/solidtime_clockify_4.csv",
    ] {
        check(
            path,
            "clockify-csv",
            DateOrder::MonthFirst,
            "Duration (h)",
            (2, 3601),
        );
        let Some(file) = shared(path) else { return };
        let told = refused(format("clockify-csv"), &file, &berlin(DateOrder::Detect));
        assert_eq!(
            told,
            "row 2, column `Start Date`: `03/04/2024` allows two readings, and no row tells \
             which one is meant; say --dates day-first or --dates month-first"
        );
    }
}

#[test]
fn harvest_with_german_decimals() {
    let path = "harvest/solidtime_harvest_1.csv";
    check(path, "harvest-csv", DateOrder::Detect, "Hours", (2, 72_036));
}
