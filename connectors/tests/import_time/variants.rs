//! The same work, exported with other preferences, is the same records with the same identities.

use std::fmt::Write as _;

use super::*;
use chrono::{DateTime, Datelike, NaiveDateTime, TimeDelta, Utc};
use proptest::prelude::*;
use stundenbuch_connectors::import::doubts;
use stundenbuch_connectors::record::Worked;

#[derive(Clone, Debug)]
struct Row {
    start: DateTime<Utc>,
    seconds: i64,
    running: bool,
    texts: [String; 4],
    billable: bool,
}

/// How a file is written; what the exporting person, program and year decide.
#[derive(Clone, Debug)]
#[expect(clippy::struct_excessive_bools, reason = "each is a habit of its own")]
struct Style {
    bom: bool,
    line_end: &'static str,
    delimiter: char,
    quote_all: bool,
    date: usize,
    twelve_hours: bool,
    amount: Option<&'static str>,
    capitals: bool,
    rotate: usize,
    windows_1252: bool,
    short_durations: bool,
}

fn rows() -> impl Strategy<Value = Vec<Row>> {
    // Letters that Windows-1252 writes as bytes which are never UTF-8.
    let text = || "[a-zA-Z0-9 ,;\"äöüß\n\t-]{0,12}".prop_map(|text: String| text.trim().to_owned());
    // 2026-01-01 to 2026-12-31, both nights with all their minutes more often than others.
    let start = prop_oneof![
        1_767_225_600_i64..1_798_675_200,
        1_774_738_800_i64..1_774_753_200,
        1_792_877_400_i64..1_792_895_400,
    ];
    let seconds = prop_oneof![4 => 0_i64..20_000, 1 => 0_i64..200_000];
    let row = (
        start,
        seconds,
        prop::bool::weighted(0.1),
        [text(), text(), text(), text()],
        any::<bool>(),
    );
    let row = row.prop_map(|(start, seconds, running, texts, billable)| Row {
        start: DateTime::from_timestamp(start, 0).unwrap(),
        seconds,
        running,
        texts,
        billable,
    });
    prop::collection::vec(row, 1..12)
}

fn style() -> impl Strategy<Value = Style> {
    let first = (
        any::<bool>(),
        prop::sample::select(vec!["\n", "\r\n", "\r"]),
        prop::sample::select(vec![',', ';', '\t']),
        any::<bool>(),
        0..6_usize,
        any::<bool>(),
    );
    let second = (
        prop::sample::select(vec![
            None,
            Some("Amount ()"),
            Some("Amount (EUR)"),
            Some("Amount"),
        ]),
        any::<bool>(),
        0..13_usize,
        any::<bool>(),
        any::<bool>(),
    );
    (first, second).prop_map(|(first, second)| Style {
        bom: first.0 && !second.3,
        line_end: first.1,
        delimiter: first.2,
        quote_all: first.3,
        date: first.4,
        twelve_hours: first.5,
        amount: second.0,
        capitals: second.1,
        rotate: second.2,
        windows_1252: second.3,
        short_durations: second.4,
    })
}

impl Style {
    fn order(&self) -> DateOrder {
        match self.date {
            2 | 4 => DateOrder::DayFirst,
            3 | 5 => DateOrder::MonthFirst,
            _ => DateOrder::Detect,
        }
    }

    fn date(&self, at: NaiveDateTime) -> String {
        let (y, m, d) = (at.year(), at.month(), at.day());
        match self.date {
            0 => format!("{y}-{m:02}-{d:02}"),
            1 => format!("{d:02}.{m:02}.{y}"),
            2 => format!("{d:02}/{m:02}/{y}"),
            3 => format!("{m:02}/{d:02}/{y}"),
            4 => format!("{d:02}-{m:02}-{y}"),
            _ => format!("{m}-{d}-{y}"),
        }
    }

    fn time(&self, at: NaiveDateTime) -> String {
        let pattern = if self.twelve_hours {
            "%I:%M:%S %p"
        } else {
            "%H:%M:%S"
        };
        at.format(pattern).to_string()
    }

    fn duration(&self, seconds: i64) -> String {
        let (hours, minutes, rest) = (seconds / 3600, seconds / 60 % 60, seconds % 60);
        match (self.short_durations, hours) {
            (true, 0) if minutes == 0 => format!("{rest} sec"),
            (true, 0) => format!("{minutes:02}:{rest:02} min"),
            // What a spreadsheet on a 12-hour clock makes of it.
            _ if self.twelve_hours && seconds < 86_400 => {
                let (half, hours) = (if hours < 12 { "AM" } else { "PM" }, (hours + 11) % 12 + 1);
                format!("{hours:02}:{minutes:02}:{rest:02} {half}")
            }
            _ => format!("{hours}:{minutes:02}:{rest:02}"),
        }
    }

    fn cells(&self, row: &Row) -> Vec<String> {
        let wall = |at: DateTime<Utc>| at.with_timezone(&Tz::Europe__Berlin).naive_local();
        let start = wall(row.start);
        let stop = wall(row.start + TimeDelta::seconds(row.seconds));
        let [client, project, description, tag] = &row.texts;
        let mut cells = vec![
            "Erika Mustermann".to_owned(),
            "Erika@Example.com".to_owned(),
            client.clone(),
            project.clone(),
            String::new(),
            description.clone(),
            if row.billable { "Yes" } else { "No" }.to_owned(),
            self.date(start),
            self.time(start),
            self.date(stop),
            self.time(stop),
            self.duration(row.seconds),
            format!("zeit, {tag}, abc, zeit"),
        ];
        if row.running {
            for cell in &mut cells[9..12] {
                cell.clear();
            }
        }
        if self.amount.is_some() {
            cells.push("12.50".to_owned());
        }
        cells
    }

