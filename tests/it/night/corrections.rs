//! What is done about billed work that has changed: corrected, changed again, cancelled, and
//! billed anew; and how the documents and the commands lead from one to the other.

use std::collections::{BTreeMap, BTreeSet};
use std::process::Command;

use serde_json::Value;
use stundenbuch::billing::Statement;
use stundenbuch::finding::Kind;
use stundenbuch::render::{self, Format};
use stundenbuch::run::review::review;
use stundenbuch::statements::{self, CancelError, CorrectError, Wanted};
use stundenbuch_connectors::clock::Clock as _;

use super::drift::{add, drifted, house, shorten, subjects};
use super::house::{House, stundenbuch};
use super::statements::{seal, work_of};

fn look(house: &mut House) {
    let now = house.clock.now();
    review(&mut house.store, &house.config, now).unwrap();
}

fn correct(house: &mut House, number: &str) -> Result<usize, CorrectError> {
    let now = house.clock.now();
    let wanted = Wanted::default();
    let drifts = statements::correct(&mut house.store, &house.config, number, &wanted, now)?;
    look(house);
    Ok(drifts.len())
}

fn cancel(house: &mut House, number: &str) -> Result<Statement, CancelError> {
    let now = house.clock.now();
    let made = statements::cancel(&mut house.store, &house.config, number, now)?;
    look(house);
    Ok(made)
}

fn number(statement: &Statement) -> String {
    statement.number.clone().unwrap()
}

