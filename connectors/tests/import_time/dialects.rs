//! What is no broken file, though it looks unusual; and how formats are told apart.

use super::*;
use chrono::NaiveDate;
use proptest::prelude::*;
use stundenbuch_connectors::import::csv_file::{CsvFile, Record as Cells};
use stundenbuch_connectors::import::{ALL, detect};
use stundenbuch_connectors::record::Worked;

const CLOCKIFY: &str = "Project,Client,Description,Task,User,Group,Email,Tags,Start Date,\
                        Start Time,End Date,End Time,Duration (h),Duration (decimal)";
const HARVEST: &str = "Date,Client,Project,Project Code,Task,Notes,Hours,Billable?,First Name,\
                       Last Name";

fn toggl_entries(rows: &str) -> Vec<TimeEntry> {
    let format = format("toggl-csv");
    let file = format!("{TOGGL}\n{rows}");
    entries(
        format,
        &accepted(format, file.as_bytes(), &berlin(DateOrder::Detect)),
    )
}

#[test]
fn formats_are_told_apart_by_their_headers() {
    let found = |head: &str| detect("export.csv", head.as_bytes()).map(Format::name);
    assert_eq!(found(TOGGL), Some("toggl-csv"));
    assert_eq!(found(&format!("{TOGGL},Amount (EUR)\n")), Some("toggl-csv"));
    // The shape of 2026: other names for the end, and nobody named.
    let newer =
        "\u{feff}\"Description\",Duration,Project,Start date,Start time,Stop date,Stop time";
    assert_eq!(found(newer), Some("toggl-csv"));
    assert_eq!(found(CLOCKIFY), Some("clockify-csv"));
    assert_eq!(found(HARVEST), Some("harvest-csv"));
    assert_eq!(found(&HARVEST.replace(',', ";")), Some("harvest-csv"));
    for other in [
        "",
        "\n\n",
        "id,start,stop,project,tags",
        "{\"boards\": []}",
        "\u{0}\u{1}",
    ] {
        assert_eq!(found(other), None, "{other:?}");
    }
    let mut names: Vec<_> = ALL.iter().map(|format| format.name()).collect();
    names.sort_unstable();
    names.dedup();
    assert_eq!(names.len(), ALL.len());
}

#[test]
fn strange_durations_are_kept_for_others_to_judge() {
    let found = toggl_entries(
        "E,,,,,zero,No,2026-06-01,09:00:00,2026-06-01,09:00:00,00:00:00,\n\
         E,,,,,negative,No,2026-06-01,09:00:00,2026-06-01,08:30:00,-00:30:00,\n\
         E,,,,,long,No,2026-06-01,09:00:00,2026-06-03,10:00:00,49:00:00,\n\
         E,,,,,running,No,2026-06-01,09:00:00,,,,\n\
         E,,,,,over midnight,No,2026-06-01,23:30:00,2026-06-02,00:15:00,00:45:00,\n\
         E,,,,,decimal,No,2026-06-01,09:00:00,2026-06-01,09:20:00,0.33 h,\n\
         E,,,,,no end,No,2026-06-01,09:00:00,,,00:20:00,\n",
    );
    let found: Vec<_> = found.iter().map(|entry| entry.worked.seconds()).collect();
    let expected = [0, -1800, 49 * 3600, -1, 2700, 1200, 1200];
    let expected = expected.map(|seconds| (seconds != -1).then_some(seconds));
    assert_eq!(found, expected);
}

#[test]
fn the_texts_of_an_entry() {
    let found = toggl_entries(
        "\"Müller, Erika\",E@X.de, Muster GmbH ,Web,Task 1,\"sagte \"\"nein\"\"\nund ging\",ja,\
         2026-06-01,09:00:00,2026-06-01,10:00:00,01:00:00,\"b, a, b, c,d\"\n",
    );
    let entry = &found[0];
    assert_eq!(entry.description, "sagte \"nein\"\nund ging");
    let person = entry.person.as_ref().unwrap();
    assert_eq!(person.name.as_deref(), Some("Müller, Erika"));
    assert_eq!(person.email.as_deref(), Some("E@X.de"));
    let name = |named: &Option<stundenbuch_connectors::record::Named>| {
        named.as_ref().and_then(|named| named.name.clone())
    };
    assert_eq!(name(&entry.client).as_deref(), Some("Muster GmbH"));
    assert_eq!(name(&entry.task).as_deref(), Some("Task 1"));
    assert_eq!(entry.tags, ["a", "b", "c,d"]);
    assert_eq!(entry.billable, Some(true));
}