    fn file(&self, rows: &[Row]) -> Vec<u8> {
        let mut header: Vec<String> = TOGGL.split(',').map(str::to_owned).collect();
        header.extend(self.amount.map(str::to_owned));
        if self.capitals {
            header = header.iter().map(|name| name.to_uppercase()).collect();
        }
        let mut text = String::new();
        for mut cells in std::iter::once(header).chain(rows.iter().map(|row| self.cells(row))) {
            cells.rotate_left(self.rotate);
            let cells: Vec<String> = cells.iter().map(|cell| self.cell(cell)).collect();
            let delimiter = self.delimiter.to_string();
            write!(text, "{}{}", cells.join(&delimiter), self.line_end).unwrap();
        }
        if self.windows_1252 {
            return text
                .chars()
                .map(|letter| u8::try_from(letter).unwrap())
                .collect();
        }
        let mark = if self.bom { "\u{feff}" } else { "" };
        format!("{mark}{text}").into_bytes()
    }

    fn cell(&self, cell: &str) -> String {
        if self.quote_all || cell.contains(['"', '\n', '\r', self.delimiter]) {
            format!("\"{}\"", cell.replace('"', "\"\""))
        } else {
            cell.to_owned()
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(512))]

    #[test]
    fn every_style_gives_the_same_records(rows in rows(), one in style(), other in style()) {
        let format = format("toggl-csv");
        let read_in = |style: &Style| {
            let raws = accepted(format, &style.file(&rows), &berlin(style.order()));
            let ids: Vec<_> = raws.iter().map(|raw| raw.id.clone()).collect();
            (ids, entries(format, &raws), raws)
        };
        let (ids, entries, raws) = read_in(&one);
        let (other_ids, other_entries, _) = read_in(&other);
        prop_assert_eq!(&ids, &other_ids);
        prop_assert_eq!(&entries, &other_entries);

        prop_assert_eq!(entries.len(), rows.len());
        for ((row, entry), raw) in rows.iter().zip(&entries).zip(&raws) {
            let (expected, start) = match entry.worked {
                Worked::Running { start } => (None, start),
                Worked::Span { start, .. } => (Some(row.seconds), start),
                Worked::Day { .. } => panic!("the file has times"),
            };
            prop_assert_eq!(entry.worked.seconds(), expected);
            prop_assert_eq!(row.running, expected.is_none());
            prop_assert!(start == row.start || !doubts(raw).is_empty());
            prop_assert_eq!(&entry.description, &row.texts[2]);
            prop_assert_eq!(entry.billable, Some(row.billable));
        }
    }

    /// Rows that differ in what they are known by keep their identities in any order; equal rows
    /// share out theirs.
    #[test]
    fn the_order_of_the_rows_does_not_matter(
        rows in rows(),
        turn in 0..12_usize,
        style in style(),
    ) {
        let format = format("toggl-csv");
        let mut rows = rows;
        let copies: Vec<Row> = rows.iter().take(2).cloned().collect();
        rows.extend(copies.iter().cloned());
        rows.extend(copies);
        let ids = |rows: &[Row]| {
            let raws = accepted(format, &style.file(rows), &berlin(style.order()));
            let mut ids: Vec<_> = raws.into_iter().map(|raw| raw.id).collect();
            ids.sort_unstable();
            ids
        };
        let before = ids(&rows);
        let turn = turn % rows.len();
        rows.rotate_left(turn);
        rows.reverse();
        prop_assert_eq!(&before, &ids(&rows));
        let mut unique = before.clone();
        unique.dedup();
        prop_assert_eq!(unique.len(), before.len());
    }
}

#[test]
fn each_part_of_the_identity_tells_rows_apart_and_nothing_else_does() {
    let format = format("toggl-csv");
    let id = |cells: &str| {
        let file = format!("{TOGGL}\n{cells}\n");
        accepted(format, file.as_bytes(), &berlin(DateOrder::Detect))[0]
            .id
            .clone()
    };
    let base = "E,e@x.de,C,P,T,D,Yes,2026-06-01,09:00:00,2026-06-01,10:00:00,1:00:00,a";
    let apart = [
        "E,f@x.de,C,P,T,D,Yes,2026-06-01,09:00:00,2026-06-01,10:00:00,1:00:00,a",
        "E,e@x.de,K,P,T,D,Yes,2026-06-01,09:00:00,2026-06-01,10:00:00,1:00:00,a",
        "E,e@x.de,C,Q,T,D,Yes,2026-06-01,09:00:00,2026-06-01,10:00:00,1:00:00,a",
        "E,e@x.de,C,P,T,G,Yes,2026-06-01,09:00:00,2026-06-01,10:00:00,1:00:00,a",
        "E,e@x.de,C,P,T,D,Yes,2026-06-01,09:00:01,2026-06-01,10:00:01,1:00:00,a",
        "E,e@x.de,C,PD,T,,Yes,2026-06-01,09:00:00,2026-06-01,10:00:00,1:00:00,a",
    ];
    for row in apart {
        assert_ne!(id(base), id(row), "{row}");
    }
    let same = [
        "F,E@X.DE,C,P,U,D,No,2026-06-01,9:00,2026-06-01,11:00:00,2:00:00,",
        "E,e@x.de,C,P,,D,,01.06.2026,09:00:00 AM,01.06.2026,09:30 AM,00:30:00 AM,b",
        "E,e@x.de,C,P,T,D,Yes,2026-06-01,09:00:00,,,,a",
    ];
    for row in same {
        assert_eq!(id(base), id(row), "{row}");
    }
}
