//! Broken files: refused with row, column and reason, never a panic, never a part accepted.

use std::fmt::Write as _;

use super::*;
use proptest::prelude::*;

const GOOD: &str = "\"Erika\",\"e@x.de\",\"Müßig\",\"Web\",\"\",\"a \"\"b\"\"\nc\",\"Yes\",\
                    \"2026-06-01\",\"09:00:00\",\"2026-06-01\",\"10:00:00\",\"01:00:00\",\"t\"\r\n";

fn quoted() -> String {
    let header: Vec<String> = TOGGL.split(',').map(|name| format!("\"{name}\"")).collect();
    format!(
        "{}\r\n{GOOD}{}",
        header.join(","),
        GOOD.replace("09:00", "08:00").replace("01:", "02:")
    )
}

fn toggl(row: &str) -> String {
    let file = format!("{TOGGL}\n{row}\n");
    refused(
        format("toggl-csv"),
        file.as_bytes(),
        &berlin(DateOrder::Detect),
    )
}

#[test]
fn a_file_cut_anywhere_is_refused_or_cut_between_rows() {
    let file = quoted();
    let bytes = file.as_bytes();
    let format = format("toggl-csv");
    let header = file.find('\r').unwrap();
    let row_ends = [bytes.len() - GOOD.len(), bytes.len()];
    for cut in 0..bytes.len() {
        match read(format, &bytes[..cut], &berlin(DateOrder::Detect)) {
            // A row is whole with its line end, half of it, or none.
            Ok(raws) if raws.is_empty() => assert!(cut <= header + 2, "lost a row at {cut}"),
            Ok(raws) => {
                let end = row_ends[raws.len() - 1];
                // An empty last field needs no quotes: tags that were cut off cannot be missed.
                let without_tags = end - "\"t\"\r\n".len();
                let whole = (end - 2..=end).contains(&cut) || cut == without_tags;
                assert!(whole, "accepted a row cut at {cut}");
            }
            Err(refusal) => {
                let problem = &refusal.problems[0];
                let located = problem.row.is_some() && problem.column.is_some();
                assert!(
                    located || cut == 0 || bytes[..cut].len() < 3,
                    "{cut}: {problem}"
                );
            }
        }
    }
}

#[test]
fn each_fault_names_its_row_its_column_and_its_reason() {
    let row = |cells: &str| toggl(&format!("E,,,,,D,{cells}"));
    let cases = [
        (
            row("No,2026-02-30,09:00,2026-06-01,10:00,1:00,"),
            "row 2, column `Start date`: `2026-02-30` is not a date; known are 2024-04-03, \
             03.04.2024 and 04/03/2024, with four digits for the year",
        ),
        (
            row("No,2026-06-01,25:00,2026-06-01,10:00,1:00,"),
            "row 2, column `Start time`: `25:00` is not a time of day; known are 15:10, \
             15:10:43 and 3:10 PM",
        ),
        (
            row("No,2026-06-01,,2026-06-01,10:00,1:00,"),
            "row 2, column `Start time`: is empty",
        ),
        (
            row("No,,09:00,2026-06-01,10:00,1:00,"),
            "row 2, column `Start date`: is empty",
        ),
        (
            row("No,2026-06-01,09:00,2026-06-01,10:00,an hour,"),
            "row 2, column `Duration`: `an hour` is not a duration; known are 1:30:00, 1:30, \
             25:20 min, 1.5 and 1,5",
        ),
        (
            row("vielleicht,2026-06-01,09:00,2026-06-01,10:00,1:00,"),
            "row 2, column `Billable`: `vielleicht` is neither of the words for yes (yes, ja, \
             true, 1) nor for no (no, nein, false, 0)",
        ),
        (
            row("No,2026-06-01,09:00,2026-06-01,10:00,1:00"),
            "row 2, column `Tags`: the row has 12 fields and the header 13",
        ),
        (
            row("No,2026-06-01,09:00,2026-06-01,10:00,1:00,,"),
            "row 2, column `column 14`: the row has 14 fields and the header 13",
        ),
        (
            toggl("E,,\"C\"x,,,D,No,2026-06-01,09:00,2026-06-01,10:00,1:00,"),
            "row 2, column `Client`: goes on behind its closing quotation mark; a quotation \
             mark within a quoted text is written twice",
        ),
        (
            row("No,2026-06-01,09:00,2026-06-01,10:00,1:00,\"t"),
            "row 2, column `Tags`: begins with a quotation mark that is never closed; the file \
             was cut, or the mark belongs to the text and must be doubled",
        ),
    ];
    for (told, expected) in cases {
        assert_eq!(told, expected);
    }
}