#[test]
fn a_time_without_seconds_is_completed_by_the_duration() {
    let format = format("clockify-csv");
    let file = format!(
        "{CLOCKIFY}\n\
         P,,exact,,U,,,,2026-06-01,10:23 AM,2026-06-01,11:24 AM,01:00:30,1.01\n\
         P,,minutes,,U,,,,2026-06-01,10:23,2026-06-01,11:24,1:01,1.02\n"
    );
    let raws = accepted(format, file.as_bytes(), &berlin(DateOrder::Detect));
    let found = entries(format, &raws);
    assert_eq!(found[0].worked.seconds(), Some(3630));
    assert_eq!(found[1].worked.seconds(), Some(3660));
    let far = file.replace("01:00:30", "00:59:59");
    let told = refused(format, far.as_bytes(), &berlin(DateOrder::Detect));
    assert!(
        told.starts_with("row 2, column `Duration (h)`: contradicts"),
        "{told}"
    );
}

#[test]
fn harvest_hours_become_whole_seconds() {
    let format = format("harvest-csv");
    let hours = [
        ("1.5", 5400),
        ("\"1,5\"", 5400),
        ("0.33", 1188),
        ("\"0,01\"", 36),
        ("8", 28_800),
        ("0", 0),
        ("-0.5", -1800),
        ("\"1.234,5\"", 4_444_200),
        ("\"1,234.5\"", 4_444_200),
        // Half a second, up and away from zero.
        ("0.00013888888", 0),
        ("0.000138889", 1),
        ("-0.000138889", -1),
    ];
    for (written, expected) in hours {
        let file = format!("{HARVEST}\n2026-06-01,C,P,,T,N,{written},Yes,Erika,Mustermann\n");
        let Ok(raws) = read(format, file.as_bytes(), &berlin(DateOrder::Detect)) else {
            assert_eq!(written, "0.00013888888", "more decimals than a second has");
            continue;
        };
        let date = NaiveDate::from_ymd_opt(2026, 6, 1).unwrap();
        let entry = entry(format, &raws[0]);
        assert_eq!(
            entry.worked,
            Worked::Day {
                date,
                seconds: expected
            },
            "{written}"
        );
        assert_eq!(
            entry.person.unwrap().name.as_deref(),
            Some("Erika Mustermann")
        );
    }
}

#[test]
fn harvest_rows_of_a_day_are_told_apart_by_task() {
    let format = format("harvest-csv");
    let file = format!(
        "{HARVEST}\n2026-06-01,C,P,,Design,,2,Yes,E,M\n2026-06-01,C,P,,Meeting,,1,Yes,E,M\n"
    );
    let raws = accepted(format, file.as_bytes(), &berlin(DateOrder::Detect));
    let other_way = format!(
        "{HARVEST}\n2026-06-01,C,P,,Meeting,,1,Yes,E,M\n2026-06-01,C,P,,Design,,2,Yes,E,M\n"
    );
    let turned = accepted(format, other_way.as_bytes(), &berlin(DateOrder::Detect));
    assert_eq!((&raws[0].id, &raws[1].id), (&turned[1].id, &turned[0].id));
}

