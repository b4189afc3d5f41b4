//! CSV and JSON against the statement, to the cent and to the second.

use chrono::{DateTime, NaiveDateTime};
use proptest::prelude::*;
use rust_decimal::Decimal;
use stundenbuch::billing::{Language, Statement};
use stundenbuch::render::{Format, render};

use super::sample::{self, HOSTILE};

fn bytes(statement: &Statement, format: Format) -> Vec<u8> {
    render(statement, format, None).unwrap().bytes
}

/// Every record of a table after its header, read by somebody else's parser.
fn records(bytes: &[u8], delimiter: u8) -> (Vec<String>, Vec<Vec<String>>) {
    let mut reader = csv::ReaderBuilder::new()
        .delimiter(delimiter)
        .from_reader(bytes);
    let header = reader
        .headers()
        .unwrap()
        .iter()
        .map(str::to_owned)
        .collect();
    let rows = reader
        .records()
        .map(|record| record.unwrap().iter().map(str::to_owned).collect());
    (header, rows.collect())
}

fn decimal(text: &str) -> Decimal {
    text.replace(',', ".").parse().unwrap()
}

fn seconds_of_clock(text: &str) -> i64 {
    if let Some(positive) = text.strip_prefix('-') {
        return -seconds_of_clock(positive);
    }
    let mut parts = text.split(':').map(|part| part.parse::<i64>().unwrap());
    let (hours, minutes) = (parts.next().unwrap(), parts.next().unwrap());
    hours * 3600 + minutes * 60 + parts.next().unwrap_or(0)
}

/// What the shares of each line must add up to.
fn charged(statement: &Statement) -> Decimal {
    statement
        .lines
        .iter()
        .filter(|line| {
            statement
                .entries
                .iter()
                .any(|e| e.line == Some(line.position))
        })
        .map(|line| line.amount.to_decimal())
        .sum()
}

fn check_people(statement: &Statement) {
    let german = statement.language == Language::De;
    let bytes = bytes(statement, Format::Csv);
    let table = bytes
        .strip_prefix(b"\xef\xbb\xbf")
        .expect("a byte order mark");
    let (header, rows) = records(table, if german { b';' } else { b',' });
    assert_eq!(header.len(), 16);
    assert_eq!(rows.len(), statement.entries.len());
    let mut sum = Decimal::ZERO;
    for (row, entry) in rows.iter().zip(&statement.entries) {
        let texts = [
            (3, entry.person.as_deref()),
            (4, entry.project.as_deref()),
            (5, entry.task.as_ref().map(|task| task.title.as_str())),
            (6, entry.task.as_ref().and_then(|task| task.url.as_deref())),
            (7, Some(entry.description.as_str())),
        ];
        for (column, text) in texts {
            let (cell, text) = (row[column].as_str(), text.unwrap_or_default());
            assert_eq!(
                cell.strip_prefix('\'')
                    .filter(|_| !text.starts_with('\''))
                    .unwrap_or(cell),
                text,
                "column {column}"
            );
            assert!(
                !cell.starts_with(['=', '+', '-', '@', '\t', '\r']),
                "{cell:?} is a formula"
            );
        }
        let time = if german {
            "%d.%m.%Y %H:%M:%S"
        } else {
            "%Y-%m-%d %H:%M:%S"
        };
        match entry.start {
            Some(start) => assert_eq!(
                NaiveDateTime::parse_from_str(&row[1], time).unwrap(),
                start.naive_local()
            ),
            None => assert_eq!(row[1], ""),
        }
        assert_eq!(seconds_of_clock(&row[10]), entry.tracked_seconds);
        assert_eq!(seconds_of_clock(&row[12]), entry.billed_seconds);
        let hours = decimal(&row[13]) * Decimal::from(3600);
        assert_eq!(hours.round(), Decimal::from(entry.billed_seconds));
        assert!(row[14].contains(if german { ',' } else { '.' }));
        sum += decimal(&row[14]);
    }
    assert_eq!(sum, charged(statement), "the shares add up to the lines");
}

fn check_programs(statement: &Statement) {
    let bytes = bytes(statement, Format::CsvRaw);
    let (header, rows) = records(&bytes, b',');
    let column = |name: &str| header.iter().position(|title| title == name).unwrap();
    assert_eq!(rows.len(), statement.entries.len());
    let mut sum = Decimal::ZERO;
    let mut tracked = 0i64;
    for (row, entry) in rows.iter().zip(&statement.entries) {
        let task = entry.task.as_ref();
        assert_eq!(row[column("description")], entry.description);
        assert_eq!(row[column("work")], entry.work);
        assert_eq!(
            row[column("person")],
            entry.person.clone().unwrap_or_default()
        );
        assert_eq!(
            row[column("task")],
            task.map(|t| t.title.clone()).unwrap_or_default()
        );
        assert_eq!(row[column("date")], entry.date.to_string());
        let start = &row[column("start")];
        assert_eq!(entry.start, DateTime::parse_from_rfc3339(start).ok());
        assert_eq!(
            row[column("billed_seconds")],
            entry.billed_seconds.to_string()
        );
        tracked += row[column("tracked_seconds")].parse::<i64>().unwrap();
        sum += row[column("amount_share")].parse::<Decimal>().unwrap();
    }
    assert_eq!(tracked, statement.totals.tracked_seconds);
    assert_eq!(sum, charged(statement));
}