/// A sealed entry of 2:30 h, half an hour less, and that corrected on the next statement.
async fn corrected(house: &mut House) -> (i64, [Statement; 2]) {
    let long = add(house, "2026-10-15", 6, 150);
    add(house, "2026-11-01", 6, 60);
    house.night().await;
    let first = seal(house, "2026-10-15").unwrap();
    shorten(house, long, 30);
    house.night().await;
    assert_eq!(drifted(house).len(), 1);
    assert_eq!(correct(house, &number(&first)).unwrap(), 1);
    assert_eq!(drifted(house), [], "accepted is not told again");
    let again = correct(house, &number(&first));
    assert!(matches!(again, Err(CorrectError::Nothing(_))), "{again:?}");
    let second = seal(house, "2026-11-01").unwrap();
    (long, [first, second])
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_correction_is_charged_once_and_is_what_further_change_is_told_against() {
    let mut house = house().await;
    let (long, [sealed, second]) = corrected(&mut house).await;
    let first = number(&sealed);

    // 59.00 for the new hour, 29.50 back; 19 % of 29.50 are 5.605.
    let totals = &second.totals;
    let money = [totals.net, totals.vat.clone().unwrap().amount, totals.gross];
    assert_eq!(money.map(|it| it.to_string()), ["29.50", "5.61", "35.11"]);
    assert_eq!(second.corrections.len(), 1);
    let corrected = &second.corrections[0];
    assert_eq!(
        (corrected.statement.as_str(), corrected.position),
        (first.as_str(), Some(1))
    );
    let line = second
        .lines
        .iter()
        .find(|it| corrected.lines.contains(&it.position));
    let title = "Korrektur zu 2026-0001, Position 1: Leistungen nach Aufwand (15.10.2026)";
    assert_eq!(line.unwrap().title, title);

    // Changed again, and back again: each is told against what was corrected before.
    shorten(&house, long, -60);
    house.night().await;
    assert!(
        drifted(&house)[0]
            .sentence
            .ends_with("+1:00 h, +59.00 EUR.")
    );
    correct(&mut house, &first).unwrap();
    shorten(&house, long, 30);
    house.night().await;
    assert!(
        drifted(&house)[0]
            .sentence
            .ends_with("−0:30 h, −29.50 EUR.")
    );
    correct(&mut house, &first).unwrap();
    let third = seal(&mut house, "2026-11-01").unwrap();
    assert_eq!(
        third.totals.net.to_string(),
        "29.50",
        "a statement of corrections alone"
    );
    assert_eq!((third.corrections.len(), third.entries.len()), (2, 0));
    assert_eq!(
        house.store.statement(&first).unwrap(),
        Some(sealed),
        "sealed means sealed"
    );
    // 2:30 h and 1:00 h at 59.00, over all of them.
    assert_eq!(net(&house), 20_650);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_cancelled_statement_is_billed_anew() {
    let mut house = house().await;
    corrected(&mut house).await;
    let charged = cancel(&mut house, "2026-0001");
    assert!(
        matches!(charged, Err(CancelError::Charged { .. })),
        "{charged:?}"
    );
    for of in ["2026-0002", "2026-0001"] {
        let made = cancel(&mut house, of).unwrap();
        assert_eq!(made.cancels.unwrap().number, *of);
        let again = cancel(&mut house, of);
        assert!(
            matches!(again, Err(CancelError::Already { .. })),
            "{again:?}"
        );
    }
    let reversal = cancel(&mut house, "2026-0004");
    assert!(
        matches!(reversal, Err(CancelError::Reversal { .. })),
        "{reversal:?}"
    );
    assert_eq!(net(&house), 0);
    house.night().await;
    assert_eq!(drifted(&house), []);
    assert_eq!(house.findings(Kind::LateEntry), []);
    let anew = ["2026-10-15", "2026-11-01"].map(|day| seal(&mut house, day).unwrap());
    let anew = anew.map(|it| (number(&it), it.totals.net.to_string()));
    // 2:00 h, as they are by now, and without a correction; and 1:00 h.
    let expected = [("2026-0005", "118.00"), ("2026-0006", "59.00")];
    assert_eq!(
        anew,
        expected.map(|(number, net)| (number.to_owned(), net.to_owned()))
    );
    assert_eq!(net(&house), 17_700);
    assert_eq!(house.store.verify().unwrap().damage, None);
}

/// The net sum of all statements, in cents.
fn net(house: &House) -> i64 {
    let rows = house.store.statements().unwrap().into_iter();
    let statements = rows.map(|row| house.store.statement(&row.number).unwrap().unwrap());
    statements.map(|it| it.totals.net.get()).sum()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn cancelled_and_cancelling_name_each_other_in_every_form() {
    let mut house = house().await;
    add(&house, "2026-10-15", 6, 150);
    house.night().await;
    let sealed = seal(&mut house, "2026-10-15").unwrap();
    let reversal = cancel(&mut house, "2026-0001").unwrap();
    let cancelled = house.store.statement("2026-0001").unwrap().unwrap();
    assert_eq!(
        house.store.statement("2026-0002").unwrap().unwrap(),
        reversal
    );
    assert_eq!(
        house.store.sealed("2026-0001").unwrap().unwrap().statement,
        sealed
    );
    assert_eq!(reversal.totals.gross, sealed.totals.gross.negated());
    assert_eq!(reversal.entries[0].tracked_seconds, -9000);
    let (day, today) = (sealed.issued_on.unwrap(), reversal.issued_on.unwrap());
    let documents = |statement: &Statement| {
        Format::ALL.map(|format| render::render(statement, format, None).unwrap())
    };
    let german = |day: chrono::NaiveDate| day.format("%d.%m.%Y").to_string();
    let by = format!("Storniert durch 2026-0002 vom {}", german(today));
    let of = format!("Storno zu 2026-0001 vom {}", german(day));
    for (statement, words, other) in [
        (&cancelled, &by, "2026-0002"),
        (&reversal, &of, "2026-0001"),
    ] {
        for document in documents(statement) {
            if document.media_type == "application/pdf" {
                let Some(text) = text_of(&document.bytes) else {
                    continue;
                };
                assert!(text.contains(words), "{text}");
            } else {
                let text = String::from_utf8(document.bytes).unwrap();
                assert!(text.contains(other), "{}: {text}", document.file_name);
            }
        }
    }
    assert!(documents(&reversal)[0].file_name.starts_with("Storno_"));
    let parcels = house.store.parcels_of("2026-0002").unwrap();
    assert_eq!(parcels.len(), 2, "its documents go where the others went");
    house.night().await;
    let folder = house.drive().join("Berichte");
    assert_eq!(std::fs::read_dir(folder).unwrap().count(), 4);
}

/// What pdftotext reads; nothing where it is not installed.
fn text_of(pdf: &[u8]) -> Option<String> {
    let dir = tempfile::tempdir().unwrap();
    let file = dir.path().join("a.pdf");
    std::fs::write(&file, pdf).unwrap();
    let read = Command::new("pdftotext").arg(&file).arg("-").output();
    let Ok(output) = read else {
        println!("SKIPPED: there is no pdftotext");
        return None;
    };
    let text = String::from_utf8(output.stdout).unwrap();
    Some(text.replace(['\n', '\u{a0}'], " "))
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_commands_say_what_they_do_and_why_they_do_not() {
    let mut house = house().await;
    let long = add(&house, "2026-10-15", 6, 150);
    let other = add(&house, "2026-10-15", 10, 60);
    house.night().await;
    seal(&mut house, "2026-10-15").unwrap();
    shorten(&house, long, 30);
    house.toggl.delete(other);
    house.night().await;
    let (long, other) = (work_of(&house, long), work_of(&house, other));
    let before = house.rows();
    let dry = run(
        &house,
        &["statement", "correct", "2026-0001", "--dry-run", "--json"],
        0,
    )
    .await;
    assert_eq!(json(&dry).as_array().unwrap().len(), 2);
    assert_eq!(house.rows(), before);
    let said = run(
        &house,
        &["statement", "correct", "2026-0001", "--work", &long],
        0,
    )
    .await;
    assert!(said.contains("−0:30 h, −29.50 EUR"), "{said}");
    assert_eq!(house.rows(), before + 1);
    assert_eq!(subjects(&house), BTreeSet::from([other.clone()]));
    refuses(&house).await;
    let done = ["statement", "correct", "2026-0001", "--work", &long];
    let said = run(&house, &done, 2).await;
    assert!(said.contains("nothing of 2026-0001 has changed"), "{said}");

    seal(&mut house, "2026-11-01").unwrap();
    let said = run(&house, &["statement", "cancel", "2026-0001"], 2).await;
    assert!(said.contains("statement cancel 2026-0002"), "{said}");
    run(&house, &["statement", "storno", "2026-0002"], 0).await;
    let said = run(
        &house,
        &["statement", "cancel", "2026-0001", "--dry-run"],
        0,
    )
    .await;
    assert!(said.contains("cancels 2026-0001"), "{said}");
    run(&house, &["statement", "cancel", "2026-0001"], 0).await;
    let list = run(&house, &["statement", "list"], 0).await;
    for (nth, relation) in (1..).zip([
        "cancelled by 2026-0004",
        "cancelled by 2026-0003",
        "cancels 2026-0002",
        "cancels 2026-0001",
    ]) {
        let line = list.lines().nth(nth).unwrap();
        assert!(line.ends_with(relation), "{list}");
    }
    assert_eq!(drifted(&house), []);
    run(&house, &["ledger", "verify"], 0).await;
}

async fn refuses(house: &House) {
    for (refused, why) in [
        (
            ["correct", "2026-0009", ""],
            "there is no statement 2026-0009",
        ),
        (
            ["correct", "2026-0001", "--work=w999999"],
            "w999999 is not on 2026-0001",
        ),
        (
            ["storno", "2026-0009", ""],
            "there is no statement 2026-0009",
        ),
    ] {
        let args: Vec<&str> = refused.into_iter().filter(|it| !it.is_empty()).collect();
        let said = run(house, &[&["statement"], args.as_slice()].concat(), 2).await;
        assert!(said.contains(why) && said.contains("\nhint: "), "{said}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_correction_leads_to_what_it_corrects_and_back() {
    let mut house = house().await;
    let long = add(&house, "2026-10-15", 6, 150);
    house.night().await;
    seal(&mut house, "2026-10-15").unwrap();
    shorten(&house, long, 30);
    house.night().await;
    let long = work_of(&house, long);
    correct(&mut house, "2026-0001").unwrap();
    let next = seal(&mut house, "2026-11-01").unwrap();
    assert_eq!(next.totals.net.to_string(), "-29.50");
    let line = json(&run(&house, &["explain", "2026-0002:1", "--json"], 0).await);
    let corrects = &line["corrects"][0];
    assert_eq!(corrects["statement"], "2026-0001");
    assert_eq!(corrects["line"], 1);
    assert_eq!(corrects["work"], *long);
    assert_eq!(line["works"][0]["work"], *long);
    let rows: Vec<_> = line["works"][0]["records"][0]["revisions"]
        .as_array()
        .unwrap()
        .iter()
        .map(|revision| revision["row"].clone())
        .collect();
    assert_eq!(rows, [corrects["now"].clone(), corrects["was"].clone()]);
    let back = json(&run(&house, &["explain", "2026-0001:1", "--json"], 0).await);
    let works: BTreeMap<String, Value> = back["works"]
        .as_array()
        .unwrap()
        .iter()
        .map(|work| (work["work"].as_str().unwrap().to_owned(), work.clone()))
        .collect();
    let there = &works[&long]["corrections"][0];
    assert_eq!(there["charged"], "2026-0002");
    assert_eq!(there["charged_lines"], serde_json::json!([1]));
    let said = run(&house, &["explain", &long], 0).await;
    assert!(said.contains("charged by 2026-0002:1"), "{said}");
}

/// What the program printed, to whichever side.
async fn run(house: &House, args: &[&str], code: i32) -> String {
    let output = stundenbuch(house, args).await;
    let errors = String::from_utf8(output.stderr).unwrap();
    assert_eq!(output.status.code(), Some(code), "{args:?}: {errors}");
    let text = String::from_utf8(output.stdout).unwrap();
    if args.contains(&"--json") {
        text
    } else {
        text + &errors
    }
}

fn json(text: &str) -> Value {
    serde_json::from_str(text).unwrap()
}