#[test]
fn one_row_decides_the_order_of_the_dates_for_all_before_it() {
    let format = format("clockify-csv");
    let row = |date: &str| format!("P,,D,,U,,,,{date},10:00,{date},11:00,01:00,1\n");
    let start = |dates: &[&str]| {
        let rows: String = dates.iter().map(|date| row(date)).collect();
        let file = format!("{CLOCKIFY}\n{rows}");
        let accepted =
            read(format, file.as_bytes(), &berlin(DateOrder::Detect)).map_err(|told| {
                told.problems
                    .iter()
                    .map(|problem| problem.row.unwrap())
                    .collect::<Vec<_>>()
            })?;
        let entries = entries(format, &accepted);
        let found = entries.iter().map(|entry| match entry.worked {
            Worked::Span { start, .. } => start.format("%m-%d").to_string(),
            _ => panic!(),
        });
        Ok::<_, Vec<u64>>(found.collect::<Vec<_>>().join(" "))
    };
    assert_eq!(start(&["03/04/2024", "31/04/2024"]), Err(vec![2]));
    assert_eq!(
        start(&["03/04/2024", "05/05/2024", "30/04/2024"]).unwrap(),
        "04-03 05-05 04-30"
    );
    assert_eq!(
        start(&["03/04/2024", "05/05/2024", "04/30/2024"]).unwrap(),
        "03-04 05-05 04-30"
    );
    assert_eq!(
        start(&["05/05/2024", "2024-03-04", "04.03.2024"]).unwrap(),
        "05-05 03-04 03-04"
    );
    assert_eq!(start(&["30/04/2024", "04/30/2024"]), Err(vec![3]));
    assert_eq!(
        start(&["05/05/2024", "03/04/2024", "05/05/2024"]),
        Err(vec![3])
    );
}

#[test]
fn german_excel_writes_windows_1252() {
    let row = b"M\xFCller,,\x80-Kunde,,,ASCII first,No,2026-06-01,09:00,2026-06-01,10:00,1:00,\n";
    let mut file = format!("{TOGGL}\nErika,,,,,plain,No,2026-06-01,08:00,2026-06-01,09:00,1:00,\n")
        .into_bytes();
    file.extend_from_slice(row);
    let format = format("toggl-csv");
    let found = entries(format, &accepted(format, &file, &berlin(DateOrder::Detect)));
    assert_eq!(
        found[1].person.as_ref().unwrap().name.as_deref(),
        Some("Müller")
    );
    assert_eq!(
        found[1].client.as_ref().unwrap().name.as_deref(),
        Some("€-Kunde")
    );
}

#[test]
fn rows_that_spreadsheets_leave_behind_are_no_rows() {
    let found = toggl_entries(
        "\nE,,,,,a,No,2026-06-01,09:00,2026-06-01,10:00,1:00,\n,,,,,,,,,,,,\n\n\r\n\
         E,,,,,b,No,2026-06-01,10:00,2026-06-01,11:00,1:00,\r\n,,,,,,,,,,,,",
    );
    assert_eq!(found.len(), 2);
}

proptest! {
    /// The `csv` crate reads well-formed files; on those, this reader agrees with it.
    #[test]
    fn well_formed_files_are_cut_as_by_the_csv_crate(
        rows in prop::collection::vec(
            prop::collection::vec("[a-z\"\n ,;äß]{0,6}", 3..4), 1..10),
        crlf in any::<bool>(),
        always in any::<bool>(),
    ) {
        let mut writer = csv::WriterBuilder::new()
            .terminator(if crlf { csv::Terminator::CRLF } else { csv::Terminator::Any(b'\n') })
            .quote_style(if always { csv::QuoteStyle::Always } else { csv::QuoteStyle::Necessary })
            .from_writer(Vec::new());
        writer.write_record(["one", "two", "three"]).unwrap();
        for row in &rows {
            writer.write_record(row).unwrap();
        }
        let bytes = writer.into_inner().unwrap();
        let mut input = bytes.as_slice();
        let mut file = CsvFile::open(&mut input, None).unwrap();
        let mut cells = Cells::default();
        let mut found = Vec::new();
        while let Some(next) = file.next(&mut cells) {
            next.unwrap();
            found.push((0..3).map(|at| cells.get(at).to_owned()).collect::<Vec<_>>());
            // The record begins where the line says: behind so many line ends.
            let line = usize::try_from(cells.line()).unwrap();
            let before: Vec<&[u8]> = bytes.split(|&byte| byte == b'\n').skip(line - 1).collect();
            let rest = before.join(&b'\n');
            let first = csv::ReaderBuilder::new().has_headers(false).from_reader(rest.as_slice())
                .into_records().next().unwrap().unwrap();
            prop_assert_eq!(first.iter().collect::<Vec<_>>(), found.last().unwrap().clone());
        }
        let expected: Vec<Vec<String>> = rows
            .into_iter()
            .filter(|row| !row.concat().trim().is_empty())
            .collect();
        prop_assert_eq!(found, expected);
    }
}