#[test]
fn a_header_that_is_not_understood_is_told_with_what_is_there() {
    let refuse = |header: &str| {
        let file = format!("{header}\nx\n");
        refused(
            format("harvest-csv"),
            file.as_bytes(),
            &berlin(DateOrder::Detect),
        )
    };
    let told = refuse("Date,Project,Notes,Hours,First Name");
    assert_eq!(
        told,
        "row 1, column `Last Name`: is missing; the file has Date, Project, Notes, Hours, \
         First Name"
    );
    let told = refuse("Date,Project,Notes,Hours,First Name,Last Name,hours");
    assert_eq!(
        told,
        "row 1, column `Hours`: stands over more than one column; rename or remove one"
    );
    assert_eq!(refuse("").lines().count(), 6);
}

#[test]
fn an_encoding_that_is_not_read_is_named() {
    let format = format("toggl-csv");
    let utf16: Vec<u8> = "\u{feff}User"
        .encode_utf16()
        .flat_map(u16::to_le_bytes)
        .collect();
    let options = berlin(DateOrder::Detect);
    assert!(refused(format, &utf16, &options).contains("UTF-16"));
    assert!(refused(format, &utf16[2..], &options).contains("UTF-16"));
    assert!(refused(format, b"PK\x03\x04....", &options).contains("export it as CSV"));
    assert_eq!(
        refused(format, b"", &options),
        "the file is empty; a header row is needed"
    );

    let row = "E,,,,,D,No,2026-06-01,09:00,2026-06-01,10:00,1:00,\n";
    let mut file = format!("{TOGGL}\n{}", row.replace('D', "Ü")).into_bytes();
    file.extend_from_slice(&row.as_bytes()[..6]);
    file.extend_from_slice(b"\xFC");
    file.extend_from_slice(&row.as_bytes()[6..]);
    let told = refused(format, &file, &options);
    assert!(
        told.starts_with("row 3, column `Description`: is not valid UTF-8"),
        "{told}"
    );

    let file = file
        .iter()
        .map(|&byte| if byte > 0x7F { 0x81 } else { byte });
    let told = refused(format, &file.collect::<Vec<u8>>(), &options);
    assert!(
        told.starts_with("row 2, column `Description`: holds the byte 0x81"),
        "{told}"
    );
}

#[test]
fn twenty_problems_are_told_and_the_others_counted() {
    let mut file = format!("{TOGGL}\n");
    for minute in 10..35 {
        file.push_str("E,,,,,D,No,2026-06-01,09:00,2026-06-01,10:00,1:00,\n");
        writeln!(file, "E,,,,,D,No,2026-06-31,09:{minute},,,,").unwrap();
    }
    let mut handed_out = 0;
    let mut input = file.as_bytes();
    let read = format("toggl-csv").read(&mut input, &berlin(DateOrder::Detect), &mut |_| {
        handed_out += 1;
        Ok(())
    });
    let Err(ReadError::Refused(refusal)) = read else {
        panic!("{read:?}")
    };
    assert_eq!((refusal.problems.len(), refusal.more), (20, 5));
    assert_eq!(refusal.problems[19].row, Some(41));
    assert_eq!(
        handed_out, 1,
        "nothing more is handed out once the file is refused"
    );
}

#[test]
fn a_long_value_is_shortened_and_kept_on_one_line() {
    let told = toggl(&format!(
        "E,,,,,D,\"ja\n{}\",2026-06-01,09:00,,,,",
        "x".repeat(500)
    ));
    assert!(
        told.contains(&format!("`ja {}…`", "x".repeat(37))),
        "{told}"
    );
    assert_eq!(told.lines().count(), 1);
}

