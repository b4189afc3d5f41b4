//! What the month adds up to, computed from the exports without the program: other parsing,
//! other arithmetic, in whole seconds and thousandths of a cent.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::Path;

use serde_json::Value;

/// A row of a time sheet.
struct Row {
    client: String,
    project: String,
    text: String,
    billable: bool,
    /// `2026-10-08`
    day: String,
    seconds: i64,
}

/// Everything that was worked, once.
pub(super) struct Month {
    rows: Vec<Row>,
    /// Short link and title of each card of the engineers' board.
    cards: Vec<(String, String)>,
}

/// The numbers of one statement.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Sums {
    /// Billed seconds and cents of each line, sorted.
    pub(super) lines: Vec<(i64, i64)>,
    entries: usize,
    tracked: i64,
    pub(super) net: i64,
    vat: i64,
    gross: i64,
}

impl Month {
    pub(super) fn read(drive: &Path) -> Self {
        let read = |path: &str| fs::read_to_string(drive.join(path)).unwrap();
        let mut rows = Vec::new();
        // Client, day, start and seconds: what stands in both lists was worked once.
        let mut seen = BTreeSet::new();
        for line in read("Zeiten/toggl-2026-10-01_2026-10-31.csv")
            .lines()
            .skip(1)
        {
            let cells = cells(line, ',');
            let [
                _,
                _,
                client,
                project,
                _,
                text,
                billable,
                day,
                start,
                _,
                _,
                duration,
                _,
            ] = &cells[..]
            else {
                panic!("{line}")
            };
            let seconds = clock(duration);
            seen.insert((client.clone(), day.clone(), clock(start), seconds));
            rows.push(Row {
                client: client.clone(),
                project: project.clone(),
                text: text.clone(),
                billable: billable == "Yes",
                day: day.clone(),
                seconds,
            });
        }
        assert_eq!(rows.len(), 100);
        for line in read("Zeiten/vor-ort-2026-10.csv").lines().skip(1) {
            let cells = cells(line, ';');
            let [day, from, until, pause, client, project, text] = &cells[..] else {
                panic!("{line}")
            };
            let day = day.split('.').rev().collect::<Vec<_>>().join("-");
            let pause = if pause.is_empty() { 0 } else { clock(pause) };
            let seconds = clock(until) - clock(from) - pause;
            if !seen.contains(&(client.clone(), day.clone(), clock(from), seconds)) {
                let (client, project, text) = (client.clone(), project.clone(), text.clone());
                rows.push(Row {
                    client,
                    project,
                    text,
                    billable: true,
                    day,
                    seconds,
                });
            }
        }
        assert_eq!(rows.len(), 110);
        let board: Value =
            serde_json::from_str(&read("Boards/quertraeger-2026-10-31.json")).unwrap();
        let of = |card: &Value, key: &str| card[key].as_str().unwrap().to_owned();
        let cards = board["cards"].as_array().unwrap();
        let cards = cards
            .iter()
            .map(|card| (of(card, "shortLink"), of(card, "name")))
            .collect();
        Self { rows, cards }
    }

    fn of(&self, client: &str) -> Vec<&Row> {
        self.rows
            .iter()
            .filter(|row| row.client == client)
            .collect()
    }

    /// A line for each project and rate, rounded to the minute; the rate rose on the 15th.
    pub(super) fn kruemel(&self) -> Sums {
        let rows = self.of("Bäckerei Krümel & Söhne");
        let mut lines: BTreeMap<(&str, i64), i64> = BTreeMap::new();
        for row in rows.iter().filter(|row| row.billable) {
            let rate = if row.day.as_str() < "2026-10-15" {
                5900
            } else {
                6250
            };
            *lines.entry((&row.project, rate)).or_default() += row.seconds;
        }
        assert_eq!(lines.len(), 6, "three projects at two rates");
        sums(
            &rows,
            lines
                .into_iter()
                .map(|((_, rate), seconds)| (minutes(seconds), rate)),
        )
    }