fn check_json(statement: &Statement) {
    let bytes = bytes(statement, Format::Json);
    let back: Statement = serde_json::from_slice(&bytes).unwrap();
    assert_eq!(&back, statement);
    let value: serde_json::Value = serde_json::from_slice(&bytes).unwrap();
    assert_eq!(
        value["totals"]["net"],
        statement.totals.net.get(),
        "cents as an integer"
    );
}

proptest! {
    #[test]
    fn every_table_says_what_the_statement_says(statement in sample::random(12)) {
        check_people(&statement);
        check_programs(&statement);
        check_json(&statement);
        for format in [Format::Csv, Format::CsvRaw, Format::Json] {
            prop_assert_eq!(bytes(&statement, format), bytes(&statement, format));
        }
    }
}

#[test]
fn hostile_texts_stay_texts() {
    let entries = HOSTILE.iter().zip(1..).map(|(text, day)| {
        let mut entry = sample::entry(day, 9, 30, Some(1));
        entry.description = (*text).to_owned();
        entry
    });
    let statement = sample::statement(Language::De, entries.collect());
    check_people(&statement);
    check_programs(&statement);
}

/// A pivot must be able to add it, so the apostrophe is for foreign text only.
#[test]
fn our_own_negative_amounts_stay_numbers() {
    let mut entry = sample::entry(5, 9, 20, Some(1));
    entry.billed_seconds = -1200;
    let statement = sample::statement(Language::De, vec![entry]);
    let bytes = bytes(&statement, Format::Csv);
    let text = String::from_utf8(bytes).unwrap();
    assert!(text.ends_with(";-0:20;-0,333333;-19,67;EUR\r\n"), "{text}");
}

#[test]
fn the_table_for_people_looks_like_this() {
    let statement = sample::statement(Language::De, vec![sample::entry(5, 9, 20, Some(1))]);
    let text = String::from_utf8(bytes(&statement, Format::Csv)).unwrap();
    let rows: Vec<&str> = text.trim_start_matches('\u{feff}').split("\r\n").collect();
    assert_eq!(
        rows,
        [
            "Datum;Beginn;Ende;Person;Projekt;Aufgabe;Link;Beschreibung;Berechnet;Position;\
         Erfasst (h:mm);Erfasst (Std.);Abgerechnet (h:mm);Abgerechnet (Std.);\
         Betrag (anteilig);Währung",
            "05.10.2026;05.10.2026 09:05:00;05.10.2026 09:25:00;Jana Sommer;Telefonservice;\
         Rückrufe Handwerker;https://example.com/c/4711;Termine vereinbart und bestätigt;ja;1;\
         0:20;0,333333;0:20;0,333333;19,67;EUR",
            "",
        ]
    );
}

#[test]
fn tables_have_what_is_corrected_and_add_up_to_the_totals() {
    for language in [Language::De, Language::En] {
        let statement = sample::correcting(language);
        let totals = &statement.totals;
        let (header, rows) = records(&bytes(&statement, Format::CsvRaw), b',');
        let column = |name: &str| header.iter().position(|title| title == name).unwrap();
        let sum =
            |name: &str| -> Decimal { rows.iter().map(|row| decimal(&row[column(name)])).sum() };
        assert_eq!(sum("tracked_seconds"), totals.tracked_seconds.into());
        assert_eq!(sum("amount_share"), totals.net.to_decimal());
        let corrects: Vec<_> = rows
            .iter()
            .map(|row| row[column("corrects")].as_str())
            .collect();
        assert_eq!(corrects, ["", "2026-0003:4", "2026-0003"]);

        let people = bytes(&statement, Format::Csv);
        let table = people.strip_prefix(b"\xef\xbb\xbf").unwrap();
        let german = language == Language::De;
        let (header, rows) = records(table, if german { b';' } else { b',' });
        assert_eq!(header[16], if german { "Bezug" } else { "Refers to" });
        let seconds: i64 = rows.iter().map(|row| seconds_of_clock(&row[10])).sum();
        assert_eq!(seconds, totals.tracked_seconds);
        let net: Decimal = rows.iter().map(|row| decimal(&row[14])).sum();
        assert_eq!(net, totals.net.to_decimal());
        assert_eq!(rows[2][7], "'=Rückruf", "foreign words are inert here, too");
        assert!(rows[1][16].starts_with("2026-0003, "));
    }
}

#[test]
fn file_names_tell_what_is_inside() {
    let mut statement = sample::statement(Language::De, Vec::new());
    let name = |statement: &Statement, format| render(statement, format, None).unwrap().file_name;
    assert_eq!(
        name(&statement, Format::CsvRaw),
        "Leistungsnachweis_2026-10_mueller_2026-0007.raw.csv"
    );
    statement.period = "2026-10-05..2026-10-18".parse().unwrap();
    statement.language = Language::En;
    assert_eq!(
        name(&sample::draft(statement), Format::Json),
        "Time-report_2026-10-05_2026-10-18_mueller_Draft.json"
    );
}