#[test]
fn a_quotation_mark_that_swallows_the_file_does_not_swallow_memory() {
    let row = "E,,,,,D,No,2026-06-01,09:00,2026-06-01,10:00,1:00,\n";
    let file = format!("{TOGGL}\n{row}\"{}", row.repeat(60_000));
    let told = refused(
        format("toggl-csv"),
        file.as_bytes(),
        &berlin(DateOrder::Detect),
    );
    assert!(
        told.starts_with("row 3, column `User`: makes the row longer than 1 MiB"),
        "{told}"
    );
}

#[test]
fn a_receiver_that_stops_ends_the_reading() {
    let file = quoted();
    let mut input = file.as_bytes();
    let mut calls = 0;
    let read = format("toggl-csv").read(&mut input, &berlin(DateOrder::Detect), &mut |_| {
        calls += 1;
        Err("disk full".into())
    });
    match read {
        Err(ReadError::Sink(error)) => assert_eq!(error.to_string(), "disk full"),
        other => panic!("{other:?}"),
    }
    assert_eq!(calls, 1);
}

#[test]
fn a_source_that_fails_midway_is_refused_at_its_row() {
    struct Failing<'a>(&'a [u8]);
    impl Read for Failing<'_> {
        fn read(&mut self, buffer: &mut [u8]) -> std::io::Result<usize> {
            match self.0.read(buffer)? {
                0 => Err(std::io::Error::other("the disk is gone")),
                bytes => Ok(bytes),
            }
        }
    }
    let row = "E,,,,,D,No,2026-06-01,09:00,2026-06-01,10:00,1:00,\n";
    let file = format!("{TOGGL}\n{}", row.repeat(3000));
    let mut input = Failing(file.as_bytes());
    let read = format("toggl-csv").read(&mut input, &berlin(DateOrder::Detect), &mut |_| Ok(()));
    let Err(ReadError::Refused(refusal)) = read else {
        panic!("{read:?}")
    };
    assert!(
        told(&refusal).contains("the disk is gone"),
        "{}",
        told(&refusal)
    );
}

#[test]
fn a_raw_record_that_is_none_of_ours_is_rejected() {
    let format = format("toggl-csv");
    let mut raws = accepted(format, quoted().as_bytes(), &berlin(DateOrder::Detect));
    let good = raws.remove(0);
    for (from, to, field) in [
        ("Europe/Berlin", "Europe/Bielefeld", Some("zone")),
        ("2026-06-01", "2026-13-01", Some("date")),
        ("10:00:00", "11:00:00", Some("duration")),
        ("{", "", None),
    ] {
        let mut raw = good.clone();
        raw.body = raw.body.replacen(from, to, 9);
        let reject = format.normalise(&raw).unwrap_err();
        assert_eq!(reject.field, field, "{reject}");
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2000))]

    /// Bytes changed, removed or added anywhere: read or refused, and what was read is normal.
    #[test]
    fn damage_never_panics(
        damage in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>(), 0..3_u8), 1..6),
        name in prop::sample::select(vec!["toggl-csv", "clockify-csv", "harvest-csv"]),
    ) {
        let mut file = match name {
            "toggl-csv" => quoted(),
            "clockify-csv" => "Description,Start Date,Start Time,End Date,End Time,Duration (h)\n\
                               D,06/01/2026,9:00 AM,06/01/2026,10:00 AM,01:00:00\n\
                               D,06/21/2026,9:00 AM,06/21/2026,10:00 AM,01:00:00\n".to_owned(),
            _ => "Date,Project,Notes,Hours,First Name,Last Name\n\
                  2026-06-01,P,N,\"1,5\",E,M\n2026-06-02,P,N,\"0,25\",E,M\n".to_owned(),
        }
        .into_bytes();
        for (index, byte, kind) in damage {
            let at = index.index(file.len());
            match kind {
                0 => file[at] = byte,
                1 => drop(file.remove(at)),
                _ => file.insert(at, byte),
            }
        }
        let format = format(name);
        if let Ok(raws) = read(format, &file, &berlin(DateOrder::Detect)) {
            // What was accepted can be normalised: the two never differ.
            entries(format, &raws);
        }
    }
}