    /// A line for each project; the grant's contract is over, and honorary work is not charged.
    pub(super) fn moorlicht(&self) -> Sums {
        let mut rows = self.of("Moorlicht e. V.");
        let all = rows.len();
        rows.retain(|row| row.project != "Moorlicht Förderantrag");
        assert_eq!(all - rows.len(), 1);
        let mut lines: BTreeMap<&str, i64> = BTreeMap::new();
        for row in rows.iter().filter(|row| row.billable) {
            *lines.entry(&row.project).or_default() += row.seconds;
        }
        assert!(rows.iter().any(|row| !row.billable));
        sums(
            &rows,
            lines.into_values().map(|seconds| (minutes(seconds), 4900)),
        )
    }

    /// A line for each card, each entry rounded up to a quarter of an hour.
    pub(super) fn quertraeger(&self) -> Sums {
        let rows = self.of("Querträger Ingenieure");
        let mut lines: BTreeMap<Option<&str>, i64> = BTreeMap::new();
        for row in &rows {
            let card = self.cards.iter().find(|(link, title)| {
                row.text == *title || row.text.contains(&format!("/c/{link}"))
            });
            let quarters = (row.seconds + 899) / 900;
            *lines
                .entry(card.map(|(link, _)| link.as_str()))
                .or_default() += quarters * 900;
        }
        assert_eq!(lines.len(), 10, "nine cards, and a call on none");
        sums(&rows, lines.into_values().map(|seconds| (seconds, 7250)))
    }
}

impl Sums {
    /// Those that the program printed.
    pub(super) fn of(statement: &Value) -> Self {
        let int = |value: &Value| value.as_i64().unwrap();
        let lines = statement["lines"].as_array().unwrap();
        let mut lines: Vec<_> = lines
            .iter()
            .map(|line| (int(&line["billed_seconds"]), int(&line["amount"])))
            .collect();
        lines.sort_unstable();
        let totals = &statement["totals"];
        Self {
            lines,
            entries: statement["entries"].as_array().unwrap().len(),
            tracked: int(&totals["tracked_seconds"]),
            net: int(&totals["net"]),
            vat: int(&totals["vat"]["amount"]),
            gross: int(&totals["gross"]),
        }
    }
}

/// From the lines, each with its seconds and its rate in cents.
fn sums(rows: &[&Row], lines: impl Iterator<Item = (i64, i64)>) -> Sums {
    let half_up = |value: i64, by: i64| (2 * value + by) / (2 * by);
    let mut lines: Vec<_> = lines
        .map(|(seconds, rate)| (seconds, half_up(seconds * rate, 3600)))
        .collect();
    lines.sort_unstable();
    let net = lines.iter().map(|line| line.1).sum();
    let vat = half_up(net * 19, 100);
    Sums {
        lines,
        entries: rows.len(),
        tracked: rows.iter().map(|row| row.seconds).sum(),
        net,
        vat,
        gross: net + vat,
    }
}

/// To the nearest minute.
fn minutes(seconds: i64) -> i64 {
    (seconds + 30) / 60 * 60
}

/// `7:05`, `07:05:30` as seconds.
fn clock(text: &str) -> i64 {
    let parts: Vec<i64> = text.split(':').map(|part| part.parse().unwrap()).collect();
    parts
        .iter()
        .zip([3600, 60, 1])
        .map(|(part, unit)| part * unit)
        .sum()
}

/// The cells of a line; a quotation mark within quotes does not occur in the demo.
fn cells(line: &str, delimiter: char) -> Vec<String> {
    let mut cells = vec![String::new()];
    let mut quoted = false;
    for letter in line.chars() {
        match letter {
            '"' => quoted = !quoted,
            _ if letter == delimiter && !quoted => cells.push(String::new()),
            _ => cells.last_mut().unwrap().push(letter),
        }
    }
    cells
}
